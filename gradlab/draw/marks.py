"""Marks: the rectangles, ovals, lines and texts that a picture is made of.

A picture is composed once, in marks; the SVG writer and matplotlib both draw this same list.
"""

from __future__ import annotations

import dataclasses

from gradlab.draw import style, text
from gradlab.draw.graph import Edge, Graph, Vertex
from gradlab.draw.layout import Box, Layout, Point, Route, lay_out


@dataclasses.dataclass(frozen=True)
class Rect:
    """A rectangle, perhaps with round corners; ``dash`` is a pair of lengths, on and off."""

    x: float
    y: float
    width: float
    height: float
    fill: str
    stroke: str = "none"
    line: float = 1.0
    radius: float = 0.0
    dash: tuple[float, float] | None = None


@dataclasses.dataclass(frozen=True)
class Oval:
    """An ellipse, given by the box around it."""

    x: float
    y: float
    width: float
    height: float
    fill: str
    stroke: str
    line: float = 1.0


@dataclasses.dataclass(frozen=True)
class Line:
    """A line of straight and curved pieces, or a filled shape if ``fill`` is given."""

    start: Point
    pieces: tuple[tuple[Point, ...], ...]
    stroke: str = "none"
    line: float = 1.0
    fill: str = "none"
    dash: tuple[float, float] | None = None


@dataclasses.dataclass(frozen=True)
class Text:
    """One line of text; ``y`` is its baseline, ``role`` says what it is (name, data, grad, ...)."""

    x: float
    y: float
    text: str
    role: str
    colour: str = style.INK
    size: float = style.TEXT
    anchor: str = "start"
    bold: bool = False
    italic: bool = False


Mark = Rect | Oval | Line | Text


@dataclasses.dataclass(frozen=True)
class Group:
    """The marks of one vertex or edge, with the tooltip they share."""

    id: str
    kind: str
    tooltip: str
    marks: tuple[Mark, ...]


@dataclasses.dataclass(frozen=True)
class Picture:
    """A finished picture: its size and its groups, later ones on top."""

    width: float
    height: float
    groups: tuple[Group, ...]
    title: str = ""


def compose(graph: Graph, rankdir: str = "LR", title: str = "") -> Picture:
    """Return the picture of a graph, laid out left to right or top to bottom."""
    layout = place(graph, rankdir)
    top = style.TITLE + style.LINE if title else 0.0
    width = max(layout.width, text.width(title, style.TITLE, bold=True) if title else 0.0)
    shift = (style.MARGIN + (width - layout.width) / 2, style.MARGIN + top)
    edges = zip(graph.edges, layout.routes, strict=True)
    groups = [_edge(i, edge, route, shift, rankdir) for i, (edge, route) in enumerate(edges)]
    for vertex in graph.vertices.values():
        box = layout.boxes[vertex.id]
        moved = Box(box.x + shift[0], box.y + shift[1], box.width, box.height)
        groups.append(Group(vertex.id, vertex.kind, vertex.tooltip, tuple(_vertex(vertex, moved))))
    width, height = width + 2 * style.MARGIN, layout.height + top + 2 * style.MARGIN
    if title:
        x, y = width / 2, style.MARGIN + style.TITLE * 0.8
        headline = Text(x, y, title, "title", style.INK, style.TITLE, "middle", bold=True)
        groups.append(Group("title", "title", "", (headline,)))
    return Picture(width, height, tuple(groups), title)


def place(graph: Graph, rankdir: str = "LR") -> Layout:
    """Return the layout for boxes as large as their text needs."""
    arriving = dict.fromkeys(graph.vertices, 0)
    for edge in graph.edges:
        arriving[edge.target] += 1
    sizes = {v.id: _size(v, arriving[v.id], rankdir) for v in graph.vertices.values()}
    labels = [
        (text.width(e.label, style.SMALL) + 8.0, style.SMALL + 5.0) if e.label else (0.0, 0.0)
        for e in graph.edges
    ]
    return lay_out(graph, sizes, labels, rankdir)


# ------------------------------------------------------------------------------------- vertices


def _headline_bold(vertex: Vertex) -> bool:
    return vertex.kind in ("leaf", "result", "output")


