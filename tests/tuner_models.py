"""Models whose hyperparameters the tests search for; worker processes import them."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np

from gradlab import keras
from gradlab.keras import tuner as keras_tuner


def data() -> tuple[np.ndarray, np.ndarray]:
    """Return inputs and targets."""
    X = np.random.default_rng(1).normal(size=(64, 4)).astype("float32")
    return X, (X[:, :1] * X[:, 1:2] > 0.0).astype("float32")


def build_model(hp: keras_tuner.HyperParameters) -> keras.Model:
    """Return a model whose number of layers is searched for, with a name for each layer's size."""
    model = keras.Sequential()
    for k in range(hp.Int("n_hidden", 0, 2)):
        model.add(keras.layers.Dense(hp.Int(f"units_{k}", 2, 16), activation="relu"))
        model.add(keras.layers.Dropout(hp.Choice("rate", [0.0, 0.25])))
    model.add(keras.layers.Dense(1, activation="sigmoid"))
    rate = hp.Float("learning_rate", 1e-3, 1.0, sampling="log")
    kind = hp.Choice("optimizer", ["sgd", "adam"])
    with hp.conditional_scope("optimizer", ["sgd"]):
        momentum = hp.Float("momentum", 0.0, 0.9)
    if kind == "sgd":
        optimizer = keras.optimizers.SGD(rate, momentum=momentum)
    else:
        optimizer = keras.optimizers.Adam(rate)
    model.compile(loss="binary_crossentropy", optimizer=optimizer, metrics=["accuracy"])
    return model


class WithBatchSize(keras_tuner.HyperModel):
    """A hypermodel that chooses something while it is trained, too."""

    def build(self, hp):
        return build_model(hp)

    def fit(self, hp, model, *args, **kwargs):
        return model.fit(*args, batch_size=hp.Choice("batch_size", [8, 16, 32]), **kwargs)


class DiesOnce(keras_tuner.HyperModel):
    """A hypermodel whose process dies the first time that it trains a certain model."""

    def __init__(self, folder: Path | None) -> None:
        super().__init__()
        self.mark = Path(__file__) if folder is None else folder / "died"

    def build(self, hp):
        return build_model(hp)

    def fit(self, hp, model, *args, **kwargs):
        if hp["n_hidden"] == 1 and not self.mark.exists():
            self.mark.touch()
            os._exit(13)
        return model.fit(*args, **kwargs)


def found(tuner: keras_tuner.Tuner) -> list[object]:
    """Return all that a search has come to, in the order of the trials."""
    trials = sorted(tuner.oracle.trials.values(), key=lambda trial: trial.number)
    return [
        (
            trial.trial_id,
            trial.status,
            trial.hyperparameters.values,
            trial.metrics.values,
            trial.best_step,
            trial.curves,
            tuner.project.checkpoint(trial.trial_id).read_bytes()
            if trial.status == "COMPLETED"
            else trial.message,
        )
        for trial in trials
    ]
