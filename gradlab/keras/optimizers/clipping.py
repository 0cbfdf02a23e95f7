"""Clipping: gradients that are too long are shortened, so that one bad batch cannot ruin a model.

By its norm a gradient keeps its direction; by value it is bent towards the corners of a cube.

Source: Pascanu, Mikolov and Bengio (2013).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np


def length(*gradients: np.ndarray) -> np.floating:
    """Return the Euclidean norm of all numbers of the arrays together.

    >>> length(np.array([3.0]), np.array([[4.0]]))
    np.float64(5.0)
    """
    return np.sqrt(sum(np.sum(np.square(g)) for g in gradients))


def clip(
    gradients: Sequence[np.ndarray],
    clipnorm: float | None = None,
    clipvalue: float | None = None,
    global_clipnorm: float | None = None,
) -> list[np.ndarray]:
    """Return the gradients, shortened in at most one way.

    Args:
        gradients: arrays, which stay as they are.
        clipnorm: the greatest length of each array: ``g * clipnorm / max(length(g), clipnorm)``.
        clipvalue: the greatest size of each number.
        global_clipnorm: the greatest length of all of them together.

    >>> g, h = np.array([3.0, 4.0]), np.array([0.5])
    >>> clip([g, h], clipnorm=1.0), clip([g, h], clipvalue=1.0)
    ([array([0.6, 0.8]), array([0.5])], [array([1., 1.]), array([0.5])])
    """
    if clipnorm is not None:
        return [g * (clipnorm / np.maximum(length(g), clipnorm)) for g in gradients]
    if clipvalue is not None:
        return [np.clip(g, -clipvalue, clipvalue) for g in gradients]
    if global_clipnorm is not None:
        share = global_clipnorm / np.maximum(length(*gradients), global_clipnorm)
        return [g * share for g in gradients]
    return list(gradients)
