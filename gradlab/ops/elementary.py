"""The elementary functions of calculus, each with the slope a student knows from the formula sheet.

``y`` in a slope is the value already computed: (e^x)' = y costs nothing more.
"""

from __future__ import annotations

import math
import operator

import numpy as np

from gradlab.kernels import special
from gradlab.ops.arithmetic import NONZERO, where
from gradlab.primitive import (
    primitive,
)

# ------------------------------------------------------------------------- powers and logarithms


@primitive(
    formula="exp(x)",
    domain={"x": "(-inf, 709)"},
    array=np.exp,
    numpy=np.exp,
    keras=("exp", "exponential"),
)
def exp(x):
    """Exponential function; above x = 709 the result no longer fits a float64."""
    return math.exp(x)


@exp.partial("x")
def exp_slope(y):
    return y


@primitive(formula="exp(x) - 1", domain={"x": "(-inf, 709)"}, array=np.expm1, numpy=np.expm1)
def expm1(x):
    """e^x - 1, exact also for tiny x, where subtracting would lose the digits."""
    return math.expm1(x)


@expm1.partial("x")
def expm1_slope(y):
    return y + 1.0


@primitive(formula="2 ** x", domain={"x": "(-inf, 1023)"}, array=np.exp2, numpy=np.exp2)
def exp2(x):
    """Power of two."""
    return math.exp2(x)


@exp2.partial("x")
def exp2_slope(y):
    return math.log(2.0) * y


@primitive(formula="log(x)", domain={"x": "(0, inf)"}, array=np.log, numpy=np.log)
def log(x):
    """Natural logarithm."""
    return math.log(x)


@log.partial("x")
def log_slope(x):
    return 1.0 / x


@primitive(formula="log(1 + x)", domain={"x": "(-1, inf)"}, array=np.log1p, numpy=np.log1p)
def log1p(x):
    """log(1 + x), exact also for tiny x."""
    return math.log1p(x)


@log1p.partial("x")
def log1p_slope(x):
    return 1.0 / (1.0 + x)


@primitive(formula="log(x) / log(2)", domain={"x": "(0, inf)"}, array=np.log2, numpy=np.log2)
def log2(x):
    """Logarithm to base 2."""
    return math.log2(x)


@log2.partial("x")
def log2_slope(x):
    return 1.0 / (math.log(2.0) * x)


@primitive(formula="log(x) / log(10)", domain={"x": "(0, inf)"}, array=np.log10, numpy=np.log10)
def log10(x):
    """Logarithm to base 10."""
    return math.log10(x)


@log10.partial("x")
def log10_slope(x):
    return 1.0 / (math.log(10.0) * x)


@primitive(
    formula="log(exp(a) + exp(b))",
    array=np.logaddexp,
    numpy=np.logaddexp,
    source="log-sum-exp trick",
)
def logaddexp(a, b):
    """log(e^a + e^b) without computing either power, which might not fit a float."""
    return max(a, b) + math.log1p(math.exp(-abs(a - b)))


@logaddexp.partial("a")
def logaddexp_slope_a(a, y):
    return exp(a - y)


@logaddexp.partial("b")
def logaddexp_slope_b(b, y):
    return exp(b - y)


@primitive(
    formula="a ** b",
    symbol="^",
    domain={"a": "(0, inf)", "b": "(-75, 75)"},
    array=operator.pow,
    numpy=(np.power, np.float_power),
    convention="at a = 0 the slope with respect to b is taken as 0",
)
def power(a, b):
    """Power a^b; a negative a is fine if b is whole and only a is differentiated."""
    return math.pow(a, b)


@power.partial("a")
def power_slope_a(a, b):
    # At a = b = 0 the base is replaced: 0^(b - 1) is infinite, but 0^0 = 1 is flat in a.
    base = where((a == 0.0) & (b == 0.0), 1.0, a)
    return b * power(base, b - 1.0)


@power.partial("b")
def power_slope_b(a, y):
    return y * log(where(a > 0.0, a, 1.0))


@primitive(formula="sqrt(x)", symbol="√", domain={"x": "(0, inf)"}, array=np.sqrt, numpy=np.sqrt)
def sqrt(x):
    """Square root; at 0 it has a value and an infinite slope."""
    return math.sqrt(x)


@sqrt.partial("x")
def sqrt_slope(y):
    return 0.5 / y


