"""Layers that make training harder so that the result generalises: dropout, noise, penalties.

They do nothing when the model predicts.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from gradlab.keras import random
from gradlab.keras.layers.base import Layer
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
        rate = p if rate is None else rate
        if not isinstance(rate, float | int | np.number) or not 0 <= rate < 1:
            raise ValueError(
                f"Dropout: rate={rate!r}\nexpected a share of 0 or more, and less than 1\n"
                "write Dropout(0.2) to drop one number out of five"
            )
        super().__init__(seed, **more)
        self.rate, self.noise_shape = float(rate), noise_shape

    def call(self, inputs: Any, training: bool = False) -> Any:
        if not training or not self.rate:
            return inputs
        return inputs * compute(mask, inputs, self, effect=True)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "rate": self.rate, "noise_shape": self.noise_shape}


def mask(x: Any, layer: Dropout) -> np.ndarray:
    """Return 0 for the numbers to be dropped, 1 / (1 - rate) for the others."""
    x = np.asarray(x)
    shape = x.shape
    if layer.noise_shape is not None:
        shape = tuple(n if m is None else m for n, m in zip(shape, layer.noise_shape))
    kept = layer.generator.random(shape, dtype=np.float32) >= layer.rate
    return kept * x.dtype.type(1.0 / (1.0 - layer.rate))


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


def noise(x: Any, layer: GaussianNoise) -> np.ndarray:
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
