"""From a Value or Tensor to a graph: one box per number or array, one oval per operation.

The nodes are visited from a work list and added in the order of their creation, so a graph of any
depth is read without recursion.
"""

from __future__ import annotations

from gradlab import tape
from gradlab.draw import labels, text
from gradlab.draw.graph import Cluster, Graph, Vertex
from gradlab.tape import Node


def from_node(node: Node, *, depth: int | None = None, slopes: bool = True) -> Graph:
    """Return the graph of a traced value: what it was computed from, back to the leaves.

    The k-th node in the order of creation becomes the box ``n{k}``, its operation the oval
    ``op{k}``, a constant among its inputs the box ``c{k}_{place}``; ``graph.ids`` leads from a
    node's serial number to its box.

    Args:
        node: the Value or Tensor to start from.
        depth: how many operations to go back; None for all.
        slopes: whether edges are labelled with the local slope and what flowed back.

    Raises:
        TypeError: ``node`` is not a Value or Tensor.

    >>> from gradlab import Value
    >>> a = Value(3.0, name="a")
    >>> graph = from_node(a + a)
    >>> [v.label for v in graph.vertices.values()], [e.label for e in graph.edges]
    (['a', '+', 'output'], ['×1', '×1', ''])
    """
    if not isinstance(node, Node):
        raise TypeError(
            f"draw: got {type(node).__name__}\nexpected a Value or a Tensor\n"
            "write draw(y), where y was computed from Values or Tensors"
        )
    shown = _ancestors(node, depth)
    reader = _Reader(node, sorted(shown), slopes)
    for serial in sorted(shown):
        reader.read(shown[serial])
    return reader.graph


def _ancestors(node: Node, depth: int | None) -> dict[int, Node]:
    """Return the nodes at most ``depth`` operations back, keyed by serial."""
    found = {node.serial: node}
    front = [node]
    while front and (depth is None or depth > 0):
        behind = [parent for child in front for parent in child.parents]
        front = []
        for parent in behind:
            if parent.serial not in found:
                found[parent.serial] = parent
                front.append(parent)
        depth = None if depth is None else depth - 1
    return found


class _Reader:
    """Adds one node after the other to a graph.

    They are numbered from 1, so that ids do not depend on what else the session computed.
    """

    def __init__(self, output: Node, serials: list[int], slopes: bool) -> None:
        self.graph, self.output, self.slopes = Graph(), output, slopes
        self.graph.ids = {serial: f"n{k}" for k, serial in enumerate(serials, start=1)}
        self.clusters: dict[tape.Group, str] = {}

    def read(self, node: Node) -> None:
        """Add the node's operation with its constants and edges, then the node's own box."""
        name, group = self.graph.ids[node.serial], self._cluster(node.group)
        if node.op is not None:
            self._read_operation(node, name[1:], group)
        kind = "leaf" if node.op is None else "output" if node is self.output else "result"
        self.graph.add(labels.box(node, name, kind, group))
        if node.op is not None:
            self.graph.join(f"op{name[1:]}", name, tight=True)

    def _cluster(self, group: tape.Group | None) -> str | None:
        """Return the id of a group, which is added with those around it when first met."""
        around = []
        while group is not None and group not in self.clusters:
            around.append(group)
            group = group.parent
        parent = None if group is None else self.clusters[group]
        for new in reversed(around):
            cluster = Cluster(f"g{len(self.clusters) + 1}", text.clean(new.name), parent)
            self.graph.groups[cluster.id] = cluster
            parent = self.clusters[new] = cluster.id
        return parent

    def _read_operation(self, node: Node, number: str, group: str | None) -> None:
        graph, operator, hidden = self.graph, f"op{number}", 0
        graph.add(labels.operator(node, operator, group))
        for place, said in enumerate(labels.edges(node)):
            given = node.inputs[place]
            if isinstance(given, Node):
                source = graph.ids.get(given.serial)
                hidden += source is None
                if source is not None:
                    facts = said if self.slopes else {"tooltip": said["tooltip"]}
                    graph.join(source, operator, **facts)
            elif labels.is_constant(node, place):
                name = f"c{number}_{place}"
                constant = graph.add(labels.constant(node, place, name, group))
                graph.join(constant, operator, tooltip=said["tooltip"])
        if hidden:
            tip = f"{hidden} input{'s' * (hidden > 1)} not shown: the drawing was cut by depth="
            graph.join(graph.add(Vertex(f"cut{number}", "cut", "⋯", (), tip, group)), operator)
