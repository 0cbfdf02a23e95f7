"""Saving the model on the way, so that a crash, or too many epochs, do not cost the best one.

Source: deck 001, section 10.2.6.
"""

from __future__ import annotations

import os
from pathlib import Path

from gradlab.keras.callbacks.base import Logs
from gradlab.keras.callbacks.monitor import Monitor


class ModelCheckpoint(Monitor):
    """Saves the model at the end of each epoch.

    Args:
        filepath: where to; ``{epoch}``, counted from 1, and the names in ``logs`` are filled in:
            ``"m_{epoch:02d}_{val_loss:.2f}.keras"``. A name without an ending makes a folder.
        monitor: what tells the best epoch.
        verbose: 1 says what it does.
        save_best_only: save only if the epoch is better than all before.
        save_weights_only: save the weights alone; the name has to end in ".weights.h5".
        mode: "min", "max", or "auto": by the name.
        save_freq: "epoch", or a number of batches.
        initial_value_threshold: what counts as the best at first.

    Raises:
        ValueError: a monitor whose name does not tell what is better, another ``save_freq``, or an
            ending of another format; later, a name that cannot be filled in.
        OSError: the place cannot be written to.

    Source: deck 001, section 10.2.6.

    >>> import tempfile
    >>> from gradlab import keras
    >>> model = keras.Sequential([keras.layers.Dense(1, input_shape=[1])])
    >>> model.compile(loss="mse")
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     keep = ModelCheckpoint(f"{folder}/after_{{epoch}}.weights.h5", save_weights_only=True)
    ...     history = model.fit([[1.0]], [[2.0]], epochs=2, verbose=0, callbacks=[keep])
    ...     sorted(os.listdir(folder))
    ['after_1.weights.h5', 'after_2.weights.h5']
    """

    remembered = ("best", "batches")

    def __init__(
        self,
        filepath: str | os.PathLike[str],
        monitor: str = "val_loss",
        verbose: int = 0,
        save_best_only: bool = False,
        save_weights_only: bool = False,
        mode: str = "auto",
        save_freq: str | int = "epoch",
        initial_value_threshold: float | None = None,
    ) -> None:
        super().__init__(monitor, mode if save_best_only else "min")
        self.filepath, self.verbose = os.fspath(filepath), verbose
        self.save_best_only, self.save_weights_only = save_best_only, save_weights_only
        self._check_ending()
        self.save_freq = check_frequency("ModelCheckpoint", save_freq)
        self.best = initial_value_threshold
        self.epoch = self.batches = 0

    def _check_ending(self) -> None:
        """Refuse a name that could not be saved to, before an epoch has been spent."""
        name, weights = os.path.basename(self.filepath), self.save_weights_only
        if weights == name.endswith(".h5") and (name.endswith(".weights.h5") or not weights):
            return
        stem = name.removesuffix(".h5").removesuffix(".keras").removesuffix(".weights")
        right = f"{stem}.weights.h5" if weights else f"{stem}.keras"
        raise ValueError(
            f"ModelCheckpoint: given {name!r} with save_weights_only={weights}\n"
            f"expected a name that ends in {'.weights.h5' if weights else '.keras, or no ending'}\n"
            f"write ModelCheckpoint({right!r}, save_weights_only={weights})"
        )

    def on_epoch_begin(self, epoch: int, logs: Logs | None = None) -> None:
        self.epoch = epoch

    def on_train_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        self.batches += 1
        if self.save_freq != "epoch" and self.batches % int(self.save_freq) == 0:
            self._look({"batch": batch + 1, **(logs or {})})

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        if self.save_freq == "epoch":
            self._look(logs or {})

    def _look(self, logs: Logs) -> None:
        """Save the model, if it is to be saved."""
        path, before = self._path(logs), self.best
        if self.save_best_only:
            value = self.value_in(logs, "the model is saved all the same", depth=1)
            if value is not None and not self.better(value, before):
                return self._tell(f"{self.monitor} did not improve from {before:.5f}")
            if value is not None:
                self.best = value
                known = "None" if before is None else f"{before:.5f}"
                self._tell(f"{self.monitor} improved from {known} to {value:.5f}, saving to {path}")
        else:
            self._tell(f"saving model to {path}")
        path.parent.mkdir(parents=True, exist_ok=True)
        save = self.model.save_weights if self.save_weights_only else self.model.save
        save(path)

    def _path(self, logs: Logs) -> Path:
        try:
            return Path(self.filepath.format(epoch=self.epoch + 1, **logs))
        except (KeyError, IndexError, ValueError) as error:
            raise ValueError(
                f"ModelCheckpoint: {self.filepath!r} cannot be filled in: {error}\n"
                f"expected names among epoch, {', '.join(logs)}\n"
                'write "model_{epoch:02d}.keras"'
            ) from error

    def _tell(self, what: str) -> None:
        if self.verbose:
            print(f"\nEpoch {self.epoch + 1}: {what}")


def check_frequency(kind: str, save_freq: str | int) -> str | int:
    """Return how often to save.

    Raises:
        ValueError: neither "epoch" nor a whole number above 0.
    """
    if save_freq == "epoch" or (isinstance(save_freq, int) and save_freq > 0):
        return save_freq
    raise ValueError(
        f"{kind}: given save_freq={save_freq!r}\n"
        'expected "epoch", or a number of batches\nwrite save_freq="epoch"'
    )
