"""Lines that have a kernel in `gradlab.kernels`: the softmax, its loss, large products.

The kernel writes into memory that was set aside, where NumPy would make an array at each run.
"""

from __future__ import annotations

import dataclasses
import inspect
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from gradlab.kernels import dense, generated, products
from gradlab.kernels.products import blocks
from gradlab.ops.losses import EPSILON, class_labels
from gradlab.program import patterns
from gradlab.program.fuse import descend_by_product
from gradlab.program.lines import THREADS, Line, Slot
from gradlab.program.simplify import needed

LOOPS: dict[Callable[..., Any], Any] = {
    patterns.loss_of_labels: dense.label_loss,
    patterns.log_of_label: dense.label_logs,
    patterns.softmax_slope: dense.label_slopes,
    patterns.log_softmax_slope: dense.log_slopes,
    patterns.probability_slope: dense.probability_slopes,
}
FLAT = {(-1, 2, "C"), (1, 2, "C")}  # axis, number of axes and order of a softmax along rows


def looped(lines: Sequence[Line], kept: Sequence[Slot]) -> list[Line]:
    """Return the lines, with the kernel in each that has one; ``kept`` is needed at the end."""
    if not generated.available():
        return list(lines)
    makers = {id(line.out): line for line in lines}
    ways = (_looped, _checked, _summed, _shared)
    found = [next(filter(None, (way(line, makers) for way in ways)), line) for line in lines]
    return needed(found, kept)


def _looped(line: Line, makers: dict[int, Line]) -> Line | None:
    """Return the softmax, or a short cut around it, as a loop."""
    out = line.out
    if out is None or out.dtype.char not in "fd" or not all(out.shape):
        return None
    if line.row == "softmax" and (line.inputs[1], len(out.shape), out.order) in FLAT:
        function, inputs = dense.probabilities, line.inputs[:1]
    elif line.function in LOOPS:
        function, inputs = LOOPS[line.function], line.inputs
        if "epsilon" in inspect.signature(function).parameters:
            inputs = _with_bounds(inputs, out.dtype)
    else:
        return None
    if any(not isinstance(part, Slot | np.ndarray | np.floating) for part in inputs):
        return None
    compiled = dense.loop_for(function, out.dtype, out.size)
    return dataclasses.replace(line, op=None, function=compiled, inputs=inputs, writes=(out,))


def _checked(line: Line, makers: dict[int, Line]) -> Line | None:
    """Return the look at a batch's labels as a loop: one whole number per row of predictions."""
    if line.function is not class_labels or line.out is None:
        return None
    y, shape, axis, ignored = line.inputs
    rows = len(shape) == 2 and axis in (-1, 1) and ignored is None
    if not rows or not isinstance(y, Slot) or y.dtype.kind not in "iu":
        return None
    loop = dense.loop(dense.label_rows, np.dtype("float32"))  # no floats are in it

    def labels(rows: np.ndarray, y: np.ndarray, classes: int) -> None:
        if not loop(rows, y, classes):
            class_labels(y, shape)  # says which one is no class

    return dataclasses.replace(
        line, name="labels", function=labels, inputs=(y, shape[1]), writes=(line.out,)
    )


def _summed(line: Line, makers: dict[int, Line]) -> Line | None:
    """Return the sum of the columns that a loop has made, the gradient of the last bias."""
    maker = makers.get(id(line.inputs[0])) if line.row == "sum" else None
    if maker is None or maker.function not in LOOPS or len(line.inputs[0].shape) != 2:
        return None
    if line.inputs[1] not in (0, (0,)) or line.inputs[2] or line.out is None:
        return None
    compiled = dense.loop(dense.column_sums, line.out.dtype)
    return Line("column_sums", compiled, line.inputs[:1], line.out, writes=(line.out,))


def _with_bounds(inputs: Sequence[Any], dtype: np.dtype) -> tuple[Any, ...]:
    """Return the inputs, constants as arrays, and the bounds of a probability."""
    rows = inputs[0].shape[0]
    whole = [np.full((rows, 1), a, dtype) if isinstance(a, float) else a for a in inputs]
    return (*whole, dtype.type(EPSILON), dtype.type(1.0 - EPSILON))


def _shared(line: Line, makers: dict[int, Line]) -> Line | None:
    """Return a product of matrices as blocks that threads can share."""
    learns = line.function is descend_by_product
    if not learns and line.row != "matmul":
        return None
    out, a, b = line.inputs[:3] if learns else (line.out, *line.inputs)
    assert out is not None
    if not all(isinstance(s, Slot) and len(s.shape) == 2 and s.dtype == out.dtype for s in (a, b)):
        return None
    (a, a_turned), (b, b_turned) = _as_it_lies(a, makers), _as_it_lies(b, makers)
    kind = "nt"[a_turned] + "nt"[b_turned]
    flop = 2 * out.size * a.shape[not a_turned]
    number = blocks(out.shape[1], flop)
    if out.dtype.char not in "fd" or {a.order, b.order, out.order} != {"C"} or kind == "tt":
        return None
    if (number == 1 and not learns) or (function := products.loop(kind, out.dtype, learns)) is None:
        return None
    inputs = (a, b, number, THREADS)
    if not learns:
        return Line(function.__name__, function, inputs, out, writes=(out,), flop=flop)
    inputs = (out, a, b, line.inputs[3], number, THREADS)
    return Line(function.__name__, function, inputs, None, effect=True, flop=flop)


def _as_it_lies(slot: Slot, makers: dict[int, Line]) -> tuple[Slot, bool]:
    """Return the matrix itself for its transpose, and whether it was one."""
    maker = makers.get(id(slot))
    turned = maker is not None and maker.row == "transpose" and maker.inputs[1] in (None, (1, 0))
    return (maker.inputs[0], True) if turned else (slot, False)  # type: ignore[union-attr]
