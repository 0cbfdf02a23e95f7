"""Long ways that have a short cut: found in a program, and replaced by one line.

The long way is not described but recorded, from the same rules of the table that made the program,
so it is found wherever it stands, and never where something else only looks like it.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from gradlab import tape
from gradlab.ops.activations import sigmoid, softmax
from gradlab.ops.losses import EPSILON, cross_entropy, log_probabilities
from gradlab.ops.reductions import mean
from gradlab.ops.shaping import reshape, take_along_axis
from gradlab.program.lines import Line, Slot
from gradlab.program.simplify import needed, simplified
from gradlab.program.trace import recording


@dataclasses.dataclass(frozen=True)
class ShortCut:
    """A long way and its short cut.

    Attributes:
        end: the primitive that the layer ends with; what goes into it is z, what it gives p.
        way: a function of (p, y): the long way, or what the sweep goes back through on it.
        kernel: for a slope a function of (p, y, g) that returns that with respect to z; for a
            value a function of (p, y).
        y: an example of y for the shape and type of p; None if nothing is compared with p.
        slope: whether the long way is the one back.
    """

    end: Any
    way: Callable[..., Any]
    kernel: Callable[..., np.ndarray]
    y: Callable[[tuple[int, ...], np.dtype], np.ndarray] | None = None
    slope: bool = True


# ------------------------------------------------------------------------------- the short cuts


def softmax_slope(p: np.ndarray, labels: np.ndarray, g: Any) -> np.ndarray:
    """Slope of ``g * log(p[label])`` with respect to the scores of the softmax: g (1[label] - p).

    Where the probability was clipped before the logarithm, the slope is 0. Source: deck 001,
    10.1.6. Against the long way, float32: 1e-6 of the largest slope.

    >>> softmax_slope(np.array([[0.25, 0.75]]), np.array([[1]]), np.array([[1.0]]))
    array([[-0.25,  0.25]])
    """
    here = (np.arange(len(p))[:, np.newaxis], labels)
    right = p[here]
    g = g * ((right >= EPSILON) & (right <= 1.0 - EPSILON))
    slope = p * -g
    slope[here] += g
    return slope


def log_of_label(p: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Logarithm of each row's probability for its label, clipped; the rows of p add up to 1.

    >>> log_of_label(np.array([[0.25, 0.75]]), np.array([[1]])).round(4)
    array([[-0.2877]])
    """
    right = np.take_along_axis(p, labels, axis=-1)
    return np.log(np.clip(right, p.dtype.type(EPSILON), p.dtype.type(1.0 - EPSILON)))


