"""Recurrent networks: the same weights at every step of a sequence, and a state that is handed on.

A whole sequence is one primitive, since thousands of small nodes would cost more than what they
compute. Its slope is a loop from the last step to the first: backpropagation through time. The
slope of that slope comes from the same network written out step by step.

Time comes first: z (steps, batch, sums of the inputs), as ``dense(x, W, b)`` gives them for all
steps at once; U (units, sums), the weights of the state; h (batch, units), the first state; and
``mask`` (steps, batch), False where a step is skipped.

Sources: Werbos (1990); Hochreiter and Schmidhuber (1997); Cho and others (2014).
"""

from __future__ import annotations

import contextlib
import functools
import threading
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from gradlab.entry import (
    case,
)
from gradlab.errors import (
    ShapeError,
)
from gradlab.kernels import recurrent as kernels
from gradlab.ops.activations import sigmoid
from gradlab.ops.arithmetic import positive, where
from gradlab.ops.elementary import tanh
from gradlab.ops.linear import matmul
from gradlab.ops.reductions import reduce_sum
from gradlab.ops.shaping import concatenate, index, pad, reshape, split, stack, transpose
from gradlab.primitive import (
    Primitive,
)
from gradlab.tape import Node, next_serial, recording, sweep

# ----------------------------------------------------- one way back for all arguments of a network


class _Shared(threading.local):
    found: dict[Any, Any] | None = None


_shared = _Shared()


@contextlib.contextmanager
def _one_way_back() -> Iterator[None]:
    """Let `once` remember for as long as the block lasts."""
    before, _shared.found = _shared.found, {}
    try:
        yield
    finally:
        _shared.found = before


def once(back: Callable[..., Any], *inputs: Any) -> Any:
    """Return ``back(*inputs)``, computed for the first rule of a node that asks."""
    found = {} if _shared.found is None else _shared.found
    key = (back.__name__, *map(id, inputs))
    if key not in found:
        found[key] = back(*inputs)
    return found[key]


class Recurrent(Primitive):
    """A primitive whose rules share one pass back through time."""

    def pull(self, node: Node, g: Any, traced: bool) -> list[tuple[Node, Any]]:
        with _one_way_back():
            return super().pull(node, g, traced)


class WayBack(Primitive):
    """The way back through time. Its own slopes are those of the network written out by steps."""

    def pull(self, node: Node, g: Any, traced: bool) -> list[tuple[Node, Any]]:
        with _one_way_back(), recording(True):  # two sweeps follow, over nodes in any case
            pulled = super().pull(node, g, True)
        return pulled if traced else [(a, _plain(flow)) for a, flow in pulled]

    def slopes(self, function: Callable[..., list[Any]]) -> Callable[..., list[Any]]:
        """Decorate the function that returns what flows back to all operands, in order."""
        for place, name in enumerate(self.operands):
            self.vjp(name)(_part(function, place))
        return function


def _part(function: Callable[..., list[Any]], place: int) -> Callable[..., Any]:
    @functools.wraps(function)
    def part(*known: Any) -> Any:
        return once(function, *known)[place]

    return part


def kind_of(kind: type[Primitive], **facts: Any) -> Callable[[Callable[..., Any]], Any]:
    """Make a function a primitive of one of these kinds; mask and states have no slope."""

    def make(function: Callable[..., Any]) -> Primitive:
        return kind(function, nondiff=("mask", "states"), **facts)

    return make


def _plain(x: Any) -> Any:
    return x.data if isinstance(x, Node) else x


def slopes_by_steps(network: Callable[..., Any], g: Any, flow: Any, *arrays: Any) -> list[Any]:
    """Return d<g, way back>/d(flow and arrays): two sweeps through the network by steps.

    Args:
        network: takes the arrays, and returns its outputs and a function that puts their gradients
            together as the way back does.
    """
    zero = 0.0 * reduce_sum(next(a for a in (flow, *arrays) if isinstance(a, Node)))
    start = next_serial()
    copies = [positive(a) if isinstance(a, Node) else a + zero for a in (flow, *arrays)]
    y, together = network(*copies[1:])
    arrived = sweep(y, copies[0], since=start, create_graph=True)
    back = together(*[arrived[a.serial] for a in copies[1:]])
    arrived = sweep(back, g, since=start, create_graph=True)
    return [arrived.get(a.serial, 0.0 * a) for a in copies]


