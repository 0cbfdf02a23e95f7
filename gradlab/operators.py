"""The signs of arithmetic on traced numbers: ``a + b`` is ``add(a, b)``, on either engine."""

from __future__ import annotations

from typing import Any, Self, cast

from gradlab.ops import arithmetic, elementary


class Operators:
    """What Python calls for each sign; a constant on the left arrives at ``__r...__``."""

    __slots__ = ()

    def __add__(self, other: Any) -> Self:
        return arithmetic.add(self, other)

    def __radd__(self, other: Any) -> Self:
        return arithmetic.add(other, self)

    def __sub__(self, other: Any) -> Self:
        return arithmetic.subtract(self, other)

    def __rsub__(self, other: Any) -> Self:
        return arithmetic.subtract(other, self)

    def __mul__(self, other: Any) -> Self:
        return arithmetic.multiply(self, other)

    def __rmul__(self, other: Any) -> Self:
        return arithmetic.multiply(other, self)

    def __truediv__(self, other: Any) -> Self:
        return arithmetic.divide(self, other)

    def __rtruediv__(self, other: Any) -> Self:
        return arithmetic.divide(other, self)

    def __pow__(self, other: Any) -> Self:
        return elementary.power(self, other)

    def __rpow__(self, other: Any) -> Self:
        return elementary.power(other, self)

    def __neg__(self) -> Self:
        return arithmetic.negative(self)

    def __pos__(self) -> Self:
        return arithmetic.positive(self)

    def __abs__(self) -> Self:
        return elementary.absolute(self)

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


def _plain(other: Any) -> Any:
    return other._data if isinstance(other, Operators) else other
