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
* n is eps |f|, or what f shows, if that is more: third differences of neighbouring values cancel
  every parabola and keep sqrt(20) times the noise. Their median, three standard deviations, is not
  moved by a single kink (cf. Moré and Wild, Estimating Computational Noise, 2011).
* One side at a time: at a kink a central difference is the mean of two slopes and equals neither,
  two one-sided ones enclose every subgradient; and at the edge of a domain one side is enough.

What values cannot show: a kink nearer than the square root of the noise looks as if it were at x,
and both slopes are accepted; and where float32 rounding in one term of a float64 sum hides that
term's last slope, the term is taken to be flat.
"""

import copy
import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from operator import attrgetter
from typing import Any, NamedTuple

import numpy as np

RATIO = 4.0
RUNGS = 24  # 0.25 / 4^23 = 4e-15: below that x + h is x
ORDER = 5
SAFETY = 4.0  # the bounds are estimates: every hard case of the tests stays within this multiple
EPS, EPS32 = float(np.finfo(np.float64).eps), float(np.finfo(np.float32).eps)

AMPLIFICATION = [2.0]  # c_m = c_(m-1) (r^m + 1/r) / (r^m - 1)
for _power in (RATIO**m for m in range(1, ORDER + 1)):
    AMPLIFICATION.append(AMPLIFICATION[-1] * (_power + 1 / RATIO) / (_power - 1))

# Uneven places, as even ones can be in step with the grid of a rounded f; and the third divided
# differences over every four neighbours, scaled so that noise sigma becomes sqrt(20) sigma.
PLACES = [1 + i + 0.4 * math.sin(i**3) for i in range(10)]
THIRD = np.zeros((7, 10))
for _i, _row in enumerate(THIRD):
    _four = PLACES[_i : _i + 4]
    _row[_i : _i + 4] = [1 / math.prod(a - b for b in _four if b != a) for a in _four]
    _row *= math.sqrt(20) / np.linalg.norm(_row)


class Estimate(NamedTuple):
    """A slope, the bound on its error, the step it was found at; (nan, inf, nan) if none was."""

    value: float
    error: float
    step: float


UNKNOWN = Estimate(math.nan, math.inf, math.nan)


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
        best = min(self, key=attrgetter("error"))
        low, high = sorted(self) if self.is_kink else (best, best)
        return low, high

    @property
    def interval(self) -> tuple[float, float]:
        """All slopes that can be right: Clarke's subgradients at a kink, widened by the bounds."""
        return self._widened(1.0)

    def accepts(self, analytic: float, rtol: float = 0.0, atol: float = 0.0) -> bool:
        """Whether `analytic` is within SAFETY bounds of the interval; the tolerances only loosen.

        An infinite slope is right where the quotients do not settle, as for sqrt at 0.
        """
        if not math.isfinite(analytic):
            best = min(self, key=attrgetter("error"))
            unsettled = best.error > 1e-3 * abs(best.value)
            return best.error == math.inf or (math.isinf(analytic) and unsettled)
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
    return _slope(_single(f, x, direction), side, scale)


def directional(f: Callable[[np.ndarray], Any], x: Any, direction: Any = 1.0) -> Slopes:
    """The slopes of t -> f(x + t direction) at t = 0 from the left and from the right.

    >>> slopes = directional(np.abs, 0.0)
    >>> slopes.is_kink, slopes.accepts(0.3), slopes.accepts(1.01)
    (True, True, False)
    >>> directional(np.tanh, 0.0).accepts(1.0005)
    False
    """
    line = _single(f, x, direction)
    return Slopes(_slope(line, -1), _slope(line, +1))


def _single(f: Callable[[np.ndarray], Any], x: Any, direction: Any) -> "_Line":
    line = _Line(f, x, direction)
    if line.base is not None and line.base.size != 1:
        raise TypeError(
            f"f returned {line.base.size} numbers, expected one.\n"
            "Write np.sum(g * f(x)) with a fixed g (see random_cotangent), or use check_vjp."
        )
    return line


# ---- the ladder ----


