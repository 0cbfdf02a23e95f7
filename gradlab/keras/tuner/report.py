"""What a search prints: the space, each trial as it comes and goes, and the best ones."""

from __future__ import annotations

import time
from typing import Any

from gradlab.keras.tuner.errors import told_by
from gradlab.keras.tuner.oracle import Oracle
from gradlab.keras.tuner.trial import Trial, TrialStatus

WIDTH = 18
ENDS = {
    TrialStatus.COMPLETED: "Complete",
    TrialStatus.PRUNED: "Pruned",
    TrialStatus.FAILED: "Failed",
}


class Report:
    """Prints how a search goes.

    Args:
        oracle: knows the best trial so far.
        together: whether several trials run at the same time; then only their ends are printed.
    """

    def __init__(self, oracle: Oracle, together: bool) -> None:
        self.oracle, self.together, self.begin = oracle, together, time.monotonic()
        self.begun: dict[str, float] = {}

    def trial_begins(self, trial: Trial) -> None:
        """Print the values of a trial beside the best ones so far."""
        self.begun[trial.trial_id] = time.monotonic()
        if not self.together:
            print(f"\nSearch: Running Trial #{trial.number + 1}\n")
            print(self._table(trial), "\n", sep="")

    def trial_ends(self, trial: Trial) -> None:
        """Print what has come of a trial."""
        name = self.oracle.objective.name
        took = clock(time.monotonic() - self.begun[trial.trial_id])
        print(f"Trial {trial.number + 1} {ENDS.get(trial.status, trial.status)} [{took}]")
        if trial.score is not None:
            print(f"{name}: {trial.score}")
        elif trial.message:
            print(told_by(trial.message))
        best = self.oracle.get_best_trials()
        print(f"\nBest {name} So Far: {best[0].score if best else None}")
        print(f"Total elapsed time: {clock(time.monotonic() - self.begin)}")

    def _table(self, trial: Trial) -> str:
        best = self.oracle.get_best_trials()
        known = best[0].hyperparameters.values if best else {}
        rows = [
            (_shown(value), _shown(known.get(name, "?")), name)
            for name, value in trial.hyperparameters.values.items()
        ]
        if not rows:
            return "default configuration"
        rows = [("Value", "Best Value So Far", "Hyperparameter"), *rows]
        return "\n".join(f"{value:{WIDTH}}|{other:{WIDTH}}|{name}" for value, other, name in rows)


def _shown(value: Any) -> str:
    if isinstance(value, int | float) and not isinstance(value, bool):
        return f"{value:.5g}"
    text = str(value)
    return text if len(text) <= WIDTH else f"{text[: WIDTH - 3]}..."


def clock(seconds: float) -> str:
    """Return a duration as Keras Tuner writes it.

    >>> clock(3725), clock(90000)
    ('01h 02m 05s', '1d 01h 00m 00s')
    """
    minutes, s = divmod(round(seconds), 60)
    hours, m = divmod(minutes, 60)
    days, h = divmod(hours, 24)
    return (f"{days}d " if days else "") + f"{h:02d}h {m:02d}m {s:02d}s"


def print_space(oracle: Oracle) -> None:
    """Print the ranges that are known."""
    space = oracle.get_space().space
    print(f"Search space summary\nDefault search space size: {len(space)}")
    for hp in space:
        config = hp.get_config()
        print(f"{config.pop('name')} ({type(hp).__name__})\n{config}")


def print_results(oracle: Oracle, path: str, num_trials: int) -> None:
    """Print the best trials."""
    print(f"Results summary\nResults in {path}\nShowing {num_trials} best trials")
    print(oracle.objective)
    for trial in oracle.get_best_trials(num_trials):
        print()
        trial.summary()
