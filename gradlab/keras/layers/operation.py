"""Operators and functions on symbolic tensors: what ``x + 1.0`` and ``keras.ops.exp(x)`` become.

Any function of gradlab's table can be a node of a graph of layers; there is no list of them here.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from gradlab.entry import REGISTRY, Entry
from gradlab.errors import ShapeError
from gradlab.keras.graph import is_symbolic, leaves
from gradlab.keras.layers.base import Layer
from gradlab.keras.layers.logic import LOGIC, Logic
from gradlab.keras.layers.shapes import outputs_like
from gradlab.keras.names import default_name, find

# Arguments that are no arrays: they are settings, as those with a default are.
SETTINGS = frozenset(
    "shape low high axis axis1 axis2 source destination repeats reps shift widths dtype".split()
)


class Operation(Layer):
    """A function of the table as a layer without weights.

    Args:
        function: a row of gradlab's table, one of the functions that make masks, or its name.
        settings: its arguments that are no arrays, such as ``{"axis": -1}``.

    Raises:
        ValueError: no function of the table is called so.

    >>> from gradlab import keras
    >>> x = keras.Input(shape=[3])
    >>> (2.0 * x + 1.0).shape, keras.ops.sum(x, axis=-1).shape
    ((None, 3), (None,))
    >>> Operation("exp", name="growth")(x)
    <KerasTensor shape=(None, 3), dtype=float32, name=growth>
    """

    supports_masking = None  # as in Keras, which leaves masks to layers

    def __init__(
        self,
        function: Any,
        settings: dict[str, Any] | None = None,
        name: str | None = None,
        **more: Any,
    ) -> None:
        entry = function
        if not isinstance(function, Entry | Logic):
            entry = find("function", {**REGISTRY, **LOGIC}, function)
        super().__init__(name=name or default_name(entry.name), **more)
        self.function, self.settings, self.built = entry, dict(settings or {}), True

    @classmethod
    def applied(cls, entry: Entry, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """Return the symbolic result of a function of the table, some of whose arguments are."""
        named = dict(kwargs)
        if not entry.variadic:
            named = dict(zip(entry.input_names, args)) | named
            args = ()
        elif len(args) > 1 and entry.name != "einsum":
            args = ([*args],)
        settings = {
            name: value
            for name, value in named.items()
            if (name in SETTINGS or name in entry.parameters) and not is_symbolic(value)
        }
        if "dtype" in settings:
            settings["dtype"] = np.dtype(settings["dtype"]).name
        arrays = [value for name, value in named.items() if name not in settings]
        return cls(entry, settings)(*args, *arrays)

    def call(self, *arrays: Any) -> Any:
        return self.function(*arrays, **self.settings)

    def _expected(self, args: Any, kwargs: dict[str, Any]) -> Any:
        try:
            return outputs_like(self._tried, args, kwargs)
        except (ValueError, IndexError) as error:
            shapes = " and ".join(str(x.shape) for x in leaves(args) if is_symbolic(x))
            said = str(error).split("\n")
            why = said[1] if len(said) > 1 else f"expected an argument that fits: {error}"
            mend = "write keras.layers.Dense or Reshape before it, or another axis"
            raise ShapeError(f"{self.name}: inputs of shape {shapes}\n{why}\n{mend}") from None

    def _to_floats(self, x: Any) -> Any:
        """Leave whole numbers alone: they may be places, not quantities."""
        return super()._to_floats(x) if isinstance(x, np.ndarray) and x.dtype.kind == "f" else x

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "function": self.function.name, "settings": self.settings}


# ------------------------------------------------------------------------------ in files of Keras

# Where Keras has another name than the table, or than the rule below.
CLASSES = {"getitem": "GetItem", "astype": "Cast"}
MODULES = {
    **dict.fromkeys(("erf", "erfc", "logsumexp"), "math"),
    **{"norm": "linalg", "sign": "numpy", "astype": "core", "convert_to_tensor": "core"},
}
ARGUMENTS = {"low": "x_min", "high": "x_max", "reps": "repeats", "widths": "pad_width"}
OTHERS = {"TrueDivide": "divide", "Absolute": "abs"}
# What Keras writes down though it asks for nothing.
EMPTY = (("decimals", 0), ("mode", "constant"), ("offset", 0), ("axis1", 0), ("axis2", 1))


def class_in_keras(entry: Entry | Logic) -> tuple[str, str]:
    """Return the module and the class that stand for a function in files of Keras.

    >>> class_in_keras(REGISTRY["log_softmax"])
    ('keras.src.ops.nn', 'LogSoftmax')
    """
    usual = "nn" if entry.chapter in ("activations", "windows") else "numpy"
    name = "".join(part.capitalize() for part in entry.name.split("_"))
    return f"keras.src.ops.{MODULES.get(entry.name, usual)}", CLASSES.get(entry.name, name)


def written(layer: Operation) -> dict[str, Any]:
    """Return an operation as files of Keras have it."""
    module, name = class_in_keras(layer.function)
    config: dict[str, Any] = {"name": layer.name}
    for setting, value in layer.settings.items():
        if setting == "ddof" and not value:
            continue  # Keras has no other
        config[argument_in_keras(layer.function, setting)] = value
    return {"module": module, "class_name": name, "config": config, "registered_name": name}


def argument_in_keras(entry: Entry | Logic, setting: str) -> str:
    """Return the name that files of Keras have for a setting of a function."""
    return "newshape" if entry.name == "reshape" else ARGUMENTS.get(setting, setting)


def read(data: dict[str, Any]) -> Operation:
    """Make an operation of what a file of Keras says.

    Raises:
        ValueError: a function that gradlab does not have, or a setting of it.
    """
    yours_first = sorted(REGISTRY.values(), key=_is_ours)  # those of gradlab have the last word
    table = {class_in_keras(entry)[1]: entry for entry in (*LOGIC.values(), *yours_first)}
    table |= {name: REGISTRY[ours] for name, ours in OTHERS.items()}
    entry, config = find("function of Keras", table, data["class_name"]), dict(data["config"])
    name = config.pop("name", None)
    ours = {argument_in_keras(entry, known): known for known in entry.input_names}
    settings = {}
    for argument, value in config.items():
        if argument in ours:
            settings[ours[argument]] = tuple(value) if isinstance(value, list) else value
        elif value is not None and (argument, value) not in EMPTY:
            raise ValueError(
                f"{entry.name}: {argument}={value!r} in a file of Keras\n"
                f"expected no settings but {', '.join(ours)}\nwrite the model without it"
            )
    return Operation(entry, settings, name)


def _is_ours(entry: Entry) -> bool:
    return entry.__module__.startswith("gradlab.")
