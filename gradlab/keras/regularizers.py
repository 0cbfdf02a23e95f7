"""Regularizers: penalties on large weights, added to the loss, so that a network stays simple.

The penalty is computed with primitives, so its slope pulls at the weights like that of the loss.

Source: deck 001, 10.3.2; deck 000; Krogh and Hertz (1992) for l2, Tibshirani (1996) for l1.
"""

from __future__ import annotations

import dataclasses
import math
from typing import Any

import numpy as np

from gradlab.errors import ShapeError
from gradlab.keras import config
from gradlab.keras.names import by_name, find, resolve
from gradlab.keras.objects import Described, names_in
from gradlab.keras.objects import serialize as serialize
from gradlab.ops.arithmetic import divide, multiply, square
from gradlab.ops.elementary import absolute, maximum
from gradlab.ops.linear import matmul
from gradlab.ops.reductions import norm, reduce_sum
from gradlab.ops.shaping import transpose


@dataclasses.dataclass(eq=False)
class Regularizer(Described):
    """Base of all regularizers, and of your own: override ``__call__``."""

    def __call__(self, x: Any) -> Any:
        """Return the penalty for a Tensor of weights or outputs: one number."""
        return 0.0


def read_factor(owner: Any, name: str, default: float) -> None:
    """Make a float of an attribute; None stands for the default.

    Raises:
        ValueError: negative, infinite or no number; a negative penalty would reward large weights.
    """
    given = getattr(owner, name)
    value = default if given is None else given
    if not isinstance(value, float | int | np.number) or not 0.0 <= value < math.inf:
        raise ValueError(
            f"{type(owner).__name__}: given {name}={given!r}\n"
            f"expected a number from 0 on\nwrite {name}=0.01"
        )
    setattr(owner, name, float(value))


@dataclasses.dataclass(eq=False)
class L1(Regularizer):
    """``l1 * sum(abs(x))``: pulls every weight towards 0 with the same force, so many become 0.

    >>> L1(0.5)(np.array([1.0, -2.0]))
    np.float64(1.5)
    """

    l1: float = 0.01

    def __post_init__(self) -> None:
        read_factor(self, "l1", 0.01)

    def __call__(self, x: Any) -> Any:
        return self.l1 * reduce_sum(absolute(x))


@dataclasses.dataclass(eq=False)
class L2(Regularizer):
    """``l2 * sum(x ** 2)``: pulls every weight towards 0, the larger the harder.

    >>> from gradlab import Tensor
    >>> W = Tensor([1.0, -2.0])
    >>> L2(0.5)(W).backward()
    >>> W.grad
    array([ 1., -2.])
    """

    l2: float = 0.01

    def __post_init__(self) -> None:
        read_factor(self, "l2", 0.01)

    def __call__(self, x: Any) -> Any:
        return self.l2 * reduce_sum(square(x))


@dataclasses.dataclass(eq=False)
class L1L2(Regularizer):
    """``l1 * sum(abs(x)) + l2 * sum(x ** 2)``, known as elastic net.

    As in Keras 3 both factors are 0 by default, so the bare name "l1_l2" penalises nothing.
    """

    l1: float = 0.0
    l2: float = 0.0

    def __post_init__(self) -> None:
        read_factor(self, "l1", 0.0)
        read_factor(self, "l2", 0.0)

    def __call__(self, x: Any) -> Any:
        return self.l1 * reduce_sum(absolute(x)) + self.l2 * reduce_sum(square(x))


@dataclasses.dataclass(eq=False)
class OrthogonalRegularizer(Regularizer):
    """``factor`` times the mean size of the cosine between two rows (or columns) of a matrix.

    It is 0 when all of them are at right angles, so that no two units learn the same.

    Args:
        factor: weight of the penalty.
        mode: "rows" or "columns".

    Raises:
        ValueError: another mode.
        ShapeError: not a matrix.

    >>> OrthogonalRegularizer(1.0)(np.array([[1.0, 0.0], [3.0, 3.0]])).round(4)
    np.float64(0.7071)
    """

    factor: float = 0.01
    mode: str = "rows"

    def __post_init__(self) -> None:
        read_factor(self, "factor", 0.01)
        find("mode", dict.fromkeys(("rows", "columns")), self.mode)

    def __call__(self, x: Any) -> Any:
        if len(x.shape) != 2:
            raise ShapeError(
                f"OrthogonalRegularizer: an array of shape {x.shape}\n"
                "expected a matrix, such as the kernel of a Dense layer\n"
                "write l2 for weights with other shapes"
            )
        vectors = x if self.mode == "rows" else transpose(x)
        length = norm(vectors, axis=1, keepdims=True)
        unit = divide(vectors, maximum(length, config.epsilon()))
        count = x.shape[0] if self.mode == "rows" else x.shape[1]
        others = 1.0 - np.eye(count, dtype=x.dtype)
        cosines = multiply(absolute(matmul(unit, transpose(unit))), others)
        return (self.factor / max(count * (count - 1.0), 1.0)) * reduce_sum(cosines)


TABLE = by_name(L1, L2, L1L2, OrthogonalRegularizer)


def get(identifier: Any) -> Any:
    """Return the regularizer that a name, a class, a config or an object means.

    >>> get("l2")
    L2(l2=0.01)

    Raises:
        ValueError: an unknown name.
    """
    return resolve("regularizer", TABLE, identifier)


deserialize = get


__getattr__ = names_in(__name__, TABLE)  # keras.regularizers.l2 is the class, too
