"""The steps of a computation: forward, every value from its inputs; backward, every gradient.

Each step says what happens at one operation and which texts of the picture change; the player only
shows them.
"""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np

from gradlab.draw import text
from gradlab.draw.algebra import fits_in_a_line, written
from gradlab.draw.graph import Graph
from gradlab.draw.places import Places
from gradlab.draw.wording import (
    Lines,
    Passage,
    call_of,
    differential,
    flow_text,
    row_text,
    shown,
    signed,
    value_lines,
)
from gradlab.tape import Node, history

FEW = 8  # terms of a sum, or lines of a list, that are written out


@dataclasses.dataclass(frozen=True)
class Step:
    """What the player shows at one moment.

    Attributes:
        phase: start, forward, backward or end.
        title: what happens, in a line.
        lines: pairs such as ``("local derivative", "d/dz tanh(z) = 1 − y² = 0.42")``.
        vertices: ids of the vertices at work.
        edges: positions, in ``graph.edges``, of the edges along which something flows.
        computed: the values that are known from this step on, by id of the box.
        grads: the new texts of gradients, by id of the box: ``{"n3": "0.4200"}``.
        flows: the products that flow back, by position of the edge.
    """

    phase: str
    title: str
    lines: tuple[tuple[str, str], ...] = ()
    vertices: tuple[str, ...] = ()
    edges: tuple[int, ...] = ()
    computed: dict[str, str] = dataclasses.field(default_factory=dict)
    grads: dict[str, str] = dataclasses.field(default_factory=dict)
    flows: dict[int, str] = dataclasses.field(default_factory=dict)


def steps_of(output: Node, graph: Graph) -> list[Step]:
    """Return the steps from the leaves to ``output`` and back again.

    The gradients are computed here, by the primitives' own rules, and written nowhere: there is no
    need to call ``backward()`` first. The sweep starts from 1 at each number of the output.

    Args:
        output: the Value or Tensor that was drawn.
        graph: its graph; ``graph.ids`` tells which vertex shows which node.

    >>> from gradlab import Value
    >>> from gradlab.draw.traced import from_node
    >>> a = Value(3.0, name="a")
    >>> y = a * a
    >>> for step in steps_of(y, from_node(y)):
    ...     print(step.phase, "|", step.title, "|", *step.computed, step.grads)
    start | the leaf has its value | n1 {}
    forward | output = a² | n2 {}
    backward | from output | {'n2': '1.0000'}
    backward | through output = a² | {'n1': '6.0000'}
    end | the gradient of the leaf | {}
    """
    telling = _Telling(output, graph)
    with np.errstate(all="ignore"):
        return [telling.start(), *telling.forward(), *telling.backward()]


class _Sum:
    """The gradient that has arrived at a node, and the contributions it is made of."""

    def __init__(self, first: Any) -> None:
        self.total, self.before, self.parts = first, "", [signed(first)]

    def add(self, contribution: Any) -> None:
        """Add what flows in along one more path."""
        self.before = shown(self.total)
        self.total = self.total + contribution
        self.parts.append(signed(contribution))

    def latest(self) -> str:
        """Return the last addition: what was there, what came, and what that makes."""
        return self._equation([self.before, self.parts[-1]])

    def __str__(self) -> str:
        few = self.parts[:FEW] + ["…"] * (len(self.parts) > FEW)
        return self._equation(few) if len(self.parts) > 1 else shown(self.total)

    def _equation(self, terms: list[str]) -> str:
        left = f"{' + '.join(terms)} = " if fits_in_a_line(self.total) else ""
        return f"{left}{shown(self.total)}, the sum over {len(self.parts)} paths"


