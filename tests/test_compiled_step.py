"""The compiled step of a model: the weights after some steps have the bits of the tape's."""

from __future__ import annotations

import os
import subprocess
import sys

import numpy as np
import pytest
from test_keras_layers import HERE

import gradlab as gl
from gradlab import keras
from gradlab.keras import compiled_step, layers
from gradlab.keras.compiled_step import WORTH_COMPILING, CompiledStep
from gradlab.program import NotRecorded, fuse

ROWS, FEATURES = 44, 6


def train(make, data, compiled, batch=16, epochs=2, kernels=False):
    """Return the model, its compiled step, and the running loss after every step."""
    keras.backend.clear_session()
    keras.utils.set_random_seed(7)
    model, curve = make(), []
    model.run_eagerly = not compiled
    steps = [*range(0, ROWS, batch)] * epochs
    with model._compiled_step("train").one_pass(WORTH_COMPILING if kernels else len(steps)):
        for start in steps:
            x, y, weight = (None if a is None else a[start : start + batch] for a in data)
            y = [y] * len(model.output_names) if len(model.output_names) > 1 else y
            model.train_step((x, y, weight))
            curve.append(model.get_metrics_result()["loss"])
    return model, model._compiled_step("train"), curve


def assert_same(make, data, **options):
    slow, _, expected = train(make, data, False, **options)
    fast, step, found = train(make, data, True, **options)
    assert step.reason is None and step.programs
    # A short cut rounds less often than the rules that it replaces, and the exponential of a kernel
    # is another; all else has the same bits.
    near = "_slope(" in str(step) or options.get("kernels")
    rtol, atol = (1e-5, 2e-6) if near else (0.0, 0.0)
    np.testing.assert_allclose(found, expected, rtol=rtol)
    for ours, theirs in zip(fast.weights, slow.weights, strict=True):
        np.testing.assert_allclose(ours.data, theirs.data, rtol, atol, err_msg=ours.path)
    return step


def numbers(kind="float", seed=0):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(ROWS, FEATURES))
    y = {
        "float": rng.normal(size=(ROWS, 3)),
        "positive": rng.uniform(0.1, 0.9, (ROWS, 3)),
        "class": rng.integers(0, 3, ROWS),
        "onehot": np.eye(3)[rng.integers(0, 3, ROWS)],
        "sign": rng.choice([-1.0, 1.0], (ROWS, 3)),
    }[kind]
    return x, y, None


def dense(*middle, last="linear", loss="mse", optimizer="adam", **more):
    """Return a function that makes and compiles a small network."""

    def make():
        row = [m() if callable(m) else m for m in middle]
        model = keras.Sequential([keras.Input([FEATURES]), *row, layers.Dense(3, last, **more)])
        model.compile(loss=loss, optimizer=optimizer)
        return model

    return make


LOSSES = {
    **dict.fromkeys(["mse", "mae", "huber", "log_cosh", "cosine_similarity"], "float"),
    **dict.fromkeys(["mape", "msle", "poisson", "kld", "binary_focal_crossentropy"], "positive"),
    **dict.fromkeys(["binary_crossentropy", "bce"], "positive"),
    **dict.fromkeys(["hinge", "squared_hinge"], "sign"),
    **dict.fromkeys(["categorical_hinge", "categorical_crossentropy"], "onehot"),
    "categorical_focal_crossentropy": "onehot",
    "sparse_categorical_crossentropy": "class",
}


def test_every_loss_is_tried():
    tried = {keras.losses.get(name).__name__ for name in LOSSES}
    assert tried == {f.__name__ for f in keras.losses.FUNCTIONS.values()}


# What Numba compiles anew for each loss and each layer takes minutes, all in all.
KERNELS = [False, pytest.param(True, marks=pytest.mark.slow, id="kernels")]


@pytest.mark.parametrize("kernels", KERNELS)
@pytest.mark.parametrize("name", LOSSES)
def test_losses(name, kernels):
    kind = LOSSES[name]
    last = {"float": "linear", "sign": "tanh", "onehot": "softmax", "class": "softmax"}
    make = dense(lambda: layers.Dense(5, "tanh"), last=last.get(kind, "sigmoid"), loss=name)
    assert_same(make, numbers(kind), kernels=kernels)


