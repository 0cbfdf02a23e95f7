"""How training went: loss and metrics after each epoch.

The curves are easily misread; the docstring says how, and the plot draws against it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

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
