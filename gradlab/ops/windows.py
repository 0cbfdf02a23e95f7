"""Convolution and pooling: one small window slides over an image, the same weights at every place.

What flows back is a convolution again, in the other direction: the three products below are each
other's slopes, so that derivatives of any order need no further rules.

Arrays have the channels last, (batch, rows, columns, channels); a sequence is (batch, steps,
channels). Source: deck 000, "convolutional layers"; LeCun and others (1998).
"""

from __future__ import annotations

import math

import numpy as np

from gradlab.entry import (
    case,
)
from gradlab.errors import (
    ShapeError,
)
from gradlab.kernels import depthwise, pooling, windows
from gradlab.kernels.slides import slide
from gradlab.ops.reductions import floats
from gradlab.ops.shaping import reshape
from gradlab.primitive import (
    composed,
    primitive,
)
from gradlab.tape import compute


def each_axis(name, argument, value, rank):
    """Return one whole number per axis of the image: 3 means (3, 3).

    Raises:
        ValueError: another count, or numbers below 1.
    """
    numbers = (value,) * rank if isinstance(value, int | np.integer) else tuple(value)
    whole = all(isinstance(n, int | np.integer) and n >= 1 for n in numbers)
    if not whole or len(numbers) != rank:
        raise ValueError(
            f"{name}: {argument}={value!r}\n"
            f"expected a whole number of at least 1, or {rank} of them, one for each axis\n"
            f"write {argument}={2 if rank == 1 else (2,) * rank}"
        )
    return tuple(map(int, numbers))


def slide_of(name, image, kernel, strides, padding, dilation_rate):
    """Return how a window of the shape ``kernel`` slides over an image."""
    rank = len(image)
    strides = each_axis(name, "strides", strides, rank)
    dilation_rate = each_axis(name, "dilation_rate", dilation_rate, rank)
    if isinstance(padding, list | tuple):  # by their number; a tuple can be looked up
        padding = tuple(tuple(p) if isinstance(p, list) else p for p in padding)
    return slide(name, tuple(image), tuple(kernel), strides, padding, dilation_rate)


def _check_channels(name, x, W):
    """Raise a ShapeError unless the channels can be dealt out to the groups of filters."""
    if len(x) != len(W) or len(x) < 3:
        raise ShapeError(
            f"{name}: images of shape {tuple(x)}, a kernel of shape {tuple(W)}\n"
            "expected (batch, rows, columns, channels) and (rows, columns, channels, filters)\n"
            "write images[..., np.newaxis] for grey images, images[np.newaxis] for a single one"
        )
    groups, left = divmod(x[-1], max(W[-2], 1))
    if left or not groups or W[-1] % groups:
        raise ShapeError(
            f"{name}: images of {x[-1]} channels, {W[-1]} filters for {W[-2]} channels each\n"
            "expected filters for all channels, or for a part of them and as many filters for each "
            f"part\nwrite a kernel of shape {(*W[:-2], x[-1], W[-1])}"
        )


IMAGE_CASES = (
    case((2, 5, 1), (3, 1, 2)),
    case((1, 4, 3, 2), (2, 2, 2, 3)),
    case((1, 5, 2), (2, 2, 1), strides=2, padding="same"),
    case((1, 4, 2), (3, 1, 2), padding="causal", dilation_rate=2),
    case((1, 4, 4, 1), (2, 3, 1, 1), strides=(1, 2), padding=((1, 0), (0, 2))),
)


