"""Normalization and the dropouts for images: against recorded Keras, by hand, and mistakes."""

from __future__ import annotations

import numpy as np
import pytest
from against_keras import check_answers, check_curve, check_shape, plain
from golden import record_keras_windows as golden

from gradlab import ShapeError, keras
from gradlab.program import program

L = keras.layers
TRAINED = [n for n, case in golden.NORMALIZATION.items() if case[0] not in golden.RANDOM]


@pytest.fixture(autouse=True)
def _fresh_names():
    keras.backend.clear_session()
    keras.utils.set_random_seed(42)


@pytest.mark.parametrize("name", golden.NORMALIZATION)
def test_a_layer_answers_as_keras(name):
    check_answers(name)


@pytest.mark.parametrize("name", golden.NORMALIZATION)
def test_a_layer_announces_its_shape(name):
    check_shape(name)


@pytest.mark.parametrize("run_eagerly", [False, True])
@pytest.mark.parametrize("name", TRAINED)
def test_a_layer_learns_as_in_keras(name, run_eagerly):
    check_curve(name, run_eagerly)


# --------------------------------------------------------------------------- the moving averages


def network(run_eagerly=False):
    keras.utils.set_random_seed(7)
    layers = [L.Conv2D(4, 3), L.BatchNormalization(momentum=0.8), L.MaxPooling2D()]
    layers += [L.Flatten(), L.Dense(3, activation="softmax")]
    model = keras.Sequential([L.Input((8, 8, 2)), *layers])
    loss = "sparse_categorical_crossentropy"
    model.compile(loss=loss, optimizer="sgd", run_eagerly=run_eagerly)
    return model


X, Y = golden.numbers("images", 24, 8, 8, 2), np.arange(24) % 3


def test_a_recorded_step_and_the_tape_do_the_same():
    recorded, eager = network(), network(run_eagerly=True)
    for model in (recorded, eager):
        data = {"validation_data": (X, Y), "verbose": 0, "shuffle": False}
        model.history_ = model.fit(X, Y, batch_size=7, epochs=3, **data).history
    assert recorded._programs["train"].reason is None
    assert recorded._programs["train"].programs
    assert not any(step.programs for step in (eager._programs or {}).values())
    for name, values in eager.history_.items():
        assert recorded.history_[name] == pytest.approx(values, rel=1e-5), name
    for a, b in zip(recorded.get_weights(), eager.get_weights(), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-6)


def test_one_program_serves_all_steps():
    model = network()
    model.fit(X, Y, batch_size=8, epochs=4, verbose=0)
    assert len(model._programs["train"].programs) == 1
    model.evaluate(X, Y, batch_size=8, verbose=0)
    model.fit(X, Y, batch_size=8, verbose=0)
    first = model.evaluate(X, Y, batch_size=8, verbose=0)
    assert len(model._programs["test"].programs) == 1
    assert first == pytest.approx(network_again(model).evaluate(X, Y, batch_size=8, verbose=0))


def network_again(model):
    again = network(run_eagerly=True)
    again.set_weights(model.get_weights())
    return again


@pytest.mark.parametrize("run_eagerly", [False, True])
def test_each_step_counts_once(run_eagerly):
    model = keras.Sequential([L.Input((2,)), L.BatchNormalization(momentum=0.5), L.Dense(1)])
    model.compile(loss="mse", optimizer="sgd", run_eagerly=run_eagerly)
    x = np.array([[1.0, 10.0], [3.0, 30.0]], np.float32)
    model.fit(x, x[:, 0], epochs=3, verbose=0)
    layer = model.layers[0]
    np.testing.assert_allclose(layer.moving_mean.data, np.array([2.0, 20.0]) * (1 - 0.5**3))
    batch = np.array([1.0, 100.0])
    np.testing.assert_allclose(layer.moving_variance.data, batch + (1 - batch) * 0.5**3)


@pytest.mark.filterwarnings("ignore:.*is not made a program")
def test_recording_is_no_step_of_training():
    layer, twin = (L.BatchNormalization(momentum=0.5) for _ in range(2))
    x = golden.numbers("recorded", 8, 3)
    layer.build(x.shape)

    def trained(x):
        return layer(x, training=True)

    recorded = program(trained)
    for _ in range(2):
        np.testing.assert_allclose(recorded(x), twin(x, training=True).data, rtol=1e-6)
        np.testing.assert_allclose(layer.moving_mean.data, twin.moving_mean.data)


def test_a_prediction_changes_no_average():
    model = network()
    before = model.get_weights()
    for use in (model.predict, model):
        use(X)
    model.evaluate(X, Y, verbose=0)
    assert all((a == b).all() for a, b in zip(before, model.get_weights(), strict=True))


@pytest.mark.parametrize("run_eagerly", [False, True])
def test_a_frozen_layer_is_at_rest(run_eagerly):
    model = network(run_eagerly)
    model.fit(X, Y, verbose=0)
    layer = model.layers[1]
    layer.trainable = False
    model.compile(loss="sparse_categorical_crossentropy", optimizer="sgd", run_eagerly=run_eagerly)
    before = layer.get_weights()
    model.fit(X, Y, verbose=0)
    assert all((a == b).all() for a, b in zip(before, layer.get_weights(), strict=True))
    x = golden.numbers("x", 5, 6, 6, 4)
    assert (plain(layer(x, training=True)) == plain(layer(x))).all()


