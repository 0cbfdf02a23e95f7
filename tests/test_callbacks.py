"""Callbacks: each does what its name says, and says what it cannot do."""

from __future__ import annotations

import copy
import csv
import inspect
import warnings

import numpy as np
import pytest

from gradlab import keras
from gradlab.keras import callbacks as cb
from gradlab.keras.names import snake_case

X = np.random.default_rng(0).normal(size=(96, 3)).astype("float32")
Y = (X @ np.array([[1.0], [-2.0], [0.5]])).astype("float32")


def model(rate: float = 0.05, **options: object) -> keras.Model:
    """Return a small model that is always the same."""
    keras.utils.set_random_seed(3)
    made = keras.Sequential([keras.layers.Dense(1, name="out", input_shape=[3])])
    made.compile(loss="mse", optimizer=keras.optimizers.SGD(rate), **options)
    return made


class Script(cb.Callback):
    """Puts numbers of our own in the place of what was measured."""

    def __init__(self, **series: list[float]) -> None:
        super().__init__()
        self.series = series

    def on_epoch_end(self, epoch, logs=None):
        for name, values in self.series.items():
            logs[name] = values[epoch]


class Weights(cb.Callback):
    """Notes the weights after each epoch."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[np.ndarray] = []

    def on_epoch_end(self, epoch, logs=None):
        self.seen.append(self.model.get_weights()[0])


def fit(trained: keras.Model, *callbacks: cb.Callback, **options: object) -> cb.History:
    """Train quietly."""
    options = {"verbose": 0, "epochs": 6, **options}
    return trained.fit(X, Y, callbacks=list(callbacks), **options)


# ------------------------------------------------------------------------------------ the list


def test_the_one_that_comes_last_sees_what_the_others_did():
    seen = []

    class Last(cb.Callback):
        comes_last = True

        def on_epoch_end(self, epoch, logs=None):
            seen.append((logs["loss"], len(self.companions)))

    fit(model(), Last(), Script(loss=[9.0]), epochs=1)
    assert seen == [(9.0, 3)]  # the third is the History


def test_lambda_callback_takes_every_hook_and_no_other():
    seen = []

    def note(*args, **kwargs):
        seen.append(args)

    fit(model(), cb.LambdaCallback(on_train_begin=note, on_test_end=note), epochs=1)
    assert len(seen) == 1
    with pytest.raises(ValueError, match=r"no hook is called 'on_epoch_ends'\n.*\nwrite 'on_epo"):
        cb.LambdaCallback(on_epoch_ends=note)


def test_progbar_logger_and_history_are_where_keras_has_them(capsys):
    model().fit(X, Y, verbose=0, callbacks=[cb.ProgbarLogger()])
    assert "3/3 [====" in capsys.readouterr().out
    assert isinstance(fit(model()), cb.History)


# -------------------------------------------------------------------------------- early stopping


@pytest.mark.parametrize(
    ("options", "losses", "epochs", "stopped"),
    [
        ({"patience": 2}, [3, 2, 4, 4, 1, 1], 4, 3),
        ({"patience": 2}, [6, 5, 4, 3, 2, 1], 6, 0),
        ({"patience": 1, "min_delta": 0.5}, [6, 5.9, 4, 3, 2, 1], 2, 1),
        ({"patience": 2, "baseline": 4}, [6, 5, 4.5, 3, 2, 1], 6, 0),
        ({"patience": 2, "start_from_epoch": 3}, [1, 5, 5, 5, 6, 6], 6, 5),
        ({"patience": 2, "mode": "max"}, [3, 2, 2.5, 4, 4, 4], 3, 2),
    ],
)
def test_early_stopping(options, losses, epochs, stopped):
    stop = cb.EarlyStopping(monitor="loss", **options)
    history = fit(model(), Script(loss=losses), stop)
    assert (len(history.epoch), stop.stopped_epoch) == (epochs, stopped)


@pytest.mark.parametrize("losses", [[3, 1, 2, 2, 2, 2], [3, 1, 2, 0.5, 2, 2]])
@pytest.mark.parametrize("patience", [2, 99])
def test_the_best_weights_are_restored_whether_or_not_it_stopped_early(losses, patience):
    seen = Weights()
    stop = cb.EarlyStopping("loss", patience=patience, restore_best_weights=True)
    trained = model()
    fit(trained, Script(loss=losses), seen, stop)
    best = int(np.argmin(losses[: len(seen.seen)]))
    assert stop.best_epoch == best
    np.testing.assert_array_equal(trained.get_weights()[0], seen.seen[best])
    assert not np.array_equal(seen.seen[best], seen.seen[-1])


def test_without_restoring_the_last_weights_stay():
    seen, trained = Weights(), model()
    fit(trained, Script(loss=[1, 2, 3, 4, 5, 6]), seen, cb.EarlyStopping("loss", patience=2))
    np.testing.assert_array_equal(trained.get_weights()[0], seen.seen[-1])


def test_early_stopping_says_what_it_did(capsys):
    stop = cb.EarlyStopping("loss", patience=1, verbose=1, restore_best_weights=True)
    fit(model(), Script(loss=[1, 2]), stop)
    said = "Epoch 2: early stopping\nRestoring model weights from the end of the best epoch: 1.\n"
    assert capsys.readouterr().out == said


def test_a_monitor_that_is_not_there_is_warned_of():
    with pytest.warns(UserWarning, match=r"no 'val_loss'.*\nexpected one of loss\nwrite fit\("):
        fit(model(), cb.EarlyStopping(), epochs=1)


@pytest.mark.parametrize("kind", [cb.EarlyStopping, cb.ReduceLROnPlateau])
def test_a_name_that_does_not_tell_what_is_better_is_refused(kind):
    with pytest.raises(ValueError, match=r"monitor='val_quality'.*\nexpected.*\nwrite mode="):
        kind(monitor="val_quality")
    kind(monitor="val_quality", mode="max")


@pytest.mark.parametrize("name", ["acc", "accuracy"])
def test_both_names_of_the_accuracy_can_be_watched(name):
    stop = cb.EarlyStopping(monitor=name, patience=1)
    assert stop.mode == "max"
    fit(model(), Script(accuracy=[0.5, 0.4, 0.3]), stop)
    assert stop.stopped_epoch == 1


METRICS = [
    snake_case(name)
    for name, kind in vars(keras.metrics).items()
    if inspect.isclass(kind) and issubclass(kind, keras.metrics.Metric)
]
NEITHER = {"metric", "mean", "sum", "mean_metric_wrapper"}  # of what?


@pytest.mark.parametrize("name", sorted({*METRICS, "loss", "mae", "mse"} - NEITHER))
def test_the_names_of_all_metrics_tell_what_is_better(name):
    falls = ("loss", "mae", "mse", "error", "entropy", "hinge", "divergence", "poisson", "false")
    assert (cb.EarlyStopping(f"val_{name}").mode == "min") == any(part in name for part in falls)


# ---------------------------------------------------------------------------------- NaN


def test_terminate_on_nan_names_the_layer_and_keeps_the_weights(capsys):
    trained = keras.Sequential(
        [
            keras.layers.Dense(2, name="first", input_shape=[3]),
            keras.layers.Dense(1, name="second"),
        ]
    )
    trained.compile(loss="mse", optimizer="sgd")
    trained.layers[0].bias.assign([np.inf, 0.0])
    before = trained.get_weights()
    history = fit(trained, cb.TerminateOnNaN())
    assert capsys.readouterr().out.startswith("the loss is ")
    assert len(history.epoch) == 1
    assert np.isnan(history.history["loss"][0])
    for mine, theirs in zip(trained.get_weights(), before, strict=True):
        np.testing.assert_array_equal(mine, theirs)


def test_the_layer_whose_output_overflows_is_named(capsys):
    trained = keras.Sequential(
        [
            keras.layers.Dense(2, name="first", input_shape=[3]),
            keras.layers.Dense(2, name="second", activation="exponential"),
            keras.layers.Dense(1, name="third"),
        ]
    )
    trained.compile(loss="mse", optimizer="sgd")
    trained.layers[1].bias.assign([1000.0, 0.0])
    fit(trained, cb.TerminateOnNaN())
    assert "the output of second is not finite" in capsys.readouterr().out


@pytest.mark.parametrize("eagerly", [True, False])
@pytest.mark.parametrize("activation", ["relu", "exponential"])
@pytest.mark.parametrize(
    "optimizer", [keras.optimizers.SGD(1e3), keras.optimizers.Adam(1e12)], ids=["sgd", "adam"]
)
def test_an_overflow_ends_training_without_a_warning(optimizer, activation, eagerly, capsys):
    keras.utils.set_random_seed(1)
    layers = [keras.layers.Dense(8, activation), keras.layers.Dense(8, activation)]
    trained = keras.Sequential([keras.layers.Input([3]), *layers, keras.layers.Dense(1)])
    trained.compile(loss="mse", optimizer=copy.deepcopy(optimizer), run_eagerly=eagerly)
    history = fit(trained, cb.TerminateOnNaN(), epochs=50, validation_data=(X, Y))
    assert len(history.epoch) < 50
    assert capsys.readouterr().out.startswith("the loss is ")


def test_without_it_numpy_warns_of_the_overflow():
    trained = model()
    trained.layers[0].kernel.assign([[1e38], [1e38], [1e38]])
    with pytest.warns(RuntimeWarning, match="overflow"), pytest.raises(ArithmeticError):
        fit(trained)


def test_validation_that_fails_too_is_nan_and_told_once(capsys):
    trained = model(metrics=["mae"])
    fit(trained, epochs=1)
    trained.layers[0].kernel.assign([[np.nan], [0.0], [0.0]])
    history = fit(trained, cb.TerminateOnNaN(), validation_data=(X, Y)).history
    assert capsys.readouterr().out.count("\n") == 1
    assert list(history) == ["loss", "mae", "val_loss", "val_mae"]
    assert all(len(values) == 1 and np.isnan(values[0]) for values in history.values())


def test_a_rate_is_no_schedule():
    with pytest.raises(TypeError, match=r"given 0\.1\nexpected a function .*\nwrite def schedule"):
        cb.LearningRateScheduler(0.1)


def test_terminate_on_nan_can_raise():
    trained = model()
    trained.layers[0].kernel.assign([[np.nan], [0.0], [0.0]])
    with pytest.raises(ArithmeticError, match="out/kernel is not finite"):
        fit(trained, cb.TerminateOnNaN(raise_error=True))


def test_terminate_on_nan_looks_at_a_step_of_your_own(capsys):
    class Mine(keras.Sequential):
        def train_step(self, data):
            return {"loss": float("nan")}

    trained = Mine([keras.layers.Dense(1, input_shape=[3])])
    trained.compile(loss="mse")
    assert len(fit(trained, cb.TerminateOnNaN()).epoch) == 1
    assert capsys.readouterr().out == "the loss is nan in batch 1\n"


# ------------------------------------------------------------------------------- checkpoints


def saves(trained: keras.Model) -> list[tuple[str, str]]:
    """Let a model note where it is saved to, instead of saving."""
    noted: list[tuple[str, str]] = []
    trained.save = lambda path: noted.append(("save", path.name))
    trained.save_weights = lambda path: noted.append(("save_weights", path.name))
    return noted


def test_checkpoints_of_every_epoch_have_names_that_are_filled_in(tmp_path):
    trained = model()
    noted = saves(trained)
    keep = cb.ModelCheckpoint(tmp_path / "m_{epoch:02d}_{loss:.2f}.keras")
    fit(trained, Script(loss=[0.5, 0.25]), keep, epochs=2)
    assert noted == [("save", "m_01_0.50.keras"), ("save", "m_02_0.25.keras")]


def test_only_the_best_is_saved(tmp_path, capsys):
    trained = model()
    noted = saves(trained)
    keep = cb.ModelCheckpoint(
        tmp_path / "{epoch}.weights.h5", "loss", save_best_only=True, save_weights_only=True,
        verbose=1,
    )  # fmt: skip
    fit(trained, Script(loss=[3, 4, 2, 2]), keep, epochs=4)
    assert noted == [("save_weights", "1.weights.h5"), ("save_weights", "3.weights.h5")]
    lines = [line for line in capsys.readouterr().out.split("\n") if line]
    assert lines[0].startswith("Epoch 1: loss improved from None to 3.00000, saving to ")
    assert lines[1] == "Epoch 2: loss did not improve from 3.00000"


@pytest.mark.parametrize(
    ("name", "weights_only", "mend"),
    [
        ("best", True, "'best.weights.h5', save_weights_only=True"),
        ("best.keras", True, "'best.weights.h5', save_weights_only=True"),
        ("best.h5", True, "'best.weights.h5', save_weights_only=True"),
        ("best.h5", False, "'best.keras', save_weights_only=False"),
        ("best.weights.h5", False, "'best.keras', save_weights_only=False"),
    ],
)
def test_a_name_that_could_not_be_saved_to_is_refused_before_training(name, weights_only, mend):
    with pytest.raises(ValueError, match=f"\nexpected a name .*\nwrite ModelCheckpoint.{mend}"):
        cb.ModelCheckpoint(name, save_weights_only=weights_only)


def test_checkpoints_after_so_many_batches(tmp_path):
    trained = model()
    noted = saves(trained)
    keep = cb.ModelCheckpoint(tmp_path / "{epoch}_{batch}.keras", save_freq=2)
    fit(trained, keep, epochs=2)  # 3 batches each
    assert [name for _, name in noted] == ["1_2.keras", "2_1.keras", "2_3.keras"]


def test_without_the_monitor_the_model_is_saved_all_the_same(tmp_path):
    trained = model()
    noted = saves(trained)
    with pytest.warns(UserWarning, match="no 'val_loss'; the model is saved all the same"):
        fit(trained, cb.ModelCheckpoint(tmp_path / "best", save_best_only=True), epochs=1)
    assert noted == [("save", "best")]


def test_a_checkpoint_without_an_ending_is_a_folder_that_can_be_loaded(tmp_path):
    trained = model()
    keep = cb.ModelCheckpoint(tmp_path / "my_checkpoints", save_best_only=True)
    fit(trained, keep, epochs=2, validation_data=(X, Y))
    assert (tmp_path / "my_checkpoints").is_dir()
    restored = keras.models.load_model(tmp_path / "my_checkpoints")
    np.testing.assert_array_equal(restored.predict(X, verbose=0), trained.predict(X, verbose=0))


@pytest.mark.parametrize("kind", [cb.ModelCheckpoint, cb.BackupAndRestore])
@pytest.mark.parametrize("save_freq", ["batch", 0, -1, 2.5])
def test_another_save_freq_is_refused(kind, save_freq, tmp_path):
    with pytest.raises(ValueError, match=r"save_freq=.*\nexpected.*\nwrite save_freq="):
        kind(tmp_path / "m.keras", save_freq=save_freq)


def test_a_name_that_cannot_be_filled_in_says_which_names_there_are(tmp_path):
    with pytest.raises(ValueError, match=r"'val_los'\nexpected names among epoch, loss\nwrite"):
        fit(model(), cb.ModelCheckpoint(tmp_path / "{val_los}.keras"))


# ---------------------------------------------------------------------------- learning rates


def test_scheduler_with_one_argument_or_two(capsys):
    def of_epoch(epoch):
        return 0.1 / (epoch + 1)

    def of_both(epoch, rate):
        return rate * 0.5

    assert fit(model(), cb.LearningRateScheduler(of_epoch, verbose=1), epochs=2).history[
        "learning_rate"
    ] == pytest.approx([0.1, 0.05])
    assert (
        "Epoch 2: LearningRateScheduler setting learning rate to 0.05." in capsys.readouterr().out
    )
    rates = fit(model(0.2), cb.LearningRateScheduler(of_both), epochs=2).history["learning_rate"]
    assert rates == pytest.approx([0.1, 0.05])


def test_a_schedule_without_a_number_is_refused():
    with pytest.raises(ValueError, match=r"returned None\nexpected a number\nwrite def"):
        fit(model(), cb.LearningRateScheduler(print), epochs=1)


@pytest.mark.parametrize(
    ("options", "losses", "rates"),
    [
        ({"patience": 2}, [4, 4, 4, 4, 4, 4], [1, 1, 1, 0.5, 0.5, 0.25]),
        ({"patience": 1, "cooldown": 2}, [4, 4, 4, 4, 4, 4], [1, 1, 0.5, 0.5, 0.25, 0.25]),
        ({"patience": 1, "min_lr": 0.5e-6}, [4, 4, 4, 4, 4, 4], [1, 1, 0.5, 0.5, 0.5, 0.5]),
        ({"patience": 1}, [6, 5, 4, 3, 2, 1], [1] * 6),
    ],
)
def test_reduce_on_plateau(options, losses, rates):
    slower = cb.ReduceLROnPlateau("loss", factor=0.5, **options)
    history = fit(model(1e-6), Script(loss=losses), slower)
    assert history.history["learning_rate"] == pytest.approx([1e-6 * rate for rate in rates])


def test_a_factor_that_does_not_reduce_is_refused():
    with pytest.raises(ValueError, match=r"factor=1.0\nexpected less than 1"):
        cb.ReduceLROnPlateau(factor=1.0)


# ------------------------------------------------------------------------------ the finder


def test_the_finder_finds_the_rate_that_theory_gives_and_undoes_the_training():
    """For a quadratic loss descent diverges from 2 / the largest curvature on."""
    trained = model(0.123)
    fit(trained, epochs=1)
    before, state = trained.get_weights(), [v.numpy() for v in trained.optimizer.variables]
    finder = cb.LearningRateFinder(steps=200)
    fit(trained, finder, epochs=99)
    inputs = np.c_[X, np.ones(len(X))]
    limit = 2.0 / np.linalg.eigvalsh(2.0 * inputs.T @ inputs / len(X)).max()
    assert limit / 4 < 10 * finder.suggestion() < limit * 1.5
    assert len(finder.rates) < 200  # it ended when the loss shot up
    for now, then in zip(trained.get_weights(), before, strict=True):
        np.testing.assert_array_equal(now, then)
    for now, then in zip(trained.optimizer.variables, state, strict=True):
        np.testing.assert_array_equal(now.numpy(), then)


def test_the_finder_grows_by_the_same_factor_up_to_the_last_rate():
    finder = cb.LearningRateFinder(1e-6, 1e-4, steps=7)
    fit(model(), finder, epochs=99)
    assert finder.rates[0] == pytest.approx(1e-6)
    assert finder.rates[-1] == pytest.approx(1e-4)
    assert np.diff(np.log(finder.rates)) == pytest.approx(np.log(100) / 6, rel=1e-4)


def test_the_losses_of_the_finder_are_those_of_its_batches():
    finder = cb.LearningRateFinder(1e-12, 1e-11, steps=3)
    trained = model()
    fit(trained, finder, epochs=1, shuffle=False)
    of_batches = [float(((trained.predict(x, verbose=0) - y) ** 2).mean())
                  for x, y in zip(np.split(X, 3), np.split(Y, 3), strict=True)]  # fmt: skip
    assert finder.losses == pytest.approx(of_batches, rel=1e-5)


def test_too_few_epochs_for_the_finder_are_told():
    with pytest.warns(UserWarning, match=r"3 of 500 steps were made\n.*\nwrite fit\(..., epochs"):
        fit(model(), cb.LearningRateFinder(), epochs=1)


def test_the_finder_wants_a_model_with_weights():
    trained = keras.Sequential([keras.layers.Dense(1)])
    trained.compile(loss="mse")
    with pytest.raises(ValueError, match=r"no weights yet.*\nexpected.*\nwrite keras.Input"):
        fit(trained, cb.LearningRateFinder())


def test_the_finder_ends_when_the_loss_is_not_finite():
    trained = keras.Sequential([keras.layers.Dense(1, input_shape=[3], activation="exponential")])
    trained.compile(loss="mse", optimizer="sgd")
    finder = cb.LearningRateFinder(1e-3, 1e30, steps=12)
    with np.errstate(all="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        fit(trained, finder, epochs=99)
    assert np.isfinite(trained.get_weights()[0]).all()


def test_the_plot_of_the_finder_shows_its_suggestion():
    finder = cb.LearningRateFinder(steps=100)
    fit(model(), finder, epochs=99)
    labels = [text.get_text() for text in finder.plot().get_legend().get_texts()]
    assert labels[-1] == f"rule of thumb, a tenth of it: {finder.suggestion():.2g}"


@pytest.mark.parametrize("given", [(0.0, 1.0, 10), (1.0, 0.1, 10), (0.1, 1.0, 2)])
def test_rates_that_do_not_grow_are_refused(given):
    with pytest.raises(ValueError, match=r"LearningRateFinder: given .*\nexpected 0 < min_rate"):
        cb.LearningRateFinder(*given)


# -------------------------------------------------------------------------------------- tables


def test_csv_logger(tmp_path):
    file = tmp_path / "deep" / "log.csv"
    fit(model(), cb.CSVLogger(file), epochs=2, validation_data=(X, Y))
    fit(model(), cb.CSVLogger(file, append=True), epochs=1, validation_data=(X, Y))
    rows = list(csv.DictReader(file.read_text().splitlines()))
    assert [row["epoch"] for row in rows] == ["0", "1", "0"]
    assert list(rows[0]) == ["epoch", "loss", "val_loss"]
    assert float(rows[0]["loss"]) > float(rows[1]["loss"])


def test_csv_logger_replaces_an_older_file_and_takes_other_separators(tmp_path):
    file = tmp_path / "log.csv"
    file.write_text("older\n" * 9)
    fit(model(), Script(many=[[1, 2]]), cb.CSVLogger(file, separator=";"), epochs=1)
    head, row = file.read_text().splitlines()
    assert head == "epoch;loss;many;val_loss;val_many"
    assert row.endswith("[1, 2];NA;NA")
