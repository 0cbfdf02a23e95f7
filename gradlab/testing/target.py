"""What `gradlab check` is to check: an object of a file, as a function with a backward pass.

A name in a file may stand for a layer, a function beside its backward, or one written for gradlab.
"""

from __future__ import annotations

import difflib
import functools
import inspect
import operator
import re
import sys
import traceback
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

from gradlab.entry import REGISTRY, Entry
from gradlab.testing.adapters import Pair, as_vjp, input_names
from gradlab.testing.frameworks import torch_function, torch_module

BACKWARD = ("{}_backward", "{}_vjp", "{}_grad")
FAN_OUT = re.compile(r"out|unit|hidden|neuron|filters")
FAN_IN = re.compile(r"(^|_)in(puts?|_|$)|input|prev|dim|size|feature|fan|channel|^n$|^d$", re.I)


class TargetError(LookupError):
    """There is nothing to check under this name; the message says what to write instead."""


@dataclass(frozen=True)
class Target:
    """A function and its backward pass; without one, the function is written for gradlab.

    Attributes:
        kind: what it is, in words for the report.
        parameters: weights, the last arguments of f.
        unchecked: arrays of a layer beside which no gradient was found.
        setup: code that brings f, by its name, and vjp into scope.
    """

    kind: str
    f: Callable[..., Any]
    vjp: Callable[..., Any] | None = None
    names: tuple[str, ...] = ("x",)
    parameters: tuple[np.ndarray, ...] = ()
    unchecked: tuple[str, ...] = ()
    setup: str = ""


def find_target(text: str) -> Target:
    """Return what `student.py:MyDense`, or the name of a primitive, stands for.

    >>> find_target("softplus").kind
    'a primitive of gradlab'

    Raises:
        TargetError: no such file or name, a file that does not run, an object without a gradient.
    """
    path, colon, name = text.rpartition(":")
    if not colon or name.endswith(".py"):  # a colon may belong to C:\student.py
        path, name = (text, "") if text.endswith(".py") else ("", text)
    if path:
        return _in_file(Path(path), name)
    if name in REGISTRY:
        return _of_entry(REGISTRY[name], "a primitive of gradlab", f"gradlab.{name}")
    raise TargetError(
        f"{text!r} is neither NAME of a file nor a primitive of gradlab{_near(name, REGISTRY)}\n"
        "  expected a file and a name in it, or a primitive\n"
        "  write gradlab check student.py:MyDense"
    )


def _near(name: str, known: Iterable[str]) -> str:
    near = difflib.get_close_matches(name, list(known), 3, 0.5)
    return f"; closest: {', '.join(near)}" if near else ""


def _in_file(path: Path, name: str) -> Target:
    if not path.is_file():
        folder = path.parent if path.parent.is_dir() else Path()
        near = _near(path.name, (p.name for p in folder.glob("*.py")))
        raise TargetError(
            f"there is no file {path}{near}\n"
            f"  looked in {folder.resolve()}\n  write the path of a Python file"
        )
    module = _run_file(path)
    if name in vars(module):
        return _of_object(getattr(module, name), name, module)
    known = [n for n, held in vars(module).items() if _is_checkable(n, held, module)]
    best = difflib.get_close_matches(name, known, 1, 0.5) or known or ["NAME"]
    raise TargetError(
        (f"{path} has nothing called {name!r}{_near(name, known)}\n" if name else "which name?\n")
        + f"  {path} has {', '.join(known[:8]) or 'nothing that could be checked'}\n"
        f"  write gradlab check {path}:{best[0]}"
    )


def _is_checkable(name: str, held: Any, module: ModuleType) -> bool:
    if name.startswith("_") or isinstance(held, ModuleType):
        return False
    own = getattr(held, "__module__", None) == module.__name__
    return own and (callable(held) or hasattr(held, "backward"))


def _run_file(path: Path) -> ModuleType:
    module = ModuleType(path.stem)
    module.__file__ = str(path.resolve())
    held = sys.modules.get(path.stem)
    if held is None or getattr(held, "__file__", None) == module.__file__:
        sys.modules[path.stem] = module  # dataclasses look for the module they stand in
    folder = str(path.resolve().parent)
    sys.path.insert(0, folder)  # so that it may import its neighbours
    try:
        exec(compile(path.read_bytes(), str(path), "exec"), vars(module))
    except (Exception, SystemExit) as error:
        raise TargetError(_why(path, error)) from error
    finally:
        sys.path.remove(folder)
    return module


def _why(path: Path, error: BaseException) -> str:
    trace = traceback.extract_tb(error.__traceback__)
    lines = [frame.lineno for frame in trace if frame.filename == str(path)]
    line = error.lineno if isinstance(error, SyntaxError) else lines[-1] if lines else None
    where = f", line {line}" if line else ""
    return (
        f"{path}{where}: {type(error).__name__}: {_line(error)}\n"
        "  expected a file that runs: it is imported before its functions are checked\n"
        f"  run python {path} and mend what it says"
    )


def _line(error: BaseException) -> str:
    return (str(error) or "no message").splitlines()[0]


# ------------------------------------------------------------------------------- kinds of objects


