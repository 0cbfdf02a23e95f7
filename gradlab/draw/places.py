"""Where a traced node stands in the picture: its box, its name, the edges that lead to it.

A node may also be inside a collapsed group, or not shown at all because the drawing was cut.
"""

from __future__ import annotations

from typing import Any

from gradlab.draw import text
from gradlab.draw.graph import Graph
from gradlab.tape import Node


class Places:
    """The places of nodes in a graph.

    Args:
        output: the node that was drawn.
        nodes: all that it was computed from, and itself.
        graph: its graph.
    """

    def __init__(self, output: Node, nodes: list[Node], graph: Graph) -> None:
        self.output, self.graph = output, graph
        self.edges_into: dict[str, list[int]] = {}
        self.operators: dict[str, str] = {}
        for i, edge in enumerate(graph.edges):
            self.edges_into.setdefault(edge.target, []).append(i)
            if edge.tight:
                self.operators[edge.target] = edge.source
        self.giving = self._find_giving(nodes)

    def _find_giving(self, nodes: list[Node]) -> dict[str, set[int]]:
        """Return, for each collapsed group, the nodes in it that are used outside."""
        uses = [(parent, self.part(node)) for node in nodes for parent in node.parents]
        giving: dict[str, set[int]] = {}
        for node, user in [*uses, (self.output, None)]:
            if isinstance(group := self.part(node), str) and user != group:
                giving.setdefault(group, set()).add(node.serial)
        return giving

    def box(self, node: Node) -> str | None:
        """Return the id of a node's own box; None if it is in a group or not shown."""
        vertex = self.graph.ids.get(node.serial)
        return vertex if vertex and self.graph.vertices[vertex].kind != "group" else None

    def part(self, node: Node) -> Any:
        """Return what is told in one step: an operation's serial, a group's id, or None.

        None stands for all that is not shown.
        """
        return node.serial if self.box(node) else self.graph.ids.get(node.serial)

    def numbers(self, node: Node) -> str | None:
        """Return the id of the box with a node's numbers: its own, or that of its group.

        A group has the rows of the value that leaves it, if only one does.
        """
        vertex = self.graph.ids.get(node.serial)
        alone = vertex is not None and self.giving.get(vertex) == {node.serial}
        return vertex if alone else self.box(node)

    def name(self, node: Node) -> str:
        """Return the node's name, or the one that its box has in the player."""
        box = self.box(node)
        if box is not None:
            return self.graph.vertices[box].label or name_of(box)
        group = self.graph.ids.get(node.serial)
        place = f"in {self.graph.vertices[group].label}" if group else "that is not shown"
        unnamed = "output" if node is self.output else f"a value {place}"
        return text.clean(node.name or "") or unnamed

    def operation(self, node: Node) -> tuple[str, str]:
        """Return the ids of a node's operator and box."""
        box = self.graph.ids[node.serial]
        return self.operators[box], box

    def edges(self, node: Node) -> tuple[int, ...]:
        """Return all edges of a node's operation, constants and the result included."""
        operator, box = self.operation(node)
        return (*self.into(operator), *self.into(box))

    def into(self, vertex: str) -> tuple[int, ...]:
        """Return the edges that lead to a vertex."""
        return tuple(self.edges_into.get(vertex, ()))

    def edge_of_each_input(self, node: Node) -> list[int | None]:
        """Return the edge from each traced input, with repeats; None for one not shown."""
        free = [i for i in self.edges(node) if not self.graph.edges[i].tight]
        found: list[int | None] = []
        for parent in node.parents:
            source = self.graph.ids.get(parent.serial)
            found.append(next((i for i in free if self.graph.edges[i].source == source), None))
            free = [i for i in free if i != found[-1]]
        return found


def name_of(vertex: str) -> str:
    """Return the name that a box without one has in the player.

    >>> name_of("n7")
    'v7'
    """
    return f"v{vertex[1:]}"
