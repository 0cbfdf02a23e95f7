"""Reading ``.h5`` files of Keras 1 and 2: a model of 2016 still predicts what it predicted then.

What has another name by now is translated; weights belong to layers by their order.

Source: deck 000 uses Keras 1; the form is that of ``keras.src.legacy.saving``.
"""

from __future__ import annotations

import json
import warnings
from pathlib import Path
from typing import Any

import numpy as np

from gradlab.keras.optimizers import Optimizer
from gradlab.keras.saving import hdf5, models, room, state
from gradlab.keras.saving.compiling import compile_from
from gradlab.keras.saving.hdf5 import Arrays
from gradlab.keras.saving.texts import Texts, texts_of
from gradlab.keras.variable import Variable

NEW_NAMES = {
    "output_dim": "units",
    "init": "kernel_initializer",
    "bias": "use_bias",
    "W_regularizer": "kernel_regularizer",
    "b_regularizer": "bias_regularizer",
    "W_constraint": "kernel_constraint",
    "b_constraint": "bias_constraint",
    "p": "rate",
    "lr": "learning_rate",
    "m": "max_value",
}
NEW_CLASSES = {"Model": "Functional", "WeightRegularizer": "L1L2", "ActivityRegularizer": "L1L2"}
GONE = ("input_dtype", "is_legacy_optimizer", "jit_compile", "sample_weight_mode")


def load_h5(content: bytes, path: Path, compiled: bool) -> Any:
    """Return the model of a ``.h5`` file.

    Raises:
        ValueError: weights without a model, a damaged file, or a class that gradlab does not have.
    """
    with hdf5.opened(content, path) as arrays:
        texts = texts_of(content, path)
        text = texts[""].get("model_config")
        if not isinstance(text, str):
            raise ValueError(
                f"{str(path)!r} holds weights without a model\nexpected a file of model.save\n"
                "write model.load_weights(...) of a model that is built by the same code"
            )
        training = texts[""].get("training_config") if compiled else None
        with room.for_numbers(arrays.count()):
            model = models.made(modern(json.loads(text)), path)
            if isinstance(training, str):
                compile_from(model, _compile_config(json.loads(training)))
        restore_weights(model, arrays, texts)
        if isinstance(training, str) and "optimizer_weights" in texts:
            _restore_optimizer(model.optimizer, arrays, texts)
    return model


def modern(config: Any, inside: str = "") -> Any:
    """Return a config of Keras 1 or 2 with the names of today.

    >>> modern({"class_name": "Dropout", "config": {"p": 0.5}})
    {'class_name': 'Dropout', 'config': {'rate': 0.5}}
    """
    if isinstance(config, list):
        return [modern(each, inside) for each in config]
    if not isinstance(config, dict):
        return config
    if "name" in config and inside.endswith(("regularizer", "constraint")):  # as Keras 1 had them
        arguments = {name: value for name, value in config.items() if name != "name"}
        config = {"class_name": config["name"], "config": arguments}
    if "class_name" not in config:
        return {name: modern(value, name) for name, value in config.items()}
    return _modern_object(config, inside)


def _modern_object(config: dict[str, Any], inside: str) -> dict[str, Any]:
    kind, old = str(config["class_name"]).removeprefix("Custom>"), config.get("config")
    if kind == "Sequential" and isinstance(old, list):
        old = {"layers": old}
    arguments = {}
    for name, value in old.items() if isinstance(old, dict) else ():
        name = "batch_shape" if (kind, name) == ("InputLayer", "batch_input_shape") else name
        name = NEW_NAMES.get(name, name)
        of_the_layer = name == "dtype" and inside.endswith("_initializer")
        default = name == "epsilon" and value is None
        if not (name in GONE or of_the_layer or default):
            arguments[name] = modern(value, name)
    if "fn" in arguments and not kind.endswith("Wrapper"):  # the class says which one it is
        del arguments["fn"]
    if arguments.get("reduction") == "auto":
        arguments["reduction"] = "sum_over_batch_size"
    arguments = arguments if isinstance(old, dict) else old
    return {**config, "class_name": NEW_CLASSES.get(kind, kind), "config": arguments}


