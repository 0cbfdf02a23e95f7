"""exp, log, tanh and erf from additions and multiplications alone, so that they vectorise.

A call of the C library takes one number at a time; these take eight or sixteen at once, because a
loop over them is straight-line arithmetic: reduce the range, evaluate a polynomial, put it back.

The texts below are plain Python for float64. `gradlab.kernels.elementwise` copies them into the
loops it writes, with the constants of the number type in question. None has a branch: where two
cases differ both are computed and `select` picks one.

Largest error found, in units in the last place of the result (tests/test_kernels.py searches all
exponents of float32 and a million float64 numbers; a machine without fused multiply-add may be a
unit worse):

=========  =======  =======
function   float32  float64
=========  =======  =======
exp        1.5      1.5
expm1      2        2
tanh       3        3
log        1        1
log1p      2        2
erf        3        4
erfc       8        16
=========  =======  =======
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

INF, NAN = math.inf, math.nan
LOG2_E = math.log2(math.e)
# log(2) in two parts: k * LN2_HIGH is exact for every exponent k, so x - k log 2 loses nothing.
LN2_HIGH, LN2_LOW = 6.93147180369123816490e-01, 1.90821492927058770002e-10
# 1.5 * 2**52: adding it pushes all digits behind the point out of the number, subtracting it gives
# back the nearest whole number; and the sum's lowest bits are that number.
ROUNDER = 1.5 * 2.0**52
MANTISSA_BITS, BITS_OF_ONE, BITS_OF_ROOT_HALF = 52, 0x3FF << 52, 0x3FE6A09E667F3BCD
UPPER_HALF = -(1 << 27)  # as bits: keeps a number's sign, exponent and first 25 binary digits
SMALLEST_NORMAL, LIFT, LIFTED_BY = 2.0**-1022, 2.0**54, 54.0
# Beyond these exp is 0 or infinite, and exp(x) - 1 is -1.
EXP_LOW, EXP_HIGH, EXPM1_LOW = -746.0, 710.0, -40.0

# Taylor coefficients 1/2!, 1/3!, ...: for |r| <= log(2)/2 the next would be below half a unit.
EXP_SERIES: tuple[float, ...] = tuple(1.0 / math.factorial(k) for k in range(2, 14))
# 2 artanh(s) = 2s + s * (2/3 s^2 + 2/5 s^4 + ...), for |s| <= 0.172.
LOG_SERIES: tuple[float, ...] = tuple(2.0 / (2 * k + 1) for k in range(1, 12))
# erf(x) = x * (c0 + c1 x^2 + ...), for |x| <= 1.
ERF_SERIES: tuple[float, ...] = tuple(
    2.0 / math.sqrt(math.pi) * (-1.0) ** k / (math.factorial(k) * (2 * k + 1)) for k in range(18)
)
# (1 + 2z) exp(z^2) erfc(z) as a polynomial in u = (z - 3.75) / (z + 3.75): the values at the
# Chebyshev points of u, from 0 to infinity in z, joined by interpolation.
ERFCX: tuple[float, ...] = (
    1.237512630837827,
    -0.1402405985855505,
    0.0035854154855215342,
    0.08227673849017385,
    -0.10880393014361822,
    0.0923043211616997,
    -0.058693398563136524,
    0.02836227739195272,
    -0.009746579766840804,
    0.0017556260782193916,
    0.0002937146862720264,
    -0.00029015512596518685,
    5.1645818089183186e-05,
    2.238721204745647e-05,
    -1.1437004155214893e-05,
    -9.789427219769364e-07,
    1.741025347413503e-06,
    -5.0992267971758363e-08,
    -2.480547772446237e-07,
    1.881075291981909e-08,
    3.1837236026033146e-08,
    -1.9505848233431006e-09,
    -2.6100101546224704e-09,
)

FLOAT32: dict[str, Any] = {
    "LN2_HIGH": 0.693359375,
    "LN2_LOW": -2.12194440e-4,
    "ROUNDER": 1.5 * 2.0**23,
    "MANTISSA_BITS": 23,
    "BITS_OF_ONE": 0x7F << 23,
    "BITS_OF_ROOT_HALF": 0x3F3504F3,
    "UPPER_HALF": -(1 << 12),
    "SMALLEST_NORMAL": 2.0**-126,
    "LIFT": 2.0**25,
    "LIFTED_BY": 25.0,
    "EXP_LOW": -104.0,
    "EXP_HIGH": 89.0,
    "EXPM1_LOW": -20.0,
    "EXP_SERIES": EXP_SERIES[:6],
    "LOG_SERIES": LOG_SERIES[:5],
    "ERF_SERIES": ERF_SERIES[:10],
    "ERFCX": (
        1.23751263,
        -0.140240659,
        0.00358543802,
        0.0822784339,
        -0.108804565,
        0.0922906917,
        -0.058688252,
        0.0284094304,
        -0.0097646905,
        0.00167573425,
        0.000325388464,
        -0.000224052049,
        2.36348201e-05,
    ),
}
"""The constants that differ for float32; the names above hold those of float64."""


# --------------------------------------------------------------------------- what all are made of


def select(condition: bool, a: float, b: float) -> float:
    """Return a where the condition holds, else b; both have been computed."""
    return a if condition else b


def larger(a: float, b: float) -> float:
    """Return the larger number, or NaN if there is one, as `numpy.maximum` does."""
    return a if (a > b) | (a != a) else b


def smaller(a: float, b: float) -> float:
    """Return the smaller number, or NaN if there is one, as `numpy.minimum` does."""
    return a if (a < b) | (a != a) else b


def at_least(x: float, low: float) -> float:
    """Return x or the constant, whichever is larger, and NaN for NaN: one instruction."""
    return low if x < low else x


def at_most(x: float, high: float) -> float:
    """Return x or the constant, whichever is smaller, and NaN for NaN: one instruction."""
    return high if x > high else x


def bits(x: float) -> Any:
    """Return the bits of a number as a whole number: sign, exponent, then the binary digits."""
    return np.float64(x).view(np.int64)


def number(pattern: Any) -> Any:
    """Return the number that has these bits."""
    return np.int64(pattern).view(np.float64)


def nearest(x: float) -> float:
    """Return the nearest whole number, for numbers far below 2**22."""
    return (x + ROUNDER) - ROUNDER


def two_to(k: float) -> Any:
    """Return 2**k for a whole k within the range of exponents: k, moved to where they stand."""
    return number((bits(k + ROUNDER) << MANTISSA_BITS) + BITS_OF_ONE)


def polynomial(x: float, coefficients: tuple[float, ...]) -> float:
    """Return c0 + c1 x + c2 x^2 + ..., by Horner's rule: ((... + c2) x + c1) x + c0.

    >>> polynomial(10.0, (1.0, 2.0, 3.0))
    321.0
    """
    total = 0.0
    for c in reversed(coefficients):
        total = total * x + c
    return total


# ---------------------------------------------------------------------- the exponential's family


def reduced(x: float, k: float) -> float:
    """Return x - k log 2, which lies between -log(2)/2 and log(2)/2 for the right k."""
    return (x - k * LN2_HIGH) - k * LN2_LOW


def short_expm1(r: float) -> float:
    """Return e^r - 1 for |r| <= log(2)/2."""
    return r + r * r * polynomial(r, EXP_SERIES)


def stretched(p: float, k: float) -> float:
    """Return p * 2**k, in two steps, since 2**k itself may not fit where the product does."""
    half = nearest(0.5 * k)
    return p * two_to(half) * two_to(k - half)


def exp(x: float) -> float:
    """e^x = 2^k e^r with x = k log 2 + r: the power of two is a change of exponent bits.

    >>> print(f"{exp(1.0):.12f}", exp(-1000.0))
    2.718281828459 0.0
    """
    x = at_most(at_least(x, EXP_LOW), EXP_HIGH)
    k = nearest(x * LOG2_E)
    return stretched(1.0 + short_expm1(reduced(x, k)), k)


def expm1(x: float) -> float:
    """e^x - 1 = 2^k (e^r - 1) + (2^k - 1): for tiny x, k is 0 and no digit is lost.

    >>> print(expm1(1e-300), expm1(-1000.0))
    1e-300 -1.0
    """
    x = at_most(at_least(x, EXPM1_LOW), EXP_HIGH)
    k = nearest(x * LOG2_E)
    half = two_to(k - 1.0)  # 2**k itself may be one too large to exist
    return 2.0 * (half * short_expm1(reduced(x, k)) + (half - 0.5))


def tanh(x: float) -> float:
    """tanh x = -e / (e + 2) with e = exp(-2x) - 1, for x >= 0; and tanh(-x) = -tanh(x).

    >>> print(f"{tanh(0.5):.12f}", tanh(-1000.0))
    0.462117157260 -1.0
    """
    e = expm1(-2.0 * abs(x))
    t = -e / (e + 2.0)
    return select(x < 0.0, -t, t)


# ------------------------------------------------------------------------------------ logarithms


def exponent(x: float) -> Any:
    """Return the whole number k, as bits of a number, for which x / 2**k lies around 1."""
    above = np.int64(bits(x) - BITS_OF_ROOT_HALF)  # Numba would go on with 64 bits in any case
    return np.int64(above >> MANTISSA_BITS)


def above_one(x: float, k: Any) -> float:
    """Return x / 2**k - 1: subtract k where the exponent stands."""
    return number(bits(x) - (k << MANTISSA_BITS)) - 1.0


def real_of(k: Any) -> float:
    """Return a whole number of `exponent` as a number like all others."""
    return number(bits(ROUNDER) + k) - ROUNDER


def log_of(f: float, k: float) -> float:
    """Return log(2**k * (1 + f)) for -0.3 < f < 0.42."""
    s = f / (2.0 + f)
    half_square = 0.5 * f * f
    rest = s * (half_square + s * s * polynomial(s * s, LOG_SERIES))
    return k * LN2_HIGH - ((half_square - (rest + k * LN2_LOW)) - f)


def log_or_edge(found: float, x: float) -> float:
    """Return what was found for 0 < x < inf, and elsewhere what the logarithm is there."""
    edge = select(x == 0.0, -INF, x + select(x < 0.0, NAN, 0.0))
    return select((x > 0.0) & (x < INF), found, edge)


def log(x: float) -> float:
    """log x = k log 2 + log(1 + f), and log(1 + f) = 2 artanh(f / (2 + f)).

    >>> print(log(1.0), f"{log(10.0):.12f}")
    0.0 2.302585092994
    """
    tiny = x < SMALLEST_NORMAL
    lifted = select(tiny, x * LIFT, x)
    k = exponent(lifted)
    whole_part = real_of(k) - select(tiny, LIFTED_BY, 0.0)
    return log_or_edge(log_of(above_one(lifted, k), whole_part), x)


def log1p(x: float) -> float:
    """log(1 + x): as the logarithm of u = 1 + x, with the digits that u has lost added to f.

    >>> print(log1p(1e-300), f"{log1p(1.0):.12f}")
    1e-300 0.693147180560
    """
    u = 1.0 + x
    lost = select(x < 1.0, x - (u - 1.0), 1.0 - (u - x))
    k = exponent(u)
    whole_part = real_of(k)
    f = above_one(u, k) + lost * two_to(-at_most(whole_part, 30.0))
    return log_or_edge(log_of(f, whole_part), u)


# ---------------------------------------------------------------------------- the error function


def exp_of_minus_square(z: float) -> float:
    """e^(-z^2), with the digits that rounding z^2 would lose: z = h + l, z^2 = h^2 + l (z + h).

    >>> print(exp_of_minus_square(0.0))
    1.0
    """
    h = number(bits(z) & UPPER_HALF)
    x = at_least(-h * h, EXP_LOW)
    k = nearest(x * LOG2_E)
    return stretched(1.0 + short_expm1(reduced(x, k) - (z - h) * (z + h)), k)


def erfc(x: float) -> float:
    """1 - erf(x) = exp(-z^2) Q(u) / (1 + 2z) with z = |x|; and erfc(-z) = 2 - erfc(z).

    >>> print(f"{erfc(0.0):.12f} {erfc(10.0):.12e}")
    1.000000000000 2.088487583763e-45
    """
    z = at_most(abs(x), 28.0)
    both = 1.0 / ((z + 3.75) * (1.0 + 2.0 * z))  # a division costs as much as ten products
    u = (z - 3.75) * (1.0 + 2.0 * z) * both
    tail = exp_of_minus_square(z) * polynomial(u, ERFCX) * ((z + 3.75) * both)
    return select(x < 0.0, 2.0 - tail, tail)


def erf(x: float) -> float:
    """The Taylor series up to |x| = 1, 1 - erfc(|x|) beyond.

    >>> print(f"{erf(0.5):.12f}", erf(-10.0))
    0.520499877813 -1.0
    """
    z = abs(x)
    far = 1.0 - erfc(z)
    near = z * polynomial(at_most(z * z, 1.0), ERF_SERIES)
    found = select(z < 1.0, near, far)
    return select(x < 0.0, -found, found)
