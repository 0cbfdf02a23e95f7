"""BackupAndRestore: a training killed at any moment ends as one that was not, bit by bit."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import callbacks_run as run
import numpy as np
import pytest

from gradlab import keras

RUN = Path(run.__file__)


class CrashError(Exception):
    """What happens when the electricity goes."""


class Crash(keras.callbacks.Callback):
    """Breaks off training when a hook is called for the n-th time."""

    def __init__(self, hook: str, n: int) -> None:
        super().__init__()
        self.left = n
        setattr(self, hook, self.count)

    def count(self, *_: object, **__: object) -> None:
        """Count, and break off."""
        self.left -= 1
        if not self.left:
            raise CrashError


@pytest.fixture(scope="module")
def whole(tmp_path_factory) -> keras.Model:
    """The model of a training that nothing has interrupted."""
    return run.train(tmp_path_factory.mktemp("whole"))


def same(one: list[np.ndarray], other: list[np.ndarray]) -> bool:
    """Tell whether weights are the same, bit by bit."""
    return [w.tobytes() for w in one] == [w.tobytes() for w in other]


@pytest.mark.parametrize(
    ("hook", "n", "save_freq"),
    [
        *(("on_train_batch_end", n, 1) for n in (1, 2, 10, 11, 25)),
        *(("on_train_batch_end", n, 3) for n in (4, 9, 25)),
        ("on_train_batch_end", 25, "epoch"),
        ("on_train_batch_begin", 8, 1),
        ("on_epoch_begin", 3, 3),
        ("on_epoch_end", 2, 1),
        ("on_test_end", 4, "epoch"),
        ("on_train_end", 1, 1),
    ],
)
def test_an_interrupted_training_ends_like_one_that_was_not(hook, n, save_freq, whole, tmp_path):
    with pytest.raises(CrashError):
        run.train(tmp_path, Crash(hook, n), save_freq=save_freq)
    again = run.train(tmp_path, save_freq=save_freq)
    assert same(again.get_weights(), whole.get_weights())
    assert again.history.history == whole.history.history
    assert again.history.epoch == whole.history.epoch
    assert not (tmp_path / "backup").exists()


def test_it_goes_on_where_it_was_and_does_not_begin_anew(tmp_path):
    with pytest.raises(CrashError):
        run.train(tmp_path, Crash("on_train_batch_end", 25))
    counted = Crash("on_train_batch_end", 10**9)
    run.train(tmp_path, counted)
    assert 10**9 - counted.left == run.EPOCHS * 10 - 24  # the last one may not have been written


def test_training_that_was_stopped_early_is_not_taken_up_again(tmp_path):
    class Stop(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            self.model.stop_training = epoch == 1

    with pytest.raises(CrashError):
        run.train(tmp_path, Stop(), Crash("on_train_end", 1))
    assert run.train(tmp_path).history.epoch == [0, 1]


@pytest.mark.parametrize("optimizer", ["sgd", "nadam"])
def test_a_model_that_has_no_weights_yet_is_built_again(optimizer, tmp_path):
    def train(folder, *more):
        keras.utils.set_random_seed(1)
        model = keras.Sequential([keras.layers.Dense(3), keras.layers.Dense(1)])
        model.compile(loss="mse", optimizer=optimizer, metrics=["mae"])
        backup = keras.callbacks.BackupAndRestore(folder, save_freq=1)
        model.fit(*run.data(), epochs=2, verbose=0, callbacks=[backup, *more])
        return model.get_weights()

    expected = train(tmp_path / "a")
    with pytest.raises(CrashError):
        train(tmp_path / "b", Crash("on_train_batch_end", 5))
    assert same(train(tmp_path / "b"), expected)


def test_several_outputs_and_a_table(tmp_path):
    def train(folder, *more):
        keras.utils.set_random_seed(1)
        x = keras.Input([8], name="x")
        h = keras.layers.Dense(4, activation="relu", name="h")(x)
        outputs = {name: keras.layers.Dense(1, name=name)(h) for name in ("a", "b")}
        model = keras.Model(x, list(outputs.values()))
        model.compile(loss=["mse", "mae"], optimizer="adam", metrics=["mae"])
        X, y = run.data()
        backup = keras.callbacks.BackupAndRestore(folder / "backup", save_freq=2)
        table = keras.callbacks.CSVLogger(folder / "log.csv")
        model.fit(X, (y, -y), epochs=3, verbose=0, callbacks=[backup, table, *more])
        return model.get_weights(), (folder / "log.csv").read_text()

    for name in ("a", "b"):
        (tmp_path / name).mkdir()
    weights, text = train(tmp_path / "a")
    with pytest.raises(CrashError):
        train(tmp_path / "b", Crash("on_train_batch_end", 31))
    again, text_again = train(tmp_path / "b")
    assert same(again, weights)
    assert text_again == text


def test_a_backup_that_is_kept_lets_more_epochs_follow(whole, tmp_path):
    run.train(tmp_path, epochs=2, delete_checkpoint=False)
    longer = run.train(tmp_path)
    assert same(longer.get_weights(), whole.get_weights())


# ------------------------------------------------------------------------------- what is wrong


def test_a_backup_of_another_model_is_refused(tmp_path):
    run.train(tmp_path, epochs=1, delete_checkpoint=False)
    other = keras.Sequential([keras.layers.Dense(1, input_shape=[8])])
    other.compile(loss="mse", optimizer="adam")
    before = other.get_weights()
    backup = keras.callbacks.BackupAndRestore(tmp_path / "backup")
    with pytest.raises(ValueError, match=r"is of another model\nexpected .*\nwrite another backup"):
        other.fit(*run.data(), epochs=2, verbose=0, callbacks=[backup])
    assert same(other.get_weights(), before)


def test_a_backup_of_other_batches_is_refused(tmp_path):
    with pytest.raises(CrashError):
        run.train(tmp_path, Crash("on_train_batch_end", 5))
    backup = keras.callbacks.BackupAndRestore(tmp_path / "backup")
    with pytest.raises(ValueError, match=r"is of 10 batches per epoch; there are now 13\n"):
        run.model().fit(*run.data(), epochs=2, verbose=0, callbacks=[backup])


@pytest.mark.parametrize("double", [False, True])
def test_a_damaged_backup_is_refused_or_the_one_before_is_taken(double, whole, tmp_path):
    options = {"double_checkpoint": double}
    with pytest.raises(CrashError):
        run.train(tmp_path, Crash("on_train_batch_end", 15), **options)
    latest = tmp_path / "backup" / "latest.npz"
    latest.write_bytes(latest.read_bytes()[:-100])
    if double:
        assert same(run.train(tmp_path, **options).get_weights(), whole.get_weights())
    else:
        with pytest.raises(ValueError, match=r"cannot be read\nexpected .*\nwrite"):
            run.train(tmp_path, **options)


def test_an_empty_folder_name_is_refused():
    with pytest.raises(ValueError, match=r"empty backup_dir\nexpected.*\nwrite"):
        keras.callbacks.BackupAndRestore("")


# ---------------------------------------------------------------------------------------- killed


def killed(folder: Path, batches: int, seconds: float) -> None:
    """Run the training as a process, and kill it some time after it has done some batches."""
    command = [sys.executable, str(RUN), str(folder)]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        for _ in range(batches):
            assert process.stdout.readline()
        time.sleep(seconds)
        process.kill()
    assert not (folder / "weights.npz").exists()


def ends_like(folder: Path, whole: keras.Model) -> bool:
    """Run the training to its end and compare its weights."""
    subprocess.run([sys.executable, str(RUN), str(folder)], check=True, stdout=subprocess.DEVNULL)
    with np.load(folder / "weights.npz") as found:
        return same([found[name] for name in found.files], whole.get_weights())


def moments(count: int, most: int) -> list[tuple[int, float]]:
    """Return random moments: after so many batches, and so many seconds; a backup takes 0.02."""
    chance = np.random.default_rng()
    return [(int(chance.integers(1, most)), chance.uniform(0.0, 0.03)) for _ in range(count)]


@pytest.mark.slow
def test_killed_three_times_at_random_it_ends_the_same(whole, tmp_path):
    for moment in moments(3, run.BATCHES // 4):
        killed(tmp_path, *moment)
    assert ends_like(tmp_path, whole)


@pytest.mark.slow
@pytest.mark.parametrize("moment", moments(20, run.BATCHES - 9), ids=range(20))
def test_killed_at_twenty_random_moments_it_ends_the_same(moment, whole, tmp_path):
    killed(tmp_path, *moment)
    assert ends_like(tmp_path, whole), moment
