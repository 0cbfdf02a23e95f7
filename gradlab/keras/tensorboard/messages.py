"""Events: a number, a histogram, an image or a text, at a step, under a tag.

Each function returns the bytes of one message; the numbers of the fields are those of TensorFlow's
``event.proto``, ``summary.proto``, ``tensor.proto`` and ``graph.proto``.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from gradlab.keras.tensorboard.png import png
from gradlab.keras.tensorboard.wire import message, repeated

FLOAT, DOUBLE, STRING = 1, 2, 7  # DataType
SCALAR, TENSOR, BLOBS = 1, 2, 3  # DataClass: how TensorBoard samples a series
SUCCESS = 1  # Status of a run


def event(step: int = 0, *more: tuple[int, Any], wall_time: float | None = None) -> bytes:
    """Return an event: when, at which step, and what."""
    now = time.time() if wall_time is None else wall_time
    return message((1, float(now)), (2, int(step)), *more)


def first_event() -> bytes:
    """Return what every file begins with."""
    return event(0, (3, "brain.Event:2"))


def summary(step: int, tag: str, content: bytes) -> bytes:
    """Return the event of a value under a tag."""
    value = message((1, tag)) + content
    return event(step, (5, message((1, value))))


def graph(nodes: bytes) -> bytes:
    """Return the event of a graph, as `tensorboard.graph` makes it."""
    return event(0, (4, nodes))


# ------------------------------------------------------------------------------ what a value is


def scalar(value: float) -> bytes:
    """Return a number, in single precision: that is all a chart can show."""
    return message((2, np.float32(value)), (9, metadata("scalars", SCALAR)))


def histogram(values: Any, buckets: int = 30) -> bytes:
    """Return how many of the numbers lie in each of some equal parts of their range."""
    return message((8, numbers_tensor(counted(values, buckets)))) + message(
        (9, metadata("histograms", TENSOR))
    )


def counted(values: Any, buckets: int) -> np.ndarray:
    """Return rows (left end, right end, count); numbers that are not finite are left out.

    >>> counted([1.0, 2.0, 2.0, 3.0], 2)
    array([[1., 2., 1.],
           [2., 3., 3.]])
    """
    values = np.asarray(values, np.float64).ravel()
    counts, edges = np.histogram(values[np.isfinite(values)], buckets)
    return np.stack([edges[:-1], edges[1:], counts], axis=1)


def images(pictures: np.ndarray, most: int = 3) -> bytes:
    """Return pictures (count, height, width, channels); floats are from 0 to 1."""
    _, height, width, _ = pictures.shape
    parts = [str(width), str(height), *(png(picture) for picture in pictures[:most])]
    return message((8, texts_tensor(parts)), (9, metadata("images", BLOBS)))


def texts(lines: str | Sequence[str]) -> bytes:
    """Return a text in Markdown, or a table of some."""
    several = [lines] if isinstance(lines, str) else list(lines)
    shape = () if isinstance(lines, str) else (len(several),)
    return message((8, texts_tensor(several, shape)), (9, metadata("text", TENSOR)))


def metadata(plugin: str, kind: int, content: bytes | None = None) -> bytes:
    """Return which part of TensorBoard a value is for."""
    return message((1, message((1, plugin), (2, content))), (4, kind))


# ---------------------------------------------------------------------------------- their tensors


def shape_of(sizes: Sequence[int | None]) -> bytes:
    """Return a shape; an unknown size is written as -1."""
    return repeated(2, (message((1, -1 if n is None else n)) for n in sizes))


def numbers_tensor(array: np.ndarray) -> bytes:
    """Return an array of doubles."""
    array = np.asarray(array, "<f8")
    return message((1, DOUBLE), (2, shape_of(array.shape)), (4, array.tobytes()))


def texts_tensor(parts: Sequence[str | bytes], shape: Sequence[int] | None = None) -> bytes:
    """Return an array of texts; by default, one row of them."""
    sizes = (len(parts),) if shape is None else shape
    return message((1, STRING), (2, shape_of(sizes))) + repeated(8, parts)


# ---------------------------------------------------------------------------- hyperparameters


def session_start(hparams: Mapping[str, Any], group: str | None = None) -> bytes:
    """Return the value that says with which hyperparameters a run was made."""
    entries = [message((1, name), (2, _json_value(v))) for name, v in hparams.items()]
    start = repeated(1, entries) + message((4, group), (5, time.time()))
    return _hparams(message((3, start)))


def session_end() -> bytes:
    """Return the value that says that the run has come to its end."""
    return _hparams(message((4, message((1, SUCCESS), (2, time.time())))))


def _hparams(content: bytes) -> bytes:
    nothing = message((1, FLOAT), (2, shape_of(())))  # a value without a tensor would be dropped
    return message((8, nothing), (9, metadata("hparams", TENSOR, content)))


def _json_value(value: Any) -> bytes:
    """Return a google.protobuf.Value."""
    if isinstance(value, bool | np.bool_):
        return message((4, bool(value)))
    if isinstance(value, int | float | np.number):
        return message((2, float(value)))
    return message((3, str(value)))
