"""A picture's content: vertices with a label and rows, joined by edges; no positions, no colours.

Everything that can be drawn is first turned into this, and every output format starts from it.
"""

from __future__ import annotations

import dataclasses


@dataclasses.dataclass(frozen=True)
class Vertex:
    """One box or operator.

    Attributes:
        id: unique in its graph, fit for an XML id.
        kind: a key of ``style.LOOKS``: leaf, result, output, constant, operator, cut.
        label: the headline: a name, an operator's symbol; may be empty.
        rows: pairs such as ``("data", "0.7600")`` below the headline.
        tooltip: what is shown on hover.
        group: the name of the part it belongs to (a layer of a network), if any.
    """

    id: str
    kind: str
    label: str = ""
    rows: tuple[tuple[str, str], ...] = ()
    tooltip: str = ""
    group: str | None = None


@dataclasses.dataclass(frozen=True)
class Edge:
    """An arrow between two vertices, named by their ids.

    A ``tight`` edge binds an operator to its result: nothing else leaves the source or enters the
    target, and the two are drawn as one unit.
    """

    source: str
    target: str
    label: str = ""
    tooltip: str = ""
    tight: bool = False


@dataclasses.dataclass
class Graph:
    """Vertices and edges, in the order in which they were computed."""

    vertices: dict[str, Vertex] = dataclasses.field(default_factory=dict)
    edges: list[Edge] = dataclasses.field(default_factory=list)

    def add(self, vertex: Vertex) -> str:
        """Add a vertex and return its id."""
        self.vertices[vertex.id] = vertex
        return vertex.id

    def join(self, source: str, target: str, **facts: str | bool) -> None:
        """Add an edge; ``facts`` are its label, tooltip and tightness."""
        self.edges.append(Edge(source, target, **facts))  # type: ignore[arg-type]
