"""Layers, one by one: against recorded Keras, written down and made again, and by hand."""

from __future__ import annotations

import json

import numpy as np
import pytest
from golden import record_keras_layers as golden

from gradlab import ShapeError, Tensor, keras, no_grad

RECORDED = json.loads(golden.FILE.read_text())
layers = keras.layers


@pytest.fixture(autouse=True)
def _fresh_names():
    keras.backend.clear_session()
    keras.utils.set_random_seed(42)


def plain(x):
    return x.data if isinstance(x, Tensor) else np.asarray(x)


# ------------------------------------------------------------------------------- against Keras


@pytest.mark.parametrize("name", golden.LAYERS)
def test_outputs_penalties_and_gradients_are_those_of_keras(name):
    wanted = {key: np.array(a) for key, a in RECORDED["layers"][name].items()}
    layer = golden.layer(keras, name)
    x = Tensor(golden.numbers(name, *golden.LAYERS[name][2]))
    y = layer(x)
    assert y.data == pytest.approx(wanted["y"], rel=1e-5, abs=2e-6)
    assert float(sum(layer.losses)) == pytest.approx(float(wanted["penalty"]), rel=1e-5)
    y.backward(golden.numbers(f"{name} g", *y.shape))
    found = {"dx": x, **{f"dw{k}": w for k, w in enumerate(layer.trainable_weights)}}
    assert set(found) == {key for key in wanted if key.startswith("d")}
    for key, variable in found.items():
        assert variable.grad == pytest.approx(wanted[key], rel=1e-4, abs=1e-5), key


@pytest.mark.parametrize("name", golden.ADAPTED)
def test_normalization_along_any_axes(name):
    assert golden.adapted(keras, name) == pytest.approx(
        np.array(RECORDED["adapted"][name]), rel=1e-4, abs=1e-5
    )


@pytest.mark.parametrize("name", golden.STEPS)
def test_penalties_and_constraints_in_training(name):
    found = golden.trained(keras, name)
    for key, values in RECORDED["steps"][name].items():
        assert found[key] == pytest.approx(values, rel=1e-5, abs=1e-6), key


# ------------------------------------------------------------------- written down and made again


def graph_of_two():
    """Return the symbolic input and output of two layers, one of them called twice."""
    x, dense = layers.Input(shape=[4]), layers.Dense(4)
    return x, dense(2.0 * dense(x))


SETTINGS = {  # arguments without which a layer cannot be made, or that are worth writing down
    "InputLayer": {"shape": [4]},
    "Dense": {
        "units": 3,
        "activation": "elu",
        "kernel_initializer": "he_normal",
        "kernel_regularizer": keras.regularizers.L1L2(0.1, 0.2),
        "bias_constraint": "non_neg",
        "activity_regularizer": "l2",
    },
    "Activation": {"activation": "relu"},
    "Reshape": {"target_shape": [2, 2]},
    "ReLU": {"max_value": 6.0},
    "PReLU": {"alpha_initializer": "ones", "shared_axes": [1]},
    "Dropout": {"rate": 0.25, "seed": 3},
    "GaussianNoise": {"stddev": 0.5},
    "ActivityRegularization": {"l1": 0.1},
    "Normalization": {"mean": np.array([1.0, 2.0, 3.0, 4.0]), "variance": [1.0, 2.0, 3.0, 4.0]},
    "Rescaling": {"scale": np.array([1.0, 2.0, 3.0, 4.0]), "offset": 1.0},
    "Permute": {"dims": [1]},
    "RepeatVector": {"n": 3},
    "Dot": {"axes": 1, "normalize": True},
    "Operation": {"function": "exp"},
    "Conv1D": {"filters": 4, "kernel_size": 3, "padding": "causal", "groups": 2},
    "Conv2D": {"filters": 3, "kernel_size": (3, 2), "kernel_regularizer": "l2"},
    "Conv2DTranspose": {"filters": 3, "kernel_size": 2, "strides": 2, "output_padding": 1},
    "DepthwiseConv2D": {"kernel_size": 3, "depthwise_constraint": "non_neg"},
    "SeparableConv2D": {"filters": 3, "kernel_size": 2, "depth_multiplier": 2},
    "MaxPooling2D": {"pool_size": 3, "strides": 2, "padding": "same"},
    "GlobalMaxPooling2D": {"keepdims": True},
    "ZeroPadding2D": {"padding": (1, (0, 2))},
    "Cropping2D": {"cropping": ((1, 2), (0, 1))},
    "UpSampling2D": {"size": (2, 1), "interpolation": "bilinear"},
    "BatchNormalization": {"momentum": 0.9, "gamma_initializer": "zeros"},
    "LayerNormalization": {"epsilon": 0.01, "beta_regularizer": "l2"},
    "GroupNormalization": {"groups": 2},
    "SpatialDropout1D": {"rate": 0.25, "seed": 3},
    "SpatialDropout2D": {"rate": 0.25, "data_format": "channels_first"},
    "GaussianDropout": {"rate": 0.25, "seed": 3},
    "AlphaDropout": {"rate": 0.25, "noise_shape": [None, 1]},
    "Lambda": {"function": np.square},
    "Sequential": {"layers": [layers.Dense(3, input_shape=[4]), layers.Dropout(0.5)]},
    "Functional": dict(zip(("inputs", "outputs"), graph_of_two(), strict=True)),
}