@pytest.mark.parametrize(
    ("last", "loss", "kind", "line"),
    [
        ("softmax", "sparse_categorical_crossentropy", "class", "softmax_slope("),
        ("sigmoid", "binary_crossentropy", "positive", "sigmoid_slope("),
    ],
)
def test_the_short_cut_is_taken(last, loss, kind, line):
    x, y, _ = numbers(kind)
    weight = np.random.default_rng(3).uniform(0.0, 2.0, ROWS)
    for given in (None, weight):
        step = assert_same(dense(last=last, loss=loss), (x, y, given))
        assert str(step).count(line) == len(step.programs)


def test_zeros_and_ones_are_labels_of_hinge_losses_too():
    x, y, _ = numbers("sign")
    assert_same(dense(loss="hinge"), (x, (y + 1.0) / 2.0, None))
    mixed = np.concatenate([(y[:16] + 1.0) / 2.0, y[16:]])  # the first batch has 0 and 1 only
    assert_same(dense(loss="hinge"), (x, mixed, None))


# glu halves the features, threshold has no defaults: neither is the activation of a layer.
@pytest.mark.parametrize("kernels", KERNELS)
@pytest.mark.parametrize("name", sorted({*keras.activations.TABLE} - {"glu", "threshold"}))
def test_activations(name, kernels):
    assert_same(dense(lambda: layers.Dense(5, name)), numbers(), kernels=kernels)


@pytest.mark.parametrize("kernels", KERNELS)
@pytest.mark.parametrize(
    "optimizer", ["adam", "rmsprop", "nadam", "adagrad", "adadelta", "adamax", "ftrl"]
)
def test_optimizers(optimizer, kernels):
    make = dense(lambda: layers.Dense(5, "relu"), optimizer=optimizer)
    assert_same(make, numbers(), kernels=kernels)


@pytest.mark.parametrize("batch", [16, 10])
def test_gradient_descent_differs_in_the_last_bits_only(batch, monkeypatch):
    """The product is added up where the weight is, and so rounded once less."""
    monkeypatch.setattr(fuse, "WORTH_ONE_PASS", 0)
    make = dense(lambda: layers.Dense(5, "relu"), optimizer="sgd", last="softmax")
    slow, _, expected = train(make, numbers("positive"), False, batch=batch)
    fast, step, found = train(make, numbers("positive"), True, batch=batch)
    np.testing.assert_allclose(found, expected, rtol=1e-6)
    for ours, theirs in zip(fast.weights, slow.weights, strict=True):
        np.testing.assert_allclose(ours.data, theirs.data, rtol=1e-5, atol=1e-6)
    assert fast.optimizer.iterations.data == slow.optimizer.iterations.data > 0
    assert "descend_by_product(dense_kernel, " in str(step)


def test_small_weights_descend_with_the_bits_of_the_tape():
    step = assert_same(dense(lambda: layers.Dense(5, "relu"), optimizer="sgd"), numbers())
    assert "descend(dense_kernel, " in str(step)


class Product(layers.Layer):
    """Two weights each of which is part of the other's gradient."""

    def build(self, input_shape):
        self.a = self.add_weight((input_shape[-1], 4), name="a")
        self.b = self.add_weight((4, 3), name="b")
        self.c = self.add_weight((3,), name="c")
        self.d = self.add_weight((3,), name="d")

    def call(self, inputs):
        self.add_loss((self.c * self.d).sum())
        self.add_loss((self.a @ self.b).sum())
        return ((inputs @ self.a) @ self.b) * (1.0 + self.c * self.d)


class Shift(layers.Layer):
    """Adds a product of weights: the gradient of each is a product with the other."""

    def build(self, input_shape):
        self.a = self.add_weight((1, 4), name="a")
        self.b = self.add_weight((4, input_shape[-1]), name="b")

    def call(self, inputs):
        return inputs + self.a @ self.b


@pytest.mark.parametrize("kernels", KERNELS)
@pytest.mark.parametrize("least", [0, 30_000])
def test_weights_that_meet_all_change_at_once(least, kernels, monkeypatch):
    monkeypatch.setattr(fuse, "WORTH_ONE_PASS", least)

    def make():
        model = keras.Sequential([keras.Input([FEATURES]), Shift(), Product()])
        model.compile(loss="mse", optimizer="sgd")
        return model

    slow = train(make, numbers(), False)[0]
    fast = train(make, numbers(), True, kernels=kernels)[0]
    for ours, theirs in zip(fast.weights, slow.weights, strict=True):
        np.testing.assert_allclose(ours.data, theirs.data, rtol=1e-5, atol=1e-6)


