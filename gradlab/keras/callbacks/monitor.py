"""Watching one number: is it better than the best so far?

Callbacks that keep the best weights, stop early or slow down are built on it.
"""

from __future__ import annotations

import math
import warnings

from gradlab.keras.callbacks.base import Callback, Logs

# Parts of the names of metrics, by what is better. A name of your own asks for mode=.
LESS = ("loss", "error", "mse", "mae", "mape", "msle", "entropy", "hinge", "huber", "divergence")
LESS = (*LESS, "log_cosh", "logcosh", "poisson", "false_")
MORE = (
    "acc",
    "auc",
    "precision",
    "recall",
    "sensitivity",
    "specificity",
    "f1",
    "f_beta",
    "iou",
    "io_u",
)
MORE = (*MORE, "r2", "cosine_similarity", "true_")


class Monitor(Callback):
    """Base of callbacks that watch one of the numbers in ``logs``.

    Args:
        monitor: its name, such as "val_loss" or "accuracy".
        mode: "min" or "max": whether less or more is better; "auto" tells by the name.
        min_delta: a smaller change counts for nothing.

    Raises:
        ValueError: another mode, or "auto" for a name that does not tell.

    >>> Monitor("val_accuracy").better(0.91, 0.9), Monitor("val_loss").better(0.91, 0.9)
    (True, False)
    """

    def __init__(self, monitor: str, mode: str = "auto", min_delta: float = 0.0) -> None:
        super().__init__()
        self.monitor, self.min_delta = monitor, abs(min_delta)
        self.mode = mode if mode in ("min", "max") else _told_by(type(self).__name__, monitor, mode)
        self.best: float | None = None

    def better(self, value: float, reference: float | None) -> bool:
        """Tell whether a value is better than another by more than ``min_delta``."""
        if reference is None or math.isnan(reference):
            return True
        if self.mode == "max":
            return value - self.min_delta > reference
        return value + self.min_delta < reference

    def value_in(self, logs: Logs | None, otherwise: str, depth: int = 0) -> float | None:
        """Return the number that is watched; None, with a warning, if it is not in the logs.

        Args:
            otherwise: what happens without it, for the warning.
            depth: how many calls there are between the hook and this one; the warning is about the
                line with fit.
        """
        logs = logs or {}
        found = logs.get(self.monitor, logs.get(other_name(self.monitor)))
        if found is None:
            hint = "fit(..., validation_data=...)" if "val_" in self.monitor else "metrics=[...]"
            warnings.warn(
                f"{type(self).__name__}: there is no {self.monitor!r}; {otherwise}\n"
                f"expected one of {', '.join(logs) or 'none'}\n"
                f"write {hint}, or another monitor=",
                stacklevel=5 + depth,
            )
        return None if found is None else float(found)


def _told_by(kind: str, monitor: str, mode: str) -> str:
    """Return "min" or "max", as the name of a metric tells."""
    if mode == "auto" and any(part in monitor for part in LESS):
        return "min"
    if mode == "auto" and any(part in monitor for part in MORE):
        return "max"
    raise ValueError(
        f"{kind}: given monitor={monitor!r}, mode={mode!r}\n"
        "expected to be told whether less or more is better\n"
        'write mode="min" or mode="max"'
    )


def other_name(name: str) -> str:
    """Return the other name of the accuracy, which Keras 1 calls "acc".

    >>> other_name("val_acc"), other_name("accuracy"), other_name("loss")
    ('val_accuracy', 'acc', 'loss')
    """
    head, _, last = name.rpartition("_")
    swapped = {"acc": "accuracy", "accuracy": "acc"}.get(last, last)
    return f"{head}_{swapped}" if head else swapped
