"""How a window slides over an image: where it stops, and which numbers it then sees.

Zeros around the image let it stop at the edges, strides make it skip places, dilation makes it look
at numbers that lie apart.
"""

from __future__ import annotations

import dataclasses
import functools
from typing import Any

import numpy as np

from gradlab.errors import ShapeError


@dataclasses.dataclass(frozen=True)
class Slide:
    """How a window slides over an image, one entry per axis of the image.

    Attributes:
        image: sizes.
        kernel: sizes of the window.
        strides: steps from one place to the next.
        dilation: steps from one number of a window to the next.
        before: zeros put before the image.
        places: how many windows there are.
    """

    image: tuple[int, ...]
    kernel: tuple[int, ...]
    strides: tuple[int, ...]
    dilation: tuple[int, ...]
    before: tuple[int, ...]
    places: tuple[int, ...]

    @functools.cached_property
    def wide(self) -> tuple[int, ...]:
        """Sizes of the image with the zeros around it, as far as windows reach."""
        axes = zip(self.places, self.strides, self.kernel, self.dilation, strict=True)
        reach = [(n - 1) * s + (k - 1) * d + 1 for n, s, k, d in axes]
        zipped = zip(self.before, self.image, reach, strict=True)
        return tuple(max(before + n, last) for before, n, last in zipped)

    @property
    def inside(self) -> tuple[slice, ...]:
        """Where the image is in the wide one: slices of the batch and of its axes."""
        axes = zip(self.before, self.image, strict=True)
        return (slice(None), *(slice(before, before + n) for before, n in axes))

    def taps(self, rows: slice = slice(None)) -> list[tuple[slice, ...]]:
        """Return, for each number of the window, where all windows (or some rows of them) have it.

        >>> edges = slide("conv", (5,), (2,), (2,), "valid", (1,))
        >>> [np.arange(5)[tap] for tap in edges.taps()]
        [array([0, 2]), array([1, 3])]
        """
        first, last, _ = rows.indices(self.places[0])
        return _taps(self, first, last)


@functools.lru_cache(1024)
def _taps(how: Slide, first: int, last: int) -> list[tuple[slice, ...]]:
    starts = (first * how.strides[0], *(0 for _ in how.places[1:]))
    counts, found = (last - first, *how.places[1:]), []
    for tap in np.ndindex(how.kernel):
        at = [a + t * d for a, t, d in zip(starts, tap, how.dilation, strict=True)]
        axes = zip(at, counts, how.strides, strict=True)
        found.append(tuple(slice(a, a + (n - 1) * s + 1, s) for a, n, s in axes))
    return found


@functools.lru_cache(1024)
def slide(
    name: str,
    image: tuple[int, ...],
    kernel: tuple[int, ...],
    strides: tuple[int, ...],
    padding: Any,
    dilation: tuple[int, ...],
) -> Slide:
    """Return how a window slides over an image.

    Args:
        name: of the operation, for messages.
        image: sizes of the image, without batch and channels.
        kernel: sizes of the window.
        strides: steps from one place to the next.
        padding: "valid" (no zeros), "same" (as many places as numbers, if the stride is 1),
            "causal" (zeros before only) or, for each axis, how many zeros before and after.
        dilation: steps from one number of a window to the next.

    >>> slide("conv", (28, 28), (3, 3), (2, 2), "same", (1, 1)).places
    (14, 14)

    Raises:
        ShapeError: the window is larger than the image.
        ValueError: another padding.
    """
    lengths = [(k - 1) * d + 1 for k, d in zip(kernel, dilation, strict=True)]
    axes = list(zip(image, lengths, strides, strict=True))
    if padding == "valid":
        pairs = [(0, 0)] * len(axes)
    elif padding == "same":
        totals = [max((-(-n // s) - 1) * s + k - n, 0) for n, k, s in axes]
        pairs = [(total // 2, total - total // 2) for total in totals]
    elif padding == "causal":
        pairs = [(k - 1, 0) for k in lengths]
    else:
        pairs = _pairs(name, padding, len(axes))
    places = [(n + sum(p) - k) // s + 1 for (n, k, s), p in zip(axes, pairs, strict=True)]
    if min(places) < 1:
        raise _too_large(name, image, lengths, padding)
    before = (first for first, _ in pairs)
    return Slide(*map(tuple, (image, kernel, strides, dilation, before, places)))


def _pairs(name: str, padding: Any, rank: int) -> list[tuple[int, int]]:
    try:
        pairs = [(int(first), int(last)) for first, last in padding]
    except (TypeError, ValueError):
        pairs = []
    if len(pairs) == rank and all(first >= 0 for first, _ in pairs):
        return pairs
    zeros = "(1, 1)" if rank == 1 else ", ".join(["(1, 1)"] * rank)
    raise ValueError(
        f"{name}: padding={padding!r}\n"
        "expected 'valid', 'same', 'causal', or zeros before and after for each axis\n"
        f"write padding=({zeros}{',' if rank == 1 else ''}) for one zero on each side"
    )


def _too_large(name: str, image: Any, window: Any, padding: Any) -> ShapeError:
    image, window = (" x ".join(map(str, sizes)) for sizes in (image, window))
    return ShapeError(
        f"{name}: a window of {window} on an image of {image}, padding={padding!r}\n"
        "expected a window that fits in at least once: the result has no number\n"
        'write padding="same", a smaller window, or fewer layers that shrink the image before it'
    )


def padded(x: np.ndarray, how: Slide, value: float = 0.0) -> np.ndarray:
    """Return the image with numbers around it, as far as windows reach; itself if none do."""
    if how.wide == how.image:
        return x
    y = np.full((len(x), *how.wide, x.shape[-1]), value, x.dtype)
    y[how.inside] = x
    return y
