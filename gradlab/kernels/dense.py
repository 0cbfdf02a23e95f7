"""The last layer of a classifier and its loss: probabilities, their logarithms, and slopes.

Each loop writes into its first argument. A row of scores is small and stays in the first-level
cache; NumPy would carry the whole batch through ten arrays. What else a dense layer needs around
its products (bias and activation; the slope and the bias's gradient) is a chain of elementwise
steps: `gradlab.kernels.elementwise`.
"""

from __future__ import annotations

import functools
import math
from typing import Any

import numpy as np

from gradlab.kernels import generated
from gradlab.kernels.scalars import Writer


def probabilities(p: np.ndarray, scores: np.ndarray) -> None:
    """``p = softmax(scores)`` along the rows, by the definition.

    The powers are taken in one loop over the whole batch: rows of ten numbers fill no vectors.

    >>> p = np.empty((1, 2))
    >>> probabilities(p, np.array([[0.0, math.log(3.0)]]))
    >>> p.round(6)
    array([[0.25, 0.75]])
    """
    for r in range(scores.shape[0]):
        top = scores[r, 0]
        for c in range(scores.shape[1]):
            top = max(top, scores[r, c])
        for c in range(scores.shape[1]):
            p[r, c] = scores[r, c] - top
    powers = p.ravel()
    for place in range(powers.size):
        powers[place] = math.exp(powers[place])
    for r in range(scores.shape[0]):
        total = 0.0
        for c in range(scores.shape[1]):
            total += p[r, c]
        for c in range(scores.shape[1]):
            p[r, c] = p[r, c] / total


def label_logs(
    logs: np.ndarray, p: np.ndarray, labels: np.ndarray, epsilon: float, ceiling: float
) -> None:
    """The logarithm of each row's probability for its label, kept between epsilon and ceiling."""
    for r in range(p.shape[0]):
        logs[r, 0] = min(max(p[r, labels[r, 0]], epsilon), ceiling)
    for r in range(p.shape[0]):
        logs[r, 0] = math.log(logs[r, 0])


def label_slopes(
    delta: np.ndarray,
    p: np.ndarray,
    labels: np.ndarray,
    g: np.ndarray,
    epsilon: float,
    ceiling: float,
) -> None:
    """``delta = g * (one_hot - p)``: the slope through logarithm and softmax at once.

    In it nothing overflows and nothing cancels. A clipped row has slope 0, as in Keras.
    """
    for r in range(p.shape[0]):
        right = labels[r, 0]
        at = p[r, right]
        share = g[r, 0] if (at >= epsilon) & (at <= ceiling) else 0.0
        for c in range(p.shape[1]):
            delta[r, c] = p[r, c] * -share
        delta[r, right] += share


def log_slopes(
    delta: np.ndarray, p: np.ndarray, g: np.ndarray, epsilon: float, ceiling: float
) -> None:
    """``delta = g - p * sum(g)``: the same for targets with a weight for each class."""
    for r in range(p.shape[0]):
        total = 0.0
        for c in range(p.shape[1]):
            kept = g[r, c] if (p[r, c] >= epsilon) & (p[r, c] <= ceiling) else 0.0
            delta[r, c] = kept
            total += kept
        for c in range(p.shape[1]):
            delta[r, c] = delta[r, c] - p[r, c] * total


def probability_slopes(delta: np.ndarray, p: np.ndarray, g: np.ndarray) -> None:
    """``delta = g * p - p * sum(g * p)``: the slope back through the softmax alone."""
    for r in range(p.shape[0]):
        total = 0.0
        for c in range(p.shape[1]):
            delta[r, c] = g[r, c] * p[r, c]
            total += delta[r, c]
        for c in range(p.shape[1]):
            delta[r, c] -= p[r, c] * total


@functools.cache
def loop(function: Any, dtype: np.dtype) -> Any:
    """Return one of the functions above, compiled for float32 or float64; this needs Numba."""
    writer = Writer(generated.real(dtype))
    text = writer.loop(function, "summing")
    return getattr(generated.load(writer.module(text)), function.__name__)
