"""Convolution without a copy of the windows: tiles of a product that read the image where it lies.

With the channels last, a row of a window is one run of memory: 3 x 3 x 32 numbers are three runs of
96. The windows of a row of places begin 32 numbers apart, so they are the rows of a matrix that
overlap in memory, which the tiles of `gradlab.kernels.matmul` do not mind.

Measured against windows that are copied and multiplied by BLAS, one thread of an AMD Zen 3, times
as fast for the values, and for the gradient of the weights: 32 images of (26, 26, 32) into 64
channels 1.25 and 1.25; of (28, 28, 1) into 32 2.1 and 2.5; of (14, 14, 32) into 64 1.2 and 1.1; but
of (7, 7, 64) into 128 1.1 and 0.9: short rows of places leave the tiles too little to do.
"""

from __future__ import annotations

import functools
import inspect
import math
import zlib
from collections.abc import Iterator
from typing import Any

import numpy as np

from gradlab.kernels import generated, matmul
from gradlab.kernels.slides import Slide, padded

WORTH_COMPILING = 1e7  # multiplications and additions; fewer take BLAS half a millisecond
LONG_ENOUGH = 12  # places in a row
GROUP = 1 << 18  # bytes of images, or of results, that stay in the second-level cache


def pay(x: np.ndarray, shape: tuple[int, ...], how: Slide) -> bool:
    """Tell whether the tiles are worth it, and can be had.

    Args:
        x: (batch, *image, channels).
        shape: of the weights, (*kernel, channels, filters).
        how: the image, the kernel, and how it slides.
    """
    flops = 2.0 * len(x) * math.prod(how.places) * math.prod(shape)
    if flops < WORTH_COMPILING or how.places[-1] < LONG_ENOUGH or math.prod(how.kernel) == 1:
        return False
    ungrouped = x.shape[-1] == shape[-2]
    return ungrouped and x.dtype in (np.float32, np.float64) and _divides(shape[-1], x.dtype)


def _divides(filters: int, dtype: np.dtype) -> bool:
    """Tell whether filters fill the two vectors of a tile, as often as it takes."""
    return generated.available() and filters % _width(dtype) == 0


def _width(dtype: np.dtype) -> int:
    return 2 * matmul.vectors()[0] // dtype.itemsize


