"""Cloning: a model of the same layers, connected alike, whose weights are its own and new."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from gradlab.keras.functional import Functional
from gradlab.keras.graph import leaves, run
from gradlab.keras.layers.base import Layer
from gradlab.keras.model import Model
from gradlab.keras.sequential import Sequential


def clone_model(
    model: Any,
    input_tensors: Any = None,
    clone_function: Callable[[Layer], Layer] | None = None,
) -> Any:
    """Return a model with the same layers, but with weights of its own, drawn anew.

    To copy what was learnt too, ``clone.set_weights(model.get_weights())``.

    Args:
        model: a Sequential or functional model.
        input_tensors: symbolic inputs for the clone of a functional model; new ones by default.
        clone_function: what makes the new layer of a layer; it may return another one.

    Raises:
        ValueError: a model whose connections are code in its ``call``.

    Source: deck 001, section 10.2.4 ("Flexibility but at a Cost").

    >>> from gradlab import keras
    >>> model = keras.Sequential([keras.layers.Dense(3, name="hidden", input_shape=[2])])
    >>> clone = clone_model(model)
    >>> clone.layers[0].name, clone.layers[0] is model.layers[0]
    ('hidden', False)
    """
    make = clone_function or _again
    if isinstance(model, Functional):
        return _functional(model, input_tensors, make)
    if isinstance(model, Sequential):
        first = [x.call.layer for x in model.inputs if x.call is not None]
        row = [make(layer) for layer in (*first, *model.layers)]
        return Sequential(row, name=model.name, trainable=model._trainable)
    raise ValueError(
        f"clone_model: {getattr(model, 'name', model)!r} is a {type(model).__name__}\n"
        "expected a Sequential or functional model: here the connections are code in call, "
        "which cannot be looked into\n"
        f"write {type(model).__name__}(...) with the same arguments, then set_weights"
    )


def _functional(model: Functional, input_tensors: Any, make: Callable[[Layer], Layer]) -> Any:
    clones: dict[int, Layer] = {}

    def clone_of(layer: Layer) -> Layer:
        if id(layer) not in clones:
            clones[id(layer)] = make(layer)
        return clones[id(layer)]

    given = None if input_tensors is None else list(leaves(input_tensors))
    made = given or [clone_of(x.call.layer).output for x in model.inputs if x.call is not None]
    values = {id(x): new for x, new in zip(model.inputs, made, strict=True)}
    inputs = run([], dict(values), model._input_structure)
    outputs = run(model.calls, values, model._output_structure, clone_of)
    return Functional(inputs, outputs, name=model.name, trainable=model._trainable)


def _again(layer: Layer) -> Any:
    """Clone a model within a model; make any other layer again."""
    return clone_model(layer) if isinstance(layer, Model) else layer.again()
