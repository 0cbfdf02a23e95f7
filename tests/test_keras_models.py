"""Models: built, summarised, trained, evaluated; and the mistakes they tell of."""

from __future__ import annotations

import io
import json
import subprocess
import sys
import warnings
from contextlib import redirect_stdout

import numpy as np
import pytest
from golden import record_keras_training as golden

import gradlab as tf
from gradlab import ShapeError, keras
from gradlab.keras.checks import NonFiniteLossError, UnscaledWarning

RECORDED = json.loads(golden.FILE.read_text())["runs"]


@pytest.fixture(autouse=True)
def _fresh_names():
    keras.backend.clear_session()
    keras.utils.set_random_seed(42)


def fashion_model():
    """The classifier of the slides."""
    return keras.Sequential(
        [
            keras.layers.Flatten(input_shape=[28, 28]),
            keras.layers.Dense(300, activation="relu"),
            keras.layers.Dense(100, activation="relu"),
            keras.layers.Dense(10, activation="softmax"),
        ]
    )


def small(loss="mse", units=1, activation=None, **options):
    """A compiled 4-5-n network."""
    model = keras.Sequential(
        [
            keras.layers.Dense(5, activation="relu", input_shape=[4]),
            keras.layers.Dense(units, activation=activation),
        ]
    )
    model.compile(loss=loss, optimizer="sgd", **options)
    return model


def some(n=20, outputs=1, seed=0):
    rng = np.random.default_rng(seed)
    return rng.standard_normal((n, 4)), rng.standard_normal((n, outputs))


# ------------------------------------------------------------------------------- against Keras


@pytest.mark.parametrize("name", RECORDED)
def test_the_loss_curve_is_that_of_keras(name):
    kind, optimizer = name.split()
    found = golden.run(keras, kind, optimizer)
    assert set(found) == set(RECORDED[name])  # Keras 3 sorts them by name
    for key, values in RECORDED[name].items():
        assert found[key] == pytest.approx(values, rel=1e-5, abs=1e-6), key


# ----------------------------------------------------------------------------------- the slides

SUMMARY = """\
Model: "sequential"
_________________________________________________________________
 Layer (type)                Output Shape              Param #
=================================================================
 flatten (Flatten)           (None, 784)               0

 dense (Dense)               (None, 300)               235500

 dense_1 (Dense)             (None, 100)               30100

 dense_2 (Dense)             (None, 10)                1010

=================================================================
Total params: 266,610
Trainable params: 266,610
Non-trainable params: 0
_________________________________________________________________
"""


def test_the_summary_is_that_of_the_slides():
    out = io.StringIO()
    with redirect_stdout(out):
        assert fashion_model().summary() is None
    lines = out.getvalue().splitlines()
    assert [line.rstrip() for line in lines] == SUMMARY.splitlines()
    assert {len(line) for line in lines if line.startswith((" ", "_", "="))} == {65}


def test_three_ways_to_say_the_input_shape():
    added = tf.keras.Sequential()
    added.add(tf.keras.layers.InputLayer(input_shape=[28, 28]))
    added.add(tf.keras.layers.Flatten())
    added.add(tf.keras.layers.Dense(10))
    listed = keras.Sequential([keras.Input(shape=(28, 28)), keras.layers.Flatten()])
    listed.add(keras.layers.Dense(10))
    short = keras.Sequential([keras.layers.Dense(10, input_dim=784, init="normal")])
    assert added.count_params() == listed.count_params() == short.count_params() == 7850
    assert [type(layer).__name__ for layer in added.layers] == ["Flatten", "Dense"]
    late = keras.Sequential([keras.layers.Flatten(), keras.layers.Dense(10)])
    assert not late.built
    late(np.zeros((2, 28, 28)))
    assert late.count_params() == 7850


def test_layers_are_found_and_named():
    model = fashion_model()
    assert model.name == "sequential" and fashion_model().name == "sequential_1"
    assert model.get_layer("dense_1") is model.layers[2] is model.get_layer(index=2)
    weights, biases = model.layers[1].get_weights()
    assert weights.shape == (784, 300) and biases.shape == (300,) and not biases.any()
    assert weights.dtype == np.float32 and model.output_names == ["dense_2"]
    with pytest.raises(ValueError, match="no layer 'dense_9'"):
        model.get_layer("dense_9")


