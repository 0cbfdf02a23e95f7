"""A primitive is one row of a table: a value, a slope for each input, and the facts about it.

Tests, pictures, error messages and the Keras names are read off these rows. Nothing else in gradlab
knows what a single operator means.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from typing import Any, Unpack

import numpy as np

from gradlab.entry import REGISTRY, Entry, Facts
from gradlab.errors import DomainError, broadcast_error, describe
from gradlab.kernels.lift import lift
from gradlab.tape import Node

__all__ = ["REGISTRY", "Composed", "Primitive", "composed", "primitive", "unbroadcast"]

_NUMBERS = {float, int, bool}


class Rule:
    """A slope or vjp rule, called with the things its parameter names ask for.

    ``g`` is the incoming gradient, ``y`` the value already computed, ``i`` the position of a
    variadic operand; anything else is an argument or parameter of the primitive.
    """

    def __init__(self, op: Primitive, function: Callable[..., Any], vjp: bool) -> None:
        self.function, self.vjp = function, vjp
        self.wanted = tuple(inspect.signature(function).parameters)
        allowed = (
            {*op.input_names, "y"} | ({"g"} if vjp else set()) | ({"i"} if op.variadic else set())
        )
        if unknown := [name for name in self.wanted if name not in allowed]:
            fitting = ", ".join(n for n in self.wanted if n in allowed)
            raise TypeError(
                f"{op.name}: the rule {function.__name__} asks for {', '.join(unknown)}\n"
                f"expected names among {', '.join(sorted(allowed))}\n"
                f"write def {function.__name__}({fitting})"
            )
        order = (*op.input_names, "y", "g", "i")
        self.places = [order.index(name) for name in self.wanted]

    def __call__(self, known: Sequence[Any]) -> Any:
        """Call the rule; ``known`` holds the inputs by name, then y, g and i."""
        places = self.places
        if len(places) == 1:
            return self.function(known[places[0]])
        return self.function(*[known[place] for place in places]) if places else self.function()


class Primitive(Entry):
    """A value with hand-written slopes; call it on numbers, arrays, Values or Tensors alike."""

    def __init__(
        self,
        function: Callable[..., Any],
        array: Callable[..., Any] | None = None,
        flat: bool = False,
        nondiff: tuple[str, ...] = (),
        **facts: Unpack[Facts],
    ) -> None:
        self.array_kernel, self.flat, self.nondiff = array, flat, nondiff
        self.rules: dict[str, Rule] = {}
        super().__init__(function, facts)
        self._complete = -1 if self.variadic else len(self.input_names)

    # -- defining

    def partial(self, *arguments: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
        """Decorate the slope d(value)/d(argument) of an elementwise primitive."""
        return self._rule(arguments, vjp=False)

    def vjp(self, *arguments: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
        """Decorate the rule that takes the incoming gradient ``g`` to the argument's gradient."""
        return self._rule(arguments, vjp=True)

    def _rule(self, arguments: tuple[str, ...], vjp: bool) -> Any:
        for argument in arguments:
            if argument not in self.operands:
                raise TypeError(
                    f"{self.name}: a rule for {argument!r}\n"
                    f"expected one of its differentiable arguments ({', '.join(self.operands)})\n"
                    f'write @{self.name}.{"vjp" if vjp else "partial"}("{self.operands[0]}")'
                )

        def remember(function: Callable[..., Any]) -> Callable[..., Any]:
            for argument in arguments:
                self.rules[argument] = Rule(self, function, vjp)
            return function

        return remember

    @property
    def differentiable(self) -> tuple[str, ...]:
        """The arguments that have a slope."""
        return tuple(n for n in self.operands if n not in self.nondiff)

    def check_complete(self) -> None:
        """Raise TypeError if a differentiable argument has no rule."""
        missing = [n for n in self.differentiable if n not in self.rules and not self.flat]
        if missing:
            kind = "partial" if self.elementwise else "vjp"
            raise TypeError(
                f"{self.name}: no slope for {', '.join(missing)}\n"
                "expected a rule for each argument before it is differentiated\n"
                f'write @{self.name}.{kind}("{missing[0]}") above the function that returns it, '
                f"or list it in nondiff=(...)"
            )

    # -- calling

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        complete = len(args) == self._complete and not kwargs
        inputs = args if complete else self.bind(args, kwargs)
        for a in inputs:
            if isinstance(a, Node):
                return a.apply(self, inputs)
        for a in inputs if self.nondiff else ():
            for part in a if isinstance(a, tuple) else ():  # an index with recorded labels in it
                if isinstance(part, Node):
                    return part.apply(self, inputs)
        return self.evaluate(inputs)

    def bind(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[Any, ...]:
        """Return all inputs in order: operands, then every parameter with its value."""
        if self.variadic:
            if len(args) == 1 and isinstance(args[0], list | tuple):
                args = tuple(args[0])
            unknown = kwargs.keys() - set(self.parameters)
            missing = set(self.parameters) - kwargs.keys() - self.defaults.keys()
            if unknown or missing or not args:
                raise self._call_error(args, kwargs)
            return (*args, *(kwargs.get(n, self.defaults.get(n)) for n in self.parameters))
        values = list(args)
        for name in self.input_names[len(args) :]:
            if name in kwargs:
                values.append(kwargs[name])
            elif name in self.defaults:
                values.append(self.defaults[name])
            else:
                raise self._call_error(args, kwargs)
        extra = kwargs.keys() - set(self.input_names[len(args) :])
        if extra or len(values) > len(self.input_names):
            raise self._call_error(args, kwargs)
        return tuple(values)

    def _call_error(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> TypeError:
        given = [*map(describe, args), *(f"{name}=..." for name in kwargs)]
        return TypeError(
            f"{self.name}: called as {self.name}({', '.join(given)})\n"
            f"expected {self.name}{inspect.signature(self.function)}\n"
            f"write {self.name}({', '.join(self.operands)})"
        )

    def evaluate(self, inputs: Sequence[Any]) -> Any:
        """Return the value for plain numbers (scalar rule) or arrays (array kernel)."""
        if self.elementwise and all(type(a) in _NUMBERS for a in inputs[: len(self.operands)]):
            return self.scalar(*inputs)
        y = self.array(*inputs)
        return y[()] if isinstance(y, np.ndarray) else y  # one number, not an array around it

    def scalar(self, *inputs: Any) -> Any:
        """Return the value for plain Python numbers; outside the domain it raises."""
        try:
            return self.function(*inputs)
        except (ValueError, ArithmeticError):
            given = ", ".join(f"{a:g}" if isinstance(a, float) else str(a) for a in inputs)
            domain = ", ".join(f"{n} in {d}" for n, d in self.domain.items())
            raise DomainError(
                f"{self.name}({given}) has no finite value\n"
                f"expected {domain or 'numbers small enough for the result to be a float'}\n"
                "write a Tensor instead if infinities and NaN are wanted"
            ) from None

    def array(self, *inputs: Any) -> Any:
        """Return the value for arrays, with the broadcasting and dtype rules of NumPy."""
        if not self.elementwise:
            return self._whole(inputs)
        if self.array_kernel is None:
            self.array_kernel = self._lifted()
        try:
            return self.array_kernel(*inputs)
        except ValueError:
            raise broadcast_error(self.name, inputs[: len(self.operands)]) from None

    def _whole(self, inputs: tuple[Any, ...]) -> Any:
        if not self.variadic:
            return self.function(*inputs)
        cut = len(inputs) - len(self.parameters)
        named = dict(zip(self.parameters, inputs[cut:], strict=True))
        return self.function(*inputs[:cut], **named)

    def _lifted(self) -> Callable[..., Any]:
        body, n = lift(self.function), len(self.operands)

        def in_the_operands_dtype(*inputs: Any) -> Any:
            operands = [np.asarray(a) if isinstance(a, list | tuple) else a for a in inputs[:n]]
            y = np.asarray(body(*operands, *inputs[n:]))
            return y.astype(np.result_type(0.0, *operands), copy=False)[()]

        return in_the_operands_dtype

    # -- differentiating

    def name_at(self, place: int, n_inputs: int) -> str:
        """Return the name of the argument at a place of ``inputs``."""
        if not self.variadic:
            return self.input_names[place]
        from_end = n_inputs - place
        if from_end > len(self.parameters):
            return self.operands[0]
        return self.parameters[len(self.parameters) - from_end]

    def pull(self, node: Node, g: Any, traced: bool) -> list[tuple[Node, Any]]:
        """Return each traced input of ``node`` with the gradient that flows to it from ``g``."""
        inputs, found = node.inputs, []
        known = self._known(node, traced)
        known[-2] = g
        for place, parent in enumerate(inputs):
            if not isinstance(parent, Node):
                continue
            name = self.name_at(place, len(inputs)) if self.variadic else self.input_names[place]
            if name in self.nondiff:  # a mask or labels, recorded as part of a program
                continue
            known[-1] = place
            rule = self.rules.get(name)
            if rule is None:
                flow = self._nothing(g)
            elif rule.vjp:
                flow = rule(known)
            else:
                slope = rule(known)
                flow = g if type(slope) is float and slope == 1.0 else g * slope
            if type(flow) is not float:
                data = parent.data
                same = type(flow) is type(data) is np.ndarray and flow.shape == data.shape
                if not same or flow.dtype != data.dtype:
                    flow = unbroadcast(flow, parent)
            found.append((parent, flow))
        return found

    def _known(self, node: Node, traced: bool) -> list[Any]:
        """Return all that a rule may ask for: the inputs by name, then y, and room for g and i."""
        if traced:
            inputs, y = list(node.inputs), node
        else:
            inputs = [a.data if isinstance(a, Node) else a for a in node.inputs]
            y = node.data
        if self.variadic:
            cut = len(inputs) - len(self.parameters)
            inputs[:cut] = [inputs[:cut]]
        inputs += (y, None, None)
        return inputs

    def _nothing(self, g: Any) -> Any:
        self.check_complete()
        return g * 0.0

    def local_slopes(self, node: Node) -> list[Any]:
        """Return d(node)/d(input) for each input; None for constants and non-elementwise rules."""
        if not self.elementwise:
            return [None for _ in node.inputs]
        known, slopes = self._known(node, traced=False), []
        for name, parent in zip(self.input_names, node.inputs, strict=True):
            rule = self.rules.get(name)
            slope = 0.0 if rule is None else rule(known)
            slopes.append(slope if isinstance(parent, Node) else None)
        return slopes


def unbroadcast(flow: Any, parent: Any) -> Any:
    """Undo broadcasting: where an input was repeated to fit, add up what flows back to it.

    Works on arrays and on Tensors alike, since it only uses their methods.

    >>> unbroadcast(np.ones((3, 2), "float32"), np.zeros((2,), "float32"))
    array([3., 3.], dtype=float32)
    """
    shape = parent.shape
    if getattr(flow, "shape", ()) != shape:
        lead = flow.ndim - len(shape)
        repeated = [i + lead for i, n in enumerate(shape) if n == 1 and flow.shape[i + lead] != 1]
        flow = flow.sum(axis=(*range(lead), *repeated)).reshape(shape)
    dtype = getattr(parent, "dtype", None)
    return flow if dtype is None or flow.dtype == dtype else flow.astype(dtype)


def primitive(
    function: Callable[..., Any] | None = None,
    /,
    *,
    array: Callable[..., Any] | None = None,
    flat: bool = False,
    nondiff: tuple[str, ...] = (),
    **facts: Unpack[Facts],
) -> Any:
    """Make a function a primitive: a row of the table, to which slopes are then added.

    Args:
        array: the array kernel, where NumPy has one; otherwise the scalar text is lifted.
        flat: the slope is zero almost everywhere, so no rule is needed.
        nondiff: operands without a slope (conditions, labels).
        facts: name, symbol, formula, domain, kinks, ...; see `gradlab.entry.Facts`.

    A primitive of your own, in five lines:

    >>> import gradlab as gl
    >>> @gl.primitive(formula="x * x * x")
    ... def cube(x):
    ...     return x * x * x
    >>> @cube.partial("x")
    ... def cube_slope(x):
    ...     return 3.0 * x * x
    >>> gl.grad(cube)(2.0), gl.grad(gl.grad(cube))(2.0)
    (12.0, 12.0)

    Raises:
        NameError: unknown names in the formula, or a name that is taken.
        TypeError: a rule that asks for things the primitive does not have.
    """

    def make(function: Callable[..., Any]) -> Primitive:
        return Primitive(function, array, flat, nondiff, **facts)

    return make if function is None else make(function)


# --------------------------------------------------------------------- functions made of primitives


class Composed(Entry):
    """A function in the table made of primitives: it needs no rules, they have theirs."""

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        several = self.variadic and len(args) == 1 and isinstance(args[0], list | tuple)
        for a in (*(args[0] if several else args), *kwargs.values()):
            if isinstance(a, Node) and a.apply_whole is not None:
                return a.apply_whole(self, args, kwargs)
        if not self.variadic:
            args = tuple(np.asarray(a) if isinstance(a, list | float) else a for a in args)
        return self.function(*args, **kwargs)


def composed(**facts: Unpack[Facts]) -> Callable[[Callable[..., Any]], Composed]:
    """Enter a function made of primitives into the table, with the facts about it."""

    def make(function: Callable[..., Any]) -> Composed:
        return Composed(function, facts)

    return make
