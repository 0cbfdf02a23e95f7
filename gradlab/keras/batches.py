"""Batches: from the data a user has to pieces of 32 instances, in a new order in each epoch.

Arrays, lists and data frames, several inputs in a list or dict, generators, and objects with
``__getitem__`` all come out as batches: (x, y), or (x, y, sample_weight).
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Iterator
from typing import Any

from gradlab.keras import random
from gradlab.keras.arrays import as_arrays, check_lengths, check_no_nan, is_stream, weights_of
from gradlab.keras.graph import leaves, mapped


class ArrayBatches:
    """Batches of arrays that are all in memory.

    Args:
        x, y, sample_weight: arrays, or lists and dicts of arrays, with one row per instance.
        batch_size: instances per batch; the last batch may have fewer.
        shuffle: whether each pass goes through the instances in an order of its own.

    >>> import numpy as np
    >>> batches = ArrayBatches(np.arange(5.0), None, None, batch_size=2)
    >>> [x.tolist() for x in batches], batches.steps
    ([[0.0, 1.0], [2.0, 3.0], [4.0]], 3)
    """

    ran_out = False

    def __init__(
        self, x: Any, y: Any, sample_weight: Any, batch_size: int = 32, shuffle: bool = False
    ) -> None:
        self.data = packed(x, y, sample_weight)
        self.batch_size, self.shuffle = batch_size, shuffle
        self.size = len(next(leaves(x)))
        self.steps = math.ceil(self.size / self.batch_size)

    def __iter__(self) -> Iterator[Any]:
        order = random.generator().permutation(self.size) if self.shuffle else None
        for start in range(0, self.size, self.batch_size):
            rows: Any = slice(start, start + self.batch_size)
            if order is not None:
                rows = order[rows]
            yield mapped(lambda a, rows=rows: None if a is None else a[rows], self.data)


class StreamBatches:
    """Batches that a generator, an iterator or an object with ``__getitem__`` hands out.

    Args:
        source: what yields x, (x, y) or (x, y, sample_weight).
        steps: how many batches make an epoch; until the source is empty if None.
        shuffle: whether the batches of an object with ``__getitem__`` come in a new order.
        class_weight: a factor for the instances of each class.
    """

    def __init__(
        self,
        source: Any,
        steps: int | None = None,
        shuffle: bool = False,
        class_weight: dict[int, float] | None = None,
    ) -> None:
        self.source, self.shuffle, self.class_weight = source, shuffle, class_weight
        self.steps = len(source) if steps is None and hasattr(source, "__len__") else steps
        self.batch_size = 32  # taken for granted; what arrives may have any
        self.begun = self.ran_out = False

    def __iter__(self) -> Iterator[Any]:
        count = 0
        for batch in self._handed_out():
            count += 1
            yield self._ready(batch)
            if count == self.steps:
                break
        self._check(count)
        self.begun = True
        if hasattr(self.source, "on_epoch_end"):
            self.source.on_epoch_end()

    def _handed_out(self) -> Iterator[Any]:
        if hasattr(self.source, "__next__"):
            return self.source  # goes on where the epoch before stopped
        if not hasattr(self.source, "__getitem__"):
            return iter(self.source)
        order: Any = range(len(self.source))
        if self.shuffle:
            order = random.generator().permutation(len(self.source)).tolist()
        return (self.source[i] for i in order)

    def _ready(self, batch: Any) -> Any:
        x, y, weight = (as_arrays(part) for part in as_triple(batch))
        if self.class_weight is not None:
            weight = weights_of(y, self.class_weight, weight)
        return packed(x, y, weight)

    def _check(self, count: int) -> None:
        if not count and not self.begun:
            raise ValueError(
                f"{type(self.source).__name__}: not a single batch\n"
                "expected x, (x, y) or (x, y, sample_weight), again and again\n"
                "write a generator that yields, and a new one for each fit"
            )
        if count < (self.steps or 1):
            self.ran_out = True
            found = f"{count} of {self.steps} batches" if self.steps else "no batch any more"
            warnings.warn(
                f"the data ran out: {found} in this epoch\n"
                "expected batches for all epochs\n"
                "write while True: in the generator, and steps_per_epoch= in fit",
                stacklevel=5,
            )


def packed(x: Any, y: Any, sample_weight: Any) -> Any:
    """Return a batch as a step receives it: without what was not given.

    >>> packed(1.0, 2.0, None), packed(1.0, None, None)
    ((1.0, 2.0), 1.0)
    """
    if sample_weight is not None:
        return x, y, sample_weight
    if y is not None:
        return x, y
    return (x,) if isinstance(x, list | tuple) else x


def as_triple(batch: Any) -> tuple[Any, Any, Any]:
    """Return (x, y, sample_weight) of a batch that may lack the last two.

    >>> as_triple((1.0, 2.0))
    (1.0, 2.0, None)
    """
    if not isinstance(batch, tuple | list):
        return batch, None, None
    if len(batch) > 3:
        raise ValueError(
            f"a batch of {len(batch)} parts\nexpected x, (x, y) or (x, y, sample_weight)\n"
            "write several inputs as one list: ([x1, x2], y)"
        )
    x, y, sample_weight = (*batch, None, None)[:3]
    return x, y, sample_weight


def batches_of(
    x: Any,
    y: Any = None,
    sample_weight: Any = None,
    *,
    batch_size: int | None = None,
    shuffle: bool = False,
    steps: int | None = None,
    class_weight: dict[int, float] | None = None,
) -> ArrayBatches | StreamBatches:
    """Return the batches of whatever `fit`, `evaluate` or `predict` was given.

    Raises:
        ValueError: no data, parts of different lengths, NaN, text, or targets beside a generator.
    """
    if is_stream(x):
        if y is not None or sample_weight is not None:
            raise ValueError(
                f"a {type(x).__name__} as x, and targets or weights beside it\n"
                "expected it to yield them too\nwrite yield x, y in the generator, and fit(it)"
            )
        return StreamBatches(x, steps, shuffle, class_weight)
    x, y = as_arrays(x), as_arrays(y)
    if class_weight is not None:
        sample_weight = weights_of(y, class_weight, sample_weight)
    sample_weight = as_arrays(sample_weight)
    check_lengths(x, y, sample_weight)
    check_no_nan("x", x)
    check_no_nan("y", y)
    batch_size = 32 if batch_size is None else int(batch_size)
    if batch_size < 1:
        raise ValueError(
            f"batch_size={batch_size}\nexpected at least one instance per batch\n"
            "write batch_size=32"
        )
    whole = ArrayBatches(x, y, sample_weight, batch_size, shuffle)
    return whole if steps is None or steps == whole.steps else _pieces(whole, steps)


def _pieces(whole: ArrayBatches, steps: int) -> ArrayBatches | StreamBatches:
    """Return the same batches, ``steps`` of them at a time."""
    if steps > whole.steps:
        warnings.warn(
            f"steps={steps} of {whole.size} rows, which are {whole.steps} batches\n"
            f"expected at most {whole.steps}; that many are taken\n"
            "write a smaller batch_size, or leave the steps out",
            stacklevel=4,
        )
        return whole
    pieces = StreamBatches((batch for _ in iter(int, 1) for batch in whole), steps)
    pieces.batch_size = whole.batch_size
    return pieces
