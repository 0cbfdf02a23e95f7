"""Pooling: the largest number of every window, and the way back to where it was.

Window by window there would be a small loop for every number; tap by tap there are four passes over
the image for windows of 2 x 2, each of them at the speed of memory.
"""

from __future__ import annotations

import math

import numpy as np

from gradlab.kernels.slides import Slide, padded


def largest(x: np.ndarray, how: Slide) -> np.ndarray:
    """Return the largest number of every window, channel by channel; zeros around do not count.

    >>> from gradlab.kernels.slides import slide
    >>> x = np.array([[[1.0], [3.0], [2.0], [0.0]]])
    >>> largest(x, slide("max_pool", (4,), (2,), (2,), "valid", (1,))).ravel()
    array([3., 2.])
    """
    x = padded(x, how, -np.inf)
    first, *others = how.taps()
    y = x[(slice(None), *first)].copy()
    for tap in others:
        np.maximum(y, x[(slice(None), *tap)], out=y)
    return y


def winners(x: np.ndarray, y: np.ndarray, how: Slide) -> np.ndarray:
    """Return which number of its window is the largest, counted row by row; the first of equals."""
    x = padded(x, how, -np.inf)
    last, *others = range(math.prod(how.kernel))[::-1]
    found = np.full(y.shape, 0, np.min_scalar_type(last))
    for number in others:  # from the end: one step further, unless it is this one
        found += 1
        found *= x[(slice(None), *how.taps()[number])] != y
    return found


def picked(x: np.ndarray, which: np.ndarray, how: Slide) -> np.ndarray:
    """Return one number of every window, for each channel the one that `winners` names."""
    x = padded(x, how)
    y = np.zeros(which.shape, x.dtype)
    for number, tap in enumerate(how.taps()):
        np.copyto(y, x[(slice(None), *tap)], where=which == number)
    return y


def put_back(flow: np.ndarray, which: np.ndarray, how: Slide) -> np.ndarray:
    """Return zeros of the image's shape, with each number of ``flow`` added where it was picked."""
    x = np.zeros((len(flow), *how.wide, flow.shape[-1]), flow.dtype)
    for number, tap in enumerate(how.taps()):
        here = x[(slice(None), *tap)]
        np.add(here, flow * (which == number), out=here)
    return x[how.inside]
