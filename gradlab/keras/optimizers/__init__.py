"""Optimizers: how far each weight moves against its slope in one step of training.

Read them in this order: `SGD`, momentum, `RMSprop`, `Adam`; the others are their relatives.
"""

from __future__ import annotations

from typing import Any

from gradlab.keras.names import resolve
from gradlab.keras.objects import serialize as serialize
from gradlab.keras.optimizers import schedules as schedules
from gradlab.keras.optimizers.adam import Adam, Adamax, AdamW, Nadam
from gradlab.keras.optimizers.adaptive import Adadelta, Adagrad, Ftrl, RMSprop
from gradlab.keras.optimizers.base import Optimizer as Optimizer
from gradlab.keras.optimizers.descent import SGD, Lion

CLASSES = (SGD, RMSprop, Adam, AdamW, Adagrad, Adadelta, Adamax, Nadam, Ftrl, Lion)
TABLE = {name: kind for kind in CLASSES for name in (kind.__name__, kind.__name__.lower())}


def get(identifier: Any) -> Any:
    """Return the optimizer that a name, a class, a config or an object means.

    >>> get("adam").get_config()["beta_2"]
    0.999

    Raises:
        ValueError: an unknown name.
        TypeError: something that is no optimizer.
    """
    if identifier is None or isinstance(identifier, Optimizer):
        return identifier
    found = resolve("optimizer", TABLE, identifier)
    if not isinstance(found, Optimizer):
        raise TypeError(
            f"optimizer: given {identifier!r}\nexpected a name or an object\nwrite SGD()"
        )
    return found


deserialize = get
