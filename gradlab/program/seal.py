"""Numbers under seal: while a step is being recorded, an array shows its shape and nothing else.

A program must do the right thing for numbers that nobody has seen yet, so whatever looks at those
of the example cannot be part of it.
"""

from __future__ import annotations

from typing import Any

import numpy as np


class Escape(BaseException):
    """The step looks at numbers: what it would do with others cannot be written down.

    It ends the recording, so it must pass through an ``except Exception`` of the step itself.
    """


class _Sealed:
    """Stands for every number of an array that is being recorded; nothing can be done with it."""

    def _refuse(self, *_: Any, **__: Any) -> Any:
        raise Escape("it looks at the numbers of an array, which are others in the next step")

    __bool__ = __float__ = __int__ = __index__ = __complex__ = _refuse
    __lt__ = __le__ = __gt__ = __ge__ = __eq__ = __ne__ = __hash__ = _refuse  # type: ignore
    __add__ = __radd__ = __sub__ = __rsub__ = __mul__ = __rmul__ = _refuse
    __truediv__ = __rtruediv__ = __floordiv__ = __rfloordiv__ = __pow__ = __rpow__ = _refuse
    __mod__ = __rmod__ = __matmul__ = __rmatmul__ = __neg__ = __pos__ = __abs__ = _refuse
    __and__ = __rand__ = __or__ = __ror__ = __invert__ = __round__ = __getattr__ = _refuse


def sealed(shape: tuple[int, ...]) -> np.ndarray:
    """Return an array of a shape that has no numbers: layers may ask for its shape, and no more.

    >>> sealed((2, 3)).shape
    (2, 3)
    >>> sealed((2, 3)).max()
    Traceback (most recent call last):
        ...
    gradlab.program.seal.Escape: it looks at the numbers of an array, which are others in ...
    """
    cell = np.empty((), object)
    cell[()] = _Sealed()
    return np.broadcast_to(cell, shape)
