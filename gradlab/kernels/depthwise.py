"""Convolution of each channel with filters of its own: too few products for a matrix.

Loops that Numba compiles go through the places, and at each of them through its window with all
channels at once, so that sums stay in the first-level cache. Images too small to compile for (and
all of them without Numba) take one pass over the image for each number of the window.

Measured for 32 images of (26, 26, 64) with 3 x 3 weights, one thread of an AMD Zen 3 that other
programs share: forward 1.9 ms, to the image 2.2, to the weights 1.9; in passes more than 8 each.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from gradlab.kernels import dense, generated
from gradlab.kernels.slides import Slide, padded
from gradlab.kernels.windows import pieces, share

WORTH_COMPILING = 1 << 20  # multiplications; for fewer, passes take about a millisecond


def correlate(x: np.ndarray, W: np.ndarray, how: Slide) -> np.ndarray:
    """Return every window's sum of products with the filters of its channel.

    Args:
        x: (batch, *image, channels).
        W: (*kernel, 1, channels * filters).
        how: the image, the kernel, and how it slides.

    Returns:
        (batch, *places, channels * filters).
    """
    dtype, each = np.result_type(x, W), W.shape[-1] // x.shape[-1]
    x, shape = padded(x, how), (len(x), *how.places, W.shape[-1])
    if _pays(math.prod(shape), how, dtype):
        y = np.zeros(shape, dtype)
        wide = x if each == 1 else np.repeat(x, each, axis=-1)
        dense.loop(sums, dtype)(*_as_images(dtype, y, wide), _filters(W, how, dtype), *_by(how))
        return y
    taps = W.reshape(-1, x.shape[-1], each)
    x, y = x[..., np.newaxis], np.zeros((*shape[:-1], *taps.shape[1:]), dtype)

    def some(images: slice) -> None:
        for piece in pieces(len(x[images]), how, taps[0].size * y.itemsize):
            here = y[images][piece]
            product = np.empty_like(here)
            for tap, weights in zip(how.taps(piece[1]), taps, strict=True):
                np.multiply(x[images][(piece[0], *tap)], weights, out=product)
                np.add(here, product, out=here)

    share(some, len(x), y[:1].size * len(taps))
    return y.reshape(shape)


def to_image(flow: np.ndarray, W: np.ndarray, how: Slide, channels: int) -> np.ndarray:
    """Return what flows back to the image; arguments as for `windows.to_image`."""
    dtype, each = np.result_type(flow, W), W.shape[-1] // channels
    if _pays(flow.size, how, dtype):
        wide = np.zeros((len(flow), *how.wide, W.shape[-1]), dtype)
        images = _as_images(dtype, wide, flow)
        dense.loop(spread, dtype)(*images, _filters(W, how, dtype), *_by(how))
        wide = wide[how.inside]
        return wide if each == 1 else wide.reshape(*wide.shape[:-1], channels, each).sum(axis=-1)
    taps = W.reshape(-1, channels, each)
    flow = flow.reshape(*flow.shape[:-1], *taps.shape[1:])
    x = np.zeros((len(flow), *how.wide, channels), dtype)

    def some(images: slice) -> None:
        for piece in pieces(len(flow[images]), how, taps[0].size * x.itemsize):
            numbers = flow[images][piece]
            product = np.empty(numbers.shape, x.dtype)
            for tap, weights in zip(how.taps(piece[1]), taps, strict=True):
                np.multiply(numbers, weights, out=product)
                here = x[images][(piece[0], *tap)]
                np.add(here, product[..., 0] if each == 1 else product.sum(-1), out=here)

    share(some, len(flow), flow[:1].size * len(taps))
    return x[how.inside]


def to_kernel(x: np.ndarray, flow: np.ndarray, how: Slide, shape: tuple[int, ...]) -> np.ndarray:
    """Return what flows back to the weights; arguments as for `windows.to_kernel`."""
    dtype, channels = np.result_type(x, flow), x.shape[-1]
    filters, count = shape[-1] // channels, math.prod(how.kernel)
    x = padded(x, how)
    if _pays(flow.size, how, dtype):
        wide = x if filters == 1 else np.repeat(x, filters, axis=-1)
        # Image by image, then added up pairwise: one long sum of 20,000 numbers would lose digits.
        total = np.zeros((len(x), *_two(how.kernel), shape[-1]), dtype)
        dense.loop(gathered, dtype)(total, *_as_images(dtype, wide, flow), *_by(how))
        return total.sum(axis=0).reshape(shape)
    x, flow = x[..., np.newaxis], flow.reshape(*flow.shape[:-1], channels, filters)
    places = tuple(range(flow.ndim - 2))

    def some(images: slice) -> np.ndarray:
        total = np.zeros((count, channels, filters), dtype)
        for piece in pieces(len(x[images]), how, shape[-1] * total.itemsize):
            numbers = flow[images][piece]
            for place, tap in enumerate(how.taps(piece[1])):
                total[place] += (x[images][(piece[0], *tap)] * numbers).sum(axis=places)
        return total

    return np.sum(share(some, len(x), flow[:1].size * count), axis=0).reshape(shape)


# ------------------------------------------------------------------------- loops to be compiled


def sums(
    y: np.ndarray, x: np.ndarray, W: np.ndarray, down: int, right: int, dilated: int, apart: int
) -> None:
    """Add to y the sums of products of x with W, (rows, columns, channels).

    Args:
        y: (batch, rows, columns, channels).
        x: the images, with as many channels.
        W: a filter for each channel.
        down, right: strides.
        dilated, apart: rows and columns from one number of a window to the next.
    """
    for b in range(y.shape[0]):
        for r in range(y.shape[1]):
            for c in range(y.shape[2]):
                for k in range(W.shape[0]):
                    for m in range(W.shape[1]):
                        for f in range(y.shape[3]):
                            y[b, r, c, f] += (
                                x[b, r * down + k * dilated, c * right + m * apart, f] * W[k, m, f]
                            )


def spread(
    x: np.ndarray, flow: np.ndarray, W: np.ndarray, down: int, right: int, dilated: int, apart: int
) -> None:
    """Add to x what flows back to it: the other direction of `sums`."""
    for b in range(flow.shape[0]):
        for r in range(flow.shape[1]):
            for c in range(flow.shape[2]):
                for k in range(W.shape[0]):
                    for m in range(W.shape[1]):
                        for f in range(flow.shape[3]):
                            x[b, r * down + k * dilated, c * right + m * apart, f] += (
                                flow[b, r, c, f] * W[k, m, f]
                            )


def gathered(
    W: np.ndarray, x: np.ndarray, flow: np.ndarray, down: int, right: int, dilated: int, apart: int
) -> None:
    """Add to W, (batch, rows, columns, channels), what flows back to it from each image."""
    for b in range(flow.shape[0]):
        for r in range(flow.shape[1]):
            for c in range(flow.shape[2]):
                for k in range(W.shape[1]):
                    for m in range(W.shape[2]):
                        for f in range(flow.shape[3]):
                            W[b, k, m, f] += (
                                flow[b, r, c, f]
                                * x[b, r * down + k * dilated, c * right + m * apart, f]
                            )


def _pays(size: int, how: Slide, dtype: np.dtype) -> bool:
    """Tell whether the loops are worth it, and can be had: for results (or flow) of this size."""
    much = size * math.prod(how.kernel) >= WORTH_COMPILING
    return much and len(how.image) <= 2 and dtype.char in "fd" and generated.available()


def _two(sizes: tuple[int, ...]) -> tuple[int, ...]:
    """Return sizes of an image of two axes: a sequence is an image of a single row."""
    return (*[1] * (2 - len(sizes)), *sizes)


def _as_images(dtype: Any, *arrays: np.ndarray) -> list[np.ndarray]:
    """Return the arrays as images in one block of memory; views of those that are."""
    blocks = [np.ascontiguousarray(a, dtype) for a in arrays]
    return [a.reshape(len(a), *_two(a.shape[1:-1]), a.shape[-1]) for a in blocks]


def _filters(W: np.ndarray, how: Slide, dtype: Any) -> np.ndarray:
    return np.ascontiguousarray(W, dtype).reshape(*_two(how.kernel), W.shape[-1])


def _by(how: Slide) -> tuple[int, ...]:
    """Return strides and dilation along both axes."""
    return (*_two(how.strides), *_two(how.dilation))
