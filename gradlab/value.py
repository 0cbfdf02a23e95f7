"""Value: the scalar engine. One number that remembers where it came from.

Made for reading and for the debugger: plain Python floats, one node per operation, and the
derivative of everything after one call of ``backward()``.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from gradlab import tape
from gradlab.numpy_protocol import primitive_for
from gradlab.operators import Operators, shorten
from gradlab.ops import activations, elementary
from gradlab.primitive import (
    Primitive,
)


class Value(Operators, tape.Node):
    """A float that is traced.

    Args:
        data: the number.
        name: a label for pictures and messages.

    Outside a function's domain a Value raises (log(0) is an error, not -inf), where a Tensor
    follows IEEE; inside it the two agree.

    >>> a, b = Value(2.0, name="a"), Value(-3.0, name="b")
    >>> y = a * b + a**2
    >>> y.backward()
    >>> a.grad, b.grad           # dy/da = b + 2a, dy/db = a
    (1.0, 2.0)

    Raises:
        TypeError: data that is not one real number.
    """

    __slots__ = ()
    data: float
    grad: Any
    shape: tuple[int, ...] = ()

    def __init__(self, data: float, name: str | None = None) -> None:
        try:
            number = float(data)
        except (TypeError, ValueError):
            raise TypeError(
                f"Value({data!r:.60}) is not one number\nexpected an int or a float\n"
                "write Tensor(...) for an array of them"
            ) from None
        tape.Node.__init__(self, number, name)

    @classmethod
    def apply(cls, op: Primitive, inputs: tuple[Any, ...]) -> Any:
        """Compute ``op`` on the plain numbers and return a node that remembers it."""
        if op.elementwise:
            try:
                plain = []
                for a in inputs:
                    plain.append(a.data if isinstance(a, Value) else a)
                data = op.function(*plain)
            except (ValueError, ArithmeticError):
                raise op.domain_error(inputs) from None
            if type(data) is float:  # so it is, if all inputs are Values and Python numbers
                return tape.made_by(cls, op, inputs, data)
        # Numbers taken out of an array become Python floats, so that gradients are too.
        inputs = tuple(a.item() if isinstance(a, np.generic) else a for a in inputs)
        plain = [a.data if isinstance(a, tape.Node) else a for a in inputs]
        if not op.elementwise or any(isinstance(a, tape.Node) and a.shape for a in inputs):
            raise _not_one_number(op, inputs)
        for a in plain[: len(op.operands)]:
            if isinstance(a, np.ndarray | list | tuple) and np.ndim(a):
                raise _not_one_number(op, inputs)
        return tape.made_by(cls, op, inputs, float(op.scalar(*plain)))

    def backward(self, cotangent: float = 1.0, *, create_graph: bool = False) -> None:
        """Write into ``.grad`` of every node that this one was made from, d(this)/d(node).

        Args:
            cotangent: the slope to start from; 1 = d(this)/d(this). A leaf adds to the gradient
                it already has; a node in between shows that of the latest sweep.
            create_graph: make the gradients traced Values too, to differentiate again.

        >>> x = Value(3.0)
        >>> (x**3).backward(create_graph=True)
        >>> first = x.grad           # 3 x^2 = 27, itself a Value
        >>> x.zero_grad()
        >>> first.backward()
        >>> first.data, x.grad       # 6 x = 18
        (27.0, 18.0)
        """
        tape.backward(self, cotangent, create_graph=create_graph)

    def zero_grad(self) -> None:
        """Forget the gradient, as before every new step of training."""
        self.grad = None

    def detach(self) -> Value:
        """Return a new leaf with the same number: no gradient flows further back from it."""
        return Value(self.data, self.name)

    def exp(self) -> Value:
        """e to the power of this."""
        return self.apply(elementary.exp, (self,))

    def log(self) -> Value:
        """Natural logarithm."""
        return self.apply(elementary.log, (self,))

    def tanh(self) -> Value:
        """Hyperbolic tangent."""
        return self.apply(elementary.tanh, (self,))

    def sigmoid(self) -> Value:
        """Logistic function."""
        return self.apply(activations.sigmoid, (self,))

    def relu(self) -> Value:
        """Rectified linear unit."""
        return self.apply(activations.relu, (self,))

    def __float__(self) -> float:
        return self.data

    def __repr__(self) -> str:
        label = f", name={self.name!r}" if self.name else ""
        grad = "" if self.grad is None else f", grad={float(self.grad):.6g}"
        return f"Value({self.data:.6g}{label}{grad})"

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **kwargs: Any) -> Any:
        """Let ``np.sin(value)`` and ``np.float64(2) * value`` find their primitive."""
        op = primitive_for(ufunc)
        if method != "__call__" or op is None or kwargs:
            return NotImplemented
        return op(*inputs)


def _between(op: Primitive) -> Any:
    """Return the sign ``op`` between a Value and a Value or a number; see `Value.apply`."""
    function = op.function

    def sign(a: Value, b: Any) -> Any:
        try:
            data = function(a.data, b.data if type(b) is Value else b)
        except (ValueError, ArithmeticError):
            raise op.domain_error((a, b)) from None
        if type(data) is float and type(a) is Value:
            return tape.made_by(Value, op, (a, b), data)
        return a.apply(op, (a, b))

    return sign


shorten(Value, _between)


def _not_one_number(op: Primitive, inputs: tuple[Any, ...]) -> TypeError:
    kinds = ", ".join(type(a).__name__ for a in inputs[: len(op.operands)])
    return TypeError(
        f"{op.name}({kinds}): a Value is one number\n"
        "expected single numbers and an elementwise function\n"
        "write Tensor instead of Value for arrays; never mix the two in one graph"
    )
