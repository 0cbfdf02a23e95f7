"""Preprocessing inside the model: what prediction needs travels with the weights.

Source: deck 001, section 10.2.2 (Normalization before a regression network).
"""

from __future__ import annotations

from typing import Any

import numpy as np

from gradlab.errors import ShapeError
from gradlab.keras import config
from gradlab.keras.arrays import as_arrays
from gradlab.keras.layers.base import Layer, is_trial
from gradlab.ops.elementary import maximum, sqrt


class Normalization(Layer):
    """Shifts and scales each feature to mean 0 and standard deviation 1: (x - mean) / sqrt(var).

    Mean and variance come from `adapt`, or are given. They are weights that are not trained: 8
    features have 8 means, 8 variances and 1 count, 17 numbers.

    Args:
        axis: the axis whose entries each have a mean of their own; None for one mean of all.
        mean, variance: in place of `adapt`.
        invert: go back from normalized numbers.

    Raises:
        RuntimeError: used before `adapt`.

    >>> layer = Normalization()
    >>> layer.adapt(np.array([[1.0], [2.0], [3.0]]))
    >>> layer(np.array([[3.0]])).round(4)
    array([[1.2247]], dtype=float32)
    """

    def __init__(
        self,
        axis: int | tuple[int, ...] | None = -1,
        mean: Any = None,
        variance: Any = None,
        invert: bool = False,
        **more: Any,
    ) -> None:
        super().__init__(**more)
        if (mean is None) != (variance is None):
            raise ValueError(
                "Normalization: given one of mean and variance\nexpected both, or neither\n"
                "write Normalization(mean=m, variance=v), or adapt(X)"
            )
        self.axis, self.invert = axis, invert
        self.input_mean, self.input_variance = mean, variance
        self.mean: Any = None
        self.variance: Any = None
        self.count: Any = None

    def build(self, input_shape: Any) -> None:
        rank = len(input_shape)
        axes = () if self.axis is None else np.atleast_1d(self.axis)
        self._kept = sorted(int(axis) % rank for axis in axes)
        if 0 in self._kept or any(input_shape[axis] is None for axis in self._kept):
            raise ShapeError(
                f"{self.name}: axis={self.axis} of inputs of shape {input_shape}\n"
                "expected axes of a known size, and not that of the batch\nwrite axis=-1"
            )
        shape = tuple(input_shape[axis] for axis in self._kept)
        # The shape that lines up with inputs from the right, whether or not they have a batch axis.
        spread = [n if axis in self._kept else 1 for axis, n in enumerate(input_shape)]
        self._spread = spread[1:] if self._kept else []
        if self.input_mean is not None:
            self.mean = np.broadcast_to(np.asarray(self.input_mean, self.dtype), shape)
            self.variance = np.broadcast_to(np.asarray(self.input_variance, self.dtype), shape)
            return
        self.mean = self.add_weight(shape, "zeros", trainable=False, name="mean")
        self.variance = self.add_weight(shape, "ones", trainable=False, name="variance")
        self.count = self.add_weight((), "zeros", trainable=False, name="count")

    def adapt(self, data: Any) -> None:
        """Compute mean and variance of the training data, before `fit`."""
        data = as_arrays(data)
        if data.ndim == 1:
            data = data[:, np.newaxis]
        self.build_once((None, *data.shape[1:]))
        if self.input_mean is not None:
            raise RuntimeError(
                f"{self.name}: adapt after mean and variance were given\nexpected one of the two\n"
                "write Normalization() without arguments"
            )
        if not np.isfinite(data).all():
            raise ValueError(
                f"{self.name}: adapt on data with NaN or infinite numbers\n"
                "expected finite numbers\nwrite X = X[np.isfinite(X).all(axis=1)]"
            )
        others = tuple(axis for axis in range(data.ndim) if axis not in self._kept)
        self.mean.assign(data.mean(axis=others, dtype=np.float64))
        self.variance.assign(data.var(axis=others, dtype=np.float64))
        self.count.assign(data.size // max(self.mean.size, 1))

    @property
    def is_adapted(self) -> bool:
        """Whether mean and variance are those of some data."""
        if self.count is None:
            return True
        return bool(self.count.data > 0 or self.mean.data.any() or (self.variance.data != 1).any())

    def call(self, inputs: Any) -> Any:
        if not self.is_adapted and not is_trial():
            raise RuntimeError(
                f"{self.name}: used before it knows mean and variance\n"
                "expected adapt() on the training data first\n"
                "write norm_layer.adapt(X_train) before fit"
            )
        mean, deviation = self._statistics()
        if self.invert:
            return inputs * deviation + mean
        return (inputs - mean) / deviation

    def _statistics(self) -> tuple[np.ndarray, np.ndarray]:
        mean = self.mean if self.count is None else self.mean.data
        variance = self.variance if self.count is None else self.variance.data
        deviation = maximum(sqrt(variance), np.asarray(config.epsilon(), variance.dtype))
        return mean.reshape(self._spread), np.asarray(deviation).reshape(self._spread)

    def compute_output_shape(self, input_shape: Any) -> Any:
        return input_shape

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "axis": self.axis,
            "invert": self.invert,
            "mean": _plain(self.input_mean),
            "variance": _plain(self.input_variance),
        }


class Rescaling(Layer):
    """Multiplies by a scale and adds an offset: ``Rescaling(1 / 255)`` for images of bytes."""

    def __init__(self, scale: Any, offset: Any = 0.0, **more: Any) -> None:
        super().__init__(**more)
        self.scale, self.offset = scale, offset

    def call(self, inputs: Any) -> Any:
        scale, offset = (np.asarray(x, self.dtype) for x in (self.scale, self.offset))
        return inputs * scale + offset

    def compute_output_shape(self, input_shape: Any) -> Any:
        return input_shape

    def get_config(self) -> dict[str, Any]:
        settings = {"scale": _plain(self.scale), "offset": _plain(self.offset)}
        return {**super().get_config(), **settings}


def _plain(x: Any) -> Any:
    """Return numbers as a file can keep them."""
    return None if x is None else np.asarray(x).tolist()
