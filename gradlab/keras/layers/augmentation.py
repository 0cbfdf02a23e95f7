"""Images in another size, and images that are turned, mirrored and moved at random in training.

A network that never sees the same image twice learns what stays the same: what is in it.
"""

from __future__ import annotations

import math
from typing import Any, ClassVar

import numpy as np

from gradlab.errors import ShapeError
from gradlab.keras import random
from gradlab.keras.layers.base import Layer
from gradlab.keras.layers.images import ImageLayer
from gradlab.keras.layers.resizing import CURVES
from gradlab.ops import shaping
from gradlab.ops.linear import matmul
from gradlab.tape import compute

FILLS = ("reflect", "wrap", "constant", "nearest")


def sampling_matrix(interpolation: str, size: int, new: int, antialias: bool = False) -> np.ndarray:
    """Return the matrix that makes ``new`` numbers of ``size``: rows of weights, each with sum 1.

    Args:
        antialias: where numbers become fewer, mix all of those that one stands for.

    >>> sampling_matrix("bilinear", 4, 2)
    array([[0.5, 0.5, 0. , 0. ],
           [0. , 0. , 0.5, 0.5]])
    >>> sampling_matrix("nearest", 2, 3)
    array([[1., 0.],
           [0., 1.],
           [0., 1.]])
    """
    curve = CURVES[interpolation]
    places = (np.arange(new) + 0.5) * size / new
    if curve is None:
        return np.eye(size)[np.minimum(places.astype(int), size - 1)]
    width = max(size / new, 1.0) if antialias else 1.0
    weights = curve((places[:, np.newaxis] - 0.5 - np.arange(size)) / width)
    return weights / weights.sum(axis=1, keepdims=True)


class Resizing(ImageLayer):
    """Images in another size.

    Args:
        height, width: the new size.
        interpolation: "nearest", "bilinear", "bicubic", "lanczos3" or "lanczos5".
        crop_to_aspect_ratio: cut off what does not fit the shape, instead of squeezing it.
        pad_to_aspect_ratio: fill up what is missing with ``fill_value`` instead.
        fill_value: of the pixels that are filled up.
        antialias: mix all pixels that one pixel of a smaller image stands for.
        data_format: "channels_last" or "channels_first".

    Raises:
        ValueError: a size below 1, an unknown interpolation, or both ways to keep the shape.

    >>> Resizing(1, 2)(np.array([[[[0.0], [2.0]], [[4.0], [6.0]]]])).ravel()
    array([2., 4.], dtype=float32)
    """

    def __init__(
        self,
        height: int,
        width: int,
        interpolation: str = "bilinear",
        crop_to_aspect_ratio: bool = False,
        pad_to_aspect_ratio: bool = False,
        fill_mode: str = "constant",
        fill_value: float = 0.0,
        antialias: bool = False,
        data_format: str | None = None,
        **more: Any,
    ) -> None:
        super().__init__(data_format, **more)
        self.height, self.width = height, width
        self.interpolation = str(interpolation).lower()
        self.crop_to_aspect_ratio = crop_to_aspect_ratio
        self.pad_to_aspect_ratio = pad_to_aspect_ratio
        self.fill_mode, self.fill_value, self.antialias = fill_mode, fill_value, antialias
        sizes = all(isinstance(n, int | np.integer) and n > 0 for n in (height, width))
        if not sizes or self.interpolation not in CURVES or fill_mode != "constant":
            raise ValueError(
                f"Resizing: {height!r} x {width!r}, interpolation={interpolation!r}, "
                f"fill_mode={fill_mode!r}\n"
                f"expected whole numbers, one of {', '.join(CURVES)}, and 'constant'\n"
                "write Resizing(224, 224)"
            )
        if crop_to_aspect_ratio and pad_to_aspect_ratio:
            raise ValueError(
                "Resizing: crop_to_aspect_ratio and pad_to_aspect_ratio\n"
                "expected one of them: cut off, or fill up\nwrite crop_to_aspect_ratio=True"
            )

    def on_images(self, x: Any) -> Any:
        x = self._in_shape(x)
        down, across = (
            sampling_matrix(self.interpolation, n, new, self.antialias).astype(x.dtype)
            for n, new in zip(x.shape[1:3], (self.height, self.width), strict=True)
        )
        batch, rows, columns, channels = x.shape
        y = matmul(down, shaping.reshape(x, (batch, rows, columns * channels)))
        return matmul(across, shaping.reshape(y, (batch, self.height, columns, channels)))

    def _in_shape(self, x: Any) -> Any:
        """Return the images cut or filled up to the ratio of the new height and width."""
        rows, columns = x.shape[1:3]
        tall, wide = columns * self.height // self.width, rows * self.width // self.height
        if self.crop_to_aspect_ratio:
            tall, wide = max(min(rows, tall), 1), max(min(columns, wide), 1)
            top, left = (rows - tall) // 2, (columns - wide) // 2
            key = (slice(None), slice(top, top + tall), slice(left, left + wide))
            return shaping.index(x, key)
        if self.pad_to_aspect_ratio:
            above, left = max(tall - rows, 0) // 2, max(wide - columns, 0) // 2
            widths = ((0, 0), (above, above), (left, left), (0, 0))  # as Keras: the same on both
            return shaping.pad(x - self.fill_value, widths) + self.fill_value
        return x

    def compute_output_shape(self, input_shape: Any) -> Any:
        if self.data_format == "channels_last":
            return (input_shape[0], self.height, self.width, input_shape[3])
        return (*input_shape[:2], self.height, self.width)

    def get_config(self) -> dict[str, Any]:
        names = ("height", "width", "interpolation", "crop_to_aspect_ratio")
        names = (*names, "pad_to_aspect_ratio", "fill_mode", "fill_value", "antialias")
        return {**super().get_config(), **{name: getattr(self, name) for name in names}}


