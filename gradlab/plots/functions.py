"""Functions of one number with their slopes: where they bend, and where they are flat.

A kink has no slope and a flat part gives gradient descent no push; the table knows the kinks.
"""

from __future__ import annotations

import dataclasses
import textwrap
from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any

import numpy as np

from gradlab.calculus import elementwise_grad
from gradlab.draw import style
from gradlab.entry import Entry
from gradlab.plots.canvas import SLOPE, VALUE, axes_or_new, look, plain, refusal

SAMPLES = 400  # per smooth piece
NUDGE = 1e-9  # how near to a kink its two sides are measured
Function = Callable[..., Any]


@dataclasses.dataclass(frozen=True)
class Piece:
    """A function between two kinks: x, values y and slopes, each of shape (SAMPLES,).

    ``start`` and ``at_start`` are the kink before it and the value there.
    """

    x: np.ndarray
    y: np.ndarray
    slope: np.ndarray
    start: float
    at_start: float


def activation(
    f: Function,
    *,
    span: tuple[float, float] = (-5.0, 5.0),
    legend: bool = True,
    ax: Any = None,
    **parameters: float,
) -> Any:
    """Plot an activation function (solid) and its slope (dashed).

    An open circle marks a kink: there the slope does not exist, and the legend says which number
    gradlab takes by convention. Grey marks where the slope is exactly 0. Source: deck 001,
    "Activation functions".

    Args:
        f: a function of each number alone: one of gradlab's, or one built from them.
        span: the least and the largest x.
        legend: whether to draw one; small panels have no room for it.
        ax: where to draw; None makes a new figure.
        parameters: given to ``f``, as in ``activation(gl.elu, alpha=0.5)``.

    Returns:
        The Axes.

    Raises:
        ValueError: ``f`` mixes the numbers, as softmax does, or ``span`` is empty.

    >>> import gradlab as gl
    >>> ax = activation(gl.relu)
    >>> [text.get_text() for text in ax.get_legend().get_texts()]
    ['max(0, x)', 'slope', 'no slope here; by convention\\nslope 0 at 0', 'flat: slope 0']
    """
    pieces = _pieces("activation", f, span, parameters)
    ax = axes_or_new("activation", ax)
    _draw_values(ax, pieces, color=VALUE, lw=2.5, label=_formula(f))
    _draw_slopes(ax, pieces, color=SLOPE, ls="--", lw=2.0, label="slope")
    if isinstance(f, Entry) and len(pieces) > 1:
        said = textwrap.fill(f.convention, 30)
        ax.plot([], [], "o", mfc="white", mec=SLOPE, label=f"no slope here; by convention\n{said}")
    _draw_flat(ax, pieces)
    ax.set(title=_name(f), xlabel="x", xlim=span)
    if legend:
        ax.legend()
    return ax


def functions_and_slopes(
    functions: Sequence[Function], *, span: tuple[float, float] = (-5.0, 5.0), axes: Any = None
) -> Any:
    """Plot several functions, and beside them their slopes.

    Source: deck 001, "Activation functions and their derivatives".

    Args:
        functions: functions of each number alone, with their parameters at their defaults.
        span: the least and the largest x.
        axes: two Axes, for the functions and for their slopes; None makes a new figure.

    Returns:
        The two Axes.

    Raises:
        ValueError: there is no function, one of them mixes the numbers, or not two Axes.

    >>> import gradlab as gl
    >>> left, right = functions_and_slopes([gl.sigmoid, gl.tanh])
    >>> left.get_title(), right.get_title()
    ('Value', 'Slope')
    """
    if not len(functions):
        raise refusal(
            "functions_and_slopes",
            "got no function",
            "a list of functions",
            "functions_and_slopes([gl.sigmoid, gl.tanh])",
        )
    found = [_pieces("functions_and_slopes", f, span, {}) for f in functions]
    if axes is None:
        import matplotlib.pyplot as plt

        axes = plt.subplots(1, 2, figsize=(10, 4), layout="constrained")[1]
    if len(axes) != 2:
        raise refusal(
            "functions_and_slopes",
            f"got {len(axes)} Axes",
            "two, for the functions and for their slopes",
            "axes=plt.subplots(1, 2)[1]",
        )
    for i, (f, pieces) in enumerate(zip(functions, found, strict=True)):
        color, _, dashes = look(i)
        # Earlier curves are wider and lie below, so that all can be seen where they agree.
        looks = {"color": color, "ls": dashes, "lw": 2.2 + 3.0 * (1 - i / len(functions)) ** 2}
        _draw_values(axes[0], pieces, **looks, label=_name(f))
        _draw_slopes(axes[1], pieces, **looks)
    axes[0].set(title="Value", xlabel="x", xlim=span)
    axes[1].set(title="Slope", xlabel="x", xlim=span)
    axes[0].legend()
    return axes


