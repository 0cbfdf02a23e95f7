"""The tuner: ranges and plans are those of Keras Tuner; searches resume, and explain themselves."""

from __future__ import annotations

import json
import math
import shutil
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import tuner_models as models

from gradlab import keras
from gradlab.keras import tuner as keras_tuner
from gradlab.keras.tuner import ranges, workers
from gradlab.keras.tuner.grid_search import GridSearchOracle
from gradlab.keras.tuner.hyperparameters import Chance

GOLDEN = json.loads(Path(__file__).with_name("golden").joinpath("keras_tuner.json").read_text())
FIT = {"epochs": 2, "validation_split": 0.25, "verbose": 0}


def searched(tuner: keras_tuner.Tuner, **options: object) -> keras_tuner.Tuner:
    """Let a tuner search in the data of the tests."""
    tuner.search(*models.data(), **{**FIT, **options})
    return tuner


# ------------------------------------------------------------------------- as Keras Tuner has it


@pytest.mark.parametrize("row", GOLDEN["ranges"], ids=lambda row: f"{row['kind']}")
def test_ranges_are_those_of_keras_tuner(row):
    hp = getattr(ranges, row["kind"])("name", **row["arguments"])
    found = [hp.prob_to_value(place) for place in GOLDEN["places"]]
    if row["kind"] == "Float":
        assert found == pytest.approx(row["values"], rel=1e-12)
    else:
        assert found == row["values"]
    assert {type(v) for v in row["values"]} == {type(v) for v in found}
    assert [hp.value_to_prob(v) for v in row["values"]] == pytest.approx(row["places"], abs=1e-9)
    assert hp.default == row["default"]


@pytest.mark.parametrize(("max_epochs", "factor", "plan"), GOLDEN["plans"])
def test_the_plan_of_hyperband_is_that_of_keras_tuner(max_epochs, factor, plan):
    oracle = keras_tuner.oracles.HyperbandOracle("loss", max_epochs, factor)
    assert oracle.brackets() == len(plan)
    for bracket, rounds in enumerate(plan):
        found = [[oracle.size(bracket, r), oracle.epochs(bracket, r)] for r in range(bracket + 1)]
        assert found == rounds
    assert len(oracle.plan) == sum(size for rounds in plan for size, _ in rounds)


def test_a_grid_is_tried_in_the_order_of_keras_tuner(tmp_path):
    class Sum(keras_tuner.GridSearch):
        def run_trial(self, trial):
            hp = trial.hyperparameters
            chosen = [hp.Choice(name, values) for name, values in GOLDEN["grid"]["space"].items()]
            return chosen[0] + len(chosen[1]) + chosen[2]

    tuner = Sum(directory=tmp_path)
    tuner.search(verbose=0)
    found = [trial.hyperparameters.values for trial in tuner.oracle.trials.values()]
    assert found == GOLDEN["grid"]["combinations"]
    written = json.loads((tmp_path / "untitled_project/trial_0000/trial.json").read_text())
    assert {name: written[name] for name in GOLDEN["trial"]} == GOLDEN["trial"]


# -------------------------------------------------------------------------------- hyperparameters


def test_what_is_asked_for_has_a_value_and_is_on_record():
    hp = keras_tuner.HyperParameters()
    with hp.name_scope("encoder"):
        assert hp.Int("units", 8, 64, step=8, default=16) == 16
        assert hp["units"] == 16 and "units" in hp
    assert hp.Boolean("norm") is False and hp.Fixed("epochs", 5) == 5
    assert hp.values == {"encoder/units": 16, "norm": False, "epochs": 5}
    assert [type(each).__name__ for each in hp.space] == ["Int", "Boolean", "Fixed"]
    again = keras_tuner.HyperParameters.from_config(json.loads(json.dumps(hp.get_config())))
    assert again.get_config() == hp.get_config()


