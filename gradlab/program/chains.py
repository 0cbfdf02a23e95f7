"""Chains of elementwise lines, made one line each: a loop that reads every number once.

Between the lines of a chain NumPy would write an array to memory and read it back; in the loop of
`gradlab.kernels.elementwise` the numbers in between never leave the processor.
"""

from __future__ import annotations

import functools
import operator
from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np

from gradlab.kernels import generated
from gradlab.kernels.elementwise import Fused
from gradlab.program.fuse import descend
from gradlab.program.lines import Line, Slot, slots_in
from gradlab.program.listing import flops
from gradlab.program.plan import can_write, ufunc_of

COMPARISONS: dict[Any, Any] = {
    np.less: operator.lt,
    np.less_equal: operator.le,
    np.greater: operator.gt,
    np.greater_equal: operator.ge,
    np.equal: operator.eq,
    np.not_equal: operator.ne,
    np.logical_and: operator.and_,
    np.logical_or: operator.or_,
}
AXES = "ijkrc"  # the names of the indices of an array, its last axis last


def chained(lines: Sequence[Line], kept: Sequence[Slot]) -> list[Line]:
    """Return the lines with their chains fused; all of them as they are where nothing compiles.

    Args:
        lines: in order.
        kept: what is needed at the end.
    """
    if not generated.available():
        return list(lines)
    return _Chaining(lines, kept).fused()


class _Chaining:
    """One walk through the lines; a chain stays open until a line outside of it needs a result."""

    def __init__(self, lines: Sequence[Line], kept: Sequence[Slot]) -> None:
        self.lines = lines
        self.uses = Counter(id(s) for line in lines for s in slots_in(line.inputs))
        self.uses.update(id(slot) for slot in kept)
        # What is not written into memory set aside may come as a number or as an array of one.
        self.loose = {id(line.out) for line in lines if line.out and not can_write(line)}
        self.found: list[Line] = []
        self.open: list[_Chain] = []

    def fused(self) -> list[Line]:
        for line in self.lines:
            given = {id(slot) for slot in slots_in(line.inputs)}
            touched = [chain for chain in self.open if given & chain.made]
            if line.effect and line.out is None:  # it may change a weight that a chain reads
                self._close(self.open)
            loose = any(not slot.shape and id(slot) in self.loose for slot in slots_in(line.inputs))
            if not loose and _is_link(line):
                beside = [c for c in self.open if c not in touched and given & c.read]
                joined = [
                    c
                    for c in [*touched, *beside]
                    if c.shape == line.out.shape and not given & c.totals  # type: ignore[union-attr]
                ]
                self._close([chain for chain in touched if chain not in joined])
                self._join(joined, line)
                continue
            if (chain := _summed(line, touched)) is not None:
                self._close([c for c in touched if c is not chain])
                chain.sums.append(line)
                continue
            self._close(touched)
            self.found.append(_descent(line) or line)
        self._close(self.open)
        return self.found

    def _join(self, chains: list[_Chain], line: Line) -> None:
        together = _Chain([part for chain in chains for part in chain.lines] + [line])
        together.sums = [part for chain in chains for part in chain.sums]
        self.open = [chain for chain in self.open if chain not in chains] + [together]

    def _close(self, chains: Sequence[_Chain]) -> None:
        for chain in [chain for chain in chains if chain in self.open]:
            self.open.remove(chain)
            self.found += chain.closed(self.uses)


class _Chain:
    """Elementwise lines whose results have one shape, and column sums of these."""

    def __init__(self, lines: list[Line]) -> None:
        self.lines, self.sums = lines, list[Line]()
        out = lines[0].out
        assert out is not None
        self.shape = out.shape

    @property
    def totals(self) -> set[int]:
        return {id(line.out) for line in self.sums}

    @property
    def read(self) -> set[int]:
        """What it reads as a whole: another line that does so too can do it at the same time."""
        inputs = [slot for line in self.lines for slot in slots_in(line.inputs)]
        return {id(slot) for slot in inputs if slot.shape == self.shape}

    @property
    def made(self) -> set[int]:
        return {id(line.out) for line in self.lines} | self.totals

    def closed(self, uses: Counter[int]) -> list[Line]:
        """Return the chain as one line; its lines as they are where that is no gain."""
        members = [*self.lines, *self.sums]
        inside = Counter(id(slot) for line in members for slot in slots_in(line.inputs))
        outs = [s for line in self.lines if (s := line.out) and uses[id(s)] > inside[id(s)]]
        plain = len(members) == 1 and ufunc_of(members[0]) is not None
        if plain or (not outs and not self.sums) or any(slot.dtype == bool for slot in outs):
            return members
        if not outs:  # a loop needs one array to walk along
            outs = [slot for line in self.lines[-1:] if (slot := line.out)]
        line = self._one_line(outs)
        return members if line is None else [line]

    def _one_line(self, outs: list[Slot]) -> Line | None:
        names: dict[int, str] = {}
        given: dict[str, Any] = {}
        steps: list[Any] = []

        def operand(part: Any) -> Any:
            if not isinstance(part, Slot | np.ndarray):
                return part
            if id(part) not in names:
                names[id(part)] = f"a{len(names)}"
                given[names[id(part)]] = part
            return names[id(part)]

        for line in self.lines:
            operands = [operand(part) for part in line.inputs]
            names[id(line.out)] = f"a{len(names)}"
            steps.append((names[id(line.out)], operation(line), operands))
        sums = [names[id(line.inputs[0])] for line in self.sums]
        fused = Fused(steps, [names[id(slot)] for slot in outs], sums)
        axes = AXES[-len(self.shape) :]
        places = [
            (n, _place(given[n].shape, self.shape), given[n].dtype == bool) for n in fused.inputs
        ]
        function = fused.loop(outs[0].dtype, places, axes, outs[0].size)
        if function is None:
            return None
        name = "_".join(line.name for line in [*self.lines, *self.sums])
        writes = (*outs, *(slot for line in self.sums if (slot := line.out)))
        inputs = tuple(given[n] for n in fused.inputs)
        flop = sum(flops(line) for line in [*self.lines, *self.sums])
        return Line(name, function, inputs, writes[0], writes=writes, flop=flop)


