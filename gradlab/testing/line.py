"""A function along a line: how much it changes over a step, and how exactly that is known.

Rounding in f is what spoils a measured slope, so it is estimated from the values of f themselves.

f is rounded to eps |f|, or more, which shows at ten neighbouring points: third differences cancel
every parabola and keep sqrt(20) times the noise. Their median, three standard deviations, is not
moved by a single kink (cf. Moré and Wild, Estimating Computational Noise, 2011).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

EPS = float(np.finfo(np.float64).eps)

# Uneven places, as even ones can be in step with the grid of a rounded f; and the third divided
# differences over every four neighbours, scaled so that noise sigma becomes sqrt(20) sigma.
PLACES = [1 + i + 0.4 * math.sin(i**3) for i in range(10)]
THIRD = np.zeros((7, 10))
for _i, _row in enumerate(THIRD):
    _four = PLACES[_i : _i + 4]
    _row[_i : _i + 4] = [1 / math.prod(a - b for b in _four if b != a) for a in _four]
    _row *= math.sqrt(20) / np.linalg.norm(_row)


class Precision:
    """The coarsest rounding that a function has shown; what one of its lines shows holds for all.

    Attributes:
        eps: the relative rounding.
        least: the smallest positive number: below it everything is 0.
    """

    def __init__(self) -> None:
        self.eps, self.least = EPS, math.ulp(0.0)

    def is_that_of(self, dtype: Any) -> None:
        """Take note that the function rounds to this type."""
        self.eps = max(self.eps, float(np.finfo(dtype).eps))
        self.least = max(self.least, float(np.finfo(dtype).smallest_subnormal))


class Change(NamedTuple):
    """The step taken, the change of phi over it, and the size of the numbers it was made from."""

    step: float
    value: float
    size: float


class Line:
    """phi(t) = <g, f(x + t d)> - <g, f(x)>; the values of f are kept: cotangents share them.

    Attributes:
        base: f(x), flat; None if f has no value there.
        scale: how far to go to move some element of x by its own size, or by 1 if that is more.
        tiny: how far to go to move the smallest element of x by its own size.
        precision: in which f computes, as far as its values have shown.
        size: of the numbers that phi is made of.
    """

    def __init__(
        self,
        f: Callable[[np.ndarray], Any],
        x: Any,
        direction: Any,
        g: np.ndarray | None = None,
        precision: Precision | None = None,
    ) -> None:
        self.f, self.x = f, np.array(x, dtype=np.float64)
        self.d = np.broadcast_to(np.asarray(direction, dtype=np.float64), self.x.shape)
        moving = np.flatnonzero(self.d)
        start, along = self.x.flat[moving], self.d.flat[moving]
        self.lead = (float(start[0]), float(along[0])) if moving.size == 1 else None
        self.known: dict[float, np.ndarray | None] = {}
        self.precision, self.size = precision or Precision(), 0.0
        self.base: Any = None
        with np.errstate(all="ignore"):
            ratio = np.abs(start / along)
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
                    self.precision.is_that_of(y.dtype)
                self.known[t] = y.astype(np.float64).ravel()
            except (ValueError, ArithmeticError):
                self.known[t] = None
        return self.known[t]

    def change(self, t: float) -> Change | None:
        """How phi changes from 0 to t; None where it has no value."""
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
        return Change(step, float(self.ones @ difference), size + self.size)

    def _note(self, difference: np.ndarray) -> None:
        """`size` is that of the elements seen to move: the others may be huge and add no noise.

        While none has moved it is the size of all: tanh(20) hides its slope in its last digit.
        """
        moved = difference != 0
        key = moved.tobytes()
        if key != self.last and moved.any():
            self.last, self.changed = key, self.changed | moved
            self.size = _norm(self.weighted[self.changed])

    def noise(self, step: float, share: float = 2.0**-12) -> float:
        """Three standard deviations of the noise of phi, seen at neighbours so far apart.

        2^-12 of a step over which phi is a parabola leaves nothing of its curvature.
        """
        width = math.copysign(max(abs(step) * share, self.precision.eps * self.coarse), step)
        changes = [self.change(width * place) for place in PLACES]
        values = [change.value for change in changes if change is not None]
        if len(values) < len(PLACES):
            return self.precision.least
        return max(float(np.sort(np.abs(THIRD @ values))[3]), self.precision.least)


def _norm(values: np.ndarray) -> float:
    total = float(values @ values)
    if 1e-290 < total < math.inf:
        return math.sqrt(total)
    largest = float(np.abs(values).max(initial=0.0))
    if not 0.0 < largest < math.inf:
        return largest
    return largest * math.sqrt((values / largest) @ (values / largest))  # 1e200 and 1e-200 fit
