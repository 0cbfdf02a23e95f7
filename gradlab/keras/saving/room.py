"""Room for weights while a model is being restored: no more than the file has numbers for.

So a file of a few bytes cannot ask for a kernel of a million times a million numbers.
"""

from __future__ import annotations

import contextlib
import contextvars
import math
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

_left: contextvars.ContextVar[list[int] | None] = contextvars.ContextVar("left", default=None)


@contextlib.contextmanager
def for_numbers(count: int) -> Iterator[None]:
    """Let the layers built in this block have so many weights together, all 0 at first."""
    token = _left.set([count])
    try:
        yield
    finally:
        _left.reset(token)


def limited() -> bool:
    """Tell whether a model is being restored."""
    return _left.get() is not None


def zeros(shape: Sequence[int], dtype: Any, name: str) -> np.ndarray:
    """Return an array for a weight, whose numbers the file has.

    Raises:
        ValueError: the file has not that many.
    """
    left = _left.get()
    assert left is not None
    size = math.prod(shape)
    if size > left[0]:
        raise ValueError(
            f"the config asks for a {name} of shape {tuple(shape)}\n"
            f"expected at most the {left[0]} numbers that are left in the file\n"
            "write the model again with model.save: config and weights are not of one model"
        )
    left[0] -= size
    return np.zeros(shape, dtype)
