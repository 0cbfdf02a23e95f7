"""Layers that make training harder so that the result generalises: dropout, noise, penalties.

They do nothing when the model predicts.
"""

from __future__ import annotations

import math
from typing import Any, ClassVar

import numpy as np

from gradlab.errors import ShapeError
from gradlab.keras import random
from gradlab.keras.layers.base import Layer
from gradlab.ops.activations import selu
from gradlab.tape import compute


class _Noisy(Layer):
    """A layer that draws random numbers, from a generator of its own if it has a seed."""

    def __init__(self, seed: int | None = None, **more: Any) -> None:
        super().__init__(**more)
        self.seed, self._own = seed, random.own_generator(seed)

    @property
    def generator(self) -> np.random.Generator:
        return self._own or random.generator()

    def compute_output_shape(self, input_shape: Any) -> Any:
        return input_shape

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "seed": self.seed}


def checked_rate(layer: Layer, rate: Any, name: str = "rate") -> float:
    """Return the share that a layer drops.

    Raises:
        ValueError: not a number from 0 up to, but not including, 1.
    """
    if not isinstance(rate, float | int | np.number) or not 0 <= rate < 1:
        kind = type(layer).__name__
        raise ValueError(
            f"{kind}: {name}={rate!r}\nexpected a share of 0 or more, and less than 1\n"
            f"write {name}=0.2 to drop one number out of five"
        )
    return float(rate)


class Dropout(_Noisy):
    """Drops each number with probability ``rate`` in training, and scales up those that stay.

    What stays is multiplied by 1 / (1 - rate), so that the expected sum is that without dropout.

    Args:
        rate: from 0 up to, but not including, 1; ``p`` is its name in Keras 1.
        noise_shape: shape of the mask; an axis of size 1 is dropped or kept as a whole.
        seed: for masks of its own.

    Source: Srivastava and others (2014); deck 000, "Dropout(p)".
    """

    def __init__(
        self,
        rate: Any = None,
        noise_shape: Any = None,
        seed: int | None = None,
        p: float | None = None,
        **more: Any,
    ) -> None:
        super().__init__(seed, **more)
        self.rate = checked_rate(self, p if rate is None else rate)
        self.noise_shape = noise_shape

    def call(self, inputs: Any, training: bool = False) -> Any:
        if not training or not self.rate:
            return inputs
        return inputs * compute(mask, inputs, self, effect=True)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "rate": self.rate, "noise_shape": self.noise_shape}


def mask(x: Any, layer: Dropout | AlphaDropout) -> np.ndarray:
    """Return 0 for the numbers to be dropped, 1 / (1 - rate) for the others."""
    x = np.asarray(x)
    shape = x.shape
    if layer.noise_shape is not None:
        shape = tuple(n if m is None else m for n, m in zip(shape, layer.noise_shape))
    kept = layer.generator.random(shape, dtype=np.float32) >= layer.rate
    return kept * x.dtype.type(1.0 / (1.0 - layer.rate))


class SpatialDropout1D(Dropout):
    """Drops whole channels of a sequence in training: (batch, steps, channels).

    The numbers of a channel resemble their neighbours; dropping some of them hardly matters.

    Args:
        rate: share of the channels, from 0 up to, but not including, 1.
        seed: for masks of its own.

    Source: Tompson and others (2015).
    """

    rank: ClassVar[int] = 1  # axes of an image; 1 for a sequence

    def __init__(self, rate: Any, seed: int | None = None, **more: Any) -> None:
        super().__init__(rate, (None, *(1,) * self.rank, None), seed, **more)

    def check_input(self, shape: Any) -> None:
        if len(shape) != self.rank + 2:
            raise ShapeError(
                f"{self.name}: inputs of shape {shape}\n"
                f"expected {self.rank + 2} axes: batch, {self.rank} of places, channels\n"
                "write keras.layers.Dropout for rows of numbers"
            )

    def get_config(self) -> dict[str, Any]:
        config = super().get_config()
        del config["noise_shape"]  # the layer's own affair
        del config["trainable"]  # which Keras does not take here
        return config


