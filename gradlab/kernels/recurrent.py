"""Recurrent networks, step by step: what one step computes the next one needs.

So the steps cannot be done all at once, but much of the work can: the products with the inputs come
before these loops, the gradient of the weights after them, each as one large product.

Arrays are (steps, batch, ...), so that one step lies in one piece; ``mask`` is (steps, batch),
False where a step is to be skipped: the state stays what it was.
"""

from __future__ import annotations

import numpy as np

from gradlab.kernels import gru_loops
from gradlab.kernels import recurrent_loops as loops


def sigmoid(x: np.ndarray) -> np.ndarray:
    """Return 1 / (1 + exp(-x)), written into x itself.

    >>> sigmoid(np.array([0.0, -1000.0]))
    array([0.5, 0. ])
    """
    np.negative(x, out=x)
    with np.errstate(over="ignore"):  # 1 / inf is the 0 that is wanted
        np.exp(x, out=x)
    x += 1
    return np.reciprocal(x, out=x)


def before(y: np.ndarray, h: np.ndarray) -> np.ndarray:
    """Return the state that each step starts from: the first one, then what the others left."""
    return np.concatenate([h[np.newaxis], y])[: len(y)]


def kept(mask: np.ndarray | None, t: int, new: np.ndarray, old: np.ndarray) -> np.ndarray:
    """Return the new state, and the old one where the step is skipped."""
    return new if mask is None else np.where(mask[t, :, np.newaxis], new, old)


def _counted(mask: np.ndarray | None, t: int, g: np.ndarray) -> tuple[np.ndarray, np.ndarray | int]:
    """Return what flows back into a step, and what flows past it."""
    if mask is None:
        return g, 0
    into = g * mask[t, :, np.newaxis]
    return into, g - into


# ----------------------------------------------------------------------------- the simple network


def simple_rnn(z: np.ndarray, U: np.ndarray, h: np.ndarray, mask: np.ndarray | None) -> np.ndarray:
    """Return h_t = tanh(z_t + h_(t-1) U) for all steps."""
    y = np.empty(z.shape, z.dtype)
    for t in range(len(z)):
        s = h @ U
        s += z[t]
        h = y[t] = kept(mask, t, np.tanh(s, out=s), h)
    return y


def simple_rnn_back(
    flow: np.ndarray, U: np.ndarray, h: np.ndarray, mask: np.ndarray | None, y: np.ndarray
) -> np.ndarray:
    """Return the gradient of z, and behind its last step that of the first state."""
    d = np.empty((len(y) + 1, *y.shape[1:]), y.dtype)
    slope, back, g = 1 - y * y, U.T, np.zeros_like(h)
    for t in reversed(range(len(y))):
        g, past = _counted(mask, t, g + flow[t])
        g = np.multiply(g, slope[t], out=d[t]) @ back + past
    d[-1] = g
    return d


# ------------------------------------------------------------------- long short-term memory (LSTM)


def lstm_gates(s: np.ndarray, u: int) -> list[np.ndarray]:
    """Return the gates i, f and o and the candidate g, in Keras's order i, f, g, o, written into s.

    The gates are numbers from 0 to 1: how much is let in, kept, and shown.
    """
    sigmoid(s[..., : 2 * u])
    np.tanh(s[..., 2 * u : 3 * u], out=s[..., 2 * u : 3 * u])
    sigmoid(s[..., 3 * u :])
    return [s[..., k * u : (k + 1) * u] for k in range(4)]


def lstm(
    z: np.ndarray, U: np.ndarray, h: np.ndarray, c: np.ndarray, mask: np.ndarray | None
) -> np.ndarray:
    """Return h_t for all steps, and behind them the last c: c_t = f c + i g, h_t = o tanh(c_t)."""
    steps, batch, u = len(z), *h.shape
    y = np.empty((steps + 1, batch, u), z.dtype)
    if loops.pay(z):
        loops.lstm(y, z, U, h, c, mask)
        return y
    s = np.empty((batch, 4 * u), z.dtype)
    for t in range(steps):
        np.matmul(h, U, out=s)
        s += z[t]
        i, f, g, o = lstm_gates(s, u)
        new = f * c
        new += np.multiply(i, g, out=g)
        c = kept(mask, t, new, c)
        new = np.multiply(np.tanh(new), o, out=y[t])
        h = y[t] = kept(mask, t, new, h)
    y[steps] = c
    return y


