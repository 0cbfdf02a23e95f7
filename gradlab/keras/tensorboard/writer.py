"""A writer of event files: each call adds a number, a histogram, an image or a text at a step.

TensorBoard looks into a folder again and again, and shows what has been added to its event files.

Source: deck 001, section 10.2.7.
"""

from __future__ import annotations

import itertools
import os
import socket
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from gradlab.keras.tensorboard import messages
from gradlab.keras.tensorboard.png import COLOURS
from gradlab.keras.tensorboard.records import record

SECONDS = 1.0  # after which what was added is written at the latest by the next call
_count = itertools.count()


class FileWriter:
    """Writes one event file into a folder; the folder is made when there is something to write.

    Args:
        logdir: one run of those that TensorBoard shows side by side.

    The file is only open while something is written to it, so that nothing is lost or locked when
    a run is killed. Use it with ``with``, or call `close` at the end.

    >>> import tempfile
    >>> from gradlab.keras.tensorboard import read_events
    >>> folder = tempfile.TemporaryDirectory()
    >>> with FileWriter(folder.name) as writer:
    ...     for step in range(3):
    ...         writer.scalar("loss", 0.5**step, step)
    >>> [(event.step, event.value) for event in read_events(writer.path)]
    [(0, 1.0), (1, 0.5), (2, 0.25)]
    >>> folder.cleanup()
    """

    def __init__(self, logdir: str | os.PathLike[str]) -> None:
        self.path = Path(logdir) / f"{file_name()}.{os.getpid()}.{next(_count)}.v2"
        self._waiting = [record(messages.first_event())]
        self._written_at = time.monotonic()

    def scalar(self, name: str, data: Any, step: int) -> None:
        """Add a point to a curve: ``name`` is its tag; what stands before a "/" groups charts."""
        self._add(step, name, messages.scalar(float(data)))

    def histogram(self, name: str, data: Any, step: int, buckets: int = 30) -> None:
        """Add how the numbers of an array are spread."""
        self._add(step, name, messages.histogram(data, buckets))

    def image(self, name: str, data: Any, step: int, max_outputs: int = 3) -> None:
        """Add images (count, height, width, channels): bytes, or floats from 0 to 1.

        Raises:
            ValueError: another shape.
        """
        pictures = np.asarray(data)
        if pictures.ndim != 4 or pictures.shape[-1] not in COLOURS:
            raise ValueError(
                f"image: given an array of shape {pictures.shape}\n"
                "expected (count, height, width, channels), with 1 to 4 channels\n"
                "write images[..., np.newaxis] for grey ones without an axis of channels"
            )
        self._add(step, name, messages.images(pictures, max_outputs))

    def text(self, name: str, data: str | Sequence[str], step: int) -> None:
        """Add a text in Markdown, or several as the cells of a column."""
        self._add(step, name, messages.texts(data))

    def graph(self, model: Any) -> None:
        """Add the graph of a model's layers, for the Graphs tab."""
        from gradlab.keras.tensorboard.graph import graph_def

        self._put(messages.graph(graph_def(model)))

    def hparams(self, hparams: Mapping[str, Any]) -> None:
        """Say with which hyperparameters this run is made, for the HParams tab; once per run.

        Args:
            hparams: numbers, texts and bools by name.
        """
        self._add(0, "_hparams_/session_start_info", messages.session_start(hparams))
        self._add(0, "_hparams_/session_end_info", messages.session_end())

    def flush(self) -> None:
        """Write all that has been added."""
        if self._waiting:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with self.path.open("ab") as file:
                file.write(b"".join(self._waiting))
        self._waiting, self._written_at = [], time.monotonic()

    close = flush

    def __enter__(self) -> FileWriter:
        return self

    def __exit__(self, *_: Any) -> None:
        self.close()

    def _add(self, step: int, name: str, value: bytes) -> None:
        self._put(messages.summary(step, name, value))

    def _put(self, event: bytes) -> None:
        self._waiting.append(record(event))
        if time.monotonic() - self._written_at > SECONDS:
            self.flush()


def file_name() -> str:
    """Return how names of event files begin: with the time and this computer's name."""
    return f"events.out.tfevents.{int(time.time())}.{host()}"


def host() -> str:
    """Return the name of this computer as file names have it."""
    return socket.gethostname().replace("/", "_") or "host"
