"""Where the numbers of a program live: one array for each result, used again once it is free.

A result is written into memory that was set aside before the first run; when nobody needs it any
more, a later line may write there. A sum may even be written over one of its own terms.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from gradlab.program.lines import Line, Slot, slots_in

# Functions that look at their input from another angle: no numbers are moved, unless they must be.
VIEWS = frozenset({"reshape", "transpose", "broadcast_to", "getitem", "positive", "linear"})
# Their kernels are Python's signs, which NumPy answers with the ufunc that the table names first.
# (Not a ** b: for some exponents NumPy computes a square or a root instead.)
SIGNS = frozenset({"add", "subtract", "multiply", "divide", "negative", "matmul"})
# Primitives that one ufunc of NumPy computes with the same bits, and its further inputs.
UFUNCS: dict[str, tuple[np.ufunc, tuple[Any, ...]]] = {"relu": (np.maximum, (0.0,))}


def mean(
    a: np.ndarray, axis: Any, out: np.ndarray, count: int, keepdims: bool = False
) -> np.ndarray:
    """``np.mean(a, axis, out=out)`` of ``count`` numbers each: the same bits, in less time.

    >>> mean(np.array([1.0, 4.0]), None, np.empty(()), 2)
    array(2.5)
    """
    np.add.reduce(a, axis=axis, out=out, keepdims=keepdims)
    return np.divide(out, count, out=out, casting="unsafe")


# What np.sum, np.max and np.min call in the end.
REDUCTIONS: dict[str, Any] = {
    "sum": np.add.reduce,
    "mean": mean,
    "max": np.maximum.reduce,
    "min": np.minimum.reduce,
}


def ufunc_of(line: Line) -> tuple[np.ufunc, tuple[Any, ...]] | None:
    """Return the ufunc that computes a line, and what it takes; it can write where it is told."""
    if line.row in UFUNCS:
        ufunc, more = UFUNCS[line.row]
        return ufunc, (*line.inputs, *more)
    kernel = getattr(line.op, "array_kernel", line.function)
    if line.row in SIGNS:
        kernel = line.op.numpy[0]
    return (kernel, line.inputs) if isinstance(kernel, np.ufunc) else None


def can_write(line: Line) -> bool:
    """Tell whether a line can write its result into memory set aside for it."""
    if line.out is None or line.effect:
        return False
    if line.writes:
        return True
    return ufunc_of(line) is not None or line.row in REDUCTIONS or line.row == "astype"


class Memory:
    """The memory of a program.

    Args:
        lines: in order.
        outputs: results that stay until the end.
        given: arrays that some results must be written into, by ``id(slot)``; None for a result
            that gets a new array at each run.

    Attributes:
        arrays: the array of each slot that has memory set aside, by ``id(slot)``.
        nbytes: of all memory set aside.
        without_reuse: what it would be if each result had its own.
    """

    def __init__(
        self, lines: Sequence[Line], outputs: Sequence[Slot], given: dict[int, np.ndarray | None]
    ) -> None:
        self.arrays: dict[int, np.ndarray] = {}
        self.nbytes = self.without_reuse = 0
        self._free: list[np.ndarray] = []
        self._blocks: dict[int, np.ndarray] = {}
        self._shown: dict[int, set[int]] = {}  # a view, and whose numbers it may show
        last = self._last_uses(lines, outputs)
        for place, line in enumerate(lines):
            ends = {k for s in slots_in(line.inputs) for k in self._roots(s) if last[k] == place}
            for slot in line.outs if can_write(line) else ():
                if id(slot) in given:
                    if (array := given[id(slot)]) is not None:
                        self.arrays[id(slot)] = array
                else:
                    self._set_aside(slot, _taken_over(line, ends & self._blocks.keys()))
            self._free += [self._blocks.pop(k) for k in ends if k in self._blocks]

    def _roots(self, slot: Slot) -> set[int]:
        return self._shown.get(id(slot), {id(slot)})

    def _last_uses(self, lines: Sequence[Line], outputs: Sequence[Slot]) -> dict[int, int]:
        """Return the place where each array is used last; using a view is using what it shows."""
        last: dict[int, int] = {}
        for place, line in enumerate(lines):
            roots = {k for slot in slots_in(line.inputs) for k in self._roots(slot)}
            last |= dict.fromkeys(roots, place)
            if line.out is not None and (line.shares or line.row in VIEWS):
                self._shown[id(line.out)] = roots
        for slot in outputs:
            last |= dict.fromkeys(self._roots(slot), len(lines))
        return last

    def _set_aside(self, slot: Slot, taken_over: int | None) -> None:
        self.without_reuse += slot.nbytes
        if taken_over is not None:
            block = self._blocks.pop(taken_over)
        else:
            fitting = [b for b in self._free if b.nbytes >= slot.nbytes]
            block = min(fitting, key=len) if fitting else _empty(slot.nbytes)
            self.nbytes += 0 if fitting else slot.nbytes
            self._free = [b for b in self._free if b is not block]
        self._blocks[id(slot)] = block
        flat = block[: slot.nbytes].view(slot.dtype)
        self.arrays[id(slot)] = flat.reshape(slot.shape, order=slot.order)


def _taken_over(line: Line, ends: set[int]) -> int | None:
    """Return an input that is needed for the last time, and can be written over."""
    found, out = None if line.writes else ufunc_of(line), line.out
    if found is None or found[0].signature is not None or out is None:
        return None
    for slot in slots_in(line.inputs):
        if id(slot) in ends and (slot.shape, slot.dtype, slot.order) == (
            out.shape, out.dtype, out.order,
        ):  # fmt: skip
            return id(slot)
    return None


def _empty(nbytes: int) -> np.ndarray:
    """Return bytes that begin at a multiple of 64, where a line of the processor's cache does."""
    block = np.empty(nbytes + 64, np.uint8)
    start = -block.ctypes.data % 64
    return block[start : start + nbytes]
