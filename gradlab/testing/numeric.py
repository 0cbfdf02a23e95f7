"""The slope a function really has: measured from its values alone, with a bound on the error.

One-sided differences on a ladder of steps, Richardson extrapolation and an honest estimate of the
noise in f take the place of the one fixed epsilon on which most gradient checks go wrong.

The method, for phi(t) = f(x + t d) and its slope towards t > 0:

* The quotient D(h) = (phi(h) - phi(0)) / h = phi'(0) + a1 h + a2 h^2 + ... is too coarse. Richardson
  (1911): T1 = (4 D(h/4) - D(h)) / 3 is free of a1, T2 = (16 T1(h/4) - T1(h)) / 15 free of a2, and so
  on. Dividing by 4, not 2, reaches kinks 1e-12 away with half the steps, and powers of 2 are exact.
* Large steps suffer from truncation, small ones from rounding: noise n in phi is 2 n / h in D(h).
  Each rung owns up to |T_m - T_(m-1)| + c_m n / h, where c_m < 3.2 is what extrapolating makes of
  the 2. The rung with the least sum wins, unless a finer one, sure of itself, contradicts it.
* n is eps |f| plus what f shows: third differences of neighbouring values cancel every parabola and
  keep sqrt(20) times the noise; half of them stay clear of any one kink, so their median, three
  standard deviations, is taken (cf. Moré and Wild, Estimating Computational Noise, 2011).
* One side at a time: at a kink a central difference is the mean of two slopes and equals neither,
  two one-sided ones enclose every subgradient; and at the edge of a domain one side is enough.
"""

import copy
import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any, NamedTuple

import numpy as np

RATIO = 4.0
RUNGS = 24  # 0.25 / 4^23 = 4e-15: below that x + h is x
ORDER = 5
SAFETY = 4.0  # the bounds are estimates; 200 seeds of every hard case stay within this multiple
EPS, EPS32 = (float(np.finfo(t).eps) for t in (np.float64, np.float32))
AMPLIFICATION = [2.0]  # c_m = c_(m-1) (r^m + 1/r) / (r^m - 1)
for _power in (RATIO**m for m in range(1, ORDER + 1)):
    AMPLIFICATION.append(AMPLIFICATION[-1] * (_power + 1 / RATIO) / (_power - 1))
# Uneven places (even ones can be in step with the grid of a rounded f), and the third divided
# differences over every four neighbours, scaled so that noise sigma gives sqrt(20) sigma.
PLACES = [1 + i + 0.7 * (0.618 * i * i % 1) for i in range(10)]
THIRD = np.zeros((7, 10))
for _i, _row in enumerate(THIRD):
    _u = PLACES[_i : _i + 4]
    _row[_i : _i + 4] = [1 / math.prod(a - b for b in _u if b != a) for a in _u]
    _row *= math.sqrt(20) / np.linalg.norm(_row)


class Estimate(NamedTuple):
    """A slope, the bound on its error, and the step it was found at; nan, inf if f has no values."""

    value: float
    error: float
    step: float


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
        """The lower and the upper slope at a kink; elsewhere, twice the better known one."""
        low, high = sorted(self) if self.is_kink else [min(self, key=_error)] * 2
        return low, high

    @property
    def interval(self) -> tuple[float, float]:
        """All slopes that can be right: Clarke's subgradients at a kink, widened by the bounds."""
        return self._widened(1.0)

    def accepts(self, analytic: float, rtol: float = 0.0, atol: float = 0.0) -> bool:
        """Whether `analytic` lies within SAFETY bounds of the interval; the tolerances only loosen.

        An infinite slope is right where the quotients do not settle, as for sqrt at 0.
        """
        if not math.isfinite(analytic):
            best = min(self, key=_error)
            return best.error == math.inf or (
                math.isinf(analytic) and best.error > 1e-3 * abs(best.value)
            )
        low, high = self._widened(SAFETY)
        floor = atol + (rtol + 8 * EPS) * abs(analytic)
        return low - floor <= analytic <= high + floor

    def _widened(self, factor: float) -> tuple[float, float]:
        low, high = self.ends
        if math.isinf(low.error + high.error):
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
    """The slope of phi(t) = f(x + t direction) at t = 0, from the side t > 0 (+1) or t < 0 (-1).

    `x` is an array (or number), `direction` broadcasts to it, f returns one number (TypeError
    otherwise). The steps go from scale / 4 downwards, `scale` being a step that moves some
    element by as much as its own size (at least 1). Steps where f is nan or infinite, or raises a
    ValueError or ArithmeticError, are left out.

    >>> slope = one_sided(np.exp, 1.0)
    >>> slope.error < 1e-10, abs(slope.value - math.e) <= slope.error
    (True, True)
    >>> one_sided(np.log, 0.0).error
    inf
    """
    return _slope(_single(f, x, direction), side, scale)