class _Rung(NamedTuple):
    """A row T0, T1, ... of the extrapolation table, and what is needed to bound its errors."""

    row: list[float]
    above: list[float]  # the row of the step four times as large
    step: float
    sizes: list[float]  # of the numbers phi was made from, for the steps of this row

    @property
    def is_smooth(self) -> bool:
        """Whether phi looks like a parabola to within 5 % on this scale."""
        row = self.row
        return len(row) > 2 and abs(row[2] - self.above[1]) <= 0.05 * max(abs(row[0]), abs(row[1]))

    def best(self, noise: float, eps: float) -> Estimate:
        """The extrapolant with the least bound; two may agree by accident, a third will not."""
        best, row = UNKNOWN, self.row
        for m in range(1, len(row)):
            error = abs(row[m] - self.above[m - 1])
            if m > 1:
                error = max(error, abs(row[m - 1] - self.above[m - 2]) / RATIO)
            if m + 1 < len(row):
                error = max(error, abs(row[m + 1] - row[m]))
            error += self.rounding(m, noise, eps)
            if error < best.error:
                best = Estimate(row[m], error, self.step)
        return best

    def rounding(self, m: int, noise: float, eps: float) -> float:
        """What noise in phi does to T_m."""
        return AMPLIFICATION[m] * max(noise, eps * max(self.sizes[-m - 1 :])) / abs(self.step)


def _slope(line: "_Line", side: int, scale: float | None = None) -> Estimate:
    """The rung with the least bound, from large steps down until rounding alone exceeds it."""
    best, seen = UNKNOWN, []
    if line.base is None:
        return best
    with np.errstate(all="ignore"):
        ladder = _ladder(line, side, scale or line.scale)
        for rung in ladder:
            seen.append(rung)
            if rung.is_smooth:
                break
        noise = _noise(line, seen) if seen else 0.0
        for rung in chain(seen[-1:] if seen and seen[-1].is_smooth else seen, ladder):
            new = rung.best(noise, line.eps)
            contradicts = abs(new.value - best.value) > SAFETY * (new.error + best.error)
            if new.error < best.error or contradicts:
                best = new
            exact = best.error <= 16 * EPS * abs(best.value)
            if exact or rung.rounding(0, noise, line.eps) > best.error:
                break
    return best


def _ladder(line: "_Line", side: int, scale: float) -> Iterator[_Rung]:
    """The rungs from large steps to small; where f has no value the table starts anew."""
    row, sizes, last = [], [], math.nan
    for t in _steps(scale, line.tiny):
        point = line.at(side * t)
        if point is None or t * RATIO != last:
            row, sizes = [], []
        last = t
        if point is not None:
            step, change, size = point
            above, row = row, [change / step]
            sizes = [*sizes[-ORDER:], size]
            for m, older in enumerate(above[:ORDER], 1):
                row.append(row[-1] + (row[-1] - older) / (RATIO**m - 1))
            yield _Rung(row, above, step, sizes)


