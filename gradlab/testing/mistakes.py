"""Mistakes in the numbers of a gradient, each a hypothesis: does it predict what was given?

A factor, a lost cotangent, a slope left out, a use that was overwritten: the classics of the trade.
"""

from __future__ import annotations

import itertools
import math
from typing import Any

import numpy as np

from gradlab.testing.evidence import Evidence, Found, Index


def unused(evidence: Found) -> str | None:
    """A gradient for what the function does not depend on."""
    if all(e.measured_size == 0.0 for e in evidence) and evidence[0].given.any():
        name = evidence[0].about.names[evidence[0].place]
        return f"the function does not depend on {name}: its gradient is zero"
    return None


def not_a_number(evidence: Found) -> str | None:
    """0 / 0 or the like, where the function has a slope."""
    first = evidence[0]
    for index in first.indices:
        true = first.true(index) if np.isnan(first.given[index]) else None
        if true is not None:
            return f"nan where the slope is {true.value:.4g}: is 0 divided by 0 there?"
    return None


def zero(evidence: Found) -> str | None:
    """Nothing flows back."""
    if any(e.given.any() for e in evidence):
        return None
    more = "; a cotangent of ones would not have shown it" if _right_for_ones(evidence[0]) else ""
    return f"zero everywhere: is the result of the backward pass lost on its way{more}?"


def without_cotangent(evidence: Found) -> str | None:
    """The same gradient whatever g."""
    first = evidence[0]
    if not all(e.given.any() and e.explains(_gradient(e, 2.0 * e.g)) for e in evidence):
        return None
    if _right_for_ones(first):
        return "right only for a cotangent of ones: g is never used, multiply by it"
    return "the cotangent g is never used: multiply by it"


def only_for_ones(evidence: Found) -> str | None:
    """g stands in the wrong place, which ones do not show."""
    first = evidence[0]
    if first.g.size > 1 and not first.fits(first.given) and _right_for_ones(first):
        return (
            "right only for a cotangent of ones: g weighs each element of the result, "
            "multiply by it before adding up"
        )
    return None


def sign_of_cotangent(evidence: Found) -> str | None:
    """Right for g > 0."""
    first = evidence[0]
    size = np.abs(first.g)
    positive, negative = (
        Evidence(first.about, first.place, g, first.indices) for g in (size, -size)
    )
    if positive.fits(positive.given) and not negative.fits(negative.given):
        return "right only for positive cotangents: is there an abs() of g, or a condition on it?"
    return None


def constant_ratio(evidence: Found) -> str | None:
    """A factor off, everywhere."""
    ratio = _ratio(evidence)
    if ratio is None:
        return None
    half = one_use_only(evidence) if math.isclose(ratio, 0.5, rel_tol=1e-5) else None
    if half:
        return f"half the right gradient: is a factor 2 missing? Or {half}"
    return _ratio_text(ratio, evidence[0])


def _ratio(evidence: Found) -> float | None:
    first = evidence[0]
    ratios = [given / true for given, true in first.pairs() if abs(true) > 1e-3 * first.size]
    ratio = float(np.median(ratios)) if ratios else math.nan
    if not math.isfinite(ratio) or abs(ratio - 1) <= 1e-9 or ratio == 0:
        return None
    for e in evidence:  # the first refutes most, and the others need not be measured
        if not all(e.same(given, ratio * true) for given, true in e.pairs()):
            return None
    return ratio


def _ratio_text(ratio: float, first: Evidence) -> str:
    known = {
        2.0: "twice the right gradient: is a factor 1/2 missing?",
        0.5: "half the right gradient: is a factor 2 missing, or one use of two overwritten?",
        -1.0: "the sign is wrong: -1 times the right gradient",
    }
    text = next((t for c, t in known.items() if math.isclose(ratio, c, rel_tol=1e-5)), "")
    for n, what in _sizes(first).items():
        if math.isclose(ratio, n, rel_tol=1e-5):
            text += f"{' Or ' if text else ''}{n} times, and {what}: a sum for a mean?"
        elif math.isclose(ratio * n, 1.0, rel_tol=1e-5):
            text += f"{' Or ' if text else ''}1/{n} times, and {what}: a mean for a sum?"
    if not text and first.about.value.size * first.x.size > 1:
        lengths = [*_sizes(first)]
        for n, m in itertools.permutations(lengths, 2):
            if math.isclose(ratio, n / m, rel_tol=1e-5):
                return f"{n}/{m} times the right gradient: divided by {m} instead of {n}?"
    return text or f"{ratio:.6g} times the right gradient everywhere: a factor is wrong"