def _check(name: str, z: Any, U: Any, sums: int, *states: Any) -> None:
    """Raise a ShapeError unless all belong to one number of units and one batch."""
    units = U.shape[0]
    fits = len(z.shape) == 3 and U.shape == (units, sums * units) and z.shape[2] == sums * units
    if not fits or any(h.shape != (z.shape[1], units) for h in states):
        found = " and ".join(str(tuple(h.shape)) for h in states)
        many = f"{sums} * units" if sums > 1 else "units"
        raise ShapeError(
            f"{name}: z of shape {z.shape}, U of shape {U.shape}, states of shape {found}\n"
            f"expected (steps, batch, {many}), (units, {many}) and (batch, units)\n"
            "write z = dense(x, W, b) for x of shape (steps, batch, features)"
        )


def by_steps(
    step: Callable[..., Any], z: Any, states: tuple[Any, ...], mask: Any = None
) -> tuple[list[Any], tuple[Any, ...]]:
    """Return the outputs of all steps and the last states, computed one step at a time.

    Args:
        step: takes the sums of one step and the states, and returns the new states, the output
            first.
        z: (steps, batch, sums).
        states: the first ones.
        mask: (steps, batch), False where a step is skipped.

    >>> outputs, last = by_steps(lambda z, h: (z + h,), np.ones((3, 1, 1)), (np.zeros((1, 1)),))
    >>> [float(y[0, 0]) for y in outputs]
    [1.0, 2.0, 3.0]
    """
    outputs = []
    for t in range(z.shape[0]):
        new = step(index(z, t), *states)
        if mask is not None:
            seen = reshape(index(mask, t), (-1, 1))
            new = tuple(where(seen, a, b) for a, b in zip(new, states, strict=True))
        states = new
        outputs.append(states[0])
    return outputs, states


def _weights_of_states(y: Any, h: Any, d: Any) -> Any:
    """Return the gradient of U: the state before each step times what arrives at its sums."""
    states = concatenate(reshape(h, (1, *h.shape)), index(y, slice(0, y.shape[0] - 1)))
    rows = reshape(states, (-1, h.shape[1]))
    return matmul(transpose(rows), reshape(d, (-1, d.shape[2])))


def with_first_states(dz: Any, *firsts: Any) -> Any:
    """Return the gradient of z, and behind its last step those of the first states, side by side.

    >>> with_first_states(np.ones((1, 1, 3)), np.full((1, 1), 5.0)).tolist()
    [[[1.0, 1.0, 1.0]], [[5.0, 0.0, 0.0]]]
    """
    last = concatenate(*firsts, axis=1)
    last = pad(last, ((0, 0), (0, dz.shape[2] - last.shape[1])))
    return concatenate(dz, reshape(last, (1, *last.shape)))


# Where the slopes of tanh and sigmoid have digits left: 1 - tanh(10)^2 is a few roundings of 1, and
# the slope of a rounding is none.
MODERATE = {"z": "[-2, 2]", "U": "[-2, 2]", "b": "[-2, 2]", "h": "[-1, 1]", "c": "[-2, 2]"}
MASK = np.array([[True, False], [False, True]])

# ------------------------------------------------------------------------------ the simple network


def simple_rnn_step(z: Any, U: Any, h: Any, activation: Any = tanh, seen: Any = None) -> tuple[Any]:
    """Return (phi(z + h U),), the new state; ``seen`` is what of h goes into the product, or all.

    >>> simple_rnn_step(np.ones((1, 1)), np.ones((1, 1)), np.ones((1, 1)), abs)
    (array([[2.]]),)
    """
    return (activation(z + matmul(h if seen is None else seen, U)),)


@kind_of(
    Recurrent,
    cases=(
        case((2, 1, 1), (1, 1), (1, 1)),
        case((1, 1, 2), (2, 2), (1, 2)),
        case((2, 2, 1), (1, 1), (2, 1), mask=MASK),
    ),
    source="Elman (1990)",
)
def simple_rnn(z, U, h, mask=None):
    """The simple recurrent network: h_t = tanh(z_t + h_(t-1) U), for all steps.

    Shapes: z (steps, batch, units), U (units, units), h (batch, units); the result is
    (steps, batch, units).

    A number that comes in at the first step is remembered, less and less:

    >>> z = np.array([1.0, 0.0, 0.0]).reshape(3, 1, 1)
    >>> simple_rnn(z, np.array([[0.5]]), np.zeros((1, 1))).ravel().round(2)
    array([0.76, 0.36, 0.18])

    Raises:
        ShapeError: arrays that do not belong to one number of units and one batch.
    """
    z, U, h = (np.asarray(a) for a in (z, U, h))
    _check("simple_rnn", z, U, 1, h)
    return kernels.simple_rnn(z, U, h, mask)


