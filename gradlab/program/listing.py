"""A program as text: one line of Python for each operation, which is what runs.

Beside each line stands what it costs: floating-point operations, and bytes read and written.
"""

from __future__ import annotations

import keyword
import math
import re
from collections.abc import Sequence
from typing import Any

import numpy as np

from gradlab.ops.windows import conv_with_bias, write_to_image
from gradlab.program.fuse import descend_by_product
from gradlab.program.lines import THREADS, Line, Slot, slots_in
from gradlab.program.plan import REDUCTIONS, VIEWS, can_write, mean, ufunc_of


class Names:
    """The names of slots, functions and constants in the text of a program.

    Attributes:
        space: what the names stand for, when the text is run.
    """

    def __init__(self) -> None:
        self.space: dict[str, Any] = {"np": np}
        self._of: dict[int, str] = {}
        self._kept: list[Any] = []  # an id is only good as long as its object lives
        self._results = 0

    def of(self, slot: Slot) -> str:
        """Return the name of a slot: its own, made a Python name, or t1, t2, ..."""
        if id(slot) not in self._of:
            wanted = re.sub(r"\W+", "_", slot.name).strip("_")
            if not wanted:
                self._results += 1
                wanted = f"t{self._results}"
            self._take(slot, wanted)
        return self._of[id(slot)]

    def constant(self, thing: Any) -> str:
        """Return how to write an input that is no slot."""
        if isinstance(thing, bool | int | str | None) or (
            isinstance(thing, float) and math.isfinite(thing)
        ):
            return repr(thing)
        if isinstance(thing, tuple):
            return f"({', '.join(map(self.part, thing))}{',' if len(thing) == 1 else ''})"
        if isinstance(thing, list):
            return f"[{', '.join(map(self.part, thing))}]"
        if isinstance(thing, slice):
            return repr(thing)
        if thing is THREADS:
            return THREADS.name
        if id(thing) not in self._of:
            self._take(thing, "c" if _is_array(thing) else _name_of(thing))
        return self._of[id(thing)]

    def part(self, part: Any) -> str:
        """Return how to write any input."""
        return self.of(part) if isinstance(part, Slot) else self.constant(part)

    def structure(self, part: Any, copied: set[int]) -> str:
        """Return how to write what a program returns: slots in tuples, lists and dicts.

        Args:
            copied: the ids of slots of which a copy is returned.
        """
        if isinstance(part, dict):
            pairs = [f"{self.constant(k)}: {self.structure(v, copied)}" for k, v in part.items()]
            return f"{{{', '.join(pairs)}}}"
        if not isinstance(part, list | tuple):
            return f"np.array({self.part(part)})" if id(part) in copied else self.part(part)
        parts = ", ".join(self.structure(each, copied) for each in part)
        if type(part) is list:
            return f"[{parts}]"
        if type(part) is tuple:
            return f"({parts},)" if len(part) == 1 else f"({parts})"
        return f"{self.function(type(part), type(part).__name__)}({parts})"  # a named tuple

    def function(self, function: Any, name: str) -> str:
        """Return how to call a function: NumPy's by their own names."""
        if getattr(np, getattr(function, "__name__", ""), None) is function:
            return f"np.{function.__name__}"
        ufunc = getattr(function, "__self__", None)
        if isinstance(ufunc, np.ufunc):
            return f"np.{ufunc.__name__}.{function.__name__}"
        owner = getattr(function, "__self__", function)  # the primitive of a bound method
        key = owner if owner is not None else function
        if id(key) not in self._of:
            self._take(key, name, function)
        return self._of[id(key)]

    def _take(self, key: Any, wanted: str, thing: Any = None) -> None:
        wanted = re.sub(r"\W+", "_", wanted)
        wanted = f"{wanted}_" if keyword.iskeyword(wanted) or wanted[:1].isdigit() else wanted
        name, count = wanted, 1
        while name in self.space:
            count += 1
            name = f"{wanted}_{count}"
        self.space[name] = key if thing is None else thing
        self._of[id(key)] = name
        self._kept.append(key)


def _name_of(thing: Any) -> str:
    name = getattr(thing, "name", None) or getattr(thing, "__name__", None)
    return name if isinstance(name, str) else type(thing).__name__


def _is_array(thing: Any) -> bool:
    return isinstance(thing, np.ndarray | np.generic)


