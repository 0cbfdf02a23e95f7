"""Ending training: when it does not get better any more, or when it has failed.

Source: deck 001, section 10.2.6 (early stopping).
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from gradlab.keras.callbacks.base import Callback, Logs
from gradlab.keras.callbacks.monitor import Monitor


class EarlyStopping(Monitor):
    """Ends training when a number has not improved for some epochs.

    So the number of epochs can be set to a large value: training ends by itself. With
    ``restore_best_weights`` the weights of the best epoch are kept in memory and put back at the
    end of training, whether or not it was stopped early (as deck 001 says; Keras 2 did so only if
    it was).

    Args:
        monitor: "val_loss", "val_accuracy", ...
        min_delta: a smaller change is no improvement.
        patience: so many epochs without improvement are waited for.
        verbose: 1 says what it does.
        mode: "min", "max", or "auto": by the name.
        baseline: a value that has to be beaten, too.
        restore_best_weights: end with the weights of the best epoch.
        start_from_epoch: the epochs before this one are not looked at.

    Attributes:
        best, best_epoch: the best value, and its epoch (from 0).
        stopped_epoch: the epoch in which it ended training; 0 if it did not.

    Raises:
        ValueError: a monitor whose name does not tell whether less or more is better.

    Source: deck 001, section 10.2.6; Prechelt (1998), "Early Stopping - But When?".

    >>> from gradlab import keras
    >>> model = keras.Sequential([keras.layers.Dense(1, input_shape=[1])])
    >>> model.compile(loss="mse", optimizer=keras.optimizers.SGD(0.0))  # learns nothing
    >>> stop = EarlyStopping(monitor="loss", patience=3)
    >>> history = model.fit([[1.0]], [[2.0]], epochs=100, verbose=0, callbacks=[stop])
    >>> len(history.history["loss"]), stop.stopped_epoch
    (4, 3)
    """

    remembered = ("wait", "best", "best_epoch", "best_weights", "stopped_epoch")

    def __init__(
        self,
        monitor: str = "val_loss",
        min_delta: float = 0.0,
        patience: int = 0,
        verbose: int = 0,
        mode: str = "auto",
        baseline: float | None = None,
        restore_best_weights: bool = False,
        start_from_epoch: int = 0,
    ) -> None:
        super().__init__(monitor, mode, min_delta)
        self.patience, self.verbose, self.baseline = patience, verbose, baseline
        self.restore_best_weights = restore_best_weights
        self.start_from_epoch = start_from_epoch
        self.on_train_begin()

    def on_train_begin(self, logs: Logs | None = None) -> None:
        self.wait = self.stopped_epoch = self.best_epoch = 0
        self.best = None
        self.best_weights: list[np.ndarray] | None = None

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        value = self.value_in(logs, "training goes on")
        if value is None or epoch < self.start_from_epoch:
            return
        self.wait += 1
        if self.better(value, self.best):
            self.best, self.best_epoch = value, epoch
            if self.restore_best_weights:
                self.best_weights = self.model.get_weights()
            if self.baseline is None or self.better(value, self.baseline):
                self.wait = 0
        elif self.wait >= self.patience and epoch > 0:
            self.stopped_epoch = epoch
            self.model.stop_training = True

    def on_train_end(self, logs: Logs | None = None) -> None:
        if self.stopped_epoch and self.verbose:
            print(f"Epoch {self.stopped_epoch + 1}: early stopping")
        if self.best_weights is not None:
            if self.verbose:
                best = self.best_epoch + 1
                print(f"Restoring model weights from the end of the best epoch: {best}.")
            self.model.set_weights(self.best_weights)


class TerminateOnNaN(Callback):
    """Ends training, without an error, when the loss is NaN or infinite.

    It says in which layer the first number appeared that is not finite. The weights stay those
    before the batch. Without this callback `fit` raises an error that says the same; with it, NumPy
    does not warn of the overflow that led there.

    Args:
        raise_error: raise the error all the same.

    >>> from gradlab import keras
    >>> model = keras.Sequential([keras.layers.Dense(1, name="out", input_shape=[1])])
    >>> model.compile(loss="mse")
    >>> model.layers[0].kernel.assign([[np.nan]])
    <Variable path=out/kernel, shape=(1, 1), dtype=float32>
    >>> history = model.fit([[1.0]], [[2.0]], epochs=9, verbose=0, callbacks=[TerminateOnNaN()])
    the loss is nan in epoch 1, batch 1: out/kernel is not finite since the last step
    """

    def __init__(self, raise_error: bool = False) -> None:
        super().__init__()
        self.raise_error = raise_error

    def on_not_finite(self, batch: int, error: ArithmeticError) -> None:
        """Receive the error of a training step."""
        if self.raise_error:
            raise error
        if not self.model.stop_training:  # validation fails too, for the same reason
            print(str(error).split("\n")[0])
        self.model.stop_training = True

    def on_train_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        loss: Any = (logs or {}).get("loss", 0.0)
        if math.isfinite(loss) or self.model.stop_training:
            return
        error = ArithmeticError(f"the loss is {loss} in batch {batch + 1}")  # a step of your own
        self.on_not_finite(batch, error)
