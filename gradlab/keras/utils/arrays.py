"""Preparing arrays for training: one-hot labels, and rows set aside for testing.

Both need no model, and both are where many a first script goes wrong.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from numbers import Integral
from typing import Any

import numpy as np


def to_categorical(x: Any, num_classes: int | None = None) -> np.ndarray:
    """Return labels one-hot: a new last axis with 1 at the label and 0 elsewhere, as float32.

    Args:
        x: whole numbers from 0 to ``num_classes - 1``, of any shape; a last axis of length 1 is
            dropped, as Keras drops it.
        num_classes: the length of the new axis; the largest label + 1 if it is not given.

    Raises:
        ValueError: labels that are not whole numbers, or out of range.

    Source: deck 001; ``keras.utils.to_categorical``.

    >>> to_categorical([0, 2, 1], num_classes=4)
    array([[1., 0., 0., 0.],
           [0., 0., 1., 0.],
           [0., 1., 0., 0.]], dtype=float32)
    """
    labels = np.asarray(x)
    kind = labels.dtype.kind
    if not (kind in "iub" or (kind == "f" and np.array_equal(labels, np.trunc(labels)))):
        raise ValueError(
            f"to_categorical: given {_shown(labels)}\nexpected labels that are whole numbers\n"
            "write np.unique(y, return_inverse=True)[1] to number labels of another kind"
        )
    if labels.ndim > 1 and labels.shape[-1] == 1:
        labels = labels[..., 0]
    labels = labels.astype(np.int64)
    count = num_classes or int(labels.max(initial=-1)) + 1
    wrong = labels[(labels < 0) | (labels >= count)]
    if wrong.size:
        raise ValueError(
            f"to_categorical: given the label {wrong[0]}\nexpected labels from 0 to {count - 1}\n"
            f"write num_classes={labels.max() + 1}, and labels that start at 0"
        )
    return (labels[..., None] == np.arange(count)).astype(np.float32)


def train_test_split(
    *arrays: Any,
    test_size: float | int | None = None,
    train_size: float | int | None = None,
    random_state: int | None = None,
) -> list[np.ndarray]:
    """Shuffle the rows of arrays in one common order and cut each array in two.

    The rows are those that ``sklearn.model_selection.train_test_split`` chooses with the same
    arguments; scikit-learn is not needed.

    Args:
        arrays: of the same length.
        test_size: how many rows for testing, or what share of them, rounded up; what is left over
            by ``train_size`` if that is given, else a quarter.
        train_size: how many rows for training, or what share, rounded down; else what is left.
        random_state: the same number gives the same rows; None continues NumPy's global generator,
            which ``keras.utils.set_random_seed`` starts.

    Returns:
        ``[X_train, X_test, y_train, y_test]`` for the arrays X, y.

    Raises:
        ValueError: no arrays, different lengths, or sizes that do not fit.

    Source: deck 001.

    >>> X, y = np.arange(10).reshape(5, 2), np.arange(5)
    >>> X_train, X_test, y_train, y_test = train_test_split(X, y, random_state=42)
    >>> y_train.tolist(), y_test.tolist()
    ([2, 0, 3], [1, 4])
    """
    rows = [np.atleast_1d(array) for array in arrays]
    lengths = {len(array) for array in rows}
    if len(lengths) != 1:
        raise ValueError(
            f"train_test_split: given {len(rows)} arrays of {sorted(lengths)} rows\n"
            "expected one array or more, all with the same number of rows\n"
            "write train_test_split(X, y) with one row of X for each row of y"
        )
    train, test = _sizes(lengths.pop(), test_size, train_size)
    # NumPy's old generator, because scikit-learn shuffles with it.
    chance = np.random if random_state is None else np.random.RandomState(random_state)
    order = chance.permutation(len(rows[0]))
    parts = order[test : test + train], order[:test]
    return [array[part] for array in rows for part in parts]


def _sizes(
    rows: int, test_size: float | int | None, train_size: float | int | None
) -> tuple[int, int]:
    """Return how many rows are for training and how many for testing."""
    if train_size is None:
        test = _count(0.25 if test_size is None else test_size, rows, math.ceil)
        train = rows - test
    else:
        train = _count(train_size, rows, math.floor)
        test = rows - train if test_size is None else _count(test_size, rows, math.ceil)
    if train < 1 or test < 1 or train + test > rows:
        raise ValueError(
            f"train_test_split: given test_size={test_size}, train_size={train_size}, {rows} rows\n"
            "expected shares between 0 and 1, or counts, with a row or more on both sides\n"
            "write test_size=0.25 to set a quarter of the rows aside"
        )
    return train, test


def _count(size: float | int, rows: int, rounded: Callable[[float], int]) -> int:
    return int(size) if isinstance(size, Integral) else rounded(size * rows)


def _shown(labels: np.ndarray) -> str:
    return f"{labels.ravel()[:3].tolist()}{' ...' if labels.size > 3 else ''}"
