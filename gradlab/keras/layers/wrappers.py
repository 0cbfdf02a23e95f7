"""Layers around another layer: a sequence in both directions, or a layer at every step.

Source: Schuster and Paliwal (1997), bidirectional networks.
"""

from __future__ import annotations

from typing import Any

from gradlab.errors import ShapeError
from gradlab.keras.graph import mapped
from gradlab.keras.layers.base import Layer, parameters
from gradlab.keras.layers.recurrent import RNN
from gradlab.keras.layers.shapes import is_shape
from gradlab.ops.shaping import concatenate, index, reshape

MODES = ("concat", "sum", "mul", "ave", None)


class Bidirectional(Layer):
    """Two recurrent layers, one of which reads the sequence from its end.

    So that the output at each step knows what comes before and what comes after.

    Args:
        layer: a recurrent layer; the other one is made like it.
        merge_mode: what becomes of both outputs: "concat" (side by side), "sum", "mul", "ave"
            (the mean), or None: both are returned.
        backward_layer: the other layer, with ``go_backwards=True``.

    Raises:
        ValueError: a layer that is not recurrent, an unknown mode, or two layers that go the same
            way or return different things.

    >>> from gradlab import keras
    >>> layer = Bidirectional(keras.layers.LSTM(4, return_sequences=True))
    >>> import numpy as np
    >>> layer(np.zeros((2, 10, 3))).shape
    (2, 10, 8)
    """

    def __init__(
        self,
        layer: Any,
        merge_mode: str | None = "concat",
        weights: Any = None,
        backward_layer: Any = None,
        **more: Any,
    ) -> None:
        super().__init__(**more)
        for given in (layer, backward_layer or layer):
            if not isinstance(given, RNN):
                raise ValueError(
                    f"Bidirectional: given {given!r:.60}\nexpected a recurrent layer\n"
                    "write Bidirectional(LSTM(32))"
                )
        if merge_mode not in MODES:
            raise ValueError(
                f"Bidirectional: merge_mode={merge_mode!r}\n"
                f"expected one of {', '.join(map(repr, MODES))}\nwrite merge_mode='concat'"
            )
        self.merge_mode = merge_mode
        self.forward_layer = _again(layer, "forward", layer.go_backwards)
        self.backward_layer = backward_layer or _again(layer, "backward", not layer.go_backwards)
        self._check_pair()
        for each in (self.forward_layer, self.backward_layer):
            each.zero_output_for_mask = each.return_sequences  # so does Keras
        self.return_sequences, self.return_state = layer.return_sequences, layer.return_state
        self.stateful = layer.stateful

    def _check_pair(self) -> None:
        one, other = self.forward_layer, self.backward_layer
        alike = ("stateful", "return_sequences", "return_state")
        differing = [name for name in alike if getattr(one, name) != getattr(other, name)]
        if differing or one.go_backwards == other.go_backwards:
            name = (differing or ["go_backwards"])[0]
            raise ValueError(
                f"Bidirectional: {name}={getattr(one, name)} of one layer and "
                f"{getattr(other, name)} of the other\n"
                "expected two layers that return the same, one of them with go_backwards=True\n"
                "write Bidirectional(LSTM(32)), which makes the second one itself"
            )

    def build(self, input_shape: Any) -> None:
        self.forward_layer.build_once(input_shape)
        self.backward_layer.build_once(input_shape)

    def check_input(self, shape: Any) -> None:
        self.forward_layer.check_input(shape)

    def call(
        self, sequence: Any, initial_state: Any = None, mask: Any = None, training: bool = False
    ) -> Any:
        states: tuple[Any, Any] = (None, None)
        if initial_state is not None:
            half = len(initial_state) // 2
            states = initial_state[:half], initial_state[half:]
        settings = {"mask": mask, "training": training}
        there = self.forward_layer(sequence, initial_state=states[0], **settings)
        back = self.backward_layer(sequence, initial_state=states[1], **settings)
        last: tuple[Any, ...] = ()
        if self.return_state:
            last = (*there[1:], *back[1:])
            there, back = there[0], back[0]
        if self.return_sequences:
            back = index(back, (slice(None), slice(None, None, -1)))
        merged = self._merged(there, back)
        if self.merge_mode is None:
            return (*merged, *last)
        return (merged, *last) if self.return_state else merged

    def _merged(self, there: Any, back: Any) -> Any:
        if self.merge_mode == "concat":
            return concatenate(there, back, axis=-1)
        if self.merge_mode == "mul":
            return there * back
        if self.merge_mode is None:
            return there, back
        return there + back if self.merge_mode == "sum" else (there + back) / 2.0

    def reset_states(self) -> None:
        """Begin the next batch of stateful layers with zeros."""
        self.forward_layer.reset_states()
        self.backward_layer.reset_states()

    def compute_output_shape(self, input_shape: Any) -> Any:
        shapes = self.forward_layer.compute_output_shape(input_shape)
        output, *states = shapes if self.return_state else (shapes,)
        if self.merge_mode == "concat":
            output = (*output[:-1], 2 * output[-1])
        if self.merge_mode is None:
            return (output, output, *states, *states)
        return (output, *states, *states) if self.return_state else output

    def get_config(self) -> dict[str, Any]:
        from gradlab.keras import layers

        config = {**super().get_config(), "merge_mode": self.merge_mode}
        config["layer"] = layers.serialize(self.forward_layer)
        config["backward_layer"] = layers.serialize(self.backward_layer)
        return config

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Any:
        return cls(**_with_layers(config, "layer", "backward_layer"))