def test_conditional_scopes():
    hp = keras_tuner.HyperParameters()
    hp.Choice("kind", ["mlp", "cnn"])
    assert hp.Int("layers", 1, 3, parent_name="kind", parent_values=["mlp"]) == 1
    assert hp.Int("filters", 8, 64, parent_name="kind", parent_values="cnn") is None
    with hp.conditional_scope("kind", ["cnn"]):
        assert hp.Int("layers", 5, 9) is None  # of this kind, there is another one
    assert not hp.is_active("filters") and hp.is_active("layers")
    with pytest.raises(ValueError, match=r"'filters' is not active\nexpected.*\nwrite"):
        hp.get("filters")
    with pytest.raises(KeyError, match="no hyperparameter 'color'"):
        hp.get("color")
    with (
        pytest.raises(ValueError, match=r"no hyperparameter 'x'\nexpected one of kind.*\nwrite"),
        hp.conditional_scope("x", [1]),
    ):
        pass


@pytest.mark.parametrize(
    ("ask", "arguments"),
    [
        ("Int", ("n", 5, 3)),
        ("Int", ("n", 1.5, 3)),
        ("Int", ("n", 0, 3, 1, "log")),
        ("Int", ("n", 1, 3, 1, "log")),
        ("Int", ("n", 1, 3, 0)),
        ("Int", ("n", 1, 3, 1, "exp")),
        ("Int", ("n", 1, 3, 1, "linear", 7)),
        ("Int", ("", 1, 3)),
        ("Float", ("x", "a", 3)),
        ("Float", ("x", 0.0, math.inf)),
        ("Float", ("x", math.nan, 1.0)),
        ("Float", ("x", 0, 10**400)),
        ("Choice", ("c", [])),
        ("Choice", ("c", "relu")),
        ("Choice", ("c", [1, "a"])),
        ("Choice", ("c", [None])),
        ("Choice", ("c", ["a"], None, "b")),
        ("Choice", ("c", ["a"], True)),
        ("Fixed", ("f", [1])),
    ],
)
def test_ranges_that_make_no_sense_are_refused(ask, arguments):
    hp = keras_tuner.HyperParameters()
    with pytest.raises(ValueError, match=r"(?s).*\nexpected .*\nwrite "):
        getattr(hp, ask)(*arguments)
    assert not hp.space and not hp.values


def test_chance_depends_on_seed_trial_and_name_and_not_on_the_order():
    a, b = ranges.Int("a", 0, 10**6), ranges.Int("b", 0, 10**6)
    chance = Chance(1, 2)
    assert [chance(a), chance(b)] == [chance(each) for each in (b, a)][::-1]
    others = [chance(b), Chance(1, 3)(a), Chance(2, 2)(a), Chance(1, 2, 1)(a)]
    assert chance(a) not in others
    assert np.mean([Chance(0, k)(a) for k in range(400)]) == pytest.approx(5e5, rel=0.1)


# ------------------------------------------------------------------------------------ the searches


def test_random_search_finds_models_and_keeps_the_best_weights(tmp_path):
    tuner = searched(
        keras_tuner.RandomSearch(
            models.build_model, "val_loss", max_trials=6, seed=1, directory=tmp_path
        )
    )
    trials = tuner.oracle.get_best_trials(6)
    scores = [trial.score for trial in trials]
    assert scores == sorted(scores) and len(scores) == 6 and tuner.remaining_trials == 0
    best = tuner.get_best_models(2)[0]
    X, y = models.data()
    assert best.evaluate(X[-16:], y[-16:], verbose=0)[0] == pytest.approx(scores[0], rel=1e-6)
    assert trials[0].metrics.get_last_value("val_loss") == scores[0]
    assert min(trials[0].curves[0]["val_loss"]) == scores[0]
    hp = tuner.get_best_hyperparameters()[0]
    new = tuner.hypermodel.build(hp)
    assert new.optimizer.learning_rate == pytest.approx(hp["learning_rate"])
    values = [tuple(trial.hyperparameters.values.items()) for trial in trials]
    assert len(set(values)) == 6


def test_values_are_those_that_the_model_has_used(tmp_path):
    tuner = searched(
        keras_tuner.RandomSearch(
            models.WithBatchSize(), "val_loss", max_trials=6, seed=1, directory=tmp_path
        )
    )
    for trial in tuner.oracle.trials.values():
        values = trial.hyperparameters.values
        assert sum(name.startswith("units_") for name in values) == values["n_hidden"]
        assert ("momentum" in values) == (values["optimizer"] == "sgd")
        assert values["batch_size"] in (8, 16, 32)


