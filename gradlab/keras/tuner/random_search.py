"""Random search: values drawn by chance, which is hard to beat with few trials.

Source: Bergstra and Bengio (2012), "Random Search for Hyper-Parameter Optimization".
"""

from __future__ import annotations

from typing import Any

from gradlab.keras.tuner.hyperparameters import HyperParameters
from gradlab.keras.tuner.oracle import Oracle
from gradlab.keras.tuner.tuner import Tuner, split_options


class RandomSearchOracle(Oracle):
    """Proposes values by chance, no combination twice; its arguments are those of `Oracle`."""

    def __init__(self, objective: Any = None, max_trials: int | None = 10, **options: Any) -> None:
        super().__init__(objective, max_trials, **options)

    def propose(self, number: int) -> HyperParameters | str:
        return self.by_chance(number)


class RandomSearch(Tuner):
    """Tries values drawn by chance.

    Args:
        hypermodel: a function that builds a model from hyperparameters, or a HyperModel.
        objective: what the search wants, such as "val_accuracy"; see `Oracle`.
        max_trials: how many models are trained.
        options: arguments of `Oracle` and `Tuner`.

    >>> import tempfile
    >>> from gradlab import keras
    >>> from gradlab.keras import tuner as keras_tuner
    >>> def build_model(hp):
    ...     model = keras.Sequential([keras.layers.Dense(1, input_shape=[1])])
    ...     rate = hp.Float("learning_rate", 1e-6, 1e-1, sampling="log")
    ...     model.compile(loss="mse", optimizer=keras.optimizers.SGD(rate))
    ...     return model
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     tuner = keras_tuner.RandomSearch(
    ...         build_model, "loss", max_trials=5, seed=42, directory=folder
    ...     )
    ...     tuner.search([[1.0]], [[2.0]], epochs=3, verbose=0)
    ...     best = tuner.get_best_hyperparameters()[0]
    >>> best["learning_rate"] == max(
    ...     trial.hyperparameters["learning_rate"] for trial in tuner.oracle.trials.values()
    ... )
    True
    """

    def __init__(
        self, hypermodel: Any = None, objective: Any = None, max_trials: int = 10, **options: Any
    ) -> None:
        of_oracle, of_tuner = split_options(options)
        oracle = RandomSearchOracle(objective, max_trials, **of_oracle)
        super().__init__(oracle, hypermodel, **of_tuner)
