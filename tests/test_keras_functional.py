"""Functional models: several inputs and outputs, shared layers, operators; against real Keras."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from golden import record_keras_functional as golden
from messages import says

import gradlab as gl
from gradlab import Tensor, keras
from gradlab.entry import REGISTRY
from gradlab.keras.layers import operation

RECORDED = json.loads(golden.FILE.read_text())
layers, ops = keras.layers, keras.ops


pytestmark = pytest.mark.usefixtures("fresh_names")


def rows(*shape, seed=0):
    return np.random.default_rng(seed).standard_normal(shape).astype("float32")


def equal(a, b):
    """Tell whether two structures of arrays are the same, bit by bit."""
    a = a if isinstance(a, list | tuple) else [a]
    b = b if isinstance(b, list | tuple) else [b]
    return len(a) == len(b) and all((x == y).all() for x, y in zip(a, b, strict=True))


# ------------------------------------------------------------------------------- against Keras


@pytest.mark.parametrize("name", golden.CASES)
def test_training_is_that_of_keras(name):
    found, expected = golden.run(keras, name), RECORDED["runs"][name]
    assert found["layers"] == expected["layers"]
    assert found["weights"] == expected["weights"]
    assert set(found["history"]) == set(expected["history"])  # Keras sorts the names
    for key, values in expected["history"].items():
        assert found["history"][key] == pytest.approx(values, rel=2e-6), key
    assert found["evaluate"] == pytest.approx(expected["evaluate"], rel=2e-6)
    for ours, theirs in zip(found["predictions"], expected["predictions"], strict=True):
        assert ours == pytest.approx(theirs, rel=1e-5, abs=1e-6)


def test_layers_that_repeat_permute_and_merge_are_those_of_keras():
    assert golden.of_shapes(keras) == pytest.approx(RECORDED["shapes"], rel=1e-5, abs=1e-6)


@pytest.mark.parametrize("name", golden.WRITTEN)
def test_what_keras_wrote_down_is_read(name):
    written = RECORDED["written"][name]
    config = json.loads(json.dumps(written["config"]))
    model = golden.with_weights(keras.Model.from_config(config))
    assert config == written["config"]  # reading it changes nothing
    x = [a.reshape(3, *t.shape[1:]) for a, t in zip(golden.inputs_of(model), model.inputs)]
    found = np.ravel(model.predict(x if len(x) > 1 else x[0], verbose=0))
    assert found.tolist() == pytest.approx(written["predictions"], rel=1e-5, abs=1e-6)
    keras.backend.clear_session()
    ours = json.loads(json.dumps(golden.written(keras, name)["config"]))
    assert list(map(named, ours["layers"])) == list(map(named, config["layers"]))
    if name == "end":  # Keras counts the calls of a model from 1 where they are outputs
        assert ours["output_layers"] == config["output_layers"] == ["bl", 2, 0]


def named(layer):
    """Return the class of a layer, and its name, unless it is an operator."""
    kind = {"TrueDivide": "Divide", "Absolute": "Abs"}.get(layer["class_name"], layer["class_name"])
    return layer["module"], kind, None if "ops" in layer["module"] else layer["name"]


@pytest.mark.parametrize("name", sorted(ops.TABLE))
def test_functions_have_the_names_and_classes_of_keras(name):
    assert name in RECORDED["ops"]
    entry = ops.TABLE[name]
    if entry.__name__ in REGISTRY:
        entry = REGISTRY[entry.__name__]
        module, kind = operation.class_in_keras(entry)
        if entry.name == "gelu":
            return  # Keras has one class for both forms
        assert RECORDED["operations"][kind][0] == module
        known = {"getitem": {"key"}, "take": {"indices"}}.get(entry.name, set())
        ours = {n for n in entry.input_names if n in operation.SETTINGS or n in entry.parameters}
        theirs = {operation.argument_in_keras(entry, n) for n in ours - known}
        assert theirs - {"ddof"} <= set(RECORDED["operations"][kind][1])


# ----------------------------------------------------------------------------- symbolic tensors


def test_an_input_is_a_shape_a_type_and_a_name():
    x = keras.Input(shape=(28, 28), dtype="float64", name="image")
    assert (x.shape, x.dtype, x.name, x.ndim) == ((None, 28, 28), "float64", "image", 3)
    assert keras.Input([5]).name == "input_1" and keras.Input(5).shape == (None, 5)


def test_shapes_are_known_before_any_data():
    x = keras.Input(shape=[4, 6])
    dense = layers.Dense(3)(x)
    assert dense.shape == (None, 4, 3)
    assert layers.Flatten()(dense).shape == (None, 12)
    assert (x @ np.ones((6, 2), "float32")).shape == (None, 4, 2)
    assert ops.sum(x, axis=1).shape == (None, 6)
    assert ops.sum(x).shape == ()
    assert ops.reshape(x, (-1, 3)).shape == (None, 3)
    assert ops.transpose(x).shape == (6, 4, None)
    assert x[:, 0].shape == (None, 6)


def test_operators_and_functions_give_what_they_give_on_arrays():
    x, z = keras.Input([3], name="x"), keras.Input([3], name="z")

    def formula(x, z):
        return [
            1.0 - x,
            x / 2.0 + z * x,
            ops.exp(-x) ** 2.0,
            abs(z),
            ops.concatenate([x, z], axis=-1)[:, 1:5],
            ops.softmax(x),
            ops.glu(ops.concatenate([x, z, x, z], axis=1)),
            np.float32(2.0) * z,
            np.ones(3, "float32") + x,
        ]

    model = keras.Model([x, z], formula(x, z))
    a, b = rows(5, 3), rows(5, 3, seed=1)
    found = model.predict([a, b], verbose=0)
    expected = [y.data for y in formula(Tensor(a), Tensor(b))]
    assert len(found) == 9
    for ours, direct in zip(found, expected, strict=True):
        np.testing.assert_array_equal(ours, direct)
    assert {layer.name for layer in model.layers} == {"x", "z"}
    assert len(model.operations) == 2 + 15


def test_operators_train():
    x = keras.Input([3])
    y = layers.Dense(1)(x) * 2.0 + ops.tanh(layers.Dense(1)(x))
    model = keras.Model(x, y)
    model.compile(loss="mse", optimizer="sgd")
    data = rows(64, 3)
    losses = model.fit(data, data[:, :1], epochs=10, verbose=0).history["loss"]
    assert losses[-1] < 0.5 * losses[0]


@pytest.mark.parametrize(
    "use",
    [bool, float, list, len, np.asarray, lambda x: x > 0, lambda x: x.data],
    ids=["bool", "float", "list", "len", "array", "compare", "data"],
)
def test_a_symbol_has_no_numbers(use):
    with pytest.raises(TypeError) as error:
        use(keras.Input([3], name="x"))
    says(error, "name=x> has no numbers yet", "keras.ops")


def grown(rng, count):
    """Return a model that chance has put together, and the same computation on arrays."""
    width, made = 4, [keras.Input([4], name="x"), keras.Input([4], name="z")]
    dense = [layers.Dense(width, activation="tanh") for _ in range(3)]
    steps = []
    for _ in range(count):
        kind, i, j = rng.integers(6), rng.integers(len(made)), rng.integers(len(made))
        steps.append((int(kind), int(i), int(j)))
        made.append(one_step(steps[-1], made, dense))
    ends = [made[0] + made[1], *made[-3:]]

    def directly(x, z):
        found = [x, z]
        for step in steps:
            found.append(one_step(step, found, dense))
        return [found[0] + found[1], *found[-3:]]

    return keras.Model(made[:2], ends), directly


def one_step(step, made, dense):
    kind, i, j = step
    a, b = made[i], made[j]
    if kind < 3:
        return dense[kind](a)
    if kind == 3:
        return layers.Average()([a, b])
    return ops.tanh(a - 2.0 * b) if kind == 4 else ops.concatenate([a[:, 1:], b[:, :1]], axis=1)


@pytest.mark.parametrize("seed", range(20))
def test_any_graph_computes_what_its_calls_say(seed):
    model, directly = grown(np.random.default_rng(seed), 3 + seed)
    x = rows(5, 4), rows(5, 4, seed=1)
    expected = [y.data for y in directly(*map(Tensor, x))]
    assert equal(model.predict(x, verbose=0), expected)
    for other in (
        keras.Model.from_config(json.loads(json.dumps(model.get_config()))),
        keras.models.clone_model(model),
    ):
        other.set_weights(model.get_weights())
        assert equal(other.predict(x, verbose=0), expected)
    at = [layer.name for layer in model.operations]
    for call in model.calls:  # each after those that it needs
        for source in call.inputs:
            assert at.index(source.call.layer.name) <= at.index(call.layer.name) or call.number


def test_a_primitive_of_your_own_in_a_graph():
    @gl.primitive
    def doubled_here(x):
        return 2.0 * x

    @doubled_here.partial("x")
    def doubled_slope():
        return 2.0

    x = keras.Input([3])
    model = keras.Model(x, doubled_here(x))
    again = keras.Model.from_config(model.get_config())
    assert equal(again.predict(rows(2, 3), verbose=0), 2.0 * rows(2, 3))


# ----------------------------------------------------------------------------------- structures


def test_one_output_in_a_list_is_one_array():
    x = keras.Input([2])
    model = keras.Model(inputs=[x], outputs=[layers.Dense(1)(x)])
    assert model.predict(rows(3, 2), verbose=0).shape == (3, 1)
    assert model.predict([rows(3, 2)], verbose=0).shape == (3, 1)


def test_several_outputs_are_a_tuple_in_their_order():
    model = golden.wide_and_deep(keras)
    assert model.output_names == ["main", "aux"]
    assert model.input_names == ["wide", "deep"]
    x = (rows(3, 5), rows(3, 6))
    pair = model.predict(x, verbose=0)
    assert type(pair) is tuple and [y.shape for y in pair] == [(3, 1), (3, 1)]
    by_name = model.predict({"deep": x[1], "wide": x[0]}, verbose=0)
    assert equal(by_name, pair)
    assert [y.shape for y in model(x)] == [(3, 1), (3, 1)]


def test_dicts_and_nests():
    a, b, c = (keras.Input([2], name=name) for name in "abc")
    y = layers.Dense(1, name="y")(layers.Concatenate()([a, b, c]))
    model = keras.Model({"first": a, "rest": [b, c]}, {"sum": y, "parts": (a + b, b * c)})
    data = {"first": rows(4, 2), "rest": [rows(4, 2, seed=1), rows(4, 2, seed=2)]}
    found = model.predict(data, verbose=0)
    assert list(found) == ["sum", "parts"] and type(found["parts"]) is tuple
    np.testing.assert_array_equal(found["parts"][0], data["first"] + data["rest"][0])
    assert model.output_shape == [(None, 1), (None, 2), (None, 2)]


def test_outputs_in_a_dict_are_named_by_it():
    x = keras.Input([2])
    price = layers.Dense(1, name="a")(x)
    model = keras.Model(x, {"price": price, "double": 2.0 * price})
    assert model.output_names == ["price", "double"]
    model.compile(loss={"price": "mse", "double": "mae"}, optimizer="sgd")
    y = rows(8, 1)
    history = model.fit(rows(8, 2), {"double": 2.0 * y, "price": y}, verbose=0).history
    assert list(history) == ["loss", "price_loss", "double_loss"]


def test_one_layer_with_two_outputs_has_two_names():
    a, b = keras.Input([2]), keras.Input([2])
    dense = layers.Dense(1, name="shared")
    model = keras.Model([a, b], [dense(a), dense(b)])
    assert model.output_names == ["shared", "shared_1"]
    assert model.count_params() == 3


def test_a_layer_of_your_own_with_several_arguments():
    class Gate(layers.Layer):
        def call(self, x, open_: Any = None, power=1.0):
            return x * open_**power

    x, z = keras.Input([3]), keras.Input([1])
    y = Gate()(x, open_=z, power=2.0)
    assert y.shape == (None, 3)
    model = keras.Model([x, z], y)
    a, b = rows(4, 3), rows(4, 1)
    np.testing.assert_allclose(model.predict([a, b], verbose=0), a * b**2, rtol=1e-6)


# ---------------------------------------------------------------------------- models in models


def test_a_model_is_a_layer_of_another():
    model = golden.nested(keras)
    assert [layer.name for layer in model.layers] == ["outside", "bl", "row"]
    assert model.count_params() == 2 * 30 + 6
    assert len(model.trainable_weights) == 6


def test_lower_layers_of_a_trained_model_are_reused():
    x, y = rows(64, 4), rows(64, 1)
    old = keras.Sequential(
        [layers.Input([4]), layers.Dense(8, "relu", name="low"), layers.Dense(1, name="top")]
    )
    old.compile(loss="mse", optimizer="sgd")
    old.fit(x, y, verbose=0)
    new = keras.Sequential(old.layers[:-1])
    new.add(layers.Dense(2, name="new_top"))
    assert new.output_shape == (None, 2)  # the shape of the inputs is known from the old model
    new.layers[0].trainable = False
    new.compile(loss="mse", optimizer="sgd")
    low, top = old.get_layer("low").get_weights(), new.layers[1].get_weights()
    new.fit(x, rows(64, 2), verbose=0)
    assert equal(old.get_layer("low").get_weights(), low)
    assert not equal(new.layers[1].get_weights(), top)
    assert new.layers[0] is old.layers[0]


def test_an_inner_layer_gives_the_features():
    model = golden.wide_and_deep(keras)
    inner = model.get_layer("hidden2")
    features = keras.Model(model.inputs[1], inner.output)
    x = (rows(3, 5), rows(3, 6))
    expected = inner(model.get_layer("hidden1")(x[1])).data
    np.testing.assert_array_equal(features.predict(x[1], verbose=0), expected)
    assert features.get_layer("hidden2") is inner


def test_a_model_can_begin_in_the_middle_of_another():
    model = golden.wide_and_deep(keras)
    middle = model.get_layer("hidden1").output
    upper = keras.Model(middle, model.get_layer("aux").output)
    assert [layer.name for layer in upper.layers] == ["hidden1_input", "hidden2", "aux"]
    h = rows(3, 12)
    expected = model.get_layer("aux")(model.get_layer("hidden2")(h)).data
    np.testing.assert_array_equal(upper.predict(h, verbose=0), expected)
    again = keras.Model.from_config(json.loads(json.dumps(upper.get_config())))
    assert again.count_params() == upper.count_params()


# --------------------------------------------------------------------- three ways to one network


class Deep(keras.Model):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.hidden = layers.Dense(7, activation="relu")
        self.drop = layers.Dropout(0.3)
        self.out = layers.Dense(2, activation="softmax")

    def call(self, inputs, training=None):
        return self.out(self.drop(self.hidden(inputs), training=training))


def sequential():
    return keras.Sequential(
        [
            layers.Input([5]),
            layers.Dense(7, activation="relu"),
            layers.Dropout(0.3),
            layers.Dense(2, activation="softmax"),
        ]
    )


def functional():
    x = keras.Input([5])
    h = layers.Dropout(0.3)(layers.Dense(7, activation="relu")(x))
    return keras.Model(x, layers.Dense(2, activation="softmax")(h))


@pytest.mark.parametrize("run_eagerly", [False, True])
def test_three_ways_to_one_network_train_bitwise_alike(run_eagerly):
    x, y = rows(150, 5), np.arange(150) % 2
    found = []
    for make in (sequential, functional, Deep):
        keras.utils.set_random_seed(5)
        model = make()
        model.build((None, 5))
        weights = np.random.default_rng(6)
        model.set_weights([weights.standard_normal(w.shape) for w in model.get_weights()])
        keras.utils.set_random_seed(7)
        loss = "sparse_categorical_crossentropy"
        model.compile(loss=loss, optimizer="adam", metrics=["accuracy"], run_eagerly=run_eagerly)
        history = model.fit(x, y, epochs=3, validation_split=0.2, verbose=0).history
        found.append((history, model.get_weights(), model.predict(x, verbose=0)))
    (history, weights, predictions), *others = found
    for other in others:
        assert other[0] == history
        assert equal(other[1], weights)
        assert equal(other[2], predictions)


# --------------------------------------------------------------------------------------- cloning


@pytest.mark.parametrize("make", [golden.shared, golden.nested, golden.shapes, golden.functions])
def test_a_clone_has_the_same_form_and_weights_of_its_own(make):
    model = make(keras)
    clone = keras.models.clone_model(model)
    assert json.dumps(clone.get_config()) == json.dumps(model.get_config())
    mine, theirs = model.weights, clone.weights
    assert not {id(w) for w in mine} & {id(w) for w in theirs}
    clone.set_weights(model.get_weights())
    x = {t.name: a.reshape(3, *t.shape[1:]) for t, a in zip(model.inputs, golden.inputs_of(model))}
    found, expected = clone.predict(x, verbose=0), model.predict(x, verbose=0)
    as_list = (lambda y: list(y.values())) if isinstance(found, dict) else (lambda y: [y])
    assert equal(as_list(found), as_list(expected))


def test_a_clone_keeps_the_weights_of_its_model():
    model = sequential()
    before = model.get_weights()
    clone = keras.models.clone_model(model)
    assert [w.shape for w in clone.get_weights()] == [w.shape for w in before]
    assert not equal(clone.get_weights(), before)  # drawn anew
    assert equal(model.get_weights(), before)
    frozen = sequential()
    frozen.layers[0].trainable = False
    assert not keras.models.clone_model(frozen).layers[0].trainable


def test_a_clone_with_other_layers_and_other_inputs():
    model = functional()

    def without_dropout(layer):
        if isinstance(layer, layers.Dropout):
            return layers.Dropout(0.0, name="none")
        return layer.again()

    x = keras.Input([5], name="mine")
    clone = keras.models.clone_model(model, input_tensors=x, clone_function=without_dropout)
    assert clone.input_names == ["mine"] and clone.get_layer("none").rate == 0.0


# ---------------------------------------------------------------------------------- the summary

SUMMARY = """\
Model: "model"
__________________________________________________________________________________________________
 Layer (type)                Output Shape                 Param #   Connected to