def written(line: Line, names: Names) -> str:
    """Return the line of Python that carries out an operation."""
    parts = [names.part(part) for part in (*line.writes, *line.inputs)]
    if line.out is None or line.writes:
        return f"{names.function(line.function, line.name)}({', '.join(parts)})"
    out = names.of(line.out)
    if can_write(line):
        if (found := ufunc_of(line)) is not None:
            ufunc, inputs = found
            inputs = ", ".join(map(names.part, inputs))
            return f"{names.function(ufunc, line.name)}({inputs}, out={out})"
        if line.row in REDUCTIONS:
            more = ", keepdims=True" if line.inputs[2] else ""
            reduce = REDUCTIONS[line.row]
            more += f", count={line.inputs[0].size // line.out.size}" if reduce is mean else ""
            name = names.function(reduce, line.name)
            return f"{name}({parts[0]}, axis={parts[1]}{more}, out={out})"
        return f'np.copyto({out}, {parts[0]}, casting="unsafe")'
    if line.row == "transpose" and line.inputs[1] in (None, (1, 0)) and len(line.out.shape) == 2:
        return f"{out} = {parts[0]}.T"
    if line.row == "reshape":
        return f"{out} = {parts[0]}.reshape({parts[1]})"
    if line.row in ("transpose", "broadcast_to"):
        axes = [p for p in parts if p != "None"]
        return f"{out} = np.{line.name}({', '.join(axes)})"
    if line.op is not None and line.op.variadic:
        cut = len(parts) - len(line.op.parameters)
        named = zip(line.op.parameters, parts[cut:], strict=True)
        parts[cut:] = [f"{name}={part}" for name, part in named]
        return f"{out} = {names.function(line.op.function, line.name)}({', '.join(parts)})"
    return f"{out} = {names.function(line.function, line.name)}({', '.join(parts)})"


# -------------------------------------------------------------------------------- what it costs


def flops(line: Line) -> int:
    """Return the floating-point operations of a line: one per number and step of a formula.

    A product of (m, k) and (k, n) takes 2 m k n; a view takes none; for all else one operation
    for each number that goes in or comes out is counted, whichever are more.
    """
    if line.flop is not None:
        return line.flop
    if line.row in VIEWS:
        return 0
    sizes = [math.prod(slot.shape) for slot in slots_in(line.inputs)]
    if line.function is descend_by_product:
        return 2 * sizes[0] * line.inputs[1].shape[-1]
    if line.out is None:
        return sizes[0]  # a check looks at each number once
    result = math.prod(line.out.shape)
    if line.row == "matmul":
        return 2 * result * line.inputs[0].shape[-1]
    if line.row.startswith("conv") or line.function in (conv_with_bias, write_to_image):
        return _flops_of_windows(line)
    return max([result, *sizes])


def _flops_of_windows(line: Line) -> int:
    """Return the operations of a convolution, or a way back: its weights at every place."""
    a, b, *_ = line.inputs
    places, weights = {
        "conv_to_image": (a, b),
        "conv_to_kernel": (b, line.out),
    }.get(line.name, (line.out, b))
    return 2 * math.prod(places.shape) * math.prod(weights.shape[:-1])


def traffic(line: Line) -> int:
    """Return the bytes a line reads and writes; a view moves none, an update reads and writes w."""
    if line.row in VIEWS:
        return 0
    slots = {id(slot): slot for slot in slots_in((line.inputs, line.outs))}
    if line.out is not None:
        return sum(slot.nbytes for slot in slots.values())
    first = next((slot.nbytes for slot in slots_in(line.inputs)), 0)
    if not line.name.startswith("descend"):
        return first  # a check looks at nothing else
    return first + sum(slot.nbytes for slot in slots.values())


def quantity(number: float, unit: str) -> str:
    """Write a number with three digits.

    >>> quantity(15052800, "flop"), quantity(940, "B")
    ('15.1 Mflop', '940 B')
    """
    for prefix in ("", "k", "M", "G"):
        if number < 1000 or prefix == "G":
            return f"{number:.3g} {prefix}{unit}"
        number /= 1000
    raise AssertionError


def listing(head: str, lines: Sequence[Line], texts: Sequence[str], tail: str) -> str:
    """Return the whole program as text, with shape, flops and bytes beside each line."""
    rows = [(head, "")]
    for line, text in zip(lines, texts, strict=True):
        shape = "" if line.out is None else str(line.out.shape)
        costs = [quantity(flops(line), "flop"), quantity(traffic(line), "B")] if flops(line) else []
        rows.append((f"    {text}", "  ".join([shape, *costs])))
    rows.append((f"    {tail}", ""))
    width = min(max(len(line) for text, _ in rows for line in text.split("\n")), 60)
    return "\n".join(f"{text:{width}}  # {note}" if note else text for text, note in rows)
