"""Arithmetic: the operations every other formula is built from.

Each primitive is a value for one number, followed by its slope with respect to each argument.
"""

from __future__ import annotations

import operator

import numpy as np

from gradlab.kernels.lift import picked
from gradlab.primitive import (
    primitive,
)


@primitive(formula="a + b", symbol="+", array=operator.add, numpy=np.add)
def add(a, b):
    """Sum: each argument passes the incoming gradient on unchanged."""
    return a + b


@add.partial("a", "b")
def add_slope():
    return 1.0


@primitive(formula="a - b", symbol="−", array=operator.sub, numpy=np.subtract)
def subtract(a, b):
    """Difference: the second argument gets the incoming gradient with its sign changed."""
    return a - b


@subtract.partial("a")
def subtract_slope_a():
    return 1.0


@subtract.partial("b")
def subtract_slope_b():
    return -1.0


@primitive(formula="a * b", symbol="×", array=operator.mul, numpy=np.multiply)
def multiply(a, b):
    """Product: the slope with respect to each argument is the other one."""
    return a * b


@multiply.partial("a")
def multiply_slope_a(b):
    return b


@multiply.partial("b")
def multiply_slope_b(a):
    return a


NONZERO = "(-inf, inf) except 0"


@primitive(
    formula="a / b",
    symbol="÷",
    domain={"b": NONZERO},
    array=operator.truediv,
    numpy=(np.divide, np.true_divide),
)
def divide(a, b):
    """Quotient a / b."""
    return a / b


@divide.partial("a")
def divide_slope_a(b):
    return 1.0 / b


@divide.partial("b")
def divide_slope_b(b, y):
    return -y / b


@primitive(formula="-x", symbol="−", array=operator.neg, numpy=np.negative)
def negative(x):
    """The number with its sign changed."""
    return -x


@negative.partial("x")
def negative_slope():
    return -1.0


@primitive(formula="x", symbol="+", array=operator.pos, numpy=np.positive)
def positive(x):
    """The number itself, as a new node."""
    return x


@positive.partial("x")
def positive_slope():
    return 1.0


@primitive(formula="x ** 2", symbol="²", array=np.square, numpy=np.square)
def square(x):
    """The number times itself."""
    return x * x


@square.partial("x")
def square_slope(x):
    return 2.0 * x


@primitive(
    formula="1 / x", symbol="1/x", domain={"x": NONZERO}, array=np.reciprocal, numpy=np.reciprocal
)
def reciprocal(x):
    """One divided by the number."""
    return 1.0 / x


@reciprocal.partial("x")
def reciprocal_slope(y):
    return -y * y


@primitive(formula="a if condition else b", nondiff=("condition",), array=picked, numpy=np.where)
def where(condition, a, b):
    """Pick a where the condition holds, else b; the one not picked has slope 0."""
    return a if condition else b


@where.partial("a")
def where_slope_a(condition):
    return where(condition, 1.0, 0.0)


@where.partial("b")
def where_slope_b(condition):
    return where(condition, 0.0, 1.0)
