"""Metrics, found by name: what `compile(metrics=["accuracy"])` looks in.

The functions give one number per instance; the classes keep the running number of an epoch.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from gradlab.entry import REGISTRY
from gradlab.keras import losses, objects
from gradlab.keras.losses import (  # noqa: F401 - public here
    binary_crossentropy,
    binary_focal_crossentropy,
    categorical_crossentropy,
    categorical_focal_crossentropy,
    categorical_hinge,
    hinge,
    huber,
    kl_divergence,
    log_cosh,
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
from gradlab.keras.metrics.accuracy import (  # noqa: F401 - public here
    Accuracy,
    BinaryAccuracy,
    CategoricalAccuracy,
    SparseCategoricalAccuracy,
    SparseTopKCategoricalAccuracy,
    TopKCategoricalAccuracy,
    accuracy,
    binary_accuracy,
    categorical_accuracy,
    resolve_accuracy,
    sparse_categorical_accuracy,
    sparse_top_k_categorical_accuracy,
    top_k_categorical_accuracy,
)
from gradlab.keras.metrics.base import Metric
from gradlab.keras.metrics.confusion import (
    FalseNegatives,
    FalsePositives,
    Precision,
    Recall,
    TrueNegatives,
    TruePositives,
)
from gradlab.keras.metrics.curves import AUC
from gradlab.keras.metrics.f_scores import F1Score, FBetaScore
from gradlab.keras.metrics.matrix import confusion_matrix  # noqa: F401 - public here
from gradlab.keras.metrics.means import Mean, MeanMetricWrapper, Sum
from gradlab.keras.metrics.of_losses import (
    BinaryCrossentropy,
    CategoricalCrossentropy,
    CategoricalHinge,
    Hinge,
    KLDivergence,
    LogCoshError,
    MeanAbsoluteError,
    MeanAbsolutePercentageError,
    MeanSquaredError,
    MeanSquaredLogarithmicError,
    Poisson,
    SparseCategoricalCrossentropy,
    SquaredHinge,
)
from gradlab.keras.metrics.overlap import IoU, MeanIoU
from gradlab.keras.metrics.regression import CosineSimilarity, R2Score, RootMeanSquaredError
from gradlab.keras.names import resolve, snake_case
from gradlab.keras.saving.custom import custom_object_scope

OF_LOSSES = (
    *(MeanSquaredError, MeanAbsoluteError, MeanAbsolutePercentageError),
    *(MeanSquaredLogarithmicError, LogCoshError, Poisson, KLDivergence, Hinge, SquaredHinge),
    *(CategoricalHinge, BinaryCrossentropy, CategoricalCrossentropy, SparseCategoricalCrossentropy),
)
CLASSES = (
    *(Metric, Sum, Mean, MeanMetricWrapper, *OF_LOSSES),
    *(RootMeanSquaredError, CosineSimilarity, R2Score, Accuracy, BinaryAccuracy),
    *(CategoricalAccuracy, SparseCategoricalAccuracy, TopKCategoricalAccuracy),
    *(SparseTopKCategoricalAccuracy, TruePositives, FalsePositives, TrueNegatives, FalseNegatives),
    *(Precision, Recall, AUC, FBetaScore, F1Score, IoU, MeanIoU),
)
TABLE: dict[str, Any] = {
    **{name: c for c in CLASSES for name in (c.__name__, snake_case(c.__name__))},
    **{alias: c for c in OF_LOSSES for alias in REGISTRY[c.fn.__name__].keras},
}
FUNCTIONS: dict[str, Callable[..., Any]] = {
    **losses.FUNCTIONS,
    **{
        function.__name__: function
        for function in (
            *(accuracy, binary_accuracy, categorical_accuracy, sparse_categorical_accuracy),
            *(top_k_categorical_accuracy, sparse_top_k_categorical_accuracy),
        )
    },
}


def get(identifier: Any) -> Any:
    """Return the metric that a name, a config, a class, a function or an object means.

    >>> get("mse"), get("AUC")
    (<MeanSquaredError name=mean_squared_error>, <AUC name=auc...>)
    >>> get("acuracy")
    Traceback (most recent call last):
        ...
    ValueError: no metric is called 'acuracy'
    expected one of accuracy, auc, ...
    write 'accuracy' ...

    Raises:
        ValueError: an unknown name; the message has the closest ones.
    """
    return deserialize(identifier)


def serialize(metric: Any) -> dict[str, Any]:
    """Return a metric as a dict of names and numbers, from which `deserialize` makes it anew."""
    if isinstance(metric, Metric):
        return objects.serialize(metric)  # type: ignore[return-value]
    return losses.serialize(metric)


def deserialize(config: Any, custom_objects: Mapping[str, Any] | None = None) -> Any:
    """Return the metric that `serialize` wrote down.

    Args:
        config: what `serialize` returned, or a name.
        custom_objects: metrics of your own, by name.
    """
    is_function = isinstance(config, Mapping) and config.get("class_name") == "function"
    with custom_object_scope(custom_objects):
        return resolve("metric", FUNCTIONS if is_function else TABLE, config)
