"""Chains of elementwise primitives as one loop: each number is read once and written once.

NumPy computes ``g * y * (1 - y)`` in three passes and two arrays that nobody wants; memory, not
arithmetic, sets its speed. Here the rules of the table become the body of a single loop, in which
the numbers between the steps stay in registers.
"""

from __future__ import annotations

import functools
import keyword
import operator
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from gradlab.errors import ShapeError
from gradlab.kernels import generated, threads
from gradlab.kernels.lift import lift
from gradlab.kernels.scalars import Writer

# Steps that are Python's own operators: how they are written.
OPERATORS = {
    operator.add: "{} + {}",
    operator.sub: "{} - {}",
    operator.mul: "{} * {}",
    operator.truediv: "{} / {}",
    operator.neg: "-{}",
    operator.pos: "{}",
    operator.gt: "{} > {}",
    operator.ge: "{} >= {}",
    operator.lt: "{} < {}",
    operator.le: "{} <= {}",
    operator.eq: "{} == {}",
    operator.ne: "{} != {}",
    operator.and_: "{} & {}",
    operator.or_: "{} | {}",
    operator.invert: "not {}",
}
# Names that the text of a loop uses itself.
RESERVED = {"abs", "c", "inlined", "kept", "loop", "math", "np", "r", "range", "real", "whole"}
Operand = str | float | bool
Step = tuple[str, Any, Sequence[Operand]]


