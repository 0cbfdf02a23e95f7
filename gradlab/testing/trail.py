"""A traced function, and the reverse sweep over it with a mistake built in.

If the sweep with a mistake gives the wrong gradient, that mistake was made.
"""

from __future__ import annotations

import functools
import itertools
import math
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from gradlab import tape
from gradlab.entry import REGISTRY
from gradlab.primitive import Primitive
from gradlab.tensor import Tensor

NODES = 14  # longer traces are not taken apart
SOME = 12  # numbers by which a function is recognised


class Trail:
    """The nodes of a traced function, newest first; sweeps over them with a mistake built in."""

    def __init__(self, y: Tensor, leaf: Tensor, g: np.ndarray, name: str) -> None:
        self.y, self.leaf, self.name = y, leaf, name
        self.g = np.asarray(g, dtype=np.float64)
        below = {leaf.serial}
        nodes = tape.history(y)
        for node in reversed(nodes):
            if any(parent.serial in below for parent in node.parents):
                below.add(node.serial)
        self.nodes = [node for node in nodes if node.serial in below]

    def sweep(
        self,
        start: Any = None,
        g: Any = None,
        instead: Callable[[Any, list[Any]], Any] | None = None,
    ) -> dict[int, Any]:
        """What arrives at each node; `instead(node, parts)` may add up the parts wrongly."""
        start = self.y if start is None else start
        parts: dict[int, list[Any]] = {start.serial: [self.g if g is None else g]}
        arrived: dict[int, Any] = {}
        for node in self.nodes:
            if node.serial in parts:
                there = parts[node.serial]
                total = functools.reduce(np.add, there) if instead is None else instead(node, there)
                arrived[node.serial] = total
                if node.op is not None and node is not self.leaf:
                    with np.errstate(all="ignore"):
                        for parent, flow in node.op.pull(node, total, False):
                            parts.setdefault(parent.serial, []).append(flow)
        return arrived

    def with_one_use_only(self) -> Iterator[tuple[str, Any]]:
        """The gradient if, of several uses of a result, only one were to count; with what is wrong.

        One node is tried at a time, then several together.
        """
        users: dict[int, list[Primitive]] = {node.serial: [] for node in self.nodes}
        for node in self.nodes:
            for parent in node.parents:
                users.setdefault(parent.serial, []).append(node.op)
        several = [node for node in self.nodes if len(users[node.serial]) > 1][: NODES // 4]
        choices = itertools.product(*([None, *range(len(users[n.serial]))] for n in several))
        for chosen in sorted(choices, key=lambda each: len(each) - each.count(None)):
            pairs = [(n, k) for n, k in zip(several, chosen, strict=True) if k is not None]
            if pairs:
                node, k = pairs[0]
                only = {n.serial: k for n, k in pairs}
                yield self._one_of(node, users[node.serial], k), self._sweep_with(only)

    def _one_of(self, node: Any, users: list[Primitive], k: int) -> str:
        """What is wrong if only use number k of a node counts.

        What goes into a sum or a mean as well goes into every element of the result: its part is a
        term of its own. Other uses add up in one place.
        """
        what = self.name if node is self.leaf else f"the result of {node.op.name}"
        names = [op.name for op in users]
        kept = f"the part through {names[k]}" if names.count(names[k]) == 1 else "one of them"
        text = f"{what} is used {len(names)} times ({', '.join(names)}), and only {kept} counts"
        if any(op.chapter == "reductions" for op in users):
            return f"a term is missing: {text}"
        return f"overwritten instead of accumulated: {text}; add up with +="

    def _sweep_with(self, only: dict[int, int]) -> Any:
        def instead(node: Any, parts: list[Any]) -> Any:
            k = only.get(node.serial)
            return functools.reduce(np.add, parts if k is None else parts[k : k + 1])

        return self.sweep(instead=instead).get(self.leaf.serial)

    def with_a_slope_left_out(self) -> Iterator[tuple[str, Any]]:
        """The gradient if it passed some elementwise operations unchanged; with their name."""
        arrived = self.sweep()
        if len(self.nodes) > NODES:
            return
        for early, late in itertools.permutations(self.nodes, 2):
            between = self._between(early, late)
            if between and late.serial in arrived:
                gradient = self.sweep(early, arrived[late.serial]).get(self.leaf.serial)
                yield _known_as(early, late) or ", ".join(between), gradient

    def _between(self, early: Any, late: Any) -> list[str]:
        """The names of the operations that make one node from another, all on single elements."""
        if early.serial >= late.serial or early.shape != late.shape:
            return []
        above = {early.serial}
        names = []
        for node in reversed(self.nodes):
            if node.serial > late.serial or node is self.leaf:
                continue
            if all(parent.serial in above for parent in node.parents):
                if not node.op.elementwise:
                    return []
                above.add(node.serial)
                names.append(node.op.name)
        return names if late.serial in above else []


def _known_as(early: Any, late: Any) -> str | None:
    """The row of the table that computes one node's numbers from another's, such as sigmoid."""
    pairs = list(zip(early.data.ravel()[:SOME].tolist(), late.data.ravel()[:SOME].tolist()))
    for name, entry in REGISTRY.items():
        if isinstance(entry, Primitive) and entry.elementwise and len(entry.operands) == 1:
            known = entry.defaults.values()
            try:
                if all(math.isclose(entry.scalar(x, *known), y, rel_tol=1e-5) for x, y in pairs):
                    return name
            except Exception:  # it needs parameters, or has no value here
                continue
    return None
