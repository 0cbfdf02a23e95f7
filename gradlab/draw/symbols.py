"""A slope rule writes itself down: it is run once more, on names instead of numbers.

The rule of tanh, ``1.0 - y * y``, given the symbol y, returns the expression 1 − y²; no list of
derivatives is kept for pictures.
"""

from __future__ import annotations

import ast
from collections.abc import Sequence
from typing import Any, cast

import numpy as np

from gradlab.draw.algebra import is_number, tree_of
from gradlab.operators import Operators
from gradlab.tape import Node

SIGNS_ONLY = (ast.BinOp, ast.UnaryOp, ast.IfExp, ast.Name, ast.Constant)


class Symbol(Operators, Node):
    """A number or array with a name, which remembers as text what is computed from it.

    Beside the expression it carries the data, because rules ask for shapes.

    >>> from gradlab.draw.algebra import written
    >>> x = Symbol("x", 3.0)
    >>> written(2.0 * x * x + 1.0), written(2.0 * x * x + 1.0, numbers=True)
    ('2 · x² + 1', '2 · 3² + 1')
    """

    __slots__ = ("tree",)

    def __init__(self, name: str, data: Any, tree: ast.expr | None = None) -> None:
        Node.__init__(self, data, name)
        self.tree = ast.Constant(value=cast(Any, self)) if tree is None else tree

    @classmethod
    def apply(cls, op: Any, inputs: tuple[Any, ...]) -> Any:
        """Compute ``op`` on the data, and write the call down."""
        data = op.evaluate([_data(x) for x in inputs])
        return cls("", data, application(op, inputs))

    @property
    def shape(self) -> tuple[int, ...]:  # type: ignore[override]
        """The size of each axis."""
        return np.shape(self.data)

    @property
    def ndim(self) -> int:
        """The number of axes."""
        return np.ndim(self.data)

    @property
    def dtype(self) -> np.dtype:
        """The type of the numbers."""
        return np.asarray(self.data).dtype

    # Comparisons are part of a rule such as relu's, so they are written down too.

    def __lt__(self, other: Any) -> Any:
        return self._compared(ast.Lt(), other, self.data < _data(other))

    def __le__(self, other: Any) -> Any:
        return self._compared(ast.LtE(), other, self.data <= _data(other))

    def __gt__(self, other: Any) -> Any:
        return self._compared(ast.Gt(), other, self.data > _data(other))

    def __ge__(self, other: Any) -> Any:
        return self._compared(ast.GtE(), other, self.data >= _data(other))

    def __eq__(self, other: object) -> Any:
        return self._compared(ast.Eq(), other, self.data == _data(other))

    def __ne__(self, other: object) -> Any:
        return self._compared(ast.NotEq(), other, self.data != _data(other))

    __hash__ = object.__hash__

    def __bool__(self) -> bool:
        return bool(self.data)

    def __and__(self, other: Any) -> Any:
        if not isinstance(other, Symbol):
            return self if other is True else other
        tree = ast.BoolOp(ast.And(), [self.tree, other.tree])
        return Symbol("", self.data & other.data, tree)

    __rand__ = __and__

    def __or__(self, other: Any) -> Any:
        if not isinstance(other, Symbol):
            return self if other is False else other
        return Symbol("", self.data | other.data, ast.BoolOp(ast.Or(), [self.tree, other.tree]))

    __ror__ = __or__

    def _compared(self, sign: ast.cmpop, other: Any, data: Any) -> Symbol:
        return Symbol("", data, ast.Compare(self.tree, [sign], [tree_of(other)]))


def _data(x: Any) -> Any:
    if isinstance(x, list | tuple):
        return type(x)(map(_data, x))
    return x.data if isinstance(x, Node) else x


def run_rule(op: Any, place: int, inputs: Sequence[Any], y: Symbol, g: Symbol) -> Any:
    """Return what the rule for one input makes of symbols; None if it cannot be run on them.

    Args:
        op: the primitive.
        place: which of ``inputs`` to differentiate.
        inputs: its inputs, symbols where the slope should show a name.
        y: the value that was computed.
        g: the incoming gradient.

    >>> from gradlab.draw.algebra import written
    >>> from gradlab.ops.elementary import tanh
    >>> written(run_rule(tanh, 0, [Symbol("z", 1.0)], Symbol("y", 0.7616), Symbol("g", 1.0)))
    '1 − y²'
    """
    rule = op.rules.get(op.name_at(place, len(inputs)))
    if rule is None:
        return None
    named = list(inputs)
    if op.variadic:
        cut = len(inputs) - len(op.parameters)
        named[:cut] = [named[:cut]]
    known = {**dict(zip(op.input_names, named, strict=True)), "y": y, "g": g, "i": place}
    try:
        with np.errstate(all="ignore"):
            return rule.function(*[known[name] for name in rule.wanted])
    except Exception:  # somebody's own rule may do what only numbers can; the number is shown
        return None


# ---------------------------------------------------------------------------- from calls to trees


def application(op: Any, inputs: Sequence[Any]) -> ast.expr:
    """Return the expression for a primitive applied to inputs.

    A formula that is made of signs only is written out, anything else is a call by name.

    >>> from gradlab.draw.algebra import written
    >>> from gradlab.ops.elementary import exp, power
    >>> x = Symbol("x", 2.0)
    >>> [written(application(op, given)) for op, given in ((exp, [x]), (power, [x, 3.0]))]
    ['exp(x)', 'x³']
    """
    names = [op.name_at(place, len(inputs)) for place in range(len(inputs))]
    formula = ast.parse(op.formula, mode="eval").body if op.formula else None
    if formula is not None and _has_signs_only(formula):
        trees = dict(zip(names, map(tree_of, inputs), strict=True))
        return _Substitution(trees).visit(formula)
    given = list(zip(names, inputs, strict=True))
    operands = [tree_of(x) for name, x in given if name in op.operands]
    others = [(name, x) for name, x in given if name in op.parameters and _is_news(op, name, x)]
    keywords = [ast.keyword(name, tree_of(x)) for name, x in others]
    return ast.Call(ast.Name(op.name), operands, keywords)


def _has_signs_only(formula: ast.expr) -> bool:
    parts = [part for part in ast.walk(formula) if isinstance(part, ast.expr)]
    return all(isinstance(part, SIGNS_ONLY) for part in parts)


def _is_news(op: Any, name: str, x: Any) -> bool:
    """Tell whether a parameter differs from its default."""
    if isinstance(x, Node):
        return True
    return type(x) is not type(op.defaults.get(name)) or bool(np.any(x != op.defaults.get(name)))


class _Substitution(ast.NodeTransformer):
    """Puts expressions in the place of names, and leaves out what a constant already decides."""

    def __init__(self, trees: dict[str, ast.expr]) -> None:
        self.trees = trees

    def visit_Name(self, node: ast.Name) -> ast.expr:
        return self.trees.get(node.id, node)

    def visit_IfExp(self, node: ast.IfExp) -> ast.expr:
        self.generic_visit(node)
        if isinstance(node.test, ast.Constant) and isinstance(node.test.value, bool):
            return node.body if node.test.value else node.orelse
        return node

    def visit_BinOp(self, node: ast.BinOp) -> ast.expr:
        self.generic_visit(node)
        exponent = node.right.value if isinstance(node.right, ast.Constant) else None
        to_the_first = isinstance(node.op, ast.Pow) and is_number(exponent) and exponent == 1
        return node.left if to_the_first else node
