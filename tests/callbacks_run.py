"""A training that can be killed at any moment and run again; the tests start it as a process.

    python callbacks_run.py FOLDER

It prints a line after each batch, and writes its last weights to FOLDER/weights.npz.
"""

import sys
from pathlib import Path

import numpy as np

from gradlab import keras

EPOCHS, ROWS, BATCHES = 5, 400, 50


def model() -> keras.Model:
    """Return a model with everything that has a state: dropout from two generators, momentum."""
    keras.utils.set_random_seed(7)
    made = keras.Sequential(
        [
            keras.layers.Dense(16, activation="relu", input_shape=[8]),
            keras.layers.Dropout(0.2),
            keras.layers.Dropout(0.1, seed=5),
            keras.layers.Dense(1),
        ]
    )
    made.compile(loss="mse", optimizer=keras.optimizers.Adam(0.01), metrics=["mae"])
    return made


def data() -> tuple[np.ndarray, np.ndarray]:
    """Return inputs and targets."""
    X = np.random.default_rng(1).normal(size=(ROWS, 8)).astype("float32")
    return X, X[:, :1] * X[:, 1:2]


def train(folder: Path, *more: keras.callbacks.Callback, epochs: int = EPOCHS, **options: object):
    """Train, with a backup in a folder that a killed run goes on from; return the model."""
    trained, (X, y) = model(), data()
    slower = keras.callbacks.ReduceLROnPlateau("loss", factor=0.9, patience=1, min_delta=0.1)
    stop = keras.callbacks.EarlyStopping(patience=99, restore_best_weights=True)
    backup = keras.callbacks.BackupAndRestore(folder / "backup", **{"save_freq": 1, **options})
    split = {"validation_split": 0.25, "batch_size": 32, "epochs": epochs}
    trained.fit(X, y, verbose=0, callbacks=[backup, slower, stop, *more], **split)
    return trained


class Say(keras.callbacks.Callback):
    """Prints a line after each batch."""

    def on_train_batch_end(self, batch, logs=None):
        print(batch, flush=True)


if __name__ == "__main__":
    place = Path(sys.argv[1])
    np.savez(place / "weights.npz", *train(place, Say()).get_weights())
