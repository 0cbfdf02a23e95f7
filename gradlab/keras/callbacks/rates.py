"""Changing the learning rate on the way: by a rule for each epoch, or when nothing gets better.

Source: deck 001, section 10.3.3 (the most important hyperparameter).
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import numpy as np

from gradlab.keras.callbacks.base import Callback, Logs
from gradlab.keras.callbacks.monitor import Monitor


class LearningRateScheduler(Callback):
    """Sets the learning rate at the beginning of each epoch.

    Args:
        schedule: a function of (epoch, learning_rate), or of (epoch) alone, that returns the new
            one; epochs count from 0.
        verbose: 1 says what it does.

    Raises:
        TypeError: the schedule is no function.
        ValueError: in training, a schedule that returns no number.

    >>> from gradlab import keras
    >>> def half(epoch, rate):
    ...     return rate / 2
    >>> model = keras.Sequential([keras.layers.Dense(1, input_shape=[1])])
    >>> model.compile(loss="mse", optimizer=keras.optimizers.SGD(0.5))
    >>> halve = LearningRateScheduler(half)
    >>> model.fit([[1.0]], [[2.0]], epochs=2, verbose=0, callbacks=[halve]).history["learning_rate"]
    [0.25, 0.125]
    """

    def __init__(self, schedule: Callable[..., float], verbose: int = 0) -> None:
        super().__init__()
        if not callable(schedule):
            raise TypeError(
                f"LearningRateScheduler: given {schedule!r}\n"
                "expected a function of epoch and rate\n"
                "write def schedule(epoch, rate): return 0.9 * rate"
            )
        self.schedule, self.verbose = schedule, verbose

    def on_epoch_begin(self, epoch: int, logs: Logs | None = None) -> None:
        arguments: tuple[Any, ...] = (epoch, rate_of(self.model))
        rate = self.schedule(*arguments[: _count(self.schedule)])
        if not isinstance(rate, int | float | np.number):
            raise ValueError(
                f"LearningRateScheduler: the schedule returned {rate!r}\nexpected a number\n"
                "write def schedule(epoch, rate): return 0.9 * rate"
            )
        self.model.optimizer.learning_rate = float(rate)
        if self.verbose:
            print(f"\nEpoch {epoch + 1}: LearningRateScheduler setting learning rate to {rate}.")

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        if logs is not None:
            logs["learning_rate"] = rate_of(self.model)


def _count(schedule: Callable[..., float]) -> int:
    """Return how many of (epoch, learning_rate) a schedule takes."""
    try:
        inspect.signature(schedule).bind(0, 0.0)
    except TypeError:
        return 1
    return 2


class ReduceLROnPlateau(Monitor):
    """Multiplies the learning rate by a factor when a number has not improved for some epochs.

    Args:
        monitor: "val_loss", "val_accuracy", ...
        factor: less than 1.
        patience: so many epochs without improvement are waited for.
        verbose: 1 says what it does.
        mode: "min", "max", or "auto": by the name.
        min_delta: a smaller change is no improvement.
        cooldown: so many epochs after a change are not counted.
        min_lr: the learning rate does not fall below.

    Raises:
        ValueError: a factor of 1 or more, or a monitor whose name does not tell what is better.

    >>> from gradlab import keras
    >>> model = keras.Sequential([keras.layers.Dense(1, input_shape=[1])])
    >>> model.compile(loss="mse", optimizer=keras.optimizers.SGD(1e-9))
    >>> slower = ReduceLROnPlateau(monitor="loss", factor=0.5, patience=2)
    >>> history = model.fit([[1.0]], [[2.0]], epochs=3, verbose=0, callbacks=[slower])
    >>> round(float(model.optimizer.learning_rate) / 1e-9, 6)
    0.5
    """

    remembered = ("best", "wait", "cooldown_counter")

    def __init__(
        self,
        monitor: str = "val_loss",
        factor: float = 0.1,
        patience: int = 10,
        verbose: int = 0,
        mode: str = "auto",
        min_delta: float = 1e-4,
        cooldown: int = 0,
        min_lr: float = 0.0,
    ) -> None:
        super().__init__(monitor, mode, min_delta)
        if not 0.0 <= factor < 1.0:
            raise ValueError(
                f"ReduceLROnPlateau: given factor={factor}\nexpected less than 1\nwrite factor=0.5"
            )
        self.factor, self.patience, self.verbose = factor, patience, verbose
        self.cooldown, self.min_lr = cooldown, min_lr
        self.on_train_begin()

    def on_train_begin(self, logs: Logs | None = None) -> None:
        self.best = None
        self.wait = self.cooldown_counter = 0

    def in_cooldown(self) -> bool:
        """Tell whether the learning rate was changed a short while ago."""
        return self.cooldown_counter > 0

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        if logs is not None:
            logs["learning_rate"] = rate_of(self.model)
        value = self.value_in(logs, "the learning rate stays as it is")
        if value is None:
            return
        if self.in_cooldown():
            self.cooldown_counter -= 1
            self.wait = 0
        if self.better(value, self.best):
            self.best, self.wait = value, 0
        elif not self.in_cooldown():
            self.wait += 1
            if self.wait >= self.patience:
                self._reduce(epoch)

    def _reduce(self, epoch: int) -> None:
        rate = rate_of(self.model)
        if rate <= np.float32(self.min_lr):  # the variable holds it in single precision
            return
        rate = max(rate * self.factor, self.min_lr)
        self.model.optimizer.learning_rate = rate
        self.cooldown_counter, self.wait = self.cooldown, 0
        if self.verbose:
            print(f"\nEpoch {epoch + 1}: ReduceLROnPlateau reducing learning rate to {rate}.")


def rate_of(model: Any) -> float:
    """Return the learning rate of a model's optimizer."""
    return float(model.optimizer.learning_rate)
