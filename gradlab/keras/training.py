"""Training: fit, evaluate and predict; the loop of `fit` fits on one screen.

Source: deck 001, section 10.2.1 (train, evaluate, predict); deck 000.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

import numpy as np

from gradlab.keras import checks
from gradlab.keras.arrays import as_arrays, held_back_of
from gradlab.keras.batches import as_triple, batches_of
from gradlab.keras.callbacks import Callback, CallbackList, History, ProgbarLogger
from gradlab.keras.graph import leaves, mapped
from gradlab.keras.step import Stepper
from gradlab.kernels import threads


class Trainer(Stepper):
    """The part of a model that goes through the data."""

    # what Model provides
    weights: list[Any]
    _walk: Any

    stop_training = False
    history: History
    _begin_at = (0, 0)  # epoch and step

    def fit(
        self,
        x: Any = None,
        y: Any = None,
        batch_size: int | None = None,
        epochs: int = 1,
        verbose: Any = "auto",
        callbacks: Any = None,
        validation_split: float = 0.0,
        validation_data: Any = None,
        shuffle: bool = True,
        class_weight: dict[int, float] | None = None,
        sample_weight: Any = None,
        initial_epoch: int = 0,
        steps_per_epoch: int | None = None,
        validation_steps: int | None = None,
        validation_batch_size: int | None = None,
        validation_freq: int = 1,
        nb_epoch: int | None = None,
    ) -> History:
        """Train for a number of passes over the data.

        Args:
            x: inputs: an array, a list or dict of arrays, a data frame, or a generator of batches.
            y: targets, unless x is a generator.
            batch_size: instances per step; 32 by default.
            epochs: the number of the last epoch; ``nb_epoch`` is its name in Keras 1.
            verbose: 0 for nothing, 1 for a progress bar, 2 for a line per epoch.
            callbacks: objects whose hooks are called on the way.
            validation_split: this fraction of the last rows is held back for validation.
            validation_data: ``(x, y)`` or ``(x, y, sample_weight)``, evaluated after each epoch.
            shuffle: a new order of the instances in each epoch.
            class_weight: a factor on the loss of the instances of each class.
            sample_weight: a factor on the loss of each instance.
            initial_epoch: where to go on, after an earlier `fit`.
            steps_per_epoch: batches per epoch; needed for generators that never end.
            validation_steps, validation_batch_size: the same for validation.
            validation_freq: validate after every so many epochs.

        Returns:
            The History: its ``history`` has a list for the loss and each metric. The training
            values of an epoch are means over its steps, while the weights were changing; those of
            validation are measured after its last step.

        Raises:
            RuntimeError: the model was not compiled.
            ValueError: data that cannot be used; no weight has changed.
        """
        self._compiled("fit")
        data, held_back = held_back_of((x, y, sample_weight), validation_split)
        checks.unscaled_images(data[0], [layer for layer, _ in self._walk()])
        data = batches_of(
            *data, batch_size=batch_size, shuffle=shuffle, steps=steps_per_epoch,
            class_weight=class_weight,
        )  # fmt: skip
        validation = validation_data if validation_data is not None else held_back
        if validation is not None:  # looked at now, so that a mistake costs no epoch
            size = validation_batch_size or batch_size
            validation = batches_of(*as_triple(validation), batch_size=size, steps=validation_steps)
        epochs = epochs if nb_epoch is None else nb_epoch
        self.history = History()
        callbacks = self._callbacks(callbacks, verbose, epochs, data, self.history)
        self.stop_training, logs = False, {}
        self._begin_at = (initial_epoch, 0)
        callbacks.on_train_begin({})  # BackupAndRestore may begin later, and stop at once
        for epoch in range(self._begin_at[0], epochs):
            if self.stop_training or data.ran_out:
                break
            callbacks.on_epoch_begin(epoch, {})
            logs = self._epoch(epoch, epochs - initial_epoch, data, callbacks)
            if data.ran_out and not logs:
                break
            if validation is not None and (epoch + 1) % validation_freq == 0:
                logs |= {f"val_{k}": v for k, v in self._evaluated(validation, callbacks).items()}
            callbacks.on_epoch_end(epoch, logs)
        if self.optimizer.built:
            self.optimizer.finalize_variable_values(self.trainable_weights)
        callbacks.on_train_end(logs)
        return self.history

    def _epoch(
        self, epoch: int, epochs: int, data: Any, callbacks: CallbackList
    ) -> dict[str, float]:
        """Go through the data once, step by step, and return the means over the steps."""
        self.reset_metrics()
        logs: dict[str, float] = {}
        with self._one_pass("train", data, epochs):
            for step, batch in enumerate(data):
                if (epoch, step) < self._begin_at:
                    continue
                self._place = (epoch, step)
                callbacks.on_train_batch_begin(step, {})
                logs = self._step_tried(self.train_step, batch, step, logs, callbacks)
                callbacks.on_train_batch_end(step, logs)
                if self.stop_training:
                    break
        return dict(logs)

    # -------------------------------------------------------------------------- evaluate, predict

    def evaluate(
        self,
        x: Any = None,
        y: Any = None,
        batch_size: int | None = None,
        verbose: Any = "auto",
        sample_weight: Any = None,
        steps: int | None = None,
        callbacks: Any = None,
        return_dict: bool = False,
    ) -> Any:
        """Return the loss, and the metrics if there are any, on data the model does not learn from.

        Args:
            return_dict: a dict by name instead of a list.
        """
        self._compiled("evaluate")
        data = batches_of(x, y, sample_weight, batch_size=batch_size, steps=steps)
        callbacks = self._callbacks(callbacks, verbose, 1, data)
        logs = self._evaluated(data, callbacks)
        if return_dict:
            return logs
        found = list(logs.values())
        return found[0] if len(found) == 1 else found

    def predict(
        self,
        x: Any,
        batch_size: int | None = None,
        verbose: Any = "auto",
        steps: int | None = None,
        callbacks: Any = None,
    ) -> Any:
        """Return the outputs for all rows, computed batch by batch."""
        data = batches_of(x, batch_size=batch_size, steps=steps)
        callbacks = self._callbacks(callbacks, verbose, 1, data)
        callbacks.on_predict_begin({})
        parts: list[Any] = []
        with self._one_pass("predict", data):
            for step, batch in enumerate(data):
                callbacks.on_predict_batch_begin(step, {})
                parts.append(self.predict_step(batch))
                callbacks.on_predict_batch_end(step, {"outputs": parts[-1]})
        callbacks.on_predict_end({})
        columns = zip(*(leaves(part) for part in parts), strict=True)
        joined = iter([np.concatenate(column) for column in columns])
        return mapped(lambda _: next(joined), parts[0])

    def train_on_batch(
        self,
        x: Any,
        y: Any = None,
        sample_weight: Any = None,
        class_weight: dict[int, float] | None = None,
        return_dict: bool = False,
    ) -> Any:
        """Take one step on this batch; the running means go on from the calls before."""
        return self._on_batch(self.train_step, x, y, sample_weight, class_weight, return_dict)

    def test_on_batch(
        self, x: Any, y: Any = None, sample_weight: Any = None, return_dict: bool = False
    ) -> Any:
        """Evaluate this batch; the running means go on from the calls before."""
        return self._on_batch(self.test_step, x, y, sample_weight, None, return_dict)

    def predict_on_batch(self, x: Any) -> Any:
        """Return the outputs for this batch."""
        return self.predict_step((as_arrays(x), None, None))

    # ------------------------------------------------------------------------------- behind these

    @contextlib.contextmanager
    def _one_pass(self, kind: str, data: Any, passes: int = 1) -> Iterator[None]:
        """Go through the data once: with as many threads as pay, and settings looked up once."""
        step, steps = self._compiled_step(kind), passes * (data.steps or 0)
        largest = max((w.size for w in self.weights), default=0)
        shared = step.worth_compiling(steps)  # its products are: BLAS must not do so as well
        blas = threads.one_each() if shared else threads.for_products_of(
            2.0 * data.batch_size * largest
        )  # fmt: skip
        with blas, step.one_pass(steps):
            yield

    def _step_tried(
        self, take_step: Any, batch: Any, step: int, logs: dict[str, float], callbacks: CallbackList
    ) -> dict[str, float]:
        """Take a step; NaN if the loss is not finite and a callback is there to end training."""
        try:
            with callbacks.quietly():
                return take_step(batch)
        except checks.NonFiniteLossError as error:
            callbacks.not_finite(step, error)
            return {**dict.fromkeys(self.metrics_names, np.nan), **logs, "loss": np.nan}

    def _evaluated(self, data: Any, callbacks: Any) -> dict[str, float]:
        self.reset_metrics()
        callbacks.on_test_begin({})
        logs: dict[str, float] = {}
        with self._one_pass("test", data):
            for step, batch in enumerate(data):
                callbacks.on_test_batch_begin(step, {})
                logs = self._step_tried(self.test_step, batch, step, logs, callbacks)
                callbacks.on_test_batch_end(step, logs)
        callbacks.on_test_end(logs)
        return logs

    def _on_batch(
        self, step: Any, x: Any, y: Any, sample_weight: Any, class_weight: Any, return_dict: bool
    ) -> Any:
        self._compiled(step.__name__)
        whole = batches_of(x, y, sample_weight, batch_size=2**62, class_weight=class_weight)
        logs = step(next(iter(whole)))
        found = list(logs.values())
        return logs if return_dict else found[0] if len(found) == 1 else found

    def _callbacks(
        self, given: Any, verbose: Any, epochs: int, data: Any, *more: Callback
    ) -> CallbackList:
        mine = [given] if isinstance(given, Callback) else list(given or [])
        verbose = 1 if verbose == "auto" else int(verbose)
        bar = [ProgbarLogger()] if verbose else []
        callbacks = CallbackList([*bar, *mine, *more])
        callbacks.set_params({"verbose": verbose, "epochs": epochs, "steps": data.steps})
        callbacks.set_model(self)
        return callbacks
