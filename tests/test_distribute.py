"""Training on a cluster: the same losses as in one process; a worker that dies changes nothing."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import numpy as np
import pytest
import tuner_models as models

from gradlab import keras

pytestmark = pytest.mark.slow  # a cluster takes seconds to start


@pytest.fixture(autouse=True)
def double():
    """Compute in float64, so that sums in another order differ in the last bits only."""
    keras.config.set_floatx("float64")
    yield
    keras.config.set_floatx("float32")


def dense(**options) -> keras.Model:
    """Return a model with a penalty and two kinds of activation."""
    return keras.Sequential(
        [
            keras.layers.Dense(16, "tanh", input_shape=[4], kernel_regularizer="l2", **options),
            keras.layers.Dense(8, "relu"),
            keras.layers.Dense(1, "sigmoid"),
        ]
    )


def functional() -> keras.Model:
    """Return a model with two inputs and two outputs."""
    a, b = keras.Input([2], name="a"), keras.Input([2], name="b")
    h = keras.layers.Dense(8, "tanh")(keras.layers.concatenate([a, b]))
    outputs = [keras.layers.Dense(1, name=name)(h) for name in ("first", "second")]
    return keras.Model([a, b], outputs)


def trained(make, strategy=None, callbacks=(), optimizer="adam", **fit):
    """Return the history and the model of a training, on a cluster if there is a strategy."""
    keras.utils.set_random_seed(3)
    X, y = models.data()
    options = {"loss": "mse", "metrics": ["mae"]}
    if make is functional:
        X, y = [X[:, :2], X[:, 2:]], [y, 1.0 - y]
        options |= {"loss": ["mse", "mae"], "metrics": [["mae"], ["mse"]], "loss_weights": [1, 3]}
    if strategy is None:
        model = make()
        model.compile(optimizer=optimizer, **options)
    else:
        with strategy.scope():
            model = make()
            model.compile(optimizer=optimizer, **options)
    fit = {"epochs": 4, "batch_size": 20, "verbose": 0, "validation_split": 0.2, **fit}
    history = model.fit(X, y, callbacks=list(callbacks), **fit).history
    return history, model


def same(one: dict, other: dict, rel: float = 1e-12) -> bool:
    """Tell whether two histories are the same but for rounding."""
    assert list(one) == list(other)
    return all(one[name] == pytest.approx(other[name], rel=rel) for name in one)


WEIGHTS = np.random.default_rng(0).uniform(0.5, 2.0, 64)


@pytest.mark.parametrize(
    ("make", "shards", "options"),
    [
        (dense, 2, {}),
        (dense, 3, {"optimizer": "sgd", "batch_size": 7}),
        (dense, 5, {"validation_split": 0.0, "sample_weight": WEIGHTS}),
        (dense, 64, {"batch_size": 20}),
        (functional, 2, {"optimizer": "rmsprop"}),
    ],
)
def test_the_losses_are_those_of_one_process(make, shards, options, cluster):
    alone, model = trained(make, **options)
    strategy = keras.distribute.DaskStrategy(cluster, shards=shards)
    found, there = trained(make, strategy, **options)
    assert same(found, alone)
    for w, v in zip(model.get_weights(), there.get_weights(), strict=True):
        np.testing.assert_allclose(w, v, rtol=1e-9, atol=1e-12)
    assert strategy.repeated == 0


def test_the_workers_do_compute_the_gradients(cluster):
    strategy = keras.distribute.DaskStrategy(cluster, shards=2)
    asked = []
    parts = strategy._parts

    def counted(*args):
        found = parts(*args)
        asked.append([part.rows for part in found])
        return found

    strategy._parts = counted
    trained(dense, strategy, epochs=2)
    assert asked == [[10, 10], [10, 10], [5, 6]] * 2 or len(asked) >= 5


class Scale(keras.layers.Layer):
    """A layer of one's own."""

    def build(self, input_shape):
        self.scale = self.add_weight(name="scale", shape=[], initializer="ones")

    def call(self, inputs):
        return inputs * self.scale


def test_layers_of_your_own_go_along(cluster):
    def make():
        return keras.Sequential([keras.Input([4]), Scale(), keras.layers.Dense(1)])

    alone, _ = trained(make)
    found, _ = trained(make, keras.distribute.DaskStrategy(cluster, shards=2))
    assert same(found, alone)


def noisy() -> keras.Model:
    """Return a model whose training draws random numbers, and keeps running means."""
    return keras.Sequential(
        [
            keras.layers.Dense(16, "relu", input_shape=[4]),
            keras.layers.BatchNormalization(),
            keras.layers.Dropout(0.3),
            keras.layers.Dropout(0.1, seed=4),
            keras.layers.Dense(1),
        ]
    )


def kill_one(client) -> None:
    """Kill one of the processes of a cluster."""
    pids = client.run(os.getpid)
    os.kill(next(iter(pids.values())), signal.SIGKILL)


