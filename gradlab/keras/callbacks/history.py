"""What training leaves behind: the History, and the lines it prints on the way."""

from __future__ import annotations

import time
from typing import Any

from gradlab.keras.callbacks.base import Callback, Logs
from gradlab.keras.callbacks.monitor import other_name
from gradlab.keras.progress import Progbar, per_step, shown


class Record(dict[str, list[float]]):
    """The lists of a History by name; "acc" and "accuracy" find each other.

    >>> Record(accuracy=[0.9])["acc"]
    [0.9]
    """

    def __missing__(self, name: str) -> list[float]:
        if (other := other_name(name)) in self:
            return self[other]
        raise KeyError(
            f"history has no {name!r}; expected one of {', '.join(self) or 'none yet'}; "
            "write metrics=[...] in compile, or validation_data=... in fit, for more"
        )


class History(Callback):
    """Keeps the loss and the metrics of each epoch; `fit` returns it.

    Attributes:
        history: a list of numbers for the loss and each metric. Those of training are means over
            the steps of the epoch, while the weights were changing; those that begin with ``val_``
            were measured after its last step, half an epoch later on average.
        epoch: the numbers of the epochs, from 0.
        params: ``verbose``, ``epochs`` and ``steps``.
    """

    remembered = ("epoch", "history")

    def __init__(self) -> None:
        super().__init__()
        self.epoch: list[int] = []
        self.history = Record()

    def remember(self, values: dict[str, Any]) -> None:
        self.epoch, self.history = values["epoch"], Record(values["history"])

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        self.epoch.append(epoch)
        for name, value in (logs or {}).items():
            self.history.setdefault(name, []).append(value)

    def plot(self, ax: Any = None, **options: Any) -> Any:
        """Draw the learning curves and return the Axes; see `gradlab.plots.learning_curves`."""
        from gradlab import plots

        return plots.learning_curves(self, ax=ax, **options)

    def __repr__(self) -> str:
        last = {name: values[-1] for name, values in self.history.items() if values}
        return f"<History of {len(self.epoch)} epochs{shown(last)}>"


class ProgbarLogger(Callback):
    """Prints the progress of `fit`, `evaluate` and `predict`: `fit` adds it by itself."""

    def __init__(self) -> None:
        super().__init__()
        self.bar: Progbar | None = None
        self.in_training = False

    def on_train_begin(self, logs: Logs | None = None) -> None:
        self.in_training = True

    def on_epoch_begin(self, epoch: int, logs: Logs | None = None) -> None:
        if self.params["epochs"] > 1:
            print(f"Epoch {epoch + 1}/{self.params['epochs']}")
        self._begin()

    def on_train_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        self._show(batch, logs)

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        self._finish(logs or {})

    def on_train_end(self, logs: Logs | None = None) -> None:
        self.in_training = False

    def on_test_begin(self, logs: Logs | None = None) -> None:
        if not self.in_training:
            self._begin()

    def on_test_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        if not self.in_training:
            self._show(batch, logs)

    def on_test_end(self, logs: Logs | None = None) -> None:
        if not self.in_training:
            self._finish(logs or {})

    def on_predict_begin(self, logs: Logs | None = None) -> None:
        self._begin()

    def on_predict_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        self._show(batch, None)

    def on_predict_end(self, logs: Logs | None = None) -> None:
        self._finish({})

    def _begin(self) -> None:
        live = False if self.params["verbose"] == 2 else None
        self.bar, self.step = Progbar(self.params["steps"], live=live), 0

    def _show(self, batch: int, logs: Logs | None) -> None:
        self.step = batch + 1
        assert self.bar is not None
        self.bar.update(self.step, logs or {})

    def _finish(self, logs: Logs) -> None:
        bar = self.bar
        assert bar is not None
        if self.params["verbose"] != 2:
            bar.finish(self.step, logs)
            return
        now = time.perf_counter()
        took = f"{now - bar.start:.0f}s"
        steps = f"{self.step}/{bar.target or self.step}"
        each = per_step(bar.seconds(self.step, now)).lstrip()
        print(f"{steps} - {took}{shown(logs)} - {took}/epoch - {each}", file=bar.stream)