def test_a_model_is_drawn_layer_by_layer(tmp_path):
    model = fashion_model()
    drawing = tf.draw(model)
    assert [len(c) > 1 for c in drawing.graph.columns] == [False, False, True, True, True]
    assert "300" in drawing.svg() and "flatten" in drawing.svg()
    assert "image/svg+xml" in model._repr_mimebundle_()
    model.draw(rankdir="TB").save(tmp_path / "model.html")
    late = keras.Sequential([keras.layers.Dense(1)])
    assert list(late._repr_mimebundle_()) == ["text/plain"]
    with pytest.raises(ValueError, match="draw before"):
        tf.draw(late)


def test_pop_takes_the_last_layer_off():
    model = fashion_model()
    model.pop()
    model.add(keras.layers.Dense(3))
    assert model.output_shape == (None, 3) and len(model.layers) == 4
    assert model.predict(np.zeros((2, 28, 28)), verbose=0).shape == (2, 3)


def test_normalization_has_17_numbers_for_8_features():
    layer = keras.layers.Normalization(input_shape=[8])
    model = keras.Sequential([layer, keras.layers.Dense(1)])
    assert layer.count_params() == 17 and model.count_params() == 26
    x = np.random.default_rng(0).normal(5.0, 3.0, (100, 8))
    layer.adapt(x)
    normal = layer(x)
    assert np.allclose(normal.mean(0), 0, atol=1e-5) and np.allclose(normal.std(0), 1, atol=1e-5)
    back = keras.layers.Normalization(mean=x.mean(0), variance=x.var(0), invert=True)
    assert np.allclose(back(normal), x, rtol=1e-4, atol=1e-4)


# ------------------------------------------------------------------------------------ training


def test_the_same_seed_gives_bitwise_the_same_weights():
    def trained():
        keras.utils.set_random_seed(7)
        layers = [keras.layers.Dense(8, "relu", input_shape=[4]), keras.layers.Dropout(0.5)]
        model = keras.Sequential([*layers, keras.layers.Dense(1)])
        model.compile(loss="mse", optimizer="adam")
        model.fit(*some(50), epochs=3, verbose=0)
        return model.get_weights()

    first, second = trained(), trained()
    assert all((a == b).all() for a, b in zip(first, second, strict=True))


def test_history_has_what_the_slides_say():
    model = small(metrics=["mae"])
    x, y = some(100)
    history = model.fit(x, y, epochs=2, validation_data=(x, y), verbose=0)
    assert history is model.history
    assert history.params == {"verbose": 0, "epochs": 2, "steps": 4} and history.epoch == [0, 1]
    assert list(history.history) == ["loss", "mae", "val_loss", "val_mae"]
    import pandas as pd

    assert pd.DataFrame(history.history).shape == (2, 4)


def test_accuracy_is_found_under_its_old_name():
    model = small("sparse_categorical_crossentropy", 3, "softmax", metrics=["accuracy"])
    history = model.fit(some()[0], np.arange(20) % 3, nb_epoch=2, verbose=0).history
    assert history["acc"] == history["accuracy"] and "acc" not in list(history)
    with pytest.raises(KeyError, match="expected one of loss, accuracy"):
        history["f1"]


@pytest.mark.parametrize(
    ("loss", "units", "activation", "targets", "kind"),
    [
        ("binary_crossentropy", 1, "sigmoid", np.arange(20) % 2, "BinaryAccuracy"),
        (
            "categorical_crossentropy",
            3,
            "softmax",
            np.eye(3)[np.arange(20) % 3],
            "CategoricalAccuracy",
        ),
        (
            "sparse_categorical_crossentropy",
            3,
            "softmax",
            np.arange(20) % 3,
            "SparseCategoricalAccuracy",
        ),
    ],
)
def test_accuracy_is_the_one_that_fits(loss, units, activation, targets, kind):
    model = small(loss, units, activation, metrics=["accuracy"])
    model.fit(some()[0], targets, verbose=0)
    assert type(model.metrics[1]).__name__ == kind
    assert 0 <= model.evaluate(some()[0], targets, verbose=0)[1] <= 1


def test_training_reduces_the_loss():
    model = small()
    x, _ = some(200)
    y = np.maximum(x @ [1.0, -2.0, 0.5, 0.0], 0.0)
    losses = model.fit(x, y, epochs=30, verbose=0).history["loss"]
    assert losses[-1] < 0.1 * losses[0]


