"""The signs of arithmetic on traced numbers: ``a + b`` is ``add(a, b)``, on either engine."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar, Self, cast

from gradlab.ops import arithmetic, elementary


class Operators:
    """What Python calls for each sign; a constant on the left arrives at ``__r...__``.

    One operand is a node for certain, so its engine is asked at once: ``add(a, b)`` would first
    look for a node among its arguments.
    """

    __slots__ = ()

    apply: ClassVar[Callable[..., Any]]  # of the engine; see `gradlab.tape.Node`

    def __add__(self, other: Any) -> Self:
        return self.apply(arithmetic.add, (self, other))

    def __radd__(self, other: Any) -> Self:
        return self.apply(arithmetic.add, (other, self))

    def __sub__(self, other: Any) -> Self:
        return self.apply(arithmetic.subtract, (self, other))

    def __rsub__(self, other: Any) -> Self:
        return self.apply(arithmetic.subtract, (other, self))

    def __mul__(self, other: Any) -> Self:
        return self.apply(arithmetic.multiply, (self, other))

    def __rmul__(self, other: Any) -> Self:
        return self.apply(arithmetic.multiply, (other, self))

    def __truediv__(self, other: Any) -> Self:
        return self.apply(arithmetic.divide, (self, other))

    def __rtruediv__(self, other: Any) -> Self:
        return self.apply(arithmetic.divide, (other, self))

    def __pow__(self, other: Any) -> Self:
        return self.apply(elementary.power, (self, other))

    def __rpow__(self, other: Any) -> Self:
        return self.apply(elementary.power, (other, self))

    def __neg__(self) -> Self:
        return self.apply(arithmetic.negative, (self,))

    def __pos__(self) -> Self:
        return self.apply(arithmetic.positive, (self,))

    def __abs__(self) -> Self:
        return self.apply(elementary.absolute, (self,))

    # Comparisons answer with plain truth values: they have no slope.

    def __lt__(self, other: Any) -> Any:
        return self._data < _plain(other)

    def __le__(self, other: Any) -> Any:
        return self._data <= _plain(other)

    def __gt__(self, other: Any) -> Any:
        return self._data > _plain(other)

    def __ge__(self, other: Any) -> Any:
        return self._data >= _plain(other)

    def __eq__(self, other: object) -> Any:
        return self._data == _plain(other)

    def __ne__(self, other: object) -> Any:
        return self._data != _plain(other)

    __hash__ = object.__hash__  # two nodes are the same only if they are one

    @property
    def _data(self) -> Any:
        return cast(Any, self).data


def shorten(engine: type, way: Callable[[Any], Callable[[Any, Any], Any]]) -> None:
    """Let an engine answer the signs between two numbers in a way of its own.

    Most nodes of a graph are made by these signs, so the engine may take a short way for what is
    usual; for anything else its ``apply`` is there.

    Args:
        engine: the class.
        way: takes a primitive to the method for its sign.
    """
    signs = {
        "__add__": arithmetic.add,
        "__sub__": arithmetic.subtract,
        "__mul__": arithmetic.multiply,
        "__truediv__": arithmetic.divide,
        "__pow__": elementary.power,
    }
    for sign, op in signs.items():
        setattr(engine, sign, way(op))


def _plain(other: Any) -> Any:
    return other._data if isinstance(other, Operators) else other
