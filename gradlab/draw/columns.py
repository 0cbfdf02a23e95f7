"""Columns: the picture of a network, one column per layer, its neurons below each other in order.

Nothing is moved to avoid crossings here: which neuron is the third is part of what is shown. Edges
are straight lines; one that skips a layer passes it through a gap.
"""

from __future__ import annotations

import math

from gradlab.draw import style
from gradlab.draw.graph import Graph
from gradlab.draw.layers import Size
from gradlab.draw.layout import Box, Layout, Point, Route

STEEPEST = 1.9  # sideways per unit forward: steeper lines would touch the neuron next to their own
ALONG = (0.5, 0.38, 0.62, 0.28, 0.72, 0.2, 0.8)  # where on its edge a label may stand, best first


def lay_out_columns(
    graph: Graph, sizes: dict[str, Size], label_sizes: list[Size], rankdir: str = "LR"
) -> Layout:
    """Return the layout of a graph with ``columns``; with ``"TB"`` the columns are rows.

    Raises:
        ValueError: the columns do not hold each vertex once, or an edge does not lead forward.
    """
    _check(graph)
    if rankdir == "TB":
        sizes = {vertex: (h, w) for vertex, (w, h) in sizes.items()}
        return _Columns(graph, sizes, [(h, w) for w, h in label_sizes]).layout().turned()
    return _Columns(graph, sizes, label_sizes).layout()


def _check(graph: Graph) -> None:
    columns = graph.columns or []
    column_of = {vertex: c for c, column in enumerate(columns) for vertex in column}
    if column_of.keys() != graph.vertices.keys() or len(column_of) != sum(map(len, columns)):
        odd = sorted(column_of.keys() ^ graph.vertices.keys()) or ["one of them twice"]
        raise ValueError(
            f"draw: the columns do not match the vertices: {', '.join(odd)[:60]}\n"
            "expected each vertex in one column\nwrite columns=[[ids of the first layer], ...]"
        )
    for edge in graph.edges:
        if column_of[edge.source] >= column_of[edge.target]:
            raise ValueError(
                f"draw: the edge {edge.source} -> {edge.target} does not lead to a later column\n"
                "expected edges from each layer to later ones\n"
                "write the columns in the order of computation"
            )