@primitive(symbol="∗", cases=IMAGE_CASES)
def conv(x, W, strides=1, padding="valid", dilation_rate=1):
    """Convolution: the sum of products of a filter's weights with the window at every place.

    y[b, i, j, f] = sum over k, l, c of x[b, i s + k d, j s + l d, c] W[k, l, c, f], with strides s
    and dilation d. (The window is not mirrored, as it is in mathematics.)

    Shapes: x (batch, rows, columns, channels), W (rows, columns, channels, filters); with fewer
    channels in W than in x, the channels and filters are divided into groups that know nothing of
    each other.

    Args:
        strides: steps from one window to the next.
        padding: "valid" for windows inside of the image only; "same" for zeros around it, so that
            the result has its size if the stride is 1; "causal" for zeros before it only, so that
            no step of a sequence sees a later one; or the numbers of zeros.
        dilation_rate: steps from one number of a window to the next.

    An edge is where neighbours differ:

    >>> x = np.array([[[0.0], [0.0], [1.0], [1.0]]])
    >>> conv(x, np.array([[[-1.0]], [[1.0]]])).ravel()
    array([0., 1., 0.])

    Raises:
        ShapeError: a window larger than the image, or channels that do not fit.
    """
    x, W = np.asarray(x), np.asarray(W)
    _check_channels("conv", x.shape, W.shape)
    how = slide_of("conv", x.shape[1:-1], W.shape[:-2], strides, padding, dilation_rate)
    return _products(x.shape[-1], W.shape).correlate(x, W, how)


@conv.vjp("x")
def conv_vjp_x(g, x, W, strides, padding, dilation_rate):
    return conv_to_image(g, W, x.shape[1:], strides, padding, dilation_rate)


@conv.vjp("W")
def conv_vjp_W(g, x, W, strides, padding, dilation_rate):
    return conv_to_kernel(x, g, W.shape, strides, padding, dilation_rate)


def _products(channels, shape):
    """Return the kernels for weights of this shape: products of matrices, or channel by channel."""
    return depthwise if channels > 1 == shape[-2] else windows


def conv_with_bias(y, x, W, b, strides, padding, dilation_rate):
    """Write ``conv(x, W) + b`` into the array y: the same bits, in one way through memory.

    >>> y = np.empty((1, 2, 1))
    >>> conv_with_bias(y, np.ones((1, 3, 1)), np.ones((2, 1, 1)), np.ones(1), 1, "valid", 1)
    >>> y.ravel()
    array([3., 3.])
    """
    how = slide_of("conv", x.shape[1:-1], W.shape[:-2], strides, padding, dilation_rate)
    if _products(x.shape[-1], W.shape) is windows:
        windows.correlate(x, W, how, b, y)
    else:
        np.add(depthwise.correlate(x, W, how), b, out=y)


@primitive(
    nondiff=("shape",),
    cases=(
        case((2, 3, 2), (3, 1, 2), shape=(5, 1)),
        case((1, 3, 2, 3), (2, 2, 2, 3), shape=(4, 3, 2)),
        case((1, 3, 2), (2, 1, 2), shape=(5, 2), strides=2, padding="same"),
        case((1, 4, 2), (3, 1, 2), shape=(4, 1), padding="causal", dilation_rate=2),
    ),
)
def conv_to_image(flow, W, shape, strides=1, padding="valid", dilation_rate=1):
    """The way back of a convolution to its image: each place adds its share to its whole window.

    Shapes: flow (batch, rows, columns, filters) as conv returns it, W as for conv; ``shape`` is
    that of one image, with channels.

    >>> conv_to_image(np.array([[[1.0], [10.0]]]), np.array([[[2.0]], [[3.0]]]), (3, 1)).ravel()
    array([ 2., 23., 30.])
    """
    flow, W = np.asarray(flow), np.asarray(W)
    image = shape[:-1]
    how = slide_of("conv_to_image", image, W.shape[:-2], strides, padding, dilation_rate)
    return _products(shape[-1], W.shape).to_image(flow, W, how, shape[-1])


def write_to_image(x, flow, W, shape, strides, padding, dilation_rate):
    """Write ``conv_to_image(flow, W, shape)`` into the array x; W must be of several channels."""
    how = slide_of("conv_to_image", shape[:-1], W.shape[:-2], strides, padding, dilation_rate)
    windows.to_image(flow, W, how, shape[-1], x)