def test_what_evaluate_returns():
    x, y = some()
    assert isinstance(small().evaluate(x, y, verbose=0), float)
    model = small(metrics=["mae", keras.metrics.RootMeanSquaredError()])
    values = model.evaluate(x, y, verbose=0)
    named = model.evaluate(x, y, verbose=0, return_dict=True)
    assert list(named) == ["loss", "mae", "root_mean_squared_error"] == model.metrics_names
    assert values == list(named.values())
    predicted = model.predict(x, verbose=0)
    assert named["loss"] == pytest.approx(((predicted - y) ** 2).mean(), rel=1e-5)
    assert named["root_mean_squared_error"] == pytest.approx(named["loss"] ** 0.5, rel=1e-5)


def test_predict_runs_in_batches():
    model, sizes = small(), []

    class Watch(keras.callbacks.Callback):
        def on_predict_batch_end(self, batch, logs=None):
            sizes.append(len(logs["outputs"]))

    assert model.predict(some(70)[0], verbose=0, callbacks=[Watch()]).shape == (70, 1)
    assert sizes == [32, 32, 6]


def test_sample_and_class_weights():
    x, y = some(40)
    weight = np.arange(40.0)
    model = small()
    start = model.get_weights()
    weighted = model.evaluate(x, y, sample_weight=weight, batch_size=40, verbose=0)
    errors = ((model.predict(x, verbose=0) - y) ** 2).mean(axis=1)
    assert weighted == pytest.approx((weight * errors).sum() / 40, rel=1e-5)
    labels = np.arange(40) % 2
    twice = small("binary_crossentropy", 1, "sigmoid")
    model = small("binary_crossentropy", 1, "sigmoid")
    for each in (twice, model):
        each.set_weights(start)
    model.fit(x, labels, class_weight={0: 1.0, 1: 3.0}, shuffle=False, verbose=0)
    twice.fit(x, labels, sample_weight=1.0 + 2.0 * labels, shuffle=False, verbose=0)
    assert all((a == b).all() for a, b in zip(model.get_weights(), twice.get_weights()))
    with pytest.raises(ValueError, match="no weight for class 1"):
        model.fit(x, labels, class_weight={0: 1.0}, verbose=0)


def test_validation_split_takes_the_last_rows():
    x, y = some(50)
    first, second = small(), small()
    second.set_weights(first.get_weights())
    a = first.fit(x, y, validation_split=0.2, shuffle=False, verbose=0).history
    b = second.fit(x[:40], y[:40], validation_data=(x[40:], y[40:]), shuffle=False, verbose=0)
    assert a == b.history


def test_generators_and_steps():
    x, y = some(64)

    def forever():
        while True:
            for start in (0, 32):
                yield x[start : start + 32], y[start : start + 32]

    streamed, whole = small(), small()
    whole.set_weights(streamed.get_weights())
    streamed.fit(forever(), steps_per_epoch=2, epochs=2, verbose=0)
    whole.fit(x, y, epochs=2, shuffle=False, verbose=0)
    assert all((a == b).all() for a, b in zip(streamed.get_weights(), whole.get_weights()))
    assert whole.fit(x, y, steps_per_epoch=1, verbose=0).params["steps"] == 1
    assert whole.predict(iter([x[:3], x[3:5]]), verbose=0).shape == (5, 1)


def test_single_batches():
    x, y = some(10)
    model = small(metrics=["mae"])
    before = model.test_on_batch(x, y)[0]
    model.reset_metrics()
    for _ in range(20):
        model.train_on_batch(x, y)
    model.reset_metrics()
    assert model.test_on_batch(x, y, return_dict=True)["loss"] < before
    assert model.predict_on_batch(x).shape == (10, 1)


def test_initial_epoch_goes_on():
    model = small()
    history = model.fit(*some(), epochs=5, initial_epoch=3, verbose=0)
    assert history.epoch == [3, 4]


