"""A traced function, and the reverse sweep over it with a mistake built in.

If the sweep with a mistake gives the wrong gradient, that mistake was made.
"""

from __future__ import annotations

import functools
import itertools
from collections.abc import Callable
from typing import Any

import numpy as np

from gradlab import tape
from gradlab.entry import REGISTRY
from gradlab.primitive import Primitive
from gradlab.tensor import Tensor

NODES = 14  # longer traces are not taken apart


class Trail:
    """The nodes of a traced function, newest first; sweeps over them with a mistake built in."""

    def __init__(self, y: Tensor, leaf: Tensor, g: np.ndarray) -> None:
        self.y, self.leaf, self.g = y, leaf, np.asarray(g, dtype=np.float64)
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

    def with_one_use_only(self) -> dict[str, Any]:
        """The gradient if, at one node used more than once, only one use were to count."""
        counts = {node.serial: 0 for node in self.nodes}
        for node in self.nodes:
            for parent in node.parents:
                counts[parent.serial] = counts.get(parent.serial, 0) + 1
        several = [node for node in self.nodes if counts[node.serial] > 1][: NODES // 4]
        found: dict[str, Any] = {}
        for chosen in itertools.product(*([None, *range(counts[n.serial])] for n in several)):
            only = {n.serial: k for n, k in zip(several, chosen, strict=True) if k is not None}
            if only:
                name = self._called(next(n for n in self.nodes if n.serial in only), counts)
                found[f"{name}{chosen}"] = self._sweep_with(only)
        return found

    def _called(self, node: Any, counts: dict[int, int]) -> str:
        what = "it" if node is self.leaf else f"the result of {node.op.name}"
        return f"{what} is used {counts[node.serial]} times"

    def _sweep_with(self, only: dict[int, int]) -> Any:
        def instead(node: Any, parts: list[Any]) -> Any:
            k = only.get(node.serial)
            return functools.reduce(np.add, parts if k is None else parts[k : k + 1])

        return self.sweep(instead=instead).get(self.leaf.serial)

    def with_a_slope_left_out(self) -> dict[str, Any]:
        """The gradient if it passed some elementwise operations unchanged."""
        found, arrived = {}, self.sweep()
        if len(self.nodes) > NODES:
            return found
        for early, late in itertools.permutations(self.nodes, 2):
            between = self._between(early, late)
            if between and late.serial in arrived:
                g = arrived[late.serial]
                gradient = self.sweep(early, g).get(self.leaf.serial)
                found.setdefault(_known_as(early, late) or ", ".join(between), gradient)
        return found

    def _between(self, early: Any, late: Any) -> list[str]:
        """The names of the operations from one node to another, if all act on single elements."""
        if early.serial >= late.serial or early.shape != late.shape:
            return []
        above = {early.serial}
        names = []
        for node in reversed(self.nodes):
            if node.serial > late.serial or node is self.leaf:
                continue
            if any(parent.serial in above for parent in node.parents):
                if not node.op.elementwise:
                    return []
                above.add(node.serial)
                names.append(node.op.name)
        return names if late.serial in above else []


def _known_as(early: Any, late: Any) -> str | None:
    """The row of the table that computes one node's numbers from another's, such as sigmoid."""
    for name, entry in REGISTRY.items():
        if isinstance(entry, Primitive) and entry.elementwise and len(entry.operands) == 1:
            try:
                if np.allclose(entry.array(early.data, *entry.defaults.values()), late.data):
                    return name
            except Exception:  # it needs parameters, or has no value here
                continue
    return None
