"""Composing: from a graph to the marks of its picture, each box and edge at its place.

How large a box is follows from its text; where it lies, from the layout.
"""

from __future__ import annotations

import dataclasses
import math

from gradlab.draw import halos, style, text
from gradlab.draw.columns import lay_out_columns
from gradlab.draw.graph import Edge, Graph, Vertex
from gradlab.draw.layout import Box, Layout, Point, Route, lay_out
from gradlab.draw.shapes import Group, Line, Mark, Oval, Picture, Rect, Text


def compose(graph: Graph, rankdir: str = "LR", title: str = "") -> Picture:
    """Return the picture of a graph, laid out left to right or top to bottom."""
    layout = place(graph, rankdir)
    width = max(layout.width, text.width(title, style.TITLE, bold=True))
    legend = halos.legend(graph, width, style.MARGIN + _title_height(title))
    top = _title_height(title) + halos.legend_height(legend)
    layout = layout.moved(style.MARGIN + (width - layout.width) / 2, style.MARGIN + top)
    edges = zip(graph.edges, layout.routes, strict=True)
    heaviest = style.heaviest(edge.weight for edge in graph.edges)
    groups = [_edge(i, edge, route, heaviest) for i, (edge, route) in enumerate(edges)]
    if graph.columns:
        groups = _labels_on_top(groups)
    for vertex in graph.vertices.values():
        marks = tuple(_vertex(vertex, layout.boxes[vertex.id]))
        groups.append(Group(vertex.id, vertex.kind, vertex.tooltip, marks))
    width, height = width + 2 * style.MARGIN, layout.height + top + 2 * style.MARGIN
    if title:
        x, y = width / 2, style.MARGIN + style.TITLE * 0.8
        headline = Text(x, y, title, "title", style.INK, style.TITLE, "middle", bold=True)
        groups.append(Group("title", "title", "", (headline,)))
    return Picture(width, height, (*halos.halos(graph, layout), *groups, *legend), title)


def _title_height(title: str) -> float:
    return style.TITLE + style.LINE if title else 0.0


def place(graph: Graph, rankdir: str = "LR") -> Layout:
    """Return the layout for boxes as large as their text needs."""
    if not graph.vertices:
        return Layout(0.0, 0.0, {}, [])
    arriving = dict.fromkeys(graph.vertices, 0)
    for edge in graph.edges:
        arriving[edge.target] += 1
    sizes = {v.id: _size(v, arriving[v.id], rankdir) for v in graph.vertices.values()}
    labels = [_label_size(edge) for edge in graph.edges]
    return (lay_out_columns if graph.columns else lay_out)(graph, sizes, labels, rankdir)


# ------------------------------------------------------------------------------------- vertices


def _headline_bold(vertex: Vertex) -> bool:
    return vertex.kind in ("leaf", "result", "output", "group", "layer")


def _columns(vertex: Vertex) -> tuple[float, float]:
    """Return the width of the left texts and of the right texts."""
    least = text.width("-0.0000")  # so that a sign does not make boxes of one column ragged
    left = max((text.width(key) for key, _ in vertex.rows), default=0.0)
    return left, max([least, *(text.width(value) for _, value in vertex.rows)])


def _size(vertex: Vertex, arriving: int, rankdir: str) -> tuple[float, float]:
    headline = text.width(vertex.label, bold=_headline_bold(vertex))
    if style.LOOKS[vertex.kind].circle:
        diameter = max(style.CIRCLE, headline + 2 * style.PADDING[1])
        return diameter, diameter
    if style.LOOKS[vertex.kind].oval:
        room = 2 * style.PADDING[1] + style.PORT_GAP * max(0, arriving - 1) / style.PORT_ROOM
        width, height = max(28.0, headline + 2 * style.PADDING[0]), 28.0
        return (max(width, room), height) if rankdir == "TB" else (width, max(height, room))
    left, right = _columns(vertex)
    rows = left + style.COLUMN_GAP + right if vertex.rows else 0.0
    lines = len(vertex.rows) + bool(vertex.label)
    wide, high = _heat_size(vertex)
    width = max(headline, rows, wide) + 2 * style.PADDING[0]
    return max(width, 24.0), lines * style.LINE + 2 * style.PADDING[1] - 4.0 + high


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
    if not (vertex.rows or vertex.cells):
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
    return marks + _heat_map(vertex, x, box.y + box.height - style.PADDING[1])


