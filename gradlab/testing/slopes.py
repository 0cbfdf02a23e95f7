"""The slope a function really has: measured from its values alone, with a bound on the error.

One-sided differences on a ladder of steps, Richardson extrapolation and an honest estimate of the
noise in f take the place of the one fixed epsilon on which most gradient checks go wrong.

The method, for phi(t) = f(x + t d) and its slope towards t > 0:

* The quotient D(h) = (phi(h) - phi(0)) / h = phi'(0) + a1 h + a2 h^2 + ... is too coarse.
  Richardson (1911): T1 = (4 D(h/4) - D(h)) / 3 is free of a1, T2 = (16 T1(h/4) - T1(h)) / 15 of
  a2, and so on. Dividing by 4, not 2, takes half the steps to a kink 1e-12 away, and is exact.
* Large steps suffer from truncation, small ones from rounding: noise n in phi is 2 n / h in D(h).
  Each rung owns up to |T_m - T_(m-1)| + c_m n / h, where c_m < 3.2 is what extrapolating makes of
  the 2. The rung with the least sum wins, unless a finer one contradicts it beyond both bounds.
* Two rungs can agree by accident, as those of sin at 1e6 do on one scale in some hundreds. Three in
  a row, the last of them better than the first, show the scale below which phi is smooth; coarser
  rungs are then forgotten. Where phi is smooth on no scale the gaps between rungs must at least
  shrink: those of sqrt at 0 grow, and the slope has no bound.
* One side at a time: at a kink a central difference is the mean of two slopes and equals neither,
  two one-sided ones enclose every subgradient; and at the edge of a domain one side is enough.

What values cannot show: a kink nearer than the square root of the noise looks as if it were at x,
and both slopes are accepted; and a float32 term in a float64 sum is taken to be flat where its
rounding hides that it moves, unless another element or another input has shown it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator
from itertools import chain
from operator import attrgetter
from typing import Any, NamedTuple

import numpy as np

from gradlab.testing.ladder import ORDER, RATIO, UNKNOWN, Estimate, Rung, ladder
from gradlab.testing.line import EPS, Line
from gradlab.testing.precision import EPS32, has_high_stairs, note_noise, shows_float32

SAFETY = 4.0  # the bounds are estimates: every hard case of the tests stays within this multiple


class Slopes(NamedTuple):
    """The slopes of phi at 0 from both sides."""

    left: Estimate
    right: Estimate

    @property
    def is_kink(self) -> bool:
        """Whether left and right differ by more than their bounds."""
        return abs(self.left.value - self.right.value) > self.left.error + self.right.error

    @property
    def ends(self) -> tuple[Estimate, Estimate]:
        """The lower and the upper slope at a kink; elsewhere, twice the better known one.

        If one side has no bound, there is none.
        """
        by_error = sorted(self, key=attrgetter("error"))
        best = by_error[1] if by_error[1].is_vertical else by_error[0]
        low, high = sorted(self) if self.is_kink else (best, best)
        return low, high

    @property
    def interval(self) -> tuple[float, float]:
        """All slopes that can be right: Clarke's subgradients at a kink, widened by the bounds."""
        return self._widened(1.0)

    def accepts(self, analytic: float, rtol: float = 0.0, atol: float = 0.0) -> bool:
        """Whether `analytic` is within SAFETY bounds of the interval; the tolerances only loosen.

        An infinite slope is right where the differences do not settle, as for sqrt at 0.
        """
        if not math.isfinite(analytic):
            best = self.ends[0]
            unsettled = best.error > 1e-3 * abs(best.value)
            return math.isnan(best.value) or (math.isinf(analytic) and unsettled)
        low, high = self._widened(SAFETY)
        floor = atol + (rtol + 8 * EPS) * abs(analytic)
        return not (analytic < low - floor or analytic > high + floor)

    def _widened(self, factor: float) -> tuple[float, float]:
        low, high = self.ends
        if not math.isfinite(low.error + high.error):
            return -math.inf, math.inf
        return low.value - factor * low.error, high.value + factor * high.error


def one_sided(
    f: Callable[[np.ndarray], Any],
    x: Any,
    direction: Any = 1.0,
    side: int = +1,
    *,
    scale: float | None = None,
) -> Estimate:
    """The slope of phi(t) = f(x + t direction) at t = 0, seen from t > 0 (side +1) or t < 0 (-1).

    `x` is a number or an array, `direction` broadcasts to it, f returns one number, else TypeError.
    The steps go down from scale / 4; by default a step of `scale` moves some element of x by its
    own size, or by 1 if that is more. Steps where f is nan or infinite, or raises a ValueError or
    an ArithmeticError, are left out.

    >>> slope = one_sided(np.exp, 1.0)
    >>> slope.error < 1e-10, abs(slope.value - math.e) <= slope.error
    (True, True)
    >>> one_sided(np.log, 0.0).error
    inf
    """
    return slope_along(_single(f, x, direction), side, scale)