def test_the_search_leaves_the_generators_of_chance_and_names_as_they_were(tmp_path):
    keras.utils.set_random_seed(5)
    expected = keras.random.generator().random(), np.random.rand()  # noqa: NPY002
    keras.utils.set_random_seed(5)
    name = keras.layers.Dense(1).name
    searched(keras_tuner.RandomSearch(models.build_model, "loss", max_trials=2, directory=tmp_path))
    assert (keras.random.generator().random(), np.random.rand()) == expected  # noqa: NPY002
    assert keras.layers.Dense(1).name != name


def test_a_small_space_is_exhausted(tmp_path):
    class Two(keras_tuner.RandomSearch):
        def run_trial(self, trial):
            return float(trial.hyperparameters.Boolean("b"))

    tuner = Two(max_trials=50, seed=3, directory=tmp_path)
    tuner.search(verbose=0)
    assert {t.hyperparameters["b"] for t in tuner.oracle.trials.values()} == {True, False}
    assert len(tuner.oracle.trials) <= 3  # the first one tells what is asked for


def test_grid_search_goes_through_what_depends_on_what(tmp_path):
    class Hyper(keras_tuner.HyperModel):
        def build(self, hp):
            for k in range(hp.Int("layers", 0, 2)):
                hp.Choice(f"kind_{k}", ["a", "b"])
            model = keras.Sequential([keras.layers.Dense(1, input_shape=[4])])
            model.compile(loss="mse")
            return model

        def fit(self, hp, model, *args, **kwargs):
            return float(hp.Choice("batch", [1, 2, 3]))

    tuner = searched(keras_tuner.GridSearch(Hyper(), directory=tmp_path))
    tried = [tuple(t.hyperparameters.values.items()) for t in tuner.oracle.trials.values()]
    assert len(tried) == len(set(tried)) == (1 + 2 + 4) * 3


def test_hyperband_goes_on_with_the_best(tmp_path):
    tuner = keras_tuner.Hyperband(
        models.build_model, "val_loss", max_epochs=4, factor=2, seed=2, directory=tmp_path
    )
    searched(tuner)
    oracle = tuner.oracle
    assert len(oracle.trials) == len(oracle.plan) and oracle.remaining_trials() == 0
    for trial in oracle.trials.values():
        values = trial.hyperparameters.values
        epochs = values["tuner/epochs"] - values["tuner/initial_epoch"]
        assert len(trial.curves[0]["loss"]) == epochs
        if values["tuner/round"]:
            before = oracle.trials[values["tuner/trial_id"]]
            assert before.hyperparameters["learning_rate"] == values["learning_rate"]
    first = [t for t in oracle.up_to(99) if t.hyperparameters.values["tuner/bracket"] == 2]
    chosen = {t.hyperparameters.values.get("tuner/trial_id") for t in first}
    begun = sorted((t for t in first if t.hyperparameters.values["tuner/round"] == 0), key=_score)
    assert chosen >= {trial.trial_id for trial in begun[: oracle.size(2, 1)]}


def _score(trial):
    return trial.score


@pytest.mark.parametrize("optimizer", ["SGD", "Adam", "decay"])
def test_hyperband_continues_with_weights_and_optimizer_of_before(optimizer, tmp_path):
    class Hyper(keras_tuner.HyperModel):
        def build(self, hp):
            hp.Int("n", 0, 10**6)
            rate = keras.optimizers.schedules.ExponentialDecay(0.01, decay_steps=1, decay_rate=0.5)
            used = {
                "SGD": keras.optimizers.SGD(0.01, momentum=0.5),
                "Adam": keras.optimizers.Adam(0.1),
                "decay": keras.optimizers.SGD(rate),
            }[optimizer]
            model = keras.Sequential([keras.layers.Dense(1, kernel_initializer="zeros")])
            model.compile(loss="mse", optimizer=used)
            return model

    X = np.ones((8, 1), "float32")
    tuner = keras_tuner.Hyperband(Hyper(), "loss", max_epochs=4, factor=2, directory=tmp_path)
    tuner.search(X, 3.0 * X, verbose=0)
    whole = Hyper().build(keras_tuner.HyperParameters())
    losses = whole.fit(X, 3.0 * X, epochs=4, verbose=0).history["loss"]
    for trial in tuner.oracle.trials.values():
        start = trial.hyperparameters.values["tuner/initial_epoch"]
        found = trial.curves[0]["loss"]
        assert found == pytest.approx(losses[start : start + len(found)], rel=1e-5)