def test_averages_are_weights_that_are_not_trained():
    layer = L.BatchNormalization()
    layer.build((None, 4))
    assert [w.name for w in layer.weights] == ["gamma", "beta", "moving_mean", "moving_variance"]
    assert [w.name for w in layer.trainable_weights] == ["gamma", "beta"]


def test_equal_numbers_are_no_division_by_zero():
    x = np.full((4, 6), 3.0, np.float32)
    kinds = (L.BatchNormalization, L.LayerNormalization, lambda: L.GroupNormalization(2))
    for kind in kinds:
        assert (plain(kind()(x, training=True)) == 0.0).all()
    assert (plain(L.UnitNormalization()(0.0 * x)) == 0.0).all()


# ------------------------------------------------------------------------------- the dropouts


def test_spatial_dropout_drops_whole_channels():
    y = L.SpatialDropout1D(0.5, seed=1)(np.ones((40, 5, 6)), training=True)
    assert (y == y[:, :1]).all() and set(np.unique(y)) == {0.0, 2.0}
    y = L.SpatialDropout2D(0.5, seed=1)(np.ones((20, 3, 4, 6)), training=True)
    assert (y == y[:, :1, :1]).all() and set(np.unique(y)) == {0.0, 2.0}
    first = L.SpatialDropout2D(0.5, "channels_first", seed=1)
    y = first(np.ones((20, 6, 3, 4)), training=True)
    assert (y == y[:, :, :1, :1]).all() and set(np.unique(y)) == {0.0, 2.0}


def test_gaussian_dropout_has_the_variance_of_dropout():
    x = np.full((400, 100), 2.0, np.float32)
    y = L.GaussianDropout(0.2, seed=1)(x, training=True)
    assert y.dtype == np.float32
    assert y.mean() == pytest.approx(2.0, abs=0.03)  # 6 standard errors
    assert y.std() == pytest.approx(2.0 * np.sqrt(0.2 / 0.8), rel=0.02)


def test_alpha_dropout_keeps_mean_and_variance():
    x = np.random.default_rng(1).standard_normal((400, 500)).astype("float32")
    y = L.AlphaDropout(0.3, seed=1)(x, training=True)
    assert y.dtype == np.float32
    assert y.mean() == pytest.approx(0.0, abs=0.015) and y.std() == pytest.approx(1.0, abs=0.015)
    values, counts = np.unique(y, return_counts=True)
    assert counts.max() == pytest.approx(0.3 * y.size, rel=0.02)  # the dropped ones are all alike
    factor = (0.7 * (1 + 0.3 * 1.7580993408473766**2)) ** -0.5  # Klambauer and others (2017)
    assert values[counts.argmax()] == pytest.approx(factor * -1.7580993408473766 * 0.7, rel=1e-5)
    rows = L.AlphaDropout(0.5, noise_shape=(None, 1), seed=1)(np.ones((30, 4)), training=True)
    assert (rows == rows[:, :1]).all()


# ------------------------------------------------------------------------------------- mistakes

IMAGES = np.ones((2, 4, 4, 6), np.float32)


@pytest.mark.parametrize(
    ("mistake", "error", "words"),
    [
        (lambda: L.BatchNormalization(axis=4)(IMAGES), ShapeError, "axis=4"),
        (lambda: L.BatchNormalization(axis=0)(IMAGES), ShapeError, "axis 0 is the batch"),
        (lambda: L.BatchNormalization()(keras.Input((None,))), ShapeError, "known sizes"),
        (lambda: L.BatchNormalization(momentum=2.0), ValueError, "momentum=2.0"),
        (lambda: L.BatchNormalization(renorm=True), ValueError, "renorm=True"),
        (lambda: L.BatchNormalization(momntum=0.9), ValueError, "'momentum'"),
        (lambda: L.LayerNormalization(rms_scaling=True), ValueError, "rms_scaling"),
        (lambda: other_width(L.LayerNormalization()), ShapeError, r"expected \[6\]"),
        (lambda: L.GroupNormalization(4)(IMAGES), ShapeError, "(?s)6 channels in 4 groups.*=2"),
        (lambda: L.GroupNormalization(0), ValueError, "groups=0"),
        (lambda: L.UnitNormalization(axis=7)(IMAGES), ShapeError, "axis=7"),
        (lambda: L.SpatialDropout1D(0.5)(IMAGES), ShapeError, "expected 3 axes"),
        (lambda: L.SpatialDropout2D(0.5, "last"), ValueError, "channels_first"),
        (lambda: L.GaussianDropout(1.0), ValueError, "GaussianDropout: rate=1.0"),
        (lambda: L.AlphaDropout("half"), ValueError, "AlphaDropout: rate='half'"),
    ],
)
def test_a_mistake_is_told_in_three_lines(mistake, error, words):
    with pytest.raises(error, match=words) as caught:
        mistake()
    assert str(caught.value).count("\n") == 2


def other_width(layer):
    layer(IMAGES)
    layer(IMAGES[..., :2])