def directional(f: Callable[[np.ndarray], Any], x: Any, direction: Any = 1.0) -> Slopes:
    """The slopes of t -> f(x + t direction) at t = 0 from the left and from the right.

    >>> slopes = directional(np.abs, 0.0)
    >>> slopes.is_kink, slopes.accepts(0.3), slopes.accepts(1.01)
    (True, True, False)
    >>> directional(np.tanh, 0.0).accepts(1.0005)
    False
    """
    return _slopes(_single(f, x, direction))


class _Line:
    """t -> <g, f(x + t d)> - <g, f(x)>; the values of f are kept, so that cotangents share them."""

    def __init__(
        self, f: Callable[[np.ndarray], Any], x: Any, direction: Any, g: Any = None
    ) -> None:
        self.f, self.x = f, np.array(x, dtype=np.float64)
        self.d = np.broadcast_to(np.asarray(direction, dtype=np.float64), self.x.shape)
        self.known: dict[float, np.ndarray | None] = {}
        moving = np.flatnonzero(self.d)
        self.lead = moving[0] if moving.size == 1 else None
        ratio = np.abs(self.x.flat[moving] / self.d.flat[moving])
        unit = 1 / np.abs(self.d.flat[moving])
        self.scale = float(np.maximum(ratio, unit).min(initial=math.inf))
        self.tiny = float(ratio[ratio > 0].min(initial=math.inf))
        self.eps = EPS
        self.base = self.value(0.0)
        if self.base is not None:
            self.weigh(np.ones(self.base.shape) if g is None else np.asarray(g, dtype=np.float64))

    def weigh(self, g: np.ndarray) -> None:
        self.g, self.weighted = g, g * self.base
        self.changed = np.zeros(g.shape, dtype=bool)

    def value(self, t: float) -> np.ndarray | None:
        """f(x + t d) as an array of its own, or None where f raises."""
        if t not in self.known:
            try:
                y = np.asarray(self.f(self.x + t * self.d))
                if y.dtype.kind == "f":
                    self.eps = max(self.eps, float(np.finfo(y.dtype).eps))
                self.known[t] = y.astype(np.float64)
            except (ValueError, ArithmeticError):
                self.known[t] = None
        return self.known[t]

    def at(self, t: float) -> tuple[float, float, float] | None:
        """The step taken, the change of phi, and the size of the numbers that were added up for it."""
        y, step = self.value(t), t
        if self.lead is not None:  # x + t d is rounded; the step is what has really been taken
            start = self.x.flat[self.lead]
            step = (start + t * self.d.flat[self.lead] - start) / self.d.flat[self.lead]
        if y is None or step == 0:
            return None
        changed = y != self.base  # the others may be huge or infinite, they add no noise
        self.changed |= changed
        difference = np.where(changed, self.g * (y - self.base), 0.0)
        change = float(difference.sum())
        size = _norm(difference) + self.size
        return (float(step), change, size) if math.isfinite(size) else None

    @property
    def size(self) -> float:
        """What carries noise: the elements that moved; if none did, all (tanh(20) hides its slope)."""
        return _norm(np.where(self.changed, self.weighted, 0.0) if self.changed.any() else self.weighted)


def _single(f: Callable[[np.ndarray], Any], x: Any, direction: Any) -> _Line:
    line = _Line(f, x, direction)
    if line.base is not None and line.base.size != 1:
        raise TypeError(
            f"f returned an array of shape {line.base.shape}, expected one number.\n"
            "Write np.sum(g * f(x)) with a fixed g (see random_cotangent), or use check_vjp."
        )
    return line


