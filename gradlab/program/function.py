"""Functions as programs: recorded at the first call, run as a list of kernel calls at the others.

Arrays of other shapes or types get a program of their own.
"""

from __future__ import annotations

import functools
import inspect
import warnings
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from gradlab.program.lines import Slot, mapped
from gradlab.program.run import Program, fingerprint
from gradlab.program.seal import Escape
from gradlab.program.trace import Refused, Trace, current, recording, slot_of
from gradlab.tensor import Tensor

ARRAYS = np.ndarray | np.generic | Tensor
ONLY_ARRAYS = {np.ndarray}
PROGRAMS_KEPT = 16  # per function; data with ever new shapes would fill the memory


class NotRecorded(UserWarning):
    """A step could not be made a program; the tape computes it, with the same numbers."""


class Function:
    """What ``gradlab.program(f)`` returns.

    Attributes:
        programs: one for each combination of shapes and types so far.
        reason: why f cannot be recorded; None if it can, or was not called yet.
    """

    def __init__(self, f: Callable[..., Any], kernels: bool = False) -> None:
        self.f, self.kernels = f, kernels
        self.programs: dict[Any, Program] = {}
        self.reason: str | None = None
        functools.update_wrapper(self, f)

    def __call__(self, *args: Any) -> Any:
        """Return f of the arguments, as plain arrays."""
        if {*map(type, args)} == ONLY_ARRAYS:  # as _key would do it, in half the time
            arrays, key = args, tuple([(a.shape, a.dtype) for a in args])
        else:
            key = _key(args, arrays := [])
        program = self.programs.get(key)
        if program is None and self.reason is None:
            program = self._record(args, key)
        return _as_plain(self.f(*args)) if program is None else program(*arrays)

    def _record(self, args: Any, key: Any) -> Program | None:
        try:
            recorded = record(self.f, args)
        except Refused:
            return None  # the tape tells what is wrong
        except (Exception, Escape) as error:
            self.reason = reason(error)
            notice(getattr(self.f, "__name__", "f"), self.reason)
            return None
        while len(self.programs) >= PROGRAMS_KEPT:
            del self.programs[next(iter(self.programs))]
        program = Program(*recorded, name=_name(self.f), compiled=self.kernels, fresh=True)
        self.programs[key] = program
        return program

    def draw(self) -> Any:
        """Draw the program that was recorded last."""
        return list(self.programs.values())[-1].draw()

    def __str__(self) -> str:
        return "\n\n".join(map(str, self.programs.values())) or repr(self)

    def __repr__(self) -> str:
        return f"<{_name(self.f)} as {len(self.programs)} programs>"


def record(
    f: Callable[..., Any], args: Any, trained: Sequence[Tensor] = (), fixed: Sequence[Tensor] = ()
) -> tuple[Trace, list[Slot], Any]:
    """Return a recording of ``f(*args)``, the slots of the arrays in args, and those of the result.

    Raises:
        Escape: f looks at numbers, or does not do the same twice.
        Refused: it has no result for these arguments.
    """
    told: list[Any] = []
    names = _argument_names(f, len(args))
    for _ in range(2):
        with recording(trained, fixed) as trace:
            inputs: list[Slot] = []

            def as_input(a: Any, name: str, inputs: list[Slot] = inputs) -> Any:
                if not isinstance(a, ARRAYS):
                    return a
                node = current().leaf(_plain(a), name)
                inputs.append(node.slot)
                return node

            result = f(*[_placed(as_input, *pair) for pair in zip(args, names, strict=True)])
            outputs = mapped(slot_of, mapped(trace.lifted, result))
            del result  # the arrays of the example are not needed any more
        told.append(fingerprint(trace, outputs))
    if told[0] != told[1]:
        raise Escape("it does not do the same twice: it draws random numbers, or counts")
    return trace, inputs, outputs


def notice(name: str, why: str) -> None:
    """Warn that something runs on the tape."""
    warnings.warn(
        f"{name} is not made a program: {why}\n"
        "expected the same operations for all numbers\n"
        "the tape computes it, operation by operation, with the same results",
        NotRecorded,
        stacklevel=4,
    )


def reason(error: BaseException) -> str:
    """Return why a recording came to an end, in one line."""
    if isinstance(error, Escape):
        return str(error)
    return f"it uses something that cannot be written down ({str(error).splitlines()[0]})"


def _name(f: Any) -> str:
    name = getattr(f, "__name__", "f")
    return name if name.isidentifier() else "f"


def _argument_names(f: Any, count: int) -> list[str]:
    try:
        names = list(inspect.signature(f).parameters)
    except (TypeError, ValueError):  # written in C
        names = []
    return [*names, *(f"a{place}" for place in range(len(names), count))][:count]


def _placed(function: Callable[[Any, str], Any], part: Any, name: str) -> Any:
    """Apply a function to the leaves of a structure and their names: ``W1`` for ``p["W1"]``."""
    if isinstance(part, dict):
        return {key: _placed(function, value, str(key)) for key, value in part.items()}
    if isinstance(part, list | tuple):
        new = [_placed(function, value, f"{name}{place}") for place, value in enumerate(part)]
        return type(part)(*new) if hasattr(part, "_fields") else type(part)(new)
    return function(part, name)


def _plain(a: Any) -> np.ndarray:
    return np.asarray(a.data if isinstance(a, Tensor) else a)


def _key(part: Any, arrays: list[np.ndarray]) -> Any:
    """Return the shapes and types of the arrays, and everything else as it is; collect the arrays.

    >>> found = []
    >>> _key((np.zeros(2), {"a": 3.0}), found), len(found)
    ((((2,), dtype('float64')), (('a', (<class 'float'>, 3.0)),)), 1)
    """
    kind = type(part)
    if kind is np.ndarray:
        arrays.append(part)
        return part.shape, part.dtype
    if kind is list or kind is tuple:
        return tuple([_key(each, arrays) for each in part])
    if isinstance(part, ARRAYS):
        return _key(_plain(part), arrays)
    if isinstance(part, dict):
        return tuple([(k, _key(v, arrays)) for k, v in part.items()])
    if isinstance(part, list | tuple):
        return kind, tuple([_key(each, arrays) for each in part])
    return kind, part if part.__hash__ else id(part)


def _as_plain(tree: Any) -> Any:
    return mapped(lambda y: y.data if isinstance(y, Tensor) else y, tree)
