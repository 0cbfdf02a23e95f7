"""What a search knows: its trials, which of them were the best, and whether it only fails."""

from __future__ import annotations

import math
from typing import Any

from gradlab.keras.tuner.errors import told_by
from gradlab.keras.tuner.hyperparameters import HyperParameters
from gradlab.keras.tuner.objective import Objective
from gradlab.keras.tuner.trial import Trial, TrialStatus


class Memory:
    """The part of an oracle that keeps the trials."""

    # what Oracle provides
    objective: Objective
    hyperparameters: HyperParameters
    max_trials: int | None
    max_retries_per_trial: int
    max_consecutive_failed_trials: int
    concurrent_trials: int
    trials: dict[str, Trial]
    _given_values: dict[str, Any]

    def trial(self, number: int) -> Trial | None:
        """Return the trial of a number; None if there is none."""
        return self.trials.get(f"{number:04d}")

    def up_to(self, number: float = math.inf) -> list[Trial]:
        """Return the trials before a number, or all of them, in their order."""
        return sorted((t for t in self.trials.values() if t.number < number), key=number_of)

    def known_to(self, number: int) -> list[Trial]:
        """Return the trials whose results a trial may use: those that it has waited for."""
        return self.up_to(number - self.concurrent_trials + 1)

    def end_trial(self, trial: Trial) -> None:
        """Take note of the end of a trial.

        Raises:
            RuntimeError: too many failures in a row.
        """
        if trial.score is not None and not math.isfinite(trial.score):
            trial.message = trial.message or f"its {self.objective.name} is {trial.score}"
            trial.status, trial.score = TrialStatus.INVALID, None
        if trial.status == TrialStatus.INVALID and trial.runs > self.max_retries_per_trial:
            trial.status = TrialStatus.FAILED
        self.update_space(trial.hyperparameters)
        self._check_failures()

    def _check_failures(self) -> None:
        """Raise RuntimeError if the search does nothing but fail."""
        row = 0
        for trial in self.up_to():
            if not trial.ended:
                return
            row = row + 1 if trial.status == TrialStatus.FAILED else 0
            if row == self.max_consecutive_failed_trials:
                last = told_by(trial.message or "")
                raise RuntimeError(
                    f"search: {row} trials in a row have failed, the last one with {last}\n"
                    "expected a model that can be built and trained\n"
                    f"write print(tuner.oracle.trials[{trial.trial_id!r}].message) for all of it"
                )

    def update_space(self, hyperparameters: HyperParameters) -> None:
        """Take over ranges that were not known yet."""
        self.hyperparameters.merge(hyperparameters.space)

    def get_space(self) -> HyperParameters:
        """Return all ranges that are known, with the values that were given beforehand."""
        space = self.hyperparameters.copy()
        space.values = dict(self._given_values)
        return space

    def get_trial(self, trial_id: str) -> Trial:
        """Return the trial of an id."""
        return self.trials[trial_id]

    def get_best_trials(self, num_trials: int = 1) -> list[Trial]:
        """Return the trials that were completed, the best one first."""
        done = [t for t in self.trials.values() if t.status == TrialStatus.COMPLETED]
        return sorted(done, key=self._rank)[:num_trials]

    def _rank(self, trial: Trial) -> tuple[float, int]:
        assert trial.score is not None
        return self.objective.rank(trial.score), trial.number

    def remaining_trials(self) -> int | None:
        """Return how many trials may still come; None if nobody has said."""
        return None if self.max_trials is None else self.max_trials - len(self.trials)


def number_of(trial: Trial) -> int:
    """Return the number of a trial."""
    return trial.number
