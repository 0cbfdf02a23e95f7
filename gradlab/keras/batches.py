"""Batches: from the data a user has to pieces of 32 instances, in a new order in each epoch.

Arrays, lists and data frames, several inputs in a list or dict, generators, and objects with
``__getitem__`` all come out as triples (x, y, sample_weight).
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np

from gradlab.keras import random
from gradlab.keras.graph import leaves, mapped


class ArrayBatches:
    """Batches of arrays that are all in memory.

    Args:
        x, y, sample_weight: arrays, or lists and dicts of arrays, with one row per instance.
        batch_size: instances per batch; the last batch may have fewer.
        shuffle: whether each pass goes through the instances in an order of its own.

    >>> batches = ArrayBatches(np.arange(5.0), None, None, batch_size=2)
    >>> [x.tolist() for x, y, weight in batches], len(batches)
    ([[0.0, 1.0], [2.0, 3.0], [4.0]], 3)
    """

    def __init__(
        self, x: Any, y: Any, sample_weight: Any, batch_size: int = 32, shuffle: bool = False
    ) -> None:
        self.data = (x, y, sample_weight)
        self.batch_size, self.shuffle = batch_size, shuffle
        self.size = len(next(leaves(x)))

    def __len__(self) -> int:
        return math.ceil(self.size / self.batch_size)

    def __iter__(self) -> Iterator[tuple[Any, Any, Any]]:
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
    """

    def __init__(self, source: Any, steps: int | None = None) -> None:
        self.source, self.steps = source, steps
        self.endless = iter(source) if hasattr(source, "__next__") else None
        if steps is None and hasattr(source, "__len__"):
            self.steps = len(source)

    def __len__(self) -> int:
        if self.steps is None:
            raise TypeError("the number of batches is not known in advance")
        return self.steps

    def __iter__(self) -> Iterator[tuple[Any, Any, Any]]:
        if self.endless is not None:
            source: Iterable[Any] = self.endless
        elif hasattr(self.source, "__getitem__"):
            source = (self.source[i] for i in range(len(self.source)))
        else:
            source = iter(self.source)
        for count, batch in enumerate(source, start=1):
            yield as_triple(batch)
            if count == self.steps:
                break
        if hasattr(self.source, "on_epoch_end"):
            self.source.on_epoch_end()


def as_triple(batch: Any) -> tuple[Any, Any, Any]:
    """Return (x, y, sample_weight) of a batch that may lack the last two.

    >>> as_triple((1.0, 2.0))
    (1.0, 2.0, None)
    """
    if not isinstance(batch, tuple):
        return batch, None, None
    return (*batch, None, None)[:3] if len(batch) < 4 else _refuse(batch)