def test_hyperband_skips_places_of_trials_that_failed(tmp_path):
    class Half(keras_tuner.Hyperband):
        def run_trial(self, trial):
            if trial.number % 2:
                raise keras_tuner.errors.FailedTrialError("odd")
            trial.hyperparameters.Int("n", 0, 10**6)
            return float(trial.number)

    tuner = Half(max_epochs=4, factor=2, directory=tmp_path)
    tuner.search(verbose=0)
    statuses = [trial.status for trial in tuner.oracle.trials.values()]
    assert "FAILED" in statuses and len(statuses) <= len(tuner.oracle.plan)


def test_pruning_ends_trials_that_are_worse(tmp_path):
    class Curves(keras_tuner.HyperModel):
        def build(self, hp):
            model = keras.Sequential([keras.layers.Dense(1, kernel_initializer="zeros")])
            rate = hp.Choice("rate", [0.0, 0.1, 0.2, 0.3])
            model.compile(loss="mse", optimizer=keras.optimizers.SGD(rate))
            return model

    X = np.ones((8, 1), "float32")
    pruner = keras_tuner.MedianPruner(startup_trials=2, warmup_epochs=1)
    tuner = keras_tuner.GridSearch(
        Curves(), "loss", directory=tmp_path, pruner=pruner, concurrent_trials=1,
        hyperparameters=_descending(),
    )  # fmt: skip
    tuner.search(X, 3.0 * X, epochs=6, verbose=0)
    ends = {t.hyperparameters["rate"]: (t.status, len(t.curves[0]["loss"])) for t in
            tuner.oracle.trials.values()}  # fmt: skip
    assert ends[0.3] == ends[0.2] == ("COMPLETED", 6)
    assert ends[0.0] == ("PRUNED", 2)
    assert "pruned after epoch 2" in [t.message for t in tuner.oracle.trials.values()]
    assert tuner.oracle.get_best_trials(9)[0].hyperparameters["rate"] > 0.0


def _descending():
    hp = keras_tuner.HyperParameters()
    hp.Choice("rate", [0.3, 0.2, 0.1, 0.0])
    return hp


def test_several_executions_are_averaged(tmp_path):
    tuner = searched(
        keras_tuner.RandomSearch(
            models.build_model, "val_loss", max_trials=1, executions_per_trial=3, directory=tmp_path
        )
    )
    trial = tuner.oracle.trials["0000"]
    best = [min(curve["val_loss"]) for curve in trial.curves]
    assert len(set(best)) == 3 and trial.score == pytest.approx(np.mean(best))
    X, y = models.data()
    loss = tuner.get_best_models()[0].evaluate(X[-16:], y[-16:], verbose=0)[0]
    assert loss == pytest.approx(min(best), rel=1e-5)


def test_hyperparameters_given_beforehand_overrule_the_model(tmp_path):
    hp = keras_tuner.HyperParameters()
    hp.Fixed("learning_rate", 0.125)
    hp.Choice("n_hidden", [1])
    tuner = searched(
        keras_tuner.RandomSearch(
            models.build_model, "loss", max_trials=4, hyperparameters=hp, directory=tmp_path / "a"
        )
    )
    for trial in tuner.oracle.trials.values():
        assert trial.hyperparameters["learning_rate"] == 0.125
        assert trial.hyperparameters["n_hidden"] == 1
    fixed = searched(
        keras_tuner.RandomSearch(
            models.build_model, "loss", max_trials=4, hyperparameters=hp, tune_new_entries=False,
            directory=tmp_path / "b",
        )
    )  # fmt: skip
    assert {t.hyperparameters["units_0"] for t in fixed.oracle.trials.values()} == {2}
    with pytest.raises(ValueError, match=r"asks for 'units_0'.*\nexpected one of .*\nwrite hp"):
        keras_tuner.RandomSearch(
            models.build_model, "loss", hyperparameters=hp, allow_new_entries=False
        )


