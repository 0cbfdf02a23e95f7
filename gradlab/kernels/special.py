"""The error function on arrays, which NumPy lacks: the C library's, looped over by Numba.

Compiled once, when an array first needs it (gelu does), then read back from Numba's cache.
"""

from __future__ import annotations

import functools
import math
from typing import Any


def _erf(x: float) -> float:
    return math.erf(x)


def _erfc(x: float) -> float:
    return math.erfc(x)


@functools.cache
def _compiled(name: str) -> Any:
    import numba

    function = {"erf": _erf, "erfc": _erfc}[name]
    signatures = ["float32(float32)", "float64(float64)"]
    try:
        return numba.vectorize(signatures, cache=True)(function)
    except RuntimeError:  # no folder to cache in: compile for this process only
        return numba.vectorize(signatures)(function)


def erf(x: Any) -> Any:
    """Return the error function, 2/sqrt(pi) times the integral of exp(-t^2) from 0 to x.

    >>> import numpy as np
    >>> erf(np.array([0.0, 1.0])).round(4)
    array([0.    , 0.8427])
    """
    return _compiled("erf")(x)


def erfc(x: Any) -> Any:
    """Return 1 - erf(x) without the cancellation that subtracting brings for large x.

    >>> import numpy as np
    >>> erfc(np.array([0.0, 10.0]))
    array([1.00000000e+00, 2.08848758e-45])
    """
    return _compiled("erfc")(x)
