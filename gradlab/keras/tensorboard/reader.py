"""Reading event files back: what was written, without TensorBoard.

For tests, for plots of your own, and to see that there is no magic in these files.
"""

from __future__ import annotations

import dataclasses
import math
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from gradlab.keras.tensorboard import messages
from gradlab.keras.tensorboard.records import records
from gradlab.keras.tensorboard.wire import DamagedError, blob, fields, number, text


class EventFileError(ValueError):
    """A file that is no event file, or a damaged one."""


@dataclasses.dataclass(frozen=True)
class Event:
    """What an event file has at one step under one tag.

    Attributes:
        plugin: the part of TensorBoard it is for: "scalars", "histograms", "images", "text",
            "hparams", or "graphs".
        tag: its name.
        value: a float; an array (buckets, 3) of left end, right end and count; a list of bytes
            (width, height, then PNG files) for images; a list of bytes for texts; the bytes of the
            message for hyperparameters and graphs.
        step: such as the epoch.
        wall_time: in seconds since 1970.
    """

    plugin: str
    tag: str
    value: Any
    step: int
    wall_time: float


def read_events(path: str | os.PathLike[str]) -> Iterator[Event]:
    """Yield the events of a file, in order.

    A file that is still being written, or that a killed run has left, may end in the middle of a
    record: all events before it come first, then the error.

    Args:
        path: of an ``events.out.tfevents...`` file.

    Raises:
        EventFileError: no event file, or a damaged one.
        OSError: it cannot be read.
    """
    yield from events_in(Path(path).read_bytes(), Path(path).name)


def events_in(content: bytes, name: str) -> Iterator[Event]:
    """Yield the events of a file with this content; see `read_events`."""
    try:
        for place, body in enumerate(records(content)):
            parts = fields(body)
            if place == 0 and not text(parts.get(3, [])).startswith("brain.Event:"):
                raise DamagedError("no version in the first record")
            yield from _events(parts)
    except DamagedError as damage:
        raise EventFileError(
            f"{name}: {damage}\nexpected whole records of events\n"
            "write the path of a file that TensorBoard(...) or FileWriter(...) has written"
        ) from damage


def _events(parts: dict[int, list[Any]]) -> Iterator[Event]:
    wall_time, step = number(parts.get(1, []), "d", 0.0), number(parts.get(2, []), "i")
    if 4 in parts:
        yield Event("graphs", "", blob(parts[4]), step, wall_time)
    for value in fields(blob(parts.get(5, []))).get(1, []):
        found = fields(blob([value]))
        plugin, content = _plugin(found)
        tag = text(found.get(1, []))
        yield Event(plugin, tag, _value(plugin, found, content), step, wall_time)


def _plugin(value: dict[int, list[Any]]) -> tuple[str, bytes]:
    """Return the plugin of a value, and what it says to it."""
    data = fields(blob(fields(blob(value.get(9, []))).get(1, [])))
    return text(data.get(1, []), "scalars"), blob(data.get(2, []))


def _value(plugin: str, value: dict[int, list[Any]], content: bytes) -> Any:
    if plugin == "hparams":
        return content
    if 2 in value:
        return number(value[2], "f")
    return tensor(blob(value.get(8, [])))


def tensor(content: bytes) -> Any:
    """Return a tensor: an array of doubles, or a list of texts as bytes.

    Raises:
        DamagedError: another type, or fewer numbers than its shape says.
    """
    parts = fields(content)
    kind = number(parts.get(1, []), "i")
    if kind == messages.STRING:
        return [blob([each]) for each in parts.get(8, [])]
    sizes = fields(blob(parts.get(2, []))).get(2, [])
    shape = [number(fields(blob([each])).get(1, []), "i") for each in sizes]
    data = blob(parts.get(4, []))
    whole = kind == messages.DOUBLE and all(n >= 0 for n in shape) and len(shape) <= 32
    if not whole or math.prod(shape) * 8 != len(data):
        raise DamagedError(f"a tensor of type {kind} and shape {shape:}, in {len(data)} bytes")
    return np.frombuffer(data, "<f8").reshape(shape)