def inputs_for(kind):
    """Return the shape of inputs that a layer takes: rows, or images if it has a rank."""
    return (2, *(6,) * getattr(kind, "rank", 0), 4)


# Layers of sequences, words and random images: in test_recurrent.py, test_attention.py and
# test_preprocessing.py.
ELSEWHERE = ("recurrent", "cells", "wrappers", "embedding", "attention", "encoding", "lookup")
HERE = [
    name
    for name, kind in layers.TABLE.items()
    if kind.__module__.rpartition(".")[2] not in (*ELSEWHERE, "augmentation")
]
# A Lambda layer holds a function, which is not written down.
WRITTEN = [name for name in HERE if name != "Lambda"]


@pytest.mark.parametrize("name", WRITTEN)
def test_a_layer_is_written_down_and_made_again(name):
    settings = dict(SETTINGS.get(name, {}))
    if name == "Dense":  # a layer of its own: once built it is written with its shape
        settings["activation"] = layers.LeakyReLU(0.1)
    layer = layers.TABLE[name](**settings, name="mine", trainable=False)
    written = json.loads(json.dumps(layers.serialize(layer)))
    again = layers.deserialize(written)
    assert type(again) is type(layer) and again.name == "mine"
    assert name in ("InputLayer", "SpatialDropout1D", "SpatialDropout2D") or not again.trainable
    assert json.loads(json.dumps(layers.serialize(again))) == written
    x = golden.numbers("x", *inputs_for(layers.TABLE[name]))
    x = [x, 2.0 * x] if layers.TABLE[name].__module__.endswith("merging") else x
    layer(x), again(x)  # their weights are made
    again.set_weights(layer.get_weights())
    assert (plain(again(x)) == plain(layer(x))).all()


def test_a_layer_of_your_own_is_made_again_from_its_name():
    class Times(layers.Layer):
        def __init__(self, factor, **kwargs):
            super().__init__(**kwargs)
            self.factor = factor

        def call(self, inputs):
            return inputs * self.factor

        def get_config(self):
            return {**super().get_config(), "factor": self.factor}

    written = layers.serialize(Times(3.0))
    assert layers.deserialize(written, {"Times": Times}).factor == 3.0
    with pytest.raises(ValueError, match="no layer is called 'Times'"):
        layers.deserialize(written)


# --------------------------------------------------------------------------------- noise, by hand


def test_gaussian_noise():
    layer = layers.GaussianNoise(0.5, seed=1)
    x = np.full((400, 50), 3.0, "float32")
    noisy = layer(x, training=True)
    assert noisy.dtype == np.float32
    assert noisy.mean() == pytest.approx(3.0, abs=0.02)  # 6 standard errors
    assert noisy.std() == pytest.approx(0.5, rel=0.03)
    assert (layer(x, training=True) != noisy).any() and (layer(x) == x).all()


def test_dropout_of_whole_rows():
    kept = layers.Dropout(0.5, noise_shape=(None, 1), seed=1)(np.ones((60, 4)), training=True)
    assert set(kept.sum(axis=1)) == {0.0, 8.0}


