"""The V curve: why no single step of a finite difference is right, and what gradcheck does.

Halve the step and the error of curvature shrinks; halve it further and rounding takes over.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

STEPS = np.logspace(0, -16, 65)


def v_curve(report: Any, row: Any, ax: Any = None) -> Any:
    """Draw the error of forward and central differences at one element, on Axes that it returns."""
    import matplotlib.pyplot as plt

    if ax is None:
        ax = plt.subplots(figsize=(6.4, 4.4), layout="constrained")[1]
    phi = along(report, row)
    slope = (row.low + row.high) / 2
    for name, difference in (("forward", forward), ("central", central)):
        errors = [abs(difference(phi, h) - slope) for h in STEPS]
        shown = [e if 0 < e < math.inf else math.nan for e in errors]
        ax.loglog(STEPS, shown, ".-", label=f"{name} difference")
    if row.low == row.high:
        ax.axhline(row.bound, color="0.4", ls=":", label="gradcheck's bound")
    error = abs(row.analytic - slope)
    if error > 0:
        ax.axhline(error, color="C3", ls="--", label="error of the gradient")
    ax.invert_xaxis()
    ax.set(xlabel="step h", ylabel="error", title=f"{report.about.title}: slope at {row.where}")
    ax.legend(loc="best", fontsize=8)
    return ax


def along(report: Any, row: Any) -> Callable[[float], float]:
    """t -> <g, f(x + t d)>, for the element or the direction of a row."""
    about, place = report.about, report.about.names.index(row.argument)
    x, g = np.asarray(about.args[place], dtype=np.float64), about.cotangent(report.how.seed)
    directions = [p.mismatch.direction for p in report.problems if p.row is row]
    d = directions[0] if row.index is None else about.unit(place, row.index)
    f = about.moved(place)

    def phi(t: float) -> float:
        try:
            return float(np.sum(g * f(x + t * d)))
        except ValueError:  # outside the domain
            return math.nan

    return phi


def forward(phi: Callable[[float], float], h: float) -> float:
    """(phi(h) - phi(0)) / h, with an error that grows like h.

    >>> round(forward(math.exp, 1e-3), 6)
    1.0005
    """
    return (phi(h) - phi(0.0)) / h


def central(phi: Callable[[float], float], h: float) -> float:
    """(phi(h) - phi(-h)) / 2h, with an error that grows like h^2.

    >>> round(central(math.exp, 1e-3), 6)
    1.0
    """
    return (phi(h) - phi(-h)) / (2 * h)
