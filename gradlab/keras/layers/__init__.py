"""All layers; `keras.layers.Dense` and the others are found here.

>>> from gradlab import keras
>>> keras.layers.Dense(10).units
10
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gradlab.keras.layers.activation import ELU, LeakyReLU, PReLU, ReLU, Softmax
from gradlab.keras.layers.base import Layer
from gradlab.keras.layers.core import Activation, Dense, Flatten, Input, InputLayer, Reshape
from gradlab.keras.layers.merging import (
    Add,
    Average,
    Concatenate,
    Dot,
    Maximum,
    Minimum,
    Multiply,
    Subtract,
    add,
    average,
    concatenate,
    dot,
    maximum,
    minimum,
    multiply,
    subtract,
)
from gradlab.keras.layers.operation import Operation
from gradlab.keras.layers.preprocessing import Normalization, Rescaling
from gradlab.keras.layers.regularization import ActivityRegularization, Dropout, GaussianNoise
from gradlab.keras.layers.reshaping import Lambda, Permute, RepeatVector
from gradlab.keras.names import resolve
from gradlab.keras.objects import serialize
from gradlab.keras.saving.custom import custom_object_scope

KINDS: tuple[type[Layer], ...] = (
    InputLayer,
    Dense,
    Activation,
    Flatten,
    Reshape,
    Permute,
    RepeatVector,
    Concatenate,
    Add,
    Subtract,
    Multiply,
    Average,
    Maximum,
    Minimum,
    Dot,
    Operation,
    Lambda,
    ReLU,
    LeakyReLU,
    ELU,
    PReLU,
    Softmax,
    Dropout,
    GaussianNoise,
    ActivityRegularization,
    Normalization,
    Rescaling,
)
TABLE: dict[str, Any] = {kind.__name__: kind for kind in KINDS}


def deserialize(config: Any, custom_objects: Mapping[str, Any] | None = None) -> Any:
    """Return the layer or model that `serialize` wrote down, without its weights.

    Args:
        config: a dict with a class name and arguments.
        custom_objects: layers of your own, by name.

    >>> deserialize(serialize(Dense(10, activation="relu"))).units
    10

    Raises:
        ValueError: an unknown class; the message has the closest ones.
    """
    with custom_object_scope(custom_objects):
        return resolve("layer", TABLE, config)


__all__ = [
    "ELU",
    "KINDS",
    "TABLE",
    "Activation",
    "ActivityRegularization",
    "Add",
    "Average",
    "Concatenate",
    "Dense",
    "Dot",
    "Dropout",
    "Flatten",
    "GaussianNoise",
    "Input",
    "InputLayer",
    "Lambda",
    "Layer",
    "LeakyReLU",
    "Maximum",
    "Minimum",
    "Multiply",
    "Normalization",
    "PReLU",
    "Permute",
    "ReLU",
    "RepeatVector",
    "Rescaling",
    "Reshape",
    "Softmax",
    "Subtract",
    "add",
    "average",
    "concatenate",
    "deserialize",
    "dot",
    "maximum",
    "minimum",
    "multiply",
    "serialize",
    "subtract",
]
