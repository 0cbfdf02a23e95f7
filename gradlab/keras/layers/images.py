"""What layers for images and sequences share: channels last or first, and sizes in between.

The functions of the table have the channels last; a layer with ``data_format="channels_first"``
moves them there and back.
"""

from __future__ import annotations

from typing import Any, ClassVar

from gradlab.errors import ShapeError
from gradlab.keras.layers.base import Layer
from gradlab.keras.layers.shapes import is_shape
from gradlab.ops.shaping import moveaxis

FORMATS = ("channels_last", "channels_first")
UNKNOWN = 1 << 20  # stands for a size that is not known yet: large enough for every window


class ImageLayer(Layer):
    """Base of these layers: override `on_images` and `sizes`, for arrays with the channels last.

    Args:
        data_format: "channels_last" for (batch, rows, columns, channels), the default, or
            "channels_first" for (batch, channels, rows, columns).
    """

    rank: ClassVar[int] = 2  # axes of an image; 1 for a sequence
    supports_masking = False  # a window sees steps that count and steps that do not

    def __init__(self, data_format: str | None = None, **more: Any) -> None:
        super().__init__(**more)
        self.data_format = data_format or FORMATS[0]
        if self.data_format not in FORMATS:
            raise ValueError(
                f"{type(self).__name__}: data_format={data_format!r}\n"
                "expected 'channels_last' or 'channels_first'\n"
                "write data_format='channels_last' for images of shape (rows, columns, channels)"
            )

    def on_images(self, x: Any) -> Any:
        """Return the outputs for inputs with the channels last."""
        raise NotImplementedError

    def sizes(self, image: tuple[int, ...], channels: Any) -> tuple[Any, ...]:
        """Return the shape of one output, channels last, for an image of these sizes."""
        raise NotImplementedError

    def call(self, inputs: Any) -> Any:
        if self.data_format == FORMATS[0]:
            return self.on_images(inputs)
        y = self.on_images(moveaxis(inputs, 1, -1))
        return moveaxis(y, -1, 1) if len(y.shape) > 2 else y

    def check_input(self, shape: Any) -> None:
        if not is_shape(shape) or len(shape) != self.rank + 2:
            axes = ["rows", "columns"] if self.rank == 2 else ["steps"]
            place = len(axes) if self.data_format == FORMATS[0] else 0
            axes.insert(place, "channels")
            raise ShapeError(
                f"{self.name}: inputs of shape {shape}\n"
                f"expected (batch, {', '.join(axes)})\n"
                "write X[..., np.newaxis] before it, for data with a single channel"
            )
        self.compute_output_shape(shape)

    def compute_output_shape(self, input_shape: Any) -> Any:
        batch, *image = input_shape
        channels = image.pop(-1 if self.data_format == FORMATS[0] else 0)
        shape = self.sizes(tuple(UNKNOWN if n is None else n for n in image), channels)
        if len(shape) == 1:
            return (batch, *shape)
        *found, filters = shape
        found = [m if n is not None else None for n, m in zip(image, found, strict=True)]
        last = self.data_format == FORMATS[0]
        return (batch, *found, filters) if last else (batch, filters, *found)

    def channels_of(self, input_shape: Any) -> int:
        """Return the number of channels of the inputs.

        Raises:
            ShapeError: it is not known.
        """
        channels = input_shape[-1 if self.data_format == FORMATS[0] else 1]
        if channels is None:
            raise ShapeError(
                f"{self.name}: inputs of shape {input_shape}\n"
                "expected a known number of channels: the weights depend on it\n"
                "write Input(shape=(None, None, 3)), for images of three channels and any size"
            )
        return channels

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "data_format": self.data_format}
