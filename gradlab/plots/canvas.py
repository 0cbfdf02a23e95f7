"""What all plots share: an Axes to draw on, colours that everybody can tell apart, plain numbers.

A plot returns its Axes for you to add to. It opens no window and changes no setting.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from gradlab.draw import style
from gradlab.tape import Node

SIZE = (6.4, 4.0)  # inches; small, so that text of the usual 10 points is large on a slide
VALUE = style.LOOKS["leaf"].stroke  # cool for what is computed, warm for slopes: as in drawings
SLOPE = style.DERIVATIVE

# The colours of Okabe and Ito (2008), told apart with any colour vision. Each comes with a marker
# and dashes of its own; there are more markers than colours, so that no pair comes twice soon.
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
MARKERS = ("o", "^", "s", "D", "v", "P", "X", "<")
DASHES = ("-", "--", "-.", ":")


def look(i: int) -> tuple[str, str, str]:
    """Return colour, marker and dashes of the i-th class or curve.

    >>> look(0), look(8)
    (('#0072B2', 'o', '-'), ('#D55E00', 'o', '-'))
    """
    return COLOURS[i % len(COLOURS)], MARKERS[i % len(MARKERS)], DASHES[i % len(DASHES)]


def axes_or_new(call: str, ax: Any, size: tuple[float, float] = SIZE) -> Any:
    """Return the Axes, or a new one in a figure of its own if it is None."""
    if ax is None:
        import matplotlib.pyplot as plt

        return plt.subplots(figsize=size, layout="constrained")[1]
    if not hasattr(ax, "plot") or not hasattr(ax, "get_figure"):
        raise TypeError(
            f"{call}: got ax={type(ax).__name__}\nexpected one Axes of Matplotlib, or None\n"
            "write ax=axes[0] if axes is an array of them"
        )
    return ax


def refusal(call: str, given: str, expected: str, write: str) -> ValueError:
    """Return the error that says what was given, what was expected and what to write instead."""
    return ValueError(f"{call}: {given}\nexpected {expected}\nwrite {write}")


def plain(x: Any) -> np.ndarray:
    """Return an array, list, Value or Tensor as an array of its numbers or texts.

    >>> from gradlab import Tensor
    >>> plain([Tensor(1.0), 2.0])
    array([1., 2.])
    """
    if isinstance(x, list | tuple):
        return np.asarray([x.data if isinstance(x, Node) else x for x in x])
    return np.asarray(x.data if isinstance(x, Node) else x)


def numbers(call: str, name: str, x: Any) -> np.ndarray:
    """Return x as an array of floats.

    Raises:
        ValueError: x holds something else, or rows of different lengths.
    """
    try:
        return plain(x).astype(float)
    except (TypeError, ValueError):
        raise refusal(
            call,
            f"{name} is a {type(x).__name__} that is no array of numbers",
            "numbers, in rows of one length",
            f"{name}=np.array([...])",
        ) from None


def points(call: str, X: Any, y: Any) -> tuple[np.ndarray, np.ndarray]:
    """Return points (rows, 2) and their classes (rows,).

    Raises:
        ValueError: other shapes.
    """
    X, y = numbers(call, "X", X), plain(y)
    if X.ndim != 2 or X.shape[1] != 2 or not np.isfinite(X).all() or not len(X):
        raise refusal(
            call,
            f"X has shape {X.shape}{'' if np.isfinite(X).all() else ' and holds nan or inf'}",
            "finite points of a plane, shape (rows, 2)",
            f"{call}(..., X[:, :2], y), with a predict for these two columns",
        )
    if y.shape != X.shape[:1]:
        raise refusal(
            call,
            f"y has shape {y.shape}, and X has {len(X)} rows",
            f"one class per row, shape ({len(X)},)",
            "y.argmax(axis=-1) if y is one-hot, y.ravel() if it is a column",
        )
    return X, y
