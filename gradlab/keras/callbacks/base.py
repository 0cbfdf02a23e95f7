"""Callbacks: what else happens at the beginning and the end of training, epochs and batches.

`fit` calls each hook of each callback; a callback overrides those that it needs.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterable
from typing import Any, ClassVar

import numpy as np

from gradlab.keras.names import find

Logs = dict[str, Any]


class Callback:
    """Base of all callbacks, and of your own: override the hooks you need.

    Attributes:
        model: the model being trained; ``model.stop_training = True`` ends training.
        params: ``verbose``, ``epochs`` and ``steps`` (batches per epoch) of this `fit`.
        remembered: names of the attributes that change in the course of training: those without
            which it could not go on after an interruption. `BackupAndRestore` keeps them; change
            them in the hooks that end a batch or an epoch.
        comes_last: True for one that has to see what all others have changed.

    >>> class Shout(Callback):
    ...     def on_epoch_end(self, epoch, logs=None):
    ...         print(f"epoch {epoch}: {logs['loss']:.2f}!")
    >>> Shout().on_epoch_end(0, {"loss": 0.5})
    epoch 0: 0.50!
    """

    remembered: ClassVar[tuple[str, ...]] = ()
    comes_last: ClassVar[bool] = False

    def __init__(self) -> None:
        self.model: Any = None
        self.params: dict[str, Any] = {}
        self.companions: list[Callback] = []  # all callbacks of this `fit`

    def set_params(self, params: dict[str, Any]) -> None:
        """Receive what `fit` was asked to do."""
        self.params = params

    def set_model(self, model: Any) -> None:
        """Receive the model."""
        self.model = model

    def remember(self, values: dict[str, Any]) -> None:
        """Receive the values of the attributes in ``remembered``, after an interruption."""
        for name, value in values.items():
            setattr(self, name, value)

    def on_train_begin(self, logs: Logs | None = None) -> None:
        """Before the first epoch."""

    def on_train_end(self, logs: Logs | None = None) -> None:
        """After the last epoch, or when training was stopped; ``logs`` are those of that epoch."""

    def on_epoch_begin(self, epoch: int, logs: Logs | None = None) -> None:
        """Before an epoch; the first one is number 0."""

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        """After an epoch: ``logs`` has the loss and the metrics, those of validation too."""

    def on_train_batch_begin(self, batch: int, logs: Logs | None = None) -> None:
        """Before a training step."""

    def on_train_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        """After a training step: ``logs`` has the running means of this epoch so far."""

    def on_batch_begin(self, batch: int, logs: Logs | None = None) -> None:
        """What `on_train_batch_begin` is called in Keras 1."""

    def on_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        """What `on_train_batch_end` is called in Keras 1."""

    def on_test_begin(self, logs: Logs | None = None) -> None:
        """Before an evaluation, also that of an epoch's validation."""

    def on_test_end(self, logs: Logs | None = None) -> None:
        """After an evaluation."""

    def on_test_batch_begin(self, batch: int, logs: Logs | None = None) -> None:
        """Before a batch of an evaluation."""

    def on_test_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        """After a batch of an evaluation."""

    def on_predict_begin(self, logs: Logs | None = None) -> None:
        """Before predictions."""

    def on_predict_end(self, logs: Logs | None = None) -> None:
        """After predictions."""

    def on_predict_batch_begin(self, batch: int, logs: Logs | None = None) -> None:
        """Before a batch of predictions."""

    def on_predict_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        """After a batch of predictions; ``logs["outputs"]`` are the predictions."""


class LambdaCallback(Callback):
    """A callback made of functions, for what is too short for a class.

    Args:
        on_epoch_begin, on_epoch_end: functions of (epoch, logs).
        on_train_begin, on_train_end: functions of (logs).
        on_train_batch_begin, on_train_batch_end: functions of (batch, logs).
        hooks: functions for the other hooks, by name.

    Raises:
        ValueError: a name that is no hook.

    >>> def shout(epoch, logs):
    ...     print(f"epoch {epoch}: {logs['loss']:.2f}!")
    >>> LambdaCallback(on_epoch_end=shout).on_epoch_end(0, {"loss": 0.5})
    epoch 0: 0.50!
    """

    def __init__(
        self,
        on_epoch_begin: Any = None,
        on_epoch_end: Any = None,
        on_train_begin: Any = None,
        on_train_end: Any = None,
        on_train_batch_begin: Any = None,
        on_train_batch_end: Any = None,
        **hooks: Any,
    ) -> None:
        super().__init__()
        given = {
            "on_epoch_begin": on_epoch_begin,
            "on_epoch_end": on_epoch_end,
            "on_train_begin": on_train_begin,
            "on_train_end": on_train_end,
            "on_train_batch_begin": on_train_batch_begin,
            "on_train_batch_end": on_train_batch_end,
            **hooks,
        }
        for name, function in given.items():
            find("hook", dict.fromkeys(HOOKS), name)
            if function is not None:
                setattr(self, name, function)


OLDER = {"on_train_batch_begin": "on_batch_begin", "on_train_batch_end": "on_batch_end"}
_LOUD = contextlib.nullcontext()
HOOKS = tuple(name for name in vars(Callback) if name.startswith("on_"))


class CallbackList(Callback):
    """Several callbacks as one: each hook calls that hook of all which override it.

    >>> CallbackList([]).on_train_begin()
    """

    def __init__(self, callbacks: Iterable[Callback] = ()) -> None:
        super().__init__()
        self.callbacks = list(callbacks)
        for callback in self.callbacks:
            if not isinstance(callback, Callback):
                raise TypeError(
                    f"callbacks: given {callback!r}\nexpected objects of class Callback\n"
                    "write callbacks=[MyCallback()], with the brackets"
                )
        self.callbacks.sort(key=_place)
        found = [getattr(callback, "on_not_finite", None) for callback in self.callbacks]
        self._ending = [end for end in found if end is not None]
        for hook in HOOKS:  # a step of training should not call hundreds of empty methods
            names = [name for name in (hook, OLDER.get(hook)) if name is not None]
            setattr(self, hook, _together(self.callbacks, names))

    def set_params(self, params: dict[str, Any]) -> None:
        for callback in self.callbacks:
            callback.set_params(params)

    def set_model(self, model: Any) -> None:
        for callback in self.callbacks:
            callback.companions = self.callbacks
            callback.set_model(model)

    def quietly(self) -> contextlib.AbstractContextManager[Any]:
        """Return a context without NumPy's warnings of an overflow, if a callback waits for it."""
        return np.errstate(over="ignore", invalid="ignore") if self._ending else _LOUD

    def not_finite(self, batch: int, error: ArithmeticError) -> None:
        """Let the callbacks that are there for it end training; without one, raise the error."""
        if not self._ending:
            raise error
        for end in self._ending:
            end(batch, error)


def _place(callback: Callback) -> bool:
    return callback.comes_last


def _overrides(callback: Callback, hook: str) -> bool:
    return hook in vars(callback) or getattr(type(callback), hook) is not getattr(Callback, hook)


def _together(callbacks: list[Callback], names: list[str]) -> Any:
    methods = [getattr(c, name) for c in callbacks for name in names if _overrides(c, name)]

    def call_all(*args: Any, **kwargs: Any) -> None:
        for method in methods:
            method(*args, **kwargs)

    return call_all
