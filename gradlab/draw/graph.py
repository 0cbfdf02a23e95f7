"""A picture's content: vertices with a label and rows, joined by edges; no positions, no colours.

Everything that can be drawn is first turned into this, and every output format starts from it.
"""

from __future__ import annotations

import dataclasses
from typing import Any


@dataclasses.dataclass(frozen=True)
class Vertex:
    """One box, oval or circle.

    Attributes:
        id: unique in its graph, fit for an XML id.
        kind: a key of ``style.LOOKS``: leaf, result, output, constant, operator, cut, group; or,
            in the diagram of a network, layer, neuron, input, bias, heading.
        label: the headline: a name, an operator's symbol; may be empty.
        rows: pairs such as ``("data", "0.7600")`` below the headline.
        tooltip: what is shown on hover.
        group: the id of the part it belongs to (a layer of a network), a key of ``Graph.groups``.
        cells: the numbers of a small array, row by row, shown as a heat map; or none.
    """

    id: str
    kind: str
    label: str = ""
    rows: tuple[tuple[str, str], ...] = ()
    tooltip: str = ""
    group: str | None = None
    cells: tuple[tuple[float, ...], ...] = ()


@dataclasses.dataclass(frozen=True)
class Edge:
    """An arrow between two vertices, named by their ids.

    Attributes:
        source: where it starts.
        target: where it ends.
        label: the local slope, or a weight as text.
        tooltip: what is shown on hover.
        tight: binds an operator to its result: nothing else leaves the source or enters the
            target, and the two are drawn as one unit.
        flow: a second line below the label: the product that flowed back along this edge.
        weight: drawn as width and colour of the line, which is broken if the weight is negative.
    """

    source: str
    target: str
    label: str = ""
    tooltip: str = ""
    tight: bool = False
    flow: str = ""
    weight: float | None = None


@dataclasses.dataclass(frozen=True)
class Cluster:
    """A named part of a graph that can be collapsed into one box; ``parent`` is another's id."""

    id: str
    label: str
    parent: str | None = None


Parts = dict[str | None, list[Cluster | Vertex]]  # what stands in each group


@dataclasses.dataclass
class Graph:
    """Vertices and edges, in the order in which they were computed.

    Attributes:
        vertices: by id, in the order of computation.
        edges: in the order of computation.
        groups: the parts that vertices belong to, by id.
        ids: for each traced node, by its serial number, the id of the vertex that shows it.
        columns: the vertices of each layer, from first to last and from top to bottom, where the
            picture must keep them so (the neurons of a network); None to let the layout decide.
    """

    vertices: dict[str, Vertex] = dataclasses.field(default_factory=dict)
    edges: list[Edge] = dataclasses.field(default_factory=list)
    groups: dict[str, Cluster] = dataclasses.field(default_factory=dict)
    ids: dict[int, str] = dataclasses.field(default_factory=dict)
    columns: list[list[str]] | None = None

    def add(self, vertex: Vertex) -> str:
        """Add a vertex and return its id."""
        self.vertices[vertex.id] = vertex
        return vertex.id

    def join(self, source: str, target: str, **facts: Any) -> None:
        """Add an edge; ``facts`` are the other attributes of ``Edge``."""
        self.edges.append(Edge(source, target, **facts))

    def parts(self) -> Parts:
        """Return the groups and vertices that stand directly in each group; None: in no group."""
        parts: Parts = {}
        for cluster in self.groups.values():
            parts.setdefault(cluster.parent, []).append(cluster)
        for vertex in self.vertices.values():
            parts.setdefault(vertex.group, []).append(vertex)
        return parts
