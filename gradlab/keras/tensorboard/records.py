"""Records: how event files are cut into pieces, so that a damaged one is noticed.

Each record has its length before it, and a check sum behind its length and behind its content.

Source: TensorFlow, ``lib/io/record_writer.h``; CRC-32C is that of RFC 3720, appendix B.4.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator

from gradlab.keras.tensorboard.wire import DamagedError

POLYNOMIAL = 0x82F63B78  # Castagnoli's, its bits in reverse order
LARGEST = 2**30  # bytes of one record; no picture is as large


def _remainders() -> list[int]:
    """Return the remainder of each byte, so that a check sum takes one step per byte."""
    table = []
    for byte in range(256):
        for _ in range(8):
            byte = byte >> 1 ^ (POLYNOMIAL if byte & 1 else 0)
        table.append(byte)
    return table


TABLE = _remainders()


def crc32c(content: bytes) -> int:
    """Return the check sum of some bytes: the remainder of a division of polynomials.

    >>> hex(crc32c(b"123456789"))
    '0xe3069283'
    """
    remainder = 0xFFFFFFFF
    for byte in content:
        remainder = TABLE[(remainder ^ byte) & 0xFF] ^ remainder >> 8
    return remainder ^ 0xFFFFFFFF


def masked(content: bytes) -> bytes:
    """Return the check sum as files have it: turned by 15 bits, plus a constant.

    The check sum of bytes that hold check sums would be a weak one; hence the mask.
    """
    crc = crc32c(content)
    turned = (crc >> 15 | crc << 17) + 0xA282EAD8
    return struct.pack("<I", turned & 0xFFFFFFFF)


def record(content: bytes) -> bytes:
    """Return a record: length, its check sum, content, its check sum.

    >>> len(record(b"123"))
    19
    """
    length = struct.pack("<Q", len(content))
    return length + masked(length) + content + masked(content)


def records(content: bytes) -> Iterator[bytes]:
    """Yield the records of a file.

    Raises:
        DamagedError: at the first record that is not whole.
    """
    at = 0
    while at < len(content):
        head = content[at : at + 12]
        if len(head) < 12 or masked(head[:8]) != head[8:]:
            raise DamagedError(f"no record at byte {at}")
        size = struct.unpack("<Q", head[:8])[0]
        body = content[at + 12 : at + 12 + min(size, LARGEST)]
        check = content[at + 12 + len(body) : at + 16 + len(body)]
        if len(body) < size or masked(body) != check:
            raise DamagedError(f"a record at byte {at} whose content is damaged or cut off")
        yield body
        at += size + 16
