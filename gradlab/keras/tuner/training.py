"""One trial: a model is built from its hyperparameters, compiled, and trained."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

from gradlab.keras.callbacks import Callback
from gradlab.keras.callbacks.state import shape_of
from gradlab.keras.model import Model
from gradlab.keras.saving import hdf5, room, state
from gradlab.keras.tuner.errors import FailedTrialError, FatalTypeError, FatalValueError
from gradlab.keras.tuner.hypermodel import HyperModel
from gradlab.keras.tuner.hyperparameters import HyperParameters
from gradlab.keras.tuner.oracle import Oracle
from gradlab.keras.tuner.project import Project
from gradlab.keras.tuner.pruning import MedianPruner, Pruning
from gradlab.keras.tuner.running import BestEpoch, alone
from gradlab.keras.tuner.trial import Trial


class Training:
    """The part of a tuner that runs a trial, here or wherever the tuner was sent to."""

    # what Tuner provides
    oracle: Oracle
    hypermodel: HyperModel | None
    project: Project
    pruner: MedianPruner | None
    optimizer: Any
    loss: Any
    metrics: Any
    max_model_size: int | None
    executions_per_trial: int
    verbose: Any

    checkpoint: BestEpoch | None = None
    pruning: Pruning | None = None

    def run_trial(self, trial: Trial, *args: Any, **kwargs: Any) -> Any:
        """Build and train a model; called wherever the trial is run.

        Args:
            trial: its ``hyperparameters`` have the values.
            args, kwargs: those of `search`.

        Returns:
            What `HyperModel.fit` returns, or a list of these, one for each execution.
        """
        assert self.hypermodel is not None
        given = kwargs.pop("callbacks", None) or []
        given = [given] if isinstance(given, Callback) else list(given)
        objective, results = self.oracle.objective, []
        self.checkpoint = BestEpoch(objective)
        if self.pruner is not None:
            self.pruning = Pruning(self.pruner, trial.others, objective)
        own = [each for each in (self.checkpoint, self.pruning) if each is not None]
        options = {"verbose": self.verbose, **kwargs, **self.fit_options(trial)}
        for execution in range(self.executions_per_trial):
            with alone(self.oracle.seed, trial.number, trial.runs, execution):
                callbacks = [_of_trial(each, trial, execution) for each in given]
                model = self._model(trial)
                options["callbacks"] = [*callbacks, *own]
                results.append(self.hypermodel.fit(trial.hyperparameters, model, *args, **options))
            if self.pruning is not None and self.pruning.pruned_at:
                break
        return results

    def fit_options(self, trial: Trial) -> dict[str, Any]:
        """Return arguments of ``fit`` that the search decides on."""
        return {}

    def _model(self, trial: Trial) -> Any:
        """Return a new model, compiled, with the weights that the trial begins with.

        The memory of its optimizer goes with them; one that `fit` makes begins anew.
        """
        if trial.start is None:
            return self._checked(self._build(trial.hyperparameters))
        path = self.project.checkpoint(trial.trial_id)
        with hdf5.opened(trial.start, path) as arrays:
            with room.for_numbers(arrays.count()):
                model = self._checked(self._build(trial.hyperparameters))
                if not model.built:
                    model.build(shape_of(trial.built_for))
                if model.optimizer is not None and not model.optimizer.built:
                    model.optimizer.build(model.trainable_weights)
            state.restore(model, arrays)
        return model

    def _checked(self, model: Any) -> Any:
        """Return a model that was built, compiled as the tuner was told.

        Raises:
            FatalTypeError: it is no model.
            FailedTrialError: it is too large.
        """
        if not isinstance(model, Model):
            raise FatalTypeError(
                f"search: the hypermodel has returned {model!r}\nexpected a model\n"
                "write return model at the end of build_model"
            )
        size = model.count_params() if model.built else 0
        if self.max_model_size is not None and size > self.max_model_size:
            raise FailedTrialError(f"{size} numbers, and max_model_size={self.max_model_size}")
        if self.optimizer is not None or self.loss is not None or self.metrics is not None:
            self._compile(model)
        return model

    def _compile(self, model: Any) -> None:
        """Compile a model with what the tuner was given in the place of its own."""
        if self.loss is None and model.loss is None:
            raise FatalValueError(
                "search: neither the model nor the tuner has a loss\nexpected one of them\n"
                "write loss='mse'"
            )
        model.compile(
            optimizer=copy.deepcopy(self.optimizer) if self.optimizer else model.optimizer,
            loss=model.loss if self.loss is None else self.loss,
            metrics=model._metrics.given if self.metrics is None else self.metrics,
        )

    def _build(self, hp: HyperParameters) -> Any:
        assert self.hypermodel is not None
        return self.hypermodel.build(hp if self.hypermodel.tunable else hp.copy())


def _of_trial(callback: Callback, trial: Trial, execution: int) -> Callback:
    """Return a callback's twin for one execution, that writes to a folder of its own."""
    twin = copy.deepcopy(callback)
    log_dir = getattr(twin, "log_dir", None)
    if log_dir is not None:
        setattr(twin, "log_dir", Path(log_dir) / trial.trial_id / f"execution{execution}")  # noqa: B010
    return twin
