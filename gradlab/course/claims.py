"""A claim is an `assert` with its message: what a chapter says is true, checked at each run.

Each assert is followed by a call that notes the message, so a run can list what held.
"""

from __future__ import annotations

import ast
from dataclasses import dataclass

NOTE = "__claim__"

# What these decorators get is compiled from its byte code, which cannot call back into Python.
NUMBA = ("njit", "jit", "vectorize", "guvectorize", "stencil", "cfunc", "overload")
COMPILING = frozenset((*NUMBA, "primitive", "partial", "vjp"))


@dataclass(frozen=True)
class Claim:
    """One claim that held: the line of its assert, its words, and how many times it was checked."""

    line: int
    text: str
    count: int = 1

    def __str__(self) -> str:
        return self.text if self.count == 1 else f"{self.text} ×{self.count:,}"


class Ledger:
    """Counts the claims that held, in the order in which they were first met."""

    def __init__(self) -> None:
        self._counts: dict[tuple[int, str], int] = {}

    def note(self, line: int, message: object) -> None:
        """Count one check of the claim on this line that held."""
        key = (line, " ".join(str(message).split()))
        self._counts[key] = self._counts.get(key, 0) + 1

    def add(self, claims: list[Claim]) -> None:
        """Count claims that another ledger has counted."""
        for claim in claims:
            key = (claim.line, claim.text)
            self._counts[key] = self._counts.get(key, 0) + claim.count

    def claims(self) -> list[Claim]:
        """All claims so far, each once with its count."""
        return [Claim(line, text, count) for (line, text), count in self._counts.items()]


class _NoteClaims(ast.NodeTransformer):
    """Follow each `assert condition, message` with `__claim__(line, message)`."""

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        if any(_name(decorator) in COMPILING for decorator in node.decorator_list):
            return node
        return self.generic_visit(node)

    def visit_Assert(self, node: ast.Assert) -> list[ast.stmt]:
        words = ast.Constant(ast.unparse(node.msg or node.test))
        if node.msg is None or isinstance(node.msg, ast.Constant):
            return [node, _located(_call(node, node.msg or words), node)]
        # A message is written for the failure: where all is well, computing it may itself fail.
        handler = ast.ExceptHandler(ast.Name("Exception", ast.Load()), None, [_call(node, words)])
        return [node, _located(ast.Try([_call(node, node.msg)], [handler], [], []), node)]


def _call(node: ast.Assert, message: ast.expr) -> ast.Expr:
    arguments = [ast.Constant(node.lineno), message]
    return ast.Expr(ast.Call(ast.Name(NOTE, ast.Load()), arguments, []))


def _located(new: ast.stmt, old: ast.stmt) -> ast.stmt:
    """Give the new statement the place of the old one, so that a debugger stays on that line."""
    for part in ast.walk(new):
        ast.copy_location(part, old)
    return new


def _name(decorator: ast.expr) -> str:
    """The last name of a decorator: `njit` for `@numba.njit(cache=True)`."""
    if isinstance(decorator, ast.Call):
        decorator = decorator.func
    if isinstance(decorator, ast.Attribute):
        return decorator.attr
    return decorator.id if isinstance(decorator, ast.Name) else ""


def instrument(tree: ast.Module) -> ast.Module:
    """Note every claim of this code, in functions and loops too; each assert itself stays.

    >>> print(ast.unparse(instrument(ast.parse("assert 1 + 1 == 2, 'sums work'"))))
    assert 1 + 1 == 2, 'sums work'
    __claim__(1, 'sums work')
    """
    return _NoteClaims().visit(tree)
