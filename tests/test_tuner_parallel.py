"""Searches that run in other processes, and on a cluster: they end as they would have here."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import tuner_models as models

from gradlab import keras
from gradlab.keras import tuner as keras_tuner
from gradlab.keras.tuner import workers

pytestmark = pytest.mark.slow  # as is every process that imports gradlab anew

FIT = {"epochs": 3, "validation_split": 0.25, "verbose": 0}


def searched(folder: Path, kind: str = "random", hypermodel=None, **options):
    """Return a tuner that has searched."""
    model = hypermodel or models.WithBatchSize()
    common = {"seed": 7, "directory": folder, **options}
    if kind == "hyperband":
        tuner = keras_tuner.Hyperband(model, "val_loss", max_epochs=4, factor=2, **common)
    elif kind == "grid":
        tuner = keras_tuner.GridSearch(model, "val_loss", max_trials=7, **common)
    elif kind == "bayes":
        pytest.importorskip("optuna")
        tuner = keras_tuner.BayesianOptimization(
            model, "val_accuracy", max_trials=10, num_initial_points=3, **common
        )
    else:
        if kind == "pruned":
            common |= {"pruner": keras_tuner.MedianPruner(2), "executions_per_trial": 2}
        tuner = keras_tuner.RandomSearch(model, "val_loss", max_trials=9, **common)
    tuner.search(*models.data(), **FIT)
    return tuner


@pytest.mark.parametrize(
    "kind",
    ["bayes", *(pytest.param(k, marks=pytest.mark.slow) for k in ("grid", "hyperband", "pruned"))],
)
def test_in_processes_it_ends_the_same(kind, tmp_path):
    here = models.found(searched(tmp_path / "here", kind))
    assert models.found(searched(tmp_path / "there", kind, workers=3)) == here
    assert len(here) >= 7


@pytest.mark.slow
def test_a_search_that_was_begun_here_can_be_ended_in_processes(tmp_path):
    here = models.found(searched(tmp_path / "here"))
    part = keras_tuner.RandomSearch(
        models.WithBatchSize(), "val_loss", max_trials=4, seed=7, directory=tmp_path / "there"
    )
    part.search(*models.data(), **FIT)
    assert models.found(searched(tmp_path / "there", workers=2)) == here


def test_a_process_that_dies_is_replaced(tmp_path):
    whole = models.found(searched(tmp_path / "a", hypermodel=models.DiesOnce(None)))
    tuner = searched(tmp_path / "b", hypermodel=models.DiesOnce(tmp_path), workers=2)
    assert (tmp_path / "died").exists()
    assert models.found(tuner) == whole


class AlwaysDies(keras_tuner.HyperModel):
    """A hypermodel whose training ends the process."""

    def build(self, hp):
        return models.build_model(hp)

    def fit(self, hp, model, *args, **kwargs):
        if hp["n_hidden"]:
            os._exit(13)
        return model.fit(*args, **kwargs)


def test_a_trial_that_always_dies_has_failed(tmp_path):
    hp = keras_tuner.HyperParameters()
    hp.Choice("n_hidden", [0, 1, 0, 0])
    tuner = searched(
        tmp_path, "grid", AlwaysDies(), workers=2, hyperparameters=hp,
        max_consecutive_failed_trials=99,
    )  # fmt: skip
    failed = [t for t in tuner.oracle.trials.values() if t.status == "FAILED"]
    assert all(t.hyperparameters["n_hidden"] for t in failed)
    text = "WorkerLostError: its process has ended with code 13, 3 times"
    assert {t.message for t in failed} <= {text}


class DiesBesideAChild(models.DiesOnce):
    """A hypermodel whose process dies, and leaves a forked one that holds on to its pipes."""

    def fit(self, hp, model, *args, **kwargs):
        if not self.mark.exists():
            child = os.fork()
            if child == 0:
                time.sleep(60)
                os._exit(0)
            self.mark.write_text(str(child))
            os._exit(13)
        return model.fit(*args, **kwargs)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="processes are not forked here")
def test_a_process_that_dies_is_noticed_though_its_child_lives(tmp_path):
    tuner = searched(tmp_path, hypermodel=DiesBesideAChild(tmp_path), workers=2)
    os.kill(int((tmp_path / "died").read_text()), signal.SIGKILL)  # it is still there
    assert {trial.status for trial in tuner.oracle.trials.values()} == {"COMPLETED"}


class AsksTheUser(models.WithBatchSize):
    """A hypermodel that reads from the keyboard."""

    def fit(self, hp, model, *args, **kwargs):
        assert sys.stdin.read() == ""
        return model.fit(*args, **kwargs)


def test_a_model_cannot_read_what_is_meant_for_its_process(tmp_path):
    tuner = searched(tmp_path, hypermodel=AsksTheUser(), workers=2)
    assert {trial.status for trial in tuner.oracle.trials.values()} == {"COMPLETED"}


SCRIPT = """
import sys
from gradlab import keras
from gradlab.keras import tuner as keras_tuner

