"""Errors that teach: what was given, what was expected, what to write instead, in three lines."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np


class ShapeError(ValueError):
    """Arrays whose shapes do not fit; the message says which axes and what to write."""


class DomainError(ValueError, ArithmeticError):
    """A number outside the set where the function, or its slope, is defined."""


def describe(a: Any) -> str:
    """Return the type of an argument, with its shape if it has one.

    >>> describe(np.zeros((2, 3)))
    'ndarray(2, 3)'
    """
    shape = getattr(a, "shape", None)
    return f"{type(a).__name__}{shape}" if shape is not None else type(a).__name__


def broadcast_error(name: str, operands: Sequence[Any]) -> Exception:
    """Return the error that explains why these operands do not broadcast."""
    shapes = [np.shape(a) for a in operands]
    given = " and ".join(str(s) for s in shapes)
    for axis in range(1, max(map(len, shapes), default=0) + 1):
        sizes = sorted({s[-axis] for s in shapes if len(s) >= axis} - {1})
        if len(sizes) > 1:
            return ShapeError(
                f"{name}: shapes {given} do not broadcast\n"
                f"counted from the right, axis -{axis} has sizes {' and '.join(map(str, sizes))}; "
                "expected equal sizes, or 1\n"
                f"write e.g. b.reshape({_bridge(shapes, axis)}) to line the axes up, or a.T"
            )
    return ValueError(f"{name}: cannot be computed for shapes {given}")


def _bridge(shapes: list[tuple[int, ...]], axis: int) -> str:
    small = min(shapes, key=len)
    return f"{', '.join(map(str, small))}, {', '.join(['1'] * axis)}" if small else "1"