def _compile_config(training: dict[str, Any]) -> dict[str, Any]:
    """Return the arguments of `compile` of what old files call the training config."""
    training = modern({name: value for name, value in training.items() if name not in GONE})
    optimizer = training.pop("optimizer_config")
    decay = optimizer["config"].pop("decay", None)
    if decay:
        rate = optimizer["config"]["learning_rate"]
        arguments = {"initial_learning_rate": rate, "decay_steps": 1, "decay_rate": decay}
        optimizer["config"]["learning_rate"] = {
            "class_name": "InverseTimeDecay",
            "config": arguments,
        }
    return {"optimizer": optimizer, **training}


# ------------------------------------------------------------------------------------- the weights


def restore_weights(model: Any, arrays: Arrays, texts: Texts) -> None:
    """Put the weights of an old file into a model, layer by layer, in their order.

    Raises:
        ValueError: other layers or shapes; no weight has changed.
    """
    top = "model_weights" if "model_weights" in texts else ""
    inside = f"{top}/" if top else ""
    stored = {n: _weight_names(texts, f"{inside}{n}") for n in _names(texts, top, "layer")}
    stored = {name: weights for name, weights in stored.items() if weights}
    layers = [layer for layer in model.layers if layer.weights]
    if len(stored) != len(layers):
        raise state.MismatchError(
            f"{model.name}: the file has weights of {len(stored)} layers: {', '.join(stored)}\n"
            f"expected those of {len(layers)}: {', '.join(layer.name for layer in layers)}\n"
            "write the file of a model built alike"
        )
    plan: list[tuple[Variable, np.ndarray]] = []
    for layer, (name, paths) in zip(layers, stored.items(), strict=True):
        weights = [*layer.trainable_weights, *layer.non_trainable_weights]
        plan += _paired(f"{layer.name}, in the file {name}", weights, paths, arrays)
    for variable, array in plan:
        variable.assign(array)


def _paired(
    what: str, variables: list[Variable], paths: list[str], arrays: Arrays
) -> list[tuple[Variable, np.ndarray]]:
    shapes, expected = [arrays.shape(path) for path in paths], [v.shape for v in variables]
    if shapes != expected:
        raise state.MismatchError(
            f"{what}: arrays of shapes {shapes}\nexpected {expected}\n"
            "write the file of a model built alike: the same layers in the same order"
        )
    return [(v, arrays.read(path)) for v, path in zip(variables, paths, strict=True)]


def _weight_names(texts: Texts, group: str) -> list[str]:
    """Return the paths of the arrays of a layer, in its order."""
    return [f"{group}/{name}" for name in _names(texts, group, "weight")]


def _names(texts: Texts, group: str, kind: str) -> list[str]:
    """Return a list of names that is an attribute, or several if it is long."""
    found = texts.get(group, {})
    if f"{kind}_names" in found:
        return found[f"{kind}_names"]
    parts: list[str] = []
    while (name := f"{kind}_names{len(parts)}") in found:
        parts.append(name)
    return [name for part in parts for name in found[part]]


def _restore_optimizer(optimizer: Optimizer, arrays: Arrays, texts: Texts) -> None:
    """Restore the memory of the optimizer, or say that it begins anew."""
    paths = _weight_names(texts, "optimizer_weights")
    variables = list(optimizer.variables)
    if len(paths) < len(variables):  # no learning rate: that in the config is used
        variables = [v for v in variables if v.name != "learning_rate"]
    if not _by_weight(paths, len(variables)):
        kinds = list(dict.fromkeys(map(_kind, variables)))
        variables = [v for kind in kinds for v in variables if _kind(v) == kind]
    try:
        plan = _paired(optimizer.name, variables, paths, arrays)
    except state.MismatchError as error:
        warnings.warn(f"{error}\n{optimizer.name} begins anew", stacklevel=5)
        return
    for variable, array in plan:
        variable.assign(array)


def _by_weight(paths: list[str], count: int) -> bool:
    """Tell whether momentum and velocity of one weight stand together, as since 2022.

    Before, all momentums came first: ``Adam/dense/kernel/m``, ``Adam/dense/bias/m``, ...; since
    then ``Adam/m/dense/kernel``, ``Adam/v/dense/kernel``, ...
    """
    if len(paths) != count or len(paths) < 3:
        return True
    first, second = (path.split("/")[3:] for path in paths[1:3])
    return "learning_rate" in paths[1] or first == second


def _kind(variable: Variable) -> str:
    return (variable.name or "").rpartition("_")[2]