class Fused:
    """A list of elementwise steps, to be run as one loop over arrays.

    Args:
        steps: triples (result, operation, operands). Names are strings, constants are numbers; a
            name that no earlier step has made is an input. An operation is an elementwise
            primitive, a slope rule, one of the `operator` module, or any function that consists of
            assignments and a return.
        outputs: the results that are wanted.
        sums: results whose column sums are wanted, as a bias's gradient is; rows are added up from
            the first to the last, as `numpy.sum` does.

    Memory is walked once, front to back, in rows: an input may have the outputs' shape, or be one
    row or one column repeated, or a single number. float32 and float64; an input of another type is
    converted number by number.

    The slope of the sigmoid, times the gradient that comes in:

    >>> from gradlab.ops.activations import sigmoid_slope
    >>> steps = [("s", sigmoid_slope, ["y"]), ("dx", operator.mul, ["g", "s"])]
    >>> fused = Fused(steps, ["dx"])
    >>> fused.inputs
    ('y', 'g')
    >>> y, g, dx = np.array([0.5, 0.25]), np.array([1.0, 2.0]), np.empty(2)
    >>> fused({"y": y, "g": g}, {"dx": dx})
    >>> dx
    array([0.25 , 0.375])
    """

    def __init__(
        self, steps: Sequence[Step], outputs: Sequence[str], sums: Sequence[str] = ()
    ) -> None:
        self.steps, self.outputs, self.sums = list(steps), tuple(outputs), tuple(sums)
        made: set[str] = set()
        wanted: dict[str, None] = {}
        for result, _, operands in self.steps:
            wanted.update({o: None for o in operands if isinstance(o, str) and o not in made})
            made.add(result)
        self.inputs, self.names = tuple(wanted), {*wanted, *made}
        for name in self.names:
            _check_name(name)
        self._loops: dict[Any, Any] = {}

    def __call__(
        self,
        arrays: Mapping[str, Any],
        outs: Mapping[str, np.ndarray],
        sums: Mapping[str, np.ndarray] | None = None,
    ) -> None:
        """Run once; see `bind`."""
        self.bind(arrays, outs, sums)()

    def bind(
        self,
        arrays: Mapping[str, Any],
        outs: Mapping[str, np.ndarray],
        sums: Mapping[str, np.ndarray] | None = None,
    ) -> Callable[[], None]:
        """Return a call that runs the steps on these arrays each time, and nothing else.

        Args:
            arrays: the inputs by name: arrays that broadcast to the outputs' shape, or numbers.
            outs: an array for each output, all of one shape and type; changed in place. One may be
                an input, not merely overlap with it.
            sums: an array for each of the column sums, of the size of a row.

        Raises:
            ShapeError: an input does not broadcast to the outputs' shape.
        """
        first = outs[self.outputs[0]]
        whole = {name: _checked(name, arrays[name], first.shape) for name in self.inputs}
        runs_compiled = generated.available() and all(_rowwise(o) for o in outs.values())
        if not runs_compiled or first.dtype.name not in ("float32", "float64"):
            return functools.partial(self._by_numpy, whole, outs, sums or {})
        table = (first.size,) if first.ndim < 2 or not first.size else (-1, first.shape[-1])
        columns = [outs[name].reshape(table) for name in self.outputs]
        table = columns[0].shape
        totals = [(sums or {})[name].reshape(table[-1]) for name in self.sums]
        arguments, places, copies = [*columns, *totals], [], []
        for name in self.inputs:
            kind, array = _laid_out(whole[name], first.shape, table)
            same = [k for k, o in enumerate(columns) if kind == "all" and _same(array, o)]
            place = PLACES[kind] if len(table) == 2 else PLACES[kind][-1]
            places.append((name, f"out{same[0]}" if same else place, array.dtype == bool))
            if not same:
                arguments.append(array)
            if not np.may_share_memory(array, whole[name]):
                copies.append((array, whole[name], first.shape))
        loop = self.loop(first.dtype, places, "rc"[-len(table) :], first.size)
        if loop is None:
            return functools.partial(self._by_numpy, whole, outs, sums or {})
        run = functools.partial(loop, *arguments)
        return functools.partial(_after_copying, copies, run) if copies else run

    def loop(
        self,
        dtype: Any,
        places: Sequence[tuple[str, str, bool]],
        axes: Sequence[str] = "rc",
        size: int = 0,
    ) -> Any:
        """Return the compiled loop; None for a function whose text cannot be had or used.

        Its arguments are the outputs, the column sums, and the inputs that are not outputs. Threads
        share it if an output has a large size, unless there are sums.
        """
        long = size >= threads.LONG and not self.sums
        key = (dtype, tuple(places), tuple(axes), long)
        if key not in self._loops:
            try:
                found = generated.load(self.source(dtype, places, axes)).loop
            except (OSError, SyntaxError):
                found = None
            if found is not None and long:
                given = [place for _, place, _ in places if not place.startswith("out")]
                cut = [place.split(", ")[0] == axes[0] for place in given]
                found = threads.Shared(found, [True for _ in self.outputs] + cut)
            self._loops[key] = found
        return self._loops[key]

    def source(
        self,
        dtype: Any,
        places: Sequence[tuple[str, str, bool]] | None = None,
        axes: Sequence[str] = "rc",
    ) -> str:
        """Return the text of the loop.

        Args:
            dtype: float32 or float64.
            places: for each input its name, its index ("r, c", or "0, c" for a row that is
                repeated, "" for a single number, "out0" for one that is also the first output),
                and whether it is Boolean.
            axes: the names of the indices of the outputs.
        """
        real, whole = generated.real(dtype), ", ".join(axes)
        writer = Writer(real, RESERVED | {*axes} | self.names | {f"{name}_" for name in self.names})
        body = [f"{result} = {expression(op, given, writer)}" for result, op, given in self.steps]
        places = [(name, whole, False) for name in self.inputs] if places is None else places
        outs = [f"out{k}" for k in range(len(self.outputs))]
        totals = [f"sum{k}" for k in range(len(self.sums))]
        arrays = [f"{name}_" for name, place, _ in places if not place.startswith("out")]
        reads: list[list[str]] = [[] for _ in range(len(axes) + 1)]  # by the loop they stand in
        for name, place, boolean in places:
            depth = max(
                (k for k, axis in enumerate(axes, 1) if axis in place.split(", ")), default=0
            )
            depth = len(axes) if place.startswith("out") else depth
            reads[depth].append(f"{name} = {_read(name, place, boolean, whole)}")
        lines = ["@kept", f"def loop({', '.join(outs + totals + arrays)}):"]
        lines += [f"    {total}[:] = 0" for total in totals]
        for depth, axis in enumerate(axes):
            lines += [f"    {'    ' * depth}{text}" for text in reads[depth]]
            lines += [f"    {'    ' * depth}for {axis} in range({outs[0]}.shape[{depth}]):"]
        inner = [*reads[-1], *body]
        inner += [f"{out}[{whole}] = {n}" for out, n in zip(outs, self.outputs, strict=True)]
        inner += [f"{total}[{axes[-1]}] += {n}" for total, n in zip(totals, self.sums, strict=True)]
        lines += [f"    {'    ' * len(axes)}{text}" for text in inner]
        return writer.module("\n".join(lines))

    @functools.cached_property
    def scalar_calls(self) -> frozenset[str]:
        """Names of functions of the C library in the loop; with one of them, NumPy is faster."""
        writer = Writer("float32")
        for _, op, operands in self.steps:
            expression(op, operands, writer)
        return frozenset(writer.scalar_calls)

    def _by_numpy(
        self,
        arrays: Mapping[str, Any],
        outs: Mapping[str, np.ndarray],
        sums: Mapping[str, np.ndarray],
    ) -> None:
        known: dict[Any, Any] = dict(arrays)
        with np.errstate(all="ignore"):
            for result, op, operands in self.steps:
                given = [known[o] if isinstance(o, str) else o for o in operands]
                known[result] = _on_arrays(op)(*given)
        results = [known[name] for name in self.outputs]
        for name, found in zip(self.outputs, results, strict=True):
            outs[name][...] = found
        for name, total in sums.items():
            whole = np.broadcast_to(known[name], outs[self.outputs[0]].shape)
            total[...] = whole.sum(axis=tuple(range(whole.ndim - 1))).reshape(total.shape)


