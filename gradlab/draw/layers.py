"""Layers: every box gets a column, and every edge a place in each column that it passes.

Source: Sugiyama, Tagawa and Toda (1981); Gansner, Koutsofios, North and Vo (1993), "A technique
for drawing directed graphs".
"""

from __future__ import annotations

import dataclasses
from collections import Counter, defaultdict
from itertools import pairwise

from gradlab.draw import style
from gradlab.draw.graph import Edge, Graph


@dataclasses.dataclass
class Slot:
    """A place in a layer: a unit of boxes, an edge's label, or a bend where an edge passes.

    ``thick`` is its extent along the flow, ``broad`` across it. ``before`` and ``after`` are the
    slots it is joined to in the neighbouring layers. A ``side`` slot is a leaf, or the label
    of an edge that comes from one: it gives way so that what is computed runs straight on.
    """

    kind: str  # "unit", "label" or "bend"
    layer: int
    thick: float
    broad: float
    before: list[int] = dataclasses.field(default_factory=list)
    after: list[int] = dataclasses.field(default_factory=list)
    side: bool = False


@dataclasses.dataclass
class Layers:
    """The layered graph: slots, the order in each layer, and the slots along each edge."""

    slots: list[Slot]
    units: list[list[str]]  # the vertices of slot i, for the slots that are units
    chains: list[list[int]]  # for each edge, in the order of graph.edges; a tight edge has one slot
    rows: list[list[int]] = dataclasses.field(default_factory=list)


Size = tuple[float, float]  # (thick, broad)


def make_layers(graph: Graph, sizes: dict[str, Size], label_sizes: list[Size]) -> Layers:
    """Return the slots of a graph without cycles.

    An edge that leaves its source for several layers shares its bends with the other edges of that
    source: a value used often is one line that forks.

    Raises:
        ValueError: the graph has a cycle.
    """
    units = _units(graph)
    unit_of = {vertex: i for i, unit in enumerate(units) for vertex in unit}
    spans = _spans(graph.edges)
    arcs = [
        (unit_of[e.source], unit_of[e.target], span)
        for e, span in zip(graph.edges, spans, strict=True)
        if not e.tight
    ]
    fed = {target for _, target, _ in arcs}
    slots = []
    for i, layer in enumerate(_layer_of(len(units), arcs)):
        thick, broad = _unit_size(units[i], sizes)
        slots.append(Slot("unit", layer, thick + style.LEAD * (i in fed), broad))
    chains = _chains(graph.edges, unit_of, spans, slots, label_sizes)
    for slot in slots:
        source = slots[slot.before[0]] if slot.before else slot
        slot.side = not source.before and slot.kind != "bend"
    return Layers(slots, units, chains)


def _units(graph: Graph) -> list[list[str]]:
    following = {e.source: e.target for e in graph.edges if e.tight}
    later = set(following.values())
    units = []
    for vertex in graph.vertices:
        if vertex not in later:
            unit = [vertex]
            while unit[-1] in following:
                unit.append(following[unit[-1]])
            units.append(unit)
    return units


def _unit_size(unit: list[str], sizes: dict[str, Size]) -> Size:
    thick = sum(sizes[v][0] for v in unit) + style.TIGHT_GAP * (len(unit) - 1)
    return thick, max(sizes[v][1] for v in unit)


def _spans(edges: list[Edge]) -> list[int]:
    """Return how many layers each edge needs: one more if a label or a twin must be kept apart."""
    twins = Counter((e.source, e.target) for e in edges)
    return [2 if e.label or e.flow or twins[e.source, e.target] > 1 else 1 for e in edges]


# ------------------------------------------------------------------------------- which layer


def _layer_of(n: int, arcs: list[tuple[int, int, int]]) -> list[int]:
    """Return a layer for each unit: as early as its inputs allow, so that neurons of one network
    layer line up; but leaves, and operations on leaves only, stand next to what uses them.
    """
    before: list[list[tuple[int, int]]] = [[] for _ in range(n)]
    after: list[list[tuple[int, int]]] = [[] for _ in range(n)]
    for source, target, span in arcs:
        before[target].append((source, span))
        after[source].append((target, span))
    order = _topological(before, after)
    layer = [0] * n
    for unit in order:
        layer[unit] = max((layer[s] + span for s, span in before[unit]), default=0)
    # A leaf used once can follow its user; an operation on such leaves takes them along.
    follows = [len(after[unit]) == 1 and not before[unit] for unit in range(n)]
    for unit in reversed(order):
        near = all(follows[s] for s, _ in before[unit])
        if after[unit] and near:
            layer[unit] = min(layer[t] - span for t, span in after[unit])
    first = min(layer)
    return [at - first for at in layer]


def _topological(
    before: list[list[tuple[int, int]]], after: list[list[tuple[int, int]]]
) -> list[int]:
    waiting = [len(sources) for sources in before]
    order = [unit for unit, count in enumerate(waiting) if count == 0]
    for unit in order:  # grows while it is walked
        for target, _ in after[unit]:
            waiting[target] -= 1
            if waiting[target] == 0:
                order.append(target)
    if len(order) < len(before):
        raise ValueError(
            f"draw: the graph has a cycle through {len(before) - len(order)} vertices\n"
            "expected edges that lead from earlier to later vertices\n"
            "write a loop unrolled: one vertex per step"
        )
    return order


# ------------------------------------------------------------------------------- edges in between


def _chains(
    edges: list[Edge],
    unit_of: dict[str, int],
    spans: list[int],
    slots: list[Slot],
    label_sizes: list[Size],
) -> list[list[int]]:
    """Add a slot wherever an edge passes a layer; return the slots along each edge."""
    trunks: dict[int, dict[int, int]] = defaultdict(dict)  # unit -> layer -> its bend there
    joined: set[tuple[int, int]] = set()

    def new(kind: str, layer: int, size: Size) -> int:
        slots.append(Slot(kind, layer, *size))
        return len(slots) - 1

    chains = []
    for i, edge in enumerate(edges):
        source, target = unit_of[edge.source], unit_of[edge.target]
        chain = [source]
        if not edge.tight:
            trunk = trunks[source]
            for layer in range(slots[source].layer + 1, slots[target].layer - spans[i] + 1):
                if layer not in trunk:
                    trunk[layer] = new("bend", layer, (0.0, 0.0))
                chain.append(trunk[layer])
            if spans[i] == 2:
                chain.append(new("label", slots[target].layer - 1, label_sizes[i]))
            chain.append(target)
        for pair in pairwise(chain):
            if pair not in joined:
                joined.add(pair)
                slots[pair[0]].after.append(pair[1])
                slots[pair[1]].before.append(pair[0])
        chains.append(chain)
    return chains