def test_the_tuner_may_compile_the_model(tmp_path):
    tuner = searched(
        keras_tuner.RandomSearch(
            models.build_model, "val_mae", max_trials=1, loss="mse", metrics=["mae"],
            optimizer=keras.optimizers.SGD(0.5), directory=tmp_path,
        )
    )  # fmt: skip
    model = tuner.get_best_models()[0]
    assert model.loss == "mse" and model.optimizer.learning_rate == 0.5
    kept = searched(
        keras_tuner.RandomSearch(
            models.build_model, "val_accuracy", max_trials=1, loss="mse", directory=tmp_path / "b"
        )
    )
    assert list(kept.oracle.trials["0000"].curves[0])[:2] == ["loss", "accuracy"]
    assert kept.get_best_models()[0].loss == "mse"


def test_callbacks_are_new_for_each_execution(tmp_path):
    stop = keras.callbacks.EarlyStopping("loss", patience=99)
    board = keras.callbacks.TensorBoard(tmp_path / "logs")
    searched(
        keras_tuner.RandomSearch(
            models.build_model, "loss", max_trials=2, executions_per_trial=2, directory=tmp_path
        ),
        callbacks=[stop, board],
    )
    assert stop.model is None
    folders = sorted(str(p.relative_to(tmp_path / "logs")) for p in (tmp_path / "logs").glob("*/*"))
    assert folders == [f"000{k}/execution{j}" for k in range(2) for j in range(2)]


def test_several_objectives(tmp_path):
    tuner = searched(
        keras_tuner.RandomSearch(
            models.build_model, ["val_loss", "val_accuracy"], max_trials=2, directory=tmp_path
        )
    )
    trial = tuner.oracle.get_best_trials()[0]
    values = trial.metrics
    expected = values.get_last_value("val_loss") - values.get_last_value("val_accuracy")
    assert trial.score == pytest.approx(expected)


# ------------------------------------------------------------------------------------- Bayesian


@pytest.fixture
def optuna():
    """Skip where Optuna is not installed."""
    return pytest.importorskip("optuna")


class Bowl:
    """A number that is 0 at x = 0.3, y = 20 and kind = "b", and larger elsewhere."""

    def run_trial(self, trial):
        hp = trial.hyperparameters
        x, y = hp.Float("x", 1e-3, 1.0, sampling="log"), hp.Int("y", 0, 100)
        wrong = hp.Choice("kind", ["a", "b", "c"]) != "b"
        if wrong:
            hp.Boolean("unused")
        return np.log(x / 0.3) ** 2 + ((y - 20) / 50) ** 2 + wrong


def best_of(kind: type, folder: Path, seed: int, **options: object) -> float:
    """Return the best number that a tuner finds in 40 trials."""
    tuner = type("Search", (Bowl, kind), {})(
        objective=None,
        max_trials=40,
        seed=seed,
        directory=folder,
        project_name=f"{seed}",
        **options,
    )
    tuner.search(verbose=0)
    return tuner.oracle.get_best_trials()[0].score


@pytest.mark.slow
def test_bayesian_optimization_is_better_than_chance(optuna, tmp_path):
    kinds = (keras_tuner.BayesianOptimization, keras_tuner.RandomSearch)
    guided, blind = (
        np.array([best_of(kind, tmp_path / kind.__name__, seed) for seed in range(4)])
        for kind in kinds
    )
    assert guided.mean() < 0.5 * blind.mean()


def test_bayesian_optimization_knows_what_it_has_waited_for_and_no_more(optuna, tmp_path):
    class Watched(Bowl, keras_tuner.BayesianOptimization):
        pass

    tuner = Watched(
        max_trials=14, num_initial_points=3, concurrent_trials=4, seed=5, directory=tmp_path
    )
    tuner.search(verbose=0)
    oracle = tuner.oracle
    study = oracle._study(13)
    states = [trial.state.name for trial in study.trials]
    assert states == ["COMPLETE"] * 10 + ["RUNNING"] * 3
    before = oracle.propose(13).values
    for trial in list(oracle.trials.values())[10:]:  # what they have found is not looked at
        trial.score = -1e9
    assert oracle.propose(13).values == before
    oracle.trials["0009"].score = -1e9
    assert oracle.propose(13).values != before


