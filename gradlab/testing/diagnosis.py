"""Which mistake does a wrong gradient look like? The classic ones are tried, one after the other.

Each hypothesis predicts what the gradient would be; the one that predicts it everywhere is named.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from gradlab.tape import Node
from gradlab.testing.evidence import Evidence, Found, gather
from gradlab.testing.mistakes import (
    constant_ratio,
    missing_slope,
    not_a_number,
    one_use_only,
    only_for_ones,
    overwritten,
    repeated_axes,
    sign_of_cotangent,
    sum_over,
    unused,
    without_cotangent,
    zero,
)
from gradlab.testing.numeric import Mismatch, check_vjp
from gradlab.testing.subject import Subject, subject
from gradlab.testing.thresholds import beyond_a_threshold, few_elements


def diagnose(
    about: Subject, place: int, mismatch: Mismatch | None, seed: Sequence[int]
) -> str | None:
    """The likely mistake in the gradient of one argument, in one line, or None.

    Args:
        about: the functions and the point.
        place: the argument whose gradient is wrong.
        mismatch: where `check_vjp` found it.
        seed: of the cotangent it was found with.
    """
    where = mismatch.coordinate if mismatch is not None else None
    evidence = gather(about, place, [] if where is None else [where], seed)
    hypotheses = IN_SHAPE if evidence[0].well_shaped else OUT_OF_SHAPE
    for hypothesis in hypotheses:
        with np.errstate(all="ignore"):
            text = hypothesis(evidence)
        if text:
            return text
    return None


def not_linear(about: Subject, seed: Sequence[int]) -> str | None:
    """What a backward pass that is right for one cotangent only may have done."""
    for place in about.wrt:
        evidence = [Evidence(about, place, about.cotangent(seed), [])]
        if text := sign_of_cotangent(evidence) or without_cotangent(evidence):
            return text
    return None


def shapes_do_not_fit(error: Exception | None) -> str | None:
    """The mend for a product whose shapes do not fit, by far the most frequent exception."""
    if any(word in str(error) for word in ("mismatch", "aligned", "broadcast", "shape")):
        return "shapes do not fit: for y = x @ W write g @ W.T and x.T @ g, for y = x + b g.sum(0)"
    return None


# ------------------------------------------------------------------------------- wrong shapes


def transposed_shape(evidence: Found) -> str | None:
    """The right numbers with the axes the other way round."""
    first = evidence[0]
    if first.given.ndim > 1 and first.fits(first.given.T):
        return f"transposed: shape {first.given.shape} for {first.x.shape}; write .T"
    return None


def not_summed(evidence: Found) -> str | None:
    """The argument was repeated to fit, and what flows back was not added up."""
    first = evidence[0]
    shape = first.x.shape
    axes = repeated_axes(shape, first.given.shape)
    if axes and first.fits(first.given.sum(axis=axes).reshape(shape)):
        return f"broadcast, but not summed: write {sum_over(axes, shape)} to undo the repeating"
    return None


def not_reshaped(evidence: Found) -> str | None:
    """The right numbers in another arrangement."""
    first = evidence[0]
    if first.given.size == first.x.size and first.fits(first.given.reshape(first.x.shape)):
        return f"the numbers are right: write .reshape({first.x.shape})"
    return None


def summed_too_much(evidence: Found) -> str | None:
    """One number where each element has its own."""
    first = evidence[0]
    if first.given.size < first.x.size:
        return "summed over too many axes: each element of the argument has a slope of its own"
    return None


def swapped(evidence: Found) -> str | None:
    """The gradient that belongs to another argument."""
    first = evidence[0]
    for other in first.about.wrt:
        if other != first.place and all(e.belongs_to(other) for e in evidence):
            name, of = first.about.names[other], first.about.names[first.place]
            return f"swapped: the gradient given for {of} is that of {name}"
    return None


def transposed(evidence: Found) -> str | None:
    """The right numbers of a square matrix, mirrored."""
    first = evidence[0]
    shape = first.x.shape
    if len(shape) == 2 and shape[0] == shape[1] > 1 and all(e.fits(e.given.T) for e in evidence):
        return "transposed: rows and columns are exchanged; write .T"
    return None


def jacobian_not_transposed(evidence: Found) -> str | None:
    """J g instead of J^T g, such as g @ W for y = x @ W."""
    for e in evidence:
        if e.about.value.shape != e.x.shape or e.x.ndim == 0:
            return None
        for index in e.indices:
            one = np.zeros_like(e.g)
            one[index] = 1.0
            slopes = e.about.slopes(e.place, e.g.astype(np.float64), one)
            if slopes.is_kink or not e.same(float(e.given[index]), slopes.ends[0].value):
                return None
    return "not transposed: this is J g, expected J.T g; for y = x @ W write g @ W.T and x.T @ g"


def rule_of_a_primitive(evidence: Found) -> str | None:
    """In a function written for gradlab: the first of its primitives whose own rule is wrong."""
    first = evidence[0]
    trail = first.trail if first.about.traced else None
    if trail is None or len(trail.nodes) <= 2:
        return None
    for node in reversed(trail.nodes):
        if node.op is not None and node.serial > trail.leaf.serial:
            for place, parent in enumerate(node.inputs):
                if isinstance(parent, Node) and (found := _wrong_alone(node, place)):
                    name = node.op.name_at(place, len(node.inputs))
                    text = diagnose(found, 0, None, (0,)) or "it is the first to be wrong"
                    return f"the rule of {node.op.name} for {name}: {text}"
    return None


def _wrong_alone(node: Any, place: int) -> Subject | None:
    """A primitive as a function of one of its inputs, if its gradient is wrong there."""
    inputs = [a.data if isinstance(a, Node) else a for a in node.inputs]

    def alone(x: Any) -> Any:
        moved = [*inputs[:place], x, *inputs[place + 1 :]]
        return x.apply(node.op, tuple(moved)) if isinstance(x, Node) else node.op.evaluate(moved)

    about = subject(alone, [inputs[place]])
    wrong = check_vjp(about.f, about.vjp, about.args, 0, np.random.default_rng(0), atol=1e-12)
    return about if wrong else None


OUT_OF_SHAPE: tuple[Callable[[Found], str | None], ...] = (
    transposed_shape,
    not_summed,
    swapped,
    not_reshaped,
    summed_too_much,
)
IN_SHAPE: tuple[Callable[[Found], str | None], ...] = (
    rule_of_a_primitive,
    not_a_number,
    zero,
    unused,
    without_cotangent,
    sign_of_cotangent,
    only_for_ones,
    constant_ratio,
    swapped,
    transposed,
    jacobian_not_transposed,
    missing_slope,
    beyond_a_threshold,
    overwritten,
    one_use_only,
    few_elements,
)
