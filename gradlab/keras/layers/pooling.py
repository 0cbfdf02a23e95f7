"""Pooling layers: one number for every window, so that an image becomes smaller and coarser.

They have no weights. Source: deck 000, "pooling layers".
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from gradlab.keras import masks
from gradlab.keras.layers.images import FORMATS, ImageLayer
from gradlab.keras.layers.sliding import checked_padding
from gradlab.ops import reductions, windows
from gradlab.ops.shaping import moveaxis
from gradlab.tape import compute


class Pooling(ImageLayer):
    """Base of the layers that pool windows.

    Args:
        pool_size: sizes of the window; 2 means (2, 2).
        strides: steps from one window to the next; by default windows lie side by side.
        padding: "valid" for windows inside of the image only, "same" for all.
        data_format: "channels_last" or "channels_first".
    """

    function: Callable[..., Any]

    def __init__(
        self,
        pool_size: Any = 2,
        strides: Any = None,
        padding: str = "valid",
        data_format: str | None = None,
        **more: Any,
    ) -> None:
        super().__init__(data_format, **more)
        kind = type(self).__name__
        self.pool_size = windows.each_axis(kind, "pool_size", pool_size, self.rank)
        strides = self.pool_size if strides is None else strides
        self.strides = windows.each_axis(kind, "strides", strides, self.rank)
        self.padding = checked_padding(kind, padding, ("valid", "same"))

    def on_images(self, x: Any) -> Any:
        return type(self).function(x, self.pool_size, self.strides, self.padding)

    def sizes(self, image: tuple[int, ...], channels: Any) -> tuple[Any, ...]:
        shape = (1, *image, channels)
        how = (self.pool_size, self.strides, self.padding)
        return (*windows.pool_slide(self.name, shape, *how).places, channels)

    def get_config(self) -> dict[str, Any]:
        own = {"pool_size": self.pool_size, "strides": self.strides, "padding": self.padding}
        return {**super().get_config(), **own}


class MaxPooling1D(Pooling):
    """The largest number of every window of a sequence. Arguments as for `Pooling`."""

    rank, function = 1, windows.max_pool


class MaxPooling2D(Pooling):
    """The largest number of every window of an image. Arguments as for `Pooling`.

    >>> import numpy as np
    >>> MaxPooling2D()(np.array([[[[1.0], [2.0]], [[4.0], [3.0]]]])).ravel()
    array([4.], dtype=float32)
    """

    function = windows.max_pool


class AveragePooling1D(Pooling):
    """The mean of every window of a sequence. Arguments as for `Pooling`."""

    rank, function = 1, windows.average_pool


class AveragePooling2D(Pooling):
    """The mean of every window of an image. Arguments as for `Pooling`.

    >>> import numpy as np
    >>> AveragePooling2D()(np.array([[[[1.0], [2.0]], [[4.0], [3.0]]]])).ravel()
    array([2.5], dtype=float32)
    """

    function = windows.average_pool


class GlobalPooling(ImageLayer):
    """Base of the layers that pool whole images: one number per channel.

    Args:
        data_format: "channels_last" or "channels_first".
        keepdims: whether the axes of the image stay, with size 1.
    """

    function: Callable[..., Any]

    def __init__(self, data_format: str | None = None, keepdims: bool = False, **more: Any) -> None:
        super().__init__(data_format, **more)
        self.keepdims = keepdims

    def on_images(self, x: Any) -> Any:
        axes = tuple(range(1, self.rank + 1))
        return type(self).function(x, axis=axes, keepdims=self.keepdims)

    def sizes(self, image: tuple[int, ...], channels: Any) -> tuple[Any, ...]:
        return (*(1 for _ in image), channels) if self.keepdims else (channels,)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "keepdims": self.keepdims}


class GlobalMaxPooling1D(GlobalPooling):
    """The largest number of each channel of a sequence. Arguments as for `GlobalPooling`."""

    rank, function = 1, reductions.reduce_max


class GlobalMaxPooling2D(GlobalPooling):
    """The largest number of each channel of an image. Arguments as for `GlobalPooling`."""

    function = reductions.reduce_max


class GlobalAveragePooling1D(GlobalPooling):
    """The mean of each channel of a sequence, over the steps that count if there is a mask.

    Arguments as for `GlobalPooling`. A sequence of which no step counts has the mean 0.

    >>> import numpy as np
    >>> x, mask = np.array([[[1.0], [3.0], [50.0]]]), np.array([[True, True, False]])
    >>> GlobalAveragePooling1D()(x, mask=mask)
    array([[2.]], dtype=float32)
    """

    rank, function = 1, reductions.mean
    supports_masking = True

    def call(self, inputs: Any, mask: Any = None) -> Any:
        if mask is None:
            return super().call(inputs)
        x = inputs if self.data_format == FORMATS[0] else moveaxis(inputs, 1, -1)
        factors = compute(masks.shares, mask, tuple(x.shape), (1,), self.dtype)
        y = reductions.reduce_sum(x * factors, axis=1, keepdims=self.keepdims)
        return y if self.data_format == FORMATS[0] or not self.keepdims else moveaxis(y, -1, 1)


class GlobalAveragePooling2D(GlobalPooling):
    """The mean of each channel of an image. Arguments as for `GlobalPooling`.

    >>> import numpy as np
    >>> GlobalAveragePooling2D()(np.ones((5, 4, 4, 3))).shape
    (5, 3)
    """

    function = reductions.mean
