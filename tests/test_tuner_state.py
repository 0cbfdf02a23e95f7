"""Damaged files of a search: a clear error each time, or none; never another one."""

from __future__ import annotations

import json
import shutil
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
import tuner_models as models

from gradlab.keras import tuner as keras_tuner

FILES = ("oracle.json", "trial_0000/trial.json", "trial_0000/checkpoint.weights.h5")
TOKENS = [b"null", b"-1", b"1e999", b"NaN", b"[]", b"{}", b'"x"', b"true", b"9" * 40, b"[" * 3000]


def reload(folder: Path) -> None:
    """Do what a user does with the folder of a search."""
    tuner = keras_tuner.Hyperband(
        models.build_model, "val_loss", max_epochs=2, factor=2, directory=folder
    )
    tuner.get_best_models(9)
    tuner.oracle.create_trial()


@pytest.fixture(scope="module")
def search(tmp_path_factory) -> Path:
    """A search, and the files that it leaves."""
    folder = tmp_path_factory.mktemp("search")
    tuner = keras_tuner.Hyperband(
        models.build_model, "val_loss", max_epochs=2, factor=2, seed=1, directory=folder
    )
    tuner.search(*models.data(), validation_split=0.25, verbose=0)
    reload(folder)
    return folder


def mutated(content: bytes, chance: np.random.Generator) -> bytes:
    """Return a file with one thing wrong: bits, a piece missing or doubled, another number."""
    a, b = sorted(chance.integers(0, len(content) + 1, 2).tolist())
    kind = chance.integers(6)
    if kind == 0:
        return content[:a]
    if kind == 1:
        return content[:a] + content[min(b, a + 40) :]
    if kind == 2:
        return content[:b] + content[a:]
    if kind == 3:
        array = np.frombuffer(content, np.uint8).copy()
        array[chance.integers(0, len(array), 3)] = chance.integers(0, 256, 3)
        return array.tobytes()
    token = TOKENS[chance.integers(len(TOKENS))]
    if kind == 4 or b":" not in content:
        return content[:a] + token + content[a:]
    places = [k for k, byte in enumerate(content) if byte == ord(":")]
    start = places[chance.integers(len(places))] + 1  # the value after it
    ends = [k for k in (content.find(c, start) for c in (b",", b"\n")) if k >= 0]
    return content[:start] + token + content[min(ends, default=start) :]


def outcome(folder: Path) -> str:
    """Return whether a folder can be gone on from."""
    told = ""
    try:
        reload(folder)
    except (ValueError, OSError) as error:
        told = str(error)
    assert not told or (told.count("\n") == 2 and "\nexpected " in told), told
    return "refused" if told else "taken"


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("count", [15, pytest.param(670, marks=pytest.mark.slow)])
def test_fuzzed_files(name, count, search, tmp_path, capsys):
    folder = tmp_path / "search"
    shutil.copytree(search, folder)
    path = folder / "untitled_project" / name
    content, chance = path.read_bytes(), np.random.default_rng(count)
    found = []

    def tried(times):
        for _ in range(times):
            path.write_bytes(mutated(content, chance))
            found.append(outcome(folder))

    tracemalloc.start()  # which makes it several times as slow
    tried(min(count, 100))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    tried(count - len(found))
    assert found.count("refused") > count / 3
    assert peak < 100 * 2**20


@pytest.mark.parametrize(
    ("place", "value", "why"),
    [
        (["status"], "DONE", "it is <Trial 0000 DONE"),
        (["score"], None, "score=None"),
        (["trial_id"], "0001", "it is of trial 0001"),
        (["declared"], 99, "it is <Trial 0000"),
        (["hyperparameters", "values", "learning_rate"], 7.0, "it has learning_rate=7.0"),
        (["hyperparameters", "values", "optimizer"], "rmsprop", "it has optimizer='rmsprop'"),
        (["hyperparameters", "space", 0, "class_name"], "eval", "KeyError: 'eval'"),
        (["hyperparameters", "space", 0, "config", "min_value"], 9, "min_value=9, max_value=2"),
        (["proposed", "unknown"], 1, "it has unknown=1"),
        (["curves"], [{"loss": ["a"]}], "could not convert"),
    ],
)
def test_what_cannot_be_is_told(place, value, why, search, tmp_path, capsys):
    shutil.copytree(search, tmp_path / "search")
    path = tmp_path / "search/untitled_project/trial_0000/trial.json"
    whole = tree = json.loads(path.read_text())
    for key in place[:-1]:
        tree = tree[key]
    tree[place[-1]] = value
    path.write_text(json.dumps(whole))
    with pytest.raises(keras_tuner.errors.StateError) as caught:
        reload(tmp_path / "search")
    first, second, third = str(caught.value).split("\n")
    assert str(path) in first and why in first
    assert second == "expected what a search has written"
    mend = f"delete {str(path.parent)!r} to run this trial again"
    assert third == f"{mend}, or write overwrite=True to begin anew"


def test_a_file_without_end_is_not_read(search, tmp_path, capsys):
    shutil.copytree(search, tmp_path / "search")
    path = tmp_path / "search/untitled_project/oracle.json"
    with path.open("wb") as file:
        file.truncate(2**40)  # holes take no place on the disk
    with pytest.raises(keras_tuner.errors.StateError, match="it has more than 67108864 bytes"):
        reload(tmp_path / "search")


def test_a_folder_that_cannot_be_written_to(tmp_path):
    (tmp_path / "file").write_text("")
    tuner = keras_tuner.RandomSearch(models.build_model, "loss", directory=tmp_path / "file")
    with pytest.raises(OSError, match=r"cannot be made: .*\nexpected .*\nwrite directory="):
        tuner.search(*models.data(), verbose=0)
