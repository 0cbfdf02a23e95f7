"""A primitive is one row of a table: a value, a slope for each input, and the facts about it.

Tests, pictures, error messages and the Keras names are read off these rows. Nothing else in gradlab
knows what a single operator means.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from typing import Any, Unpack

import numpy as np

from gradlab import chain_rule
from gradlab.chain_rule import Rule, unbroadcast
from gradlab.entry import REGISTRY, Entry, Facts
from gradlab.errors import DomainError, broadcast_error, describe
from gradlab.kernels.lift import lift
from gradlab.tape import Node

__all__ = ["REGISTRY", "Composed", "Primitive", "composed", "primitive", "unbroadcast"]

_NUMBERS = {float, int, bool}
_SEQUENCES, _TO_ARRAYS = (list, tuple), (list, float)  # `list | float` would be made for each call


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
        self.rules = {}
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
            rule = Rule(self, function, vjp)
            self.rules = {**self.rules, **dict.fromkeys(arguments, rule)}
            return function

        return remember

    @property
    def rules(self) -> dict[str, Rule]:
        """The rule of each argument that has one."""
        return self._rules

    @rules.setter
    def rules(self, rules: dict[str, Rule]) -> None:
        self._rules = rules
        self._pull: chain_rule.Pull | None = None  # written from the rules when first needed
        self.push: chain_rule.Push = self._first_push

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
            for part in a if type(a) is tuple else ():  # an index with recorded labels in it
                if isinstance(part, Node):
                    return part.apply(self, inputs)
        return self.evaluate(inputs)

    def bind(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[Any, ...]:
        """Return all inputs in order: operands, then every parameter with its value."""
        if self.variadic:
            if len(args) == 1 and isinstance(args[0], _SEQUENCES):
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
        if self.elementwise:
            for a in inputs[: len(self.operands)]:
                if type(a) not in _NUMBERS:
                    break
            else:
                return self.scalar(*inputs)
        y = self.of_arrays(inputs)
        # One number comes without an array around it.
        return y[()] if isinstance(y, np.ndarray) and y.ndim == 0 else y

    def scalar(self, *inputs: Any) -> Any:
        """Return the value for plain Python numbers; outside the domain it raises."""
        try:
            return self.function(*inputs)
        except (ValueError, ArithmeticError):
            raise self.domain_error(inputs) from None

    def domain_error(self, inputs: Sequence[Any]) -> DomainError:
        """Return the error that says where the function has a value."""
        numbers = [a.data if isinstance(a, Node) else a for a in inputs]
        given = ", ".join(f"{a:g}" if isinstance(a, float) else str(a) for a in numbers)
        domain = ", ".join(f"{n} in {d}" for n, d in self.domain.items())
        return DomainError(
            f"{self.name}({given}) has no finite value\n"
            f"expected {domain or 'numbers small enough for the result to be a float'}\n"
            "write a Tensor instead if infinities and NaN are wanted"
        )

    def array(self, *inputs: Any) -> Any:
        """Return the value for arrays, with the broadcasting and dtype rules of NumPy."""
        return self.of_arrays(inputs)

    def of_arrays(self, inputs: Sequence[Any]) -> Any:
        """Do what ``array`` does, with the inputs in one sequence."""
        if not self.elementwise:
            return self._whole(inputs) if self.variadic else self.function(*inputs)
        kernel = self.array_kernel
        if kernel is None:
            kernel = self.array_kernel = self._lifted()
        try:
            return kernel(*inputs)
        except ValueError:
            raise broadcast_error(self.name, inputs[: len(self.operands)]) from None

    def _whole(self, inputs: Sequence[Any]) -> Any:
        cut = len(inputs) - len(self.parameters)
        named = dict(zip(self.parameters, inputs[cut:], strict=True))
        return self.function(*inputs[:cut], **named)

    def _lifted(self) -> Callable[..., Any]:
        body, n = lift(self.function), len(self.operands)

        def in_the_operands_dtype(*inputs: Any) -> Any:
            operands = [np.asarray(a) if isinstance(a, _SEQUENCES) else a for a in inputs[:n]]
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
        pull = self._pull
        if pull is None:
            pull = self._pull = chain_rule.pull_of(self)
        return pull(node, g, traced)

    def _first_push(self, node: Node, g: Any) -> None:
        """Add what flows from ``g`` to the ``.grad`` of the inputs; written when first needed."""
        own_pull = type(self).pull is not Primitive.pull
        self.push = self._push_pulled if own_pull else chain_rule.push_of(self)
        self.push(node, g)

    def _push_pulled(self, node: Node, g: Any) -> None:
        """Do so by ``pull``, where a kind of primitive has one of its own."""
        for parent, flow in self.pull(node, g, False):
            parent.grad = flow if parent.grad is None else parent.grad + flow

    def nothing(self, g: Any) -> Any:
        """Return the gradient of an input without a rule: 0, if there need not be one."""
        self.check_complete()
        return g * 0.0

    def local_slopes(self, node: Node) -> list[Any]:
        """Return d(node)/d(input) for each input; None for constants and non-elementwise rules."""
        if not self.elementwise:
            return [None for _ in node.inputs]
        data, slopes = [a.data if isinstance(a, Node) else a for a in node.inputs], []
        known = [*data, node.data, 1.0]  # what flows from a gradient of 1 is the slope
        for name, parent in zip(self.input_names, node.inputs, strict=True):
            rule = self.rules.get(name)
            slope = 0.0 if rule is None else rule(known)
            slopes.append(slope if isinstance(parent, Node) else None)
        return slopes


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
        several = self.variadic and len(args) == 1 and isinstance(args[0], _SEQUENCES)
        for a in (*(args[0] if several else args), *kwargs.values()):
            if isinstance(a, Node) and a.apply_whole is not None:
                return a.apply_whole(self, args, kwargs)
        if not self.variadic:
            args = tuple([np.asarray(a) if isinstance(a, _TO_ARRAYS) else a for a in args])
        return self.function(*args, **kwargs)


def composed(**facts: Unpack[Facts]) -> Callable[[Callable[..., Any]], Composed]:
    """Enter a function made of primitives into the table, with the facts about it."""

    def make(function: Callable[..., Any]) -> Composed:
        return Composed(function, facts)

    return make