def _again(layer: RNN, way: str, go_backwards: bool) -> Any:
    """Return a layer with the same arguments, for one of the two ways."""
    name = f"{way}_{layer.name.removeprefix(f'{way}_')}"
    return type(layer).from_config(
        {**layer.get_config(), "name": name, "go_backwards": go_backwards}
    )


def _with_layers(config: dict[str, Any], *names: str) -> dict[str, Any]:
    """Return a config with layers in the place of what was written down of them."""
    from gradlab.keras import layers

    written = {name: config[name] for name in names if isinstance(config.get(name), dict)}
    return {**config, **{name: layers.deserialize(data) for name, data in written.items()}}


class TimeDistributed(Layer):
    """A layer at every step of a sequence, with the same weights.

    All steps are handed to the layer as instances of one large batch.

    Args:
        layer: for a single step.

    Raises:
        ShapeError: inputs without an axis of steps.

    >>> from gradlab import keras
    >>> import numpy as np
    >>> TimeDistributed(keras.layers.Flatten())(np.zeros((2, 10, 3, 4))).shape
    (2, 10, 12)
    """

    def __init__(self, layer: Any, **more: Any) -> None:
        super().__init__(**more)
        if not isinstance(layer, Layer):
            raise ValueError(
                f"TimeDistributed: given {layer!r:.60}\nexpected a layer\n"
                "write TimeDistributed(Dense(10))"
            )
        self.layer = layer

    def _of_one_step(self, shape: Any) -> Any:
        if not is_shape(shape) or len(shape) < 3:
            raise ShapeError(
                f"{self.name}: inputs of shape {shape}\n"
                "expected sequences: (batch, steps, ...)\n"
                f"write {type(self.layer).__name__}(...) without TimeDistributed"
            )
        return (shape[0], *shape[2:])

    def build(self, input_shape: Any) -> None:
        self.layer.build_once(self._of_one_step(input_shape))

    def check_input(self, shape: Any) -> None:
        self.layer.check_input(self._of_one_step(shape))

    def call(self, inputs: Any, training: bool = False, mask: Any = None) -> Any:
        front = inputs.shape[:2]
        rows = reshape(inputs, (front[0] * front[1], *inputs.shape[2:]))
        more = {}
        if mask is not None and len(mask.shape) > 2 and "mask" in parameters(type(self.layer)):
            more["mask"] = reshape(mask, (front[0] * front[1], *mask.shape[2:]))
        outputs = self.layer(rows, training=training, **more)
        return mapped(lambda y: reshape(y, (*front, *y.shape[1:])), outputs)

    def compute_output_shape(self, input_shape: Any) -> Any:
        shape = self.layer.compute_output_shape(self._of_one_step(input_shape))
        return (shape[0], input_shape[1], *shape[1:])

    def get_config(self) -> dict[str, Any]:
        from gradlab.keras import layers

        return {**super().get_config(), "layer": layers.serialize(self.layer)}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Any:
        return cls(**_with_layers(config, "layer"))
