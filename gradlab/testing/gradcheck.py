"""gradcheck: is this gradient the gradient of this function? Yes, or where it is not, and why.

Every number of the backward pass is held against a measured slope that knows its own error bound.
"""

from __future__ import annotations

import contextlib
import copy
import dataclasses
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from gradlab.testing.functions import WrongCountError
from gradlab.testing.laws import LAWS
from gradlab.testing.nearby import bent, is_right_nearby, too_steep
from gradlab.testing.numeric import Mismatch, Slopes, check_vjp
from gradlab.testing.problem import Problem, Settings, places_of
from gradlab.testing.report import GradientError, Report
from gradlab.testing.subject import (
    Kinks,
    Subject,
    second_order,
    subject,
)

OPTIONS = ("subgradient", "convention", "skip", "error")
ROUNDING = 1e-12  # a rule subtracts terms of size 1, as in 1 - y * y: what is left is rounded
ENOUGH = 3


def gradcheck(
    f: Callable[..., Any],
    *args: Any,
    vjp: Callable[..., Any] | None = None,
    grad: Callable[..., Any] | None = None,
    wrt: int | Sequence[int] | None = None,
    order: int = 1,
    kinks: Kinks = "subgradient",
    domain: Any = None,
    rtol: float | None = None,
    atol: float | None = None,
    directions: int = 2,
    max_coords: int = 64,
    seed: int = 0,
    raise_on_error: bool = True,
) -> Report:
    """Check the gradient of f at a point against slopes measured from values of f alone.

    For a random cotangent g, each element of g^T J is compared with one-sided differences of
    <g, f>, which bring their own bound on the error: no tolerance is needed. Then come the laws of
    `gradlab.testing.laws`. What fails is measured again, on other steps and in float64, before it
    is reported.

    Args:
        f: written for gradlab, or any function on NumPy arrays whose backward pass is given.
        *args: the point: arrays of floats, or numbers.
        vjp: vjp(g, *args) returns the gradient, or a tuple of one per argument.
        grad: grad(*args), the short form for an f that returns one number.
        wrt: the places of the arguments to differentiate; all of them by default.
        order: 2 checks the gradient of the gradient too, of an f written for gradlab.
        kinks: where left and right slopes differ, "subgradient" accepts any value between them,
            "convention" only one of the two, "skip" anything, "error" nothing; {0.0: 0.5} is a
            convention of your own, the slope at x = 0 of a function of single elements.
        domain: where f may be evaluated: "x > 0", "(0, inf)", a predicate on an array, or a tuple
            of one per differentiated argument.
        rtol: room to add to the bounds, as a share of the gradient; it only loosens.
        atol: the same, as a number; 1e-12 by default.
        directions: how many random directions beside single elements, if these are not all.
        max_coords: how many single elements, the largest gradients first, then random ones.
        seed: the same seed gives the same check.
        raise_on_error: False returns a report of a wrong gradient instead of raising it.

    >>> def square(x):
    ...     return x * x
    >>> bool(gradcheck(square, np.array([0.5, -2.0])))
    True
    >>> def backward(g, x):
    ...     return g * x
    >>> report = gradcheck(square, np.array([0.5, -2.0]), vjp=backward, raise_on_error=False)
    >>> bool(report), report.worst.argument, report.worst.index
    (False, 'x', (1,))

    Raises:
        GradientError: the gradient is wrong; its text says where, and what is likely.
        TypeError, ValueError: arguments that are not floats, an f that returns nothing, a point
            outside of the domain or where f raises (DomainError).
    """
    if order not in (1, 2) or not (kinks in OPTIONS or isinstance(kinks, dict)):
        raise ValueError(
            f"gradcheck: order={order}, kinks={kinks!r}\n"
            f"expected order 1 or 2, and kinks among {', '.join(OPTIONS)}\n"
            'write order=2, kinks="subgradient"'
        )
    about = subject(f, args, vjp, grad, wrt, domain)
    if order == 2 and not about.traced:
        raise ValueError(
            f"gradcheck({about.title}): order=2 with a backward pass of your own\n"
            "expected f written for gradlab, whose gradient can be differentiated\n"
            "write gradcheck(gradient, x, vjp=...) for the gradient as a function of its own"
        )
    floor = ROUNDING if atol is None else atol
    how = Settings(kinks, rtol or 0.0, floor, directions, max_coords, (seed,))
    report = Report(about, how, tuple(_problems(about, how)))
    if report and order == 2:
        how = how.at_seed(seed, 2)
        about = second_order(about, about.cotangent(how.seed))
        report = Report(about, how, tuple(_slope_problems(about, how)), first=report)
    if raise_on_error and not report:
        raise GradientError(report) from report.problems[0].cause
    return report


def _problems(about: Subject, how: Settings) -> Iterator[Problem]:
    """All that is wrong; after what makes every further number meaningless, no more is asked."""
    try:
        about.vjp(about.cotangent(how.seed), *copy.deepcopy(about.args))
    except Exception as error:
        if about.traced or isinstance(error, WrongCountError):
            raise
        yield Problem("raised", f"the backward pass raised {_brief(error)}", cause=error)
        return
    if bool(np.isnan(about.value).any()) and about.f.domains:
        yield Problem("nan", f"{about.title} is nan at a point of its declared domain")
    laws = iter(LAWS.items())
    for name, law in (next(laws), next(laws)):
        if broken := law(about, how.seed):
            yield Problem(name, broken)
            return
    slopes = list(_slope_problems(about, how))
    yield from slopes
    if any(problem.kind == "shape" for problem in slopes):
        return
    for name, law in laws:
        if broken := law(about, how.seed):
            yield Problem(name, broken)
    if not slopes:
        yield from _elsewhere(about, how)


