"""Every layer and every loss of the Keras layer, checked with gradlab's own gradient checker."""

from __future__ import annotations

import inspect
from typing import Any

import numpy as np
import pytest
from test_keras_layers import HERE, SETTINGS, inputs_for

from gradlab import Tensor, tape
from gradlab.keras import layers, losses
from gradlab.testing import gradcheck

RNG = np.random.default_rng(3)
LOSSES = {c.__name__: c for c in losses.TABLE.values() if inspect.isclass(c)}


def plain(x):
    return x.data if isinstance(x, Tensor) else np.asarray(x)


@pytest.mark.parametrize("name", HERE)
def test_the_gradient_of_a_layer(name):
    if name in ("Sequential", "Functional"):
        pytest.skip("made of layers, each of which is checked")
    kind: Any = layers.TABLE[name]
    layer = kind(**SETTINGS.get(name, {}), dtype="float64")
    merges = kind.__module__.endswith("merging")
    inputs = [RNG.standard_normal(inputs_for(kind)) for _ in range(2 if merges else 1)]
    layer(inputs if merges else inputs[0])
    weights = [0.5 * RNG.standard_normal(w.shape) for w in layer.trainable_weights]

    def run(given):
        for weight, values in zip(layer.trainable_weights, given[len(inputs) :], strict=True):
            weight.assign(values)
        return layer(list(given[: len(inputs)]) if merges else given[0])

    def f(*given):
        return plain(run(given))

    def backward(g, *given):
        traced = [Tensor(x) for x in given[: len(inputs)]]
        arrived = tape.sweep(run([*traced, *given[len(inputs) :]]), g)
        return tuple(arrived[leaf.serial] for leaf in (*traced, *layer.trainable_weights))

    assert gradcheck(f, *inputs, *weights, vjp=backward)


@pytest.mark.parametrize("name", LOSSES)
def test_the_gradient_of_a_loss(name):
    if name in ("Loss", "LossFunctionWrapper"):
        pytest.skip("the base of the others")
    loss = LOSSES[name](dtype="float64")
    p = RNG.uniform(0.1, 0.8, (4, 3))
    y = np.array([0, 2, 1, 1]) if name.startswith("Sparse") else np.eye(3)[[0, 2, 1, 1]]
    weights = np.array([1.0, 0.5, 2.0, 0.25])
    assert gradcheck(lambda p: loss(y, p), p)
    assert gradcheck(lambda p: loss(y, p, sample_weight=weights), p)


def test_both_would_notice_a_wrong_slope(monkeypatch):
    class Twice(layers.Dense):
        def call(self, inputs):
            y = super().call(inputs)
            return y + (y - plain(y))  # the value of y, with twice its slope

    monkeypatch.setitem(layers.TABLE, "Dense", Twice)
    with pytest.raises(AssertionError, match="gradient"):
        test_the_gradient_of_a_layer("Dense")

    class Half(losses.MeanSquaredError):
        def call(self, y_true, y_pred):
            y = super().call(y_true, y_pred)
            return y * 0.5 + plain(y) * 0.5

    monkeypatch.setitem(LOSSES, "MeanSquaredError", Half)
    with pytest.raises(AssertionError, match="gradient"):
        test_the_gradient_of_a_loss("MeanSquaredError")