class _Telling:
    """Goes once forward and once backward through a graph, and tells of each operation."""

    def __init__(self, output: Node, graph: Graph) -> None:
        self.output, self.graph = output, graph
        self.nodes = history(output)[::-1]  # oldest first
        self.places = Places(output, self.nodes, graph)
        self.name = self.places.name
        self.arrived: dict[int, _Sum] = {}

    def _slope(self, node: Node) -> str:
        return f"{differential(self.name(self.output))}/{differential(self.name(node))}"

    def _call(self, node: Node) -> str:
        return f"{self.name(node)} = {written(call_of(node, self.name))}"

    def _computed(self, nodes: list[Node]) -> dict[str, str]:
        boxes = ((self.places.numbers(node), node.data) for node in nodes)
        return {box: row_text(data) for box, data in boxes if box}

    def _grads(self, nodes: Iterable[Node]) -> dict[str, str]:
        boxes = ((self.places.numbers(node), self.arrived[node.serial].total) for node in nodes)
        return {box: row_text(grad) for box, grad in boxes if box}

    def _leaves(self) -> list[Node]:
        """Return the leaves in the picture, also those inside a group."""
        return [n for n in self.nodes if n.op is None and n.serial in self.graph.ids]

    # -------------------------------------------------------------------------------- forward

    def start(self) -> Step:
        """Return the step in which only the leaves have values."""
        leaves = self._leaves()
        lines = [("given", f"{self.name(leaf)} = {shown(leaf.data)}") for leaf in leaves]
        boxes = self._computed(leaves)
        title = _count(leaves, "the leaf has its value", "the {} leaves have their values")
        return Step("start", title, _few(lines), tuple(boxes), computed=boxes)

    def forward(self) -> Iterator[Step]:
        """Yield a step for each operation or collapsed group, oldest first."""
        made = [node for node in self.nodes if node.op is not None]
        for place, run in itertools.groupby(made, self.places.part):
            nodes = list(run)
            if isinstance(place, str):
                what = _count(nodes, "1 operation is computed", "{} operations are computed")
                title = f"{self.graph.vertices[place].label}: {what}"
                at_work = ((place,), self.places.into(place), self._computed(nodes))
                yield Step("forward", title, (), *at_work)
            elif place is not None:
                yield self._forward(nodes[0])

    def _forward(self, node: Node) -> Step:
        at_work = (self.places.operation(node), self.places.edges(node), self._computed([node]))
        return Step("forward", self._call(node), tuple(value_lines(node, self.name)), *at_work)

    # ------------------------------------------------------------------------------- backward

    def backward(self) -> Iterator[Step]:
        """Yield the first gradient, a step for each operation, newest first, and the end."""
        y, seed = self.output, np.ones_like(self.output.data)
        self.arrived[y.serial] = _Sum(1.0 if isinstance(y.data, float) else seed)
        why = "it moves as much as itself" if seed.size == 1 else "as if its numbers were summed"
        lines = (("incoming gradient", f"{self._slope(y)} = {self.arrived[y.serial]}: {why}"),)
        grads = self._grads([y])
        yield Step("backward", f"from {self.name(y)}", lines, tuple(grads), grads=grads)
        try:
            yield from self._sweep()
        except (ArithmeticError, ValueError, TypeError) as error:
            lines = (("error", text.clean(error, 200)), ("also", "backward() raises this error"))
            yield Step("end", "no gradient gets any further", lines)
        else:
            yield self._end()

    def _sweep(self) -> Iterator[Step]:
        made = [node for node in reversed(self.nodes) if node.op is not None]
        for place, run in itertools.groupby(made, self.places.part):
            if isinstance(place, int):
                yield from map(self._backward, run)
            elif step := self._backward_at_once(place, list(run)):
                yield step

    def _pull(self, node: Node) -> Iterator[tuple[Node, Any]]:
        """Yield each input with the contribution that flows to it, and add that up."""
        for parent, contribution in node.op.pull(node, self.arrived[node.serial].total, False):
            if parent.serial in self.arrived:
                self.arrived[parent.serial].add(contribution)
            else:
                self.arrived[parent.serial] = _Sum(contribution)
            yield parent, contribution

    def _backward(self, node: Node) -> Step:
        incoming = self.arrived[node.serial]
        passage, flows = Passage(node, incoming.total, self.name), {}
        lines = [("incoming gradient", f"{self._slope(node)} = {incoming}"), *passage.about()]
        edges = self.places.edge_of_each_input(node)
        pulled = zip(passage.places, edges, self._pull(node), strict=True)
        for place, edge, (parent, contribution) in pulled:
            lines += passage.lines(place, contribution)
            arrived = self.arrived[parent.serial]
            if len(arrived.parts) > 1:
                lines.append(("sum", f"{self._slope(parent)} = {arrived.latest()}"))
            if edge is not None:
                flows[edge] = flow_text(contribution)
        result = [i for i in self.places.edges(node) if self.graph.edges[i].tight]
        return Step(
            "backward",
            f"through {self._call(node)}",
            tuple(lines),
            self.places.operation(node),
            (*flows, *result),
            grads=self._grads(node.parents),
            flows=flows,
        )

    def _backward_at_once(self, place: str | None, nodes: list[Node]) -> Step | None:
        """Return the step of a group or of what is not shown; None if nothing of it is seen."""
        reached = {}
        for node in nodes:
            reached |= {n.serial: n for n, _ in self._pull(node) if self.places.part(n) != place}
        if not (reached or place):
            return None
        seen = reached.values()
        lines = [("sum", f"{self._slope(n)} = {self.arrived[n.serial]}") for n in seen]
        name = self.graph.vertices[place].label if place else "operations that are not shown"
        vertices = (place,) if place else ()
        edges, grads = self.places.into(place or ""), self._grads(seen)
        return Step("backward", f"through {name}", _few(lines), vertices, edges, grads=grads)

    def _end(self) -> Step:
        leaves = self._leaves()
        grads = [shown(self.arrived[leaf.serial].total) for leaf in leaves]
        slopes = map(self._slope, leaves)
        lines = [("gradient", f"{slope} = {grad}") for slope, grad in zip(slopes, grads)]
        title = _count(leaves, "the gradient of the leaf", "the gradients of the {} leaves")
        return Step("end", title, _few(lines), tuple(self._computed(leaves)))


def _count(what: list[Any], one: str, many: str) -> str:
    return one if len(what) == 1 else many.format(len(what))


def _few(lines: Lines) -> tuple[tuple[str, str], ...]:
    rest = [("and", f"{len(lines) - FEW} more")] if len(lines) > FEW else []
    return (*lines[:FEW], *rest)
