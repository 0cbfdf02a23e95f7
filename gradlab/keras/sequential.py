"""Sequential: layers in a row, each fed with what the one before puts out.

Source: deck 001, section 10.2.1; deck 000, "Sequential".
"""

from __future__ import annotations

from typing import Any

from gradlab.errors import ShapeError
from gradlab.keras import layers as layer_kinds
from gradlab.keras.graph import KerasTensor, leaves
from gradlab.keras.layers.base import Layer
from gradlab.keras.layers.core import InputLayer
from gradlab.keras.layers.shapes import fits, is_shape
from gradlab.keras.model import Model, as_expected, input_of


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

    def __init__(self, layers: Any = None, name: str | None = None, trainable: bool = True) -> None:
        super().__init__(name=name, trainable=trainable)
        self._row: list[Layer] = []
        self._inputs: list[KerasTensor] = []
        self._outputs: list[KerasTensor] = []
        if isinstance(layers, Layer):
            raise TypeError(
                f"Sequential: given {layers!r}\nexpected a list of layers\n"
                "write keras.Sequential([...]), with the brackets"
            )
        for layer in layers or []:
            self.add(layer)

    def add(self, layer: Any) -> None:
        """Put a layer at the end.

        Raises:
            TypeError: not a layer.
            ValueError: a name that another layer has already, or an Input that is not the first.
        """
        call = layer.call if isinstance(layer, KerasTensor) else None
        layer = layer if call is None else call.layer
        self._check_new(layer)
        if not self._row and (known := input_of(layer)) is not None:
            self._inputs = self._outputs = [known]
            self.batch_input_shape = known.shape
        if self._outputs and not isinstance(layer, InputLayer):
            try:
                self._outputs = [layer(self._outputs[0])]
            except Exception:
                if not self._row:
                    self._inputs = self._outputs = []
                raise
            self.built = True
        self._row.append(layer)

    def _check_new(self, layer: Any) -> None:
        if not isinstance(layer, Layer):
            raise TypeError(
                f"{self.name}: add({layer!r})\nexpected a layer\nwrite {_suggestion(layer)}"
            )
        layer.check_set_up()
        if self in [part for part, _ in layer._walk()]:
            raise ValueError(
                f"{self.name}: add({layer.name}) would make it a part of itself\n"
                "expected a layer, or a model that does not hold this one\n"
                "write a Model subclass whose call goes through it several times"
            )
        if any(other.name == layer.name and other is not layer for other in self._row):
            raise ValueError(
                f"{self.name}: two layers are called {layer.name!r}\n"
                "expected each name once\nwrite another name=..."
            )
        if self._row and isinstance(layer, InputLayer):
            raise ValueError(
                f"{self.name}: an Input after {self._row[-1].name}\n"
                "expected it before all layers\n"
                "write keras.Sequential([keras.Input(shape=[8]), ...])"
            )

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
        self.check_input(input_shape)
        if not self._outputs:
            input_shape = _only(input_shape)
            source = InputLayer(batch_shape=input_shape, name=f"{self._row[0].name}_input").output
            self._inputs, at = [source], source
            for layer in self._row:
                at = layer(at)
            self._outputs = [at]

    def check_input(self, shape: Any) -> None:
        """Raise ShapeError if one instance has another shape than the model was made for."""
        given: Any = _only(shape)
        expected: Any = self._inputs[0].shape if self._inputs else "one array"
        if is_shape(given) and (not self._inputs or fits(given, expected)):
            return
        first = self.layers[0].name if self.layers else self.name
        if not is_shape(given):
            mend = "np.stack(x) for a list of rows, or Model(inputs, outputs) for several inputs"
        elif len(given) == len(expected) - 1 == 1:
            mend = "x[np.newaxis] for a single instance: it needs the axis of the batch too"
        elif _first_can_tell(self.layers):
            return
        else:
            mend = f"x.reshape({', '.join(str(n or -1) for n in expected)}), or another Input"
        raise ShapeError(
            f"{self.name}: inputs of shape {given}, to the layer {first}\n"
            f"expected {expected}\nwrite {mend}"
        )

    def call(self, inputs: Any) -> Any:
        (inputs,) = leaves(inputs)  # data by the name of the input, or a list of one array, too
        if self._inputs:
            inputs = as_expected(inputs, self._inputs[0].shape)
        for layer in self._row:
            inputs = layer(inputs)
        return inputs

    def compute_output_shape(self, input_shape: Any) -> Any:
        for layer in self._row:
            layer.build_once(input_shape)
            input_shape = layer.compute_output_shape(input_shape)
        return input_shape

    def get_config(self) -> dict[str, Any]:
        first = [x.call.layer for x in self._inputs if x.call is not None]
        row = [*first, *self.layers]
        return {
            "name": self.name,
            "trainable": self.trainable,
            "layers": [layer_kinds.serialize(layer) for layer in row],
        }

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Any:
        layers = [layer_kinds.deserialize(layer) for layer in config["layers"]]
        return cls(layers, name=config.get("name"), trainable=config.get("trainable", True))


layer_kinds.TABLE["Sequential"] = Sequential  # a model can be a layer of another one


def _only(shape: Any) -> Any:
    """Return the shape of the only array of a list or dict."""
    shapes = list(shape.values()) if isinstance(shape, dict) else shape
    return shapes[0] if not is_shape(shapes) and len(shapes) == 1 else shapes


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
