"""TensorBoard: curves, histograms of the weights, the graph and a profile, in a browser.

`fit` writes event files; ``tensorboard --logdir my_logs`` (pip install tensorboard) shows them.

Source: deck 001, section 10.2.7.
"""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any

import numpy as np

from gradlab.keras.callbacks.base import Callback, Logs
from gradlab.keras.callbacks.rates import rate_of
from gradlab.keras.tensorboard.png import COLOURS
from gradlab.keras.tensorboard.profile import Profile
from gradlab.keras.tensorboard.writer import FileWriter


def get_run_logdir(root_logdir: str | os.PathLike[str] = "my_logs") -> Path:
    """Return a new folder name for a run, from the date and the time; no folder is made.

    Source: deck 001, section 10.2.7.

    >>> get_run_logdir("my_logs")  # doctest: +ELLIPSIS
    PosixPath('my_logs/run_...')
    """
    return Path(root_logdir) / time.strftime("run_%Y_%m_%d_%H_%M_%S")


class TensorBoard(Callback):
    """Writes what TensorBoard shows, below one folder per run.

    ``train`` and ``validation`` have a file of events each. Its curves are ``epoch_loss`` and the
    like, one for each metric, ``epoch_learning_rate``, and ``evaluation_..._vs_iterations``; with
    ``update_freq`` also ``batch_loss``, the running mean of the epoch.

    Args:
        log_dir: the folder of this run, such as `get_run_logdir` returns.
        histogram_freq: histograms of all weights after every so many epochs; 0 for none.
        write_graph: the graph of the layers, after the first epoch; not for models whose graph is
            not known, because they have a ``call`` method of their own.
        write_images: all weights as images, together with the histograms.
        write_steps_per_second: the speed of training.
        update_freq: "epoch", "batch", or a number of batches.
        profile_batch: profile this batch, or those from one to another: ``(100, 200)``, counted
            from 1 over all epochs; 0 for none. The first steps are no good: they make the weights
            and record the program. See `tensorboard.profile` for what is written; the tables that
            the slide lists beside it (input_pipeline.pb, ...) are made from it by today's viewer.
        embeddings_freq, embeddings_metadata: those of Keras; gradlab has no Embedding layer.

    Raises:
        ValueError: other values for ``profile_batch`` or ``update_freq``.
        OSError: in training, the folder cannot be written to.

    Source: deck 001, section 10.2.7.

    >>> import tempfile
    >>> from gradlab import keras
    >>> model = keras.Sequential([keras.layers.Dense(1, input_shape=[1])])
    >>> model.compile(loss="mse")
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     board = TensorBoard(folder)
    ...     history = model.fit([[1.0]], [[2.0]], epochs=2, verbose=0, callbacks=[board])
    ...     [file] = Path(folder).glob("train/events.out.tfevents.*.v2")
    ...     [(e.tag, e.step) for e in keras.tensorboard.read_events(file) if e.tag]
    [('epoch_loss', 0), ('epoch_learning_rate', 0), ('epoch_loss', 1), ('epoch_learning_rate', 1)]
    """

    remembered = ("train_batches", "test_batches")

    def __init__(
        self,
        log_dir: str | os.PathLike[str] = "logs",
        histogram_freq: int = 0,
        write_graph: bool = True,
        write_images: bool = False,
        write_steps_per_second: bool = False,
        update_freq: str | int = "epoch",
        profile_batch: Any = 0,
        embeddings_freq: int = 0,
        embeddings_metadata: Any = None,
    ) -> None:
        super().__init__()
        self.log_dir, self.histogram_freq = Path(log_dir), histogram_freq
        self.write_graph, self.write_images = write_graph, write_images
        self.write_steps_per_second = write_steps_per_second
        self.every = _every(update_freq)
        self.first, self.last = _first_and_last(profile_batch)
        self.train_batches = self.test_batches = 0
        self._writers: dict[str, FileWriter] = {}
        self._profile: Profile | None = None

    def _writer(self, kind: str) -> FileWriter:
        if kind not in self._writers:
            self._writers[kind] = FileWriter(self.log_dir / kind)
        return self._writers[kind]

    # ----------------------------------------------------------------------------------- training

    def on_train_begin(self, logs: Logs | None = None) -> None:
        self.train_batches = self.test_batches = 0
        if self._profile is not None:  # an earlier fit was broken off
            self._profile.stop()
        self._writers, self._profile, self._graph_due = {}, None, self.write_graph

    def on_epoch_begin(self, epoch: int, logs: Logs | None = None) -> None:
        self._begun, self._batches_before = time.perf_counter(), self.train_batches

    def on_train_batch_begin(self, batch: int, logs: Logs | None = None) -> None:
        if self.train_batches + 1 == self.first:
            self._profile = Profile(self.model)
            self._profile.start()
        if self._profile is not None:
            self._profile.begin_step()
        self._batch_begun = time.perf_counter()

    def on_train_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        self.train_batches += 1
        if self._profile is not None:
            self._profile.end_step(f"train {self.train_batches}")
            if self.train_batches >= self.last:
                self._end_profile()
        if self.every and self.train_batches % self.every == 0:
            speed = {}
            if self.write_steps_per_second:
                speed["steps_per_second"] = 1.0 / (time.perf_counter() - self._batch_begun)
            self._scalars("train", "batch_{}", {**(logs or {}), **speed}, self.train_batches)

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        if self._graph_due and self.model.outputs:
            self._writer("train").graph(self.model)
        self._graph_due = False
        logs = logs or {}
        rate = {"learning_rate": rate_of(self.model)}
        train = {k: v for k, v in logs.items() if not k.startswith("val_")} | rate
        if self.write_steps_per_second:
            took = time.perf_counter() - self._begun
            train["steps_per_second"] = (self.train_batches - self._batches_before) / took
        self._scalars("train", "epoch_{}", train, epoch)
        found = {k.removeprefix("val_"): v for k, v in logs.items() if k.startswith("val_")}
        self._scalars("validation", "epoch_{}", found, epoch)
        if self.histogram_freq and epoch % self.histogram_freq == 0:
            self._weights(epoch)
        for writer in self._writers.values():
            writer.flush()

    def on_train_end(self, logs: Logs | None = None) -> None:
        if self._profile is not None:
            self._end_profile()
        self._close()

    def _end_profile(self) -> None:
        assert self._profile is not None
        self._profile.stop()
        self._profile.write(self.log_dir / "train")
        self._profile = None

    # --------------------------------------------------------------------------------- validation

    def on_test_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        self.test_batches += 1
        if self.every and self.test_batches % self.every == 0:
            self._scalars("validation", "batch_{}", logs or {}, self.test_batches)

    def on_test_end(self, logs: Logs | None = None) -> None:
        iterations = int(self.model.optimizer.iterations.data)
        self._scalars("validation", "evaluation_{}_vs_iterations", logs or {}, iterations)
        self._writer("validation").flush()

    # ----------------------------------------------------------------------------- what is written

    def _close(self) -> None:
        for writer in self._writers.values():
            writer.close()
        self._writers = {}

    def _scalars(self, kind: str, form: str, values: Logs, step: int) -> None:
        for name, value in values.items():
            self._writer(kind).scalar(form.format(name), value, step)

    def _weights(self, epoch: int) -> None:
        writer = self._writer("train")
        for weight in self.model.weights:
            writer.histogram(f"{weight.path}/histogram", weight.data, epoch)
            if self.write_images and (picture := as_image(weight.data)) is not None:
                writer.image(f"{weight.path}/image", picture, epoch)


