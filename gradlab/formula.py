"""Formulas as text that can be evaluated, checked against the code, and printed as LaTeX.

A formula in the table, such as ``x if x > 0 else alpha * (exp(x) - 1)``, is an ordinary Python
expression. It says what a primitive means, independently of how the value is computed stably.
"""

from __future__ import annotations

import ast
import math
from collections.abc import Mapping
from typing import Any

import numpy as np

# Functions a formula may use besides the primitives. Sums and the like run over the last axis.
FUNCTIONS: dict[str, Any] = {
    **{name: getattr(np, name) for name in "exp log sqrt sin cos tan sinh cosh tanh floor".split()},
    **{name: getattr(np, name) for name in "ceil arcsin arccos arctan sort cumsum prod".split()},
    "abs": np.abs,
    "sum": lambda x: np.sum(x, axis=-1),
    "mean": lambda x: np.mean(x, axis=-1),
    "max": lambda *x: np.max(x[0], axis=-1) if len(x) == 1 else np.maximum(*x),
    "min": lambda *x: np.min(x[0], axis=-1) if len(x) == 1 else np.minimum(*x),
    "norm": lambda x: np.sqrt(np.sum(np.square(x), axis=-1)),
    "pi": math.pi,
    "e": math.e,
}


def names_in(formula: str) -> set[str]:
    """Return the names a formula mentions.

    >>> sorted(names_in("alpha * (exp(x) - 1)"))
    ['alpha', 'exp', 'x']
    """
    return {n.id for n in ast.walk(ast.parse(formula, mode="eval")) if isinstance(n, ast.Name)}


def evaluate(formula: str, arguments: Mapping[str, Any], also: Mapping[str, Any] = {}) -> Any:
    """Return the formula's value for the given arguments; ``also`` names further functions.

    >>> evaluate("x if x > 0 else alpha * (exp(x) - 1)", {"x": 2.0, "alpha": 1.0})
    2.0
    """
    with np.errstate(all="ignore"):
        return eval(formula, {"__builtins__": {}}, {**also, **FUNCTIONS, **arguments})


GREEK = set("alpha beta gamma delta epsilon eta theta lambda mu sigma phi psi pi tau".split())
SPELLED = {"y_true": "y", "y_pred": r"\hat{y}", "negative_slope": r"\alpha", "threshold": r"\theta"}
NAMED = {"exp": r"\exp", "log": r"\log", "sin": r"\sin", "cos": r"\cos", "tan": r"\tan"}
NAMED |= {"tanh": r"\tanh", "sinh": r"\sinh", "cosh": r"\cosh", "max": r"\max", "min": r"\min"}
NAMED |= {"sigmoid": r"\sigma"}
COMPARISONS = {ast.Gt: ">", ast.GtE: r"\ge", ast.Lt: "<", ast.LtE: r"\le", ast.Eq: "="}
COMPARISONS |= {ast.NotEq: r"\ne"}
ADD, MULTIPLY, UNARY, POWER, ATOM = range(5)  # how tightly a piece of LaTeX binds


class _Latex(ast.NodeVisitor):
    """Turns each kind of expression into (LaTeX, how tightly it binds)."""

    def text(self, node: ast.expr, at_least: int = ADD) -> str:
        latex, binds = self.visit(node)
        return latex if binds >= at_least else rf"\left({latex}\right)"

    def generic_visit(self, node: ast.AST) -> tuple[str, int]:
        return rf"\text{{{ast.unparse(node)}}}", ATOM

    def visit_Name(self, node: ast.Name) -> tuple[str, int]:
        plain = node.id.replace("_", r"\_")
        long = rf"\mathrm{{{plain}}}" if len(node.id) > 1 else plain
        return SPELLED.get(node.id, "\\" + node.id if node.id in GREEK else long), ATOM

    def visit_Constant(self, node: ast.Constant) -> tuple[str, int]:
        return f"{node.value:.17g}" if isinstance(node.value, float) else str(node.value), ATOM

    def visit_UnaryOp(self, node: ast.UnaryOp) -> tuple[str, int]:
        return f"-{self.text(node.operand, UNARY)}", UNARY

    def visit_BinOp(self, node: ast.BinOp) -> tuple[str, int]:
        a, b = node.left, node.right
        match node.op:
            case ast.Add():
                return f"{self.text(a)} + {self.text(b)}", ADD
            case ast.Sub():
                return f"{self.text(a)} - {self.text(b, MULTIPLY)}", ADD
            case ast.Mult():
                dot = r" \cdot " if isinstance(b, ast.Constant) else r" \, "
                return f"{self.text(a, MULTIPLY)}{dot}{self.text(b, MULTIPLY)}", MULTIPLY
            case ast.Div():
                return rf"\frac{{{self.text(a)}}}{{{self.text(b)}}}", POWER
            case ast.Pow():
                return f"{{{self.text(a, ATOM)}}}^{{{self.text(b)}}}", POWER
            case ast.MatMult():
                return f"{self.text(a, MULTIPLY)} {self.text(b, MULTIPLY)}", MULTIPLY
        return self.generic_visit(node)

    def visit_Call(self, node: ast.Call) -> tuple[str, int]:
        name = ast.unparse(node.func)
        inside = ", ".join(self.text(a) for a in node.args)
        match name:
            case "sqrt":
                return rf"\sqrt{{{inside}}}", ATOM
            case "abs":
                return rf"\left|{inside}\right|", ATOM
            case "norm":
                return rf"\left\lVert{inside}\right\rVert", ATOM
            case "floor" | "ceil":
                return rf"\l{name}{inside}\r{name}", ATOM
            case "sum":
                return rf"\sum_i {self.text(node.args[0], MULTIPLY)}", MULTIPLY
            case "mean":
                return rf"\frac{{1}}{{n}} \sum_i {self.text(node.args[0], MULTIPLY)}", MULTIPLY
        plain = name.replace("_", r"\_")
        function = NAMED.get(name, rf"\operatorname{{{plain}}}")
        return rf"{function}\left({inside}\right)", ATOM

    def visit_Compare(self, node: ast.Compare) -> tuple[str, int]:
        parts = [self.text(node.left)]
        for op, term in zip(node.ops, node.comparators, strict=True):
            parts += [COMPARISONS[type(op)], self.text(term)]
        return " ".join(parts), ADD

    def visit_IfExp(self, node: ast.IfExp) -> tuple[str, int]:
        rows, rest = [], node
        while isinstance(rest, ast.IfExp):
            rows.append(rf"{self.text(rest.body)} & \text{{if }} {self.text(rest.test)}")
            rest = rest.orelse
        rows.append(rf"{self.text(rest)} & \text{{otherwise}}")
        return r"\begin{cases}" + r" \\ ".join(rows) + r"\end{cases}", ATOM


def latex(formula: str) -> str:
    r"""Return the formula as LaTeX.

    >>> print(latex("alpha * (exp(x) - 1) / 2"))
    \frac{\alpha \, \left(\exp\left(x\right) - 1\right)}{2}
    """
    return _Latex().text(ast.parse(formula, mode="eval").body)
