"""The zip archive of a ``.keras`` file: three members, stored as they are.

Before anything is unpacked, all names and sizes are looked at: an archive may come from anywhere.
"""

from __future__ import annotations

import io
import zipfile
import zlib
from collections.abc import Mapping
from pathlib import Path

METADATA, CONFIG, WEIGHTS = "metadata.json", "config.json", "model.weights.h5"
MOST_MEMBERS = 1000
MOST_EXPANSION = 100  # what is packed more tightly holds no weights


def pack(members: Mapping[str, bytes]) -> bytes:
    """Return the archive, without compression, as Keras writes it: weights hardly shrink."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return file.getvalue()


def unpack(content: bytes, path: Path, wanted: tuple[str, ...]) -> dict[str, bytes]:
    """Return those of the wanted members that there are.

    Raises:
        ValueError: not a zip archive, a damaged one, or one that is not from Keras.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            members = archive.infolist()
            _check(members, path, len(content))
            return {m.filename: archive.read(m) for m in members if m.filename in wanted}
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError) as error:
        raise refusal(path, f"cannot be unpacked: {error}") from error
    except (OverflowError, UnicodeError, OSError, IndexError, AttributeError) as error:
        raise refusal(path, f"is damaged: {error}") from error


def _check(members: list[zipfile.ZipInfo], path: Path, size: int) -> None:
    """Raise ValueError for an archive that no Keras has written."""
    names = [member.filename for member in members]
    if len(names) > MOST_MEMBERS or len(set(names)) < len(names):
        raise refusal(path, f"has {len(names)} members, {len(set(names))} different names")
    for member in members:
        name, parts = member.filename, member.filename.split("/")
        if name not in (METADATA, CONFIG, WEIGHTS) and parts[0] != "assets":
            raise refusal(path, f"has a member {name!r}")
        if ".." in parts or "\\" in member.orig_filename or member.flag_bits & 1:
            raise refusal(path, f"has the member {name!r}, encrypted or outside of its folder")
        if member.file_size > MOST_EXPANSION * (member.compress_size + 1):
            raise refusal(path, f"has {name!r}, which unpacks to {member.file_size} bytes")
        if member.compress_size > size:
            raise refusal(path, f"has {name!r}, which is larger than the file")


def refusal(path: Path, found: str) -> ValueError:
    """Return the error for a file that is no .keras file."""
    return ValueError(
        f"{str(path)!r} {found}\n"
        f"expected an archive of {METADATA}, {CONFIG} and {WEIGHTS}, as Keras writes it\n"
        "write the path of a file that model.save has written"
    )
