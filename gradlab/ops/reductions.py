"""Reductions: many numbers become one, along the axes you name.

Going backward the one gradient is handed to all the numbers that went in, each with its own share.
"""

from __future__ import annotations

import math

import numpy as np

from gradlab.entry import (
    case,
)
from gradlab.ops.arithmetic import where
from gradlab.ops.elementary import exp
from gradlab.ops.shaping import broadcast_to, flip, reshape
from gradlab.primitive import (
    composed,
    primitive,
)

CASES = (
    case((3, 4)),
    case((3, 4), axis=0),
    case((2, 3, 2), axis=(0, -1)),
    case((3, 4), axis=1, keepdims=True),
    case(()),
)


def kept_shape(shape, axis):
    """Return the shape with the reduced axes kept as size 1, so that it broadcasts back."""
    if axis is None:
        return (1,) * len(shape)
    axes = {a % len(shape) for a in (axis if isinstance(axis, tuple) else (axis,))}
    return tuple(1 if a in axes else n for a, n in enumerate(shape))


def count(shape, axis):
    """Return how many numbers go into one."""
    return math.prod(shape) // max(math.prod(kept_shape(shape, axis)), 1) if shape else 1


def floats(x):
    """Return an array of floats; whole numbers, which cannot hold -inf, are converted."""
    x = np.asarray(x)
    return x if x.dtype.kind == "f" else x.astype(float)


@primitive(name="sum", symbol="Σ", formula="sum(x)", numpy=np.sum, cases=CASES)
def reduce_sum(x, axis=None, keepdims=False):
    """Sum: every number gets the whole incoming gradient."""
    return np.sum(x, axis=axis, keepdims=keepdims)


@reduce_sum.vjp("x")
def reduce_sum_vjp(g, x, axis):
    return broadcast_to(reshape(g, kept_shape(x.shape, axis)), x.shape)


@primitive(formula="mean(x)", numpy=np.mean, cases=CASES)
def mean(x, axis=None, keepdims=False):
    """Mean: every number gets an equal share of the incoming gradient."""
    return np.mean(x, axis=axis, keepdims=keepdims)


@mean.vjp("x")
def mean_vjp(g, x, axis):
    share = g * (1.0 / count(x.shape, axis))
    return broadcast_to(reshape(share, kept_shape(x.shape, axis)), x.shape)


def _largest_vjp(g, x, axis, y):
    kept = kept_shape(x.shape, axis)
    winner = where(x == reshape(y, kept), 1.0, 0.0)
    return winner * reshape(g, kept) / reduce_sum(winner, axis=axis, keepdims=True)


@primitive(
    name="max",
    formula="max(x)",
    numpy=(np.max, np.amax),
    cases=CASES,
    convention="numbers that tie share the gradient equally",
)
def reduce_max(x, axis=None, keepdims=False):
    """Largest number: it alone gets the gradient."""
    return np.max(x, axis=axis, keepdims=keepdims)


@reduce_max.vjp("x")
def reduce_max_vjp(g, x, axis, y):
    return _largest_vjp(g, x, axis, y)


@primitive(
    name="min",
    formula="min(x)",
    numpy=(np.min, np.amin),
    cases=CASES,
    convention="numbers that tie share the gradient equally",
)
def reduce_min(x, axis=None, keepdims=False):
    """Smallest number: it alone gets the gradient."""
    return np.min(x, axis=axis, keepdims=keepdims)


@reduce_min.vjp("x")
def reduce_min_vjp(g, x, axis, y):
    return _largest_vjp(g, x, axis, y)


@primitive(formula="log(sum(exp(x)))", cases=CASES, source="log-sum-exp trick")
def logsumexp(x, axis=None, keepdims=False):
    """Logarithm of a sum of powers, with the largest taken out first so that none overflows.

    >>> float(logsumexp(np.array([1000.0, 1000.0])).round(4))
    1000.6931
    """
    x = floats(x)
    top = np.max(x, axis=axis, keepdims=True, initial=-np.inf)
    top = np.where(np.isfinite(top), top, 0.0).astype(x.dtype)
    y = np.log(np.sum(np.exp(x - top), axis=axis, keepdims=True)) + top
    return y if keepdims else np.reshape(y, np.sum(x, axis=axis).shape)[()]


@logsumexp.vjp("x")
def logsumexp_vjp(g, x, axis, y):
    kept = kept_shape(x.shape, axis)
    return reshape(g, kept) * exp(x - reshape(y, kept))


