"""Accuracy: how often the model is right, which is what one wants and cannot differentiate.

Which answer counts as right depends on the form of the targets: yes or no, the number of a class,
or a one-hot vector.
"""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np

from gradlab.errors import ShapeError
from gradlab.keras import config
from gradlab.keras.losses.functions import same_rank
from gradlab.keras.metrics.base import Metric
from gradlab.keras.metrics.means import FunctionMetric, MeanMetricWrapper
from gradlab.keras.metrics.of_losses import (
    BinaryCrossentropy,
    CategoricalCrossentropy,
    SparseCategoricalCrossentropy,
)
from gradlab.ops.losses import plain, same_shape

# ----------------------------------------------------------------------- 1 where right, 0 elsewhere


def accuracy(y_true: Any, y_pred: Any) -> np.ndarray:
    """Return 1 where prediction and target are equal, 0 elsewhere.

    >>> accuracy([1, 2, 3], [1, 2, 4])
    array([1., 1., 0.], dtype=float32)
    """
    y_pred = plain(y_pred)
    y_true, y_pred = same_rank(plain(y_true).astype(y_pred.dtype), y_pred)
    same_shape("accuracy", y_true, y_pred)
    return config.as_floats(y_true == y_pred)


def binary_accuracy(y_true: Any, y_pred: Any, threshold: float = 0.5) -> np.ndarray:
    """Return 1 where the prediction is on the right side of the threshold.

    >>> binary_accuracy([1, 0, 1], [0.9, 0.2, 0.3])
    array([1., 1., 0.], dtype=float32)
    """
    y_true, y_pred = same_rank(plain(y_true), plain(y_pred))
    same_shape("binary_accuracy", y_true, y_pred)
    return config.as_floats((y_pred > threshold) == y_true)


def categorical_accuracy(y_true: Any, y_pred: Any) -> np.ndarray:
    """Return 1 where the largest prediction is that of the class in the one-hot target.

    >>> categorical_accuracy([[0, 1, 0], [1, 0, 0]], [[0.1, 0.8, 0.1], [0.2, 0.3, 0.5]])
    array([1., 0.], dtype=float32)

    Raises:
        ShapeError: targets that are not one-hot.
    """
    classes = _classes_of_one_hot("categorical_accuracy", y_true, plain(y_pred))
    return config.as_floats(plain(y_pred).argmax(axis=-1) == classes)


def sparse_categorical_accuracy(y_true: Any, y_pred: Any) -> np.ndarray:
    """Return 1 where the largest prediction is that of the class with the number in the target.

    >>> sparse_categorical_accuracy([1, 0], [[0.1, 0.8, 0.1], [0.2, 0.3, 0.5]])
    array([1., 0.], dtype=float32)

    Raises:
        ShapeError: targets that are not one number per row.
    """
    labels = _labels("sparse_categorical_accuracy", y_true, plain(y_pred))
    return config.as_floats(plain(y_pred).argmax(axis=-1) == labels)


def top_k_categorical_accuracy(y_true: Any, y_pred: Any, k: int = 5) -> np.ndarray:
    """Return 1 where the class of the one-hot target is among the k largest predictions.

    >>> top_k_categorical_accuracy([[0, 1, 0], [1, 0, 0]], [[0.3, 0.6, 0.1], [0.2, 0.3, 0.5]], k=2)
    array([1., 0.], dtype=float32)
    """
    labels = _classes_of_one_hot("top_k_categorical_accuracy", y_true, plain(y_pred))
    return _among_the_largest(labels, plain(y_pred), k)


def sparse_top_k_categorical_accuracy(
    y_true: Any, y_pred: Any, k: int = 5, from_sorted_ids: bool = False
) -> np.ndarray:
    """Return 1 where the class with the number in the target is among the k largest predictions.

    Args:
        y_true: numbers of classes.
        y_pred: a prediction for each class.
        k: how many of the largest count.
        from_sorted_ids: ``y_pred`` has the numbers of the best classes instead, best first.

    >>> sparse_top_k_categorical_accuracy([1, 0], [[0.3, 0.6, 0.1], [0.2, 0.3, 0.5]], k=2)
    array([1., 0.], dtype=float32)
    """
    y_pred = plain(y_pred)
    labels = _labels("sparse_top_k_categorical_accuracy", y_true, y_pred)
    if from_sorted_ids:
        return config.as_floats((y_pred[..., :k] == labels[..., None]).any(axis=-1))
    return _among_the_largest(labels, y_pred, k)


def _among_the_largest(labels: np.ndarray, y_pred: np.ndarray, k: int) -> np.ndarray:
    """Return 1 where fewer than k predictions exceed that of the label: ties count as right."""
    known = (labels >= 0) & (labels < y_pred.shape[-1])
    places = np.where(known, labels, 0).astype(np.intp)
    own = np.take_along_axis(y_pred, places[..., None], axis=-1)
    above = np.count_nonzero(~(y_pred <= own), axis=-1)  # this way NaN is never among the largest
    return config.as_floats(known & (above < k))


def _labels(name: str, y_true: Any, y_pred: np.ndarray) -> np.ndarray:
    """Return the numbers of classes, one per row of predictions; shape (n, 1) will do."""
    labels, rows = plain(y_true), y_pred.shape[:-1]
    if labels.shape not in (rows, (*rows, 1)):
        raise ShapeError(
            f"{name}: targets of shape {labels.shape}, predictions of shape {y_pred.shape}\n"
            f"expected one whole number per row: shape {rows}\n"
            f"write {name.removeprefix('sparse_')} for one-hot targets"
        )
    return labels.reshape(rows)