def _columns(vertex: Vertex) -> tuple[float, float]:
    """Return the width of the left texts and of the right texts."""
    least = text.width("-0.0000")  # so that a sign does not make boxes of one column ragged
    left = max((text.width(key) for key, _ in vertex.rows), default=0.0)
    return left, max([least, *(text.width(value) for _, value in vertex.rows)])


def _size(vertex: Vertex, arriving: int, rankdir: str) -> tuple[float, float]:
    headline = text.width(vertex.label, bold=_headline_bold(vertex))
    if style.LOOKS[vertex.kind].oval:
        room = 2 * style.PADDING[1] + style.PORT_GAP * max(0, arriving - 1) / style.PORT_ROOM
        width, height = max(28.0, headline + 2 * style.PADDING[0]), 28.0
        return (max(width, room), height) if rankdir == "TB" else (width, max(height, room))
    left, right = _columns(vertex)
    rows = left + style.COLUMN_GAP + right if vertex.rows else 0.0
    lines = len(vertex.rows) + bool(vertex.label)
    width = max(headline, rows) + 2 * style.PADDING[0]
    return max(width, 24.0), lines * style.LINE + 2 * style.PADDING[1] - 4.0


def _vertex(vertex: Vertex, box: Box) -> list[Mark]:
    look = style.LOOKS[vertex.kind]
    at = (box.x, box.y, box.width, box.height)
    if look.oval:
        marks: list[Mark] = [Oval(*at, look.fill, look.stroke, look.width)]
    else:
        marks = [Rect(*at, look.fill, look.stroke, look.width, look.radius, look.dash)]
    if look.double:
        inner = (box.x + 2.5, box.y + 2.5, box.width - 5, box.height - 5)
        marks.append(Rect(*inner, "none", look.stroke, 0.8, look.radius - 2))
    x, y = box.centre[0], box.y + style.PADDING[1] + style.TEXT * 0.72
    if not vertex.rows:
        y = box.centre[1] + style.TEXT * 0.36
    if vertex.label:
        bold = _headline_bold(vertex)
        role = "name" if bold else vertex.kind
        marks.append(Text(x, y, vertex.label, role, look.ink, anchor="middle", bold=bold))
        y += style.LINE
    left, right = box.x + style.PADDING[0], box.x + box.width - style.PADDING[0]
    for key, value in vertex.rows:
        marks += _row(key, value, left, right, y)
        y += style.LINE
    return marks


def _row(key: str, value: str, left: float, right: float, y: float) -> list[Mark]:
    missing = value == "not computed"
    colour = style.MUTED if missing else style.DERIVATIVE if key == "grad" else style.INK
    return [
        Text(left, y, key, "key", style.MUTED),
        Text(right, y, value, key, colour, anchor="end", italic=missing),
    ]


# ---------------------------------------------------------------------------------------- edges


def _edge(i: int, edge: Edge, route: Route, shift: Point, rankdir: str) -> Group:
    def moved(point: Point) -> Point:
        return point[0] + shift[0], point[1] + shift[1]

    pieces = [tuple(map(moved, piece)) for piece in route.pieces]
    tip = pieces[-1][-1]
    length, half = style.ARROW
    # The line ends inside the arrow head, or its blunt end would stick out at the tip.
    pieces[-1] = (*pieces[-1][:-1], _off(tip, -0.7 * length, 0.0, rankdir))
    wings = [(_off(tip, -length, side, rankdir),) for side in (-half, half)]
    marks: list[Mark] = [
        Line(moved(route.start), tuple(pieces), style.EDGE, style.EDGE_WIDTH),
        Line(tip, (*wings, (tip,)), fill=style.EDGE),
    ]
    if edge.label and route.label:
        marks += _slope(edge.label, *moved(route.label))
    return Group(f"e{i}", "edge", edge.tooltip, tuple(marks))


def _off(point: Point, along: float, aside: float, rankdir: str) -> Point:
    """Return the point moved along the flow and aside from it."""
    dx, dy = (aside, along) if rankdir == "TB" else (along, aside)
    return point[0] + dx, point[1] + dy


def _slope(label: str, x: float, y: float) -> list[Mark]:
    size = style.SMALL
    width, height = text.width(label, size) + 6.0, size + 3.0
    baseline = y + size * 0.36
    return [
        Rect(x - width / 2, y - height / 2, width, height, style.BACKGROUND),
        Text(x, baseline, label, "slope", style.DERIVATIVE, size, "middle"),
    ]
