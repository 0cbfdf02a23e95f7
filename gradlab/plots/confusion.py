"""Which classes are taken for which: one row per true class, one column per prediction.

Right answers stand on the diagonal; everything beside it is a confusion with a name.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from gradlab.draw import style
from gradlab.plots.canvas import axes_or_new, plain, refusal

NORMALIZE = (None, "true", "pred", "all")


def confusion_matrix(
    y_true: Any,
    y_pred: Any,
    *,
    labels: Sequence[Any] | None = None,
    normalize: str | None = None,
    ax: Any = None,
) -> Any:
    """Plot how often each class was taken for each: rows are the truth, columns the prediction.

    Args:
        y_true: the true classes (rows,).
        y_pred: the predicted classes (rows,).
        labels: names of the classes 0, 1, 2, ...; or, if the classes are texts, their order.
        normalize: None counts; ``"true"`` gives shares of each row (on the diagonal the recall),
            ``"pred"`` shares of each column (the precision), ``"all"`` shares of all.
        ax: where to draw; None makes a new figure.

    Returns:
        The Axes.

    Raises:
        ValueError: different shapes, a class without a label, or an unknown ``normalize``.

    >>> ax = confusion_matrix([0, 0, 1, 1], [0, 1, 1, 1], labels=["cat", "dog"])
    >>> [text.get_text() for text in ax.texts], ax.get_title()
    (['1', '1', '0', '2'], '3 of 4 right')
    """
    if normalize not in NORMALIZE:
        raise refusal(
            "confusion_matrix",
            f"normalize is {normalize!r}",
            f"one of {', '.join(map(repr, NORMALIZE))}",
            'normalize="true"',
        )
    counts, names = _counts(plain(y_true), plain(y_pred), labels)
    shares = counts / np.maximum(_totals(counts, normalize), 1)
    k = len(names)
    ax = axes_or_new("confusion_matrix", ax, (max(4.2, 0.6 * k + 1.8), max(3.8, 0.55 * k + 1.4)))
    # The figures carry the counts; the colour is always the share of the row, so that a rare class
    # is as visible as a common one.
    tone = shares if normalize else counts / np.maximum(_totals(counts, "true"), 1)
    ax.imshow(tone, cmap="Blues", vmin=0, vmax=1)
    for i, j in np.ndindex(k, k):
        written = f"{shares[i, j]:.0%}" if normalize else str(counts[i, j])
        colour = "white" if tone[i, j] > 0.55 else style.INK
        ax.text(j, i, written, ha="center", va="center", color=colour)
    long = max(map(len, names)) * k > 45
    ax.set_xticks(range(k), names, **({"rotation": 40, "ha": "right"} if long else {}))
    ax.set_yticks(range(k), names)
    right, total = int(np.trace(counts)), int(counts.sum())
    ax.set(xlabel="predicted", ylabel="true", title=f"{right:,} of {total:,} right")
    return ax


def _counts(
    y_true: np.ndarray, y_pred: np.ndarray, labels: Sequence[Any] | None
) -> tuple[np.ndarray, list[str]]:
    if y_true.ndim != 1 or y_true.shape != y_pred.shape or not len(y_true):
        raise refusal(
            "confusion_matrix",
            f"y_true has shape {y_true.shape}, y_pred {y_pred.shape}",
            "one class per row in both, shape (rows,)",
            "y_pred.argmax(axis=-1) if y_pred has one column per class",
        )
    found = np.unique(np.concatenate([y_true, y_pred]))
    classes = found if labels is None else np.asarray(labels)
    if not np.isin(found, classes).all():
        classes = np.arange(len(classes))  # the labels are names of the classes 0, 1, 2, ...
    if not np.isin(found, classes).all():
        raise refusal(
            "confusion_matrix",
            f"{len(classes)} labels, and the classes {found[:10].tolist()}",
            "a label for each class",
            f"labels={found[:10].tolist()}",
        )
    order = np.argsort(classes)
    true, pred = (order[np.searchsorted(classes, y, sorter=order)] for y in (y_true, y_pred))
    counts = np.zeros((len(classes), len(classes)), dtype=int)
    np.add.at(counts, (true, pred), 1)
    return counts, [str(name) for name in (classes if labels is None else labels)]


def _totals(counts: np.ndarray, normalize: str | None) -> Any:
    if normalize is None:
        return 1
    return counts.sum(axis={"true": 1, "pred": 0, "all": None}[normalize], keepdims=True)
