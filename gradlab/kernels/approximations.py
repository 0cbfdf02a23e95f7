"""exp, log, tanh and erf from additions and multiplications alone, so that they vectorise.

A call of the C library takes one number at a time; these take eight or sixteen at once, because a
loop over them is straight-line arithmetic: reduce the range, evaluate a polynomial, put it back.

The texts below are plain Python for float64. `gradlab.kernels.elementwise` copies them into the
loops it writes, with the constants of the number type in question. None has a branch: where two
cases differ both are computed and `select` picks one.

Largest error found, in units in the last place of the result (tests/test_kernels.py searches all
exponents of float32 and a million float64 numbers; a machine without fused multiply-add may be a
unit worse):

===============  =======  =======
function         float32  float64
===============  =======  =======
exp              1.5      1.5
exp_of_negative  1.5      1.5
expm1            2        2
tanh             3        3
log              1        1
log1p            2        2
log1p_up_to_one  2        2
erf              3        4
erfc             8        16
===============  =======  =======
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
SIGN, ALL_BUT_SIGN = 63, 2**63 - 1  # the place of its bit, and the others
SMALLEST_NORMAL, LIFT, LIFTED_BY = 2.0**-1022, 2.0**54, 54.0
# Far from 1, but with room for all digits on both sides: exp makes its powers of two that much
# larger or smaller, and takes it back in the end. 2**k itself may not fit where e^x does.
FAR, UP, DOWN = 512.0, 2.0**512, 2.0**-512
# Beyond these exp is 0 or infinite, and exp(x) - 1 is -1.
EXP_LOW, EXP_HIGH, EXPM1_LOW = -746.0, 710.0, -40.0

# Taylor coefficients 1/2!, 1/3!, ...: for |r| <= log(2)/2 the next would be below half a unit.
EXP_SERIES: tuple[float, ...] = tuple(1.0 / math.factorial(k) for k in range(2, 14))
# 2 artanh(s) = 2s + s * (2/3 s^2 + 2/5 s^4 + ...), for |s| <= 0.172.
LOG_SERIES: tuple[float, ...] = tuple(2.0 / (2 * k + 1) for k in range(1, 12))
# 2 artanh(s) = t + t * (t^2 / (3 * 4) + t^4 / (5 * 16) + ...) with t = 2s, for s <= 1/3.
LOG1P_SERIES: tuple[float, ...] = tuple(1.0 / ((2 * k + 1) * 4.0**k) for k in range(1, 17))
# erf(x) = x * (c0 + c1 x^2 + ...), for |x| <= 1.
ERF_SERIES: tuple[float, ...] = tuple(
    2.0 / math.sqrt(math.pi) * (-1.0) ** k / (math.factorial(k) * (2 * k + 1)) for k in range(18)
)
# (z + 3) exp(z^2) erfc(z) as a polynomial in u = (z - 3) / (z + 3): the values at the Chebyshev
# points of u, up to ERFC_END in z, joined by interpolation; beyond it erfc is 0.
ERFC_END = 27.3
ERFCX: tuple[float, ...] = (
    1.0740069070883398,
    -0.8833944531698837,
    0.5902283571041004,
    -0.3104672619005527,
    0.11952776128738794,
    -0.026827234624950198,
    -0.0012124166297047625,
    0.003034062007973329,
    -0.000548309659577885,
    -0.0002767778983471239,
    0.00010756124911146757,
    3.0398391001005668e-05,
    -1.7469493531903413e-05,
    -4.74978324582527e-06,
    2.76233565354979e-06,
    9.995012088631186e-07,
    -4.0247942021736004e-07,
    -2.3318719338409497e-07,
    4.009259410305053e-08,
    4.8813017932609656e-08,
    2.4829562265305744e-09,
    -6.384304468234438e-09,
    -1.6131849000325598e-09,
)

FLOAT32: dict[str, Any] = {
    "LN2_HIGH": 0.693359375,
    "LN2_LOW": -2.12194440e-4,
    "ROUNDER": 1.5 * 2.0**23,
    "MANTISSA_BITS": 23,
    "BITS_OF_ONE": 0x7F << 23,
    "BITS_OF_ROOT_HALF": 0x3F3504F3,
    "FAR": 64.0,
    "UP": 2.0**64,
    "DOWN": 2.0**-64,
    "UPPER_HALF": -(1 << 12),
    "SIGN": 31,
    "ALL_BUT_SIGN": 2**31 - 1,
    "SMALLEST_NORMAL": 2.0**-126,
    "LIFT": 2.0**25,
    "LIFTED_BY": 25.0,
    "EXP_LOW": -104.0,
    "EXP_HIGH": 89.0,
    "EXPM1_LOW": -20.0,
    "EXP_SERIES": EXP_SERIES[:6],
    "LOG_SERIES": LOG_SERIES[:5],
    "LOG1P_SERIES": LOG1P_SERIES[:7],
    "ERF_SERIES": ERF_SERIES[:10],
    "ERFC_END": 10.19,
    "ERFCX": (
        1.0740069,
        -0.8833945,
        0.59022844,
        -0.31046662,
        0.11952722,
        -0.026836677,
        -0.0012169644,
        0.0030780835,
        -0.00049907126,
        -0.00033382452,
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


def rank_of(x: float) -> Any:
    """Return a whole number that is the larger, the larger x is; the largest of all for NaN.

    To find the largest of many whole numbers is work for vectors. Numbers with a point are not
    compared in another order than the one written down, for the sake of NaN.

    >>> rank_of(-2.0) < rank_of(-1.5) < rank_of(0.0) < rank_of(1e-300) < rank_of(math.nan)
    np.True_
    """
    pattern = bits(x)  # the larger its absolute value, the larger are a number's bits
    return np.int64(pattern ^ (np.int64(pattern >> SIGN) & ALL_BUT_SIGN))


def of_rank(rank: Any) -> float:
    """Return the number that has this rank.

    >>> of_rank(rank_of(-1.5))
    np.float64(-1.5)
    """
    return number(rank ^ (np.int64(rank >> SIGN) & ALL_BUT_SIGN))


def power_in(shown: float) -> Any:
    """Return 2**k for the whole number k that ``k + ROUNDER`` shows: moved to the exponent."""
    return number((bits(shown) << MANTISSA_BITS) + BITS_OF_ONE)


def polynomial(x: float, coefficients: tuple[float, ...]) -> float:
    """Return c0 + c1 x + c2 x^2 + ..., the even and the odd powers apart.

    Each of the two sums goes by Horner's rule, ((... + c4) x^2 + c2) x^2 + c0, in which every step
    waits for the one before; the processor does both at once, in half the time.

    >>> polynomial(10.0, (1.0, 2.0, 3.0))
    321.0
    """
    even = odd = 0.0
    for c in reversed(coefficients[0::2]):
        even = even * (x * x) + c
    for c in reversed(coefficients[1::2]):
        odd = odd * (x * x) + c
    return odd * x + even


# ---------------------------------------------------------------------- the exponential's family


def reduced(x: float, k: float) -> float:
    """Return x - k log 2, which lies between -log(2)/2 and log(2)/2 for the right k."""
    return (x - k * LN2_HIGH) - k * LN2_LOW


def short_expm1(r: float) -> float:
    """Return e^r - 1 for |r| <= log(2)/2."""
    return r + r * r * polynomial(r, EXP_SERIES)


def exp(x: float) -> float:
    """e^x = 2^k e^r with x = k log 2 + r: the power of two is a change of exponent bits.

    >>> print(f"{exp(1.0):.12f}", exp(-1000.0))
    2.718281828459 0.0
    """
    x = at_most(at_least(x, EXP_LOW), EXP_HIGH)
    rounder = ROUNDER + select(x < 0.0, FAR, -FAR)
    shown = x * LOG2_E + rounder
    p = 1.0 + short_expm1(reduced(x, shown - rounder))
    return p * power_in(shown) * select(x < 0.0, DOWN, UP)


def exp_of_negative(x: float) -> float:
    """e^x for x <= 0, where only one end of the exponents has to be watched.

    >>> print(f"{exp_of_negative(-1.0):.12f}", exp_of_negative(-1000.0))
    0.367879441171 0.0
    """
    x = at_least(x, EXP_LOW)
    shown = x * LOG2_E + (ROUNDER + FAR)
    p = 1.0 + short_expm1(reduced(x, shown - (ROUNDER + FAR)))
    return p * power_in(shown) * DOWN


def expm1(x: float) -> float:
    """e^x - 1 = 2^k (e^r - 1) + (2^k - 1): for tiny x, k is 0 and no digit is lost.

    >>> print(expm1(1e-300), expm1(-1000.0))
    1e-300 -1.0
    """
    x = at_most(at_least(x, EXPM1_LOW), EXP_HIGH)
    shown = x * LOG2_E + ROUNDER
    half = power_in(shown - 1.0)  # 2**k itself may be one too large to exist
    return 2.0 * (half * short_expm1(reduced(x, shown - ROUNDER)) + (half - 0.5))


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
    f = above_one(u, k) + lost * power_in(ROUNDER - at_most(whole_part, 30.0))
    return log_or_edge(log_of(f, whole_part), u)


def log1p_up_to_one(x: float) -> float:
    """log(1 + x) for 0 <= x <= 1: 2 artanh(s) with 2s = x / (1 + x / 2), without an exponent.

    >>> print(log1p_up_to_one(1e-300), f"{log1p_up_to_one(1.0):.12f}")
    1e-300 0.693147180560
    """
    twice = x / (1.0 + 0.5 * x)
    return twice + twice * (twice * twice * polynomial(twice * twice, LOG1P_SERIES))


# ---------------------------------------------------------------------------- the error function


def exp_of_minus_square(z: float) -> float:
    """e^(-z^2), with the digits that rounding z^2 would lose: z = h + l, z^2 = h^2 + l (z + h).

    >>> print(exp_of_minus_square(0.0))
    1.0
    """
    h = number(bits(z) & UPPER_HALF)
    shown = (ROUNDER + FAR) - h * h * LOG2_E
    r = reduced(-h * h, shown - (ROUNDER + FAR)) - (z - h) * (z + h)
    return (1.0 + short_expm1(r)) * power_in(shown) * DOWN


def erfc(x: float) -> float:
    """1 - erf(x) = exp(-z^2) Q(u) / (z + 3) with z = |x|; and erfc(-z) = 2 - erfc(z).

    >>> print(f"{erfc(0.0):.12f} {erfc(10.0):.12e}")
    1.000000000000 2.088487583763e-45
    """
    z = at_most(abs(x), ERFC_END)
    v = 1.0 / (z + 3.0)  # a division costs as much as ten products; u is 1 - 6v
    tail = exp_of_minus_square(z) * (v * polynomial(1.0 - 6.0 * v, ERFCX))
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