def test_a_schedule_of_learning_rates_is_followed():
    def make():
        model = dense(lambda: layers.Dense(5, "relu"))()
        rate = keras.optimizers.schedules.ExponentialDecay(0.1, 2, 0.5)
        model.compile(loss="mse", optimizer=keras.optimizers.SGD(rate))
        return model

    assert_same(make, numbers())


def test_the_settings_of_optimizers_hold():
    def make():
        model = dense(lambda: layers.Dense(5, "relu"))()
        momentum = {"momentum": 0.9, "nesterov": True, "clipnorm": 0.5, "use_ema": True}
        model.compile(loss="mse", optimizer=keras.optimizers.SGD(0.1, **momentum))
        return model

    assert_same(make, numbers())


# -------------------------------------------------------------------------------------- layers

LAYERS = {
    "Activation": lambda: layers.Activation("tanh"),
    "ActivityRegularization": lambda: layers.ActivityRegularization(l1=0.1, l2=0.2),
    "Dense": lambda: layers.Dense(4, kernel_regularizer="l2", bias_regularizer="l1"),
    "Dropout": lambda: layers.Dropout(0.4),
    "ELU": layers.ELU,
    "Flatten": layers.Flatten,
    "GaussianNoise": lambda: layers.GaussianNoise(0.3),
    "LeakyReLU": layers.LeakyReLU,
    "Normalization": lambda: layers.Normalization(mean=[0.5], variance=[2.0]),
    "PReLU": layers.PReLU,
    "ReLU": lambda: layers.ReLU(max_value=1.0, negative_slope=0.1),
    "Rescaling": lambda: layers.Rescaling(2.0, 1.0),
    "Reshape": lambda: layers.Reshape([FEATURES]),
    "Sequential": lambda: keras.Sequential([layers.Dense(4, "relu"), layers.Dropout(0.2, seed=3)]),
    "Softmax": layers.Softmax,
}


# Layers that take several inputs, or two shapes, are tried in a functional model.
MERGING = {
    **{name: getattr(layers, name) for name in ("Add", "Average", "Concatenate", "Maximum")},
    **{name: getattr(layers, name) for name in ("Minimum", "Multiply", "Subtract")},
    "Dot": lambda: layers.Dot(axes=1),
    "Lambda": lambda: layers.Lambda(lambda pair: pair[0] * keras.ops.tanh(pair[1])),
}
MOVING = {"RepeatVector": lambda: layers.RepeatVector(2), "Permute": lambda: layers.Permute([2, 1])}


# Layers for sequences (8 steps, 4 channels) and images (4 x 4, 2 channels), with what they need.
SEQUENCES: dict[str, list] = {
    "Conv1D": [3, 2],
    **{f"{kind}Pooling1D": [] for kind in ("Average", "Max", "GlobalAverage", "GlobalMax")},
    "SpatialDropout1D": [0.4],
    "UnitNormalization": [],
}
IMAGES: dict[str, list] = {
    **{name: [3, 2] for name in ("Conv2D", "Conv2DTranspose", "SeparableConv2D")},
    "DepthwiseConv2D": [2],
    **{f"{kind}Pooling2D": [] for kind in ("Average", "Max", "GlobalAverage", "GlobalMax")},
    **{name: [1] for name in ("Cropping2D", "ZeroPadding2D")},
    **{name: [] for name in ("UpSampling2D", "BatchNormalization", "LayerNormalization")},
    "GroupNormalization": [2],
    **{name: [0.4] for name in ("SpatialDropout2D", "GaussianDropout", "AlphaDropout")},
}


@pytest.mark.parametrize("name", [*SEQUENCES, *IMAGES])
def test_layers_for_sequences_and_images(name):
    shape = (8, 4) if name in SEQUENCES else (4, 4, 2)
    first = [lambda: layers.Dense(32), lambda: layers.Reshape(shape)]

    def layer():
        return getattr(layers, name)(*{**SEQUENCES, **IMAGES}[name])

    assert_same(dense(*first, layer, layers.Flatten, optimizer="sgd"), numbers())


def test_every_layer_is_tried():
    tried = {*LAYERS, *MERGING, *MOVING, *SEQUENCES, *IMAGES}
    assert tried == {*HERE} - {"InputLayer", "Operation"}  # operations: x + y of inputs


