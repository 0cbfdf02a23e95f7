"""Losses, found by name: what `compile(loss="mse")` looks in.

The functions give one loss per instance; the classes one number for a batch.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gradlab.keras.losses.base import Loss, LossFunctionWrapper, serialize  # noqa: F401 - public here
from gradlab.keras.losses.classes import (  # noqa: F401 - public here
    BinaryCrossentropy,
    BinaryFocalCrossentropy,
    CategoricalCrossentropy,
    CategoricalFocalCrossentropy,
    CategoricalHinge,
    CosineSimilarity,
    Hinge,
    Huber,
    KLDivergence,
    LogCosh,
    MeanAbsoluteError,
    MeanAbsolutePercentageError,
    MeanSquaredError,
    MeanSquaredLogarithmicError,
    Poisson,
    SparseCategoricalCrossentropy,
    SquaredHinge,
    TableLoss,
)
from gradlab.keras.losses.functions import (  # noqa: F401 - public here
    BCE,
    FUNCTIONS,
    KLD,
    MAE,
    MAPE,
    MSE,
    MSLE,
    bce,
    binary_crossentropy,
    binary_focal_crossentropy,
    categorical_crossentropy,
    categorical_focal_crossentropy,
    categorical_hinge,
    cosine_similarity,
    hinge,
    huber,
    kl_divergence,
    kld,
    kullback_leibler_divergence,
    log_cosh,
    logcosh,
    mae,
    mape,
    mean_absolute_error,
    mean_absolute_percentage_error,
    mean_squared_error,
    mean_squared_logarithmic_error,
    mse,
    msle,
    poisson,
    sparse_categorical_crossentropy,
    squared_hinge,
)
from gradlab.keras.names import resolve
from gradlab.keras.saving.custom import custom_object_scope

TABLE: dict[str, Any] = {
    **FUNCTIONS,
    **{c.__name__: c for c in (Loss, LossFunctionWrapper, *TableLoss.__subclasses__())},
}


def get(identifier: Any) -> Any:
    """Return the loss that a name, a config, a class, a function or an object means.

    >>> get("mse").__name__, get("Huber").name
    ('mean_squared_error', 'huber_loss')

    Raises:
        ValueError: an unknown name; the message has the closest ones.
    """
    return deserialize(identifier)


def deserialize(name: Any, custom_objects: Mapping[str, Any] | None = None) -> Any:
    """Return the loss that `serialize` wrote down.

    Args:
        name: what `serialize` returned, or a name.
        custom_objects: losses of your own, by name.
    """
    with custom_object_scope(custom_objects):
        return resolve("loss", TABLE, name)
