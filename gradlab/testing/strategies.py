"""Hypothesis strategies for whatever has a gradient: arrays, primitives, losses, layers, models.

What a primitive's row in the table says of its domain, kinks and shapes is all they need: one that
is added to the table can be drawn at once.
"""

from __future__ import annotations

import difflib
import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from gradlab import formula
from gradlab.entry import REGISTRY, Entry, Interval
from gradlab.ops.linear import dense
from gradlab.primitive import Primitive
from gradlab.testing.samples import (
    LAYOUTS,
    MODERATE,
    Shape,
    Strategy,
    around,
    arrays,
    numbers,
    relaid,
    shapes,
)

__all__ = [
    "LAYOUTS",
    "Call",
    "Network",
    "arrays",
    "layers",
    "losses",
    "models",
    "numbers",
    "op_inputs",
    "relaid",
    "shapes",
]

# ----------------------------------------------------------------------------- calls of the table


@dataclass
class Call:
    """One call of an entry of the table, itself a function of the arrays to differentiate.

    Attributes:
        entry: the primitive.
        arrays: what to call it on, and to differentiate.
        others: its other arguments by name.
    """

    entry: Any
    arrays: list[np.ndarray]
    others: dict[str, Any]

    def __call__(self, *arrays: Any) -> Any:
        """Call the entry on these arrays, or on numbers or traced nodes in their place."""
        if self.entry.variadic:
            return self.entry(*arrays, **self.others)
        arguments = dict(zip(names(self.entry, self.others), arrays, strict=True)) | self.others
        positional = [arguments.pop(n) for n in self.entry.operands]
        return self.entry(*positional, **arguments)


def names(entry: Entry, others: dict[str, Any]) -> list[str]:
    """The arguments that are differentiated when `others` are given as constants."""
    if entry.variadic:
        return list(entry.operands) * 9
    every = entry.differentiable if isinstance(entry, Primitive) else entry.operands
    return [name for name in every if name not in others]


@st.composite
def op_inputs(draw: st.DrawFn, op: str | Entry, interesting: bool = True) -> Call:
    """Calls of a primitive of the table: shapes that fit, numbers inside its domain, parameters.

    The shapes are those of its cases, or broadcast if it is elementwise. With `interesting` come
    kinks, their neighbours, ties, ends of domains and memory layouts; without, only points where
    every derivative exists.

    >>> from hypothesis import find
    >>> call = find(op_inputs("matmul"), lambda call: call.arrays[0].ndim == 2)
    >>> np.array_equal(call(*call.arrays), call.arrays[0] @ call.arrays[1])
    True

    Raises:
        ValueError: no primitive has this name, or it does not say which shapes it takes.
    """
    entry = op if isinstance(op, Entry) else _entry(op)
    fitting, others = _fitting_shapes(draw, entry)
    drawn = []
    for name, shape in zip(names(entry, others), fitting, strict=False):
        elements = points(entry, name, interesting, others)
        array = draw(hnp.arrays(np.float64, shape, elements=elements))
        drawn.append(relaid(array, draw(st.sampled_from(LAYOUTS))) if interesting else array)
    return Call(entry, drawn, others)


def _entry(name: str) -> Entry:
    if name in REGISTRY:
        return REGISTRY[name]
    close = difflib.get_close_matches(name, REGISTRY, n=1) or ["softmax"]
    raise ValueError(
        f"op_inputs({name!r}): there is no primitive of this name\n"
        f"expected one of the {len(REGISTRY)} in gradlab.REGISTRY\nwrite {close[0]!r}, for example"
    )


def _fitting_shapes(draw: st.DrawFn, entry: Entry) -> tuple[Sequence[Shape], dict[str, Any]]:
    if entry.cases:
        case = draw(st.sampled_from(entry.cases))
        return case.shapes, dict(case.parameters)
    if not (isinstance(entry, Primitive) and entry.elementwise):
        raise ValueError(
            f"op_inputs: {entry.name} does not say which shapes it takes\n"
            "expected cases=(...) in its @primitive or @composed line\n"
            "write e.g. cases=(case((2, 3), axis=0),)"
        )
    together = hnp.mutually_broadcastable_shapes(
        num_shapes=len(entry.differentiable), max_dims=2, min_side=0, max_side=3
    )
    others = {name: draw(constants(name)) for name in entry.nondiff}
    for name, default in entry.defaults.items():
        if type(default) is float:
            others[name] = default * draw(st.sampled_from([1.0, 0.5, 1.7]))
    return draw(together).input_shapes, others


