"""A small program as one compiled function: for tiny arrays a call costs more than the arithmetic.

Each line becomes loops over its numbers. Views cost nothing here: they are other indices.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from gradlab.kernels import approximations, generated
from gradlab.kernels.elementwise import expression
from gradlab.kernels.scalars import Writer
from gradlab.program.chains import operation
from gradlab.program.lines import Line, Slot
from gradlab.program.listing import flops

EXTREMES = {"max": approximations.larger, "min": approximations.smaller}
SMALL = 20_000  # operations; beyond, BLAS and vectors are faster than plain loops
Place = Callable[[Sequence[str]], str]


class Unsuited(Exception):  # noqa: N818
    """A line that has no loops here."""


def whole(lines: Sequence[Line], inputs: Sequence[Slot], outputs: Sequence[Slot]) -> Any:
    """Return the lines as one compiled function; None where that cannot be.

    Its arguments are the inputs, then an array for each different output, which it fills: arrays
    made by compiled code would take three times as long to hand over.
    """
    if not generated.available() or not outputs or sum(map(flops, lines)) > SMALL:
        return None
    try:
        text = _Writing(lines, inputs, outputs).text()
    except Unsuited:
        return None
    return generated.load(text).program


class _Writing:
    """The text of the function, while it is being written.

    Results lie in one array, ``work``, one after the other; those that are returned in their own.
    """

    def __init__(
        self, lines: Sequence[Line], inputs: Sequence[Slot], outputs: Sequence[Slot]
    ) -> None:
        self.lines, self.outputs = lines, list({id(s): s for s in outputs}.values())
        made = {id(line.out) for line in lines}
        if any(id(slot) not in made or slot.dtype != outputs[0].dtype for slot in outputs):
            raise Unsuited
        self.dtype = outputs[0].dtype
        self.writer = Writer(generated.real(self.dtype), {"work", "total"})
        self.names = {id(slot): f"in{k}" for k, slot in enumerate(inputs)}
        self.names |= {id(slot): f"out{k}" for k, slot in enumerate(self.outputs)}
        self.places: dict[int, Place] = {}
        self.flat: dict[int, int] = {}  # where the numbers lie one after the other: the first one
        self.constants: list[str] = []
        self.held: list[Slot] = []  # an id stands for a slot as long as that lives
        self.size = 0
        for slot in inputs:
            self.places[id(slot)] = _indexed(self.names[id(slot)], slot.shape)

    def text(self) -> str:
        body = [f"    {text}" for line in self.lines for text in self._loops(line)]
        head = [f"def program({', '.join(self.names.values())}):"]
        head += [f"    work = np.empty({max(self.size, 1)}, real)"]
        function = "\n".join(["@kept", *head, *body])
        return self.writer.module("\n".join([*self.constants, "", "", function]))

    def _check(self, slot: Slot) -> None:
        """Raise Unsuited for another number type than that of the results."""
        if slot.dtype not in (self.dtype, bool):
            raise Unsuited

    def _loops(self, line: Line) -> list[str]:
        out = line.out
        if out is None or line.effect:
            raise Unsuited
        self._check(out)
        if line.row in ("transpose", "reshape", "broadcast_to"):
            return self._view(line, out)
        self._set_aside(out)
        if line.row == "matmul":
            return self._product(line, out)
        if line.row in ("sum", "mean", "max", "min"):
            return self._reduction(line, out)
        return self._elementwise(line, out)

    def _set_aside(self, out: Slot) -> None:
        if id(out) in self.names:
            self.places[id(out)] = _indexed(self.names[id(out)], out.shape)
            return
        start, self.size = self.size, self.size + max(out.size, 1)
        self.flat[id(out)] = start
        self.places[id(out)] = _in_row("work", start, out.shape)

    def _read(self, part: Any, indices: Sequence[str], whole: tuple[int, ...]) -> str:
        """Return the text of the number that an input has at a place of the result."""
        if isinstance(part, np.ndarray):
            part = self._constant(part)
        if not isinstance(part, Slot):
            if type(part) not in (int, float):
                raise Unsuited
            return f"real({part!r})"
        self._check(part)
        lead = len(whole) - len(part.shape)
        pairs = zip(indices[lead:], part.shape, whole[lead:], strict=True)
        own = ["0" if n == 1 != full else index for index, n, full in pairs]
        text = self.places[id(part)](own)
        return f"({text} != 0)" if part.dtype == bool else text

    def _constant(self, array: np.ndarray) -> Slot:
        if array.dtype != self.dtype or array.size > 256:
            raise Unsuited
        name = f"constant{len(self.constants)}"
        self.constants.append(f"{name} = np.array({array.tolist()!r}, real)")
        slot = Slot(array.shape, array.dtype)
        self.places[id(slot)] = _indexed(name, array.shape)
        self.held.append(slot)
        return slot

    def _elementwise(self, line: Line, out: Slot) -> list[str]:
        op = operation(line)
        known = line.row and line.op.elementwise
        if not known and op is line.op:
            raise Unsuited
        indices, head, inner = _nest(out.shape)
        reads = [self._read(part, indices, out.shape) for part in line.inputs]
        body = [f"a{k} = {text}" for k, text in enumerate(reads)]
        found = expression(op, [f"a{k}" for k in range(len(reads))], self.writer)
        found = f"real(1.0) if {found} else real(0.0)" if out.dtype == bool else found
        body.append(f"{self.places[id(out)](indices)} = {found}")
        return [*head, *(inner + text for text in body)]

    def _product(self, line: Line, out: Slot) -> list[str]:
        a, b = line.inputs
        if any(len(getattr(part, "shape", ())) != 2 for part in (a, b)):
            raise Unsuited
        depth = a.shape[1]
        (i, j), head, inner = _nest(out.shape)
        left = self._read(a, [i, "k"], a.shape)
        right = self._read(b, ["k", j], b.shape)
        body = ["total = real(0.0)", f"for k in range({depth}):", f"    total += {left} * {right}"]
        body.append(f"{self.places[id(out)]([i, j])} = total")
        return [*head, *(inner + text for text in body)]

    def _reduction(self, line: Line, out: Slot) -> list[str]:
        a, axis, keepdims = line.inputs
        if not isinstance(a, Slot) or a.dtype == bool or not a.size:
            raise Unsuited
        axes = range(len(a.shape)) if axis is None else [axis] if isinstance(axis, int) else axis
        gone = {k % len(a.shape) for k in axes}
        places, head, inner = _nest(tuple(n for k, n in enumerate(a.shape) if k not in gone))
        inside, loops, deepest = _nest(tuple(a.shape[k] for k in sorted(gone)), "s")
        left, right = iter(places), iter(inside)
        at = [next(right) if k in gone else next(left) for k in range(len(a.shape))]
        where = ["0" if k in gone else at[k] for k in range(len(at))] if keepdims else places
        term = self._read(a, at, a.shape)
        first = self._read(a, ["0" if k in gone else i for k, i in enumerate(at)], a.shape)
        step = {
            name: f"total = {self.writer.need(function)}(total, {term})"
            for name, function in EXTREMES.items()
            if name == line.row
        }
        body = [f"total = {first if line.row in step else 'real(0.0)'}", *loops]
        body.append(deepest + step.get(line.row, f"total += {term}"))
        share = f" / real({a.size // max(out.size, 1)})" if line.row == "mean" else ""
        body.append(f"{self.places[id(out)](where)} = total{share}")
        return [*head, *(inner + text for text in body)]

    def _view(self, line: Line, out: Slot) -> list[str]:
        """Say where the numbers of a view are; one that is returned is copied."""
        place = self._seen_from(line, out)
        if id(out) not in self.names:
            self.places[id(out)] = place
            return []
        self._set_aside(out)
        indices, head, inner = _nest(out.shape)
        return [*head, f"{inner}{self.places[id(out)](indices)} = {place(indices)}"]

    def _seen_from(self, line: Line, out: Slot) -> Place:
        a = line.inputs[0]
        if not isinstance(a, Slot):
            raise Unsuited
        source = self.places[id(a)]
        if line.row == "broadcast_to":
            return lambda at: self._read(a, at, out.shape)
        if line.row == "transpose":
            order = line.inputs[1] or tuple(reversed(range(len(a.shape))))
            back = [order.index(k) for k in range(len(order))]
            return lambda at: source([at[k] for k in back])
        long = [[k for k, n in enumerate(slot.shape) if n != 1] for slot in (a, out)]
        if [a.shape[k] for k in long[0]] == [out.shape[k] for k in long[1]]:  # only axes of size 1
            pairs: dict[int, int] = dict(zip(long[0], long[1]))
            count = len(a.shape)

            def through(at: Sequence[str]) -> str:
                own: list[str] = [at[pairs[k]] if k in pairs else "0" for k in range(count)]
                return source(own)

            return through
        if id(a) not in self.flat:
            raise Unsuited
        self.flat[id(out)] = self.flat[id(a)]
        return _in_row("work", self.flat[id(a)], out.shape)


def _indexed(name: str, shape: tuple[int, ...]) -> Place:
    return lambda at: f"{name}[{', '.join(at) if shape else '()'}]"


def _in_row(name: str, start: int, shape: tuple[int, ...]) -> Place:
    """Return where a number lies in an array of one axis: rows one after the other.

    >>> _in_row("work", 10, (2, 3))(["i", "j"])
    'work[10 + 3 * i + 1 * j]'
    """
    steps = [int(np.prod(shape[k + 1 :])) for k in range(len(shape))]

    def place(at: Sequence[str]) -> str:
        return f"{name}[{' + '.join([str(start), *(f'{s} * {i}' for s, i in zip(steps, at))])}]"

    return place


def _nest(shape: tuple[int, ...], letter: str = "i") -> tuple[list[str], list[str], str]:
    """Return the indices of nested loops over a shape, their heads, and the inner indentation.

    >>> _nest((2, 3))
    (['i0', 'i1'], ['for i0 in range(2):', '    for i1 in range(3):'], '        ')
    """
    indices = [f"{letter}{k}" for k in range(len(shape))]
    heads = [f"{'    ' * k}for {i} in range({n}):" for k, (i, n) in enumerate(zip(indices, shape))]
    return indices, heads, "    " * len(shape)
