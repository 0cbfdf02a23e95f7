"""What a gradient check found, told to a student: where it is worst, and the likely mistake.

A Report is true if the gradient is right; table, plot and diagnosis are made when asked for.
"""

from __future__ import annotations

import dataclasses
import functools
import math
from typing import Any

import numpy as np

from gradlab.testing.curve import v_curve
from gradlab.testing.diagnosis import diagnose, not_linear, shapes_do_not_fit
from gradlab.testing.laws import LAWS, LINEAR
from gradlab.testing.problem import Problem, Row, Settings, places_of, row_of
from gradlab.testing.subject import Subject, show


class GradientError(AssertionError):
    """A gradient is wrong; `.report` knows where and why."""

    def __init__(self, report: Report) -> None:
        super().__init__(str(report))
        self.report = report


@dataclasses.dataclass(frozen=True, repr=False)
class Report:
    """The result of `gradcheck`: true if nothing is wrong.

    Attributes:
        about: the functions and the point.
        how: the settings of the check.
        problems: all that is wrong.
        first: the report of first order, in a check of second order.
    """

    about: Subject
    how: Settings
    problems: tuple[Problem, ...]
    first: Report | None = None

    def __bool__(self) -> bool:
        return not self.problems

    @functools.cached_property
    def rows(self) -> tuple[Row, ...]:
        """Each single element that was compared, measured once more for the reader."""
        rows = {(p.row.argument, p.row.index): p.row for p in self.problems if p.row}
        if any(p.kind == "raised" for p in self.problems):
            return ()
        g = self.about.cotangent(self.how.seed)
        for place in self.about.wrt:
            if any(p.place == place and p.kind == "shape" for p in self.problems):
                continue
            gradient = np.asarray(self.about.vjp(g, *self.about.args)[place])
            name = self.about.names[place]
            for index in places_of(self.about, self.how, place):
                slopes = self.about.slopes(place, self.about.unit(place, index), g)
                row = row_of(name, index, float(gradient[index]), slopes, True)
                rows.setdefault((name, index), row)
        return tuple(rows.values())

    @functools.cached_property
    def worst(self) -> Row | None:
        """The number that is furthest off, in units of its bound; None if none was compared."""
        failed = [p.row for p in self.problems if p.row]
        known = [] if self.problems else [r for r in self.rows if math.isfinite(r.bound)]
        return max(failed or known, key=_excess, default=None)

    @functools.cached_property
    def diagnosis(self) -> str | None:
        """The likely mistake, if the wrong gradient looks like one of the classic ones."""
        if not self.problems:
            return None
        first = self.problems[0]
        worst = next((p for p in self.problems if p.row and p.row == self.worst), first)
        if first.kind == "raised":
            return shapes_do_not_fit(first.cause)
        if worst.kind in ("slope", "shape") and worst.place is not None:
            about = self.about if self.about.is_wide else self.about.wide
            return diagnose(about, worst.place, worst.mismatch, self.how.seed)
        return not_linear(self.about, self.how.seed) if first.kind == LINEAR else None

    def __str__(self) -> str:
        return "\n".join(self._failed() if self.problems else self._passed())

    def __repr__(self) -> str:
        return str(self)

    def _passed(self) -> list[str]:
        rows = [*self.rows, *(self.first.rows if self.first is not None else ())]
        known = [row for row in rows if math.isfinite(row.bound)]
        verdict = "is right" if known or not rows else "was compared with nothing"
        title = self.about.title if self.first is None else self.first.about.title
        second = ", and so is the gradient of the gradient" if self.first is not None else ""
        kinks = sum(row.low != row.high for row in known)
        lines = [f"gradcheck: the gradient of {title} {verdict}{second}"]
        lines.append(f"  {len(known)} of {self._size()} elements compared one by one{self._more()}")
        if kinks:
            lines.append(f"  {kinks} at a kink, where {self._allowed()} is right")
        lines.append(f"  laws: {', '.join(LAWS)}")
        return lines + self._questions()

    def _size(self) -> int:
        reports = [self] if self.first is None else [self, self.first]
        return sum(np.asarray(r.about.args[i]).size for r in reports for i in r.about.wrt)

    def _more(self) -> str:
        sizes = (np.asarray(self.about.args[i]).size for i in self.about.wrt)
        many = any(n > self.how.max_coords for n in sizes)
        return f", then all along {self.how.directions} random directions" if many else ""

    def _allowed(self) -> str:
        if isinstance(self.how.kinks, dict):
            return "the agreed slope"
        return {
            "convention": "either of the two slopes",
            "skip": "anything",
        }.get(self.how.kinks, "any slope between the two")

    def _failed(self) -> list[str]:
        about = self.about
        lines = [f"gradcheck: the gradient of {about.title} is wrong, at {show(about, about.args)}"]
        worst = self.worst
        if worst is not None:
            wrong = sum(1 for p in self.problems if p.row)
            lines.append(f"  worst of {wrong}: {worst.where}")
            lines.append(f"    the gradient says {worst.analytic:.10g}")
            lines.append(f"    measured slope    {worst.measured}")
        others = [p for p in self.problems if p.row is None]
        lines += [f"  {p.text}" for p in others[:2]]
        if self.diagnosis:
            lines.append(f"  likely: {self.diagnosis}")
        return (lines + self._questions())[:8]

    def _questions(self) -> list[str]:
        """Points where f raised while it was measured, or has no value."""
        about = self.about
        if about.f.refused:
            args, error = about.f.refused
            return [
                f"  domain? {about.title} raised {type(error).__name__} at {show(about, args)}; "
                'if that is outside, say domain="x > 0" or the like'
            ]
        if not np.isfinite(about.value).all():
            return [
                f"  domain? {about.title} is not finite here, so there are slopes it does not have"
            ]
        return []

    def table(self) -> str:
        """Every element that was compared, one per line.

        >>> from gradlab.testing import gradcheck
        >>> print(gradcheck(np.square, np.array([0.5, -2.0])).table())
        element                gradient   measured
        x[0]                   1.265625   1.265625 ± ...
        x[1]                    -3.5625   -3.5625 ± ...
        """
        lines = [f"{'element':<14} {'gradient':>16}   measured"]
        for row in self.rows:
            mark = "" if row.right else "   WRONG"
            lines.append(f"{row.where:<14} {row.analytic:>16.10g}   {row.measured}{mark}")
        return "\n".join(lines)

    def plot(self, ax: Any = None) -> Any:
        """Plot the error of a finite difference against its step, the V curve; return the Axes.

        Large steps err by curvature, small ones by rounding. The dotted line is what gradcheck
        measured, by how much at most it errs; the dashed one the error of the gradient itself.

        Raises:
            ValueError: nothing was compared.
        """
        if self.worst is None:
            raise ValueError(
                "plot: no slope was compared\nexpected a point where f has one\n"
                "write print(report) to see why"
            )
        return v_curve(self, self.worst, ax)


def _excess(row: Row) -> float:
    return row.excess
