"""The last layer of a classifier and its loss in one pass: probabilities, losses and slopes.

A row of scores is small and stays in the first-level cache; NumPy would carry the whole batch
through ten arrays. What else a dense layer needs around its products (bias and activation; the
slope and the bias's gradient) is a chain of elementwise steps: `gradlab.kernels.elementwise`.
"""

from __future__ import annotations

import functools
import math
from typing import Any

import numpy as np

from gradlab.kernels import generated
from gradlab.kernels.scalars import Writer


def probabilities(scores: np.ndarray, p: np.ndarray) -> None:
    """``p = softmax(scores)`` along the rows, by the definition.

    The powers are taken in one loop over the whole batch: rows of ten numbers fill no vectors.
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


def by_label(
    p: np.ndarray,
    labels: np.ndarray,
    scale: np.ndarray,
    epsilon: float,
    loss: np.ndarray,
    delta: np.ndarray,
) -> None:
    """The loss ``-log p[label]`` of each row, and its slope by the scores, ``p - one_hot``.

    Where p[label] is clipped (below epsilon or above 1 - epsilon) the slope is 0, as in Keras.
    """
    for r in range(p.shape[0]):
        right = labels[r]
        at = p[r, right]
        clipped = min(max(at, epsilon), 1.0 - epsilon)
        loss[r] = clipped
        share = scale[r] if at == clipped else 0.0
        for c in range(p.shape[1]):
            delta[r, c] = p[r, c] * share
        delta[r, right] = (at - 1.0) * share
    for r in range(p.shape[0]):
        loss[r] = -math.log(loss[r])


def by_targets(
    p: np.ndarray,
    targets: np.ndarray,
    scale: np.ndarray,
    epsilon: float,
    loss: np.ndarray,
    delta: np.ndarray,
) -> None:
    """The same for one-hot rows, or any weights of the classes: ``-sum(targets * log p)``."""
    for r in range(p.shape[0]):
        total = 0.0
        weight = 0.0
        for c in range(p.shape[1]):
            clipped = min(max(p[r, c], epsilon), 1.0 - epsilon)
            total -= targets[r, c] * math.log(clipped)
            delta[r, c] = targets[r, c] if p[r, c] == clipped else 0.0
            weight += delta[r, c]
        loss[r] = total
        for c in range(p.shape[1]):
            delta[r, c] = (p[r, c] * weight - delta[r, c]) * scale[r]


@functools.cache
def _loop(function: Any, dtype: np.dtype) -> Any:
    writer = Writer(generated.real(dtype))
    text = writer.loop(function)
    return getattr(generated.load(writer.module(text)), function.__name__)


def softmax(scores: np.ndarray, p: np.ndarray) -> None:
    """``p = softmax(scores)`` along the rows of a matrix; p, in rows, may be the scores.

    >>> p = np.empty((1, 2))
    >>> softmax(np.array([[0.0, math.log(3.0)]]), p)
    >>> p.round(6)
    array([[0.25, 0.75]])
    """
    if generated.available() and scores.size and p.flags.c_contiguous:
        _loop(probabilities, p.dtype)(scores, p)
        return
    np.subtract(scores, scores.max(axis=1, keepdims=True, initial=-np.inf), out=p)
    np.exp(p, out=p)
    p /= p.sum(axis=1, keepdims=True)


def cross_entropy(
    p: np.ndarray,
    targets: np.ndarray,
    scale: np.ndarray,
    loss: np.ndarray,
    delta: np.ndarray,
    epsilon: float = 1e-7,
) -> None:
    """Categorical cross-entropy of softmax outputs: each row's loss, and the slope by the scores.

    The slope goes through loss and softmax at once: ``delta = scale * (p - one_hot)``, in which
    nothing overflows and nothing cancels.

    Args:
        p: probabilities (rows, classes), each row adding up to 1; only read.
        targets: class numbers (rows,), from 0 to classes - 1 (not checked here), or one-hot rows.
        scale: what each row's loss is multiplied by before the batch's sum, (rows,).
        loss: (rows,), changed in place; not scaled.
        delta: (rows, classes), changed in place.
        epsilon: probabilities are kept this far from 0 and 1.

    >>> loss, delta = np.empty(1), np.empty((1, 2))
    >>> cross_entropy(np.array([[0.25, 0.75]]), np.array([1]), np.ones(1), loss, delta)
    >>> loss.round(4), delta
    (array([0.2877]), array([[ 0.25, -0.25]]))
    """
    epsilon = p.dtype.type(epsilon)
    if generated.available():
        function = by_label if targets.ndim == 1 else by_targets
        _loop(function, p.dtype)(p, targets, scale, epsilon, loss, delta)
        return
    one_hot = np.eye(p.shape[1], dtype=p.dtype)[targets] if targets.ndim == 1 else targets
    clipped = np.clip(p, epsilon, 1 - epsilon)
    loss[...] = -np.sum(one_hot * np.log(clipped), axis=1)
    kept = np.where(p == clipped, one_hot, 0)
    delta[...] = (p * kept.sum(axis=1, keepdims=True) - kept) * scale[:, None]
