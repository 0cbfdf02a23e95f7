"""Collapsing: the boxes of a group become one box, so that a large graph fits on a page.

A group was computed in one go, so no path leaves it and comes back: the collapsed graph has no
cycle either.
"""

from __future__ import annotations

from collections.abc import Iterator

from gradlab.draw.graph import Cluster, Edge, Graph, Vertex

BOXES = ("leaf", "result", "output", "group")  # what counts toward the size of a graph
NAMED = 6  # values that a tooltip lists by name


def chain(graph: Graph, group: str | None) -> list[str]:
    """Return a group and those around it, from the inside out."""
    around = []
    while group is not None:
        around.append(group)
        group = graph.groups[group].parent
    return around


def count_boxes(graph: Graph) -> int:
    """Return how many boxes a reader sees, operators and constants not counted."""
    return sum(vertex.kind in BOXES for vertex in graph.vertices.values())


def collapsed(graph: Graph, hidden: frozenset[str]) -> Graph:
    """Return a graph with one box for each of the ``hidden`` groups.

    A box says how many operations and leaves it holds; if one value leaves it, also that value. A
    leaf or constant that only one hidden group uses goes into its box.

    >>> import gradlab as gl
    >>> from gradlab.draw.traced import from_node
    >>> x = gl.Value(0.5, name="x")
    >>> with gl.group("hidden"):
    ...     h = gl.tanh(2.0 * x)
    >>> small = collapsed(from_node(h + x), frozenset({"g1"}))
    >>> [(v.kind, v.label) for v in small.vertices.values()]
    [('leaf', 'x'), ('group', 'hidden'), ('operator', '+'), ('output', 'output')]
    """
    owners = _owners(graph, hidden)
    members: dict[str, list[Vertex]] = {}
    for vertex in graph.vertices.values():
        members.setdefault(owners[vertex.id] or vertex.id, []).append(vertex)
    giving = _giving(graph, owners)
    small = Graph(groups=graph.groups)
    for name, inside in members.items():
        whole = name in graph.vertices
        small.add(inside[0] if whole else _box(graph.groups[name], inside, giving.get(name, [])))
    small.ids = {serial: owners[name] or name for serial, name in graph.ids.items()}
    small.edges = _joined(graph, owners)
    return small


def _owners(graph: Graph, hidden: frozenset[str]) -> dict[str, str | None]:
    """Return for each vertex the outermost hidden group that it is in, or None."""
    outermost: dict[str | None, str | None] = {None: None}
    for name in graph.groups:
        around = [at for at in chain(graph, name) if at in hidden]
        outermost[name] = around[-1] if around else None
    owners = {vertex.id: outermost[vertex.group] for vertex in graph.vertices.values()}
    users: dict[str, list[str]] = {vertex: [] for vertex in graph.vertices}
    for edge in graph.edges:
        users[edge.source].append(edge.target)
    for vertex in _sources(graph):
        if owners[vertex] is None and users[vertex]:
            using = {owners[user] for user in users[vertex]}
            owners[vertex] = using.pop() if len(using) == 1 else None
    return owners


def _sources(graph: Graph) -> Iterator[str]:
    fed = {edge.target for edge in graph.edges}
    return (vertex for vertex in graph.vertices if vertex not in fed)


def _giving(graph: Graph, owners: dict[str, str | None]) -> dict[str, list[Vertex]]:
    """Return for each hidden group the vertices in it that are used outside, or are the output."""
    used = {e.source for e in graph.edges if owners[e.source] != owners[e.target]}
    giving: dict[str, list[Vertex]] = {}
    for name, owner in owners.items():
        if owner is not None and (name in used or graph.vertices[name].kind == "output"):
            giving.setdefault(owner, []).append(graph.vertices[name])
    return giving


def _box(cluster: Cluster, inside: list[Vertex], giving: list[Vertex]) -> Vertex:
    kinds = [vertex.kind for vertex in inside]
    rows = [("operations", str(kinds.count("operator")))]
    if "leaf" in kinds:
        rows.append(("leaves", str(kinds.count("leaf"))))
    if len(giving) == 1:
        rows += giving[0].rows
    leaves = [vertex for vertex in inside if vertex.kind == "leaf"]
    lines = [f"{cluster.label} (a group): {', '.join(f'{k} {v}' for k, v in rows)}"]
    for what, part in (("leaves", leaves), ("gives", giving)):
        lines += [f"{what}: {_names(part)}"] if part else []
    tip = "\n".join(lines)
    return Vertex(cluster.id, "group", cluster.label, tuple(rows), tip, cluster.parent)


def _names(vertices: list[Vertex]) -> str:
    names = [vertex.label or "one without a name" for vertex in vertices[:NAMED]]
    more = len(vertices) - len(names)
    return ", ".join(names) + (f" and {more} more" if more else "")


def _joined(graph: Graph, owners: dict[str, str | None]) -> list[Edge]:
    """Return the edges between what is left: one for all that lead from one box to another."""
    edges: list[Edge] = []
    merged: dict[tuple[str, str], list[Vertex]] = {}
    for edge in graph.edges:
        source, target = owners[edge.source], owners[edge.target]
        if source is None and target is None:
            edges.append(edge)
        elif source != target:
            ends = (source or edge.source, target or edge.target)
            merged.setdefault(ends, []).append(graph.vertices[edge.source])
    for (source, target), carried in merged.items():
        values = list({vertex.id: vertex for vertex in carried}.values())
        label = f"{len(values)} values" if len(values) > 1 else ""
        edges.append(Edge(source, target, label, f"carries {_names(values)}"))
    return edges
