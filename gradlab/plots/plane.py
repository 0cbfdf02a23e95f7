"""Functions of two numbers: the regions a classifier cuts the plane into, and maps of heights.

Every class has a colour and a marker of its own, so the pictures can be read without colour.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from gradlab.draw import style
from gradlab.plots.canvas import (
    COLOURS,
    axes_or_new,
    look,
    numbers,
    plain,
    points,
    refusal,
)

GRID = 300  # points along a side of the plane
PALE = 0.78  # how much white the colour of a region has


def decision_boundary(
    predict: Any,
    X: Any,
    y: Any,
    *,
    labels: Sequence[str] | None = None,
    ax: Any = None,
) -> Any:
    """Plot the regions that a classifier of two features decides for, and the points it knows.

    Points on the wrong side are ringed, and the legend counts them. Source: deck 001, "Single TLU".

    Args:
        predict: a function from rows (rows, 2) to a class for each row, to a probability of the
            second class (from 1/2 on it is chosen), or to a column of scores per class
            (the largest is chosen); or an object with such a ``predict``.
        X: points (rows, 2).
        y: their classes (rows,), numbers or texts.
        labels: names of the classes, in sorted order of the classes.
        ax: where to draw; None makes a new figure.

    Returns:
        The Axes.

    Raises:
        ValueError: wrong shapes, or predictions that are none of the above.

    >>> import gradlab as gl
    >>> X, y = [[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]], [0, 1, 1, 1]
    >>> ax = decision_boundary(gl.TLU([1, 1], bias=-1.5), X, y, labels=["no", "yes"])
    >>> [text.get_text() for text in ax.get_legend().get_texts()]
    ['no', 'yes', 'wrong: 2 of 4']
    """
    X, y = points("decision_boundary", X, y)
    classes, index = np.unique(y, return_inverse=True)
    names = _names("decision_boundary", classes, labels)
    limits = _limits(X)
    rows, _ = _grid(limits)
    regions = _decide(predict, rows, classes)
    wrong = _decide(predict, X, classes) != index
    ax = axes_or_new("decision_boundary", ax)
    _draw_regions(ax, regions.reshape(GRID, GRID), len(classes), limits)
    _scatter(ax, X, index, names)
    if wrong.any():
        label = f"wrong: {wrong.sum()} of {len(X)}"
        ring = {"mfc": "none", "mec": style.INK, "mew": 1.8, "ms": 13}
        ax.plot(*X[wrong].T, "o", **ring, label=label)
    ax.set(xlim=limits[0], ylim=limits[1], xlabel="x1", ylabel="x2")
    ax.legend()
    return ax


def surface(
    f: Callable[[np.ndarray], Any],
    X: Any = None,
    y: Any = None,
    *,
    xlim: tuple[float, float] | None = None,
    ylim: tuple[float, float] | None = None,
    boundary: float | None = None,
    label: str = "output",
    ax: Any = None,
) -> Any:
    """Plot a function of two numbers as a map: darker is higher, one line for each level.

    Args:
        f: a function from rows (rows, 2) to a number for each row.
        X: points to draw on the map (rows, 2), with their classes ``y`` (rows,).
        xlim: the least and the largest first number; None leaves room around ``X``.
        ylim: the same for the second number.
        boundary: a height to mark with a thick line, such as 1/2 for a probability; below it the
            map takes the colour of the first class, above it that of the second.
        label: what the function gives, beside the scale.
        ax: where to draw; None makes a new figure.

    Returns:
        The Axes.

    Raises:
        ValueError: wrong shapes, or neither points nor limits.

    >>> ax = surface(lambda P: (P**2).sum(axis=1), xlim=(-1, 1), ylim=(-1, 1), label="loss")
    >>> ax.figure.axes[1].get_ylabel()
    'loss'
    """
    given = None if X is None else points("surface", X, y)
    limits = _given_limits(None if given is None else given[0], xlim, ylim)
    rows, (first, second) = _grid(limits)
    heights = numbers("surface", "f(rows)", f(rows))
    if heights.size != len(rows) or not np.isfinite(heights).all():
        made = f"shape {heights.shape}" if heights.size != len(rows) else "nan or inf"
        raise refusal(
            "surface",
            f"f turned {len(rows)} rows into {made}",
            f"one finite number per row, shape ({len(rows)},)",
            "a function that returns one column, such as lambda rows: model(rows)[:, 0]",
        )
    ax = axes_or_new("surface", ax)
    _draw_map(ax, first, second, heights.reshape(GRID, GRID), boundary, label)
    if given is not None:
        classes, index = np.unique(given[1], return_inverse=True)
        _scatter(ax, given[0], index, [f"y = {name}" for name in classes])
        ax.legend()
    ax.set(xlim=limits[0], ylim=limits[1], xlabel="x1", ylabel="x2")
    return ax


# -------------------------------------------------------------------------------- reading classes


def _names(call: str, classes: np.ndarray, labels: Sequence[str] | None) -> list[str]:
    if labels is None:
        return [str(name) for name in classes]
    if len(labels) != len(classes):
        raise refusal(
            call,
            f"{len(labels)} labels for the {len(classes)} classes {classes.tolist()}",
            "one label per class",
            f"labels={[f'class {name}' for name in classes.tolist()]}",
        )
    return [str(name) for name in labels]


def _decide(predict: Any, rows: np.ndarray, classes: np.ndarray) -> np.ndarray:
    """Return the place in ``classes`` that is predicted for each row."""
    said = plain(getattr(predict, "predict", predict)(rows))
    if said.shape == (len(rows), 1):
        said = said[:, 0]
    if said.shape == (len(rows), len(classes)):
        return said.argmax(axis=1)
    if said.shape == (len(rows),):
        if np.isin(said, classes).all():
            return np.searchsorted(classes, said)
        if len(classes) == 2 and said.dtype.kind == "f":
            return (said >= 0.5).astype(int)
    raise refusal(
        "decision_boundary",
        f"predict turned {len(rows)} rows into {said.dtype} numbers of shape {said.shape}",
        f"a class of {classes.tolist()} for each row, or a column of scores per class",
        "a function from (rows, 2) to (rows,), such as model.predict",
    )


# ------------------------------------------------------------------------------------- the plane

Limits = tuple[tuple[float, float], tuple[float, float]]


def _limits(X: np.ndarray) -> Limits:
    low, high = X.min(axis=0), X.max(axis=0)
    room = np.where(high > low, 0.15 * (high - low), 0.5)
    (x0, y0), (x1, y1) = (low - room).tolist(), (high + room).tolist()
    return (x0, x1), (y0, y1)


def _given_limits(X: Any, xlim: Any, ylim: Any) -> Limits:
    if X is None and (xlim is None or ylim is None):
        raise refusal(
            "surface",
            "neither points nor limits",
            "points X and y, or both xlim and ylim",
            "surface(f, xlim=(-1, 1), ylim=(-1, 1))",
        )
    around = _limits(X) if X is not None else (xlim, ylim)
    return xlim or around[0], ylim or around[1]


def _grid(limits: Limits) -> tuple[np.ndarray, tuple[np.ndarray, np.ndarray]]:
    """Return the points of a grid (GRID², 2), row by row, and the two axes it is made of."""
    first, second = (np.linspace(low, high, GRID) for low, high in limits)
    return np.stack(np.meshgrid(first, second), axis=-1).reshape(-1, 2), (first, second)


def _draw_regions(ax: Any, regions: np.ndarray, k: int, limits: Limits) -> None:
    from matplotlib.colors import to_rgb

    colours = np.array([to_rgb(look(i)[0]) for i in range(k)])
    extent = (*limits[0], *limits[1])
    pale = PALE + (1 - PALE) * colours[regions]
    ax.imshow(pale, extent=extent, origin="lower", aspect="auto", zorder=0)
    for i in range(k):
        inside = (regions == i).astype(float)
        if 0 < inside.mean() < 1:
            ax.contour(inside, levels=[0.5], extent=extent, colors=style.INK, linewidths=1.8)


def _draw_map(
    ax: Any, x: np.ndarray, y: np.ndarray, z: np.ndarray, boundary: float | None, label: str
) -> None:
    from matplotlib.colors import LinearSegmentedColormap, TwoSlopeNorm

    if boundary is None:
        shades = ax.contourf(x, y, z, levels=10, cmap="cividis_r")
    else:
        cmap = LinearSegmentedColormap.from_list("classes", [COLOURS[0], "white", COLOURS[1]])
        reach = max(abs(z - boundary).max(), 1e-12)
        norm = TwoSlopeNorm(boundary, boundary - 1.5 * reach, boundary + 1.5 * reach)
        shades = ax.contourf(x, y, z, levels=10, cmap=cmap, norm=norm)
        if z.min() < boundary < z.max():
            ax.contour(x, y, z, levels=[boundary], colors=style.INK, linewidths=2.5)
    ax.figure.colorbar(shades, ax=ax, label=label)


def _scatter(ax: Any, X: np.ndarray, index: np.ndarray, names: list[str]) -> None:
    size = 9.0 if len(X) <= 30 else 5.5
    for i, name in enumerate(names):
        colour, marker, _ = look(i)
        looks = {"color": colour, "mec": "white", "mew": 0.8, "ms": size}
        ax.plot(*X[index == i].T, marker, **looks, label=name)
