"""The folder of a search: what was tried and what came of it, so that the search can go on.

``oracle.json`` says what is searched, ``trial_0007/trial.json`` what a trial has come to, and
``trial_0007/checkpoint.weights.h5`` has weights and optimizer of its best epoch.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
from pathlib import Path
from typing import Any

from gradlab.keras.saving.files import write_whole
from gradlab.keras.tuner.errors import StateError
from gradlab.keras.tuner.trial import Trial

MOST_BYTES = 64 * 2**20  # of a file of text


class Project:
    """A folder.

    Args:
        directory: where the folder is.
        name: of the folder.
    """

    def __init__(self, directory: str | os.PathLike[str] | None, name: str | None) -> None:
        self.path = Path(directory or ".") / (name or "untitled_project")
        self.oracle = self.path / "oracle.json"

    def folder(self, trial: Trial) -> Path:
        """Return the folder of a trial."""
        return self.path / f"trial_{trial.trial_id}"

    def checkpoint(self, trial_id: str) -> Path:
        """Return where the weights of a trial are."""
        return self.path / f"trial_{trial_id}" / "checkpoint.weights.h5"

    def clear(self) -> None:
        """Delete what a search has left, and nothing else."""
        self.oracle.unlink(missing_ok=True)
        for folder in self.path.glob("trial_*"):
            if folder.is_dir():
                shutil.rmtree(folder)
        with contextlib.suppress(OSError):  # there is something else in it
            self.path.rmdir()

    def begin(self, settings: dict[str, Any]) -> None:
        """Write what is searched."""
        try:
            self.path.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise type(error)(
                f"search: {str(self.path)!r} cannot be made: {error.strerror or error}\n"
                "expected a place where folders may be made\n"
                "write directory='my_search', in the current folder"
            ) from error
        write_whole(self.oracle, _text(settings))

    def write(self, trial: Trial, weights: bytes | None = None) -> None:
        """Write what a trial has come to; its weights first, so that they are there if it is."""
        folder = self.folder(trial)
        folder.mkdir(parents=True, exist_ok=True)
        if weights is not None:
            write_whole(folder / "checkpoint.weights.h5", weights)
        write_whole(folder / "trial.json", _text(trial.get_state()))

    def read(self) -> tuple[dict[str, Any], list[Trial]]:
        """Return what is searched, and all trials.

        Raises:
            StateError: a file that a search has not written.
            OSError: a file cannot be read.
        """
        settings = self._json(self.oracle)
        trials = [self._trial(path) for path in sorted(self.path.glob("trial_*/trial.json"))]
        return settings, trials

    def _trial(self, path: Path) -> Trial:
        written = self._json(path)
        try:
            trial = Trial.from_state(written)
            if path.parent != self.folder(trial):
                raise ValueError(f"it is of trial {trial.trial_id}")
        except Exception as error:  # what is run here is decided by a file that may be damaged
            first, _, _ = str(error).partition("\n")
            raise self.refusal(path, f"{type(error).__name__}: {first}") from error
        return trial

    def _json(self, path: Path) -> dict[str, Any]:
        if path.stat().st_size > MOST_BYTES:
            raise self.refusal(path, f"it has more than {MOST_BYTES} bytes")
        try:
            found = json.loads(path.read_bytes())
        except (ValueError, RecursionError) as error:
            raise self.refusal(path, f"it is not JSON: {error}") from error
        if not isinstance(found, dict):
            raise self.refusal(path, f"it holds a {type(found).__name__}")
        return found

    def refusal(self, path: Path, why: str) -> StateError:
        """Return the error for a file that the search cannot go on from."""
        what = "this trial again" if path != self.oracle else "anew"
        victim = path.parent if path != self.oracle else self.path
        return StateError(
            f"{str(path)!r} cannot be read: {why}\n"
            "expected what a search has written\n"
            f"delete {str(victim)!r} to run {what}, or write overwrite=True to begin anew"
        )


def _text(tree: Any) -> bytes:
    return json.dumps(tree, indent=1).encode()
