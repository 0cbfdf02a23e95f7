"""Training: compile, fit, evaluate and predict; the loop of `fit` fits on one screen.

Source: deck 001, section 10.2.1 (compile, train, evaluate, predict); deck 000.
"""

from __future__ import annotations

import contextlib
from typing import Any

import numpy as np

from gradlab import tape
from gradlab.keras import checks, optimizers
from gradlab.keras.batches import as_arrays, as_triple, batches_of, is_stream, split_off
from gradlab.keras.callbacks import Callback, CallbackList
from gradlab.keras.compiled import Losses, Metrics, per_output, value
from gradlab.keras.graph import leaves, mapped
from gradlab.keras.history import History, ProgbarLogger
from gradlab.keras.metrics import Mean
from gradlab.kernels import threads
from gradlab.tensor import Tensor


class Trainer:
    """The part of a model that learns."""

    # what Model provides
    name: str
    built: bool
    layers: list[Any]
    output_names: list[str]
    trainable_weights: list[Any]
    losses: list[Any]
    weights: list[Any]

    optimizer: Any = None
    loss: Any = None
    stop_training = False
    history: History
    _losses: Losses | None = None
    _metrics: Metrics
    _weighted: Metrics

    def compile(
        self,
        optimizer: Any = "rmsprop",
        loss: Any = None,
        metrics: Any = None,
        loss_weights: Any = None,
        weighted_metrics: Any = None,
        run_eagerly: bool = False,
        **ignored: Any,
    ) -> None:
        """Say how to learn: the loss to bring down, the optimizer that does it, what to report.

        Args:
            optimizer: a name such as "sgd", or an object with settings of its own.
            loss: a name, a function of (y_true, y_pred), or an object; with several outputs, one
                for each, or one for all of them.
            metrics: a list of names, functions or objects; "accuracy" is the one that fits.
            loss_weights: with several outputs, the factor of each loss in their sum.
            weighted_metrics: metrics that take sample weights into account.
            run_eagerly: run every step operation by operation, for the debugger.
            ignored: ``jit_compile`` and ``steps_per_execution`` of Keras change no result.

        Raises:
            ValueError: an unknown name, or a softmax before a loss with ``from_logits=True``.
        """
        if unknown := set(ignored) - {"jit_compile", "steps_per_execution", "auto_scale_loss"}:
            raise TypeError(
                f"compile: no argument is called {min(unknown)}\n"
                "expected optimizer, loss, metrics, loss_weights or weighted_metrics\n"
                "write compile(loss=..., optimizer=..., metrics=[...])"
            )
        self.optimizer = optimizers.get(optimizer)
        self.loss, self.run_eagerly = loss, run_eagerly
        self._losses = Losses(loss, loss_weights)
        self._metrics, self._weighted = Metrics(metrics), Metrics(weighted_metrics)
        self._mean_loss = Mean(name="loss")
        checks.softmax_and_logits(getattr(self, "layers", []), list(leaves(loss)))

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
        data, held_back = self._data_of(
            x, y, sample_weight, batch_size, shuffle, steps_per_epoch, class_weight,
            validation_split,
        )  # fmt: skip
        held_back = validation_data if validation_data is not None else held_back
        epochs = epochs if nb_epoch is None else nb_epoch
        self.history = History()
        callbacks = self._callbacks(callbacks, verbose, epochs, data, self.history)
        self.stop_training = False
        callbacks.on_train_begin()
        logs: dict[str, float] = {}
        for epoch in range(initial_epoch, epochs):
            self.reset_metrics()
            callbacks.on_epoch_begin(epoch)
            with self._threads(data):
                for step, batch in enumerate(data):
                    self._place = (epoch, step)
                    callbacks.on_train_batch_begin(step)
                    logs = self.train_step(batch)
                    callbacks.on_train_batch_end(step, logs)
                    if self.stop_training:
                        break
            logs = dict(logs)
            if held_back is not None and (epoch + 1) % validation_freq == 0:
                logs |= self._validate(
                    held_back, validation_batch_size or batch_size, validation_steps, callbacks
                )
            callbacks.on_epoch_end(epoch, logs)
            if self.stop_training:
                break
        self.optimizer.finalize_variable_values(self.trainable_weights)
        callbacks.on_train_end(logs)
        return self.history

    # ---------------------------------------------------------------------------------- one step

    def train_step(self, data: Any) -> dict[str, float]:
        """Take one step on one batch: forward, loss, backward, update. Override it to do more.

        Args:
            data: ``(x, y, sample_weight)``; the last two may be None or missing.

        Returns:
            The running means of the loss and of the metrics.
        """
        x, y, sample_weight = as_triple(data)
        y_pred = self(x, training=True)
        loss = self.compute_loss(x, y, y_pred, sample_weight)
        gradients = self.gradients(loss)
        self.optimizer.apply(gradients, self.trainable_weights)
        return self.compute_metrics(x, y, y_pred, sample_weight)

    def test_step(self, data: Any) -> dict[str, float]:
        """Evaluate one batch."""
        x, y, sample_weight = as_triple(data)
        with tape.no_grad():
            y_pred = self(x, training=False)
            self.compute_loss(x, y, y_pred, sample_weight)
        return self.compute_metrics(x, y, y_pred, sample_weight)

    def predict_step(self, data: Any) -> Any:
        """Return the outputs for one batch, as arrays."""
        x, _, _ = as_triple(data)
        with tape.no_grad():
            return mapped(value, self(x, training=False))

    def compute_loss(self, x: Any, y: Any, y_pred: Any, sample_weight: Any = None) -> Any:
        """Return the loss of a batch with all penalties, and count it in the running mean."""
        names = self._names_of(y_pred)
        targets, outputs, weights = self._aligned(y, y_pred, sample_weight)
        assert self._losses is not None
        self._losses.match(names)
        for target, output, loss in zip(targets, outputs, self._losses.each, strict=True):
            if loss is not None:
                checks.targets_fit(target, value(output), loss, self)
        total = self._losses(targets, outputs, weights)
        for penalty in self.losses:
            total = penalty if total is None else total + penalty
        if total is None:
            raise ValueError(
                "there is nothing to bring down: no loss, no penalty\n"
                'expected a loss for at least one output\nwrite compile(loss="mse")'
            )
        checks.finite(float(value(total)), self, x, *self._place)
        self._mean_loss.update_state(value(total), sample_weight=len(value(outputs[0])))
        return total

    def gradients(self, loss: Tensor) -> list[Any]:
        """Return d(loss)/d(weight) for each trainable weight; None where there is no path."""
        if not isinstance(loss, Tensor):
            return [None for _ in self.trainable_weights]
        arrived = tape.sweep(loss, np.ones(loss.shape, loss.dtype))
        return [arrived.get(weight.serial) for weight in self.trainable_weights]

    def compute_metrics(
        self, x: Any, y: Any, y_pred: Any, sample_weight: Any = None
    ) -> dict[str, float]:
        """Count a batch in all metrics and return their running values."""
        names = self._names_of(y_pred)
        targets, outputs, weights = self._aligned(y, y_pred, sample_weight)
        losses = [None] * len(names) if self._losses is None else self._losses.each
        for counted, factor in ((self._metrics, [None] * len(names)), (self._weighted, weights)):
            counted.match(names, targets, outputs, losses)
            counted.update(targets, outputs, factor)
        return self.get_metrics_result()

    def get_metrics_result(self) -> dict[str, float]:
        """Return the loss and all metrics as they stand."""
        return {metric.name: float(metric.result()) for metric in self.metrics}

    @property
    def metrics(self) -> list[Any]:
        """The running loss, the loss of each output if there are several, then the metrics."""
        self._compiled("metrics")
        assert self._losses is not None
        parts = self._losses.means if self._losses.names and len(self._losses.names) > 1 else []
        return [self._mean_loss, *parts, *self._metrics.all, *self._weighted.all]

    @property
    def metrics_names(self) -> list[str]:
        """The names of what `evaluate` returns, in its order."""
        return [metric.name for metric in self.metrics]

    def reset_metrics(self) -> None:
        """Begin to count anew."""
        for metric in self.metrics:
            metric.reset_state()

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
        callbacks.on_predict_begin()
        parts: list[Any] = []
        with self._threads(data):
            for step, batch in enumerate(data):
                callbacks.on_predict_batch_begin(step)
                parts.append(self.predict_step(batch))
                callbacks.on_predict_batch_end(step, {"outputs": parts[-1]})
        callbacks.on_predict_end()
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

    _place = (0, 0)  # epoch and step, for messages

    def _threads(self, data: Any) -> contextlib.AbstractContextManager[Any]:
        """Return the context for one step: its largest product is a batch times a kernel."""
        largest = max((w.size for w in self.weights), default=0)
        return threads.for_products_of(2.0 * getattr(data, "batch_size", 32) * largest)

    def _compiled(self, method: str) -> None:
        if self._losses is None:
            raise RuntimeError(
                f"{self.name}: {method} before compile\n"
                "expected to be told a loss and an optimizer first\n"
                'write model.compile(loss="mse", optimizer="sgd")'
            )

    def _data_of(
        self, x: Any, y: Any, sample_weight: Any, batch_size: Any, shuffle: Any,
        steps: Any, class_weight: Any, fraction: float,
    ) -> tuple[Any, Any]:  # fmt: skip
        """Return the batches of `fit`, and what was split off from them for validation."""
        held_back = None
        if not is_stream(x):
            whole = (as_arrays(x), as_arrays(y), as_arrays(sample_weight))
            checks.unscaled_images(whole[0], self.layers)
            if fraction:
                whole, held_back = split_off(whole, fraction)
            x, y, sample_weight = whole
        data = batches_of(
            x, y, sample_weight, batch_size=batch_size, shuffle=shuffle, steps=steps,
            class_weight=class_weight,
        )  # fmt: skip
        return data, held_back

    def _validate(
        self, held_back: Any, batch_size: int | None, steps: int | None, callbacks: Any
    ) -> dict[str, float]:
        parts = held_back if isinstance(held_back, list | tuple) else (held_back,)
        x, y, sample_weight = as_triple(tuple(parts))
        data = batches_of(x, y, sample_weight, batch_size=batch_size, steps=steps)
        return {f"val_{name}": v for name, v in self._evaluated(data, callbacks).items()}

    def _evaluated(self, data: Any, callbacks: Any) -> dict[str, float]:
        self.reset_metrics()
        callbacks.on_test_begin()
        logs: dict[str, float] = {}
        with self._threads(data):
            for step, batch in enumerate(data):
                callbacks.on_test_batch_begin(step)
                logs = self.test_step(batch)
                callbacks.on_test_batch_end(step, logs)
        callbacks.on_test_end(logs)
        return logs

    def _on_batch(
        self, step: Any, x: Any, y: Any, sample_weight: Any, class_weight: Any, return_dict: bool
    ) -> Any:
        self._compiled(step.__name__)
        (batch,) = batches_of(
            x, y, sample_weight, batch_size=2**62, class_weight=class_weight
        )  # fmt: skip
        logs = step(batch)
        found = list(logs.values())
        return logs if return_dict else found[0] if len(found) == 1 else found

    def _callbacks(
        self, given: Any, verbose: Any, epochs: int, data: Any, *more: Callback
    ) -> CallbackList:
        mine = [given] if isinstance(given, Callback) else list(given or [])
        verbose = 1 if verbose == "auto" else int(verbose)
        bar = [ProgbarLogger()] if verbose else []
        callbacks = CallbackList([*bar, *mine, *more])
        steps = getattr(data, "steps", None) if not hasattr(data, "size") else len(data)
        callbacks.set_params({"verbose": verbose, "epochs": epochs, "steps": steps})
        callbacks.set_model(self)
        return callbacks

    def _names_of(self, y_pred: Any) -> list[str]:
        """Return the names of the outputs; ``output_1``, ... where the model cannot tell."""
        count = len(list(leaves(y_pred)))
        if isinstance(y_pred, dict):
            return list(y_pred)
        known = getattr(self, "output_names", None) or []
        return known if len(known) == count else [f"output_{k + 1}" for k in range(count)]

    def _aligned(
        self, y: Any, y_pred: Any, weight: Any
    ) -> tuple[list[Any], list[Any], list[Any]]:
        """Return targets, outputs and weights as three lists, one entry per output."""
        names = self._names_of(y_pred)
        outputs = list(leaves(y_pred))
        targets = per_output(y, names, "y")
        return targets, outputs, per_output(weight, names, "sample_weight")