@simple_rnn.vjp("z")
def simple_rnn_vjp_z(g, z, U, h, mask, y):
    return index(once(simple_rnn_back, g, z, U, h, mask, y), slice(0, z.shape[0]))


@simple_rnn.vjp("U")
def simple_rnn_vjp_U(g, z, U, h, mask, y):
    return _weights_of_states(y, h, simple_rnn_vjp_z(g, z, U, h, mask, y))


@simple_rnn.vjp("h")
def simple_rnn_vjp_h(g, z, U, h, mask, y):
    return index(once(simple_rnn_back, g, z, U, h, mask, y), z.shape[0])


@kind_of(
    WayBack,
    domain=MODERATE,
    cases=(
        case((1, 1, 2), (1, 1, 2), (2, 2), (1, 2)),
        case((2, 2, 1), (2, 2, 1), (1, 1), (2, 1), mask=MASK),
    ),
)
def simple_rnn_back(flow, z, U, h, mask=None, states=None):
    """The way back through a simple network: the gradient of z, and behind it that of h.

    Shapes: ``flow`` as simple_rnn returns it, the others as for simple_rnn; the result is
    (steps + 1, batch, units). ``states`` is what simple_rnn returned, if that is at hand.
    """
    flow, z, U, h = (np.asarray(a) for a in (flow, z, U, h))
    y = kernels.simple_rnn(z, U, h, mask) if states is None else states
    return kernels.simple_rnn_back(flow, U, h, mask, y)


@simple_rnn_back.slopes
def simple_rnn_back_slopes(g, flow, z, U, h, mask):
    def network(z, U, h):
        outputs, _ = by_steps(lambda z, h: simple_rnn_step(z, U, h), z, (h,), mask)
        return stack(*outputs), lambda dz, dU, dh: with_first_states(dz, dh)

    return slopes_by_steps(network, g, flow, z, U, h)


# -------------------------------------------------------------------- long short-term memory (LSTM)


def lstm_step(
    z: Any,
    U: Any,
    h: Any,
    c: Any,
    activation: Any = tanh,
    recurrent_activation: Any = sigmoid,
    seen: Any = None,
) -> tuple[Any, Any]:
    """Return the new h and c: c' = f c + i g and h' = o phi(c').

    The sums z + h U hold those of the input gate i, the forget gate f, the candidate g and the
    output gate o, in this order; ``seen`` is what of h goes into the product, or all. With large
    sums all gates are open: c' = 1 + 1.

    >>> h, c = lstm_step(np.full((1, 4), 50.0), np.zeros((1, 4)), np.zeros((1, 1)), np.ones((1, 1)))
    >>> float(c[0, 0]), float(h[0, 0].round(4))
    (2.0, 0.964)
    """
    i, f, g, o = split(z + matmul(h if seen is None else seen, U), 4, axis=-1)
    c = recurrent_activation(f) * c + recurrent_activation(i) * activation(g)
    return recurrent_activation(o) * activation(c), c


@kind_of(
    Recurrent,
    cases=(
        case((2, 1, 4), (1, 4), (1, 1), (1, 1)),
        case((1, 1, 8), (2, 8), (1, 2), (1, 2)),
        case((2, 2, 4), (1, 4), (2, 1), (2, 1), mask=MASK),
    ),
    source="Hochreiter and Schmidhuber (1997); Gers and others (2000), the forget gate",
)
def lstm(z, U, h, c, mask=None):
    """Long short-term memory: a state c to which is added, so that it lasts; see `lstm_step`.

    Shapes: z (steps, batch, 4 * units), U (units, 4 * units), h and c (batch, units); the result
    is (steps + 1, batch, units): h of all steps, and behind them the last c.

    With the forget gate open and the input gate shut, c stays what it was:

    >>> z = np.zeros((100, 1, 4)) + [-50.0, 50.0, 0.0, 0.0]
    >>> lstm(z, np.zeros((1, 4)), np.zeros((1, 1)), np.array([[0.7]]))[-1]
    array([[0.7]])

    Raises:
        ShapeError: arrays that do not belong to one number of units and one batch.
    """
    z, U, h, c = (np.asarray(a) for a in (z, U, h, c))
    _check("lstm", z, U, 4, h, c)
    return kernels.lstm(z, U, h, c, mask)