def test_a_seed_makes_the_same_noise():
    x = np.ones((5, 4))
    for kind in (layers.Dropout, layers.GaussianNoise):
        first, second = (kind(0.5, seed=7)(x, training=True) for _ in range(2))
        assert (first == second).all()


def test_names_of_older_keras():
    assert layers.Dropout(p=0.2).rate == layers.Dropout(0.2).rate == 0.2
    assert layers.LeakyReLU(alpha=0.1).negative_slope == 0.1
    assert layers.Dense(1, init="zeros", input_dim=3).batch_input_shape == (None, 3)


# ------------------------------------------------------------------------------ weights and graph


class Scale(layers.Layer):
    """A layer whose call counts, with a weight that is not trained made first."""

    def build(self, input_shape):
        self.seen = self.add_weight((), "zeros", trainable=False, name="seen")
        self.factor = self.add_weight((input_shape[-1],), "ones", name="factor")

    def call(self, inputs):
        self.add_loss(0.5 * (inputs**2).sum())
        return inputs * self.factor


def test_build_by_hand():
    for layer in (layers.Dense(3), Scale(), layers.PReLU()):
        layer.build([None, 4])
        assert layer.built
        count = len(layer.weights)
        layer.build((None, 4))
        layer(np.ones((2, 4)))
        assert len(layer.weights) == count and layer.count_params() > 0


def test_trained_weights_come_first():
    layer = Scale()
    layer.build((None, 2))
    assert [w.name for w in layer.weights] == ["factor", "seen"]
    assert [w.shape for w in layer.get_weights()] == [(2,), ()]


def test_freezing_reaches_what_is_inside():
    inner = keras.Sequential([layers.Dense(3), layers.Dense(2)])
    model = keras.Sequential([layers.Input([4]), inner, layers.Dense(1)])
    assert len(model.trainable_weights) == 6
    inner.trainable = False
    assert not inner.layers[1].trainable
    assert [w.path for w in model.trainable_weights] == ["dense_2/kernel", "dense_2/bias"]
    assert len(model.non_trainable_weights) == 4
    model.compile(loss="mse", optimizer="adam")
    x = golden.numbers("x", 8, 4)
    before = model.get_weights()
    model.fit(x, x[:, 0], verbose=0)
    assert [(a == b).all() for a, b in zip(before, model.get_weights())] == [True] * 4 + [False] * 2
    model.trainable = True
    model.compile(loss="mse", optimizer="adam")
    before = model.get_weights()
    model.fit(x, x[:, 0], verbose=0)
    assert not any((a == b).all() for a, b in zip(before, model.get_weights()))


def test_a_frozen_layer_has_no_penalty_on_its_weights():
    layer = layers.Dense(2, kernel_regularizer="l2")
    layer.build((None, 3))
    assert len(layer.losses) == 1
    layer.trainable = False
    assert layer.losses == []


def test_a_shared_layer_pays_for_each_call():
    shared = layers.Dense(4, activity_regularizer="l2")
    model = keras.Sequential([layers.Input([4]), shared, shared])
    x = golden.numbers("x", 5, 4)
    for _ in range(2):  # penalties of the call before are forgotten
        once = plain(model(x) * 0 + shared(x))
        model(x)
        first, second = (float(loss) for loss in model.losses)
    assert first == pytest.approx(0.01 * (once**2).sum() / 5, rel=1e-5)
    assert second == pytest.approx(0.01 * (plain(shared(once)) ** 2).sum() / 5, rel=1e-5)
    assert len(model.weights) == 2


def test_penalties_of_a_part_called_by_itself():
    class Parts(keras.Model):
        def __init__(self):
            super().__init__()
            self.scale = Scale()

        def call(self, inputs):
            return self.scale(inputs)

    model = Parts()
    model.scale(np.ones((2, 3)))
    assert [float(loss) for loss in model.losses] == [3.0]
    model(np.ones((4, 3)))
    assert [float(loss) for loss in model.losses] == [6.0]


def test_a_model_of_your_own_is_built_by_hand():
    class Two(keras.Model):
        def __init__(self):
            super().__init__()
            self.parts = {"first": layers.Dense(3), "rest": [layers.Dense(1)]}

        def call(self, inputs):
            return self.parts["rest"][0](self.parts["first"](inputs))

    model = Two()
    model.build([None, 4])
    assert model.count_params() == 19 and [la.units for la in model.layers] == [3, 1]