@pytest.mark.parametrize("name", MERGING)
def test_layers_that_merge(name):
    def make():
        x = keras.Input([FEATURES])
        deep = layers.Dense(FEATURES, "relu")(x)
        y = layers.Dense(3)(MERGING[name]()([2.0 * x + deep, deep]))
        model = keras.Model(x, y)
        model.compile(loss="mse", optimizer="adam")
        return model

    assert_same(make, numbers())


def test_layers_that_move_numbers():
    x = keras.Input([FEATURES])
    repeated = MOVING["RepeatVector"]()(layers.Dense(FEATURES)(x))
    y = layers.Dense(3)(layers.Flatten()(MOVING["Permute"]()(repeated)))

    def make():
        model = keras.models.clone_model(keras.Model(x, y))
        model.compile(loss="mse", optimizer="adam")
        return model

    assert_same(make, numbers())


@pytest.mark.parametrize("kernels", KERNELS)
@pytest.mark.parametrize("name", LAYERS)
def test_layers(name, kernels):
    assert_same(dense(LAYERS[name]), numbers(), kernels=kernels)
    assert_same(dense(lambda: layers.Dense(FEATURES, "relu"), LAYERS[name]), numbers(), batch=10)


def test_an_adapted_normalization_is_looked_at_again():
    def make():
        norm = layers.Normalization(input_shape=[FEATURES])
        norm.adapt(numbers()[0])
        model = keras.Sequential([norm, layers.Dense(3)])
        model.compile(loss="mse", optimizer="adam")
        return model

    assert_same(make, numbers())
    model, step, _ = train(make, numbers(), True)
    x, y, _ = numbers()
    model.layers[0].adapt(10.0 * x)
    expected = model(x[:16]).data
    np.testing.assert_array_equal(step(x[:16], y[:16]), expected)
    assert len(step.programs) == 2


# ----------------------------------------------------------------------- shapes, weights, outputs


def test_batches_of_any_size_have_their_own_program():
    step = assert_same(dense(lambda: layers.Dense(5, "relu")), numbers(), batch=10)
    assert len(step.programs) == 2


def test_float64():
    keras.backend.set_floatx("float64")
    try:
        assert_same(dense(lambda: layers.Dense(5, "sigmoid")), numbers())
    finally:
        keras.backend.set_floatx("float32")


@pytest.mark.parametrize("loss", ["mse", "sparse_categorical_crossentropy"])
def test_sample_weights(loss):
    kind = "class" if loss.startswith("sparse") else "float"
    x, y, _ = numbers(kind)
    weight = np.random.default_rng(3).uniform(0.0, 2.0, ROWS)
    last = "softmax" if kind == "class" else "linear"
    assert_same(dense(last=last, loss=loss), (x, y, weight))


def test_ignored_classes():
    x, y, _ = numbers("class")
    loss = keras.losses.SparseCategoricalCrossentropy(ignore_class=2, from_logits=True)
    assert_same(dense(loss=loss), (x, y, None))


def test_several_outputs_and_inputs_that_meet():
    def make():
        first = keras.Input([FEATURES])
        deep = layers.Dense(5, "relu")(first)
        main = layers.Dense(3, name="main")(deep)
        model = keras.Model(first, [main, layers.Dense(3, "tanh", name="side")(deep)])
        model.compile(loss=["mse", "mae"], loss_weights=[0.7, 0.3], optimizer="adam")
        return model

    assert_same(make, numbers())


def test_a_frozen_layer_stays():
    def make():
        model = dense(lambda: layers.Dense(5, "relu"))()
        model.layers[0].trainable = False
        return model

    assert_same(make, numbers())


# -------------------------------------------------------------------- evaluation and prediction


def test_test_and_predict_steps():
    model, _, _ = train(dense(lambda: layers.Dropout(0.5), lambda: layers.Dense(5, "relu")),
                        numbers(), False)  # fmt: skip
    x, y, _ = numbers()
    before = [w.numpy() for w in model.weights]
    model.run_eagerly = False
    loss, predicted = model.evaluate(x, y, ROWS, verbose=0), model.predict(x, ROWS, verbose=0)
    assert model._compiled_step("test").programs and model._compiled_step("predict").programs
    model.run_eagerly = True
    assert loss == pytest.approx(model.evaluate(x, y, ROWS, verbose=0), rel=1e-6)
    np.testing.assert_array_equal(predicted, model.predict(x, ROWS, verbose=0))
    for weight, old in zip(model.weights, before, strict=True):
        np.testing.assert_array_equal(weight.data, old)