def _elsewhere(about: Subject, how: Settings) -> Iterator[Problem]:
    """One direction at a second point: what an earlier call kept would be wrong there."""
    args = [a * a.dtype.type(1.0625) if i in about.wrt else a for i, a in enumerate(about.args)]
    other = about.at(*args)
    how = dataclasses.replace(how, max_coords=0, directions=1)
    try:
        if not np.isfinite(other.value).all():
            return
        for place in about.wrt:
            if _mismatches(other, how, place):
                yield Problem(
                    "repeatable",
                    f"at a second point, 1.0625 times the first, the gradient of "
                    f"{about.names[place]} is wrong: is a value of an earlier call used again?",
                )
                return
    except Exception:  # the second point is outside the domain of f or of its backward pass
        return


def _brief(error: Exception) -> str:
    return f"{type(error).__name__}: {(str(error).splitlines() or [''])[0]}"


# ------------------------------------------------------------------------------- slopes


def _slope_problems(about: Subject, how: Settings) -> Iterator[Problem]:
    for place in about.wrt:
        found = _mismatches(about, how, place)
        yield from (Problem.of(about, mismatch) for mismatch in found)
        if how.kinks in ("error", "convention") or isinstance(how.kinks, dict):
            yield from _kinks(about, how, place)
        if how.kinks != "skip" and not found and (text := too_steep(about, place, how.seed)):
            yield Problem("kink", text, place)


def _mismatches(about: Subject, how: Settings, place: int) -> list[Mismatch]:
    """What `check_vjp` rejects in float64 too, and on a fresh ladder of steps."""
    found = _checked(about, how, place)
    if any(not m.problem for m in found) and not about.is_wide:
        with contextlib.suppress(Exception):  # the backward pass may refuse float64
            found, about = _checked(about.wide, how, place), about.wide
    standing: list[Mismatch] = []
    for mismatch in found:  # a few that stand are enough: then the others need no second look
        if how.kinks == "skip" and Slopes(mismatch.left, mismatch.right).is_kink:
            continue
        if mismatch.problem or len(standing) >= ENOUGH or _again(about, how, mismatch):
            standing.append(mismatch)
    return standing


def _checked(about: Subject, how: Settings, place: int) -> list[Mismatch]:
    rng = np.random.default_rng(how.seed)
    return check_vjp(
        about.f,
        about.vjp,
        about.args,
        place,
        rng,
        max_coords=how.max_coords,
        directions=how.directions,
        rtol=how.rtol,
        atol=how.atol,
    )


def _again(about: Subject, how: Settings, mismatch: Mismatch) -> bool:
    """Whether a mismatch shows on other steps as well, where rounding errors are others.

    The cotangent stays: a gradient may be wrong for this one only. And where a gradient jumps it
    has no gradient of its own to compare.
    """
    assert mismatch.direction is not None
    g = about.cotangent(how.seed)
    place, along, analytic = mismatch.argument, mismatch.direction, mismatch.analytic
    slopes = about.slopes(place, along, g, finer=2.0)
    if slopes.accepts(analytic, how.rtol, how.atol):
        return False
    if about.order == 2:
        return not _jumps(about, place, along)
    return not is_right_nearby(about, place, along, g, analytic, how.seed)


def _jumps(about: Subject, place: int, direction: np.ndarray) -> bool:
    """Whether f, here a gradient, changes as much over 1e-9 as over 1e-6."""
    x, along = np.asarray(about.args[place]), about.moved(place)
    changes = []
    for h in (1e-9, 1e-6):
        try:
            up, down = along(x + h * direction), along(x - h * direction)
        except ValueError:
            return False
        changes.append(float(np.abs(up - down).max(initial=0.0)))
    return changes[0] > max(0.1 * changes[1], 1e-8 * float(np.abs(about.value).max(initial=0.0)))


# ------------------------------------------------------------------------------- kinks


def _kinks(about: Subject, how: Settings, place: int) -> Iterator[Problem]:
    """Kinks that are not allowed, or where the gradient is not the slope that was agreed upon.

    Each element of f is looked at alone: its kinks and those of others can cancel in a sum.
    """
    x = np.asarray(about.args[place])
    for index in places_of(about, how, place):
        unit = about.unit(place, index)
        for j in bent(about, place, unit):
            g = about.one_of_value(j)
            slopes = about.slopes(place, unit, g)
            if not slopes.is_kink:
                continue
            analytic = float(np.asarray(about.vjp(g, *about.args)[place])[index])
            wrong = _against(how, slopes, analytic, float(x[index]))
            if wrong:
                where = f"{about.names[place]}{list(index) or ''}"
                low, high = slopes.ends
                yield Problem(
                    "kink",
                    f"kink at {where} = {float(x[index]):g}, slopes {low.value:.6g} and "
                    f"{high.value:.6g}: {wrong}",
                    place=place,
                )


def _against(how: Settings, slopes: Slopes, analytic: float, x: float) -> str:
    """What the option for kinks has against a slope; empty if nothing."""
    if how.kinks == "error":
        return "no slope there"
    if isinstance(how.kinks, dict):
        agreed = how.kinks.get(x, analytic)
        fits = abs(analytic - agreed) <= how.atol + (how.rtol + 1e-6) * abs(agreed)
        return "" if fits else f"{analytic:.6g}, the convention says {agreed:.6g}"
    sides = (Slopes(side, side).accepts(analytic, how.rtol, how.atol) for side in slopes)
    return "" if any(sides) else f"{analytic:.6g} is neither of them"
