"""A network as circles and lines, on an Axes, beside the plots that belong to it.

The picture is that of `gradlab.draw.network`, which also writes it as svg, pdf or html.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from gradlab.draw import raster
from gradlab.draw.marks import Picture, compose
from gradlab.draw.network import network as draw_network
from gradlab.plots.canvas import SIZE, axes_or_new


def network(
    layers: Any,
    *,
    connections: Sequence[tuple[str, str]] | None = None,
    bias: bool = True,
    numbers: bool | None = None,
    most: int = 8,
    rankdir: str = "LR",
    ax: Any = None,
) -> Any:
    """Draw a network as circles and connections on an Axes.

    A weight is the width of its line; negative ones are broken lines. The text is fitted to the
    size that the Axes has now, so choose the size of the figure first.

    Args:
        layers: sizes ``[2, 4, 3]``; weights ``[(W1, b1), (W2, b2)]``, TLUs or fitted Perceptrons;
            or layers by name, ``{"input": 8, "hidden": 30, "Concat": None}``, None being a box.
        connections: for layers by name, the pairs ``(from, to)``; None joins each to the next.
        bias: whether to show the constant input 1 of each layer, whose weights are the biases.
        numbers: whether to write weights on the lines; None does if there are few.
        most: the most neurons of a layer to show; of more, the first and the last.
        rankdir: ``"LR"`` for left to right, ``"TB"`` for top to bottom.
        ax: where to draw; None makes a new figure.

    Returns:
        The Axes.

    Raises:
        ValueError: see `gradlab.draw.network.network`.

    >>> ax = network([2, 4, 3])
    >>> [text.get_text() for text in ax.texts][:4]
    ['input', 'x₁', 'x₂', '1']
    """
    graph = draw_network(
        layers,
        connections=connections,
        bias=bias,
        numbers=numbers,
        most=most,
        rankdir=rankdir,
    ).graph
    picture = compose(graph, rankdir)
    ax = axes_or_new("network", ax, _size(picture))
    ax.set(xlim=(0, picture.width), ylim=(picture.height, 0), aspect="equal")
    ax.set_axis_off()
    zoom = _zoom(ax, picture)
    for group in picture.groups:
        for mark in group.marks:
            ax.add_artist(raster.artist(mark, zoom))
    return ax


def _size(picture: Picture) -> tuple[float, float]:
    """Return width and height in inches: those of the other plots, or as large as it must be."""
    zoom = max(1.0, min(72 * SIZE[0] / picture.width, 72 * SIZE[1] / picture.height))
    return picture.width * zoom / 72, picture.height * zoom / 72


def _zoom(ax: Any, picture: Picture) -> float:
    """Return how many points of the figure one point of the picture takes."""
    ax.figure.draw_without_rendering()  # lets a constrained layout find its places
    extent, points = ax.get_window_extent(), 72 / ax.figure.dpi
    return points * min(extent.width / picture.width, extent.height / picture.height)
