"""The loss and the metrics of each epoch as a table in a file, for spreadsheets and data frames."""

from __future__ import annotations

import csv
import io
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from gradlab.keras.callbacks.base import Callback, Logs


class CSVLogger(Callback):
    """Writes a line of a CSV file after each epoch.

    Args:
        filename: of the file.
        separator: between two columns.
        append: go on with the file that is there; else it is replaced.

    The columns are the epoch, from 0, and the names in ``logs`` in alphabetical order, with those
    of validation; "NA" where there is no value.

    Raises:
        OSError: in training, the file cannot be written.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     table = CSVLogger(f"{folder}/log.csv")
    ...     table.on_train_begin()
    ...     table.on_epoch_end(0, {"loss": 0.5, "val_loss": 0.25})
    ...     print(Path(f"{folder}/log.csv").read_text().strip())
    epoch,loss,val_loss
    0,0.5,0.25
    """

    remembered = ("keys", "end")

    def __init__(
        self, filename: str | os.PathLike[str], separator: str = ",", append: bool = False
    ) -> None:
        super().__init__()
        self.filename, self.sep, self.append = Path(filename), separator, append
        self.keys: list[str] | None = None
        self.end = 0  # what stands behind this byte is from a run that was broken off, or older

    def on_train_begin(self, logs: Logs | None = None) -> None:
        self.keys = None
        self.end = self.filename.stat().st_size if self.append and self.filename.exists() else 0

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        logs = logs or {}
        if self.keys is None:
            self.keys = sorted(logs)
            if not any(key.startswith("val_") for key in self.keys):
                self.keys += [f"val_{key}" for key in self.keys]
        row = [epoch, *(_cell(logs.get(key, "NA")) for key in self.keys)]
        self.filename.parent.mkdir(parents=True, exist_ok=True)
        with self.filename.open("ab") as file:
            file.truncate(min(self.end, file.tell()))
            if not file.seek(0, os.SEEK_END):
                file.write(self._line(["epoch", *self.keys]))
            file.write(self._line(row))
            self.end = file.tell()

    def _line(self, cells: list[Any]) -> bytes:
        line = io.StringIO()
        csv.writer(line, delimiter=self.sep, lineterminator="\n").writerow(cells)
        return line.getvalue().encode()


def _cell(value: Any) -> Any:
    if isinstance(value, Iterable) and not isinstance(value, str) and getattr(value, "ndim", 1):
        return f"[{', '.join(map(str, value))}]"
    return value
