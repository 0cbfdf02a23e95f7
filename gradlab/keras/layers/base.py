"""A layer: weights, and a function of inputs and weights.

The weights are made when the layer first sees an input, since their shape depends on it.
"""

from __future__ import annotations

import contextlib
import functools
import inspect
import threading
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from gradlab import tape
from gradlab.errors import ShapeError
from gradlab.keras import config, masks, regularizers
from gradlab.keras.graph import KerasTensor, LayerCall, Shape, is_symbolic, leaves, mapped
from gradlab.keras.layers.shapes import as_shape, mapped_shapes, numbers, outputs_like, shapes_of
from gradlab.keras.layers.weights import Keeper
from gradlab.keras.names import default_name, find, snake_case
from gradlab.keras.objects import serialize
from gradlab.keras.saving.given import config_of
from gradlab.keras.variable import Variable


class Layer(Keeper):
    """Base of all layers, and of your own: override `build` to make weights, and `call`.

    Args:
        name: unique in its model; ``dense``, ``dense_1``, ... by default.
        trainable: False freezes the weights.
        dtype: float type of weights and results; the layers' float type by default.
        activity_regularizer: a penalty on what the layer puts out, divided by the batch size.
        input_shape: of one instance, without the batch; lets a first layer be built at once.
        input_dim: the same for instances that are rows of numbers.

    Raises:
        ValueError: an argument that the layer does not have; the message has the closest ones.

    >>> from gradlab import keras
    >>> class Double(keras.layers.Layer):
    ...     def call(self, inputs):
    ...         return 2.0 * inputs
    >>> Double()(np.ones((1, 2)))
    array([[2., 2.]], dtype=float32)
    """

    # Whether the steps that do not count are the same in what it gives; with None the mask is lost
    # without a warning.
    supports_masking: bool | None = True

    def __init__(
        self,
        *,
        name: str | None = None,
        trainable: bool = True,
        dtype: str | None = None,
        activity_regularizer: Any = None,
        input_shape: Any = None,
        input_dim: int | None = None,
        batch_input_shape: Any = None,
        **unknown: Any,
    ) -> None:
        if unknown:
            _refuse(type(self), min(unknown))
        self.name = _checked_name(name) or default_name(snake_case(type(self).__name__))
        self.dtype = np.dtype(dtype or config.floatx()).name
        self.activity_regularizer = regularizers.get(activity_regularizer)
        if input_dim is not None:
            input_shape = (input_dim,)
        if input_shape is not None:
            batch_input_shape = (None, *as_shape(input_shape))
        self.batch_input_shape: Shape | None = batch_input_shape and as_shape(batch_input_shape)
        self.built, self._built_for = False, None
        self._trainable = trainable
        self._weights: list[Variable] = []
        self._penalties: list[Any] = []
        self._calls: list[LayerCall] = []

    def __new__(cls, *args: Any, **kwargs: Any) -> Any:
        """Make a layer that remembers its arguments, for `get_config`."""
        layer = super().__new__(cls)
        layer._made_with = (args, kwargs)
        return layer

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        if "build" in vars(cls):
            cls.build = _once(cls.build)  # type: ignore[method-assign]

    # --------------------------------------------------------------- what your own layer overrides

    def build(self, input_shape: Any) -> None:
        """Make the weights, with `add_weight`; ``input_shape`` starts with None for the batch.

        It is called for the first input, or by hand; a second call does nothing.
        """
        self._built_for, self.built = input_shape, True

    def call(self, inputs: Any, *args: Any, **kwargs: Any) -> Any:
        """Return the outputs; ask for ``training`` or ``mask`` by naming a parameter so."""
        raise NotImplementedError(
            f"{type(self).__name__} has no call method\n"
            "expected a method that computes the outputs\nwrite def call(self, inputs): ..."
        )

    def compute_output_shape(self, input_shape: Any) -> Any:
        """Return the shape of the outputs; by default, seen by calling the layer on ones."""
        given = mapped_shapes(self._symbol, as_shape(input_shape))
        return mapped(lambda y: y.shape, outputs_like(self._tried, (given,), {}))

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that make the same layer again, without its weights.

        A layer of your own with arguments of its own need not override it, as long as they are
        numbers, text, lists and dicts: they are what it was made with.
        """
        config: dict[str, Any] = {"name": self.name, "trainable": self.trainable}
        config["dtype"] = self.dtype
        if self.activity_regularizer is not None:
            config["activity_regularizer"] = serialize(self.activity_regularizer)
        return config_of(self, config, Layer)

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Any:
        """Make a layer from what `get_config` returned."""
        return cls(**config)

    def get_build_config(self) -> dict[str, Any] | None:
        """Return the shape for which the weights were made, for files; None if there is none."""
        return None if self._built_for is None else {"input_shape": self._built_for}

    def again(self) -> Any:
        """Return a new layer with the same arguments and name, and weights of its own."""
        return self.from_config(self.get_config())

    # ---------------------------------------------------------------------------------- the call

    def __call__(self, *args: Any, training: bool | None = None, **kwargs: Any) -> Any:
        """Apply the layer to arrays, to Tensors, or to the symbolic inputs of a graph."""
        self.check_set_up()
        if is_symbolic((args, kwargs)):
            if training is not None:
                kwargs["training"] = training
            return self._noted(args, kwargs)
        args = tuple(mapped(self._to_floats, a) for a in args)
        self.build_once(shapes_of(args[0]) if args else ())
        return self._computed(args, kwargs, training)

    def build_once(self, input_shape: Any) -> None:
        """Make the weights, unless they exist already."""
        if not self.built:
            self.build(input_shape)

    def check_input(self, shape: Any) -> None:
        """Raise a ShapeError if inputs of this shape cannot be used; layers that can tell do."""

    def check_set_up(self) -> None:
        """Raise a RuntimeError if a layer of your own has forgotten to set up its base class."""
        if "_calls" not in vars(self):
            raise RuntimeError(
                f"{type(self).__name__}: the __init__ of its base class was not called\n"
                "expected that before anything else\n"
                "write super().__init__(**kwargs) as the first line of __init__"
            )

    def _to_floats(self, x: Any) -> Any:
        if isinstance(x, tape.Node) or x is None or isinstance(x, str | bool | int | float):
            return x
        x = np.asarray(x)
        return x if x.dtype == self.dtype or x.dtype.kind not in "fiub" else x.astype(self.dtype)

    def _computed(self, args: Any, kwargs: dict[str, Any], training: bool | None) -> Any:
        self.check_input(shapes_of(args[0]) if args else ())
        self._penalties = []
        with phase(training, self._penalties) as is_training:
            if "training" in parameters(type(self))[1 + len(args) :]:
                kwargs = {**kwargs, "training": is_training}
            if "mask" in parameters(type(self)) and kwargs.get("mask") is None and args:
                kwargs = {**kwargs, "mask": masks.found_in(args[0])}
            outputs = self.call(*args, **kwargs)
            if outputs is None:
                raise TypeError(
                    f"{self.name}: call returned None\n"
                    "expected what the layer puts out: an array, a list or a dict of arrays\n"
                    f"write return at the end of {type(self).__name__}.call"
                )
            if self.activity_regularizer is not None:
                for y in leaves(outputs):
                    self.add_loss(self.activity_regularizer(y) / len(numbers(y)))
        if self.supports_masking:
            masks.handed_on(args[:1], outputs)
        elif self.supports_masking is False:
            masks.lost(args[0] if args else None, self.name)
        return outputs

    def add_loss(self, loss: Any) -> None:
        """Add a number to the loss of the model, inside `call`."""
        (self._penalties if _phase.penalties is None else _phase.penalties).append(loss)

    def _noted(self, args: Any, kwargs: dict[str, Any]) -> Any:
        """Write down a call on symbolic inputs, and return its symbolic outputs."""
        call = LayerCall(self, args, kwargs, None, len(self._calls))
        try:
            expected = self._expected(args, kwargs)
        except ShapeError as error:
            first, *rest = str(error).split("\n")
            names = " and ".join(dict.fromkeys(x.name for x in call.inputs))
            raise ShapeError("\n".join([f"{first}, from {names}", *rest])) from None
        made: list[KerasTensor] = []

        def output(like: KerasTensor) -> KerasTensor:
            made.append(KerasTensor(like.shape, like.dtype, self.name, call, len(made)))
            return made[-1]

        call.outputs = mapped(output, expected)
        self._calls.append(call)
        return call.outputs

    def _expected(self, args: Any, kwargs: dict[str, Any]) -> Any:
        """Return what the outputs will be like: symbolic tensors that belong to no graph."""
        shapes = shapes_of(args[0])
        self.build_once(shapes)
        self.check_input(shapes)
        others = is_symbolic((args[1:], kwargs))
        if others and type(self).compute_output_shape is Layer.compute_output_shape:
            return outputs_like(self._tried, args, kwargs)
        shape = self.compute_output_shape(shapes)
        return mapped_shapes(self._symbol, shape)

    def _symbol(self, shape: Shape) -> KerasTensor:
        return KerasTensor(tuple(shape), self.dtype, self.name)

    def _tried(self, *args: Any, **kwargs: Any) -> Any:
        with trial():
            return self._computed(args, {**kwargs}, training=False)

    @property
    def input(self) -> Any:
        """The symbolic input of its first call."""
        return self._first_call().arguments[0]

    @property
    def output(self) -> Any:
        """The symbolic output of its first call."""
        return self._first_call().outputs

    def _first_call(self) -> LayerCall:
        if not self._calls:
            raise AttributeError(
                f"{self.name} is in no graph: it has no symbolic input or output\n"
                "expected a layer that was called on an Input\n"
                "write layer(Input(shape=...)), or give its model an input shape"
            )
        return self._calls[0]

    def __repr__(self) -> str:
        return f"<{type(self).__name__} name={self.name}, built={self.built}>"


def _once(build: Callable[..., None]) -> Callable[..., None]:
    """Return a build method that works once, and after which the layer knows that it is built."""

    @functools.wraps(build)
    def build_once(self: Layer, input_shape: Any) -> None:
        if not self.built:
            self._built_for = as_shape(input_shape)
            build(self, self._built_for)
            self.built = True

    return build_once


def _refuse(kind: type, argument: str) -> None:
    """Raise the error of an unknown argument, with those that the class and its bases take."""
    takes = [vars(each)["__init__"] for each in kind.__mro__ if "__init__" in vars(each)]
    given = [p for init in takes for p in inspect.signature(init).parameters.values()]
    known = {p.name: p for p in given if p.kind not in (p.VAR_KEYWORD, p.VAR_POSITIONAL)}
    del known["self"]
    find(f"argument of {kind.__name__}", known, argument)


def _checked_name(name: Any) -> Any:
    if name is not None and (not isinstance(name, str) or "/" in name):
        raise ValueError(
            f"a layer called {name!r}\n"
            "expected text without '/', which stands between layer and weight in saved files\n"
            'write name="hidden_1"'
        )
    return name


# ----------------------------------------------------------------------------- training or not


class _Phase(threading.local):
    training = False
    penalties: list[Any] | None = None  # of the outermost call, while it lasts
    trial = False


_phase = _Phase()


@contextlib.contextmanager
def phase(training: bool | None, penalties: list[Any]) -> Iterator[bool]:
    """Say to the layers called inside whether they are being trained, and where penalties go.

    Args:
        training: None keeps what holds.
        penalties: the list of this layer, used if it was not called by another one: so each call
            of a layer that a model calls twice counts.
    """
    before = _phase.training, _phase.penalties
    if training is not None:
        _phase.training = bool(training)
    if _phase.penalties is None:
        _phase.penalties = penalties
    try:
        yield _phase.training
    finally:
        _phase.training, _phase.penalties = before


@contextlib.contextmanager
def trial() -> Iterator[None]:
    """Let a call leave no penalties behind: only the shapes of what it gives are wanted."""
    before = _phase.penalties, _phase.trial
    _phase.penalties, _phase.trial = [], True
    try:
        yield
    finally:
        _phase.penalties, _phase.trial = before


def is_trial() -> bool:
    """Tell whether a layer is called to see the shape of what it gives, on no real data."""
    return _phase.trial


@functools.cache
def parameters(kind: type[Layer]) -> tuple[str, ...]:
    """Return the parameters of the call method of a class of layers, ``self`` among them."""
    return tuple(inspect.signature(kind.call).parameters)