# ---------------------------------------------------------------------------------------- at random


class RandomImages(Layer):
    """Base of the layers that change images at random, each in another way, in training only.

    Gradients do not flow back through them: they stand before all that is learnt.

    Args:
        data_format: "channels_last" or "channels_first".
        seed: for changes of its own.
    """

    settings: ClassVar[tuple[str, ...]] = ()

    def __init__(
        self, data_format: str | None = None, seed: int | None = None, **more: Any
    ) -> None:
        super().__init__(**more)
        self.data_format = data_format or "channels_last"
        if self.data_format not in ("channels_last", "channels_first"):
            raise ValueError(
                f"{type(self).__name__}: data_format={data_format!r}\n"
                "expected 'channels_last' or 'channels_first'\nwrite no data_format"
            )
        self.seed, self._own = seed, random.own_generator(seed)

    @property
    def generator(self) -> np.random.Generator:
        return self._own or random.generator()

    def changed(self, x: np.ndarray) -> np.ndarray:
        """Return images (batch, rows, columns, channels), each changed at random."""
        raise NotImplementedError

    def check_input(self, shape: Any) -> None:
        if len(shape) not in (3, 4):
            raise ShapeError(
                f"{self.name}: inputs of shape {shape}\n"
                "expected images: (batch, rows, columns, channels)\n"
                "write x[..., np.newaxis] for grey ones"
            )

    def call(self, inputs: Any, training: bool = True) -> Any:
        return compute(changed, inputs, self, effect=True) if training else inputs

    def compute_output_shape(self, input_shape: Any) -> Any:
        return input_shape

    def get_config(self) -> dict[str, Any]:
        names = (*self.settings, "data_format", "seed")
        return {**super().get_config(), **{name: getattr(self, name) for name in names}}


def changed(x: Any, layer: RandomImages) -> np.ndarray:
    """Return images changed by a layer, whatever the order of their axes."""
    x = np.asarray(x)
    images = x[np.newaxis] if x.ndim == 3 else x
    first = layer.data_format == "channels_first"
    images = np.moveaxis(images, 1, -1) if first else images
    y = layer.changed(images)
    y = np.moveaxis(y, -1, 1) if first else y
    return y[0] if x.ndim == 3 else y


class RandomFlip(RandomImages):
    """Mirrors half of the images.

    Args:
        mode: "horizontal" (left and right change places), "vertical", or "horizontal_and_vertical":
            both, for one half of the images.
        more: the arguments of `RandomImages`.

    >>> layer = RandomFlip("horizontal", seed=0)
    >>> layer(np.array([[[[1.0], [2.0]]], [[[1.0], [2.0]]]]), training=True)[:, 0, :, 0]
    array([[1., 2.],
           [2., 1.]], dtype=float32)
    """

    settings = ("mode",)

    def __init__(
        self, mode: str = "horizontal_and_vertical", seed: int | None = None, **more: Any
    ) -> None:
        super().__init__(seed=seed, **more)
        if mode not in ("horizontal", "vertical", "horizontal_and_vertical"):
            raise ValueError(
                f"RandomFlip: mode={mode!r}\n"
                "expected 'horizontal', 'vertical' or 'horizontal_and_vertical'\n"
                "write RandomFlip('horizontal')"
            )
        self.mode = mode

    def changed(self, x: np.ndarray) -> np.ndarray:
        y, chosen = x.copy(), self.generator.random(len(x)) <= 0.5
        if "horizontal" in self.mode:
            y[chosen] = y[chosen, :, ::-1]
        if "vertical" in self.mode:
            y[chosen] = y[chosen, ::-1]
        return y


