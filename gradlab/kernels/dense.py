"""The last layer of a classifier and its loss: probabilities, their logarithms, and slopes.

Each loop writes into its first argument. A row of scores is small and stays in the first-level
cache; NumPy would carry the whole batch through ten arrays. What else a dense layer needs around
its products (bias and activation; the slope and the bias's gradient) is a chain of elementwise
steps: `gradlab.kernels.elementwise`.
"""

from __future__ import annotations

import functools
import inspect
import math
from typing import Any

import numpy as np

from gradlab.kernels import generated
from gradlab.kernels.approximations import exp_of_negative, of_rank, rank_of
from gradlab.kernels.scalars import Writer
from gradlab.kernels.threads import BLOCK, LONG, Shared

WIDE = 32  # numbers


def probabilities(p: np.ndarray, scores: np.ndarray) -> None:
    """``p = softmax(scores)`` along the rows, by the definition.

    As many rows at a time as fit into the first-level cache. Their powers are taken in one loop,
    since rows of ten numbers fill no vectors.

    >>> p = np.empty((1, 2))
    >>> probabilities(p, np.array([[0.0, math.log(3.0)]]))
    >>> p.round(6)
    array([[0.25, 0.75]])
    """
    rows, columns = scores.shape
    block = max(BLOCK // columns, 1)
    for first in range(0, rows, block):
        last = min(first + block, rows)
        for r in range(first, last):
            top = scores[r, 0]
            if columns < WIDE:
                for c in range(columns):
                    top = max(top, scores[r, c])
            else:
                rank = rank_of(top)
                for c in range(columns):
                    rank = max(rank, rank_of(scores[r, c]))
                top = of_rank(rank)
            for c in range(columns):
                p[r, c] = scores[r, c] - top
        powers = p[first:last].ravel()
        for place in range(powers.size):
            powers[place] = exp_of_negative(powers[place])
        for r in range(first, last):
            total = 0.0
            for c in range(columns):
                total += p[r, c]
            for c in range(columns):
                p[r, c] = p[r, c] / total


def label_logs(
    logs: np.ndarray, p: np.ndarray, labels: np.ndarray, epsilon: float, ceiling: float
) -> None:
    """The logarithm of each row's probability for its label, kept between epsilon and ceiling."""
    for r in range(p.shape[0]):
        logs[r, 0] = min(max(p[r, labels[r, 0]], epsilon), ceiling)
    for r in range(p.shape[0]):
        logs[r, 0] = math.log(logs[r, 0])


def label_loss(
    loss: np.ndarray, p: np.ndarray, labels: np.ndarray, epsilon: float, ceiling: float
) -> None:
    """``loss = -mean(logs)``, of the logarithms of `label_logs`: the loss of a whole batch."""
    total = 0.0
    for r in range(p.shape[0]):
        total += math.log(min(max(p[r, labels[r, 0]], epsilon), ceiling))
    loss[()] = -total / p.shape[0]


def label_rows(rows: np.ndarray, labels: np.ndarray, classes: int) -> bool:
    """Write labels as rows of one whole number each; tell whether all are classes."""
    wrong = 0
    for r in range(rows.shape[0]):
        label = labels.flat[r]
        rows[r, 0] = label
        wrong += (label < 0) | (label >= classes)
    return wrong == 0


def column_sums(sums: np.ndarray, a: np.ndarray) -> None:
    """The sum of each column, row after row: the gradient of a bias."""
    for c in range(a.shape[1]):
        sums[c] = 0.0
    for r in range(a.shape[0]):
        for c in range(a.shape[1]):
            sums[c] += a[r, c]


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


def loop_for(function: Any, dtype: np.dtype, size: int) -> Any:
    """Return the same for so many numbers: threads share a long loop that goes row by row."""
    compiled = loop(function, dtype)
    if size < LONG or function not in BY_ROWS:
        return compiled
    names = inspect.signature(function).parameters
    return Shared(compiled, [name not in ("epsilon", "ceiling") for name in names])


BY_ROWS = (probabilities, label_logs, label_slopes, log_slopes, probability_slopes)