def test_callbacks_are_called_in_order():
    calls = []

    class Note(keras.callbacks.Callback):
        def on_train_begin(self, logs=None):
            calls.append("train begin")

        def on_epoch_begin(self, epoch, logs=None):
            calls.append(f"epoch {epoch} begin")

        def on_train_batch_end(self, batch, logs=None):
            calls.append(f"batch {batch} {sorted(logs)}")

        def on_test_begin(self, logs=None):
            calls.append("test begin")

        def on_epoch_end(self, epoch, logs=None):
            calls.append(f"epoch {epoch} end {sorted(logs)}")
            self.model.stop_training = True

        def on_train_end(self, logs=None):
            calls.append("train end")

    small().fit(*some(), epochs=9, validation_data=some(), callbacks=[Note()], verbose=0)
    assert calls == [
        "train begin",
        "epoch 0 begin",
        "batch 0 ['loss']",
        "test begin",
        "epoch 0 end ['loss', 'val_loss']",
        "train end",
    ]
    with pytest.raises(TypeError, match="with the brackets"):
        small().fit(*some(), callbacks="EarlyStopping", verbose=0)


def test_the_learning_rate_can_be_changed_on_the_way():
    model, seen = small(), []

    class Grow(keras.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            seen.append(float(self.model.optimizer.learning_rate))
            self.model.optimizer.learning_rate = seen[-1] * 2

    model.fit(*some(96), callbacks=[Grow()], verbose=0)
    assert seen == pytest.approx([0.01, 0.02, 0.04])


def test_frozen_layers_keep_their_weights():
    model = small()
    model.layers[0].trainable = False
    before = [w.copy() for w in model.get_weights()]
    model.fit(*some(), verbose=0)
    after = model.get_weights()
    assert (before[0] == after[0]).all() and (before[2] != after[2]).any()
    assert [w.path for w in model.trainable_weights] == ["dense_1/kernel", "dense_1/bias"]


def test_penalties_count():
    x, y = some()
    plain, punished = small(), keras.Sequential()
    punished.add(keras.layers.Dense(5, "relu", kernel_regularizer="l2", input_shape=[4]))
    punished.add(keras.layers.ActivityRegularization(l1=0.1))
    punished.add(keras.layers.Dense(1))
    punished.compile(loss="mse", optimizer="sgd")
    punished.set_weights(plain.get_weights())
    hidden = np.maximum(x @ plain.get_weights()[0] + plain.get_weights()[1], 0)
    extra = 0.01 * (plain.get_weights()[0] ** 2).sum() + 0.1 * hidden.sum() / len(x)
    difference = punished.evaluate(x, y, verbose=0) - plain.evaluate(x, y, verbose=0)
    assert difference == pytest.approx(extra, rel=1e-4)


def test_dropout_only_in_training():
    layer = keras.layers.Dropout(0.25, seed=1)
    x = np.ones((2000, 10), "float32")
    assert (layer(x) == x).all()
    dropped = layer(x, training=True)
    assert set(np.unique(dropped)) == {0.0, np.float32(1 / 0.75)}
    assert dropped.mean() == pytest.approx(1.0, abs=0.02)


class Twice(keras.Model):
    """A subclass of Model, as the slides write them."""

    def __init__(self, units=3, **kwargs):
        super().__init__(**kwargs)
        self.hidden = [keras.layers.Dense(units, activation="relu") for _ in range(2)]
        self.last = keras.layers.Dense(1)

    def call(self, inputs):
        for layer in self.hidden:
            inputs = layer(inputs)
        return self.last(inputs)


def test_a_subclass_trains():
    model = Twice(name="twice")
    model.compile(loss="mse", optimizer="adam")
    history = model.fit(*some(64), epochs=3, verbose=0).history["loss"]
    assert history[2] < history[0] and len(model.trainable_weights) == 6
    assert model.name == "twice"


def test_a_layer_of_your_own():
    class Scale(keras.layers.Layer):
        def build(self, input_shape):
            self.factor = self.add_weight((input_shape[-1],), "ones", name="factor")

        def call(self, inputs):
            return inputs * self.factor

    model = keras.Sequential([Scale(input_shape=[4]), keras.layers.Dense(1)])
    model.compile(loss="mse", optimizer="sgd")
    model.fit(*some(), verbose=0)
    assert model.count_params() == 9 and (model.layers[0].factor.data != 1).all()


def test_train_step_can_be_overridden():
    class Doubled(keras.Sequential):
        def train_step(self, data):
            super().train_step(data)
            return super().train_step(data)

    model = Doubled([keras.layers.Dense(1, input_shape=[4])])
    model.compile(loss="mse", optimizer="sgd")
    model.fit(*some(64), verbose=0)
    assert int(model.optimizer.iterations) == 4


def test_progress_in_a_file_is_one_clean_line_per_epoch():
    out = io.StringIO()
    with redirect_stdout(out):
        small(metrics=["mae"]).fit(*some(64), epochs=2, validation_data=some())
    lines = out.getvalue().splitlines()
    assert lines[0] == "Epoch 1/2" and lines[2] == "Epoch 2/2" and len(lines) == 4
    assert lines[1].startswith("2/2 [==============================] - 0s ")
    assert " - loss: " in lines[1] and " - val_mae: " in lines[1]
    assert "\b" not in out.getvalue() and "\r" not in out.getvalue()


# ------------------------------------------------------------------------------------ mistakes


def refused(error, words, model, *args, **kwargs):
    """`fit` raises, in at most three lines, and no weight changes."""
    before = [w.copy() for w in model.get_weights()]
    with pytest.raises(error, match=words) as caught:
        model.fit(*args, verbose=0, **kwargs)
    assert str(caught.value).count("\n") == 2
    assert all((a == b).all() for a, b in zip(before, model.get_weights(), strict=True))


def test_images_without_flatten():
    model = keras.Sequential([keras.layers.Dense(10, activation="softmax", input_shape=[784])])
    model.compile(loss="sparse_categorical_crossentropy", optimizer="sgd")
    refused(ShapeError, r"(?s)dense: .*Flatten\(\)", model, np.zeros((5, 28, 28)), np.zeros(5))
    model = keras.Sequential([keras.layers.Dense(10, activation="softmax", input_shape=[28, 28])])
    model.compile(loss="sparse_categorical_crossentropy", optimizer="sgd")
    refused(ValueError, r"(?s)Flatten\(\) before dense", model, np.zeros((5, 28, 28)), np.zeros(5))


def test_labels_of_the_wrong_form():
    one_hot = np.eye(3)[np.arange(20) % 3]
    sparse = small("sparse_categorical_crossentropy", 3, "softmax")
    refused(ValueError, "categorical_crossentropy", sparse, some()[0], one_hot)
    dense = small("categorical_crossentropy", 3, "softmax")
    refused(ValueError, "sparse_categorical_crossentropy", dense, some()[0], np.arange(20) % 3)
    refused(ValueError, "label 3", sparse, some()[0], np.arange(20) % 4)


def test_softmax_and_logits():
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    with pytest.raises(ValueError, match="from_logits=False"):
        small(loss, 3, "softmax")


def test_unscaled_images_warn():
    model = fashion_model()
    model.compile(loss="sparse_categorical_crossentropy", optimizer="sgd")
    images = np.random.default_rng(0).integers(0, 256, (8, 28, 28)).astype("uint8")
    with pytest.warns(UnscaledWarning, match="x / 255"):
        model.fit(images, np.arange(8), verbose=0)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model.fit(images / 255.0, np.arange(8), verbose=0)


def test_numbers_that_are_none():
    x, y = some()
    x[3, 1] = np.nan
    refused(ValueError, r"1 NaN, the first at \[3, 1\]", small(), x, y)
    x, y = some()
    y[5] = np.inf
    refused(NonFiniteLossError, "epoch 1, batch 1", small(), x, y)


def test_a_diverging_loss_names_the_place():
    model = small()
    model.optimizer.learning_rate = 1e20
    x, y = some(200)
    words = r"epoch 1, batch \d.*(dense|kernel|bias)"
    with np.errstate(all="ignore"), pytest.raises(NonFiniteLossError, match=words):
        model.fit(x, y, verbose=0)


def test_normalization_without_adapt():
    model = keras.Sequential([keras.layers.Normalization(input_shape=[4]), keras.layers.Dense(1)])
    model.compile(loss="mse", optimizer="sgd")
    refused(RuntimeError, "adapt", model, *some())


@pytest.mark.parametrize(
    ("what", "words"),
    [
        ({"optimizer": "adm"}, "'adam'"),
        ({"loss": "mean_sqared_error"}, "mean_squared_error"),
        ({"loss": "mse", "metrics": ["acuracy"]}, "accuracy"),
    ],
)
def test_unknown_names_get_the_closest(what, words):
    model = keras.Sequential([keras.layers.Dense(1, input_shape=[4])])
    with pytest.raises(ValueError, match=words):
        model.compile(**{"loss": "mse", **what})
    with pytest.raises(ValueError, match="'relu'"):
        keras.layers.Dense(1, activation="rleu")
    with pytest.raises(ValueError, match="he_normal"):
        keras.layers.Dense(1, kernel_initializer="he_nromal")


def test_data_of_the_wrong_length():
    refused(ValueError, "x has 20 rows, y has 10", small(), some()[0], some(10)[1])
    refused(ValueError, "no rows", small(), np.zeros((0, 4)), np.zeros((0, 1)))
    refused(ValueError, "batch_size=0", small(), *some(), batch_size=0)
    refused(ValueError, "validation_split", small(), *some(), validation_split=1.5)


def test_before_compile_and_before_build():
    model = keras.Sequential([keras.layers.Dense(1, input_shape=[4])])
    refused(RuntimeError, "before compile", model, *some())
    with pytest.raises(ValueError, match="summary before"):
        keras.Sequential([keras.layers.Dense(1)]).summary()
    with pytest.raises(TypeError, match=r"Dense\(\.\.\.\)"):
        keras.Sequential([keras.layers.Dense])
    with pytest.raises(ValueError, match="two layers are called 'a'"):
        keras.Sequential([keras.layers.Dense(1, name="a"), keras.layers.Dense(1, name="a")])
    with pytest.raises(ValueError, match=r"shapes \[\(1,\)\]"):
        model.set_weights([np.zeros(1)])


# ------------------------------------------------------------------- data in all the forms it has


def test_data_frames_and_lists():
    import pandas as pd

    x, y = some(40)
    frame = pd.DataFrame(x, columns=list("abcd"))
    frame["a"] = frame["a"].astype(object)
    first, second, third = small(), small(), small()
    for other in (second, third):
        other.set_weights(first.get_weights())
    first.fit(x, y, validation_split=0.25, shuffle=False, verbose=0)
    second.fit(frame, pd.Series(y[:, 0]), validation_split=0.25, shuffle=False, verbose=0)
    third.fit(x.tolist(), y.tolist(), validation_split=0.25, shuffle=False, verbose=0)
    for other in (second, third):
        assert all((a == b).all() for a, b in zip(first.get_weights(), other.get_weights()))
    assert first.predict(frame, verbose=0).shape == (40, 1)


def test_a_single_feature_needs_no_second_axis():
    model = keras.Sequential([keras.layers.Dense(1, input_shape=[1])])
    model.compile(loss="mse", optimizer=keras.optimizers.SGD(0.1))
    x = np.linspace(-1.0, 1.0, 20)
    assert model.fit(x, 2 * x + 1, epochs=60, verbose=0).history["loss"][-1] < 1e-4
    assert model.predict(np.array([10.0]), verbose=0) == pytest.approx(21.0, abs=0.2)
    images = keras.Sequential([keras.layers.Flatten(input_shape=[2, 2]), keras.layers.Dense(1)])
    assert images.predict(np.zeros((3, 2, 2, 1)), verbose=0).shape == (3, 1)


def test_the_only_input_by_its_name():
    x, y = some()
    model = keras.Sequential([keras.Input([4], name="x"), keras.layers.Dense(1)])
    model.compile(loss="mse", optimizer="sgd")
    for given in ({"x": x}, [x], (x,)):
        assert model.fit(given, y, verbose=0).epoch == [0]
        assert (model.predict(given, verbose=0) == model.predict(x, verbose=0)).all()
    late = keras.Sequential([keras.layers.Dense(1)])
    assert late({"x": x}).shape == (20, 1) and late.input_shape == (None, 4)


class Batches(keras.utils.PyDataset):
    """Four batches of ten instances."""

    def __init__(self, x, y):
        super().__init__()
        self.x, self.y, self.passes, self.asked = x, y, 0, []

    def __len__(self):
        return 4

    def __getitem__(self, i):
        self.asked.append(i)
        return self.x[10 * i : 10 * i + 10], self.y[10 * i : 10 * i + 10]

    def on_epoch_end(self):
        self.passes += 1


def test_batches_of_your_own_making():
    x, y = some(40)
    first, second, batches = small(), small(), Batches(x, y)
    second.set_weights(first.get_weights())
    history = first.fit(batches, epochs=2, shuffle=False, verbose=0)
    second.fit(x, y, batch_size=10, epochs=2, shuffle=False, verbose=0)
    assert history.params["steps"] == 4 and batches.passes == 2
    assert all((a == b).all() for a, b in zip(first.get_weights(), second.get_weights()))
    assert first.predict(batches, verbose=0).shape == (40, 1)
    batches.asked.clear()
    first.fit(batches, epochs=3, verbose=0)
    orders = [batches.asked[i : i + 4] for i in (0, 4, 8)]
    assert all(sorted(order) == [0, 1, 2, 3] for order in orders)
    assert len(set(map(tuple, orders))) > 1 and keras.utils.Sequence is keras.utils.PyDataset


def test_class_weights_reach_the_batches_of_a_generator():
    x, labels = some(20)[0], np.arange(20) % 2
    first = small("binary_crossentropy", 1, "sigmoid")
    second = small("binary_crossentropy", 1, "sigmoid")
    second.set_weights(first.get_weights())
    weights = {0: 1.0, 1: 3.0}
    first.fit(iter([(x, labels)]), class_weight=weights, verbose=0)
    second.fit(x, labels, class_weight=weights, shuffle=False, verbose=0)
    assert all((a == b).all() for a, b in zip(first.get_weights(), second.get_weights()))


def test_a_generator_that_ends():
    x, y = some(15)

    def three():
        for start in (0, 5, 10):
            yield x[start : start + 5], y[start : start + 5]

    with pytest.warns(UserWarning, match="3 of 5 batches"):
        history = small().fit(three(), steps_per_epoch=5, epochs=4, verbose=0)
    assert history.epoch == [0]
    with pytest.warns(UserWarning, match="no batch any more"):
        history = small().fit(three(), epochs=4, verbose=0)
    assert history.epoch == [0] and len(history.history["loss"]) == 1
    with pytest.warns(UserWarning, match="which are 2 batches"):
        assert small().fit(x, y, batch_size=8, steps_per_epoch=9, verbose=0).params["steps"] == 2


def test_generators_that_cannot_be_used():
    x, y = some()
    refused(ValueError, "not a single batch", small(), iter([]))
    refused(ValueError, "targets or weights beside it", small(), iter([(x, y)]), y)
    refused(ValueError, "validation_data=", small(), iter([(x, y)]), validation_split=0.2)
    refused(ValueError, "a batch of 4 parts", small(), iter([(x, y, y, y)]))
    x[4, 1] = np.nan
    refused(NonFiniteLossError, "(?s)batch 1: x is not finite.*nan_to_num", small(), iter([(x, y)]))


def test_data_that_are_no_numbers():
    x, y = some()
    refused(ValueError, "np.unique", small(), x, np.array(["cat", "dog"] * 10))
    refused(ValueError, "complex128", small(), x.astype(complex), y)
    refused(ValueError, "rows of different lengths", small(), [[1, 2, 3, 4], [1, 2]], [1, 2])
    y[7] = np.nan
    refused(ValueError, r"y has 1 NaN, the first at \[7, 0\]", small(), x, y)
    refused(ValueError, "but no y", small(), x)
    refused(ValueError, "no x", small(), None)


def test_validation_data_are_looked_at_first():
    x, y = some()
    refused(ValueError, "x has 20 rows, y has 3", small(), x, y, validation_data=(x, y[:3]))
    for validation in ((x, y, np.ones(20)), [x, y], iter([(x, y)])):
        history = small().fit(x, y, validation_data=validation, verbose=0).history
        assert list(history) == ["loss", "val_loss"]


def test_the_wrong_number_of_inputs():
    x, y = some()
    refused(ShapeError, r"np\.stack", small(), [x, x], y)
    refused(ShapeError, "x.reshape", images := fashion_net(), np.zeros((3, 5)), np.zeros(3))
    assert images.layers[0].name == "flatten"
    refused(ShapeError, r"x\[np.newaxis\]", small(), np.zeros(4), np.zeros(4))


def fashion_net():
    model = fashion_model()
    model.compile(loss="sparse_categorical_crossentropy", optimizer="sgd")
    return model


# ------------------------------------------------------------------------------------- the model


def test_a_model_is_built_by_hand():
    model = keras.Sequential([keras.layers.Dense(3), keras.layers.Dense(1)])
    model.build(input_shape=[None, 4])
    assert model.built and model.count_params() == 19
    assert model.input.shape == (None, 4) and model.output.shape == (None, 1)


def test_a_row_has_its_input_first():
    model = keras.Sequential([keras.layers.Dense(3)])
    with pytest.raises(ValueError, match="expected it before all layers"):
        model.add(keras.Input([4]))
    with pytest.raises(TypeError, match="with the brackets"):
        keras.Sequential(keras.layers.Dense(3))
    broken = keras.Sequential()
    with pytest.raises(ShapeError):
        broken.add(keras.layers.Dense(3, input_shape=[]))
    broken.add(keras.layers.Dense(3, input_shape=[4]))
    assert broken.output_shape == (None, 3)


def test_a_train_step_receives_what_fit_was_given():
    seen = []

    class Own(keras.Sequential):
        def train_step(self, data):
            x, y = data
            seen.append((x.shape, y.shape))
            y_pred = self(x, training=True)
            loss = self.compute_loss(y=y, y_pred=y_pred)
            weights = self.trainable_weights
            self.optimizer.apply_gradients(zip(self.gradients(loss), weights, strict=True))
            return self.compute_metrics(x, y, y_pred)

    own, usual = Own([keras.layers.Dense(1, input_shape=[4])]), keras.Sequential()
    usual.add(keras.layers.Dense(1, input_shape=[4]))
    usual.set_weights(own.get_weights())
    for model in (own, usual):
        model.compile(loss="mse", optimizer="adam", metrics=["mae"])
    histories = [m.fit(*some(40), epochs=2, shuffle=False, verbose=0) for m in (own, usual)]
    assert histories[0].history == histories[1].history
    assert seen == 2 * [((32, 4), (32, 1)), ((8, 4), (8, 1))]


def test_hooks_get_a_dict_and_have_their_older_names():
    seen = []

    class Old(keras.callbacks.Callback):
        def on_train_begin(self, logs):
            seen.append(dict(logs))

        def on_batch_begin(self, batch, logs):
            seen.append((batch, dict(logs)))

        def on_batch_end(self, batch, logs):
            seen.append((batch, list(logs)))

        def on_predict_end(self, logs):
            seen.append(dict(logs))

    model = small()
    model.fit(*some(), callbacks=[Old()], verbose=0)
    model.predict(some()[0], callbacks=Old(), verbose=0)
    assert seen == [{}, (0, {}), (0, ["loss"]), {}]


def test_evaluation_on_the_way_leaves_training_alone():
    class Watch(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            self.model.evaluate(*some(8, seed=3), verbose=0)
            self.model.predict(some(8)[0], verbose=0)

    first, second = small(metrics=["mae"]), small(metrics=["mae"])
    second.set_weights(first.get_weights())
    options = {"epochs": 2, "shuffle": False, "verbose": 0}
    watched = first.fit(*some(50), callbacks=[Watch()], **options)
    assert watched.history == second.fit(*some(50), **options).history


def test_no_epoch_at_all():
    model = small()
    model.compile(loss="mse", optimizer=keras.optimizers.SGD(use_ema=True))
    assert model.fit(*some(), epochs=0, verbose=0).history == {}


def test_a_loss_that_is_no_single_number():
    loss = keras.losses.MeanSquaredError(reduction=None)
    refused(ValueError, "sum_over_batch_size", small(loss), *some())
    model = small(None)
    refused(ValueError, "nothing to bring down", model, *some())


# ------------------------------------------------------------------------------------- memory

ALL_OF_FASHION_MNIST = """
import resource, sys
import numpy as np
from gradlab import keras

images = np.random.default_rng(0).integers(0, 256, (60000, 28, 28), dtype=np.uint8)
labels = np.arange(60000) % 10
x, valid = images[:-5000] / 255.0, images[-5000:] / 255.0  # float64, as on the slide
model = keras.Sequential([
    keras.layers.Flatten(input_shape=[28, 28]),
    keras.layers.Dense(300, activation="relu"),
    keras.layers.Dense(100, activation="relu"),
    keras.layers.Dense(10, activation="softmax"),
])
model.compile(loss="sparse_categorical_crossentropy", optimizer="sgd", metrics=["accuracy"])
model.fit(x, labels[:-5000], steps_per_epoch=20, verbose=0)
model.evaluate(valid, labels[-5000:], verbose=0)
assert model.predict(x, verbose=0).shape == (55000, 10)
unit = 1 if sys.platform == "darwin" else 1024
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit)
"""


@pytest.mark.slow
def test_all_of_fashion_mnist_in_a_gigabyte():
    pytest.importorskip("resource")
    command = [sys.executable, "-c", ALL_OF_FASHION_MNIST]
    peak = int(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
    assert peak < 2**30
