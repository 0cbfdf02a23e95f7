"""The losses as objects: a class for each function, with its parameters and a reduction.

`compile(loss="mse")` is short for `compile(loss=keras.losses.MeanSquaredError())`.

Source: deck 001, 10.1.6 "Loss Functions"; deck 000, "objective function".
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from gradlab.keras.losses import functions
from gradlab.keras.losses.base import BATCH_MEAN, Loss, LossFunctionWrapper


class TableLoss(LossFunctionWrapper):
    """A class that stands for a function of the table, its attribute ``fn``."""

    fn: Callable[..., Any]

    def __init__(
        self, reduction: str | None = BATCH_MEAN, name: str | None = None, dtype: Any = None
    ) -> None:
        super().__init__(self.fn, reduction, name or self.fn.__name__, dtype)

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that make it anew."""
        return {**Loss.get_config(self), **self.parameters}


class MeanSquaredError(TableLoss):
    """Mean of (y_pred - y_true)^2: the usual loss of regression.

    >>> float(MeanSquaredError()([[1.0, 2.0], [3.0, 4.0]], [[1.0, 4.0], [3.0, 4.0]]))
    1.0
    """

    fn = staticmethod(functions.mean_squared_error)


class MeanAbsoluteError(TableLoss):
    """Mean of |y_pred - y_true|: outliers count less than in the MSE."""

    fn = staticmethod(functions.mean_absolute_error)


class MeanAbsolutePercentageError(TableLoss):
    """Mean of 100 |y_pred - y_true| / |y_true|."""

    fn = staticmethod(functions.mean_absolute_percentage_error)


class MeanSquaredLogarithmicError(TableLoss):
    """Mean of (log(1 + y_pred) - log(1 + y_true))^2: ratios count, not differences."""

    fn = staticmethod(functions.mean_squared_logarithmic_error)


class LogCosh(TableLoss):
    """Mean of log(cosh(y_pred - y_true)): a Huber loss without a seam."""

    fn = staticmethod(functions.log_cosh)


class Huber(TableLoss):
    """The MSE (halved) for errors up to ``delta``, a straight line beyond."""

    fn = staticmethod(functions.huber)

    def __init__(
        self,
        delta: float = 1.0,
        reduction: str | None = BATCH_MEAN,
        name: str | None = "huber_loss",
        dtype: Any = None,
    ) -> None:
        LossFunctionWrapper.__init__(self, self.fn, reduction, name, dtype, delta=delta)


class Poisson(TableLoss):
    """Mean of y_pred - y_true log(y_pred): for counts."""

    fn = staticmethod(functions.poisson)


class CosineSimilarity(TableLoss):
    """Minus the cosine of the angle between target and prediction: -1 is best."""

    fn = staticmethod(functions.cosine_similarity)

    def __init__(
        self,
        axis: int = -1,
        reduction: str | None = BATCH_MEAN,
        name: str | None = "cosine_similarity",
        dtype: Any = None,
    ) -> None:
        LossFunctionWrapper.__init__(self, self.fn, reduction, name, dtype, axis=axis)


class Hinge(TableLoss):
    """Mean of max(1 - y_true y_pred, 0), for targets -1 and 1 (0 and 1 are converted)."""

    fn = staticmethod(functions.hinge)


class SquaredHinge(TableLoss):
    """Mean of max(1 - y_true y_pred, 0)^2."""

    fn = staticmethod(functions.squared_hinge)


class CategoricalHinge(TableLoss):
    """How far the right class falls short of the best wrong one plus 1, for one-hot targets."""

    fn = staticmethod(functions.categorical_hinge)


class KLDivergence(TableLoss):
    """Sum of y_true log(y_true / y_pred): the distance between two distributions."""

    fn = staticmethod(functions.kl_divergence)


class BinaryCrossentropy(TableLoss):
    """Mean of -log of the probability of the right answer, for yes-or-no answers.

    Args:
        from_logits: the predictions are scores, before the sigmoid.
        label_smoothing: moves the targets this fraction of the way to 1/2.
        axis: the axis of the answers of one instance.

    >>> round(float(BinaryCrossentropy()([0, 1], [0.5, 0.5])), 4)
    0.6931
    """

    fn = staticmethod(functions.binary_crossentropy)

    def __init__(
        self,
        from_logits: bool = False,
        label_smoothing: float = 0.0,
        axis: int = -1,
        reduction: str | None = BATCH_MEAN,
        name: str | None = "binary_crossentropy",
        dtype: Any = None,
    ) -> None:
        LossFunctionWrapper.__init__(
            *(self, self.fn, reduction, name, dtype),
            from_logits=from_logits,
            label_smoothing=label_smoothing,
            axis=axis,
        )


