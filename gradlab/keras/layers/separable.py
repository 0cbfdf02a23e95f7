"""Convolution channel by channel: far fewer weights, and less to compute.

A DepthwiseConv2D keeps the channels apart; a SeparableConv2D mixes them afterwards, place by place.
"""

from __future__ import annotations

from typing import Any

from gradlab.keras.layers.sliding import Sliding, checked_count
from gradlab.ops import windows


class DepthwiseConv2D(Sliding):
    """Convolution of each channel with filters of its own: channels do not see each other.

    Args:
        kernel_size, strides, padding, data_format, dilation_rate: as for Conv2D.
        depth_multiplier: filters for each channel.
        activation, use_bias: as for Conv2D.
        depthwise_initializer, bias_initializer: where the weights come from.
        depthwise_regularizer, bias_regularizer, activity_regularizer: penalties.
        depthwise_constraint, bias_constraint: what the weights are forced back to.

    >>> import numpy as np
    >>> layer = DepthwiseConv2D(3)
    >>> layer(np.ones((1, 5, 5, 4))).shape, layer.kernel.shape
    ((1, 3, 3, 4), (3, 3, 4, 1))
    """

    parts = ("depthwise", "bias")

    def __init__(
        self,
        kernel_size: Any,
        strides: Any = 1,
        padding: str = "valid",
        depth_multiplier: int = 1,
        data_format: str | None = None,
        dilation_rate: Any = 1,
        activation: Any = None,
        use_bias: bool = True,
        depthwise_initializer: Any = "glorot_uniform",
        bias_initializer: Any = "zeros",
        depthwise_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        depthwise_constraint: Any = None,
        bias_constraint: Any = None,
        **more: Any,
    ) -> None:
        how = (kernel_size, strides, padding, data_format, dilation_rate, activation, use_bias)
        super().__init__(*how, activity_regularizer=activity_regularizer, **more)
        kind = type(self).__name__
        self.depth_multiplier = checked_count(kind, "depth_multiplier", depth_multiplier)
        of_depthwise = (depthwise_initializer, depthwise_regularizer, depthwise_constraint)
        self._settings("depthwise", *of_depthwise)
        self._settings("bias", bias_initializer, bias_regularizer, bias_constraint)
        self.kernel: Any = None

    def build(self, input_shape: Any) -> None:
        super().check_input(input_shape)
        channels = self.channels_of(input_shape)
        shape = (*self.kernel_size, channels, self.depth_multiplier)
        self.kernel = self._weight("depthwise", shape, "kernel")
        if self.use_bias:
            self.bias = self._weight("bias", (channels * self.depth_multiplier,), "bias")

    def convolved(self, x: Any) -> Any:
        return windows.depthwise_conv(x, self.kernel, **self._how())

    def sizes(self, image: tuple[int, ...], channels: Any) -> tuple[Any, ...]:
        filters = None if channels is None else channels * self.depth_multiplier
        return (*self._places(image), filters)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "depth_multiplier": self.depth_multiplier}


class SeparableConv2D(Sliding):
    """Convolution in two steps, each channel by itself and then across the channels of each place.

    It needs an eighth or so of the weights and of the time of a Conv2D.

    Args:
        filters: how many in the second step; each makes one channel of the outputs.
        kernel_size, strides, padding, data_format, dilation_rate: of the first step, as for Conv2D.
        depth_multiplier: filters for each channel in the first step.
        activation, use_bias: as for Conv2D.
        depthwise_initializer, pointwise_initializer, bias_initializer: where the weights come from.
        depthwise_regularizer, pointwise_regularizer, bias_regularizer, activity_regularizer:
            penalties.
        depthwise_constraint, pointwise_constraint, bias_constraint: what the weights are forced
            back to.

    Source: Chollet (2017), Xception.

    >>> layer = SeparableConv2D(64, 3)
    >>> layer.build((None, 28, 28, 64))
    >>> layer.count_params()  # a Conv2D has 36928
    4736
    """

    parts = ("depthwise", "pointwise", "bias")

    def __init__(
        self,
        filters: int,
        kernel_size: Any,
        strides: Any = 1,
        padding: str = "valid",
        data_format: str | None = None,
        dilation_rate: Any = 1,
        depth_multiplier: int = 1,
        activation: Any = None,
        use_bias: bool = True,
        depthwise_initializer: Any = "glorot_uniform",
        pointwise_initializer: Any = "glorot_uniform",
        bias_initializer: Any = "zeros",
        depthwise_regularizer: Any = None,
        pointwise_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        depthwise_constraint: Any = None,
        pointwise_constraint: Any = None,
        bias_constraint: Any = None,
        **more: Any,
    ) -> None:
        how = (kernel_size, strides, padding, data_format, dilation_rate, activation, use_bias)
        super().__init__(*how, activity_regularizer=activity_regularizer, **more)
        kind = type(self).__name__
        self.filters = checked_count(kind, "filters", filters)
        self.depth_multiplier = checked_count(kind, "depth_multiplier", depth_multiplier)
        of_depthwise = (depthwise_initializer, depthwise_regularizer, depthwise_constraint)
        of_pointwise = (pointwise_initializer, pointwise_regularizer, pointwise_constraint)
        self._settings("depthwise", *of_depthwise)
        self._settings("pointwise", *of_pointwise)
        self._settings("bias", bias_initializer, bias_regularizer, bias_constraint)
        self.depthwise_kernel: Any = None
        self.pointwise_kernel: Any = None

    def build(self, input_shape: Any) -> None:
        super().check_input(input_shape)
        channels, each = self.channels_of(input_shape), self.depth_multiplier
        first, second = (*self.kernel_size, channels, each), (1, 1, channels * each, self.filters)
        self.depthwise_kernel = self._weight("depthwise", first, "depthwise_kernel")
        self.pointwise_kernel = self._weight("pointwise", second, "pointwise_kernel")
        if self.use_bias:
            self.bias = self._weight("bias", (self.filters,), "bias")

    def convolved(self, x: Any) -> Any:
        kernels = (self.depthwise_kernel, self.pointwise_kernel)
        return windows.separable_conv(x, *kernels, **self._how())

    def sizes(self, image: tuple[int, ...], channels: Any) -> tuple[Any, ...]:
        return (*self._places(image), self.filters)

    def get_config(self) -> dict[str, Any]:
        own = {"filters": self.filters, "depth_multiplier": self.depth_multiplier}
        return {**super().get_config(), **own}
