"""How training went: the loss after each epoch, and the loss for each learning rate.

Both curves are easily misread; the docstrings say how, and the plots draw against it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from gradlab.draw import style
from gradlab.plots.canvas import MARKERS, SLOPE, VALUE, axes_or_new, numbers, refusal

VALIDATION = "val_"


def learning_curves(
    history: Any, *, keys: Sequence[str] | None = None, running: bool = True, ax: Any = None
) -> Any:
    """Plot loss and metrics against the epoch: training dashed, validation solid.

    The two are not measured at the same time. Keras reports a training metric as the *running mean*
    over the batches of the epoch, while the weights still change: it belongs to the middle of the
    epoch. Validation is measured at its end. So the training curve is drawn half an epoch to the
    left: epoch 3 lasts from 2 to 3, its training value stands at 2.5, its validation value at 3.
    Unshifted, a network that improves quickly looks better on the validation set than on the
    training set. Source: deck 001, "Learning Curves"; Géron, *Hands-On Machine Learning*,
    chapter 10.

    Args:
        history: a dictionary of lists such as ``{"loss": [...], "val_loss": [...]}``, an object
            with one as ``.history`` (what ``fit`` returns), or a data frame.
        keys: which of them to draw, without ``val_``; None draws all but the learning rate.
        running: whether training values are running means; False draws them unshifted.
        ax: where to draw; None makes a new figure.

    Returns:
        The Axes.

    Raises:
        ValueError: nothing to draw, an unknown key, or lists of different lengths.

    >>> ax = learning_curves({"loss": [0.7, 0.5, 0.4], "val_loss": [0.5, 0.45, 0.42]})
    >>> for line in ax.get_lines():
    ...     print(line.get_label(), line.get_xdata())
    training loss [0.5 1.5 2.5]
    validation loss [1. 2. 3.]
    """
    curves = _curves(history, keys)
    count = len(next(iter(curves.values())))
    ends = np.arange(count) + 1.0
    ax = axes_or_new("learning_curves", ax)
    for i, name in enumerate(dict.fromkeys(key.removeprefix(VALIDATION) for key in curves)):
        looks: dict[str, Any] = {"marker": MARKERS[i % len(MARKERS)], "ms": 5, "lw": 2}
        looks["markevery"] = max(1, count // 25)
        if name in curves:
            training = {"color": SLOPE, "ls": "--", "mfc": "white", "label": f"training {name}"}
            ax.plot(ends - 0.5 * running, curves[name], **looks, **training)
        if (key := VALIDATION + name) in curves:
            ax.plot(ends, curves[key], color=VALUE, label=f"validation {name}", **looks)
    ax.set(xlabel="epoch", xlim=(0, None))
    ax.xaxis.get_major_locator().set_params(integer=True)
    ax.grid(alpha=0.3)
    ax.legend()
    return ax


def _curves(history: Any, keys: Sequence[str] | None) -> dict[str, np.ndarray]:
    given = getattr(history, "history", history)
    if hasattr(given, "columns"):
        given = {str(name): list(given[name]) for name in given.columns}
    if not isinstance(given, Mapping) or not given:
        raise refusal(
            "learning_curves",
            f"got {'no curve' if isinstance(given, Mapping) else type(history).__name__}",
            "a dictionary of lists, one number per epoch, or what fit returned",
            'learning_curves({"loss": [0.7, 0.5], "val_loss": [0.6, 0.5]})',
        )
    names = [str(key).removeprefix(VALIDATION) for key in given]
    wanted = [n for n in names if n not in ("lr", "learning_rate")] if keys is None else list(keys)
    if missing := [key for key in wanted if key not in names]:
        raise refusal(
            "learning_curves",
            f"there is no curve {missing[0]!r}",
            f"some of {', '.join(dict.fromkeys(names))}",
            f"keys=[{names[0]!r}]",
        )
    kept = {k: v for k, v in given.items() if k.removeprefix(VALIDATION) in wanted}
    curves = {key: numbers("learning_curves", key, values) for key, values in kept.items()}
    _check_lengths({key: curve.shape for key, curve in curves.items()})
    return curves


def _check_lengths(shapes: dict[str, tuple[int, ...]]) -> None:
    if len(set(shapes.values())) > 1 or any(len(shape) != 1 for shape in shapes.values()):
        raise refusal(
            "learning_curves",
            ", ".join(f"{key} has shape {shape}" for key, shape in shapes.items()),
            "lists of one length, one number per epoch",
            "keys=[...] to draw only some of them",
        )


def loss_against_learning_rate(rates: Any, losses: Any, *, ax: Any = None) -> Any:
    """Plot the loss of a learning rate finder, and mark what it says.

    The rate is multiplied by a constant at each step, from about 1e-5 to 10, so its axis is
    logarithmic. Two points are read off the losses, smoothed over a twentieth of the steps: where
    they fall fastest per factor of ten (triangle), and the *turning point* from which they shoot
    up (square). "The optimal learning rate will be a bit lower than the point at which the loss
    starts to climb" (deck 001, "Learning Rate"). The dashed line is a rule of thumb for "a bit":
    ten times lower (Géron, *Hands-On Machine Learning*, chapter 10). What shoots far above the
    first losses is cut off.

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
    rates, losses = _finder_data(rates, losses)
    ax = axes_or_new("loss_against_learning_rate", ax)
    smooth = _smoothed(losses)
    turn = int(np.argmin(smooth))
    ax.semilogx(rates, losses, color=VALUE, lw=1.0 if len(rates) > 50 else 2.0, alpha=0.8)
    if turn in (0, len(rates) - 1):
        said = "falls: try smaller" if turn == 0 else "shoots up: try larger"
        ax.plot([], [], " ", label=f"the loss never {said} rates")
    if turn > 0:
        fall = np.diff(smooth) / np.diff(np.log10(rates))
        k = int(np.argmin(fall[:turn])) + 1
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


def _finder_data(rates: Any, losses: Any) -> tuple[np.ndarray, np.ndarray]:
    call = "loss_against_learning_rate"
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