@primitive(
    formula="x ** (1 / 3) if x > 0 else -((-x) ** (1 / 3))",
    symbol="∛",
    domain={"x": NONZERO},
    array=np.cbrt,
    numpy=np.cbrt,
)
def cbrt(x):
    """Cube root, also of negative numbers."""
    return math.cbrt(x)


@cbrt.partial("x")
def cbrt_slope(y):
    return 1.0 / (3.0 * y * y)


@primitive(formula="sqrt(a ** 2 + b ** 2)", domain={"a": NONZERO}, array=np.hypot, numpy=np.hypot)
def hypot(a, b):
    """Length of the hypotenuse, without overflow in the squares."""
    return math.hypot(a, b)


@hypot.partial("a")
def hypot_slope_a(a, y):
    return a / y


@hypot.partial("b")
def hypot_slope_b(b, y):
    return b / y


# --------------------------------------------------------------------------------- trigonometry


@primitive(formula="sin(x)", array=np.sin, numpy=np.sin)
def sin(x):
    """Sine of an angle in radians."""
    return math.sin(x)


@sin.partial("x")
def sin_slope(x):
    return cos(x)


@primitive(formula="cos(x)", array=np.cos, numpy=np.cos)
def cos(x):
    """Cosine of an angle in radians."""
    return math.cos(x)


@cos.partial("x")
def cos_slope(x):
    return -sin(x)


@primitive(
    formula="sin(x) / cos(x)",
    domain={"x": "(-1.5707963, 1.5707963)"},
    array=np.tan,
    numpy=np.tan,
)
def tan(x):
    """Tangent of an angle in radians (the stated domain is one of its branches)."""
    return math.tan(x)


@tan.partial("x")
def tan_slope(y):
    return 1.0 + y * y


@primitive(formula="arcsin(x)", domain={"x": "(-1, 1)"}, array=np.arcsin, numpy=np.arcsin)
def arcsin(x):
    """Angle whose sine is x."""
    return math.asin(x)


@arcsin.partial("x")
def arcsin_slope(x):
    return 1.0 / sqrt((1.0 - x) * (1.0 + x))


@primitive(formula="arccos(x)", domain={"x": "(-1, 1)"}, array=np.arccos, numpy=np.arccos)
def arccos(x):
    """Angle whose cosine is x."""
    return math.acos(x)


@arccos.partial("x")
def arccos_slope(x):
    return -1.0 / sqrt((1.0 - x) * (1.0 + x))


@primitive(formula="arctan(x)", array=np.arctan, numpy=np.arctan)
def arctan(x):
    """Angle whose tangent is x."""
    return math.atan(x)


@arctan.partial("x")
def arctan_slope(x):
    return 1.0 / (1.0 + x * x)


@primitive(formula="arctan(a / b)", domain={"b": "(0, inf)"}, array=np.arctan2, numpy=np.arctan2)
def arctan2(a, b):
    """Angle of the point (b, a); the stated domain is the right half plane."""
    return math.atan2(a, b)


@arctan2.partial("a")
def arctan2_slope_a(a, b):
    return b / (a * a + b * b)


@arctan2.partial("b")
def arctan2_slope_b(a, b):
    return -a / (a * a + b * b)


# --------------------------------------------------------------------------- hyperbolic functions


@primitive(
    formula="(exp(x) - exp(-x)) / 2", domain={"x": "(-709, 709)"}, array=np.sinh, numpy=np.sinh
)
def sinh(x):
    """Hyperbolic sine."""
    return math.sinh(x)


@sinh.partial("x")
def sinh_slope(x):
    return cosh(x)


@primitive(
    formula="(exp(x) + exp(-x)) / 2", domain={"x": "(-709, 709)"}, array=np.cosh, numpy=np.cosh
)
def cosh(x):
    """Hyperbolic cosine."""
    return math.cosh(x)


@cosh.partial("x")
def cosh_slope(x):
    return sinh(x)


@primitive(
    formula="2 / (1 + exp(-2 * x)) - 1",
    array=np.tanh,
    numpy=np.tanh,
    keras="tanh",
    source="deck 001, 10.1.4: (e^z - e^-z) / (e^z + e^-z) = 2 sigma(2z) - 1",
)
def tanh(x):
    """Hyperbolic tangent: S-shaped, from -1 to 1, centred on 0."""
    return math.tanh(x)


@tanh.partial("x")
def tanh_slope(y):
    return 1.0 - y * y


@primitive(formula="log(x + sqrt(x ** 2 + 1))", array=np.arcsinh, numpy=np.arcsinh)
def arcsinh(x):
    """Inverse of the hyperbolic sine."""
    return math.asinh(x)


