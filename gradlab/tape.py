"""The tape: every traced number remembers the operation that made it and what it was made from.

Walking these nodes from the newest to the oldest, handing each one's slope to its inputs, is
reverse-mode automatic differentiation: one sweep, whatever the number of inputs.

Source: deck 001, section 10.1.4 (the backward pass); Rumelhart, Hinton and Williams (1986).
"""

from __future__ import annotations

import contextlib
import itertools
import operator
import threading
from collections.abc import Callable, Iterator
from contextvars import ContextVar
from typing import Any, ClassVar

import numpy as np

next_serial = itertools.count(1).__next__
_new = object.__new__


class Node:
    """A traced number or array: its data, and how it came to be.

    A node gets its ``serial`` when it is made, so it is always younger than its inputs:
    newest-first is a topological order, and no sweep needs recursion. A node holds its inputs and
    never its users, so there are no cycles and a graph is freed with its last reference.

    Attributes:
        data: the float or array computed going forward.
        grad: None until ``backward()``; then d(output)/d(this node), in the shape of ``data``.
        name: a label for pictures and messages.
        op: the primitive that made it; None for a leaf.
        inputs: what ``op`` was applied to: nodes, constants, then parameter values.
        serial: position in the order of creation.
        group: the part of the computation it was made in, see ``group``; None outside of any.
    """

    __slots__ = ("__weakref__", "data", "grad", "group", "inputs", "name", "op", "serial")

    # Whether this engine computes whatever one of its nodes takes part in: one that records does.
    takes_over: ClassVar[bool] = False

    # Where a node stands for an array whose shape is not known yet, a function made of primitives
    # cannot be taken apart: this applies it as one.
    apply_whole: ClassVar[Callable[..., Any] | None] = None

    # How notebooks show a node, by MIME type: gradlab/__init__.py points it at gradlab.draw.
    pictures: ClassVar[Callable[[Any], dict[str, str]] | None] = None

    def __init__(self, data: Any, name: str | None = None) -> None:
        self.data = data
        self.grad: Any = None
        self.name = name
        self.op: Any = None
        self.inputs: tuple[Any, ...] = ()
        self.group: Group | None = _now()[1]
        self.serial = next_serial()

    shape: tuple[int, ...]

    @classmethod
    def apply(cls, op: Any, inputs: tuple[Any, ...]) -> Any:
        """Compute ``op`` on the plain data of its inputs; each engine says how."""
        raise TypeError(
            f"{cls.__name__} is no engine\nexpected a Value or a Tensor\nwrite Value(x)"
        )

    @classmethod
    def compute(cls, function: Any, inputs: tuple[Any, ...], effect: bool) -> Any:
        """Return a function of the plain data of its inputs; see ``compute`` below."""
        return function(*[a.data if isinstance(a, Node) else a for a in inputs])

    @property
    def parents(self) -> tuple[Node, ...]:
        """The inputs that are themselves traced, with repeats: ``b = a + a`` has ``(a, a)``."""
        return tuple(a for a in self.inputs if isinstance(a, Node))

    def local_slopes(self) -> list[Any]:
        """Return d(this)/d(input) for each input; None for a constant, or if not elementwise."""
        return [] if self.op is None else self.op.local_slopes(self)

    def _repr_svg_(self) -> str | None:
        return self._repr_mimebundle_().get("image/svg+xml")

    def _repr_html_(self) -> str | None:
        return self._repr_mimebundle_().get("text/html")

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        return {"text/plain": repr(self)} | (Node.pictures(self) if Node.pictures else {})


# ------------------------------------------------------------------------------- recording or not

# Recording or not, and the group: every thread has its own, and begins with these.
_context: ContextVar[tuple[bool, Group | None]] = ContextVar("gradlab", default=(True, None))
_now = _context.get


def made_by(engine: type[Node], op: Any, inputs: tuple[Any, ...], data: Any) -> Any:
    """Return the node for ``data = op(*inputs)``; in ``no_grad()`` it forgets its origin."""
    node = _new(engine)
    node.data = data
    node.grad = node.name = None
    recording, node.group = _now()
    if recording:
        node.op, node.inputs = op, inputs
    else:
        node.op, node.inputs = None, ()
    node.serial = next_serial()
    return node


def is_recording() -> bool:
    """Tell whether operations are being remembered (they are, except inside ``no_grad()``)."""
    return _now()[0]


@contextlib.contextmanager
def recording(on: bool) -> Iterator[None]:
    """Remember operations or not, until the end of the ``with`` block."""
    before = _now()
    _context.set((on, before[1]))
    try:
        yield
    finally:
        _context.set(before)


def no_grad() -> contextlib.AbstractContextManager[None]:
    """Compute without remembering: results have data but no history.

    Use it where no gradient is wanted: predictions, metrics, the update step.

    >>> import gradlab as gl
    >>> a = gl.Value(3.0)
    >>> with gl.no_grad():
    ...     b = a * a
    >>> b.data, b.op
    (9.0, None)
    """
    return recording(False)


def compute(function: Callable[..., Any], *inputs: Any, effect: bool = False) -> Any:
    """Return ``function(*inputs)`` computed on plain data: a step without a slope.

    A look at labels, a random mask: while a step is being recorded as a program, it becomes a line
    of the program, which does it anew for every batch.

    Args:
        function: of plain arrays.
        inputs: nodes, arrays, and whatever else it needs.
        effect: it draws random numbers, or is there to raise an error.

    >>> import gradlab as gl
    >>> compute(np.argmax, gl.Tensor([1.0, 3.0, 2.0]))
    np.int64(1)
    """
    for a in inputs:
        if isinstance(a, Node):
            return a.compute(function, inputs, effect)
    return function(*inputs)


