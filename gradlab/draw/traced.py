"""From a Value or Tensor to a graph: one box per number or array, one oval per operation.

The nodes are visited from a work list and added in the order of their creation, so a graph of any
depth is read without recursion.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from gradlab.draw import text
from gradlab.draw.graph import Graph, Vertex
from gradlab.draw.style import TOOLTIP_LENGTH
from gradlab.tape import Node


def from_node(
    node: Node, *, max_nodes: int = 400, depth: int | None = None, slopes: bool = True
) -> Graph:
    """Return the graph of a traced value: what it was computed from, back to the leaves.

    Args:
        node: the Value or Tensor to start from.
        max_nodes: the most nodes (values and arrays, not counting constants) to accept.
        depth: how many operations to go back; None for all.
        slopes: whether edges are labelled with the local slope.

    Raises:
        TypeError: ``node`` is not a Value or Tensor.
        ValueError: the graph has more than ``max_nodes`` nodes.

    >>> from gradlab import Value
    >>> a = Value(3.0, name="a")
    >>> graph = from_node(a + a)
    >>> [v.label for v in graph.vertices.values()], [e.label for e in graph.edges]
    (['a', '+', 'output'], ['×1', '×1', ''])
    """
    if not isinstance(node, Node):
        raise TypeError(
            f"draw: got {type(node).__name__}\nexpected a Value or a Tensor\n"
            "write draw(y), where y was computed from Values or Tensors"
        )
    shown = _ancestors(node, depth)
    if len(shown) > max_nodes:
        raise ValueError(
            f"draw: this graph has {len(shown):,} nodes; a drawing shows at most {max_nodes:,}\n"
            "expected a graph that can be read\n"
            f"write draw(y, depth=3) for the last operations, or draw(y, max_nodes={len(shown)})"
        )
    reader = _Reader(node, sorted(shown), slopes)
    for serial in sorted(shown):
        reader.read(shown[serial])
    return reader.graph


def _ancestors(node: Node, depth: int | None) -> dict[int, Node]:
    """Return the nodes at most ``depth`` operations back, keyed by serial."""
    found = {node.serial: node}
    front = [node]
    while front and (depth is None or depth > 0):
        behind = [parent for child in front for parent in child.parents]
        front = []
        for parent in behind:
            if parent.serial not in found:
                found[parent.serial] = parent
                front.append(parent)
        depth = None if depth is None else depth - 1
    return found


class _Reader:
    """Adds one node after the other to a graph.

    They are numbered from 1, so that ids do not depend on what else the session computed.
    """

    def __init__(self, output: Node, serials: list[int], slopes: bool) -> None:
        self.graph, self.output, self.slopes = Graph(), output, slopes
        self.numbers = {serial: k for k, serial in enumerate(serials, start=1)}

    def read(self, node: Node) -> None:
        """Add the node's operation with its constants and edges, then the node's own box."""
        number = self.numbers[node.serial]
        if node.op is not None:
            self._read_operation(node, number)
        kind = "leaf" if node.op is None else "output" if node is self.output else "result"
        name = text.clean(node.name) if node.name else "output" if kind == "output" else ""
        self.graph.add(Vertex(f"n{number}", kind, name, _rows(node), _box_tooltip(node, kind)))
        if node.op is not None:
            self.graph.join(f"op{number}", f"n{number}", tight=True)

    def _read_operation(self, node: Node, number: int) -> None:
        graph, operator, hidden = self.graph, f"op{number}", 0
        graph.add(Vertex(operator, "operator", _op_label(node), (), _op_tooltip(node)))
        labels, tips = _edge_texts(node)
        for place, given in enumerate(node.inputs):
            if isinstance(given, Node):
                source = self.numbers.get(given.serial)
                hidden += source is None
                if source is not None:
                    label = labels[place] if self.slopes else ""
                    graph.join(f"n{source}", operator, label=label, tooltip=tips[place])
            elif _is_constant(node, place):
                constant = graph.add(_constant(node, place, f"c{number}_{place}"))
                graph.join(constant, operator, tooltip=tips[place])
        if hidden:
            tip = f"{hidden} input{'s' * (hidden > 1)} not shown: the drawing was cut by depth="
            graph.join(graph.add(Vertex(f"cut{number}", "cut", "⋯", (), tip)), operator)


def _plain(x: Any) -> Any:
    """Return the number or array inside: gradients of gradients are nodes themselves."""
    while isinstance(x, Node):
        x = x.data
    return x


def _argument(node: Node, place: int) -> str:
    return node.op.name_at(place, len(node.inputs))


def _is_constant(node: Node, place: int) -> bool:
    return _argument(node, place) in node.op.operands and node.inputs[place] is not None


# ------------------------------------------------------------------------------- what boxes say


def _rows(node: Node) -> tuple[tuple[str, str], ...]:
    data, grad = _plain(node.data), _plain(node.grad)
    if isinstance(data, np.ndarray | np.generic):
        data = np.asarray(data)
        grad = "not computed" if grad is None else text.numbers(np.asarray(grad))
        return (("shape", text.shape(data)), ("data", text.numbers(data)), ("grad", grad))
    return (
        ("data", text.number(data)),
        ("grad", "not computed" if grad is None else text.number(grad)),
    )


def _constant(node: Node, place: int, name: str) -> Vertex:
    x = node.inputs[place]
    tip = f"constant, argument {_argument(node, place)} of {node.op.name}: {_full(x)}"
    if isinstance(x, bool | int | float | np.generic):
        label = text.brief(x) if isinstance(x, float | np.floating) else text.clean(x)
        return Vertex(name, "constant", label, (), tip)
    array = np.asarray(x)
    if array.size <= text.FEW:
        return Vertex(name, "constant", text.clean(text.numbers(array), 40), (), tip)
    return Vertex(name, "constant", text.shape(array), (), tip)


def _full(x: Any) -> str:
    x = _plain(x)
    written = np.array2string(x, threshold=20, precision=4) if isinstance(x, np.ndarray) else x
    return text.clean(written, TOOLTIP_LENGTH)


def _box_tooltip(node: Node, kind: str) -> str:
    what = {"leaf": "leaf: given, not computed", "output": "the output"}.get(kind, "computed")
    name = text.clean(node.name, TOOLTIP_LENGTH) if node.name else "no name"
    grad = "not computed" if node.grad is None else _full(node.grad)
    rows = ", ".join(f"{key} {value}" for key, value in _rows(node))
    return f"{name} ({what}): {rows}\ndata = {_full(node.data)}\ngrad = {grad}"


# --------------------------------------------------------------------------- what operators say


def _parameters(node: Node) -> list[str]:
    """Return the parameters that differ from their defaults, as ``axis=0``."""
    op = node.op
    written = []
    for place, x in enumerate(node.inputs):
        name = _argument(node, place)
        default = op.defaults.get(name)
        same = x is default or (isinstance(x, bool | int | float | str) and x == default)
        if not (isinstance(x, Node) or _is_constant(node, place) or same):
            written.append(f"{name}={text.clean(x, 16)}")
    return written


def _op_label(node: Node) -> str:
    return " ".join([text.clean(node.op.symbol, 16), *_parameters(node)])


def _op_tooltip(node: Node) -> str:
    op = node.op
    lines = [op.formula and f"{op.name}: {op.formula}", op.doc, ", ".join(_parameters(node))]
    return _lines(op.name if op.formula is None else "", *lines)


def _lines(*lines: str | None) -> str:
    """Return the lines that say something, one below the other."""
    return "\n".join(text.clean(line, TOOLTIP_LENGTH) for line in lines if line)


# -------------------------------------------------------------------------------- what edges say


def _edge_texts(node: Node) -> tuple[list[str], list[str]]:
    """Return label and tooltip for each input: the local slope, and the product that flowed."""
    try:
        with np.errstate(all="ignore"):
            slopes = [_plain(s) for s in node.local_slopes()]
    except (ArithmeticError, ValueError):  # a Value where the slope is no number, as sqrt at 0
        slopes = ["?" if isinstance(x, Node) else None for x in node.inputs]
    places = range(len(node.inputs))
    labels = [_slope_label(slope) for slope in slopes]
    return labels, [_edge_tooltip(node, place, slopes[place]) for place in places]


def _slope_label(slope: Any) -> str:
    if slope is None or isinstance(slope, str):
        return "×?" if slope else ""
    values = np.asarray(slope)
    first = values.flat[0] if values.size else 0.0
    if values.size == 1 or (values.size and (values == first).all()):
        sign = "× " if first < 0 else "×"  # "×-3" would read as one sign
        return sign + text.brief(first)
    return f"slope {values.shape}"


def _edge_tooltip(node: Node, place: int, slope: Any) -> str:
    into = f"argument {_argument(node, place)} of {node.op.name}"
    if slope is None:
        return into
    if isinstance(slope, str):
        return f"{into}\nthe slope is not a number here"
    lines = [into, f"local slope {_full(slope)}"]
    if node.grad is not None:
        g = _plain(node.grad)
        with np.errstate(all="ignore"):
            product = g * slope
        what = "flowed back: gradient × slope"
        scalar = not np.ndim(product)
        lines.append(f"{what} = {_full(g)} × {_full(slope)}" if scalar else what)
        lines.append(f"= {_full(product)}")
    return _lines(*lines)
