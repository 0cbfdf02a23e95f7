"""The confusion matrix: which class was taken for which, row by row.

Its diagonal holds what went right; everything beside it names a mistake.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from gradlab.errors import ShapeError
from gradlab.keras.metrics.base import full_weights, ratio
from gradlab.ops.losses import plain, same_shape


def confusion_matrix(
    y_true: Any,
    y_pred: Any,
    num_classes: int | None = None,
    weights: Any = None,
    normalize: str | None = None,
) -> np.ndarray:
    """Return how often instances of each class (row) were taken for each class (column).

    Args:
        y_true: numbers of classes.
        y_pred: numbers of classes, such as ``model.predict(x).argmax(axis=-1)``.
        num_classes: one more than the largest number by default.
        weights: of each instance.
        normalize: "true" makes each row sum to 1, "pred" each column, "all" the whole.

    >>> confusion_matrix([0, 1, 2, 2], [0, 2, 2, 2])
    array([[1, 0, 0],
           [0, 0, 1],
           [0, 0, 2]])
    >>> confusion_matrix([0, 1, 2, 2], [0, 2, 2, 0], normalize="true")[2]
    array([0.5, 0. , 0.5])

    Raises:
        ShapeError: predictions that are no numbers of classes, or not one per target.
        ValueError: a number outside the classes, or an unknown ``normalize``.
    """
    true, predicted = _class_numbers(plain(y_true)), _class_numbers(plain(y_pred))
    same_shape("confusion_matrix", true, predicted)
    size = num_classes or int(max(true.max(initial=-1), predicted.max(initial=-1))) + 1
    for kind, labels in (("y_true", true), ("y_pred", predicted)):
        if labels.size and not 0 <= labels.min() <= labels.max() < size:
            raise ValueError(
                f"confusion_matrix: {kind} from {labels.min()} to {labels.max()}\n"
                f"expected whole numbers from 0 to {size - 1}\n"
                f"write num_classes={max(labels.max() + 1, 1)}, or leave out the other numbers"
            )
    held = None if weights is None else full_weights(true.shape, weights)
    matrix = np.bincount(true * size + predicted, held, size * size).reshape(size, size)
    if normalize is None:
        return matrix
    if normalize not in ("true", "pred", "all"):
        raise ValueError(
            f"confusion_matrix: normalize={normalize!r}\nexpected 'true', 'pred', 'all' or None\n"
            'write normalize="true" for shares of each true class'
        )
    axis = {"true": 1, "pred": 0, "all": None}[normalize]
    return ratio(matrix, matrix.sum(axis=axis, keepdims=True))


def _class_numbers(labels: np.ndarray) -> np.ndarray:
    whole = labels.reshape(-1) if labels.ndim < 2 or labels.shape[1:] == (1,) else labels
    if whole.ndim > 1 or (whole != whole.astype(np.int64)).any():
        raise ShapeError(
            f"confusion_matrix: {labels.dtype} of shape {labels.shape}\n"
            "expected the number of a class for each instance\n"
            "write .argmax(axis=-1) of one-hot targets and of probabilities, (p > 0.5) * 1 of one"
        )
    return whole.astype(np.int64)
