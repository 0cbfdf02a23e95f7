"""Mermaid: the graph as text that GitHub, GitLab and many editors draw inside a Markdown page.

Mermaid does its own layout and has no tooltips; labels, colours and groups are the same.
"""

from __future__ import annotations

from collections.abc import Iterator

from gradlab.draw import style
from gradlab.draw.graph import Edge, Graph, Parts, Vertex

ESCAPES = {"#": "#35;", "&": "#amp;", '"': "#quot;", "<": "#lt;", ">": "#gt;", "`": "#96;"}
BRACKETS = {  # the shapes of Mermaid that come closest to ours; a plain box is not listed
    "result": ('("', '")'),
    "output": ('[["', '"]]'),
    "group": ('[["', '"]]'),
}


def to_mermaid(graph: Graph, rankdir: str = "LR", title: str = "") -> str:
    """Return the graph as a Mermaid flowchart.

    >>> from gradlab.draw.graph import Vertex
    >>> graph = Graph()
    >>> graph.add(Vertex("n1", "leaf", "a < b", (("data", "2.0000"),)))
    'n1'
    >>> print(to_mermaid(graph))
    flowchart LR
      n1["a #lt; b<br/>data 2.0000"]:::leaf
      classDef leaf fill:#eaf1f9,stroke:#376a9f,color:#1f2933
    """
    # JSON's quotes are YAML's too, and no title can close the block.
    head = ["---", f"title: {_escaped(title)!r}", "---"] if title else []
    kinds = dict.fromkeys(vertex.kind for vertex in graph.vertices.values())
    return "\n".join(
        [
            *head,
            f"flowchart {rankdir}",
            *_part(graph.parts(), None),
            *(f"  {_edge(edge)}" for edge in graph.edges),
            *(f"  classDef {_class(kind)}" for kind in kinds),
            *_weights(graph.edges),
            "",
        ]
    )


def _part(parts: Parts, group: str | None, depth: int = 1) -> Iterator[str]:
    """Yield what stands in a group, with the groups in it as subgraphs."""
    space = "  " * depth
    for member in parts.get(group, []):
        if isinstance(member, Vertex):
            yield space + _vertex(member)
        elif inside := list(_part(parts, member.id, depth + 1)):
            yield f'{space}subgraph in_{member.id}["{_escaped(member.label)}"]'
            yield from inside
            yield f"{space}end"


def _escaped(text: str) -> str:
    return "".join(ESCAPES.get(character, character) for character in text)


def _vertex(vertex: Vertex) -> str:
    lines = [vertex.label] if vertex.label else []
    lines += [f"{key} {value}" for key, value in vertex.rows]
    look = style.LOOKS[vertex.kind]
    oval = ('(("', '"))') if look.circle else ('(["', '"])') if look.oval else ('["', '"]')
    left, right = BRACKETS.get(vertex.kind, oval)
    return f"{vertex.id}{left}{'<br/>'.join(map(_escaped, lines)) or ' '}{right}:::{vertex.kind}"


def _edge(edge: Edge) -> str:
    label = "<br/>".join(_escaped(line) for line in (edge.label, edge.flow) if line)
    return f"{edge.source} -->" + (f'|"{label}"| ' if label else " ") + edge.target


def _class(kind: str) -> str:
    look = style.LOOKS[kind]
    dash = f",stroke-dasharray:{look.dash[0]:g} {look.dash[1]:g}" if look.dash else ""
    return f"{kind} fill:{look.fill},stroke:{look.stroke},color:{look.ink}{dash}"


def _weights(edges: list[Edge]) -> Iterator[str]:
    weights = {i: e.weight for i, e in enumerate(edges) if e.weight is not None}
    for i, weight in weights.items():
        colour, width, dash = style.stroke(weight, style.heaviest(weights.values()))
        broken = f",stroke-dasharray:{dash[0]:g} {dash[1]:g}" if dash else ""
        yield f"  linkStyle {i} stroke:{colour},stroke-width:{width:.2f}px{broken}"
