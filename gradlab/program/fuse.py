"""Lines that one kernel does better together: here, the gradient of a weight and its update.

Gradient descent takes the product ``x.T @ delta`` and then subtracts a small part of it. BLAS adds
a product to what is already there, so the gradient need not be written down at all.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from gradlab.kernels import blas
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
