"""Functions that make masks: yes or no for each step of a sequence.

They have no slope, so they are no rows of the table. gradlab's layers keep masks beside the arrays
(see `gradlab.keras.masks`); files of Keras have these functions as nodes of the graph.
"""

from __future__ import annotations

import dataclasses
import inspect
from collections.abc import Callable
from typing import Any

import numpy as np

from gradlab.tape import compute


@dataclasses.dataclass(frozen=True)
class Logic:
    """A function without a slope that can be a node of a graph of layers.

    Attributes:
        function: of plain arrays; its arguments with a default are settings.
        symbol: what pictures show.

    >>> LOGIC["any"](np.array([[False, True], [False, False]]), axis=-1)
    array([ True, False])
    """

    function: Callable[..., Any]
    symbol: str
    chapter = "logic"

    @property
    def name(self) -> str:
        """That of the function."""
        return self.function.__name__

    @property
    def input_names(self) -> tuple[str, ...]:
        """The names of all arguments."""
        return tuple(inspect.signature(self.function).parameters)

    def __call__(self, *arrays: Any, **settings: Any) -> Any:
        given = inspect.signature(self.function).bind(*arrays, **settings)
        given.apply_defaults()
        return compute(self.function, *given.args)


def not_equal(x1: Any, x2: Any) -> Any:
    """Return where two arrays differ."""
    return np.not_equal(x1, x2)


def logical_or(x1: Any, x2: Any) -> Any:
    """Return where one of two arrays says yes, or both."""
    return np.logical_or(x1, x2)


def any_of(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """Return whether an array says yes anywhere along an axis."""
    return np.any(x, axis=axis, keepdims=keepdims)


def zeros_like(x: Any, dtype: Any = None) -> Any:
    """Return no, or 0, everywhere."""
    return np.zeros_like(x, dtype)


def ones_like(x: Any, dtype: Any = None) -> Any:
    """Return yes, or 1, everywhere."""
    return np.ones_like(x, dtype)


def convert_to_tensor(x: Any, dtype: Any = None) -> Any:
    """Return the array itself."""
    return np.asarray(x, dtype)


any_of.__name__ = "any"  # under which Keras knows it; here it would hide Python's

LOGIC = {
    each.name: each
    for each in (
        *(Logic(not_equal, "!="), Logic(logical_or, "or"), Logic(any_of, "any")),
        *(Logic(zeros_like, "no"), Logic(ones_like, "yes"), Logic(convert_to_tensor, "=")),
    )
}