# -------------------------------------------------------------------------------- parts with a name


class Group:
    """A named part of a computation, such as one layer of a network; made by ``group``."""

    __slots__ = ("name", "parent")

    def __init__(self, name: str, parent: Group | None) -> None:
        self.name, self.parent = name, parent

    def __repr__(self) -> str:
        return f"<group {self.name!r}>"


@contextlib.contextmanager
def group(name: str) -> Iterator[Group]:
    """Give what is computed in the ``with`` block a name, so that pictures can show it as one box.

    Groups nest. Each block is a part of its own, even if two have the same name. What is made in
    one block follows each other in the order of creation, so no path leaves a group and comes back:
    drawn as one box, it never closes a cycle.

    >>> import gradlab as gl
    >>> x = gl.Value(0.5, name="x")
    >>> with gl.group("hidden"):
    ...     h = gl.tanh(2.0 * x)
    >>> h.group, (h + x).group
    (<group 'hidden'>, None)

    Raises:
        TypeError: ``name`` is not text.
    """
    if not isinstance(name, str):
        raise TypeError(
            f"group: got {name!r:.60}\nexpected a name\n"
            'write with group("hidden"): and the computation in the block'
        )
    before = _now()
    made = Group(name, before[1])
    _context.set((before[0], made))
    try:
        yield made
    finally:
        _context.set(before)


# -------------------------------------------------------------------------------- the reverse sweep

_serial = operator.attrgetter("serial")


def history(output: Node, since: int = 0) -> list[Node]:
    """Return ``output`` and all it was made from, newest first, down to serial ``since``."""
    found, nodes, waiting = {output}, [output], [output]
    while waiting:
        for parent in waiting.pop().inputs:
            if isinstance(parent, Node) and parent not in found and parent.serial >= since:
                found.add(parent)
                nodes.append(parent)
                waiting.append(parent)
    nodes.sort(key=_serial, reverse=True)
    return nodes


def sweep(
    output: Node, cotangent: Any, *, since: int = 0, create_graph: bool = False
) -> dict[int, Any]:
    """Return d(output)/d(node), weighted by ``cotangent``, for each node, keyed by ``node.serial``.

    The chain rule, newest node first: all that flows into a node has arrived when its turn comes,
    because whatever used it is younger. Where paths join, their contributions are added.

    With ``create_graph=True`` the slopes are computed on traced nodes, so that they can be
    differentiated again; otherwise on plain data.
    """
    arrived = {output.serial: cotangent}
    for node in history(output, since):
        op, g = node.op, arrived.get(node.serial)
        if op is None or g is None:
            continue
        for parent, flow in op.pull(node, g, create_graph):
            serial = parent.serial
            if serial < since:
                continue
            before = arrived.get(serial)
            arrived[serial] = flow if before is None else before + flow
    return arrived


_one_at_a_time = threading.RLock()


def backward(output: Node, cotangent: Any, *, create_graph: bool = False) -> None:
    """Sweep back from ``output``; the gradients gather in ``.grad`` of every node it is made from.

    A leaf *adds* to the gradient it already has (two losses may share a weight; reset with
    ``zero_grad()``), a node in between shows the gradient of the latest sweep. If a rule raises an
    error, every node keeps the gradient it had.
    """
    nodes: list[Node] = []
    earlier: list[Any] = []
    with _one_at_a_time:  # threads may share weights
        try:
            _collect(output, nodes, earlier)
            _gather(sorted(nodes, key=_serial, reverse=True), cotangent, create_graph)
        except BaseException:
            for node, grad in zip(nodes, earlier, strict=False):  # interrupted, they may differ
                node.grad = grad
            raise
        for node, grad in zip(nodes, earlier, strict=True):
            if node.grad is None:  # nothing flowed here
                node.grad = grad
            elif node.op is None:  # a leaf keeps its gradient, so it gets an array of its own
                g = np.array(node.grad) if isinstance(node.grad, np.ndarray) else node.grad
                node.grad = g if grad is None else grad + g


def _collect(output: Node, nodes: list[Node], earlier: list[Any]) -> None:
    """Fill in what `history` finds, in any order, and the gradients that these nodes had.

    In place of its gradient a node gets a mark that it has been met: faster than a set of nodes.
    """
    met, waiting = object(), [output]
    while waiting:
        node = waiting.pop()
        if node.grad is not met:
            nodes.append(node)
            earlier.append(node.grad)
            node.grad = met
            for parent in node.inputs:
                if isinstance(parent, Node):
                    waiting.append(parent)


def _gather(nodes: list[Node], cotangent: Any, create_graph: bool) -> None:
    """Do what `sweep` does, adding up in ``.grad`` itself: faster than in a table of serials."""
    for node in nodes:
        node.grad = None
    nodes[0].grad = cotangent
    for node in nodes:
        op, g = node.op, node.grad
        if op is None or g is None:
            continue
        if not create_graph:
            op.push(node, g)
            continue
        for parent, flow in op.pull(node, g, True):
            before = parent.grad
            parent.grad = flow if before is None else before + flow
