"""Precision and recall in one number: it is high only when both are.

The F1 score is their harmonic mean, which the smaller of the two pulls down.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from gradlab.errors import ShapeError
from gradlab.keras import config
from gradlab.keras.losses.functions import floats
from gradlab.keras.metrics.base import Metric, full_weights, number
from gradlab.ops.losses import plain, same_shape


class FBetaScore(Metric):
    """(1 + beta^2) precision recall / (beta^2 precision + recall), of each class.

    Args:
        average: None: a score for each class; "macro": their mean; "weighted": their mean weighted
            by the instances of each; "micro": one score from the counts of all classes together.
        beta: how many times more recall counts than precision.
        threshold: a prediction above it is a positive one; None: the largest of each row is.

    >>> FBetaScore(beta=2.0, threshold=0.5)(
    ...     [[1, 1, 1], [1, 0, 0], [1, 1, 0]],
    ...     [[0.2, 0.6, 0.7], [0.2, 0.6, 0.6], [0.6, 0.8, 0.0]]).round(4)
    array([0.3846, 0.9091, 0.8333])

    Raises:
        ShapeError: not one row per instance.
        ValueError: an unknown average; a beta or threshold out of range.
    """

    def __init__(
        self,
        average: str | None = None,
        beta: float = 1.0,
        threshold: float | None = None,
        name: str | None = "fbeta_score",
        dtype: Any = None,
    ) -> None:
        super().__init__(dtype, name)
        kind = type(self).__name__
        if average not in (None, "micro", "macro", "weighted"):
            raise ValueError(
                f"{kind}: average={average!r}\nexpected 'macro', 'weighted', 'micro' or None\n"
                'write average="macro" for the mean over the classes'
            )
        if beta <= 0.0:
            raise ValueError(f"{kind}: beta={beta!r}\nexpected a number above 0\nwrite beta=1.0")
        if threshold is not None and not 0.0 < threshold <= 1.0:
            raise ValueError(
                f"{kind}: threshold={threshold!r}\nexpected a number above 0, up to 1\n"
                "write threshold=0.5, or None for the largest of each row"
            )
        self.average, self.beta, self.threshold = average, float(beta), threshold
        self._built = False

    def _build(self, shape: tuple[int, ...]) -> None:
        if len(shape) != 2:
            raise ShapeError(
                f"{type(self).__name__}: predictions of shape {shape}\n"
                "expected one row per instance: shape (n, classes)\n"
                "write y.reshape(-1, 1) and threshold=0.5 for a single yes-or-no answer"
            )

        def zeros(name: str) -> Any:
            columns = () if self.average == "micro" else shape[1:]
            return self.add_variable(columns, dtype="float64", name=name)

        self.true_positives = zeros("true_positives")
        self.false_positives = zeros("false_positives")
        self.false_negatives = zeros("false_negatives")
        self.intermediate_weights = zeros("intermediate_weights")
        self._built = True

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Count a batch; one-hot (or several-hot) targets and predictions of shape (n, classes)."""
        y_pred, y_true = floats(plain(y_pred), self.dtype), floats(plain(y_true), self.dtype)
        if not self._built:
            self._build(y_pred.shape)
        same_shape(self.name, y_true, y_pred)
        if self.threshold is None:
            # A row of zeros has no largest prediction: it is no positive one.
            largest = y_pred.max(axis=-1, keepdims=True)
            positive = (y_pred >= largest) & (np.abs(y_pred) > 1e-9)
        else:
            positive = y_pred > self.threshold
        weights = full_weights(y_true.shape, sample_weight)
        axis = None if self.average == "micro" else 0
        for variable, values in (
            (self.true_positives, positive * y_true),
            (self.false_positives, positive * (1.0 - y_true)),
            (self.false_negatives, ~positive * y_true),
            (self.intermediate_weights, y_true),
        ):
            variable.data[...] += (values * weights).sum(axis=axis, dtype=np.float64)

    def result(self) -> Any:
        """Return the score so far; an array, one for each class, with ``average=None``."""
        if not self._built:
            return 0.0
        tiny, right = config.epsilon(), self.true_positives.data
        precision = right / (right + self.false_positives.data + tiny)
        recall = right / (right + self.false_negatives.data + tiny)
        squared = self.beta**2
        scores = (1.0 + squared) * precision * recall / (squared * precision + recall + tiny)
        if self.average == "weighted":
            support = self.intermediate_weights.data
            return number((scores * support).sum() / (support.sum() + tiny))
        return number(scores if self.average is None else scores.mean())

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that make it anew."""
        settings = {"average": self.average, "beta": self.beta, "threshold": self.threshold}
        return {**super().get_config(), **settings}


class F1Score(FBetaScore):
    """2 precision recall / (precision + recall), of each class.

    Args:
        average: None: a score for each class; "macro": their mean; "weighted": their mean weighted
            by the instances of each; "micro": one score from the counts of all classes together.
        threshold: a prediction above it is a positive one; None: the largest of each row is.

    >>> f1 = F1Score(average="macro", threshold=0.5)
    >>> round(f1([[1, 1], [1, 0], [1, 1]], [[0.2, 0.6], [0.2, 0.6], [0.6, 0.8]]), 4)
    0.65
    """

    def __init__(
        self,
        average: str | None = None,
        threshold: float | None = None,
        name: str | None = "f1_score",
        dtype: Any = None,
    ) -> None:
        super().__init__(average, 1.0, threshold, name, dtype)

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that make it anew."""
        config = super().get_config()
        del config["beta"]
        return config
