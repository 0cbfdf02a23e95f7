"""What gates do at one step, as loops that Numba compiles: each number is read and written once.

NumPy goes through a step of an LSTM in twenty passes. For long sequences and many units these loops
take their place; the products between them stay with BLAS.

``seen`` is 1 where a step counts, and 0 where it is skipped.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from gradlab.kernels import dense, generated

WORTH_COMPILING = 1 << 15  # sums; for fewer, NumPy is about as fast and has nothing to compile


def pay(z: np.ndarray) -> bool:
    """Tell whether the loops are worth it, and can be had, for sums of this size."""
    return z.size >= WORTH_COMPILING and z.dtype.char in "fd" and generated.available()


def logistic(x: float) -> float:
    """The sigmoid of one number."""
    return 1.0 / (1.0 + math.exp(-x))


def lstm_step(
    h: np.ndarray,
    c: np.ndarray,
    s: np.ndarray,
    z: np.ndarray,
    h_before: np.ndarray,
    c_before: np.ndarray,
    seen: np.ndarray,
) -> None:
    """Write h and c after a step, from the sums of the state s and those of the inputs z."""
    u = c.shape[1]
    for r in range(c.shape[0]):
        for k in range(u):
            i = logistic(s[r, k] + z[r, k])
            f = logistic(s[r, u + k] + z[r, u + k])
            g = math.tanh(s[r, 2 * u + k] + z[r, 2 * u + k])
            o = logistic(s[r, 3 * u + k] + z[r, 3 * u + k])
            new = f * c_before[r, k] + i * g
            h[r, k] = o * math.tanh(new) if seen[r] > 0.5 else h_before[r, k]
            c[r, k] = new if seen[r] > 0.5 else c_before[r, k]


def lstm_gates(
    i: np.ndarray,
    f: np.ndarray,
    g: np.ndarray,
    o: np.ndarray,
    shown: np.ndarray,
    c: np.ndarray,
    s: np.ndarray,
    z: np.ndarray,
    c_before: np.ndarray,
    seen: np.ndarray,
) -> None:
    """Write the gates of a step once more, c after it, and what the output gate lets through.

    Each gate has an array of its own: of parts of one array a compiler cannot tell that they do not
    overlap, and so would do one number at a time.
    """
    u = c.shape[1]
    for r in range(c.shape[0]):
        for k in range(u):
            i[r, k] = logistic(s[r, k] + z[r, k])
            f[r, k] = logistic(s[r, u + k] + z[r, u + k])
            g[r, k] = math.tanh(s[r, 2 * u + k] + z[r, 2 * u + k])
            o[r, k] = logistic(s[r, 3 * u + k] + z[r, 3 * u + k])
        for k in range(u):
            new = f[r, k] * c_before[r, k] + i[r, k] * g[r, k]
            shown[r, k] = math.tanh(new)
            c[r, k] = new if seen[r] > 0.5 else c_before[r, k]


def lstm_arrives(
    into_h: np.ndarray,
    into_c: np.ndarray,
    past: np.ndarray,
    dc: np.ndarray,
    dh: np.ndarray,
    flow: np.ndarray,
    f: np.ndarray,
    o: np.ndarray,
    shown: np.ndarray,
    seen: np.ndarray,
) -> None:
    """Write what arrives at h and c of a step; ``dc`` becomes what arrives at the c before.

    ``past`` is what flows past a skipped step, to the h before.
    """
    for r in range(dc.shape[0]):
        for k in range(dc.shape[1]):
            arrived = dh[r, k] + past[r, k] + flow[r, k]
            into_h[r, k] = arrived if seen[r] > 0.5 else 0.0
            past[r, k] = 0.0 if seen[r] > 0.5 else arrived
        for k in range(dc.shape[1]):
            old = dc[r, k] if seen[r] > 0.5 else 0.0
            now = old + into_h[r, k] * o[r, k] * (1.0 - shown[r, k] * shown[r, k])
            into_c[r, k] = now
            dc[r, k] = now * f[r, k] + (dc[r, k] - old)


def lstm_sums(
    d: np.ndarray,
    into_h: np.ndarray,
    into_c: np.ndarray,
    i: np.ndarray,
    f: np.ndarray,
    g: np.ndarray,
    o: np.ndarray,
    shown: np.ndarray,
    c_before: np.ndarray,
) -> None:
    """Write the gradient of the sums of a step from what arrives at its h and c."""
    u = c_before.shape[1]
    for r in range(c_before.shape[0]):
        for k in range(u):
            d[r, k] = into_c[r, k] * (i[r, k] * (1.0 - i[r, k]) * g[r, k])
        for k in range(u):
            d[r, u + k] = into_c[r, k] * (f[r, k] * (1.0 - f[r, k]) * c_before[r, k])
        for k in range(u):
            d[r, 2 * u + k] = into_c[r, k] * (i[r, k] * (1.0 - g[r, k] * g[r, k]))
        for k in range(u):
            d[r, 3 * u + k] = into_h[r, k] * (o[r, k] * (1.0 - o[r, k]) * shown[r, k])


def seen_of(mask: Any, z: np.ndarray) -> np.ndarray:
    """Return the mask as numbers; ones without it."""
    return np.ones(z.shape[:2], z.dtype) if mask is None else mask.astype(z.dtype)


def lstm(z: np.ndarray, U: np.ndarray, h: np.ndarray, c: np.ndarray, mask: Any) -> np.ndarray:
    """Do what `gradlab.kernels.recurrent.lstm` does."""
    z, seen, step = np.ascontiguousarray(z), seen_of(mask, z), dense.loop(lstm_step, z.dtype)
    h, s = np.ascontiguousarray(h), np.empty(z.shape[1:], z.dtype)
    y = np.empty((len(z) + 1, *h.shape), z.dtype)
    old, new = c.copy(), np.empty(c.shape, z.dtype)  # apart: over its own input no loop vectorises
    for t in range(len(z)):
        np.matmul(h, U, out=s)
        step(y[t], new, s, z[t], h, old, seen[t])
        h, old, new = y[t], new, old
    y[-1] = old
    return y


def lstm_back(
    flow: np.ndarray,
    z: np.ndarray,
    U: np.ndarray,
    h: np.ndarray,
    c: np.ndarray,
    mask: Any,
    y: np.ndarray,
) -> np.ndarray:
    """Do what `gradlab.kernels.recurrent.lstm_back` does."""
    (steps, batch, _), u = z.shape, h.shape[1]
    z, flow, seen = np.ascontiguousarray(z), np.ascontiguousarray(flow), seen_of(mask, z)
    gates, arrives, sums = (
        dense.loop(each, z.dtype) for each in (lstm_gates, lstm_arrives, lstm_sums)
    )
    i, f, g, o, shown = np.empty((5, steps, batch, u), z.dtype)
    cells, s = np.empty((steps + 1, batch, u), z.dtype), np.empty((batch, 4 * u), z.dtype)
    cells[0] = c
    for t in range(steps):
        np.matmul(y[t - 1] if t else h, U, out=s)
        gates(i[t], f[t], g[t], o[t], shown[t], cells[t + 1], s, z[t], cells[t], seen[t])
    d = np.zeros((steps + 1, batch, 4 * u), z.dtype)
    dh, past, into_h, into_c = np.zeros((4, batch, u), z.dtype)
    dc, back = flow[steps].copy(), U.T
    for t in reversed(range(steps)):
        arrives(into_h, into_c, past, dc, dh, flow[t], f[t], o[t], shown[t], seen[t])
        sums(d[t], into_h, into_c, i[t], f[t], g[t], o[t], shown[t], cells[t])
        np.matmul(d[t], back, out=dh)
    d[steps, :, :u], d[steps, :, u : 2 * u] = dh + past, dc
    return d
