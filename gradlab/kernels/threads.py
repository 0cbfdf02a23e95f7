"""How many threads a matrix product gets: one for the small products of training, else all.

Handing half of a small product to a second core costs more than it saves, and many times more
while another program is using that core: both threads then wait for each other, at full speed.
"""

from __future__ import annotations

import contextlib
import functools
import statistics
from typing import Any

from gradlab import config

WORTH_SHARING = 1e8  # multiplications and additions; below that, one thread is at least as fast


@functools.cache
def _controller() -> Any:
    import threadpoolctl

    return threadpoolctl.ThreadpoolController().select(user_api="blas")


def for_products_of(flops: float) -> contextlib.AbstractContextManager[Any]:
    """Return a context in which NumPy's products use as many threads as pay for this size.

    ``gradlab.config.threads`` overrules it with a number.

    Args:
        flops: 2 m n k for the product of (m, k) and (k, n), the largest one to come.

    >>> with for_products_of(2 * 32 * 784 * 300):
    ...     pass
    """
    if config.threads != "auto":
        return _controller().limit(limits=config.threads)
    if flops >= WORTH_SHARING:
        return contextlib.nullcontext()
    return one_each()


def one_each() -> contextlib.AbstractContextManager[Any]:
    """Return a context in which every call of BLAS stays on the thread that makes it.

    >>> with one_each():
    ...     pass
    """
    return _controller().limit(limits=1)


class Choice:
    """One thread or several for a step that is repeated: by measuring, and again from time to time.

    Results may not depend on the choice. A second thread that finds its core taken by another
    program makes a step many times slower, so a step that takes twice as long as with one thread,
    three times running, ends the matter until the next `measure`.

    Args:
        most: how many threads there are.

    Attributes:
        threads: how many the next step takes.

    >>> choice = Choice(2)
    >>> for seconds in 10 * [0.3] + 10 * [0.2]:
    ...     choice.took(seconds)
    >>> choice.threads
    2
    """

    TRIALS = 10

    def __init__(self, most: int) -> None:
        self.most = most
        self.measure()

    def measure(self) -> None:
        """Try both again, in the next steps; ``gradlab.config.threads`` leaves no choice."""
        self._times: dict[int, list[float]] = {1: [], self.most: []}
        self._slow = 0
        self._decided = self.most == 1 or config.threads != "auto"
        self.threads = 1 if config.threads == "auto" else min(int(config.threads), self.most)

    def took(self, seconds: float) -> None:
        """Tell how long a step took."""
        if config.threads != "auto":
            return
        alone, together = self._times[1], self._times[self.most]
        if self.threads > 1 and len(alone) == self.TRIALS:
            self._slow = self._slow + 1 if seconds > 2.0 * statistics.median(alone) else 0
            if self._slow == 3:
                self.threads, self._decided = 1, True
        if self._decided:
            return
        (alone if self.threads == 1 else together).append(seconds)
        if len(together) == self.TRIALS:
            faster = statistics.median(together) < statistics.median(alone)
            self.threads, self._decided = self.most if faster else 1, True
        elif len(alone) == self.TRIALS:
            self.threads = self.most
