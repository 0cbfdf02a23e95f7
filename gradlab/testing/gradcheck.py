"""gradcheck: is this gradient the gradient of this function? Yes, or where it is not, and why.

Every number of the backward pass is held against a measured slope that knows its own error bound.
"""

from __future__ import annotations

import copy
import itertools
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from gradlab.testing.again import elsewhere, mismatches
from gradlab.testing.functions import WrongCountError
from gradlab.testing.laws import LAWS
from gradlab.testing.nearby import disallowed, too_steep
from gradlab.testing.problem import Problem, Settings
from gradlab.testing.report import GradientError, Report
from gradlab.testing.subject import Kinks, Subject, second_order, subject

OPTIONS = ("subgradient", "convention", "skip", "error")
ROUNDING = 1e-12  # a rule subtracts terms of size 1, as in 1 - y * y: what is left is rounded


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
        domain: where f may be evaluated: "x > 0", "(0, inf)" (`gradlab.testing.domain.from_text`
            has the grammar), a predicate on an array, or a tuple of one per differentiated
            argument.
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
    report = every_failure(about, how)
    if report and order == 2:
        how = how.at_seed(seed, 2)
        about = second_order(about, about.cotangent(how.seed))
        report = Report(about, how, tuple(_slope_problems(about, how)), first=report)
    if raise_on_error and not report:
        raise GradientError(report) from report.problems[0].cause
    return report


def every_failure(about: Subject, how: Settings) -> Report:
    """The report on all that is wrong at a point."""
    return Report(about, how, tuple(_problems(about, how)))


def first_failure(about: Subject, how: Settings) -> Report:
    """The report on the first thing found wrong, in a fraction of the time: enough for a search."""
    return Report(about, how, tuple(itertools.islice(_problems(about, how), 1)))


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
    kinds = set()
    for problem in _slope_problems(about, how):
        yield problem
        kinds.add(problem.kind)
    if "shape" in kinds:
        return
    for name, law in laws:
        if broken := law(about, how.seed):
            yield Problem(name, broken)
    if not kinds:
        yield from elsewhere(about, how)


def _brief(error: Exception) -> str:
    return f"{type(error).__name__}: {(str(error).splitlines() or [''])[0]}"


def _slope_problems(about: Subject, how: Settings) -> Iterator[Problem]:
    for place in about.wrt:
        right = True
        for mismatch in mismatches(about, how, place):
            right = False
            yield Problem.of(about, mismatch)
        if how.kinks in ("error", "convention") or isinstance(how.kinks, dict):
            yield from disallowed(about, how, place)
        if how.kinks != "skip" and right and (text := too_steep(about, place, how.seed)):
            yield Problem("kink", text, place)
