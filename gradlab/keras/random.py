"""Chance, from one place: initial weights, the order of the instances, dropout masks.

``set_random_seed(42)`` before a model is made gives bitwise the same weights after training on the
same machine.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import numpy as np

_generator = np.random.default_rng()


def generator() -> np.random.Generator:
    """Return the generator that everything without a seed of its own draws from."""
    return _generator


def set_random_seed(seed: int) -> None:
    """Start the generator anew, and those of NumPy and Python.

    >>> set_random_seed(42)
    >>> first = generator().random()
    >>> set_random_seed(42)
    >>> generator().random() == first
    True

    Raises:
        ValueError: not a whole number from 0 to 2**32 - 1.
    """
    import random

    global _generator
    if not isinstance(seed, int | np.integer) or not 0 <= seed < 2**32:
        raise ValueError(
            f"set_random_seed: given {seed!r}\nexpected a whole number from 0 to 4294967295\n"
            "write set_random_seed(42)"
        )
    random.seed(int(seed))
    np.random.seed(int(seed))  # noqa: NPY002 - scripts that use np.random.rand expect it
    _generator = np.random.default_rng(int(seed))


set_seed = set_random_seed  # tf.random.set_seed


@contextlib.contextmanager
def seeded(seed: int) -> Iterator[None]:
    """Start all generators from a seed for as long as a block lasts; then they go on as before.

    >>> set_random_seed(42)
    >>> with seeded(1):
    ...     inside = generator().random()
    >>> outside = generator().random()
    >>> set_random_seed(42)
    >>> generator().random() == outside
    True
    """
    import random

    global _generator
    before = _generator, random.getstate(), np.random.get_state()  # noqa: NPY002 - as above
    set_random_seed(seed)
    try:
        yield
    finally:
        _generator, pythons, numpys = before
        random.setstate(pythons)
        np.random.set_state(numpys)  # noqa: NPY002


def own_generator(seed: int | None) -> np.random.Generator | None:
    """Return a generator for one layer or initializer with its own seed; None without one."""
    return None if seed is None else np.random.default_rng(seed)
