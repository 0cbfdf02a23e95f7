"""Matrix products in blocks of columns, which threads share: each thread keeps its part of W.

A block of a product's columns needs only the same columns of W, forwards and in the update. A
thread that always gets the same blocks finds its part of W in the cache of its own core; were the
rows of a batch shared instead, every update would have to travel from core to core.

How a product is cut depends on its shape alone, so its bits do not depend on the number of threads.
Blocks are multiplied by BLAS, which must be limited to one thread meanwhile.
"""

from __future__ import annotations

import functools
import math
import os
from typing import Any

import numpy as np

from gradlab.kernels import blas, generated

NARROWEST = 48  # columns of a block: less would leave BLAS too little to do
WIDE_ENOUGH = 128  # from here on more blocks are better than wider ones: there may be more threads
MOST = 8  # blocks, and so threads
WORTH_SHARING = 1e6  # multiplications and additions; handing out the blocks costs 2 us

# What is transposed, and the distance of rows of both operands, for each of the three products of
# a dense layer: x @ W, x.T @ delta, delta @ W.T.
FLAGS = {"nn": (111, 111), "tn": (112, 111), "nt": (111, 112)}

_forked = False


def _after_fork() -> None:
    global _forked
    _forked = True  # OpenMP's threads stayed with the parent, and it would wait for them


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)


def blocks(columns: int, flops: float) -> int:
    """Return the number of blocks into which a product with so many columns is cut: 1, 2, 4 or 8.

    >>> blocks(300, 1.5e7), blocks(100, 1.9e6), blocks(300, 1e4), blocks(10_000, 1e9)
    (2, 2, 1, 8)
    """
    if flops < WORTH_SHARING or columns < 2 * NARROWEST:
        return 1
    return 2 ** int(math.log2(min(max(columns // WIDE_ENOUGH, 2), MOST)))


def most_threads() -> int:
    """Return how many threads can share a product here."""
    if _forked or not generated.available():
        return 1
    # A thread without work looks for some that many times, about 20 us, before it sleeps. GNU's
    # OpenMP would let it look for 30 ms, all of which a thread loses that waits for its core.
    os.environ.setdefault("GOMP_SPINCOUNT", "3000")
    import numba

    return min(numba.config.NUMBA_NUM_THREADS, MOST)  # type: ignore[attr-defined]


@functools.cache
def loop(kind: str, dtype: np.dtype, learning: bool = False) -> Any:
    """Return a compiled product, or None where Numba or BLAS is missing.

    Args:
        kind: "nn" for ``a @ b``, "tn" for ``a.T @ b``, "nt" for ``a @ b.T``; a and b as they lie in
            memory, in rows without gaps.
        dtype: float32 or float64.
        learning: do ``out -= rate * product``, not ``out = product``.

    Returns:
        A function of (out, a, b, blocks, threads), the rate behind b if there is one.

    >>> product = loop("tn", np.dtype(float), learning=True)
    >>> W, x, delta = np.ones((2, 1)), np.array([[1.0, 2.0]]), np.array([[3.0]])
    >>> product(W, x, delta, 0.1, 1, 1) if product else None
    >>> W if product else np.array([[0.7], [0.4]])
    array([[0.7], [0.4]])
    """
    if not generated.available() or blas.external(dtype) is None:
        return None
    name = f"descend_{kind}" if learning else f"matmul_{kind}"
    columns = "k" if kind == "nt" else "n"
    text = SOURCE.format(
        name=name,
        char=dtype.char,
        real=generated.real(dtype),
        size=dtype.itemsize,
        flags=FLAGS[kind],
        inner={"nn": "a.shape[1]", "tn": "a.shape[0]", "nt": "a.shape[1]"}[kind],
        start=f"first * {'b.shape[1]' if columns == 'k' else '1'}",
        rate="rate, " if learning else "",
        alpha="-rate" if learning else "1.0",
        beta="1.0" if learning else "0.0",
    )
    return getattr(generated.load(text), name)


SOURCE = '''import numba
import numpy as np

from gradlab.kernels import blas

gemm = blas.external(np.dtype("{char}"))


@inlined
def block(out, a, b, {rate}first, last):
    """Do the columns from first to last of the product."""
    gemm(
        101, {flags[0]}, {flags[1]}, out.shape[0], last - first, {inner}, np.{real}({alpha}),
        a.ctypes.data, a.shape[1], b.ctypes.data + {size} * {start}, b.shape[1],
        np.{real}({beta}), out.ctypes.data + {size} * first, out.shape[1],
    )


@shared
def {name}(out, a, b, {rate}blocks, threads):
    width = (out.shape[1] // blocks + 15) // 16 * 16 if blocks > 1 else out.shape[1]
    if threads == 1:
        for k in range(blocks):
            block(out, a, b, {rate}k * width, min((k + 1) * width, out.shape[1]))
    else:
        for t in numba.prange(threads):
            for k in range(t * blocks // threads, (t + 1) * blocks // threads):
                block(out, a, b, {rate}k * width, min((k + 1) * width, out.shape[1]))
'''
