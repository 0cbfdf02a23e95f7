"""Rewriting the text of a rule, made for one Python number, as text that vectorises under Numba.

Constants get the number type of the data (a stray float64 constant would halve the speed of a
float32 loop), branches become selections, and `math.exp` becomes the polynomial of
`gradlab.kernels.approximations`. Functions that a rule calls are copied along.
"""

from __future__ import annotations

import ast
import inspect
import math
import textwrap
from collections.abc import Callable, Collection
from typing import Any

from gradlab.kernels import approximations

APPROXIMATED = ("erf", "erfc", "exp", "expm1", "log", "log1p", "tanh")
# NumPy's name for what Numba turns into one instruction.
INSTRUCTIONS = {"sqrt": "np.sqrt", "floor": "np.floor", "ceil": "np.ceil", "fabs": "abs"}
BUILTINS = {
    "abs": "abs",
    "round": "np.rint",
    "max": approximations.larger,
    "min": approximations.smaller,
    "float": "",
}
# The same where the second argument is a constant, which is not NaN.
BOUNDS = {"max": approximations.at_least, "min": approximations.at_most}


class Writer:
    """Collects the functions that a loop needs, each once, rewritten for one number type.

    >>> def ramp(x):
    ...     return x if x > 0.0 else 0.5 * x
    >>> writer = Writer("float32")
    >>> writer.need(ramp)
    'ramp'
    >>> print(writer.texts[-1])
    @inlined
    def ramp(x):
        return select(x > real(0.0), x, real(0.5) * x)

    Attributes:
        texts: the functions, callees first.
        scalar_calls: names of the C library's functions among them, which do not vectorise.
    """

    def __init__(self, dtype: str, variables: Collection[str] = ()) -> None:
        self.dtype, self.texts, self.scalar_calls = dtype, [], set()
        self.variables = set(variables)  # of the loop: no function may have their names
        self.names: dict[Any, str] = {}

    def need(self, function: Callable[..., Any]) -> str:
        """Return the name under which the function (or primitive) can be called in the text."""
        function = getattr(function, "function", function)
        if function not in self.names:
            taken = self.variables | set(self.names.values())
            name = function.__name__
            while name in taken:
                name += "_"
            self.names[function] = name
            self.texts.append(f"@inlined\n{self._rewritten(function, name)}")
        return self.names[function]

    def loop(self, function: Callable[..., Any], how: str = "kept") -> str:
        """Return the text of a function of arrays, with ``for`` over rows and columns in it.

        What stands in it for one number is rewritten as in a rule; whole numbers stay as they are.

        Args:
            how: its decorator, see `gradlab.kernels.generated.load`.
        """
        return f"@{how}\n{self._rewritten(function, function.__name__, whole_loop=True)}"

    def module(self, loop: str) -> str:
        """Return a module's text: the number types, the functions collected, and the loop."""
        types = f"real, whole = np.{self.dtype}, np.int{self.dtype[-2:]}"
        head = f"import math\n\nimport numpy as np\n\n{types}"
        return "\n\n\n".join([head, *self.texts, loop]) + "\n"

    def constant(self, name: str, found: Any) -> ast.expr:
        """Return a number as text of the right type; approximations keep a table for float32."""
        if self.dtype == "float32" and approximations.__dict__.get(name) is found:
            found = approximations.FLOAT32.get(name, found)
        kind = "whole" if type(found) is int else "real"
        return ast.parse(f"{kind}({_literal(found)})", mode="eval").body

    def _rewritten(self, function: Any, name: str, whole_loop: bool = False) -> str:
        tree = ast.parse(textwrap.dedent(inspect.getsource(function)))
        definition = tree.body[0]
        if not isinstance(definition, ast.FunctionDef):
            raise SyntaxError(
                f"{name}: a loop cannot be made of {ast.unparse(definition)[:40]!r}\n"
                "expected the text of a function\nwrite def name(x): return ..."
            )
        definition.name, definition.decorator_list, definition.returns = name, [], None
        definition.args.defaults = []
        for argument in definition.args.args:
            argument.annotation = None
        if ast.get_docstring(definition) is not None:
            definition.body = definition.body[1:]
        space = {**function.__globals__, **inspect.getclosurevars(function).nonlocals}
        _Vectorising(self, space, definition, whole_loop).visit(definition)
        return ast.unparse(ast.fix_missing_locations(definition))


def _literal(found: float) -> str:
    if math.isfinite(found):
        return repr(found)
    return "np.nan" if math.isnan(found) else "np.inf" if found > 0 else "-np.inf"


