"""Recording a step: every operation is carried out on an example, and written down as a line.

The backward pass needs no rules of its own here: the sweep of `gradlab.tape` runs on the recording
nodes, so that it is written down as well.
"""

from __future__ import annotations

import contextlib
import functools
import threading
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from gradlab import tape
from gradlab.ops import shaping
from gradlab.program.lines import Line, Slot, arrays_in, mapped
from gradlab.program.seal import Escape, sealed
from gradlab.tensor import Tensor


class Refused(BaseException):
    """The example has no result: a wrong label, shapes that do not fit. The tape will tell."""


# ---------------------------------------------------------------------------- the recording


class Trace:
    """The lines recorded so far, and what was looked up on the way.

    Attributes:
        lines: in order.
        generators: every random generator that was drawn from, with its state before.
        assumed: variables that are not trained and were looked at, with a copy of their numbers.
    """

    def __init__(self) -> None:
        self.lines: list[Line] = []
        self.generators: dict[int, tuple[Any, Any]] = {}
        self.assumed: dict[int, tuple[Tensor, np.ndarray]] = {}
        self._leaves: dict[int, Traced] = {}
        self._begun = tape.next_serial()

    def leaf(self, array: Any, name: str = "", source: Any = "input") -> Traced:
        """Return a node for an array that comes from outside."""
        array = np.asarray(array)
        return Traced(array, Slot(array.shape, array.dtype, name, source))

    def lifted(self, x: Any) -> Any:
        """Return the node for a Tensor from outside, always the same one; others as they are."""
        if not isinstance(x, Tensor) or type(x) is Traced:
            if isinstance(x, Traced) and x.trace is not self:
                raise Escape("it keeps an array of an earlier step")
            return x
        if x.serial > self._begun:  # its numbers may be others in the next run
            raise Escape("it makes a Tensor of something else than its arguments: pass that to it")
        if x.serial not in self._leaves:
            node = self.leaf(tape.Node.data.__get__(x), getattr(x, "path", x.name) or "", x)  # type: ignore[attr-defined]
            node.serial = x.serial  # the sweep hands its gradient to this number
            self._leaves[x.serial] = node
        return self._leaves[x.serial]

    def slot_of_leaf(self, tensor: Tensor) -> Slot:
        """Return the slot of a Tensor from outside that took part."""
        return self._leaves[tensor.serial].slot

    def record(
        self,
        name: str,
        function: Any,
        inputs: tuple[Any, ...],
        op: Any = None,
        effect: bool = False,
    ) -> Any:
        """Carry out an operation, write it down, and return the node for its result."""
        inputs = mapped(self.lifted, inputs)
        if effect:
            self._remember_generators(inputs)
        given = mapped(_value, inputs)
        try:
            y = function(*given)
        except Exception as error:
            raise Refused(str(error)) from error
        line = Line(name, function, mapped(slot_of, inputs), None, effect or y is None, op)
        self.lines.append(line)
        if y is None:
            return None
        node = Traced(np.asarray(y), None)
        line.out, line.shares = node.slot, any(np.may_share_memory(y, a) for a in arrays_in(given))
        if op is not None and tape.is_recording():  # as on the tape: not in no_grad()
            node.op, node.inputs = op, inputs
        return node

    def _remember_generators(self, inputs: tuple[Any, ...]) -> None:
        for x in inputs:  # a generator, or a layer that draws from one
            x = getattr(x, "generator", x)
            if isinstance(x, np.random.Generator):
                self.generators.setdefault(id(x), (x, x.bit_generator.state))


def _value(x: Any) -> Any:
    return x.value if type(x) is Traced else x


def slot_of(x: Any) -> Any:
    """Return the slot of a node; anything else as it is."""
    return x.slot if type(x) is Traced else x


class _Active(threading.local):
    trace: Trace | None = None


_active = _Active()


def is_recording() -> bool:
    """Tell whether a step is being recorded: the example is no step, and may leave nothing behind.

    What a layer counts or keeps from batch to batch (moving averages, states) asks this first.
    """
    return _active.trace is not None


def current() -> Trace:
    """Return the recording that is going on."""
    if _active.trace is None:
        raise RuntimeError(
            "an array that was kept while a program was recorded: it has no numbers\n"
            "expected arrays of the present call\nwrite return y, to get y out of the function"
        )
    return _active.trace


