"""Recurrent layers, embeddings and masks: against recorded Keras, by hand, and their mistakes."""

from __future__ import annotations

import json
import tracemalloc

import numpy as np
import pytest
from golden import record_keras_sequences as golden

import gradlab as gl
from gradlab import ShapeError, Tensor, keras
from gradlab.keras import masks
from gradlab.kernels import recurrent_loops
from gradlab.ops import recurrent
from gradlab.program import program
from gradlab.testing import gradcheck

RECORDED = json.loads(golden.FILE.read_text())
RNG = np.random.default_rng(9)
L = keras.layers


@pytest.fixture(autouse=True)
def _fresh_names():
    keras.backend.clear_session()
    keras.utils.set_random_seed(42)


def plain(x):
    return x.data if isinstance(x, Tensor) else np.asarray(x)


# -------------------------------------------------------------------------------- against Keras


def check_answers(name):
    """Outputs and gradients are those of Keras, up to roundings of float32."""
    layer, xs = golden.layer(keras, name), [Tensor(x) for x in golden.inputs_of(name)]
    ys = golden.called(keras, name, layer, xs)
    found = {f"y{k}": plain(y) for k, y in enumerate(ys)}
    total = sum((y * golden.numbers(f"{name} g{k}", *y.shape)).sum() for k, y in enumerate(ys))
    total.backward()
    found |= {f"dx{k}": x.grad for k, x in enumerate(xs)}
    found |= {f"dw{k}": w.grad for k, w in enumerate(layer.trainable_weights)}
    wanted = {key: np.array(a) for key, a in RECORDED["layers"][name].items()}
    assert found.keys() == wanted.keys()
    for key, array in wanted.items():
        mine = np.zeros_like(array) if found[key] is None else found[key]
        assert mine.shape == array.shape, key
        assert mine == pytest.approx(array, rel=1e-4, abs=2e-5), key


def check_made_again(name):
    """A layer is written down as JSON and made again, and its shape is the one it announces."""
    layer, xs = golden.layer(keras, name), golden.inputs_of(name)
    written = json.loads(json.dumps(L.serialize(layer)))
    again = L.deserialize(written)
    ys = golden.called(keras, name, layer, xs)
    golden.called(keras, name, again, xs)
    assert json.loads(json.dumps(L.serialize(again)))["config"] == written["config"]
    again.set_weights(layer.get_weights())
    for y, z in zip(ys, golden.called(keras, name, again, xs), strict=True):
        np.testing.assert_array_equal(plain(y), plain(z))
    if any(
        "mask" in keyword and keyword != "use_causal_mask" for keyword in golden.LAYERS[name][2]
    ):
        return  # masks for a batch of 4
    symbols = golden.called(keras, name, layer, [keras.Input(x.shape[1:]) for x in xs])
    assert [s.shape[1:] for s in symbols] == [y.shape[1:] for y in ys]


@pytest.mark.parametrize("name", golden.RECURRENT)
def test_a_layer_answers_as_keras(name):
    check_answers(name)


@pytest.mark.parametrize("name", golden.RECURRENT)
def test_a_layer_is_made_again(name):
    check_made_again(name)


@pytest.mark.parametrize("run_eagerly", [False, True])
@pytest.mark.parametrize("name", golden.MODELS)
def test_a_model_learns_as_in_keras(name, run_eagerly):
    found = golden.curve(keras, name, run_eagerly)
    for key, values in RECORDED["curves"][name].items():
        assert found[key] == pytest.approx(values, rel=2e-4, abs=2e-5), key


@pytest.mark.parametrize("run_eagerly", [False, True])
@pytest.mark.parametrize("name", golden.LEARNED)
def test_a_layer_learns_as_in_keras(name, run_eagerly):
    found = golden.learned(keras, name, run_eagerly)
    assert found == pytest.approx(RECORDED["learned"][name], rel=2e-4, abs=2e-5)


@pytest.mark.parametrize("name", golden.MASKED)
def test_a_layer_counts_steps_as_keras(name):
    check_answers(name)


def test_a_stateful_layer_goes_on_where_it_stopped_as_in_keras():
    assert golden.stateful(keras) == pytest.approx(RECORDED["stateful"], rel=1e-5, abs=1e-6)


# ------------------------------------------------------------------------------- the primitives

