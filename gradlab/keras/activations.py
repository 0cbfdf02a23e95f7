"""Activations by their Keras names: nothing is defined here, they are rows of gradlab's table.

``keras.activations.tanh`` and the string "tanh" of a layer are both ``gradlab.tanh``.

Source: deck 001, section 10.1.4-10.1.6; deck 000, "Activation Function".
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from gradlab import ops
from gradlab.entry import REGISTRY, Entry
from gradlab.keras import objects
from gradlab.keras.names import resolve
from gradlab.keras.saving import custom
from gradlab.ops.arithmetic import where
from gradlab.ops.elementary import clip


def relu(
    x: Any, negative_slope: float = 0.0, max_value: float | None = None, threshold: float = 0.0
) -> Any:
    """Rectified linear unit, ``max(0, x)``, with the three settings that Keras adds to it.

    Args:
        x: an array or Tensor of any shape.
        negative_slope: up to the threshold the value is ``negative_slope * (x - threshold)``.
        max_value: where it stops growing; None for nowhere.
        threshold: above it, the value is x.

    >>> import numpy as np
    >>> relu(np.array([-10.0, 3.0, 10.0]), negative_slope=0.1, max_value=6.0)
    array([-1.,  3.,  6.])
    """
    if (negative_slope, max_value, threshold) == (0.0, None, 0.0):
        return ops.activations.relu(x)
    above = x if max_value is None else clip(x, 0.0, max_value)
    below = negative_slope * (x - threshold) if negative_slope else 0.0
    return where(x > threshold, above, below)


def gelu(x: Any, approximate: bool = False) -> Any:
    """Gaussian error linear unit; ``approximate=True`` takes tanh for its bell curve.

    >>> round(gelu(1.0), 4), round(gelu(1.0, approximate=True), 4)
    (0.8413, 0.8412)
    """
    return ops.activations.gelu_tanh(x) if approximate else ops.activations.gelu(x)


TABLE: dict[str, Entry] = {
    name: entry for entry in REGISTRY.values() if entry.chapter != "losses" for name in entry.keras
}


def get(identifier: Any) -> Callable[..., Any]:
    """Return the function that a name means; None means "linear", a function means itself.

    >>> import gradlab as gl
    >>> get("swish") is gl.silu, get(None) is gl.linear
    (True, True)

    Raises:
        ValueError: an unknown name.
    """
    if isinstance(identifier, Mapping) and identifier.get("class_name") != "function":
        # a layer with settings of its own, such as LeakyReLU
        from gradlab.keras import layers

        return layers.deserialize(identifier)
    return TABLE["linear"] if identifier is None else resolve("activation", TABLE, identifier)


deserialize = get


def serialize(activation: Callable[..., Any]) -> Any:
    """Return the Keras name of an activation; the class and arguments of a layer used as one.

    A function of your own is written down by its name, which `load_model` must be told.

    >>> serialize(get("swish"))
    'silu'

    Raises:
        ValueError: a function without a name, such as a lambda.
    """
    if activation in (relu, gelu):
        return activation.__name__
    if keras := getattr(activation, "keras", ()):
        return keras[0]
    if hasattr(activation, "get_config"):
        return objects.serialize(activation)
    return custom.function_config(activation)


__getattr__ = objects.names_in(__name__, TABLE)


def __dir__() -> list[str]:
    return sorted({*globals(), *TABLE})