def constants(name: str) -> Strategy[Any]:
    """Values for an operand that is not differentiated."""
    if name == "condition":
        return st.booleans()
    return st.floats(-1.0, -0.5) if name == "low" else st.floats(0.5, 1.0)


def points(
    entry: Entry, name: str, interesting: bool = True, others: dict[str, Any] | None = None
) -> Strategy[float]:
    """Numbers for one argument of an entry, inside its domain; see `op_inputs`."""
    domain = entry.domain.get(name, Interval())
    far = MODERATE if interesting else 4.0
    inner = generic(max(domain.low, -far), min(domain.high, far))
    special = [0.0, 1.0, -1.0, 0.5, 2.0, -3.0]
    if name == entry.operands[0]:
        special += around(_kinks(entry, {**entry.defaults, **(others or {})}))
    special += [end for end in (domain.low, domain.high) if abs(end) < far]
    special = [x for x in special if x in domain]
    return st.sampled_from(special) | inner if special and interesting else inner


def generic(low: float, high: float) -> Strategy[float]:
    """Numbers of a grid that misses 0, halves and whole numbers, where kinks and ties would be."""

    def place(k: int) -> float:
        return (low + high) / 2 + (high - low) * (k + 0.37) / 4003.0

    return st.integers(-2000, 2000).map(place)


def _kinks(entry: Entry, known: dict[str, Any]) -> list[float]:
    """The kinks at numbers; one at another operand, such as ``y_true``, is met by a tie."""
    given = [k for k in entry.kinks if not isinstance(k, str) or formula.names_in(k) <= {*known}]
    return [float(formula.evaluate(k, known)) if isinstance(k, str) else k for k in given]


def losses() -> Strategy[Call]:
    """Calls of every loss in the table, with targets and predictions from its domain.

    >>> from hypothesis import find
    >>> find(losses(), lambda call: call.entry.name == "huber").others
    {}
    """
    every = [name for name, e in REGISTRY.items() if e.chapter == "losses" and e.keras]
    return st.sampled_from(every).flatmap(op_inputs)


# -------------------------------------------------------------------------------- small networks


@dataclass
class Network:
    """Dense layers, a function of the input and all parameters: phi(x W + b), again and again.

    Attributes:
        arrays: x, then W and b of every layer.
        activations: phi of every layer.
    """

    arrays: list[np.ndarray]
    activations: list[Entry]

    def __call__(self, x: Any, *parameters: Any) -> Any:
        """Return the output for an input and parameters, traced or not."""
        pairs = zip(self.activations, parameters[::2], parameters[1::2], strict=True)
        for activation, W, b in pairs:
            x = activation(dense(x, W, b))
        return x


@st.composite
def models(draw: st.DrawFn, min_layers: int = 1, max_layers: int = 3) -> Network:
    """Small dense networks, any activation of the table after every layer.

    The numbers are `generic`: where kinks of several layers meet, backpropagation may give a slope
    that is none of the function's, in every framework.

    >>> from hypothesis import find
    >>> network = find(models(), lambda network: len(network.activations) == 2)
    >>> len(network.arrays)  # the batch, and the weights and biases of two layers
    5
    """
    layers = draw(st.integers(min_layers, max_layers))
    batch, *widths = draw(st.lists(st.integers(1, 3), min_size=layers + 2, max_size=layers + 2))
    sizes: list[Shape] = [(batch, widths[0])]
    for fan_in, units in itertools.pairwise(widths):
        sizes += [(fan_in, units), (units,)]
    drawn = [draw(hnp.arrays(np.float64, size, elements=generic(-2.0, 2.0))) for size in sizes]
    phi = st.sampled_from([e for e in REGISTRY.values() if _is_activation(e)])
    return Network(drawn, [draw(phi) for _ in range(layers)])


def _is_activation(entry: Entry) -> bool:
    shapely = entry.elementwise or entry.signature == "(n)->(n)"
    return entry.chapter == "activations" and len(entry.operands) == 1 and shapely


def layers() -> Strategy[Network]:
    """Single dense layers: `models` of depth one."""
    return models(1, 1)
