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

    Results may not depend on the choice. While another program takes a core now and then, most
    steps on two threads are fast, and some many times slower: so what counts is their mean. It is
    followed on, and once it exceeds the time of one thread, that ends the matter until `measure`.

    Args:
        most: how many threads there are.

    Attributes:
        threads: how many the next step takes.

    >>> choice = Choice(2)
    >>> for seconds in 10 * [0.3] + 10 * [0.2]:
    ...     choice.took(seconds)
    >>> choice.threads
    2
    >>> choice.took(4.0)  # a core was taken
    >>> choice.threads
    1
    """

    TRIALS = 10
    MEMORY = 32  # steps that the mean goes back, about

    def __init__(self, most: int) -> None:
        self.most = most
        self.measure()

    def measure(self) -> None:
        """Try both again, in the next steps; ``gradlab.config.threads`` leaves no choice."""
        self._alone: list[float] = []  # seconds of steps on one thread
        self._steps, self._mean = 0, 0.0  # of those on several
        self._decided = self.most == 1 or config.threads != "auto"
        self.threads = 1 if config.threads == "auto" else min(int(config.threads), self.most)

    def took(self, seconds: float) -> None:
        """Tell how long a step took."""
        if self._decided:
            return
        if self.threads == 1:
            self._alone.append(seconds)
            self.threads = self.most if len(self._alone) == self.TRIALS else 1
            return
        self._steps += 1
        self._mean += (seconds - self._mean) / min(self._steps, self.MEMORY)
        if self._steps >= self.TRIALS and self._mean >= statistics.median(self._alone):
            self.threads, self._decided = 1, True