@conv_to_image.vjp("flow")
def conv_to_image_vjp_flow(g, W, strides, padding, dilation_rate):
    return conv(g, W, strides, padding, dilation_rate)


@conv_to_image.vjp("W")
def conv_to_image_vjp_W(g, flow, W, strides, padding, dilation_rate):
    return conv_to_kernel(g, flow, W.shape, strides, padding, dilation_rate)


@primitive(
    nondiff=("shape",),
    cases=(
        case((2, 5, 1), (2, 3, 2), shape=(3, 1, 2)),
        case((1, 4, 3, 2), (1, 3, 2, 3), shape=(2, 2, 2, 3)),
        case((1, 5, 2), (1, 3, 2), shape=(2, 1, 2), strides=2, padding="same"),
        case((1, 4, 1), (1, 4, 2), shape=(3, 1, 2), padding="causal", dilation_rate=2),
    ),
)
def conv_to_kernel(x, flow, shape, strides=1, padding="valid", dilation_rate=1):
    """The way back of a convolution to its weights: windows times what arrives there, added up.

    Shapes: x and flow (batch, rows, columns, channels or filters); ``shape`` is that of W.

    >>> x, flow = np.array([[[1.0], [2.0], [3.0]]]), np.array([[[1.0], [10.0]]])
    >>> conv_to_kernel(x, flow, (2, 1, 1)).ravel()
    array([21., 32.])
    """
    x, flow = np.asarray(x), np.asarray(flow)
    how = slide_of("conv_to_kernel", x.shape[1:-1], shape[:-2], strides, padding, dilation_rate)
    return _products(x.shape[-1], shape).to_kernel(x, flow, how, shape)


@conv_to_kernel.vjp("x")
def conv_to_kernel_vjp_x(g, x, flow, strides, padding, dilation_rate):
    return conv_to_image(flow, g, x.shape[1:], strides, padding, dilation_rate)


@conv_to_kernel.vjp("flow")
def conv_to_kernel_vjp_flow(g, x, strides, padding, dilation_rate):
    return conv(x, g, strides, padding, dilation_rate)


# ----------------------------------------------------------------------- written with the above


@composed(
    cases=(
        case((1, 4, 2), (3, 2, 2), padding="causal"),
        case((1, 3, 3, 2), (2, 2, 2, 1), strides=2, padding="same"),
    )
)
def depthwise_conv(x, W, strides=1, padding="valid", dilation_rate=1):
    """Convolution of each channel with filters of its own.

    Shapes: x (batch, rows, columns, channels), W (rows, columns, channels, filters per channel);
    the result has channels * filters channels.

    >>> x = np.array([[[1.0, 10.0], [2.0, 20.0]]])
    >>> depthwise_conv(x, np.array([[[1.0], [0.0]], [[1.0], [1.0]]]))
    array([[[ 3., 20.]]])
    """
    if x.shape[-1] != W.shape[-2]:
        raise ShapeError(
            f"depthwise_conv: images of {x.shape[-1]} channels, filters for {W.shape[-2]}\n"
            "expected filters for each channel\n"
            f"write a kernel of shape {(*W.shape[:-2], x.shape[-1], W.shape[-1])}"
        )
    filters = W.shape[-2] * W.shape[-1]
    return conv(x, reshape(W, (*W.shape[:-2], 1, filters)), strides, padding, dilation_rate)


@composed(cases=(case((1, 4, 2), (2, 2, 2), (1, 4, 3), padding="same"),))
def separable_conv(x, D, P, strides=1, padding="valid", dilation_rate=1):
    """Convolution in two steps: within each channel (D), then across the channels of a place (P).

    Shapes: D (rows, columns, channels, filters per channel), P (1, 1, channels * those, filters).
    Of 3 x 3 x 64 x 64 weights there remain 3 x 3 x 64 + 64 x 64: an eighth.

    Source: Chollet (2017), Xception.
    """
    return conv(depthwise_conv(x, D, strides, padding, dilation_rate), P)


