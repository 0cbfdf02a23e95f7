"""Hyperband: many models for a few epochs, the better ones for more, the best ones to the end.

How many begin, and how early most of them end, is varied in "brackets", since nobody knows how much
the first epochs tell.

Source: Li et al. (2018), "Hyperband: A Novel Bandit-Based Approach to Hyperparameter Optimization".
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

from gradlab.keras.tuner.hyperparameters import Chance, HyperParameters
from gradlab.keras.tuner.oracle import SKIP, Oracle
from gradlab.keras.tuner.trial import Trial, TrialStatus
from gradlab.keras.tuner.tuner import Tuner, split_options


class Place(NamedTuple):
    """Where a trial stands: the rank-th one of a round of a bracket."""

    iteration: int
    bracket: int
    round: int
    rank: int


class HyperbandOracle(Oracle):
    """Proposes the trials of Hyperband: a plan that is known from the beginning.

    Args:
        objective: see `Oracle`.
        max_epochs: the best models are trained for so many epochs.
        factor: from round to round, one of so many goes on, for so many times the epochs.
        hyperband_iterations: how often the whole is done.
        options: arguments of `Oracle`.

    >>> oracle = HyperbandOracle("val_loss", max_epochs=9, factor=3)
    >>> [(oracle.size(2, r), oracle.epochs(2, r)) for r in range(3)]  # most begin here
    [(9, 1), (3, 3), (1, 9)]
    >>> oracle.size(0, 0), oracle.epochs(0, 0)  # and here all are trained to the end
    (3, 9)
    """

    def __init__(
        self,
        objective: Any = None,
        max_epochs: int = 100,
        factor: int = 3,
        hyperband_iterations: int = 1,
        **options: Any,
    ) -> None:
        super().__init__(objective, None, **options)
        for name, value, least in (
            ("max_epochs", max_epochs, 1),
            ("factor", factor, 2),
            ("hyperband_iterations", hyperband_iterations, 1),
        ):
            if not isinstance(value, int) or value < least:
                raise ValueError(
                    f"Hyperband: given {name}={value!r}\nexpected a whole number from {least}\n"
                    f"write {name}={least}"
                )
        self.max_epochs, self.factor = max_epochs, factor
        self.hyperband_iterations = hyperband_iterations
        self.plan = [
            Place(iteration, bracket, round_, rank)
            for iteration in range(hyperband_iterations)
            for round_ in range(self.brackets())
            for bracket in reversed(range(round_, self.brackets()))
            for rank in range(self.size(bracket, round_))
        ]
        self._numbers = {place: number for number, place in enumerate(self.plan)}

    def brackets(self) -> int:
        """Return how many brackets there are: 1 + log(max_epochs) to the base of the factor."""
        count, epochs = 0, float(self.max_epochs)
        while epochs >= 1:
            count, epochs = count + 1, epochs / self.factor
        return count

    def size(self, bracket: int, round_: int) -> int:
        """Return how many trials are in a round."""
        last = math.ceil(1 + math.log(self.max_epochs, self.factor)) / (bracket + 1)
        return math.ceil(last * self.factor ** (bracket - round_))

    def epochs(self, bracket: int, round_: int) -> int:
        """Return with how many epochs a round ends."""
        return math.ceil(self.max_epochs / self.factor ** (bracket - round_))

    def propose(self, number: int) -> HyperParameters | str:
        if number >= len(self.plan):
            return TrialStatus.STOPPED
        place = self.plan[number]
        own: dict[str, Any] = {
            "tuner/epochs": self.epochs(place.bracket, place.round),
            "tuner/initial_epoch": 0,
            "tuner/bracket": place.bracket,
            "tuner/round": place.round,
        }
        if place.round == 0:
            hp = self.by_chance(number)
            if not isinstance(hp, HyperParameters):  # all were tried: one comes twice
                hp = self.drawn(Chance(self.seed, number))
        else:
            before = self._round_before(place)
            if not all(trial.ended for trial in before):
                return TrialStatus.IDLE
            done = [trial for trial in before if trial.status == TrialStatus.COMPLETED]
            if place.rank >= len(done):
                return SKIP  # too many have failed
            chosen = sorted(done, key=self._rank)[place.rank]
            hp = chosen.hyperparameters.copy()
            own["tuner/trial_id"] = chosen.trial_id
            own["tuner/initial_epoch"] = self.epochs(place.bracket, place.round - 1)
        hp.values |= own
        return hp

    def _round_before(self, place: Place) -> list[Trial]:
        ranks = range(self.size(place.bracket, place.round - 1))
        places = [place._replace(round=place.round - 1, rank=rank) for rank in ranks]
        found = [self.trial(self._numbers[each]) for each in places]
        return [trial for trial in found if trial is not None]

    def remaining_trials(self) -> int:
        return len(self.plan) - len(self.trials)

    def settings(self) -> dict[str, Any]:
        plan = [self.max_epochs, self.factor]
        return {**super().settings(), "max_epochs, factor": plan}


class Hyperband(Tuner):
    """Trains many models for a few epochs, and goes on with the better ones.

    Args:
        hypermodel: a function that builds a model from hyperparameters, or a HyperModel.
        objective: what the search wants, such as "val_accuracy"; see `Oracle`.
        max_epochs: the best models are trained for so many epochs.
        factor: from round to round, one of so many goes on, for so many times the epochs.
        hyperband_iterations: how often the whole is done.
        options: arguments of `Oracle` and `Tuner`.

    A model that goes on is built anew, and gets what its best epoch has left: the weights, and the
    optimizer's memory (moments, number of steps, learning rate), so that it is trained as if it had
    not stopped there. Random numbers, of Dropout or for shuffling, are new ones.
    """

    def __init__(
        self,
        hypermodel: Any = None,
        objective: Any = None,
        max_epochs: int = 100,
        factor: int = 3,
        hyperband_iterations: int = 1,
        **options: Any,
    ) -> None:
        of_oracle, of_tuner = split_options(options)
        oracle = HyperbandOracle(objective, max_epochs, factor, hyperband_iterations, **of_oracle)
        super().__init__(oracle, hypermodel, **of_tuner)

    def fit_options(self, trial: Trial) -> dict[str, Any]:
        values = trial.hyperparameters.values
        return {"epochs": values["tuner/epochs"], "initial_epoch": values["tuner/initial_epoch"]}