def directional(f: Callable[[np.ndarray], Any], x: Any, direction: Any = 1.0) -> Slopes:
    """The slopes of t -> f(x + t direction) at t = 0 from the left and from the right.

    >>> slopes = directional(np.abs, 0.0)
    >>> slopes.is_kink, slopes.accepts(0.3), slopes.accepts(1.01)
    (True, True, False)
    >>> directional(np.tanh, 0.0).accepts(1.0005)
    False
    """
    return slopes_along(_single(f, x, direction))


def _single(f: Callable[[np.ndarray], Any], x: Any, direction: Any) -> Line:
    line = Line(f, x, direction)
    if line.base is not None and line.base.size != 1:
        raise TypeError(
            f"f returned {line.base.size} numbers, expected one.\n"
            "Write np.sum(g * f(x)) with a fixed g (see random_cotangent), or use check_vjp."
        )
    return line


# ------------------------------------------------------------------------------ the best rung


def slopes_along(line: Line, scale: float | None = None) -> Slopes:
    """The slopes of phi at 0 from both sides; what one shows of the precision holds for both."""
    before = line.precision.eps
    right, left = slope_along(line, +1, scale), slope_along(line, -1, scale)
    if line.precision.eps > before:
        right = slope_along(line, +1, scale)
    return Slopes(left, right)


def slope_along(line: Line, side: int, scale: float | None = None) -> Estimate:
    """The rung with the least bound, from large steps down until rounding alone exceeds it."""
    if line.base is None:
        return UNKNOWN
    with np.errstate(all="ignore"):
        steps = ladder(line, side, scale or line.scale)
        rungs, smooth = _down_to_the_smooth(steps)
        if not rungs:
            return UNKNOWN
        widest = rungs[-3 if smooth else -1]
        noise = line.noise(widest.step)
        known = rungs[-3:] if smooth else list(rungs)
        best = _least(line, chain(known, _kept(steps, rungs)), noise)
        if line.precision.eps < EPS32 and shows_float32(line, rungs, noise):
            line.precision.is_that_of(np.float32)
            return slope_along(line, side, scale)
        if not smooth:
            return _settling(best, rungs, noise, line.precision.eps)
        if has_high_stairs(line, noise, widest):  # flat, or of the slope seen from afar?
            return best._replace(error=max(best.error, abs(best.value)))
        note_noise(line, noise, widest)
        return best


def slope_if_exact(line: Line, side: int) -> Estimate:
    """The same for an f without noise, in half the evaluations; UNKNOWN if phi is not smooth.

    Its bound is too small where there is noise: good enough to accept by, not to reject by.
    """
    if line.base is None:
        return UNKNOWN
    with np.errstate(all="ignore"):
        steps = ladder(line, side, line.scale)
        rungs, smooth = _down_to_the_smooth(steps)
        return _least(line, chain(rungs[-3:], steps), line.precision.least) if smooth else UNKNOWN


def _kept(steps: Iterator[Rung], rungs: list[Rung]) -> Iterator[Rung]:
    for rung in steps:
        rungs.append(rung)
        yield rung


def _down_to_the_smooth(steps: Iterator[Rung]) -> tuple[list[Rung], bool]:
    """The rungs down to three scales in a row on which phi is smooth; whether there are such."""
    rungs, smooth = [], 0
    for rung in steps:
        rungs.append(rung)
        smooth = smooth + 1 if rung.is_smooth else 0
        if smooth >= 3 and rung.gap <= max(rungs[-3].gap / RATIO, 1e-3 * abs(rung.row[0])):
            return rungs, True
    return rungs, False


def _least(line: Line, rungs: Iterable[Rung], noise: float) -> Estimate:
    """The best estimate of these rungs; a finer one that contradicts the best replaces it."""
    best, eps = UNKNOWN, line.precision.eps
    for rung in rungs:
        new = rung.best(noise, eps)
        if new.error < best.error or _contradict(new, best):
            best = new
        exact = best.error <= 16 * EPS * abs(best.value)
        if exact or rung.rounding(0, noise, eps) > best.error:
            break
    return best


def _contradict(one: Estimate, other: Estimate) -> bool:
    return abs(one.value - other.value) > SAFETY * (one.error + other.error)


def _settling(best: Estimate, rungs: list[Rung], noise: float, eps: float) -> Estimate:
    """The best estimate where phi is smooth on no scale; its bound covers what is still to come.

    If each gap is r < 1 times the one before, gap r / (1 - r) will follow the last one; if they do
    not shrink there is no bound.
    """
    tail = [rung for rung in rungs if rung.gap < math.inf][-ORDER:]
    if not tail or abs(best.step) < abs(tail[-1].step):
        return best
    last, first, gap = tail[-1], tail[0].gap, tail[-1].gap
    if gap <= SAFETY * last.rounding(2, noise, eps):
        return best
    r = (gap / first) ** (1 / (len(tail) - 1)) if gap < first else 1.0
    still_to_come = gap * r / (1 - r) if r < 1 else math.inf
    return Estimate(last.row[2], max(still_to_come, best.error), last.step)
