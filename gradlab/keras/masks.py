"""Masks: which steps of a sequence count, remembered beside the array that holds the sequence.

Sequences of one batch have the same length, short ones are filled up. A layer that knows where
(`Embedding`, `Masking`) leaves a mask; those after it look it up, use it, and hand it on; at the
end the loss leaves out the steps that do not count.
"""

from __future__ import annotations

import warnings
import weakref
from typing import Any

import numpy as np

from gradlab.errors import ShapeError
from gradlab.keras.graph import leaves, mapped

_masks: dict[int, tuple[Any, Any]] = {}


def put(x: Any, mask: Any) -> Any:
    """Leave a mask beside an array or Tensor, for as long as that exists, and return it.

    Args:
        mask: (batch, steps), False for the steps that do not count.

    >>> x = put(np.zeros((1, 2, 3)), np.array([[True, False]]))
    >>> found(x)
    array([[ True, False]])
    """
    key = id(x)

    def forget(_: Any) -> None:
        _masks.pop(key, None)

    _masks[key] = (weakref.ref(x, forget), mask)
    return x


def found(x: Any) -> Any:
    """Return the mask that was left beside an array; None if there is none."""
    return _masks[id(x)][1] if id(x) in _masks else None


def found_in(structure: Any) -> Any:
    """Return the masks of all arrays of a structure, in the same structure; None without any."""
    masks = mapped(found, structure)
    return None if all(mask is None for mask in leaves(masks)) else masks


def handed_on(inputs: Any, outputs: Any) -> None:
    """Leave the mask of the first input beside outputs that have the same steps, and none yet."""
    mask = next((m for m in map(found, leaves(inputs)) if m is not None), None)
    if mask is None:
        return
    for y in leaves(outputs):
        if found(y) is None and y.shape[:2] == mask.shape and len(y.shape) > 2:
            put(y, mask)


def lost(x: Any, name: str) -> None:
    """Warn that a layer does not hand on the masks of its inputs."""
    if found_in(x) is not None:
        warnings.warn(
            f"{name}: inputs with a mask, which this layer neither uses nor hands on\n"
            "expected layers that go step by step; from here on all steps count\n"
            "write layers.GlobalAveragePooling1D() or a recurrent layer before it",
            stacklevel=2,
        )


def shares(mask: Any, shape: tuple[int, ...], axes: tuple[int, ...], dtype: Any) -> np.ndarray:
    """Return the factors that make a sum along axes the mean of the steps that count.

    Args:
        mask: (batch, steps).
        shape: (batch, steps, ...), of what is summed.
        axes: of the sum.
        dtype: of the factors.

    >>> shares(np.array([[True, True, False]]), (1, 3, 1), (1,), "float32").ravel()
    array([0.5, 0.5, 0. ], dtype=float32)

    Raises:
        ShapeError: the mask does not fit.
    """
    mask = np.asarray(mask)
    if mask.shape != shape[: mask.ndim]:
        raise ShapeError(
            f"a mask of shape {mask.shape} for inputs of shape {shape}\n"
            f"expected (batch, steps): {shape[:2]}\nwrite mask=(x != 0).any(axis=-1)"
        )
    column = mask.reshape(mask.shape + (1,) * (len(shape) - mask.ndim))
    counts = np.broadcast_to(column, shape).astype(dtype)
    return counts / (counts.sum(axis=axes, keepdims=True) + np.asarray(1e-7, dtype))


def counted(mask: Any, weights: Any, mean: bool, dtype: Any) -> np.ndarray:
    """Return the factors on the losses of all steps: 0 for those that do not count.

    Args:
        mask: (batch, steps).
        weights: the other factors, or None.
        mean: the losses are to be divided by their number; then only those that count are counted.

    >>> counted(np.array([[True, True, False, False]]), None, True, "float32")
    array([[2., 2., 0., 0.]], dtype=float32)
    """
    factors = np.asarray(mask).astype(dtype)
    if mean:
        factors *= factors.size / max(factors.sum(), 1.0)
    return factors if weights is None else factors * weights
