"""A variable: a Tensor that stays from step to step, and that training changes in place.

Weights, biases, running means, and the memory of an optimizer are variables.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from gradlab.errors import ShapeError
from gradlab.keras import config
from gradlab.tensor import Tensor


class Variable(Tensor):
    """A named array that is differentiated and changed.

    Args:
        value: the first numbers.
        name: such as "kernel".
        trainable: whether `fit` may change it.
        dtype: the layers' float type by default.
        regularizer: a function of the variable, added to the loss.
        constraint: a function of the new numbers, applied after each step.

    >>> W = Variable([[1.0, 2.0]], name="kernel")
    >>> W.assign([[3.0, 4.0]]).numpy()
    array([[3., 4.]], dtype=float32)
    """

    __slots__ = ("constraint", "path", "regularizer", "trainable")

    def __init__(
        self,
        value: Any,
        name: str = "variable",
        trainable: bool = True,
        dtype: Any = None,
        regularizer: Callable[[Tensor], Any] | None = None,
        constraint: Callable[[np.ndarray], np.ndarray] | None = None,
    ) -> None:
        super().__init__(np.asarray(value, dtype=dtype or config.floatx()), name)
        self.path = name  # the layer puts its own name before it: "dense/kernel"
        self.trainable, self.regularizer, self.constraint = trainable, regularizer, constraint

    @classmethod
    def apply(cls, op: Any, inputs: tuple[Any, ...]) -> Any:
        """Compute ``op``; what is computed from a variable is an ordinary Tensor."""
        return Tensor.apply(op, inputs)

    def assign(self, value: Any) -> Variable:
        """Put in other numbers of the same shape.

        Raises:
            ShapeError: another shape; the variable keeps its numbers.
        """
        given = np.asarray(value.data if isinstance(value, Tensor) else value)
        if given.shape != self.shape:
            raise ShapeError(
                f"{self.path}: given an array of shape {given.shape}\n"
                f"expected shape {self.shape}\n"
                f"write weights of that shape, such as {self.path} of a model built alike"
            )
        self.data[...] = given
        return self

    def assign_add(self, value: Any) -> Variable:
        """Add to the numbers, in place."""
        self.data += np.asarray(value, dtype=self.dtype)
        return self

    def assign_sub(self, value: Any) -> Variable:
        """Subtract from the numbers, in place."""
        self.data -= np.asarray(value, dtype=self.dtype)
        return self

    def numpy(self) -> np.ndarray:
        """Return a copy of the numbers."""
        return self.data.copy()

    def __repr__(self) -> str:
        return f"<Variable path={self.path}, shape={self.shape}, dtype={self.dtype}>"