NETWORKS = {
    "simple_rnn": (recurrent.simple_rnn, recurrent.simple_rnn_step, 1, 1),
    "lstm": (recurrent.lstm, recurrent.lstm_step, 4, 2),
    "gru": (recurrent.gru, recurrent.gru_step, 3, 1),
}


def drawn(name, steps=4, batch=3, units=2, masked=False):
    network, step, sums, states = NETWORKS[name]
    z, U = RNG.normal(size=(steps, batch, sums * units)), RNG.normal(size=(units, sums * units))
    b = [RNG.normal(size=sums * units)] if name == "gru" else []
    first = [RNG.normal(size=(batch, units)) for _ in range(states)]
    mask = RNG.random((steps, batch)) < 0.6 if masked else None
    return network, step, [z, U, *b, *first], mask


@pytest.mark.parametrize("masked", [False, True])
@pytest.mark.parametrize("name", NETWORKS)
def test_a_network_is_its_steps(name, masked):
    network, step, (z, *weights), mask = drawn(name, masked=masked)
    shared = weights[: len(weights) - NETWORKS[name][3]]
    states = tuple(weights[len(shared) :])
    outputs, last = recurrent.by_steps(lambda z, *h: step(z, *shared, *h), z, states, mask)
    wanted = np.stack([*outputs, *last[1:]])
    np.testing.assert_allclose(network(z, *weights, mask=mask), wanted, rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("masked", [False, True])
@pytest.mark.parametrize("name", ["lstm", "gru"])
def test_compiled_loops_do_what_numpy_does(name, masked, dtype, monkeypatch):
    network, _, arrays, mask = drawn(name, masked=masked)
    arrays, found = [a.astype(dtype) for a in arrays], []
    flow = RNG.normal(size=network(*arrays).shape).astype(dtype)
    for worth in (0, np.inf):
        monkeypatch.setattr(recurrent_loops, "WORTH_COMPILING", worth)
        nodes = [Tensor(a) for a in arrays]
        y = network(*nodes, mask=mask)
        y.backward(flow)
        found.append([y.data, *(node.grad for node in nodes)])
    close = 1e-5 if dtype == "float32" else 1e-12
    for compiled, plain in zip(*found, strict=True):
        assert compiled.dtype == dtype
        np.testing.assert_allclose(compiled, plain, rtol=close, atol=close)


@pytest.mark.parametrize("name", NETWORKS)
def test_a_masked_step_may_hold_anything(name):
    network, _, (z, *weights), mask = drawn(name, masked=True)
    mask[-1] = [True, False, False]
    y = network(z, *weights, mask=mask)
    for t, at in np.ndindex(3, 3):
        if not mask[t, at]:
            z[t, at] = 1e4
    np.testing.assert_array_equal(network(z, *weights, mask=mask), y)


@pytest.mark.parametrize("name", NETWORKS)
def test_one_way_back_serves_all_arguments(name, monkeypatch):
    network, _, arrays, _ = drawn(name)
    back, calls = getattr(recurrent.kernels, f"{name}_back"), []

    def counted(*args):
        calls.append(name)
        return back(*args)

    monkeypatch.setattr(recurrent.kernels, f"{name}_back", counted)
    nodes = [Tensor(a) for a in arrays]
    network(*nodes).sum().backward()
    assert all(node.grad is not None for node in nodes) and calls == [name]


@pytest.mark.parametrize("name", NETWORKS)
def test_derivatives_of_any_order(name):
    network, _, (z, *weights), _ = drawn(name, steps=2, batch=1, units=1)

    def f(z):
        return (network(z, *weights) ** 3).sum()

    def slope(z):
        return (gl.grad(f)(z) ** 2).sum()

    def slope_of_slope(z):
        return (gl.grad(slope)(z) ** 2).sum()

    assert gradcheck(f, z) and gradcheck(slope, z) and gradcheck(slope_of_slope, z)


def test_a_slope_of_the_way_back_with_constants_beside_it():
    _, _, (z, U, h, c), _ = drawn("lstm")
    flow = RNG.normal(size=(5, 3, 2))

    def back(flow):
        return recurrent.lstm_back(flow, z, U, h, c)

    assert gradcheck(back, flow)


@pytest.mark.parametrize("name", NETWORKS)
def test_float32_stays_float32(name):
    network, _, arrays, _ = drawn(name)
    nodes = [Tensor(a.astype("float32")) for a in arrays]
    y = network(*nodes)
    y.sum().backward()
    assert y.dtype == np.float32 and {n.grad.dtype for n in nodes} == {np.dtype("float32")}


def test_memory_is_a_few_times_that_of_the_sums():
    z, U = np.ones((100, 32, 256), "float32"), np.ones((64, 256), "float32")
    h = np.zeros((32, 64), "float32")
    y = recurrent.lstm(z, U, h, h)
    recurrent.lstm_back(y, z, U, h, h, states=y)  # a first time: what Numba compiles is no array
    tracemalloc.start()
    recurrent.lstm_back(y, z, U, h, h, states=y)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 4 * z.nbytes


# ----------------------------------------------------------------------------------- by hand


@pytest.mark.parametrize("kind", [L.SimpleRNN, L.LSTM, L.GRU])
def test_a_masked_sequence_is_a_shorter_one(kind):
    layer = kind(3)
    x = RNG.normal(size=(2, 6, 4)).astype("float32")
    mask = np.arange(6) < np.array([[4], [6]])
    y = plain(layer(x, mask=mask))
    np.testing.assert_allclose(y[0], plain(layer(x[:1, :4]))[0], rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(y[1], plain(layer(x[1:]))[0], rtol=1e-5, atol=1e-6)


def test_states_handed_on_are_a_longer_sequence():
    layer = L.LSTM(3, return_state=True, return_sequences=True)
    x = RNG.normal(size=(2, 6, 4)).astype("float32")
    whole, h, c = layer(x)
    _, *states = layer(x[:, :2])
    rest, *last = layer(x[:, 2:], initial_state=states)
    np.testing.assert_allclose(rest.data, whole.data[:, 2:], rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose([s.data for s in last], [h.data, c.data], rtol=1e-5, atol=1e-6)


def test_an_encoder_hands_its_states_to_a_decoder():
    source, target = keras.Input((5, 2)), keras.Input((4, 3))
    _, h, c = L.LSTM(6, return_state=True)(source)
    y = L.LSTM(6, return_sequences=True)(target, initial_state=[h, c])
    model = keras.Model([source, target], L.Dense(1)(y))
    model.compile(loss="mse", optimizer="adam")
    xs = [RNG.normal(size=(8, *s)).astype("float32") for s in ((5, 2), (4, 3))]
    history = model.fit(xs, xs[1][..., :1], epochs=20, verbose=0).history["loss"]
    assert history[-1] < history[0] and model.program() is not None


def test_dropout_drops_the_same_at_every_step_and_another_in_the_next_sequence():
    layer = L.SimpleRNN(4, dropout=0.5, return_sequences=True, recurrent_initializer="zeros")
    x = np.ones((3, 5, 8), "float32")
    first, second = plain(layer(x, training=True)), plain(layer(x, training=True))
    assert (first == first[:, :1]).all() and not (first == second).all()
    assert (plain(layer(x)) == plain(layer(x))).all()


def test_dropout_in_the_recorded_step_draws_anew_for_each_batch():
    model = keras.Sequential(
        [L.Input((3, 2)), L.LSTM(4, dropout=0.5, recurrent_dropout=0.5), L.Dense(1)]
    )
    model.compile(loss="mse", optimizer=keras.optimizers.SGD(0.0))
    x, y = np.ones((8, 3, 2)), np.ones((8, 1))
    losses = model.fit(x, y, epochs=6, batch_size=8, verbose=0).history["loss"]
    assert model.program() is not None and len(set(losses[1:])) == 5


def test_recording_a_stateful_layer_is_no_step():
    layer, x = L.LSTM(2, stateful=True), np.ones((2, 3, 1), "float32")
    eager = [layer(x).data for _ in range(2)]
    layer.reset_states()
    recorded = program(layer)
    for y in eager:
        np.testing.assert_allclose(recorded(x), y, rtol=1e-6)


@pytest.mark.parametrize("layer", [L.Conv1D(2, 3, padding="same"), L.Flatten()])
def test_a_lost_mask_is_told(layer):
    words = L.Embedding(6, 4, mask_zero=True)(np.array([[1, 2, 0]]))
    with pytest.warns(UserWarning, match="neither uses nor hands on") as told:
        assert masks.found(layer(words)) is None
    assert len(str(told[0].message).splitlines()) == 3


def test_a_stateful_layer_learns_from_pieces_of_a_sequence():
    def trained(run_eagerly):
        keras.backend.clear_session()
        keras.utils.set_random_seed(3)
        model = keras.Sequential([L.LSTM(3, stateful=True, return_sequences=True), L.Dense(1)])
        model.compile(loss="mse", optimizer="sgd", run_eagerly=run_eagerly)
        x = np.sin(np.arange(40.0)).reshape(4, 10, 1)  # two sequences in two pieces each
        model.fit(x, x, batch_size=2, epochs=3, shuffle=False, verbose=0)
        return [plain(w) for w in model.weights], model.layers[0].states

    fast, slow = trained(False), trained(True)
    for one, other in zip(fast[0], slow[0], strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(fast[1], slow[1], rtol=1e-4, atol=1e-6)
    assert len(fast[0]) == 5 and np.any(fast[1])


def test_forgotten_states():
    layer = L.GRU(2, stateful=True)
    x = np.ones((2, 3, 1), "float32")
    first = plain(layer(x))
    assert not np.allclose(plain(layer(x)), first)
    layer.reset_states()
    np.testing.assert_array_equal(plain(layer(x)), first)
    layer.reset_states([np.zeros((2, 2))])
    np.testing.assert_array_equal(plain(layer(x)), first)


def test_an_lstm_remembers_what_a_simple_network_forgets():
    z = np.tile([-50.0, 50.0, 0.0, 50.0], (100, 1, 1))  # the gates: shut, keep, -, show
    U, h = np.zeros((1, 4)), np.zeros((1, 1))
    c = gl.Tensor([[0.5]])
    recurrent.lstm(z, U, h, c)[100].sum().backward()
    assert c.grad[0, 0] == pytest.approx(1.0)
    first = gl.Tensor([[0.5]])
    recurrent.simple_rnn(np.zeros((100, 1, 1)), np.array([[0.9]]), first)[99].sum().backward()
    assert 0 < first.grad[0, 0] < 0.9**99


def test_what_a_layer_knows_of_its_cell():
    layer = L.LSTM(3, activation="relu")
    assert layer.units == 3 and layer.activation is gl.relu and layer.unit_forget_bias
    with pytest.raises(AttributeError, match="wings"):
        _ = layer.wings
    layer(np.ones((1, 2, 3)))
    np.testing.assert_array_equal(layer.bias.data, [0, 0, 0, 1, 1, 1, 0, 0, 0, 0, 0, 0])


# ----------------------------------------------------------------------- embeddings and masks


def test_an_embedding_picks_rows_and_adds_up_their_gradients():
    layer = L.Embedding(5, 2, mask_zero=True)
    y = layer(np.array([[1, 3, 1], [0, 4, 0]]))
    np.testing.assert_array_equal(y.data[0, 0], layer.embeddings.data[1])
    np.testing.assert_array_equal(masks.found(y), [[True, True, True], [False, True, False]])
    y.sum().backward()
    np.testing.assert_array_equal(layer.embeddings.grad[:, 0], [2, 2, 0, 1, 1])


def test_an_embedding_that_is_given():
    layer = L.Embedding(2, 2, weights=[[1.0, 2.0], [3.0, 4.0]])
    np.testing.assert_array_equal(plain(layer(np.array([1, 0]))), [[3.0, 4.0], [1.0, 2.0]])


def test_a_mask_goes_through_the_layers_up_to_the_loss():
    x = RNG.normal(size=(2, 4, 3)).astype("float32")
    x[0, 2:] = 0.0
    y = L.Masking()(x)
    for layer in (L.Dropout(0.5), L.Dense(3, activation="tanh"), L.LSTM(3, return_sequences=True)):
        y = layer(y)
    np.testing.assert_array_equal(masks.found(y), [[1, 1, 0, 0], [1, 1, 1, 1]])
    target = np.ones(y.shape, "float32")
    kept = ((plain(y) - target) ** 2).mean(-1)[[0, 0, 1, 1, 1, 1], [0, 1, 0, 1, 2, 3]]
    assert float(keras.losses.MeanSquaredError()(target, y)) == pytest.approx(kept.mean())


def test_a_mask_goes_with_its_array():
    x = np.ones((2, 3, 1))
    masks.put(x, np.ones((2, 3), bool))
    assert masks.found(x) is not None and masks.found(x.copy()) is None
    count = len(masks._masks)
    del x
    assert len(masks._masks) == count - 1


def test_masking_replaces_what_does_not_count():
    x = np.array([[[1.0, 2.0], [np.inf, np.inf]]])
    np.testing.assert_array_equal(L.Masking(np.inf)(x), [[[1.0, 2.0], [0.0, 0.0]]])


# -------------------------------------------------------------------------------------- mistakes

LINES = np.ones((2, 5, 3), np.float32)


def refilled(layer, *batches):
    for batch in batches:
        layer(np.ones((batch, 5, 3)))


@pytest.mark.parametrize(
    ("mistake", "error", "words"),
    [
        (lambda: L.LSTM(0), ValueError, "units=0"),
        (lambda: L.GRU(3, dropout=1.5), ValueError, "dropout=1.5"),
        (lambda: L.LSTM(3)(LINES[0]), ShapeError, r"x\[np.newaxis\] for one"),
        (lambda: L.LSTM(3)(keras.Input((5,))), ShapeError, r"\(batch, steps, features\)"),
        (lambda: L.LSTM(3)(keras.Input((5, None))), ShapeError, "the number of features known"),
        (lambda: L.LSTM(3)(LINES, mask=np.ones((2, 4))), ShapeError, r"mask of shape \(2, 4\)"),
        (
            lambda: L.LSTM(3)(LINES, initial_state=[np.ones((2, 3))]),
            ShapeError,
            "initial_state of shapes",
        ),
        (
            lambda: refilled(L.LSTM(3, stateful=True), 4, 2),
            ValueError,
            "a batch of 2 after batches of 4",
        ),
        (lambda: L.LSTM(3).reset_states(), RuntimeError, "stateful=True"),
        (lambda: L.LSTM(3, retrun_sequences=True), ValueError, "return_sequences"),
        (lambda: L.RNN(L.Dense(3)), ValueError, "state_size"),
        (lambda: L.Bidirectional(L.Dense(3)), ValueError, "a recurrent layer"),
        (lambda: L.Bidirectional(L.LSTM(3), merge_mode="max"), ValueError, "merge_mode='max'"),
        (
            lambda: L.Bidirectional(L.LSTM(3), backward_layer=L.LSTM(3)),
            ValueError,
            "go_backwards",
        ),
        (lambda: L.TimeDistributed(3), ValueError, "expected a layer"),
        (lambda: L.TimeDistributed(L.Dense(3))(LINES[0]), ShapeError, "without TimeDistributed"),
        (lambda: L.Embedding(0, 3), ValueError, "input_dim=0"),
        (lambda: L.Embedding(5, 3)(np.array([[1, 5]])), ValueError, r"5 at \[0, 1\]"),
        (lambda: L.Embedding(5, 3)(np.array([[-1]])), ValueError, "from 0 to 4"),
        (lambda: L.Embedding(5, 3)(np.array([[0.5]])), ValueError, "0.5 at"),
        (
            lambda: recurrent.lstm(LINES, LINES[0], LINES[0], LINES[0]),
            ShapeError,
            r"4 \* units",
        ),
    ],
)
def test_a_mistake_is_told_in_three_lines(mistake, error, words):
    with pytest.raises(error, match=words) as caught:
        mistake()
    assert str(caught.value).count("\n") == 2


def test_ragged_sequences_are_told_what_to_do():
    model = keras.Sequential([L.LSTM(3), L.Dense(1)])
    model.compile(loss="mse")
    with pytest.raises(ValueError, match="different lengths"):
        model.fit([[[1.0], [2.0]], [[3.0]]], np.ones((2, 1)), verbose=0)


def test_a_wrong_word_in_the_middle_of_training_leaves_the_weights_alone():
    model = keras.Sequential([L.Embedding(4, 2), L.Flatten(), L.Dense(1)])
    model.compile(loss="mse", optimizer="sgd")
    x, y = np.zeros((4, 3)), np.ones((4, 1))
    model.fit(x, y, epochs=2, verbose=0)
    before = model.get_weights()
    with pytest.raises(ValueError, match="7 at"):
        model.fit(x + 7, y, verbose=0)
    for one, other in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)
