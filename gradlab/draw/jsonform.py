"""JSON: the whole picture as data, for those who want to draw or examine it with other tools.

It holds what the boxes and edges say, where they lie, and how the edges run.
"""

from __future__ import annotations

import json
import math
from typing import Any

from gradlab.draw.graph import Graph, Vertex
from gradlab.draw.layout import Box, Layout, Point, Route


def to_json(graph: Graph, layout: Layout, rankdir: str = "LR", title: str = "") -> str:
    """Return graph and layout as a JSON document; lengths are in points, y grows downward.

    Numbers that JSON does not have are written as text: ``"nan"``, ``"inf"``, ``"-inf"``.

    >>> from gradlab.draw.graph import Vertex
    >>> from gradlab.draw.marks import place
    >>> graph = Graph()
    >>> graph.add(Vertex("n1", "leaf", "a"))
    'n1'
    >>> json.loads(to_json(graph, place(graph)))["vertices"][0]["label"]
    'a'
    """
    routes = zip(graph.edges, layout.routes, strict=True)
    whole = {
        "title": title,
        "rankdir": rankdir,
        "width": round(layout.width, 2),
        "height": round(layout.height, 2),
        "vertices": [_vertex(v, layout.boxes[v.id]) for v in graph.vertices.values()],
        "edges": [{**vars(edge), **_route(route)} for edge, route in routes],
        "groups": [vars(cluster) for cluster in graph.groups.values()],
    }
    return json.dumps(_finite(whole), ensure_ascii=False, allow_nan=False, indent=1) + "\n"


def _vertex(vertex: Vertex, box: Box) -> dict[str, Any]:
    at = {name: round(length, 2) for name, length in vars(box).items()}
    return {**vars(vertex), "rows": dict(vertex.rows), **at}


def _route(route: Route) -> dict[str, Any]:
    pieces = [[_point(point) for point in piece] for piece in route.pieces]
    return {"start": _point(route.start), "pieces": pieces}


def _point(point: Point) -> tuple[float, float]:
    return round(point[0], 2), round(point[1], 2)


def _finite(x: Any) -> Any:
    if isinstance(x, dict):
        return {key: _finite(value) for key, value in x.items()}
    if isinstance(x, list | tuple):
        return [_finite(value) for value in x]
    return str(x) if isinstance(x, float) and not math.isfinite(x) else x
