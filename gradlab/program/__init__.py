"""What a network compiles to: a step recorded once, and run again as a list of kernel calls.

``gradlab.program(f)`` makes a program of a function of arrays; ``print`` shows it as Python.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from types import ModuleType
from typing import Any

from gradlab.program.function import Function, NotRecorded
from gradlab.program.replay import replay
from gradlab.program.run import Program

__all__ = ["Function", "NotRecorded", "Program", "program", "replay"]


def program(f: Callable[..., Any], kernels: bool = False) -> Function:
    """Return f as a program: recorded at the first call, and run without the tape from then on.

    Args:
        f: a function of arrays or Tensors, also in lists, tuples and dicts. Python numbers among
            its arguments, and all it takes from elsewhere, are constants of the program; Tensors
            from elsewhere are looked up at every call.
        kernels: fuse operations into loops that Numba compiles, which takes a second or more at
            the first call, and pays when thousands follow. Results differ in the last digits.

    Returns:
        A function of the same arguments that returns plain arrays.

    Shapes and types that were not met before are recorded anew. A function that looks at numbers
    (``if x.sum() > 0``), or draws random ones, stays on the tape, and a warning says so once.

    The slope of x^2 + x:

    >>> import numpy as np
    >>> import gradlab as gl
    >>> slope = program(gl.grad(lambda x: (x * x + x).sum()))
    >>> slope(np.array([1.0, 2.0]))
    array([3., 5.])
    >>> print(slope)
    def f(x):
        t1 = np.empty((2,), float64)
        np.add(1.0, x, out=t2)  # (2,)  2 flop  32 B
        np.add(t2, x, out=t1)   # (2,)  2 flop  48 B
        return t1
    # memory: 16 B (16 B if no array took the place of another)
    """
    return Function(f, kernels)


class _CallableModule(ModuleType):
    def __call__(self, f: Callable[..., Any], kernels: bool = False) -> Function:
        return program(f, kernels)


# `gradlab.program` is this package and also the call `gradlab.program(f)`, as `gradlab.draw` is.
sys.modules[__name__].__class__ = _CallableModule
