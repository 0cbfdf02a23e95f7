"""Models whose connections are code: loops, branches, layers in lists, steps of their own."""

from __future__ import annotations

import re
import warnings

import numpy as np
import pytest
from golden import record_keras_functional as golden
from messages import says

from gradlab import Tensor, keras, ops

layers = keras.layers


pytestmark = pytest.mark.usefixtures("fresh_names")


def rows(*shape, seed=0):
    return np.random.default_rng(seed).standard_normal(shape).astype("float32")


class WideAndDeepModel(keras.Model):
    """The listing of the slides."""

    def __init__(self, units=30, activation="relu", **kwargs):
        super().__init__(**kwargs)
        self.norm_layer_wide = layers.Normalization()
        self.norm_layer_deep = layers.Normalization()
        self.hidden1 = layers.Dense(units, activation=activation)
        self.hidden2 = layers.Dense(units, activation=activation)
        self.main_output = layers.Dense(1)
        self.aux_output = layers.Dense(1)

    def call(self, inputs):
        input_wide, input_deep = inputs
        norm_wide = self.norm_layer_wide(input_wide)
        norm_deep = self.norm_layer_deep(input_deep)
        hidden1 = self.hidden1(norm_deep)
        hidden2 = self.hidden2(hidden1)
        concat = layers.concatenate([norm_wide, hidden2])
        output = self.main_output(concat)
        aux_output = self.aux_output(hidden2)
        return output, aux_output


def wide_and_deep_functional():
    wide, deep = layers.Input([5]), layers.Input([6])
    norm_wide, norm_deep = layers.Normalization(), layers.Normalization()
    h = norm_deep(deep)
    for _ in range(2):
        h = layers.Dense(30, activation="relu")(h)
    main = layers.Dense(1)(layers.concatenate([norm_wide(wide), h]))
    model = keras.Model([wide, deep], [main, layers.Dense(1)(h)])
    model.norm_layer_wide, model.norm_layer_deep = norm_wide, norm_deep
    return model


def some(count=80):
    x = tuple(golden.arrays(count, 5, 6))
    return x, tuple(golden.targets(list(x), 2))


def fitted(model, **options):
    x, y = some()
    keras.utils.set_random_seed(3)
    model.norm_layer_wide.adapt(x[0])
    model.norm_layer_deep.adapt(x[1])
    model.compile(
        loss=("mse", "mse"), loss_weights=(0.9, 0.1), optimizer="adam",
        metrics=["RootMeanSquaredError"], **options,
    )  # fmt: skip
    return model.fit(x, y, epochs=2, validation_data=(x, y), verbose=0).history


def test_the_listing_of_the_slides_names_its_outputs_by_number():
    model = WideAndDeepModel(30, activation="relu", name="my_cool_model")
    history = fitted(model)
    rmse = "root_mean_squared_error"
    keys = ["loss", "output_1_loss", "output_2_loss", f"output_1_{rmse}", f"output_2_{rmse}"]
    assert list(history) == [*keys, *(f"val_{key}" for key in keys)]
    x, y = some()
    assert list(model.evaluate(x, y, verbose=0, return_dict=True)) == keys
    main, aux = model.predict(x, verbose=0)
    assert main.shape == aux.shape == (80, 1) and model.count_params() == 1231
    by_name = {"output_1": "mse", "output_2": "mae"}
    model.compile(loss=by_name, optimizer="sgd")
    assert list(model.fit(x, y, verbose=0).history) == keys[:3]


@pytest.mark.parametrize("run_eagerly", [False, True])
def test_it_trains_bitwise_as_the_functional_one(run_eagerly):
    x, _ = some()
    one, other = WideAndDeepModel(), wide_and_deep_functional()
    one.build([(None, 5), (None, 6)])
    mine = [one.hidden1, one.hidden2, one.main_output, one.aux_output]
    for layer, name in zip(mine, ("dense_4", "dense_5", "dense_6", "dense_7"), strict=True):
        other.get_layer(name).set_weights(layer.get_weights())
    histories = [list(fitted(m, run_eagerly=run_eagerly).values()) for m in (one, other)]
    assert histories[0] == histories[1] and histories[0][0] != histories[0][1]
    for a, b in zip(one.predict(x, verbose=0), other.predict(x, verbose=0), strict=True):
        np.testing.assert_array_equal(a, b)


