"""The losses of the table as Keras calls them: lists, whole numbers and (n,) for (n, 1) will do.

The formulas and their slopes stand in `gradlab.ops.losses`; no loss is defined a second time.
"""

from __future__ import annotations

import functools
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np

from gradlab.entry import REGISTRY
from gradlab.keras import config
from gradlab.tape import compute
from gradlab.tensor import Tensor


def floats(x: Any, dtype: Any = None) -> Any:
    """Return numbers as floats; a Tensor stays traced, an array of floats keeps its type.

    >>> floats([1, 2]).dtype, floats(np.ones(3)).dtype, floats(np.ones(3), "float32").dtype
    (dtype('float32'), dtype('float64'), dtype('float32'))
    """
    if dtype is None:
        given = getattr(x, "dtype", None)
        dtype = given if getattr(given, "kind", "") == "f" else config.floatx()
    if isinstance(x, Tensor):
        return x if x.dtype == dtype else x.astype(dtype)
    return np.asarray(x, dtype)


def same_rank(y_true: Any, y_pred: Any) -> tuple[Any, Any]:
    """Return both with equally many axes, where one has an axis of size 1 too many at its end.

    Targets of shape (n,) and the predictions (n, 1) of a single unit would broadcast to (n, n).

    >>> [a.shape for a in same_rank(np.zeros(3), np.zeros((3, 1)))]
    [(3, 1), (3, 1)]
    """
    if y_true.ndim < y_pred.ndim:
        y_pred, y_true = same_rank(y_pred, y_true)
    elif y_true.ndim == y_pred.ndim + 1 and y_true.shape[-1] == 1:
        if y_pred.ndim == 1:
            y_pred = y_pred.reshape(-1, 1)
        else:
            y_true = y_true.reshape(y_true.shape[:-1])
    return y_true, y_pred


# ------------------------------------------------------------------------------------ the functions


def _check_probabilities(name: str, y_true: Any, y_pred: Any) -> None:
    """Raise ValueError for targets outside [0, 1]: with them the loss has no lower bound."""
    compute(probabilities, y_true, name, effect=True)


def probabilities(targets: np.ndarray, name: str) -> None:
    """Raise ValueError for numbers outside [0, 1]."""
    if targets.size and (targets.min() < -1e-6 or targets.max() > 1.0 + 1e-6):
        raise ValueError(
            f"{name}: targets from {targets.min():g} to {targets.max():g}\n"
            "expected numbers from 0 to 1\n"
            "write (y + 1) / 2 for labels -1 and 1, or a sparse loss for the numbers of classes"
        )


def _check_classes(name: str, y_true: Any, y_pred: Any) -> None:
    """Warn of a single class: normalised to sum to 1 its probability is always 1, the loss 0."""
    if y_pred.ndim and y_pred.shape[-1] == 1:
        warnings.warn(
            f"{name}: predictions of shape {y_pred.shape}, a single class, which is always right\n"
            "expected one probability per class\n"
            "write binary_crossentropy and a sigmoid for one yes-or-no answer",
            SyntaxWarning,
            stacklevel=3,
        )


def _from_the_table(name: str, *checks: Callable[[str, Any, Any], None]) -> Callable[..., Any]:
    """Return a loss of the table that takes targets as Keras does.

    Lists and whole numbers become floats, shapes (n,) and (n, 1) are lined up.
    """
    entry = REGISTRY[name]

    @functools.wraps(entry.__wrapped__)
    def loss(y_true: Any, y_pred: Any, *args: Any, **parameters: Any) -> Any:
        y_pred = floats(y_pred)
        y_true, y_pred = same_rank(floats(y_true, y_pred.dtype), y_pred)
        if y_true.shape == y_pred.shape:  # if not, the table says so
            for check in checks:
                check(name, y_true, y_pred)
        if "axis" not in entry.parameters and (axis := parameters.pop("axis", -1)) != -1:
            # This row of the table takes its mean over the last axis.
            y_true, y_pred = np.moveaxis(y_true, axis, -1), np.moveaxis(y_pred, axis, -1)
        return entry(y_true, y_pred, *args, **parameters)

    return loss


mean_squared_error = mse = MSE = _from_the_table("mean_squared_error")
mean_absolute_error = mae = MAE = _from_the_table("mean_absolute_error")
mean_absolute_percentage_error = mape = MAPE = _from_the_table("mean_absolute_percentage_error")
mean_squared_logarithmic_error = msle = MSLE = _from_the_table("mean_squared_logarithmic_error")
huber = _from_the_table("huber")
log_cosh = logcosh = _from_the_table("log_cosh")
poisson = _from_the_table("poisson")
cosine_similarity = _from_the_table("cosine_similarity")
hinge = _from_the_table("hinge")
squared_hinge = _from_the_table("squared_hinge")
categorical_hinge = _from_the_table("categorical_hinge")
kl_divergence = kld = KLD = kullback_leibler_divergence = _from_the_table("kl_divergence")
binary_crossentropy = bce = BCE = _from_the_table("binary_crossentropy", _check_probabilities)
binary_focal_crossentropy = _from_the_table("binary_focal_crossentropy", _check_probabilities)
categorical_crossentropy = _from_the_table(
    "categorical_crossentropy", _check_probabilities, _check_classes
)
categorical_focal_crossentropy = _from_the_table(
    "categorical_focal_crossentropy", _check_probabilities, _check_classes
)


@functools.wraps(REGISTRY["sparse_categorical_crossentropy"].__wrapped__)
def sparse_categorical_crossentropy(y_true: Any, y_pred: Any, *args: Any, **parameters: Any) -> Any:
    entry = REGISTRY["sparse_categorical_crossentropy"]
    labels = y_true if isinstance(y_true, Tensor) else np.asarray(y_true)
    return entry(labels, floats(y_pred), *args, **parameters)  # labels stay whole numbers


FUNCTIONS: dict[str, Callable[..., Any]] = {
    alias: globals()[entry.name]
    for entry in REGISTRY.values()
    if entry.chapter == "losses" and entry.__module__.startswith("gradlab.")
    for alias in entry.keras
}
