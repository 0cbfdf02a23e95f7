"""Files of Keras 1 and 2: recorded ones of Keras 2, and Keras 1 as its format is described."""

from __future__ import annotations

import json
import shutil
import signal
import struct
import sys

import h5py
import numpy as np
import pytest
from golden import record_keras2_saved as keras2

from gradlab import keras

FACTS = json.loads(keras2.FACTS.read_text())["models"]


@pytest.fixture(scope="module")
def golden(tmp_path_factory):
    folder = tmp_path_factory.mktemp("golden")
    shutil.unpack_archive(keras2.ARCHIVE, folder)
    return folder


@pytest.mark.parametrize("file", [*(f"{name}.h5" for name in FACTS), "graph.keras"])
def test_a_file_of_keras_2_predicts_and_trains_on_as_there(file, golden):
    model = keras.models.load_model(golden / file)
    record = FACTS[file.partition(".")[0]]
    np.testing.assert_allclose(keras2.predictions(model), record["predictions"], 1e-5, 1e-6)
    np.testing.assert_allclose(keras2.steps(model, 3, 7), record["after"], 1e-5)


def test_weights_of_keras_2_go_into_a_model_built_alike(golden):
    model = keras.models.load_model(golden / "graph.h5")
    expected = model.get_weights()
    model.set_weights([0.0 * w for w in expected])
    model.load_weights(golden / "graph_weights.h5")
    for ours, theirs in zip(model.get_weights(), expected, strict=True):
        np.testing.assert_array_equal(ours, theirs)
    with pytest.raises(ValueError, match="holds weights without a model"):
        keras.models.load_model(golden / "graph_weights.h5")
    other = keras.Sequential([keras.layers.Dense(2, input_shape=[3])])
    with pytest.raises(ValueError, match=r"weights of 5 layers.*\nexpected those of 1"):
        other.load_weights(golden / "graph_weights.h5")


def test_a_text_that_has_no_end_is_given_up(golden, tmp_path):
    content = bytearray((golden / "sgd.h5").read_bytes())
    size = content.index(b"GCOL") + 24  # of the first text in the heap
    content[size : size + 8] = struct.pack("<Q", 2**64 - 16)
    (tmp_path / "x.h5").write_bytes(content)
    with pytest.raises(ValueError, match=r"its texts cannot be read\n.*\nwrite") as refused:
        keras.models.load_model(tmp_path / "x.h5")
    if sys.platform == "linux":  # by the limit on computing, long before that on waiting
        assert refused.value.__cause__.returncode == -signal.SIGKILL


def keras_1(path):
    """Write a file as Keras 1.2 did: a list of layers, arguments with the names of then."""
    rng = np.random.default_rng(5)
    dense = {"init": "glorot_uniform", "bias": True, "b_regularizer": None, "b_constraint": None}
    layers = [
        {
            "class_name": "Dense",
            "config": {
                **dense,
                "name": "dense_1",
                "output_dim": 3,
                "activation": "tanh",
                "batch_input_shape": [None, 4],
                "input_dim": 4,
                "input_dtype": "float32",
                "trainable": True,
                "W_regularizer": {"name": "WeightRegularizer", "l1": 0.0, "l2": 0.25},
                "W_constraint": {"name": "MaxNorm", "m": 9, "axis": 0},
                "activity_regularizer": None,
            },
        },
        {"class_name": "Dropout", "config": {"name": "dropout_1", "p": 0.5, "trainable": True}},
        {
            "class_name": "Dense",
            "config": {
                **dense,
                "name": "dense_2",
                "output_dim": 2,
                "activation": "softmax",
                "input_dim": None,
            },
        },
    ]
    optimizer = {"lr": 0.1, "momentum": 0.9, "decay": 0.01, "nesterov": True}
    training = {
        "optimizer_config": {"class_name": "SGD", "config": optimizer},
        "loss": "categorical_crossentropy",
        "metrics": ["accuracy"],
        "sample_weight_mode": None,
        "loss_weights": None,
    }
    arrays = {
        "dense_1": {"dense_1_W": rng.normal(size=(4, 3)), "dense_1_b": rng.normal(size=3)},
        "dropout_1": {},
        "dense_2": {"dense_2_W": rng.normal(size=(3, 2)), "dense_2_b": rng.normal(size=2)},
    }
    with h5py.File(path, "w") as file:
        file.attrs["keras_version"] = b"1.2.2"
        config = {"class_name": "Sequential", "config": layers}
        file.attrs["model_config"] = json.dumps(config).encode()
        file.attrs["training_config"] = json.dumps(training).encode()
        top = file.create_group("model_weights")
        top.attrs["layer_names"] = [name.encode() for name in arrays]
        for layer, weights in arrays.items():
            group = top.create_group(layer)
            group.attrs["weight_names"] = [name.encode() for name in weights]
            for name, array in weights.items():
                group[name] = array.astype(np.float32)
    return [array for weights in arrays.values() for array in weights.values()]


def test_a_file_of_keras_1(tmp_path):
    W, b, V, c = keras_1(tmp_path / "old.h5")
    model = keras.models.load_model(tmp_path / "old.h5")
    x = np.random.default_rng(6).normal(size=(5, 4))
    z = np.tanh(x @ W + b) @ V + c
    expected = np.exp(z) / np.exp(z).sum(axis=1, keepdims=True)
    np.testing.assert_allclose(model.predict(x, verbose=0), expected, 1e-5)
    first, dropout, _ = model.layers
    assert dropout.rate == 0.5 and first.kernel_regularizer.l2 == 0.25
    assert first.kernel_constraint.max_value == 9
    assert model.optimizer.momentum == 0.9 and model.optimizer.nesterov
    rates = [model.optimizer.learning_rate]
    model.fit(x, np.eye(2)[[0, 1, 0, 1, 0]], verbose=0)
    rates.append(model.optimizer.learning_rate)
    assert rates == pytest.approx([0.1, 0.1 / 1.01])  # decay, as Keras 1 understood it
    assert not keras.models.load_model(tmp_path / "old.h5", compile=False).optimizer


@pytest.mark.parametrize("name", ["model_config", "training_config"])
def test_a_damaged_one_is_refused(name, tmp_path):
    keras_1(tmp_path / "old.h5")
    with h5py.File(tmp_path / "old.h5", "a") as file:
        file.attrs[name] = file.attrs[name][:-9]
    with pytest.raises(ValueError, match=r"cannot be restored.*\nexpected .*\nwrite"):
        keras.models.load_model(tmp_path / "old.h5")
