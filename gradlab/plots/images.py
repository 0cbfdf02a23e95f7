"""The weights of a layer as images: each unit shows what it looks for in its input.

Blue pixels speak for the unit, orange ones against it, white ones do not count.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from gradlab.draw import style
from gradlab.plots.canvas import axes_or_new, numbers, refusal

GAP = 0.12  # between two images, as a share of an image's side


def filters(
    W: Any,
    shape: tuple[int, int] = (28, 28),
    *,
    labels: Sequence[str] | None = None,
    columns: int | None = None,
    ax: Any = None,
) -> Any:
    """Plot the weights of each unit of a dense layer as an image, all on one scale around 0.

    Args:
        W: the weights (features, units); (features,) is one unit.
        shape: rows and columns of an image; their product is the number of features.
        labels: a name above each image.
        columns: images in a row; None makes the whole a little wider than high.
        ax: where to draw; None makes a new figure.

    Returns:
        The Axes.

    Raises:
        ValueError: the features do not fill an image, or not one label per unit.

    >>> import numpy as np
    >>> ax = filters(np.eye(4), shape=(2, 2), labels=["a", "b", "c", "d"])
    >>> [text.get_text() for text in ax.texts]
    ['a', 'b', 'c', 'd']
    """
    W = numbers("filters", "W", W)
    W = W[:, None] if W.ndim == 1 else W
    if W.ndim != 2 or not W.size or len(W) != math.prod(shape):
        raise refusal(
            "filters",
            f"W has shape {W.shape}, and an image of {shape[0]} x {shape[1]} pixels",
            f"weights (features, units) with {math.prod(shape)} features",
            "shape=(rows, columns) of your images, or W.T",
        )
    units = W.shape[1]
    if labels is not None and len(labels) != units:
        raise refusal(
            "filters", f"{len(labels)} labels for {units} units", "one per unit", "labels=None"
        )
    columns = columns or math.ceil(math.sqrt(1.6 * units * shape[0] / shape[1]))
    rows = math.ceil(units / columns)
    step_x, step_y = shape[1] * (1 + GAP), shape[0] * (1 + (GAP if labels is None else 2 * GAP))
    width = 6.4
    ax = axes_or_new("filters", ax, (width, 0.9 * width * rows * step_y / (columns * step_x)))
    most, cmap = abs(W).max() or 1.0, _colours()
    for unit in range(units):
        x, y = unit % columns * step_x, unit // columns * step_y
        extent = (x, x + shape[1], y + shape[0], y)
        looks = {"cmap": cmap, "vmin": -most, "vmax": most, "extent": extent}
        shades = ax.imshow(W[:, unit].reshape(shape), **looks)
        ax.add_artist(_frame(x, y, shape))
        if labels is not None:
            ax.text(x + shape[1] / 2, y - 0.03 * shape[0], labels[unit], ha="center", va="bottom")
    ax.set(xlim=(-0.02 * step_x, columns * step_x), ylim=(rows * step_y, shape[0] - step_y))
    ax.set_axis_off()
    ax.figure.colorbar(shades, ax=ax, label="weight", shrink=0.8)
    return ax


def _colours() -> Any:
    from matplotlib.colors import LinearSegmentedColormap

    return LinearSegmentedColormap.from_list("weights", [style.NEGATIVE, "white", style.POSITIVE])


def _frame(x: float, y: float, shape: tuple[int, int]) -> Any:
    from matplotlib.patches import Rectangle

    return Rectangle((x, y), shape[1], shape[0], fill=False, ec=style.EDGE, lw=0.6)
