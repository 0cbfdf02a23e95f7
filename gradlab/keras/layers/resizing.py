"""Layers that make images larger or smaller: zeros around, edges cut off, pixels in between.

They have no weights.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from gradlab.errors import ShapeError
from gradlab.keras.layers.images import ImageLayer
from gradlab.ops import shaping, windows
from gradlab.ops.linear import matmul


def each_edge(kind: str, argument: str, given: Any) -> tuple[tuple[int, int], tuple[int, int]]:
    """Return ((top, bottom), (left, right)): 1 means 1 everywhere, (1, 2) means ((1, 1), (2, 2)).

    >>> each_edge("ZeroPadding2D", "padding", (1, (0, 2)))
    ((1, 1), (0, 2))

    Raises:
        ValueError: anything else.
    """
    pairs = (given, given) if isinstance(given, int | np.integer) else given
    try:
        rows, columns = ((p, p) if isinstance(p, int | np.integer) else tuple(p) for p in pairs)
        (top, bottom), (left, right) = rows, columns
        whole = all(isinstance(n, int | np.integer) and n >= 0 for n in (*rows, *columns))
    except (TypeError, ValueError):
        whole = False
    if not whole:
        raise ValueError(
            f"{kind}: {argument}={given!r}\n"
            "expected whole numbers from 0: one, one for each axis, or one for each edge\n"
            f"write {argument}=((1, 1), (2, 2)): top and bottom, left and right"
        )
    return (int(top), int(bottom)), (int(left), int(right))


class ZeroPadding2D(ImageLayer):
    """Zeros around an image.

    Args:
        padding: how many; 1, (1, 2) for rows and columns, or ((top, bottom), (left, right)).
        data_format: "channels_last" or "channels_first".

    >>> ZeroPadding2D(((0, 0), (1, 2)))(np.ones((1, 1, 1, 1))).ravel()
    array([0., 1., 0., 0.], dtype=float32)
    """

    def __init__(self, padding: Any = 1, data_format: str | None = None, **more: Any) -> None:
        super().__init__(data_format, **more)
        self.padding = each_edge(type(self).__name__, "padding", padding)

    def on_images(self, x: Any) -> Any:
        return shaping.pad(x, ((0, 0), *self.padding, (0, 0)))

    def sizes(self, image: tuple[int, ...], channels: Any) -> tuple[Any, ...]:
        return (*(n + sum(p) for n, p in zip(image, self.padding, strict=True)), channels)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "padding": self.padding}


class Cropping2D(ImageLayer):
    """An image without its edges.

    Args:
        cropping: how many rows and columns are cut off; 1, (1, 2) for rows and columns, or ((top,
            bottom), (left, right)).
        data_format: "channels_last" or "channels_first".

    Raises:
        ShapeError: nothing is left of an image.

    >>> Cropping2D(((0, 0), (1, 0)))(np.array([[[[1.0], [2.0], [3.0]]]])).ravel()
    array([2., 3.], dtype=float32)
    """

    def __init__(self, cropping: Any = 0, data_format: str | None = None, **more: Any) -> None:
        super().__init__(data_format, **more)
        self.cropping = each_edge(type(self).__name__, "cropping", cropping)

    def on_images(self, x: Any) -> Any:
        inside = zip(self.cropping, x.shape[1:-1], strict=True)
        return shaping.index(x, (slice(None), *(slice(a, n - b) for (a, b), n in inside)))

    def sizes(self, image: tuple[int, ...], channels: Any) -> tuple[Any, ...]:
        left = [n - sum(p) for n, p in zip(image, self.cropping, strict=True)]
        if min(left) < 1:
            raise ShapeError(
                f"{self.name}: cropping={self.cropping} of images of {image[0]} x {image[1]}\n"
                "expected less than there is: the result has no number\n"
                "write a smaller cropping=((top, bottom), (left, right))"
            )
        return (*left, channels)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "cropping": self.cropping}


# ------------------------------------------------------------------------------ pixels in between


def triangle(x: np.ndarray) -> np.ndarray:
    """Weight of a pixel at a distance: straight lines between pixels."""
    return np.maximum(0.0, 1.0 - np.abs(x))


def cubic(x: np.ndarray) -> np.ndarray:
    """Weight of a pixel at a distance: smooth curves through the pixels; Keys (1981), a = -1/2."""
    x = np.abs(x)
    near = (1.5 * x - 2.5) * x * x + 1.0
    far = ((-0.5 * x + 2.5) * x - 4.0) * x + 2.0
    return np.where(x < 1.0, near, np.where(x < 2.0, far, 0.0))


def lanczos(x: np.ndarray, radius: float) -> np.ndarray:
    """Weight of a pixel at a distance: a sine wave, faded out by a wider one."""
    return np.where(np.abs(x) < radius, np.sinc(x) * np.sinc(x / radius), 0.0)


def lanczos3(x: np.ndarray) -> np.ndarray:
    """`lanczos` over three pixels on each side."""
    return lanczos(x, 3.0)


def lanczos5(x: np.ndarray) -> np.ndarray:
    """`lanczos` over five pixels on each side."""
    return lanczos(x, 5.0)


CURVES: dict[str, Callable[[np.ndarray], np.ndarray] | None] = {
    "nearest": None,
    "bilinear": triangle,
    "bicubic": cubic,
    "lanczos3": lanczos3,
    "lanczos5": lanczos5,
}


def interpolation_matrix(curve: Any, size: int, factor: int) -> np.ndarray:
    """Return the matrix that makes ``factor * size`` numbers of ``size``: rows of weights, sum 1.

    >>> interpolation_matrix(triangle, 2, 2)
    array([[1.  , 0.  ],
           [0.75, 0.25],
           [0.25, 0.75],
           [0.  , 1.  ]])
    """
    places = (np.arange(size * factor) + 0.5) / factor - 0.5
    weights = curve(places[:, np.newaxis] - np.arange(size))
    return weights / weights.sum(axis=1, keepdims=True)


class UpSampling2D(ImageLayer):
    """An image with more pixels: each one several times over, or others in between.

    Args:
        size: how many rows and columns become of one; 2 means (2, 2).
        data_format: "channels_last" or "channels_first".
        interpolation: "nearest" repeats pixels; "bilinear", "bicubic", "lanczos3" and "lanczos5"
            mix neighbours.

    >>> UpSampling2D((1, 2))(np.array([[[[1.0], [2.0]]]])).ravel()
    array([1., 1., 2., 2.], dtype=float32)
    """

    def __init__(
        self,
        size: Any = 2,
        data_format: str | None = None,
        interpolation: str = "nearest",
        **more: Any,
    ) -> None:
        super().__init__(data_format, **more)
        self.size = windows.each_axis(type(self).__name__, "size", size, 2)
        self.interpolation = str(interpolation).lower()
        if self.interpolation not in CURVES:
            raise ValueError(
                f"UpSampling2D: interpolation={interpolation!r}\n"
                f"expected one of {', '.join(CURVES)}\nwrite interpolation='bilinear'"
            )

    def on_images(self, x: Any) -> Any:
        if self.interpolation == "nearest":
            return self._repeated(x)
        curve = CURVES[self.interpolation]
        down, across = (
            interpolation_matrix(curve, n, k).astype(x.dtype)
            for n, k in zip(x.shape[1:3], self.size, strict=True)
        )
        batch, rows, columns, channels = x.shape
        y = matmul(down, shaping.reshape(x, (batch, rows, columns * channels)))
        return matmul(across, shaping.reshape(y, (batch, len(down), columns, channels)))

    def _repeated(self, x: Any) -> Any:
        (batch, rows, columns, channels), (down, across) = x.shape, self.size
        x = shaping.reshape(x, (batch, rows, 1, columns, 1, channels))
        x = shaping.broadcast_to(x, (batch, rows, down, columns, across, channels))
        return shaping.reshape(x, (batch, rows * down, columns * across, channels))

    def sizes(self, image: tuple[int, ...], channels: Any) -> tuple[Any, ...]:
        return (image[0] * self.size[0], image[1] * self.size[1], channels)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "size": self.size, "interpolation": self.interpolation}
