"""Sequential: layers in a row, each fed with what the one before puts out.

Source: deck 001, section 10.2.1; deck 000, "Sequential".
"""

from __future__ import annotations

from typing import Any

from gradlab.errors import ShapeError
from gradlab.keras.graph import KerasTensor
from gradlab.keras.layers.base import Layer
from gradlab.keras.layers.core import InputLayer
from gradlab.keras.model import Model, input_of


class Sequential(Model):
    """A model that is a row of layers.

    Args:
        layers: in order; more can be added with `add`.
        name: "sequential" by default.

    The weights are made as soon as the shape of the inputs is known: from an ``Input``, from
    ``input_shape=`` of the first layer, or from the first data.

    >>> from gradlab import keras
    >>> model = keras.Sequential([keras.layers.Dense(3, input_shape=[2]), keras.layers.Dense(1)])
    >>> model.count_params(), model.output_shape
    (13, (None, 1))
    """

    def __init__(
        self, layers: Any = None, name: str | None = None, trainable: bool = True
    ) -> None:
        super().__init__(name=name, trainable=trainable)
        self._row: list[Layer] = []
        self._inputs: list[KerasTensor] = []
        self._outputs: list[KerasTensor] = []
        for layer in layers or []:
            self.add(layer)

    def add(self, layer: Any) -> None:
        """Put a layer at the end.

        Raises:
            TypeError: not a layer.
            ValueError: a name that another layer has already.
        """
        if isinstance(layer, KerasTensor) and layer.call is not None:
            layer = layer.call.layer
        if not isinstance(layer, Layer):
            raise TypeError(
                f"{self.name}: add({layer!r})\nexpected a layer\n"
                f"write {_suggestion(layer)}"
            )
        if any(other.name == layer.name for other in self._row):
            raise ValueError(
                f"{self.name}: two layers are called {layer.name!r}\n"
                "expected each name once\nwrite another name=..."
            )
        self._row.append(layer)
        if len(self._row) == 1 and (known := input_of(layer)) is not None:
            self._inputs = self._outputs = [known]
            self.batch_input_shape = known.shape
            if isinstance(layer, InputLayer):
                return
        if self._outputs:
            self._extend(layer)

    def _extend(self, layer: Layer) -> None:
        try:
            self._outputs = [layer(self._outputs[0])]
        except Exception:
            self._row.pop()
            raise
        self.built = True

    def pop(self) -> None:
        """Take the last layer off."""
        if not self._row:
            raise TypeError(
                f"{self.name}: pop() from a model without layers\nexpected at least one\n"
                "write model.add(...) first"
            )
        last = self._row.pop()
        if self._outputs and not isinstance(last, InputLayer):
            call = self._outputs[0].call
            self._outputs = list(call.inputs) if call is not None else []
        if not self._row:
            self._inputs, self._outputs, self.built = [], [], False

    @property
    def layers(self) -> list[Layer]:
        """The layers in order, without the input."""
        return [layer for layer in self._row if not isinstance(layer, InputLayer)]

    def build(self, input_shape: Any) -> None:
        """Make the weights for inputs of this shape, (None, ...)."""
        if not self._row:
            raise ValueError(
                f"{self.name} has no layers\nexpected at least one\nwrite model.add(Dense(1))"
            )
        if not self._outputs:
            source = InputLayer(batch_shape=input_shape, name=f"{self._row[0].name}_input").output
            self._inputs, at = [source], source
            for layer in self._row:
                at = layer(at)
            self._outputs = [at]

    def check_input(self, shape: Any) -> None:
        """Raise ShapeError if one instance has another shape than the model was made for."""
        expected = self._inputs[0].shape if self._inputs else shape
        fits = len(shape) == len(expected) and all(
            n is None or m is None or n == m for n, m in zip(expected, shape)
        )
        if self.layers and not fits and len(shape) == len(expected) - 1 == 1:
            raise ShapeError(
                f"{self.name}: inputs of shape {shape}, to the layer {self.layers[0].name}\n"
                f"expected {expected}\n"
                "write x[np.newaxis] for a single instance: it needs the axis of the batch too"
            )
        if not fits and not _first_can_tell(self.layers):
            raise ShapeError(
                f"{self.name}: inputs of shape {shape}, to the layer {self.layers[0].name}\n"
                f"expected {expected}\n"
                f"write x.reshape({', '.join(str(n or -1) for n in expected)}), or another Input"
            )

    def call(self, inputs: Any) -> Any:
        for layer in self._row:
            inputs = layer(inputs)
        return inputs

    def compute_output_shape(self, input_shape: Any) -> Any:
        for layer in self._row:
            layer.build_once(input_shape)
            input_shape = layer.compute_output_shape(input_shape)
        return input_shape

    def get_config(self) -> dict[str, Any]:
        from gradlab.keras.saving.objects import serialize

        return {"name": self.name, "layers": [serialize(layer) for layer in self._row]}


def _first_can_tell(layers: list[Layer]) -> bool:
    """Whether the first layer gives the better message: a Dense layer knows about Flatten."""
    return type(layers[0]).check_input is not Layer.check_input if layers else False


def _suggestion(given: Any) -> str:
    if isinstance(given, type) and issubclass(given, Layer):
        return f"model.add({given.__name__}(...)): an object of the class"
    if callable(given):
        name = getattr(given, "__name__", "...")
        return f'model.add(keras.layers.Activation("{name}"))'
    return "model.add(keras.layers.Dense(10))"