def operation(line: Line) -> Any:
    """Return what a loop does for a line: an operator, or the primitive."""
    if line.function in COMPARISONS:
        return COMPARISONS[line.function]
    if line.row == "multiply" and line.inputs[1].__class__ is Slot and line.inputs[1].dtype == bool:
        return _where_true
    return line.op


def _where_true(g: float, mask: bool) -> float:
    """A number times a truth value."""
    return g * (1.0 if mask else 0.0)


def _is_link(line: Line) -> bool:
    """Tell whether a line can be part of a chain: one text for all numbers, of one type."""
    out = line.out
    if out is None or line.effect or line.writes or out.order != "C":
        return False
    if not 1 <= len(out.shape) <= len(AXES) or np.prod(out.shape) < 2:
        return False
    compares = line.function in COMPARISONS
    if not compares and not (line.row and line.op.elementwise and _vectorises(line.op)):
        return False
    if out.dtype.char not in ("?" if compares else "fd"):
        return False
    arrays = [part for part in line.inputs if isinstance(part, Slot | np.ndarray)]
    real = {a.dtype for a in arrays if a.dtype != bool}
    masks = [k for k, a in enumerate(line.inputs) if isinstance(a, Slot) and a.dtype == bool]
    may_have = {"multiply": [[], [1]], "where": [[], [0]]}.get(line.row, [[]])
    if line.function in (np.logical_and, np.logical_or):
        may_have, real = [[0, 1]], {out.dtype}
    if masks not in may_have or len(real) != 1 or (not compares and real != {out.dtype}):
        return False
    others = [part for part in line.inputs if not isinstance(part, Slot | np.ndarray)]
    fits = all(_fits(a.shape, out.shape) for a in arrays)
    return fits and all(type(part) in (int, float) for part in others)


@functools.cache
def _vectorises(op: Any) -> bool:
    return not Fused([("y", op, op.input_names)], ["y"]).scalar_calls


def _fits(shape: tuple[int, ...], whole: tuple[int, ...]) -> bool:
    return len(shape) <= len(whole) and np.broadcast_shapes(shape, whole) == whole


def _place(shape: tuple[int, ...], whole: tuple[int, ...]) -> str:
    """Return the index of the number in an array that belongs to a place in the whole.

    >>> _place((3,), (2, 3)), _place((2, 1), (2, 3)), _place((), (2, 3))
    ('c', 'r, 0', '()')
    """
    if not shape:
        return "()"
    axes = zip(AXES[-len(shape) :], shape, whole[-len(shape) :], strict=True)
    return ", ".join("0" if size == 1 != full else axis for axis, size, full in axes)


def _summed(line: Line, touched: list[_Chain]) -> _Chain | None:
    """Return the chain whose result a line sums up over the rows."""
    if line.row != "sum" or line.out is None or line.inputs[1] not in (0, (0,)) or line.inputs[2]:
        return None
    slot = line.inputs[0]
    for chain in touched:
        makes = any(part.out is slot for part in chain.lines)
        if makes and len(slot.shape) == 2 and slot.dtype == line.out.dtype != bool:
            return chain
    return None


def _descent(line: Line) -> Line | None:
    """Return gradient descent on one weight as a loop without an array for the step."""
    if line.function is not descend:
        return None
    w, g, rate = line.inputs
    one_type = isinstance(g, Slot) and g.dtype == w.dtype and w.dtype.char in "fd"
    if not one_type or g.shape != w.shape or not 1 <= len(w.shape) <= len(AXES) or g.order != "C":
        return None
    axes = AXES[-len(w.shape) :]
    fused = Fused([("w", _descended, ["w", "g", "rate"])], ["w"])
    places = [("w", "out0", False), ("g", ", ".join(axes), False), ("rate", "", False)]
    function = fused.loop(w.dtype, places, axes, w.size)
    return None if function is None else Line("descend", function, (w, g, rate), None, effect=True)


def _descended(w: float, g: float, rate: float) -> float:
    """Gradient descent."""
    return w - rate * g
