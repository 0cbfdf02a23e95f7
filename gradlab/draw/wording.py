"""One operation in words and numbers: its value, and how a gradient passes back through it.

The derivative is read off the primitive's own rule, first with names, then with their numbers, then
worked out: ``d/dz tanh(z) = 1 − y² = 1 − 0.76² = 0.42``.
"""

from __future__ import annotations

import ast
from collections.abc import Callable
from typing import Any

import numpy as np

from gradlab.draw import text
from gradlab.draw.algebra import fits_in_a_line, plain_number, written
from gradlab.draw.labels import plain, span
from gradlab.draw.symbols import Symbol, application, run_rule
from gradlab.tape import Node

Lines = list[tuple[str, str]]
LONG_RULE = 160  # characters; a longer rule explains nothing
LOWERED = str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉")


def row_text(x: Any) -> str:
    """Return a value or gradient as it stands in a row of a box.

    >>> row_text(0.5), row_text(np.zeros(2))
    ('0.5000', '[0, 0]')
    """
    x = plain(x)
    return text.numbers(np.asarray(x)) if isinstance(x, np.ndarray | np.generic) else text.number(x)


def flow_text(x: Any) -> str:
    """Return a product as it stands on an edge: one number, or the least and the greatest.

    >>> flow_text(-0.5), flow_text(np.arange(3.0))
    ('= -0.5', '= 0 … 2')
    """
    return f"= {span(plain(x))}"


def shown(x: Any) -> str:
    """Return a number or small array; the range and shape of a large one.

    >>> shown(0.25), shown(np.arange(8.0))
    ('0.25', '0 … 7, shape (8,)')
    """
    x = plain(x)
    if fits_in_a_line(x):
        return plain_number(x)
    same = (x == x.flat[0]).all()
    return f"{f'all {plain_number(x.flat[0])}' if same else plain_number(x)}, shape {x.shape}"


def signed(x: Any) -> str:
    """Return the same, in brackets if it begins with a minus sign.

    >>> signed(-3.0)
    '(−3)'
    """
    line = shown(x)
    return f"({line})" if line.startswith("−") else line


def call_of(node: Node, name: Callable[[Node], str]) -> ast.expr:
    """Return the expression of a node's operation in the names of its inputs."""
    return application(node.op, _symbols(node, {n.serial: name(n) for n in node.parents}))


def value_lines(node: Node, name: Callable[[Node], str]) -> Lines:
    """Return how a node's value follows from its inputs, and the formula of its operation.

    >>> import operator
    >>> import gradlab as gl
    >>> z = gl.Value(1.0, name="z")
    >>> (y := gl.relu(z)).name = "y"
    >>> value_lines(y, operator.attrgetter("name"))
    [('value', 'y = relu(z) = relu(1) = 1'), ('formula', 'relu(x) = max(0, x)')]
    """
    call = call_of(node, name)
    chain = _chain(written(call), written(call, numbers=True), shown(node.data))
    lines = [("value", f"{name(node)} = {chain}")]
    if isinstance(call, ast.Call) and node.op.formula:
        definition = f"{node.op.name}({', '.join(node.op.operands)})"
        if (formula := written(node.op.formula)) != definition:
            lines.append(("formula", f"{definition} = {formula}"))
    return lines


class Passage:
    """How a gradient ``g`` passes from a node back to its inputs.

    Where one node enters at several places, as in a · a, it is told apart as a₁ · a₂: each place is
    a path of its own.
    """

    def __init__(self, node: Node, g: Any, name: Callable[[Node], str]) -> None:
        self.node, self.g = node, plain(g)
        self.places = [i for i, x in enumerate(node.inputs) if isinstance(x, Node)]
        self.names = self._told_apart(name)
        self.inputs = [
            Symbol(self.names[i], plain(x.data)) if isinstance(x, Node) else x
            for i, x in enumerate(node.inputs)
        ]
        self.y, self.symbol = Symbol(name(node), plain(node.data)), Symbol("g", self.g)
        self.slopes = node.local_slopes()

    def _told_apart(self, name: Callable[[Node], str]) -> dict[int, str]:
        serials = [self.node.inputs[i].serial for i in self.places]
        names = {}
        for k, i in enumerate(self.places):
            nth = f"{serials[: k + 1].count(serials[k])}".translate(LOWERED)
            once = serials.count(serials[k]) == 1
            names[i] = name(self.node.inputs[i]) + ("" if once else nth)
        return names

    def lines(self, place: int, contribution: Any) -> Lines:
        """Return the local derivative for one input, the product, and what arrives there."""
        tell = self._elementwise if self.node.op.elementwise else self._together
        name = self.names[place]
        same = sum(self.node.inputs[i] is self.node.inputs[place] for i in self.places)
        where = f"{name}, one of {same} places where {name[:-1]} enters" if same > 1 else name
        return [("to", where), *tell(place, plain(contribution))]

    def about(self) -> Lines:
        """Return what is said of an operation whose slope is not one number for each number."""
        op = self.node.op
        return [] if op.elementwise else [(f"about {op.name}", op.doc)]

    def _rule(self, place: int) -> Any:
        return run_rule(self.node.op, place, self.inputs, self.y, self.symbol)

    def _elementwise(self, place: int, contribution: Any) -> Lines:
        op, name, slope = self.node.op, self.names[place], self.slopes[place]
        rule = self._rule(place)
        derived = [] if rule is None else [written(rule), written(rule, numbers=True)]
        chain = _chain(*derived, shown(slope) + (" (flat)" if op.flat else ""))
        call = written(application(op, self.inputs), closed=True)
        product = self.g * slope
        incoming = "incoming gradient" if np.ndim(self.g) else shown(self.g)
        local = "local derivative" if np.ndim(slope) else signed(slope)
        lines = [
            ("local derivative", f"d/{differential(name)} {call} = {chain}"),
            ("product", f"{incoming} · {local} = {shown(product)}"),
        ]
        if np.shape(product) != np.shape(contribution):
            why = f"{name} has shape {np.shape(contribution)} and was repeated to fit"
            lines.append(("added up", f"{shown(contribution)}, since {why}"))
        return lines

    def _together(self, place: int, contribution: Any) -> Lines:
        result = self._rule(place)
        rule = "" if result is None else written(result)
        known = 0 < len(rule) <= LONG_RULE
        lines = [("rule", f"{rule}, where g is the incoming gradient")] if known else []
        return [*lines, ("contribution", shown(contribution))]


def differential(name: str) -> str:
    """Return the differential of a name.

    >>> differential("w1"), differential("loss")
    ('dw1', 'd loss')
    """
    return f"d {name}" if len(name) > 3 else f"d{name}"


def _symbols(node: Node, names: dict[int, str]) -> list[Any]:
    known = {n.serial: Symbol(names[n.serial], plain(n.data)) for n in node.parents}
    return [known[x.serial] if isinstance(x, Node) else x for x in node.inputs]


def _chain(*texts: str) -> str:
    """Return ``a = b = c``, without saying anything twice in a row.

    >>> _chain("b", "2", "2")
    'b = 2'
    """
    return " = ".join(t for i, t in enumerate(texts) if t and t not in texts[max(0, i - 1) : i])
