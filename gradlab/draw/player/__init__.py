"""The player: one HTML file that walks forward and backward through a computation graph.

Everything is inside the file, and its content security policy forbids it to ask for anything else;
opened from a disk, a lecture page or a phone, it works the same.
"""

from __future__ import annotations

import base64
import dataclasses
import gzip
import hashlib
import json
import re
from collections.abc import Sequence
from importlib import resources
from string import Template
from xml.sax.saxutils import escape

from gradlab.draw import svg, text
from gradlab.draw.graph import Graph, Vertex
from gradlab.draw.marks import compose
from gradlab.draw.places import name_of
from gradlab.draw.steps import Step

TAG = re.compile(r"<[a-z]+ [^<>]*>")
PAINT = "fill|stroke|stroke-width|stroke-dasharray|font-size|font-weight|font-style|text-anchor"
NUMBER = re.compile(r"(?<=\d\.\d)\d+")  # decimals of a point that nobody sees
LOOK = re.compile(rf' ({PAINT})="([^"]*)"')
MOST_CELLS = 500  # with more, the heat maps would be most of the file, and are left out
EXPLAINED = ("operator", "constant", "cut")  # their tooltips hold at every step


def to_html(
    graph: Graph, steps: Sequence[Step] = (), *, rankdir: str = "LR", title: str = ""
) -> str:
    """Return a page that shows a graph and plays the steps of its computation.

    Args:
        graph: what to draw.
        steps: from ``steps_of``; none for a picture that does not move.
        rankdir: ``"LR"`` for left to right, ``"TB"`` for top to bottom.
        title: the headline, also the page's title.

    >>> from gradlab import Value
    >>> from gradlab.draw.steps import steps_of
    >>> from gradlab.draw.traced import from_node
    >>> y = Value(3.0, name="</script>") * 2.0
    >>> page = to_html(from_node(y), steps_of(y, from_node(y)))
    >>> page.count("<script"), page.count("</script>")
    (2, 2)
    """
    drawn = at_the_end(graph, steps) if steps else graph
    picture, looks = _with_classes(svg.to_svg(compose(drawn, rankdir)))
    script = _file("player.js")
    digest = hashlib.sha256(script.encode()).digest()
    return Template(_file("player.html")).substitute(
        title=escape(title or "Computation graph"),
        kind="" if steps else "still",
        css=looks + _file("player.css"),
        svg=picture,
        data=_packed(steps),
        script=script,
        hash=base64.b64encode(digest).decode(),
    )


def _file(name: str) -> str:
    return resources.files(__name__).joinpath(name).read_text(encoding="utf-8")


def _packed(steps: Sequence[Step]) -> str:
    """Return the steps as compressed JSON in base64, where no text can be taken for a tag."""
    # The picture has the values and flows already; here is when they appear.
    fields = [
        (s.phase, s.title, s.lines, s.vertices, s.edges, list(s.computed), s.grads) for s in steps
    ]
    written = json.dumps(fields, ensure_ascii=False, separators=(",", ":"))
    return base64.b64encode(gzip.compress(written.encode(), mtime=0)).decode()


def _with_classes(picture: str) -> tuple[str, str]:
    """Return an SVG whose marks name their looks by class, and the style sheet of those classes.

    The same few looks are repeated at every mark; without them the file is a third smaller.
    """
    classes: dict[str, str] = {}

    def named(tag: re.Match[str]) -> str:
        found, bare = LOOK.findall(tag[0]), NUMBER.sub("", LOOK.sub("", tag[0]))
        if not found:
            return bare
        rule = ";".join(f"{k}:{v}{'px' if k == 'font-size' else ''}" for k, v in found)
        name = classes.setdefault(rule, f"k{len(classes)}")
        if ' class="' in bare:
            return bare.replace(' class="', f' class="{name} ', 1)
        return re.sub(r"^<[a-z]+", rf'\g<0> class="{name}"', bare)

    short = TAG.sub(named, picture)
    return short, "".join(f".{name} {{ {rule} }}\n" for rule, name in classes.items())


def at_the_end(graph: Graph, steps: Sequence[Step]) -> Graph:
    """Return the graph as it is after the last step, with room for what is shown before.

    A box without a name gets one, so that the text can speak of it.
    """
    values: dict[str, str] = {}
    grads: dict[str, list[str]] = {}
    flows: dict[int, str] = {}
    for step in steps:
        values |= step.computed
        flows |= step.flows
        for vertex, shown in step.grads.items():
            grads.setdefault(vertex, []).append(shown)
    end = dataclasses.replace(graph, vertices={}, edges=[])
    cells = sum(len(row) for vertex in graph.vertices.values() for row in vertex.cells)
    for name, vertex in graph.vertices.items():
        new = {"grad": _roomy(grads.get(name, ["not computed"]))}
        new |= {"data": values[name]} if name in values else {}
        finished = _finished(vertex, new)
        end.add(finished if cells <= MOST_CELLS else dataclasses.replace(finished, cells=()))
    for i, edge in enumerate(graph.edges):
        end.edges.append(dataclasses.replace(edge, flow=flows.get(i, ""), tooltip=""))
    return end


def _finished(vertex: Vertex, new: dict[str, str]) -> Vertex:
    rows = tuple((row, new.get(row, shown)) for row, shown in vertex.rows)
    label = vertex.label or (name_of(vertex.id) if rows else "")
    tooltip = vertex.tooltip.split("\n")[0] if vertex.kind in EXPLAINED else ""
    return dataclasses.replace(vertex, label=label, rows=rows, tooltip=tooltip)


def _roomy(texts: list[str]) -> str:
    """Return the last text, as wide as the widest: spaces are added where the row has room."""
    needed, last = max(map(text.width, texts)), texts[-1]
    while text.width(last) < needed:
        last = "\N{NO-BREAK SPACE}" + last
    return last