class BinaryFocalCrossentropy(TableLoss):
    """Binary cross-entropy times (1 - p)^gamma, p the probability of the right answer.

    Args:
        apply_class_balancing: weight the answer 1 with ``alpha``, 0 with ``1 - alpha``.
        alpha: that weight.
        gamma: how little easy instances count; 0 is binary cross-entropy.
        from_logits, label_smoothing, axis: see `BinaryCrossentropy`.
    """

    fn = staticmethod(functions.binary_focal_crossentropy)

    def __init__(
        self,
        apply_class_balancing: bool = False,
        alpha: float = 0.25,
        gamma: float = 2.0,
        from_logits: bool = False,
        label_smoothing: float = 0.0,
        axis: int = -1,
        reduction: str | None = BATCH_MEAN,
        name: str | None = "binary_focal_crossentropy",
        dtype: Any = None,
    ) -> None:
        LossFunctionWrapper.__init__(
            *(self, self.fn, reduction, name, dtype),
            apply_class_balancing=apply_class_balancing,
            alpha=alpha,
            gamma=gamma,
            from_logits=from_logits,
            label_smoothing=label_smoothing,
            axis=axis,
        )


class CategoricalCrossentropy(TableLoss):
    """-log of the probability of the right class, for one-hot targets.

    Args:
        from_logits: the predictions are scores, before the softmax.
        label_smoothing: moves the targets this fraction of the way to 1/classes.
        axis: the axis of the classes.

    >>> round(float(CategoricalCrossentropy()([[0, 1, 0]], [[0.25, 0.5, 0.25]])), 4)
    0.6931
    """

    fn = staticmethod(functions.categorical_crossentropy)

    def __init__(
        self,
        from_logits: bool = False,
        label_smoothing: float = 0.0,
        axis: int = -1,
        reduction: str | None = BATCH_MEAN,
        name: str | None = "categorical_crossentropy",
        dtype: Any = None,
    ) -> None:
        LossFunctionWrapper.__init__(
            *(self, self.fn, reduction, name, dtype),
            from_logits=from_logits,
            label_smoothing=label_smoothing,
            axis=axis,
        )


class CategoricalFocalCrossentropy(TableLoss):
    """Categorical cross-entropy times alpha (1 - p)^gamma, p the probability of the right class.

    Args:
        alpha: a factor for all classes, or one for each.
        gamma: how little easy instances count.
        from_logits, label_smoothing, axis: see `CategoricalCrossentropy`.
    """

    fn = staticmethod(functions.categorical_focal_crossentropy)

    def __init__(
        self,
        alpha: Any = 0.25,
        gamma: float = 2.0,
        from_logits: bool = False,
        label_smoothing: float = 0.0,
        axis: int = -1,
        reduction: str | None = BATCH_MEAN,
        name: str | None = "categorical_focal_crossentropy",
        dtype: Any = None,
    ) -> None:
        LossFunctionWrapper.__init__(
            *(self, self.fn, reduction, name, dtype),
            alpha=alpha,
            gamma=gamma,
            from_logits=from_logits,
            label_smoothing=label_smoothing,
            axis=axis,
        )


class SparseCategoricalCrossentropy(TableLoss):
    """-log of the probability of the right class, for targets that are the numbers of classes.

    Args:
        from_logits: the predictions are scores, before the softmax.
        ignore_class: instances with this label cost nothing and are not counted in the mean.
        axis: the axis of the classes.

    >>> round(float(SparseCategoricalCrossentropy()([1], [[0.25, 0.5, 0.25]])), 4)
    0.6931
    >>> SparseCategoricalCrossentropy()([[0, 1, 0]], [[0.25, 0.5, 0.25]])
    Traceback (most recent call last):
        ...
    gradlab.errors.ShapeError: sparse_categorical_crossentropy: labels of shape (1, 3), \
predictions of shape (1, 3)
    expected one whole number per row: shape (1,)
    write categorical_crossentropy for one-hot labels, or labels.argmax(axis=-1)
    """

    fn = staticmethod(functions.sparse_categorical_crossentropy)

    def __init__(
        self,
        from_logits: bool = False,
        ignore_class: int | None = None,
        reduction: str | None = BATCH_MEAN,
        axis: int = -1,
        name: str | None = "sparse_categorical_crossentropy",
        dtype: Any = None,
    ) -> None:
        LossFunctionWrapper.__init__(
            *(self, self.fn, reduction, name, dtype),
            from_logits=from_logits,
            ignore_class=ignore_class,
            axis=axis,
        )
