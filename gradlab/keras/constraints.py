"""Constraints: after each step of training, weights are put back to where they are allowed to be.

A regularizer asks for small weights; a constraint insists.

Source: deck 000 (the toolbox); Srivastava et al. (2014) for max-norm beside dropout.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

import numpy as np

from gradlab.keras import config
from gradlab.keras.names import by_name, resolve
from gradlab.keras.objects import Described, names_in
from gradlab.keras.objects import serialize as serialize


@dataclasses.dataclass(eq=False)
class Constraint(Described):
    """Base of all constraints, and of your own: override ``__call__``."""

    def __call__(self, w: np.ndarray) -> np.ndarray:
        """Return the allowed numbers nearest to ``w``, in its shape."""
        return w


@dataclasses.dataclass(eq=False)
class NonNeg(Constraint):
    """Negative numbers become 0.

    >>> NonNeg()(np.array([-1.0, 2.0]))
    array([0., 2.])
    """

    def __call__(self, w: np.ndarray) -> np.ndarray:
        return np.maximum(w, 0.0)


def lengths(w: np.ndarray, axis: int | Sequence[int]) -> np.ndarray:
    """Return the Euclidean norms along the axes, which stay as size 1."""
    axes = axis if isinstance(axis, int) else tuple(axis)
    return np.sqrt(np.sum(np.square(w), axis=axes, keepdims=True))


@dataclasses.dataclass(eq=False)
class MinMaxNorm(Constraint):
    """The weights of each unit are scaled until their norm is in an interval.

    Args:
        min_value: the least norm.
        max_value: the greatest norm.
        rate: 1 enforces it at once, 0.1 goes a tenth of the way in each step.
        axis: along which the weights of one unit lie: 0 for the kernel of a Dense layer, (0, 1, 2)
            for that of a Conv2D layer.
    """

    min_value: float = 0.0
    max_value: float = 1.0
    rate: float = 1.0
    axis: int | Sequence[int] = 0

    def __call__(self, w: np.ndarray) -> np.ndarray:
        norms = lengths(w, self.axis)
        allowed = np.clip(norms, self.min_value, self.max_value)
        desired = self.rate * allowed + (1.0 - self.rate) * norms
        return w * (desired / (config.epsilon() + norms))


@dataclasses.dataclass(eq=False)
class MaxNorm(Constraint):
    """The weights of each unit are scaled down until their norm is at most ``max_value``.

    >>> MaxNorm(5.0)(np.array([[3.0, 6.0], [4.0, 8.0]])).round(4)
    array([[3., 3.],
           [4., 4.]])
    """

    max_value: float = 2
    axis: int | Sequence[int] = 0

    def __call__(self, w: np.ndarray) -> np.ndarray:
        return MinMaxNorm(0.0, self.max_value, axis=self.axis)(w)


@dataclasses.dataclass(eq=False)
class UnitNorm(Constraint):
    """The weights of each unit are scaled to norm 1: what is learnt is a direction.

    >>> UnitNorm()(np.array([[3.0], [4.0]])).round(4)
    array([[0.6],
           [0.8]])
    """

    axis: int | Sequence[int] = 0

    def __call__(self, w: np.ndarray) -> np.ndarray:
        return w / (config.epsilon() + lengths(w, self.axis))


TABLE = by_name(NonNeg, UnitNorm, MaxNorm, MinMaxNorm)


def get(identifier: Any) -> Any:
    """Return the constraint that a name, a class, a config or an object means.

    >>> get("max_norm")
    MaxNorm(max_value=2, axis=0)

    Raises:
        ValueError: an unknown name.
    """
    return resolve("constraint", TABLE, identifier)


deserialize = get


__getattr__ = names_in(__name__, TABLE)  # keras.constraints.max_norm is the class, too
