"""Mistakes that cost an afternoon, told in three lines before any weight has changed."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np

from gradlab.keras.graph import leaves
from gradlab.keras.names import snake_case
from gradlab.tape import Node

LARGEST = 255  # of an image in bytes
FEWEST = 64  # pixels


class NonFiniteLossError(ArithmeticError):
    """The loss is not a finite number; the message says since where."""


class UnscaledWarning(UserWarning):
    """Images of bytes went into a model that does not divide them by 255."""


def unscaled_images(x: Any, layers: list[Any]) -> None:
    """Warn, once per process, if inputs look like images of bytes and no layer rescales them."""
    if any(type(layer).__name__ in ("Rescaling", "Normalization") for layer in layers):
        return
    for a in leaves(x):
        if not isinstance(a, np.ndarray):
            continue
        few = np.asarray(a[:100])
        if not few.size:
            continue
        if few.ndim < 2 or few.size < FEWEST * len(few) or few.dtype.kind not in "fiu":
            continue
        if few.min() >= 0 and LARGEST / 2 < few.max() <= LARGEST and (few == np.floor(few)).all():
            warnings.warn(
                f"x looks like images of bytes: {a.dtype}, from {few.min():g} to {few.max():g}\n"
                "expected numbers of about the size of 1, or training will hardly work\n"
                "write x / 255.0, or begin the model with keras.layers.Rescaling(1 / 255)",
                UnscaledWarning,
                stacklevel=3,  # the line with fit
            )
            return


def softmax_and_logits(layers: list[Any], losses: list[Any]) -> None:
    """Raise ValueError if probabilities are handed to a loss that was told to expect scores."""
    if not layers or not losses or losses[0] is None:
        return
    last = getattr(getattr(layers[-1], "activation", None), "__name__", "")
    kind = type(layers[-1]).__name__
    last = snake_case(kind) if kind in ("Softmax", "Sigmoid") else last
    if last in ("softmax", "sigmoid") and getattr(losses[0], "from_logits", False):
        raise ValueError(
            f"the last layer, {layers[-1].name}, ends in {last}; the loss says from_logits=True\n"
            "expected either probabilities or scores before the softmax\n"
            f'write from_logits=False, or leave activation="{last}" out'
        )


def targets_fit(y: Any, y_pred: Any, model: Any, output: str = "") -> None:
    """Raise ValueError without targets, or if predictions have an axis too many for them."""
    if y is None:
        raise ValueError(
            f"{model.name}: a loss{output and f' for {output!r}'}, but no y\n"
            "expected one target for each instance\nwrite fit(x, y), or evaluate(x, y)"
        )
    given, predicted = np.shape(y), np.shape(y_pred)
    if len(predicted) >= 3 and 1 <= len(given) <= 2 and len(given) < len(predicted) - 1:
        raise ValueError(
            f"predictions of shape {predicted} for targets of shape {given}\n"
            f"expected one prediction per instance: no layer of {model.name} makes instances rows\n"
            f"write keras.layers.Flatten() before {_first_dense(model)}"
        )


def _first_dense(model: Any) -> str:
    return next((la.name for la in model.layers if type(la).__name__ == "Dense"), "the first layer")


def single(loss: Any) -> None:
    """Raise ValueError unless there is one loss for the whole batch."""
    if loss is None:
        raise ValueError(
            "there is nothing to bring down: no loss, no penalty\n"
            'expected a loss for at least one output\nwrite compile(loss="mse")'
        )
    if np.shape(loss.data if isinstance(loss, Node) else loss) != ():
        raise ValueError(
            f"the loss is an array of shape {loss.shape}\nexpected one number for a batch\n"
            'write reduction="sum_over_batch_size", or mean() at the end of your own loss'
        )


def finite(loss: float, model: Any, x: Any, epoch: int, step: int) -> None:
    """Raise NonFiniteLossError if the loss is NaN or infinite; no weight has changed yet."""
    if np.isfinite(loss):
        return
    cause, mend = _culprit(model, x)
    raise NonFiniteLossError(
        f"the loss is {loss} in epoch {epoch + 1}, batch {step + 1}: {cause}\n"
        f"expected a finite number; the weights are those before this batch\nwrite {mend}"
    )


def _culprit(model: Any, x: Any) -> tuple[str, str]:
    """Tell where the first number that is not finite appears, and what to do about it."""
    if not all(np.isfinite(np.asarray(a)).all() for a in leaves(x)):
        return "x is not finite", "x = np.nan_to_num(x), or leave those rows out"
    mend = "a smaller learning_rate, or clipnorm=1.0 in the optimizer"
    for weight in model.weights:
        if not np.isfinite(weight.data).all():
            return f"{weight.path} is not finite since the last step", mend
    for layer, outputs in model.watched(x):
        for y in leaves(outputs):
            if not np.isfinite(y.data if isinstance(y, Node) else y).all():
                return f"the output of {layer.name} is not finite", mend
    return "finite outputs, but not a finite loss", "np.isfinite(y).all() to look at the targets"
