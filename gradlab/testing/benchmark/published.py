"""The gradient checks that other frameworks ship, rebuilt to be compared with gradlab's.

Each takes the same pair (f, vjp), one step, one tolerance and one kind of cotangent, and says
whether it would pass: the algorithm and its documented defaults, nothing of the frameworks.

Where a framework needs more than a backward pass (forward mode, second order), that part is left
out; where it checks one argument, all are checked here, one after the other.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

Arrays = Sequence[np.ndarray]
Function = Callable[..., Any]
Checker = Callable[[Function, Function, Arrays, np.random.Generator], bool]

PUBLISHED: dict[str, Checker] = {}


def published(name: str) -> Callable[[Checker], Checker]:
    """Enter a checker under its short name; an exception, or gradients of wrong shapes, reject."""

    def enter(check: Checker) -> Checker:
        def guarded(f: Function, vjp: Function, args: Arrays, rng: np.random.Generator) -> bool:
            try:
                with np.errstate(all="ignore"):
                    return bool(check(f, _as_tuple(vjp), args, rng))
            except (ValueError, ArithmeticError, IndexError):
                return False

        guarded.__doc__ = check.__doc__
        PUBLISHED[name] = guarded
        return guarded

    return enter


def _as_tuple(vjp: Function) -> Function:
    """vjp with a tuple of gradients, whose shapes are those of the arguments, else ValueError."""

    def gradients(g: np.ndarray, *args: np.ndarray) -> tuple[np.ndarray, ...]:
        found = vjp(g, *args)
        found = found if isinstance(found, tuple) else (found,)
        if [np.shape(d) for d in found] != [a.shape for a in args]:
            raise ValueError("gradients of wrong shapes")
        return tuple(np.asarray(d) for d in found)

    return gradients


def _close(a: Any, b: Any, atol: float, rtol: float, equal_nan: bool = False) -> bool:
    return bool(np.allclose(a, b, rtol=rtol, atol=atol, equal_nan=equal_nan))


def _moved(args: Arrays, i: int, change: Any) -> list[np.ndarray]:
    """The arguments, with `change` added to number i in its own dtype."""
    return [(a + change).astype(a.dtype) if i == k else a for k, a in enumerate(args)]


def _unit(shape: tuple[int, ...], place: tuple[int, ...], value: float) -> np.ndarray:
    unit = np.zeros(shape)
    unit[place] = value
    return unit


# ---------------------------------------------------------------------------------------- PyTorch


@published("torch")
def torch_gradcheck(f: Function, vjp: Function, args: Arrays, rng: np.random.Generator) -> bool:
    """torch.autograd.gradcheck(eps=1e-6, atol=1e-5, rtol=1e-3): every entry of the Jacobian J.

    Rows by backward passes with unit cotangents, columns by central differences; the backward pass
    is repeated and must give the same bits, and 0 for a cotangent of 0.
    """
    y = np.asarray(f(*args))
    rows: list[list[np.ndarray]] = [[] for _ in args]
    for place in np.ndindex(y.shape):
        g = _unit(y.shape, place, 1.0).astype(y.dtype)
        first, again = vjp(g.copy(), *args), vjp(g.copy(), *args)
        if any((a != b).any() for a, b in zip(first, again)):
            return False
        for row, d in zip(rows, first):
            row.append(d.ravel().copy())
    for i, x in enumerate(args):
        for k, place in enumerate(np.ndindex(x.shape)):
            step = _unit(x.shape, place, 1e-6)
            change = np.asarray(f(*_moved(args, i, step))) - f(*_moved(args, i, -step))
            if not _close([row[k] for row in rows[i]], change.ravel() / 2e-6, 1e-5, 1e-3):
                return False
    return not any(np.any(d) for d in vjp(np.zeros_like(y), *args))


@published("fast")
def torch_fast(f: Function, vjp: Function, args: Arrays, rng: np.random.Generator) -> bool:
    """torch.autograd.gradcheck(fast_mode=True): the same for one number v' J u per argument.

    u and v are positive (uniform, of length 1) and always the same; the tolerance is that of the
    slow mode summed up, atol * sum(u) * sum(v).
    """
    own = np.random.default_rng(0)
    y = np.asarray(f(*args))
    us = [_positive(x, own) for x in args]
    v = _positive(y, own)
    analytic, again = vjp(v.copy(), *args), vjp(v.copy(), *args)
    if any((a != b).any() for a, b in zip(analytic, again)):
        return False
    for i, u in enumerate(us):
        step = 1e-6 * u
        change = np.asarray(f(*_moved(args, i, step))) - f(*_moved(args, i, -step))
        numeric = (change * v).sum() / (2 * np.linalg.norm(step))
        atol = 1e-5 * float(u.sum()) * float(v.sum())
        if not _close((analytic[i] * u).sum(), numeric, atol, 1e-3):
            return False
    return not any(np.any(d) for d in vjp(np.zeros_like(y), *args))


def _positive(x: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    u = rng.random(x.shape).astype(x.dtype)
    return u / (np.linalg.norm(u) or 1.0)


# -------------------------------------------------------------------------------------------- JAX


def _jax(f: Function, vjp: Function, args: Arrays) -> bool:
    """One direction and one cotangent, always from RandomState(0); tolerances by dtype."""
    fixed = np.random.RandomState(0)
    y = np.asarray(f(*args))
    tangents = [fixed.randn(*x.shape) for x in args]
    tangents = [np.asarray(t).astype(x.dtype) for t, x in zip(tangents, args)]
    up = [(x + t * x.dtype.type(1e-4)).astype(x.dtype) for x, t in zip(args, tangents)]
    down = [(x - t * x.dtype.type(1e-4)).astype(x.dtype) for x, t in zip(args, tangents)]
    high, low = np.asarray(f(*up)), np.asarray(f(*down))
    change = np.where(high == low, 0, high - low) * y.dtype.type(0.5 / 1e-4)
    g = np.asarray(fixed.randn(*y.shape)).astype(y.dtype)
    analytic = sum(np.vdot(t, d) for t, d in zip(tangents, vjp(g.copy(), *args)))
    tolerance = 1e-5 if y.dtype == np.float64 else 2e-3
    return _close(analytic, np.vdot(change, g), tolerance, tolerance, equal_nan=True)


@published("jax64")
def jax_check_grads(f: Function, vjp: Function, args: Arrays, rng: np.random.Generator) -> bool:
    """jax.test_util.check_grads(order=1, modes="rev") with x64: eps 1e-4, tolerance 1e-5."""
    return _jax(f, vjp, args)


@published("jax32")
def jax_float32(f: Function, vjp: Function, args: Arrays, rng: np.random.Generator) -> bool:
    """The same as JAX is by default, all in float32: eps 1e-4, tolerance 2e-3."""
    return _jax(_single(f), _single(vjp), [x.astype(np.float32) for x in args])


def _single(function: Function) -> Function:
    """The function, returning float32."""

    def single(*args: np.ndarray) -> Any:
        found = function(*args)
        if isinstance(found, tuple):
            return tuple(np.asarray(d).astype(np.float32) for d in found)
        return np.asarray(found).astype(np.float32)

    return single


# ----------------------------------------------------------------------------------- HIPS autograd


@published("hips")
def hips_check_grads(f: Function, vjp: Function, args: Arrays, rng: np.random.Generator) -> bool:
    """autograd.test_util.check_grads(order=1, modes=["rev"]): eps 1e-6, tolerance 1e-6.

    |a - b| < 1e-6 or |a - b| / |a + b| < 1e-6.
    """
    y = np.asarray(f(*args))
    directions = [np.asarray(rng.standard_normal(x.shape)).astype(x.dtype) for x in args]
    g = np.asarray(rng.standard_normal(y.shape)).astype(y.dtype)
    gradients = vjp(g, *args)
    if any(d.dtype != x.dtype for d, x in zip(gradients, args)):
        return False
    exact = sum(np.vdot(v, d) for v, d in zip(directions, gradients))
    up = [x + (v * 5e-7).astype(x.dtype) for x, v in zip(args, directions)]
    down = [x - (v * 5e-7).astype(x.dtype) for x, v in zip(args, directions)]
    slope = (np.asarray(f(*up)) - f(*down)) * (1 / 1e-6)
    numeric = np.vdot(g, slope)  # g as the backward pass has left it
    gap = abs(numeric - exact)
    return bool(gap < 1e-6 or gap / abs(numeric + exact) < 1e-6)


# ---------------------------------------------------------------------------------------- Chainer


@published("chainer")
def chainer_backward(f: Function, vjp: Function, args: Arrays, rng: np.random.Generator) -> bool:
    """chainer.gradient_check.check_backward(eps=1e-3, atol=1e-5, rtol=1e-4): one direction.

    The direction is of length 1 over all arguments; the cotangent is the caller's, here uniform in
    [-1, 1] as in Chainer's own tests.
    """
    y = np.asarray(f(*args))
    g = rng.uniform(-1.0, 1.0, y.shape).astype(y.dtype)
    gradients = vjp(g, *args)
    directions = [rng.standard_normal(x.shape) for x in args]
    length = np.sqrt(sum((d * d).sum() for d in directions)) or 1.0
    directions = [d / length for d in directions]
    up = [(x + 1e-3 * d).astype(x.dtype) for x, d in zip(args, directions)]
    down = [(x - 1e-3 * d).astype(x.dtype) for x, d in zip(args, directions)]
    high, low = (np.asarray(f(*ends)).astype(np.float64) for ends in (up, down))
    numeric = ((high - low) * g).sum() / 2e-3
    analytic = sum((d.astype(np.float64) * v).sum() for d, v in zip(gradients, directions))
    return _close(numeric, analytic, 1e-5, 1e-4, equal_nan=True)


# ---------------------------------------------------------------- minitorch, DeZero: for teaching


@published("minitorch")
def minitorch_grad_check(
    f: Function, vjp: Function, args: Arrays, rng: np.random.Generator
) -> bool:
    """minitorch.grad_check: eps 1e-6, tolerance 1e-2, one element, a cotangent of ones."""
    wide = [x.astype(np.float64) for x in args]
    gradients = vjp(np.ones_like(np.asarray(f(*wide))), *wide)
    fixed = np.random.default_rng(10)
    for i, x in enumerate(wide):
        place = tuple(int(fixed.integers(n)) for n in x.shape)
        numeric = _of_the_sum(f, wide, i, place, 1e-6)
        if not _close(gradients[i][place], numeric, 1e-2, 1e-2, equal_nan=True):
            return False
    return True


@published("dezero")
def dezero_gradient_check(
    f: Function, vjp: Function, args: Arrays, rng: np.random.Generator
) -> bool:
    """dezero.utils.gradient_check(rtol=1e-4, atol=1e-5): eps 1e-4, a cotangent of ones."""
    for i, x in enumerate(args):
        mixed = [a.astype(np.float64) if a is x else a for a in args]
        gradient = vjp(np.ones_like(np.asarray(f(*mixed))), *mixed)[i]
        numeric = [_of_the_sum(f, mixed, i, place, 1e-4) for place in np.ndindex(x.shape)]
        if not _close(numeric, gradient.ravel(), 1e-5, 1e-4):
            return False
    return True


def _of_the_sum(f: Function, args: Arrays, i: int, place: tuple[int, ...], eps: float) -> float:
    """The central difference of sum(f) in one element."""
    step = _unit(args[i].shape, place, eps)
    change = np.asarray(f(*_moved(args, i, step))) - f(*_moved(args, i, -step))
    return float(change.sum() / (2.0 * eps))
