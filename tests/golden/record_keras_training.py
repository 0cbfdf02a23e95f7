"""Record what real Keras does in five epochs, from given weights and in a given order.

    KERAS_BACKEND=jax python tests/golden/record_keras_training.py

writes keras_training.json beside this file. Data, weights and models are those of `problems`, which
the test imports too; neither Keras nor its backend is needed to run the tests.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

FILE = Path(__file__).with_name("keras_training.json")
OPTIMIZERS = {"sgd": ("SGD", {"learning_rate": 0.05}), "adam": ("Adam", {"learning_rate": 0.01})}


def data(kind: str) -> tuple[np.ndarray, np.ndarray]:
    """Return 200 instances of 8 features, with targets of one kind."""
    rng = np.random.default_rng(20)
    x = rng.standard_normal((200, 8)).astype("float32")
    score = x @ rng.standard_normal((8, 3)).astype("float32")
    if kind == "regression":
        return x, np.tanh(score[:, :1]).astype("float32")
    if kind == "binary":
        return x, (score[:, :1] > 0).astype("float32")
    return x, score.argmax(axis=1)


PROBLEMS: dict[str, dict[str, Any]] = {
    "regression": {"loss": "mse", "metrics": ["mae"], "last": 1, "activation": None},
    "binary": {
        "loss": "binary_crossentropy",
        "metrics": ["accuracy"],
        "last": 1,
        "activation": "sigmoid",
    },
    "classes": {
        "loss": "sparse_categorical_crossentropy",
        "metrics": ["accuracy"],
        "last": 3,
        "activation": "softmax",
    },
}


def model(keras: Any, kind: str, optimizer: str) -> Any:
    """Return a compiled 8-16-12-n network of either library, with the same weights in both."""
    facts = PROBLEMS[kind]
    net = keras.Sequential(
        [
            keras.layers.Input(shape=(8,)),
            keras.layers.Dense(16, activation="relu"),
            keras.layers.Dense(12, activation="tanh", kernel_regularizer="l2"),
            keras.layers.Dense(facts["last"], activation=facts["activation"]),
        ]
    )
    rng = np.random.default_rng(21)
    net.set_weights([0.3 * rng.standard_normal(np.shape(w)) for w in net.get_weights()])
    name, settings = OPTIMIZERS[optimizer]
    net.compile(
        loss=facts["loss"],
        optimizer=getattr(keras.optimizers, name)(**settings),
        metrics=facts["metrics"],
    )
    return net


def run(keras: Any, kind: str, optimizer: str) -> dict[str, list[float]]:
    """Train for five epochs and return the history, and three predictions at its end."""
    x, y = data(kind)
    net = model(keras, kind, optimizer)
    history = net.fit(
        x[:160],
        y[:160],
        validation_data=(x[160:], y[160:]),
        batch_size=32,
        epochs=5,
        shuffle=False,
        verbose=0,
    )
    found = {name: [float(v) for v in values] for name, values in history.history.items()}
    return {**found, "predictions": net.predict(x[:3], verbose=0).ravel().tolist()}


def main() -> None:
    """Write the file."""
    import keras

    runs = {f"{k} {o}": run(keras, k, o) for k in PROBLEMS for o in OPTIMIZERS}
    versions = {"keras": keras.__version__, "backend": keras.backend.backend()}
    FILE.write_text(json.dumps({"versions": versions, "runs": runs}, indent=1) + "\n")


if __name__ == "__main__":
    main()
