"""A model: layers that belong together, with `compile`, `fit`, `evaluate` and `predict`.

A model is itself a layer, so models can be parts of models.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

from gradlab import tape
from gradlab.keras import summary as summaries
from gradlab.keras.graph import KerasTensor
from gradlab.keras.layers.base import Layer, trial
from gradlab.keras.layers.core import InputLayer
from gradlab.keras.layers.shapes import aligned, numbers
from gradlab.keras.saving.methods import Saved
from gradlab.keras.training import Trainer
from gradlab.ops.shaping import reshape


class Model(Trainer, Saved, Layer):
    """Base of all models, and of your own: make layers in ``__init__``, connect them in ``call``.

    ``Model(inputs, outputs)`` is the functional model between symbolic inputs and outputs; so is
    that of a class with a step of its own and no ``call``.

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

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        if not args and "inputs" not in kwargs:
            super().__init__(**kwargs)
            return
        from gradlab.keras import functional  # it is made of models

        self.__class__ = functional.form_of(type(self))  # type: ignore[assignment]
        functional.Functional.__init__(self, *args, **kwargs)  # type: ignore[arg-type]

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Any:
        """Make a model of what `get_config` returned, without its weights."""
        if "input_layers" not in config:
            return super().from_config(config)
        from gradlab.keras import written_graph

        trainable = config.get("trainable") is not False
        ends = written_graph.connected(config)
        return cls(*ends, name=config.get("name"), trainable=trainable)

    def build(self, input_shape: Any) -> None:
        """Make the weights of all layers, by a trial call on zeros of this shape, (None, ...)."""
        self._built_for = input_shape
        self.compute_output_shape(input_shape)

    def build_once(self, input_shape: Any) -> None:
        """Leave the layers to the first call, unless the model has a build method of its own."""
        if type(self).build is not Model.build:
            super().build_once(input_shape)
        elif not self.built:
            self._built_for = input_shape
        self.built = True

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
    def input(self) -> Any:
        """The symbolic input; a list if there are several."""
        return _single(self._known("input", self.inputs))

    @property
    def output(self) -> Any:
        """The symbolic output; a list if there are several."""
        return _single(self._known("output", self.outputs))

    @property
    def input_shape(self) -> Any:
        """The shape of the input, with None for the batch; a list if there are several."""
        return _single([x.shape for x in self._known("input_shape", self.inputs)])

    @property
    def output_shape(self) -> Any:
        """The shape of the output, with None for the batch; a list if there are several."""
        return _single([y.shape for y in self._known("output_shape", self.outputs)])

    def _known(self, attribute: str, symbols: list[KerasTensor]) -> list[KerasTensor]:
        """Return symbolic tensors; AttributeError if the model has none."""
        if symbols:
            return symbols
        code = not hasattr(self, "_inputs")
        why = "its connections are code in call" if code else "no input shape is known yet"
        raise AttributeError(
            f"{self.name} has no {attribute}: {why}\n"
            "expected a Sequential or functional model that knows the shape of its inputs\n"
            f"write {'model(x).shape' if code else 'model.build((None, ...))'} to see shapes"
        )

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

    def draw(
        self,
        neurons: bool | None = None,
        *,
        show_shapes: bool = False,
        show_dtype: bool = False,
        show_layer_names: bool = True,
        show_layer_activations: bool = False,
        show_trainable: bool = False,
        expand_nested: bool = False,
        **options: Any,
    ) -> Any:
        """Draw the layers: a circle for each neuron, or a box for each layer.

        Args:
            neurons: circles or boxes; by default circles where each layer is called once and
                nothing else is asked for.
            show_shapes, show_dtype, show_layer_names, show_layer_activations, show_trainable,
                expand_nested: what boxes show; see `keras.utils.plot_model`.
            options: ``rankdir`` and ``title``; for circles, those of ``gradlab.draw.network``.

        Returns:
            The Drawing, which notebooks show and ``save`` writes to a file.

        Raises:
            ValueError: the model does not know the shape of its inputs, or its graph is code.
        """
        from gradlab.keras import picture

        if not self.outputs:
            raise ValueError(
                f"{self.name}: draw before the graph of its layers is known\n"
                "expected a Sequential or functional model that knows the shape of its inputs\n"
                "write input_shape=... in the first layer, or gradlab.draw(model(x))"
            )
        shown = picture.Shown(
            show_shapes,
            show_dtype,
            show_layer_names,
            show_layer_activations,
            show_trainable,
            expand_nested,
        )
        if neurons is None:
            neurons = shown == picture.Shown() and picture.has_neurons(self)
        options = {"title": self.name, **options}
        if neurons:
            return picture.of_neurons(self, **options)
        return picture.of_layers(self, shown, **options)

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        from gradlab.draw.drawing import in_notebooks

        return {"text/plain": repr(self), **in_notebooks(lambda: self.draw().svg())}

    def watched(self, x: Any) -> list[tuple[Layer, Any]]:
        """Return each layer with what it puts out for ``x``, in the order of the calls."""
        seen: list[tuple[Layer, Any]] = []
        with tape.no_grad(), trial(), _watching(seen, self):
            self(x, training=False)
        return seen


@contextlib.contextmanager
def _watching(seen: list[tuple[Layer, Any]], model: Model) -> Iterator[None]:
    """Note the outputs of the innermost layers of a model for as long as the block lasts."""

    def noting(layer: Layer) -> Any:
        call = layer.call

        def noted(*args: Any, **kwargs: Any) -> Any:
            outputs = call(*args, **kwargs)
            seen.append((layer, outputs))
            return outputs

        return noted

    inside = [layer for layer, _ in model._walk()]
    layers = [layer for layer in inside if not layer.sublayers()]
    for layer in layers:
        layer.call = noting(layer)  # type: ignore[method-assign]
    try:
        yield
    finally:
        for layer in layers:
            del layer.call


def _single(several: list[Any]) -> Any:
    return several[0] if len(several) == 1 else several


def as_expected(x: Any, expected: Any) -> Any:
    """Return data with the axis of size 1 that the ``Input`` has and it lacks, or the reverse.

    So (n,) numbers can go into ``Input([1])``, and (n, 28, 28, 1) images into ``Input([28, 28])``.
    """
    shape = numbers(x).shape
    wanted = aligned(shape, expected)
    return x if wanted == shape else reshape(x, wanted)


def input_of(layer: Any) -> KerasTensor | None:
    """Return the symbolic input that a first layer brings along, if it knows its input shape."""
    if isinstance(layer, KerasTensor):
        return layer
    if isinstance(layer, InputLayer):
        return layer.output
    if layer.batch_input_shape is not None:
        return InputLayer(batch_shape=layer.batch_input_shape, name=f"{layer.name}_input").output
    if inside := getattr(layer, "_inputs", []):
        return inside[0]
    if layer._calls and len(layer._calls[0].inputs) == 1:  # from another model
        shape = layer._calls[0].inputs[0].shape
        return InputLayer(batch_shape=shape, name=f"{layer.name}_input").output
    return None
