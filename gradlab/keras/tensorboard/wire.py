"""Protocol buffers by hand: a message is a row of numbered fields, each a number or some bytes.

That is all TensorBoard's files are made of, so no library is needed to write and read them.

Source: https://protobuf.dev/programming-guides/encoding
"""

from __future__ import annotations

import struct
from collections.abc import Iterable
from typing import Any

import numpy as np

VARINT, FIXED64, BYTES, FIXED32 = 0, 1, 2, 5  # the kinds of fields that exist
LARGEST_FIELD = 2**29 - 1


class DamagedError(ValueError):
    """Bytes that are not what they should be."""


def message(*fields: tuple[int, Any]) -> bytes:
    """Return a message of numbered fields.

    Args:
        fields: pairs of a number and a value. Whole numbers and bools become varints, Python floats
            8 bytes, ``np.float32`` 4 bytes; text and bytes are written with their length before
            them. None is left out.

    >>> message((1, 150)).hex(), message((2, "testing")).hex()
    ('089601', '120774657374696e67')
    """
    return b"".join(_field(number, value) for number, value in fields if value is not None)


def repeated(number: int, values: Iterable[Any]) -> bytes:
    """Return a field that occurs once for each value.

    >>> repeated(1, [1, 2]).hex()
    '08010802'
    """
    return message(*((number, value) for value in values))


def _field(number: int, value: Any) -> bytes:
    if type(value) is np.float32:
        return _key(number, FIXED32) + struct.pack("<f", value)
    if isinstance(value, float):
        return _key(number, FIXED64) + struct.pack("<d", value)
    if isinstance(value, str | bytes):
        content = value.encode() if isinstance(value, str) else value
        return _key(number, BYTES) + varint(len(content)) + content
    return _key(number, VARINT) + varint(int(value))


def _key(number: int, kind: int) -> bytes:
    return varint(number << 3 | kind)


def varint(n: int) -> bytes:
    """Return a whole number, seven bits per byte; negative ones count down from 2**64.

    >>> varint(300).hex(), len(varint(-1))
    ('ac02', 10)
    """
    n &= 2**64 - 1
    found = bytearray()
    while n > 127:
        found.append(n & 127 | 128)
        n >>= 7
    return bytes([*found, n])


# ------------------------------------------------------------------------------------ and back


def fields(content: bytes) -> dict[int, list[Any]]:
    """Return the fields of a message: all values of each number, in order.

    Varints come back as whole numbers, all other fields as bytes.

    Raises:
        DamagedError: no message.

    >>> fields(message((1, 150), (2, "a"), (2, "b")))
    {1: [150], 2: [b'a', b'b']}
    """
    found: dict[int, list[Any]] = {}
    at = 0
    while at < len(content):
        key, at = _read_varint(content, at)
        number, kind = key >> 3, key & 7
        if not 0 < number <= LARGEST_FIELD or kind not in (VARINT, FIXED64, BYTES, FIXED32):
            raise DamagedError(f"a field of number {number} and kind {kind}")
        if kind == VARINT:
            value, at = _read_varint(content, at)
        else:
            size, at = _read_varint(content, at) if kind == BYTES else (8 if kind == 1 else 4, at)
            if size > len(content) - at:
                raise DamagedError(f"a field of {size} bytes, where {len(content) - at} are left")
            value, at = content[at : at + size], at + size
        found.setdefault(number, []).append(value)
    return found


def _read_varint(content: bytes, at: int) -> tuple[int, int]:
    n = 0
    for place in range(10):
        if at + place >= len(content):
            raise DamagedError("a number without an end")
        byte = content[at + place]
        n |= (byte & 127) << 7 * place
        if byte < 128:
            return n & 2**64 - 1, at + place + 1
    raise DamagedError("a number of more than 64 bits")


def number(values: list[Any], form: str, default: Any = 0) -> Any:
    """Return the last value of a field as a number.

    Args:
        values: of the field.
        form: "i" for a signed varint, "f" or "d" for 4 or 8 bytes.

    Raises:
        DamagedError: a value of another kind.

    >>> number([2**64 - 1], "i"), number([], "d", 0.0)
    (-1, 0.0)
    """
    if not values:
        return default
    last = values[-1]
    if isinstance(last, bytes) != (form != "i") or (form != "i" and len(last) != _SIZES[form]):
        raise DamagedError(f"{last!r:.40} in the place of a number")
    return (last - 2**64 if last >= 2**63 else last) if form == "i" else _unpacked(form, last)


_SIZES = {"f": 4, "d": 8}


def _unpacked(form: str, content: bytes) -> float:
    return struct.unpack(f"<{form}", content)[0]


def text(values: list[Any], default: str = "") -> str:
    """Return the last value of a field as text.

    Raises:
        DamagedError: a value of another kind.
    """
    return blob(values, default.encode()).decode(errors="replace")


def blob(values: list[Any], default: bytes = b"") -> bytes:
    """Return the last value of a field as bytes.

    Raises:
        DamagedError: a value of another kind.
    """
    last = values[-1] if values else default
    if not isinstance(last, bytes):
        raise DamagedError(f"the number {last} in the place of bytes")
    return last
