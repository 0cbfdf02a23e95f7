"""Layers that bring numbers to mean 0 and variance 1 within the network, then scale and shift them.

Over which numbers mean and variance are taken tells them apart: over the batch, over one instance,
or over some channels of one instance.

Sources: Ioffe and Szegedy (2015), batch; Ba and others (2016), layer; Wu and He (2018), group.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from gradlab.errors import ShapeError
from gradlab.keras import constraints, initializers, masks, regularizers
from gradlab.keras.layers.base import Layer
from gradlab.keras.layers.shapes import is_shape
from gradlab.ops import elementary, reductions, shaping
from gradlab.program.trace import is_recording
from gradlab.tape import compute


class Normalizing(Layer):
    """Base of these layers: a factor gamma and a summand beta for each channel, both trained.

    Args:
        axis: of the channels.
        epsilon: added to the variance, which may be 0.
        center: whether there is a beta.
        scale: whether there is a gamma.
        beta_initializer, gamma_initializer: where they come from.
        beta_regularizer, gamma_regularizer: penalties.
        beta_constraint, gamma_constraint: what they are forced back to after each step.
    """

    def __init__(
        self,
        axis: Any = -1,
        epsilon: float = 1e-3,
        center: bool = True,
        scale: bool = True,
        beta_initializer: Any = "zeros",
        gamma_initializer: Any = "ones",
        beta_regularizer: Any = None,
        gamma_regularizer: Any = None,
        beta_constraint: Any = None,
        gamma_constraint: Any = None,
        **more: Any,
    ) -> None:
        super().__init__(**more)
        self.axis: Any = [int(a) for a in axis] if isinstance(axis, list | tuple) else int(axis)
        self.epsilon, self.center, self.scale = float(epsilon), center, scale
        self.beta_initializer = initializers.get(beta_initializer)
        self.gamma_initializer = initializers.get(gamma_initializer)
        self.beta_regularizer = regularizers.get(beta_regularizer)
        self.gamma_regularizer = regularizers.get(gamma_regularizer)
        self.beta_constraint = constraints.get(beta_constraint)
        self.gamma_constraint = constraints.get(gamma_constraint)
        self.gamma: Any = None
        self.beta: Any = None

    def axes(self, rank: int) -> tuple[int, ...]:
        """Return the axes of the channels, counted from the front."""
        given = self.axis if isinstance(self.axis, list) else [self.axis]
        return tuple(sorted(a % rank for a in given))

    def build(self, input_shape: Any) -> None:
        check_axes(self, input_shape)
        shape = tuple(input_shape[a] for a in self.axes(len(input_shape)))
        if self.scale:
            self.gamma = self.add_weight(
                shape,
                self.gamma_initializer,
                regularizer=self.gamma_regularizer,
                constraint=self.gamma_constraint,
                name="gamma",
            )
        if self.center:
            self.beta = self.add_weight(
                shape,
                self.beta_initializer,
                regularizer=self.beta_regularizer,
                constraint=self.beta_constraint,
                name="beta",
            )

    def check_input(self, shape: Any) -> None:
        check_axes(self, shape)
        made_for = self._built_for
        expected = None if made_for is None else [made_for[a] for a in self.axes(len(made_for))]
        if expected is not None and [shape[a] for a in self.axes(len(shape))] != expected:
            raise ShapeError(
                f"{self.name}: inputs of shape {shape}\n"
                f"expected {expected} along axis {self.axis}, as when its weights were made\n"
                "write a new layer for inputs of another width"
            )

    def normalized(self, centred: Any, variance: Any, shape: tuple[int, ...]) -> Any:
        """Return gamma * centred / sqrt(variance + epsilon) + beta.

        Args:
            centred: the distances from the mean.
            variance: in a shape that can be repeated to that of ``centred``.
            shape: the one in which gamma and beta can.
        """
        factor = 1.0 / elementary.sqrt(variance + self.epsilon)
        if self.scale:
            factor = factor * shaping.reshape(self.gamma, shape)
        y = centred * factor
        return y + shaping.reshape(self.beta, shape) if self.center else y

    def compute_output_shape(self, input_shape: Any) -> Any:
        return input_shape

    def get_config(self) -> dict[str, Any]:
        config = {**super().get_config(), "axis": self.axis, "epsilon": self.epsilon}
        config |= {"center": self.center, "scale": self.scale}
        for part in ("beta", "gamma"):
            for module in (initializers, regularizers, constraints):
                name = f"{part}_{module.__name__.rpartition('.')[2][:-1]}"
                config[name] = module.serialize(getattr(self, name))
        return config


def check_axes(layer: Any, shape: Any) -> None:
    """Raise a ShapeError unless the layer's axes exist, have known sizes and are not the batch."""
    given = layer.axis if isinstance(layer.axis, list) else [layer.axis]
    rank = len(shape) if is_shape(shape) else 0
    inside = all(-rank <= a < rank and a % rank for a in given)
    if not inside or any(shape[a] is None for a in given):
        raise ShapeError(
            f"{layer.name}: axis={layer.axis} for inputs of shape {shape}\n"
            "expected axes that the inputs have, of known sizes; axis 0 is the batch\n"
            "write axis=-1 for the last one, where the channels or features are"
        )


