"""What gates do at one step, as loops that Numba compiles: each number is read and written once.

NumPy goes through a step of an LSTM in twenty passes. For long sequences and many units these loops
take their place, and call BLAS for the products between them: no step returns to Python.

``seen`` is 1 where a step counts, and 0 where it is skipped.
"""

from __future__ import annotations

import functools
import math
from typing import Any

import numpy as np

from gradlab.kernels import blas, generated, threads
from gradlab.kernels.scalars import Writer

WORTH_COMPILING = 1 << 15  # sums; for fewer, NumPy is about as fast and has nothing to compile


def pay(z: Any) -> bool:
    """Tell whether the loops are worth it, and can be had, for sums of this size and type."""
    if z.size < WORTH_COMPILING or z.dtype not in (np.float32, np.float64):
        return False
    return generated.available() and blas.external(z.dtype) is not None


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


def lstm(
    y: np.ndarray, z: np.ndarray, U: np.ndarray, h: np.ndarray, c: np.ndarray, mask: Any
) -> None:
    """Write what `gradlab.kernels.recurrent.lstm` returns into y."""
    z, U, h = (np.ascontiguousarray(a) for a in (z, U, h))
    cells, s = np.empty((2, *c.shape), z.dtype), np.empty(z.shape[1:], z.dtype)
    cells[0] = c
    with threads.one_each():
        through_time(FORWARD, z.dtype)(y, cells, s, z, U, h, seen_of(mask, z))
    y[-1] = cells[len(z) % 2]


def lstm_back(
    d: np.ndarray,
    gates: np.ndarray,
    cells: np.ndarray,
    flow: np.ndarray,
    z: np.ndarray,
    U: np.ndarray,
    h: np.ndarray,
    c: np.ndarray,
    mask: Any,
    y: np.ndarray,
) -> None:
    """Write what `gradlab.kernels.recurrent.lstm_back` returns into d.

    ``gates`` (5, steps, batch, units) and ``cells`` (steps + 1, batch, units) are to work with.
    """
    u = h.shape[1]
    flow, z, U, h, y = (np.ascontiguousarray(a) for a in (flow, z, U, h, y))
    back, s = np.ascontiguousarray(U.T), np.empty(z.shape[1:], z.dtype)
    dh, dc, past, *_ = arrived = np.zeros((5, *h.shape), z.dtype)
    cells[0], dc[...] = c, flow[-1]
    with threads.one_each():
        loop = through_time(BACKWARD, z.dtype)
        loop(d, arrived, gates, cells, s, flow, z, U, back, h, y, seen_of(mask, z))
    d[-1, :, :u], d[-1, :, u : 2 * u], d[-1, :, 2 * u :] = dh + past, dc, 0.0


@functools.cache
def through_time(text: str, dtype: np.dtype) -> Any:
    """Return one of the loops below, compiled with the steps it calls."""
    writer = Writer(generated.real(dtype))
    steps = (lstm_step, lstm_gates, lstm_arrives, lstm_sums)
    loops = [writer.loop(step, "inlined") for step in steps if f"{step.__name__}(" in text]
    product = PRODUCT.format(char=dtype.char)
    return generated.load(writer.module("\n\n".join([product, *loops, text]))).through_time


PRODUCT = """
from gradlab.kernels import blas

gemm = blas.external(np.dtype("{char}"))


@inlined
def product(out, a, b):
    gemm(
        101, 111, 111, a.shape[0], b.shape[1], a.shape[1], real(1.0), a.ctypes.data, a.shape[1],
        b.ctypes.data, b.shape[1], real(0.0), out.ctypes.data, b.shape[1],
    )
"""

FORWARD = """
@kept
def through_time(y, cells, s, z, U, h, seen):
    for t in range(len(z)):
        before = y[t - 1] if t else h
        product(s, before, U)
        lstm_step(y[t], cells[(t + 1) % 2], s, z[t], before, cells[t % 2], seen[t])
"""

BACKWARD = """
@kept
def through_time(d, arrived, gates, cells, s, flow, z, U, back, h, y, seen):
    dh, dc, past, into_h, into_c = arrived[0], arrived[1], arrived[2], arrived[3], arrived[4]
    i, f, g, o, shown = gates[0], gates[1], gates[2], gates[3], gates[4]
    for t in range(len(z)):
        product(s, y[t - 1] if t else h, U)
        lstm_gates(i[t], f[t], g[t], o[t], shown[t], cells[t + 1], s, z[t], cells[t], seen[t])
    for t in range(len(z) - 1, -1, -1):
        lstm_arrives(into_h, into_c, past, dc, dh, flow[t], f[t], o[t], shown[t], seen[t])
        lstm_sums(d[t], into_h, into_c, i[t], f[t], g[t], o[t], shown[t], cells[t])
        product(dh, d[t], back)
"""
