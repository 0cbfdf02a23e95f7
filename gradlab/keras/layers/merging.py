"""Layers that make one array of several: joined, added, multiplied, compared, or as dot products.

Source: deck 001, section 10.2.3 (Wide & Deep, several inputs).
"""

from __future__ import annotations

from typing import Any

from gradlab.errors import ShapeError
from gradlab.keras.layers.base import Layer
from gradlab.keras.layers.shapes import is_shape, numbers
from gradlab.ops import elementary, linear, reductions, shaping

LETTERS = "bcdefghijklmnopqrstuvwxyz"  # of the axes in a sum of products; a is that of the batch


class Merge(Layer):
    """Base of these layers; ``function(a, b)`` merges two arrays.

    The arrays have one shape, or sizes of 1 where another one is larger. An array with fewer axes
    gets new ones after that of the batch.
    """

    def function(self, a: Any, b: Any) -> Any:
        """Return what becomes of two arrays."""
        raise NotImplementedError

    def call(self, inputs: Any) -> Any:
        rank = max(numbers(x).ndim for x in inputs)
        first, *others = (_with_axes(x, rank) for x in inputs)
        for x in others:
            first = self.function(first, x)
        return first

    def check_input(self, shape: Any) -> None:
        several(self.name, shape)
        self.compute_output_shape(shape)

    def compute_output_shape(self, input_shape: Any) -> Any:
        rank = max(map(len, input_shape))
        aligned = [(s[0], *(1,) * (rank - len(s)), *s[1:]) for s in input_shape]
        try:
            return tuple(_common(sizes) for sizes in zip(*aligned, strict=True))
        except ValueError:
            raise ShapeError(
                f"{self.name}: inputs of shapes {' and '.join(map(str, input_shape))}\n"
                "expected one shape, or sizes of 1 that can be repeated\n"
                "write a Dense layer of the same width before each of them"
            ) from None


class Add(Merge):
    """The sum of all inputs; around some layers, x + f(x), it makes a residual connection.

    >>> import numpy as np
    >>> Add()([np.array([[1.0]]), np.array([[2.0]]), np.array([[4.0]])])
    array([[7.]], dtype=float32)
    """

    def function(self, a: Any, b: Any) -> Any:
        return a + b


class Subtract(Merge):
    """The first of two inputs minus the second."""

    def function(self, a: Any, b: Any) -> Any:
        return a - b

    def check_input(self, shape: Any) -> None:
        super().check_input(shape)
        exactly_two(self.name, shape)


class Multiply(Merge):
    """The product of all inputs, number by number; a gate, if one of them ends in a sigmoid."""

    def function(self, a: Any, b: Any) -> Any:
        return a * b


class Average(Add):
    """The mean of all inputs, such as the predictions of several models."""

    def call(self, inputs: Any) -> Any:
        return super().call(inputs) / len(inputs)


class Maximum(Merge):
    """The largest of all inputs, number by number."""

    def function(self, a: Any, b: Any) -> Any:
        return elementary.maximum(a, b)


class Minimum(Merge):
    """The smallest of all inputs, number by number."""

    def function(self, a: Any, b: Any) -> Any:
        return elementary.minimum(a, b)


class Concatenate(Layer):
    """All inputs side by side: widths 5 and 30 give 35.

    Args:
        axis: along which they are joined; the last one by default.

    Raises:
        ShapeError: sizes that differ along another axis.

    Source: deck 001, section 10.2.3.

    >>> import numpy as np
    >>> Concatenate()([np.zeros((2, 5)), np.zeros((2, 30))]).shape
    (2, 35)
    """

    def __init__(self, axis: int = -1, **more: Any) -> None:
        super().__init__(**more)
        self.axis = int(axis)

    def call(self, inputs: Any) -> Any:
        return shaping.concatenate(*inputs, axis=self.axis)

    def check_input(self, shape: Any) -> None:
        several(self.name, shape)
        self.compute_output_shape(shape)

    def compute_output_shape(self, input_shape: Any) -> Any:
        rests = [_without(shape, self.axis) for shape in input_shape]
        if None in rests or any(_differ(rest, rests[0]) for rest in rests[1:]):
            raise ShapeError(
                f"{self.name}: inputs of shapes {' and '.join(map(str, input_shape))}\n"
                f"expected the same sizes along every axis but {self.axis}\n"
                "write keras.layers.Flatten() before those with more axes, or another axis=..."
            )
        shape = list(input_shape[0])
        joined = [s[self.axis] for s in input_shape]
        shape[self.axis] = None if None in joined else sum(joined)
        return tuple(shape)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "axis": self.axis}


