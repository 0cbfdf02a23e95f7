"""PNG: an image as a file, with nothing but zlib.

Rows of bytes, each with the number of its filter before it, are compressed; three pieces with
check sums hold the size, the rows, and the end.

Source: the PNG specification of the W3C, sections 5 and 11.
"""

from __future__ import annotations

import struct
import zlib

import numpy as np

COLOURS = {1: 0, 2: 4, 3: 2, 4: 6}  # channels: grey, grey with opacity, RGB, RGB with opacity


def png(picture: np.ndarray) -> bytes:
    """Return a picture as a PNG file.

    Args:
        picture: (height, width, channels), with 1, 2, 3 or 4 channels; bytes, or floats from 0
            to 1, which are cut off outside of that.

    >>> png(np.zeros((2, 3, 1)))[:8]
    b'\\x89PNG\\r\\n\\x1a\\n'
    """
    height, width, channels = picture.shape
    if picture.dtype != np.uint8:
        picture = (np.clip(np.nan_to_num(picture), 0.0, 1.0) * 255.0 + 0.5).astype(np.uint8)
    no_filter = np.zeros((height, 1), np.uint8)
    rows = np.concatenate([no_filter, picture.reshape(height, -1)], axis=1).tobytes()
    head = struct.pack(">IIBBBBB", width, height, 8, COLOURS[channels], 0, 0, 0)
    pieces = _piece(b"IHDR", head) + _piece(b"IDAT", zlib.compress(rows)) + _piece(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + pieces


def _piece(kind: bytes, content: bytes) -> bytes:
    check = zlib.crc32(kind + content)
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", check)
