"""Drawing: one call from a traced value to a picture, and from the picture to any file.

``draw`` reads the graph at once, with the numbers of that moment; layout and output follow when
they are asked for.
"""

from __future__ import annotations

import functools
import os
from collections import Counter
from pathlib import Path
from typing import Any

from gradlab.draw import dot, raster, svg, text
from gradlab.draw.graph import Graph
from gradlab.draw.marks import Picture, compose
from gradlab.draw.traced import from_node

FORMATS = ("svg", "png", "pdf", "dot")
RANKDIRS = ("LR", "TB")
BACKENDS = ("auto", "builtin", "dot")


def draw(
    node: Any,
    *,
    rankdir: str = "LR",
    max_nodes: int = 400,
    depth: int | None = None,
    slopes: bool = True,
    backend: str = "auto",
    title: str | None = None,
) -> Drawing:
    """Draw the computation graph of a Value or Tensor.

    Each value or array is a box with its name, data and gradient (``not computed`` before
    ``backward()``), each operation an oval. The number on an edge is the local slope: how much the
    result moves per unit of that input. Hover over an edge after ``backward()`` to read the
    product that flowed along it.

    Args:
        node: the output to start from.
        rankdir: ``"LR"`` for left to right, ``"TB"`` for top to bottom.
        max_nodes: graphs with more nodes are refused.
        depth: how many operations to go back from ``node``; None for all.
        slopes: whether to write the local slopes on the edges.
        backend: ``"builtin"`` (always works), ``"dot"`` (the system's Graphviz), or ``"auto"``:
            ``dot`` if it is installed.
        title: a headline.

    Returns:
        The Drawing, which notebooks show and ``save`` writes to a file.

    Raises:
        TypeError: ``node`` is not a Value or Tensor.
        ValueError: the graph is too large, or an option has a value that is not offered.

    >>> import gradlab
    >>> x = gradlab.Value(0.5, name="x")
    >>> gradlab.draw(x * x + 1.0)
    <Drawing of 3 nodes: .svg(), .dot(), .save("graph.svg")>
    """
    _check("rankdir", rankdir, RANKDIRS)
    _check("backend", backend, BACKENDS)
    graph = from_node(node, max_nodes=max_nodes, depth=depth, slopes=slopes)
    return Drawing(graph, rankdir=rankdir, backend=backend, title=title or "")


def _check(option: str, given: str, offered: tuple[str, ...]) -> None:
    if given not in offered:
        raise ValueError(
            f"draw: got {option}={given!r}\nexpected one of {', '.join(map(repr, offered))}\n"
            f'write {option}="{offered[0]}"'
        )


class Drawing:
    """A graph ready to be shown or saved; made by ``draw``."""

    def __init__(
        self, graph: Graph, *, rankdir: str = "LR", backend: str = "auto", title: str = ""
    ) -> None:
        self.graph, self.rankdir, self.backend = graph, rankdir, backend
        self.title = text.clean(title, 200)

    def svg(self) -> str:
        """Return the picture as an SVG document."""
        if self._uses_dot:
            try:
                return dot.render(self.dot(), "svg").decode()
            except RuntimeError:
                if self.backend == "dot":
                    raise
        return svg.to_svg(self._picture)

    def dot(self) -> str:
        """Return the graph as source text for Graphviz."""
        return dot.to_dot(self.graph, self.rankdir, self.title)

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write the picture to a file; the suffix says the format: .svg, .png, .pdf or .dot.

        The file appears complete or not at all.

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
        if form in ("svg", "dot"):
            return (self.svg() if form == "svg" else self.dot()).encode()
        if self._uses_dot:
            try:
                return dot.render(self.dot(), form)
            except RuntimeError:
                if self.backend == "dot":
                    raise
        return raster.to_bytes(self._picture, form)

    @property
    def _uses_dot(self) -> bool:
        return self.backend == "dot" or (self.backend == "auto" and dot.is_installed())

    @functools.cached_property
    def _picture(self) -> Picture:
        return compose(self.graph, self.rankdir, self.title)

    def __repr__(self) -> str:
        kinds = Counter(vertex.kind for vertex in self.graph.vertices.values())
        nodes = kinds["leaf"] + kinds["result"] + kinds["output"]
        count = f"{nodes} node{'s' * (nodes != 1)}"
        return f'<Drawing of {count}: .svg(), .dot(), .save("graph.svg")>'

    def _repr_svg_(self) -> str | None:
        return notebook_svg(self)

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        picture = notebook_svg(self)
        shown = {"text/plain": repr(self)}
        return shown if picture is None else {"image/svg+xml": picture, **shown}


def notebook_svg(what: Any) -> str | None:
    """Return the SVG of a Value, Tensor or Drawing; None where that fails, for whatever reason.

    A notebook calls this while it prints: an exception here would hide the value itself.

    >>> notebook_svg("not a graph") is None
    True
    """
    try:
        return (what if isinstance(what, Drawing) else draw(what)).svg()
    except Exception:
        return None


def _write_whole(path: Path, content: bytes) -> None:
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        part.write_bytes(content)
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