def test_the_summary_lists_layers_only(capsys):
    model = WideAndDeepModel(name="my_cool_model")
    model.build([(None, 5), (None, 6)])
    model.summary()
    printed = capsys.readouterr().out
    assert "Connected to" not in printed and "Total params: 1,231" in printed
    assert re.findall(r"^ (\w+) \(", printed, re.M)[1:] == [
        *("normalization", "normalization_1", "dense", "dense_1", "dense_2", "dense_3")
    ]


class Stack(keras.Model):
    """Layers in a list and a dict, one of them used again and again, and a branch."""

    def __init__(self, depth=3, **kwargs):
        super().__init__(**kwargs)
        self.blocks = [layers.Dense(4, activation="tanh") for _ in range(depth)]
        self.heads = {"a": layers.Dense(1), "b": layers.Dense(1)}
        self.noise = layers.GaussianNoise(0.5)

    def call(self, inputs, training=None):
        h = self.noise(inputs, training=training)
        for _ in range(2):
            for block in self.blocks:
                h = h + block(h)
        return {name: head(h) for name, head in self.heads.items()}


def test_layers_are_found_in_lists_and_dicts():
    model = Stack()
    x = rows(20, 4)
    model.compile(loss={"a": "mse", "b": "mae"}, optimizer="sgd")
    history = model.fit(x, {"b": x[:, :1], "a": x[:, 1:2]}, epochs=2, verbose=0).history
    assert list(history) == ["loss", "a_loss", "b_loss"]
    assert len(model.layers) == 6 and len(model.trainable_weights) == 10
    assert set(model.predict(x, verbose=0)) == {"a", "b"}


def test_training_is_handed_on():
    model = Stack()
    x = rows(20, 4)
    assert (model(x)["a"].data == model(x)["a"].data).all()
    assert (model(x, training=True)["a"].data != model(x)["a"].data).any()


def test_a_branch_on_the_numbers_runs_on_the_tape_and_says_so_once():
    class Branch(keras.Model):
        def __init__(self):
            super().__init__()
            self.plus, self.minus = layers.Dense(1), layers.Dense(1)

        def call(self, x):
            if float(ops.reductions.reduce_sum(x)) > 0.0:
                return self.plus(x)
            return self.minus(x)

    x, y = rows(64, 3), rows(64, 1)
    found = []
    for run_eagerly in (True, False):
        keras.utils.set_random_seed(1)
        model = Branch()
        for layer in (model.plus, model.minus):
            layer.build((None, 3))
        model.compile(loss="mse", optimizer="sgd", run_eagerly=run_eagerly)
        with warnings.catch_warnings(record=True) as warned:
            warnings.simplefilter("always")
            history = model.fit(x, y, epochs=3, batch_size=8, verbose=0).history
        told = [w for w in warned if "is not made a program" in str(w.message)]
        assert len(told) == (0 if run_eagerly else 1)
        found.append((history, [w.tolist() for w in model.get_weights()]))
    assert found[0] == found[1]


def test_a_step_of_your_own():
    class Half(keras.Model):
        def __init__(self):
            super().__init__()
            self.dense = layers.Dense(1)

        def call(self, x):
            return self.dense(x)

        def train_step(self, data):
            x, y = data
            y_pred = self(x, training=True)
            loss = self.compute_loss(y=y, y_pred=y_pred)
            weights = self.trainable_variables
            slopes = self.gradients(0.5 * loss, weights)
            self.optimizer.apply(slopes, weights)
            return {"half": float(loss.data) / 2}

        def test_step(self, data):
            x, y = data
            return {"half": float(np.square(self(x).data - y).mean()) / 2}

    model = Half()
    model.compile(loss="mse", optimizer="sgd")
    x, y = rows(64, 3), rows(64, 1)
    history = model.fit(x, y, epochs=3, validation_data=(x, y), verbose=0).history
    assert list(history) == ["half", "val_half"]
    assert model.evaluate(x, y, verbose=0) == pytest.approx(history["val_half"][-1])