def test_without_optuna_it_says_what_to_install(monkeypatch):
    keras_tuner.bayesian.optuna.cache_clear()
    monkeypatch.setitem(sys.modules, "optuna", None)
    with pytest.raises(ImportError, match=r"Optuna is not installed\nexpected.*tune.*\nwrite Rand"):
        keras_tuner.BayesianOptimization(models.build_model, "loss")
    keras_tuner.bayesian.optuna.cache_clear()


# ----------------------------------------------------------------------------------- going on


def make(kind: str, folder: Path, **options: object) -> keras_tuner.Tuner:
    """Return a tuner of a kind, whose search is kept in a folder."""
    common = {"seed": 11, "directory": folder, **options}
    if kind == "grid":
        return keras_tuner.GridSearch(models.WithBatchSize(), "val_loss", 9, **common)
    if kind == "hyperband":
        return keras_tuner.Hyperband(models.WithBatchSize(), "val_loss", 4, 2, **common)
    if kind == "bayes":
        pytest.importorskip("optuna")
        return keras_tuner.BayesianOptimization(models.build_model, "val_loss", 9, 3, **common)
    if kind == "pruned":
        common["pruner"] = keras_tuner.MedianPruner(2)
    return keras_tuner.RandomSearch(models.WithBatchSize(), "val_loss", 9, **common)


KINDS = ["random", "grid", "hyperband", "bayes", "pruned"]


class CrashError(BaseException):
    """What happens when the electricity goes."""


class Crash(keras.callbacks.Callback):
    """Breaks off the search in the n-th epoch of all trials."""

    left = 0

    def on_epoch_end(self, epoch, logs=None):
        Crash.left -= 1
        if Crash.left == 0:
            raise CrashError


@pytest.mark.parametrize("kind", KINDS)
def test_an_interrupted_search_ends_like_one_that_was_not(kind, tmp_path, capsys):
    whole = searched(make(kind, tmp_path / "whole"))
    for epoch in (1, 4, 7):
        Crash.left = epoch
        with pytest.raises(CrashError):
            searched(make(kind, tmp_path / "part"), callbacks=[Crash()])
    assert models.found(searched(make(kind, tmp_path / "part"))) == models.found(whole)
    assert "Reloading Tuner from" in capsys.readouterr().out


def test_a_search_that_has_ended_finds_nothing_left_to_do_and_can_be_made_longer(tmp_path):
    def tuner(trials):
        return keras_tuner.RandomSearch(
            models.build_model, "loss", trials, seed=1, directory=tmp_path / "a"
        )

    before = models.found(searched(tuner(3)))
    assert models.found(searched(tuner(3))) == before
    longer = models.found(searched(tuner(5)))
    assert longer[:3] == before and len(longer) == 5
    straight = keras_tuner.RandomSearch(models.build_model, "loss", 5, seed=1, directory=tmp_path)
    assert models.found(searched(straight)) == longer


def test_a_new_seed_is_kept(tmp_path):
    tuner = keras_tuner.RandomSearch(models.build_model, "loss", 1, directory=tmp_path)
    searched(tuner)
    again = keras_tuner.RandomSearch(models.build_model, "loss", 1, directory=tmp_path)
    assert again.oracle.seed == tuner.oracle.seed


def test_overwrite_begins_anew_and_deletes_nothing_else(tmp_path):
    searched(make("random", tmp_path))
    project = tmp_path / "untitled_project"
    (project / "notes.txt").write_text("mine")
    tuner = make("random", tmp_path, overwrite=True)
    assert not tuner.oracle.trials
    assert [path.name for path in project.iterdir()] == ["notes.txt"]


def test_another_search_in_the_same_folder_is_refused(tmp_path):
    searched(make("random", tmp_path))
    with pytest.raises(ValueError, match=r"it has seed=11, and this search 12\nexpected.*\ndelete"):
        make("random", tmp_path, seed=12)
    with pytest.raises(ValueError, match="RandomSearchOracle"):
        make("grid", tmp_path)


def test_a_trial_whose_folder_is_deleted_runs_again(tmp_path):
    before = models.found(searched(make("random", tmp_path)))
    shutil.rmtree(tmp_path / "untitled_project/trial_0003")
    assert models.found(searched(make("random", tmp_path))) == before


SCRIPT = """
import sys
sys.path.insert(0, {tests!r})
import test_tuner
tuner = test_tuner.make("pruned", sys.argv[1], workers=2)
print("begun", flush=True)
test_tuner.searched(tuner)
"""


