"""The losses as metrics: their mean over an epoch, beside the loss that training brings down.

Their formulas stand in the table (`gradlab.ops.losses`).
"""

from __future__ import annotations

from typing import Any

from gradlab.keras.losses import functions
from gradlab.keras.losses.base import weights_for
from gradlab.keras.metrics.means import FunctionMetric, MeanMetricWrapper
from gradlab.ops.losses import plain


class MeanSquaredError(FunctionMetric):
    """Mean of (y_pred - y_true)^2.

    >>> MeanSquaredError()([[0, 1], [0, 0]], [[1, 1], [0, 0]])
    0.25
    """

    fn = staticmethod(functions.mean_squared_error)


class MeanAbsoluteError(FunctionMetric):
    """Mean of |y_pred - y_true|."""

    fn = staticmethod(functions.mean_absolute_error)


class MeanAbsolutePercentageError(FunctionMetric):
    """Mean of 100 |y_pred - y_true| / |y_true|."""

    fn = staticmethod(functions.mean_absolute_percentage_error)


class MeanSquaredLogarithmicError(FunctionMetric):
    """Mean of (log(1 + y_pred) - log(1 + y_true))^2."""

    fn = staticmethod(functions.mean_squared_logarithmic_error)


class LogCoshError(FunctionMetric):
    """Mean of log(cosh(y_pred - y_true))."""

    fn = staticmethod(functions.log_cosh)

    def __init__(self, name: str | None = "logcosh", dtype: Any = None) -> None:
        super().__init__(name, dtype)


class Poisson(FunctionMetric):
    """Mean of y_pred - y_true log(y_pred)."""

    fn = staticmethod(functions.poisson)


class KLDivergence(FunctionMetric):
    """Mean over the instances of the sum of y_true log(y_true / y_pred)."""

    fn = staticmethod(functions.kl_divergence)


class Hinge(FunctionMetric):
    """Mean of max(1 - y_true y_pred, 0)."""

    fn = staticmethod(functions.hinge)


class SquaredHinge(FunctionMetric):
    """Mean of max(1 - y_true y_pred, 0)^2."""

    fn = staticmethod(functions.squared_hinge)


class CategoricalHinge(FunctionMetric):
    """How far the right class falls short of the best wrong one plus 1."""

    fn = staticmethod(functions.categorical_hinge)


class BinaryCrossentropy(FunctionMetric):
    """Mean of -log of the probability of the right answer, for yes-or-no answers."""

    fn = staticmethod(functions.binary_crossentropy)

    def __init__(
        self,
        name: str | None = "binary_crossentropy",
        dtype: Any = None,
        from_logits: bool = False,
        label_smoothing: float = 0,
    ) -> None:
        MeanMetricWrapper.__init__(
            *(self, self.fn, name, dtype), from_logits=from_logits, label_smoothing=label_smoothing
        )


class CategoricalCrossentropy(FunctionMetric):
    """Mean of -log of the probability of the right class; targets are one-hot."""

    fn = staticmethod(functions.categorical_crossentropy)

    def __init__(
        self,
        name: str | None = "categorical_crossentropy",
        dtype: Any = None,
        from_logits: bool = False,
        label_smoothing: float = 0,
        axis: int = -1,
    ) -> None:
        MeanMetricWrapper.__init__(
            *(self, self.fn, name, dtype),
            from_logits=from_logits,
            label_smoothing=label_smoothing,
            axis=axis,
        )


class SparseCategoricalCrossentropy(FunctionMetric):
    """Mean of -log of the probability of the right class; targets are its number.

    Args:
        from_logits: the predictions are scores, before the softmax.
        ignore_class: instances with this label are not counted.
        axis: the axis of the classes.
    """

    fn = staticmethod(functions.sparse_categorical_crossentropy)

    def __init__(
        self,
        name: str | None = "sparse_categorical_crossentropy",
        dtype: Any = None,
        from_logits: bool = False,
        ignore_class: int | None = None,
        axis: int = -1,
    ) -> None:
        MeanMetricWrapper.__init__(
            *(self, self.fn, name, dtype),
            from_logits=from_logits,
            ignore_class=ignore_class,
            axis=axis,
        )

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Count a batch, without the instances of the ignored class."""
        ignored = self.parameters["ignore_class"]
        if ignored is not None:
            counted = plain(y_true) != ignored
            given = 1.0 if sample_weight is None else weights_for(counted.shape, sample_weight)
            sample_weight = counted * given
        super().update_state(y_true, y_pred, sample_weight)
