"""Functional models: any graph of layers, with several inputs and outputs, and shared layers.

Source: deck 001, section 10.2.3 (the functional API, Wide & Deep).
"""

from __future__ import annotations

import functools
from collections import Counter
from typing import Any

from gradlab.errors import ShapeError
from gradlab.keras import layers as layer_kinds
from gradlab.keras import written_graph
from gradlab.keras.graph import KerasTensor, LayerCall, calls_between, is_input, leaves, mapped, run
from gradlab.keras.layers.base import Layer
from gradlab.keras.layers.core import InputLayer
from gradlab.keras.layers.operation import Operation
from gradlab.keras.layers.shapes import fits, is_shape
from gradlab.keras.model import Model, as_expected
from gradlab.keras.names import default_name


class Functional(Model):
    """The model between symbolic inputs and outputs; ``Model(inputs, outputs)`` makes one.

    Args:
        inputs: an ``Input``, or a list or dict of them; also what a layer of another model puts
            out, to go on from there.
        outputs: what layers made of them, one or several.
        name: "model" by default.

    Raises:
        TypeError: inputs or outputs that are not symbolic.
        ValueError: an input that is missing or that reaches no output, or two layers of one name.

    >>> from gradlab import keras
    >>> x = keras.Input(shape=[8])
    >>> h = keras.layers.Dense(30, activation="relu")(x)
    >>> y = keras.layers.Dense(1)(keras.layers.concatenate([x, h]))
    >>> keras.Model(inputs=[x], outputs=[y]).count_params()
    309
    """

    def __init__(
        self, inputs: Any, outputs: Any, name: str | None = None, trainable: bool = True
    ) -> None:
        super().__init__(name=name or default_name("model"), trainable=trainable)
        for kind, structure in (("inputs", inputs), ("outputs", outputs)):
            _check_symbolic(kind, structure)
        inputs, outputs = _with_inputs_of_its_own(_unpacked(inputs), _unpacked(outputs))
        self._input_structure, self._output_structure = inputs, outputs
        self._inputs, self._outputs = list(leaves(inputs)), list(leaves(outputs))
        self.calls = calls_between(self._inputs, self._outputs)
        _check_all_used(self.name, self._inputs, [*self._outputs, *_used(self.calls)])
        self._row = list({id(call.layer): call.layer for call in self.calls}.values())
        _check_names(self.name, self._row)
        self.built = True
        self.batch_input_shape = self._inputs[0].shape if len(self._inputs) == 1 else None

    @property
    def operations(self) -> list[Layer]:
        """The layers, and the operators and functions between them."""
        return list(self._row)

    @property
    def layers(self) -> list[Layer]:
        """The layers in the order of the computation, the inputs among them."""
        return [layer for layer in self._row if not isinstance(layer, Operation)]

    @property
    def output_names(self) -> list[str]:
        """The names of the outputs: the keys of a dict, or those of the layers that make them."""
        if isinstance(self._output_structure, dict) and len(self._output_structure) == len(
            self._outputs
        ):
            return list(self._output_structure)
        names, seen = [], Counter[str]()
        for y in self._outputs:
            names.append(f"{y.name}_{seen[y.name]}" if seen[y.name] else y.name)
            seen[y.name] += 1
        return names

    def call(self, inputs: Any) -> Any:
        given = zip(self._inputs, self._given(inputs), strict=True)
        values = {id(x): as_expected(value, x.shape) for x, value in given}
        return run(self.calls, values, self._output_structure)

    def _given(self, inputs: Any) -> list[Any]:
        """Return the data for each input, in order; a dict is matched by the inputs' names."""
        if isinstance(inputs, dict):
            names = self.input_names
            if isinstance(self._input_structure, dict):
                names = list(self._input_structure)
            if missing := [name for name in names if name not in inputs]:
                raise ValueError(
                    f"{self.name}: no data for the input {missing[0]!r}\n"
                    f"expected a dict with {', '.join(names)}\n"
                    f"write {{{', '.join(f'{n!r}: ...' for n in names)}}}"
                )
            inputs = [inputs[name] for name in names]
        given = list(leaves(inputs))
        if len(given) != len(self._inputs):
            raise ValueError(
                f"{self.name}: {len(given)} given for {len(self._inputs)} inputs\n"
                f"expected one for each of {', '.join(self.input_names)}\n"
                f"write ({', '.join(f'X_{name}' for name in self.input_names)}) as x"
            )
        return given

    def check_input(self, shape: Any) -> None:
        """Raise ShapeError if one of the inputs has another shape than its ``Input`` says."""
        found = [shape] if is_shape(shape) else list(shape)
        if isinstance(shape, dict) or len(found) != len(self._inputs):
            return  # data by name, or another number of arrays, of which `call` tells
        for x, given in zip(self._inputs, found, strict=True):
            if fits(given, x.shape):
                continue
            raise ShapeError(
                f"{self.name}: data of shape {given} for the input {x.name!r}\n"
                f"expected {x.shape}\nwrite the inputs in the order {', '.join(self.input_names)}"
            )

    def compute_output_shape(self, input_shape: Any) -> Any:
        return mapped(_shape, self._output_structure)

    def get_config(self) -> dict[str, Any]:
        graph = written_graph.of_calls(self.calls, self._input_structure, self._output_structure)
        return {"name": self.name, "trainable": self._trainable, **graph}


@functools.cache
def form_of(kind: type[Model]) -> type[Model]:
    """Return the class of the functional models of a class: it has the methods of both."""
    if issubclass(kind, Functional):
        return kind
    if kind is Model:
        return Functional
    facts = {"__module__": kind.__module__, "__qualname__": kind.__qualname__}
    bases: Any = (kind, Functional)
    return type(kind.__name__, bases, {**facts, "__doc__": kind.__doc__})


layer_kinds.TABLE["Functional"] = Functional  # a model can be a layer of another one


def _shape(x: KerasTensor) -> Any:
    return x.shape


def _unpacked(structure: Any) -> Any:
    """Return a list as a tuple, and of a list of one tensor that tensor."""
    if isinstance(structure, list | tuple):
        return structure[0] if len(structure) == 1 else tuple(structure)
    return structure


def _check_symbolic(kind: str, structure: Any) -> None:
    for x in leaves(structure):
        if not isinstance(x, KerasTensor):
            raise TypeError(
                f"Model: {kind} has {type(x).__name__}\n"
                "expected what Input(...) returns, or a layer called on it\n"
                "write x = Input(shape=[8]); y = Dense(1)(x); Model(inputs=[x], outputs=[y])"
            )


def _with_inputs_of_its_own(inputs: Any, outputs: Any) -> Any:
    """Return both with an Input in the place of what a layer of another model puts out."""
    own = {
        id(x): x if is_input(x) else InputLayer(batch_shape=x.shape, name=f"{x.name}_input").output
        for x in leaves(inputs)
    }
    if all(is_input(x) for x in leaves(inputs)):
        return inputs, outputs
    calls = calls_between(list(leaves(inputs)), list(leaves(outputs)))
    replaced = run([], dict(own), inputs)
    return replaced, run(calls, own, outputs)


def _used(calls: list[LayerCall]) -> list[KerasTensor]:
    return [x for call in calls for x in call.inputs]


def _check_all_used(name: str, inputs: list[KerasTensor], used: list[KerasTensor]) -> None:
    found = {id(x) for x in used}
    for x in inputs:
        if id(x) not in found:
            raise ValueError(
                f"{name}: no output is computed from the input {x.name!r}\n"
                "expected a way from each input to an output\n"
                f"write Model without {x.name!r} among inputs=, or call a layer on it"
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