def test_settings_may_change_between_steps():
    def make():
        return dense(lambda: layers.Dropout(0.5))()

    model, step, _ = train(make, numbers(), True)
    x, y, _ = numbers()
    model.layers[0].rate = 0.0
    outputs = step(x[:16], y[:16])
    assert len(step.programs) == 3 and (np.array(outputs) != 0).all()


# -------------------------------------------------------------------------------------- mistakes


class Branching(keras.Model):
    """Looks at what it computes."""

    def __init__(self, **more):
        super().__init__(**more)
        self.dense = layers.Dense(3)

    def call(self, inputs):
        y = self.dense(inputs)
        return y if y.data.sum() > 0.0 else -y


class Reading(Branching):
    """Reads its weights aside from the graph: they change."""

    def call(self, inputs):
        return self.dense(inputs) / float(np.abs(self.dense.kernel.data).max())


class Drawing(Branching):
    """Draws random numbers by itself."""

    def call(self, inputs):
        return self.dense(inputs) + np.random.default_rng().random()


class Keeping(Branching):
    """Keeps what it computes."""

    def call(self, inputs):
        self.hidden = {"last": [self.dense(inputs)]}
        return 2.0 * self.hidden["last"][0]


class Catching(Branching):
    """Does something else after an error."""

    def call(self, inputs):
        try:
            return Branching.call(self, inputs)
        except Exception:
            return self.dense(inputs)


@pytest.mark.parametrize("kind", [Branching, Reading, Drawing, Keeping, Catching])
def test_other_models_stay_on_the_tape(kind):
    def make():
        model = kind()
        model.compile(loss="mse", optimizer="sgd")
        return model

    model, data = make(), numbers()
    model.run_eagerly = True
    model.train_step((data[0][:8], data[1][:8], None))
    step = CompiledStep(model)
    with pytest.warns(gl.program.NotRecorded, match="is not made a program"):
        assert step(*data) is None
    assert step.reason and step(*data) is None
    assert type(model.dense.kernel).__name__ == "Variable" and model.losses == []


def test_kernels_are_for_long_fits_and_large_models(monkeypatch):
    model, step, _ = train(dense(), numbers(), True, batch=ROWS, epochs=1)
    monkeypatch.setattr(compiled_step.generated, "available", bool)
    assert not step.worth_compiling(WORTH_COMPILING)
    monkeypatch.setattr(compiled_step.generated, "available", lambda: True)
    assert step.worth_compiling(WORTH_COMPILING) and not step.worth_compiling(WORTH_COMPILING - 1)
    updates = 10 * sum(w.size for w in model.weights)
    monkeypatch.setattr(compiled_step, "WEIGHTS_WORTH_COMPILING", updates)
    assert step.worth_compiling(10) and not step.worth_compiling(9)


def test_the_first_step_is_a_program_already():
    model, step, _ = train(dense(), numbers(), True, batch=ROWS, epochs=1)
    assert len(step.programs) == 1 and int(model.optimizer.iterations.data) == 1


def test_a_recording_leaves_no_penalties_behind():
    make = dense(lambda: layers.Dense(4, activity_regularizer="l2", kernel_regularizer="l1"))
    model, step, _ = train(make, numbers(), True)
    assert step.programs
    assert [type(penalty).__name__ for penalty in model.losses] == ["Tensor"]  # that of the kernel


@pytest.mark.parametrize("kernels", KERNELS)
@pytest.mark.parametrize("label", [3, -1])
def test_a_wrong_label_changes_no_weight(label, kernels):
    make = dense(last="softmax", loss="sparse_categorical_crossentropy")
    x, y, _ = numbers("class")
    model, step, _ = train(make, (x, y, None), True)
    steps = WORTH_COMPILING if kernels else 1
    with step.one_pass(steps):
        step(x[:16], y[:16])
        assert (" labels(" in str(step)) == kernels
        before = [w.numpy() for w in model.weights]
        with pytest.raises(ValueError, match=f"label {label}"):
            step(x[:16], np.append(y[:15], label))
    for weight, old in zip(model.weights, before, strict=True):
        np.testing.assert_array_equal(weight.data, old)


