"""A set of images in IDX, the format of MNIST: type and rank, the shape, then a byte per pixel.

A file counts as the real one if the SHA-256 of what it contains says so, however it is packed.
"""

from __future__ import annotations

import hashlib
import zlib
from typing import NamedTuple

import numpy as np

# What Keras calls an array, and the IDX file in which it is published.
FILES = {
    "x_train": "train-images-idx3-ubyte",
    "y_train": "train-labels-idx1-ubyte",
    "x_test": "t10k-images-idx3-ubyte",
    "y_test": "t10k-labels-idx1-ubyte",
}

_UNSIGNED_BYTES = 8  # IDX's code for the type; the other types are in no set of images here


class DamagedDataError(OSError):
    """A file of a data set that does not contain what was published."""


class ImageSet(NamedTuple):
    """What has to be known of a set of images in order to find it, fetch it and believe it.

    Attributes:
        name: as in ``keras.datasets``.
        folder: its folder under ``GRADLAB_DATA`` and in gradlab's cache.
        keras: the file or folder in the cache of Keras.
        torchvision: the folder that torchvision makes for it.
        sha256: of the unpacked content, by the names in ``FILES``.
        mirrors: addresses of folders with the four files, each packed by gzip.
    """

    name: str
    folder: str
    keras: str
    torchvision: str
    sha256: dict[str, str]
    mirrors: tuple[str, ...]


def to_idx(array: np.ndarray) -> bytes:
    """Return an array of bytes as the content of an IDX file.

    >>> to_idx(np.array([[7, 8, 9]], dtype=np.uint8)).hex(" ")
    '00 00 08 02 00 00 00 01 00 00 00 03 07 08 09'
    """
    head = bytes([0, 0, _UNSIGNED_BYTES, array.ndim])
    return head + np.array(array.shape, dtype=">u4").tobytes() + array.tobytes()


def from_idx(content: bytes) -> np.ndarray:
    """Return the array in the content of an IDX file; you may write to it.

    >>> from_idx(bytes.fromhex("00 00 08 02 00 00 00 01 00 00 00 03 07 08 09"))
    array([[7, 8, 9]], dtype=uint8)
    """
    rank = content[3]
    shape = np.frombuffer(content, ">u4", count=rank, offset=4)
    pixels = np.frombuffer(content, np.uint8, offset=4 + 4 * rank)
    return pixels.reshape(shape).copy()


def unpack(raw: bytes) -> bytes:
    """Return what gzip has packed into ``raw``.

    What gzip did not pack, or what has come to harm, is returned as far as it can be read: it is
    the SHA-256 that tells right from wrong.
    """
    if not raw.startswith(b"\x1f\x8b"):
        return raw
    try:
        return zlib.decompressobj(zlib.MAX_WBITS | 16).decompress(raw)  # 16: with gzip's header
    except zlib.error:
        return raw


def checked(content: bytes, sha256: str, where: object) -> bytes:
    """Return ``content`` if its SHA-256 is the published one.

    Raises:
        DamagedDataError: it is another one; the message has both.

    >>> checked(b"half of it", "9f86d081884c7d65", "data/mnist/train-images-idx3-ubyte.gz")
    Traceback (most recent call last):
        ...
    gradlab.keras.datasets.images.DamagedDataError: data/mnist/train-images-idx3-ubyte.gz: given
    unpacked content with the SHA-256 79fc9ae1...
    expected 9f86d081884c7d65
    delete that file and load the data again: it is fetched anew
    """
    given = hashlib.sha256(content).hexdigest()
    if given != sha256:
        raise DamagedDataError(
            f"{where}: given unpacked content with the SHA-256 {given}\nexpected {sha256}\n"
            "delete that file and load the data again: it is fetched anew"
        )
    return content