def lstm_back(
    flow: np.ndarray,
    z: np.ndarray,
    U: np.ndarray,
    h: np.ndarray,
    c: np.ndarray,
    mask: np.ndarray | None,
    y: np.ndarray,
) -> np.ndarray:
    """Return the gradient of z, and behind its last step those of the first h and c, side by side.

    The gates are computed once more, for all steps at once: to keep them would take three times
    the memory.
    """
    steps, batch, u = len(z), *h.shape
    if loops.pay(z):
        d = np.empty((steps + 1, batch, 4 * u), z.dtype)
        gates, cells = np.empty((5, steps, batch, u), z.dtype), np.empty_like(y)
        loops.lstm_back(d, gates, cells, flow, z, U, h, c, mask, y)
        return d
    s = before(y[:steps], h) @ U
    s += z
    i, f, g, o = lstm_gates(s, u)
    cells = np.empty((steps + 1, batch, u), z.dtype)
    cells[0] = c
    np.multiply(i, g, out=cells[1:])
    for t in range(steps):
        cells[t + 1] += f[t] * cells[t]
        cells[t + 1] = kept(mask, t, cells[t + 1], cells[t])
    shown = np.tanh(cells[1:])
    d = np.zeros((steps + 1, batch, 4 * u), z.dtype)
    # First the slopes of c, and of h, to the sums; then, from the last step on, what arrives there.
    np.multiply(i * (1 - i), g, out=d[:-1, :, :u])
    np.multiply(f * (1 - f), cells[:-1], out=d[:-1, :, u : 2 * u])
    np.multiply(i, 1 - g * g, out=d[:-1, :, 2 * u : 3 * u])
    np.multiply(o * (1 - o), shown, out=d[:-1, :, 3 * u :])
    to_c = o * (1 - shown * shown)
    back, dh, dc = U.T, np.zeros_like(h), flow[steps]
    for t in reversed(range(steps)):
        dh, past_h = _counted(mask, t, dh + flow[t])
        dc, past_c = _counted(mask, t, dc)
        dc = dc + dh * to_c[t]
        by_gate = d[t].reshape(batch, 4, u)
        by_gate[:, :3] *= dc[:, np.newaxis]
        by_gate[:, 3] *= dh
        dc = dc * f[t] + past_c
        dh = d[t] @ back + past_h
    d[steps, :, :u], d[steps, :, u : 2 * u] = dh, dc
    return d


# ----------------------------------------------------------------------- gated recurrent unit (GRU)


def gru(
    z: np.ndarray, U: np.ndarray, b: np.ndarray, h: np.ndarray, mask: np.ndarray | None
) -> np.ndarray:
    """Return h_t for all steps: h_t = k h + (1 - k) g, with the gates k (keep) and r (reset)."""
    if loops.pay(z):
        return gru_loops.gru(z, U, b, h, mask)
    u = h.shape[1]
    y = np.empty((len(z), *h.shape), z.dtype)
    for t in range(len(z)):
        s = h @ U
        s += b
        k, _, g, _ = gru_gates(z[t], s, u)
        new = h - g
        new *= k
        new += g
        h = y[t] = kept(mask, t, new, h)
    return y


def gru_gates(z: np.ndarray, s: np.ndarray, u: int) -> tuple[np.ndarray, ...]:
    """Return the gates k and r, the candidate g, and the sums of the state that r multiplies."""
    gates = sigmoid(z[..., : 2 * u] + s[..., : 2 * u])
    k, r, inner = gates[..., :u], gates[..., u:], s[..., 2 * u :]
    g = r * inner
    g += z[..., 2 * u :]
    return k, r, np.tanh(g, out=g), inner


def gru_back(
    flow: np.ndarray,
    z: np.ndarray,
    U: np.ndarray,
    b: np.ndarray,
    h: np.ndarray,
    mask: np.ndarray | None,
    y: np.ndarray,
) -> np.ndarray:
    """Return the gradient of z and, beside it, that of the sums that r multiplies.

    Behind the last step comes that of the first state.
    """
    if loops.pay(z):
        return gru_loops.gru_back(flow, z, U, b, h, mask, y)
    steps, batch, u = y.shape
    states = before(y, h)
    s = states @ U
    s += b
    k, r, g, inner = gru_gates(z, s, u)
    to_k, to_g, to_r = (states - g) * k * (1 - k), (1 - k) * (1 - g * g), inner * r * (1 - r)
    d, back, dh = np.zeros((steps + 1, batch, 4 * u), z.dtype), U.T, np.zeros_like(h)
    for t in reversed(range(steps)):
        dh, past = _counted(mask, t, dh + flow[t])
        dk, dr, dg, d_inner = (d[t, :, n * u : (n + 1) * u] for n in range(4))
        np.multiply(dh, to_k[t], out=dk)
        np.multiply(dh, to_g[t], out=dg)
        np.multiply(dg, to_r[t], out=dr)
        np.multiply(dg, r[t], out=d_inner)
        into = d[t, :, : 2 * u] @ back[: 2 * u]
        into += d_inner @ back[2 * u :]
        dh = into + dh * k[t] + past
    d[steps, :, :u] = dh
    return d
