"""How far predictions of numbers are off, in the units of the target or as a share of its variance.

The root of the mean squared error has the unit of the target: dollars, not squared dollars.
"""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np

from gradlab.errors import ShapeError
from gradlab.keras.losses import functions
from gradlab.keras.losses.functions import floats, same_rank
from gradlab.keras.metrics.base import Metric, full_weights, number
from gradlab.keras.metrics.means import FunctionMetric, Mean, MeanMetricWrapper
from gradlab.ops.losses import plain, same_shape


class RootMeanSquaredError(Mean):
    """sqrt(mean((y_pred - y_true)^2)): the root is taken of the mean over all instances.

    Source: deck 001, 10.2.2: the metric of the California housing model.

    >>> rmse = RootMeanSquaredError()
    >>> round(rmse([0.0, 0.0], [3.0, 4.0]), 4)  # the root of (9 + 16) / 2
    3.5355
    """

    def __init__(self, name: str | None = "root_mean_squared_error", dtype: Any = None) -> None:
        super().__init__(name, dtype)

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Count a batch."""
        y_true, y_pred = same_rank(*(floats(plain(y), self.dtype) for y in (y_true, y_pred)))
        same_shape("root_mean_squared_error", y_true, y_pred)
        super().update_state(np.square(y_pred - y_true), sample_weight)

    def result(self) -> float:
        """Return the root of the mean so far."""
        return super().result() ** 0.5


def cosine_similarity(y_true: Any, y_pred: Any, axis: int = -1) -> Any:
    """Return the cosine of the angle between targets and predictions: 1 is best.

    The loss of this name is its negative, since losses are brought down.
    """
    return -functions.cosine_similarity(y_true, y_pred, axis=axis)


class CosineSimilarity(FunctionMetric):
    """Mean cosine of the angle between target and prediction; 1 when they point the same way."""

    fn = staticmethod(cosine_similarity)

    def __init__(
        self, name: str | None = "cosine_similarity", dtype: Any = None, axis: int = -1
    ) -> None:
        MeanMetricWrapper.__init__(self, self.fn, name, dtype, axis=axis)


class R2Score(Metric):
    """1 - sum((y_true - y_pred)^2) / sum((y_true - mean(y_true))^2): the share explained.

    1 is perfect; 0 is no better than always predicting the mean.

    Args:
        class_aggregation: "uniform_average" over the outputs, "variance_weighted_average", or
            None: one score for each output.
        num_regressors: number of inputs, for the adjusted score; 0 for the plain one.

    >>> R2Score()([[1.0], [2.0], [3.0]], [[1.0], [2.0], [2.0]])
    0.5

    Raises:
        ShapeError: not one row per instance.
    """

    def __init__(
        self,
        class_aggregation: str | None = "uniform_average",
        num_regressors: int = 0,
        name: str | None = "r2_score",
        dtype: Any = None,
    ) -> None:
        super().__init__(dtype, name)
        if class_aggregation not in (None, "uniform_average", "variance_weighted_average"):
            raise ValueError(
                f"R2Score: class_aggregation={class_aggregation!r}\n"
                "expected 'uniform_average', 'variance_weighted_average' or None\n"
                'write class_aggregation="uniform_average"'
            )
        self.class_aggregation, self.num_regressors = class_aggregation, num_regressors
        self.num_samples = self.add_variable(dtype="float64", name="num_samples")
        self._built = False

    def _build(self, outputs: int) -> None:
        def sums(name: str) -> Any:
            return self.add_variable((outputs,), dtype="float64", name=name)

        self.squared_sum, self.sum = sums("squared_sum"), sums("sum")
        self.total_mse, self.count = sums("residual"), sums("count")
        self._built = True

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Count a batch; targets and predictions of shape (n, outputs)."""
        y_true, y_pred = same_rank(*(floats(plain(y), self.dtype) for y in (y_true, y_pred)))
        same_shape("r2_score", y_true, y_pred)
        if y_pred.ndim != 2:
            raise ShapeError(
                f"R2Score: predictions of shape {y_pred.shape}\n"
                "expected one row per instance: shape (n, outputs)\n"
                "write y.reshape(-1, 1) for a single output"
            )
        if not self._built:
            self._build(y_pred.shape[1])
        weights = full_weights(y_true.shape, sample_weight)
        self.sum.data[...] += (y_true * weights).sum(axis=0)
        self.squared_sum.data[...] += (weights * y_true * y_true).sum(axis=0)
        self.total_mse.data[...] += (weights * (y_true - y_pred) ** 2).sum(axis=0)
        self.count.data[...] += weights.sum(axis=0)
        self.num_samples.data[...] += y_true.size  # Keras counts numbers, not rows

    def result(self) -> Any:
        """Return the score so far: a float, or one for each output."""
        if not self._built:
            return 0.0
        with np.errstate(divide="ignore", invalid="ignore"):
            mean = self.sum.data / self.count.data
            total = self.squared_sum.data - self.sum.data * mean
            scores = 1.0 - self.total_mse.data / total
        scores = np.where(np.isinf(scores), 0.0, scores)
        if self.class_aggregation == "uniform_average":
            scores = scores.mean()
        elif self.class_aggregation == "variance_weighted_average":
            scores = (total * scores).sum() / total.sum()
        return number(self._adjusted(scores))

    def _adjusted(self, score: Any) -> Any:
        """Return the score lowered for the number of inputs, which alone raises it."""
        n, p = self.num_samples.item(), self.num_regressors
        if p == 0:
            return score
        if n - p - 1 <= 0:
            warnings.warn(
                f"R2Score: {p} inputs and only {n:g} targets\n"
                "expected more targets than inputs + 1 for the adjusted score\n"
                "write num_regressors=0; the plain score is returned",
                stacklevel=3,
            )
            return score
        return 1.0 - (1.0 - score) * (n - 1.0) / (n - p - 1.0)

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that make it anew."""
        aggregation = self.class_aggregation
        return {
            **super().get_config(),
            "class_aggregation": aggregation,
            "num_regressors": self.num_regressors,
        }
