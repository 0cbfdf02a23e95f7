"""The tuner: it lets an oracle propose, runs trials, keeps what they have come to.

Source: deck 001, section 10.3 ("Keras Tuner"), whose interface this is.
"""

from __future__ import annotations

import copy
import inspect
import os
from collections.abc import Sequence
from concurrent.futures import FIRST_COMPLETED, Future, wait
from typing import Any

from gradlab.keras import config
from gradlab.keras.names import find
from gradlab.keras.saving.files import read_whole
from gradlab.keras.saving.models import explained
from gradlab.keras.tuner import report, running
from gradlab.keras.tuner.errors import FailedTrialError, FatalTypeError, FatalValueError
from gradlab.keras.tuner.hypermodel import HyperModel, get_hypermodel
from gradlab.keras.tuner.hyperparameters import HyperParameters
from gradlab.keras.tuner.oracle import Oracle
from gradlab.keras.tuner.project import Project
from gradlab.keras.tuner.pruning import MedianPruner
from gradlab.keras.tuner.ranges import Parent
from gradlab.keras.tuner.running import Outcome, alone
from gradlab.keras.tuner.training import Training
from gradlab.keras.tuner.trial import Trial, TrialStatus
from gradlab.keras.tuner.workers import Cluster, Here, Processes

SCOPES = 50  # at most so many conditional scopes are looked into beforehand


