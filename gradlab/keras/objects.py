"""Objects that can be written down: the name of a class, and the arguments that make it again.

So initializers, regularizers, constraints, losses, metrics, optimizers and layers go into files.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from typing import Any


class Described:
    """Base of the dataclasses among them: their fields are their arguments."""

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that make the same object again."""
        fields = dataclasses.fields(self)  # type: ignore[arg-type]
        return {f.name: getattr(self, f.name) for f in fields if f.init}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Any:
        """Make an object from what `get_config` returned."""
        return cls(**config)


def serialize(thing: Any) -> dict[str, Any] | None:
    """Return the class and the arguments of an object, as ``deserialize`` takes them.

    >>> from gradlab import keras
    >>> serialize(keras.regularizers.L2(0.5))
    {'class_name': 'L2', 'config': {'l2': 0.5}}

    Raises:
        ValueError: a function or object that does not know its arguments.
    """
    if thing is None:
        return None
    if not hasattr(thing, "get_config"):
        raise ValueError(
            f"{thing!r} cannot be written down\nexpected an object with a method get_config\n"
            "write a class with its arguments, and get_config to return them"
        )
    return {"class_name": type(thing).__name__, "config": thing.get_config()}


def names_in(module: str, table: Mapping[str, Any]) -> Callable[[str], Any]:
    """Return the ``__getattr__`` of a module: ``keras.regularizers.l2`` is found in its table."""

    def look_up(name: str) -> Any:
        if name in table:
            return table[name]
        raise AttributeError(f"module {module!r} has no attribute {name!r}")

    return look_up
