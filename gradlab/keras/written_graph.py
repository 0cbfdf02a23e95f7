"""A graph of layers as data: each layer with its arguments, and where each call of it gets inputs.

The form is that of Keras 3, so it goes into files as it is.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

import numpy as np

from gradlab.keras import layers as layer_kinds
from gradlab.keras.graph import KerasTensor, LayerCall, leaves, mapped
from gradlab.keras.layers import operation
from gradlab.keras.layers.base import parameters

INDICES = (slice, type(Ellipsis))  # what only stands between the brackets of x[...]

# ---------------------------------------------------------------------------------------- writing


def of_calls(calls: list[LayerCall], inputs: Any, outputs: Any) -> dict[str, Any]:
    """Return ``layers``, ``input_layers`` and ``output_layers`` of a functional model.

    A symbolic tensor is written as ``[layer, number of its call, number of the output]``.
    """
    places: dict[int, list[Any]] = {}
    counts: Counter[int] = Counter()
    for call in sorted(calls, key=_number):
        for y in leaves(call.outputs):
            places[id(y)] = [call.layer.name, counts[id(call.layer)], y.index]
        counts[id(call.layer)] += 1

    def end(x: KerasTensor) -> list[Any]:
        layer, number, index = places[id(x)]
        made_by = None if x.call is None else x.call.layer
        return [layer, number + _is_functional(made_by), index]

    def data(x: Any) -> Any:
        return _tensor(x, places[id(x)]) if isinstance(x, KerasTensor) else _constant(x)

    row = list({id(call.layer): call.layer for call in calls}.values())
    layers = []
    for layer in row:
        nodes = [
            {"args": mapped(data, call.arguments), "kwargs": mapped(data, call.keywords)}
            for call in sorted(calls, key=_number)
            if call.layer is layer and call.inputs
        ]
        layers.append({**_layer(layer), "name": layer.name, "inbound_nodes": nodes})
    ends = {"input_layers": mapped(end, inputs), "output_layers": mapped(end, outputs)}
    return {"layers": layers, **ends}


def _layer(layer: Any) -> dict[str, Any]:
    if isinstance(layer, operation.Operation):
        return operation.written(layer)
    return layer_kinds.serialize(layer) or {}


def _number(call: LayerCall) -> int:
    return call.number


def _is_functional(layer: Any) -> bool:
    """Keras counts the calls of a functional model from 1 where they are inputs or outputs."""
    return hasattr(layer, "calls")


def _tensor(x: KerasTensor, place: list[Any]) -> dict[str, Any]:
    facts = {"shape": list(x.shape), "dtype": x.dtype, "keras_history": place}
    return {"class_name": "__keras_tensor__", "config": facts}


def _constant(x: Any) -> Any:
    """Return a constant among the arguments of a call as data."""
    if isinstance(x, slice):
        parts = {"start": x.start, "stop": x.stop, "step": x.step}
        return {"class_name": "__slice__", "config": parts}
    if x is Ellipsis:
        return {"class_name": "__ellipsis__", "config": {}}
    if isinstance(x, np.ndarray) and x.ndim:
        facts = {"value": x.tolist(), "dtype": x.dtype.name}
        return {"class_name": "__numpy__", "config": facts}
    return x.item() if isinstance(x, np.ndarray | np.generic) else x


# ---------------------------------------------------------------------------------------- reading


def connected(config: dict[str, Any]) -> tuple[Any, Any]:
    """Make the layers of a functional model, call them, and return its inputs and outputs.

    Raises:
        ValueError: layers that wait for each other in a circle, or for one that does not exist.
    """
    layers = {each["name"]: _made(each) for each in config["layers"]}
    waiting = [(each["name"], node) for each in config["layers"] for node in each["inbound_nodes"]]
    made: dict[tuple[str, int], list[Any]] = {
        (name, 0): [layer.output]
        for name, layer in layers.items()
        if isinstance(layer, layer_kinds.InputLayer)
    }
    counts: Counter[str] = Counter()

    def found(layer: str, number: int, index: int) -> Any:
        return made[layer, number][index]

    while waiting:
        later = []
        for name, node in waiting:
            blocked = any(name == other for other, _ in later)
            if blocked or any(place not in made for place in _needed(node)):
                later.append((name, node))
                continue
            args, kwargs = _arguments(node, found)
            _check_mask(layers[name], kwargs)
            made[name, counts[name]] = list(leaves(layers[name](*args, **kwargs)))
            counts[name] += 1
        if len(later) == len(waiting):
            raise _never_ready(later, layers)
        waiting = later

    def end(place: list[Any]) -> Any:
        name, number, index = place
        number -= _is_functional(layers.get(name))
        if (name, number) not in made or index >= len(made[name, number]):
            raise ValueError(
                f"an input or output is {place}, which no layer puts out\n"
                f"expected one of {', '.join(layers)}\nwrite [layer, 0, 0] with one of those names"
            )
        return found(name, number, index)

    return _ends(end, config["input_layers"]), _ends(end, config["output_layers"])


def _made(data: dict[str, Any]) -> Any:
    """Make one of the layers."""
    if str(data.get("module")).startswith("keras.src.ops"):
        return operation.read(data)
    return layer_kinds.deserialize(data)


def _ends(end: Callable[[list[Any]], Any], structure: Any) -> Any:
    """Return lists and dicts of ``[layer, call, output]`` with the tensors in their place."""
    if isinstance(structure, dict):
        return {key: _ends(end, value) for key, value in structure.items()}
    if len(structure) == 3 and isinstance(structure[0], str):
        return end(structure)
    return [_ends(end, each) for each in structure]


def _needed(node: Any) -> list[tuple[str, int]]:
    """Return the calls whose outputs a call needs."""
    if isinstance(node, list):  # as Keras 1 and 2 wrote it: [[layer, call, output, keywords]]
        return [(source[0], source[1]) for source in node]
    return [tuple(place[:2]) for place in _histories(node)]  # type: ignore[misc]


def _histories(data: Any) -> list[list[Any]]:
    if isinstance(data, dict):
        if data.get("class_name") == "__keras_tensor__":
            return [data["config"]["keras_history"]]
        data = list(data.values())
    return [p for each in data for p in _histories(each)] if isinstance(data, list | tuple) else []


def _arguments(node: Any, found: Callable[..., Any]) -> tuple[list[Any], dict[str, Any]]:
    if isinstance(node, list):
        sources = [found(*source[:3]) for source in node]
        keywords = node[0][3] if len(node[0]) > 3 else {}
        return [sources[0] if len(sources) == 1 else sources], keywords
    keywords = {name: value for name, value in node["kwargs"].items() if value is not None}
    return [_read(each, found) for each in node["args"]], _read(keywords, found)


def _read(data: Any, found: Callable[..., Any]) -> Any:
    """Return an argument of a call from data."""
    if isinstance(data, list | tuple):
        parts = [_read(each, found) for each in data]
        is_index = any(part is None or isinstance(part, INDICES) for part in parts)
        return tuple(parts) if is_index else parts  # JSON has no tuples, and x[[...]] is not x[...]
    if not isinstance(data, dict):
        return data
    kind, facts = data.get("class_name"), data.get("config", {})
    if kind == "__keras_tensor__":
        return found(*facts["keras_history"])
    if kind == "__slice__":
        return slice(facts["start"], facts["stop"], facts["step"])
    if kind == "__ellipsis__":
        return Ellipsis
    if kind in ("__numpy__", "__tensor__"):
        return np.asarray(facts["value"], facts["dtype"])
    return {name: _read(each, found) for name, each in data.items()}


def _check_mask(layer: Any, keywords: dict[str, Any]) -> None:
    """Refuse a mask for a layer that does not look at one, and would give other numbers.

    A model needs none: its layers find the masks beside the arrays.
    """
    if isinstance(layer, layer_kinds.TABLE["Functional"] | layer_kinds.TABLE["Sequential"]):
        keywords.pop("mask", None)
    if "mask" in keywords and "mask" not in parameters(type(layer)):
        raise ValueError(
            f"{layer.name}: given a mask, of which {type(layer).__name__} makes no use here\n"
            "expected a layer that skips steps, such as LSTM\n"
            "write the model without mask_zero=True or Masking before it"
        )


def _never_ready(waiting: list[tuple[str, Any]], layers: dict[str, Any]) -> ValueError:
    needed = {place[0] for _, node in waiting for place in _needed(node)}
    if unknown := sorted(needed - set(layers)):
        return ValueError(
            f"a layer gets inputs from {unknown[0]!r}\n"
            f"expected one of {', '.join(layers)}\nwrite that layer into the config, too"
        )
    names = ", ".join(dict.fromkeys(name for name, _ in waiting))
    return ValueError(
        f"the layers {names} wait for each other's outputs, in a circle\n"
        "expected a graph that leads from inputs to outputs\n"
        "write a Model subclass with a loop in call for what goes round several times"
    )
