"""The learning rate finder: what the loss says while the learning rate grows at each step.

First nothing happens, then the loss falls, then it shoots up; a good rate is a bit lower than that.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from gradlab.draw import style
from gradlab.plots.canvas import SLOPE, VALUE, axes_or_new, numbers, refusal


class LearningRatePoints(NamedTuple):
    """Three learning rates read off the losses of a learning rate finder.

    Attributes:
        steepest: where the loss falls fastest per factor of ten.
        turning: from where it shoots up.
        suggestion: a tenth of that.
    """

    steepest: float
    turning: float
    suggestion: float


def learning_rate_points(rates: Any, losses: Any) -> LearningRatePoints:
    """Return what the losses of a learning rate finder say.

    The losses are smoothed over a twentieth of the steps. "The optimal learning rate will be a bit
    lower than the point at which the loss starts to climb" (deck 001, section 10.3.3); a rule of
    thumb for "a bit" is ten times lower (Géron, *Hands-On Machine Learning*, chapter 10).

    Args:
        rates: the learning rate of each step, increasing (steps,).
        losses: the loss at each step (steps,); from the first that is not finite on they are left
            out, since training has blown up.

    Raises:
        ValueError: fewer than three steps, different shapes, rates that do not increase from above
            0, or a loss that never falls or never shoots up.

    >>> learning_rate_points([0.001, 0.01, 0.1, 1.0], [2.3, 1.2, 0.9, 4.0])
    LearningRatePoints(steepest=0.01, turning=0.1, suggestion=0.01)
    """
    call = "learning_rate_points"
    rates, losses = _finder_data(call, rates, losses)
    smooth = _smoothed(losses)
    turn = int(np.argmin(smooth))
    if turn in (0, len(rates) - 1):
        raise refusal(
            call,
            f"the loss never {_missing(turn)}",
            "a loss that falls, then shoots up",
            f"{'smaller' if turn == 0 else 'larger'} rates",
        )
    steepest = float(rates[_steepest(rates, smooth, turn)])
    turning = float(rates[turn])
    return LearningRatePoints(steepest, turning, turning / 10)


def _missing(turn: int) -> str:
    return "falls" if turn == 0 else "shoots up"


def _steepest(rates: np.ndarray, smooth: np.ndarray, turn: int) -> int:
    fall = np.diff(smooth) / np.diff(np.log10(rates))
    return int(np.argmin(fall[:turn])) + 1


def loss_against_learning_rate(rates: Any, losses: Any, *, ax: Any = None) -> Any:
    """Plot the loss of a learning rate finder, and mark what it says.

    The rate is multiplied by a constant at each step, from about 1e-5 to 10, so its axis is
    logarithmic. Marked are the points of `learning_rate_points`: where the losses fall fastest
    (triangle), the *turning point* from which they shoot up (square), and a tenth of that (dashed
    line). What shoots far above the first losses is cut off. Source: deck 001, section 10.3.3.

    Args:
        rates: the learning rate of each step, increasing (steps,).
        losses: the loss at each step (steps,); from the first that is not finite on they are left
            out, since training has blown up.
        ax: where to draw; None makes a new figure.

    Returns:
        The Axes.

    Raises:
        ValueError: fewer than three steps, different shapes, or rates that do not increase from
            above 0.

    >>> rates = 10.0 ** np.arange(-5, 2)
    >>> ax = loss_against_learning_rate(rates, [2.3, 2.3, 2.2, 1.2, 0.9, 4.0, np.inf])
    >>> [text.get_text() for text in ax.get_legend().get_texts()]
    ['steepest descent: 0.01', 'turning point: 0.1', 'rule of thumb, a tenth of it: 0.01']
    """
    rates, losses = _finder_data("loss_against_learning_rate", rates, losses)
    ax = axes_or_new("loss_against_learning_rate", ax)
    smooth = _smoothed(losses)
    turn = int(np.argmin(smooth))
    ax.semilogx(rates, losses, color=VALUE, lw=1.0 if len(rates) > 50 else 2.0, alpha=0.8)
    if turn in (0, len(rates) - 1):
        other = "smaller" if turn == 0 else "larger"
        ax.plot([], [], " ", label=f"the loss never {_missing(turn)}: try {other} rates")
    if turn > 0:
        k = _steepest(rates, smooth, turn)
        label = f"steepest descent: {rates[k]:.2g}"
        ax.plot(rates[k], smooth[k], "^", ms=11, color="#009E73", mec="white", label=label)
    if 0 < turn < len(rates) - 1:
        label = f"turning point: {rates[turn]:.2g}"
        ax.plot(rates[turn], smooth[turn], "s", ms=10, color=SLOPE, mec="white", label=label)
        label = f"rule of thumb, a tenth of it: {rates[turn] / 10:.2g}"
        ax.axvline(rates[turn] / 10, color=style.INK, ls="--", lw=1.5, label=label)
        low, top = losses.min(), losses[: turn + 1].max()
        ax.set_ylim(low - 0.1 * (top - low), top + 0.3 * (top - low))
    ax.set(xlabel="learning rate", ylabel="loss")
    ax.legend()
    return ax


def _finder_data(call: str, rates: Any, losses: Any) -> tuple[np.ndarray, np.ndarray]:
    rates, losses = numbers(call, "rates", rates), numbers(call, "losses", losses)
    if rates.ndim != 1 or rates.shape != losses.shape or len(rates) < 3:
        raise refusal(
            call,
            f"rates have shape {rates.shape}, losses {losses.shape}",
            "one loss for each rate, shape (steps,), and at least three",
            f"{call}(rates[:len(losses)], losses)",
        )
    if not (rates[0] > 0 and (np.diff(rates) > 0).all()):
        raise refusal(
            call,
            f"the rates run from {rates[0]:g} to {rates[-1]:g} and do not always increase",
            "rates above 0, each larger than the one before",
            "rates=1e-5 * 1.05 ** np.arange(len(losses))",
        )
    blown_up = np.flatnonzero(~np.isfinite(losses))
    stop = blown_up[0] if len(blown_up) else len(losses)
    if stop < 2:
        raise refusal(
            call,
            f"the loss of step {stop} is {losses[stop]}",
            "finite losses at the first, small rates",
            "a smaller first rate",
        )
    return rates[:stop], losses[:stop]


def _smoothed(losses: np.ndarray) -> np.ndarray:
    """Return the mean over a window around each step; the window is narrower near both ends."""
    half = len(losses) // 40
    total = np.concatenate([[0.0], np.cumsum(losses)])
    steps = np.arange(len(losses))
    left, right = np.maximum(steps - half, 0), np.minimum(steps + half + 1, len(losses))
    return (total[right] - total[left]) / (right - left)
