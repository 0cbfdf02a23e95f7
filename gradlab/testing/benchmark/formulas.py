"""The functions that the cases are about, as one writes them in NumPy, and slopes they share.

Everything here is right: what is wrong with a case is all in its backward pass.
"""

from __future__ import annotations

import math

import numpy as np


def relu(x):
    return np.maximum(x, 0.0)


def relu6(x):
    return np.clip(x, 0.0, 6.0)


def sigmoid(x):
    return np.exp(-np.logaddexp(0.0, -x))  # no overflow, and every digit right at -40


def swish(x):
    return x * sigmoid(x)


def softplus(x):
    return np.logaddexp(0.0, x)


def gelu(x):
    return x * gelu_share(x)


def gelu_share(x):
    """The share of x that gelu lets through, the normal distribution function."""
    return 0.5 * (1.0 + np.vectorize(math.erf, otypes=[x.dtype])(x / math.sqrt(2.0)))


def softmax(x):
    e = np.exp(x - x.max(axis=-1, keepdims=True))
    return e / e.sum(axis=-1, keepdims=True)


def softmax_slope(g, y):
    return y * (g - (g * y).sum(axis=-1, keepdims=True))


def log_softmax(x):
    return x - logsumexp(x)[..., None]


def logsumexp(x):
    top = x.max(axis=-1, keepdims=True)
    return (top + np.log(np.exp(x - top).sum(axis=-1, keepdims=True)))[..., 0]


def layer_norm(x):
    return normalized(x)[0]


def normalized(x):
    centred = x - x.mean(axis=-1, keepdims=True)
    deviation = np.sqrt((centred * centred).mean(axis=-1, keepdims=True) + 1e-5)
    return centred / deviation, deviation


def layer_norm_slope(g, x):
    y, deviation = normalized(x)
    along = y * (g * y).mean(axis=-1, keepdims=True)
    return (g - g.mean(axis=-1, keepdims=True) - along) / deviation


def dense_tanh(x, W, b):
    return np.tanh(x @ W + b)


def dense_tanh_backward(g, x, W, b):
    dz = g * (1.0 - dense_tanh(x, W, b) ** 2)
    return dz @ W.T, x.T @ dz, dz.sum(axis=0)


def matmul(a, b):
    return a @ b


def matmul_backward(g, a, b):
    return g @ b.T, a.T @ g


def multiply(a, b):
    return a * b


def divide(a, b):
    return a / b


def add_bias(x, b):
    return x + b


def row_max(x):
    return x.max(axis=-1)


def norm(x):
    return np.sqrt((x * x).sum())


def square(x):
    return x * x


def residual(x):
    return x + np.tanh(x)


def gate(x):
    return x * np.tanh(x)


def twice_tanh(x, W):
    return np.tanh(np.tanh(x @ W) @ W)


def mean_squared_error(p, t):
    return ((p - t) ** 2).mean()


def half_squared_error(p, t):
    return 0.5 * ((p - t) ** 2).sum()


def cross_entropy(z, t):
    return -(t * log_softmax(z)).sum()


def huber(x):
    return np.where(np.abs(x) <= 1.0, 0.5 * x * x, np.abs(x) - 0.5)


def dropout_mask(x):
    """Every third element is dropped, the others grow by 3 / 2: a mask that stays the same."""
    return 1.5 * (np.arange(x.size).reshape(x.shape) % 3 != 0)


def dropout(x):
    return x * dropout_mask(x)


def correlate(x, w):
    return np.correlate(x, w, "valid")


def cumsum(x):
    return np.cumsum(x, axis=-1)


def first_squared(x, unused):
    return x * x


def mean(x):
    return x.mean()


def total(x):
    return x.sum()


def row_mean(x):
    return x.mean(axis=1)


def product(x):
    return x.prod(axis=-1)


def weighted_square(x):
    return x * x * np.arange(1.0, x.size + 1.0).reshape(x.shape)
