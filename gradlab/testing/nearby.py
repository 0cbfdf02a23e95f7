"""Where a function bends, several gradients are right: those of the points next to this one.

Slopes along single axes do not show all of them: of three equal numbers the median may be any, yet
moving one of them moves no median. Clarke (1975) takes the gradients nearby and all between them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from gradlab.testing.problem import Problem, Settings, places_of
from gradlab.testing.slopes import Slopes
from gradlab.testing.subject import Subject

SAMPLES = 48  # one order in five equal numbers is missed once in 50000
DISTANCES = (1e-6, 1e-7)  # relative; a smooth slope differs ten times less at the second
NEAR, NEAR32 = (1e-5, 1e-7), (1e-2, 1e-3)  # steps at which a kink shows, as no curvature does
MOST = 4  # kinks that meet in one number: of more, the samples do not see every combination


def is_right_nearby(
    about: Subject,
    place: int,
    direction: np.ndarray,
    g: np.ndarray,
    analytic: float,
    seed: Sequence[int],
) -> bool:
    """Whether a slope lies between those that f has next to the point, if f bends there."""
    rng = np.random.default_rng([*seed, 5])
    ranges = (_range(about, place, direction, g, far, rng) for far in DISTANCES)
    return all(r is not None and r[0] <= analytic <= r[1] for r in ranges)


def _range(
    about: Subject,
    place: int,
    direction: np.ndarray,
    g: np.ndarray,
    far: float,
    rng: np.random.Generator,
) -> tuple[float, float] | None:
    """The least and the largest slope at points so far away; None if they are all the same."""
    eps = float(np.finfo(g.dtype).eps)
    slopes, noise = [], 0.0
    for _ in range(SAMPLES):
        steps, beside = _beside(about, far, rng)
        with np.errstate(all="ignore"):
            t = 0.05 * float(np.nanmin(steps[place] / np.abs(direction)))
        x, along = beside.args[place], beside.moved(place)
        try:
            change = along(x + t * direction) - along(x - t * direction)
        except ValueError:  # outside the domain
            continue
        slope = float(np.sum(g * change)) / (2 * t)
        if np.isfinite(slope):
            slopes.append(slope)
            noise = max(noise, 8 * eps * float(np.abs(g * about.value).sum()) / t)
    low, high = min(slopes, default=0.0), max(slopes, default=0.0)
    room = 1e-3 * max(abs(low), abs(high)) + noise
    return (low - room, high + room) if high - low > room else None


def _beside(
    about: Subject, far: float, rng: np.random.Generator
) -> tuple[dict[int, np.ndarray], Subject]:
    args, steps = list(about.args), {}
    for i in about.wrt:
        x = np.asarray(args[i], dtype=np.float64)
        size = np.abs(x)
        size = np.where(size > 0, size, min(1.0, float(size[size > 0].min(initial=1.0))))
        steps[i] = far * size * rng.uniform(0.5, 1.5, x.shape)
        args[i] = np.asarray(x + rng.choice([-1.0, 1.0], x.shape) * steps[i])
    return steps, about.at(*args)


def too_steep(about: Subject, place: int, seed: Sequence[int]) -> str | None:
    """Where elements meet in a kink: is the gradient right for all of them moving together?

    Each of two tied numbers may get the gradient of their maximum, but not both: that would be
    twice the slope when both grow.
    """
    x = np.asarray(about.args[place])
    rng = np.random.default_rng([*seed, 6])
    d = rng.uniform(1.0, 1.5, x.shape) * np.maximum(np.abs(x), 1.0)
    for j in bent(about, place, d):
        g = about.one_of_value(j)
        analytic = float(np.sum(np.asarray(about.vjp(g, *about.args)[place]) * d))
        slopes = about.slopes(place, d, g)
        if not np.isfinite(analytic) or slopes.accepts(analytic, rtol=1e-3):
            continue
        ranges = [_range(about, place, d, g, far, rng) for far in DISTANCES]
        inside = any(r is None or r[0] <= analytic <= r[1] for r in ranges)
        if not inside and not _many(about, place, j):
            low, high = (slope.value for slope in slopes.ends)
            return (
                f"several elements of {about.names[place]} meet in a kink: moved together they "
                f"have a slope of {low:.4g} to {high:.4g}, yet their gradients give {analytic:.4g}"
            )
    return None


def _many(about: Subject, place: int, j: int) -> bool:
    """Whether more kinks meet in an element of f than the samples can tell apart."""
    indices = list(np.ndindex(np.shape(about.args[place])))[:64]
    return sum(j in bent(about, place, about.unit(place, i)) for i in indices) > MOST


def bent(about: Subject, place: int, direction: np.ndarray) -> list[int]:
    """The elements of f that change unlike to both sides of the point, however near."""
    x, along = np.asarray(about.args[place]), about.moved(place)
    moving = direction != 0
    size = float(np.abs(x[moving] / direction[moving]).max(initial=1.0))
    unlike = np.ones(about.value.size, dtype=bool)
    for h in NEAR if about.is_wide and about.value.dtype == np.float64 else NEAR32:
        try:
            ahead = (along(x + h * size * direction) - about.value).ravel()
            behind = (about.value - along(x - h * size * direction)).ravel()
        except ValueError:
            return []
        unlike &= np.abs(ahead - behind) > 0.01 * (np.abs(ahead) + np.abs(behind))
        if not unlike.any():
            return []
    return [int(j) for j in np.flatnonzero(unlike)]


def disallowed(about: Subject, how: Settings, place: int) -> Iterator[Problem]:
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
