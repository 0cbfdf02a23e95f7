"""A program: a recorded step as one Python function, compiled and run without the tape.

Training does the same operations for every batch. Written down once they need no nodes, no rules
to look up and no new memory: what is left is one call after another.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from gradlab.program.chains import chained
from gradlab.program.fuse import with_biases, with_descent, with_memory
from gradlab.program.lines import THREADS, Line, Slot, copying, mapped, slots_in
from gradlab.program.listing import Names, listing, quantity, written
from gradlab.program.loops import looped
from gradlab.program.patterns import shortened
from gradlab.program.picture import picture
from gradlab.program.plan import Memory, can_write
from gradlab.program.simplify import simplified
from gradlab.program.trace import Trace
from gradlab.program.whole import whole
from gradlab.tensor import Tensor

if TYPE_CHECKING:
    from gradlab.draw import Drawing


class Program:
    """A recorded step, ready to run again. ``print(program)`` shows the Python function that runs.

    One program is not for two threads at once: it writes into the same memory at every run.

    Args:
        trace: what was recorded.
        inputs: the slots of what is given to each run.
        outputs: slots, and constants, in tuples, lists or dicts.
        into: pairs of an output slot and the array to write it into.
        descent: pairs of the slot of a gradient and that of its weight, which each run changes by
            gradient descent; the learning rate is then the last argument of a run.
        name: of the function in the listing.
        compiled: fuse lines into loops that Numba compiles. That pays for long runs only: it takes
            half a second to start, some seconds the first time.
        fresh: return new arrays, which the next run leaves as they are.

    Attributes:
        lines: the operations, in order; ``texts`` are their lines of Python.
        nbytes: of the memory that was set aside; ``without_reuse`` if no array took the place of
            another.
        shares: whether threads can share some of its lines.
    """

    def __init__(
        self,
        trace: Trace,
        inputs: Sequence[Slot],
        outputs: Any,
        into: Sequence[tuple[Slot, np.ndarray]] = (),
        descent: Sequence[tuple[Slot, Slot]] = (),
        name: str = "step",
        compiled: bool = False,
        fresh: bool = False,
    ) -> None:
        asked = list(slots_in(_flat(outputs)))
        wanted = [*asked, *(slot for slot, _ in into), *(slot for slot, _ in descent)]
        lines, found = simplified(trace.lines, wanted)
        lines = with_memory(with_biases(shortened(lines, found), found))
        replaced = {id(slot): new for slot, new in zip(wanted, found, strict=True)}
        given = _destinations(lines, [(replaced[id(slot)], array) for slot, array in into])
        self.inputs = list(inputs)
        if descent:
            rate = Slot((), np.dtype(float), "rate", "input")
            pairs = [(replaced[id(gradient)], weight) for gradient, weight in descent]
            lines, found = with_descent(lines, pairs, rate), found[: len(asked)]
            self.inputs.append(rate)
        self.outputs = mapped(lambda part: replaced.get(id(part), part), outputs)
        self.lines = lines
        self._one = whole(lines, self._taken(), self.results()) if compiled and fresh else None
        if compiled and self._one is None:
            kept = [*found, *(slot for line in lines for slot in line.outs if id(slot) in given)]
            lines = chained(looped(lines, kept), kept)
        self.lines, self.name, self.fresh = lines, name, fresh
        self.assumed = list(trace.assumed.values())
        writable = {id(slot) for line in lines if can_write(line) for slot in line.outs}
        self._new = [slot for slot in found if fresh and id(slot) in writable]
        if self._one is not None:
            self._new = list(dict.fromkeys(self.results()))
        memory = Memory(lines, found, {**given, **dict.fromkeys(map(id, self._new))})
        self.nbytes, self.without_reuse = memory.nbytes, memory.without_reuse
        self._compile(memory)

    def _compile(self, memory: Memory) -> None:
        names = Names()
        self._arguments = {slot: names.of(slot) for slot in self._taken()}
        arguments = ", ".join(self._arguments.values())
        self.variables = [s.source for s in self._arguments if isinstance(s.source, Tensor)]
        new = {names.of(s): f"np.empty({s.shape}, {names.part(s.dtype)})" for s in self._new}
        self._first = [f"{name} = {text}" for name, text in new.items()]
        self.texts = [written(line, names) for line in self.lines]
        for slot in (slot for line in self.lines for slot in line.outs):
            if id(slot) in memory.arrays:
                names.space[names.of(slot)] = memory.arrays[id(slot)]
        self._head = f"def {self.name}({arguments}):"
        copied = {id(s) for s in self.results() if self.fresh} - {id(s) for s in self._new}
        self._tail = f"return {names.structure(self.outputs, copied)}"
        names.space["threads"] = 1
        self.shares = any(part is THREADS for line in self.lines for part in line.inputs)
        texts = self.texts
        if self._one is not None:
            names.space["in_one_loop"] = self._one
            texts = [f"in_one_loop({', '.join([arguments, *new])})"]
        body = "\n    ".join([*self._first, *texts, self._tail])
        exec(compile(f"{self._head}\n    {body}\n", f"<{self.name}>", "exec"), names.space)
        self._function = names.space[self.name]

    def __call__(self, *arrays: Any) -> Any:
        """Run it on arrays of the shapes and types it was recorded with.

        The results are its own memory, and stay as they are until the next run, unless ``fresh``.
        """
        return self._function(*arrays, *[v.data for v in self.variables])

    @property
    def threads(self) -> int:
        """How many threads share its large products; the results do not depend on it."""
        return self._function.__globals__["threads"]

    @threads.setter
    def threads(self, number: int) -> None:
        self._function.__globals__["threads"] = number

    def _taken(self) -> list[Slot]:
        """Return the slots that come from outside: what is given to each run, then variables."""
        used = [slot for line in self.lines for slot in slots_in(line.inputs)]
        others = [s for s in [*used, *self.results()] if s.source is not None]
        return list({id(slot): slot for slot in [*self.inputs, *others]}.values())

    def leaves(self) -> list[tuple[Slot, str]]:
        """Return the slots of the arguments with their names."""
        return list(self._arguments.items())

    def results(self) -> list[Slot]:
        """Return the slots of the results."""
        return list(slots_in(_flat(self.outputs)))

    def draw(self) -> Drawing:
        """Draw it: one box per line, with what it costs."""
        return picture(self)

    def still_holds(self) -> bool:
        """Tell whether the numbers that were looked at while recording are still the same."""
        return all(np.array_equal(t.data, seen, equal_nan=True) for t, seen in self.assumed)

    def __str__(self) -> str:
        used, apart = quantity(self.nbytes, "B"), quantity(self.without_reuse, "B")
        head = "\n    ".join([self._head, *self._first])
        text = listing(head, self.lines, self.texts, self._tail)
        if self._one is not None:
            return f"{text}\n# compiled as one function, in which all arrays are one"
        return f"{text}\n# memory: {used} ({apart} if no array took the place of another)"

    def __repr__(self) -> str:
        return f"<program {self.name}: {len(self.lines)} lines, {self.nbytes} bytes>"


def _flat(tree: Any) -> list[Any]:
    found: list[Any] = []
    mapped(found.append, tree)
    return found


def _destinations(
    lines: list[Line], into: Sequence[tuple[Slot, np.ndarray]]
) -> dict[int, np.ndarray]:
    """Return where slots are to be written; a line that copies is added where it must be."""
    makers = {id(line.out): line for line in lines}
    given: dict[int, np.ndarray] = {}
    for slot, array in into:
        maker = makers.get(id(slot))
        fits = (slot.shape, slot.dtype, slot.order) == (array.shape, array.dtype, "C")
        if maker is not None and can_write(maker) and fits and id(slot) not in given:
            given[id(slot)] = array
            continue
        copy = Slot(array.shape, array.dtype)
        lines.append(copying(slot, copy))
        given[id(copy)] = array
    return given


def fingerprint(trace: Trace, outputs: Any) -> list[Any]:
    """Return what two recordings of the same step have in common, if it is the same each time.

    A random number that the step draws by itself, or a counter, shows as another constant.
    """
    numbers: dict[int, int] = {}

    def told(part: Any) -> Any:
        if isinstance(part, Slot):
            source = id(part.source) if isinstance(part.source, Tensor) else part.source
            return (numbers.setdefault(id(part), len(numbers)), part.shape, part.dtype.str, source)
        if isinstance(part, np.ndarray | np.generic):
            return (part.shape, part.dtype.str, hashlib.sha256(part.tobytes()).digest())
        if isinstance(part, slice | float | int | str | bool | None):
            return repr(part)
        return getattr(part, "__qualname__", id(part))

    rows = [(line.name, mapped(told, line.inputs), told(line.out)) for line in trace.lines]
    return [rows, mapped(told, outputs)]