@primitive(numpy=np.prod, cases=CASES, formula="prod(x)")
def prod(x, axis=None, keepdims=False):
    """Product; zeros among the numbers are no problem, since no rule divides by them."""
    return np.prod(x, axis=axis, keepdims=keepdims)


@prod.vjp("x")
def prod_vjp(g, x, axis):
    kept = kept_shape(x.shape, axis)
    return reshape(g, kept) * product_of_the_others(x, axis)


@primitive(
    name="product_of_the_others",
    cases=(case((4,)), case((2, 3), axis=1), case((2, 3)), case((2, 3, 2), axis=(0, 2))),
)
def product_of_the_others(x, axis=None):
    """For each number, the product of all the others along the axes."""
    x = np.asarray(x)
    axes = tuple(range(x.ndim)) if axis is None else axis if isinstance(axis, tuple) else (axis,)
    axes = tuple(a % x.ndim for a in axes) if x.ndim else ()
    last = tuple(range(x.ndim - len(axes), x.ndim))
    moved = np.moveaxis(x, axes, last)
    rows = moved.reshape(*moved.shape[: x.ndim - len(axes)], -1)
    ones = np.ones_like(rows[..., :1])
    before = np.cumprod(np.concatenate([ones, rows[..., :-1]], -1), -1)
    after = np.flip(np.cumprod(np.concatenate([ones, np.flip(rows, -1)[..., :-1]], -1), -1), -1)
    return np.moveaxis((before * after).reshape(moved.shape), last, axes)


@product_of_the_others.vjp("x")
def product_of_the_others_vjp(g, x, axis):
    # d(prod_{k != i} x_k) / dx_j = prod_{k != i, j} x_k: one product per pair, by replacing x_j
    # with 1 there. Second derivatives of prod are rare, so a loop over the elements will do.
    flow = 0.0 * x
    for place in np.ndindex(*x.shape):
        here = np.zeros(x.shape, bool)
        here[place] = True
        without = where(here, 1.0, x)
        share = where(here, 0.0, g * product_of_the_others(without, axis))
        total = reduce_sum(share, axis=axis, keepdims=True)
        flow = flow + where(here, broadcast_to(total, x.shape), 0.0)
    return flow


@primitive(
    numpy=np.cumsum, formula="cumsum(x)", cases=(case((4,)), case((2, 3), axis=1), case((2, 3)))
)
def cumsum(x, axis=None):
    """Running sum: a number gets the gradients of all later sums."""
    return np.cumsum(x, axis=axis)


@cumsum.vjp("x")
def cumsum_vjp(g, x, axis):
    along = 0 if axis is None else axis
    return reshape(flip(cumsum(flip(g, along), along), along), x.shape)


@primitive(
    numpy=np.linalg.norm,
    cases=CASES[:4],
    formula="norm(x)",
    convention="slope 0 for the zero vector",
)
def norm(x, ord=None, axis=None, keepdims=False):  # noqa: A002
    """Euclidean length sqrt(sum(x^2)); of a whole array, or along an axis.

    Raises:
        ValueError: another order than 2.
    """
    if ord not in (None, 2) or (ord == 2 and axis is None and len(np.shape(x)) > 1):
        raise ValueError(
            f"norm: order {ord!r}\nexpected the Euclidean norm (ord=None, or 2 of a vector)\n"
            "write abs(x).sum() for the 1-norm, abs(x).max() for the largest"
        )
    return np.sqrt(np.sum(np.square(x), axis=axis, keepdims=keepdims))


@norm.vjp("x")
def norm_vjp(g, x, axis, y):
    share = g / where(y > 0.0, y, 1.0)
    return x * reshape(share, kept_shape(x.shape, axis))


# ----------------------------------------------------------------------- written with those above


@composed(numpy=np.var, cases=CASES[:4], formula="mean((x - mean(x)) ** 2)")
def var(x, axis=None, keepdims=False, ddof=0):
    """Variance: the mean squared distance from the mean."""
    n = count(x.shape, axis)
    distance = x - mean(x, axis=axis, keepdims=True)
    return reduce_sum(distance * distance, axis=axis, keepdims=keepdims) / (n - ddof)


@composed(numpy=np.std, cases=CASES[:4], formula="sqrt(mean((x - mean(x)) ** 2))")
def std(x, axis=None, keepdims=False, ddof=0):
    """Standard deviation: the length of the distances from the mean, over sqrt(n)."""
    distance = x - mean(x, axis=axis, keepdims=True)
    n = count(x.shape, axis)
    return norm(distance, axis=axis, keepdims=keepdims) / math.sqrt(n - ddof)
