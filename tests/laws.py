"""What must hold of every row of the table, each law a function that raises AssertionError.

They take any entry, a sabotaged one too: tests/test_saboteurs.py shows that each of them can fail.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

import gradlab as gl
from gradlab import formula
from gradlab.entry import REGISTRY, Entry
from gradlab.primitive import Composed, Primitive
from gradlab.tape import sweep
from gradlab.testing import check_vjp
from gradlab.testing.strategies import Call, names, op_inputs, points

OURS = {name: entry for name, entry in REGISTRY.items() if entry.__module__.startswith("gradlab.")}
ELEMENTWISE = {n: e for n, e in OURS.items() if isinstance(e, Primitive) and e.elementwise}
FORMULAS = {n: e for n, e in OURS.items() if e.formula is not None}


# Rules subtract terms of size 1 (1 - y * y): what is left of them is right to a few roundings of 1.
ROUNDING = 1e-12


# ------------------------------------------------------------------------------ drawing calls


def row(entry: Entry) -> st.SearchStrategy[Call]:
    """Draw a call that the formula speaks of: single numbers, or one row of them each."""
    plain = [c for c in entry.cases if not c.parameters and set(map(len, c.shapes)) == {1}]
    if isinstance(entry, Primitive) and entry.elementwise:
        return op_inputs(entry, interesting=False)
    case = plain[0] if plain else entry.cases[0]
    shapes = case.shapes if entry.chapter == "linear" else ((4,),) * len(case.shapes)
    drawn = [
        hnp.arrays(np.float64, shape, elements=points(entry, name, interesting=False), unique=True)
        for name, shape in zip(names(entry, {}), shapes, strict=False)
    ]
    return st.tuples(*drawn).map(lambda arrays: Call(entry, list(arrays), {}))


# --------------------------------------------------------------------------------------------- laws


def gradients(call: Call) -> Any:
    """Return the function (g, *arrays) -> gradients that the engine computes for the call."""
    return lambda g, *arrays: gl.vjp(call, *arrays)[1](g)


def law_gradient(call: Call, seed: int) -> None:
    """Every gradient agrees with error-bounded differences, for a random cotangent."""
    rng = np.random.default_rng(seed)
    for argnum in range(len(call.arrays)):
        wrong = check_vjp(call, gradients(call), call.arrays, argnum, rng, atol=ROUNDING)
        assert not wrong, "\n".join(map(str, wrong))


def law_second_order(call: Call, seed: int) -> None:
    """The gradient of the gradient agrees with differences of the gradient."""
    rng = np.random.default_rng(seed)
    shape = np.shape(call(*call.arrays))
    g = rng.choice([-1.0, 1.0], shape) * rng.uniform(0.5, 2.0, shape)

    def all_slopes(*arrays: Any) -> Any:
        pulled = gl.vjp(call, *arrays)[1](g)
        return gl.concatenate([gl.reshape(p, (-1,)) for p in pulled])

    def pull(h: Any, *arrays: Any) -> Any:
        return gl.vjp(all_slopes, *arrays)[1](h)

    for argnum in range(len(call.arrays)):
        wrong = check_vjp(
            all_slopes, pull, call.arrays, argnum, rng, atol=ROUNDING, max_coords=2, directions=1
        )
        assert not wrong, "second order: " + "\n".join(map(str, wrong))


def law_untouched(call: Call) -> None:
    """Neither inputs nor cotangents are changed: all may be read-only."""
    tensors = [gl.Tensor(a) for a in call.arrays]
    for t in tensors:
        t.data.flags.writeable = False
    y = call(*tensors)
    g = np.linspace(1.0, 2.0, y.size).reshape(y.shape)
    g.flags.writeable = False
    first, second = sweep(y, g), sweep(y, g)
    for t, a in zip(tensors, call.arrays, strict=True):
        assert np.array_equal(t.data, a), "an input was changed"
        if t.serial in first:
            once, again = first[t.serial], second[t.serial]
            assert np.shape(once) == a.shape, f"gradient of shape {np.shape(once)} for {a.shape}"
            assert np.array_equal(once, again), "the same pull gave another gradient"


def law_linear(call: Call, seed: int) -> None:
    """Pulling back is linear: twice the cotangent gives twice the gradient, sums give sums."""
    rng = np.random.default_rng(seed)
    y, pull = gl.vjp(call, *call.arrays)
    g, h = rng.normal(size=(2, *np.shape(y)))
    for a, b, both in zip(pull(g), pull(h), pull(2.0 * g - h), strict=True):
        np.testing.assert_allclose(
            both, 2.0 * a - b, rtol=1e-9, atol=1e-9 * (1 + np.abs(a).max(initial=0))
        )


def law_engines_agree(call: Call, point: list[float]) -> None:
    """Value and Tensor give the same number and the same slopes."""
    values = [gl.Value(x) for x in point]
    tensors = [gl.Tensor(x) for x in point]
    for nodes in (values, tensors):
        call(*nodes).backward()
    assert math.isclose(call(*values).data, call(*tensors).item(), rel_tol=1e-12, abs_tol=1e-14)
    for v, t in zip(values, tensors, strict=True):
        assert math.isclose(v.grad, float(t.grad), rel_tol=1e-11, abs_tol=1e-12), (v, t, t.grad)


def law_array_is_scalar(call: Call) -> None:
    """The array kernel gives what the scalar rule gives; float32 stays float32."""
    arrays = np.broadcast_arrays(*call.arrays)
    whole = call(*arrays)
    for place in np.ndindex(*arrays[0].shape):
        one = call(*[float(a[place]) for a in arrays])
        assert math.isclose(whole[place], one, rel_tol=1e-12, abs_tol=1e-14), (place, whole, one)
    if arrays[0].shape:
        with np.errstate(over="ignore"):  # 20^75 fits a float64 only
            single = call(*[a.astype(np.float32) for a in arrays])
        assert single.dtype == np.float32, f"float32 became {single.dtype}"


def law_formula(call: Call) -> None:
    """The formula, read as Python, gives the value."""
    entry = call.entry
    also = {name: e for name, e in OURS.items() if name != entry.name}
    arguments = {**entry.defaults, **call.others}
    if isinstance(entry, Primitive) and entry.elementwise:
        arrays = [float(a.flat[0]) for a in np.broadcast_arrays(*call.arrays) if a.size]
        if len(arrays) < len(call.arrays):
            return
    else:
        arrays = call.arrays
    arguments |= dict(zip(names(entry, call.others), arrays, strict=False))
    said = np.asarray(formula.evaluate(entry.formula, arguments, also))
    value = np.asarray(call(*arrays))
    size = max([1.0, *(np.abs(a).max(initial=0.0) for a in arrays)])
    np.testing.assert_allclose(said.reshape(value.shape), value, rtol=1e-9, atol=1e-11 * size)


def law_broadcasts(call: Call) -> None:
    """Broadcasting is repeating: value as if repeated before, gradient the sum over the repeats."""
    full = [a.copy() for a in np.broadcast_arrays(*call.arrays)]
    y, pull = gl.vjp(call, *call.arrays)
    y_full, pull_full = gl.vjp(call, *full)
    np.testing.assert_array_equal(y, y_full)
    g = np.linspace(1.0, 2.0, np.size(y)).reshape(np.shape(y))
    for a, short, long in zip(call.arrays, pull(g), pull_full(g), strict=True):
        lead = np.ndim(long) - a.ndim
        stretched = [
            i + lead for i, n in enumerate(a.shape) if n == 1 and long.shape[i + lead] != 1
        ]
        expected = np.sum(long, axis=(*range(lead), *stretched)).reshape(a.shape)
        np.testing.assert_allclose(short, expected, rtol=1e-12, atol=1e-12)


def law_finite(call: Call, dtype: Any) -> None:
    """Value and slopes are finite at the extremes of the domain (float32: where they fit)."""

    def at(dtype: Any, keep: Any = slice(None)) -> list[np.ndarray]:
        with np.errstate(all="ignore"):
            y, pull = gl.vjp(call, *(a[keep].astype(dtype) for a in call.arrays))
            return [y, *pull(np.ones(np.shape(y)))]

    wide = at(np.float64)
    assert all(np.all(np.isfinite(w)) for w in wide), f"{wide} at {call.arrays}"
    fits = np.all([np.abs(w) < 1e30 for w in wide], axis=0)
    assert all(np.all(np.isfinite(w)) for w in at(dtype, fits)), f"{dtype} at {call.arrays}"


def is_smooth(entry: Entry) -> bool:
    """Whether differentiating twice makes sense: not for stairs."""
    return isinstance(entry, Composed) or not getattr(entry, "flat", False)
