"""Recurrent layers: one cell goes through a sequence, step by step, and hands on its state.

Sequences are (batch, steps, features). Short ones are filled up to the length of their batch; a
mask says which steps count (see `Masking`, and ``mask_zero`` of `Embedding`).

Source: deck 000, "recurrent layers".
"""

from __future__ import annotations

import inspect
from typing import Any, ClassVar

import numpy as np

from gradlab.errors import ShapeError
from gradlab.keras.graph import leaves, mapped
from gradlab.keras.layers.base import Layer, is_trial
from gradlab.keras.layers.cells import (
    Cell,
    GRUCell,
    LSTMCell,
    SimpleRNNCell,
    StackedRNNCells,
    first_states,
    output_size,
)
from gradlab.keras.layers.shapes import is_shape, unequal
from gradlab.ops.arithmetic import where
from gradlab.ops.shaping import index, stack, transpose
from gradlab.program.trace import is_recording
from gradlab.tape import Node, compute


class RNN(Layer):
    """A recurrent layer around a cell, of Keras or of your own.

    A cell is a layer with ``state_size`` (a number, or a list of them) whose ``call(inputs,
    states)`` returns the output of one step and the list of new states.

    Args:
        cell: one cell, or a list of cells on top of each other.
        return_sequences: give the outputs of all steps, not only the last.
        return_state: give the last states, too.
        go_backwards: read the sequence from its end; the outputs come in that order.
        stateful: begin each batch with the states that the one before has left, instance by
            instance, until `reset_states`.
        zero_output_for_mask: zeros where a step is skipped; else the output before is repeated.
        unroll, implementation, use_cudnn: of Keras, where they change the speed; here they change
            nothing.

    Call arguments:
        sequence: (batch, steps, features).
        initial_state: a list of (batch, units); zeros by default.
        mask: (batch, steps), False for steps to be skipped.

    Raises:
        ShapeError: inputs without an axis of steps, or a mask of another shape.
        ValueError: a stateful layer that is given a batch of another size.

    >>> class Sum(Layer):
    ...     state_size = 1
    ...     def call(self, inputs, states):
    ...         return inputs + states[0], [inputs + states[0]]
    >>> RNN(Sum(), return_sequences=True)(np.array([[[1.0], [2.0], [3.0]]])).ravel()
    array([1., 3., 6.], dtype=float32)
    """

    def __init__(
        self,
        cell: Any,
        return_sequences: bool = False,
        return_state: bool = False,
        go_backwards: bool = False,
        stateful: bool = False,
        unroll: bool = False,
        zero_output_for_mask: bool = False,
        implementation: int = 2,
        use_cudnn: Any = "auto",
        **more: Any,
    ) -> None:
        super().__init__(**more)
        cell = StackedRNNCells(cell) if isinstance(cell, list | tuple) else cell
        if not hasattr(cell, "state_size") or not callable(getattr(cell, "call", None)):
            raise ValueError(
                f"{type(self).__name__}: cell={cell!r:.60}\n"
                "expected a cell: a layer with state_size and call(inputs, states)\n"
                "write RNN(LSTMCell(32)), or LSTM(32)"
            )
        self.cell = cell
        self.return_sequences, self.return_state = return_sequences, return_state
        self.go_backwards, self.stateful, self.unroll = go_backwards, stateful, unroll
        self.zero_output_for_mask = zero_output_for_mask
        self._memory = Memory()

    def build(self, input_shape: Any) -> None:
        self.check_input(input_shape)
        self.cell.build_once((input_shape[0], *input_shape[2:]))

    def check_input(self, shape: Any) -> None:
        if not is_shape(shape):
            raise unequal(self.name)
        usual = isinstance(self.cell, Cell)
        if len(shape) < 3 or (usual and len(shape) != 3):
            raise ShapeError(
                f"{self.name}: inputs of shape {shape}\n"
                "expected sequences: (batch, steps, features)\n"
                "write x[..., np.newaxis] for sequences of single numbers, x[np.newaxis] for one"
            )
        width = None if self._built_for is None else self._built_for[2:]
        if width is not None and shape[2:] != width:
            raise ShapeError(
                f"{self.name}: inputs of shape {shape}\n"
                f"expected {width[0]} features at each step, as when its weights were made\n"
                f"write x of shape (batch, steps, {width[0]})"
            )

    # ------------------------------------------------------------------------------ the sequence

    def call(
        self, sequence: Any, initial_state: Any = None, mask: Any = None, training: bool = False
    ) -> Any:
        batch, steps = sequence.shape[:2]
        x = transpose(sequence, (1, 0, *range(2, len(sequence.shape))))
        if mask is not None:
            mask = compute(steps_first, mask, (batch, steps), self.name)
        if self.go_backwards:
            x = index(x, slice(None, None, -1))
            mask = None if mask is None else compute(np.flip, mask, 0)
        states = self._first(initial_state, batch, sequence)
        outputs, last = self._through(x, states, mask, training)
        if self.stateful and not is_trial():
            compute(remember, self, *leaves(last), effect=True)
        zeroed = mask is not None and self.zero_output_for_mask
        if zeroed:
            outputs = outputs * compute(column_of, mask, self.dtype)
        if self.return_sequences:
            output = transpose(outputs, (1, 0, *range(2, len(outputs.shape))))
        elif isinstance(self.cell, Cell) and not zeroed:
            output = last[0]  # found without a slope for the outputs of all steps
        else:
            output = index(outputs, steps - 1)
        return (output, *last) if self.return_state else output

    def _first(self, given: Any, batch: int, sequence: Any) -> list[Any]:
        """Return the states to begin with, each with the axis of the batch."""
        states = first_states(self.cell, batch, self.dtype)
        if given is not None:
            found = list(leaves([given]))
            expected = [h.shape for h in leaves(states)]
            if [tuple(h.shape) for h in found] != expected:
                raise ShapeError(
                    f"{self.name}: initial_state of shapes {[tuple(h.shape) for h in found]}\n"
                    f"expected {expected}\n"
                    "write the states that a layer with return_state=True and as many units returns"
                )
            return _like(states, found)
        if not self.stateful or is_trial():
            return states
        places = range(len(list(leaves(states))))
        return _like(states, [compute(recalled, sequence, self, k, effect=True) for k in places])

    def _through(self, x: Any, states: list[Any], mask: Any, training: bool) -> tuple[Any, Any]:
        """Return the outputs of all steps, (steps, batch, ...), and the last states."""
        try:
            if isinstance(self.cell, Cell):
                return self.cell.sequence(x, states, mask, training)
            return self._step_by_step(x, states, mask, training)
        finally:
            getattr(self.cell, "next_sequence", tuple)()

    def _step_by_step(
        self, x: Any, states: list[Any], mask: Any, training: bool
    ) -> tuple[Any, Any]:
        outputs: list[Any] = []
        before = next(leaves(states[-1]))  # what is repeated if the first step is skipped
        for t in range(x.shape[0]):
            output, new = self.cell(index(x, t), states, training=training)
            new = list(new) if isinstance(new, list | tuple) else [new]
            if mask is not None:
                seen = compute(column_of, index_of(mask, t), bool)
                output = where(seen, output, before)
                both = zip(leaves(new), leaves(states), strict=True)
                new = _like(states, [where(seen, a, b) for a, b in both])
            states, before = new, output
            outputs.append(output)
        return stack(*outputs), states

    def reset_states(self, states: Any = None) -> None:
        """Begin the next batch of a stateful layer with zeros, or with these states.

        Raises:
            RuntimeError: a layer that is not stateful.
        """
        if not self.stateful:
            raise RuntimeError(
                f"{self.name}: reset_states of a layer that keeps no states\n"
                "expected stateful=True\nwrite nothing: each batch begins with zeros"
            )
        self._memory.arrays = (
            None if states is None else [np.array(h, self.dtype) for h in leaves([states])]
        )

    reset_state = reset_states

    @property
    def states(self) -> list[np.ndarray] | None:
        """The states that a stateful layer keeps; None before the first batch."""
        return self._memory.arrays

    # ---------------------------------------------------------------------------- written down

    def compute_output_shape(self, input_shape: Any) -> Any:
        batch, steps = input_shape[:2]
        size = output_size(self.cell)
        output = (batch, steps, size) if self.return_sequences else (batch, size)
        if not self.return_state:
            return output
        return (output, *[(batch, n) for n in leaves([self.cell.state_size])])

    def _own_config(self) -> dict[str, Any]:
        names = ("return_sequences", "return_state", "go_backwards", "stateful", "unroll")
        names = (*names, "zero_output_for_mask")
        return {**super().get_config(), **{name: getattr(self, name) for name in names}}

    def get_config(self) -> dict[str, Any]:
        from gradlab.keras import layers

        return {**self._own_config(), "cell": layers.serialize(self.cell)}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Any:
        from gradlab.keras import layers

        if isinstance(config.get("cell"), dict):
            config = {**config, "cell": layers.deserialize(config["cell"])}
        return cls(**config)