def placed(places: np.ndarray, size: int, fill: str) -> np.ndarray:
    """Return pixel numbers inside of an image for whole numbers that may lie outside of it.

    >>> outside = np.array([-2, -1, 0, 2, 3, 4])
    >>> placed(outside, 3, "reflect"), placed(outside, 3, "wrap"), placed(outside, 3, "nearest")
    (array([1, 0, 0, 2, 2, 1]), array([1, 2, 0, 2, 0, 1]), array([0, 0, 0, 2, 2, 2]))
    """
    if fill == "wrap":
        return places % size
    if fill == "reflect":
        round_trip = places % (2 * size)
        return np.minimum(round_trip, 2 * size - 1 - round_trip)
    return np.clip(places, 0, size - 1)


def sampled(
    x: np.ndarray,
    rows: np.ndarray,
    columns: np.ndarray,
    interpolation: str,
    fill: str,
    value: float,
) -> np.ndarray:
    """Return images looked at in other places, between the pixels and beyond the edge, too.

    Args:
        x: (batch, rows, columns, channels).
        rows, columns: (batch, rows, columns), where each pixel of the result comes from.
        interpolation: "nearest" or "bilinear".
        fill: what is beyond the edge; one of `FILLS`.
        value: of the pixels there, with "constant".

    >>> x = np.array([[[[0.0], [10.0]]]])
    >>> sampled(x, np.zeros((1, 1, 1)), np.full((1, 1, 1), 0.25), "bilinear", "nearest", 0.0).item()
    2.5
    """
    if interpolation == "nearest":
        rows, columns = np.rint(rows), np.rint(columns)
    top, left = np.floor(rows), np.floor(columns)
    down, right = rows - top, columns - left
    total = np.zeros((*rows.shape, x.shape[-1]), np.result_type(x, np.float32))
    for i, j in ((0, 0), (0, 1), (1, 0), (1, 1)):
        weight = (down if i else 1 - down) * (right if j else 1 - right)
        if weight.any():
            pixel = _pixels(x, (top + i).astype(int), (left + j).astype(int), fill, value)
            total += weight[..., np.newaxis] * pixel
    return total.astype(x.dtype)


def _pixels(x: np.ndarray, rows: np.ndarray, columns: np.ndarray, fill: str, value: float) -> Any:
    height, width = x.shape[1:3]
    batch = np.arange(len(x))[:, np.newaxis, np.newaxis]
    found = x[batch, placed(rows, height, fill), placed(columns, width, fill)]
    if fill != "constant":
        return found
    inside = (rows >= 0) & (rows < height) & (columns >= 0) & (columns < width)
    return np.where(inside[..., np.newaxis], found, value)


class Moved(RandomImages):
    """Base of the layers that look at an image in other places: turned, scaled, shifted.

    Args:
        fill_mode: what is beyond the edge: "reflect" (the image mirrored), "wrap" (its other side),
            "constant", or "nearest" (the pixel at the edge).
        interpolation: between pixels: "nearest" or "bilinear".
        fill_value: with "constant".
        more: the arguments of `RandomImages`.
    """

    settings = ("fill_mode", "interpolation", "fill_value")

    def __init__(
        self,
        fill_mode: str = "reflect",
        interpolation: str = "bilinear",
        seed: int | None = None,
        fill_value: float = 0.0,
        **more: Any,
    ) -> None:
        super().__init__(seed=seed, **more)
        if fill_mode not in FILLS or interpolation not in ("nearest", "bilinear"):
            raise ValueError(
                f"{type(self).__name__}: fill_mode={fill_mode!r}, interpolation={interpolation!r}\n"
                f"expected one of {', '.join(FILLS)}, and 'nearest' or 'bilinear'\n"
                "write neither of them for mirrored edges and smooth pixels"
            )
        self.fill_mode, self.interpolation = fill_mode, interpolation
        self.fill_value = fill_value

    def places(self, x: np.ndarray, rows: np.ndarray, columns: np.ndarray) -> Any:
        """Return the rows and columns at which each image is looked at.

        Args:
            rows, columns: those of the pixels, (rows, 1) and (1, columns).
        """
        raise NotImplementedError

    def changed(self, x: np.ndarray) -> np.ndarray:
        rows, columns = np.ogrid[: x.shape[1], : x.shape[2]]
        rows, columns = self.places(x, rows, columns)
        whole = (len(x), *x.shape[1:3])
        rows, columns = np.broadcast_to(rows, whole), np.broadcast_to(columns, whole)
        return sampled(x, rows, columns, self.interpolation, self.fill_mode, self.fill_value)

    def drawn(self, between: tuple[float, float], count: int) -> np.ndarray:
        """Return a number for each image, (batch, 1, 1)."""
        return self.generator.uniform(*between, (count, 1, 1))