# -------------------------------------------------------------------------------------- computing


def _pieces(
    call: str, f: Function, span: tuple[float, float], parameters: dict[str, float]
) -> list[Piece]:
    low, high = span
    if not (np.isfinite([low, high]).all() and low < high):
        raise refusal(call, f"span is {span}", "the least and the largest x", "span=(-5, 5)")
    if isinstance(f, Entry) and not f.elementwise:
        raise _not_elementwise(call, f)
    kinks = f.kink_points(parameters) if isinstance(f, Entry) else []
    ends = [low, *sorted({k for k in kinks if low < k < high}), high]
    return [_piece(call, f, a, b, parameters) for a, b in pairwise(ends)]


def _piece(call: str, f: Function, a: float, b: float, parameters: dict[str, float]) -> Piece:
    x = np.linspace(a + NUDGE, b - NUDGE, SAMPLES)
    with np.errstate(all="ignore"):  # outside its domain a curve is left out
        y = plain(f(x, **parameters))
        if y.shape != x.shape:
            raise _not_elementwise(call, f)
        slope = elementwise_grad(f)(x, **parameters)
        return Piece(x, y, slope, a, plain(f(np.array([a]), **parameters))[0])


def _not_elementwise(call: str, f: Function) -> ValueError:
    return refusal(
        call,
        f"{_name(f)} does not act on each number alone",
        "one value for each x, computed from that x",
        f"{call}(gl.sigmoid), or a bar chart of {_name(f)}(scores)",
    )


def _name(f: Function) -> str:
    name = getattr(f, "__name__", type(f).__name__)
    return "f" if name == "<lambda>" else name


def _formula(f: Function) -> str:
    formula = f.formula if isinstance(f, Entry) else None
    return formula if formula and len(formula) <= 34 else "value"


# ---------------------------------------------------------------------------------------- drawing


def _draw_values(ax: Any, pieces: list[Piece], **looks: Any) -> None:
    """Draw the values; a jump is a gap, and a full circle is the value there."""
    _draw(ax, [(piece.x, piece.y) for piece in pieces], **looks)
    for left, right in pairwise(pieces):
        if abs(right.y[0] - left.y[-1]) > 1e-6:
            for y in (left.y[-1], right.y[0], right.at_start):
                _circle(ax, right.start, y, looks["color"], full=np.isclose(y, right.at_start))


def _draw_slopes(ax: Any, pieces: list[Piece], **looks: Any) -> None:
    _draw(ax, [(piece.x, piece.slope) for piece in pieces], **looks)
    for left, right in pairwise(pieces):
        for end in (left.slope[-1], right.slope[0]):
            _circle(ax, right.start, end, looks["color"])


def _draw(ax: Any, curves: list[tuple[np.ndarray, np.ndarray]], **looks: Any) -> None:
    # One line with gaps: NaN is where Matplotlib lifts the pen.
    gap = [np.nan]
    x = np.concatenate([part for x, _ in curves for part in (x, gap)])
    y = np.concatenate([part for _, y in curves for part in (y, gap)])
    ax.plot(x, y, **looks)


def _circle(ax: Any, x: float, y: float, color: str, full: Any = False) -> None:
    ax.plot([x], [y], "o", mfc=color if full else "white", mec=color, zorder=3)


def _draw_flat(ax: Any, pieces: list[Piece]) -> None:
    label: str | None = "flat: slope 0"
    for piece in pieces:
        flat = np.concatenate([[0], piece.slope == 0, [0]])
        starts, stops = np.flatnonzero(np.diff(flat) == 1), np.flatnonzero(np.diff(flat) == -1)
        for start, stop in zip(starts, stops - 1, strict=True):
            if stop > start + 2:  # not where a slope only passes through 0
                span = piece.x[start], piece.x[stop]
                ax.axvspan(*span, color=style.MUTED, alpha=0.13, lw=0, zorder=0, label=label)
                label = None
