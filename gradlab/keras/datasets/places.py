"""Where a set of images may lie on this machine already, and reading it there.

Nobody should download MNIST twice: Keras and torchvision may have done it before.
"""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np

from gradlab.config import cache_folder
from gradlab.keras.datasets.images import FILES, DamagedDataError, ImageSet, checked, to_idx, unpack


def _folder(variable: str, otherwise: str) -> Path:
    return Path(os.environ.get(variable) or otherwise).expanduser()


def given_folder() -> Path | None:
    """Return the folder that ``GRADLAB_DATA`` names, None if it is not set.

    Raises:
        FileNotFoundError: it names something that is not a folder.
    """
    given = os.environ.get("GRADLAB_DATA")
    if not given:
        return None
    folder = Path(given).expanduser()
    if not folder.is_dir():
        raise FileNotFoundError(
            f"GRADLAB_DATA: given {given}\nexpected a folder with mnist/ and fashion-mnist/ in it\n"
            "write the full path of that folder, or unset GRADLAB_DATA"
        )
    return folder


def places(images: ImageSet) -> list[Path]:
    """Return where to look, first place first; most of them will not exist.

    The order: ``GRADLAB_DATA``, gradlab's cache, the cache of Keras (``KERAS_HOME``), and the
    folders that torchvision is usually told to use (``TORCH_HOME`` among them).
    """
    given = given_folder()
    torch = _folder("TORCH_HOME", str(_folder("XDG_CACHE_HOME", "~/.cache") / "torch"))
    roots = [Path("data"), Path("~/data").expanduser(), torch, torch / "datasets"]
    return [
        *([given / images.folder] if given else []),
        cache_folder() / "datasets" / images.folder,
        _folder("KERAS_HOME", "~/.keras") / "datasets" / images.keras,
        *(root / images.torchvision / "raw" for root in roots),
    ]


def read(place: Path, images: ImageSet) -> dict[str, bytes] | None:
    """Return the contents of the four IDX files, checked; None if they are not all there.

    Args:
        place: a folder with the four files, packed by gzip or not; or an ``.npz`` file of Keras.
        images: which set it should be.

    Raises:
        DamagedDataError: a file is there, but it is damaged or is something else.
    """
    if place.is_file():
        contents = _read_npz(place)
        return {key: checked(contents[key], images.sha256[key], place) for key in FILES}
    files = {key: file for key, name in FILES.items() if (file := _idx_file(place, name))}
    if len(files) < len(FILES):
        return None
    return {
        key: checked(unpack(file.read_bytes()), images.sha256[key], file)
        for key, file in files.items()
    }


def _idx_file(folder: Path, name: str) -> Path | None:
    candidates = folder / f"{name}.gz", folder / name
    return next((file for file in candidates if file.is_file()), None)


def _read_npz(file: Path) -> dict[str, bytes]:
    try:
        with file.open("rb") as stream, np.load(stream, allow_pickle=False) as arrays:
            return {key: to_idx(arrays[key]) for key in FILES}
    except Exception as error:  # zip, zlib, lzma and NumPy each raise their own
        raise DamagedDataError(
            f"{file}: given a file that cannot be read ({error})\n"
            f"expected an .npz file with {', '.join(FILES)}\n"
            "delete that file and load the data again: it is fetched anew"
        ) from error