@functools.cache
def _on_arrays(op: Any) -> Callable[..., Any]:
    if hasattr(op, "array"):
        return op.array
    return op if op in OPERATORS else lift(op)


def expression(op: Any, operands: Sequence[Operand], writer: Writer) -> str:
    """Return the text of one step, with what it needs given to the writer."""
    if _divides(op) and type(operands[1]) is float and 1e-30 < abs(operands[1]) < 1e30:
        op, operands = operator.mul, [operands[0], 1.0 / operands[1]]  # as in `Writer`
    given = [o if isinstance(o, str | bool) else f"real({o!r})" for o in operands]
    if op in OPERATORS:
        return OPERATORS[op].format(*given)
    return f"{writer.need(op)}({', '.join(map(str, given))})"


def _divides(op: Any) -> bool:
    return op is operator.truediv or np.divide in getattr(op, "numpy", ())


# Where the number stands that belongs to row r and column c, by how an input lies in memory.
PLACES = {"all": "r, c", "row": "0, c", "column": "r, 0", "one": "0, 0"}


def _read(name: str, place: str, boolean: bool, whole: str) -> str:
    if place.startswith("out"):
        return f"{place}[{whole}]"
    found = f"{name}_[{place}]" if place else f"{name}_"
    return found if boolean else f"real({found})"


def _check_name(name: str) -> None:
    """Refuse what cannot be a variable in the text of a loop."""
    own = name in RESERVED or name.startswith(("out", "sum")) or name.endswith("_")
    if own or not name.isidentifier() or keyword.iskeyword(name):
        raise ValueError(
            f"a fused loop: a number called {name!r}\n"
            f"expected a Python name, not {', '.join(sorted(RESERVED))}, out..., sum... or ..._\n"
            "write v0, v1, ..."
        )


def _checked(name: str, given: Any, shape: tuple[int, ...]) -> np.ndarray:
    array = np.asarray(given)
    try:
        fits = np.broadcast_shapes(array.shape, shape) == shape
    except ValueError:
        fits = False
    if not fits:
        raise ShapeError(
            f"a fused loop: {name} has shape {array.shape}, the output {shape}\n"
            f"expected a shape that broadcasts to {shape}\nwrite {name}.reshape(...)"
        )
    return array


def _rowwise(array: np.ndarray) -> bool:
    return bool(array.flags.c_contiguous)


def _same(array: np.ndarray, out: np.ndarray) -> bool:
    return array.ctypes.data == out.ctypes.data and array.dtype == out.dtype


def _after_copying(
    copies: Sequence[tuple[np.ndarray, np.ndarray, tuple[int, ...]]], run: Callable[[], None]
) -> None:
    """Bring inputs that lie in memory in another order into that of the loop, then run it."""
    for array, given, shape in copies:
        np.copyto(array.reshape(given.shape if array.size == given.size else shape), given)
    run()


def _laid_out(
    array: np.ndarray, shape: tuple[int, ...], table: tuple[int, ...]
) -> tuple[str, np.ndarray]:
    """Return how an input lies under the table of all numbers, and a view of it with its axes."""
    rows, columns = (1, *table)[-2:]
    if array.size == 1:
        return "one", array.reshape((1,) * len(table))
    if array.shape == shape and array.flags.c_contiguous:
        return "all", array.reshape(table)
    lead = (1,) * (len(shape) - array.ndim) + array.shape
    if lead[-1:] == shape[-1:] and array.size == columns:
        return "row", np.ascontiguousarray(array).reshape((1, columns)[-len(table) :])
    if lead[:-1] == shape[:-1] and lead[-1] == 1 and len(shape) > 1:
        return "column", np.ascontiguousarray(array).reshape(rows, 1)
    return "all", np.ascontiguousarray(np.broadcast_to(array, shape)).reshape(table)


@functools.cache
def value_of(op: Any) -> Fused:
    """Return the loop for the value of an elementwise primitive: inputs by name, output "y".

    >>> from gradlab.ops.activations import relu
    >>> y = np.empty(2)
    >>> value_of(relu)({"x": np.array([-1.0, 2.0])}, {"y": y}), y
    (None, array([0., 2.]))
    """
    return Fused([("y", op, op.input_names)], ["y"])


@functools.cache
def slope_of(op: Any, argument: str) -> Fused:
    """Return the loop for g times the slope: inputs by name, with "y" and "g", output "flow".

    >>> from gradlab.ops.arithmetic import square
    >>> flow = np.empty(1)
    >>> slope_of(square, "x")({"x": np.array([3.0]), "g": np.array([0.5])}, {"flow": flow}), flow
    (None, array([3.]))
    """
    if op.flat:
        return Fused([("flow", operator.mul, ["g", 0.0])], ["flow"])
    rule = op.rules[argument]
    steps = [("slope", rule.function, rule.wanted), ("flow", operator.mul, ["g", "slope"])]
    return Fused(steps, ["flow"])
