"""Gradients that are right here and wrong there: between which numbers, and at which elements.

A slope with cases has one for each side of a kink or of a limit, and one of them is easily missed.
"""

from __future__ import annotations

import dataclasses
import math

import numpy as np

from gradlab.testing.evidence import Evidence, Found
from gradlab.testing.line import Precision

STEPS = (0.13, 0.31, 0.57, 1.17, 1.9)  # where to look from an element, and at which shares of it
SHARES = (0.02, 0.05, 0.09, 0.17, 0.31, 0.57, 0.83, 1.17, 1.9, 3.1, 6.3)


def beyond_a_threshold(evidence: Found) -> str | None:
    """Right on one side of a number, wrong on the other."""
    first = evidence[0]
    index = next((i for i in first.indices if _right_at(first, i) is False), None)
    if index is None:
        return None
    x = float(first.x[index])
    near = [x + sign * step for step in STEPS for sign in (-1, 1)]
    points = sorted({x, *near, *(x * share for share in SHARES), *(-x * share for share in SHARES)})
    known = [(t, _right_at(first, index, t)) for t in points]
    known = [(t, right) for t, right in known if right is not None]
    if sum(right for _, right in known) < 3 or (x, False) not in known:
        return None  # not (x, False): it is wrong in this memory layout only
    at = known.index((x, False))
    low, high = at, at
    while low > 0 and not known[low - 1][1]:
        low -= 1
    while high + 1 < len(known) and not known[high + 1][1]:
        high += 1
    if high == low:
        return None
    name = first.about.names[first.place]
    ends = [
        f"{word} {name} = {_bisect(first, index, known[good][0], known[bad][0])}"
        for word, good, bad in (("above", low - 1, low), ("below", high + 1, high))
        if 0 <= good < len(known)
    ]
    return f"wrong only {' and '.join(ends)}: is a case (a kink, a limit) forgotten there?"


def _bisect(first: Evidence, index: tuple[int, ...], good: float, bad: float) -> str:
    """Where, between a number at which the gradient is right and one at which it is not."""
    width = max(abs(bad - good), abs(float(first.x[index])))
    for _ in range(24):
        middle = (good + bad) / 2
        if _right_at(first, index, middle):
            good = middle
        else:
            bad = middle
    close = 1e-3 * abs(bad) + 1e-5 * width  # beside a kink either slope is taken for right
    rounded = (round(bad, digits) + 0.0 for digits in range(8))  # + 0.0: no minus before 0
    return f"{next((r for r in rounded if abs(r - bad) <= close), bad):.4g}"


def _right_at(first: Evidence, index: tuple[int, ...], t: float | None = None) -> bool | None:
    """Whether the slope of an element is right if its value is t; None if nobody can tell."""
    about = first.about
    if t is not None:
        x = np.array(first.x)
        x[index] = t
        args = list(about.args)
        args[first.place] = x
        # Far away f may look rough, as 1 + erf(-7) does; that says nothing of the other points.
        about = dataclasses.replace(about.at(*args), precision=Precision())
    try:
        analytic = float(np.asarray(about.vjp(first.g, *about.args)[first.place])[index])
        slopes = about.slopes(first.place, about.unit(first.place, index), first.g)
    except Exception:  # outside the domain
        return None
    low, high = slopes.ends
    size = max(abs(low.value), abs(high.value), abs(analytic))
    if not low.error < math.inf or size < 1e-6 * first.size:
        return None
    if slopes.accepts(analytic, rtol=100 * float(np.finfo(first.given.dtype).eps)):
        return True
    # A formula that is nearly right everywhere is not right in places: in between, nobody can tell.
    return None if slopes.accepts(analytic, rtol=first.rtol * 0.1) else False


def few_elements(evidence: Found) -> str | None:
    """Most are right: say which are not."""
    first = evidence[0]
    verdicts = {i: _right_at(first, i) for i in first.indices}
    wrong = [i for i, right in verdicts.items() if right is False]
    if 0 < len(wrong) < list(verdicts.values()).count(True):
        listed = ", ".join(str(list(i)) for i in wrong[:3])
        are, why = "zero", "are all of them written?"
        if any(first.given[i] for i in wrong):
            are, why = "wrong", "is a mask or an index forgotten?"
        return f"only some elements are {are}, such as {listed}: {why}"
    return None
