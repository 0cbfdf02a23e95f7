"""Right and wrong, counted apart: true and false, positives and negatives.

A prediction above the threshold is a positive one. Precision asks how many of those are right;
recall asks how many of the true ones were found.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar, NamedTuple

import numpy as np

from gradlab.errors import ShapeError
from gradlab.keras.losses.functions import floats, same_rank
from gradlab.keras.metrics.base import Metric, full_weights, number, ratio
from gradlab.keras.variable import Variable
from gradlab.ops.losses import plain, same_shape

LOWEST = -1e10  # every prediction is above it

# ------------------------------------------------------------------------------------ counting them


class Counts(NamedTuple):
    """How many, or how much weight, at each threshold."""

    true_positives: np.ndarray
    false_positives: np.ndarray
    true_negatives: np.ndarray
    false_negatives: np.ndarray


def counts(
    y_true: np.ndarray, y_pred: np.ndarray, thresholds: np.ndarray, weights: np.ndarray
) -> Counts:
    """Count positives and negatives at every threshold in one pass over the predictions.

    Each prediction falls between two neighbouring thresholds; sums from the left or the right over
    these intervals give all counts.

    Args:
        y_true: True or False, shape (n, columns).
        y_pred: predictions of that shape.
        thresholds: in any order.
        weights: of that shape.

    Returns:
        Counts of shape (thresholds, columns).

    >>> y_true, y_pred = np.array([[True], [False], [True]]), np.array([[0.9], [0.6], [0.3]])
    >>> counts(y_true, y_pred, np.array([0.5, 0.7]), np.ones((3, 1))).false_positives.ravel()
    array([1., 0.])
    """
    order = np.argsort(thresholds)
    columns, bins = y_pred.shape[1], len(thresholds) + 1
    places = np.searchsorted(thresholds, y_pred, side="left", sorter=order)  # thresholds below it
    cells = places + bins * (np.arange(columns) + columns * y_true)
    held = np.bincount(cells.ravel(), weights.ravel(), 2 * columns * bins)
    held = held.reshape(2, columns, bins).transpose(0, 2, 1)
    given = np.argsort(order)  # the place of each threshold among the sorted ones
    true_negatives, false_negatives = held.cumsum(axis=1)[:, given]
    false_positives, true_positives = held[:, ::-1].cumsum(axis=1)[:, -2 - given]
    return Counts(true_positives, false_positives, true_negatives, false_negatives)


# --------------------------------------------------------------------------- metrics made of counts


class CountingMetric(Metric):
    """Base: counts of right and wrong answers at each of some thresholds, and what they make.

    Args:
        thresholds: a prediction above it is a positive one.
        top_k: only the k largest predictions of a row can be positive ones.
        class_id: look at this column only.
    """

    counted: ClassVar[tuple[str, ...]] = Counts._fields  # the state: a variable for each of these
    true_positives: Variable
    false_positives: Variable
    true_negatives: Variable
    false_negatives: Variable

    def __init__(
        self,
        thresholds: Sequence[float],
        top_k: int | None = None,
        class_id: int | None = None,
        name: str | None = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(dtype, name)
        self.thresholds, self.top_k, self.class_id = list(thresholds), top_k, class_id
        self._add_state(())

    def _add_state(self, columns: tuple[int, ...]) -> None:
        shape = (len(self.thresholds), *columns)
        for which in self.counted:
            setattr(self, which, self.add_variable(shape, dtype="float64", name=which))

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Count a batch.

        Args:
            y_true: 0 or 1 for each prediction; every other number counts as 1.
            y_pred: probabilities, in the shape of the targets.
            sample_weight: one weight per instance, or per prediction.
        """
        y_pred = floats(plain(y_pred), self.dtype)
        y_true, y_pred = same_rank(plain(y_true).astype(bool), y_pred)
        same_shape(self.name, y_true, y_pred)
        weights = full_weights(y_true.shape, sample_weight)
        if self.top_k is not None:
            y_pred = _only_the_largest(y_pred, self.top_k)
        thresholds = np.asarray(self.thresholds, self.dtype)
        y_true, y_pred, weights = (self._columns(a) for a in (y_true, y_pred, weights))
        found = counts(y_true, y_pred, thresholds, weights)
        for which in self.counted:
            variable = getattr(self, which)
            variable.data[...] += getattr(found, which).reshape(variable.shape)

    def _columns(self, a: np.ndarray) -> np.ndarray:
        """Return what is counted together as one column."""
        if self.class_id is None:
            return a.reshape(-1, 1)
        if a.ndim < 2:
            raise ShapeError(
                f"{self.name}: class_id={self.class_id} with predictions of shape {a.shape}\n"
                "expected one column per class: shape (n, classes)\n"
                "write class_id=None for a single yes-or-no answer"
            )
        return a[..., self.class_id].reshape(-1, 1)


