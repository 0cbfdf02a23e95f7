"""Adapters: a layer with a forward and a backward method becomes a pair (f, vjp) for the checker.

Its weights become arguments beside its inputs, found by the name of the gradient next to them.
"""

from __future__ import annotations

import copy
import difflib
import inspect
import re
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from gradlab.testing.weights import Weight, exchange, find_weights, owners


@dataclass(frozen=True)
class Pair:
    """A function on NumPy arrays and its backward pass, as `gradcheck` and `falsify` take them.

    Both may be called with the inputs alone, or with a value for every parameter after them; `vjp`
    then returns that many gradients. It unpacks into f and vjp.

    Attributes:
        f: f(*inputs, *parameters).
        vjp: vjp(g, *inputs, *parameters), a tuple with one gradient per argument.
        parameters: their present values.
        names: of the inputs and then the parameters; none for a function of another framework.
        unchecked: arrays of a layer beside which no gradient was found.
    """

    f: Callable[..., Any]
    vjp: Callable[..., tuple[Any, ...]]
    parameters: tuple[np.ndarray, ...] = ()
    names: tuple[str, ...] = ()
    unchecked: tuple[str, ...] = ()

    def __iter__(self) -> Iterator[Callable[..., Any]]:
        return iter((self.f, self.vjp))

    @property
    def inputs(self) -> tuple[str, ...]:
        """The names of the arguments that are not parameters."""
        return self.names[: len(self.names) - len(self.parameters)]


def as_vjp(obj: Any, forward: str = "forward", backward: str = "backward") -> Pair:
    """Make a pair of functions of a layer whose forward(x) remembers what backward(g) needs.

    The layer is copied; its own weights and caches stay as they are. Each array that has a gradient
    beside it becomes an argument after the inputs: W with dW, grad_W, W_grad or grads["W"], or an
    element of `params` with its counterpart in `grads`; those of layers inside it too. Gradients
    are set to 0 before each backward pass, so a layer may add to them. A backward() that takes no
    argument, as that of a loss, returns the gradient of f itself.

    Args:
        obj: the layer, an instance.
        forward: the method that takes the inputs and returns one array.
        backward: the method that takes the cotangent g, an array like the result, and returns the
            gradient of the input, or a tuple of one per input.

    >>> class Scale:
    ...     def __init__(self):
    ...         self.w = np.array([2.0, 3.0])
    ...     def forward(self, x):
    ...         self.x = x
    ...         return self.w * x
    ...     def backward(self, g):
    ...         self.dw = g * self.x
    ...         return g * self.w
    >>> pair = as_vjp(Scale())
    >>> pair.names, pair.parameters
    (('x', 'w'), (array([2., 3.]),))
    >>> x, g = np.array([1.0, 10.0]), np.array([1.0, 0.5])
    >>> pair.vjp(g, x, *pair.parameters)
    (array([2. , 1.5]), array([1., 5.]))

    Raises:
        TypeError: a class instead of an instance, or no such method.
    """
    if isinstance(obj, type):
        raise TypeError(
            f"as_vjp: given the class {obj.__name__}\n"
            f"expected a layer that has its weights\nwrite as_vjp({obj.__name__}(...))"
        )
    for role, name in (("forward", forward), ("backward", backward)):
        _check_method(obj, name, role)
    modules = {id(module): module for module in list(sys.modules.values())}
    layer = copy.deepcopy(obj, modules)  # self.xp = np cannot be copied and need not be
    student = _Layer(layer, getattr(layer, forward), getattr(layer, backward))
    weights, unchecked = find_weights(layer, forward, backward)
    student.weights = weights
    student.originals = [weight.array for weight in weights]
    values = tuple(np.array(weight.array) for weight in weights)
    names = (*student.inputs, *(weight.name for weight in weights))
    f = named(student.f, type(layer).__name__, names)
    return Pair(f, student.vjp, values, names, unchecked)


