"""Drawing: a graph that notebooks show, that any format can be made of, and whose groups fold.

Layout and output follow when they are asked for.
"""

from __future__ import annotations

import contextlib
import functools
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from gradlab.draw import dot, jsonform, mermaid, raster, svg, text
from gradlab.draw.collapse import collapsed, count_boxes
from gradlab.draw.fit import fit
from gradlab.draw.graph import Graph
from gradlab.draw.marks import Picture, compose, place
from gradlab.tape import Node

FORMATS = ("svg", "png", "pdf", "html", "dot", "mmd", "json")


class Drawing:
    """A graph ready to be shown or saved; made by ``draw``.

    Args:
        graph: all there is to draw.
        rankdir: ``"LR"`` or ``"TB"``.
        backend: see ``draw``.
        title: a headline.
        hidden: ids of the groups that are shown as one box.
        node: the Value or Tensor that was drawn, from which the html page takes its steps.
        max_nodes: how many boxes ``expand`` may bring to light.
    """

    def __init__(
        self,
        graph: Graph,
        *,
        rankdir: str = "LR",
        backend: str = "builtin",
        title: str = "",
        hidden: frozenset[str] = frozenset(),
        node: Node | None = None,
        max_nodes: int = 400,
    ) -> None:
        self.whole, self.hidden, self.node, self.max_nodes = graph, hidden, node, max_nodes
        self.rankdir, self.backend, self.title = rankdir, backend, text.clean(title, 200)
        self.graph = collapsed(graph, hidden) if hidden else graph

    # -- groups

    def collapse(self, name: str) -> Drawing:
        """Return the drawing with each group of this name as one box.

        >>> import gradlab as gl
        >>> x = gl.Value(0.5, name="x")
        >>> with gl.group("hidden"):
        ...     h = gl.tanh(2.0 * x + 1.0)
        >>> gl.draw(h * x).collapse("hidden")
        <Drawing of 3 nodes, collapsed: hidden: .svg(), .save("graph.svg"), .save("graph.html")>

        Raises:
            ValueError: no group has this name.
        """
        return self._with(self.whole, self.hidden | self._named(name))

    def expand(self, name: str) -> Drawing:
        """Return the drawing with the content of each group of this name.

        If that is too much for one picture, the groups in it stay collapsed.

        Raises:
            ValueError: no group has this name.
        """
        graph, named = self.whole, self._named(name)
        hidden = self.hidden - named
        for group in sorted(named):
            graph, hidden = fit(graph, self.max_nodes, hidden, within=group)
        return self._with(graph, hidden)

    def fitted(self) -> Drawing:
        """Return the drawing with as many groups collapsed as ``max_nodes`` demands."""
        graph, hidden = fit(self.whole, self.max_nodes, self.hidden)
        return self if hidden == self.hidden else self._with(graph, hidden)

    def _named(self, name: str) -> frozenset[str]:
        groups = self.whole.groups.values()
        found = frozenset(group.id for group in groups if name in (group.label, group.id))
        if not found:
            known = ", ".join(dict.fromkeys(repr(group.label) for group in groups)) or "no groups"
            raise ValueError(
                f"draw: no group is called {name!r:.60}\nexpected one of: {known:.200}\n"
                f'write with gradlab.group("hidden"): around the computation of that part'
            )
        return found

    def _with(self, graph: Graph, hidden: frozenset[str]) -> Drawing:
        return Drawing(
            graph,
            rankdir=self.rankdir,
            backend=self.backend,
            title=self.title,
            hidden=hidden,
            node=self.node,
            max_nodes=self.max_nodes,
        )

    # -- the formats

    def svg(self) -> str:
        """Return the picture as an SVG document."""
        return (self._by_graphviz("svg") or svg.to_svg(self._picture).encode()).decode()

    def html(self) -> str:
        """Return a page in one file that steps through the computation, forward and backward.

        Its numbers are those of the moment this is called.
        """
        from gradlab.draw import player
        from gradlab.draw.steps import steps_of

        steps = [] if self.node is None else steps_of(self.node, self.graph)
        return player.to_html(self.graph, steps, rankdir=self.rankdir, title=self.title)

    def dot(self) -> str:
        """Return the graph as source text for Graphviz."""
        return dot.to_dot(self.graph, self.rankdir, self.title)

    def mermaid(self) -> str:
        """Return the graph as a Mermaid flowchart, which GitHub draws in Markdown pages."""
        return mermaid.to_mermaid(self.graph, self.rankdir, self.title)

    def json(self) -> str:
        """Return the graph and its layout as data."""
        layout = place(self.graph, self.rankdir)
        return jsonform.to_json(self.graph, layout, self.rankdir, self.title)

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write the picture to a file; the suffix says the format.

        ``.svg``, ``.png``, ``.pdf``: pictures; ``.html``: a page that steps through the
        computation; ``.dot``, ``.mmd`` (Mermaid), ``.json``: the graph for other tools. The file
        appears complete or not at all.

        Raises:
            ValueError: another suffix.
            FileNotFoundError: the folder does not exist.
        """
        path = Path(path)
        form = path.suffix.lower().removeprefix(".")
        if form not in FORMATS:
            raise ValueError(
                f"save: got {path.name!r}, whose suffix is {path.suffix!r}\n"
                f"expected one of {', '.join('.' + f for f in FORMATS)}\n"
                f'write save("{path.stem or "graph"}.svg")'
            )
        if not path.parent.is_dir():
            raise FileNotFoundError(
                f"save: the folder {str(path.parent)!r} does not exist\n"
                "expected a folder to write into\n"
                f"write Path({str(path.parent)!r}).mkdir(parents=True) first"
            )
        _write_whole(path, self._content(form))
        return path

    def _content(self, form: str) -> bytes:
        if form in ("png", "pdf"):
            return self._by_graphviz(form) or raster.to_bytes(self._picture, form)
        texts = {"mmd": self.mermaid, "html": self.html, "dot": self.dot, "json": self.json}
        return texts.get(form, self.svg)().encode()

    def _by_graphviz(self, form: str) -> bytes | None:
        """Return what the chosen Graphviz makes; None for the built-in layout."""
        if self.backend == "builtin":
            return None
        programs = dot.programs() if self.backend == "auto" else [self.backend]
        for program in programs:
            source = dot.to_dot(self.graph, self.rankdir, self.title, heat=program == "dot")
            try:
                return dot.render(source, form, program)
            except RuntimeError:
                if self.backend != "auto":
                    raise
        return None

    @functools.cached_property
    def _picture(self) -> Picture:
        return compose(self.graph, self.rankdir, self.title)

    # -- notebooks

    def __repr__(self) -> str:
        nodes = count_boxes(self.graph) or len(self.graph.vertices)
        groups = [v.label for v in self.graph.vertices.values() if v.kind == "group"]
        named = ", ".join(groups[:3]) + ", …" * (len(groups) > 3)
        hiding = f", collapsed: {named}" if groups else ""
        count = f"{nodes} node{'s' * (nodes != 1)}{hiding}"
        return f'<Drawing of {count}: .svg(), .save("graph.svg"), .save("graph.html")>'

    def _repr_svg_(self) -> str | None:
        return self._repr_mimebundle_().get("image/svg+xml")

    def _repr_html_(self) -> str | None:
        return self._repr_mimebundle_().get("text/html")

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        return {"text/plain": repr(self), **in_notebooks(self.svg)}


def in_notebooks(make: Callable[[], str]) -> dict[str, str]:
    """Return a picture by MIME type: svg, and html in which it keeps its size and hover texts.

    A notebook calls this while it prints. An exception here would hide what it prints, so where
    drawing fails, for whatever reason, there is no picture.
    """
    try:
        picture = make()
    except Exception:
        return {}
    scrolling = f'<div style="overflow-x: auto">{picture}</div>'
    return {"image/svg+xml": picture, "text/html": scrolling}


def _write_whole(path: Path, content: bytes) -> None:
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        part.write_bytes(content)
        part.replace(path)
    except OSError as error:
        raise type(error)(
            f"save: {str(path)!r} cannot be written: {error.strerror or error}\n"
            "expected a place where files may be made; nothing was left behind\n"
            f"write save({path.name!r}) for the current folder"
        ) from error
    finally:
        with contextlib.suppress(OSError):
            part.unlink(missing_ok=True)