def transposed_sizes(image, kernel, strides, padding, output_padding, dilation_rate):
    """Return the sizes of the result of `conv_transpose`, and the padding that goes with them."""
    sizes, pairs = [], []
    more = [None] * len(image) if output_padding is None else output_padding
    for n, k, s, d, p in zip(image, kernel, strides, dilation_rate, more, strict=True):
        k = (k - 1) * d + 1
        if padding == "valid":
            size = (n - 1) * s + k + (max(s - k, 0) if p is None else p)
            before = 0
        else:
            size = n * s if p is None else (n - 1) * s + k % 2 + p
            total = s + k - 2 if p is None else k + k % 2 - 2 + p
            before = k - 1 - min(-(-total // 2), k - 1)
        sizes.append(size)
        pairs.append((before, (n - 1) * s + k - size - before))
    return tuple(sizes), tuple(pairs)


@composed(
    cases=(
        case((1, 3, 2), (2, 1, 2), strides=2),
        case((1, 2, 2, 1), (3, 3, 2, 1), strides=2, padding="same"),
        case((1, 3, 1), (3, 2, 1), padding="same", dilation_rate=2),
    )
)
def conv_transpose(x, W, strides=1, padding="valid", output_padding=None, dilation_rate=1):
    """Convolution run backward: an image becomes larger, each number paints a whole window.

    With strides of 2 the image has twice the size. Shapes: x (batch, rows, columns, channels), W
    (rows, columns, filters, channels): the kernel of the convolution that it is the way back of.

    Args:
        strides: steps from one window to the next in the result.
        padding: "valid" for all that is painted; "same" for strides times the size of x.
        output_padding: how much larger the result is than the smallest that fits, below strides.
        dilation_rate: steps from one number of a window to the next.

    >>> conv_transpose(np.array([[[1.0], [10.0]]]), np.ones((2, 1, 1)), strides=2).ravel()
    array([ 1.,  1., 10., 10.])
    """
    if padding not in ("valid", "same"):
        raise ValueError(
            f"conv_transpose: padding={padding!r}\nexpected 'valid' or 'same'\n"
            "write padding='same' for a result of strides times the size"
        )
    rank = len(x.shape) - 2
    strides = each_axis("conv_transpose", "strides", strides, rank)
    dilation_rate = each_axis("conv_transpose", "dilation_rate", dilation_rate, rank)
    if isinstance(output_padding, int | np.integer):
        output_padding = (output_padding,) * rank
    if x.shape[-1] != W.shape[-1]:
        raise ShapeError(
            f"conv_transpose: images of {x.shape[-1]} channels, a kernel for {W.shape[-1]}\n"
            "expected as many: a kernel has the shape (rows, columns, filters, channels)\n"
            f"write a kernel of shape {(*W.shape[:-1], x.shape[-1])}"
        )
    kernel = W.shape[:-2]
    image, pairs = transposed_sizes(
        x.shape[1:-1], kernel, strides, padding, output_padding, dilation_rate
    )
    return conv_to_image(x, W, (*image, W.shape[-2]), strides, pairs, dilation_rate)


# ---------------------------------------------------------------------------------------- pooling


def pool_slide(name, shape, pool_size, strides, padding):
    """Return how a pooling window slides over images of this shape, by default side by side."""
    rank = len(shape) - 2
    if rank < 1:
        raise ShapeError(
            f"{name}: images of shape {tuple(shape)}\nexpected (batch, rows, columns, channels)\n"
            "write images[..., np.newaxis] for grey images, images[np.newaxis] for a single one"
        )
    pool_size = each_axis(name, "pool_size", pool_size, rank)
    strides = pool_size if strides is None else strides
    return slide_of(name, shape[1:-1], pool_size, strides, padding, 1)


POOL_CASES = (
    case((1, 6, 2), pool_size=2),
    case((1, 4, 4, 1), pool_size=(2, 3), strides=1),
    case((1, 5, 3, 1), pool_size=3, strides=2, padding="same"),
)


@primitive(
    nondiff=("pool_size",),
    convention="of numbers that tie the first one gets the gradient",
    cases=POOL_CASES,
)
def max_pool(x, pool_size, strides=None, padding="valid"):
    """Max pooling: the largest number of every window, channel by channel.

    Args:
        pool_size: sizes of the window.
        strides: steps from one window to the next; by default they lie side by side.
        padding: "valid" for windows inside of the image only, "same" for all.

    >>> max_pool(np.array([[[1.0], [3.0], [2.0], [0.0]]]), 2).ravel()
    array([3., 2.])
    """
    x = floats(x)
    return pooling.largest(x, pool_slide("max_pool", x.shape, pool_size, strides, padding))


@max_pool.vjp("x")
def max_pool_vjp(g, x, pool_size, strides, padding, y):
    which = compute(winners, x, y, pool_size, strides, padding)
    return put_back(g, which, x.shape[1:], pool_size, strides, padding)


def winners(x, y, pool_size, strides, padding):
    """Return which number of its window is the largest, counted row by row; the first of equals.

    >>> x = np.array([[[1.0], [3.0], [2.0], [2.0]]])
    >>> winners(x, max_pool(x, 2), 2, None, "valid").ravel()
    array([1, 0], dtype=uint8)
    """
    return pooling.winners(x, y, pool_slide("max_pool", x.shape, pool_size, strides, padding))


WHICH = np.array([[[1, 0], [0, 1]]], np.uint8)


@primitive(
    nondiff=("which", "shape", "pool_size"),
    cases=(
        case((1, 2, 2), which=WHICH, shape=(4, 2), pool_size=2),
        case((1, 2, 2), which=WHICH, shape=(3, 2), pool_size=2, strides=1),
    ),
)
def put_back(flow, which, shape, pool_size, strides=None, padding="valid"):
    """The way back of max pooling: zeros, and each number where it was picked from.

    Shapes: flow and ``which`` (batch, rows, columns, channels) as max_pool returns it; ``shape`` is
    that of one image, with channels.
    """
    how = pool_slide("put_back", (1, *shape), pool_size, strides, padding)
    return pooling.put_back(np.asarray(flow), which, how)


@put_back.vjp("flow")
def put_back_vjp(g, which, pool_size, strides, padding):
    return pick(g, which, pool_size, strides, padding)


@primitive(
    nondiff=("which", "pool_size"),
    cases=(
        case((1, 4, 2), which=WHICH, pool_size=2),
        case((1, 3, 2), which=WHICH, pool_size=2, strides=1),
    ),
)
def pick(x, which, pool_size, strides=None, padding="valid"):
    """One number of every window, the one that max pooling has picked."""
    x = np.asarray(x)
    return pooling.picked(x, which, pool_slide("pick", x.shape, pool_size, strides, padding))


@pick.vjp("x")
def pick_vjp(g, x, which, pool_size, strides, padding):
    return put_back(g, which, x.shape[1:], pool_size, strides, padding)


@composed(cases=POOL_CASES)
def average_pool(x, pool_size, strides=None, padding="valid"):
    """Average pooling: the mean of every window, a convolution whose weights are all 1/n.

    Windows that reach over the edge have the mean of what is inside. Arguments as for max_pool.

    >>> average_pool(np.array([[[1.0], [3.0], [2.0], [0.0]]]), 2).ravel()
    array([2., 1.])
    """
    how = pool_slide("average_pool", x.shape, pool_size, strides, padding)
    inside = np.ones((1, *how.image, 1), x.dtype)
    ones = np.ones((*how.kernel, 1, 1), x.dtype)
    weights = ones / math.prod(how.kernel)
    channels = np.broadcast_to(weights, (*how.kernel, 1, x.shape[-1]))
    means = conv(x, channels, how.strides, padding)
    if padding == "valid":
        return means
    return means * (1.0 / windows.correlate(inside, weights, how))
