"""Shapes: tuples of sizes, with None where a size is not known yet, such as that of the batch.

A layer with several inputs has a list or a dict of them.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from gradlab import tape
from gradlab.keras.graph import KerasTensor, Shape, leaves, mapped
from gradlab.tape import Node
from gradlab.tensor import Tensor


def numbers(x: Any) -> np.ndarray:
    """Return the array inside a Tensor, or the array itself."""
    return np.asarray(x.data if isinstance(x, Node) else x)


def shape_of(x: Any) -> Shape:
    """Return a shape with None for the batch.

    >>> shape_of(np.zeros((32, 4)))
    (None, 4)
    """
    shape = x.shape if isinstance(x, KerasTensor | Tensor) else np.shape(x)
    return (None, *shape[1:]) if shape else ()


def shapes_of(structure: Any) -> Any:
    """Return the shapes of all arrays of a structure."""
    return mapped(shape_of, structure)


def mapped_shapes(function: Any, structure: Any) -> Any:
    """`mapped` for lists and dicts of shapes, which are tuples themselves."""
    if is_shape(structure):
        return function(structure)
    if isinstance(structure, dict):
        return {key: mapped_shapes(function, value) for key, value in structure.items()}
    return type(structure)(mapped_shapes(function, value) for value in structure)


def is_shape(x: Any) -> bool:
    """Tell a shape from a tuple of shapes."""
    return isinstance(x, tuple) and all(n is None or isinstance(n, int | np.integer) for n in x)


def unequal(name: str) -> ValueError:
    """Return the error of a layer for sequences that are no array, since their lengths differ."""
    return ValueError(
        f"{name}: a list of sequences\nexpected an array, in which all have the same length\n"
        'write keras.utils.pad_sequences(x, padding="post"), and a mask: Masking() or mask_zero'
    )


def as_shape(given: Any) -> Any:
    """Return a shape as a tuple; a list of shapes stays one.

    >>> as_shape([None, 4]), as_shape(8), as_shape([(None, 5), (None, 6)])
    ((None, 4), (8,), [(None, 5), (None, 6)])

    Raises:
        ValueError: a size that is no whole number.
    """
    if isinstance(given, int | np.integer):
        return (int(given),)
    if isinstance(given, dict) or any(isinstance(n, list | tuple) for n in given):
        return given
    for n in given:
        if n is not None and not isinstance(n, int | np.integer):
            raise ValueError(
                f"a shape with {n!r} in it: {given!r}\nexpected whole numbers\n"
                "write [28, 28] for images of 28 x 28 pixels, [8] for rows of 8 numbers"
            )
    return tuple(None if n is None else int(n) for n in given)


def aligned(shape: Shape, expected: Shape) -> Shape:
    """Return a shape with the last axis of size 1 that it lacks, or without the one too many.

    >>> aligned((None,), (None, 1)), aligned((None, 28, 28, 1), (None, 28, 28))
    ((None, 1), (None, 28, 28))
    """
    if len(shape) == len(expected) - 1 and expected[-1] == 1:
        return (*shape, 1)
    if len(shape) == len(expected) + 1 and shape[-1] == 1:
        return shape[:-1]
    return shape


def fits(shape: Shape, expected: Shape) -> bool:
    """Tell whether data of a shape can go where another one is expected; None fits every size."""
    shape = aligned(shape, expected)
    return len(shape) == len(expected) and all(
        n is None or m is None or n == m for n, m in zip(shape, expected)
    )


def outputs_like(function: Any, args: Any, kwargs: dict[str, Any]) -> Any:
    """Return symbolic tensors of the shapes and types that a function gives.

    It is tried on ones, with two different sizes in the place of None: an axis of the result whose
    size differs between both has no size yet.

    >>> outputs_like(np.transpose, (KerasTensor((None, 3), "float32", "x"),), {})
    <KerasTensor shape=(3, None), dtype=float32, name=>
    """

    def tried(size: int) -> Any:
        def ones(x: Any) -> Any:
            if not isinstance(x, KerasTensor):
                return x
            return np.ones([size if n is None else n for n in x.shape], x.dtype)

        with tape.no_grad(), np.errstate(all="ignore"):
            return function(*mapped(ones, args), **mapped(ones, kwargs))

    def symbol(y: Any) -> KerasTensor:
        y, z = numbers(y), numbers(next(others))
        sizes = (None if n != m else n for n, m in zip(y.shape, z.shape, strict=True))
        return KerasTensor(tuple(sizes), y.dtype.name, "")

    first, others = tried(2), leaves(tried(3))
    return mapped(symbol, first)