class Counted(keras.Model):
    """A functional model with a step of its own, as the guide of Keras writes it."""

    steps = 0

    def train_step(self, data):
        self.steps += 1
        return super().train_step(data)


class Scored(keras.Model):
    """The same with an __init__ that makes the graph."""

    def __init__(self, width, **kwargs):
        x = keras.Input([width])
        super().__init__(inputs=x, outputs=layers.Dense(1)(x), **kwargs)
        self.width = width


def test_a_functional_model_with_methods_of_your_own(capsys):
    x = keras.Input([3])
    model = Counted(x, layers.Dense(1)(x), name="counted")
    assert type(model).__name__ == "Counted" and isinstance(model, Counted)
    model.compile(loss="mse", optimizer="sgd")
    model.fit(rows(64, 3), rows(64, 1), epochs=2, verbose=0)
    assert model.steps == 4
    model.summary()
    assert "Connected to" in capsys.readouterr().out
    again = Counted.from_config(model.get_config())
    assert isinstance(again, Counted) and again.name == "counted"
    scored = Scored(3, name="scored")
    assert scored.width == 3 and scored.output_shape == (None, 1)
    assert scored.predict(rows(2, 3), verbose=0).shape == (2, 1)


def test_a_model_of_your_own_in_a_graph():
    class Square(keras.Model):
        def call(self, inputs):
            return inputs * inputs

    x = keras.Input([3])
    model = keras.Model(x, layers.Dense(1)(Square(name="square")(x)))
    assert model.output_shape == (None, 1)
    assert isinstance(model(rows(2, 3)), Tensor)


# ------------------------------------------------------------------- what it costs to be code


def test_what_cannot_be_done_says_why():
    model = WideAndDeepModel(name="my_cool_model")
    model.build([(None, 5), (None, 6)])
    with pytest.raises(ValueError) as error:
        keras.models.clone_model(model)
    says(error, "'my_cool_model' is a WideAndDeepModel", "code in call")
    for attribute in ("output_shape", "input_shape", "output", "input"):
        with pytest.raises(AttributeError) as error:
            getattr(model, attribute)
        says(error, f"my_cool_model has no {attribute}", "code in call")
    with pytest.raises(ValueError) as error:
        model.draw()
    says(error, "draw before the graph")
    with pytest.raises(ValueError) as error:
        WideAndDeepModel().summary()
    says(error, "summary before the shape")


def test_a_call_that_returns_nothing():
    class Forgetful(keras.Model):
        def __init__(self):
            super().__init__()
            self.dense = layers.Dense(1)

        def call(self, inputs):
            self.dense(inputs)

    class ForgetfulLayer(layers.Layer):
        def call(self, inputs):
            _ = inputs * 2.0

    model = Forgetful()
    model.compile(loss="mse", optimizer="sgd")
    for use in (
        lambda: model(rows(2, 3)),
        lambda: model.fit(rows(2, 3), rows(2, 1), verbose=0),
        lambda: model.predict(rows(2, 3), verbose=0),
        lambda: Forgetful().build((None, 3)),
        lambda: ForgetfulLayer()(keras.Input([3])),
    ):
        with pytest.raises(TypeError) as error:
            use()
        says(error, "call returned None", "return")


def test_no_call_at_all():
    class Empty(keras.Model):
        pass

    with pytest.raises(NotImplementedError) as error:
        Empty()(rows(2, 3))
    says(error, "Empty has no call method")
