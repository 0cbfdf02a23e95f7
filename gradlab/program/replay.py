"""Replaying a graph of Values: the same operations on other numbers, as one compiled loop.

A training step of the scalar engine makes the same nodes each time. Written down once as a table
(which operation, on which numbers), forward and backward pass are a walk down the table and up.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import Any

import numpy as np

from gradlab import tape
from gradlab.kernels import generated
from gradlab.kernels.scalars import Writer
from gradlab.value import Value


class Replay:
    """The computation of a Value, ready to be done again; made by `replay`.

    Attributes:
        leaves: the Values it starts from, whose ``data`` is read at each call.
        output: the Value at its end.
    """

    def __init__(self, output: Value) -> None:
        nodes, codes = _ordered(output)
        self.output, self.leaves = output, [n for n in nodes if n.op is None]
        self.kinds = list(codes)  # an operation, and which of its inputs are traced
        at = {node.serial: place for place, node in enumerate(nodes)}
        self._last = at[output.serial]
        numbers = [0.0] * len(nodes)
        width = max((len(node.inputs) for node in nodes), default=0)
        # Half as long as int64 and without a sign: the loop need not look whether a place counts
        # from the end. Measured on 65,818 nodes: 240 us instead of 330.
        self.places = np.zeros((len(nodes), width), np.uint32)
        runs: list[list[int]] = []
        for place, node in enumerate(nodes[len(self.leaves) :], len(self.leaves)):
            code = codes[_kind(node)]
            if not runs or runs[-1][0] != code:
                runs.append([code, place, place + 1])
            runs[-1][2] = place + 1
            for k, a in enumerate(node.inputs):
                self.places[place, k] = at[a.serial] if isinstance(a, Value) else len(numbers)
                if not isinstance(a, Value):
                    numbers.append(float(a))
        self.runs = np.array(runs, np.int64).reshape(-1, 3)
        self.values, self.slopes = np.array(numbers), np.zeros(len(numbers))
        self._known: dict[tuple[int, ...], np.ndarray] = {}

    def __call__(self) -> float:
        """Compute anew from the leaves' data; set their ``grad``, and the output's ``data``."""
        return self.descend((), 0.0)

    def descend(self, weights: Sequence[Value], rate: float, steps: int = 1) -> float:
        """Go down the slope: ``steps`` times compute anew, and subtract ``rate * grad``.

        Args:
            weights: those of the leaves that learn; their ``data`` is set at the end.
            rate: the learning rate.
            steps: how many; all run in one compiled loop, without a stop in Python.

        Returns:
            The output at the last step, before the weights moved once more.

        >>> w = Value(3.0)
        >>> again = replay((w - 1.0) ** 2)
        >>> again.descend([w], rate=0.25, steps=2), w.data
        (1.0, 1.5)
        """
        first = slice(len(self.leaves))
        self.values[first] = [leaf.data for leaf in self.leaves]
        learning = self._places_of(weights)
        compiled = len(self.runs) and generated.available()
        walk: Any = self._loop if compiled else self._step_by_step
        arrays = self.runs, self.places, self.values, self.slopes
        walk(*arrays, self._last, learning, rate, steps)
        for leaf, slope in zip(self.leaves, self.slopes[first].tolist(), strict=True):
            leaf.grad = slope
        for weight, place in zip(weights, learning.tolist(), strict=True):
            weight.data = self.values[place].item()
        self.output.data = self.values[self._last].item()
        return self.output.data

    def _places_of(self, weights: Sequence[Value]) -> np.ndarray:
        key = tuple([weight.serial for weight in weights])
        if key not in self._known:
            at = {leaf.serial: place for place, leaf in enumerate(self.leaves)}
            if missing := [weight for weight in weights if weight.serial not in at]:
                raise ValueError(
                    f"descend: {missing[0]!r} is not one of the {len(at)} leaves of the graph\n"
                    "expected Values that the output was computed from\n"
                    "write descend([w, b], rate=0.1) for loss = (w * x + b - y) ** 2"
                )
            self._known[key] = np.array([at[serial] for serial in key], np.int64)
        return self._known[key]

    @functools.cached_property
    def _loop(self) -> Any:
        return generated.load(self.source()).loop

    def source(self) -> str:
        """Return the text of the loop: one case for each kind of operation in the graph."""
        writer = Writer("float64")
        forward, backward = [], []
        for code, (op, traced) in enumerate(self.kinds):
            value, flows = _written(op, traced, writer)
            case = f"            if code == {code}:"
            forward += [case, "                for k in range(start, stop):"]
            forward += [f"                    values[k] = {value}"]
            if flows:
                backward += [case, "                for k in range(stop - 1, start - 1, -1):"]
                backward += [f"                    slopes[places[k, {i}]] += {f}" for i, f in flows]
        lines = ["@kept", "def loop(runs, places, values, slopes, last, learning, rate, steps):"]
        lines += ["    for step in range(steps):"]
        lines += ["        for code, start, stop in runs:", *forward]
        lines += ["        slopes[:] = 0.0", "        slopes[last] = 1.0"]
        lines += ["        for code, start, stop in runs[::-1]:", *backward]
        lines += ["        for k in learning:", "            values[k] -= rate * slopes[k]"]
        return HEAD + "\n\n\n".join([*writer.texts, "\n".join(lines)]) + "\n"

    def _step_by_step(
        self, runs: Any, places: Any, values: Any, slopes: Any,
        last: int, learning: Any, rate: float, steps: int,
    ) -> None:  # fmt: skip
        """Do what the loop does, in Python: where Numba is missing."""
        table = [(*self.kinds[code], k) for code, *ends in runs.tolist() for k in range(*ends)]
        for _ in range(steps):
            for op, traced, k in table:
                values[k] = op.scalar(*values[places[k, : len(traced)]].tolist())
            slopes[:] = 0.0
            slopes[last] = 1.0
            for op, traced, k in reversed(table):
                inputs = values[places[k, : len(traced)]].tolist()
                known = {**dict(zip(op.input_names, inputs, strict=True)), "y": values[k].item()}
                for i, rule in _rules(op, traced):
                    slope = rule.function(*(known[name] for name in rule.wanted))
                    slopes[places[k, i]] += slopes[k] * slope
            values[learning] -= rate * slopes[learning]


def _kind(node: Any) -> tuple[Any, tuple[bool, ...]]:
    return node.op, tuple(isinstance(a, Value) for a in node.inputs)


def _ordered(output: Value) -> tuple[list[Any], dict[Any, int]]:
    """Return the nodes, inputs before what is made of them, and a number for each kind.

    Nodes that are equally far from the leaves do not depend on each other, so those of a kind can
    stand in one run: a loop without a decision in it.
    """
    nodes = tape.history(output)[::-1]
    codes: dict[Any, int] = {}
    keys: dict[int, tuple[int, int]] = {}
    for node in nodes:
        far = max((keys[a.serial][0] for a in node.inputs if isinstance(a, Value)), default=-1) + 1
        code = -1 if node.op is None else codes.setdefault(_kind(node), len(codes))
        keys[node.serial] = (0 if node.op is None else max(far, 1), code)
    return sorted(nodes, key=lambda node: keys[node.serial]), codes


HEAD = """import math

