"""Files that appear whole: written under another name, flushed to the disk, then renamed.

Whenever the program is killed, the old file is under the name, or the new one.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any


def write_whole(path: Path, content: bytes) -> None:
    """Write a file, or leave the one that is there as it was.

    Raises:
        OSError: the place cannot be written to.
    """
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    with told(path):
        try:
            with part.open("wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            part.replace(path)
        finally:
            with contextlib.suppress(OSError):
                part.unlink(missing_ok=True)
        flush_folder(path.parent)


def flush_folder(folder: Path) -> None:
    """Bring the names in a folder to the disk, where the system can."""
    with contextlib.suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


@contextlib.contextmanager
def told(path: Path) -> Iterator[None]:
    """Say in three lines what the system has against writing to a path."""
    try:
        yield
    except OSError as error:
        raise type(error)(
            f"save: {str(path)!r} cannot be written: {error.strerror or error}\n"
            "expected a place where files may be made; what was there is unchanged\n"
            f"write save({path.name!r}) for the current folder"
        ) from error


def read_whole(path: Path) -> bytes:
    """Return the content of a file.

    Raises:
        FileNotFoundError: there is none; the message has those beside it.
        OSError: it cannot be read.
    """
    try:
        return path.read_bytes()
    except FileNotFoundError as error:
        raise FileNotFoundError(
            f"there is no file {str(path)!r}\nexpected {beside(path)}\n"
            "write the path that was given to save"
        ) from error
    except OSError as error:
        raise type(error)(
            f"{str(path)!r} cannot be read: {error.strerror or error}\n"
            f"expected a file that may be read\nwrite {beside(path)}"
        ) from error


def beside(path: Path) -> str:
    """Return a few words on the saved models in the folder of a path."""
    found: list[Any] = []
    with contextlib.suppress(OSError):
        found = [p for p in sorted(path.parent.iterdir()) if _may_be_a_model(p)]
    return f"one of {', '.join(p.name for p in found[:5])}" if found else "a saved model"


def _may_be_a_model(path: Path) -> bool:
    return path.suffix in (".keras", ".h5") or (path / "config.json").exists()
