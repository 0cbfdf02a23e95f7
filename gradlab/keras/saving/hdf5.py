"""Arrays in HDF5 files: groups like folders, with numbered arrays in them.

A file is read array by array, each checked before it is read: its kind of numbers, its shape, and
whether it is as large as it says.
"""

from __future__ import annotations

import contextlib
import io
import math
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

MOST_PARTS = 100_000
MOST_EXPANSION = 100  # an array that says to be larger than so many times what is stored of it


def write(groups: Mapping[str, tuple[str | None, Sequence[np.ndarray]]]) -> bytes:
    """Return a file with arrays ``0``, ``1``, ... in each group.

    Args:
        groups: by path: the name of what the arrays belong to, and the arrays.
    """
    import h5py

    file = io.BytesIO()
    with h5py.File(file, "w") as top:
        for path, (name, arrays) in groups.items():
            group = top.create_group(path)
            if name is not None:
                group.attrs["name"] = name
            for place, array in enumerate(arrays):
                group.create_dataset(str(place), data=array)
    return file.getvalue()


class Arrays:
    """What is in an open HDF5 file: groups and arrays, by their paths.

    Args:
        top: the file.
        path: of the file, for messages.
        size: of the file, in bytes.

    Raises:
        ValueError: links to elsewhere, a group at two paths, arrays of other things than numbers,
            or one that says to be larger than it is.
    """

    def __init__(self, top: Any, path: Path, size: int) -> None:
        self.path = path
        self.groups: dict[str, Any] = {"": top}
        self.arrays: dict[str, Any] = {}
        known, waiting = {top["/"]}, [""]
        while waiting:
            here = waiting.pop()
            for name, part in self._parts(here):
                inner = f"{here}/{name}".lstrip("/")
                if part is None:
                    group = self.groups[inner] = self.groups[here][name]
                    if group in known:  # a group inside itself has no end
                        raise self.refusal(f"has the group {inner!r} twice")
                    known.add(group)
                    waiting.append(inner)
                else:
                    self.arrays[inner] = part
            if len(self.groups) + len(self.arrays) > MOST_PARTS:
                raise self.refusal(f"has more than {MOST_PARTS} groups and arrays")
        said = sum(array.nbytes for array in self.arrays.values())  # one may stand at many paths
        if said > MOST_EXPANSION * size:
            raise self.refusal(f"says its arrays have {said} bytes, and has {size}")

    def _parts(self, path: str) -> Iterator[tuple[str, Any]]:
        """Yield what is in a group: names with an array, or with None for a further group."""
        import h5py

        group = self.groups[path]
        for name in group:
            if not isinstance(group.get(name, getlink=True), h5py.HardLink):
                raise self.refusal(f"has a link {name!r} at {path!r}")
            part = group[name]
            if isinstance(part, h5py.Group):
                yield name, None
            else:
                self._check(part, f"{path}/{name}")
                yield name, part

    def _check(self, array: Any, path: str) -> None:
        if array.shape is None or array.dtype.kind not in "fiub":
            raise self.refusal(f"has {array.dtype} at {path!r}, not plain numbers")
        if array.is_virtual or array.external:
            raise self.refusal(f"has numbers of another file at {path!r}")
        stored, said = array.id.get_storage_size(), math.prod(array.shape) * array.dtype.itemsize
        if said > MOST_EXPANSION * (stored + 1):
            raise self.refusal(f"says {path!r} has {said} bytes, and stores {stored}")

    def names(self, path: str) -> list[str]:
        """Return the names in a group; none if there is no such group."""
        return list(self.groups.get(path, ()))

    def numbered(self, path: str, count: int) -> bool:
        """Tell whether a group has the arrays 0, 1, ... up to ``count``, and no more."""
        return set(self.names(path)) == {str(place) for place in range(count)}

    def is_old(self) -> bool:
        """Tell whether the file is of the form of Keras 1 and 2."""
        return any(name in self.groups[""].attrs for name in ("model_config", "layer_names"))

    def shape(self, path: str) -> tuple[int, ...]:
        """Return the shape of an array.

        Raises:
            ValueError: there is none.
        """
        if path not in self.arrays:
            raise self.refusal(f"has no array {path!r}")
        return self.arrays[path].shape

    def read(self, path: str) -> np.ndarray:
        """Return an array."""
        return np.asarray(self.arrays[path][()])

    def count(self) -> int:
        """Return how many numbers all arrays have together."""
        return sum(math.prod(array.shape) for array in self.arrays.values())

    def refusal(self, found: str) -> ValueError:
        """Return the error for a file that cannot be used."""
        return ValueError(
            f"{str(self.path)!r} {found}\nexpected an HDF5 file of weights, as Keras writes it\n"
            "write the path of a file that model.save or save_weights has written"
        )


@contextlib.contextmanager
def opened(content: bytes, path: Path) -> Iterator[Arrays]:
    """Open an HDF5 file.

    Raises:
        ValueError: not an HDF5 file, a damaged one, or one with something else in it than weights.
    """
    import h5py

    with h5py.File(io.BytesIO(content), "r") as top:
        yield Arrays(top, path, len(content))
