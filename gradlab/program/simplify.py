"""Making a recorded step shorter, without changing a bit of what it computes.

What nobody asks for is left out, what is computed twice is computed once, and a multiplication by
zeros and ones that a comparison has made becomes one by the comparison itself.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from gradlab.ops.arithmetic import multiply, subtract
from gradlab.program.lines import Line, Slot, copying, mapped, slots_in

SAME = frozenset({"positive", "linear", "astype", "reshape", "broadcast_to"})


def simplified(lines: Sequence[Line], outputs: Sequence[Slot]) -> tuple[list[Line], list[Slot]]:
    """Return an equivalent, shorter list of lines, and where the outputs now are."""
    lines, outputs = _shared(_apart(lines), outputs)
    lines, outputs = _masked(lines, outputs)
    return needed(lines, outputs), outputs


def _apart(lines: Sequence[Line]) -> list[Line]:
    """Write squared errors as a difference and its square: the way back needs the difference, too.

    It is what NumPy does for them anyway, but as lines that write into memory set aside.
    """
    found: list[Line] = []
    for line in lines:
        kinds = {_kind(part) if isinstance(part, Slot) else None for part in line.inputs}
        if line.row != "squared_error" or line.out is None or kinds != {_kind(line.out)}:
            found.append(line)
            continue
        y_true, y_pred = line.inputs
        d = Slot(line.out.shape, line.out.dtype, order=line.out.order)
        found.append(Line("subtract", subtract.array, (y_pred, y_true), d, op=subtract))
        found.append(Line("multiply", multiply.array, (d, d), line.out, op=multiply))
    return found


def needed(lines: Sequence[Line], outputs: Iterable[Slot]) -> list[Line]:
    """Return the lines that something depends on: an output, or an effect."""
    wanted, kept = set(map(id, outputs)), []
    for line in reversed(lines):
        if line.effect or id(line.out) in wanted:
            kept.append(line)
            wanted |= {id(slot) for slot in slots_in(line.inputs)}
    return kept[::-1]


class _Replaced(dict[int, Slot]):
    """Which slot stands for which: for a slot that is no longer computed, another one."""

    def __call__(self, part: Any) -> Any:
        return self.get(id(part), part) if isinstance(part, Slot) else part


def _shared(lines: Sequence[Line], outputs: Sequence[Slot]) -> tuple[list[Line], list[Slot]]:
    """Compute what is asked for twice only once, and what changes nothing not at all."""
    replaced, seen, kept = _Replaced(), {}, []
    rectified: dict[int, Slot] = {}
    never: set[int] = set()  # conditions that do not hold anywhere
    for line in lines:
        inputs = mapped(replaced, line.inputs)
        if line.function is np.greater and inputs[1] == 0.0 and id(inputs[0]) in rectified:
            inputs = (rectified[id(inputs[0])], 0.0)  # relu(x) > 0 where x > 0: x may be forgotten
        if line.out is None or line.effect:
            kept.append(_with(line, inputs))
            continue
        if line.op is not None and line.op.elementwise:
            inputs = tuple(_one_number(part, inputs, line.out) for part in inputs)
        first = inputs[0] if isinstance(inputs[0], Slot) else None
        if line.row in SAME and first and _kind(first) == _kind(line.out):
            replaced[id(line.out)] = first
            continue
        if same := _times_one(line.row, inputs, line.out) or _second_case(line, inputs, never):
            replaced[id(line.out)] = same
            continue
        if line.function is np.logical_and and any(part is False for part in inputs):
            never.add(id(line.out))
        key = (line.name, id(line.op or line.function), _key(inputs))
        if key in seen:
            replaced[id(line.out)] = seen[key]
            continue
        seen[key] = line.out
        kept.append(_with(line, inputs))
        if line.row == "relu":
            rectified[id(inputs[0])] = line.out
    return kept, [replaced(slot) for slot in outputs]


def _one_number(part: Any, inputs: tuple[Any, ...], out: Slot) -> Any:
    """Return a constant array whose numbers are all the same as that number, if it may be."""
    if not isinstance(part, np.ndarray) or not part.size or part.dtype != out.dtype:
        return part
    like_out = any(isinstance(s, Slot) and (s.shape, s.dtype) == _kind(out) for s in inputs)
    return part.flat[0].item() if like_out and (part == part.flat[0]).all() else part


def _kind(slot: Slot) -> tuple[Any, Any]:
    return slot.shape, slot.dtype


def _times_one(row: str, inputs: tuple[Any, ...], out: Slot) -> Slot | None:
    """Return the other factor of a product by 1, and x of x ** 1."""
    pairs = {"multiply": (inputs, inputs[::-1]), "power": (inputs[::-1],)}.get(row, ())
    for one, other in pairs:
        if type(one) is float and one == 1.0 and isinstance(other, Slot):
            return other if _kind(other) == _kind(out) else None
    return None


def _second_case(line: Line, inputs: tuple[Any, ...], never: set[int]) -> Slot | None:
    """Return what ``where`` takes if its condition holds nowhere."""
    if line.row != "where" or id(inputs[0]) not in never or not isinstance(inputs[2], Slot):
        return None
    return inputs[2] if line.out and _kind(inputs[2]) == _kind(line.out) else None


def _with(line: Line, inputs: tuple[Any, ...]) -> Line:
    return dataclasses.replace(line, inputs=inputs)


def _key(part: Any) -> Any:
    """Return something that is equal for equal inputs; other objects are equal only to themselves.

    >>> _key((1.0, -0.0)) == _key((1, 0.0))
    False
    """
    if isinstance(part, list | tuple):
        return (type(part), *map(_key, part))
    if isinstance(part, bool | int | float | str | None):
        return (type(part), repr(part))
    return id(part)


def _masked(lines: Sequence[Line], outputs: Sequence[Slot]) -> tuple[list[Line], list[Slot]]:
    """Multiply by a comparison itself instead of the float64 zeros and ones made from it.

    ``g * where(x > 0, 1.0, 0.0)``, the slope of relu, is computed in float64 by NumPy and rounded
    back; ``g * (x > 0)`` has the same bits and stays in the type of g.
    """
    made = {id(line.out): line for line in lines}
    replaced, widened, kept = _Replaced(), {}, []
    for line in lines:
        inputs = mapped(replaced, line.inputs)
        if line.row == "multiply" and (factors := _mask_first(inputs, made)):
            g, mask = factors
            narrow = Slot(np.broadcast_shapes(g.shape, mask.shape), g.dtype)
            assert line.out is not None
            if narrow.dtype == line.out.dtype:
                narrow = line.out
            made[id(narrow)] = Line("multiply", np.multiply, (g, mask), narrow, op=line.op)
            kept.append(made[id(narrow)])
            if narrow is not line.out:
                kept.append(copying(narrow, line.out))
                made[id(line.out)], widened[id(line.out)] = kept[-1], narrow
            continue
        source = made.get(id(inputs[0])) if line.row == "astype" else None
        if source is not None and source.row == "astype" and line.out is not None:
            narrow = widened.get(id(source.out))
            if narrow is not None and narrow.dtype == line.out.dtype:
                replaced[id(line.out)] = narrow
                continue
        kept.append(_with(line, inputs))
    return kept, [replaced(slot) for slot in outputs]


def _mask_first(inputs: tuple[Any, ...], made: dict[int, Line]) -> tuple[Slot, Slot] | None:
    """Return (g, mask) of a product g * where(mask, 1.0, 0.0) in either order."""
    for g, factor in (inputs, inputs[::-1]):
        line = made.get(id(factor))
        if line is None or line.row != "where" or not isinstance(g, Slot):
            continue
        mask, ones, zeros = line.inputs
        if isinstance(mask, Slot) and mask.dtype == bool and (ones, zeros) == (1.0, 0.0):
            return (g, mask) if type(ones) is type(zeros) is float and g.dtype.kind == "f" else None
    return None
