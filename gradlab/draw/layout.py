"""Layout: where every box lies and how every edge runs, computed once for all output formats.

Layers, then order, then straight lines, then this: the distance between layers and the curves. An
edge bends only between two layers, where no box is, so it cannot run through one.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable
from itertools import pairwise

from gradlab.draw import style
from gradlab.draw.graph import Graph
from gradlab.draw.layers import Layers, Size, make_layers
from gradlab.draw.order import order_layers
from gradlab.draw.straighten import cross_positions

Point = tuple[float, float]


@dataclasses.dataclass(frozen=True)
class Box:
    """A rectangle: its left top corner (y grows downward), width and height."""

    x: float
    y: float
    width: float
    height: float

    @property
    def centre(self) -> Point:
        return self.x + self.width / 2, self.y + self.height / 2


@dataclasses.dataclass(frozen=True)
class Route:
    """How an edge runs: a start, then pieces of one point (a line) or three (a cubic Bézier)."""

    start: Point
    pieces: tuple[tuple[Point, ...], ...]
    label: Point | None = None  # the middle of the edge's label

    def mapped(self, move: Callable[[Point], Point]) -> Route:
        """Return the route with each of its points moved."""
        pieces = tuple(tuple(map(move, piece)) for piece in self.pieces)
        return Route(move(self.start), pieces, self.label and move(self.label))


@dataclasses.dataclass(frozen=True)
class Layout:
    """A picture's geometry: boxes by vertex id, and a route for each edge of the graph."""

    width: float
    height: float
    boxes: dict[str, Box]
    routes: list[Route]

    def turned(self) -> Layout:
        """Return the layout with x and y exchanged."""

        def turn(point: Point) -> Point:
            return point[1], point[0]

        boxes = {v: Box(b.y, b.x, b.height, b.width) for v, b in self.boxes.items()}
        return Layout(self.height, self.width, boxes, [r.mapped(turn) for r in self.routes])

    def moved(self, dx: float, dy: float) -> Layout:
        """Return the layout with everything moved by ``dx`` and ``dy``."""

        def move(point: Point) -> Point:
            return point[0] + dx, point[1] + dy

        boxes = {v: Box(b.x + dx, b.y + dy, b.width, b.height) for v, b in self.boxes.items()}
        return Layout(self.width, self.height, boxes, [r.mapped(move) for r in self.routes])


def lay_out(
    graph: Graph, sizes: dict[str, Size], label_sizes: list[Size], rankdir: str = "LR"
) -> Layout:
    """Return the layout of a graph without cycles; the same graph always gives the same layout.

    Args:
        graph: vertices and edges.
        sizes: width and height of each vertex.
        label_sizes: width and height of each edge's label.
        rankdir: ``"LR"`` for left to right, ``"TB"`` for top to bottom.

    Raises:
        ValueError: the graph has a cycle.
    """
    if rankdir == "TB":
        sizes = {vertex: (h, w) for vertex, (w, h) in sizes.items()}
        return _lay_out(graph, sizes, [(h, w) for w, h in label_sizes]).turned()
    return _lay_out(graph, sizes, label_sizes)


def _lay_out(graph: Graph, sizes: dict[str, Size], label_sizes: list[Size]) -> Layout:
    layers = make_layers(graph, sizes, label_sizes)
    order_layers(layers)
    placed = _Placed(graph, layers, sizes)
    return Layout(placed.length, placed.breadth, placed.vertex_boxes, placed.routes())


