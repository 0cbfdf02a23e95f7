"""Cells: what a recurrent layer does at one step, and the weights that all steps share.

Source: deck 000, "recurrent layers"; see `gradlab.ops.recurrent` for what the cells compute.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np

from gradlab.errors import ShapeError
from gradlab.keras import activations, constraints, initializers, random, regularizers
from gradlab.keras.graph import leaves
from gradlab.keras.layers.base import Layer
from gradlab.keras.layers.regularization import checked_rate
from gradlab.ops import recurrent
from gradlab.ops.activations import sigmoid
from gradlab.ops.elementary import tanh
from gradlab.ops.linear import dense, matmul
from gradlab.ops.shaping import index, reshape, stack
from gradlab.tape import compute

KINDS = {"initializer": initializers, "regularizer": regularizers, "constraint": constraints}
PARTS = ("kernel", "recurrent", "bias")


class Cell(Layer):
    """Base of the cells: ``cell(inputs, states)`` returns the output and the new states of a step.

    Args:
        units: how many numbers the output has.
        activation: a name or a function.
        use_bias: whether the sums have a bias.
        kernel_initializer, recurrent_initializer, bias_initializer: where the weights of the
            inputs, those of the state and the biases come from.
        kernel_regularizer, recurrent_regularizer, bias_regularizer: penalties.
        kernel_constraint, recurrent_constraint, bias_constraint: what they are forced back to.
        dropout: the share of the inputs that is dropped in training.
        recurrent_dropout: the same for the state. Both drop the same numbers at all steps of a
            sequence, and for all gates.
        seed: for dropout of its own.

    Raises:
        ValueError: units below 1, or shares beyond 0 and 1.

    Source of dropout that stays the same: Gal and Ghahramani (2016).
    """

    sums: ClassVar[int]  # for each unit: one for each gate, and one for the candidate
    settings: ClassVar[tuple[str, ...]] = ("units", "use_bias", "dropout", "recurrent_dropout")

    def __init__(
        self,
        units: int,
        activation: Any = "tanh",
        use_bias: bool = True,
        kernel_initializer: Any = "glorot_uniform",
        recurrent_initializer: Any = "orthogonal",
        bias_initializer: Any = "zeros",
        kernel_regularizer: Any = None,
        recurrent_regularizer: Any = None,
        bias_regularizer: Any = None,
        kernel_constraint: Any = None,
        recurrent_constraint: Any = None,
        bias_constraint: Any = None,
        dropout: float = 0.0,
        recurrent_dropout: float = 0.0,
        seed: int | None = None,
        **more: Any,
    ) -> None:
        super().__init__(**more)
        if not isinstance(units, int | np.integer) or units < 1:
            kind = type(self).__name__
            raise ValueError(
                f"{kind}: units={units!r}\nexpected a whole number, at least 1\nwrite {kind}(32)"
            )
        self.units, self.use_bias = int(units), use_bias
        self.activation = activations.get(activation)
        given = locals()
        for part in PARTS:
            for kind, module in KINDS.items():
                setattr(self, f"{part}_{kind}", module.get(given[f"{part}_{kind}"]))
        self.dropout = checked_rate(self, dropout, "dropout")
        self.recurrent_dropout = checked_rate(self, recurrent_dropout, "recurrent_dropout")
        self.seed, self._own = seed, random.own_generator(seed)
        self.kernel: Any = None
        self.recurrent_kernel: Any = None
        self.bias: Any = None
        self._dropped: dict[str, Any] = {}  # what is dropped from the sequence at hand

    @property
    def state_size(self) -> Any:
        """The size of the state; a list if there are several."""
        return self.units

    @property
    def output_size(self) -> int:
        """The size of the output."""
        return self.units

    @property
    def generator(self) -> np.random.Generator:
        return self._own or random.generator()

    def get_initial_state(self, batch_size: int) -> list[np.ndarray]:
        """Return the states that a sequence begins with: zeros."""
        return [np.zeros((batch_size, n), self.dtype) for n in leaves([self.state_size])]

    def build(self, input_shape: Any) -> None:
        if len(input_shape) != 2 or input_shape[-1] is None:
            raise ShapeError(
                f"{self.name}: inputs of shape {input_shape} at one step\n"
                "expected (batch, features), the number of features known\n"
                "write x.reshape(n, steps, -1) before a recurrent layer"
            )
        width = self.sums * self.units
        self.kernel = self._weight("kernel", (input_shape[-1], width), "kernel")
        self.recurrent_kernel = self._weight("recurrent", (self.units, width), "recurrent_kernel")
        if self.use_bias:
            self.bias = self._bias(width)

    def _weight(self, part: str, shape: tuple[int, ...], name: str) -> Any:
        settings = {kind: getattr(self, f"{part}_{kind}") for kind in KINDS}
        return self.add_weight(shape, **settings, name=name)

    def _bias(self, width: int) -> Any:
        return self._weight("bias", (width,), "bias")

    # ------------------------------------------------------------------------------- computing

    def step(self, z: Any, *states: Any, seen: Any = None) -> tuple[Any, ...]:
        """Return the new states, the output first, from the sums of the inputs at one step."""
        raise NotImplementedError

    def fused(self, z: Any, states: Sequence[Any], mask: Any) -> tuple[Any, tuple[Any, ...]] | None:
        """Return what all steps leave and the last states; None if there is no primitive for it."""
        raise NotImplementedError

    def _input_bias(self) -> Any:
        return self.bias

    def projected(self, x: Any) -> Any:
        """Return the sums of the inputs."""
        if not self.use_bias:
            return matmul(x, self.kernel)
        return dense(x, self.kernel, self._input_bias())

    def call(self, inputs: Any, states: Any, training: bool = False) -> Any:
        states = list(leaves([states]))
        z = self.projected(self._thinned("inputs", inputs, self.dropout, training))
        seen = self._thinned("state", states[0], self.recurrent_dropout, training)
        new = self.step(z, *states, seen=seen)
        return new[0], list(new)

    def sequence(self, x: Any, states: Any, mask: Any, training: bool) -> tuple[Any, Any]:
        """Return the outputs of all steps of (steps, batch, features), and the last states."""
        steps, batch, features = x.shape
        x = self._thinned("inputs", x, self.dropout, training)
        z = self.projected(reshape(x, (steps * batch, features)))
        z = reshape(z, (steps, batch, self.sums * self.units))
        if not (training and self.recurrent_dropout) and (found := self.fused(z, states, mask)):
            return found

        def step(z: Any, *states: Any) -> tuple[Any, ...]:
            seen = self._thinned("state", states[0], self.recurrent_dropout, training)
            return self.step(z, *states, seen=seen)

        outputs, last = recurrent.by_steps(step, z, tuple(states), mask)
        return stack(*outputs), last

    def _thinned(self, what: str, x: Any, rate: float, training: bool) -> Any:
        """Return x without what is dropped, the same at all steps of a sequence."""
        if not training or not rate:
            return x
        if what not in self._dropped:
            self._dropped[what] = compute(mask_of, x, self, rate, effect=True)
        return x * self._dropped[what]

    def next_sequence(self) -> None:
        """Drop other numbers from now on."""
        self._dropped = {}

    def compute_output_shape(self, input_shape: Any) -> Any:
        output = (input_shape[0], self.units)
        return output, [(input_shape[0], n) for n in leaves([self.state_size])]

    def get_config(self) -> dict[str, Any]:
        config = {**super().get_config(), "activation": activations.serialize(self.activation)}
        config |= {name: getattr(self, name) for name in (*self.settings, "seed")}
        for kind, module in KINDS.items():
            names = [f"{part}_{kind}" for part in PARTS]
            config |= {name: module.serialize(getattr(self, name)) for name in names}
        return config


def mask_of(x: Any, cell: Cell, rate: float) -> np.ndarray:
    """Return 0 for the numbers to be dropped at every step, 1 / (1 - rate) for the others."""
    kept = cell.generator.random(x.shape[-2:], dtype=np.float32) >= rate
    return kept * x.dtype.type(1.0 / (1.0 - rate))


class SimpleRNNCell(Cell):
    """A step of the simple recurrent network: h' = phi(x W + h U + b).

    >>> cell = SimpleRNNCell(1, kernel_initializer="ones", recurrent_initializer="ones")
    >>> output, states = cell(np.array([[0.25]]), [np.array([[0.25]], "float32")])
    >>> round(float(output.data[0, 0]), 4)
    0.4621
    """

    sums = 1

    def step(self, z: Any, *states: Any, seen: Any = None) -> tuple[Any, ...]:
        return recurrent.simple_rnn_step(
            z, self.recurrent_kernel, *states, activation=self.activation, seen=seen
        )

    def fused(self, z: Any, states: Sequence[Any], mask: Any) -> tuple[Any, tuple[Any, ...]] | None:
        if self.activation is not tanh:
            return None
        y = recurrent.simple_rnn(z, self.recurrent_kernel, *states, mask=mask)
        return y, (index(y, z.shape[0] - 1),)


class _Gated(Cell):
    """A cell with gates, which have an activation of their own."""

    settings = Cell.settings

    def __init__(
        self,
        units: int,
        activation: Any = "tanh",
        recurrent_activation: Any = "sigmoid",
        *arguments: Any,
        **more: Any,
    ) -> None:
        super().__init__(units, activation, *arguments, **more)
        self.recurrent_activation = activations.get(recurrent_activation)

    def _usual(self) -> bool:
        return self.activation is tanh and self.recurrent_activation is sigmoid

    def _activations(self) -> dict[str, Any]:
        names = ("activation", "recurrent_activation")
        return {name: getattr(self, name) for name in names}

    def get_config(self) -> dict[str, Any]:
        gates = activations.serialize(self.recurrent_activation)
        return {**super().get_config(), "recurrent_activation": gates}


class LSTMCell(_Gated):
    """A step of long short-term memory: three gates, and a state c that is added to.

    Args:
        recurrent_activation: that of the gates.
        unit_forget_bias: begin with a bias of 1 for the forget gate, so that c lasts at first.
        more: the arguments of `Cell`.

    The weights are in the order of Keras: input gate, forget gate, candidate, output gate.

    Source: Hochreiter and Schmidhuber (1997); Jozefowicz and others (2015) for the bias of 1.
    """

    sums = 4
    settings = (*_Gated.settings, "unit_forget_bias")

    def __init__(self, units: int, *arguments: Any, unit_forget_bias: bool = True, **more: Any):
        super().__init__(units, *arguments, **more)
        self.unit_forget_bias = unit_forget_bias

    @property
    def state_size(self) -> Any:
        return [self.units, self.units]

    def _bias(self, width: int) -> Any:
        bias = super()._bias(width)
        if self.unit_forget_bias:
            bias.data[self.units : 2 * self.units] = 1.0
        return bias

    def step(self, z: Any, *states: Any, seen: Any = None) -> tuple[Any, ...]:
        return recurrent.lstm_step(
            z, self.recurrent_kernel, *states, **self._activations(), seen=seen
        )

    def fused(self, z: Any, states: Sequence[Any], mask: Any) -> tuple[Any, tuple[Any, ...]] | None:
        if not self._usual():
            return None
        steps = z.shape[0]
        y = recurrent.lstm(z, self.recurrent_kernel, *states, mask=mask)
        return index(y, slice(0, steps)), (index(y, steps - 1), index(y, steps))


class GRUCell(_Gated):
    """A step of the gated recurrent unit: one gate says how much of the state is kept.

    Args:
        recurrent_activation: that of the gates.
        reset_after: whether the second gate comes after the product with the state, with a bias of
            its own (so does Keras, and cuDNN); False for the form of the paper.
        more: the arguments of `Cell`.

    The weights are in the order of Keras: update gate, reset gate, candidate.

    Source: Cho and others (2014).
    """

    sums = 3
    settings = (*_Gated.settings, "reset_after")

    def __init__(self, units: int, *arguments: Any, reset_after: bool = True, **more: Any) -> None:
        super().__init__(units, *arguments, **more)
        self.reset_after = reset_after

    def _bias(self, width: int) -> Any:
        return self._weight("bias", (2, width) if self.reset_after else (width,), "bias")

    def _input_bias(self) -> Any:
        return index(self.bias, 0) if self.reset_after else self.bias

    def _state_bias(self) -> Any:
        if self.use_bias and self.reset_after:
            return index(self.bias, 1)
        return np.zeros(3 * self.units, self.dtype)

    def step(self, z: Any, *states: Any, seen: Any = None) -> tuple[Any, ...]:
        settings = {**self._activations(), "reset_after": self.reset_after, "seen": seen}
        return recurrent.gru_step(z, self.recurrent_kernel, self._state_bias(), *states, **settings)

    def fused(self, z: Any, states: Sequence[Any], mask: Any) -> tuple[Any, tuple[Any, ...]] | None:
        if not (self._usual() and self.reset_after):
            return None
        y = recurrent.gru(z, self.recurrent_kernel, self._state_bias(), *states, mask=mask)
        return y, (index(y, z.shape[0] - 1),)


class StackedRNNCells(Layer):
    """Several cells as one: each has the output of the one before as its input.

    Args:
        cells: in order.
    """

    def __init__(self, cells: Any, **more: Any) -> None:
        super().__init__(**more)
        self.cells = list(cells)

    @property
    def state_size(self) -> list[Any]:
        """The sizes of the states of each cell."""
        return [cell.state_size for cell in self.cells]

    @property
    def output_size(self) -> int:
        """The size of the last cell's output."""
        return output_size(self.cells[-1])

    def get_initial_state(self, batch_size: int) -> list[Any]:
        """Return the states that a sequence begins with, for each cell."""
        return [first_states(cell, batch_size, self.dtype) for cell in self.cells]

    def build(self, input_shape: Any) -> None:
        for cell in self.cells:
            cell.build_once(input_shape)
            input_shape = (input_shape[0], output_size(cell))

    def call(self, inputs: Any, states: Any, training: bool = False) -> Any:
        new = []
        for cell, own in zip(self.cells, states, strict=True):
            inputs, own = cell(inputs, own, training=training)
            new.append(own)
        return inputs, new

    def next_sequence(self) -> None:
        """Let the cells drop other numbers from now on."""
        for cell in self.cells:
            getattr(cell, "next_sequence", tuple)()

    def get_config(self) -> dict[str, Any]:
        from gradlab.keras import layers

        return {**super().get_config(), "cells": [layers.serialize(cell) for cell in self.cells]}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Any:
        from gradlab.keras import layers

        cells = [layers.deserialize(cell) for cell in config["cells"]]
        return cls(**{**config, "cells": cells})


def output_size(cell: Any) -> int:
    """Return the size of a cell's output: its own word, or the size of its first state."""
    known = getattr(cell, "output_size", None)
    return next(leaves([cell.state_size])) if known is None else known


def first_states(cell: Any, batch_size: int, dtype: Any) -> list[Any]:
    """Return the states that a sequence begins with, zeros unless the cell says otherwise."""
    if hasattr(cell, "get_initial_state"):
        states = cell.get_initial_state(batch_size=batch_size)
        return list(states) if isinstance(states, list | tuple) else [states]
    return [np.zeros((batch_size, n), dtype) for n in leaves([cell.state_size])]
