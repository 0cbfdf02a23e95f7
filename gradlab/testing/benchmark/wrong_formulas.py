"""Wrong backward passes whose formula is wrong: a factor, a sign, a term, a shape.

These are wrong nearly everywhere, so one good look at one point is enough to reject them.
"""

from __future__ import annotations

import math

import numpy as np

from gradlab.testing.benchmark.cases import MATRIX, normal, powers_of_ten, wrong
from gradlab.testing.benchmark.formulas import (
    add_bias,
    correlate,
    cross_entropy,
    cumsum,
    divide,
    gelu,
    half_squared_error,
    layer_norm,
    log_softmax,
    matmul,
    mean,
    mean_squared_error,
    multiply,
    norm,
    normalized,
    row_mean,
    sigmoid,
    softmax,
    square,
    total,
    weighted_square,
)

SQUARES = normal((2, 2), (2, 2))

# --------------------------------------------------------- wrong: a factor, a sign, a missing term


@wrong(softmax, normal((2, 3)), "zero everywhere", shapes="(n,m)->(n,m)")
def softmax_backward_is_zero(g, x):
    """Right against a cotangent of ones, which is all that some checkers try."""
    return np.zeros_like(x)


@wrong(softmax, normal((2, 3)), "a term is missing.* sum", shapes="(n,m)->(n,m)")
def softmax_without_the_sum(g, x):
    return g * softmax(x)


@wrong(log_softmax, normal((2, 3)), shapes="(n,m)->(n,m)")
def log_softmax_without_the_sum(g, x):
    return g - softmax(x)


@wrong(np.tanh, MATRIX, "1.0005 times")
def tanh_too_steep_by_half_a_permille(g, x):
    return 1.0005 * g * (1.0 - np.tanh(x) ** 2)


@wrong(np.tanh, MATRIX, "1.005 times")
def tanh_too_steep_by_half_a_percent(g, x):
    return 1.005 * g * (1.0 - np.tanh(x) ** 2)


@wrong(divide, normal((3,), (3,)), "the sign is wrong", shapes="(n),(n)->(n)", domain="x > 0")
def quotient_without_the_minus(g, a, b):
    return g / b, g * a / (b * b)


@wrong(square, MATRIX, "half")
def square_without_the_two(g, x):
    return g * x


@wrong(half_squared_error, normal((2, 2), (2, 2)), "twice", shapes="(n,m),(n,m)->()")
def half_error_with_a_two(g, p, t):
    """The 1/2 in front of the squares is forgotten by the backward pass."""
    return 2.0 * g * (p - t), 2.0 * g * (t - p)


@wrong(mean, MATRIX, "6 times.*a sum for a mean")
def mean_as_if_it_were_a_sum(g, x):
    return g * np.ones_like(x)


@wrong(total, MATRIX, "1/6 times.*a mean for a sum")
def sum_as_if_it_were_a_mean(g, x):
    return g * np.ones_like(x) / x.size


@wrong(mean_squared_error, normal((2, 3), (2, 3)), "3 times", shapes="(n,m),(n,m)->()")
def error_divided_by_the_batch_only(g, p, t):
    d = 2.0 * g * (p - t) / len(p)
    return d, -d


@wrong(row_mean, MATRIX, "3/2 times", shapes="(n,m)->(n)")
def row_mean_divided_by_the_rows(g, x):
    return np.broadcast_to(g[:, None] / x.shape[0], x.shape).copy()


@wrong(layer_norm, normal((2, 4)), "a term is missing.* mean", shapes="(n,m)->(n,m)")
def layer_norm_without_the_mean(g, x):
    y, deviation = normalized(x)
    return (g - y * (g * y).mean(axis=-1, keepdims=True)) / deviation


@wrong(cross_entropy, normal((2, 3), (2, 3)), "a term is missing", shapes="(n,m),(n,m)->()")
def cross_entropy_without_the_target(g, z, t):
    return g * t.sum(axis=-1, keepdims=True) * softmax(z), -g * log_softmax(z)


@wrong(norm, normal((5,)), shapes="(n)->()")
def norm_not_divided(g, x):
    return g * x


@wrong(sigmoid, MATRIX)
def sigmoid_slope_of_the_input(g, x):
    """x (1 - x), written for the value y, is given the input."""
    return g * x * (1.0 - x)


@wrong(gelu, MATRIX)
def gelu_slope_of_the_tanh_formula(g, x):
    """The slope of the usual approximation, while the value is exact: wrong by 1e-3 at most."""
    u = math.sqrt(2.0 / math.pi) * (x + 0.044715 * x**3)
    t, du = np.tanh(u), math.sqrt(2.0 / math.pi) * (1.0 + 3 * 0.044715 * x * x)
    return g * (0.5 * (1.0 + t) + 0.5 * x * (1.0 - t * t) * du)


@wrong(np.log, powers_of_ten(-1, 1), domain="x > 0")
def log_with_an_epsilon_below(g, x):
    """The value has none, so the slope is wrong for small x."""
    return g / (x + 1e-5)


# ------------------------------------------------------------- wrong: the shape of the computation


@wrong(matmul, SQUARES, "not transposed", shapes="(n,n),(n,n)->(n,n)")
def matmul_with_b_not_transposed(g, a, b):
    return g @ b, a.T @ g


@wrong(matmul, SQUARES, "transposed", shapes="(n,n),(n,n)->(n,n)")
def matmul_gradient_transposed(g, a, b):
    return g @ b.T, g.T @ a


@wrong(multiply, SQUARES, "swapped", shapes="(n),(n)->(n)")
def factors_swapped(g, a, b):
    return g * a, g * b


@wrong(add_bias, normal((3, 2), (2,)), "broadcast, but not summed", shapes=((2, 1), (1,)))
def bias_gradient_not_summed(g, x, b):
    return g, g


@wrong(add_bias, normal((3, 2), (2,)), "1/3 times.*a mean for a sum", shapes=((2, 1), (1,)))
def bias_gradient_averaged(g, x, b):
    return g, g.mean(axis=0)


@wrong(add_bias, normal((3, 2), (2,)), "broadcast, but not summed", shapes=((2, 1), (1,)))
def bias_gradient_of_the_first_row(g, x, b):
    return g, g[0]


@wrong(softmax, normal((3, 3)), shapes="(n,m)->(n,m)")
def softmax_summed_over_the_wrong_axis(g, x):
    y = softmax(x)
    return y * (g - (g * y).sum(axis=0, keepdims=True))


@wrong(correlate, normal((5,), (2,)), shapes=((3,), (2,)))
def convolution_shifted_by_one(g, x, w):
    return np.roll(np.convolve(g, w), 1), np.correlate(x, g, "valid")


@wrong(cumsum, MATRIX, "not transposed", shapes="(n,m)->(n,m)")
def cumsum_not_reversed(g, x):
    return np.cumsum(g, axis=-1)


@wrong(np.tanh, normal((20, 30)), "only some elements are zero")
def one_element_of_600_is_zero(g, x):
    dx = np.array(g * (1.0 - np.tanh(x) ** 2))
    if x.size:
        dx.flat[317 % x.size] = 0.0
    return dx


@wrong(weighted_square, MATRIX, shapes="(n,m)->(n,m)")
def order_of_the_memory_assumed(g, x):
    """Right for arrays in C order; the elements of others are taken as they lie in memory."""
    weight = np.arange(1.0, x.size + 1.0).reshape(x.shape)
    return 2.0 * g * weight * x.ravel(order="K").reshape(x.shape)
