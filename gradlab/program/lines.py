"""The lines of a program: what is computed, from what, and into which place.

A program is a list of lines; recording makes it, simplifying and fusing shorten it.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator
from typing import Any, Literal

import numpy as np

from gradlab.entry import REGISTRY
from gradlab.ops.shaping import astype


@dataclasses.dataclass(eq=False)
class Slot:
    """A place for an array in a program: its shape and type, and what it holds.

    Attributes:
        source: None for a result; ``"input"``; otherwise an array, or a Tensor whose array is
            looked up at each run, because training changes it.
        order: "F" if the columns of a matrix lie one after the other in memory, not the rows: the
            order in which a sum runs through memory decides how it is rounded.
    """

    shape: tuple[int, ...]
    dtype: np.dtype
    name: str = ""
    source: Any = None
    order: Literal["C", "F"] = "C"

    @property
    def size(self) -> int:
        """How many numbers it holds."""
        return int(np.prod(self.shape, dtype=np.int64))

    @property
    def nbytes(self) -> int:
        """The size in bytes."""
        return self.size * self.dtype.itemsize


class _Threads:
    """Stands among the inputs of a line for the number of threads, which each run may change."""

    name = "threads"


THREADS = _Threads()


@dataclasses.dataclass(eq=False)
class Line:
    """One operation of a program.

    Attributes:
        name: of the primitive or function.
        function: what computes it on plain arrays.
        inputs: Slots, numbers, and whatever else the function takes, also in tuples.
        out: where the result goes; None for a check, which has none.
        effect: it must run in its place at each run: it draws random numbers, or may raise.
        op: the primitive; None for a plain function.
        shares: the result is another view of the memory of an input.
        writes: results, out the first of them, that the function writes into its first arguments.
        flop: how many operations it takes, where that cannot be seen from its shapes.
    """

    name: str
    function: Callable[..., Any]
    inputs: tuple[Any, ...]
    out: Slot | None
    effect: bool = False
    op: Any = None
    shares: bool = False
    writes: tuple[Slot, ...] = ()
    flop: int | None = None

    @property
    def outs(self) -> tuple[Slot, ...]:
        """All results."""
        return self.writes or (() if self.out is None else (self.out,))

    @property
    def row(self) -> str:
        """The name of the row of gradlab's table that it is; "" for anything else.

        You may call a function of your own sum or relu, too.
        """
        return self.name if self.op is not None and REGISTRY.get(self.name) is self.op else ""


def copying(slot: Slot, copy: Slot) -> Line:
    """Return the line that copies an array to another place, which may have another type."""
    return Line("astype", astype.array, (slot, copy.dtype), copy, op=astype)


def mapped(function: Callable[[Any], Any], part: Any) -> Any:
    """Apply a function to whatever tuples, lists and dicts hold.

    >>> mapped(str, (1, [2, {"a": 3}]))
    ('1', ['2', {'a': '3'}])
    """
    if isinstance(part, dict):
        return {key: mapped(function, value) for key, value in part.items()}
    if isinstance(part, tuple) and hasattr(part, "_fields"):
        return type(part)(*(mapped(function, value) for value in part))
    if isinstance(part, list | tuple):
        return type(part)(mapped(function, value) for value in part)
    return function(part)


def arrays_in(part: Any) -> Iterator[np.ndarray]:
    """Yield the arrays among inputs, also in tuples and lists."""
    if isinstance(part, np.ndarray):
        yield part
    elif isinstance(part, list | tuple):
        for each in part:
            yield from arrays_in(each)


def slots_in(part: Any) -> Iterator[Slot]:
    """Yield the slots that inputs name, also in tuples, lists and slices."""
    if isinstance(part, Slot):
        yield part
    elif isinstance(part, list | tuple):
        for each in part:
            yield from slots_in(each)
