"""Shuffling the rows of a table and cutting it in two, as the loaders of Keras do it."""

from __future__ import annotations

import numpy as np


def shuffled_split(
    x: np.ndarray, y: np.ndarray, test_split: float, seed: int
) -> tuple[tuple[np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray]]:
    """Return (x_train, y_train), (x_test, y_test) with the rows in an order drawn from ``seed``.

    Raises:
        ValueError: ``test_split``, the share of rows for testing, is not in [0, 1).

    >>> x = np.arange(5)
    >>> shuffled_split(x, x * x, test_split=0.4, seed=113)
    ((array([1, 0, 3]), array([1, 0, 9])), (array([2, 4]), array([ 4, 16])))
    """
    if not 0 <= test_split < 1:
        raise ValueError(
            f"test_split: given {test_split!r}\nexpected a share of the rows, from 0 to below 1\n"
            "write test_split=0.2 to test on a fifth of them"
        )
    order = np.random.RandomState(seed).permutation(len(x))  # NumPy's old generator, as in Keras
    train, test = np.split(order, [int(len(x) * (1 - test_split))])
    return (x[train], y[train]), (x[test], y[test])
