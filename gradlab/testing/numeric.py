"""A backward pass beside measured slopes: where is it not the gradient of its function?

For a random cotangent g every element of g^T J is compared with the slope of <g, f>, measured with
a bound on its error; of a large array some elements, and dense directions through all of them.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from gradlab.testing.ladder import UNKNOWN, Estimate
from gradlab.testing.line import EPS, Line, Precision
from gradlab.testing.slopes import SAFETY, Slopes, slope_if_exact, slopes_along


def random_cotangent(shape: tuple[int, ...], rng: np.random.Generator) -> np.ndarray:
    """Random signs and magnitudes between 1/2 and 2, never 0 and never 1.

    A cotangent of ones hides mistakes: softmax sums to 1, so its gradient against ones is 0, and a
    backward pass that returns 0 goes unnoticed. Odd 64ths are exact in every floating type.

    >>> g = random_cotangent((5,), np.random.default_rng(0))
    >>> (np.abs(g) * 64 % 2).tolist()
    [1.0, 1.0, 1.0, 1.0, 1.0]
    """
    return rng.choice([-1.0, 1.0], shape) * (2 * rng.integers(16, 64, shape) + 1) / 64


@dataclass(frozen=True)
class Mismatch:
    """One place where a gradient disagrees with the slopes of the function it belongs to.

    `bound` is half the width of what would have been accepted, SAFETY included; `problem` says what
    is wrong with the gradient array as such, and then there are no numbers.
    """

    argument: int
    analytic: float = math.nan
    left: Estimate = UNKNOWN
    right: Estimate = UNKNOWN
    bound: float = math.inf
    coordinate: tuple[int, ...] | None = None
    direction: np.ndarray | None = None
    problem: str = ""

    def __str__(self) -> str:
        if self.problem:
            return f"gradient of argument {self.argument}: {self.problem}"
        where = "along a direction" if self.coordinate is None else f"at {list(self.coordinate)}"
        sides = [
            f"{name} {side.value:.10g} +- {side.error:.1e}"
            for name, side in (("left", self.left), ("right", self.right))
            if side.error < math.inf
        ]
        return (
            f"gradient of argument {self.argument} {where}: {self.analytic:.10g}\n"
            f"  measured slope: {', '.join(sides)}"
        )


def check_vjp(
    f: Callable[..., Any],
    vjp: Callable[..., Sequence[Any]],
    args: Sequence[Any],
    argnum: int,
    rng: np.random.Generator,
    *,
    max_coords: int = 24,
    directions: int = 2,
    rtol: float = 0.0,
    atol: float = 0.0,
    precision: Precision | None = None,
) -> list[Mismatch]:
    """Where vjp(g, *args)[argnum] is not the gradient of sum(g * f(*args)), for a random g.

    Up to `max_coords` elements are compared one at a time: all of them, or half with the largest
    gradients and half at random. If some are left over, `directions` dense random ones follow, and
    a rejected one is halved until the element to blame is found. f and vjp take and return NumPy
    arrays, vjp one gradient per argument (else TypeError). `precision` is what earlier calls have
    shown of f. An empty list means that all is right.

    >>> def square(x):
    ...     return x * x
    >>> def backward(g, x):
    ...     return (g * x,)
    >>> rng = np.random.default_rng(0)
    >>> len(check_vjp(square, backward, (np.array([0.5, 3.0]),), 0, rng))
    2
    """
    x, y = np.asarray(args[argnum]), np.asarray(f(*args))
    g = random_cotangent(y.shape, rng).astype(y.dtype if y.dtype.kind == "f" else np.float64)
    gradients = vjp(g, *args)
    if not isinstance(gradients, (tuple, list)) or len(gradients) != len(args):
        raise TypeError(
            f"vjp returned {type(gradients).__name__}, expected a tuple of {len(args)} gradients.\n"
            "Return one per argument, `return (dx,)` if there is only one."
        )
    problem = _malformed(gradients[argnum], x)
    if problem:
        return [Mismatch(argnum, problem=problem)]
    gradient = np.asarray(gradients[argnum])

    def moved(z: np.ndarray) -> Any:
        return f(*args[:argnum], np.asarray(z), *args[argnum + 1 :])

    pair = _Pair(moved, x, g, gradient, argnum, rtol, atol, precision or Precision())
    chosen = coordinates(gradient, max_coords, rng)
    units = (np.where(np.arange(x.size) == i, 1.0, 0.0).reshape(x.shape) for i in chosen)
    found = [pair.judge(unit) for unit in units]
    if not any(found) and len(chosen) < x.size:
        for _ in range(directions):
            d = random_cotangent(x.shape, rng) * np.maximum(np.abs(x), 1.0)
            found.append(pair.culprit(np.where(np.isfinite(gradient), d, 0.0)))
    return pair.standing(found)


def _malformed(gradient: Any, x: np.ndarray) -> str:
    """What is wrong with the gradient before any number is compared; empty if nothing is."""
    if gradient is None:
        return f"None, expected an array of shape {x.shape}"
    given = np.asarray(gradient)
    if given.shape != x.shape:
        return f"shape {given.shape}, expected the argument's shape {x.shape}"
    return "" if given.dtype.kind == "f" else f"dtype {given.dtype}, expected a floating one"


def coordinates(gradient: np.ndarray, most: int, rng: np.random.Generator) -> np.ndarray:
    """The places of up to `most` elements, flat: half with the largest gradients, half random."""
    if gradient.size <= most:
        return np.arange(gradient.size)
    size = np.nan_to_num(np.abs(gradient).ravel(), nan=math.inf, posinf=math.inf)
    order, half = np.argsort(-size, kind="stable"), most // 2
    return np.concatenate([order[:half], rng.choice(order[half:], most - half, replace=False)])


@dataclass
class _Pair:
    """A gradient and the function it is compared with."""

    f: Callable[[np.ndarray], Any]
    x: np.ndarray
    g: np.ndarray
    gradient: np.ndarray
    argument: int
    rtol: float
    atol: float
    precision: Precision

    def judge(self, d: np.ndarray) -> Mismatch | None:
        """The mismatch along a direction, if there is one."""
        line = Line(self.f, self.x, d, self.g, self.precision)
        moving = np.flatnonzero(line.d)
        terms = self.gradient.flat[moving] * line.d.flat[moving]
        analytic, right = float(terms.sum()), slope_if_exact(line, +1)
        eps = float(np.finfo(self.gradient.dtype).eps)  # a rule rounds too, its terms may cancel
        atol = self.atol + 8 * eps * (float(np.abs(terms).sum()) + line.size / line.scale)
        if right.error < math.inf and Slopes(right, right).accepts(analytic, self.rtol, atol):
            return None  # nearly always
        slopes = slopes_along(line)
        if slopes.accepts(analytic, self.rtol, atol):
            return None
        slopes = _by_element(line) or slopes
        if slopes.accepts(analytic, self.rtol, atol):
            return None
        low, high = slopes.ends
        bound = (high.value - low.value) / 2 + SAFETY * max(low.error, high.error) + atol
        place = np.unravel_index(moving[0], line.x.shape) if moving.size == 1 else None
        coordinate = None if place is None else tuple(int(i) for i in place)
        return Mismatch(
            self.argument, analytic, slopes.left, slopes.right, bound, coordinate, line.d
        )

    def culprit(self, d: np.ndarray) -> Mismatch | None:
        """Halve a rejected direction, keeping a rejected half, down to one element.

        None if no half is rejected: kinks of several elements met in the sum, each is right.
        """
        found = self.judge(d)
        while found and (where := np.flatnonzero(d)).size > 1:
            first = d.copy()
            first.flat[where[where.size // 2 :]] = 0.0
            for half in (first, d - first):
                worse = self.judge(half)
                if worse:
                    found, d = worse, half
                    break
            else:
                return None
        return found

    def standing(self, found: list[Mismatch | None]) -> list[Mismatch]:
        """The mismatches that are left in the precision known at the end."""
        mismatches = [mismatch for mismatch in found if mismatch]
        if self.precision.eps == EPS:
            return mismatches
        again = (self.judge(m.direction) for m in mismatches if m.direction is not None)
        return [mismatch for mismatch in again if mismatch]


def _by_element(line: Line) -> Slopes | None:
    """The range of sum_j g_j s_j if every element f_j with a kink has a range of slopes s_j.

    The sum can hide kinks: relu(t) - relu(-t) is t, yet a backward pass that takes 0 for relu'(0)
    is right. None if no element bends.
    """
    h = line.scale * 2.0**-10
    with np.errstate(all="ignore"):
        up, down = line.value(h), line.value(-h)
        if up is None or down is None or line.base is None:
            return None
        ahead, behind = up - line.base, line.base - down
        bent = np.abs(ahead - behind) > 0.01 * (np.abs(ahead) + np.abs(behind))
    bent &= line.g != 0
    if not bent.any():
        return None
    lows, highs = [], []
    for mask in [~bent, *(np.arange(bent.size) == j for j in np.flatnonzero(bent))]:
        part = copy.copy(line)
        part.weigh(np.where(mask, line.g, 0.0))
        low, high = slopes_along(part).ends
        lows.append(low)
        highs.append(high)
    return Slopes(_total(lows), _total(highs))


def _total(slopes: list[Estimate]) -> Estimate:
    return Estimate(sum(s.value for s in slopes), sum(s.error for s in slopes), slopes[0].step)