def _sizes(first: Evidence) -> dict[int, str]:
    """Numbers of elements and lengths of axes, for a mean may be taken over any of them."""
    found: dict[int, str] = {}
    arrays = {"the result": first.about.value}
    arrays |= {first.about.names[i]: np.asarray(first.about.args[i]) for i in first.about.wrt}
    for name, array in arrays.items():
        found.setdefault(array.size, f"{name} has {array.size} elements")
        for axis, n in enumerate(array.shape):
            found.setdefault(n, f"axis {axis} of {name} has {n}")
    return {n: text for n, text in found.items() if n > 1}


def overwritten(evidence: Found) -> str | None:
    """Of several elements of the result that an element went into, only one counts."""
    used: dict[Index, np.ndarray] = {}
    for e in evidence:
        for index, terms in e.uses.items():
            used[index] = used.get(index, False) | (np.abs(terms) > 1e-7 * (1e-9 + e.size))
    if all(where.sum() < 2 for where in used.values()):
        return None
    for which, name in ((-1, "last"), (0, "first")):
        if all(_only_one_counts(e, used, which) for e in evidence):
            if axes := repeated_axes(evidence[0].x.shape, evidence[0].about.value.shape):
                return (
                    f"broadcast, but not summed: overwritten, only the {name} use of each element "
                    f"counts; write {sum_over(axes, evidence[0].x.shape)}"
                )
            return (
                f"overwritten instead of accumulated: only the {name} use of each element "
                "counts; add them up with += or np.add.at"
            )
    return None


def _only_one_counts(e: Evidence, used: dict[Index, np.ndarray], which: int) -> bool:
    rounding = 1e-10 * float(np.abs(e.g * e.about.value).max(initial=0.0))
    for index, terms in e.uses.items():
        one = terms[used[index]][which] if used[index].any() else 0.0
        if not e.same(float(e.given[index]), float(one), rounding):
            return False
    return True


def repeated_axes(shape: tuple[int, ...], into: tuple[int, ...]) -> tuple[int, ...]:
    """The axes along which an array of a shape is repeated to fit another; () if it is not."""
    lead = len(into) - len(shape)
    if lead < 0 or any(n not in (1, m) for n, m in zip(shape, into[lead:], strict=True)):
        return ()
    stretched = (i + lead for i, n in enumerate(shape) if n != into[i + lead])
    return (*range(lead), *stretched)


def sum_over(axes: tuple[int, ...], shape: tuple[int, ...]) -> str:
    """The call that undoes the repeating of an array of this shape."""
    keep = ", keepdims=True" if 1 in shape else ""
    return f".sum(axis={axes[0] if len(axes) == 1 else axes}{keep})"


def one_use_only(evidence: Found) -> str | None:
    """Something is used twice, and only one of the two ways back is taken."""
    return _explained(evidence, "with_one_use_only")


def missing_slope(evidence: Found) -> str | None:
    """The gradient passes a function as if its slope were 1."""
    name = _explained(evidence, "with_a_slope_left_out")
    if name:
        return f"the slope of {name} is missing: multiply the gradient by it"
    if all(e.x.ndim and e.explains(e.g) for e in evidence):
        return "the gradient is g itself: the slope of the function is missing, multiply by it"
    return None


def _explained(evidence: Found, mistake: str) -> str | None:
    """What is said of the built-in mistake that predicts the gradient at every point."""
    if any(e.trail is None for e in evidence) or evidence[0].about.traced:
        return None
    predictions = (getattr(e.trail, mistake)() for e in evidence)
    for at_each in zip(*predictions, strict=False):
        texts, gradients = zip(*at_each, strict=True)
        pairs = zip(evidence, gradients, strict=True)
        if len({*texts}) == 1 and all(e.explains(gradient) for e, gradient in pairs):
            return texts[0]
    return None


def _gradient(e: Evidence, g: np.ndarray) -> Any:
    return e.about.vjp(np.asarray(g).astype(e.g.dtype), *e.about.args)[e.place]


def _right_for_ones(e: Evidence) -> bool:
    ones = Evidence(e.about, e.place, np.ones_like(e.g), e.indices)
    return ones.well_shaped and ones.fits(ones.given)
