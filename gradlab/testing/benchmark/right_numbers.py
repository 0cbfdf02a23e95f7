"""Right backward passes whose numbers are hard: very large, very small, flat, or in float32.

Here rounding decides: a checker has to know how exact its own measurement is.
"""

from __future__ import annotations

import math

import numpy as np

from gradlab.testing.benchmark.cases import MATRIX, Sampler, around, correct, normal, ties
from gradlab.testing.benchmark.formulas import (
    cumsum,
    dense_tanh,
    dense_tanh_backward,
    gelu,
    gelu_share,
    layer_norm,
    layer_norm_slope,
    logsumexp,
    matmul,
    matmul_backward,
    mean,
    product,
    relu,
    sigmoid,
    softmax,
    softmax_slope,
    softplus,
    total,
)

# ------------------------------------------------------------------ correct: large, small, flat


def cube(x):
    return x**3


@correct(cube, around(-1e5, 1e5, by=0.5))
def cube_at_1e5(g, x):
    return 3.0 * g * x * x


@correct(softplus, around(-20.0, 20.0, by=0.2))
def softplus_at_20(g, x):
    return g * sigmoid(x)


@correct(sigmoid, around(-40.0, 40.0, by=0.2))
def sigmoid_saturated(g, x):
    y = sigmoid(x)
    return g * y * (1.0 - y)


@correct(np.exp, around(-300.0, 300.0, by=0.1))
def exp_at_300(g, x):
    return g * np.exp(x)


@correct(np.sin, around(-1e6, 1e6, by=0.5))
def sin_at_1e6(g, x):
    return g * np.cos(x)


@correct(logsumexp, normal((2, 3), scale=1e3))
def logsumexp_at_1000(g, x):
    return g[:, None] * softmax(x)


@correct(softmax, normal((2, 3), scale=1e4))
def softmax_spread_over_1e4(g, x):
    return softmax_slope(g, softmax(x))


@correct(product, ties(2, 3))
def product_with_zeros(g, x):
    others = np.stack([np.delete(x, i, axis=1).prod(axis=1) for i in range(x.shape[1])], axis=1)
    return g[:, None] * others


@correct(cumsum, MATRIX)
def cumsum_reversed(g, x):
    return np.cumsum(g[:, ::-1], axis=-1)[:, ::-1]


@correct(mean, normal((32, 32)))
def mean_of_1024(g, x):
    return np.full_like(x, g / x.size)


@correct(np.sign, normal((4,)), kinks=(0.0,))
def sign_is_flat(g, x):
    return np.zeros_like(x)


REPEATED = np.array([0, 2, 2, 1, 2, 0])


def take(x):
    return x[REPEATED]


@correct(take, normal((4,)))
def take_with_repeats(g, x):
    dx = np.zeros_like(x)
    np.add.at(dx, REPEATED, g)
    return dx


@correct(layer_norm, normal((2, 3), scale=1e-3))
def layer_norm_of_small_numbers(g, x):
    return layer_norm_slope(g, x)


# -------------------------------------------------------------------------- correct: in float32


def normal32(*shapes: tuple[int, ...], scale: float = 1.0) -> Sampler:
    """`normal` in float32."""
    return normal(*shapes, scale=scale, dtype=np.float32)


@correct(dense_tanh, normal32((2, 2), (2, 2), (2,)))
def float32_tanh_layer(g, x, W, b):
    return dense_tanh_backward(g, x, W, b)


@correct(softmax, normal32((2, 3)))
def float32_softmax(g, x):
    return softmax_slope(g, softmax(x))


@correct(matmul, normal32((2, 3), (3, 2)))
def float32_matmul(g, a, b):
    return matmul_backward(g, a, b)


@correct(gelu, normal32((4,)))
def float32_gelu(g, x):
    density = np.exp(-0.5 * x * x) / math.sqrt(2.0 * math.pi)
    return g * (gelu_share(x) + x * density)


@correct(total, normal32((5, 5)))
def float32_sum_of_25(g, x):
    return np.full_like(x, g)


@correct(logsumexp, normal32((2, 3), scale=30.0))
def float32_logsumexp(g, x):
    return g[:, None] * softmax(x)


@correct(layer_norm, normal32((2, 3)))
def float32_layer_norm(g, x):
    return layer_norm_slope(g, x)


@correct(softplus, around(-20.0, 20.0, by=0.5, dtype=np.float32))
def float32_softplus(g, x):
    return g * sigmoid(x)


@correct(relu, around(0.0, 1e-7, -1e-7, 1.0, dtype=np.float32), kinks=(0.0,))
def float32_relu_at_zero(g, x):
    return g * (x > 0)


def single_precision_kernel(x):
    """A float64 function that computes in float32, as many a kernel does."""
    return np.tanh(x.astype(np.float32)).astype(np.float64)


@correct(single_precision_kernel, MATRIX)
def float32_inside_float64_outside(g, x):
    return g * (1.0 - single_precision_kernel(x) ** 2)
