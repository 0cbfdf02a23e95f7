"""Saving that is interrupted, and files that are damaged: nothing is lost, nothing is run."""

from __future__ import annotations

import io
import os
import random
import signal
import subprocess
import sys
import time
import zipfile
from pathlib import Path

import numpy as np
import pytest

from gradlab import keras

resource = pytest.importorskip("resource")  # Unix has it

GOLDEN = Path(__file__).with_name("golden")


def small(number=0.0):
    """Return a model all of whose weights are one number."""
    layers = [keras.layers.Dense(3, activation="relu", input_shape=[2]), keras.layers.Dense(1)]
    model = keras.Sequential(layers)
    model.compile("adam", "mse")
    model.fit(np.ones((4, 2)), np.ones((4, 1)), verbose=0)
    model.set_weights([np.full(w.shape, number) for w in model.get_weights()])
    return model


def number_in(path):
    """Load a model and return the one number that all its weights are."""
    weights = keras.models.load_model(path).get_weights()
    (number,) = {float(n) for w in weights for n in w.ravel()}
    return number


class Crash(BaseException):
    """What the end of a process is to the code that was running."""


@pytest.mark.parametrize("name", ["m.keras", "folder"])
def test_a_crash_at_any_step_leaves_the_old_model_or_the_new(name, tmp_path, monkeypatch):
    old, new, left = small(1.0), small(2.0), set()
    old.save(tmp_path / name)
    for at in range(1, 100):
        calls = iter(range(1, 1000))

        def dying(real, calls=calls, at=at):
            def call(*args, **kwargs):
                if next(calls) == at:
                    raise Crash
                return real(*args, **kwargs)

            return call

        with monkeypatch.context() as patch:
            for module, function in STEPS:
                patch.setattr(module, function, dying(getattr(module, function)))
            try:
                new.save(tmp_path / name)
            except Crash:
                pass
            else:
                break
        left.add(number_in(tmp_path / name))
        old.save(tmp_path / name)
    assert at > len(STEPS) and left == {1.0, 2.0}
    assert number_in(tmp_path / name) == 2.0
    assert not list(tmp_path.rglob("*.part"))


STEPS = [(os, "fsync"), (Path, "open"), (Path, "replace"), (Path, "mkdir"), (Path, "unlink")]

SAVING = """
import sys, numpy as np
from gradlab import keras
path, number = sys.argv[1], 0.0
layers = [keras.layers.Dense(300, input_shape=[300]), keras.layers.Dense(1)]
model = keras.Sequential(layers)
while True:
    number += 1.0
    model.set_weights([np.full(w.shape, number) for w in model.get_weights()])
    model.save(path)
    print(number, flush=True)
"""


@pytest.mark.slow
@pytest.mark.parametrize("name", ["m.keras", "folder"])
@pytest.mark.parametrize("moment", range(20))
def test_a_killed_program_leaves_the_old_model_or_the_new(name, moment, tmp_path):
    program = [sys.executable, "-c", SAVING, str(tmp_path / name)]
    with subprocess.Popen(program, stdout=subprocess.PIPE, text=True) as running:
        saved = float(running.stdout.readline())
        time.sleep(random.Random(moment).uniform(0.0, 0.2))
        running.send_signal(signal.SIGKILL)
        saved = max([saved, *map(float, running.stdout)])
    assert number_in(tmp_path / name) in (saved, saved + 1.0)


# ----------------------------------------------------------------------------------------- fuzzing


def sources(folder):
    """Return files of all kinds, written here and by Keras."""
    model = small(0.5)
    model.save(folder / "m.keras")
    model.save_weights(folder / "m.weights.h5")
    for archive, names in {
        "keras_saved.zip": ["functional_adam.keras", "sequential_adam.h5"],
        "keras2_saved.zip": ["sgd.h5", "graph.keras"],
    }.items():
        with zipfile.ZipFile(GOLDEN / archive) as file:
            for name in names:
                (folder / name).write_bytes(file.read(name))
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


def mutated(content, rng):
    """Cut, delete, insert, copy or change bytes."""
    content, kind = bytearray(content), rng.randrange(6)
    place = rng.randrange(len(content))
    if kind == 0:
        return bytes(content[:place])
    if kind == 1:
        del content[place : place + rng.randrange(1, 100)]
    elif kind == 2:
        content[place:place] = rng.randbytes(rng.randrange(1, 20))
    elif kind == 3:
        other = rng.randrange(len(content))
        content[place : place + 8] = content[other : other + 8]
    else:
        for _ in range(rng.choice([1, 1, 2, 5, 20])):
            content[rng.randrange(len(content))] = rng.choice([0, 255, rng.randrange(256), 57, 34])
    return bytes(content)


def mutated_inside(content, rng):
    """Change one member of a .keras file, and make a whole archive of it: its sums are right."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    name = rng.choice(["config.json", "config.json", "model.weights.h5"])
    members[name] = mutated(members[name], rng)
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for member, bytes_ in members.items():
            archive.writestr(member, bytes_)
    return file.getvalue()


@pytest.mark.parametrize(
    "seeds", [range(60), pytest.param(range(60, 2060), marks=pytest.mark.slow)], ids=["60", "2000"]
)
@pytest.mark.filterwarnings("default")  # an optimizer may begin anew
def test_a_damaged_file_is_refused_with_a_reason_or_read(seeds, tmp_path):
    (tmp_path / "sources").mkdir()
    files, model = sources(tmp_path / "sources"), small(0.5)
    refused = []
    for seed in seeds:
        rng = random.Random(seed)
        name = rng.choice(list(files))
        inside = name.endswith(".keras") and rng.random() < 0.8
        path = tmp_path / name
        path.write_bytes((mutated_inside if inside else mutated)(files[name], rng))
        try:
            if name == "m.weights.h5":
                model.load_weights(path)
            else:
                keras.models.load_model(path)
        except (ValueError, OSError) as error:
            refused.append(str(error))
    assert len(refused) > len(seeds) // 2
    assert all(message.count("\n") >= 2 for message in refused)
    used = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024  # in MB, on Linux
    assert used < 2000
