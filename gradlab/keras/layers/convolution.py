"""Convolutional layers: a few small filters slide over an image, and look for the same everywhere.

A filter of 3 x 3 has nine weights per channel, however large the image is; what one place learns,
all others know.

Source: deck 000, "convolutional layers"; LeCun and others (1998).
"""

from __future__ import annotations

from typing import Any

import numpy as np

from gradlab.errors import ShapeError
from gradlab.keras.layers.sliding import Sliding, checked_count
from gradlab.ops import windows


class Convolution(Sliding):
    """Base of Conv1D and Conv2D.

    Args:
        filters: how many; each makes one channel of the outputs.
        kernel_size, strides, padding, data_format, dilation_rate: see `gradlab.ops.windows.conv`.
        groups: the channels are divided into so many parts, each with filters of its own.
        activation: a name or a function; none means linear.
        use_bias: whether each filter adds a number of its own.
        kernel_initializer: where the weights come from.
        bias_initializer: where the biases come from.
        kernel_regularizer, bias_regularizer, activity_regularizer: penalties.
        kernel_constraint, bias_constraint: what the weights are forced back to after each step.

    Raises:
        ShapeError: a window larger than the image, or channels that groups do not divide.
    """

    def __init__(
        self,
        filters: int,
        kernel_size: Any,
        strides: Any = 1,
        padding: str = "valid",
        data_format: str | None = None,
        dilation_rate: Any = 1,
        groups: int = 1,
        activation: Any = None,
        use_bias: bool = True,
        kernel_initializer: Any = "glorot_uniform",
        bias_initializer: Any = "zeros",
        kernel_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        kernel_constraint: Any = None,
        bias_constraint: Any = None,
        **more: Any,
    ) -> None:
        how = (kernel_size, strides, padding, data_format, dilation_rate, activation, use_bias)
        super().__init__(*how, activity_regularizer=activity_regularizer, **more)
        kind = type(self).__name__
        self.filters = checked_count(kind, "filters", filters)
        self.groups = checked_count(kind, "groups", groups)
        if self.filters % self.groups:
            raise ValueError(
                f"{kind}: filters={filters}, groups={groups}\n"
                "expected as many filters for each group\n"
                f"write filters={self.groups * (self.filters // self.groups + 1)}"
            )
        self._settings("kernel", kernel_initializer, kernel_regularizer, kernel_constraint)
        self._settings("bias", bias_initializer, bias_regularizer, bias_constraint)
        self.kernel: Any = None

    def build(self, input_shape: Any) -> None:
        super().check_input(input_shape)
        channels = self.channels_of(input_shape)
        if channels % self.groups:
            raise ShapeError(
                f"{self.name}: inputs of {channels} channels for {self.groups} groups\n"
                "expected as many channels for each group\n"
                f"write groups={np.gcd(channels, self.filters)}, or another number that divides "
                f"{channels}"
            )
        shape = (*self.kernel_size, channels // self.groups, self.filters)
        self.kernel = self._weight("kernel", shape, "kernel")
        if self.use_bias:
            self.bias = self._weight("bias", (self.filters,), "bias")

    def convolved(self, x: Any) -> Any:
        return windows.conv(x, self.kernel, **self._how())

    def sizes(self, image: tuple[int, ...], channels: Any) -> tuple[Any, ...]:
        return (*self._places(image), self.filters)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "filters": self.filters, "groups": self.groups}


class Conv1D(Convolution):
    """Convolution of sequences: (batch, steps, channels) becomes (batch, new steps, filters).

    With ``padding="causal"`` no output depends on later steps. Arguments as for `Convolution`.

    >>> layer = Conv1D(1, 2, kernel_initializer="ones")
    >>> layer(np.array([[[1.0], [2.0], [4.0]]])).data.ravel()
    array([3., 6.], dtype=float32)
    """

    rank = 1
    paddings = ("valid", "same", "causal")