class _Layer:
    """A copy of a student's layer, run with the weights that it is told to have."""

    def __init__(self, layer: Any, run: Callable[..., Any], pull: Callable[..., Any]) -> None:
        self.layer, self.run, self.pull = layer, run, pull
        self.owners = [owner for _, owner in owners(layer, pull.__name__)]
        self.inputs = input_names(run)
        self.takes_g = bool(_positional(pull))
        self.weights: list[Weight] = []
        self.originals: list[np.ndarray] = []

    def f(self, *args: Any) -> Any:
        y = self.run(*self._place(args))
        return y.copy() if isinstance(y, np.ndarray) else y  # it may be a buffer, used again

    def vjp(self, g: Any, *args: Any) -> tuple[Any, ...]:
        inputs = self._place(args)
        for weight in self.weights:
            self._forget(weight)
        self.run(*inputs)
        found = self.pull(g) if self.takes_g else self.pull()
        parts = list(found) if isinstance(found, tuple | list) else [found]
        if len(parts) > len(inputs):
            name = f"{type(self.layer).__name__}.{self.pull.__name__}"
            raise TypeError(
                f"{name} returned {len(parts)} gradients for {len(inputs)} input(s)\n"
                "expected those of the inputs; that of a weight stands beside it, as dW beside W\n"
                "write self.dW = ... in it, or give gradcheck a vjp(g, x, W) of your own"
            )
        parts += [None] * (len(inputs) - len(parts))
        parts += [weight.gradient.read() for weight in self.weights]
        factor = 1.0 if self.takes_g else g
        gradients = (None if part is None else np.array(factor * part) for part in parts)
        return tuple(gradients)[: len(args)]

    def _place(self, args: Sequence[Any]) -> Sequence[Any]:
        """Put the weights among the arguments where the layer has its own; return the inputs."""
        count = len(self.inputs)
        values = split(type(self.layer).__name__, args, count, self.originals)
        for weight, value in zip(self.weights, values, strict=True):
            new = np.asarray(value).view()  # so that no two weights are one object
            exchange(self.owners, weight.array, new)
            weight.array = new
        return args[:count]

    def _forget(self, weight: Weight) -> None:
        held = weight.gradient.read()
        if isinstance(held, np.ndarray):
            zeros = np.zeros(held.shape, np.result_type(held, weight.array))
            exchange(self.owners, held, zeros)  # not held[...] = 0: it may be the last g itself
        elif isinstance(held, float):
            weight.gradient.write(0.0)


def named(f: Callable[..., Any], title: str, names: Sequence[str]) -> Callable[..., Any]:
    """Return f under a title, with named arguments, which reports read off its signature."""

    def run(*args: Any) -> Any:
        return f(*args)

    words: list[str] = []
    for name in names:
        word = re.sub(r"\W+", "_", name).strip("_")
        word = word if word.isidentifier() else f"w_{word}"
        while word in words:
            word += "_"
        words.append(word)
    kind = inspect.Parameter.POSITIONAL_OR_KEYWORD
    run.__name__ = run.__qualname__ = title
    parameters = [inspect.Parameter(word, kind) for word in words]
    run.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    return run


def split(name: str, args: Sequence[Any], count: int, parameters: Sequence[Any]) -> Sequence[Any]:
    """Return the values of the parameters: those after the inputs, the present ones if none are.

    Raises TypeError if only some are given.
    """
    if len(args) == count:
        return parameters
    if len(args) == count + len(parameters):
        return args[count:]
    raise TypeError(
        f"{name}: called with {len(args)} arguments\n"
        f"expected its {count} input(s), alone or with all {len(parameters)} parameter(s)\n"
        "write f(x), or f(x, *pair.parameters)"
    )


def input_names(function: Callable[..., Any]) -> tuple[str, ...]:
    """Return the names of what a call must give; ("x",) where the signature does not say."""
    required = (p.name for p in _positional(function) if p.default is p.empty)
    return tuple(required) or ("x",)


def _positional(function: Callable[..., Any]) -> list[inspect.Parameter]:
    try:
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):  # a builtin: they may keep theirs to themselves
        return []
    return [p for p in parameters if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]


def _check_method(obj: Any, name: str, role: str) -> None:
    if callable(getattr(obj, name, None)):
        return
    known = [n for n in dir(obj) if n[0] != "_" and callable(getattr(obj, n, None))]
    near = difflib.get_close_matches(name, known, 1)
    raise TypeError(
        f"{type(obj).__name__} has no method {name!r}\n"
        f"expected one for the {role} pass; it has {', '.join(known) or 'none'}\n"
        + (f"write as_vjp(layer, {role}={near[0]!r})" if near else f"add def {name}(self, ...)")
    )