@pytest.mark.slow
def test_killed_at_random_moments_it_ends_the_same(tmp_path):
    whole = models.found(searched(make("pruned", tmp_path / "whole")))
    script = SCRIPT.format(tests=str(Path(__file__).parent))
    command = [sys.executable, "-c", script, str(tmp_path / "part")]
    chance = np.random.default_rng()
    for _ in range(8):
        with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
            assert process.stdout is not None
            while b"begun" not in process.stdout.readline():
                assert process.poll() is None
            time.sleep(chance.uniform(0.5, 4.0))
            process.kill()
    assert models.found(searched(make("pruned", tmp_path / "part"))) == whole


# -------------------------------------------------------------------------------------- failures


def test_failures_are_kept_tried_again_and_end_the_search(tmp_path):
    class Odd(keras_tuner.RandomSearch):
        def run_trial(self, trial):
            x = trial.hyperparameters.Int("x", 0, 10**6)
            if trial.number == 1:
                raise keras_tuner.errors.FailedTrialError("too large")
            if trial.number == 2 and not trial.runs:
                raise OSError("no such disk")
            return math.nan if trial.number == 3 else float(x)

    tuner = Odd(max_trials=5, max_retries_per_trial=1, directory=tmp_path)
    tuner.search(verbose=0)
    trials = list(tuner.oracle.trials.values())
    assert [t.status for t in trials] == ["COMPLETED", "FAILED", "COMPLETED", "FAILED", "COMPLETED"]
    assert [t.runs for t in trials] == [1, 1, 2, 2, 1]
    assert trials[1].message == "FailedTrialError: too large"
    assert trials[3].message == "its default_objective is nan"

    class Never(keras_tuner.RandomSearch):
        def run_trial(self, trial):
            trial.hyperparameters.Int("x", 0, 10**6)
            raise ZeroDivisionError("division by zero\nexpected another number\nwrite 1 / 2")

    never = Never(max_trials=9, directory=tmp_path / "never")
    with pytest.raises(RuntimeError, match=r"3 trials .*Error: division by zero\nexp.*\nwrite"):
        never.search(verbose=0)
    assert len(never.oracle.trials) == 3
    assert "Traceback" in (never.oracle.trials["0002"].message or "")


@pytest.mark.parametrize(
    ("result", "error", "message"),
    [
        (None, TypeError, "training has returned None"),
        ({"loss": 1.0}, ValueError, "there is no 'val_loss'"),
        ("good", TypeError, "training has returned 'good'"),
    ],
)
def test_mistakes_that_all_trials_make_end_the_search(result, error, message, tmp_path):
    class Wrong(keras_tuner.RandomSearch):
        def run_trial(self, trial):
            return result

    tuner = Wrong(objective="val_loss", directory=tmp_path)
    with pytest.raises(error, match=rf"{message}.*\nexpected .*\nwrite "):
        tuner.search(verbose=0)


def test_other_mistakes(tmp_path):
    text = r"(?s)\nexpected .*\nwrite "
    with pytest.raises(ValueError, match=text):
        keras_tuner.RandomSearch(models.build_model, "val_f2")  # less or more?
    with pytest.raises(ValueError, match=text):
        keras_tuner.Objective("val_loss", "least")
    with pytest.raises(ValueError, match=text):
        keras_tuner.RandomSearch(None, "val_loss")
    with pytest.raises(ValueError, match=text):
        keras_tuner.RandomSearch(models.WithBatchSize, "val_loss")  # without the brackets
    with pytest.raises(ValueError, match=text):  # called, not given
        keras_tuner.RandomSearch(keras.Sequential([keras.layers.Dense(1)]), "val_loss")
    with pytest.raises(ValueError, match=text):
        keras_tuner.RandomSearch(models.build_model, "val_loss", max_trials=0)
    with pytest.raises(ValueError, match=text):
        keras_tuner.RandomSearch(models.build_model, "val_loss", workers=0)
    with pytest.raises(ValueError, match=text):
        keras_tuner.Hyperband(models.build_model, "val_loss", factor=1)
    with pytest.raises(TypeError, match=text):
        keras_tuner.Tuner("random", models.build_model)
    with pytest.raises(ValueError, match=r"called 'trials'\nexp.*\nwrite .*max_trials"):
        keras_tuner.RandomSearch(models.build_model, "val_loss", trials=3)
    tuner = keras_tuner.RandomSearch(models.build_model, "val_loss", directory=tmp_path)
    with pytest.raises(ValueError, match=rf"there is no 'val_loss'.*{text[4:]}"):
        tuner.search(*models.data(), verbose=0)  # no validation
    with pytest.raises(TypeError, match=text):
        keras_tuner.RandomSearch(_no_model, "loss", directory=tmp_path / "b").search(verbose=0)


