"""Functional models: any graph of layers, with several inputs and outputs, and shared layers.

Source: deck 001, section 10.2.3 (the functional API, Wide & Deep).
"""

from __future__ import annotations

from typing import Any

from gradlab.errors import ShapeError
from gradlab.keras.graph import KerasTensor, LayerCall, calls_between, leaves, mapped
from gradlab.keras.layers.base import Layer
from gradlab.keras.layers.shapes import fits
from gradlab.keras.model import Model, as_expected
from gradlab.keras.names import default_name


class Functional(Model):
    """The model between symbolic inputs and outputs; ``Model(inputs, outputs)`` makes one.

    Args:
        inputs: an ``Input``, or a list or dict of them.
        outputs: what layers made of them, one or several.
        name: "model" by default.
    """

    def __init__(
        self, inputs: Any, outputs: Any, name: str | None = None, trainable: bool = True
    ) -> None:
        super().__init__(name=name or default_name("model"), trainable=trainable)
        for kind, structure in (("inputs", inputs), ("outputs", outputs)):
            _check_symbolic(kind, structure)
        self._input_structure, self._output_structure = inputs, outputs
        self._inputs, self._outputs = list(leaves(inputs)), list(leaves(outputs))
        self.calls = self._with_inputs(calls_between(self._inputs, self._outputs))
        self._row = list({id(call.layer): call.layer for call in self.calls}.values())
        _check_names(self.name, self._row)
        self.built = True
        self.batch_input_shape = self._inputs[0].shape if len(self._inputs) == 1 else None

    def _with_inputs(self, calls: list[LayerCall]) -> list[LayerCall]:
        """Return the calls in the order of a breadth-first walk: inputs where they are needed."""
        own = [x.call for x in self._inputs if x.call is not None and not x.call.arguments]
        return [*own, *(call for call in calls if call not in own)]

    @property
    def layers(self) -> list[Layer]:
        """The layers in the order of the computation, the inputs among them."""
        return list(self._row)

    def call(self, inputs: Any) -> Any:
        given = zip(self._inputs, self._given(inputs), strict=True)
        values = {id(x): as_expected(value, x.shape) for x, value in given}

        def value_of(x: Any) -> Any:
            return values[id(x)] if isinstance(x, KerasTensor) else x

        for call in self.calls:
            if any(id(y) in values for y in leaves(call.outputs)):
                continue
            arguments, keywords = mapped(value_of, (call.arguments, call.keywords))
            outputs = call.layer(*arguments, **keywords)
            made = zip(leaves(call.outputs), leaves(outputs), strict=True)
            values |= {id(symbol): value for symbol, value in made}
        return mapped(value_of, self._output_structure)

    def _given(self, inputs: Any) -> list[Any]:
        """Return the data for each input, in order; a dict is matched by the inputs' names."""
        if isinstance(inputs, dict):
            names = [x.name for x in self._inputs]
            if isinstance(self._input_structure, dict):
                names = list(self._input_structure)
            if missing := set(names) - set(inputs):
                raise ValueError(
                    f"{self.name}: no data for the input {min(missing)!r}\n"
                    f"expected a dict with {', '.join(names)}\n"
                    f"write {{{', '.join(f'{n!r}: ...' for n in names)}}}"
                )
            return [inputs[name] for name in names]
        given = list(leaves(inputs))
        if len(given) != len(self._inputs):
            raise ValueError(
                f"{self.name}: {len(given)} arrays for {len(self._inputs)} inputs\n"
                f"expected one for each of {', '.join(x.name for x in self._inputs)}\n"
                f"write ({', '.join(f'X_{x.name}' for x in self._inputs)}) as x"
            )
        return given

    def check_input(self, shape: Any) -> None:
        """Raise ShapeError if one of the inputs has another shape than its ``Input`` says."""
        found = list(shape.values()) if isinstance(shape, dict) else shape
        found = [found] if len(self._inputs) == 1 and isinstance(found, tuple) else list(found)
        if isinstance(shape, dict) or len(found) != len(self._inputs):
            return
        for x, given in zip(self._inputs, found, strict=True):
            if fits(given, x.shape):
                continue
            raise ShapeError(
                f"{self.name}: data of shape {given} for the input {x.name!r}\n"
                f"expected {x.shape}\nwrite the inputs in the order "
                f"{', '.join(x.name for x in self._inputs)}"
            )

    def compute_output_shape(self, input_shape: Any) -> Any:
        return mapped(lambda y: y.shape, self._output_structure)


def _check_symbolic(kind: str, structure: Any) -> None:
    for x in leaves(structure):
        if not isinstance(x, KerasTensor):
            raise TypeError(
                f"Model: {kind} has {type(x).__name__}\n"
                "expected what Input(...) returns, or a layer called on it\n"
                "write x = Input(shape=[8]); y = Dense(1)(x); Model(inputs=[x], outputs=[y])"
            )


def _check_names(name: str, layers: list[Layer]) -> None:
    seen: set[str] = set()
    for layer in layers:
        if layer.name in seen:
            raise ValueError(
                f"{name}: two layers are called {layer.name!r}\nexpected each name once\n"
                "write another name=..."
            )
        seen.add(layer.name)
