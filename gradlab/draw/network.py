"""Diagrams of networks: one circle per neuron, one column per layer, one line per connection.

A line's width is the size of its weight; a negative weight is broken and warm, a positive one solid
and cool.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

import numpy as np

from gradlab.draw import text
from gradlab.draw.drawing import Drawing
from gradlab.draw.graph import Graph, Vertex
from gradlab.tape import Node

FEW_NUMBERS = 16  # up to so many weights are written on their lines
SUBSCRIPTS = str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉")


def network(
    layers: Any,
    *,
    connections: Sequence[tuple[str, str]] | None = None,
    bias: bool = True,
    numbers: bool | None = None,
    most: int = 8,
    rankdir: str = "LR",
    title: str = "",
) -> Drawing:
    """Draw a network as circles and connections.

    Args:
        layers: one of

            * sizes, from input to output: ``[2, 4, 3]``;
            * weights: a list of pairs ``(W, b)`` with shapes (inputs, units) and (units,), of TLUs
              or of fitted Perceptrons; one of these alone is a network of one layer;
            * layers by name, ``{"input": 8, "hidden": 30, "Concat": None}``: a number of neurons,
              or None for a box.

        connections: for layers by name, the pairs ``(from, to)``; None joins each to the next.
        bias: whether to show the constant input 1 of each layer, whose weights are the biases.
        numbers: whether to write weights on the lines; None does if there are few.
        most: the most neurons of a layer to show; of more, the first and the last.
        rankdir: ``"LR"`` for left to right, ``"TB"`` for top to bottom.
        title: a headline.

    Returns:
        The Drawing, which notebooks show and ``save`` writes to a file.

    Source: deck 001, figures "Threshold Logic Unit", "Perceptron", "MLP for the XOR problem",
    "MLP with 2 input neurons, ...", "Architecture of Wide & Deep neural network".

    Raises:
        ValueError: fewer than two layers, shapes that do not fit, an unknown name, or a connection
            that does not lead to a later layer.

    >>> drawing = network([2, 4, 3])
    >>> [len(column) for column in drawing.graph.columns], len(drawing.graph.edges)
    ([4, 6, 4], 27)
    """
    found, weights = _read(layers)
    pairs = _checked_pairs(found, connections)
    diagram = _Diagram(found, pairs, weights, most)
    diagram.add_layers(bias)
    diagram.add_edges(numbers)
    return Drawing(diagram.graph, rankdir=rankdir, title=title)


# ---------------------------------------------------------------------------------------- reading


@dataclasses.dataclass(frozen=True)
class _Layer:
    """A layer: its name, and how many neurons it has; None for a box."""

    name: str
    size: int | None


Weights = dict[str, tuple[np.ndarray, np.ndarray]]  # W and b of the layers that have some, by name


def _read(layers: Any) -> tuple[list[_Layer], Weights]:
    if isinstance(layers, Mapping):
        return [_Layer(str(name), _size(size)) for name, size in layers.items()], {}
    if not isinstance(layers, list | tuple):
        layers = [layers]
    if all(isinstance(size, int | np.integer) for size in layers):
        names = _default_names(len(layers))
        return [_Layer(name, _size(n)) for name, n in zip(names, layers, strict=True)], {}
    pairs = [_weights_of(layer) for layer in layers]
    for (_, b), (W, _) in pairwise(pairs):
        if len(b) != len(W):
            raise ValueError(
                f"network: a layer of {len(b)} units before weights of shape {W.shape}\n"
                "expected as many rows of W as the layer before has units\n"
                "write [(W1, b1), (W2, b2)] from input to output"
            )
    sizes = [len(pairs[0][0]), *(len(b) for _, b in pairs)]
    found = [_Layer(n, size) for n, size in zip(_default_names(len(sizes)), sizes, strict=True)]
    return found, {layer.name: pair for layer, pair in zip(found[1:], pairs, strict=True)}


def _size(size: Any) -> int | None:
    if size is None or (isinstance(size, int | np.integer) and size > 0):
        return None if size is None else int(size)
    raise ValueError(
        f"network: got the size {size!r:.40}\nexpected a number of neurons, at least 1\n"
        "write network([2, 4, 3]), or None for a layer that is drawn as a box"
    )


def _default_names(count: int) -> list[str]:
    if count < 2:
        raise ValueError(
            f"network: got {count} layer{'s' * (count != 1)}\n"
            "expected an input layer and at least one more\nwrite network([2, 3])"
        )
    hidden = [f"hidden {i}" for i in range(1, count - 1)] if count > 3 else ["hidden"]
    return ["input", *hidden[: count - 2], "output"]


def _weights_of(layer: Any) -> tuple[np.ndarray, np.ndarray]:
    if isinstance(layer, tuple) and len(layer) == 2:
        W, b = layer
    else:
        W, b = getattr(layer, "W", getattr(layer, "W_", None)), None
        b = getattr(layer, "b", getattr(layer, "b_", 0.0))
    W, b = (np.asarray(x.data if isinstance(x, Node) else x) for x in (W, b))
    W = W[:, None] if W.ndim == 1 else W
    b = np.ravel(b)
    if W.dtype.kind not in "fiub" or W.ndim != 2 or not W.size or b.shape != W.shape[1:]:
        raise ValueError(
            f"network: {type(layer).__name__} with weights {W.shape} and biases {b.shape}\n"
            "expected W of shape (inputs, units) and b of shape (units,)\n"
            "write a list of pairs (W, b), of TLUs, or of Perceptrons after fit"
        )
    return W.astype(float), b.astype(float)


def _checked_pairs(
    layers: list[_Layer], connections: Sequence[tuple[str, str]] | None
) -> list[tuple[_Layer, _Layer]]:
    if len(layers) < 2:
        _default_names(len(layers))
    if connections is None:
        return list(pairwise(layers))
    place = {layer.name: i for i, layer in enumerate(layers)}
    for pair in connections:
        if len(pair) != 2 or not {*pair} <= place.keys() or place[pair[0]] >= place[pair[1]]:
            raise ValueError(
                f"network: got the connection {pair!r:.80}\n"
                f"expected two of {', '.join(place)}, the later one second\n"
                "write the layers in the order of computation"
            )
    return [(layers[place[a]], layers[place[b]]) for a, b in connections]


# ---------------------------------------------------------------------------------------- drawing


class _Diagram:
    """Fills a graph with the neurons of each layer and the lines between them."""

    def __init__(
        self,
        layers: list[_Layer],
        pairs: list[tuple[_Layer, _Layer]],
        weights: Weights,
        most: int,
    ) -> None:
        self.layers, self.pairs, self.weights, self.most = layers, pairs, weights, most
        self.graph = Graph()
        self.shown: dict[str, dict[int, str]] = {}  # per layer: the vertex of each shown neuron
        self.bias: dict[str, str] = {}  # per layer with biases: the vertex of its constant 1

    def add_layers(self, bias: bool) -> None:
        """Add columns of neurons: a layer stands one column after the last that feeds it."""
        column_of: dict[str, int] = {}
        for layer in self.layers:
            fed_by = [column_of[a.name] for a, b in self.pairs if b is layer]
            column_of[layer.name] = 1 + max(fed_by, default=-1)
        columns: list[list[str]] = [[] for _ in range(1 + max(column_of.values()))]
        crowded = len(column_of) > len(columns)
        for i, layer in enumerate(self.layers):
            column = columns[column_of[layer.name]]
            if bias and column_of[layer.name] and layer.size is not None:
                one = Vertex(f"b{i}", "bias", "1", tooltip=f"constant input of {layer.name}")
                columns[column_of[layer.name] - 1].append(self.graph.add(one))
                self.bias[layer.name] = one.id
            column += self._add_layer(i, layer, "cut" if crowded else "heading")
        self.graph.columns = columns

    def _letters(self) -> dict[str, str]:
        """Return x for the input layer, h for the one between, y for the output: if there is one.

        Where there are several of a kind their neurons stay blank, since h₃ would name two.
        """
        fed = {b.name for _, b in self.pairs}
        feeding = {a.name for a, _ in self.pairs}
        names = [layer.name for layer in self.layers if layer.size is not None]
        kinds = {name: (name in fed, name in feeding) for name in names}
        letters = {(False, True): "x", (True, True): "h", (True, False): "y"}
        alone = [kind for kind in letters if list(kinds.values()).count(kind) == 1]
        return {name: letters[kind] if kind in alone else "" for name, kind in kinds.items()}

    def _add_layer(self, i: int, layer: _Layer, heading: str) -> list[str]:
        name, graph = text.clean(layer.name), self.graph
        if layer.size is None:
            box = graph.add(Vertex(f"l{i}", "layer", name, (), f"layer {name}"))
            self.shown[layer.name] = {0: box}
            return [box]
        kind = "neuron" if any(b is layer for _, b in self.pairs) else "input"
        letter = self._letters()[layer.name]
        head = name if layer.size <= self.most else f"{name} ({layer.size:,})"
        ids = [graph.add(Vertex(f"l{i}", heading, head, (), f"layer {name}"))]
        shown = self._shown(layer.size)
        self.shown[layer.name] = {}
        for k in shown:
            if k == layer.size - 1 > len(shown) - 1:
                hidden = f"{layer.size - len(shown):,} more neurons"
                ids.append(graph.add(Vertex(f"l{i}_more", "cut", "⋮", (), hidden)))
            tip = f"neuron {k + 1} of {layer.size:,} in layer {name}"
            label = _numbered(letter, k, layer.size)
            ids.append(graph.add(Vertex(f"l{i}_{k}", kind, label, (), tip)))
            self.shown[layer.name][k] = ids[-1]
        return ids

    def _shown(self, size: int) -> list[int]:
        if size <= self.most:
            return list(range(size))
        return [*range(max(1, self.most - 2)), size - 1]

    def add_edges(self, numbers: bool | None) -> None:
        """Join each neuron to each of the next layer; a constant 1 carries the biases."""
        count = sum(W.size + b.size * bool(self.bias) for W, b in self.weights.values())
        written = count <= FEW_NUMBERS if numbers is None else numbers
        for source, target in self.pairs:
            W, _ = self.weights.get(target.name, (None, None))
            for i, a in self.shown[source.name].items():
                for j, b in self.shown[target.name].items():
                    self._join(a, b, None if W is None else W[i, j], written)
        for name, one in self.bias.items():
            _, biases = self.weights.get(name, (None, None))
            for j, unit in self.shown[name].items():
                self._join(one, unit, None if biases is None else biases[j], written)

    def _join(self, a: str, b: str, weight: Any, written: bool) -> None:
        weight = None if weight is None else float(weight)
        label = "" if weight is None or not written else text.brief(weight)
        tip = "" if weight is None else f"weight {weight:g}"
        self.graph.join(a, b, label=label, tooltip=tip, weight=weight)


def _numbered(letter: str, k: int, size: int) -> str:
    return letter + str(k + 1).translate(SUBSCRIPTS) if letter and size > 1 else letter
