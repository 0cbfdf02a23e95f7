"""Expressions as a line of text a student can read: ``1 − y²``, or with numbers ``1 − 0.76²``.

An expression is a tree of Python's own ``ast``; a leaf of it may be a symbol, which has both a name
and a number.
"""

from __future__ import annotations

import ast
import itertools
from typing import Any

import numpy as np

from gradlab.draw import text
from gradlab.tape import Node

CHOICE, ADD, MULTIPLY, UNARY, POWER, ATOM = range(6)  # how tightly a piece of text binds
SIGNS = {ast.Add: ("+", ADD), ast.Sub: ("−", ADD), ast.Mult: ("·", MULTIPLY)}
SIGNS |= {ast.Div: ("/", MULTIPLY), ast.MatMult: ("@", MULTIPLY), ast.Mod: ("mod", MULTIPLY)}
SIGNS |= {ast.FloorDiv: ("//", MULTIPLY)}
COMPARISONS = {ast.Gt: ">", ast.GtE: "≥", ast.Lt: "<", ast.LtE: "≤", ast.Eq: "=", ast.NotEq: "≠"}
RAISED = str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹")
LONGEST = 400  # characters of an expression


def written(what: Any, *, numbers: bool = False, closed: bool = False) -> str:
    """Return an expression as a line of text, with names or with the numbers they stand for.

    Args:
        what: an expression, a formula of the table as a string, a symbol, or a plain number.
        numbers: whether to put numbers in the place of names.
        closed: whether to add brackets where something in front could be taken for a part of it.

    >>> written("a - (b - c * c) / 2"), written("x if x > 0 else -x")
    ('a − (b − c²) / 2', 'x if x > 0 else −x')
    """
    if isinstance(what, str):
        what = ast.parse(what, mode="eval").body
    tree = what if isinstance(what, ast.expr) else tree_of(what)
    return text.clean(_Writer(numbers).text(tree, POWER if closed else CHOICE), LONGEST)


def tree_of(x: Any) -> ast.expr:
    """Return the expression of a symbol; anything else stands for itself."""
    return getattr(x, "tree", None) or ast.Constant(value=x)


def fits_in_a_line(x: Any) -> bool:
    """Tell whether a number or array is written out, rather than by its range."""
    return np.size(x) <= text.FEW


def plain_number(x: Any) -> str:
    """Return a number or array in four significant digits.

    >>> plain_number(-0.41997), plain_number(np.array([0.5, 2.0])), plain_number(60000.0)
    ('−0.42', '[0.5, 2]', '60000')
    """
    if isinstance(x, np.ndarray):
        if x.ndim:
            return text.numbers(x).replace("-", "−")
        x = x[()]
    if isinstance(x, float | np.floating):
        digits = 4 if abs(x) < 1e4 else 6
        x = f"{x + 0.0:.{digits}g}"  # adding 0.0 turns -0.0 into 0.0
    return text.clean(x, 40).replace("-", "−")


def is_number(x: Any) -> bool:
    """Tell whether this is a plain number; True and False are not."""
    return isinstance(x, int | float | np.number) and not isinstance(x, bool)


class _Writer(ast.NodeVisitor):
    """Turns each kind of expression into (text, how tightly it binds)."""

    def __init__(self, numbers: bool) -> None:
        self.numbers = numbers

    def text(self, node: ast.expr, at_least: int = CHOICE) -> str:
        line, binds = self.visit(node)
        return line if binds >= at_least else f"({line})"

    def generic_visit(self, node: ast.AST) -> tuple[str, int]:
        return ast.unparse(node), CHOICE

    def visit_Name(self, node: ast.Name) -> tuple[str, int]:
        return node.id, ATOM

    def visit_Constant(self, node: ast.Constant) -> tuple[str, int]:
        value: Any = node.value
        if isinstance(value, Node):
            if not self.numbers or not fits_in_a_line(value.data):
                return value.name or "", ATOM
            value = value.data
        if np.ndim(value) and not fits_in_a_line(value):
            return f"constant{np.shape(value)}", ATOM
        line = plain_number(value)
        return line, UNARY if line.startswith("−") else ATOM

    def visit_UnaryOp(self, node: ast.UnaryOp) -> tuple[str, int]:
        sign = {ast.USub: "−", ast.Not: "not "}.get(type(node.op), "")
        return sign + self.text(node.operand, POWER), UNARY

    def visit_BinOp(self, node: ast.BinOp) -> tuple[str, int]:
        if isinstance(node.op, ast.Pow):
            return self._power(node.left, node.right)
        if isinstance(node.op, ast.Mult):
            return self._product(node)
        sign, binds = SIGNS[type(node.op)]
        left = self.text(node.left, binds)
        # What stands to the right of a sign binds tighter: a − (b + c), a − (−3).
        right = self.text(node.right, binds + 1)
        if right.startswith("−"):
            right = f"({right})"
        return f"{left} {sign} {right}", binds

    def _product(self, node: ast.expr) -> tuple[str, int]:
        factors: list[ast.expr] = []
        while isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mult):
            factors.insert(0, node.right)
            node = node.left
        factors.insert(0, node)
        parts = []
        for _, same in itertools.groupby(factors, key=ast.dump):
            factor, *others = same
            times = ast.Constant(value=1 + len(others))
            if others:
                parts.append(self._power(factor, times)[0])
            else:
                parts.append(self.text(factor, POWER if parts else MULTIPLY))
        return " · ".join(parts), POWER if len(parts) == 1 else MULTIPLY

    def _power(self, base: ast.expr, exponent: ast.expr) -> tuple[str, int]:
        low = self.text(base, ATOM)
        high = self.text(exponent, ATOM)
        return low + (high.translate(RAISED) if high.isdecimal() else f"^{high}"), POWER

    def visit_Call(self, node: ast.Call) -> tuple[str, int]:
        inside = [self.text(argument) for argument in node.args]
        inside += [f"{keyword.arg}={self.text(keyword.value)}" for keyword in node.keywords]
        return f"{self.text(node.func)}({', '.join(inside)})", ATOM

    def visit_Compare(self, node: ast.Compare) -> tuple[str, int]:
        right = " ".join(
            f"{COMPARISONS[type(sign)]} {self.text(term, MULTIPLY)}"
            for sign, term in zip(node.ops, node.comparators, strict=True)
        )
        return f"{self.text(node.left, MULTIPLY)} {right}", ADD

    def visit_BoolOp(self, node: ast.BoolOp) -> tuple[str, int]:
        word = " and " if isinstance(node.op, ast.And) else " or "
        return word.join(self.text(value, ADD) for value in node.values), CHOICE

    def visit_IfExp(self, node: ast.IfExp) -> tuple[str, int]:
        test, other = self.text(node.test), self.text(node.orelse)
        return f"{self.text(node.body, ADD)} if {test} else {other}", CHOICE
