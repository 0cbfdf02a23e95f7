"""Every layer, with every option that is compared with Keras, in files that both libraries open.

Real Keras has to be installed; without it, tests/test_keras_saving.py holds what was recorded.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

real = pytest.importorskip("keras")  # with KERAS_BACKEND=jax, which can train

from golden import record_keras_layers as simple  # noqa: E402 - not before it is known to be used
from golden import record_keras_sequences as sequences  # noqa: E402
from golden import record_keras_windows as windows  # noqa: E402

from gradlab import keras  # noqa: E402 - Keras decides at its import which backend it uses

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("default")]

RANDOM = {"GaussianNoise", "Dropout", *windows.RANDOM}
ONE_INPUT = {
    name: (*spec, shapes[0])
    for name, (spec, shapes, more) in sequences.LAYERS.items()
    if len(shapes) == 1 and not more
}
CASES = {**simple.LAYERS, **windows.LAYERS, **ONE_INPUT}


def model_with(name: str) -> Any:
    """Return a compiled model with a layer, and data."""
    kind, settings, shape = CASES[name]
    if kind in RANDOM:
        settings = {key: 0.0 for key in settings if key in ("rate", "stddev")}
    dropouts = {key: 0.0 for key in settings if key.endswith("dropout")}
    layer = sequences.made(keras, (kind, {**settings, **dropouts}))
    x = keras.Input(shape[1:])
    outputs = [keras.layers.Flatten()(y) for y in sequences.flat(layer(x))]
    joined = outputs[0] if len(outputs) == 1 else keras.layers.Concatenate()(outputs)
    model = keras.Model(x, keras.layers.Dense(1)(joined))
    model.set_weights(
        [0.3 * simple.numbers(f"{name} {k}", *w.shape) for k, w in enumerate(model.get_weights())]
    )
    model.compile(loss="mse", optimizer=keras.optimizers.Adam(0.01))
    return model, simple.numbers(f"{name} x", 8, *shape[1:]), simple.numbers(f"{name} y", 8, 1)


def steps(model: Any, x: Any, y: Any, count: int) -> list[float]:
    """Train on the same batch several times, and return the losses."""
    losses = []
    for _ in range(count):
        model.reset_metrics()
        losses.append(float(np.ravel(model.train_on_batch(x, y))[0]))
    return losses


def same(one: Any, other: Any, tolerance: float) -> None:
    """Assert that numbers are equal, but for a share of the largest of them."""
    largest = np.abs(np.asarray(other)).max()
    np.testing.assert_allclose(np.asarray(one), np.asarray(other), 0.0, tolerance * largest)


@pytest.mark.parametrize("name", CASES)
def test_a_model_with_this_layer_goes_to_keras_and_back(name, tmp_path):
    model, x, y = model_with(name)
    steps(model, x, y, 3)
    model.save(tmp_path / "m.keras")
    model.save_weights(tmp_path / "m.weights.h5")
    predictions = model.predict(x, verbose=0)

    theirs = real.models.load_model(tmp_path / "m.keras")
    same(theirs(x), predictions, 1e-6)
    theirs.load_weights(tmp_path / "m.weights.h5")
    same(theirs(x), predictions, 1e-6)
    theirs.save(tmp_path / "k.keras")
    theirs.save_weights(tmp_path / "k.weights.h5")

    again = keras.models.load_model(tmp_path / "k.keras")
    np.testing.assert_array_equal(again.predict(x, verbose=0), predictions)
    again.set_weights([0.0 * w for w in again.get_weights()])
    again.load_weights(tmp_path / "k.weights.h5")
    np.testing.assert_array_equal(again.predict(x, verbose=0), predictions)
    losses = steps(model, x, y, 5)
    assert steps(again, x, y, 5) == losses
    theirs.compile(loss="mse", optimizer=theirs.optimizer, run_eagerly=True)
    same(steps(theirs, x, y, 5), losses, 1e-5)