class KillAt(keras.callbacks.Callback):
    """Kills a worker before the n-th step."""

    def __init__(self, client, *steps: int) -> None:
        super().__init__()
        self.client, self.steps, self.count = client, steps, 0

    def on_train_batch_begin(self, batch, logs=None):
        self.count += 1
        if self.count in self.steps:
            kill_one(self.client)


def test_dropout_depends_on_the_seed_alone(cluster):
    def fit(seed):
        return trained(noisy, keras.distribute.DaskStrategy(cluster, 3, seed))[0]

    assert fit(1) == fit(1) != fit(2)


@pytest.mark.filterwarnings("ignore:DaskStrategy")
@pytest.mark.parametrize("make", [noisy, pytest.param(dense, marks=pytest.mark.slow)])
def test_workers_that_are_killed_change_nothing(make, cluster_to_kill):
    undisturbed, _ = trained(make, keras.distribute.DaskStrategy(cluster_to_kill, shards=3))
    strategy = keras.distribute.DaskStrategy(cluster_to_kill, shards=3)
    found, _ = trained(make, strategy, [KillAt(cluster_to_kill, 4, 8)])
    assert found == undisturbed  # bit by bit
    assert strategy.repeated >= 1


class DiesInCall(Scale):
    """A layer in whose call a process dies, once, if it is not the one of the tests."""

    def __init__(self, mark, home, **kwargs):
        super().__init__(**kwargs)
        self.mark, self.home = mark, home

    def call(self, inputs):
        if os.getpid() != self.home and not Path(self.mark).exists():
            Path(self.mark).touch()
            os.kill(os.getpid(), signal.SIGKILL)
        return super().call(inputs)


def test_a_worker_that_dies_in_the_middle_of_a_step_is_noticed(cluster_to_kill, tmp_path):
    def make():
        dies = DiesInCall(str(tmp_path / "died"), os.getpid())
        return keras.Sequential([keras.Input([4]), dies, keras.layers.Dense(1)])

    strategy = keras.distribute.DaskStrategy(cluster_to_kill, shards=2)
    text = r"DaskStrategy: the worker tcp://.* is gone(?s:.*)the step is repeated with those"
    with pytest.warns(UserWarning, match=text):
        found, _ = trained(make, strategy)
    assert (tmp_path / "died").exists() and strategy.repeated == 1
    alone, _ = trained(make)
    assert same(found, alone)


def test_what_is_changed_on_the_way_reaches_the_workers(cluster):
    class Change(keras.callbacks.Callback):
        def on_epoch_begin(self, epoch, logs=None):
            if epoch == 2:
                self.model.layers[0].trainable = False
                self.model.compile(loss="mae", optimizer="sgd", metrics=["mae"])

    alone, _ = trained(dense, callbacks=[Change()])
    strategy = keras.distribute.DaskStrategy(cluster, shards=2)
    with strategy.scope():
        found, _ = trained(dense, strategy, [Change()])
    assert same(found, alone)


def test_a_loss_that_is_not_finite_is_told_as_ever(cluster):
    strategy = keras.distribute.DaskStrategy(cluster, shards=2)
    broken = keras.callbacks.LambdaCallback(on_epoch_begin=_spoil)
    with pytest.raises(ArithmeticError, match="the loss is nan in epoch 2, batch 1: "):
        trained(dense, strategy, [broken, _Model()])


class _Model(keras.callbacks.Callback):
    def set_model(self, model):
        _Model.last = model


def _spoil(epoch, logs):
    if epoch == 1:
        _Model.last.layers[1].bias.assign(np.full(8, np.nan))


# --------------------------------------------------------------------------------- what is wrong


class FakeClient:
    """A client of a cluster that is not there."""

    def nthreads(self):
        return {"tcp://somewhere": 1}

    def wait_for_workers(self, n_workers, timeout):
        pass


def test_mistakes_are_told():
    text = r"\nexpected .*\nwrite "
    with pytest.raises(TypeError, match=text):
        keras.distribute.DaskStrategy("tcp://somewhere:8786")
    with pytest.raises(ValueError, match=text):
        keras.distribute.DaskStrategy(FakeClient(), shards=0)
    strategy = keras.distribute.DaskStrategy(FakeClient())
    assert strategy.num_replicas_in_sync == 1

    class OwnStep(keras.Model):
        def train_step(self, data):
            return {}

    with strategy.scope(), pytest.raises(ValueError, match=f"a train_step of its own{text}"):
        OwnStep().compile(loss="mse")
    with strategy.scope():
        model = dense()
        model.compile(loss=keras.losses.MeanSquaredError(reduction="sum"))
    X, y = models.data()
    with pytest.raises(ValueError, match=f"reduction='sum'{text}"):
        model.fit(X, y, verbose=0)


def test_models_compiled_outside_of_the_scope_are_trained_here():
    strategy = keras.distribute.DaskStrategy(FakeClient())
    with strategy.scope():
        model = dense()
    model.compile(loss="mse")
    assert model._strategy is None
    model.fit(*models.data(), verbose=0)