class Tuner(Training):
    """Base of all tuners, and of your own: override `run_trial` to search for anything.

    Args:
        oracle: proposes what is tried.
        hypermodel: a function that builds a model from hyperparameters, or a HyperModel; None if
            `run_trial` is overridden.
        max_model_size: models with more numbers fail.
        optimizer, loss, metrics: take the place of those that the model was compiled with.
        directory, project_name: the search is kept in ``directory/project_name``. The same search,
            started again, goes on from there, and ends as if it had not been interrupted.
        overwrite: delete what is there, and begin anew.
        executions_per_trial: each model is trained so often; the mean counts.
        workers: so many trials run at the same time, in processes of this machine.
        client: a ``dask.distributed.Client``, on whose cluster the trials run.
        pruner: ends trials that are worse than others, such as ``MedianPruner()``.

    Attributes:
        oracle: with ``trials`` and ``get_best_trials``.
        hypermodel: its ``build(hp)`` makes a model that has not learnt anything.

    ``build`` is called twice for each trial, the first time to learn what it asks for. Every trial
    starts from random numbers of its own, which depend on the seed and on its number alone: it ends
    the same wherever it runs. (Large products of matrices can differ in the last bits with the
    number of threads; ``gradlab.config.threads = 1`` makes them the same, too.)

    Raises:
        FatalValueError: no hypermodel, or another thing.
        StateError: the folder holds something that the search cannot go on from.
    """

    def __init__(
        self,
        oracle: Oracle,
        hypermodel: Any = None,
        max_model_size: int | None = None,
        optimizer: Any = None,
        loss: Any = None,
        metrics: Any = None,
        directory: str | os.PathLike[str] | None = None,
        project_name: str | None = None,
        overwrite: bool = False,
        executions_per_trial: int = 1,
        workers: int = 1,
        client: Any = None,
        pruner: MedianPruner | None = None,
    ) -> None:
        own = type(self).run_trial is not Tuner.run_trial
        self.oracle, self.hypermodel = oracle, get_hypermodel(hypermodel)
        self._check(own, workers, executions_per_trial)
        self.max_model_size = max_model_size
        self.optimizer, self.loss, self.metrics = optimizer, loss, metrics
        self.executions_per_trial, self.workers, self.client = executions_per_trial, workers, client
        self.pruner, self.verbose = pruner, "auto"
        self.numbers = config.floatx(), config.epsilon()
        self.project = Project(directory, project_name)
        oracle.learns = oracle.learns or pruner is not None
        oracle.asks_late = own
        if self.hypermodel is not None:
            oracle.asks_late = own or type(self.hypermodel).fit is not HyperModel.fit
            oracle.declare = self._declare
            self._explore()
        if overwrite:
            self.project.clear()
        elif self.project.oracle.exists():
            self.reload()

    def _check(self, own: bool, workers: int, executions_per_trial: int) -> None:
        if not isinstance(self.oracle, Oracle):
            raise FatalTypeError(
                f"Tuner: given {self.oracle!r} as the oracle\nexpected an Oracle\n"
                "write Tuner(RandomSearchOracle('val_loss'), build_model), or RandomSearch(...)"
            )
        if self.hypermodel is None and not own:
            raise FatalValueError(
                f"{type(self).__name__}: no hypermodel\nexpected a function of hp, or a HyperModel"
                "\nwrite def build_model(hp): ..., and give build_model"
            )
        for name, value in (("workers", workers), ("executions_per_trial", executions_per_trial)):
            if not isinstance(value, int) or value < 1:
                raise FatalValueError(
                    f"Tuner: given {name}={value!r}\nexpected a whole number from 1\nwrite {name}=2"
                )

    # --------------------------------------------------------------------------- what is searched

    def _declare(self, hp: HyperParameters) -> None:
        """Build a model, to learn what it asks for; whether it works, its trial will tell."""
        assert self.hypermodel is not None
        try:
            with alone(self.oracle.seed):
                self._build(hp)
        except Exception:
            return

    def _explore(self) -> None:
        """Learn what a model asks for with the defaults, and in each conditional scope."""
        done: set[Any] = set()
        waiting: list[Any] = [()]
        while waiting and len(done) < SCOPES:
            scope = waiting.pop(0)
            done.add(scope)
            hp = self.oracle.get_space()
            hp.closed = "" if self.oracle.allow_new_entries else "allow_new_entries=False"
            hp.values |= _values_for(scope, hp)
            try:
                with alone(self.oracle.seed):
                    self._build(hp)
            except FailedTrialError:
                pass
            self.oracle.update_space(hp)
            inactive = [each for each, active in hp.scopes.items() if not active]
            waiting += [each for each in inactive if each not in done and each not in waiting]

    def search_space_summary(self, extended: bool = False) -> None:
        """Print what is searched; ``extended`` is there because Keras Tuner has it."""
        report.print_space(self.oracle)

    # --------------------------------------------------------------------------------- the search

    def search(self, *args: Any, verbose: Any = "auto", **kwargs: Any) -> None:
        """Run all trials.

        Args:
            args, kwargs: for ``fit``: data, ``epochs``, ``validation_data``, ``callbacks``, ...
            verbose: 0 prints nothing; otherwise, each trial is reported, and trials of this process
                show the progress of ``fit``.

        Raises:
            RuntimeError: too many trials in a row have failed.
            FatalError: a mistake that every trial would make.
            OSError: the folder cannot be written to.
        """
        self.verbose, self.numbers = verbose, (config.floatx(), config.epsilon())
        self.project.begin(self.settings())
        running_now: dict[Future[Outcome], Trial] = {}
        place = self._place(args, kwargs)
        shown = report.Report(self.oracle, place.together) if verbose else None
        try:
            while True:
                while len(running_now) < place.most():
                    trial = self.oracle.create_trial()
                    if trial.status != TrialStatus.RUNNING:
                        break
                    self.project.write(trial)
                    if shown is not None:
                        shown.trial_begins(trial)
                    running_now[place.submit(self._equipped(trial))] = trial
                if not running_now:
                    return
                done, _ = wait(running_now, return_when=FIRST_COMPLETED)
                for future in done:
                    trial = running_now.pop(future)
                    self._end(trial, future.result())
                    if shown is not None:
                        shown.trial_ends(trial)
        finally:
            place.close()

    def _place(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Here | Processes | Cluster:
        if self.client is None and self.workers == 1:
            return Here(self, args, kwargs)
        silent = copy.copy(self)
        silent.verbose = 0
        task = silent, args, kwargs
        return Processes(task, self.workers) if self.client is None else Cluster(task, self.client)

    def _equipped(self, trial: Trial) -> Trial:
        """Give a trial what it needs of others: weights to begin with, and curves to compare."""
        before = trial.hyperparameters.values.get("tuner/trial_id")
        if before is not None:
            trial.built_for = self.oracle.trials[before].built_for
            if trial.built_for is not None:  # else `run_trial` trains something else than a model
                trial.start = read_whole(self.project.checkpoint(before))
        if self.pruner is not None:
            known = [t for t in self.oracle.known_to(trial.number) if t.curves]
            trial.others = [running.curve_of(t.curves[0], self.oracle.objective) for t in known]
        return trial

    def _end(self, trial: Trial, outcome: Outcome) -> None:
        if outcome.fatal is not None:
            raise outcome.fatal
        trial.hyperparameters, trial.message = outcome.hyperparameters, outcome.message
        trial.status, trial.best_step = outcome.status, outcome.step
        trial.metrics = type(trial.metrics)(outcome.metrics, outcome.step)
        trial.score = outcome.metrics.get(self.oracle.objective.name)
        trial.curves, trial.built_for = outcome.curves, outcome.built_for
        trial.start, trial.others = None, []
        trial.runs += 1
        try:
            self.oracle.end_trial(trial)
        finally:
            self.project.write(trial, outcome.weights)

    def __getstate__(self) -> dict[str, Any]:
        return {**vars(self), "client": None}

    # -------------------------------------------------------------------------------- the results

    def get_best_hyperparameters(self, num_trials: int = 1) -> list[HyperParameters]:
        """Return the hyperparameters of the best trials, the best one first."""
        return [trial.hyperparameters for trial in self.oracle.get_best_trials(num_trials)]

    def get_best_models(self, num_models: int = 1) -> list[Any]:
        """Return the models of the best trials, each with the weights of its best epoch."""
        return [self.load_model(trial) for trial in self.oracle.get_best_trials(num_models)]

    def load_model(self, trial: Trial) -> Any:
        """Return the model of a trial, with the weights of its best epoch.

        Raises:
            OSError: there are no weights of it.
            ValueError: they are damaged.
        """
        path = self.project.checkpoint(trial.trial_id)
        twin = Trial(trial.hyperparameters.copy(), trial.trial_id)
        twin.hyperparameters.draw = None
        twin.built_for, twin.start = trial.built_for, read_whole(path)
        with alone(self.oracle.seed, trial.number), explained(path):
            return self._model(twin)

    def results_summary(self, num_trials: int = 10) -> None:
        """Print the best trials."""
        report.print_results(self.oracle, self.project_dir, num_trials)

    @property
    def remaining_trials(self) -> int | None:
        """How many trials may still come; None if nobody has said."""
        return self.oracle.remaining_trials()

    # --------------------------------------------------------------------------------- the folder

    @property
    def project_dir(self) -> str:
        """Where the search is kept."""
        return str(self.project.path)

    def get_trial_dir(self, trial_id: str) -> str:
        """Return where a trial is kept."""
        return str(self.project.path / f"trial_{trial_id}")

    def settings(self) -> dict[str, Any]:
        """Return what must not change between two parts of one search."""
        own = {"executions_per_trial": self.executions_per_trial, "pruner": repr(self.pruner)}
        return {**self.oracle.settings(), **own}

    def reload(self) -> None:
        """Go on from what the folder holds.

        Raises:
            StateError: it holds another search, or something that no search has written.
        """
        print(f"Reloading Tuner from {self.project.oracle}")
        settings, trials = self.project.read()
        try:
            self.oracle.restore(settings, trials, self.settings)
        except ValueError as error:
            raise self.project.refusal(self.project.oracle, str(error)) from error


def _values_for(scope: Sequence[Parent], hp: HyperParameters) -> dict[str, Any]:
    """Return values with which a scope is active, and the scopes of its parents too."""
    values: dict[str, Any] = {}
    waiting = list(scope)
    while waiting:
        condition = waiting.pop()
        if condition.name not in values:
            values[condition.name] = condition.values[0]
            parents = [each.conditions for each in hp.space if each.name == condition.name]
            waiting += parents[0] if parents else ()
    return values


def split_options(options: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the arguments that are the oracle's, and those that are the tuner's.

    Raises:
        ValueError: one that neither has; the message has the closest ones.
    """
    names, own = (inspect.signature(kind.__init__).parameters for kind in (Oracle, Tuner))
    for name in options:
        find("argument", {each: each for each in (*names, *own) if each != "self"}, name)
    mine = {name: value for name, value in options.items() if name in names}
    return mine, {name: value for name, value in options.items() if name not in mine}
