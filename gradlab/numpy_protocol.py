"""NumPy's own functions on Tensors: ``np.sin(t)``, ``np.sum(t)``, ``array * t`` ask the table.

Which functions a Tensor answers to is read off the registry; the ones without a slope (comparisons,
``np.argmax``, ``np.shape``) are answered with plain data.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np

from gradlab.entry import (
    REGISTRY,
)
from gradlab.ops import linear
from gradlab.tape import Node

# Answered on the plain data: their results are not floats, so there is nothing to differentiate.
WITHOUT_SLOPE = {
    *(np.equal, np.not_equal, np.less, np.less_equal, np.greater, np.greater_equal),
    *(np.isnan, np.isinf, np.isfinite, np.signbit, np.logical_and, np.logical_or, np.logical_not),
    *(np.argmax, np.argmin, np.argsort, np.nonzero, np.flatnonzero, np.count_nonzero, np.any),
    *(np.all, np.shape, np.ndim, np.size, np.allclose, np.isclose, np.array_equal, np.array_repr),
    *(np.array_str, np.zeros_like, np.ones_like, np.empty_like, np.full_like, np.searchsorted),
    *(np.result_type, np.can_cast, np.iscomplexobj, np.isrealobj, np.array2string, np.round),
}


@functools.cache
def _table() -> dict[Any, Callable[..., Any]]:
    table: dict[Any, Any] = {f: entry for entry in REGISTRY.values() for f in entry.numpy}
    return {**table, np.reshape: _reshape, np.einsum: linear.einsum, np.broadcast_to: _broadcast_to}


def _reshape(a: Any, shape: Any, **_: Any) -> Any:
    return a.reshape(shape)


def _broadcast_to(array: Any, shape: Any) -> Any:
    return REGISTRY["broadcast_to"](array, shape)


def primitive_for(function: Any) -> Any:
    """Return the entry of the table that answers for a NumPy function, or None.

    >>> primitive_for(np.tanh)
    <primitive tanh(x)>
    """
    return _table().get(function)


def call_ufunc(ufunc: Any, method: str, inputs: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Answer ``ufunc(*inputs)``; ``np.add.reduce`` and its like are sums and products."""
    if kwargs.get("out") is not None:
        raise TypeError(
            f"np.{ufunc.__name__} writes its result into a given array (out=, or array += tensor)\n"
            "expected a new Tensor: a plain array cannot remember where its numbers came from\n"
            "write y = y + t instead of y += t"
        )
    if method == "reduce":
        reduction = {np.add: np.sum, np.multiply: np.prod, np.maximum: np.max, np.minimum: np.min}
        return call_function(reduction.get(ufunc, ufunc), inputs, {"axis": 0, **kwargs})
    if method != "__call__":
        raise _unknown(f"{ufunc.__name__}.{method}")
    return call_function(ufunc, inputs, kwargs)


def call_function(function: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Answer any NumPy function from the table, or say what to write instead."""
    if function in WITHOUT_SLOPE:
        return function(*map(_plain, args), **{k: _plain(v) for k, v in kwargs.items()})
    answer = primitive_for(function)
    if answer is None:
        raise _unknown(function.__name__)
    given = {k: v for k, v in kwargs.items() if not _is_default(k, v)}
    return answer(*args, **given)


def _is_default(name: str, value: Any) -> bool:
    """NumPy passes some of its defaults on (``dtype=None``, ``out=None``); they say nothing."""
    return (value is None and name in ("dtype", "out", "where", "casting", "axis")) or (
        value is np._NoValue
    )


def _plain(a: Any) -> Any:
    if isinstance(a, list | tuple):
        return type(a)(_plain(x) for x in a)
    return a.data if isinstance(a, Node) else a


def _unknown(name: str) -> TypeError:
    import difflib  # an error has time for it

    known = sorted({f.__name__ for f in _table() if hasattr(f, "__name__")})
    close = difflib.get_close_matches(name, known, 3) or ["exp", "sum", "matmul"]
    return TypeError(
        f"np.{name} has no slope in gradlab's table\n"
        f"expected one of its {len(known)} functions, such as np.{', np.'.join(close)}\n"
        f"write it with those, apply it to t.data, or add your own with @gl.primitive"
    )