def build_model(hp):
    model = keras.Sequential([keras.layers.Dense(hp.Int("units", 1, 50)), keras.layers.Dense(1)])
    model.compile(loss="mse", optimizer="sgd")
    return model

tuner = keras_tuner.RandomSearch(
    build_model, "loss", max_trials=3, seed=1, directory=sys.argv[1], workers=2
)
tuner.search([[1.0]], [[2.0]], epochs=2)
print("units", sorted(t.hyperparameters["units"] for t in tuner.oracle.trials.values()))
"""


def test_a_script_needs_no_guard_and_no_module(tmp_path):
    pytest.importorskip("cloudpickle")
    script = tmp_path / "script.py"
    script.write_text(SCRIPT)
    command = [sys.executable, str(script), str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("units [") == 1 and done.stdout.count("Complete [") == 3


def test_no_process_is_left_when_a_search_ends_in_an_error(tmp_path, monkeypatch):
    started = []
    begin = subprocess.Popen

    def popen(*args, **kwargs):
        started.append(begin(*args, **kwargs))
        return started[-1]

    monkeypatch.setattr(workers.subprocess, "Popen", popen)
    with pytest.raises(TypeError, match="training has returned"):
        searched(tmp_path, hypermodel=ReturnsText(), workers=2)
    assert started and all(process.poll() is not None for process in started)


class ReturnsText(models.WithBatchSize):
    """A hypermodel that does not return a History."""

    def fit(self, hp, model, *args, **kwargs):
        return "good"


# ---------------------------------------------------------------------------------- on a cluster


@pytest.mark.parametrize("kind", ["hyperband", pytest.param("pruned", marks=pytest.mark.slow)])
def test_on_a_cluster_it_ends_the_same(kind, cluster, tmp_path):
    here = models.found(searched(tmp_path / "here", kind))
    assert models.found(searched(tmp_path / "there", kind, client=cluster)) == here


def test_a_worker_of_the_cluster_that_dies_is_done_without(cluster_to_kill, tmp_path):
    whole = models.found(searched(tmp_path / "a", hypermodel=models.DiesOnce(None)))
    tuner = searched(tmp_path / "b", hypermodel=models.DiesOnce(tmp_path), client=cluster_to_kill)
    assert (tmp_path / "died").exists()
    assert models.found(tuner) == whole


def test_the_float_type_goes_along(cluster, tmp_path):
    keras.config.set_floatx("float64")
    try:
        here = models.found(searched(tmp_path / "here"))
        assert models.found(searched(tmp_path / "there", client=cluster)) == here
    finally:
        keras.config.set_floatx("float32")
    assert models.found(searched(tmp_path / "again", client=cluster)) != here


def test_a_cluster_without_workers_is_told(tmp_path):
    class Empty:
        class scheduler:  # noqa: N801
            address = "tcp://nowhere"

        def wait_for_workers(self, n_workers, timeout):
            raise TimeoutError

    with pytest.raises(RuntimeError, match=r"tcp://nowhere has had no worker.*\nexp.*\nwrite dask"):
        searched(tmp_path, client=Empty())