def moments(x: Any, axes: tuple[int, ...], shares: Any = None) -> tuple[Any, Any, Any]:
    """Return the mean along axes, the distances from it, and the variance: their mean square.

    Args:
        x: the numbers.
        axes: along which.
        shares: of each number in the mean, see `gradlab.keras.masks.shares`; None if all count.

    >>> mean, centred, variance = moments(np.array([[1.0, 3.0]]), (1,))
    >>> mean, centred, variance
    (array([[2.]]), array([[-1.,  1.]]), array([[1.]]))
    """
    if shares is None:
        mean = reductions.mean(x, axis=axes, keepdims=True)
        centred = x - mean
        return mean, centred, reductions.mean(centred * centred, axis=axes, keepdims=True)
    mean = reductions.reduce_sum(x * shares, axis=axes, keepdims=True)
    centred = x - mean
    squares = centred * centred * shares
    return mean, centred, reductions.reduce_sum(squares, axis=axes, keepdims=True)


class BatchNormalization(Normalizing):
    """Each channel with mean 0 and variance 1 over the batch (and over the places of an image).

    In training, mean and variance are those of the batch, and moving averages follow them:
    ``moving = momentum * moving + (1 - momentum) * batch``. Predictions use these averages, so that
    they do not depend on the rest of a batch; so does a layer that is frozen. Of sequences with a
    mask only the steps that count are counted.

    Args:
        axis: of the channels; 1 for images with the channels first.
        momentum: how slowly the moving averages follow; 0.99 remembers about 100 batches.
        moving_mean_initializer, moving_variance_initializer: where the averages begin.
        synchronized, renorm, renorm_clipping, renorm_momentum: of Keras; only their defaults.
        more: the arguments of `Normalizing`.

    Source: Ioffe and Szegedy (2015).

    >>> layer = BatchNormalization(momentum=0.9)
    >>> layer(np.array([[1.0], [3.0]]), training=True).data.ravel().round(3)
    array([-1.,  1.], dtype=float32)
    >>> layer.moving_mean.data, layer.moving_variance.data
    (array([0.2], dtype=float32), array([1.], dtype=float32))
    """

    def __init__(
        self,
        axis: int = -1,
        momentum: float = 0.99,
        epsilon: float = 1e-3,
        center: bool = True,
        scale: bool = True,
        beta_initializer: Any = "zeros",
        gamma_initializer: Any = "ones",
        moving_mean_initializer: Any = "zeros",
        moving_variance_initializer: Any = "ones",
        beta_regularizer: Any = None,
        gamma_regularizer: Any = None,
        beta_constraint: Any = None,
        gamma_constraint: Any = None,
        renorm: bool = False,
        renorm_clipping: Any = None,
        renorm_momentum: float = 0.99,
        synchronized: bool = False,
        **more: Any,
    ) -> None:
        if renorm or synchronized:
            raise ValueError(
                f"BatchNormalization: renorm={renorm}, synchronized={synchronized}\n"
                "expected False: only the plain form is here\nwrite BatchNormalization()"
            )
        if not 0.0 <= momentum <= 1.0:
            raise ValueError(
                f"BatchNormalization: momentum={momentum!r}\nexpected a number from 0 to 1\n"
                "write momentum=0.99 for averages over about 100 batches"
            )
        super().__init__(
            axis,
            epsilon,
            center,
            scale,
            beta_initializer,
            gamma_initializer,
            beta_regularizer,
            gamma_regularizer,
            beta_constraint,
            gamma_constraint,
            **more,
        )
        self.momentum = float(momentum)
        self.moving_mean_initializer = initializers.get(moving_mean_initializer)
        self.moving_variance_initializer = initializers.get(moving_variance_initializer)
        self.moving_mean: Any = None
        self.moving_variance: Any = None

    def build(self, input_shape: Any) -> None:
        super().build(input_shape)
        shape = tuple(input_shape[a] for a in self.axes(len(input_shape)))
        start = self.moving_mean_initializer
        self.moving_mean = self.add_weight(shape, start, trainable=False, name="moving_mean")
        start = self.moving_variance_initializer
        self.moving_variance = self.add_weight(
            shape, start, trainable=False, name="moving_variance"
        )

    def call(self, inputs: Any, training: bool = False, mask: Any = None) -> Any:
        channels = self.axes(len(inputs.shape))
        others = tuple(a for a in range(len(inputs.shape)) if a not in channels)
        shape = tuple(n if a in channels else 1 for a, n in enumerate(inputs.shape))
        if training and self.trainable:
            shares = None
            if mask is not None:
                shares = compute(masks.shares, mask, tuple(inputs.shape), others, self.dtype)
            mean, centred, variance = moments(inputs, others, shares)
            compute(follow, self, mean, variance, effect=True)
        else:
            centred = inputs - shaping.reshape(self.moving_mean, shape)
            variance = shaping.reshape(self.moving_variance, shape)
        return self.normalized(centred, variance, shape)

    def get_config(self) -> dict[str, Any]:
        config = {**super().get_config(), "momentum": self.momentum}
        for name in ("moving_mean_initializer", "moving_variance_initializer"):
            config[name] = initializers.serialize(getattr(self, name))
        return config


