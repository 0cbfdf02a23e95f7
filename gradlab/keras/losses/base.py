"""From losses, one per instance, to the one number that training brings down.

Each instance may have a weight; the reduction says what becomes of the weighted losses of a batch.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from gradlab.errors import ShapeError
from gradlab.keras import config, masks, objects
from gradlab.keras.losses.functions import (
    FUNCTIONS,
    floats,
    same_rank,
    sparse_categorical_crossentropy,
)
from gradlab.keras.names import default_name, resolve, snake_case
from gradlab.keras.saving import custom
from gradlab.ops.losses import plain

BATCH_MEAN = "sum_over_batch_size"
REDUCTIONS = (BATCH_MEAN, "mean", "mean_with_sample_weight", "sum", "none", None)


def weights_for(shape: tuple[int, ...], sample_weight: Any, dtype: Any = None) -> np.ndarray:
    """Return sample weights lined up with values of a shape: weights (n,) count per instance.

    >>> weights_for((2, 3), [1.0, 0.5]).shape
    (2, 1)

    Raises:
        ShapeError: weights that fit neither the instances nor the values.
    """
    weights = np.asarray(plain(sample_weight), dtype or config.floatx())
    given, extra = weights.shape, len(shape) - weights.ndim
    if given in (shape, ()):
        return weights
    if extra < 0 and given[extra:] == (1,) * -extra:
        weights = weights.reshape(given[:extra])
    elif given == shape[: weights.ndim]:
        weights = weights.reshape(given + (1,) * extra)
    padded = (1,) * (len(shape) - weights.ndim) + weights.shape
    if len(padded) > len(shape) or any(w not in (1, n) for w, n in zip(padded, shape, strict=True)):
        expected, mend = f"one weight per instance: shape {shape[:1]}", "one number per row of x"
        if shape == ():
            expected, mend = "one value per instance", "mean(axis=-1), not mean(), in the function"
        raise ShapeError(
            f"sample_weight of shape {given} for values of shape {shape}\n"
            f"expected {expected}\nwrite {mend}"
        )
    return weights


def reduce_values(values: Any, weights: np.ndarray | None, reduction: str | None) -> Any:
    """Return the losses of a batch, already weighted, as one number; all of them with None."""
    if reduction in (None, "none") or values.shape in ((), (0,)):
        return values
    if reduction == "sum":
        return values.sum()
    if reduction == "mean_with_sample_weight" and weights is not None:
        total = float(weights.sum())
        return values.sum() / total if total else values.sum() * 0.0
    return values.mean()


class Loss:
    """What a loss of your own derives from: `call` gives one loss per instance.

    Args:
        name: for messages and logs; the class in snake case by default.
        reduction: "sum_over_batch_size" (or "mean"): the sum of the weighted losses divided by
            their number, "mean_with_sample_weight": divided by the sum of the weights, "sum", or
            None: all of them.
        dtype: the float type; `keras.config.floatx()` by default.

    >>> class AbsoluteError(Loss):
    ...     def call(self, y_true, y_pred):
    ...         return abs(y_pred - y_true).mean(axis=-1)
    >>> float(AbsoluteError()([[1.0], [2.0]], [[1.5], [4.0]]))
    1.25
    >>> float(AbsoluteError()([[1.0], [2.0]], [[1.5], [4.0]], sample_weight=[1.0, 0.0]))
    0.25

    Raises:
        ValueError: an unknown reduction.
    """

    def __init__(
        self, name: str | None = None, reduction: str | None = BATCH_MEAN, dtype: Any = None
    ) -> None:
        if reduction not in REDUCTIONS:
            raise ValueError(
                f"{type(self).__name__}: reduction={reduction!r}\n"
                f"expected one of {', '.join(map(repr, REDUCTIONS))}\n"
                f'write reduction="{BATCH_MEAN}"'
            )
        self.name = name or default_name(snake_case(type(self).__name__))
        self.reduction, self.dtype = reduction, str(np.dtype(dtype or config.floatx()))

    def call(self, y_true: Any, y_pred: Any) -> Any:
        """Return one loss per instance."""
        raise NotImplementedError(
            f"{type(self).__name__} has no call method\nexpected one loss per instance\n"
            "write def call(self, y_true, y_pred): return ..."
        )

    def __call__(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> Any:
        """Return the loss of a batch; a Tensor, to differentiate, if ``y_pred`` is one.

        Args:
            y_true: targets; whole numbers become floats, unless they are the numbers of classes.
            y_pred: predictions.
            sample_weight: a factor on the loss of each instance.
        """
        y_true = self.targets(y_true)
        values = floats(self.call(y_true, floats(y_pred, self.dtype)), self.dtype)
        weights = self.weights(y_true, values.shape, sample_weight)
        if (mask := masks.found(y_pred)) is not None:
            weights = masks.counted(
                mask, weights, self.reduction in (BATCH_MEAN, "mean"), self.dtype
            )
        return reduce_values(
            values if weights is None else values * weights, weights, self.reduction
        )

    def targets(self, y_true: Any) -> Any:
        """Return the targets as `call` expects them."""
        return floats(y_true, self.dtype)

    def weights(self, y_true: Any, shape: tuple[int, ...], sample_weight: Any) -> Any:
        """Return the factors on the losses of a batch, which have this shape; None for all 1."""
        return None if sample_weight is None else weights_for(shape, sample_weight, self.dtype)

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that make it anew."""
        return {"name": self.name, "reduction": self.reduction}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Loss:
        """Make it from what `get_config` returned."""
        return cls(**config)