def test_a_loss_that_is_not_finite_changes_no_weight():
    model, step, _ = train(dense(), numbers(), True)
    x, y, _ = numbers()
    before = model.get_weights()
    wrong = pytest.raises(keras.checks.NonFiniteLossError, match="the loss is inf")
    with np.errstate(over="ignore"), wrong:
        step(1e30 * x[:16], y[:16])
    for new, old in zip(model.get_weights(), before, strict=True):
        np.testing.assert_array_equal(new, old)


def test_dropout_draws_what_it_would_on_the_tape_after_a_failed_recording():
    keras.utils.set_random_seed(3)
    before = keras.random.generator().bit_generator.state

    class Odd(Branching):
        def call(self, inputs):
            return Branching.call(self, layers.Dropout(0.5)(inputs, training=True))

    model = Odd()
    model.compile(loss="mse", optimizer="sgd")
    x, y, _ = numbers()
    model.run_eagerly = True
    model.train_step((x, y, None))
    state = keras.random.generator().bit_generator.state
    assert state != before
    with pytest.warns(NotRecorded):
        CompiledStep(model)(x, y)
    assert keras.random.generator().bit_generator.state == state


def test_the_program_of_a_model_can_be_looked_at():
    model = dense(lambda: layers.Dense(5, "relu"))()
    with pytest.raises(RuntimeError, match="no program to train: no batch"):
        model.program()
    x, y, _ = numbers()
    model.fit(x, y, verbose=0)
    assert "np.matmul(x, " in str(model.program())
    model.predict(x, verbose=0)
    assert "squared_error" not in str(model.program("predict"))


def test_a_mistake_made_twice_is_told_twice_and_nothing_else(recwarn):
    model, step, _ = train(dense(), numbers(), True)
    x = numbers()[0]
    for _ in range(3):
        with pytest.raises(ValueError, match="expected"):
            model.train_step((x, np.ones((ROWS, 7)), None))
    assert step.reason is None and not recwarn.list


# ------------------------------------------------------------------------ where things are missing

LONG_FIT = """
import numpy as np
from gradlab import keras
keras.utils.set_random_seed(5)
model = keras.Sequential([
    keras.Input([60]), keras.layers.Dense(400, "tanh"), keras.layers.Dense(3, "softmax")
])
model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
rng = np.random.default_rng(0)
x, y = rng.normal(size=(1056, 60)).astype("float32"), rng.integers(0, 3, 1056)
history = model.fit(x, y, epochs=31, verbose=0)
print("kernels:", "tanh(" in str(model.program()) and "matmul_nn(" in str(model.program()))
print("loss:", repr(history.history["loss"][-1]))
"""


def long_fit(**variables):
    """Return what a long training says in a process of its own, with these variables set."""
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", LONG_FIT],
        env={**os.environ, **variables},
        capture_output=True,
        text=True,
        check=True,
    )
    said = dict(line.split(": ") for line in done.stdout.splitlines())
    return said["kernels"] == "True", float(said["loss"]), done.stderr


@pytest.mark.slow
def test_a_long_fit_where_things_are_missing(tmp_path):
    kernels, loss, _ = long_fit()
    assert kernels
    first = long_fit(GRADLAB_HOME=str(tmp_path / "new"))
    assert first[:2] == (True, loss) and "Numba compiles kernels" in first[2]
    assert long_fit(GRADLAB_HOME=str(tmp_path / "new")) == (True, loss, "")
    assert long_fit(NUMBA_NUM_THREADS="1")[:2] == (True, loss), "one core: the same bits"
    assert long_fit(NUMBA_THREADING_LAYER="workqueue")[:2] == (True, loss), "without OpenMP"
    closed = tmp_path / "closed"
    closed.write_text("no folder can be made here")
    assert long_fit(GRADLAB_HOME=str(closed))[:2] == (True, loss), "nothing can be kept"
    kernels, without, _ = long_fit(NUMBA_DISABLE_JIT="1")
    assert not kernels and without == pytest.approx(loss, rel=1e-3)
    small = long_fit(NUMBA_CPU_NAME="x86-64", GRADLAB_HOME=str(tmp_path / "plain"))
    assert small[0] and small[1] == pytest.approx(loss, rel=1e-3), "no wide vectors"