def _of_object(held: Any, name: str, module: ModuleType) -> Target:
    source = f"{module.__name__}.{name}"
    if isinstance(held, Entry):
        return _of_entry(held, "a primitive, its slopes from its rules", source)
    kind = "a layer"
    if isinstance(held, type) and not _is(held, "autograd.Function"):
        held, call = _instance(held)
        source, kind = f"{module.__name__}.{call}", call
    if _is(held, "nn.Module"):
        return _of_pair(f"{kind}, of PyTorch", torch_module(held), f"torch_module({source})")
    if isinstance(held, type):
        pair = torch_function(held)
        names = input_names(held.forward)[1:]  # type: ignore[attr-defined]
        pair = Pair(pair.f, pair.vjp, names=names)
        return _of_pair("an autograd function of PyTorch", pair, f"torch_function({source})")
    if hasattr(held, "forward") or hasattr(held, "backward"):
        try:
            pair = as_vjp(held)
        except TypeError as error:
            raise TargetError(str(error).replace("\n", "\n  ")) from error
        return _of_pair(f"{kind} with forward and backward", pair, f"as_vjp({source})")
    if callable(held):
        return _of_function(held, name, module)
    raise TargetError(
        f"{name} is {type(held).__name__}, which has no gradient\n"
        "  expected a layer with forward and backward, or a function\n"
        "  write the name of one"
    )


def _of_entry(entry: Entry, kind: str, source: str) -> Target:
    setup = f"import {source.partition('.')[0]}\n\n{entry.name} = {source}"
    return Target(kind, entry, None, entry.operands, setup=setup)


def _is(held: Any, dotted: str) -> bool:
    """Whether it is an object or a subclass of something in PyTorch, without importing that."""
    torch = sys.modules.get("torch")  # who has an object of PyTorch has imported it
    if torch is None:
        return False
    kind = operator.attrgetter(dotted)(torch)
    return issubclass(held, kind) if isinstance(held, type) else isinstance(held, kind)


def _of_pair(kind: str, pair: Pair, code: str) -> Target:
    adapter = code.partition("(")[0]
    setup = (
        f"import {code.partition('(')[2].partition('.')[0]}\n"
        f"from gradlab.testing import {adapter}\n\n{pair.f.__name__}, vjp = {code}"
    )
    return Target(kind, pair.f, pair.vjp, pair.names, pair.parameters, pair.unchecked, setup)


def _instance(kind: type) -> tuple[Any, str]:
    """Make an object of a class: without arguments, or with sizes for arguments that are sizes."""
    required = [] if kind.__init__ is object.__init__ else _required(kind)
    sizes = [2 if FAN_OUT.search(n) else 3 if FAN_IN.search(n) else None for n in required]
    unknown = [n for n, size in zip(required, sizes, strict=True) if size is None]
    try:
        if unknown:
            raise TypeError(f"it is not known what {', '.join(unknown)} may be")
        return kind(*sizes), f"{kind.__name__}({', '.join(map(str, sizes))})"
    except Exception as error:
        raise TargetError(
            f"{kind.__name__}({', '.join(required)}) cannot be made: {_line(error)}\n"
            "  expected a class that needs no arguments, or sizes such as n_in, n_out\n"
            f"  write layer = {kind.__name__}(...) in the file, and check that name: layer"
        ) from error


def _required(kind: type) -> list[str]:
    try:
        parameters = inspect.signature(kind).parameters.values()
    except (TypeError, ValueError):
        return []
    named = (p for p in parameters if p.kind is p.POSITIONAL_OR_KEYWORD)
    return [p.name for p in named if p.default is p.empty]


def _of_function(f: Callable[..., Any], name: str, module: ModuleType) -> Target:
    stem, home = name.removesuffix("_forward"), module.__name__
    wanted = [pattern.format(stem) for pattern in BACKWARD]
    partner = next((n for n in wanted if callable(getattr(module, n, None))), None)
    names = input_names(f)
    if partner is None:
        kind = f"a function without {wanted[0]}, its gradient by gradlab"
        return Target(kind, f, None, names, setup=f"from {home} import {name}")
    value, vjp = with_backward(f, getattr(module, partner))
    setup = (
        f"import {home}\nfrom gradlab.testing.target import with_backward\n\n"
        f"{name}, vjp = with_backward({home}.{name}, {home}.{partner})"
    )
    return Target(f"a function with {partner}", value, vjp, names, setup=setup)


def with_backward(f: Callable[..., Any], backward: Callable[..., Any]) -> tuple[Any, Any]:
    """Return (f, vjp) for the ways in which a backward function is written.

    backward(g, *args), the gradient for the cotangent g; backward(g, cache), where f returns its
    value and a cache; or backward(*args), the slope itself, of an f of single elements or one that
    returns a number.

    >>> def square(x):
    ...     return x * x
    >>> def square_grad(x):
    ...     return 2 * x
    >>> f, vjp = with_backward(square, square_grad)
    >>> vjp(10.0, 3.0)
    60.0
    """
    takes_g = len(input_names(backward)) != len(input_names(f))

    @functools.wraps(f)
    def value(*args: Any) -> Any:
        y = f(*args)
        return y[0] if isinstance(y, tuple) and len(y) == 2 else y

    def vjp(g: Any, *args: Any) -> Any:
        y = f(*args)
        if isinstance(y, tuple) and len(y) == 2:
            return backward(g, y[1])
        if takes_g:
            return backward(g, *args)
        found = backward(*args)
        return tuple(g * d for d in found) if isinstance(found, tuple | list) else g * found

    return value, vjp
