"""DOT: the graph in the language of Graphviz, and the system's ``dot`` to draw it, if there is one.

No picture needs this: without the program, the built-in layout draws the same content.
"""

from __future__ import annotations

import shutil

from gradlab.draw import style
from gradlab.draw.graph import Edge, Graph, Vertex


def is_installed() -> bool:
    """Tell whether the program ``dot`` can be found."""
    return shutil.which("dot") is not None


def render(source: str, form: str) -> bytes:
    """Return what the system's ``dot`` makes of a source, in a format it knows (svg, png, pdf).

    Raises:
        RuntimeError: there is no ``dot``, or it failed.
    """
    import graphviz

    try:
        return graphviz.Source(source).pipe(format=form, quiet=True)
    except graphviz.ExecutableNotFound:
        raise RuntimeError(
            "draw: backend='dot' needs the program dot, which is not on the PATH\n"
            "expected Graphviz to be installed (apt install graphviz, brew install graphviz)\n"
            "write backend='builtin', which needs nothing"
        ) from None
    except graphviz.CalledProcessError as error:
        said = (error.stderr or b"").decode(errors="replace").strip().split("\n")[-1][:200]
        raise RuntimeError(
            f"draw: dot could not make a {form}: {said}\n"
            "expected Graphviz to know that format\n"
            "write backend='builtin', which needs no Graphviz"
        ) from error


def to_dot(graph: Graph, rankdir: str = "LR", title: str = "") -> str:
    """Return the graph as DOT source.

    >>> from gradlab.draw.graph import Vertex
    >>> graph = Graph()
    >>> graph.add(Vertex("n1", "leaf", "a", (("data", "2.0000"),)))
    'n1'
    >>> print(to_dot(graph).splitlines()[-2])
      n1 [label="a\\ndata 2.0000", shape=box, style="filled", fillcolor="#eaf1f9", ...];
    """
    lines = [
        "digraph gradlab {",
        f'  graph [rankdir={rankdir}, bgcolor="{style.BACKGROUND}", fontname="{style.FONT}"'
        f"{f', label={_quoted(title)}, labelloc=t' if title else ''}];",
        f'  node [fontname="{style.FONT}", fontsize={style.TEXT:g}, style=filled];',
        f'  edge [fontname="{style.FONT}", fontsize={style.SMALL:g}, color="{style.EDGE}", '
        f'fontcolor="{style.DERIVATIVE}", arrowsize=0.6];',
        *(f"  {_vertex(vertex)};" for vertex in graph.vertices.values()),
        *(f"  {_edge(edge)};" for edge in graph.edges),
    ]
    return "\n".join([*lines, "}", ""])


def _quoted(text: str) -> str:
    # Besides quotes, dot reads backslashes (\N is the node's name) and entities such as &lt;.
    text = text.replace("&", "&amp;").replace("\\", "\\\\").replace('"', '\\"')
    return '"' + text.replace("\n", "\\n") + '"'


def _vertex(vertex: Vertex) -> str:
    look = style.LOOKS[vertex.kind]
    lines = [vertex.label] if vertex.label else []
    lines += [f"{key} {value}" for key, value in vertex.rows]
    kinds = [
        *(["rounded"] if look.radius > 2 else []),
        *(["dashed"] if look.dash else []),
        "filled",
    ]
    facts = {
        "label": _quoted("\n".join(lines)),
        "shape": "oval" if look.oval else "box",
        "style": f'"{",".join(kinds)}"',
        "fillcolor": f'"{look.fill}"',
        "color": f'"{look.stroke}"',
        "fontcolor": f'"{look.ink}"',
        "penwidth": f"{look.width:g}",
        "peripheries": "2" if look.double else "1",
        "tooltip": _quoted(vertex.tooltip or vertex.label),
    }
    return f"{vertex.id} [{', '.join(f'{k}={v}' for k, v in facts.items())}]"


def _edge(edge: Edge) -> str:
    facts = {"weight": "8"} if edge.tight else {}
    if edge.label:
        facts["label"] = _quoted(edge.label)
    if edge.tooltip:
        facts["tooltip"] = facts["labeltooltip"] = _quoted(edge.tooltip)
    written = ", ".join(f"{k}={v}" for k, v in facts.items())
    return f"{edge.source} -> {edge.target}" + (f" [{written}]" if written else "")