import numpy as np

real, whole = np.float64, np.int64


"""


def _rules(op: Any, traced: tuple[bool, ...]) -> list[tuple[int, Any]]:
    """Return the place and the rule of each traced input that has a slope."""
    named = zip(op.input_names, traced, strict=True)
    found = [(i, op.rules.get(name)) for i, (name, is_traced) in enumerate(named) if is_traced]
    return [(i, rule) for i, rule in found if rule is not None]


def _written(op: Any, traced: tuple[bool, ...], writer: Writer) -> tuple[str, list[Any]]:
    """Return the text of an operation's value, and of what flows back to each traced input."""
    inputs = {name: f"values[places[k, {i}]]" for i, name in enumerate(op.input_names)}
    value = f"{writer.need(op)}({', '.join(inputs.values())})"
    inputs["y"] = "values[k]"
    flows = []
    for i, rule in _rules(op, traced):
        given = ", ".join(inputs[name] for name in rule.wanted)
        flows.append((i, f"slopes[k] * {writer.need(rule.function)}({given})"))
    return value, flows


def replay(output: Value) -> Replay:
    """Return the computation of a Value, to be done again with other numbers in its leaves.

    Each call reads the leaves' ``data``, and sets their ``grad`` (without adding to what was there)
    and the ``data`` of the output. What lies between is not updated, and branches of Python that
    were taken when the graph was made are taken again, whatever the numbers now are. Outside of a
    function's domain a replay gives NaN or an infinity, where a Value raises. Against the tape:
    1e-13 of the largest term.

    >>> from gradlab import Value
    >>> w = Value(3.0)
    >>> loss = (w * 2.0 - 1.0) ** 2
    >>> again = replay(loss)
    >>> for _ in range(20):
    ...     last = again()
    ...     w.data -= 0.1 * w.grad
    >>> round(w.data, 4)
    0.5

    `Replay.descend` does the whole loop at once.
    """
    return Replay(output)
