"""Finding a good learning rate: begin far too small, multiply at each step, and watch the loss.

It first stays, then falls, then shoots up; a good rate is a bit lower than that.

Source: deck 001, section 10.3.3.
"""

from __future__ import annotations

import warnings
from typing import Any

from gradlab.keras.callbacks import state
from gradlab.keras.callbacks.base import Callback, Logs
from gradlab.keras.callbacks.rates import rate_of


class ExponentialLearningRate(Callback):
    """Multiplies the learning rate by a factor after each batch, and notes the loss of each batch.

    Args:
        factor: such as 1.005.

    Attributes:
        rates, losses: of each batch.

    Source: Géron, *Hands-On Machine Learning*, chapter 10, exercise 10.

    >>> from gradlab import keras
    >>> model = keras.Sequential([keras.layers.Dense(1, input_shape=[1])])
    >>> model.compile(loss="mse", optimizer=keras.optimizers.SGD(0.001))
    >>> faster = ExponentialLearningRate(factor=2.0)
    >>> history = model.fit([[1.0]] * 96, [[2.0]] * 96, verbose=0, callbacks=[faster])
    >>> [round(rate, 4) for rate in faster.rates]
    [0.001, 0.002, 0.004]
    """

    remembered = ("rates", "losses")

    def __init__(self, factor: float) -> None:
        super().__init__()
        self.factor = factor
        self.rates: list[float] = []
        self.losses: list[float] = []

    def on_epoch_begin(self, epoch: int, logs: Logs | None = None) -> None:
        self._sum = 0.0

    def on_train_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        total = (logs or {})["loss"] * (batch + 1)  # the logs have the mean over the epoch so far
        self.rates.append(rate_of(self.model))
        self.losses.append(total - self._sum)
        self._sum = total
        self.model.optimizer.learning_rate = self.rates[-1] * self.factor

    def plot(self, ax: Any = None) -> Any:
        """Draw the loss against the rate; see `gradlab.plots.loss_against_learning_rate`."""
        from gradlab import plots

        return plots.loss_against_learning_rate(self.rates, self.losses, ax=ax)

    def suggestion(self) -> float:
        """Return a tenth of the rate from which the loss shoots up.

        Raises:
            ValueError: too few batches, or the loss never shoots up, or never falls.
        """
        from gradlab import plots

        return plots.learning_rate_points(self.rates, self.losses).suggestion


class LearningRateFinder(ExponentialLearningRate):
    """Tries learning rates from very low to very high, within one `fit`, then undoes the training.

    The rate grows by the same factor at each of the steps. Training ends after the last one, or
    when the loss has become ten times what it was; the weights, the optimizer and its learning
    rate are then as they were before. Give `fit` enough epochs for all steps.

    Args:
        min_rate, max_rate: the first and the last learning rate.
        steps: how many batches it takes, "a few hundred".

    Raises:
        ValueError: rates that do not increase; in training, a model without weights as yet.

    Source: deck 001, section 10.3.3; Smith (2017), "Cyclical Learning Rates for Training Neural
    Networks".

    >>> import numpy as np
    >>> from gradlab import keras
    >>> keras.utils.set_random_seed(42)
    >>> X = np.random.default_rng(0).normal(size=(640, 3))
    >>> model = keras.Sequential([keras.layers.Dense(1, input_shape=[3])])
    >>> model.compile(loss="mse", optimizer="sgd")
    >>> finder = LearningRateFinder(steps=100)
    >>> history = model.fit(X, X @ [1.0, -2.0, 0.5], epochs=5, verbose=0, callbacks=[finder])
    >>> 0.01 < finder.suggestion() < 0.1
    True
    """

    remembered = ()

    def __init__(self, min_rate: float = 1e-5, max_rate: float = 10.0, steps: int = 500) -> None:
        if not 0.0 < min_rate < max_rate or steps < 3:
            raise ValueError(
                f"LearningRateFinder: given {min_rate}, {max_rate} and steps={steps}\n"
                "expected 0 < min_rate < max_rate, and at least 3 steps\n"
                "write LearningRateFinder(1e-5, 10.0, steps=500)"
            )
        super().__init__((max_rate / min_rate) ** (1.0 / (steps - 1)))
        self.min_rate, self.max_rate, self.steps = min_rate, max_rate, steps

    def on_train_begin(self, logs: Logs | None = None) -> None:
        if not self.model.built or not self.model.weights:
            raise ValueError(
                "LearningRateFinder: the model has no weights yet that could be restored\n"
                "expected a model that knows the shape of its inputs\n"
                "write keras.Input(shape=...) before its first layer"
            )
        self.before = state.of_model(self.model)
        self.rates, self.losses = [], []
        self.model.optimizer.learning_rate = self.min_rate

    def on_train_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        super().on_train_batch_end(batch, logs)
        if len(self.rates) == self.steps or self.losses[-1] > 10.0 * abs(self.losses[0]):
            self.model.stop_training = True

    def on_not_finite(self, batch: int, error: ArithmeticError) -> None:
        """End the search: the rate has become too large."""
        self.model.stop_training = True

    def on_train_end(self, logs: Logs | None = None) -> None:
        if not self.model.stop_training:
            warnings.warn(
                f"LearningRateFinder: {len(self.rates)} of {self.steps} steps were made\n"
                f"expected enough epochs to come to the rate {self.max_rate}\n"
                "write fit(..., epochs=100): it ends by itself",
                stacklevel=4,
            )
        state.into_model(self.model, self.before)
