"""A trial: one choice of hyperparameters, and what came of it."""

from __future__ import annotations

import math
from typing import Any

from gradlab.keras.tuner.hyperparameters import HyperParameters
from gradlab.keras.tuner.objective import direction_of


class TrialStatus:
    """What can be said of a trial."""

    RUNNING = "RUNNING"
    IDLE = "IDLE"  # there will be one, after others have ended
    STOPPED = "STOPPED"  # there will be no other
    INVALID = "INVALID"  # it failed, and may be tried again
    FAILED = "FAILED"
    PRUNED = "PRUNED"  # it was ended early, being worse than others at that point
    COMPLETED = "COMPLETED"


ENDED = (TrialStatus.FAILED, TrialStatus.PRUNED, TrialStatus.COMPLETED)
STATUSES = (*ENDED, TrialStatus.RUNNING, TrialStatus.INVALID)


class Metrics:
    """The numbers that a trial ended with: those of its best epoch, by name.

    >>> Metrics({"val_loss": 0.25}, step=3).get_last_value("val_loss")
    0.25
    """

    def __init__(self, values: dict[str, float] | None = None, step: int = 0) -> None:
        self.values, self.step = dict(values or {}), step

    def exists(self, name: str) -> bool:
        """Tell whether there is such a number."""
        return name in self.values

    def get_last_value(self, name: str) -> float:
        """Return a number.

        Raises:
            KeyError: there is none of that name.
        """
        if name not in self.values:
            raise KeyError(f"no metric {name!r}; there are {', '.join(self.values) or 'none'}")
        return self.values[name]

    get_best_value = get_last_value

    def get_config(self) -> dict[str, Any]:
        """Return the numbers as Keras Tuner has them in its files."""
        return {
            "metrics": {
                name: {
                    "direction": direction_of(name),
                    "observations": [{"value": [value], "step": self.step}],
                }
                for name, value in self.values.items()
            }
        }

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Metrics:
        """Return what `get_config` has written."""
        last = {name: each["observations"][-1] for name, each in config["metrics"].items()}
        values = {name: float(each["value"][0]) for name, each in last.items()}
        return cls(values, max((int(each["step"]) for each in last.values()), default=0))


class Trial:
    """One choice of hyperparameters, and what came of it.

    Attributes:
        trial_id: its number as a text, "0007".
        hyperparameters: the values, and the ranges they were chosen from.
        status: one of the names in `TrialStatus`.
        score: the objective, at its best epoch; the mean of several executions.
        best_step: that epoch.
        metrics: all numbers of that epoch.
        curves: for each execution, the numbers of all epochs by name.
        message: why it failed or was pruned.
        declared: how many of the hyperparameters `build` asks for; `fit` asks for the others.
        proposed: the values that it began with.
        runs: how often it was tried.
        built_for: the shape of its inputs.
        start: the weights that it begins with, while it runs.
        others: the objective of other trials after each epoch, while it runs.
    """

    def __init__(
        self,
        hyperparameters: HyperParameters,
        trial_id: str = "0000",
        status: str = TrialStatus.RUNNING,
        message: str | None = None,
    ) -> None:
        self.hyperparameters, self.trial_id = hyperparameters, trial_id
        self.status, self.message = status, message
        self.metrics, self.score, self.best_step = Metrics(), None, 0
        self.score: float | None
        self.curves: list[dict[str, list[float]]] = []
        self.declared = len(hyperparameters.space)
        self.proposed = dict(hyperparameters.values)
        self.runs = 0
        self.built_for: Any = None
        self.start: bytes | None = None
        self.others: list[list[float]] = []

    @property
    def number(self) -> int:
        """Its place in the search; the first one is 0."""
        return int(self.trial_id)

    @property
    def ended(self) -> bool:
        """Whether nothing more is to come."""
        return self.status in ENDED

    def summary(self) -> None:
        """Print its values and its score."""
        print(f"Trial {self.trial_id} summary\nHyperparameters:")
        values = self.hyperparameters.values
        print("\n".join(f"{n}: {v}" for n, v in values.items()) or "default configuration")
        if self.score is not None:
            print(f"Score: {self.score}")
        if self.message is not None:
            print(self.message)

    def get_state(self) -> dict[str, Any]:
        """Return it as files have it; Keras Tuner reads them, and leaves out what is ours."""
        return {
            "trial_id": self.trial_id,
            "hyperparameters": self.hyperparameters.get_config(),
            "metrics": self.metrics.get_config(),
            "score": self.score,
            "best_step": self.best_step,
            "status": self.status,
            "message": self.message,
            "curves": self.curves,
            "declared": self.declared,
            "proposed": self.proposed,
            "runs": self.runs,
            "built_for": self.built_for,
        }

    @classmethod
    def from_state(cls, state: dict[str, Any]) -> Trial:
        """Return what `get_state` has written.

        Raises:
            ValueError, KeyError, TypeError: something else.
        """
        hp = HyperParameters.from_config(state["hyperparameters"])
        trial = cls(hp, str(int(state["trial_id"])).zfill(4), state["status"], state["message"])
        trial.metrics = Metrics.from_config(state["metrics"])
        trial.score = None if state["score"] is None else float(state["score"])
        trial.best_step, trial.runs = int(state["best_step"]), int(state["runs"])
        trial.declared, trial.built_for = int(state["declared"]), state["built_for"]
        trial.proposed = dict(state["proposed"])
        trial.curves = [
            {str(name): [float(v) for v in values] for name, values in curve.items()}
            for curve in state["curves"]
        ]
        trial.check()
        return trial

    def check(self) -> None:
        """Raise ValueError if something of it, as it was read from a file, cannot be."""
        wrong = self.status not in STATUSES or not 0 <= self.declared <= len(
            self.hyperparameters.space
        )
        wrong |= self.number < 0 or self.runs < 0
        wrong |= not (self.message is None or isinstance(self.message, str))
        done = self.status == TrialStatus.COMPLETED
        if wrong or (done and (self.score is None or not math.isfinite(self.score))):
            raise ValueError(f"it is {self!r}, run {self.runs} times")
        for values in (self.hyperparameters.values, self.proposed):
            for name, value in values.items():
                fitting = [hp for hp in self.hyperparameters.space if hp.name == name]
                own = name.startswith("tuner/") and isinstance(value, int | str)
                if not own and not any(hp.fits(value) for hp in fitting):
                    raise ValueError(f"it has {name}={value!r}")

    def __repr__(self) -> str:
        return f"<Trial {self.trial_id} {self.status}, score={self.score}>"
