"""A model: layers that belong together, with `compile`, `fit`, `evaluate` and `predict`.

A model is itself a layer, so models can be parts of models.
"""

from __future__ import annotations

from typing import Any

from gradlab import tape
from gradlab.keras import summary as summaries
from gradlab.keras.graph import KerasTensor, leaves
from gradlab.keras.layers.base import Layer, quiet
from gradlab.keras.layers.core import InputLayer
from gradlab.keras.training import Trainer


class Model(Trainer, Layer):
    """Base of all models, and of your own: make layers in ``__init__``, connect them in ``call``.

    >>> from gradlab import keras
    >>> class Twice(keras.Model):
    ...     def __init__(self, **kwargs):
    ...         super().__init__(**kwargs)
    ...         self.dense = keras.layers.Dense(2, kernel_initializer="ones")
    ...     def call(self, inputs):
    ...         return 2.0 * self.dense(inputs)
    >>> Twice().predict([[1.0]], verbose=0)
    array([[2., 2.]], dtype=float32)
    """

    @property
    def layers(self) -> list[Layer]:
        """The layers of the model, without those inside of them."""
        return self.sublayers()

    def get_layer(self, name: str | None = None, index: int | None = None) -> Layer:
        """Return one layer, by its name or its place.

        Raises:
            ValueError: there is none; the message has the names.
        """
        layers = self.layers
        if index is not None and -len(layers) <= index < len(layers):
            return layers[index]
        for layer in layers:
            if index is None and layer.name == name:
                return layer
        raise ValueError(
            f"{self.name} has no layer {name if index is None else index!r}\n"
            f"expected one of {', '.join(layer.name for layer in layers)}\n"
            f"write get_layer({layers[0].name!r})" if layers else f"{self.name} has no layers"
        )  # fmt: skip

    @property
    def inputs(self) -> list[KerasTensor]:
        """The symbolic inputs, where the model knows them."""
        return list(getattr(self, "_inputs", []))

    @property
    def outputs(self) -> list[KerasTensor]:
        """The symbolic outputs, where the model knows them."""
        return list(getattr(self, "_outputs", []))

    @property
    def input_names(self) -> list[str]:
        """The names of the inputs."""
        return [x.name for x in self.inputs]

    @property
    def output_names(self) -> list[str]:
        """The names of the outputs: those of the layers that make them."""
        return [y.name for y in self.outputs]

    @property
    def input_shape(self) -> Any:
        """The shape of the input, with None for the batch; a list if there are several."""
        shapes = [x.shape for x in self.inputs]
        return shapes[0] if len(shapes) == 1 else shapes

    @property
    def output_shape(self) -> Any:
        """The shape of the output, with None for the batch; a list if there are several."""
        shapes = [y.shape for y in self.outputs]
        return shapes[0] if len(shapes) == 1 else shapes

    def summary(
        self,
        line_length: int | None = None,
        positions: Any = None,
        print_fn: Any = None,
        expand_nested: bool = False,
        show_trainable: bool = False,
    ) -> None:
        """Print the layers with their output shapes and numbers of weights.

        Raises:
            ValueError: the model has not seen the shape of its inputs yet.
        """
        text = summaries.of_model(
            self, line_length, positions, expand_nested=expand_nested, show_trainable=show_trainable
        )
        (print_fn or print)(text)

    def watched(self, x: Any) -> list[tuple[Layer, Any]]:
        """Return each layer with what it puts out for ``x``, in the order of the calls."""
        seen: list[tuple[Layer, Any]] = []
        with tape.no_grad(), quiet(self), _watching(seen, self):
            self(x, training=False)
        return seen


class _watching:
    """Notes the outputs of the layers of a model for as long as the block lasts."""

    def __init__(self, seen: list[tuple[Layer, Any]], model: Model) -> None:
        self.seen, self.layers = seen, [la for la in _all_below(model) if not la.sublayers()]

    def __enter__(self) -> None:
        for layer in self.layers:
            layer.call = self._noting(layer)  # type: ignore[method-assign]

    def __exit__(self, *error: Any) -> None:
        for layer in self.layers:
            del layer.call

    def _noting(self, layer: Layer) -> Any:
        call = layer.call

        def noted(*args: Any, **kwargs: Any) -> Any:
            outputs = call(*args, **kwargs)
            self.seen.append((layer, outputs))
            return outputs

        return noted


def _all_below(layer: Layer) -> list[Layer]:
    below = layer.sublayers()
    return [each for part in below for each in (part, *_all_below(part))]


def input_of(layer: Any) -> KerasTensor | None:
    """Return the symbolic input that a first layer brings along, if it knows its input shape."""
    if isinstance(layer, KerasTensor):
        return layer
    if isinstance(layer, InputLayer):
        return layer.output
    if layer.batch_input_shape is not None:
        return InputLayer(batch_shape=layer.batch_input_shape, name=f"{layer.name}_input").output
    return next((x for x in leaves(getattr(layer, "_inputs", []))), None)