class Traced(Tensor):
    """The recording engine: a Tensor whose numbers are under seal, and whose operations are lines.

    Whole numbers and truth values may be recorded too: labels, masks, comparisons.
    """

    __slots__ = ("slot", "trace", "value")
    takes_over = True

    def __init__(self, value: np.ndarray, slot: Slot | None) -> None:
        self.value = value
        if slot is None:
            slot = Slot(value.shape, value.dtype, order="F" if value.flags.fnc else "C")
        self.slot, self.trace = slot, current()
        self.grad = self.op = self.group = None
        self.name, self.inputs = self.slot.name, ()
        self.serial = tape.next_serial()

    @classmethod
    def apply(cls, op: Any, inputs: tuple[Any, ...]) -> Any:
        """Compute ``op`` on the example and write it down."""
        return current().record(op.name, op.array, inputs, op)

    @classmethod
    def compute(cls, function: Any, inputs: tuple[Any, ...], effect: bool) -> Any:
        """Compute a function that has no slope and write it down."""
        return current().record(function.__name__, function, inputs, effect=effect)

    @property
    def data(self) -> np.ndarray:  # type: ignore[override]
        """An array of this shape without numbers."""
        return sealed(self.value.shape)

    @property
    def shape(self) -> tuple[int, ...]:
        """The size of each axis."""
        return self.value.shape

    @property
    def dtype(self) -> Any:
        """The type of the numbers."""
        return self.value.dtype

    def __getitem__(self, key: Any) -> Any:
        return shaping.index(self, key)

    def __lt__(self, other: Any) -> Any:
        return current().record("less", np.less, (self, other))

    def __le__(self, other: Any) -> Any:
        return current().record("less_equal", np.less_equal, (self, other))

    def __gt__(self, other: Any) -> Any:
        return current().record("greater", np.greater, (self, other))

    def __ge__(self, other: Any) -> Any:
        return current().record("greater_equal", np.greater_equal, (self, other))

    def __eq__(self, other: object) -> Any:
        return current().record("equal", np.equal, (self, other))

    def __ne__(self, other: object) -> Any:
        return current().record("not_equal", np.not_equal, (self, other))

    def __and__(self, other: Any) -> Any:
        return current().record("logical_and", np.logical_and, (self, other))

    def __or__(self, other: Any) -> Any:
        return current().record("logical_or", np.logical_or, (self, other))

    __rand__, __ror__ = __and__, __or__
    __hash__ = object.__hash__

    def __repr__(self) -> str:
        return f"<recorded array of shape {self.shape}>"


# ---------------------------------------------------- variables while a step is being recorded


@functools.cache
def _recording_class(kind: type, trained: bool) -> Any:
    """Return ``kind`` as it is while recording: its operations are lines, its numbers guarded."""

    def guarded(self: Any) -> np.ndarray:
        array = tape.Node.data.__get__(self)  # type: ignore[attr-defined]
        if trained:
            return sealed(array.shape)
        current().assumed[self.serial] = (self, array.copy())
        view = array.view()
        view.flags.writeable = False
        return view

    def real(self: Any) -> np.ndarray:
        return tape.Node.data.__get__(self)  # type: ignore[attr-defined]

    members = {
        "__slots__": (),
        "takes_over": True,
        "apply": Traced.apply,
        "compute": Traced.compute,
        "data": property(guarded),
        "shape": property(lambda self: real(self).shape),
        "dtype": property(lambda self: real(self).dtype),
    }
    signs = ("lt", "le", "gt", "ge", "eq", "ne", "and", "rand", "or", "ror", "getitem")
    members |= {f"__{sign}__": getattr(Traced, f"__{sign}__") for sign in signs}
    members["__hash__"] = object.__hash__
    return type(kind.__name__, (kind,), members)


@contextlib.contextmanager
def recording(trained: Sequence[Tensor] = (), fixed: Sequence[Tensor] = ()) -> Iterator[Trace]:
    """Record what is computed in the ``with`` block.

    Args:
        trained: Tensors that change from run to run; their numbers may not be looked at.
        fixed: those that hardly ever change: looking at them is noted in ``assumed``.
    """
    before, _active.trace = _active.trace, Trace()
    guards = [(t, True) for t in trained] + [(t, False) for t in fixed]
    kinds = [type(t) for t, _ in guards]
    try:
        for t, is_trained in guards:
            t.__class__ = _recording_class(type(t), is_trained)
        with tape.recording(True):  # what is recorded may be run anywhere
            yield _active.trace
    finally:
        for (t, _), kind in zip(guards, kinds, strict=True):
            t.__class__ = kind
        for generator, state in _active.trace.generators.values():
            generator.bit_generator.state = state
        _active.trace = before