def _slopes(line: _Line) -> Slopes:
    return Slopes(_slope(line, -1), _slope(line, +1))


def _slope(line: _Line, side: int, scale: float | None = None) -> Estimate:
    """The rung with the least bound, from the large steps down until rounding alone exceeds it."""
    best = Estimate(math.nan, math.inf, math.nan)
    if line.base is None:
        return best
    with np.errstate(all="ignore"):
        rungs = _ladder(line, side, scale or line.scale)
        seen = list(_until_smooth(rungs))
        noise = _noise(line, seen) if seen else 0.0
        for row, previous, step, sizes in chain(seen, rungs):
            options = []
            for m in range(1, len(row)):
                rounding = AMPLIFICATION[m] * max(noise, line.eps * max(sizes[-m - 1 :])) / abs(step)
                error = abs(row[m] - previous[m - 1]) + rounding
                options.append(Estimate(row[m], error, step))
            if options:
                new = min(options, key=_error)
                apart = abs(new.value - best.value) > SAFETY * (new.error + best.error)
                if new.error < best.error or apart:
                    best = new
                if AMPLIFICATION[0] * max(noise, line.eps * sizes[-1]) / abs(step) > best.error:
                    break
    return best


def _ladder(line: _Line, side: int, scale: float) -> Iterator[tuple]:
    """Rows (T0, T1, ...) of the extrapolation table, each with the row before, its step and sizes."""
    row, sizes, last = [], [], math.nan
    for t in _steps(scale, line.tiny):
        point = line.at(side * t)
        if point is None or t * RATIO != last:
            row, sizes = [], []
        last = t
        if point is not None:
            step, change, size = point
            previous, row = row, [change / step]
            sizes = [*sizes[-ORDER:], size]
            for m, older in enumerate(previous[:ORDER], 1):
                row.append(row[-1] + (row[-1] - older) / (RATIO**m - 1))
            yield row, previous, step, sizes


def _steps(scale: float, tiny: float) -> list[float]:
    """Powers of two from scale / 4 downwards; where x itself is tiny, from |x| / 4 on once more."""
    first, again = (2.0 ** (math.floor(math.log2(min(s, 1e300))) - 2) for s in (scale, tiny))
    steps = [first / RATIO**k for k in range(RUNGS)]
    if again < steps[-10]:  # sqrt at 1e-12 has no slope that a step of 1e-12 could find
        steps = [t for t in steps if t > again] + [again / RATIO**k for k in range(RUNGS // 2)]
    return steps


def _until_smooth(rungs: Iterator[tuple]) -> Iterator[tuple]:
    """The rungs down to the first at which phi looks like a parabola, to within 5 %."""
    for row, previous, step, sizes in rungs:
        yield row, previous, step, sizes
        if len(row) > 2 and abs(row[2] - previous[1]) <= 0.05 * max(abs(row[0]), abs(row[1])):
            return


def _noise(line: _Line, rungs: list[tuple]) -> float:
    """Three standard deviations of the noise of phi, seen on a line of ten neighbouring points."""
    width = rungs[-1][2] * 2.0**-12  # far below the curvature
    values = [line.at(width * t) for t in PLACES]
    probe = line.value(0.618 * rungs[0][2])
    if probe is not None:
        fresh = probe[probe != line.base]
        if fresh.size and (fresh == fresh.astype(np.float32)).all():
            line.eps = max(line.eps, EPS32)  # computed in float32, whatever the dtype says
    if None in values:
        return 0.0
    third = np.abs(THIRD @ [change for _, change, _ in values])
    return float(np.sort(third)[len(third) // 2])


def _error(estimate: Estimate) -> float:
    return estimate.error


def _norm(values: np.ndarray) -> float:
    total = float(np.vdot(values, values))
    if total < math.inf:
        return math.sqrt(total)
    largest = float(np.abs(values).max())  # 1e200 has a norm, though not a square
    return largest * math.sqrt(np.vdot(values / largest, values / largest))