def _only_the_largest(y_pred: np.ndarray, k: int) -> np.ndarray:
    """Return the predictions with all but the k largest of each row below every threshold."""
    best = np.argsort(-y_pred, axis=-1, kind="stable")[..., :k]
    kept = np.full_like(y_pred, -np.inf)
    np.put_along_axis(kept, best, np.take_along_axis(y_pred, best, -1), -1)
    return kept


def _as_thresholds(thresholds: Any, default: float = 0.5) -> list[float]:
    """Return thresholds as a list, after checking that they are probabilities."""
    if thresholds is None:
        return [default]
    given = np.ravel(thresholds).tolist()
    if not all(0.0 <= t <= 1.0 for t in given):
        raise ValueError(
            f"thresholds={thresholds!r}\nexpected numbers from 0 to 1\n"
            "write thresholds=0.5, or 0 for scores before the sigmoid"
        )
    return given


class OneCount(CountingMetric):
    """Base of the metrics that are one of the counts.

    Args:
        thresholds: a prediction above it is a positive one; several give several counts.
    """

    def __init__(
        self,
        thresholds: float | Sequence[float] | None = None,
        name: str | None = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(_as_thresholds(thresholds), name=name, dtype=dtype)
        self.init_thresholds = thresholds

    def result(self) -> Any:
        """Return the count so far; an array with several thresholds."""
        return number(getattr(self, self.counted[0]))

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that make it anew."""
        return {**super().get_config(), "thresholds": self.init_thresholds}


class TruePositives(OneCount):
    """How many predictions above the threshold are right.

    >>> TruePositives()([0, 1, 1, 1], [0.9, 0.2, 0.8, 0.7])
    2.0
    """

    counted = ("true_positives",)


class FalsePositives(OneCount):
    """How many predictions above the threshold are wrong: false alarms."""

    counted = ("false_positives",)


class TrueNegatives(OneCount):
    """How many predictions below the threshold are right."""

    counted = ("true_negatives",)


class FalseNegatives(OneCount):
    """How many predictions below the threshold are wrong: misses."""

    counted = ("false_negatives",)


class Share(CountingMetric):
    """Base of precision and recall: true positives as a share of two counts together.

    Args:
        thresholds: a prediction above it is a positive one; 0.5 by default, none with ``top_k``.
        top_k: only the k largest predictions of a row can be positive ones.
        class_id: look at this column only.
    """

    def __init__(
        self,
        thresholds: float | Sequence[float] | None = None,
        top_k: int | None = None,
        class_id: int | None = None,
        name: str | None = None,
        dtype: Any = None,
    ) -> None:
        default = 0.5 if top_k is None else LOWEST
        super().__init__(_as_thresholds(thresholds, default), top_k, class_id, name, dtype)
        self.init_thresholds = thresholds

    def result(self) -> Any:
        """Return the share so far; an array with several thresholds."""
        right, wrong = (getattr(self, which).data for which in self.counted)
        return number(ratio(right, right + wrong))

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that make it anew."""
        limits = {"top_k": self.top_k, "class_id": self.class_id}
        return {**super().get_config(), "thresholds": self.init_thresholds, **limits}


class Precision(Share):
    """TP / (TP + FP): how many of the positive predictions are right; 0 if there are none.

    >>> round(Precision()([0, 1, 1, 1], [0.9, 0.2, 0.8, 0.7]), 4)
    0.6667
    """

    counted = ("true_positives", "false_positives")


class Recall(Share):
    """TP / (TP + FN): how many of the instances of the class were found; 0 if there are none.

    >>> Recall(thresholds=[0.1, 0.75])([0, 1, 1, 1], [0.9, 0.2, 0.8, 0.7]).round(4)
    array([1.    , 0.3333])
    """

    counted = ("true_positives", "false_negatives")
