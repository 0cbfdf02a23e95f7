"""One step: what a model does with one batch, in training, evaluation and prediction.

Forward, loss, backward, update; then the metrics are counted.

Source: deck 001, section 10.1.4 (backpropagation), section 10.2.1 (compile).
"""

from __future__ import annotations

import contextvars
from operator import attrgetter
from typing import Any

import numpy as np

from gradlab import tape
from gradlab.keras import checks, optimizers
from gradlab.keras.batches import as_triple
from gradlab.keras.compiled import Losses, Metrics, per_output, value
from gradlab.keras.compiled_step import CompiledStep
from gradlab.keras.graph import leaves, mapped
from gradlab.keras.metrics import Mean
from gradlab.tensor import Tensor

# What `keras.distribute` puts in the place of a training step, for models compiled in its scope.
active_strategy: contextvars.ContextVar[Any] = contextvars.ContextVar("strategy", default=None)


class Stepper:
    """The part of a model that knows its loss, its optimizer and its metrics."""

    # what Model provides
    name: str
    layers: list[Any]
    output_names: list[str]
    trainable_weights: list[Any]
    losses: list[Any]
    __call__: Any

    optimizer: Any = None
    loss: Any = None
    _losses: Losses | None = None
    _metrics: Metrics
    _weighted: Metrics
    _place = (0, 0)  # epoch and step, for messages
    run_eagerly = False
    _programs: dict[str, CompiledStep] | None = None
    _strategy: Any = None

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
        parts = Losses(loss, loss_weights), Metrics(metrics), Metrics(weighted_metrics)
        for part in parts:  # what does not fit is told before anything changes
            part.check(self.output_names)
        if (strategy := active_strategy.get()) is not None:
            strategy.check(self)
        self._strategy = strategy
        self.optimizer = optimizers.get(optimizer)
        self.loss, self.run_eagerly = loss, run_eagerly
        self._losses, self._metrics, self._weighted = parts
        self._mean_loss = Mean(name="loss")
        self._programs = None
        checks.softmax_and_logits(getattr(self, "layers", []), list(leaves(loss)))

    def train_step(self, data: Any) -> dict[str, float]:
        """Take one step on one batch: forward, loss, backward, update. Override it to do more.

        Args:
            data: what `fit` was given, one batch of it: ``(x, y)``, or ``(x, y, sample_weight)``.

        Returns:
            The running means of the loss and of the metrics.
        """
        x, y, sample_weight = as_triple(data)
        y_pred = self._by_program("train", x, y, sample_weight)
        if y_pred is None:  # on the tape, operation by operation
            y_pred = self(x, training=True)
            loss = self.compute_loss(x, y, y_pred, sample_weight)
            weights = self.trainable_weights
            self.optimizer.apply(self.gradients(loss, weights), weights)
        return self.compute_metrics(x, y, y_pred, sample_weight)

    def test_step(self, data: Any) -> dict[str, float]:
        """Evaluate one batch."""
        x, y, sample_weight = as_triple(data)
        y_pred = self._by_program("test", x, y, sample_weight)
        if y_pred is None:
            with tape.no_grad():
                y_pred = self(x, training=False)
                self.compute_loss(x, y, y_pred, sample_weight)
        return self.compute_metrics(x, y, y_pred, sample_weight)

    def predict_step(self, data: Any) -> Any:
        """Return the outputs for one batch, as arrays."""
        x, _, _ = as_triple(data)
        y_pred = self._by_program("predict", x)
        if y_pred is not None:
            return y_pred
        with tape.no_grad():
            return mapped(value, self(x, training=False))

    def _by_program(self, kind: str, x: Any, y: Any = None, sample_weight: Any = None) -> Any:
        """Do what a step does as a recorded program, and return its outputs.

        The numbers are those of the tape; None where the tape has to compute them.
        """
        if kind == "train" and self._strategy is not None:
            return self._strategy.step(self, x, y, sample_weight)
        if self.run_eagerly:
            return None
        return self._compiled_step(kind)(x, y, sample_weight)

    def program(self, kind: str = "train") -> Any:
        """Return what the step was made of in the last `fit`: ``print`` it, or ``draw`` it.

        Args:
            kind: "train" for the step of `fit`, "test" for that of `evaluate`, or "predict".

        Returns:
            The `gradlab.program.Program`; the one for the largest batch if there are several.

        Raises:
            RuntimeError: there is none: nothing was run yet, or the tape had to compute it.
        """
        step = self._compiled_step(kind)
        if not step.programs:
            why = step.reason or "no batch was computed by it yet"
            raise RuntimeError(
                f"{self.name} has no program to {kind}: {why}\n"
                "expected a model that was trained, evaluated or asked for predictions\n"
                "write model.fit(x, y), then print(model.program())"
            )
        return max((each.program for each in step.programs.values()), key=attrgetter("nbytes"))

    def _compiled_step(self, kind: str) -> CompiledStep:
        if self._programs is None:
            self._programs = {}
        if kind not in self._programs:
            self._programs[kind] = CompiledStep(self, kind)
            own = [n for n in RECORDED if getattr(type(self), n) is not getattr(Stepper, n)]
            if own:  # a program would not call it
                self._programs[kind].reason = f"it has a method {own[0]} of its own"
        return self._programs[kind]

    def compute_loss(
        self,
        x: Any = None,
        y: Any = None,
        y_pred: Any = None,
        sample_weight: Any = None,
        training: bool = True,
    ) -> Any:
        """Return the loss of a batch with all penalties, and count it in the running mean."""
        total = self._loss_of(y, y_pred, sample_weight)
        for penalty in self.losses:
            total = penalty if total is None else total + penalty
        checks.single(total)
        checks.finite(float(value(total)), self, x, *self._place)
        self._mean_loss.add(value(total), len(value(next(leaves(y_pred)))))
        return total

    def _loss_of(self, y: Any, y_pred: Any, sample_weight: Any) -> Any:
        """Return the loss without the penalties; None if no output has one."""
        assert self._losses is not None
        names = self._names_of(y_pred)
        self._losses.match(names)
        targets, outputs, weights = self._aligned(y, y_pred, sample_weight, names)
        names = (self._losses.names or []) if len(outputs) > 1 else [""]
        for name, target, output, loss in zip(names, targets, outputs, self._losses.each):
            if loss is not None:
                checks.targets_fit(target, value(output), self, name)
        return self._losses(targets, outputs, weights)

    def gradients(self, loss: Any, weights: Any = None) -> list[Any]:
        """Return d(loss)/d(weight) for each weight; None where there is no path.

        Args:
            loss: a Tensor of one number.
            weights: variables; those that are trained by default.
        """
        weights = self.trainable_weights if weights is None else weights
        if not isinstance(loss, Tensor):
            return [None for _ in weights]
        arrived = tape.sweep(loss, np.ones(loss.shape, loss.dtype))
        return [arrived.get(weight.serial) for weight in weights]

    def compute_metrics(
        self, x: Any = None, y: Any = None, y_pred: Any = None, sample_weight: Any = None
    ) -> dict[str, float]:
        """Count a batch in all metrics and return their running values."""
        self._compiled("compute_metrics")
        assert self._losses is not None
        names = self._losses.names or self._names_of(y_pred)
        targets, outputs, weights = self._aligned(y, y_pred, sample_weight, names)
        if self._metrics.each is None or self._weighted.each is None:
            self._metrics.match(names, targets, outputs, self._losses.each)
            self._weighted.match(names, targets, outputs, self._losses.each)
        self._metrics.update(targets, outputs)
        self._weighted.update(targets, outputs, weights)
        return self.get_metrics_result()

    def get_metrics_result(self) -> dict[str, float]:
        """Return the loss and all metrics as they stand."""
        return {metric.name: float(metric.result()) for metric in self.metrics}

    @property
    def metrics(self) -> list[Any]:
        """The running loss, the loss of each output if there are several, then the metrics."""
        self._compiled("metrics")
        assert self._losses is not None
        return [self._mean_loss, *self._losses.shown, *self._metrics.all, *self._weighted.all]

    @property
    def metrics_names(self) -> list[str]:
        """The names of what `evaluate` returns, in its order."""
        return [metric.name for metric in self.metrics]

    def reset_metrics(self) -> None:
        """Begin to count anew."""
        for metric in self.metrics:
            metric.reset_state()

    def _compiled(self, method: str) -> None:
        if self._losses is None:
            raise RuntimeError(
                f"{self.name}: {method} before compile\n"
                "expected to be told a loss and an optimizer first\n"
                'write model.compile(loss="mse", optimizer="sgd")'
            )

    def _names_of(self, y_pred: Any) -> list[str]:
        """Return the names of the outputs; ``output_1``, ... where the model cannot tell."""
        count = len(list(leaves(y_pred)))
        if isinstance(y_pred, dict):
            return list(y_pred)
        known = getattr(self, "output_names", None) or []
        return known if len(known) == count else [f"output_{k + 1}" for k in range(count)]

    def _aligned(
        self, y: Any, y_pred: Any, weight: Any, names: list[str]
    ) -> tuple[list[Any], list[Any], list[Any]]:
        """Return targets, outputs and weights as three lists, one entry per output."""
        weights = per_output(weight, names, "sample_weight")
        return per_output(y, names, "y"), list(leaves(y_pred)), weights


RECORDED = ("compute_loss", "gradients")  # steps on the tape whose operations a program repeats