@arcsinh.partial("x")
def arcsinh_slope(x):
    return 1.0 / sqrt(x * x + 1.0)


@primitive(
    formula="log(x + sqrt(x ** 2 - 1))",
    domain={"x": "(1, inf)"},
    array=np.arccosh,
    numpy=np.arccosh,
)
def arccosh(x):
    """Inverse of the hyperbolic cosine."""
    return math.acosh(x)


@arccosh.partial("x")
def arccosh_slope(x):
    return 1.0 / sqrt((x - 1.0) * (x + 1.0))


@primitive(
    formula="log((1 + x) / (1 - x)) / 2",
    domain={"x": "(-1, 1)"},
    array=np.arctanh,
    numpy=np.arctanh,
)
def arctanh(x):
    """Inverse of the hyperbolic tangent."""
    return math.atanh(x)


@arctanh.partial("x")
def arctanh_slope(x):
    return 1.0 / ((1.0 - x) * (1.0 + x))


# ------------------------------------------------------------------------ the normal distribution


@primitive(array=special.erf)
def erf(x):
    """Error function: 2/sqrt(pi) times the integral of exp(-t^2) from 0 to x."""
    return math.erf(x)


@erf.partial("x")
def erf_slope(x):
    return 2.0 / math.sqrt(math.pi) * exp(-x * x)


@primitive(formula="1 - erf(x)", array=special.erfc)
def erfc(x):
    """Complement 1 - erf(x), exact also where erf(x) is close to 1."""
    return math.erfc(x)


@erfc.partial("x")
def erfc_slope(x):
    return -2.0 / math.sqrt(math.pi) * exp(-x * x)


# ------------------------------------------------------------------------- corners and stairs


@primitive(
    name="abs",
    formula="x if x > 0 else -x",
    symbol="|x|",
    kinks=(0.0,),
    convention="slope 0 at 0",
    array=np.absolute,
    numpy=(np.absolute, np.fabs),
)
def absolute(x):
    """Absolute value."""
    return abs(x)


@absolute.partial("x")
def absolute_slope(x):
    return where(x > 0.0, 1.0, where(x < 0.0, -1.0, 0.0))


@primitive(
    formula="a if a > b else b",
    symbol="max",
    convention="where a = b each gets half",
    array=np.maximum,
    numpy=(np.maximum, np.fmax),
)
def maximum(a, b):
    """The larger of two numbers; it alone gets the gradient."""
    return max(a, b)


@maximum.partial("a")
def maximum_slope_a(a, b):
    return where(a > b, 1.0, where(a == b, 0.5, 0.0))


@maximum.partial("b")
def maximum_slope_b(a, b):
    return where(b > a, 1.0, where(a == b, 0.5, 0.0))


@primitive(
    formula="a if a < b else b",
    symbol="min",
    convention="where a = b each gets half",
    array=np.minimum,
    numpy=(np.minimum, np.fmin),
)
def minimum(a, b):
    """The smaller of two numbers; it alone gets the gradient."""
    return min(a, b)


@minimum.partial("a")
def minimum_slope_a(a, b):
    return where(a < b, 1.0, where(a == b, 0.5, 0.0))


@minimum.partial("b")
def minimum_slope_b(a, b):
    return where(b < a, 1.0, where(a == b, 0.5, 0.0))


@primitive(
    formula="low if x < low else (high if x > high else x)",
    kinks=("low", "high"),
    convention="slope 1 at either end",
    nondiff=("low", "high"),
    numpy=np.clip,
)
def clip(x, low, high):
    """The number, kept between low and high; outside, the slope is 0."""
    return min(max(x, low), high)


@clip.partial("x")
def clip_slope(x, low, high):
    return where((x >= low) & (x <= high), 1.0, 0.0)


@primitive(flat=True, symbol="⌊x⌋", array=np.floor, numpy=np.floor)
def floor(x):
    """Largest whole number not above x; flat between the stairs."""
    return float(math.floor(x))


@primitive(flat=True, symbol="⌈x⌉", array=np.ceil, numpy=np.ceil)
def ceil(x):
    """Smallest whole number not below x; flat between the stairs."""
    return float(math.ceil(x))


@primitive(name="round", flat=True, array=np.rint, numpy=np.rint)
def nearest(x):
    """Nearest whole number (a half goes to the even one); flat between the stairs."""
    return float(round(x))
