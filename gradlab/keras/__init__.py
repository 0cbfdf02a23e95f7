"""The Keras-shaped layer: models, layers, losses, optimizers, data, under the names of Keras.

``from gradlab import keras`` is the one line that a course script changes; what it trains is
gradlab's own tape, table and kernels.

>>> from gradlab import keras
>>> keras.Sequential([keras.layers.Dense(10, input_shape=[4])]).count_params()
50
"""

from __future__ import annotations

import importlib
from typing import Any

from gradlab.keras.layers import Input as Input
from gradlab.keras.layers import Layer as Layer
from gradlab.keras.model import Model as Model
from gradlab.keras.sequential import Sequential as Sequential
from gradlab.keras.variable import Variable as Variable

_MODULES = (
    "activations",
    "backend",
    "callbacks",
    "config",
    "constraints",
    "datasets",
    "distribute",
    "initializers",
    "layers",
    "losses",
    "metrics",
    "models",
    "ops",
    "optimizers",
    "random",
    "regularizers",
    "saving",
    "tuner",
    "utils",
)


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        raise AttributeError(f"module 'gradlab.keras' has no attribute {name!r}")
    return importlib.import_module(f"gradlab.keras.{name}")


def __dir__() -> list[str]:
    """What a notebook offers after ``keras.``: names of Keras, not the files behind them."""
    return sorted({"Input", "Layer", "Model", "Sequential", "Variable", *_MODULES})
