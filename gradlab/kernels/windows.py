"""A small kernel slides over an image: every window times the same weights, and what flows back.

The windows are copied into the rows of one matrix, so that all sums of products are one product of
matrices, which BLAS does at the full speed of the processor. (The name of this trick is im2col.)

Arrays have the channels last: (batch, rows, columns, channels), or any other number of axes in the
middle. A window of 3 x 3 makes nine numbers of one, so the matrix is made in pieces that stay in
the second-level cache: memory is that of the image and the result, and a megabyte.

Measured for 32 images of (26, 26, 32) into 64 channels, one thread of an AMD Zen 3: one or two
images at a time 10 ms, all at once 23. Large convolutions with channels for whole vectors take
three quarters of that without the copy: `gradlab.kernels.direct`.
"""

from __future__ import annotations

import itertools
import math
import os
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import as_strided

from gradlab import config
from gradlab.kernels import direct, threads
from gradlab.kernels.slides import Slide, padded, slide

PIECE = 1 << 20  # bytes of windows that are multiplied at once
UNSHARED = 5e5  # flop of products that BLAS computes on one thread anyway
PARTS = 4  # of a batch that threads share, for up to four of them


def correlate(
    x: np.ndarray,
    W: np.ndarray,
    how: Slide,
    bias: np.ndarray | None = None,
    out: np.ndarray | None = None,
) -> np.ndarray:
    """Return every window's sum of products with each filter.

    Args:
        x: (batch, *image, groups * channels).
        W: (*kernel, channels, filters); each group of filters sees its own channels.
        how: the image, the kernel, and how it slides.
        bias: (filters,), what is added to each sum while it is still in the cache.
        out: where to write the result, in one piece; a new array by default.

    Returns:
        (batch, *places, filters).

    >>> from gradlab.kernels.slides import slide
    >>> x, W = np.array([[[1.0], [2.0], [4.0]]]), np.array([[[-1.0]], [[1.0]]])
    >>> correlate(x, W, slide("conv", (3,), (2,), (1,), "valid", (1,))).ravel()
    array([1., 2.])
    """
    groups = x.shape[-1] // W.shape[-2]
    weights = W.reshape(-1, groups, W.shape[-1] // groups).transpose(1, 0, 2)
    shape = (len(x), *how.places, W.shape[-1])
    y = np.empty(shape, np.result_type(x, W)) if out is None else out
    panels = direct.panels(W, how) if x.dtype == W.dtype and direct.pay(x, W.shape, how) else None

    def some(images: slice) -> None:
        if panels is not None:
            return direct.correlate(y[images], x[images], panels, how, bias)
        for piece, rows in _gathered(x[images], how, groups, y.dtype):
            part = y[images][piece]
            np.matmul(rows, weights, out=_by_group(part, groups))
            if bias is not None:
                np.add(part, bias, out=part)

    share(some, len(x), y[:1].size * weights[0].size)
    return y


def to_image(
    flow: np.ndarray, W: np.ndarray, how: Slide, channels: int, out: np.ndarray | None = None
) -> np.ndarray:
    """Return what flows back to the image: each place hands its share to all of its window.

    It is the transposed map of `correlate` for the same W.

    Args:
        flow: (batch, *places, filters).
        W: (*kernel, channels / groups, filters).
        how: the image, the kernel, and how it slides.
        channels: of the image.
        out: where to write the result, in one piece; a new array by default.
    """
    groups, own = channels // W.shape[-2], W.shape[-2]
    flow = np.ascontiguousarray(flow)
    alongside = groups == max(how.strides) == 1 < math.prod(how.kernel)
    if alongside and min(map(min, _margins(how))) >= 0:
        return _to_image_by_windows(flow, W, how, out)
    taps = W.reshape(math.prod(how.kernel), own, groups, -1).transpose(0, 2, 3, 1)
    taps = np.ascontiguousarray(taps)  # of each number of the window: (groups, filters, channels)
    x = np.zeros((len(flow), *how.wide, groups, own), np.result_type(flow, W))
    groups_last = (*range(1, x.ndim - 1), 0, x.ndim - 1)
    lone = groups == len(taps) == max(how.strides) == 1 and how.wide == how.image
    nbytes = math.prod(how.kernel) * channels * x.itemsize

    def some(images: slice) -> None:
        for piece in pieces(len(flow[images]), how, nbytes):
            numbers = flow[images][piece]
            if lone:  # each place has a window of its own
                np.matmul(_by_group(numbers, 1), taps[0], out=_by_group(x[images][piece], 1))
                continue
            part = np.empty((groups, *numbers.shape[:-1], own), x.dtype)
            flat, moved = part.reshape(groups, -1, own), part.transpose(groups_last)
            for tap, weights in zip(how.taps(piece[1]), taps, strict=True):
                np.matmul(_by_group(numbers, groups), weights, out=flat)
                here = x[images][(piece[0], *tap)]
                np.add(here, moved, out=here)

    share(some, len(flow), flow[:1].size * math.prod(W.shape[:-1]))
    found = x.reshape(*x.shape[:-2], channels)[how.inside]
    if out is None:
        return found
    out[...] = found
    return out


def _margins(how: Slide) -> list[tuple[int, int]]:
    """Return for each axis the zeros before and after the flow whose windows are the image.

    They are negative where a whole window lay on the zeros around the image.
    """
    zeros = []
    for axis, (k, d, n) in enumerate(zip(how.kernel, how.dilation, how.image, strict=True)):
        before = d * (k - 1) - how.before[axis]
        zeros.append((before, n + d * (k - 1) - how.places[axis] - before))
    return zeros


def _to_image_by_windows(
    flow: np.ndarray, W: np.ndarray, how: Slide, out: np.ndarray | None
) -> np.ndarray:
    """Do the same where windows lie side by side: each number of the image sees them all.

    So it is a window of the flow, with zeros around, times the kernel from its end to its
    beginning: one long product, where place by place it is many short ones.
    """
    ones = (1,) * len(how.image)
    back = slide("conv", how.places, how.kernel, ones, tuple(_margins(how)), how.dilation)
    turned = W[(slice(None, None, -1),) * len(how.image)].swapaxes(-1, -2)
    return correlate(flow, np.ascontiguousarray(turned), back, out=out)


def to_kernel(x: np.ndarray, flow: np.ndarray, how: Slide, shape: tuple[int, ...]) -> np.ndarray:
    """Return what flows back to the weights: each window times what arrives at its place, added up.

    Args:
        x: (batch, *image, channels).
        flow: (batch, *places, filters).
        how: the image, the kernel, and how it slides.
        shape: of the weights, (*kernel, channels / groups, filters).
    """
    groups = x.shape[-1] // shape[-2]
    flow = np.ascontiguousarray(flow)
    dtype = np.result_type(x, flow)
    in_tiles = x.dtype == flow.dtype and direct.pay(x, shape, how)

    def some(images: slice) -> np.ndarray:
        if in_tiles:
            return direct.to_kernel(x[images], flow[images], how, shape)
        total = np.zeros((groups, math.prod(shape[:-1]), shape[-1] // groups), dtype)
        for piece, rows in _gathered(x[images], how, groups, dtype):
            total += np.matmul(rows.transpose(0, 2, 1), _by_group(flow[images][piece], groups))
        return total.transpose(1, 0, 2).reshape(shape)

    return np.sum(share(some, len(x), flow[:1].size * math.prod(shape[:-1])), axis=0)


def _gathered(x: np.ndarray, how: Slide, groups: int, dtype: Any) -> Iterator[tuple[Any, Any]]:
    """Yield the windows piece by piece, as (groups, places, numbers of a window)."""
    x, channels = padded(x, how), x.shape[-1] // groups
    batch, *image, number = x.strides
    over = [step * s for step, s in zip(image, how.strides, strict=True)]
    within = [step * d for step, d in zip(image, how.dilation, strict=True)]
    shape = (groups, len(x), *how.places, *how.kernel, channels)
    steps = (channels * number, batch, *over, *within, number)
    windows = as_strided(x, shape, steps, writeable=False)
    length = math.prod(how.kernel) * channels
    buffer = np.empty(0, dtype)
    for piece in pieces(len(x), how, groups * length * buffer.itemsize):
        part = windows[(slice(None), *piece)]
        if groups == length // channels == 1:  # windows of one place are rows already
            yield piece, part.reshape(1, -1, length)
            continue
        buffer = buffer if part.size <= buffer.size else np.empty(part.size, dtype)
        rows = buffer[: part.size].reshape(part.shape)
        np.copyto(rows, part)
        yield piece, rows.reshape(groups, -1, length)


def _by_group(y: np.ndarray, groups: int) -> np.ndarray:
    """Return a view (groups, places, filters of a group) of a piece in one block of memory."""
    return y.reshape(-1, groups, y.shape[-1] // groups).transpose(1, 0, 2)


# ------------------------------------------------------------------------------ part by part


def pieces(batch: int, how: Slide, nbytes: int) -> Iterator[tuple[slice, slice]]:
    """Yield slices of the batch and of the first axis of places, of PIECE bytes or one row.

    Args:
        batch: how many images.
        how: how the window slides over them.
        nbytes: memory that the work on one place takes.

    >>> from gradlab.kernels.slides import slide
    >>> how = slide("conv", (600,), (1,), (1,), "valid", (1,))
    >>> [(images, rows.stop - rows.start) for images, rows in pieces(2, how, PIECE // 500)]
    [(slice(0, 1, None), 500), (slice(0, 1, None), 100), \
(slice(1, 2, None), 500), (slice(1, 2, None), 100)]
    """
    rows = how.places[0]
    per_row = math.prod(how.places[1:]) * nbytes
    images = max(PIECE // (per_row * rows), 1)
    height = rows if images > 1 else min(max(PIECE // per_row, 1), rows)
    for first in range(0, batch, images):
        for row in range(0, rows, height):
            yield slice(first, min(first + images, batch)), slice(row, min(row + height, rows))


def share(some: Callable[[slice], Any], batch: int, products: int) -> list[Any]:
    """Do something for all images, on several threads if that pays, and return the results.

    BLAS itself then runs on one thread: two that share a small product wait for each other. The
    batch is cut in the same way for any number of threads, so that sums are rounded alike.

    Args:
        some: does it for a part of the batch.
        batch: how many images.
        products: multiplications for one image.
    """
    flops = 2.0 * batch * products
    if flops < UNSHARED:
        return [some(slice(batch))]
    parts = min(batch, PARTS) if flops >= threads.WORTH_SHARING else 1
    ends = [batch * k // parts for k in range(parts + 1)]
    images = [slice(*pair) for pair in itertools.pairwise(ends)]
    wanted = config.threads if isinstance(config.threads, int) else os.cpu_count() or 1
    workers = min(wanted, parts)
    found: list[Any] = [None] * parts

    def work(first: int) -> None:
        for k in range(first, parts, workers):
            found[k] = some(images[k])

    with threads.one_each():
        threads.together(work, [[first] for first in range(workers)])
    return found
