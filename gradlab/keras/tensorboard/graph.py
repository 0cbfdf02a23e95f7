"""The graph of a model's layers, in the form in which TensorBoard draws graphs.

Each layer is a box that opens: inside are its weights and its operation. A model within a model is
a box of boxes.

Source: TensorFlow, ``graph.proto``, ``node_def.proto``, ``attr_value.proto``.
"""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np

from gradlab.keras.graph import calls_between, leaves
from gradlab.keras.tensorboard.messages import shape_of
from gradlab.keras.tensorboard.wire import message, repeated

Names = dict[int, str]  # by the id of a symbolic tensor: the node that makes it


def graph_def(model: Any) -> bytes:
    """Return the graph of a model as a GraphDef; an empty one if its layers form no known graph.

    Args:
        model: a Sequential that knows the shape of its inputs, or a functional model.
    """
    nodes: list[bytes] = []
    _add(model, "", {}, nodes)
    return repeated(1, nodes) + message((4, message((1, 1))))


def _add(model: Any, scope: str, names: Names, nodes: list[bytes]) -> None:
    """Add the nodes of a model whose inputs are made elsewhere, if ``names`` has them."""
    seen: Counter[str] = Counter()
    for call in calls_between(model.inputs, model.outputs):
        layer = call.layer
        name = f"{scope}{layer.name}" + (f"_{seen[layer.name]}" if seen[layer.name] else "")
        seen[layer.name] += 1
        made = list(leaves(call.outputs))
        if not call.inputs and id(made[0]) in names:
            continue
        given = [names[id(x)] for x in call.inputs]
        if getattr(layer, "inputs", None) and getattr(layer, "outputs", None):
            inside = {id(x): node for x, node in zip(layer.inputs, given, strict=False)}
            _add(layer, f"{name}/", inside, nodes)
            names |= {id(y): inside[id(x)] for y, x in zip(made, layer.outputs, strict=False)}
        else:
            node = _layer(layer, name, given, [y.shape for y in made], nodes)
            names |= {id(y): node for y in made}


def _layer(layer: Any, name: str, given: list[str], shapes: list[Any], nodes: list[bytes]) -> str:
    """Add the nodes of one layer and return the name of the last one."""
    kind = type(layer).__name__
    if not layer.weights:
        nodes.append(_node(name, kind, given, shapes, _settings(layer)))
        return name
    for weight in layer.weights:
        node = f"{name}/{weight.path.removeprefix(f'{layer.name}/')}"
        nodes.append(_node(node, "Variable", [], [weight.shape], {}))
        given = [*given, node]
    nodes.append(_node(f"{name}/{kind}", kind, given, shapes, _settings(layer)))
    return f"{name}/{kind}"


def _settings(layer: Any) -> dict[str, Any]:
    """Return those arguments of a layer that are numbers and words."""
    config = layer.get_config().items()
    return {k: v for k, v in config if isinstance(v, str | bool | int | float) and k != "name"}


def _node(
    name: str, op: str, given: list[str], shapes: list[Any], settings: dict[str, Any]
) -> bytes:
    known = message((1, repeated(7, map(shape_of, shapes))))
    attributes = {"_output_shapes": known, **{k: _attribute(v) for k, v in settings.items()}}
    entries = (message((1, key), (2, value)) for key, value in attributes.items())
    return message((1, name), (2, op)) + repeated(3, given) + repeated(5, entries)


def _attribute(value: Any) -> bytes:
    """Return an AttrValue: text is field 2, a whole number 3, a float 4, a bool 5."""
    if isinstance(value, bool):
        return message((5, value))
    if isinstance(value, float):
        return message((4, np.float32(value)))
    return message((3 if isinstance(value, int) else 2, value))
