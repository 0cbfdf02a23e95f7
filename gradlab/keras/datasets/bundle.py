"""Making the files that travel with gradlab: ``python -m gradlab.keras.datasets.bundle``.

It needs the whole sets: images as ``load_data()`` finds them, and California in ``GRADLAB_DATA``.
"""

from __future__ import annotations

import lzma
import warnings
import zipfile
from pathlib import Path

import numpy as np

from gradlab.keras.datasets import fashion_mnist, mnist
from gradlab.keras.datasets.images import FILES, checked
from gradlab.keras.datasets.load import SampleNotice
from gradlab.keras.datasets.places import given_folder

HERE = Path(__file__).parent / "bundled"
PER_CLASS = {"train": 200, "test": 50}
CALIFORNIA = "a2b44dcc7e1c9091b43c4f458b25cbd1f7e8068d08edd26bc4703108d3fa6214"


def first_of_each(y: np.ndarray, count: int) -> np.ndarray:
    """Return where the first ``count`` labels of each class are, in order.

    >>> first_of_each(np.array([1, 1, 0, 1, 0, 0]), 2).tolist()
    [0, 1, 2, 4]
    """
    return np.sort(np.concatenate([np.flatnonzero(y == c)[:count] for c in np.unique(y)]))


def write_images(name: str, file: Path) -> None:
    """Write the sample of a set as an ``.npz`` file; LZMA makes it a seventh smaller than zlib."""
    module = {"mnist": mnist, "fashion_mnist": fashion_mnist}[name]
    with warnings.catch_warnings():
        warnings.simplefilter("error", SampleNotice)
        parts = dict(zip(PER_CLASS, module.load_data()))
    with zipfile.ZipFile(file, "w") as archive:
        for key in FILES:
            kind, part = key.split("_")
            x, y = parts[part]
            chosen = (x if kind == "x" else y)[first_of_each(y, PER_CLASS[part])]
            entry = zipfile.ZipInfo(f"{key}.npy")  # no date: the same data give the same file
            entry.compress_type = zipfile.ZIP_LZMA
            with archive.open(entry, "w") as stream:
                np.lib.format.write_array(stream, chosen)


def write_california(file: Path) -> None:
    """Write the table as it was published, packed by LZMA."""
    given = given_folder()
    if given is None:
        raise FileNotFoundError(
            "GRADLAB_DATA: not set\nexpected a folder with california-housing/cal_housing.data\n"
            "write GRADLAB_DATA=/path/to/that/folder before the command"
        )
    source = given / "california-housing" / "cal_housing.data"
    content = checked(source.read_bytes(), CALIFORNIA, source)
    file.write_bytes(lzma.compress(content, preset=9 | lzma.PRESET_EXTREME))


def main() -> None:
    """Write the three files and say how large they are."""
    write_images("mnist", HERE / "mnist.npz")
    write_images("fashion_mnist", HERE / "fashion_mnist.npz")
    write_california(HERE / "cal_housing.data.xz")
    for file in sorted(HERE.iterdir()):
        print(f"{file.name}: {file.stat().st_size / 1e3:.0f} kB")


if __name__ == "__main__":
    main()