@lstm.vjp("z")
def lstm_vjp_z(g, z, U, h, c, mask, y):
    return index(once(lstm_back, g, z, U, h, c, mask, y), slice(0, z.shape[0]))


@lstm.vjp("U")
def lstm_vjp_U(g, z, U, h, c, mask, y):
    states = index(y, slice(0, z.shape[0]))
    return _weights_of_states(states, h, lstm_vjp_z(g, z, U, h, c, mask, y))


@lstm.vjp("h")
def lstm_vjp_h(g, z, U, h, c, mask, y):
    last = index(once(lstm_back, g, z, U, h, c, mask, y), z.shape[0])
    return index(last, (slice(None), slice(0, h.shape[1])))


@lstm.vjp("c")
def lstm_vjp_c(g, z, U, h, c, mask, y):
    last = index(once(lstm_back, g, z, U, h, c, mask, y), z.shape[0])
    return index(last, (slice(None), slice(h.shape[1], 2 * h.shape[1])))


@kind_of(
    WayBack,
    domain=MODERATE,
    cases=(
        case((2, 1, 1), (1, 1, 4), (1, 4), (1, 1), (1, 1)),
        case((3, 2, 1), (2, 2, 4), (1, 4), (2, 1), (2, 1), mask=MASK),
    ),
)
def lstm_back(flow, z, U, h, c, mask=None, states=None):
    """The way back through an LSTM: the gradient of z, and behind it those of h and c.

    Shapes: ``flow`` as lstm returns it, the others as for lstm; the result is
    (steps + 1, batch, 4 * units). ``states`` is what lstm returned, if that is at hand.
    """
    flow, z, U, h, c = (np.asarray(a) for a in (flow, z, U, h, c))
    y = kernels.lstm(z, U, h, c, mask) if states is None else states
    return kernels.lstm_back(flow, z, U, h, c, mask, y)


@lstm_back.slopes
def lstm_back_slopes(g, flow, z, U, h, c, mask):
    def network(z, U, h, c):
        outputs, last = by_steps(lambda z, h, c: lstm_step(z, U, h, c), z, (h, c), mask)
        return stack(*outputs, last[1]), lambda dz, dU, dh, dc: with_first_states(dz, dh, dc)

    return slopes_by_steps(network, g, flow, z, U, h, c)


# ----------------------------------------------------------------------- gated recurrent unit (GRU)


def gru_step(
    z: Any,
    U: Any,
    b: Any,
    h: Any,
    activation: Any = tanh,
    recurrent_activation: Any = sigmoid,
    reset_after: bool = True,
    seen: Any = None,
) -> tuple[Any]:
    """Return (h',), with h' = k h + (1 - k) g.

    The sums are those of the gate k (how much is kept), the gate r (how much of the state counts
    for the candidate) and the candidate g, in this order: g = phi(z_g + r (h U_g + b_g)), or
    phi(z_g + (r h) U_g) if the gate comes before the product. ``seen`` is what of h goes into the
    products, or all.

    With large sums k is 1, and the state stays what it was:

    >>> gru_step(np.full((1, 3), 50.0), np.zeros((1, 3)), np.zeros(3), np.full((1, 1), 0.3))
    (array([[0.3]]),)
    """
    u, seen = h.shape[-1], h if seen is None else seen
    z_k, z_r, z_g = split(z, 3, axis=-1)
    if reset_after:
        s_k, s_r, s_g = split(matmul(seen, U) + b, 3, axis=-1)
    else:
        s_k, s_r = split(matmul(seen, index(U, (slice(None), slice(0, 2 * u)))), 2, axis=-1)
    k, r = recurrent_activation(z_k + s_k), recurrent_activation(z_r + s_r)
    if reset_after:
        g = activation(z_g + r * s_g)
    else:
        g = activation(z_g + matmul(r * seen, index(U, (slice(None), slice(2 * u, 3 * u)))))
    return (k * h + (1.0 - k) * g,)


