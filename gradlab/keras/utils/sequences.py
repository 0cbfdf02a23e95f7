"""Sequences in batches: short ones filled up to one length, long ones cut into windows."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np


def pad_sequences(
    sequences: Any,
    maxlen: int | None = None,
    dtype: Any = "int32",
    padding: str = "pre",
    truncating: str = "pre",
    value: Any = 0.0,
) -> np.ndarray:
    """Return sequences of different lengths as one array, short ones filled up.

    Args:
        sequences: a list of them; each one a list of numbers, or of arrays of one shape.
        maxlen: the length of all; by default that of the longest. Longer ones are cut.
        dtype: of the result.
        padding: "pre" to fill up in front, "post" behind.
        truncating: "pre" to cut off the beginning, "post" the end.
        value: to fill up with.

    >>> pad_sequences([[1], [2, 3], [4, 5, 6]], maxlen=2)
    array([[0, 1],
           [2, 3],
           [5, 6]], dtype=int32)

    Raises:
        ValueError: something without a length among them, steps of different shapes, or an unknown
            side.
    """
    sides = ("pre", "post")
    if padding not in sides or truncating not in sides:
        raise ValueError(
            f"pad_sequences: padding={padding!r}, truncating={truncating!r}\n"
            "expected 'pre' or 'post'\nwrite padding='post' to fill up at the end"
        )
    for k, sequence in enumerate(sequences):
        if not hasattr(sequence, "__len__"):
            raise ValueError(
                f"pad_sequences: sequence {k} is {sequence!r:.40}\nexpected a list of sequences\n"
                "write [[1, 2], [3]], not [1, 2, 3]"
            )
    lengths = [len(sequence) for sequence in sequences]
    length = max(lengths, default=0) if maxlen is None else maxlen
    shape = next((np.shape(s)[1:] for s in sequences if len(s)), ())
    table = np.full((len(lengths), length, *shape), value, dtype)
    for k, sequence in enumerate(sequences):
        kept = sequence[max(len(sequence) - length, 0) :]
        kept = np.asarray(kept if truncating == "pre" else sequence[:length], dtype)
        if kept.size and kept.shape[1:] != shape:
            raise ValueError(
                f"pad_sequences: steps of shape {kept.shape[1:]} in sequence {k}\n"
                f"expected {shape}, as in the first one\n"
                "write sequences that all have the same features"
            )
        if len(kept):
            table[k, slice(len(kept)) if padding == "post" else slice(-len(kept), None)] = kept
    return table


class Batches:
    """Batches that are read when they are needed, for `fit`, `evaluate` and `predict`.

    Args:
        read: takes the numbers of some instances, and returns them as a batch.
        count: how many instances there are.
        batch_size: instances per batch; None for single instances.
        generator: to draw a new order from in each pass; None for the order of the numbers.
        more: further attributes.

    >>> batches = Batches(lambda rows: rows * 10, 5, 2)
    >>> [batch.tolist() for batch in batches], len(batches)
    ([[0, 10], [20, 30], [40]], 3)
    """

    def __init__(
        self,
        read: Callable[[np.ndarray], Any],
        count: int,
        batch_size: int | None,
        generator: np.random.Generator | None = None,
        **more: Any,
    ) -> None:
        if batch_size is not None and batch_size < 1:
            raise ValueError(
                f"batch_size={batch_size}\nexpected at least one instance per batch\n"
                "write batch_size=32"
            )
        self._read, self._count, self.batch_size = read, count, batch_size
        self._generator = generator
        vars(self).update(more)

    def __len__(self) -> int:
        """Return the number of batches."""
        return math.ceil(self._count / (self.batch_size or 1))

    def __iter__(self) -> Iterator[Any]:
        order = np.arange(self._count)
        if self._generator is not None:
            order = self._generator.permutation(order)
        for start in range(0, self._count, self.batch_size or 1):
            batch = self._read(order[start : start + (self.batch_size or 1)])
            if self.batch_size is not None:
                yield batch
            else:
                yield tuple(part[0] for part in batch) if isinstance(batch, tuple) else batch[0]


def timeseries_dataset_from_array(
    data: Any,
    targets: Any,
    sequence_length: int,
    sequence_stride: int = 1,
    sampling_rate: int = 1,
    batch_size: int | None = 128,
    shuffle: bool = False,
    seed: int | None = None,
    start_index: int | None = None,
    end_index: int | None = None,
) -> Batches:
    """Return windows of a long series as batches, to learn what comes after each.

    Args:
        data: (steps, ...), one step after the other.
        targets: ``targets[i]`` belongs to the window that begins at step i; None for no targets.
        sequence_length: steps of a window.
        sequence_stride: steps from the beginning of a window to that of the next.
        sampling_rate: steps from one step of a window to the next.
        batch_size: windows per batch; None for single windows.
        shuffle: the windows in an order drawn once.
        seed: of that order; with one, it is that of Keras.
        start_index, end_index: the part of the series to use.

    The number that follows three others:

    >>> series = np.arange(6)
    >>> batches = timeseries_dataset_from_array(series[:-1], series[3:], sequence_length=3)
    >>> [(x.tolist(), y.tolist()) for x, y in batches]
    [([[0, 1, 2], [1, 2, 3], [2, 3, 4]], [3, 4, 5])]

    Raises:
        ValueError: numbers that leave no window.
    """
    data = np.asarray(data)
    start, end = start_index or 0, len(data) if end_index is None else end_index
    counts = (sequence_length, sequence_stride, sampling_rate)
    windows = end - start - (sequence_length - 1) * sampling_rate
    if min(counts) < 1 or not 0 <= start < end <= len(data) or windows < 1:
        raise ValueError(
            f"timeseries_dataset_from_array: steps {start} to {end} of {len(data)}, "
            f"sequence_length={sequence_length}, sequence_stride={sequence_stride}, "
            f"sampling_rate={sampling_rate}\n"
            "expected numbers from 1 on, and at least one window within the series\n"
            f"write sequence_length={max((end - start) // max(sampling_rate, 1) // 2, 1)}"
        )
    if targets is not None:
        targets = np.asarray(targets)
        windows = min(windows, len(targets))
    starts = np.arange(0, windows, sequence_stride)
    if shuffle:
        seed = np.random.randint(10**6) if seed is None else seed  # noqa: NPY002 - the order of Keras
        np.random.RandomState(seed).shuffle(starts)
    steps = np.arange(sequence_length) * sampling_rate

    def read(rows: np.ndarray) -> Any:
        x = data[start + starts[rows, np.newaxis] + steps]
        return x if targets is None else (x, targets[start + starts[rows]])

    return Batches(read, len(starts), batch_size)
