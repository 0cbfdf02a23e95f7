"""A training that survives: what it has come to is written down, and `fit` goes on from there.

Killed at any moment and started again, it ends with the weights it would have had, bit by bit.
"""

from __future__ import annotations

import contextlib
import os
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from gradlab.keras.callbacks import state
from gradlab.keras.callbacks.base import Callback, Logs
from gradlab.keras.callbacks.checkpoint import check_frequency
from gradlab.keras.saving.files import write_whole


class BackupAndRestore(Callback):
    """Writes down where training stands, and lets a `fit` that was interrupted go on from there.

    Run the same script again after a crash: `fit` begins where the latest backup was made. Kept are
    the weights, the optimizer, all generators of random numbers (shuffling, dropout), metrics, and
    what the other callbacks remember: the History, the patience of EarlyStopping. Data that a
    generator of your own makes are the one thing that cannot be wound forward.

    Args:
        backup_dir: a folder for this training alone.
        save_freq: "epoch", or a number of batches; it is written after each epoch anyway.
        double_checkpoint: keep the backup before the latest one, too.
        delete_checkpoint: delete the backup when training has come to its end. If it is kept, the
            same `fit` again finds nothing left to do, and one with more epochs goes on.

    Raises:
        ValueError: another ``save_freq``; in training, a backup of another model or of other data.
        OSError: in training, the folder cannot be written to.

    >>> import tempfile
    >>> from gradlab import keras
    >>> def fit(epochs):
    ...     keras.utils.set_random_seed(42)
    ...     model = keras.Sequential([keras.layers.Dense(1, input_shape=[1])])
    ...     model.compile(loss="mse")
    ...     backup = BackupAndRestore(folder, delete_checkpoint=False)
    ...     return model.fit([[1.0]], [[2.0]], epochs=epochs, verbose=0, callbacks=[backup]).epoch
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     fit(3), fit(5)
    ([0, 1, 2], [0, 1, 2, 3, 4])
    """

    comes_last = True

    def __init__(
        self,
        backup_dir: str | os.PathLike[str],
        save_freq: str | int = "epoch",
        double_checkpoint: bool = False,
        delete_checkpoint: bool = True,
    ) -> None:
        super().__init__()
        if not os.fspath(backup_dir):
            raise ValueError(
                "BackupAndRestore: given an empty backup_dir\nexpected the name of a folder\n"
                'write BackupAndRestore("my_backup")'
            )
        self.save_freq = check_frequency("BackupAndRestore", save_freq)
        self.double_checkpoint = double_checkpoint
        self.delete_checkpoint = delete_checkpoint
        self.latest = Path(backup_dir) / "latest.npz"
        self.previous = self.latest.with_name("previous.npz")
        self._found: Any = None  # a backup in the middle of an epoch, until that place is reached

    # ------------------------------------------------------------------------------ going on

    def on_train_begin(self, logs: Logs | None = None) -> None:
        self._epoch, self._batches, self._found = 0, 0, None
        backup = self._read()
        if backup is None:
            return
        self._check_steps(backup)
        try:
            self._prepare(backup)
            self._put_back(backup)
        except (KeyError, TypeError, ValueError) as error:
            raise self._refusal("is of another model") from error
        self.model._begin_at = tuple(backup["position"])
        self.model.stop_training = backup["stopped"]
        if backup["position"][1]:
            self._found = backup

    def on_epoch_begin(self, epoch: int, logs: Logs | None = None) -> None:
        self._epoch = epoch
        if self._found:  # the batches come in the same order again
            state.into_chance(self.model, self._found["chance_at_epoch"])
        self._chance_at_epoch = state.of_chance(self.model)

    def on_train_batch_begin(self, batch: int, logs: Logs | None = None) -> None:
        if self._found:
            self._put_back(self._found)
            self._found = None

    def _prepare(self, backup: Any) -> None:
        """Bring the model to where it was after its first batch: built, and matched to the data."""
        model = self.model
        if not model.built or not model.weights:
            model.build(state.shape_of(backup["built_for"]))
        if backup["outputs"] is None:
            return
        model._losses.match(backup["outputs"])
        for counted, shapes in zip(
            (model._metrics, model._weighted), backup["shapes"], strict=True
        ):
            if shapes is not None:
                y, y_pred = ([np.broadcast_to(0.0, s) for s in part] for part in shapes)
                counted.match(backup["outputs"], y, y_pred, model._losses.each)

    def _check_steps(self, backup: Any) -> None:
        """Raise ValueError if the backup is in the middle of an epoch of another length."""
        before, now = backup["steps"], self.params["steps"]
        if before != now and backup["position"][1]:
            raise self._refusal(f"is of {before} batches per epoch; there are now {now}")

    def _put_back(self, backup: Any) -> None:
        state.into_model(self.model, backup["model"])
        for metric, arrays in zip(self.model.metrics, backup["metrics"], strict=True):
            for variable, array in zip(metric.variables, arrays, strict=True):
                variable.assign(array)
        for name, callback in self._named():
            if name in backup["callbacks"]:
                callback.remember(backup["callbacks"][name])
        state.into_chance(self.model, backup["chance"])

    # --------------------------------------------------------------------------- writing it down

    def on_train_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        self._batches += 1
        steps = self.params["steps"] or 0  # unknown: this batch may be the last one
        due = self.save_freq != "epoch" and self._batches % int(self.save_freq) == 0
        if due and batch + 1 < steps:
            self._write((self._epoch, batch + 1))

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        self._write((epoch + 1, 0))

    def on_train_end(self, logs: Logs | None = None) -> None:
        if self.delete_checkpoint:
            self.latest.unlink(missing_ok=True)
            self.previous.unlink(missing_ok=True)
            with contextlib.suppress(OSError):  # the folder has something else in it
                self.latest.parent.rmdir()

    def _write(self, position: tuple[int, int]) -> None:
        model = self.model
        backup = {
            "position": position,
            "stopped": model.stop_training,
            "steps": self.params["steps"],
            "built_for": model._built_for,
            "outputs": model._losses.names,
            "shapes": [counted.shapes for counted in (model._metrics, model._weighted)],
            "model": state.of_model(model),
            "metrics": [[v.numpy() for v in metric.variables] for metric in model.metrics],
            "callbacks": {
                name: {each: getattr(callback, each) for each in callback.remembered}
                for name, callback in self._named()
            },
            "chance": state.of_chance(model),
            "chance_at_epoch": self._chance_at_epoch,
        }
        self.latest.parent.mkdir(parents=True, exist_ok=True)
        if self.double_checkpoint and self.latest.exists():
            self.latest.replace(self.previous)
        write_whole(self.latest, state.packed(backup))

    def _named(self) -> Iterator[tuple[str, Callback]]:
        """Yield all callbacks, each under a name that is the same in the next run."""
        seen: Counter[str] = Counter()
        for callback in self.companions:
            kind = type(callback).__name__
            yield f"{kind}_{seen[kind]}", callback
            seen[kind] += 1

    def _read(self) -> Any:
        """Return the latest backup that can be read; None if there is none."""
        damage: ValueError | None = None
        for path in (self.latest, self.previous):
            try:
                return state.unpacked(path.read_bytes())
            except FileNotFoundError:
                continue
            except ValueError as error:
                damage = error
        if damage is not None:
            raise self._refusal("cannot be read") from damage
        return None

    def _refusal(self, what: str) -> ValueError:
        return ValueError(
            f"BackupAndRestore: the backup {str(self.latest)!r} {what}\n"
            "expected one of the same training: the same model, data and batch size\n"
            "write another backup_dir, or delete this folder to start anew"
        )