def loss_of_labels(p: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Mean over the rows of ``-log(p[label])``: the cross-entropy of a batch.

    >>> round(float(loss_of_labels(np.array([[0.25, 0.75]]), np.array([[1]]))), 4)
    0.2877
    """
    return np.asarray((-log_of_label(p, labels)).ravel().mean())


def log_softmax_slope(p: np.ndarray, g: np.ndarray) -> np.ndarray:
    """Slope of ``sum(g * log(p))`` with respect to the scores of the softmax: g - p sum(g).

    Where a probability was clipped before the logarithm, its g counts as 0.

    >>> log_softmax_slope(np.array([[0.25, 0.75]]), np.array([[0.0, -1.0]]))
    array([[ 0.25, -0.25]])
    """
    g = g * ((p >= EPSILON) & (p <= 1.0 - EPSILON))
    return g - p * g.sum(axis=-1, keepdims=True)


def probability_slope(p: np.ndarray, g: np.ndarray) -> np.ndarray:
    """Slope of ``sum(g * p)`` with respect to the scores of the softmax: g p - p sum(g p).

    >>> probability_slope(np.array([[0.25, 0.75]]), np.array([[0.0, 1.0]]))
    array([[-0.1875,  0.1875]])
    """
    flow = g * p
    return flow - p * flow.sum(axis=-1, keepdims=True)


def sigmoid_slope(p: np.ndarray, y: np.ndarray, g: Any) -> np.ndarray:
    """Slope of ``g * bce(p, y)`` with respect to the score of the sigmoid: g (p - y).

    Where the probability was clipped, the slope is 0.

    >>> sigmoid_slope(np.array([0.25]), np.array([1.0]), np.array([2.0]))
    array([-1.5])
    """
    return (p - y) * g * ((p >= EPSILON) & (p <= 1.0 - EPSILON))


def _picked(p: Any, labels: Any) -> Any:
    return take_along_axis(log_probabilities(p, False, -1), labels, axis=-1)


def _mean_loss(p: Any, labels: Any) -> Any:
    return mean(reshape(-_picked(p, labels), p.shape[:1]))


def _binary(p: Any, y: Any) -> Any:
    return cross_entropy(y, p)


def _log(p: Any) -> Any:
    return log_probabilities(p, False, -1)


def _itself(p: Any) -> Any:
    return p


def _labels(shape: tuple[int, ...], dtype: np.dtype) -> np.ndarray:
    return np.zeros((*shape[:-1], 1), np.int64)


def _alike(shape: tuple[int, ...], dtype: np.dtype) -> np.ndarray:
    return np.full(shape, 0.5, dtype)


SHORT_CUTS = (
    ShortCut(softmax, _picked, softmax_slope, _labels),
    ShortCut(softmax, _mean_loss, loss_of_labels, _labels, slope=False),
    ShortCut(softmax, _picked, log_of_label, _labels, slope=False),
    ShortCut(softmax, _log, log_softmax_slope),
    ShortCut(softmax, _itself, probability_slope),
    ShortCut(sigmoid, _binary, sigmoid_slope, _alike),
)


# ------------------------------------------------------------------------------- finding them


def shortened(lines: Sequence[Line], outputs: Sequence[Slot]) -> list[Line]:
    """Return the lines with the short cuts taken."""
    lines = list(lines)
    for short in SHORT_CUTS:
        for first in [line for line in lines if line.op is short.end]:
            lines = _taken(short, first, lines)
    return needed(lines, outputs)


def _taken(short: ShortCut, first: Line, lines: list[Line]) -> list[Line]:
    """Take a short cut that begins where a line ends, if it leads anywhere."""
    z, p = first.inputs[0], first.out
    if not isinstance(z, Slot) or p is None or len(p.shape) != 2 or not all(p.shape):
        return lines
    if first.inputs[1:] not in ((), (-1,), (1,)):  # the kernels go along rows
        return lines
    pattern = _Pattern(short, z, first.inputs[1:])
    makers = {id(line.out): line for line in lines}
    for place, line in enumerate(lines):
        out, ours = line.out, pattern.last.out
        if out is None or line.name != pattern.last.name or out.shape != ours.shape:  # type: ignore[union-attr]
            continue
        found = pattern.matched(line, makers, first)
        if found is not None:
            kernel = short.kernel
            lines[place] = Line(kernel.__name__, kernel, (p, *found), out)
    return lines


class _Pattern:
    """The long way for arrays of one shape, recorded."""

    def __init__(self, short: ShortCut, z: Slot, parameters: tuple[Any, ...]) -> None:
        with recording() as trace:
            leaf = trace.leaf(np.zeros(z.shape, z.dtype))
            given = [trace.leaf(short.y(z.shape, z.dtype))] if short.y else []
            result = short.way(short.end(leaf, *parameters), *given)
            if short.slope:
                g = trace.leaf(np.ones(result.shape, z.dtype))
                result = tape.sweep(result, g, create_graph=True)[leaf.serial]
                given.append(g)
        lines, (end,) = simplified(trace.lines, [result.slot])
        self.makers = {id(line.out): line for line in lines}
        self.last = self.makers[id(end)]
        self.z, self.given = leaf.slot, [node.slot for node in given]
        self.g = self.given[-1] if short.slope else None

    def matched(self, line: Line, makers: dict[int, Line], first: Line) -> Any:
        """Return what stands for y and g if a line is the end of the long way, else None."""
        bound: dict[int, Any] = {id(self.z): first.inputs[0]}
        waiting: list[tuple[Any, Any]] = [(self.last.out, line.out)]
        while waiting:
            ours, theirs = waiting.pop()
            if isinstance(ours, Slot):
                if id(ours) in bound:
                    if bound[id(ours)] is not theirs:
                        return None
                    continue
                bound[id(ours)] = theirs
                if any(ours is slot for slot in self.given):
                    one_number = ours is self.g and isinstance(theirs, float)
                    if not one_number and getattr(theirs, "shape", None) != ours.shape:
                        return None
                    continue
                a, b = self.makers[id(ours)], makers.get(id(theirs))
                if b is None or (a.name, a.op, a.out.dtype) != (b.name, b.op, b.out.dtype):  # type: ignore[union-attr]
                    return None
                ours, theirs = a.inputs, b.inputs
            if not _alike_so_far(ours, theirs, waiting):
                return None
        return [bound[id(slot)] for slot in self.given]


def _alike_so_far(ours: Any, theirs: Any, waiting: list[tuple[Any, Any]]) -> bool:
    """Compare inputs that are no slots; what is inside of tuples is compared later."""
    if isinstance(ours, list | tuple):
        if type(ours) is not type(theirs) or len(ours) != len(theirs):
            return False
        waiting += zip(ours, theirs, strict=True)
        return True
    if isinstance(ours, np.ndarray):
        same = isinstance(theirs, np.ndarray) and ours.dtype == theirs.dtype
        return same and np.array_equal(ours, theirs)
    return type(ours) is type(theirs) and bool(ours == theirs)