def _like(structure: Any, flat: list[Any]) -> list[Any]:
    """Return the parts in the structure of lists that another one has."""
    parts = iter(flat)
    return mapped(lambda _: next(parts), structure)


def steps_first(mask: Any, shape: tuple[int, int], name: str) -> np.ndarray:
    """Return a mask as (steps, batch) of truth values.

    Raises:
        ShapeError: it is not (batch, steps).
    """
    mask = np.asarray(mask)
    if mask.shape != shape:
        raise ShapeError(
            f"{name}: a mask of shape {mask.shape}\n"
            f"expected (batch, steps): {shape}\nwrite mask=(x != 0).any(axis=-1)"
        )
    return mask.astype(bool).T


def column_of(mask: np.ndarray, dtype: Any) -> np.ndarray:
    """Return a mask with an axis for the features."""
    return mask[..., np.newaxis].astype(dtype)


def index_of(mask: Any, t: int) -> Any:
    """Return the mask of one step."""
    return index(mask, t) if isinstance(mask, Node) else mask[t]


class Memory:
    """What a stateful layer keeps from batch to batch: no weights, and nothing that is saved.

    Attributes:
        arrays: the last states; None before the first batch.
    """

    def __init__(self) -> None:
        self.arrays: list[np.ndarray] | None = None


