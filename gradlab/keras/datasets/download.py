"""Downloading a set of images once, from the first mirror that has it, into gradlab's cache.

Nothing is used or kept before its SHA-256 has been found right, and a file appears there whole.
"""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from http.client import HTTPException
from pathlib import Path

from gradlab.keras.datasets.images import FILES, ImageSet, checked, unpack

TIMEOUT = 3.0  # seconds without a sign of life until the next mirror is tried


class NoMirrorError(OSError):
    """No mirror gave the file: usually there is no network. The message has the reasons."""


def fetch(images: ImageSet, folder: Path) -> dict[str, bytes]:
    """Return the contents of the four IDX files; those that ``folder`` lacks are downloaded to it.

    Raises:
        NoMirrorError: all mirrors failed, or ``GRADLAB_OFFLINE`` is set.
        DamagedDataError: a file in ``folder`` is damaged.
        OSError: ``folder`` cannot be written to.
    """
    failed: dict[str, str] = {}
    contents = {}
    for key, name in FILES.items():
        file = folder / f"{name}.gz"
        if not file.exists():
            _keep(_download(file.name, images, images.sha256[key], failed), file)
        contents[key] = checked(unpack(file.read_bytes()), images.sha256[key], file)
    return contents


def _download(name: str, images: ImageSet, sha256: str, failed: dict[str, str]) -> bytes:
    """Return a file as a mirror sends it; one that fails is not asked for the next file."""
    if os.environ.get("GRADLAB_OFFLINE"):
        raise NoMirrorError("GRADLAB_OFFLINE is set")
    for mirror in images.mirrors:
        if mirror in failed:
            continue
        try:
            raw = _read(mirror + name)
            checked(unpack(raw), sha256, name)
            return raw
        except (OSError, HTTPException) as error:
            failed[mirror] = str(error).partition("\n")[0] or type(error).__name__
    raise NoMirrorError("; ".join(dict.fromkeys(failed.values())))


def _read(url: str) -> bytes:
    """Read all that a URL gives, with a line on stderr that shows how far it is."""
    from urllib.request import urlopen

    live = sys.stderr.isatty()
    received = bytearray()
    with urlopen(url, timeout=TIMEOUT) as response:
        total = int(response.headers.get("Content-Length", 0))
        while block := response.read(1 << 16):
            received += block
            if live:
                print(f"\r{_progress(url, len(received), total)}", end="", file=sys.stderr)
    print("" if live else _progress(url, len(received), total), file=sys.stderr)
    return bytes(received)


def _progress(url: str, received: int, total: int) -> str:
    return f"{url}: {received / 1e6:.2f} of {total / 1e6:.2f} MB"


def _keep(raw: bytes, file: Path) -> None:
    """Write a file under another name and then give it its own: it is never seen half-written."""
    part = file.with_name(f"{file.name}.{os.getpid()}.part")
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        part.write_bytes(raw)
        part.replace(file)
    except OSError as error:
        raise OSError(
            f"{file}: cannot be written ({error.strerror})\n"
            "expected a folder for downloaded data that you may write to, with 60 MB free\n"
            "set GRADLAB_HOME to such a folder"
        ) from error
    finally:
        with suppress(OSError):
            part.unlink()
