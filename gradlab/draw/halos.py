"""Halos: what belongs to one group has a tinted ground, and a legend above tells their names.

A halo follows the boxes and lines of its group, so whatever lies between them stays outside.
"""

from __future__ import annotations

from gradlab.draw import style, text
from gradlab.draw.collapse import chain
from gradlab.draw.graph import Graph
from gradlab.draw.layout import Layout
from gradlab.draw.shapes import Group, Line, Mark, Rect, Text


def _parts(graph: Graph) -> dict[str, str]:
    """Return the group whose ground a vertex has, by vertex: the outermost that tells some apart.

    If one group holds all the others, as a model its layers, it is those that have grounds.
    """
    around = {v.id: chain(graph, v.group)[::-1] for v in graph.vertices.values() if v.group}
    level = 0
    while len({groups[level] for groups in around.values()}) == 1:
        deeper = {v: groups for v, groups in around.items() if len(groups) > level + 1}
        if not deeper:
            break
        level, around = level + 1, deeper
    return {vertex: groups[level] for vertex, groups in around.items()}


def _tints(parts: dict[str, str]) -> dict[str, str]:
    names = dict.fromkeys(parts.values())
    return {name: style.TINTS[i % len(style.TINTS)] for i, name in enumerate(names)}


def halos(graph: Graph, layout: Layout) -> list[Group]:
    """Return the grounds of the groups, to be drawn below everything else."""
    parts = _parts(graph)
    tints = _tints(parts)
    marks: dict[str, list[Mark]] = {name: [] for name in tints}
    for edge, route in zip(graph.edges, layout.routes, strict=True):
        name = parts.get(edge.source)
        if name is not None and name == parts.get(edge.target):
            marks[name].append(Line(route.start, route.pieces, tints[name], 2 * style.HALO))
    for vertex, name in parts.items():
        box, by = layout.boxes[vertex], style.HALO
        at = (box.x - by, box.y - by, box.width + 2 * by, box.height + 2 * by)
        marks[name].append(Rect(*at, tints[name], radius=1.6 * by))
    return [
        Group(f"in-{name}", "halo", graph.groups[name].label, tuple(inside))
        for name, inside in marks.items()
    ]


def legend(graph: Graph, width: float, top: float) -> list[Group]:
    """Return a swatch and a name for each group that has a ground, in lines within ``width``."""
    entries = []
    x, y = style.MARGIN, top
    for name, tint in _tints(_parts(graph)).items():
        label = graph.groups[name].label
        wide = style.TEXT * 2.5 + text.width(label)
        if x > style.MARGIN and x + wide > style.MARGIN + width:
            x, y = style.MARGIN, y + style.LINE
        swatch = Rect(x, y, style.TEXT, style.TEXT, tint, style.EDGE, radius=2.0)
        words = Text(x + 1.5 * style.TEXT, y + 0.87 * style.TEXT, label, "legend")
        entries.append(Group(f"legend-{name}", "legend", "", (swatch, words)))
        x += wide
    return entries


def legend_height(legend: list[Group]) -> float:
    """Return the height of a legend with the space below it."""
    tops = {mark.y for group in legend for mark in group.marks if isinstance(mark, Rect)}
    return style.LINE * (len(tops) + 1) if tops else 0.0
