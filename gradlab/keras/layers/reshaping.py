"""Layers without weights that put numbers in other places, or apply a function of your own."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from gradlab.errors import ShapeError
from gradlab.keras.layers.base import Layer
from gradlab.keras.layers.shapes import as_shape, is_shape, numbers, outputs_like
from gradlab.ops.shaping import broadcast_to, reshape, transpose


class Permute(Layer):
    """The axes of each instance in another order.

    Args:
        dims: numbers of the axes, from 1: ``(2, 1)`` makes (batch, 10, 64) to (batch, 64, 10).

    >>> Permute((2, 1))(np.zeros((5, 10, 64))).shape
    (5, 64, 10)
    """

    supports_masking = False  # what were steps are none any more

    def __init__(self, dims: Any, **more: Any) -> None:
        super().__init__(**more)
        self.dims = tuple(int(n) for n in dims)
        if sorted(self.dims) != list(range(1, len(self.dims) + 1)):
            raise ValueError(
                f"Permute: dims={self.dims}\nexpected each axis once, counted from 1: 0 is the "
                "batch\nwrite Permute((2, 1)) to exchange the two axes of a table"
            )

    def check_input(self, shape: Any) -> None:
        if not is_shape(shape) or len(shape) != len(self.dims) + 1:
            raise ShapeError(
                f"{self.name}: inputs of shape {shape}\n"
                f"expected {len(self.dims)} axes beside that of the batch\n"
                "write one number in dims=(...) for each axis of an instance"
            )

    def call(self, inputs: Any) -> Any:
        return transpose(inputs, (0, *self.dims))

    def compute_output_shape(self, input_shape: Any) -> Any:
        return (input_shape[0], *(input_shape[n] for n in self.dims))

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "dims": self.dims}


class RepeatVector(Layer):
    """Each row of numbers n times over: (batch, features) becomes (batch, n, features).

    Args:
        n: how many times.

    >>> RepeatVector(3)(np.array([[1.0, 2.0]]))
    array([[[1., 2.],
            [1., 2.],
            [1., 2.]]], dtype=float32)
    """

    supports_masking = False  # what were steps are none any more

    def __init__(self, n: int, **more: Any) -> None:
        super().__init__(**more)
        if not isinstance(n, int | np.integer) or n < 1:
            raise ValueError(
                f"RepeatVector: n={n!r}\nexpected a whole number, at least 1\nwrite RepeatVector(3)"
            )
        self.n = int(n)

    def check_input(self, shape: Any) -> None:
        if not is_shape(shape) or len(shape) != 2:
            raise ShapeError(
                f"{self.name}: inputs of shape {shape}\nexpected rows of numbers, (batch, features)"
                "\nwrite keras.layers.Flatten() before it"
            )

    def call(self, inputs: Any) -> Any:
        batch, features = numbers(inputs).shape
        return broadcast_to(reshape(inputs, (batch, 1, features)), (batch, self.n, features))

    def compute_output_shape(self, input_shape: Any) -> Any:
        return (input_shape[0], self.n, *input_shape[1:])

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "n": self.n}


class Lambda(Layer):
    """A function of your own as a layer. It trains, but cannot be saved: a file holds no code.

    Args:
        function: of an array or Tensor; made of operators, NumPy functions or `keras.ops`.
        output_shape: of one instance; found out by trying the function if it is not given.
        arguments: further ones of the function, by name.

    To save such a model, write the function as a layer: a class with a ``call`` method.

    >>> Lambda(np.square)(np.array([[3.0]]))
    array([[9.]], dtype=float32)
    """

    def __init__(
        self,
        function: Callable[..., Any],
        output_shape: Any = None,
        mask: Any = None,
        arguments: dict[str, Any] | None = None,
        **more: Any,
    ) -> None:
        super().__init__(**more)
        if not callable(function):
            raise TypeError(
                f"Lambda: given {function!r}\nexpected a function\nwrite Lambda(np.square)"
            )
        self.function, self.arguments = function, dict(arguments or {})
        self.output_shape = None if output_shape is None else as_shape(output_shape)
        self.mask, self.built = mask, True

    def call(self, inputs: Any) -> Any:
        return self.function(inputs, **self.arguments)

    def _expected(self, args: Any, kwargs: dict[str, Any]) -> Any:
        return outputs_like(self._tried, args, kwargs)

    def get_config(self) -> dict[str, Any]:
        """Raise ValueError: a function is code, and a file with code could do anything."""
        raise ValueError(
            f"{self.name}: a Lambda layer cannot be saved or written down: it holds a function\n"
            "expected layers that can be made again from numbers and names\n"
            "write class Mine(keras.layers.Layer) whose call method computes the same"
        )

    def again(self) -> Lambda:
        return Lambda(
            self.function,
            self.output_shape,
            self.mask,
            self.arguments,
            name=self.name,
            trainable=self.trainable,
            dtype=self.dtype,
        )
