"""What a picture of a computation says: the texts of its boxes, its operators and its edges.

Numbers are written short in the picture and longer in the tooltip; names are cleaned and cut.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from gradlab.draw import text
from gradlab.draw.graph import Vertex
from gradlab.draw.style import TOOLTIP_LENGTH
from gradlab.tape import Node

CELLS = 8  # arrays of up to this many rows and columns are also shown as a heat map


def plain(x: Any) -> Any:
    """Return the number or array inside: gradients of gradients are nodes themselves."""
    while isinstance(x, Node):
        x = x.data
    return x


def argument(node: Node, place: int) -> str:
    """Return what the operation calls its input at this place."""
    return node.op.name_at(place, len(node.inputs))


def is_constant(node: Node, place: int) -> bool:
    """Tell whether an input that is no node gets a box: a number that was computed with."""
    return argument(node, place) in node.op.operands and node.inputs[place] is not None


# ------------------------------------------------------------------------------- what boxes say


def box(node: Node, name: str, kind: str, group: str | None) -> Vertex:
    """Return the box of a number or array: name, data, gradient."""
    rows = _rows(node)
    label = text.clean(node.name) if node.name else "output" if kind == "output" else ""
    what = {"leaf": "leaf: given, not computed", "output": "the output"}.get(kind, "computed")
    called = text.clean(node.name, TOOLTIP_LENGTH) if node.name else "no name"
    grad = "not computed" if node.grad is None else _full(node.grad)
    shown = ", ".join(f"{key} {value}" for key, value in rows)
    tip = f"{called} ({what}): {shown}\ndata = {_full(node.data)}\ngrad = {grad}"
    return Vertex(name, kind, label, rows, tip, group, _cells(plain(node.data)))


def _rows(node: Node) -> tuple[tuple[str, str], ...]:
    data, grad = plain(node.data), plain(node.grad)
    if isinstance(data, np.ndarray | np.generic):
        data = np.asarray(data)
        grad = "not computed" if grad is None else text.numbers(np.asarray(grad))
        return (("shape", text.shape(data)), ("data", text.numbers(data)), ("grad", grad))
    return (
        ("data", text.number(data)),
        ("grad", "not computed" if grad is None else text.number(grad)),
    )


def _cells(data: Any) -> tuple[tuple[float, ...], ...]:
    """Return the numbers of an array small enough for a heat map, row by row."""
    if not isinstance(data, np.ndarray) or data.dtype.kind not in "fiub" or data.ndim not in (1, 2):
        return ()
    rows = np.atleast_2d(data)
    if data.size < 2 or max(rows.shape) > CELLS:
        return ()
    return tuple(tuple(map(float, row)) for row in rows.tolist())


def constant(node: Node, place: int, name: str, group: str | None) -> Vertex:
    """Return the box of a number or array that is no node."""
    x = node.inputs[place]
    tip = f"constant, argument {argument(node, place)} of {node.op.name}: {_full(x)}"
    if isinstance(x, bool | int | float | np.generic):
        label = text.brief(x) if isinstance(x, float | np.floating) else text.clean(x)
        return Vertex(name, "constant", label, (), tip, group)
    array = np.asarray(x)
    few = array.size <= text.FEW
    label = text.clean(text.numbers(array), 40) if few else text.shape(array)
    return Vertex(name, "constant", label, (), tip, group, _cells(array))


def _full(x: Any) -> str:
    x = plain(x)
    written = np.array2string(x, threshold=20, precision=4) if isinstance(x, np.ndarray) else x
    return text.clean(written, TOOLTIP_LENGTH)


# --------------------------------------------------------------------------- what operators say


def operator(node: Node, name: str, group: str | None) -> Vertex:
    """Return the oval of an operation: its symbol, and its formula on hover."""
    op, settings = node.op, _parameters(node)
    label = " ".join([text.clean(op.symbol, 16), *settings])
    first = f"{op.name}: {op.formula}" if op.formula else op.name
    lines = (text.clean(line, TOOLTIP_LENGTH) for line in (first, op.doc, ", ".join(settings)))
    return Vertex(name, "operator", label, (), "\n".join(filter(None, lines)), group)


def _parameters(node: Node) -> list[str]:
    """Return the parameters that differ from their defaults, as ``axis=0``."""
    op = node.op
    written = []
    for place, x in enumerate(node.inputs):
        name = argument(node, place)
        default = op.defaults.get(name)
        same = x is default or (isinstance(x, bool | int | float | str) and x == default)
        if not (isinstance(x, Node) or is_constant(node, place) or same):
            written.append(f"{name}={text.clean(x, 16)}")
    return written


# -------------------------------------------------------------------------------- what edges say

NO_NUMBER = "?"  # in place of a slope: a Value where it has none, as sqrt at 0


def edges(node: Node) -> list[dict[str, str]]:
    """Return label, flow and tooltip for each input of an operation.

    The label is the local slope. Once the node has a gradient, the flow is the product of the two,
    which is what goes back along the edge.
    """
    flows = _flows(node)
    return [
        {
            "label": _slope(slope),
            "flow": "" if flow is None else f"= {span(flow)}",
            "tooltip": _edge_tooltip(node, place, slope, flow),
        }
        for place, (slope, flow) in enumerate(zip(_slopes(node), flows, strict=True))
    ]


def _slopes(node: Node) -> list[Any]:
    try:
        with np.errstate(all="ignore"):
            return [plain(slope) for slope in node.local_slopes()]
    except (ArithmeticError, ValueError):
        return [NO_NUMBER if isinstance(x, Node) else None for x in node.inputs]


def _flows(node: Node) -> list[Any]:
    """Return what flows back to each input; None for constants, and before ``backward()``."""
    nothing, g = [None for _ in node.inputs], plain(node.grad)
    if g is None or np.shape(g) != np.shape(plain(node.data)):  # the latter if set by hand
        return nothing
    try:
        with np.errstate(all="ignore"):
            pulled = iter(node.op.pull(node, g, False))
            return [next(pulled)[1] if isinstance(x, Node) else None for x in node.inputs]
    except (ArithmeticError, ValueError):
        return nothing


def _slope(slope: Any) -> str:
    if slope is None or isinstance(slope, str):
        return "×?" if slope else ""
    values = np.asarray(slope)
    first = values.flat[0] if values.size else 0.0
    if values.size == 1 or (values.size and (values == first).all()):
        sign = "× " if first < 0 else "×"  # "×-3" would read as one sign
        return sign + text.brief(first)
    return f"slope {values.shape}"


def span(x: Any) -> str:
    """Return one number, or the least and the greatest of several."""
    if isinstance(x, float):
        return text.brief(x)
    values = np.asarray(x)
    if values.size == 0:
        return "empty"
    low, high = text.brief(values.min()), text.brief(values.max())
    return low if low == high else f"{low} … {high}"


def _edge_tooltip(node: Node, place: int, slope: Any, flow: Any) -> str:
    lines = [f"argument {argument(node, place)} of {node.op.name}"]
    if isinstance(slope, str):
        lines.append("the slope is not a number here")
    elif slope is not None:
        lines.append(f"local slope {_full(slope)}")
    if flow is not None and slope is not None and not np.ndim(flow):
        lines.append(f"flowed back: gradient × slope = {_full(node.grad)} × {_full(slope)}")
        lines.append(f"= {_full(flow)}")
    elif flow is not None:
        lines += ["flowed back: gradient × slope", f"= {_full(flow)}"]
    return "\n".join(text.clean(line, TOOLTIP_LENGTH) for line in lines)