class _Placed:
    """The layers with coordinates: x along the flow, y across it (turned later for top-down)."""

    def __init__(self, graph: Graph, layers: Layers, sizes: dict[str, Size]) -> None:
        self.graph, self.layers, self.sizes = graph, layers, sizes
        self.y = cross_positions(layers)
        self.breadth = max(y + s.broad / 2 for y, s in zip(self.y, layers.slots, strict=True))
        self._place_layers()
        self.vertex_boxes = self._boxes()
        self.ports = self._ports()

    def _place_layers(self) -> None:
        """Set each layer's ``(start, end)``, with more room where the edges between are steep."""
        slots, least, most = self.layers.slots, *style.LAYER_GAP
        self.bands: list[tuple[float, float]] = []
        x = 0.0
        for row in self.layers.rows:
            end = x + max(slots[i].thick for i in row)
            self.bands.append((x, end))
            steep = max(
                (abs(self.y[i] - self.y[j]) for i in row for j in slots[i].after), default=0
            )
            x = end + min(most, least + style.LAYER_GAP_SLOPE * steep)
        self.length = self.bands[-1][1]

    def _boxes(self) -> dict[str, Box]:
        """Return each vertex's box; a unit stands at the end of its layer."""
        boxes = {}
        for i, unit in enumerate(self.layers.units):
            x = self.bands[self.layers.slots[i].layer][1]
            for vertex in reversed(unit):
                thick, broad = self.sizes[vertex]
                boxes[vertex] = Box(x - thick, self.y[i] - broad / 2, thick, broad)
                x -= thick + style.TIGHT_GAP
        return boxes

    def _ports(self) -> dict[tuple[int, int], Point]:
        """Return where each line arrives at a unit: apart from others, as straight as it can."""
        ports = {}
        for i, unit in enumerate(self.layers.units):
            arriving = sorted(self.layers.slots[i].before, key=self.y.__getitem__)
            box = self.vertex_boxes[unit[0]]
            oval = style.LOOKS[self.graph.vertices[unit[0]].kind].oval
            room = box.height / 2 * style.PORT_ROOM
            wanted = [min(max(self.y[j] - self.y[i], -room), room) for j in arriving]
            for j, dy in zip(arriving, _spread(wanted, room), strict=True):
                hollow = 1 - math.sqrt(1 - (2 * dy / box.height) ** 2) if oval else 0.0
                ports[j, i] = (box.x + hollow * box.width / 2, self.y[i] + dy)
        return ports

    def routes(self) -> list[Route]:
        """Return the route of each edge."""
        routes = []
        for edge, chain in zip(self.graph.edges, self.layers.chains, strict=True):
            box = self.vertex_boxes[edge.source]
            start = (box.x + box.width, box.centre[1])
            if edge.tight:
                end = (self.vertex_boxes[edge.target].x, start[1])
                routes.append(Route(start, ((end,),)))
            else:
                routes.append(self._route(start, chain))
        return routes

    def _route(self, start: Point, chain: list[int]) -> Route:
        """Follow the slots: straight within a layer, an S-shaped curve in the gap between two."""
        slots, path, label = self.layers.slots, _Path(start), None
        for i, j in pairwise(chain):
            x0, x1 = self.bands[slots[i].layer][1], self.bands[slots[j].layer][0]
            arrival = self.ports.get((i, j), (x1, self.y[j]))
            path.line(x0)
            path.curve(x1, arrival[1])
            path.line(arrival[0])
            if slots[j].kind == "label":
                label = (sum(self.bands[slots[j].layer]) / 2, self.y[j])
        return Route(start, tuple(path.pieces), label)


class _Path:
    """Pieces of a route under construction; it always runs along the flow at its joints."""

    def __init__(self, start: Point) -> None:
        self.at, self.pieces = start, list[tuple[Point, ...]]()

    def line(self, x: float) -> None:
        """Go straight on to ``x``, making a straight piece before it longer."""
        if x > self.at[0]:
            if self.pieces and len(self.pieces[-1]) == 1:
                self.pieces.pop()
            self.at = (x, self.at[1])
            self.pieces.append((self.at,))

    def curve(self, x: float, y: float) -> None:
        """Go over to ``y`` while proceeding to ``x``."""
        x0, y0 = self.at
        if abs(y - y0) < 0.01:
            self.line(x)
            return
        middle = (x0 + x) / 2
        self.pieces.append(((middle, y0), (middle, y), (x, y)))
        self.at = (x, y)


def _spread(wanted: list[float], room: float) -> list[float]:
    """Return increasing positions moved apart to the port distance, in ``-room .. room``."""
    n = len(wanted)
    gap = min(style.PORT_GAP, 2 * room / (n - 1)) if n > 1 else 0.0
    spread = list(wanted)
    for k in range(1, n):
        spread[k] = max(spread[k], spread[k - 1] + gap)
    limit = room
    for k in range(n - 1, -1, -1):
        spread[k] = min(spread[k], limit)
        limit = spread[k] - gap
    # Pushing only one way would lean to one side: average with pushing the other way.
    back, limit = list(wanted), room + gap
    for k in range(n - 1, -1, -1):
        back[k] = min(back[k], limit - gap)
        limit = back[k]
    low = -room
    for k in range(n):
        back[k] = max(back[k], low)
        low = back[k] + gap
    return [(a + b) / 2 for a, b in zip(spread, back, strict=True)]
