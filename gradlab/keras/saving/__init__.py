"""Saving and restoring: what a model is, and all that it has learnt, in files that Keras opens.

``model.save("m.keras")`` writes a zip archive of JSON and HDF5; ``load_model`` reads it. No file
can run code here.

Source: deck 001, section 10.2.5.
"""

from __future__ import annotations

import importlib
from typing import Any

_PLACES = {
    "CustomObjectScope": "custom",
    "custom_object_scope": "custom",
    "deserialize_keras_object": "configs",
    "get_custom_objects": "custom",
    "get_registered_name": "custom",
    "get_registered_object": "custom",
    "load_model": "models",
    "load_weights": "weights",
    "register_keras_serializable": "custom",
    "save_model": "models",
    "save_weights": "weights",
    "serialize_keras_object": "configs",
}


def __getattr__(name: str) -> Any:  # layers look up names in `custom` long before models exist
    if name not in _PLACES:
        raise AttributeError(f"module 'gradlab.keras.saving' has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_PLACES[name]}"), name)


def __dir__() -> list[str]:
    return sorted(_PLACES)
