"""In what precision does a function compute? A float64 result may have passed through float32.

Its rounding is then nine digits coarser than it looks, and hides where a finer step meets none.
"""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np

from gradlab.testing.ladder import RATIO, Rung
from gradlab.testing.line import EPS, Line

EPS32 = float(np.finfo(np.float32).eps)
HIGH = 8 * EPS32  # no rounding of float32 numbers is as high, as a share of their size
STAIR = 2.0**-17  # the largest step of a rounded function, as a share of its size
FEW = 64  # roundings that a value in float64 may have gone through


def note_noise(line: Line, noise: float, rung: Rung) -> None:
    """More noise than rounding in float64 makes tells in what precision f computes."""
    size = max(rung.sizes)
    resolved = abs(rung.step) > 2.0**12 * EPS * line.coarse  # the neighbours were not farther away
    if resolved and noise > max(FEW * EPS * size, line.precision.least) and size > 0:
        line.precision.eps = max(line.precision.eps, min(noise / size, EPS32))


def has_high_stairs(line: Line, noise: float, rung: Rung) -> bool:
    """Whether phi has stairs too high to come from rounding, as those of floor at 1e5."""
    if noise <= HIGH * max(rung.sizes):
        return False
    move = math.copysign(2.0**-28 * line.coarse, rung.step)
    near, far = line.change(move), line.change(2 * move)
    return near is not None and far is not None and near.value == far.value


def shows_float32(line: Line, rungs: list[Rung], noise: float) -> bool:
    """Whether f rounds to float32 inside, although it returns float64.

    Either all its values say so, or it stands still over steps far below its slopes, or the gaps
    between rungs jump and there is noise on that scale: rounding that finer steps do not meet. The
    last two are asked of single elements: along several, kinks can look like that.
    """
    if _gives_float32(line, rungs):
        return True
    if line.lead is None:
        return False
    if _stands_still(line, rungs):
        return True
    ragged = (above for above, rung in pairwise(rungs) if _is_ragged(above, rung, noise))
    first = next(ragged, None)
    return first is not None and _is_rough(line, first.step)


def _gives_float32(line: Line, rungs: list[Rung]) -> bool:
    """Whether all values that have moved are float32 numbers, and not just short or whole ones.

    Steps that are powers of 2 lead from short numbers to such, so others are tried as well.
    """
    moving = [rung.step for rung in rungs if rung.row[0]]
    for step in moving[:1] + moving[-1:]:
        line.value(1.382 * step)
    rounded = False
    for y in line.known.values():
        if y is not None and (moved := y != line.base).any():
            values = np.concatenate([y[moved], line.base[moved]])
            if not (values.astype(np.float32) == values).all():
                return False
            long = (values.astype(np.float16) != values) & (np.rint(values) != values)
            rounded = rounded or bool(long.any())
    return rounded


def _stands_still(line: Line, rungs: list[Rung]) -> bool:
    """Whether phi has stairs: it stays over 1/16 of a float32 step, though it must move visibly.

    Its slope is that of the finest step over which it moves, and behind this it stays again: before
    a kink it would stand still as well, but not behind.
    """
    move = math.copysign(2.0**-28 * line.coarse, rungs[-1].step)
    moving = [r for r in rungs if r.row[0] and abs(r.step) > 2 * abs(move)]
    if not moving:
        return False
    slope, step, size = abs(moving[-1].row[0]), moving[-1].step, moving[-1].sizes[-1]
    if slope * abs(step) > STAIR * size or slope * abs(move) <= 16 * line.precision.eps * size:
        return False
    places = (move, 2 * move, step, step + move)
    changes = [change.value for t in places if (change := line.change(t)) is not None]
    if len(changes) < len(places):
        return False
    once, twice, behind, further = changes
    return once in (0.0, twice) and behind == further


def _is_ragged(above: Rung, rung: Rung, noise: float) -> bool:
    """Whether the gap between two rungs jumps, by no more than float32 rounding explains.

    Where phi is smooth each gap is 4 to 4096 times smaller than the one above; rounding makes it
    larger, and where a finer step meets no rounding it vanishes.
    """
    gap = max(above.gap, rung.gap)
    if not gap < math.inf or above.gap / RATIO**6 <= rung.gap <= above.gap / RATIO:
        return False
    least = 4 * RATIO**6 * rung.rounding(0, noise, EPS)
    return least < gap <= rung.rounding(2, 0.0, EPS32)


def _is_rough(line: Line, step: float) -> bool:
    """Whether neighbours half as far apart show the same noise: curvature shows an eighth."""
    far, near = line.noise(step, 1 / 4), line.noise(step, 1 / 8)
    return near > far / 4 and EPS32 / 64 * line.size < near <= HIGH * line.size
