"""Loading a set of images from the nearest place that has it: this machine, a mirror, the sample.

The sample, 2,000 + 500 images of each set, is part of gradlab; it is never used without a notice.
"""

from __future__ import annotations

import warnings
from importlib import resources

import numpy as np

from gradlab.keras.datasets.download import NoMirrorError, fetch
from gradlab.keras.datasets.images import FILES, ImageSet, from_idx
from gradlab.keras.datasets.places import cache_folder, places, read

Pair = tuple[np.ndarray, np.ndarray]

BUNDLED = resources.files("gradlab.keras.datasets").joinpath("bundled")


class SampleNotice(UserWarning):
    """The data are a small sample of the set that was asked for: results will differ."""


def load(images: ImageSet) -> tuple[Pair, Pair]:
    """Return (x_train, y_train), (x_test, y_test) of the whole set; without network, of a sample.

    Warns:
        SampleNotice: it is the sample; the message says how to get the whole set.

    Raises:
        DamagedDataError: a file was found that is not what was published.
    """
    try:
        contents = _on_this_machine(images)
        contents = contents or fetch(images, cache_folder() / "datasets" / images.folder)
    except NoMirrorError as error:
        reason = str(error)
    else:
        return _pairs({key: from_idx(content) for key, content in contents.items()})
    # 3: the line to show is the one that calls load_data, which calls this.
    warnings.warn(_notice(images, reason), SampleNotice, stacklevel=3)
    return load_sample(images.name)


def load_sample(name: str) -> tuple[Pair, Pair]:
    """Return the sample that travels with gradlab: 200 + 50 images of each of the ten classes."""
    with BUNDLED.joinpath(f"{name}.npz").open("rb") as file, np.load(file) as arrays:
        return _pairs({key: arrays[key] for key in FILES})


def _on_this_machine(images: ImageSet) -> dict[str, bytes] | None:
    for place in places(images):
        if contents := read(place, images):
            return contents
    return None


def _pairs(arrays: dict[str, np.ndarray]) -> tuple[Pair, Pair]:
    return (arrays["x_train"], arrays["y_train"]), (arrays["x_test"], arrays["y_test"])


def _notice(images: ImageSet, reason: str) -> str:
    return (
        f"{images.name}: a sample of 2,000 + 500 images, because no mirror gave the whole set "
        f"({reason})\n"
        "the numbers will differ from those of all 60,000 + 10,000 images\n"
        "to have them all, connect to the network, or set GRADLAB_DATA to a folder with "
        f"{images.folder}/{FILES['x_train']}.gz and the three other files"
    )
