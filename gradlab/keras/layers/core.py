"""The layers of a multilayer perceptron: its input, the dense layer, the activation, and reshaping.

Source: deck 001, section 10.2.1; deck 000, "core layers".
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from gradlab.errors import ShapeError
from gradlab.keras import activations, constraints, initializers, regularizers
from gradlab.keras.graph import KerasTensor, LayerCall, Shape
from gradlab.keras.layers.base import Layer
from gradlab.keras.layers.shapes import as_shape, numbers
from gradlab.keras.names import default_name
from gradlab.ops.linear import dense, matmul
from gradlab.ops.shaping import reshape


class InputLayer(Layer):
    """Where the data comes in: a shape, and no weights.

    Args:
        shape: of one instance, such as ``[28, 28]``; ``input_shape`` means the same.
        batch_size: if it is fixed.
    """

    def __init__(
        self,
        shape: Any = None,
        batch_size: int | None = None,
        dtype: str | None = None,
        name: str | None = None,
        batch_shape: Any = None,
        input_shape: Any = None,
        **more: Any,
    ) -> None:
        shape = shape if shape is not None else input_shape
        if shape is None and batch_shape is None:
            raise ValueError(
                "Input: given no shape\nexpected the shape of one instance, without the batch\n"
                "write Input(shape=X.shape[1:])"
            )
        super().__init__(name=name or _input_name(), dtype=dtype, **more)
        given = batch_shape if shape is None else (batch_size, *as_shape(shape))
        self.batch_shape: Shape = as_shape(given)
        self.batch_input_shape, self.built = self.batch_shape, True
        call = LayerCall(self, (), {}, None, 0)
        call.outputs = KerasTensor(self.batch_shape, self.dtype, self.name, call)
        self._calls.append(call)

    def call(self, inputs: Any) -> Any:
        return inputs

    def compute_output_shape(self, input_shape: Any) -> Any:
        return input_shape

    def get_config(self) -> dict[str, Any]:
        return {"batch_shape": self.batch_shape, "dtype": self.dtype, "name": self.name}


def Input(
    shape: Any = None,
    batch_size: int | None = None,
    dtype: str | None = None,
    name: str | None = None,
    batch_shape: Any = None,
) -> Any:
    """Return a symbolic input: layers that are called on it write down the graph.

    Args:
        shape: of one instance, such as ``[5]`` or ``X.shape[1:]``.

    >>> Input(shape=[5]).shape
    (None, 5)
    """
    return InputLayer(shape, batch_size, dtype, name, batch_shape).output


def _input_name() -> str:
    name = default_name("input_1")  # tf.keras counts inputs from 1: input_1, input_2
    _, _, count = name.removeprefix("input_").partition("_")
    return f"input_{int(count) + 1}" if count else name


class Dense(Layer):
    """A fully connected layer: every output is phi(x W + b) of all inputs.

    W has shape (inputs, units), b (units,); inputs of any rank: the last axis is multiplied.

    Args:
        units: how many outputs (neurons).
        activation: phi, a name or a function; none means linear.
        use_bias: whether there is a b.
        kernel_initializer: where W comes from; ``init`` is its name in Keras 1.
        bias_initializer: where b comes from.
        kernel_regularizer, bias_regularizer, activity_regularizer: penalties.
        kernel_constraint, bias_constraint: what W and b are forced back to after each step.

    Raises:
        ShapeError: inputs of another width than those that the weights were made for.

    Source: deck 001, section 10.1.3, h(X) = phi(XW + b).

    >>> layer = Dense(3, activation="relu", kernel_initializer="ones")
    >>> layer(np.array([[1.0, 2.0]])).data
    array([[3., 3., 3.]], dtype=float32)
    """

    def __init__(
        self,
        units: int,
        activation: Any = None,
        use_bias: bool = True,
        kernel_initializer: Any = "glorot_uniform",
        bias_initializer: Any = "zeros",
        kernel_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        kernel_constraint: Any = None,
        bias_constraint: Any = None,
        init: Any = None,
        **more: Any,
    ) -> None:
        super().__init__(activity_regularizer=activity_regularizer, **more)
        if not isinstance(units, int | np.integer) or units < 1:
            raise ValueError(
                f"Dense: units={units!r}\nexpected a whole number of neurons, at least 1\n"
                "write Dense(10)"
            )
        self.units, self.use_bias = int(units), use_bias
        self.activation = activations.get(activation)
        self.kernel_initializer = initializers.get(kernel_initializer if init is None else init)
        self.bias_initializer = initializers.get(bias_initializer)
        self.kernel_regularizer = regularizers.get(kernel_regularizer)
        self.bias_regularizer = regularizers.get(bias_regularizer)
        self.kernel_constraint = constraints.get(kernel_constraint)
        self.bias_constraint = constraints.get(bias_constraint)
        self.kernel: Any = None
        self.bias: Any = None

    def build(self, input_shape: Any) -> None:
        if len(input_shape) < 2 or input_shape[-1] is None:
            raise ShapeError(
                f"{self.name}: inputs of shape {input_shape}\n"
                "expected at least two axes, the last of a known size: (instances, features)\n"
                "write x.reshape(-1, 1) for instances of a single feature"
            )
        self.kernel = self.add_weight(
            (input_shape[-1], self.units),
            self.kernel_initializer,
            regularizer=self.kernel_regularizer,
            constraint=self.kernel_constraint,
            name="kernel",
        )
        if self.use_bias:
            self.bias = self.add_weight(
                (self.units,),
                self.bias_initializer,
                regularizer=self.bias_regularizer,
                constraint=self.bias_constraint,
                name="bias",
            )

    def check_input(self, shape: Any) -> None:
        width = self.kernel.shape[0]
        if shape and shape[-1] == width:
            return
        flat = shape and None not in shape[1:] and math.prod(shape[1:]) == width
        mend = "keras.layers.Flatten() before it" if flat else f"inputs of shape (n, {width})"
        raise ShapeError(
            f"{self.name}: inputs of shape {shape}\n"
            f"expected {width} features per instance, as when its weights were made\n"
            f"write {mend}"
        )

    def call(self, inputs: Any) -> Any:
        z = dense(inputs, self.kernel, self.bias) if self.use_bias else matmul(inputs, self.kernel)
        return self.activation(z)

    def compute_output_shape(self, input_shape: Any) -> Any:
        return (*input_shape[:-1], self.units)

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "units": self.units,
            "activation": activations.serialize(self.activation),
            "use_bias": self.use_bias,
            "kernel_initializer": initializers.serialize(self.kernel_initializer),
            "bias_initializer": initializers.serialize(self.bias_initializer),
            "kernel_regularizer": regularizers.serialize(self.kernel_regularizer),
            "bias_regularizer": regularizers.serialize(self.bias_regularizer),
            "kernel_constraint": constraints.serialize(self.kernel_constraint),
            "bias_constraint": constraints.serialize(self.bias_constraint),
        }


class Activation(Layer):
    """An activation function as a layer of its own.

    Args:
        activation: a name such as "relu", or a function.
    """

    def __init__(self, activation: Any, **more: Any) -> None:
        super().__init__(**more)
        self.activation = activations.get(activation)

    def call(self, inputs: Any) -> Any:
        return self.activation(inputs)

    def compute_output_shape(self, input_shape: Any) -> Any:
        return input_shape

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "activation": activations.serialize(self.activation)}


class Flatten(Layer):
    """Each instance as one row of numbers: (batch, 28, 28) becomes (batch, 784)."""

    supports_masking = False  # what were steps are none any more

    def call(self, inputs: Any) -> Any:
        return reshape(inputs, self.compute_output_shape(numbers(inputs).shape))

    def compute_output_shape(self, input_shape: Any) -> Any:
        rest = input_shape[1:]
        return (input_shape[0], None if None in rest else math.prod(rest))


class Reshape(Layer):
    """Each instance in another shape, with the same numbers in the same order.

    Args:
        target_shape: of one instance; one -1 stands for what is left.
    """

    supports_masking = False  # what were steps are none any more

    def __init__(self, target_shape: Any, **more: Any) -> None:
        super().__init__(**more)
        self.target_shape = tuple(int(n) for n in target_shape)

    def call(self, inputs: Any) -> Any:
        return reshape(inputs, self.compute_output_shape(numbers(inputs).shape))

    def compute_output_shape(self, input_shape: Any) -> Any:
        target, rest = self.target_shape, input_shape[1:]
        if None in rest:
            return (input_shape[0], *(None if n == -1 else n for n in target))
        size, known = math.prod(rest), math.prod(n for n in target if n != -1)
        fits = known and size % known == 0 if -1 in target else size == known
        if not fits:
            raise ShapeError(
                f"{self.name}: instances of shape {tuple(rest)} into {target}\n"
                f"expected a shape of {size} numbers\nwrite Reshape((-1,)) for a single row"
            )
        return (input_shape[0], *(size // known if n == -1 else n for n in target))

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "target_shape": self.target_shape}
