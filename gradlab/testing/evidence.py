"""What is known about a wrong gradient: what it says, what was measured, what a trace would say.

A diagnosis is only named if it explains the gradient at several points, not at one by accident.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from gradlab import tape
from gradlab.tensor import Tensor
from gradlab.testing.ladder import Estimate
from gradlab.testing.numeric import random_cotangent
from gradlab.testing.subject import Subject
from gradlab.testing.trail import Trail

Index = tuple[int, ...]

MEASURED = 12  # elements at each point


class Evidence:
    """One point and one cotangent: the gradient given for an argument, and the slopes measured."""

    def __init__(self, about: Subject, place: int, g: np.ndarray, first: Sequence[Index]) -> None:
        self.about, self.place, self.g = about, place, g
        self.x = np.asarray(about.args[place])
        given = about.vjp(g, *about.args)[place]
        self.given = np.asarray(math.nan if given is None else given, dtype=np.float64)
        eps = max(np.finfo(a.dtype).eps for a in (self.x, about.value) if a.dtype.kind == "f")
        self.rtol = 10 * math.sqrt(float(eps))
        spread = np.linspace(0, self.x.size - 1, min(self.x.size, MEASURED)).astype(int)
        more = [tuple(int(k) for k in np.unravel_index(i, self.x.shape)) for i in spread]
        self.measured: dict[Index, Estimate | None] = {}
        self.indices = list(dict.fromkeys([*first, *more]))

    def true(self, index: Index) -> Estimate | None:
        """The measured slope of one element; None at a kink, or where there is none."""
        if index not in self.measured:
            slopes = self.about.slopes(self.place, self.about.unit(self.place, index), self.g)
            low, _ = slopes.ends
            known = not slopes.is_kink and math.isfinite(low.error)
            self.measured[index] = low if known else None
        return self.measured[index]

    @property
    def well_shaped(self) -> bool:
        """Whether the given gradient has the shape of its argument."""
        return self.given.shape == self.x.shape

    def pairs(self) -> Iterator[tuple[float, float]]:
        """Given and measured slope of each element that was measured."""
        for index in self.indices:
            true = self.true(index)
            if true is not None:
                yield float(self.given[index]), true.value

    @functools.cached_property
    def size(self) -> float:
        """How large the slopes are here."""
        known = [true for index in self.indices if (true := self.true(index)) is not None]
        given = self.given[np.isfinite(self.given)]
        return max([abs(true.value) for true in known] + [float(np.abs(given).max(initial=0.0))])

    @functools.cached_property
    def measured_size(self) -> float:
        """How large the measured slopes are."""
        known = [true for index in self.indices if (true := self.true(index)) is not None]
        return max((abs(t.value) - t.error for t in known if abs(t.value) > t.error), default=0.0)

    def belongs_to(self, other: int) -> bool:
        """Whether the given gradient is right for another argument."""
        shape = np.shape(self.about.args[other])
        if self.given.shape != shape:
            return False
        spread = np.linspace(0, self.given.size - 1, min(self.given.size, MEASURED)).astype(int)
        for i in spread:
            index = tuple(int(k) for k in np.unravel_index(i, shape))
            low = self.about.slopes(other, self.about.unit(other, index), self.g).ends[0]
            if low.error < math.inf and not self.same(float(self.given[index]), low.value):
                return False
        return True

    def same(self, a: float, b: float, room: float = 0.0) -> bool:
        """Equal as far as a diagnosis needs it."""
        return abs(a - b) <= self.rtol * (abs(a) + abs(b)) + 1e-2 * self.rtol * self.size + room

    def fits(self, gradient: Any) -> bool:
        """Whether an array is right, element by element."""
        gradient = np.asarray(gradient)
        if gradient.shape != self.x.shape:
            return False
        true = [(self.true(index), index) for index in self.indices]
        return all(t is None or self.same(float(gradient[i]), t.value) for t, i in true)

    def explains(self, gradient: Any) -> bool:
        """Whether an array is the wrong gradient that was given."""
        gradient = np.asarray(gradient, dtype=np.float64)
        if gradient.shape != self.given.shape:
            return False
        size = float(np.abs(self.given[np.isfinite(self.given)]).max(initial=0.0))
        return bool(np.all(np.abs(gradient - self.given) <= self.rtol * max(size, 1e-3)))

    @functools.cached_property
    def uses(self) -> dict[Index, np.ndarray]:
        """For each element, what each element of f adds to its slope."""
        found, along = {}, self.about.moved(self.place)
        for index in self.indices:
            h = 1e-5 * max(1.0, abs(float(self.x[index])))
            unit = self.about.unit(self.place, index)
            try:
                change = (along(self.x + h * unit) - along(self.x - h * unit)) / (2 * h)
            except ValueError:
                continue
            found[index] = (self.g * change).ravel()
        return found

    @functools.cached_property
    def trail(self) -> Trail | None:
        """f traced by gradlab, if it can be: its parts, and the gradient that each receives."""
        leaf, args = Tensor(self.x), list(self.about.args)
        args[self.place] = leaf
        try:
            with tape.recording(True), np.errstate(all="ignore"):
                y = self.about.source(*args)
            name = self.about.names[self.place]
            return Trail(y, leaf, self.g, name) if isinstance(y, Tensor) else None
        except Exception:  # not written for Tensors: then there is no trace
            return None


def gather(
    about: Subject, place: int, first: Sequence[Index], seed: Sequence[int]
) -> list[Evidence]:
    """The evidence at the point that failed, then at others like it, inside the domain."""
    found = [Evidence(about, place, about.cotangent(seed), first)]
    rng = np.random.default_rng([*seed, 7])
    for shift, width in ((1.0, 0.3), (1.0, 1.5), (-1.0, 0.3), (0.0, 1.0)):
        args = list(about.args)
        for i in about.wrt:
            a = np.asarray(args[i])
            moved = shift * a + width * np.maximum(np.abs(shift * a), 1.0) * rng.normal(
                size=a.shape
            )
            args[i] = np.asarray(moved).astype(a.dtype)
        other = about.at(*args)
        try:
            alike = other.f.holds(args) and other.value.shape == about.value.shape
            if alike and np.isfinite(other.value).all():
                g = random_cotangent(other.value.shape, rng)
                g = np.asarray(g).astype(about.cotangent(seed).dtype)
                found.append(Evidence(other, place, g, first))
        except Exception:  # f or its backward pass does not like the point
            continue
    return found


Found = list[Evidence]
