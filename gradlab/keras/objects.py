"""Objects that can be written down: the name of a class, and the arguments that make it again.

So initializers, regularizers, constraints, losses, metrics, optimizers and layers go into files.
"""

from __future__ import annotations

import dataclasses
import inspect
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from gradlab.keras.saving import custom, shared

RECENT = ("input_axes", "output_axes")  # Keras before 3.15 refuses them; their default is None
# Folders and files of this package whose classes have a module of their own in Keras.
MODULES = ("layers", "losses", "metrics", "initializers", "regularizers", "constraints")


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
    """Return the class and the arguments of an object, as files of Keras have them.

    >>> from gradlab import keras
    >>> serialize(keras.regularizers.L2(0.5))
    {'module': 'keras.regularizers', 'class_name': 'L2', 'config': {'l2': 0.5}, 'registered_name': \
None}

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
    kind = type(thing)
    module, registered = module_of(kind), None
    if module is None:
        registered = custom.get_registered_name(kind)
    elif ".src." in module:
        registered = kind.__name__
    written = {
        "module": module,
        "class_name": kind.__name__,
        "config": {n: v for n, v in thing.get_config().items() if v is not None or n not in RECENT},
        "registered_name": registered,
    }
    for part in ("build_config", "compile_config"):  # layers have the first, models both
        if (found := getattr(thing, f"get_{part}", dict)()) is not None and found:
            written[part] = found
    if "build_config" in written:
        shared.mark(thing, written)
    return written


def module_of(kind: type) -> str | None:
    """Return where Keras has a class; None for a class of your own.

    >>> from gradlab import keras
    >>> module_of(keras.layers.Dense), module_of(keras.Sequential)
    ('keras.layers', 'keras')
    """
    home = kind.__module__.split(".")
    if home[:2] != ["gradlab", "keras"]:
        return None
    if home[2:3] == ["functional"]:
        return "keras.src.models.functional"
    if home[2:3] == ["optimizers"]:
        return "keras.optimizers.schedules" if home[3] == "schedules" else "keras.optimizers"
    return f"keras.{home[2]}" if home[2] in MODULES else "keras"


def made(kind: Any, config: Mapping[str, Any]) -> Any:
    """Make an object of a class from its arguments in a file, which Keras may have written.

    Arguments of Keras that gradlab does not have are left out if they ask for nothing.

    Raises:
        ValueError: arguments that do not make one.
    """
    arguments = {name: _plain(value) for name, value in config.items()}
    inits = [vars(each)["__init__"] for each in kind.__mro__[:-1] if "__init__" in vars(each)]
    known = {name for init in inits for name in inspect.signature(init).parameters}
    if kind.__module__.startswith("gradlab."):
        arguments = {n: v for n, v in arguments.items() if n in known or not _asks_nothing(v)}
    try:
        return kind.from_config(arguments)
    except (TypeError, KeyError, AttributeError, IndexError, ArithmeticError) as error:
        raise ValueError(
            f"{kind.__name__}: cannot be made of {_short(config)}\n"
            f"expected the arguments that its get_config returns: {error}\n"
            f"write a config as {kind.__name__}.get_config() returns it"
        ) from error


def _asks_nothing(value: Any) -> bool:
    """Tell whether a setting that gradlab does not have is one of doing things as gradlab does."""
    return value is None or value is False or (isinstance(value, str) and value == "channels_last")


def _plain(value: Any) -> Any:
    """Return an array, or the name of a float type, of the dict that Keras writes for it."""
    inner = value.get("config") if isinstance(value, Mapping) else None
    if not isinstance(inner, Mapping):
        return value
    if value.get("class_name") in ("__numpy__", "__tensor__"):
        return np.asarray(inner["value"], inner["dtype"])
    return inner.get("name") if value.get("class_name") in ("DTypePolicy", "Policy") else value


def _short(config: Any) -> str:
    text = str(config)
    return text if len(text) <= 200 else f"{text[:200]}..."


def names_in(module: str, table: Mapping[str, Any]) -> Callable[[str], Any]:
    """Return the ``__getattr__`` of a module: ``keras.regularizers.l2`` is found in its table."""

    def look_up(name: str) -> Any:
        if name in table:
            return table[name]
        raise AttributeError(f"module {module!r} has no attribute {name!r}")

    return look_up