def recalled(sequence: Any, layer: RNN, place: int) -> np.ndarray:
    """Return one of the states that the batch before has left; zeros before the first batch.

    Raises:
        ValueError: the batch before had another size.
    """
    kept, batch = layer._memory.arrays, sequence.shape[0]
    if kept is None:
        return np.asarray(list(leaves(first_states(layer.cell, batch, layer.dtype)))[place])
    if len(kept[place]) != batch:
        size = len(kept[place])
        raise ValueError(
            f"{layer.name}: a batch of {batch} after batches of {size}, and stateful=True\n"
            "expected the same instances again, each to go on from its own state\n"
            f"write batch_size={size} with a number of rows that it divides, or reset_states()"
        )
    return kept[place]


def remember(layer: RNN, *states: np.ndarray) -> None:
    """Keep the last states of a batch; a step that is only being recorded is none."""
    if not is_recording():
        layer._memory.arrays = [np.array(state, layer.dtype) for state in states]


class _OfCell(RNN):
    """A recurrent layer that makes its own cell; it takes the arguments of both."""

    kind: ClassVar[type[Cell]]

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        both = {**_arguments(RNN), **_arguments(cls.kind)}
        del both["cell"]
        first = [p for name in ("units", "activation") if (p := both.pop(name))]
        named = [p.replace(kind=p.KEYWORD_ONLY) for p in both.values()]

        def make(self: Any, *arguments: Any, **named: Any) -> None:
            _OfCell.__init__(self, *arguments, **named)

        me = inspect.Parameter("self", inspect.Parameter.POSITIONAL_OR_KEYWORD)
        vars(make)["__signature__"] = inspect.Signature([me, *first, *named])
        cls.__init__ = make  # type: ignore[method-assign]

    def __init__(self, *arguments: Any, **named: Any) -> None:
        of_layer = {**_arguments(RNN)}
        of_cell = {
            n: named.pop(n) for n in [*named] if n in _arguments(self.kind).keys() - of_layer
        }
        shared = {n: named[n] for n in ("dtype", "trainable") if n in named}
        name = f"{self.kind.__name__[:-4].lower()}_cell"
        super().__init__(self.kind(*arguments, **of_cell, **shared, name=name), **named)

    def __getattr__(self, name: str) -> Any:
        """Find what the cell knows: ``layer.units``, ``layer.activation``."""
        cell = vars(self).get("cell")
        if cell is None or name.startswith("_") or name not in vars(cell):
            raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")
        return getattr(cell, name)

    def get_config(self) -> dict[str, Any]:
        return {**self.cell.get_config(), **self._own_config()}


def _arguments(kind: type[Layer]) -> dict[str, inspect.Parameter]:
    """Return what a class of layers and its bases can be made with, by name."""
    takes = [vars(each)["__init__"] for each in kind.__mro__[:-1] if "__init__" in vars(each)]
    given = [p for init in takes for p in inspect.signature(init).parameters.values()]
    known = {p.name: p for p in given if p.kind not in (p.VAR_KEYWORD, p.VAR_POSITIONAL)}
    return {name: p for name, p in known.items() if name != "self"}


class SimpleRNN(_OfCell):
    """The simple recurrent network: h_t = tanh(x_t W + h_(t-1) U + b).

    Args:
        units: how many numbers the state has.
        arguments, more: those of `SimpleRNNCell` and of `RNN`.

    >>> SimpleRNN(4, return_sequences=True)(np.zeros((2, 10, 3))).shape
    (2, 10, 4)

    Source: Elman (1990).
    """

    kind = SimpleRNNCell


class LSTM(_OfCell):
    """Long short-term memory: gates that learn what to keep, so that gradients do not vanish.

    Args:
        units: how many numbers each of the two states has.
        arguments, more: those of `LSTMCell` and of `RNN`.

    >>> output, h, c = LSTM(4, return_state=True)(np.zeros((2, 10, 3)))
    >>> output.shape, h.shape, c.shape
    ((2, 4), (2, 4), (2, 4))

    Source: Hochreiter and Schmidhuber (1997).
    """

    kind = LSTMCell


class GRU(_OfCell):
    """The gated recurrent unit: as the LSTM, with two gates and one state.

    Args:
        units: how many numbers the state has.
        arguments, more: those of `GRUCell` and of `RNN`.

    >>> GRU(4)(np.zeros((2, 10, 3))).shape
    (2, 4)

    Source: Cho and others (2014).
    """

    kind = GRUCell
