"""Activation functions with settings of their own, as layers."""

from __future__ import annotations

from typing import Any

from gradlab.keras import activations, constraints, initializers, regularizers
from gradlab.keras.layers.base import Layer
from gradlab.ops import activations as table


class _Shapeless(Layer):
    """A layer that leaves the shape of its inputs as it is."""

    def compute_output_shape(self, input_shape: Any) -> Any:
        return input_shape


class ReLU(_Shapeless):
    """Rectified linear unit: x where it is positive.

    Args:
        max_value: where it is cut off at the top.
        negative_slope: the slope below the threshold.
        threshold: where it begins.
    """

    def __init__(
        self,
        max_value: float | None = None,
        negative_slope: float = 0.0,
        threshold: float = 0.0,
        **more: Any,
    ) -> None:
        super().__init__(**more)
        self.max_value, self.negative_slope = max_value, negative_slope
        self.threshold = threshold
        for name, value in self._settings().items():
            if value is not None and not value >= 0:
                raise ValueError(
                    f"ReLU: {name}={value!r}\nexpected 0 or more\nwrite ReLU() for max(0, x)"
                )

    def _settings(self) -> dict[str, Any]:
        return {n: getattr(self, n) for n in ("max_value", "negative_slope", "threshold")}

    def call(self, inputs: Any) -> Any:
        return activations.relu(inputs, **self._settings())

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), **self._settings()}


class LeakyReLU(_Shapeless):
    """A rectified linear unit that leaks: slope ``negative_slope`` on the left.

    tf.keras 2 calls the slope ``alpha``.
    """

    def __init__(
        self, negative_slope: float = 0.3, alpha: float | None = None, **more: Any
    ) -> None:
        super().__init__(**more)
        self.negative_slope = negative_slope if alpha is None else alpha

    def call(self, inputs: Any) -> Any:
        return table.leaky_relu(inputs, negative_slope=self.negative_slope)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "negative_slope": self.negative_slope}


class ELU(_Shapeless):
    """Exponential linear unit, saturating at ``-alpha`` on the left."""

    def __init__(self, alpha: float = 1.0, **more: Any) -> None:
        super().__init__(**more)
        self.alpha = alpha

    def call(self, inputs: Any) -> Any:
        return table.elu(inputs, alpha=self.alpha)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "alpha": self.alpha}


class Softmax(_Shapeless):
    """Probabilities from scores: exp(z) over the sum of all exp(z) along an axis."""

    def __init__(self, axis: int = -1, **more: Any) -> None:
        super().__init__(**more)
        self.axis = tuple(axis) if isinstance(axis, list) else axis  # files have no tuples

    def call(self, inputs: Any) -> Any:
        return table.softmax(inputs, axis=self.axis)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "axis": self.axis}


class PReLU(_Shapeless):
    """A leaky rectified linear unit that learns its slope on the left.

    Args:
        alpha_initializer, alpha_regularizer, alpha_constraint: of the slopes.
        shared_axes: axes along which all elements share one slope.

    Source: He, Zhang, Ren and Sun (2015).
    """

    def __init__(
        self,
        alpha_initializer: Any = "zeros",
        alpha_regularizer: Any = None,
        alpha_constraint: Any = None,
        shared_axes: Any = None,
        **more: Any,
    ) -> None:
        super().__init__(**more)
        self.alpha_initializer = initializers.get(alpha_initializer)
        self.alpha_regularizer = regularizers.get(alpha_regularizer)
        self.alpha_constraint = constraints.get(alpha_constraint)
        self.shared_axes = [shared_axes] if isinstance(shared_axes, int) else shared_axes

    def build(self, input_shape: Any) -> None:
        shared = self.shared_axes or []
        self.alpha = self.add_weight(
            [1 if axis in shared else n for axis, n in enumerate(input_shape) if axis],
            self.alpha_initializer,
            regularizer=self.alpha_regularizer,
            constraint=self.alpha_constraint,
            name="alpha",
        )

    def call(self, inputs: Any) -> Any:
        return table.prelu(inputs, self.alpha)

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "alpha_initializer": initializers.serialize(self.alpha_initializer),
            "alpha_regularizer": regularizers.serialize(self.alpha_regularizer),
            "alpha_constraint": constraints.serialize(self.alpha_constraint),
            "shared_axes": self.shared_axes,
        }
