"""Where a function may be evaluated: text, interval or predicate, all made a test of an array.

A declared domain is never left: not by the steps of a measurement, nor by a search.
"""

from __future__ import annotations

import ast
import contextlib
import functools
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from gradlab.entry import Interval


def domains_of(domain: Any, count: int) -> tuple[Any, ...]:
    """One domain per differentiated argument, from a domain for all or a tuple of one for each."""
    each = domain if isinstance(domain, tuple | list) else [domain] * count
    if len(each) != count:
        raise ValueError(
            f"gradcheck: {len(each)} domains for {count} differentiated argument(s)\n"
            'expected one for all, or one for each\nwrite domain=("x > 0", None)'
        )
    return tuple(each)


def inside(domain: Any) -> Callable[[Any], bool]:
    """A domain as a test of a whole array.

    It may be a predicate, an Interval, or a text in the grammar of `from_text`.

    >>> inside("(0, inf)")(np.array([1.0, 2.0])), inside("x != 0")(np.array([1.0, 0.0]))
    (True, False)
    """
    if domain is None:
        return _anywhere
    if isinstance(domain, str):
        domain = from_text(domain)

    def holds(x: Any) -> bool:
        if isinstance(domain, Interval):
            return all(float(e) in domain for e in np.ravel(x))
        with np.errstate(all="ignore"):
            return bool(np.all(domain(np.asarray(x))))

    return holds


def _anywhere(x: Any) -> bool:
    return True


def from_text(text: str) -> Any:
    """An Interval, or a predicate on arrays, from its text: this is the grammar of a domain.

    * An interval is written as on paper, a square bracket includes the end: "(0, inf)", "(0, 1]",
      and may have a hole: "(-inf, inf) except 0".
    * Anything else is a condition in Python on the array x, with `np` at hand. Comparisons may be
      chained and joined by `and`, `or` and `not`; they are meant element by element:
      "x != 0", "abs(x) < 1", "0 < x < 1", "x < -1 or x > 1". "x.sum() > 0" speaks of the whole.

    >>> print(from_text("(0, 1]"), from_text("0 < x <= 1")(np.array([0.0, 0.5, 1.0])))
    (0, 1] [False  True  True]

    Raises:
        ValueError: neither an interval nor a Python expression in x.
    """
    with contextlib.suppress(ValueError):
        if text.strip()[:1] in ("(", "["):
            return Interval.parse(text.strip())
    try:
        tree = ast.parse(text.strip(), mode="eval")
    except SyntaxError:
        tree = None
    if tree is None or "x" not in {n.id for n in ast.walk(tree) if isinstance(n, ast.Name)}:
        raise ValueError(
            f"domain={text!r} is neither an interval nor an expression in x\n"
            'expected the set of points where f may be evaluated\nwrite "x > 0" or "(0, inf)"'
        )
    elementwise = ast.fix_missing_locations(_ElementByElement().visit(tree))
    code = compile(elementwise, "domain", "eval")

    def predicate(x: Any) -> Any:
        return eval(code, {"np": np, "abs": np.abs}, {"x": x})

    return predicate


class _ElementByElement(ast.NodeTransformer):
    """`a < x < b`, `and`, `or` and `not` ask an array for one truth value; `&`, `|` do not."""

    def visit_Compare(self, node: ast.Compare) -> ast.expr:
        terms = [node.left, *node.comparators]
        pairs = zip(terms, node.ops, terms[1:], strict=False)
        return _joined([ast.Compare(a, [op], [b]) for a, op, b in pairs], ast.BitAnd())

    def visit_BoolOp(self, node: ast.BoolOp) -> ast.expr:
        sign = ast.BitAnd() if isinstance(node.op, ast.And) else ast.BitOr()
        return _joined([self.visit(value) for value in node.values], sign)

    def visit_UnaryOp(self, node: ast.UnaryOp) -> ast.expr:
        if not isinstance(node.op, ast.Not):
            return node
        negate = ast.parse("np.logical_not", mode="eval").body
        return ast.Call(negate, [self.visit(node.operand)], [])


def _joined(terms: Sequence[ast.expr], sign: ast.operator) -> ast.expr:
    return functools.reduce(lambda a, b: ast.BinOp(a, sign, b), terms)