def _row(key: str, value: str, left: float, right: float, y: float) -> list[Mark]:
    missing = value == "not computed"
    colour = style.MUTED if missing else style.DERIVATIVE if key == "grad" else style.INK
    return [
        Text(left, y, key, "key", style.MUTED),
        Text(right, y, value, key, colour, anchor="end", italic=missing),
    ]


def _heat_size(vertex: Vertex) -> Point:
    """Return width and height of the heat map, with the gap above it."""
    if not vertex.cells:
        return 0.0, 0.0
    return len(vertex.cells[0]) * style.CELL, len(vertex.cells) * style.CELL + style.CELL_GAP


def _heat_map(vertex: Vertex, middle: float, bottom: float) -> list[Mark]:
    """Return a small square for each number: blue above 0, orange with a bar below 0."""
    largest = style.heaviest(x for row in vertex.cells for x in row)
    marks: list[Mark] = []
    for r, row in enumerate(vertex.cells):
        for c, x in enumerate(row):
            left = middle + (c - len(row) / 2) * style.CELL
            top = bottom + (r - len(vertex.cells)) * style.CELL
            fill = style.heat(x, largest)
            marks.append(Rect(left, top, style.CELL, style.CELL, fill, style.CELL_BORDER, 0.5))
            if x < 0:
                bar = (left + 0.3 * style.CELL, top + 0.45 * style.CELL)
                marks.append(Rect(*bar, 0.4 * style.CELL, 0.1 * style.CELL, style.INK))
    return marks


# ---------------------------------------------------------------------------------------- edges


def _edge(i: int, edge: Edge, route: Route, heaviest: float) -> Group:
    start, pieces = route.start, list(route.pieces)
    *before, tip = (start, *(point for piece in pieces for point in piece))
    colour, width, dash = style.stroke(edge.weight, heaviest)
    length, half = style.ARROW
    # The line ends inside the arrow head, or its blunt end would stick out at the tip.
    pieces[-1] = (*pieces[-1][:-1], _back(tip, before[-1], 0.7 * length, 0.0))
    wings = tuple((_back(tip, before[-1], length, side),) for side in (-half, half))
    marks: list[Mark] = [
        Line(start, tuple(pieces), colour, width, dash=dash),
        Line(tip, wings, fill=colour),
    ]
    if route.label and (edge.label or edge.flow):
        marks += _label(edge, *route.label)
    return Group(f"e{i}", "edge", edge.tooltip, tuple(marks))


def _labels_on_top(groups: list[Group]) -> list[Group]:
    """Return the edges of a network with all labels above all lines, since lines cross there."""
    lines = [dataclasses.replace(group, marks=group.marks[:2]) for group in groups]
    labels = [
        Group(f"{group.id}-label", "edge", group.tooltip, group.marks[2:])
        for group in groups
        if group.marks[2:]
    ]
    return lines + labels


def _back(tip: Point, before: Point, along: float, aside: float) -> Point:
    """Return the point ``along`` back from the tip toward ``before``, and aside from that line."""
    dx, dy = tip[0] - before[0], tip[1] - before[1]
    size = math.hypot(dx, dy) or 1.0
    dx, dy = dx / size, dy / size
    return tip[0] - along * dx - aside * dy, tip[1] - along * dy + aside * dx


def _label_size(edge: Edge) -> tuple[float, float]:
    lines = [line for line in (edge.label, edge.flow) if line]
    wide = max((text.width(line, style.SMALL, bold=True) for line in lines), default=-8.0)
    return wide + 8.0, len(lines) * (style.SMALL + 2.5) + (2.5 if lines else 0.0)


def _label(edge: Edge, x: float, y: float) -> list[Mark]:
    """Return the local slope and, below it, what flowed back."""
    size, (width, height) = style.SMALL, _label_size(edge)
    colour = style.DERIVATIVE if edge.weight is None else style.INK
    marks: list[Mark] = [
        Rect(x - width / 2 + 1, y - height / 2 + 1, width - 2, height - 2, style.BACKGROUND)
    ]
    lines = [(edge.label, "slope"), (edge.flow, "flow")]
    lines = [(line, role) for line, role in lines if line]
    at = y + size * 0.36 - (len(lines) - 1) * (size + 2.5) / 2
    for line, role in lines:
        bold = role == "flow"
        marks.append(Text(x, at, line, role, colour, size, "middle", bold))
        at += size + 2.5
    return marks