class _Vectorising(ast.NodeTransformer):
    def __init__(
        self, writer: Writer, space: dict[str, Any], definition: ast.FunctionDef, loop: bool
    ) -> None:
        self.writer, self.space, self.name, self.loop = writer, space, definition.name, loop
        self.local = {a.arg for a in definition.args.args}
        for node in ast.walk(definition):
            if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
                self.local.add(node.id)
            if not loop and isinstance(node, ast.If | ast.For | ast.While):
                raise SyntaxError(
                    f"{definition.name}: a statement that branches\n"
                    "expected expressions that pick for each number\n"
                    "write return a if condition else b"
                )

    def _call(self, function: Any, *arguments: ast.expr) -> ast.expr:
        name = function if isinstance(function, str) else self.writer.need(function)
        if not name:
            return arguments[0]
        return ast.Call(ast.parse(name, mode="eval").body, list(arguments), [])

    def _constant(self, node: ast.expr) -> float | None:
        """Return the number that an expression is, if no variable is in it; None otherwise."""
        names = {n.id for n in ast.walk(node) if isinstance(n, ast.Name)}
        numbers = {n: self.space.get(n) for n in names - {"math"}}
        if not all(type(found) is float for found in numbers.values()) or names & self.local:
            return None
        return eval(ast.unparse(node), {"math": math, **numbers})

    def visit_BinOp(self, node: ast.BinOp) -> ast.expr:
        divisor = self._constant(node.right) if isinstance(node.op, ast.Div) else None
        if divisor:  # a product is ten times as fast, and the last digit is all it may cost
            inverse = self.writer.constant("", 1.0 / divisor)
            return ast.BinOp(self.visit(node.left), ast.Mult(), inverse)
        return ast.BinOp(self.visit(node.left), node.op, self.visit(node.right))

    def visit_Constant(self, node: ast.Constant) -> ast.expr:
        if type(node.value) is float or (type(node.value) is int and not self.loop):
            return self.writer.constant("", float(node.value))
        return node

    def visit_Name(self, node: ast.Name) -> ast.expr:
        if node.id in self.local or isinstance(node.ctx, ast.Store):
            return node
        found = self.space[node.id]
        return self.writer.constant(node.id, found) if isinstance(found, int | float) else node

    def visit_Attribute(self, node: ast.Attribute) -> ast.expr:
        if ast.unparse(node.value) == "math":
            return self.writer.constant("", getattr(math, node.attr))
        if self.writer.dtype == "float32":  # np.float64 or np.int64
            node.attr = node.attr.replace("64", "32")
        return self.generic_visit(node)  # type: ignore[return-value]

    def visit_IfExp(self, node: ast.IfExp) -> ast.expr:
        parts = [self.visit(part) for part in (node.test, node.body, node.orelse)]
        if self.name == "select":
            return node
        return self._call(approximations.select, *parts)

    def visit_BoolOp(self, node: ast.BoolOp) -> ast.expr:
        joined = ast.BitAnd() if isinstance(node.op, ast.And) else ast.BitOr()
        first, *rest = [self.visit(part) for part in node.values]
        for part in rest:
            first = ast.BinOp(first, joined, part)
        return first

    def visit_Call(self, node: ast.Call) -> ast.expr:
        if isinstance(node.func, ast.Name) and node.func.id == "range":
            return node
        if isinstance(node.func, ast.Name) and node.func.id == "polynomial":
            return self._polynomial(*node.args)
        arguments = [self.visit(a) for a in node.args]
        if isinstance(node.func, ast.Attribute) and ast.unparse(node.func.value) == "math":
            return self._of_math(node.func, arguments)
        if isinstance(node.func, ast.Attribute):  # of np: bits, numbers, whole numbers
            return ast.Call(self.visit(node.func), arguments, [])
        name = ast.unparse(node.func)
        if name in BOUNDS and isinstance(node.args[1], ast.Constant):
            return self._call(BOUNDS[name], *arguments)
        return self._call(self.space.get(name, BUILTINS.get(name)), *arguments)

    def _of_math(self, function: ast.Attribute, arguments: list[ast.expr]) -> ast.expr:
        name = function.attr
        if (shorter := self._shorter(name, arguments[0])) is not None:
            return self._call(shorter, *arguments)
        if name in APPROXIMATED:
            return self._call(getattr(approximations, name), *arguments)
        if name in INSTRUCTIONS:
            return self._call(INSTRUCTIONS[name], *arguments)
        self.writer.scalar_calls.add(name)
        module = "np" if name == "cbrt" else "math"  # the one that Numba knows only as NumPy's
        return self._call("real", self._call(f"{module}.{name}", *arguments))

    def _shorter(self, name: str, argument: ast.expr) -> Any:
        """Return the approximation for an argument that is known not to be large, if there is."""
        text = ast.unparse(argument)
        if name == "exp" and text.startswith("-abs("):
            return approximations.exp_of_negative
        if name == "log1p" and text.startswith("exp_of_negative("):
            return approximations.log1p_up_to_one
        return None

    def _polynomial(self, x: ast.expr, table: ast.expr) -> ast.expr:
        name = ast.unparse(table)
        found = self.space[name]
        if self.writer.dtype == "float32":
            found = approximations.FLOAT32[name]
        at = f"({ast.unparse(self.visit(x))})"
        written = [ast.unparse(self.writer.constant("", c)) for c in found]
        even, odd = (_horner(f"({at} * {at})", written[first::2]) for first in (0, 1))
        return ast.parse(f"{odd} * {at} + {even}", mode="eval").body


def _horner(x: str, coefficients: list[str]) -> str:
    *rest, total = coefficients
    for c in reversed(rest):
        total = f"({total} * {x} + {c})"
    return total