def _steps(scale: float, tiny: float) -> list[float]:
    """Powers of two from scale / 4 downwards; where x itself is tiny, from |x| / 4 on once more."""
    first, again = (2.0 ** (math.floor(math.log2(min(s, 1e300))) - 2) for s in (scale, tiny))
    steps = [first / RATIO**k for k in range(RUNGS)]
    if again < steps[-10]:  # a step of 1e-12 cannot find the slope of sqrt at 1e-12
        steps = [t for t in steps if t > again] + [again / RATIO**k for k in range(RUNGS // 2)]
    return steps


# ---- the noise ----


def _noise(line: "_Line", rungs: list[_Rung]) -> float:
    """Three standard deviations of the noise of phi, seen at ten neighbouring points."""
    if line.eps < EPS32 and _is_float32(line, rungs):
        line.eps = EPS32
    step = rungs[-1].step  # far below the curvature, yet not below the grid of x
    width = math.copysign(max(abs(step) * 2.0**-12, line.eps * line.coarse), step)
    points = [line.at(width * place) for place in PLACES]
    changes = [point[1] for point in points if point is not None]
    if len(changes) < len(points):
        return 0.0
    return float(np.sort(np.abs(THIRD @ changes))[3])


def _is_float32(line: "_Line", rungs: list[_Rung]) -> bool:
    """Whether f rounds to float32 inside, although it returns float64.

    Then all that moves are float32 numbers, or phi stands still where its slope says it must move.
    """
    probe = line.value(0.618 * rungs[0].step)
    if probe is not None:
        fresh = probe[probe != line.base]
        if fresh.size and (fresh == fresh.astype(np.float32)).all():
            return True
    move = math.copysign(2.0**-28 * line.coarse, rungs[-1].step)  # 1/16 of a float32 step, or less
    steepest = max(abs(rung.row[0]) for rung in rungs)
    if steepest * abs(move) <= 16 * line.eps * rungs[-1].sizes[-1]:
        return False
    near, far = line.at(move), line.at(2 * move)
    return near is not None and far is not None and (near[1] == 0 or near[1] == far[1])


class _Line:
    """t -> <g, f(x + t d)> - <g, f(x)>; the values of f are kept, so that cotangents share them."""

    def __init__(
        self, f: Callable[[np.ndarray], Any], x: Any, direction: Any, g: np.ndarray | None = None
    ) -> None:
        self.f, self.x = f, np.array(x, dtype=np.float64)
        self.d = np.broadcast_to(np.asarray(direction, dtype=np.float64), self.x.shape)
        moving = np.flatnonzero(self.d)
        start, along = self.x.flat[moving], self.d.flat[moving]
        self.lead = (float(start[0]), float(along[0])) if moving.size == 1 else None
        self.known: dict[float, np.ndarray | None] = {}
        self.eps, self.size = EPS, 0.0
        self.base: Any = None  # f(x), flat; None if f has no value there
        with np.errstate(all="ignore"):
            ratio = np.abs(start / along)  # how far to go to move each element by its own size
            self.coarse = float(ratio.max(initial=0.0))
            self.tiny = float(ratio[ratio > 0].min(initial=math.inf))
            self.scale = float(np.maximum(ratio, 1 / np.abs(along)).min(initial=math.inf))
            if math.isfinite(self.coarse):
                self.base = self.value(0.0)
        if self.base is not None:
            self.weigh(np.ones(self.base.size) if g is None else g.astype(np.float64).ravel())

    def weigh(self, g: np.ndarray) -> None:
        """Take another cotangent."""
        self.g, self.ones = g, np.ones(g.size)
        with np.errstate(all="ignore"):
            self.weighted = np.nan_to_num(g * self.base, nan=0.0, posinf=0.0, neginf=0.0)
            self.size = _norm(self.weighted)
        self.changed, self.last = np.zeros(g.size, dtype=bool), b""

    def value(self, t: float) -> np.ndarray | None:
        """f(x + t d) as a flat array of its own, or None where f raises."""
        if t not in self.known:
            try:
                y = np.asarray(self.f(self.x + t * self.d))
                if y.dtype != np.float64 and y.dtype.kind == "f":
                    self.eps = max(self.eps, float(np.finfo(y.dtype).eps))
                self.known[t] = y.astype(np.float64).ravel()
            except (ValueError, ArithmeticError):
                self.known[t] = None
        return self.known[t]

    def at(self, t: float) -> tuple[float, float, float] | None:
        """The step taken, the change of phi, and the size of the numbers it was made from."""
        y, step = self.value(t), t
        if self.lead is not None:  # x + t d is rounded; the step is what has really been taken
            start, along = self.lead
            step = (start + t * along - start) / along
        if y is None or step == 0:
            return None
        difference = y - self.base
        difference *= self.g
        size = _norm(difference)
        if not math.isfinite(size):  # an infinite element that stays so does no harm beside others
            difference[(y == self.base) | (np.isnan(y) & np.isnan(self.base))] = 0.0
            size = _norm(difference)
            if not math.isfinite(size) or not (size or self.changed.any()):
                return None
        self._note(difference)
        return step, float(self.ones @ difference), size + self.size

    def _note(self, difference: np.ndarray) -> None:
        """`size` is that of the elements seen to move: the others may be huge and add no noise.

        While none has moved it is the size of all: tanh(20) hides its slope in its last digit.
        """
        moved = difference != 0
        key = moved.tobytes()
        if key != self.last and moved.any():
            self.last, self.changed = key, self.changed | moved
            self.size = _norm(self.weighted[self.changed])


def _norm(values: np.ndarray) -> float:
    total = float(values @ values)
    largest = float(np.abs(values).max()) if total == math.inf else math.inf
    if largest == math.inf:
        return math.sqrt(total)
    return largest * math.sqrt((values / largest) @ (values / largest))  # no overflow at 1e200


# ---- comparing a backward pass ----


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
) -> list[Mismatch]:
    """Where vjp(g, *args)[argnum] is not the gradient of sum(g * f(*args)), for a random g.

    Up to `max_coords` elements are compared one at a time: all of them, or half with the largest
    gradients and half at random. If some are left over, `directions` dense random ones follow, and
    a rejected one is halved until the element to blame is found. f and vjp take and return NumPy
    arrays, vjp one gradient per argument (else TypeError). An empty list means that all is right.

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
        return f(*args[:argnum], z, *args[argnum + 1 :])

    def judge(d: np.ndarray) -> Mismatch | None:
        return _judge(_Line(moved, x, d, g), gradient, argnum, rtol, atol)

    chosen = _coordinates(gradient, max_coords, rng)
    units = (np.where(np.arange(x.size) == i, 1.0, 0.0).reshape(x.shape) for i in chosen)
    found = [judge(unit) for unit in units]
    if not any(found) and len(chosen) < x.size:
        for _ in range(directions):
            d = random_cotangent(x.shape, rng) * np.maximum(np.abs(x), 1.0)
            found.append(_culprit(judge, np.where(np.isfinite(gradient), d, 0.0)))
    return [mismatch for mismatch in found if mismatch]


def _malformed(gradient: Any, x: np.ndarray) -> str:
    """What is wrong with the gradient before any number is compared; empty if nothing is."""
    if gradient is None:
        return f"None, expected an array of shape {x.shape}"
    given = np.asarray(gradient)
    if given.shape != x.shape:
        return f"shape {given.shape}, expected the argument's shape {x.shape}"
    return "" if given.dtype.kind == "f" else f"dtype {given.dtype}, expected a floating one"


def _coordinates(gradient: np.ndarray, most: int, rng: np.random.Generator) -> np.ndarray:
    if gradient.size <= most:
        return np.arange(gradient.size)
    size = np.nan_to_num(np.abs(gradient).ravel(), nan=math.inf, posinf=math.inf)
    order, half = np.argsort(-size, kind="stable"), most // 2
    return np.concatenate([order[:half], rng.choice(order[half:], most - half, replace=False)])


def _judge(
    line: _Line, gradient: np.ndarray, argument: int, rtol: float, atol: float
) -> Mismatch | None:
    """Compare <gradient, d> with the slopes along d; if they disagree, element by element of f."""
    moving = np.flatnonzero(line.d)
    terms = gradient.flat[moving] * line.d.flat[moving]
    analytic, right = float(terms.sum()), _slope(line, +1)
    eps = float(np.finfo(gradient.dtype).eps)  # a rule rounds too, and its terms may cancel
    atol += 8 * eps * (float(np.abs(terms).sum()) + line.size / line.scale)
    if right.error < math.inf and Slopes(right, right).accepts(analytic, rtol, atol):
        return None  # nearly always, and in half the time
    slopes = Slopes(_slope(line, -1), right)
    if slopes.accepts(analytic, rtol, atol):
        return None
    slopes = _by_element(line) or slopes
    if slopes.accepts(analytic, rtol, atol):
        return None
    low, high = slopes.ends
    bound = (high.value - low.value) / 2 + SAFETY * max(low.error, high.error) + atol
    place = np.unravel_index(moving[0], line.x.shape) if moving.size == 1 else None
    coordinate = None if place is None else tuple(int(i) for i in place)
    return Mismatch(argument, analytic, slopes.left, slopes.right, bound, coordinate, line.d)


def _by_element(line: _Line) -> Slopes | None:
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
        low, high = Slopes(_slope(part, -1), _slope(part, +1)).ends
        lows.append(low)
        highs.append(high)
    return Slopes(_total(lows), _total(highs))


def _total(slopes: list[Estimate]) -> Estimate:
    return Estimate(sum(s.value for s in slopes), sum(s.error for s in slopes), slopes[0].step)


def _culprit(judge: Callable[[np.ndarray], Mismatch | None], d: np.ndarray) -> Mismatch | None:
    """Halve a rejected direction, keeping a rejected half, down to one element of the argument.

    None if no half is rejected: kinks of several elements met in the sum, each of them is right.
    """
    found = judge(d)
    while found and (where := np.flatnonzero(d)).size > 1:
        first = d.copy()
        first.flat[where[where.size // 2 :]] = 0.0
        for half in (first, d - first):
            worse = judge(half)
            if worse:
                found, d = worse, half
                break
        else:
            return None
    return found