class Dot(Layer):
    """The dot products of two inputs, instance by instance.

    Inputs of shapes (batch, n) and (batch, n) give (batch, 1); (batch, n, k) and (batch, m, k) with
    ``axes=2`` give (batch, n, m).

    Args:
        axes: along which to multiply and add; one number, or one for each input.
        normalize: divide by the lengths first, which gives the cosine of the angle.

    >>> import numpy as np
    >>> Dot(axes=1)([np.array([[1.0, 2.0]]), np.array([[3.0, 4.0]])])
    array([[11.]], dtype=float32)
    """

    def __init__(self, axes: Any, normalize: bool = False, **more: Any) -> None:
        super().__init__(**more)
        self.axes = axes if isinstance(axes, int) else tuple(int(axis) for axis in axes)
        self.normalize = normalize

    def call(self, inputs: Any) -> Any:
        a, b = inputs
        at, bt = self._places([numbers(a).ndim, numbers(b).ndim])
        if self.normalize:
            a, b = _unit(a, at), _unit(b, bt)
        rest_of_a = LETTERS[1 : numbers(a).ndim - 1]
        rest_of_b = LETTERS[len(rest_of_a) + 1 :][: numbers(b).ndim - 2]
        pattern = f"{_letters(rest_of_a, at)},{_letters(rest_of_b, bt)}->a{rest_of_a}{rest_of_b}"
        products = linear.einsum(pattern, a, b)
        return products if rest_of_a or rest_of_b else shaping.reshape(products, (-1, 1))

    def _places(self, ranks: list[int]) -> list[int]:
        axes = (self.axes, self.axes) if isinstance(self.axes, int) else self.axes
        return [axis % rank for axis, rank in zip(axes, ranks, strict=True)]

    def check_input(self, shape: Any) -> None:
        several(self.name, shape)
        exactly_two(self.name, shape)
        a, b = shape
        at, bt = self._places([len(a), len(b)])
        if not at or not bt or _differ((a[at],), (b[bt],)):
            raise ShapeError(
                f"{self.name}: inputs of shapes {a} and {b}, along axes {at} and {bt}\n"
                "expected the same size there, and not the axis of the batch\n"
                "write axes=1 for rows of numbers, axes=(i, j) for an axis of each input"
            )

    def compute_output_shape(self, input_shape: Any) -> Any:
        a, b = input_shape
        at, bt = self._places([len(a), len(b)])
        rest = (*a[1:at], *a[at + 1 :], *b[1:bt], *b[bt + 1 :])
        return (a[0], *(rest or (1,)))

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "axes": self.axes, "normalize": self.normalize}


# ------------------------------------------------------------------------ made and called in one go


def concatenate(inputs: Any = None, axis: int = -1, **more: Any) -> Any:
    """Join the inputs side by side; without inputs, return the layer that does so.

    >>> import numpy as np
    >>> concatenate([np.zeros((2, 5)), np.zeros((2, 30))]).shape, concatenate().axis
    ((2, 35), -1)
    """
    layer = Concatenate(axis, **more)
    return layer if inputs is None else layer(inputs)


def add(inputs: Any, **more: Any) -> Any:
    """Return the sum of the inputs."""
    return Add(**more)(inputs)


def subtract(inputs: Any, **more: Any) -> Any:
    """Return the first of two inputs minus the second."""
    return Subtract(**more)(inputs)


def multiply(inputs: Any, **more: Any) -> Any:
    """Return the product of the inputs, number by number."""
    return Multiply(**more)(inputs)


def average(inputs: Any, **more: Any) -> Any:
    """Return the mean of the inputs."""
    return Average(**more)(inputs)


def maximum(inputs: Any, **more: Any) -> Any:
    """Return the largest of the inputs, number by number."""
    return Maximum(**more)(inputs)


def minimum(inputs: Any, **more: Any) -> Any:
    """Return the smallest of the inputs, number by number."""
    return Minimum(**more)(inputs)


def dot(inputs: Any, axes: Any = -1, **more: Any) -> Any:
    """Return the dot products of two inputs."""
    return Dot(axes, **more)(inputs)


# ------------------------------------------------------------------------------------------ shapes


def several(name: str, shape: Any) -> None:
    """Raise ValueError unless there are the shapes of two inputs, or more."""
    if is_shape(shape) or len(shape) < 2:
        raise ValueError(
            f"{name}: called on {'one array' if is_shape(shape) else f'{len(shape)} arrays'}\n"
            f"expected a list of two or more\nwrite {name}([a, b])"
        )


def exactly_two(name: str, shape: Any) -> None:
    """Raise ValueError unless there are the shapes of two inputs."""
    if len(shape) != 2:
        raise ValueError(
            f"{name}: called on {len(shape)} arrays\nexpected two\nwrite {name}([a, b])"
        )


def _with_axes(x: Any, rank: int) -> Any:
    shape = numbers(x).shape
    more = rank - len(shape)
    return shaping.reshape(x, (shape[0], *(1,) * more, *shape[1:])) if more else x


def _common(sizes: Any) -> int | None:
    """Return the size of an axis after repeating; ValueError if two sizes cannot both be."""
    known = set(sizes) - {None, 1}
    if len(known) > 1:
        raise ValueError
    return known.pop() if known else None if None in sizes else 1


def _without(shape: Any, axis: int) -> Any:
    """Return a shape without one axis; None if it does not have that axis."""
    if not -len(shape) <= axis < len(shape):
        return None
    axis %= len(shape)
    return (*shape[:axis], *shape[axis + 1 :])


def _differ(a: Any, b: Any) -> bool:
    known = [n != m for n, m in zip(a, b) if n is not None and m is not None]
    return len(a) != len(b) or any(known)


def _unit(x: Any, axis: int) -> Any:
    squares = reductions.reduce_sum(x * x, axis, True)
    return x / elementary.sqrt(elementary.maximum(squares, 1e-12))


def _letters(rest: str, place: int) -> str:
    """Return the letters of one input: a for the batch, b where the sum is taken."""
    axes = list(rest)
    axes.insert(place - 1, "b")
    return "a" + "".join(axes)