class Conv2D(Convolution):
    """Convolution of images: (batch, rows, columns, channels) becomes (batch, ..., filters).

    Arguments as for `Convolution`.

    >>> from gradlab import keras
    >>> Conv2D(32, 3, activation="relu")(keras.Input(shape=(28, 28, 1))).shape
    (None, 26, 26, 32)
    """


class Conv2DTranspose(Sliding):
    """Convolution run backward: each number of the input paints a whole window of the output.

    With ``strides=2, padding="same"`` an image becomes twice as large; decoders and generators end
    with such layers. (It is not the inverse of a convolution: it is the way back of its gradients.)

    Args:
        filters: how many; each makes one channel of the outputs.
        kernel_size, strides, padding, data_format, dilation_rate: of the convolution whose way back
            it is.
        output_padding: how much larger the result is than the smallest that fits, below strides.
        activation, use_bias: as for Conv2D.
        kernel_initializer, bias_initializer: where the weights come from; the kernel has shape
            (rows, columns, filters, channels).
        kernel_regularizer, bias_regularizer, activity_regularizer: penalties.
        kernel_constraint, bias_constraint: what the weights are forced back to after each step.

    >>> layer = Conv2DTranspose(1, 2, strides=2, kernel_initializer="ones")
    >>> layer(np.array([[[[1.0], [2.0]]]])).data[0, :, :, 0]
    array([[1., 1., 2., 2.],
           [1., 1., 2., 2.]], dtype=float32)
    """

    def __init__(
        self,
        filters: int,
        kernel_size: Any,
        strides: Any = 1,
        padding: str = "valid",
        output_padding: Any = None,
        data_format: str | None = None,
        dilation_rate: Any = 1,
        activation: Any = None,
        use_bias: bool = True,
        kernel_initializer: Any = "glorot_uniform",
        bias_initializer: Any = "zeros",
        kernel_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        kernel_constraint: Any = None,
        bias_constraint: Any = None,
        **more: Any,
    ) -> None:
        how = (kernel_size, strides, padding, data_format, dilation_rate, activation, use_bias)
        super().__init__(*how, activity_regularizer=activity_regularizer, **more)
        self.filters = checked_count(type(self).__name__, "filters", filters)
        self.output_padding = self._checked_padding(output_padding)
        self._settings("kernel", kernel_initializer, kernel_regularizer, kernel_constraint)
        self._settings("bias", bias_initializer, bias_regularizer, bias_constraint)
        self.kernel: Any = None

    def _checked_padding(self, given: Any) -> tuple[int, ...] | None:
        if given is None:
            return None
        found = (given,) * self.rank if isinstance(given, int | np.integer) else tuple(given)
        if len(found) != self.rank or not all(0 <= p < s for p, s in zip(found, self.strides)):
            raise ValueError(
                f"Conv2DTranspose: output_padding={given!r}, strides={self.strides}\n"
                "expected whole numbers from 0, smaller than the strides\n"
                "write output_padding=None for outputs of strides times the size"
            )
        return tuple(map(int, found))

    def build(self, input_shape: Any) -> None:
        super().check_input(input_shape)
        shape = (*self.kernel_size, self.filters, self.channels_of(input_shape))
        self.kernel = self._weight("kernel", shape, "kernel")
        if self.use_bias:
            self.bias = self._weight("bias", (self.filters,), "bias")

    def convolved(self, x: Any) -> Any:
        more = {"output_padding": self.output_padding}
        return windows.conv_transpose(x, self.kernel, **self._how(), **more)

    def sizes(self, image: tuple[int, ...], channels: Any) -> tuple[Any, ...]:
        how = (self.kernel_size, self.strides, self.padding, self.output_padding)
        found, _ = windows.transposed_sizes(image, *how, self.dilation_rate)
        return (*found, self.filters)

    def get_config(self) -> dict[str, Any]:
        own = {"filters": self.filters, "output_padding": self.output_padding}
        return {**super().get_config(), **own}