def test_the_training_flag_reaches_every_call():
    class Noisy(layers.Layer):
        def __init__(self):
            super().__init__()
            self.dropout = layers.Dropout(0.5)

        def call(self, inputs, training=False):
            return self.dropout(inputs, training) + self.dropout(inputs)

    layer, x = Noisy(), np.ones((50, 4))
    assert (layer(x) == 2).all() and set(np.unique(layer(x, training=True))) == {0, 2, 4}


def test_a_sequential_model_is_made_again():
    model = keras.Sequential(
        [layers.Flatten(input_shape=[2, 2]), keras.Sequential([layers.Dense(3)]), layers.ReLU()]
    )
    again = keras.Sequential.from_config(json.loads(json.dumps(model.get_config())))
    assert again.output_shape == (None, 3) and again.input.name == model.input.name
    again.set_weights(model.get_weights())
    x = golden.numbers("x", 3, 2, 2)
    assert (again.predict(x, verbose=0) == model.predict(x, verbose=0)).all()


def test_float64():
    keras.config.set_floatx("float64")
    try:
        model = keras.Sequential([layers.Dense(3, "relu", input_shape=[4]), layers.Dropout(0.5)])
        model.add(layers.Dense(1))
        model.compile(loss="mse", optimizer="adam", metrics=["mae"])
        x = golden.numbers("x", 8, 4).astype("float64")
        model.fit(x, x[:, 0], verbose=0)
        assert {w.dtype for w in model.get_weights()} == {np.dtype("float64")}
        assert model.predict(x, verbose=0).dtype == np.float64
    finally:
        keras.config.set_floatx("float32")


def test_a_layer_computes_without_a_graph():
    with no_grad():
        assert plain(layers.Dense(2)(np.ones((1, 3)))).shape == (1, 2)


# ------------------------------------------------------------------------------------- mistakes


@pytest.mark.parametrize(
    ("mistake", "error", "words"),
    [
        (lambda: layers.Dense(3, activaton="relu"), ValueError, "(?s)of Dense.*'activation'"),
        (lambda: layers.Dense(2.5), ValueError, "units=2.5"),
        (lambda: layers.Dense(3, name="a/b"), ValueError, "'a/b'"),
        (lambda: layers.Dropout(1.0), ValueError, "less than 1"),
        (lambda: layers.Dropout(), ValueError, "rate=None"),
        (lambda: layers.GaussianNoise(-1.0), ValueError, "stddev=-1.0"),
        (lambda: layers.ReLU(negative_slope=-1.0), ValueError, "negative_slope=-1.0"),
        (lambda: layers.Input(), ValueError, "no shape"),
        (lambda: layers.Input([4.5]), ValueError, "4.5"),
        (lambda: layers.Normalization(mean=1.0), ValueError, "expected both"),
        (lambda: layers.Normalization()(np.ones((2, 3))), RuntimeError, r"adapt\(X_train\)"),
        (
            lambda: layers.Normalization(axis=0).build((None, 3)),
            ShapeError,
            "not that of the batch",
        ),
        (lambda: layers.Reshape([5])(np.ones((2, 4))), ShapeError, "a shape of 4 numbers"),
        (lambda: layers.Dense(2)(np.ones(3)), ShapeError, r"reshape\(-1, 1\)"),
        (lambda: layers.Layer()(np.ones(3)), NotImplementedError, "def call"),
        (lambda: layers.Dense(3).count_params(), ValueError, "before the weights exist"),
        (lambda: layers.Dense(3).output, AttributeError, "in no graph"),
    ],
)
def test_a_mistake_is_told_in_three_lines(mistake, error, words):
    with pytest.raises(error, match=words) as caught:
        mistake()
    assert str(caught.value).count("\n") == 2


def test_a_forgotten_super():
    class Forgetful(layers.Layer):
        def __init__(self):
            self.units = 3

    for use in (lambda layer: layer(np.ones((1, 2))), lambda layer: keras.Sequential([layer])):
        with pytest.raises(RuntimeError, match=r"super\(\).__init__"):
            use(Forgetful())