@kind_of(
    Recurrent,
    cases=(
        case((2, 1, 3), (1, 3), (3,), (1, 1)),
        case((1, 1, 6), (2, 6), (6,), (1, 2)),
        case((2, 2, 3), (1, 3), (3,), (2, 1), mask=MASK),
    ),
    source="Cho and others (2014); the gate after the product, as cuDNN has it",
)
def gru(z, U, b, h, mask=None):
    """Gated recurrent unit: a state of which a gate says how much is kept; see `gru_step`.

    Shapes: z (steps, batch, 3 * units), U (units, 3 * units), b (3 * units,), the bias beside U,
    h (batch, units); the result is (steps, batch, units).

    >>> z = np.zeros((2, 1, 3)) + [0.0, 0.0, 50.0]  # half is kept, half is new
    >>> gru(z, np.zeros((1, 3)), np.zeros(3), np.zeros((1, 1))).ravel()
    array([0.5 , 0.75])

    Raises:
        ShapeError: arrays that do not belong to one number of units and one batch.
    """
    z, U, b, h = (np.asarray(a) for a in (z, U, b, h))
    _check("gru", z, U, 3, h)
    return kernels.gru(z, U, b, h, mask)


@gru.vjp("z")
def gru_vjp_z(g, z, U, b, h, mask, y):
    d = once(gru_back, g, z, U, b, h, mask, y)
    return index(d, (slice(0, z.shape[0]), slice(None), slice(0, z.shape[2])))


def _sums_of_states(g, z, U, b, h, mask, y):
    """Return what arrives at h U + b: for the gates the same as at z, not for the candidate."""
    d, u = once(gru_back, g, z, U, b, h, mask, y), h.shape[1]
    steps = slice(0, z.shape[0])
    gates = index(d, (steps, slice(None), slice(0, 2 * u)))
    return concatenate(gates, index(d, (steps, slice(None), slice(3 * u, 4 * u))), axis=2)


@gru.vjp("U")
def gru_vjp_U(g, z, U, b, h, mask, y):
    return _weights_of_states(y, h, once(_sums_of_states, g, z, U, b, h, mask, y))


@gru.vjp("b")
def gru_vjp_b(g, z, U, b, h, mask, y):
    return once(_sums_of_states, g, z, U, b, h, mask, y)  # the sweep adds up over steps and batch


@gru.vjp("h")
def gru_vjp_h(g, z, U, b, h, mask, y):
    last = index(once(gru_back, g, z, U, b, h, mask, y), z.shape[0])
    return index(last, (slice(None), slice(0, h.shape[1])))


@kind_of(
    WayBack,
    domain=MODERATE,
    cases=(
        case((1, 1, 1), (1, 1, 3), (1, 3), (3,), (1, 1)),
        case((2, 2, 1), (2, 2, 3), (1, 3), (3,), (2, 1), mask=MASK),
    ),
)
def gru_back(flow, z, U, b, h, mask=None, states=None):
    """The way back through a GRU: the gradient of z, that of h U_g + b_g beside it, of h behind it.

    Shapes: ``flow`` as gru returns it, the others as for gru; the result is
    (steps + 1, batch, 4 * units). ``states`` is what gru returned, if that is at hand.
    """
    flow, z, U, b, h = (np.asarray(a) for a in (flow, z, U, b, h))
    y = kernels.gru(z, U, b, h, mask) if states is None else states
    return kernels.gru_back(flow, z, U, b, h, mask, y)


@gru_back.slopes
def gru_back_slopes(g, flow, z, U, b, h, mask):
    def network(z, U, b, h):
        def step(both, h):
            now, bias = split(both, 2, axis=-1)
            return gru_step(now, U, bias, h)

        outputs, _ = by_steps(step, concatenate(z, b, axis=2), (h,), mask)
        return stack(*outputs), together

    def together(dz, _, db, dh):
        inner = index(db, (slice(None), slice(None), slice(2 * h.shape[1], 3 * h.shape[1])))
        return with_first_states(concatenate(dz, inner, axis=2), dh)

    each = b + np.zeros((*z.shape[:2], 1), z.dtype)  # one for all steps and instances
    return slopes_by_steps(network, g, flow, z, U, each, h)