class LossFunctionWrapper(Loss):
    """A function of (y_true, y_pred) that gives one loss per instance, made a `Loss`.

    Args:
        fn: the function.
        kwargs: further arguments for it.

    >>> from gradlab.keras.losses import huber
    >>> float(LossFunctionWrapper(huber, delta=2.0)([[0.0]], [[3.0]]))
    4.0
    """

    def __init__(
        self,
        fn: Callable[..., Any],
        reduction: str | None = BATCH_MEAN,
        name: str | None = None,
        dtype: Any = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(name, reduction, dtype)
        self.fn, self.parameters = fn, kwargs
        for key, value in kwargs.items():
            setattr(self, key, value)  # loss.from_logits, as in Keras

    def call(self, y_true: Any, y_pred: Any) -> Any:
        """Return what the function returns."""
        if self.fn is not sparse_categorical_crossentropy:
            y_true, y_pred = same_rank(y_true, y_pred)
        return self.fn(y_true, y_pred, **self.parameters)

    def targets(self, y_true: Any) -> Any:
        """Return the targets as floats, the numbers of classes as they are."""
        if self.fn is sparse_categorical_crossentropy:
            return plain(y_true)
        return super().targets(y_true)

    def weights(self, y_true: Any, shape: tuple[int, ...], sample_weight: Any) -> Any:
        """Return the factors; with ``ignore_class`` the mean is that over the other instances."""
        weights = super().weights(y_true, shape, sample_weight)
        ignored = self.parameters.get("ignore_class")
        if ignored is None:
            return weights
        counted = (y_true != ignored).reshape(shape).astype(self.dtype)
        if self.reduction in (BATCH_MEAN, "mean"):
            counted *= counted.size / max(counted.sum(), 1.0)
        return counted if weights is None else counted * weights

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that make it anew."""
        return {**super().get_config(), "fn": serialize(self.fn), **self.parameters}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Loss:
        """Make it from what `get_config` returned."""
        fn = config.get("fn")
        if isinstance(fn, Mapping | str):
            config = {**config, "fn": resolve("loss", FUNCTIONS, fn)}
        return cls(**config)


def serialize(loss: Any) -> dict[str, Any]:
    """Return a loss as a dict of names and numbers, from which `deserialize` makes it anew.

    >>> serialize(LossFunctionWrapper(FUNCTIONS["huber"], name="h", delta=2.0))["config"]["delta"]
    2.0
    """
    if isinstance(loss, Loss):
        return objects.serialize(loss)  # type: ignore[return-value]
    return custom.function_config(loss)