def follow(layer: BatchNormalization, mean: np.ndarray, variance: np.ndarray) -> None:
    """Let the moving averages of a layer follow the mean and the variance of a batch.

    A step that is only being recorded is no step of training: then they stay as they are.
    """
    if is_recording():
        return
    for average, new in ((layer.moving_mean, mean), (layer.moving_variance, variance)):
        new = new.reshape(average.shape)
        average.assign(average.data * layer.momentum + new * (1.0 - layer.momentum))


class LayerNormalization(Normalizing):
    """Each instance with mean 0 and variance 1 along an axis: no instance depends on the others.

    Args:
        axis: along which; gamma and beta have a number for each place there. Several axes as a
            list.
        more: the arguments of `Normalizing`.

    Source: Ba, Kiros and Hinton (2016).

    >>> LayerNormalization()(np.array([[1.0, 3.0], [10.0, 30.0]])).data.round(2)
    array([[-1.,  1.],
           [-1.,  1.]], dtype=float32)
    """

    def __init__(
        self, axis: Any = -1, *arguments: Any, rms_scaling: bool = False, **more: Any
    ) -> None:
        if rms_scaling:
            raise ValueError(
                "LayerNormalization: rms_scaling=True\nexpected False: Keras has given it up\n"
                "write LayerNormalization()"
            )
        super().__init__(axis, *arguments, **more)

    def call(self, inputs: Any) -> Any:
        axes = self.axes(len(inputs.shape))
        _, centred, variance = moments(inputs, axes)
        shape = tuple(n if a in axes else 1 for a, n in enumerate(inputs.shape))
        return self.normalized(centred, variance, shape)


class GroupNormalization(Normalizing):
    """Each group of channels of an instance with mean 0 and variance 1, over all places together.

    Args:
        groups: how many; -1 means that each channel is a group.
        axis: of the channels.
        more: the arguments of `Normalizing`.

    Raises:
        ShapeError: the groups do not divide the channels.

    Source: Wu and He (2018).

    >>> GroupNormalization(2)(np.array([[1.0, 3.0, 10.0, 30.0]])).data.round(2)
    array([[-1.,  1., -1.,  1.]], dtype=float32)
    """

    def __init__(self, groups: int = 32, axis: int = -1, *arguments: Any, **more: Any) -> None:
        if not isinstance(groups, int | np.integer) or (groups < 1 and groups != -1):
            raise ValueError(
                f"GroupNormalization: groups={groups!r}\nexpected a whole number from 1, or -1\n"
                "write groups=-1 for a group of each channel"
            )
        super().__init__(axis, *arguments, **more)
        self.groups = int(groups)

    def build(self, input_shape: Any) -> None:
        check_axes(self, input_shape)
        channels = input_shape[self.axis]
        if channels % (self.groups if self.groups != -1 else channels):
            raise ShapeError(
                f"{self.name}: {channels} channels in {self.groups} groups\n"
                "expected as many channels in each group\n"
                f"write groups={np.gcd(channels, self.groups)}"
            )
        super().build(input_shape)

    def call(self, inputs: Any) -> Any:
        (axis,) = self.axes(len(inputs.shape))
        channels = inputs.shape[axis]
        groups = channels if self.groups == -1 else self.groups
        split = (groups, channels // groups)
        x = shaping.reshape(inputs, (*inputs.shape[:axis], *split, *inputs.shape[axis + 1 :]))
        axes = tuple(a for a in range(1, len(x.shape)) if a != axis)
        _, centred, variance = moments(x, axes)
        shape = tuple(n if a in (axis, axis + 1) else 1 for a, n in enumerate(x.shape))
        return shaping.reshape(self.normalized(centred, variance, shape), inputs.shape)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "groups": self.groups}


class UnitNormalization(Layer):
    """Each instance with length 1: divided by the root of its sum of squares along an axis.

    Args:
        axis: along which; several as a list.

    >>> UnitNormalization()(np.array([[3.0, 4.0]]))
    array([[0.6, 0.8]], dtype=float32)
    """

    def __init__(self, axis: Any = -1, **more: Any) -> None:
        super().__init__(**more)
        self.axis: Any = [int(a) for a in axis] if isinstance(axis, list | tuple) else int(axis)

    def check_input(self, shape: Any) -> None:
        check_axes(self, shape)

    def call(self, inputs: Any) -> Any:
        axes = tuple(self.axis) if isinstance(self.axis, list) else self.axis
        length = reductions.norm(inputs, axis=axes, keepdims=True)
        return inputs / elementary.maximum(length, 1e-12)

    def compute_output_shape(self, input_shape: Any) -> Any:
        return input_shape

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "axis": self.axis}
