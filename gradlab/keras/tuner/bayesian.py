"""Bayesian optimization: a model of the results so far says which values are worth a trial.

The engine is Optuna's tree-structured Parzen estimator: it compares where the good trials lie with
where the others lie, and looks where the first are dense and the second are not.

Source: Bergstra et al. (2011), "Algorithms for Hyper-Parameter Optimization".
"""

from __future__ import annotations

import functools
import warnings
from typing import Any

from gradlab.keras.tuner.hyperparameters import HyperParameters
from gradlab.keras.tuner.oracle import Oracle
from gradlab.keras.tuner.ranges import Choice, Fixed, HyperParameter
from gradlab.keras.tuner.trial import Trial
from gradlab.keras.tuner.tuner import Tuner, split_options


class BayesianOptimizationOracle(Oracle):
    """Proposes values that the results so far speak for.

    Args:
        objective, max_trials: see `Oracle`.
        num_initial_points: so many trials are drawn by chance first; if None, three for each
            hyperparameter, but at most half of all trials.
        options: arguments of `Oracle`; its ``concurrent_trials`` matters here.

    Raises:
        ImportError: Optuna is not installed.
    """

    learns = True

    def __init__(
        self,
        objective: Any = None,
        max_trials: int = 10,
        num_initial_points: int | None = None,
        **options: Any,
    ) -> None:
        super().__init__(objective, max_trials, **options)
        optuna()
        self.num_initial_points = num_initial_points

    def propose(self, number: int) -> HyperParameters | str:
        if number < self._by_chance_first():
            return self.by_chance(number)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", optuna().exceptions.ExperimentalWarning)
            return self.drawn(Suggested(self._study(number)))

    def _by_chance_first(self) -> int:
        if self.num_initial_points is not None:
            return max(self.num_initial_points, 1)
        first = self.trial(0)
        count = 0 if first is None else len(first.hyperparameters.values)
        return max(1, min(3 * count, (self.max_trials or 20) // 2))

    def _study(self, number: int) -> Any:
        """Return Optuna's picture of the search, as far as this trial may know it."""
        seed = (self.seed + 1000003 * number) % 2**32
        sampler = optuna().samplers.TPESampler(n_startup_trials=0, seed=seed, constant_liar=True)
        direction = "maximize" if self.objective.direction == "max" else "minimize"
        study = optuna().create_study(sampler=sampler, direction=direction)
        known = self.known_to(number)
        study.add_trials([_seen(trial) for trial in known if trial.score is not None])
        study.add_trials([_running(trial) for trial in self.up_to(number)[len(known) :]])
        return study

    def settings(self) -> dict[str, Any]:
        return {**super().settings(), "num_initial_points": self.num_initial_points}


class Suggested:
    """Draws the values that Optuna suggests for the next trial of a study."""

    def __init__(self, study: Any) -> None:
        self.trial = study.ask()

    def __call__(self, hp: HyperParameter) -> Any:
        if isinstance(hp, Fixed):
            return hp.value
        if _is_categorical(hp):
            return self.trial.suggest_categorical(_key(hp), hp.values)
        if _has_steps(hp):
            place = self.trial.suggest_int(_key(hp), 0, hp.count - 1)
            return hp.prob_to_value((place + 0.5) / hp.count)
        return hp.prob_to_value(self.trial.suggest_float(_key(hp), 0.0, 1.0))


class BayesianOptimization(Tuner):
    """Tries values that the results so far speak for.

    Args:
        hypermodel: a function that builds a model from hyperparameters, or a HyperModel.
        objective: what the search wants, such as "val_accuracy"; see `Oracle`.
        max_trials: how many models are trained.
        num_initial_points: so many of them with values drawn by chance; see the oracle.
        options: arguments of `Oracle` and `Tuner`.

    Keras Tuner's ``alpha`` and ``beta`` belong to another engine, and are not there.

    Raises:
        ImportError: Optuna is not installed; it comes with ``pip install "gradlab[tune]"``.
    """

    def __init__(
        self,
        hypermodel: Any = None,
        objective: Any = None,
        max_trials: int = 10,
        num_initial_points: int | None = None,
        **options: Any,
    ) -> None:
        of_oracle, of_tuner = split_options(options)
        oracle = BayesianOptimizationOracle(objective, max_trials, num_initial_points, **of_oracle)
        super().__init__(oracle, hypermodel, **of_tuner)


@functools.cache
def optuna() -> Any:
    """Return Optuna, which from now on reports nothing but warnings.

    Raises:
        ImportError: it is not installed.
    """
    try:
        import optuna as engine
    except ImportError as error:
        raise ImportError(
            "BayesianOptimization: Optuna is not installed\n"
            'expected the extra "tune": pip install "gradlab[tune]"\n'
            "write RandomSearch or Hyperband, which need nothing more"
        ) from error
    engine.logging.set_verbosity(engine.logging.WARNING)
    return engine


# ------------------------------------------------------------------ hyperparameters as Optuna's


def _key(hp: HyperParameter) -> str:
    return hp.name if not hp.conditions else f"{hp.name} if {hp.conditions}"


def _is_categorical(hp: HyperParameter) -> bool:
    return isinstance(hp, Choice) and not hp.ordered


def _has_steps(hp: HyperParameter) -> bool:
    return isinstance(hp, Choice) or getattr(hp, "step", None) is not None


def _distribution(hp: HyperParameter) -> Any:
    """Return what Optuna chooses from: one of several, a place among steps, or one in [0, 1]."""
    distributions = optuna().distributions
    if _is_categorical(hp):
        return distributions.CategoricalDistribution(hp.values)
    if _has_steps(hp):
        return distributions.IntDistribution(0, hp.count - 1)
    return distributions.FloatDistribution(0.0, 1.0)


def _chosen(hp: HyperParameter, value: Any) -> Any:
    """Return what Optuna has chosen, or would have, for a value."""
    if _is_categorical(hp):
        return value
    place = hp.value_to_prob(value)
    return int(place * hp.count) if _has_steps(hp) else min(max(place, 0.0), 1.0)


def _parts(trial: Trial, values: dict[str, Any]) -> dict[str, Any]:
    hps = [hp for hp in trial.hyperparameters.space if hp.name in values]
    hps = [hp for hp in hps if all(c.is_active(values) for c in hp.conditions)]
    hps = [hp for hp in hps if not isinstance(hp, Fixed)]
    return {
        "params": {_key(hp): _chosen(hp, values[hp.name]) for hp in hps},
        "distributions": {_key(hp): _distribution(hp) for hp in hps},
    }


def _seen(trial: Trial) -> Any:
    values = trial.hyperparameters.values
    return optuna().trial.create_trial(value=trial.score, **_parts(trial, values))


def _running(trial: Trial) -> Any:
    state = optuna().trial.TrialState.RUNNING
    return optuna().trial.create_trial(state=state, **_parts(trial, trial.proposed))