def panels(W: np.ndarray, how: Slide) -> np.ndarray:
    """Return the weights as (panels, runs, numbers of a run, filters of a panel).

    A panel is in one piece: the filters of a tile in rows of all filters would fall into the same
    few places of the cache.
    """
    runs = len(_steps(how, W.shape[-2])[1])
    parts = W.reshape(runs, -1, W.shape[-1] // _width(W.dtype), _width(W.dtype))
    return np.ascontiguousarray(parts.transpose(2, 0, 1, 3))


def correlate(
    y: np.ndarray, x: np.ndarray, panels: np.ndarray, how: Slide, bias: np.ndarray | None
) -> None:
    """Write the sums of products of windows and filters into y.

    Args:
        y: (batch, *places, filters), in one piece.
        x: (batch, *image, channels).
        panels: the weights, as the function of this name returns them.
        how: the image, the kernel, and how it slides.
        bias: what is added to the sums of each filter, if there is one.
    """
    starts, offsets, step = _steps(how, x.shape[-1])
    depth, across = panels.shape[2], how.places[-1]
    loop = _loops(x.dtype.char, across).correlate
    last = np.zeros((2, 0)) if bias is None else np.stack([np.ones_like(bias), bias])
    added = [row.ctypes.data if row.size else 0 for row in last]  # a one, and what it multiplies
    places = (panels.ctypes.data, *added, starts, offsets, step)
    for images, wide in _groups(x, how, y.shape[-1]):
        sizes = (len(wide), wide[0].size, across, y.shape[-1], depth)
        loop(y[images].ctypes.data, wide.ctypes.data, *places, *sizes)


def to_kernel(x: np.ndarray, flow: np.ndarray, how: Slide, shape: tuple[int, ...]) -> np.ndarray:
    """Return the sums of windows times what arrives at their places, in the shape of the weights.

    Args:
        x: (batch, *image, channels).
        flow: (batch, *places, filters), in one piece.
        how: the image, the kernel, and how it slides.
        shape: of the weights, (*kernel, channels, filters).
    """
    starts, offsets, step = _steps(how, x.shape[-1])
    total = panels(np.zeros(shape, x.dtype), how)
    depth, across = total.shape[2], how.places[-1]
    loop = _loops(x.dtype.char, depth).to_kernel
    for images, wide in _groups(x, how, shape[-1]):
        part, sizes = flow[images], (len(wide), wide[0].size, across, shape[-1], depth)
        loop(total.ctypes.data, wide.ctypes.data, part.ctypes.data, starts, offsets, step, *sizes)
    return total.transpose(1, 2, 0, 3).reshape(shape)


def _groups(x: np.ndarray, how: Slide, filters: int) -> Iterator[tuple[slice, np.ndarray]]:
    """Yield a few images at a time, with the zeros around them, in one piece."""
    numbers = max(math.prod(how.wide) * x.shape[-1], math.prod(how.places) * filters)
    count = max(GROUP // (numbers * x.itemsize), 1)
    for first in range(0, len(x), count):
        images = slice(first, min(first + count, len(x)))
        yield images, np.ascontiguousarray(padded(x[images], how))


@functools.lru_cache(1024)
def _steps(how: Slide, channels: int) -> tuple[np.ndarray, np.ndarray, int]:
    """Return where rows of places begin, where the runs of a window do, and the step to the next.

    All count numbers of the wide image.

    >>> from gradlab.kernels.slides import slide
    >>> _steps(slide("conv", (4, 5), (3, 2), (1, 1), "valid", (1, 1)), 10)
    (array([ 0, 50]), array([  0,  50, 100]), 10)
    """
    axes = [math.prod(how.wide[k + 1 :]) * channels for k in range(len(how.wide))]
    over = [s * axis for s, axis in zip(how.strides, axes, strict=True)]
    within = [d * axis for d, axis in zip(how.dilation, axes, strict=True)]
    numbers = how.kernel[:-1] if how.dilation[-1] == 1 else how.kernel  # that begin a run
    starts = [np.dot(at, over[:-1]) for at in np.ndindex(how.places[:-1])]
    offsets = [np.dot(at, within[: len(at)]) for at in np.ndindex(numbers)]
    return np.array(starts, np.int64), np.array(offsets, np.int64), over[-1]


def tall(rows: int, most: int) -> int:
    """Return the rows of a tile so that so many rows are tiles of that height, and one lower.

    >>> tall(28, 6), tall(26, 6), tall(24, 6), tall(7, 6)  # 28 = 6 + 6 + 6 + 5 + 5
    (6, 6, 6, 4)
    """
    return -(-rows // -(-rows // most))


def _loops(char: str, rows: int) -> Any:
    """Return the loops over the tiles of so many rows."""
    most = 3 * matmul.vectors()[1] // 2  # 2 vectors wide, with as many sums as 3 wide ones have
    return _compiled(char, tall(rows, most))


@functools.cache
def _compiled(char: str, high: int) -> Any:
    size, low = np.dtype(char).itemsize, max(high - 1, 1)
    text = SOURCE.format(
        tiles=zlib.crc32(inspect.getsource(matmul).encode()),  # other tiles, another text
        char=char, size=size, width=_width(np.dtype(char)), high=high, low=low,
    )  # fmt: skip
    return generated.load(text)


SOURCE = '''from gradlab.kernels import matmul  # {tiles}

high = matmul.tile("{char}", {high}, 2)
low = matmul.tile("{char}", {low}, 2)


@inlined
def product(rows, a, a_row, a_step, b, b_row, out, out_row, depth, add):
    """Write a product of so many rows and {width} columns, or add it."""
    count = rows - (rows + {high} - 1) // {high} * {low}
    for _ in range(count):
        high(a, a_row, a_step, b, b_row, out, out_row, depth, add)
        a, out = a + {high} * a_row, out + {high} * out_row
    for _ in range((rows - count * {high}) // {low}):
        low(a, a_row, a_step, b, b_row, out, out_row, depth, add)
        a, out = a + {low} * a_row, out + {low} * out_row


@kept
def correlate(
    y, x, panels, one, bias, starts, offsets, step, images, image, across, filters, depth
):
    rows, row_size, run_size = len(starts), {size} * filters, {size} * {width}
    for p in range(filters // {width}):
        for row in range(images * rows):
            out = y + row * across * row_size + p * run_size
            place = x + {size} * (row // rows * image + starts[row % rows])
            for run in range(len(offsets)):
                a = place + {size} * offsets[run]
                b = panels + (p * len(offsets) + run) * depth * run_size
                product(
                    across, a, {size} * step, {size}, b, run_size, out, row_size, depth, run > 0
                )
            if bias:  # the product of a one and a row
                product(across, one, 0, 0, bias + p * run_size, 0, out, row_size, 1, True)


@kept
def to_kernel(total, x, flow, starts, offsets, step, images, image, across, filters, depth):
    rows, row_size, run_size = len(starts), {size} * filters, {size} * {width}
    for p in range(filters // {width}):
        for row in range(images * rows):
            b = flow + row * across * row_size + p * run_size
            place = x + {size} * (row // rows * image + starts[row % rows])
            for run in range(len(offsets)):
                a = place + {size} * offsets[run]
                out = total + (p * len(offsets) + run) * depth * run_size
                product(
                    depth, a, {size}, {size} * step, b, row_size, out, run_size, across, True
                )
'''