def as_image(weight: np.ndarray) -> np.ndarray | None:
    """Return a weight as images (count, height, width, channels), from 0 (least) to 1 (most).

    A matrix is one image, lying if it stands; a bias a row of pixels. None for other shapes.

    >>> as_image(np.array([[1.0, 2.0, 3.0]]).T).tolist()
    [[[[0.0], [0.5], [1.0]]]]
    """
    w = np.squeeze(weight)
    if w.ndim == 1:
        w = w[np.newaxis, np.newaxis, :, np.newaxis]
    elif w.ndim == 2:
        w = (w.T if w.shape[0] > w.shape[1] else w)[np.newaxis, :, :, np.newaxis]
    elif w.ndim == 3:  # one image for each kernel
        w = np.moveaxis(w, -1, 0)[..., np.newaxis]
    if w.ndim != 4 or w.shape[-1] not in COLOURS or not w.size:
        return None
    low, high = w.min(), w.max()
    return (w - low) / (high - low) if high > low else np.zeros_like(w)


def _every(update_freq: Any) -> int:
    """Return after how many batches curves get a point; 0 for only after an epoch."""
    every = {"epoch": 0, "batch": 1}.get(update_freq, update_freq)
    if isinstance(every, int) and every >= 0:
        return every
    raise ValueError(
        f"TensorBoard: given update_freq={update_freq!r}\n"
        'expected "epoch", "batch" or a number of batches\nwrite update_freq="epoch"'
    )


def _first_and_last(profile_batch: Any) -> tuple[int, int]:
    """Return the batches from which and up to which to profile, counted from 1; 0 for none."""
    given = profile_batch.split(",") if isinstance(profile_batch, str) else profile_batch
    pair = [given, given] if isinstance(given, int) else given
    try:
        first, last = map(int, pair * (2 // len(pair)))
        if 0 < first <= last or first == last == 0:
            return first, last
    except (TypeError, ValueError, ZeroDivisionError):
        pass
    raise ValueError(
        f"TensorBoard: given profile_batch={profile_batch!r}\n"
        "expected a batch counted from 1, a pair of them, or 0\nwrite profile_batch=(100, 200)"
    )
