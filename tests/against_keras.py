"""Layers compared with what golden/record_keras_windows.py has recorded of real Keras."""

from __future__ import annotations

import json

import numpy as np
import pytest
from golden import record_keras_windows as golden

from gradlab import Tensor, keras

RECORDED = json.loads(golden.FILE.read_text())


def plain(x):
    return x.data if isinstance(x, Tensor) else np.asarray(x)


def check_answers(name):
    """Outputs, gradients and moving averages are those of Keras, up to roundings of float32."""
    wanted = {key: np.array(a) for key, a in RECORDED["layers"][name].items()}
    layer, (kind, _, shape) = golden.layer(keras, name), golden.LAYERS[name]
    x, trains = Tensor(golden.numbers(name, *shape)), kind == "BatchNormalization"
    y = layer(x, training=trains)
    found = {"y": y.data}
    y.backward(golden.numbers(f"{name} g", *y.shape))
    found |= {"dx": x.grad} | {f"dw{k}": w.grad for k, w in enumerate(layer.trainable_weights)}
    found |= {f"average{k}": w.data for k, w in enumerate(layer.non_trainable_weights)}
    if trains:
        found["prediction"] = plain(layer(x))
    assert found.keys() == wanted.keys()
    for key, array in wanted.items():
        assert found[key].dtype == np.float32
        assert found[key] == pytest.approx(array, rel=1e-4, abs=2e-5), key


def check_shape(name):
    """The shape that the layer announces is that of its outputs, also for sizes not known yet."""
    layer, (_, _, (batch, *shape)) = golden.layer(keras, name), golden.LAYERS[name]
    seen = plain(layer(np.ones((batch, *shape)))).shape
    assert layer(keras.Input(shape)).shape == (None, *seen[1:])
    announced = layer.compute_output_shape((None, *shape))
    assert announced == (None, *seen[1:])


def check_curve(name, run_eagerly):
    """Five epochs have the losses of Keras, and leave its weights."""
    found = golden.curve(keras, name, run_eagerly)
    for key, values in RECORDED["curves"][name].items():
        assert found[key] == pytest.approx(values, rel=2e-4, abs=2e-5), key
