"""Richardson's ladder: the difference quotients of ever smaller steps, and what follows from them.

Each rung is a row of an extrapolation table: T0 the quotient itself, T1 free of its error h, T2 of
h^2 as well, and so on; two rungs that agree say how well they are known.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import NamedTuple

from gradlab.testing.line import Line

RATIO = 4.0
RUNGS = 24  # 0.25 / 4^23 = 4e-15: below that x + h is x
ORDER = 5

AMPLIFICATION = [2.0]  # c_m = c_(m-1) (r^m + 1/r) / (r^m - 1)
for _power in (RATIO**m for m in range(1, ORDER + 1)):
    AMPLIFICATION.append(AMPLIFICATION[-1] * (_power + 1 / RATIO) / (_power - 1))


class Estimate(NamedTuple):
    """A slope, the bound on its error, the step it was found at; (nan, inf, nan) if none was."""

    value: float
    error: float
    step: float

    @property
    def is_vertical(self) -> bool:
        """Whether there are differences, but they do not settle, as for sqrt at 0."""
        return self.error == math.inf and not math.isnan(self.value)


UNKNOWN = Estimate(math.nan, math.inf, math.nan)


class Rung(NamedTuple):
    """A row T0, T1, ... of the extrapolation table, and what is needed to bound its errors."""

    row: list[float]
    above: list[float]  # the row of the step four times as large
    step: float
    sizes: list[float]  # of the numbers phi was made from, for the steps of this row

    @property
    def gap(self) -> float:
        """How much this rung changed what the one above took for the slope."""
        return abs(self.row[2] - self.above[1]) if len(self.row) > 2 else math.inf

    @property
    def is_smooth(self) -> bool:
        """Whether phi looks like a parabola to within 5 % on this scale."""
        return len(self.row) > 2 and self.gap <= 0.05 * max(abs(self.row[0]), abs(self.row[1]))

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


def ladder(line: Line, side: int, scale: float) -> Iterator[Rung]:
    """The rungs from large steps to small; where f has no value the table starts anew."""
    row, sizes, last = [], [], math.nan
    for t in _steps(scale, line.tiny):
        change = line.change(side * t)
        if change is None or t * RATIO != last:
            row, sizes = [], []
        last = t
        if change is not None:
            above, row = row, [change.value / change.step]
            sizes = [*sizes[-ORDER:], change.size]
            for m, older in enumerate(above[:ORDER], 1):
                row.append(row[-1] + (row[-1] - older) / (RATIO**m - 1))
            yield Rung(row, above, change.step, sizes)


def _steps(scale: float, tiny: float) -> list[float]:
    """Powers of two from scale / 4 downwards; where x itself is tiny, from |x| / 4 on once more."""
    first, again = (2.0 ** (math.floor(math.log2(min(s, 1e300))) - 2) for s in (scale, tiny))
    steps = [first / RATIO**k for k in range(RUNGS)]
    if again < steps[-10]:  # a step of 1e-12 cannot find the slope of sqrt at 1e-12
        steps = [t for t in steps if t > again] + [again / RATIO**k for k in range(RUNGS // 2)]
    return steps
