"""What a cell did to the variables: which are new, which changed, and each of them in a few words.

A name counts as changed if it is bound to something else, or if an array, a gradient, a list or
an object behind it holds other numbers than before.
"""

from __future__ import annotations

import inspect
import reprlib
import zlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import FunctionType, ModuleType
from typing import Any

import numpy as np

MANY = 10_000  # objects looked at for one variable
DEEP = 50  # levels below one variable: a chapter's own linked nodes go no deeper into the stack
FEW = 6  # numbers of an array shown one by one


class _Short(reprlib.Repr):
    """The short repr of the standard library, with dictionaries in their own order."""

    def repr_dict(self, x: dict[Any, Any], level: int) -> str:
        if level <= 0 and x:
            return "{...}"
        items = list(x.items())[: self.maxdict]
        parts = [
            f"{self.repr1(key, level - 1)}: {self.repr1(value, level - 1)}" for key, value in items
        ]
        return "{" + ", ".join([*parts, *["..."] * (len(items) < len(x))]) + "}"


_repr = _Short()
_repr.maxlist = _repr.maxtuple = _repr.maxset = _repr.maxdict = FEW
_repr.maxstring = _repr.maxother = 60


@dataclass(frozen=True)
class Variable:
    """A row of the table of variables."""

    name: str
    type: str
    value: str
    is_new: bool = True


def own_names(namespace: Mapping[str, Any], imported: Iterable[str] = ()) -> list[str]:
    """The names that the chapter itself has bound: no modules, no imports, no `_private` ones."""
    hidden = set(imported)
    return [
        name
        for name, value in namespace.items()
        if not name.startswith("_") and name not in hidden and not isinstance(value, ModuleType)
    ]


def marks(namespace: Mapping[str, Any]) -> dict[str, Any]:
    """A mark for each variable, which differs after the variable has changed."""
    return {name: _mark(namespace[name], set(), DEEP) for name in own_names(namespace)}


def changes(
    before: Mapping[str, Any], namespace: Mapping[str, Any], imported: Iterable[str] = ()
) -> list[Variable]:
    """The variables that are new or changed since `before = marks(namespace)`.

    >>> space = {"w": np.array([1.0, 2.0]), "b": 3.0}
    >>> before = marks(space)
    >>> space["w"] *= 2
    >>> space["loss"] = 0.5
    >>> for row in changes(before, space):
    ...     print(row.name, row.type, row.value, "new" if row.is_new else "changed")
    w float64 (2,) [2 4] changed
    loss float 0.5 new
    """
    now = marks(namespace)
    return [
        Variable(name, *describe(namespace[name]), is_new=name not in before)
        for name in own_names(namespace, imported)
        if name not in before or before[name] != now[name]
    ]


def _mark(value: Any, seen: set[int], depth: int) -> Any:
    if isinstance(value, (bool, int, float, complex, str, bytes, type(None))):
        return type(value).__name__, repr(value)
    if isinstance(value, np.generic):
        return value.dtype.str, value.tobytes()
    identity = id(value)
    if depth == 0 or identity in seen or len(seen) > MANY:
        return identity
    seen.add(identity)
    if isinstance(value, np.ndarray):
        return identity, _array_mark(value)
    return identity, [_mark(part, seen, depth - 1) for part in _parts(value)]


def _array_mark(array: np.ndarray) -> Any:
    if array.dtype.hasobject:
        return array.shape
    return array.shape, array.dtype.str, zlib.crc32(np.ascontiguousarray(array).view(np.uint8).data)


def _parts(value: Any) -> list[Any]:
    """What else must be looked at to see whether this object has changed."""
    if isinstance(value, dict):
        return [*value.keys(), *value.values()]
    if isinstance(value, (list, tuple, set, frozenset)):
        return list(value)
    if _is_node(value):
        return [value.data, value.grad]
    # Objects of other libraries fill caches when merely looked at; that is no change.
    home = type(value).__module__.partition(".")[0]
    if home in ("__main__", "gradlab") and not isinstance(value, type):
        return list(getattr(value, "__dict__", {}).values())
    return []


def _is_node(value: Any) -> bool:
    """Whether this is a Value or a Tensor, or quacks like one."""
    return not isinstance(value, type) and hasattr(value, "data") and hasattr(value, "grad")


def describe(value: Any) -> tuple[str, str]:
    """The type of a value and its content, each short enough for a column of a table.

    >>> describe(np.linspace(-5, 5, 1001))
    ('float64 (1001,)', 'from -5 to 5')
    >>> describe([1, 2, 3])
    ('list of 3', '[1, 2, 3]')
    """
    try:
        return _describe(value)
    except Exception as error:  # a broken __repr__ of the student's class must not stop the stepper
        return type(value).__name__, f"({type(error).__name__} while showing it)"


def _describe(value: Any) -> tuple[str, str]:
    kind = type(value).__name__
    if isinstance(value, FunctionType):
        return "def", f"{value.__name__}{inspect.signature(value)}"
    if isinstance(value, type):
        bases = ", ".join(base.__name__ for base in value.__bases__ if base is not object)
        return "class", f"{value.__name__}({bases})" if bases else value.__name__
    if isinstance(value, np.ndarray):
        return f"{value.dtype} {value.shape}", _numbers(value)
    if isinstance(value, np.generic):
        return kind, str(value)
    if _is_node(value):
        shape = f" {value.data.shape}" if isinstance(value.data, np.ndarray) else ""
        slope = "" if value.grad is None else f", grad {_numbers(value.grad)}"
        return kind + shape, _numbers(value.data) + slope
    if isinstance(value, (list, tuple, set, frozenset, dict)):
        return f"{kind} of {len(value)}", _line(_repr.repr(value))
    shape = getattr(value, "shape", None)
    kind = f"{kind} {shape}" if isinstance(shape, tuple) else kind
    return kind, _line(_repr.repr(value))


def _numbers(array: Any) -> str:
    """All numbers of a small array, and the smallest and the largest of any other."""
    array = np.asarray(array)
    if array.size <= FEW or array.dtype.kind not in "iuf":
        with np.printoptions(precision=4, suppress=True, threshold=FEW, formatter=_plain(array)):
            return _line(str(array))
    if array.dtype.kind == "f" and np.isnan(array).any():
        return f"{np.isnan(array).sum():,} of {array.size:,} are nan"
    return f"from {array.min():.4g} to {array.max():.4g}"


def _plain(array: np.ndarray) -> Any:
    return {"float_kind": "{:.4g}".format} if array.dtype.kind == "f" and array.ndim else None


def _line(text: str) -> str:
    return " ".join(text.split())