def interval(kind: str, name: str, factor: Any) -> tuple[float, float]:
    """Return the lower and the upper end of a factor: 0.2 means from -0.2 to 0.2.

    Raises:
        ValueError: neither a number nor two of them.
    """
    both = isinstance(factor, list | tuple)
    pair = list(factor) if both else [factor, factor]
    real = all(isinstance(number, int | float | np.number) for number in pair)
    if len(pair) != 2 or not real or not all(-1.0 <= number <= 1.0 for number in pair):
        raise ValueError(
            f"{kind}: {name}={factor!r}\nexpected a number, or two of them, from -1 to 1\n"
            f"write {name}=0.2 for numbers between -0.2 and 0.2"
        )
    low, high = sorted(pair) if both else (-abs(pair[0]), abs(pair[0]))
    return float(low), float(high)


class RandomRotation(Moved):
    """Turns images about their centre.

    Args:
        factor: by how many whole turns; 0.1 means between 36 degrees to the right and to the left.
        more: the arguments of `Moved`.
    """

    settings = ("factor", *Moved.settings)

    def __init__(self, factor: Any, *arguments: Any, **more: Any) -> None:
        super().__init__(*arguments, **more)
        self.factor, self._between = factor, interval("RandomRotation", "factor", factor)

    def places(self, x: np.ndarray, rows: np.ndarray, columns: np.ndarray) -> Any:
        angle = 2.0 * math.pi * self.drawn(self._between, len(x))
        cos, sin = np.cos(angle), np.sin(angle)
        middle, centre = (x.shape[1] - 1) / 2.0, (x.shape[2] - 1) / 2.0
        down, right = rows - middle, columns - centre
        return middle + cos * down + sin * right, centre + cos * right - sin * down


class RandomZoom(Moved):
    """Shows images larger or smaller.

    Args:
        height_factor: how much higher the part is that is shown: 0.2 for between 0.8 and 1.2 of it;
            above 0 the image becomes smaller.
        width_factor: the same for the width; None keeps the shape.
        more: the arguments of `Moved`.
    """

    settings = ("height_factor", "width_factor", *Moved.settings)

    def __init__(
        self, height_factor: Any, width_factor: Any = None, *arguments: Any, **more: Any
    ) -> None:
        super().__init__(*arguments, **more)
        self.height_factor, self.width_factor = height_factor, width_factor
        self._high = interval("RandomZoom", "height_factor", height_factor)
        same = width_factor is None
        self._wide = None if same else interval("RandomZoom", "width_factor", width_factor)

    def places(self, x: np.ndarray, rows: np.ndarray, columns: np.ndarray) -> Any:
        high = 1.0 + self.drawn(self._high, len(x))
        wide = high if self._wide is None else 1.0 + self.drawn(self._wide, len(x))
        middle, centre = (x.shape[1] - 1) / 2.0, (x.shape[2] - 1) / 2.0
        return middle + high * (rows - middle), centre + wide * (columns - centre)


class RandomTranslation(Moved):
    """Shifts images up or down and sideways.

    Args:
        height_factor: how far down, as a share of the height; 0.2 for up to 0.2 up or down.
        width_factor: how far to the right, as a share of the width.
        more: the arguments of `Moved`.
    """

    settings = ("height_factor", "width_factor", *Moved.settings)

    def __init__(self, height_factor: Any, width_factor: Any, *arguments: Any, **more: Any) -> None:
        super().__init__(*arguments, **more)
        self.height_factor, self.width_factor = height_factor, width_factor
        self._high = interval("RandomTranslation", "height_factor", height_factor)
        self._wide = interval("RandomTranslation", "width_factor", width_factor)

    def places(self, x: np.ndarray, rows: np.ndarray, columns: np.ndarray) -> Any:
        high, wide = self.drawn(self._high, len(x)), self.drawn(self._wide, len(x))
        return rows - high * x.shape[1], columns - wide * x.shape[2]
