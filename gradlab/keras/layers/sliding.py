"""What convolutional layers have in common: a window, how it slides, a bias and an activation."""

from __future__ import annotations

from typing import Any

import numpy as np

from gradlab.errors import ShapeError
from gradlab.keras import activations, constraints, initializers, regularizers
from gradlab.keras.layers.images import ImageLayer
from gradlab.ops import windows

KINDS = {"initializer": initializers, "regularizer": regularizers, "constraint": constraints}


class Sliding(ImageLayer):
    """Base of the convolutional layers: a window, how it slides, a bias and an activation.

    Args:
        kernel_size: sizes of the window; 3 means (3, 3).
        strides: steps from one place of the window to the next.
        padding: "valid" for windows inside of the image only, "same" for zeros around it.
        data_format: "channels_last" or "channels_first".
        dilation_rate: steps from one number of the window to the next.
        activation: a name or a function; none means linear.
        use_bias: whether each filter adds a number of its own.
    """

    parts: tuple[str, ...] = ("kernel", "bias")  # the weights that have settings
    paddings: tuple[str, ...] = ("valid", "same")

    def __init__(
        self,
        kernel_size: Any,
        strides: Any,
        padding: str,
        data_format: str | None,
        dilation_rate: Any,
        activation: Any,
        use_bias: bool,
        **more: Any,
    ) -> None:
        super().__init__(data_format, **more)
        kind = type(self).__name__
        self.kernel_size = windows.each_axis(kind, "kernel_size", kernel_size, self.rank)
        self.strides = windows.each_axis(kind, "strides", strides, self.rank)
        self.dilation_rate = windows.each_axis(kind, "dilation_rate", dilation_rate, self.rank)
        self.padding = checked_padding(kind, padding, self.paddings)
        self.activation, self.use_bias = activations.get(activation), use_bias
        self.bias: Any = None

    def _settings(self, part: str, initializer: Any, regularizer: Any, constraint: Any) -> None:
        """Keep where a weight comes from, its penalty, and what it is forced back to."""
        given = {"initializer": initializer, "regularizer": regularizer, "constraint": constraint}
        for kind, value in given.items():
            setattr(self, f"{part}_{kind}", KINDS[kind].get(value))

    def _weight(self, part: str, shape: tuple[int, ...], name: str) -> Any:
        settings = {kind: getattr(self, f"{part}_{kind}") for kind in KINDS}
        return self.add_weight(shape, **settings, name=name)

    def convolved(self, x: Any) -> Any:
        """Return the sums of products for inputs with the channels last."""
        raise NotImplementedError

    def on_images(self, x: Any) -> Any:
        z = self.convolved(x)
        return z + self.bias if self.use_bias else z

    def call(self, inputs: Any) -> Any:
        return self.activation(super().call(inputs))

    def check_input(self, shape: Any) -> None:
        super().check_input(shape)
        expected = self.channels_of(self._built_for) if self._built_for else None
        if expected is not None and self.channels_of(shape) != expected:
            raise ShapeError(
                f"{self.name}: inputs of shape {shape}\n"
                f"expected {expected} channels, as when its weights were made\n"
                "write a new layer for images with other channels"
            )

    def _places(self, image: tuple[int, ...]) -> tuple[int, ...]:
        """Return how often the window fits."""
        how = (self.kernel_size, self.strides, self.padding, self.dilation_rate)
        return windows.slide_of(self.name, image, *how).places

    def _how(self) -> dict[str, Any]:
        names = ("strides", "padding", "dilation_rate")
        return {name: getattr(self, name) for name in names}

    def get_config(self) -> dict[str, Any]:
        config = {**super().get_config(), "kernel_size": self.kernel_size, **self._how()}
        config["activation"] = activations.serialize(self.activation)
        config["use_bias"] = self.use_bias
        for kind, module in KINDS.items():
            names = [f"{part}_{kind}" for part in self.parts]
            config |= {name: module.serialize(getattr(self, name)) for name in names}
        return config


def checked_padding(kind: str, padding: Any, allowed: tuple[str, ...]) -> str:
    """Return the padding in lower case.

    Raises:
        ValueError: a padding that the layer does not have.
    """
    if not isinstance(padding, str) or padding.lower() not in allowed:
        raise ValueError(
            f"{kind}: padding={padding!r}\nexpected {' or '.join(map(repr, allowed))}\n"
            "write padding='same' for zeros around the image, so that it keeps its size"
        )
    return padding.lower()


def checked_count(kind: str, argument: str, value: Any) -> int:
    """Return a whole number of at least 1.

    Raises:
        ValueError: anything else.
    """
    if not isinstance(value, int | np.integer) or value < 1:
        raise ValueError(
            f"{kind}: {argument}={value!r}\nexpected a whole number, at least 1\n"
            f"write {argument}={2 if argument == 'groups' else 32}"
        )
    return int(value)
