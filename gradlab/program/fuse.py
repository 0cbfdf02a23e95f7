"""Lines that one kernel does better: a convolution and its bias, a gradient and its update.

Gradient descent takes the product ``x.T @ delta`` and then subtracts a small part of it. BLAS adds
a product to what is already there, so the gradient need not be written down at all.
"""

from __future__ import annotations

import dataclasses
import math
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from gradlab.kernels import blas
from gradlab.kernels import recurrent_loops as loops
from gradlab.ops.windows import conv_with_bias, write_to_image
from gradlab.program.lines import Line, Slot, copying, slots_in
from gradlab.program.plan import VIEWS
from gradlab.tensor import Tensor

# From so many numbers in a weight on, one pass over it saves more than the call of BLAS costs.
# Measured, float32, batch 32, one thread: 50 x 50 numbers 0.5 times as fast as a product and
# `descend`, 300 x 100 1.1 times, 784 x 100 and 784 x 300 1.3 times.
WORTH_ONE_PASS = 30_000


def descend(w: np.ndarray, g: np.ndarray, rate: float) -> None:
    """``w -= rate * g``, in place."""
    w -= w.dtype.type(rate) * g


def descend_by_product(w: np.ndarray, a: np.ndarray, b: np.ndarray, rate: float) -> None:
    """``w -= rate * (a @ b)``, in place and in one pass: the product is added up where w is.

    It is rounded once less than `descend`, so the last bit of w may differ.
    """
    blas.gemm(a, b, w, alpha=-rate, beta=1.0)


def with_biases(lines: Sequence[Line], kept: Sequence[Slot]) -> list[Line]:
    """Return the lines with the bias added by the convolution itself, in memory set aside.

    Args:
        lines: in order.
        kept: what is needed at the end.
    """
    uses = Counter(id(s) for line in lines for s in slots_in(line.inputs))
    uses.update(id(slot) for slot in kept)
    makers = {id(line.out): line for line in lines}
    found, merged = [], set()
    for line in lines:
        (z, b), out = line.inputs if line.row == "add" else (None, None), line.out
        maker = makers.get(id(z))
        alone = uses[id(z)] == 1 and out is not None and _is_bias(b, out)
        if maker is None or maker.row != "conv" or out is None or not alone:
            found.append(line)
            continue
        x, W, *how = maker.inputs
        inputs = (x, W, b, *how)
        found.append(Line("conv_with_bias", conv_with_bias, inputs, out, writes=(out,)))
        merged.add(id(maker))
    return [line for line in found if id(line) not in merged]


def with_memory(lines: Sequence[Line]) -> list[Line]:
    """Return the lines, the large kernels among them with memory set aside for what they make.

    A new array is not free of charge: the system has to clear its memory, page by page, when it is
    written for the first time. For one step of an LSTM that took longer than to compute it.
    """
    return [
        WITH_MEMORY[line.row](line, line.out) if line.row in WITH_MEMORY and line.out else line
        for line in lines
    ]


def _to_image(line: Line, out: Slot) -> Line:
    flow, W, *_ = line.inputs
    alike = all(isinstance(slot, Slot) and slot.dtype == out.dtype for slot in (flow, W))
    return _writing(line, write_to_image, out) if alike and W.shape[-2] > 1 else line


def _lstm(line: Line, out: Slot) -> Line:
    z = line.inputs[0]
    pays = isinstance(z, Slot) and loops.pay(z)
    return _writing(line, loops.lstm, out) if pays else line


def _lstm_back(line: Line, out: Slot) -> Line:
    (steps, batch, sums), (_, z, *_, states) = out.shape, line.inputs
    if not isinstance(z, Slot) or not loops.pay(z) or states is None:
        return line
    gates = Slot((5, steps - 1, batch, sums // 4), z.dtype)
    cells = Slot((steps, batch, sums // 4), z.dtype)
    return _writing(line, loops.lstm_back, out, gates, cells)


def _writing(line: Line, function: Callable[..., None], *writes: Slot) -> Line:
    return dataclasses.replace(line, op=None, function=function, writes=writes)


WITH_MEMORY: dict[str, Callable[[Line, Slot], Line]] = {
    "conv_to_image": _to_image,
    "lstm": _lstm,
    "lstm_back": _lstm_back,
}


def _is_bias(b: Any, out: Slot) -> bool:
    """Tell whether b is one number for each channel of the result, of the same type."""
    alike = isinstance(b, Slot) and b.shape == out.shape[-1:] and b.dtype == out.dtype
    return alike and out.order == "C"


def with_descent(
    lines: Sequence[Line], pairs: Sequence[tuple[Slot, Slot]], rate: Slot
) -> list[Line]:
    """Return the lines with the update of gradient descent at their end.

    Args:
        lines: that compute the gradients.
        pairs: the slot of each gradient, and that of its weight.
        rate: the slot of the learning rate.
    """
    makers = {id(line.out): line for line in lines}
    uses: dict[int, int] = {}
    for slot in [s for line in lines for s in slots_in(line.inputs)] + [g for g, _ in pairs]:
        uses[id(slot)] = uses.get(id(slot), 0) + 1
    kept, updates = list(lines), []
    for g, w in pairs:
        if _shows_a_weight(g, makers):  # which another update may change first
            shown, g = g, Slot(g.shape, g.dtype)
            kept.append(copying(shown, g))
        maker = makers.get(id(g))
        function: Any = descend
        inputs: tuple[Any, ...] = (w, g, rate)
        if maker is not None and uses[id(g)] == 1 and _may_be_late(maker, w, makers):
            function, inputs = descend_by_product, (w, *maker.inputs, rate)
            kept.remove(maker)
        updates.append(Line(function.__name__, function, inputs, None, effect=True))
    return [*kept, *updates]


def _shows_a_weight(slot: Slot, makers: dict[int, Line]) -> bool:
    """Tell whether a slot is an array from outside, or a view of one."""
    maker = makers.get(id(slot))
    if maker is None:
        return isinstance(slot.source, Tensor)
    if maker.row not in VIEWS and not maker.shares:
        return False
    return any(_shows_a_weight(part, makers) for part in slots_in(maker.inputs))


def _may_be_late(line: Line, w: Slot, makers: dict[int, Line]) -> bool:
    """Tell whether a line is a product of matrices that no update changes."""
    if line.row != "matmul" or not all(isinstance(part, Slot) for part in line.inputs):
        return False
    if any(_shows_a_weight(part, makers) for part in line.inputs):
        return False
    if math.prod(w.shape) < WORTH_ONE_PASS:
        return False
    return all(len(s.shape) == 2 and s.dtype == w.dtype for s in line.inputs)