def _refuse(batch: tuple[Any, ...]) -> Any:
    raise ValueError(
        f"a batch of {len(batch)} parts\nexpected x, (x, y) or (x, y, sample_weight)\n"
        "write several inputs as one list: ([x1, x2], y)"
    )


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
        ValueError: no data, parts of different lengths, NaN among the inputs.
    """
    if is_stream(x):
        return StreamBatches(x, steps)
    x, y = as_arrays(x), as_arrays(y)
    if class_weight is not None:
        sample_weight = _weights_of(y, class_weight, sample_weight)
    sample_weight = as_arrays(sample_weight)
    check_lengths(x, y, sample_weight)
    for a in leaves(x):
        check_no_nan(a)
    batch_size = 32 if batch_size is None else int(batch_size)
    if batch_size < 1:
        raise ValueError(
            f"batch_size={batch_size}\nexpected at least one instance per batch\n"
            "write batch_size=32"
        )
    whole = ArrayBatches(x, y, sample_weight, batch_size, shuffle)
    if steps is None or steps >= len(whole):
        return whole
    return StreamBatches(_Endless(whole), steps)


class _Endless:
    """Passes over arrays, one after the other: ``steps_per_epoch`` goes on where it stopped."""

    def __init__(self, batches: ArrayBatches) -> None:
        self.passes = (batch for _ in iter(int, 1) for batch in batches)

    def __iter__(self) -> _Endless:
        return self

    def __next__(self) -> Any:
        return next(self.passes)


def is_stream(x: Any) -> bool:
    """Tell whether it hands out batches, rather than being the data."""
    if isinstance(x, np.ndarray | list | tuple | dict) or hasattr(x, "__array__"):
        return False
    return hasattr(x, "__next__") or hasattr(x, "__getitem__") or hasattr(x, "__iter__")


def as_arrays(data: Any) -> Any:
    """Return numbers as arrays: data frames and lists of numbers too; None stays None.

    A list or tuple of arrays is taken for several inputs, a list of numbers for one array.

    >>> as_arrays([[1, 2], [3, 4]]).shape, [a.shape for a in as_arrays([np.zeros(2), np.ones(2)])]
    ((2, 2), [(2,), (2,)])
    """
    if data is None or isinstance(data, np.ndarray):
        return data
    if isinstance(data, dict):
        return {name: as_arrays(value) for name, value in data.items()}
    several = isinstance(data, list | tuple) and any(
        hasattr(part, "__array__") and np.ndim(part) for part in data
    )
    if several or (isinstance(data, tuple) and None in data):
        return type(data)(as_arrays(part) for part in data)
    return np.asarray(data)


def check_lengths(x: Any, y: Any, sample_weight: Any) -> None:
    """Raise ValueError unless all parts have the same number of rows, and at least one."""
    parts = [("x", a) for a in leaves(x)] + [("y", a) for a in leaves(y) if a is not None]
    parts += [("sample_weight", a) for a in leaves(sample_weight) if a is not None]
    for name, a in parts:
        if not np.ndim(a):
            raise ValueError(
                f"{name} is a single number\nexpected an array with one row per instance\n"
                f"write np.array([{name}])"
            )
    sizes = [len(a) for _, a in parts]
    if len(set(sizes)) > 1:
        other = next(k for k, size in enumerate(sizes) if size != sizes[0])
        raise ValueError(
            f"x has {sizes[0]} rows, {parts[other][0]} has {sizes[other]}\n"
            "expected one target for each instance\n"
            f"write x[:{min(sizes)}] and {parts[other][0]}[:{min(sizes)}], if those belong together"
        )
    if not sizes or sizes[0] == 0:
        raise ValueError(
            "x has no rows\nexpected at least one instance\nwrite x[:5] to try a few of them"
        )


def check_no_nan(a: np.ndarray) -> None:
    """Raise ValueError if an input has a NaN, and say where."""
    if a.dtype.kind == "f" and a.size and np.isnan(a.min()):
        at = tuple(int(i) for i in np.argwhere(np.isnan(a))[0])
        count = int(np.isnan(a).sum())
        raise ValueError(
            f"x has {count} NaN, the first at {list(at)}\nexpected numbers everywhere\n"
            "write x = np.nan_to_num(x), or leave those rows out: x[~np.isnan(x).any(axis=1)]"
        )


def _weights_of(y: Any, class_weight: dict[int, float], sample_weight: Any) -> np.ndarray:
    """Return a weight for each instance from the weight of its class."""
    labels = np.asarray(y)
    if labels.ndim > 1:
        labels = labels.argmax(-1) if labels.shape[-1] > 1 else labels.reshape(len(labels))
    known = np.array(sorted(class_weight))
    unknown = np.setdiff1d(np.unique(labels), known)
    if unknown.size:
        raise ValueError(
            f"class_weight has no weight for class {unknown[0]:g}\n"
            f"expected one for each of {np.unique(labels).tolist()}\n"
            f"write class_weight={{..., {unknown[0]:g}: 1.0}}"
        )
    weights = np.array([class_weight[k] for k in known], dtype="float32")
    found = weights[np.searchsorted(known, labels)]
    return found if sample_weight is None else found * np.asarray(sample_weight)


def split_off(data: Any, fraction: float) -> tuple[Any, Any]:
    """Return the first rows, and the last ``fraction`` of them for validation.

    >>> [part.tolist() for part in split_off(np.arange(5), 0.4)]
    [[0, 1, 2], [3, 4]]

    Raises:
        ValueError: the fraction leaves one part empty.
    """
    size = len(next(a for a in leaves(data) if a is not None))
    kept = math.floor(size * (1.0 - fraction))
    if not 0 < kept < size:
        raise ValueError(
            f"validation_split={fraction} of {size} rows\n"
            "expected a fraction between 0 and 1 that leaves rows on both sides\n"
            "write validation_split=0.1"
        )
    first = mapped(lambda a: None if a is None else a[:kept], data)
    return first, mapped(lambda a: None if a is None else a[kept:], data)
