"""Loops written by the computer: kept as files, so that they are compiled once and not every day.

Numba remembers machine code only for functions that stand in a file. A loop made from the rules of
the table is therefore written to a file named by its own text, in the cache folder.
"""

from __future__ import annotations

import functools
import linecache
import os
import sys
import types
from typing import TYPE_CHECKING, Any

import numpy as np

from gradlab import config

if TYPE_CHECKING:
    from pathlib import Path

# Float rules of C: x / 0 is infinite, and a * b + c may be rounded once. Nothing else is relaxed.
# While a loop runs, so may other threads of Python.
RULES: dict[str, Any] = {"error_model": "numpy", "fastmath": {"contract"}, "nogil": True}
# A sum may also be added up in several parts, as many as there are numbers in a vector.
SUMS: dict[str, Any] = {**RULES, "fastmath": {"contract", "reassoc", "nsz"}}


@functools.cache
def available() -> bool:
    """Return whether Numba can compile here: it is installed and NUMBA_DISABLE_JIT is not set."""
    try:
        from numba.core import config as numba_config
    except ImportError:
        return False
    return not vars(numba_config)["DISABLE_JIT"]


@functools.cache
def load(source: str) -> types.ModuleType:
    """Return the module with this text, from the cache folder if it is (or can be put) there.

    The text decorates its loops with ``@kept``, which is `numba.njit` with Numba's disk cache where
    that works and without it elsewhere: in a read-only folder every process compiles anew. With
    ``@summing`` its sums may be added in another order, with ``@shared`` the threads of Numba share
    what stands under ``numba.prange``. What the loops call is decorated with ``@inlined``; it
    becomes part of them, or they would not vectorise.

    >>> load("answer = 42").answer
    42
    """
    import hashlib  # and more of this kind below: a first gradient does without

    rules = [sorted(rules["fastmath"]) for rules in (RULES, SUMS)]
    relaxed = f"relaxed are {rules[0]}, in sums {rules[1]}, and Python's lock is let go"
    source = f"# Written by gradlab; {relaxed}.\n{source}"
    name = "gradlab_" + hashlib.sha256(source.encode()).hexdigest()[:20]
    path = config.cache_folder() / "kernels" / f"{name}.py"
    kept = _written(path, source)
    module = types.ModuleType(name)
    module.__dict__.update(
        __file__=str(path),
        kept=functools.partial(_compiled, kept, RULES),
        summing=functools.partial(_compiled, kept, SUMS),
        shared=functools.partial(_compiled, kept, {**RULES, "parallel": True}),
        inlined=_inlined,
    )
    sys.modules[name] = module  # where Numba looks for the function that its machine code is of
    linecache.cache[str(path)] = (len(source), None, source.splitlines(True), str(path))
    exec(compile(source, str(path), "exec"), module.__dict__)
    return module


def _written(path: Path, source: str) -> bool:
    """Put the text into the file, whole or not at all; return whether the file holds it."""
    import tempfile

    try:
        if path.exists() and path.read_text() == source:
            return True
        _tell(path.parent)
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile("w", dir=path.parent, delete=False) as file:
            file.write(source)
        os.replace(file.name, path)
    except OSError:
        return False
    return True


@functools.cache
def _tell(folder: Path) -> None:
    """Say once that the first run of something takes longer than the next one."""
    import logging

    logging.getLogger("gradlab").warning(
        "Numba compiles kernels, which takes some seconds; %s keeps them for the next time", folder
    )


def _compiled(kept: bool, rules: dict[str, Any], function: Any) -> Any:
    import numba

    try:
        return numba.njit(cache=kept, **rules)(function)
    except RuntimeError:  # no folder to keep machine code in
        return numba.njit(**rules)(function)


def _inlined(function: Any) -> Any:
    import numba

    callee = {"forceinline": True, "no_cpython_wrapper": True, "no_cfunc_wrapper": True}
    return numba.njit(**callee, **RULES)(function)


def real(dtype: Any) -> str:
    """Return the name of the number type in generated text; TypeError for what has no loops."""
    name = np.dtype(dtype).name
    if name in ("float32", "float64"):
        return name
    raise TypeError(
        f"a loop over {name}\nexpected float32 or float64\nwrite array.astype('float32')"
    )
