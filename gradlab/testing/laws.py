"""What holds of every backward pass beside the numbers: it is linear, it repeats, it only reads.

A gradient can be right for one cotangent and wrong for the next; these laws need no measured slope.

Each law takes a `Subject` and a seed and returns what is broken, in one line, or None.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from gradlab import calculus
from gradlab.testing.functions import RAISED
from gradlab.testing.subject import Subject

Law = Callable[[Subject, Sequence[int]], str | None]


def repeatable(subject: Subject, seed: Sequence[int]) -> str | None:
    """The same input gives the same value, the same cotangent the same gradient."""
    if not _close(subject.value, subject.f(*subject.args), _room(subject, 1.0)):
        return "f gave two values for one input: random numbers or a state kept between calls"
    g = subject.cotangent(seed)
    once, twice = subject.vjp(g, *subject.args), subject.vjp(g, *subject.args)
    for i in subject.wrt:
        if not _close(once[i], twice[i], _room(subject, g, once[i])):
            return (
                f"a second call of the backward pass gave another gradient of {subject.names[i]}: "
                "is a buffer added to, and never set back to 0?"
            )
    return None


def read_only(subject: Subject, seed: Sequence[int]) -> str | None:
    """Neither f nor its backward pass writes into the arrays it is given."""
    g, args = subject.cotangent(seed), [copy.deepcopy(a) for a in subject.args]
    kept = g.copy()
    for what, call in (("f", subject.f), ("the backward pass", subject.vjp)):
        call(*([g] if call is subject.vjp else []), *args)
        for i in subject.wrt:
            if not np.array_equal(args[i], subject.args[i], equal_nan=True):
                return f"{what} changed its argument {subject.names[i]}: write into a copy"
    if not np.array_equal(g, kept):
        return "the backward pass changed the cotangent g: write g = g * ..., not g *= ..."
    return None


def linear(subject: Subject, seed: Sequence[int]) -> str | None:
    """vjp(a g + b h) = a vjp(g) + b vjp(h); a is negative, as signs are easily lost."""
    g, h, a, b = subject.cotangent(seed), subject.cotangent([*seed, 1]), -1.5, 0.5
    one, other = subject.vjp(g, *subject.args), subject.vjp(h, *subject.args)
    both = subject.vjp((a * g + b * h).astype(g.dtype), *subject.args)
    for i in subject.wrt:
        expected = _sum((a, one[i]), (b, other[i]))
        if not _close(both[i], expected, _room(subject, g, one[i], other[i])):
            return (
                f"the gradient of {subject.names[i]} is not linear in the cotangent: "
                f"vjp(a g + b h) is not a vjp(g) + b vjp(h)"
            )
    return None


def as_precise(subject: Subject, seed: Sequence[int]) -> str | None:
    """A gradient has the precision of its argument and of the value: float64 stays float64."""
    y, gradients = subject.value, subject.vjp(subject.cotangent(seed), *subject.args)
    for i in subject.wrt:
        got, x = np.asarray(gradients[i]).dtype, np.asarray(subject.args[i]).dtype
        if got.kind == "f" and got.itemsize < min(x.itemsize, y.dtype.itemsize):
            return f"the gradient of {subject.names[i]} is {got}, expected {x} like the argument"
    return None


def accumulated(subject: Subject, seed: Sequence[int]) -> str | None:
    """Where one array is used twice, its gradient is the sum of both uses' gradients."""
    if subject.traced:
        total = _used_twice(subject, seed)
        if total:
            return total
    pair = _alike(subject)
    if pair is None:
        return None
    i, j = pair
    args = list(subject.args)
    args[j] = args[i]
    apart = [copy.copy(a) for a in args]
    try:
        g = subject.at(*args).cotangent(seed)
        same, separate = subject.vjp(g, *args), subject.vjp(g, *apart)
    except RAISED:
        return None  # two equal arguments are outside the domain
    for k in subject.wrt:
        if not _close(same[k], separate[k], _room(subject, g, separate[k])):
            return (
                f"with one array given as both {subject.names[i]} and {subject.names[j]} the "
                f"gradient of {subject.names[k]} changes: overwritten instead of accumulated?"
            )
    return None


def _used_twice(subject: Subject, seed: Sequence[int]) -> str | None:
    """The gradient of f - 3 f is -2 times that of f, if the tape adds what arrives."""

    def twice(*some: Any) -> Any:
        args = list(subject.args)
        for i, a in zip(subject.wrt, some, strict=True):
            args[i] = a
        return subject.source(*args) - 3.0 * subject.source(*args)

    g = subject.cotangent(seed)
    once = subject.vjp(g, *subject.args)
    both = calculus.vjp(twice, *(subject.args[i] for i in subject.wrt))[1](g)
    for i, found in zip(subject.wrt, both, strict=True):
        if not _close(found, _sum((-2.0, once[i])), _room(subject, g, once[i])):
            return f"f used twice does not add up both gradients of {subject.names[i]}"
    return None


def _alike(subject: Subject) -> tuple[int, int] | None:
    for place, i in enumerate(subject.wrt):
        for j in subject.wrt[place + 1 :]:
            a, b = subject.args[i], subject.args[j]
            if a.shape == b.shape and a.dtype == b.dtype:
                return i, j
    return None


LINEAR = "linear in g"

# The first two come before any measurement, which a function that breaks them would spoil.
LAWS: dict[str, Law] = {
    "reads only": read_only,
    "repeatable": repeatable,
    LINEAR: linear,
    "as precise as its argument": as_precise,
    "adds up uses": accumulated,
}


# ------------------------------------------------------------------------------- comparing arrays


def _sum(*terms: tuple[float, Any]) -> Any:
    if any(array is None for _, array in terms):
        return None
    with np.errstate(all="ignore"):
        parts = [factor * np.asarray(array, dtype=np.float64) for factor, array in terms]
        return np.sum(parts, axis=0)


def _room(subject: Subject, *sizes: Any) -> float:
    """How far two gradients may differ by rounding alone."""
    y = subject.value
    arrays = [np.asarray(a) for a in (*sizes, y, *(subject.args[i] for i in subject.wrt))]
    eps = max(float(np.finfo(a.dtype).eps) for a in arrays if a.dtype.kind == "f")
    of_gradients = sum(_largest(a) for a in sizes[1:])
    return float(np.sqrt(eps) * of_gradients + 1e3 * eps * _largest(sizes[0]) * (1 + _largest(y)))


def _largest(a: Any) -> float:
    if a is None:
        return 0.0
    a = np.abs(np.asarray(a, dtype=np.float64))
    return float(a[np.isfinite(a)].max(initial=0.0))


def _close(a: Any, b: Any, room: float) -> bool:
    """Equal up to `room` wherever both are finite; None equals None."""
    if a is None or b is None:
        return a is None and b is None
    a, b = np.asarray(a, dtype=np.float64), np.asarray(b, dtype=np.float64)
    if a.shape != b.shape:
        return False
    both = np.isfinite(a) & np.isfinite(b)
    return bool(np.all(np.abs(a[both] - b[both]) <= room))


__all__ = ["LAWS", "LINEAR", "accumulated", "as_precise", "linear", "read_only", "repeatable"]
