"""Arrays: what a user has, as arrays, and looked at before the first step changes a weight."""

from __future__ import annotations

import contextlib
import math
from typing import Any

import numpy as np

from gradlab.keras.graph import leaves, mapped


def is_stream(x: Any) -> bool:
    """Tell whether it hands out batches, rather than being the data."""
    if isinstance(x, np.ndarray | list | tuple | dict | str) or hasattr(x, "__array__"):
        return False
    return hasattr(x, "__next__") or hasattr(x, "__getitem__") or hasattr(x, "__iter__")


def as_arrays(data: Any) -> Any:
    """Return numbers as arrays: data frames and lists of numbers too; None stays None.

    A list or tuple of arrays is taken for several inputs, a list of numbers for one array.

    >>> as_arrays([[1, 2], [3, 4]]).shape, [a.shape for a in as_arrays([np.zeros(2), np.ones(2)])]
    ((2, 2), [(2,), (2,)])
    """
    if data is None or (isinstance(data, np.ndarray) and data.dtype.kind in "fiub"):
        return data
    if isinstance(data, dict):
        return {name: as_arrays(value) for name, value in data.items()}
    if isinstance(data, list | tuple) and any(
        hasattr(part, "__array__") and np.ndim(part) for part in data
    ):
        return type(data)([as_arrays(part) for part in data])
    return _numbers(data)


def _numbers(data: Any) -> np.ndarray:
    try:
        array = np.asarray(data)
    except ValueError as error:
        raise _unequal_rows() from error
    if array.dtype.kind == "O":  # a data frame with columns of several types
        with contextlib.suppress(TypeError, ValueError):
            return array.astype(float)
    if array.dtype.kind == "O" and isinstance(array.flat[0], list | tuple | np.ndarray):
        raise _unequal_rows()
    if array.dtype.kind not in "fiub":
        raise ValueError(
            f"data of type {array.dtype}, such as {array.ravel()[0]!r}\nexpected numbers\n"
            "write np.unique(y, return_inverse=True)[1] for labels, pd.get_dummies(x) for columns"
        )
    return array


def _unequal_rows() -> ValueError:
    return ValueError(
        "rows of different lengths\nexpected the same count of numbers for each instance\n"
        'write [[1, 2], [3, 4]], or keras.utils.pad_sequences(x, padding="post")'
    )


def check_lengths(x: Any, y: Any, sample_weight: Any) -> None:
    """Raise ValueError unless all parts have the same number of rows, and at least one."""
    parts = [("x", a) for a in leaves(x)] + [("y", a) for a in leaves(y) if a is not None]
    parts += [("sample_weight", a) for a in leaves(sample_weight) if a is not None]
    for name, a in parts:
        if a is None:
            raise ValueError(
                "no x\nexpected an array with one row per instance\nwrite fit(x, y), or predict(x)"
            )
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


def check_no_nan(name: str, data: Any) -> None:
    """Raise ValueError if one of the arrays has a NaN, and say where."""
    for a in leaves(data):
        if a is None or a.dtype.kind != "f" or not a.size or not np.isnan(a.min()):
            continue
        at = tuple(int(i) for i in np.argwhere(np.isnan(a))[0])
        rows = f"~np.isnan({name}){'.any(axis=1)' if a.ndim > 1 else ''}"
        raise ValueError(
            f"{name} has {int(np.isnan(a).sum())} NaN, the first at {list(at)}\n"
            "expected numbers everywhere\n"
            f"write {name} = np.nan_to_num({name}), or leave those rows out: {name}[{rows}]"
        )


def weights_of(y: Any, class_weight: dict[int, float], sample_weight: Any) -> np.ndarray:
    """Return a weight for each instance from the weight of its class."""
    if isinstance(y, list | tuple | dict):
        raise ValueError(
            f"class_weight for {len(y)} outputs\nexpected classes of a single output\n"
            "write sample_weight=(...), with a weight for each instance and output"
        )
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


def held_back_of(data: tuple[Any, Any, Any], fraction: float) -> tuple[tuple[Any, ...], Any]:
    """Return (x, y, sample_weight) without the last rows, and those rows; None without a fraction.

    >>> first, last = held_back_of((np.arange(5), None, None), 0.4)
    >>> first[0].tolist(), last[0].tolist()
    ([0, 1, 2], [3, 4])

    Raises:
        ValueError: the fraction leaves one part empty, or the data are not arrays.
    """
    if not fraction:
        return data, None
    if is_stream(data[0]):
        raise ValueError(
            f"validation_split={fraction} of batches that are handed out one by one\n"
            "expected arrays\nwrite validation_data=..., with other batches"
        )
    data = (as_arrays(data[0]), as_arrays(data[1]), as_arrays(data[2]))
    check_lengths(*data)
    size = len(next(leaves(data[0])))
    kept = math.floor(size * (1.0 - fraction))
    if not 0 < kept < size:
        raise ValueError(
            f"validation_split={fraction} of {size} rows\n"
            "expected a fraction between 0 and 1 that leaves rows on both sides\n"
            "write validation_split=0.1"
        )
    first, last = slice(None, kept), slice(kept, None)
    return _rows(data, first), _rows(data, last)


def _rows(data: Any, rows: slice) -> Any:
    return mapped(lambda a: None if a is None else a[rows], data)
