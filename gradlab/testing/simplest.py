"""A counterexample in the numbers a reader would have chosen: 7 instead of 20, -1 for -3.7e-11.

Hypothesis shrinks what it drew, step by step, and may stop at a number that is merely smaller.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from gradlab.testing.samples import LAYOUTS, SIMPLE, Shape, relaid

Arguments = tuple[np.ndarray, ...]


def simplest(args: Arguments, fails: Callable[[Arguments], bool]) -> Arguments:
    """Replace number by number with the first simpler one that fails as well.

    >>> simplest((np.array([3.3, 20.0]),), lambda args: args[0].sum() > 6.0)
    (array([0., 7.]),)
    """
    for i, array in enumerate(args):
        for place in np.ndindex(array.shape):
            for number in simpler(args[i][place]):
                other = (*args[:i], with_number(args[i], place, number), *args[i + 1 :])
                if fails(other):
                    args = other
                    break
    return args


def simpler(number: Any) -> Iterator[float]:
    """What a reader would rather see in place of a number: a round one, or the same in short.

    >>> [x for x in simpler(np.float64(-0.0372)) if abs(x) < 0.1]
    [0.0, -0.04, -0.037]
    """
    for round_one in SIMPLE:
        if round_one == number:
            return
        yield round_one
    for digits in (1, 2, 3):
        short = number.dtype.type(f"{number:.{digits}g}")
        if short == number:
            return
        yield float(short)


def with_number(array: np.ndarray, place: Shape, number: float) -> np.ndarray:
    """Return a copy with another number at one place, in the same memory layout.

    >>> with_number(np.asfortranarray(np.eye(2)), (0, 1), 5.0).strides
    (8, 16)
    """
    changed = array.copy()
    changed[place] = number
    seen = (array.strides, array.flags.writeable)
    arranged = (relaid(changed, layout) for layout in LAYOUTS)
    return next((a for a in arranged if (a.strides, a.flags.writeable) == seen), changed)
