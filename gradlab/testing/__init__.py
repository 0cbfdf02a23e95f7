"""Checking gradients: slopes measured with a bound on their error, against what a rule claims.

The numbers come from `numeric`, which knows no autodiff engine: it takes plain NumPy functions.
"""

from gradlab.testing.numeric import (
    Estimate,
    Mismatch,
    Slopes,
    check_vjp,
    directional,
    one_sided,
    random_cotangent,
)

__all__ = [
    "Estimate",
    "Mismatch",
    "Slopes",
    "check_vjp",
    "directional",
    "one_sided",
    "random_cotangent",
]
