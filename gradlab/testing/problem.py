"""What a check can find wrong: one problem each, with the numbers that show it.

The numbers are a row: what the gradient says, what was measured, how exactly.
"""

from __future__ import annotations

import dataclasses
import math
from typing import NamedTuple

import numpy as np

from gradlab.testing.numeric import Mismatch, coordinates, random_cotangent
from gradlab.testing.slopes import SAFETY, Slopes
from gradlab.testing.subject import Kinks, Subject


@dataclasses.dataclass(frozen=True)
class Settings:
    """How hard to look, and what to let pass."""

    kinks: Kinks
    rtol: float
    atol: float
    directions: int
    max_coords: int
    seed: tuple[int, ...]

    def at_seed(self, *seed: int) -> Settings:
        """The same with other random numbers."""
        return dataclasses.replace(self, seed=seed)


class Row(NamedTuple):
    """One number of a gradient beside the slope that was measured.

    At a kink `low` and `high` are the two slopes, elsewhere they are equal; `bound` is half the
    width of what is accepted. `index` is None for a random direction.
    """

    argument: str
    index: tuple[int, ...] | None
    analytic: float
    low: float
    high: float
    bound: float
    right: bool

    @property
    def measured(self) -> str:
        """The measured slope as text."""
        if not math.isfinite(self.bound):
            return "has no slope here"
        if self.low != self.high:
            return f"between {self.low:.6g} and {self.high:.6g} (a kink)"
        return f"{self.low:.10g} ± {self.bound:.1g}"

    @property
    def excess(self) -> float:
        """The error in units of the bound: more than 1 is wrong."""
        error = abs(self.analytic - (self.low + self.high) / 2)
        if not math.isfinite(error):
            return 0.0 if self.right else math.inf
        return error / self.bound if self.bound else math.inf if error else 0.0

    @property
    def where(self) -> str:
        """The element, such as W[0, 1]."""
        if self.index is None:
            return f"{self.argument} along a random direction"
        return f"{self.argument}{list(self.index) or ''}"


@dataclasses.dataclass(frozen=True)
class Problem:
    """One thing that is wrong.

    Attributes:
        kind: "slope", "shape", "kink", "raised", "nan" or the name of a law.
        text: what is wrong, in one line.
        place: the argument, by its position; None if it concerns all.
        row: the numbers, for a slope.
        mismatch: what `check_vjp` found.
        cause: the exception that the backward pass raised.
    """

    kind: str
    text: str
    place: int | None = None
    row: Row | None = None
    mismatch: Mismatch | None = None
    cause: Exception | None = None

    @classmethod
    def of(cls, about: Subject, found: Mismatch) -> Problem:
        """The problem that a mismatch is."""
        name, place = about.names[found.argument], found.argument
        if found.problem:
            text = f"the gradient of {name} is {_given(found.problem)}"
            return cls("shape", text, place, mismatch=found)
        row = row_of(name, found.coordinate, found.analytic, Slopes(found.left, found.right), False)
        row = row._replace(bound=found.bound)
        text = f"{row.where}: the gradient says {row.analytic:.10g}, measured {row.measured}"
        return cls("slope", text, place, row, found)

    def __str__(self) -> str:
        return self.text


def _given(problem: str) -> str:
    """The problem as check_vjp states it, after "is"."""
    if problem.startswith(("shape", "dtype")):
        return "of " + problem
    return problem + ": zeros where f does not use it"


def row_of(
    name: str, index: tuple[int, ...] | None, analytic: float, slopes: Slopes, right: bool
) -> Row:
    """The row for a number of the gradient and the slopes measured there."""
    low, high = slopes.ends
    bound = (high.value - low.value) / 2 + SAFETY * max(low.error, high.error)
    return Row(name, index, analytic, low.value, high.value, bound, right)


def places_of(about: Subject, how: Settings, place: int) -> list[tuple[int, ...]]:
    """The elements that `check_vjp` compares one at a time."""
    rng = np.random.default_rng(how.seed)
    random_cotangent(about.value.shape, rng)  # drawn first, and not needed
    g = about.cotangent(how.seed)
    gradient = np.asarray(about.vjp(g, *about.args)[place])
    if gradient.shape != np.shape(about.args[place]):
        return []
    flat = coordinates(gradient, how.max_coords, rng)
    return [tuple(int(k) for k in np.unravel_index(i, gradient.shape)) for i in flat]