def _classes_of_one_hot(name: str, y_true: Any, y_pred: np.ndarray) -> np.ndarray:
    """Return the numbers of classes from one-hot targets."""
    targets = plain(y_true)
    if targets.shape != y_pred.shape:
        raise ShapeError(
            f"{name}: targets of shape {targets.shape}, predictions of shape {y_pred.shape}\n"
            "expected one-hot targets, in the shape of the predictions\n"
            f"write sparse_{name} for whole-number labels"
        )
    return targets.argmax(axis=-1)


# -------------------------------------------------------------------------------- and their means


class Accuracy(FunctionMetric):
    """How often predictions equal targets.

    >>> Accuracy()([1, 2, 3, 4], [0, 2, 3, 4])
    0.75
    """

    fn = staticmethod(accuracy)


class BinaryAccuracy(FunctionMetric):
    """How often a prediction is on the right side of the threshold.

    >>> BinaryAccuracy()([1, 1, 0, 0], [0.98, 1.0, 0.0, 0.6])
    0.75
    """

    fn = staticmethod(binary_accuracy)

    def __init__(
        self, name: str | None = "binary_accuracy", dtype: Any = None, threshold: float = 0.5
    ) -> None:
        MeanMetricWrapper.__init__(self, self.fn, name, dtype, threshold=threshold)


class CategoricalAccuracy(FunctionMetric):
    """How often the largest prediction is that of the right class; targets are one-hot."""

    fn = staticmethod(categorical_accuracy)


class SparseCategoricalAccuracy(FunctionMetric):
    """How often the largest prediction is that of the right class; targets are its number.

    >>> SparseCategoricalAccuracy()([2, 1], [[0.1, 0.6, 0.3], [0.05, 0.95, 0.0]])
    0.5
    """

    fn = staticmethod(sparse_categorical_accuracy)


class TopKCategoricalAccuracy(FunctionMetric):
    """How often the right class is among the k largest predictions; targets are one-hot."""

    fn = staticmethod(top_k_categorical_accuracy)

    def __init__(
        self, k: int = 5, name: str | None = "top_k_categorical_accuracy", dtype: Any = None
    ) -> None:
        MeanMetricWrapper.__init__(self, self.fn, name, dtype, k=k)


class SparseTopKCategoricalAccuracy(FunctionMetric):
    """How often the right class is among the k largest predictions; targets are its number.

    >>> SparseTopKCategoricalAccuracy(k=2)([2, 1], [[0.1, 0.6, 0.3], [0.05, 0.95, 0.0]])
    1.0
    """

    fn = staticmethod(sparse_top_k_categorical_accuracy)

    def __init__(
        self,
        k: int = 5,
        name: str | None = "sparse_top_k_categorical_accuracy",
        dtype: Any = None,
        from_sorted_ids: bool = False,
    ) -> None:
        sorted_ids = {"from_sorted_ids": True} if from_sorted_ids else {}
        MeanMetricWrapper.__init__(self, self.fn, name, dtype, k=k, **sorted_ids)


# ------------------------------------------------------------------------------- which one is meant


def resolve_accuracy(
    name: str, y_true_shape: tuple[int, ...], y_pred_shape: tuple[int, ...], loss: Any = None
) -> Metric:
    """Return what "accuracy" or "crossentropy" means for targets and predictions of these shapes.

    One output: binary. Fewer axes in the targets, or a last axis of size 1: sparse. Otherwise
    categorical. These are the rules of Keras, in which the loss plays no part.

    Args:
        name: "accuracy", "acc", "crossentropy" or "ce"; the metric's name.
        y_true_shape: of the targets.
        y_pred_shape: of the predictions.
        loss: the loss of this output; to warn if it is one for several yes-or-no answers.

    >>> [resolve_accuracy("acc", *shapes) for shapes in (
    ...     [(32,), (32, 1)], [(32,), (32, 10)], [(32, 10), (32, 10)])]
    [<BinaryAccuracy name=acc>, <SparseCategoricalAccuracy name=acc>, \
<CategoricalAccuracy name=acc>]
    """
    binary = y_pred_shape[-1] == 1
    sparse = len(y_true_shape) < len(y_pred_shape) or y_true_shape[-1] == 1
    kind = 0 if binary else 1 if sparse else 2
    if name in ("crossentropy", "ce"):
        crossentropies = (
            BinaryCrossentropy,
            SparseCategoricalCrossentropy,
            CategoricalCrossentropy,
        )
        return crossentropies[kind](name=name, from_logits=getattr(loss, "from_logits", False))
    if kind == 2 and getattr(getattr(loss, "fn", None), "__name__", "").startswith("binary_"):
        warnings.warn(
            f"{name} with a loss for {y_pred_shape[-1]} yes-or-no answers per row\n"
            "expected one class per row: as in Keras, only the largest prediction is compared\n"
            'write metrics=["binary_accuracy"] to count every answer',
            stacklevel=2,
        )
    return (BinaryAccuracy, SparseCategoricalAccuracy, CategoricalAccuracy)[kind](name=name)
