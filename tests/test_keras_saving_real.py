"""Files of gradlab opened by real Keras, where it is installed; and what it makes of them.

Every layer, every optimizer, every form of model. Without Keras there is nothing to compare with:
tests/test_keras_saving.py holds what was recorded.
"""

from __future__ import annotations

import numpy as np
import pytest

real = pytest.importorskip("keras")  # with KERAS_BACKEND=jax, which can train

from golden import record_keras_masked as masked_networks  # noqa: E402 - not without Keras
from golden import record_keras_saved as networks  # noqa: E402

from gradlab import keras  # noqa: E402 - Keras decides at its import which backend it uses

OURS, THEIRS = networks.classes(keras), networks.classes(real)
OPTIMIZERS = [*networks.OPTIMIZERS, *networks.SCHEDULES]

pytestmark = pytest.mark.filterwarnings("default")  # those of Keras are its own affair


def same(a, b, tolerance):
    a, b = np.concatenate([np.ravel(x) for x in a]), np.concatenate([np.ravel(x) for x in b])
    np.testing.assert_allclose(a, b, rtol=tolerance, atol=tolerance)


def trained(form, optimizer):
    model = networks.built(keras, form, optimizer, OURS)
    networks.steps(model, form, 0, 3)
    return model


@pytest.mark.parametrize("form", networks.FORMS)
@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_keras_predicts_and_trains_on(form, optimizer, tmp_path):
    model = trained(form, optimizer)
    model.save(tmp_path / "m.keras")
    theirs = real.models.load_model(tmp_path / "m.keras", custom_objects=THEIRS)
    same(networks.predictions(theirs, form), networks.predictions(model, form), 1e-6)
    for ours, variable in zip(model.optimizer.variables, theirs.optimizer.variables, strict=True):
        np.testing.assert_array_equal(ours.data, np.asarray(variable))
    if real.backend.backend() != "numpy":  # which cannot train
        same([networks.steps(theirs, form, 3, 8)], [networks.steps(model, form, 3, 8)], 1e-5)


@pytest.mark.parametrize("form", networks.FORMS)
def test_there_and_back(form, tmp_path):
    model = trained(form, "adam")
    model.save(tmp_path / "m.keras")
    theirs = real.models.load_model(tmp_path / "m.keras", custom_objects=THEIRS)
    theirs.save(tmp_path / "k.keras")
    again = keras.models.load_model(tmp_path / "k.keras", custom_objects=OURS)
    assert networks.predictions(again, form) == networks.predictions(model, form)
    assert networks.steps(again, form, 3, 5) == networks.steps(model, form, 3, 5)


@pytest.mark.parametrize("form", networks.FORMS)
def test_weights_alone(form, tmp_path):
    model = trained(form, "adam")
    theirs = networks.built(real, form, "adam", THEIRS)
    theirs.optimizer.build(theirs.trainable_variables)
    model.save_weights(tmp_path / "m.weights.h5")
    theirs.load_weights(tmp_path / "m.weights.h5")
    same(networks.predictions(theirs, form), networks.predictions(model, form), 1e-6)
    theirs.save_weights(tmp_path / "k.weights.h5")
    fresh = networks.built(keras, form, "adam", OURS)
    fresh.optimizer.build(fresh.trainable_weights)
    fresh.load_weights(tmp_path / "k.weights.h5")
    assert networks.steps(fresh, form, 3, 5) == networks.steps(model, form, 3, 5)


def test_operators_and_functions_between_layers(tmp_path):
    x = keras.Input((3,))
    h = keras.layers.Dense(4)(x)
    y = keras.ops.concatenate([keras.ops.exp(h * 0.5) + 1.0, x[:, 1:], h / 2.0], axis=-1)
    model = keras.Model(x, keras.ops.sum(y * keras.ops.sigmoid(y), axis=-1, keepdims=True))
    model.save(tmp_path / "m.keras")
    theirs = real.models.load_model(tmp_path / "m.keras")
    theirs.save(tmp_path / "k.keras")
    again = keras.models.load_model(tmp_path / "k.keras")
    rows = networks.numbers(4, 3)
    same([theirs.predict(rows, verbose=0)], [model.predict(rows, verbose=0)], 1e-6)
    np.testing.assert_array_equal(again.predict(rows, verbose=0), model.predict(rows, verbose=0))


def masked(form):
    model = masked_networks.FORMS[form](keras)
    rng = np.random.default_rng(3)
    model.set_weights([rng.normal(0.0, 0.5, w.shape) for w in model.get_weights()])
    return model


@pytest.mark.parametrize("form", ["lstm", "masking", "merged", "attention"])
def test_masks_there_and_back(form, tmp_path):
    """Keras adds the computation of the masks to the graph, which gradlab reads and saves again."""
    model, x = masked(form), masked_networks.data(form)
    model.save(tmp_path / "m.keras")
    # Keras names the operation that joins masks as it would name its next Concatenate layer: if
    # that is the name of the layer it has just read, it finds the name taken.
    real.layers.Concatenate()
    theirs = real.models.load_model(tmp_path / "m.keras")
    theirs.save(tmp_path / "k.keras")
    again = keras.models.load_model(tmp_path / "k.keras")
    again.save(tmp_path / "m2.keras")
    once_more = real.models.load_model(tmp_path / "m2.keras")
    for other in (theirs, again, once_more):
        same([other.predict(x, verbose=0)], [model.predict(x, verbose=0)], 1e-6)


@pytest.mark.parametrize("optimizer", ["adam", "rmsprop_all"])
def test_old_files_of_keras(optimizer, tmp_path):
    theirs = networks.built(real, "sequential", optimizer, THEIRS)
    theirs.optimizer.build(theirs.trainable_variables)
    for place, variable in enumerate(theirs.optimizer.variables[2:]):
        variable.assign(abs(networks.numbers(*variable.shape, seed=place)))
    theirs.save(tmp_path / "old.h5")
    again = keras.models.load_model(tmp_path / "old.h5")
    for ours, variable in zip(again.optimizer.variables, theirs.optimizer.variables, strict=True):
        np.testing.assert_array_equal(ours.data, np.asarray(variable))
    same(
        networks.predictions(theirs, "sequential"), networks.predictions(again, "sequential"), 1e-6
    )
