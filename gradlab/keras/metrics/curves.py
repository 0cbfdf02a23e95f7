"""All thresholds at once: the curve of hits against false alarms, and the area under it.

A single threshold is a choice; the area says how well the model ranks, whatever the choice.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from gradlab.errors import ShapeError
from gradlab.keras import config
from gradlab.keras.losses.functions import floats
from gradlab.keras.metrics.base import full_weights, ratio
from gradlab.keras.metrics.confusion import CountingMetric
from gradlab.ops.activations import sigmoid
from gradlab.ops.losses import plain

CURVES = ("ROC", "PR", "PRGAIN")
SUMMATIONS = ("interpolation", "minoring", "majoring")


def _one_of(name: str, given: str, known: tuple[str, ...]) -> str:
    """Return the known word that was given, in whatever case.

    Raises:
        ValueError: none of them.
    """
    for word in known:
        if str(given).lower() == word.lower():
            return word
    raise ValueError(
        f"AUC: {name}={given!r}\nexpected one of {', '.join(map(repr, known))}\n"
        f"write {name}={known[0]!r}"
    )


class AUC(CountingMetric):
    """Area under the curve: the probability that a positive instance ranks above a negative one.

    The ROC curve has the false positive rate on the horizontal axis and the recall on the vertical
    one; the PR curve recall and precision.

    Args:
        num_thresholds: how finely the curve is drawn.
        curve: "ROC", "PR" or "PRGAIN" (Flach and Kull, 2015).
        summation_method: between two thresholds "interpolation", "minoring" or "majoring".
        thresholds: those to use instead of evenly spaced ones; 0 and 1 are added.
        multi_label: an area for each column, and their mean.
        num_labels: number of columns with ``multi_label``; read off the first batch by default.
        label_weights: one weight per column.
        from_logits: the predictions are scores, before the sigmoid; otherwise what lies beyond 0
            or 1 counts as 0 or 1.

    Source: Davis and Goadrich (2006) for the interpolation of precision.

    >>> round(AUC()([0, 0, 1, 1], [0.1, 0.6, 0.5, 0.9]), 4)
    0.75
    """

    def __init__(
        self,
        num_thresholds: int = 200,
        curve: str = "ROC",
        summation_method: str = "interpolation",
        name: str | None = None,
        dtype: Any = None,
        thresholds: Sequence[float] | None = None,
        multi_label: bool = False,
        num_labels: int | None = None,
        label_weights: Sequence[float] | None = None,
        from_logits: bool = False,
    ) -> None:
        if num_thresholds < 2:
            raise ValueError(
                f"AUC: num_thresholds={num_thresholds}\nexpected at least 2\n"
                "write num_thresholds=200"
            )
        evenly = [k / (num_thresholds - 1) for k in range(1, num_thresholds - 1)]
        inner = evenly if thresholds is None else sorted(thresholds)
        self.curve = _one_of("curve", curve, CURVES)
        self.summation_method = _one_of("summation_method", summation_method, SUMMATIONS)
        self.multi_label, self.num_labels = multi_label, num_labels
        self.label_weights, self.from_logits = label_weights, from_logits
        self._own_thresholds = thresholds is not None
        # A prediction of 0 is still above the first threshold, one of 1 below the last.
        ends = -config.epsilon(), 1.0 + config.epsilon()
        super().__init__([ends[0], *inner, ends[1]], name=name, dtype=dtype)
        self.num_thresholds = len(self.thresholds)

    def _add_state(self, columns: tuple[int, ...]) -> None:
        if self.multi_label:
            columns = columns or (self.num_labels or 0,)
        if columns != (0,):
            super()._add_state(columns)

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Count a batch.

        Args:
            y_true: 0 or 1 for each prediction.
            y_pred: probabilities, in the shape of the targets.
            sample_weight: one weight per instance, or per prediction.
        """
        y_pred = floats(plain(y_pred), self.dtype)
        y_pred = sigmoid(y_pred) if self.from_logits else y_pred.clip(0.0, 1.0)
        if self.multi_label:
            self._match(y_pred.shape)
        elif self.label_weights is not None:
            sample_weight = full_weights(y_pred.shape, sample_weight) * self.label_weights
        super().update_state(y_true, y_pred, sample_weight)

    def _match(self, shape: tuple[int, ...]) -> None:
        """Make the state for this many columns, at the first batch."""
        if len(shape) != 2 or self.num_labels not in (None, shape[1]):
            raise ShapeError(
                f"AUC: predictions of shape {shape} with multi_label=True\n"
                f"expected shape (n, {self.num_labels or 'labels'})\n"
                "write multi_label=False for a single yes-or-no answer"
            )
        if not self.variables:
            self._add_state((shape[1],))

    def _columns(self, a: np.ndarray) -> np.ndarray:
        return a if self.multi_label else super()._columns(a)

    def result(self) -> float:
        """Return the area so far; with ``multi_label`` the mean over the columns."""
        if not self.variables:
            return 0.0
        interpolated = self.summation_method == "interpolation"
        if self.curve == "PR" and interpolated:
            areas = self._area_of_precision()
        else:
            x, y = self._curve()
            left, right = y[:-1], y[1:]
            heights = {
                "interpolation": (left + right) / 2.0,
                "minoring": np.minimum(left, right),
                "majoring": np.maximum(left, right),
            }[self.summation_method]
            areas = ((x[:-1] - x[1:]) * heights).sum(axis=0)
        weights = self.label_weights if self.multi_label else None
        return float(np.average(areas, weights=weights))

    def _curve(self) -> tuple[np.ndarray, np.ndarray]:
        """Return the points of the curve, from the lowest threshold to the highest."""
        tp, fp = self.true_positives.data, self.false_positives.data
        tn, fn = self.true_negatives.data, self.false_negatives.data
        recall = ratio(tp, tp + fn)
        if self.curve == "ROC":
            return ratio(fp, fp + tn), recall
        if self.curve == "PR":
            return recall, ratio(tp, tp + fp)
        odds = ratio(tp + fn, tn + fp)
        recall_gain = np.where(tp == 0.0, 0.0, 1.0 - odds * ratio(fn, tp))
        precision_gain = np.where(tp == 0.0, 1.0, 1.0 - odds * ratio(fp, tp))
        return np.maximum(recall_gain, 0.0), precision_gain

    def _area_of_precision(self) -> np.ndarray:
        """Return the area under the PR curve, on which precision is no straight line in recall.

        Between two thresholds the true positives TP grow with all positives P in a line of slope
        s, TP = i + s P, so that precision is TP / P = s + i / P.
        """
        tp = self.true_positives.data
        positives = tp + self.false_positives.data
        gained = tp[:-1] - tp[1:]
        slope = ratio(gained, positives[:-1] - positives[1:])
        intercept = tp[1:] - slope * positives[1:]
        growth = np.where(positives[1:] > 0.0, ratio(positives[:-1], positives[1:]), 1.0)
        area = slope * (gained + intercept * np.log(growth))
        return ratio(area, tp[1:] + self.false_negatives.data[1:]).sum(axis=0)

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that make it anew."""
        settings = {
            "num_thresholds": self.num_thresholds,
            "curve": self.curve,
            "summation_method": self.summation_method,
            "multi_label": self.multi_label,
            "num_labels": self.num_labels,
            "label_weights": self.label_weights,
            "from_logits": self.from_logits,
        }
        own = {"thresholds": self.thresholds[1:-1]} if self._own_thresholds else {}
        return {**super().get_config(), **settings, **own}
