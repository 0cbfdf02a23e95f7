"""The oracle of a search: which hyperparameters are tried next, and which were the best.

What it proposes for a trial depends on the seed, on the number of the trial, and on the results of
trials that it always waits for. So a search ends the same on one process and on a hundred machines.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from typing import Any

from gradlab.keras.tuner.hyperparameters import Chance, Draw, HyperParameters
from gradlab.keras.tuner.memory import Memory, number_of
from gradlab.keras.tuner.objective import create_objective
from gradlab.keras.tuner.ranges import HyperParameter
from gradlab.keras.tuner.trial import Trial, TrialStatus

SKIP = "SKIP"  # no trial of this number
ATTEMPTS = 20  # so often values are drawn anew that were tried before


class Oracle(Memory):
    """Base of all oracles, and of your own: override `propose`.

    Args:
        objective: what the search wants: the name of a metric, an Objective, or a list of them;
            None for the number that a trial returns, as small as possible.
        max_trials: how many trials there are at most.
        hyperparameters: ranges and values that overrule those that the model asks for.
        allow_new_entries: False refuses what is not in ``hyperparameters``.
        tune_new_entries: False takes the default for what is not in ``hyperparameters``.
        seed: the same one gives the same search; a new one is chosen, and kept, if None.
        max_retries_per_trial: how often a trial that fails is tried again.
        max_consecutive_failed_trials: so many failures in a row end the search.
        concurrent_trials: where a trial learns from others (`BayesianOptimization`, pruning), it
            knows all but the last so many; so these can run at the same time.

    Attributes:
        trials: all trials by their id.

    Raises:
        ValueError: an objective that does not tell what is better, or numbers that make no sense.
    """

    learns = False  # from trials that have ended

    def __init__(
        self,
        objective: Any = None,
        max_trials: int | None = None,
        hyperparameters: HyperParameters | None = None,
        allow_new_entries: bool = True,
        tune_new_entries: bool = True,
        seed: int | None = None,
        max_retries_per_trial: int = 0,
        max_consecutive_failed_trials: int = 3,
        concurrent_trials: int = 4,
    ) -> None:
        self.objective = create_objective(objective)
        if hyperparameters is None and not (allow_new_entries and tune_new_entries):
            raise ValueError(
                "a search without new entries, and without hyperparameters\n"
                "expected to be told what to search\nwrite hyperparameters=hp"
            )
        _at_least(1, max_trials=max_trials, concurrent_trials=concurrent_trials)
        _at_least(1, max_consecutive_failed_trials=max_consecutive_failed_trials)
        _at_least(0, max_retries_per_trial=max_retries_per_trial, seed=seed)
        self.max_trials = max_trials
        self.hyperparameters = (hyperparameters or HyperParameters()).copy()
        self.allow_new_entries, self.tune_new_entries = allow_new_entries, tune_new_entries
        self.seed = secrets.randbelow(2**31) if seed is None else int(seed)
        self.max_retries_per_trial = max_retries_per_trial
        self.max_consecutive_failed_trials = max_consecutive_failed_trials
        self.concurrent_trials = concurrent_trials
        self.trials: dict[str, Trial] = {}
        self.declare: Callable[[HyperParameters], None] | None = None  # builds a model
        self.asks_late = False  # whether `fit` may ask for hyperparameters too
        self._given = list(self.hyperparameters.space)
        self._given_values = dict(self.hyperparameters.values)
        self._seed_given = seed is not None
        self._next = 0

    # --------------------------------------------------------------------------- what is tried

    def propose(self, number: int) -> HyperParameters | str:
        """Return the hyperparameters of a trial.

        Args:
            number: that of the trial: 0, 1, 2, ...

        Returns:
            Values, such as `drawn` makes them; or ``TrialStatus.IDLE`` as long as others have to
            end first, ``TrialStatus.STOPPED`` if there is nothing left to try.
        """
        raise NotImplementedError(
            f"{type(self).__name__} has no method propose\nexpected the values of a trial\n"
            "write def propose(self, number): return self.drawn(Chance(self.seed, number))"
        )

    def drawn(self, draw: Draw | None) -> HyperParameters:
        """Return the hyperparameters that a model asks for, with values chosen by a function.

        Args:
            draw: takes a hyperparameter and returns its value; the defaults if None.
        """
        hp = self.blank()
        hp.draw = draw
        if self.declare is not None:
            self.declare(hp)
        for late in self.late_entries():
            hp.retrieve(late)
        return hp

    def blank(self) -> HyperParameters:
        """Return the ranges that were given beforehand, without values."""
        hp = HyperParameters()
        hp.merge(self._given)
        hp.tuned = self.tune_new_entries
        if not self.allow_new_entries:
            hp.closed = "allow_new_entries=False"
        return hp

    def late_entries(self) -> list[HyperParameter]:
        """Return what the first trial asked for while it was trained, and not before."""
        first = self.trial(0)
        if not self.asks_late or first is None or not first.ended:
            return []
        return first.hyperparameters.space[first.declared :]

    def by_chance(self, number: int) -> HyperParameters | str:
        """Return values drawn by chance that were not tried before; STOPPED if there are none."""
        before = [trial.proposed for trial in self.up_to(number)]
        for attempt in range(ATTEMPTS):
            hp = self.drawn(Chance(self.seed, number, attempt))
            if not any(same(hp.values, values) for values in before):
                return hp
        return TrialStatus.STOPPED

    def create_trial(self) -> Trial:
        """Return the next trial to run.

        Its status is IDLE if others have to end first, STOPPED if there is none.
        """
        for trial in self.trials.values():
            if trial.status == TrialStatus.INVALID:
                trial.status = TrialStatus.RUNNING
                return trial
        while True:
            number = self._next
            if self.trial(number) is not None:
                self._next += 1
                continue
            proposed = TrialStatus.STOPPED
            if self.max_trials is None or number < self.max_trials:
                waits = self.must_wait(number)
                proposed = TrialStatus.IDLE if waits else self.propose(number)
            if isinstance(proposed, HyperParameters):
                break
            if proposed != SKIP:
                return Trial(self.hyperparameters, f"{number:04d}", proposed)
            self._next += 1
        trial = Trial(proposed.copy(), f"{number:04d}")
        trial.hyperparameters.draw = self.late_draw(number)
        self.trials[trial.trial_id] = trial
        self._next += 1
        return trial

    def late_draw(self, number: int) -> Draw | None:
        """Return how values are chosen that a trial asks for while it is running."""
        return Chance(self.seed, number)

    def must_wait(self, number: int) -> bool:
        """Tell whether a trial has to wait for the results of others."""
        needed = number - self.concurrent_trials + 1 if self.learns else 0
        if self.asks_late and number:
            needed = max(needed, 1)
        return not all(trial.ended for trial in self.up_to(needed))

    # ---------------------------------------------------------------------------------- as a file

    def settings(self) -> dict[str, Any]:
        """Return what must not change between two parts of one search."""
        return {
            "oracle": type(self).__name__,
            "objective": str(self.objective),
            "seed": self.seed,
            "concurrent_trials": self.concurrent_trials if self.learns else None,
        }

    def restore(
        self, before: dict[str, Any], trials: list[Trial], settings: Callable[[], dict[str, Any]]
    ) -> None:
        """Go on from these trials; those that were running begin again.

        Args:
            before: the settings of the search that has left them.
            trials: all of them.
            settings: returns those of this search, which have to be the same.

        Raises:
            ValueError: they belong to another search.
        """
        if not self._seed_given:
            found = before.get("seed")
            if not isinstance(found, int) or isinstance(found, bool) or found < 0:
                raise ValueError(f"it has seed={found!r}")
            self.seed = found
        for name, value in settings().items():
            if before.get(name) != value:
                raise ValueError(f"it has {name}={before.get(name)!r}, and this search {value!r}")
        self.trials = {trial.trial_id: trial for trial in sorted(trials, key=number_of)}
        for trial in self.trials.values():
            self.update_space(trial.hyperparameters)
            if not trial.ended:
                trial.status = TrialStatus.INVALID  # create_trial hands it out again
                trial.hyperparameters.draw = self.late_draw(trial.number)
        self._next = 0

    def __getstate__(self) -> dict[str, Any]:
        """Return what a process that runs a trial has to know: not the other trials."""
        return {**vars(self), "trials": {}, "declare": None}


def same(one: dict[str, Any], other: dict[str, Any]) -> bool:
    """Tell whether two trials have the same values; the tuner's own do not count."""
    mine, theirs = (
        {name: value for name, value in values.items() if not name.startswith("tuner/")}
        for values in (one, other)
    )
    return mine == theirs


def _at_least(least: int, **given: Any) -> None:
    for name, value in given.items():
        whole = isinstance(value, int) and not isinstance(value, bool)
        if value is not None and not (whole and value >= least):
            raise ValueError(
                f"search: given {name}={value!r}\nexpected a whole number from {least}\n"
                f"write {name}={max(least, 10)}"
            )