class _Columns:
    """The columns with coordinates: x along the flow, y across it."""

    def __init__(self, graph: Graph, sizes: dict[str, Size], label_sizes: list[Size]) -> None:
        self.graph, self.sizes, self.label_sizes = graph, sizes, label_sizes
        self.columns = graph.columns or []
        self.column_of = {v: c for c, column in enumerate(self.columns) for v in column}
        self.y = self._cross_positions()
        self.bands = self._bands()
        self.boxes = {v: self._box(v) for v in graph.vertices}

    def _is_heading(self, vertex: str) -> bool:
        return self.graph.vertices[vertex].kind == "heading"

    def _cross_positions(self) -> dict[str, float]:
        """Return the centre of each vertex across the flow, each column centred at 0."""
        y = {}
        for column in self.columns:
            body = [v for v in column if not self._is_heading(v)]
            at = -(sum(self.sizes[v][1] for v in body) + style.NEURON_GAP * (len(body) - 1)) / 2
            for vertex in body:
                y[vertex] = at + self.sizes[vertex][1] / 2
                at += self.sizes[vertex][1] + style.NEURON_GAP
        top = min((y[v] - self.sizes[v][1] / 2 for v in y), default=0.0)
        for vertex in filter(self._is_heading, self.graph.vertices):
            y[vertex] = top - style.NEURON_GAP - self.sizes[vertex][1] / 2
        return y

    def _bands(self) -> list[tuple[float, float]]:
        """Return each column's ``(start, end)``: lines between two are never too steep."""
        room = [style.LAYER_GAP[0] + style.LAYER_GAP_SLOPE * style.LAYER_GAP[1]] * len(self.columns)
        for edge, (thick, _) in zip(self.graph.edges, self.label_sizes, strict=True):
            c = self.column_of[edge.target]
            room[c] = max(room[c], 2.4 * thick)
            if c == self.column_of[edge.source] + 1:
                aside = abs(self.y[edge.source] - self.y[edge.target])
                room[c] = max(room[c], aside / STEEPEST)
        bands, x = [], 0.0
        for c, column in enumerate(self.columns):
            x += room[c] if c else 0.0
            bands.append((x, x + max(self.sizes[v][0] for v in column)))
            x = bands[-1][1]
        return bands

    def _box(self, vertex: str) -> Box:
        (thick, broad), (start, end) = self.sizes[vertex], self.bands[self.column_of[vertex]]
        return Box((start + end - thick) / 2, self.y[vertex] - broad / 2, thick, broad)

    def layout(self) -> Layout:
        """Return boxes and routes, moved so that nothing lies below zero."""
        routes = [self._route(edge.source, edge.target) for edge in self.graph.edges]
        labels = _place_labels(routes, self.label_sizes)
        routes = [Route(r.start, r.pieces, at) for r, at in zip(routes, labels, strict=True)]
        ys = [y for b in self.boxes.values() for y in (b.y, b.y + b.height)]
        ys += [y for r in routes for piece in r.pieces for _, y in piece]
        low, high = min(ys), max(ys)
        return Layout(self.bands[-1][1], high - low, self.boxes, routes).moved(0.0, -low)

    def _route(self, source: str, target: str) -> Route:
        first, last = self.column_of[source], self.column_of[target]
        between = [self._gap(c, source, target) for c in range(first + 1, last)]
        stops = [self.boxes[source].centre, *(p for gap in between for p in gap)]
        stops.append(self.boxes[target].centre)
        stops[0] = self._border(source, stops[1])
        stops[-1] = self._border(target, stops[-2])
        return Route(stops[0], tuple((stop,) for stop in stops[1:]))

    def _gap(self, column: int, source: str, target: str) -> tuple[Point, Point]:
        """Return where an edge enters and leaves a column that it skips."""
        (x0, _), (x1, _) = self.boxes[source].centre, self.boxes[target].centre
        start, end = self.bands[column]
        share = ((start + end) / 2 - x0) / (x1 - x0)
        wanted = self.y[source] + share * (self.y[target] - self.y[source])
        body = [v for v in self.columns[column] if not self._is_heading(v)]
        low = min((self.y[v] - self.sizes[v][1] / 2 for v in body), default=wanted)
        high = max((self.y[v] + self.sizes[v][1] / 2 for v in body), default=wanted)
        # Around the neurons, not between them; below first, as the headings stand above.
        around = (high + style.NEURON_GAP, low - style.NEURON_GAP)
        y = min(around, key=lambda place: abs(place - wanted))
        return (start, y), (end, y)

    def _border(self, vertex: str, toward: Point) -> Point:
        """Return where a line from the centre of a vertex leaves it; a box, at the middle."""
        box = self.boxes[vertex]
        x, y = box.centre
        dx, dy = toward[0] - x, toward[1] - y
        if style.LOOKS[self.graph.vertices[vertex].kind].oval:
            share = 1 / math.hypot(dx / box.width * 2, dy / box.height * 2)
            return x + share * dx, y + share * dy
        return (box.x + box.width if dx > 0 else box.x), y


def _place_labels(routes: list[Route], sizes: list[Size]) -> list[Point | None]:
    """Return the middle of each edge's label: on its last piece, clear of the labels before."""
    taken: list[tuple[Point, Size]] = []
    places: list[Point | None] = []
    for route, size in zip(routes, sizes, strict=True):
        if not size[0]:
            places.append(None)
            continue
        *_, (x0, y0), (x1, y1) = (
            route.start,
            *(point for piece in route.pieces for point in piece),
        )
        offered = [(x0 + t * (x1 - x0), y0 + t * (y1 - y0)) for t in ALONG]
        covered = [sum(_overlap(at, size, *other) for other in taken) for at in offered]
        best = offered[covered.index(min(covered))]
        taken.append((best, size))
        places.append(best)
    return places


def _overlap(a: Point, a_size: Size, b: Point, b_size: Size) -> float:
    """Return the area that two rectangles, given by centre and size, have in common."""
    wide = (a_size[0] + b_size[0]) / 2 - abs(a[0] - b[0])
    high = (a_size[1] + b_size[1]) / 2 - abs(a[1] - b[1])
    return max(0.0, wide) * max(0.0, high)
