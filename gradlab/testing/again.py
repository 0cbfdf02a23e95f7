"""What is found wrong is measured again before it is reported, and what is right at a second point.

Noise that looks like a slope once does not do so twice, on other steps and in float64; and what is
right at one point only, by accident or by memory, is wrong at the next.
"""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Iterator

import numpy as np

from gradlab.testing.nearby import is_right_nearby
from gradlab.testing.numeric import Mismatch, check_vjp
from gradlab.testing.problem import Problem, Settings
from gradlab.testing.slopes import Slopes
from gradlab.testing.subject import Subject, show

ENOUGH = 3
SECOND = 1.0625  # times the point: where to look for values kept from earlier calls
BESIDE = (1 - 2.0**-12, 1 + 2.0**-12)


def mismatches(about: Subject, how: Settings, place: int) -> Iterator[Mismatch]:
    """What `check_vjp` rejects in float64 too, and on a fresh ladder of steps."""
    found = _checked(about, how, place)
    if any(not m.problem for m in found) and not about.is_wide:
        with contextlib.suppress(Exception):  # the backward pass may refuse float64
            found, about = _checked(about.wide, how, place), about.wide
    standing = 0
    for mismatch in found:  # a few that stand are enough: then the others need no second look
        if how.kinks == "skip" and Slopes(mismatch.left, mismatch.right).is_kink:
            continue
        if mismatch.problem or standing >= ENOUGH or _again(about, how, mismatch):
            standing += 1
            yield mismatch


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
        precision=about.precision,
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


def elsewhere(about: Subject, how: Settings) -> Iterator[Problem]:
    """A second point, for what is right at the first by accident, or by memory."""
    found = _wrong_at(about, how, SECOND)
    if found is None:
        return
    other, wrong = found
    name = about.names[wrong.argument]
    if _is_remembered(about, how, wrong.argument):
        text = (
            f"the gradient of {name} stays as it is beside this point: "
            "is a value of an earlier call used again?"
        )
        yield Problem("repeatable", text, wrong.argument)
    else:
        where = show(other, other.args)
        text = f"right here, but the gradient of {name} is wrong at {where}"
        yield Problem("elsewhere", text, wrong.argument)


def _is_remembered(about: Subject, how: Settings, place: int) -> bool:
    """Whether just beside the point, where it is wrong, the gradient is still the same."""
    g = about.cotangent(how.seed)
    here = about.vjp(g, *about.args)[place]
    beside = [_wrong_at(about, how, share) for share in BESIDE]
    return all(
        found is not None and np.array_equal(found[0].vjp(g, *found[0].args)[place], here)
        for found in beside
    )


def _wrong_at(about: Subject, how: Settings, share: float) -> tuple[Subject, Mismatch] | None:
    """Where all arguments are `share` times as large: what is wrong along one direction."""
    args = [
        np.asarray(a * a.dtype.type(share)) if i in about.wrt else a
        for i, a in enumerate(about.args)
    ]
    other, how = about.at(*args), dataclasses.replace(how, max_coords=0, directions=1)
    try:
        if np.isfinite(other.value).all():
            for place in about.wrt:
                for mismatch in mismatches(other, how, place):
                    return other, mismatch
    except Exception:  # the point is outside the domain of f or of its backward pass
        pass
    return None
