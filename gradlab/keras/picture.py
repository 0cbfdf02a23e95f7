"""Pictures of models: a box for each call of a layer, or circles for the neurons.

Both are graphs of `gradlab.draw`, so no program has to be installed.
"""

from __future__ import annotations

import dataclasses
from typing import Any

from gradlab.draw.drawing import Drawing
from gradlab.draw.graph import Cluster, Graph, Vertex
from gradlab.draw.network import network
from gradlab.keras.graph import KerasTensor, LayerCall, calls_between, leaves
from gradlab.keras.layers.operation import Operation


def of_neurons(model: Any, **options: Any) -> Drawing:
    """Draw circles for neurons, and a box for a layer without neurons of its own."""
    sizes = {x.name: x.shape[-1] if x.ndim == 2 else None for x in model.inputs}
    pairs = []
    for call in calls_between(model.inputs, model.outputs):
        if call.inputs:
            sizes[call.layer.name] = getattr(call.layer, "units", None)
            pairs += [(x.name, call.layer.name) for x in call.inputs]
    return network(sizes, connections=pairs, **{"title": model.name, "bias": False, **options})


def has_neurons(model: Any) -> bool:
    """Tell whether circles can show a model: each layer is called once, and some have neurons."""
    calls = calls_between(model.inputs, model.outputs)
    layers = [call.layer for call in calls]
    plain = not any(isinstance(layer, Operation) for layer in layers)
    some = any(hasattr(layer, "units") for layer in layers)
    return plain and some and len({id(layer) for layer in layers}) == len(layers)


@dataclasses.dataclass(frozen=True)
class Shown:
    """What a box says about its layer."""

    shapes: bool = False
    dtype: bool = False
    names: bool = True
    activations: bool = False
    trainable: bool = False
    nested: bool = False


def of_layers(model: Any, shown: Shown, rankdir: str = "TB", title: str = "") -> Drawing:
    """Draw a box for each call of a layer, and an oval for each operator between them."""
    boxes = _Boxes(shown)
    boxes.add_model(model, {}, None)
    for vertex in [boxes.ids[id(y)] for y in model.outputs]:
        found = boxes.graph.vertices[vertex]
        if found.kind == "layer":
            boxes.graph.vertices[vertex] = dataclasses.replace(found, kind="output")
    return Drawing(boxes.graph, rankdir=rankdir, title=title)


class _Boxes:
    """The graph while it grows; ``ids`` has the box that shows where a tensor comes from."""

    def __init__(self, shown: Shown) -> None:
        self.graph, self.shown = Graph(), shown
        self.ids: dict[int, str] = {}

    def add_model(self, model: Any, given: dict[int, str], group: str | None) -> None:
        """Add the calls of a model whose inputs come from the boxes in ``given``."""
        self.ids |= given
        calls = calls_between(model.inputs, model.outputs)
        for call in calls:
            if call.inputs or id(call.outputs) not in given:
                self.add_call(call, group, sum(other.layer is call.layer for other in calls))

    def add_call(self, call: LayerCall, group: str | None, times: int) -> None:
        """Add a call: one box, or the content of a model."""
        sources = list(dict.fromkeys(self.ids[id(x)] for x in call.inputs))
        place = f"v{len(self.graph.vertices)}"
        if self.shown.nested and getattr(call.layer, "inputs", None) and call.inputs:
            self.graph.groups[place] = Cluster(place, call.layer.name, group)
            inside = call.layer.inputs
            given = [self.ids[id(x)] for x in call.inputs]
            self.add_model(call.layer, {id(x): s for x, s in zip(inside, given)}, place)
            made = [self.ids[id(y)] for y in call.layer.outputs]
            self.ids |= {id(y): s for y, s in zip(leaves(call.outputs), made, strict=True)}
            return
        self.graph.add(_box(call, place, group, times, self.shown))
        for source in sources:
            self.graph.join(source, place)
        self.ids |= {id(y): place for y in leaves(call.outputs)}


def _box(call: LayerCall, place: str, group: str | None, times: int, shown: Shown) -> Vertex:
    layer = call.layer
    kind = type(layer).__name__
    tooltip = f"{layer.name} ({kind}) -> {_shapes(call.outputs)}"
    if isinstance(layer, Operation):
        if not shown.shapes:
            return Vertex(place, "operator", _formula(call), (), tooltip, group)
        rows = [("output", _shapes(call.outputs))]
        return Vertex(place, "layer", _formula(call), tuple(rows), tooltip, group)
    rows = [("layer", kind)] if shown.names else []
    if times > 1:
        rows.append(("shared", f"called {times} times"))
    if shown.shapes and call.inputs:
        rows.append(("input", _shapes(call.inputs)))
    if shown.shapes:
        rows.append(("output", _shapes(call.outputs)))
    if shown.dtype:
        rows.append(("dtype", ", ".join(dict.fromkeys(y.dtype for y in leaves(call.outputs)))))
    activation = getattr(getattr(layer, "activation", None), "__name__", None)
    if shown.activations and activation is not None:
        rows.append(("activation", activation))
    if shown.trainable and layer.weights:
        rows.append(("trainable", "yes" if layer.trainable else "no"))
    label = layer.name if shown.names else kind
    return Vertex(place, "layer" if call.inputs else "leaf", label, tuple(rows), tooltip, group)


def _formula(call: LayerCall) -> str:
    """Return the symbol of an operator, with the number beside it if there is one: "× 0.5"."""
    symbol, arguments = call.layer.function.symbol, call.arguments
    numbers = [f"{x:g}" if isinstance(x, int | float) else "" for x in arguments]
    return f"{numbers[0]} {symbol} {numbers[1]}".strip() if len(numbers) == 2 else symbol


def _shapes(tensors: Any) -> str:
    found: list[KerasTensor] = list(leaves(tensors))
    return ", ".join(str(x.shape) for x in found)
