"""Right backward passes where a slope jumps or a domain ends: fixed steps step across.

At a kink every slope between the two sides is right, and beside the end of a domain one side is
all there is.
"""

from __future__ import annotations

import math

import numpy as np

from gradlab.testing.benchmark.cases import (
    around,
    beside,
    correct,
    normal,
    powers_of_ten,
    some_zeros,
    ties,
)
from gradlab.testing.benchmark.formulas import (
    huber,
    norm,
    relu,
    relu6,
    row_max,
)

# -------------------------------------------------------------------------- correct: at a kink


@correct(relu, some_zeros, kinks=(0.0,))
def relu_at_zero(g, x):
    return g * (x > 0)


@correct(relu, beside(0.0, by=1e-7), kinks=(0.0,))
def relu_very_near_zero(g, x):
    return g * (x > 0)


@correct(np.abs, some_zeros, kinks=(0.0,))
def abs_at_zero(g, x):
    return g * np.sign(x)


@correct(relu6, beside(0.0, 6.0, by=1.0), kinks=(0.0, 6.0))
def clip_at_its_ends(g, x):
    return g * ((x >= 0) & (x <= 6))


@correct(huber, beside(-1.0, 1.0, by=0.25), kinks=(-1.0, 1.0))
def huber_at_delta(g, x):
    return g * np.clip(x, -1.0, 1.0)


@correct(row_max, ties(2, 3))
def max_gives_the_first_tie_all(g, x):
    dx = np.zeros_like(x)
    dx[np.arange(len(x)), x.argmax(axis=-1)] = g
    return dx


@correct(row_max, ties(2, 3))
def max_shared_among_ties(g, x):
    winners = x == x.max(axis=-1, keepdims=True)
    return g[:, None] * winners / winners.sum(axis=-1, keepdims=True)


def median(x):
    return np.sort(x, axis=-1)[..., x.shape[-1] // 2]


@correct(median, ties(1, 5))
def median_with_ties(g, x):
    dx = np.zeros_like(x)
    dx[np.arange(len(x)), np.argsort(x, axis=-1)[:, x.shape[-1] // 2]] = g
    return dx


def sparsemax(z):
    """Martins and Astudillo (2016): the nearest point to z on the simplex."""
    s = np.sort(z)[::-1]
    size = np.arange(1, z.size + 1)
    support = 1.0 + size * s > np.cumsum(s)
    k = size[support][-1]
    return np.maximum(z - (np.cumsum(s)[k - 1] - 1.0) / k, 0.0)


def on_a_face(rng):
    """(1, 0, ...) and a shift: the second element is just about to enter the support."""
    z = np.array([1.0, 0.0, -0.5, -2.0, -0.25]) + rng.integers(-8, 9) / 8
    return (rng.permutation(z),)


@correct(sparsemax, on_a_face)
def sparsemax_on_a_face(g, z):
    support = sparsemax(z) > 0
    return support * (g - g[support].mean())


HINGES = np.linspace(-2.0, 2.0, 65)


def polyline(x):
    """65 kinks, 1/16 apart."""
    return ((-1.0) ** np.arange(65) * relu(x[:, None] - HINGES)).sum(axis=-1)


@correct(polyline, normal((4,)))
def piecewise_linear_with_65_kinks(g, x):
    return g * ((-1.0) ** np.arange(65) * (x[:, None] > HINGES)).sum(axis=-1)


@correct(norm, around(0.0))
def norm_at_zero(g, x):
    """A cone: by convention, 0."""
    return np.zeros_like(x)


# ---------------------------------------------------------------- correct: at the edge of a domain


@correct(np.log, around(5e-7, by=0.5), domain="x > 0")
def log_near_zero(g, x):
    return g / x


@correct(np.sqrt, powers_of_ten(-12, -6), domain="x > 0")
def sqrt_near_zero(g, x):
    return g * 0.5 / np.sqrt(x)


def x_log_x(x):
    return x * np.log(x)


@correct(x_log_x, powers_of_ten(-12, -3), domain="x > 0")
def x_log_x_near_zero(g, x):
    return g * (1.0 + np.log(x))


@correct(np.tan, around(math.pi / 2, by=1e-4))
def tan_near_a_pole(g, x):
    return g * (1.0 + np.tan(x) ** 2)


@correct(np.arccos, around(-1.0 + 1e-9, 1.0 - 1e-9, by=1e-10), domain="abs(x) < 1")
def arccos_near_one(g, x):
    return -g / np.sqrt((1.0 - x) * (1.0 + x))


@correct(norm, normal((4,), scale=1e-8))
def norm_near_zero(g, x):
    return g * x / norm(x)


def reciprocal(x):
    return 1.0 / x


@correct(reciprocal, powers_of_ten(-8, -6), domain="x > 0")
def reciprocal_near_zero(g, x):
    return -g / (x * x)


def power_0_3(x):
    return x**0.3


@correct(power_0_3, powers_of_ten(-10, 2), domain="x > 0")
def root_near_zero(g, x):
    return g * 0.3 * x**-0.7
