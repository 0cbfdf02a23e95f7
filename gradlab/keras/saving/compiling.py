"""How a model was compiled, as files say it: optimizer, losses and metrics by name and arguments.

Source: ``compile_config`` of Keras 3.
"""

from __future__ import annotations

from typing import Any

from gradlab.keras import losses, metrics, optimizers
from gradlab.keras.losses.base import Loss
from gradlab.keras.metrics import Metric
from gradlab.keras.objects import serialize
from gradlab.keras.saving import custom


def compile_config(model: Any) -> dict[str, Any]:
    """Return the arguments of `compile`; none if the model was not compiled."""
    if model._losses is None:
        return {}
    return {
        "optimizer": optimizers.serialize(model.optimizer),
        "loss": _written(model._losses.given),
        "loss_weights": model._losses.weights,
        "metrics": _written(model._metrics.given),
        "weighted_metrics": _written(model._weighted.given),
        "run_eagerly": model.run_eagerly,
    }


def _written(given: Any) -> Any:
    """Return names as they are, objects and functions as files refer to them."""
    if given is None or isinstance(given, str):
        return given
    if isinstance(given, dict):
        return {name: _written(each) for name, each in given.items()}
    if isinstance(given, list | tuple):
        return [_written(each) for each in given]
    if isinstance(given, Loss | Metric):
        return serialize(given)
    return custom.function_config(given)


def compile_from(model: Any, config: dict[str, Any], order: Any = None) -> None:
    """Compile a model as a file says, and make the memory of its optimizer.

    Args:
        order: the places of the weights in the order in which the optimizer remembers them; that of
            the model by default.

    Raises:
        ValueError: an unknown loss, metric, optimizer or argument.
    """
    reading = {
        "optimizer": optimizers.deserialize,
        "loss": losses.deserialize,
        "metrics": metrics.deserialize,
        "weighted_metrics": metrics.deserialize,
    }
    arguments = {k: _read(v, reading[k]) if k in reading else v for k, v in config.items()}
    model.compile(**arguments)
    if model.built and model.optimizer is not None:
        weights = model.trainable_weights
        model.optimizer.build(weights if order is None else [weights[place] for place in order])


def _read(written: Any, deserialize: Any) -> Any:
    if isinstance(written, dict) and "class_name" in written:
        return deserialize(written)
    if isinstance(written, dict):
        return {name: _read(each, deserialize) for name, each in written.items()}
    if isinstance(written, list):
        return [_read(each, deserialize) for each in written]
    return written
