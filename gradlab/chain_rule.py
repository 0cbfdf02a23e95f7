"""The chain rule at one node: each input gets the gradient that arrived, times its own slope.

A primitive's rules say which numbers they need by the names of their parameters. The function that
hands them those numbers runs for every node of every backward pass, so it is written for each
primitive once, as text.
"""

from __future__ import annotations

import inspect
import linecache
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from gradlab.tape import Node

Pull = Callable[[Node, Any, bool], list[tuple[Node, Any]]]
Push = Callable[[Node, Any], None]


class Rule:
    """A slope or vjp rule, called with the things its parameter names ask for.

    ``g`` is the incoming gradient, ``y`` the value already computed, ``i`` the position of a
    variadic operand; anything else is an argument or parameter of the primitive.
    """

    def __init__(self, op: Any, function: Callable[..., Any], vjp: bool) -> None:
        self.function, self.vjp = function, vjp
        self.wanted = tuple(inspect.signature(function).parameters)
        allowed = (
            {*op.input_names, "y"} | ({"g"} if vjp else set()) | ({"i"} if op.variadic else set())
        )
        if unknown := [name for name in self.wanted if name not in allowed]:
            fitting = ", ".join(n for n in self.wanted if n in allowed)
            raise TypeError(
                f"{op.name}: the rule {function.__name__} asks for {', '.join(unknown)}\n"
                f"expected names among {', '.join(sorted(allowed))}\n"
                f"write def {function.__name__}({fitting})"
            )
        order = (*op.input_names, "y", "g", "i")
        self.places = [order.index(name) for name in self.wanted]

    def __call__(self, known: Sequence[Any]) -> Any:
        """Call the rule; ``known`` holds the inputs by name, then y, g and i."""
        return self.function(*[known[place] for place in self.places])


# ------------------------------------------------------------------- from rules to one function


def written(op: Any, pull: bool = False) -> str:
    """Return the text of the function that takes a gradient back through a primitive.

    It is given a node and the gradient ``g`` that arrived there, and adds to the ``.grad`` of each
    traced input what flows to it. ``x_rule`` is the rule for the input x, ``x_data`` the number or
    array in it, ``y`` that of the node itself.

    Args:
        op: the primitive.
        pull: write instead the function that returns the traced inputs, each with what flows to it.
            In a sweep that is ``traced``, to be differentiated again, its rules compute with the
            nodes themselves.

    >>> from gradlab.ops.elementary import tanh
    >>> print(written(tanh))
    def push(node, g):
        (x_node,) = node.inputs
        y = node.data
        if isinstance(x_node, Node):
            slope = x_rule(y)
            flow = g * slope
            if type(flow) is not float:
                flow = fitted(flow, x_node)
            before = x_node.grad
            x_node.grad = flow if before is None else before + flow
    """
    lines = ["def pull(node, g, traced):", "flows = []"] if pull else ["def push(node, g):"]
    lines += _reading(op, pull)
    for name in op.input_names:
        if name in op.nondiff:  # a mask or labels, recorded as part of a program
            continue
        if _is_several(op, name):
            lines.append(f"for i, each in enumerate({name}_nodes):")
            lines += [f"    {line}" for line in _flowing(op, name, "each", pull)]
        else:
            lines += _flowing(op, name, f"{name}_node", pull)
    return "\n    ".join([*lines, "return flows"] if pull else lines)


def _is_several(op: Any, name: str) -> bool:
    return op.variadic and name == op.operands[0]


def _reading(op: Any, pull: bool) -> Iterator[str]:
    """Yield the lines that name the inputs, and the numbers in them that rules want."""
    nodes = [f"*{n}_nodes" if _is_several(op, n) else f"{n}_node" for n in op.input_names]
    yield f"{', '.join(nodes)} = node.inputs" if nodes[1:] else f"({nodes[0]},) = node.inputs"
    wanted = {name for rule in op.rules.values() for name in rule.wanted}
    data = "{0}.data if isinstance({0}, Node)" + " and not traced" * pull + " else {0}"
    for name in op.input_names:
        if name in wanted and _is_several(op, name):
            yield f"{name}_data = [{data.format('each')} for each in {name}_nodes]"
        elif name in wanted:
            yield f"{name}_data = {data.format(f'{name}_node')}"
    if "y" in wanted and "y" not in op.input_names:
        yield "y = node if traced else node.data" if pull else "y = node.data"


def _flowing(op: Any, name: str, parent: str, pull: bool) -> Iterator[str]:
    """Yield the lines that find what flows to ``parent``, the input of this name."""
    yield f"if isinstance({parent}, Node):"
    yield from (f"    {line}" for line in _ruling(op, name, pull))
    yield "    if type(flow) is not float:"
    yield f"        flow = fitted(flow, {parent})"
    if pull:
        yield f"    flows.append(({parent}, flow))"
    else:
        yield f"    before = {parent}.grad"
        yield f"    {parent}.grad = flow if before is None else before + flow"


def _ruling(op: Any, name: str, pull: bool) -> Iterator[str]:
    """Yield the lines that apply the rule for the input of this name."""
    rule = op.rules.get(name)
    if rule is None:
        yield "flow = nothing(g)"
        return
    given = [f"{n}_data" if n in op.input_names else n for n in rule.wanted]
    call = f"{name}_rule({', '.join(given)})"
    if rule.vjp:
        yield f"flow = {call}"
    elif rule.wanted == () and rule(()) == 1.0:
        yield "flow = g"
    else:
        one = "g if type(slope) is float and slope == 1.0 else " if pull else ""  # a node less
        yield f"slope = {call}"
        yield f"flow = {one}g * slope"


def pull_of(op: Any) -> Pull:
    """Return the function whose text is ``written(op, pull=True)``."""
    return _compiled(op, f"<pull of {op.name}>", written(op, pull=True))["pull"]


def push_of(op: Any) -> Push:
    """Return the function whose text is ``written(op)``; a debugger steps through that text."""
    return _compiled(op, f"<backward of {op.name}>", written(op))["push"]


def _compiled(op: Any, file: str, text: str) -> dict[str, Any]:
    linecache.cache[file] = (len(text), None, text.splitlines(keepends=True), file)
    space = {f"{name}_rule": rule.function for name, rule in op.rules.items()}
    space |= {"Node": Node, "fitted": fitted, "nothing": op.nothing}
    exec(compile(text, file, "exec"), space)
    return space


# ------------------------------------------------------------------------- broadcasting, undone


def fitted(flow: Any, parent: Node) -> Any:
    """Return what flows to a node in the shape and dtype of its data."""
    data = parent.data
    same = type(flow) is type(data) is np.ndarray and flow.dtype is data.dtype
    return flow if same and flow.shape == data.shape else unbroadcast(flow, parent)


def unbroadcast(flow: Any, parent: Any) -> Any:
    """Undo broadcasting: where an input was repeated to fit, add up what flows back to it.

    Works on arrays and on Tensors alike, since it only uses their methods.

    >>> unbroadcast(np.ones((3, 2), "float32"), np.zeros((2,), "float32"))
    array([3., 3.], dtype=float32)
    """
    shape = parent.shape
    if getattr(flow, "shape", ()) != shape:
        lead = flow.ndim - len(shape)
        repeated = [i + lead for i, n in enumerate(shape) if n == 1 and flow.shape[i + lead] != 1]
        flow = flow.sum(axis=(*range(lead), *repeated)).reshape(shape)
    dtype = getattr(parent, "dtype", None)
    return flow if dtype is None or flow.dtype == dtype else flow.astype(dtype)