def _no_model(hp):
    return "a model"


def test_models_that_are_too_large_fail(tmp_path):
    def build(hp):
        model = keras.Sequential([keras.layers.Dense(hp.Choice("n", [1, 50]), input_shape=[4])])
        model.compile(loss="mse")
        return model

    tuner = keras_tuner.GridSearch(build, "loss", max_model_size=100, directory=tmp_path)
    searched(tuner)
    assert [t.status for t in tuner.oracle.trials.values()] == ["COMPLETED", "FAILED"]
    assert (
        tuner.oracle.trials["0001"].message
        == "FailedTrialError: 250 numbers, and max_model_size=100"
    )


# ------------------------------------------------------------------------------------- the text


def test_summaries(tmp_path, capsys):
    tuner = keras_tuner.RandomSearch(
        models.build_model, "val_loss", 2, seed=1, directory=tmp_path, project_name="p"
    )
    tuner.search_space_summary()
    text = capsys.readouterr().out
    assert text.startswith("Search space summary\nDefault search space size: ")
    assert "learning_rate (Float)\n{'default': None, 'conditions': [], 'min_value': 0.001" in text
    assert "momentum (Float)" in text  # of a scope that is active with other values, or not
    searched(tuner, verbose=2)
    text = capsys.readouterr().out
    assert "Search: Running Trial #2" in text
    assert "Value             |Best Value So Far |Hyperparameter" in text
    assert "Trial 2 Complete [00h 00m 0" in text and "Best val_loss So Far: " in text
    assert "Epoch 2/2" in text
    tuner.results_summary(1)
    text = capsys.readouterr().out
    assert text.startswith(f"Results summary\nResults in {tmp_path / 'p'}\nShowing 1 best trials")
    assert text.count("Hyperparameters:") == 1 and "\nScore: " in text
    searched(tuner)
    assert not capsys.readouterr().out


def test_the_space_of_scopes_within_ifs_is_found(tmp_path, capsys):
    def build(hp):
        if hp.Choice("kind", ["a", "b"]) == "b":
            with hp.conditional_scope("kind", ["b"]):
                hp.Int("x", 0, 5)
        with hp.conditional_scope("kind", ["b"]):
            deeper = hp.Boolean("deeper")
        with hp.conditional_scope("deeper", [True]):
            if deeper:
                hp.Int("y", 0, 5)
        model = keras.Sequential([keras.layers.Dense(1)])
        model.compile(loss="mse")
        return model

    tuner = keras_tuner.RandomSearch(build, "loss", directory=tmp_path)
    assert {hp.name for hp in tuner.oracle.get_space().space} == {"kind", "x", "deeper", "y"}


def test_the_grid_is_replayed_after_an_interruption():
    oracle = GridSearchOracle("loss")

    def declare(hp):
        for k in range(hp.Int("n", 1, 3)):
            hp.Choice(f"c{k}", [0, 1])

    oracle.declare = declare
    straight = [oracle.propose(k).values for k in range(14)]
    assert len({tuple(v.items()) for v in straight}) == 14 and oracle.propose(14) == "STOPPED"
    fresh = GridSearchOracle("loss")
    fresh.declare = declare
    assert fresh.propose(9).values == straight[9]


def test_what_cannot_be_sent_to_another_process_is_told(monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, "cloudpickle", None)
    tuner = keras_tuner.RandomSearch(lambda hp: None, "loss", workers=2, directory=tmp_path)
    with pytest.raises(keras_tuner.errors.FatalError, match=r"cannot be sent.*\nexpected.*\nwrite"):
        tuner.search(verbose=0)
    with pytest.raises(keras_tuner.errors.FatalError, match=r"in the script\nexpected"):
        workers.pickled("a function of __main__")
