"""Settings of the Keras layer: the float type of layers, and the small number that avoids 0.

Layers compute in float32, as Keras does: half the memory of float64, and faster.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import numpy as np

_settings = {"floatx": "float32", "epsilon": 1e-7}


def floatx() -> str:
    """Return the name of the float type that layers compute in.

    >>> floatx()
    'float32'
    """
    return _settings["floatx"]


def set_floatx(value: str) -> None:
    """Let layers that are built from now on compute in another float type.

    Raises:
        ValueError: not "float32" or "float64".
    """
    if value not in ("float32", "float64"):
        raise ValueError(
            f"set_floatx: given {value!r}\nexpected 'float32' or 'float64'\n"
            "write set_floatx('float64') for more digits at half the speed"
        )
    _settings["floatx"] = value


def epsilon() -> float:
    """Return the number that is added, or kept as a distance, where 0 would be an accident.

    >>> epsilon()
    1e-07
    """
    return _settings["epsilon"]


def set_epsilon(value: float) -> None:
    """Change that number."""
    _settings["epsilon"] = float(value)


@contextlib.contextmanager
def held(floatx: str, epsilon: float) -> Iterator[None]:
    """Use these two settings for as long as a block lasts.

    >>> with held("float64", 1e-9):
    ...     inside = as_floats(1).dtype
    >>> inside, floatx()
    (dtype('float64'), 'float32')
    """
    before = dict(_settings)
    set_floatx(floatx)
    set_epsilon(epsilon)
    try:
        yield
    finally:
        _settings.update(before)


def as_floats(x: object) -> np.ndarray:
    """Return numbers as an array of the layers' float type; no copy if they are that already."""
    return np.asarray(x, dtype=floatx())
