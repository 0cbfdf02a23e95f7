"""How many threads a matrix product or a loop gets: one for all that is small, else what pays.

Handing half of a small product to a second core costs more than it saves, and many times more
while another program is using that core: both threads then wait for each other, at full speed.
"""

from __future__ import annotations

import contextlib
import functools
import itertools
import os
import queue
import threading
import time
from collections.abc import Callable, Sequence
from typing import Any

from gradlab import config

WORTH_SHARING = 1e8  # multiplications and additions; below that, one thread is at least as fast
LONG = 200_000  # numbers that a loop writes, likewise: waking a thread takes as long as 50,000
HELPER = "gradlab helper"  # the name of the threads that share loops
BLOCK = 4096  # numbers: a multiple of every vector; and so many stay in the first-level cache


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

    Results may not depend on the choice. Both ways are tried in turns, five steps at a time, since
    a machine may be slower in one second than in the next; the first of the five, which finds the
    caches of the other way, does not count. While another program takes a core now and then, most
    steps on two threads are fast, and some many times slower: so what counts is their mean. It is
    followed on, and once it is no gain over one thread, that ends the matter until `measure`.

    Args:
        most: how many threads there are.

    Attributes:
        threads: how many the next step takes.

    >>> choice = Choice(2)
    >>> for _ in range(choice.TRIALS):
    ...     choice.took(0.3 if choice.threads == 1 else 0.2)
    >>> choice.threads
    2
    >>> choice.took(4.0)  # a core was taken
    >>> choice.threads
    1
    """

    TRIALS, TURN = 20, 5  # steps in all, and in a row
    GAIN = 0.95  # of the time of one thread; less is not worth the other core
    MEMORY = 32  # steps that the mean goes back, about

    def __init__(self, most: int) -> None:
        self.most = most
        self.measure()

    def measure(self) -> None:
        """Try both again, in the next steps; ``gradlab.config.threads`` leaves no choice."""
        self._alone: list[float] = []  # seconds of steps on one thread
        self._steps, self._shared, self._mean = 0, 0, 0.0  # all steps; those on several
        self._decided = self.most == 1 or config.threads != "auto"
        self.threads = 1 if config.threads == "auto" else min(int(config.threads), self.most)

    def took(self, seconds: float) -> None:
        """Tell how long a step took."""
        if self._decided:
            return
        first = self._steps < self.TRIALS and self._steps % self.TURN == 0
        if self.threads == 1 and not first:
            self._alone.append(seconds)
        elif not first:
            self._shared += 1
            self._mean += (seconds - self._mean) / min(self._shared, self.MEMORY)
        self._steps += 1
        if self._steps < self.TRIALS:
            self.threads = self.most if self._steps // self.TURN % 2 else 1
        elif self._mean >= self.GAIN * sorted(self._alone)[len(self._alone) // 2]:
            self.threads, self._decided = 1, True


# --------------------------------------------------------------------- loops that threads share


class Shared:
    """A compiled loop over the rows of long arrays, which threads share if that measures faster.

    Each thread gets rows of its own, in whole blocks, within which the loop does what it would have
    done alone: the results do not depend on the number of threads.

    Args:
        loop: writes into its first argument, always of the same size; nothing that it writes for a
            row depends on another.
        cut: for each argument, whether it has the rows of the first; others are used whole.

    >>> import numpy as np
    >>> def doubled(out, x):
    ...     np.multiply(x, 2.0, out)
    >>> out = np.empty(1_000_000)
    >>> Shared(doubled, [True, True])(out, np.ones(1_000_000)), out[[0, -1]]
    (None, array([2., 2.]))
    """

    AGAIN = 200  # calls, after which both ways are tried anew

    def __init__(self, loop: Callable[..., None], cut: Sequence[bool]) -> None:
        self.loop, self.cut = loop, cut
        self._choice, self._calls = Choice(os.cpu_count() or 1), 0

    def __call__(self, *arrays: Any) -> None:
        """Run the loop."""
        if config.threads != "auto":
            together(self.loop, self._parts(arrays, int(config.threads)))
            return
        started = time.perf_counter()
        together(self.loop, self._parts(arrays, self._choice.threads))
        self._choice.took(time.perf_counter() - started)
        self._calls += 1
        if self._calls % self.AGAIN == 0:
            self._choice.measure()

    def _parts(self, arrays: Sequence[Any], number: int) -> list[Sequence[Any]]:
        """Return the arguments of each thread."""
        rows = len(arrays[0])
        block = rows_in_cache(arrays[0].size // rows)
        blocks = -(-rows // block)
        number = min(number, blocks)
        ends = [blocks * k // number * block for k in range(number + 1)]
        if number == 1:
            return [arrays]
        return [
            [a[first:last] if cut else a for a, cut in zip(arrays, self.cut, strict=True)]
            for first, last in itertools.pairwise(ends)
        ]


def rows_in_cache(columns: int) -> int:
    """Return how many rows of so many numbers make a block.

    >>> rows_in_cache(1), rows_in_cache(100), rows_in_cache(10_000)
    (4096, 40, 1)
    """
    return max(BLOCK // columns, 1)


def together(function: Callable[..., None], calls: Sequence[Sequence[Any]]) -> None:
    """Call a function with each of these arguments, all at once, and wait until all are done.

    >>> found = []
    >>> together(found.append, [[1], [2], [3]])
    >>> sorted(found)
    [1, 2, 3]
    """
    if threading.current_thread().name == HELPER:  # who waits for the other helpers, waits forever
        for arguments in calls:
            function(*arguments)
        return
    first, *others = calls
    done: queue.SimpleQueue[BaseException | None] = queue.SimpleQueue()
    for arguments in others:
        _helpers(len(others)).put((function, arguments, done))
    try:
        function(*first)
    finally:
        errors = [done.get() for _ in others]
    for error in errors:
        if error is not None:
            raise error


@functools.cache
def _helpers(number: int) -> queue.SimpleQueue[Any]:
    """Return where to put what the helpers are to do; they are started once and wait for it."""
    tasks: queue.SimpleQueue[Any] = queue.SimpleQueue()
    for _ in range(number):
        threading.Thread(target=_help, args=(tasks,), name=HELPER, daemon=True).start()
    return tasks


def _help(tasks: queue.SimpleQueue[Any]) -> None:
    while True:
        function, arguments, done = tasks.get()
        error: BaseException | None = None
        try:
            function(*arguments)
        except BaseException as raised:  # for the thread that waits
            error = raised
        del function, arguments
        done.put(error)


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_helpers.cache_clear)  # threads stay with the parent
