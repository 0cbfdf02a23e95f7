"""Objects as text: the configs of layers, losses, metrics, ... as JSON, and back.

Reading makes objects of known classes only; no name of a module in a file is ever imported.
"""

from __future__ import annotations

import importlib
import json
import types
from collections.abc import Mapping
from typing import Any

import numpy as np

from gradlab.keras.names import resolve
from gradlab.keras.objects import serialize
from gradlab.keras.saving import custom

KINDS = ("layers", "losses", "metrics", "optimizers", "initializers", "regularizers", "constraints")


def serialize_keras_object(thing: Any) -> Any:
    """Return an object as numbers, text, lists and dicts.

    >>> from gradlab import keras
    >>> serialize_keras_object(keras.initializers.Zeros())["class_name"]
    'Zeros'
    """
    return json.loads(to_json(thing))


def to_json(thing: Any) -> str:
    """Return the text of an object, or of a config with objects in it.

    Raises:
        ValueError: something in it cannot be written down.
    """
    return json.dumps(thing, default=_written)


def _written(thing: Any) -> Any:
    if isinstance(thing, np.generic):
        return thing.item()
    if isinstance(thing, np.ndarray):
        config = {"value": thing.tolist(), "dtype": thing.dtype.name}
        return {"class_name": "__numpy__", "config": config}
    if isinstance(thing, types.FunctionType) or not hasattr(thing, "get_config"):
        return custom.function_config(thing)
    return serialize(thing)


def deserialize_keras_object(config: Any, custom_objects: Mapping[str, Any] | None = None) -> Any:
    """Return the object of a config; numbers and text are themselves.

    Args:
        config: what `serialize_keras_object` returned.
        custom_objects: classes and functions of your own, by name.

    >>> from gradlab import keras
    >>> deserialize_keras_object(serialize_keras_object(keras.regularizers.L2(0.5)))
    L2(l2=0.5)

    Raises:
        ValueError: an unknown class, or arguments that do not make one.
    """
    with custom.custom_object_scope(custom_objects):
        return _made(config)


def _made(config: Any) -> Any:
    if isinstance(config, list | tuple):
        return [_made(each) for each in config]
    if not isinstance(config, Mapping):
        return config
    if "class_name" not in config:
        return {name: _made(each) for name, each in config.items()}
    if config["class_name"] == "__numpy__":
        return np.asarray(config["config"]["value"], config["config"]["dtype"])
    module = str(config.get("module") or "").split(".")
    kind = module[1] if len(module) > 1 and module[1] in KINDS else "layers"
    home = importlib.import_module(f"gradlab.keras.{kind}")  # one of KINDS
    if module[2:3] == ["schedules"]:
        home = home.schedules
    return resolve(kind.removesuffix("s"), home.TABLE, config)