==================================================================================================
 input_1 (InputLayer)        [(None, 8)]                  0         []

 normalization (Normalizatio  (None, 8)                   17        ['input_1[0][0]']
 n)

 dense (Dense)               (None, 30)                   270       ['normalization[0][0]']

 dense_1 (Dense)             (None, 30)                   930       ['dense[0][0]']

 concatenate (Concatenate)   (None, 38)                   0         ['normalization[0][0]',
                                                                     'dense_1[0][0]']

 dense_2 (Dense)             (None, 1)                    39        ['concatenate[0][0]']

==================================================================================================
Total params: 1,256
Trainable params: 1,239
Non-trainable params: 17
__________________________________________________________________________________________________
"""


def test_the_summary_is_that_of_the_slides(capsys):
    x = layers.Input(shape=[8])
    normalized = layers.Normalization()(x)
    hidden1 = layers.Dense(30, activation="relu")(normalized)
    hidden2 = layers.Dense(30, activation="relu")(hidden1)
    concat = layers.concatenate()([normalized, hidden2])
    keras.Model(inputs=[x], outputs=[layers.Dense(1)(concat)]).summary()
    printed = capsys.readouterr().out.splitlines()
    assert {len(line) for line in printed[1:-4] if line.strip()} == {98}
    assert [line.rstrip() for line in printed] == SUMMARY.splitlines()


def test_operators_and_shared_layers_in_the_summary(capsys):
    golden.shared(keras).summary()
    printed = capsys.readouterr().out
    assert "['a[0][0]', 'b[0][0]']" in printed.replace("',\n", "', ") or "'b[0][0]']" in printed
    assert "subtract (Operation)" in printed and "encode[1][0]" in printed


# --------------------------------------------------------------------------------------- pictures


def test_the_picture_has_a_box_for_each_layer():
    model = golden.wide_and_deep(keras)
    drawing = keras.utils.plot_model(model, to_file=None, show_shapes=True)
    vertices = {v.label: v for v in drawing.graph.vertices.values()}
    assert list(vertices) == ["deep", "hidden1", "wide", "hidden2", "concat", "main", "aux"]
    assert ("input", "(None, 5), (None, 7)") in vertices["concat"].rows
    assert ("output", "(None, 12)") in vertices["concat"].rows
    ends = [v.label for v in vertices.values() if v.kind == "output"]
    assert ends == ["main", "aux"]
    pairs = {(e.source, e.target) for e in drawing.graph.edges}
    assert (vertices["hidden2"].id, vertices["aux"].id) in pairs and len(pairs) == 6


def test_what_the_boxes_say():
    model = golden.wide_and_deep(keras)
    model.get_layer("hidden1").trainable = False
    plain = keras.utils.plot_model(model, None, show_layer_names=False)
    assert {v.rows for v in plain.graph.vertices.values()} == {()}
    assert [v.label for v in plain.graph.vertices.values()][:2] == ["InputLayer", "Dense"]
    told = keras.utils.plot_model(
        model,
        None,
        show_dtype=True,
        show_layer_activations=True,
        show_trainable=True,
        rankdir="LR",
    )
    hidden = next(v for v in told.graph.vertices.values() if v.label == "hidden1")
    assert dict(hidden.rows) == {
        "layer": "Dense",
        "dtype": "float32",
        "activation": "relu",
        "trainable": "no",
    }
    assert told.rankdir == "LR"


def test_operators_and_shared_layers_in_the_picture():
    drawing = golden.shared(keras).draw()
    kinds = [v.label for v in drawing.graph.vertices.values() if v.kind == "operator"]
    assert kinds.count("−") == 2 and "÷ 2" in kinds
    encodes = [v for v in drawing.graph.vertices.values() if v.label == "encode"]
    assert len(encodes) == 2 and ("shared", "called 2 times") in encodes[0].rows


def test_models_inside_are_expanded():
    model = golden.nested(keras)
    closed, opened = model.draw(neurons=False), model.draw(expand_nested=True)
    assert [v.label for v in closed.graph.vertices.values()].count("bl") == 2
    assert [c.label for c in opened.graph.groups.values()] == ["bl", "bl", "row"]
    labels = [v.label for v in opened.graph.vertices.values()]
    assert labels.count("grow") == 2 and "inside" not in labels


@pytest.mark.parametrize("form", ["svg", "png"])
def test_the_picture_goes_into_a_file(tmp_path, form):
    path = tmp_path / f"model.{form}"
    keras.utils.plot_model(golden.nested(keras), path, expand_nested=True)
    assert path.stat().st_size > 1000


# ---------------------------------------------------------------------------------- mistakes


def test_an_input_that_is_missing_is_named():
    a, b = keras.Input([2], name="a"), keras.Input([2], name="b")
    with pytest.raises(ValueError) as error:
        keras.Model(inputs=[a], outputs=layers.Dense(1)(a + b))
    says(error, "the input 'b'", "inputs=[a, b]")


def test_an_input_that_reaches_no_output_is_named():
    a, b = keras.Input([2], name="a"), keras.Input([2], name="b")
    with pytest.raises(ValueError) as error:
        keras.Model(inputs=[a, b], outputs=layers.Dense(1)(a))
    says(error, "no output is computed from the input 'b'")


def test_shapes_that_conflict_name_both_layers():
    low = layers.Dense(4, name="low")(keras.Input([3]))
    high = layers.Dense(1, name="high")
    high(keras.Input([5]))
    with pytest.raises(ValueError) as error:
        high(low)
    says(error, "high: inputs of shape (None, 4), from low", "expected 5 features")
    with pytest.raises(ValueError) as error:
        layers.Dense(1)(low + keras.Input([3], name="x"))
    says(error, "from low and x", "(None, 4) and (None, 3)")


def test_two_layers_of_one_name():
    x = keras.Input([3])
    h = layers.Dense(3, name="same")(x)
    with pytest.raises(ValueError) as error:
        keras.Model(x, layers.Dense(1, name="same")(h))
    says(error, "two layers are called 'same'")


def test_what_is_no_symbol():
    x = keras.Input([3])
    with pytest.raises(TypeError) as error:
        keras.Model(x, layers.Dense(1))
    says(error, "outputs has Dense")
    with pytest.raises(TypeError) as error:
        keras.Model(np.zeros((2, 3)), layers.Dense(1)(x))
    says(error, "inputs has ndarray")


@pytest.mark.parametrize(
    ("x", "words"),
    [
        (rows(3, 5), ("1 given for 2 inputs", "wide, deep")),
        ({"wide": rows(3, 5)}, ("no data for the input 'deep'",)),
        (
            (rows(3, 6), rows(3, 5)),
            ("data of shape (None, 6) for the input 'wide'", "in the order wide, deep"),
        ),
    ],
    ids=["one", "by name", "order"],
)
def test_the_wrong_inputs(x, words):
    with pytest.raises(ValueError) as error:
        golden.wide_and_deep(keras).predict(x, verbose=0)
    says(error, *words)


def test_a_circle_in_a_config():
    config = golden.wide_and_deep(keras).get_config()
    hidden1, hidden2 = (
        next(e for e in config["layers"] if e["name"] == name) for name in ("hidden1", "hidden2")
    )
    hidden1["inbound_nodes"][0]["args"][0]["config"]["keras_history"] = ["hidden2", 0, 0]
    with pytest.raises(ValueError) as error:
        keras.Model.from_config(config)
    says(error, "hidden1", "hidden2", "in a circle")
    config["output_layers"][0][0] = "man"
    hidden1["inbound_nodes"][0]["args"][0]["config"]["keras_history"] = ["deep", 0, 0]
    with pytest.raises(ValueError) as error:
        keras.Model.from_config(config)
    says(error, "['man', 0, 0]", "main")
    hidden2["inbound_nodes"][0]["args"][0]["config"]["keras_history"] = ["hidden3", 0, 0]
    with pytest.raises(ValueError) as error:
        keras.Model.from_config(config)
    says(error, "'hidden3'", "expected one of")


def test_a_model_that_holds_itself():
    model = keras.Sequential([layers.Dense(1)])
    with pytest.raises(ValueError) as error:
        model.add(model)
    says(error, "a part of itself")
    outer = keras.Sequential([model])
    with pytest.raises(ValueError) as error:
        model.add(outer)
    says(error, "a part of itself")


def test_a_lambda_layer_trains_but_is_not_saved(tmp_path):
    x = keras.Input([3])
    h = layers.Lambda(lambda t: t**2.0, name="squared")(layers.Dense(4)(x))
    model = keras.Model(x, layers.Dense(1)(h))
    model.compile(loss="mse", optimizer="sgd")
    data = rows(32, 3)
    losses = model.fit(data, data[:, :1], epochs=5, verbose=0).history["loss"]
    assert losses[-1] < losses[0]
    with pytest.raises(ValueError) as error:
        model.get_config()
    says(error, "squared: a Lambda layer cannot be saved", "keras.layers.Layer")
    clone = keras.models.clone_model(model)
    clone.set_weights(model.get_weights())
    assert equal(clone.predict(data, verbose=0), model.predict(data, verbose=0))
