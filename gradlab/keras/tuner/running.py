"""Running a trial: building the model, training it, and what is brought home from there.

A trial gets everything that it needs, and gives back everything that it leaves: it runs in the same
way in this process, in another one, and on another machine.
"""

from __future__ import annotations

import contextlib
import threading
import traceback
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from gradlab.keras import config, names, random
from gradlab.keras.callbacks import Callback, History
from gradlab.keras.callbacks.base import Logs
from gradlab.keras.saving import hdf5, state
from gradlab.keras.tuner.errors import FailedTrialError, FatalError, FatalTypeError, FatalValueError
from gradlab.keras.tuner.hyperparameters import HyperParameters
from gradlab.keras.tuner.objective import Objective
from gradlab.keras.tuner.trial import Trial, TrialStatus

_alone = threading.RLock()


@contextlib.contextmanager
def alone(*words: int) -> Iterator[None]:
    """Let a block draw from generators of its own, and be the only one in this process that does.

    Args:
        words: whole numbers that the generators start from.
    """
    with _alone, random.seeded(seed_of(*words)), names.counted_anew():
        yield


def seed_of(*words: int) -> int:
    """Return a seed made of several numbers.

    >>> seed_of(42, 0) != seed_of(42, 1)
    True
    """
    return int(np.random.SeedSequence(words).generate_state(1)[0])


@dataclass
class Outcome:
    """What a trial brings home."""

    status: str
    hyperparameters: HyperParameters
    message: str | None = None
    metrics: dict[str, float] = field(default_factory=dict)
    step: int = 0
    curves: list[dict[str, list[float]]] = field(default_factory=list)
    weights: bytes | None = None  # a .weights.h5 file
    built_for: Any = None
    fatal: Exception | None = None


def execute(tuner: Any, trial: Trial, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Outcome:
    """Run a trial.

    Args:
        tuner: its ``run_trial`` is called.
        trial: what is to be tried; it is not changed.
        args, kwargs: those of ``search``.
    """
    trial = _copy_of(trial)
    hp, tuner.checkpoint, tuner.pruning = trial.hyperparameters, None, None
    outcome = Outcome(TrialStatus.INVALID, hp)
    numbers = config.held(*tuner.numbers)
    with alone(tuner.oracle.seed, trial.number, trial.runs), numbers:
        try:
            results = tuner.run_trial(trial, *args, **kwargs)
            several = results if isinstance(results, list) else [results]
            found = [numbers_of(each, tuner.oracle.objective) for each in several]
        except FatalError as error:
            outcome.fatal = error
            return outcome
        except FailedTrialError as error:
            outcome.status, outcome.message = TrialStatus.FAILED, f"FailedTrialError: {error}"
            return outcome
        except Exception:  # whatever a model that is tried out may raise
            outcome.message = traceback.format_exc()
            return outcome
    hp.only_asked()
    outcome.status = TrialStatus.COMPLETED
    outcome.metrics = {name: _mean([m[name] for m, _ in found]) for name in found[0][0]}
    outcome.step = int(_mean([step for _, step in found]))
    outcome.curves = [_floats(each.history) for each in several if isinstance(each, History)]
    if tuner.checkpoint is not None:
        outcome.weights, outcome.built_for = tuner.checkpoint.file, tuner.checkpoint.built_for
    if tuner.pruning is not None and tuner.pruning.pruned_at:
        outcome.status = TrialStatus.PRUNED
        outcome.message = f"pruned after epoch {tuner.pruning.pruned_at}"
    return outcome


def _copy_of(trial: Trial) -> Trial:
    twin = Trial(trial.hyperparameters.copy(), trial.trial_id)
    twin.hyperparameters.values = dict(trial.proposed)
    twin.runs, twin.built_for = trial.runs, trial.built_for
    twin.start, twin.others = trial.start, trial.others
    return twin


def _mean(values: list[float]) -> float:
    return float(np.mean(values))


def _floats(history: dict[str, list[Any]]) -> dict[str, list[float]]:
    return {name: [float(value) for value in values] for name, values in history.items()}


def numbers_of(result: Any, objective: Objective) -> tuple[dict[str, float], int]:
    """Return the numbers that training has ended with, and the epoch they are of.

    Args:
        result: a History, of which the best epoch counts; a dict of numbers; or a number.

    Raises:
        FatalTypeError: something else.
        FatalValueError: the objective is not among the numbers.
    """
    if isinstance(result, int | float | np.number):
        return {objective.name: float(result)}, 0
    if isinstance(result, History):
        curves, values = result.history, curve_of(result.history, objective)
        step = min(range(len(values)), key=lambda k: _rank(objective, values[k]), default=0)
        found = {name: float(each[step]) for name, each in curves.items() if len(each) > step}
    elif isinstance(result, dict):
        found, step = {name: float(value) for name, value in result.items()}, 0
    else:
        raise FatalTypeError(
            f"search: training has returned {result!r}\n"
            "expected a History, a dict of numbers, or a number\nwrite return model.fit(...)"
        )
    try:
        return {**found, objective.name: objective.value_in(found)}, step
    except KeyError as error:
        raise _missing(found, objective) from error


def _rank(objective: Objective, value: float) -> float:
    return np.inf if np.isnan(value) else objective.rank(value)


def _missing(found: dict[str, Any], objective: Objective) -> FatalValueError:
    return FatalValueError(
        f"search: there is no {objective.name!r} at the end of a trial\n"
        f"expected one of {', '.join(found) or 'none'}\n"
        "write metrics=[...] in compile, validation_data=... in search, or another objective"
    )


def curve_of(history: dict[str, list[float]], objective: Objective) -> list[float]:
    """Return the objective of each epoch.

    Raises:
        FatalValueError: it is not among the numbers.
    """
    epochs = max((len(values) for values in history.values()), default=0)
    rows = [{n: v[k] for n, v in history.items() if len(v) > k} for k in range(epochs)]
    try:
        return [objective.value_in(row) for row in rows]
    except KeyError as error:
        raise _missing(history, objective) from error


class BestEpoch(Callback):
    """Keeps the weights of the best epoch of all executions of a trial, and its optimizer's memory.

    Attributes:
        file: both, as the content of a ``.weights.h5`` file.
        built_for: the shape of the inputs.
    """

    def __init__(self, objective: Objective) -> None:
        super().__init__()
        self.objective, self.best = objective, np.inf
        self.file: bytes | None = None
        self.built_for: Any = None

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        try:
            rank = _rank(self.objective, self.objective.value_in(logs or {}))
        except KeyError:  # it is computed after training: the last epoch counts
            rank = -np.inf
        if rank < self.best or rank == -np.inf or self.file is None:
            self.best = rank
            self.file = hdf5.write(state.gathered(self.model))
            self.built_for = self.model._built_for