class SpatialDropout2D(SpatialDropout1D):
    """Drops whole channels of an image in training.

    Args:
        rate: share of the channels, from 0 up to, but not including, 1.
        data_format: "channels_last" or "channels_first".
        seed: for masks of its own.

    >>> layer = SpatialDropout2D(0.5, seed=2)
    >>> layer(np.ones((1, 2, 2, 3)), training=True)[0, :, :, 0]
    array([[2., 2.],
           [2., 2.]], dtype=float32)
    """

    rank = 2

    def __init__(
        self, rate: Any, data_format: str | None = None, seed: int | None = None, **more: Any
    ) -> None:
        super().__init__(rate, seed, **more)
        self.data_format = data_format or "channels_last"
        if self.data_format == "channels_first":
            self.noise_shape = (None, None, 1, 1)
        elif self.data_format != "channels_last":
            raise ValueError(
                f"SpatialDropout2D: data_format={data_format!r}\n"
                "expected 'channels_last' or 'channels_first'\nwrite SpatialDropout2D(0.2)"
            )

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "data_format": self.data_format}


class GaussianDropout(_Noisy):
    """Multiplies by normal noise with mean 1 in training: as much noise as `Dropout` makes.

    Args:
        rate: from 0 up to, but not including, 1; the standard deviation is sqrt(rate / (1 - rate)).
        seed: for noise of its own.

    Source: Srivastava and others (2014), section 10.
    """

    def __init__(self, rate: float, seed: int | None = None, **more: Any) -> None:
        super().__init__(seed, **more)
        self.rate = checked_rate(self, rate)
        self.stddev = math.sqrt(self.rate / (1.0 - self.rate))

    def call(self, inputs: Any, training: bool = False) -> Any:
        if not training or not self.rate:
            return inputs
        return inputs * (1.0 + compute(noise, inputs, self, effect=True))

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "rate": self.rate}


class AlphaDropout(_Noisy):
    """Dropout for networks of selu: what is dropped takes the value that selu has far on the left.

    All numbers are then scaled and shifted so that mean and variance stay what they were.

    Args:
        rate: from 0 up to, but not including, 1.
        noise_shape: shape of the mask; an axis of size 1 is dropped or kept as a whole.
        seed: for masks of its own.

    Source: Klambauer and others (2017).
    """

    def __init__(
        self, rate: float, noise_shape: Any = None, seed: int | None = None, **more: Any
    ) -> None:
        super().__init__(seed, **more)
        self.rate, self.noise_shape = checked_rate(self, rate), noise_shape

    def call(self, inputs: Any, training: bool = False) -> Any:
        if not training or not self.rate:
            return inputs
        kept = compute(mask, inputs, self, effect=True) * (1.0 - self.rate)  # 0 or 1
        low = selu(-np.inf)
        factor = ((1.0 - self.rate) * (1.0 + self.rate * low**2)) ** -0.5
        return (inputs * kept + low * (1.0 - kept) - low * self.rate) * factor

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "rate": self.rate, "noise_shape": self.noise_shape}


class GaussianNoise(_Noisy):
    """Adds normal noise in training.

    Args:
        stddev: its standard deviation.
    """

    def __init__(self, stddev: float, seed: int | None = None, **more: Any) -> None:
        if stddev < 0:
            raise ValueError(
                f"GaussianNoise: stddev={stddev}\nexpected 0 or more\nwrite GaussianNoise(0.1)"
            )
        super().__init__(seed, **more)
        self.stddev = float(stddev)

    def call(self, inputs: Any, training: bool = False) -> Any:
        if not training or not self.stddev:
            return inputs
        return inputs + compute(noise, inputs, self, effect=True)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "stddev": self.stddev}


def noise(x: Any, layer: GaussianNoise | GaussianDropout) -> np.ndarray:
    """Return normal noise for an array."""
    x = np.asarray(x)
    drawn = layer.generator.standard_normal(x.shape, dtype=np.float32)
    return drawn.astype(x.dtype) * x.dtype.type(layer.stddev)


class ActivityRegularization(Layer):
    """A penalty on the size of what passes through.

    Args:
        l1: factor of the sum of absolute values.
        l2: factor of the sum of squares.
    """

    def __init__(self, l1: float = 0.0, l2: float = 0.0, **more: Any) -> None:
        settings: Any = {"class_name": "L1L2", "config": {"l1": l1, "l2": l2}}
        super().__init__(activity_regularizer=settings, **more)
        self.l1, self.l2 = l1, l2

    def call(self, inputs: Any) -> Any:
        return inputs

    def compute_output_shape(self, input_shape: Any) -> Any:
        return input_shape

    def get_config(self) -> dict[str, Any]:
        written = {**super().get_config(), "l1": self.l1, "l2": self.l2}
        written.pop("activity_regularizer", None)
        return written
