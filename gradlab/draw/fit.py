"""Fitting: which groups to collapse so that a picture has no more boxes than a reader can take in.

Where too little was grouped, runs of operations that follow each other are made groups, "steps
1-250"; they were computed in one go as well.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterator

from gradlab.draw.collapse import chain, collapsed, count_boxes
from gradlab.draw.graph import Cluster, Graph, Vertex

RUN = 250  # operations in one run: more in a very large graph, fewer in a small part of one
FEWEST = 8  # runs, at least, in a part that is to be divided
COMPUTED = ("operator", "result", "output")


def fit(
    graph: Graph, most: int, hidden: frozenset[str] = frozenset(), within: str | None = None
) -> tuple[Graph, frozenset[str]]:
    """Return the graph and the groups to hide in it, so that at most ``most`` boxes are left.

    As little as possible is hidden: nothing, else the innermost groups, else those around them;
    where that is not enough, runs of operations become groups, and the last resort is to put
    groups and shared leaves into runs as well.

    Args:
        graph: the whole graph.
        most: how many boxes may be shown.
        hidden: groups that are hidden in any case.
        within: the group in which others are chosen; None for the whole graph.
    """
    layers = _layers(graph, within)
    for layer in (frozenset(), *layers):
        if count_boxes(collapsed(graph, hidden | layer)) <= most:
            return graph, hidden | layer
    outermost = layers[-1] if layers else frozenset()
    divided, chosen = graph, hidden | outermost
    for keep_groups, keep_leaves in ((True, True), (True, False), (False, False)):
        divided = _Division(graph, within, most, keep_groups, keep_leaves).graph
        chosen = hidden | outermost | (divided.groups.keys() - graph.groups.keys())
        if count_boxes(collapsed(divided, chosen)) <= most:
            break
    return divided, chosen


def _layers(graph: Graph, within: str | None) -> list[frozenset[str]]:
    """Return the groups inside another, the most deeply nested first."""
    layers: dict[int, set[str]] = {}
    for name in graph.groups:
        around = chain(graph, name)
        if within is None or within in around[1:]:
            layers.setdefault(len(around), set()).add(name)
    return [frozenset(layers[depth]) for depth in sorted(layers, reverse=True)]


class _Division:
    """A graph in which runs of what stands directly in one group have become groups.

    Args:
        graph: what to divide.
        within: the group, None for what is in no group.
        most: how many boxes may be shown in all.
        keep_groups: a group ends a run instead of becoming a part of it.
        keep_leaves: leaves stay outside, unless one run alone uses them.
    """

    def __init__(
        self, graph: Graph, within: str | None, most: int, keep_groups: bool, keep_leaves: bool
    ) -> None:
        self.whole, self.within, self.keep_groups = graph, within, keep_groups
        self.runs: list[tuple[int, int]] = []  # first and last operation
        self.vertex_run: dict[str, str] = {}
        self.group_run: dict[str, str] = {}
        inside = list(self._inside())
        operations = sum(vertex.kind == "operator" for vertex, _ in inside)
        self.size = max(min(RUN, math.ceil(operations / FEWEST)), 2 * operations // most)
        self._assign(inside)
        if not keep_leaves:
            self._adopt_leaves()
        self.graph = self._divided()

    def _inside(self) -> Iterator[tuple[Vertex, str | None]]:
        """Yield each operation and result, with the group it belongs to directly in ``within``."""
        for vertex in self.whole.vertices.values():
            around = [*chain(self.whole, vertex.group), None]
            if vertex.kind in COMPUTED and self.within in around:
                inner = around[: around.index(self.within)]
                yield vertex, inner[-1] if inner else None

    def _name(self, k: int) -> str:
        return f"{self.within or ''}s{k}"

    def _assign(self, inside: list[tuple[Vertex, str | None]]) -> None:
        count, full = 0, True
        for vertex, part in inside:
            if part is not None and self.keep_groups:
                full = True
                continue
            if vertex.kind == "operator":
                count += 1
                full = full or count - self.runs[-1][0] >= self.size
                if full and part not in self.group_run:
                    self.runs.append((count, count))
                    full = False
                self.runs[-1] = (self.runs[-1][0], count)
            run = self._name(len(self.runs))
            if part is None:
                self.vertex_run[vertex.id] = run
            else:
                self.group_run[part] = run

    def _adopt_leaves(self) -> None:
        """Put each leaf that is in no group with the first operation that uses it."""
        for edge in self.whole.edges:
            leaf, user = self.whole.vertices[edge.source], self.whole.vertices[edge.target]
            run = self.vertex_run.get(user.id, user.group)
            if leaf.kind == "leaf" and leaf.group == self.within and run is not None:
                self.vertex_run.setdefault(leaf.id, run)

    def _divided(self) -> Graph:
        whole, groups = self.whole, dict(self.whole.groups)
        for k, (first, last) in enumerate(self.runs, start=1):
            name = self._name(k)
            groups[name] = Cluster(name, f"steps {first:,}-{last:,}", self.within)
        for name, run in self.group_run.items():
            groups[name] = dataclasses.replace(groups[name], parent=run)
        vertices = {name: self._moved(vertex) for name, vertex in whole.vertices.items()}
        return dataclasses.replace(whole, vertices=vertices, groups=groups)

    def _moved(self, vertex: Vertex) -> Vertex:
        run = self.vertex_run.get(vertex.id)
        return vertex if run is None else dataclasses.replace(vertex, group=run)
