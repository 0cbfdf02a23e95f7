"""The matrix product in small tiles whose sums never leave the registers of the processor.

A tile of R rows and 3 vectors of columns is summed up along the whole of k: each number of b is
loaded once per R products, each number of a once per 3 vectors, and the sums not at all.

Memory: a may have any strides and b any distance of rows; neither is copied, which is what BLAS
does first and what a batch of 32 rows hardly pays back. A block of DEPTH rows of b is used by all
rows of a while it lies in the first-level cache. Where the columns are not a multiple of the tile,
the last tile overlaps the one before and computes some numbers twice.

Measured against NumPy's OpenBLAS, one thread, float32, on a processor with 256-bit vectors (AMD
Zen 3, busy, so by processor time), times as fast: (32, 784) x (784, 300) 1.15, its weight gradient
(784, 32) x (32, 300) 1.15, (33, 97) x (97, 300) 1.4, (32, 300) x (300, 100) 0.8, (128, 784) x
(784, 784) 1.0, (32, 784) x (784, 1024) 0.7, where the rows of b fall into the same places of the
cache. That is not enough to leave BLAS for: ``gradlab.config.matmul = "auto"`` does not use these
tiles, ``"numba"`` does.
"""

from __future__ import annotations

import functools
from typing import Any

import numpy as np

from gradlab.kernels import generated

DEPTH = 128  # rows of b that stay in a 32 KB cache: 128 times 3 vectors of 32 bytes, and a's rows


@functools.cache
def vectors() -> tuple[int, int]:
    """Return the bytes in a vector register here, and the rows of a tile that has 3 of them.

    Sums take 3 registers a row, operands 4: of 16 registers that leaves 4 rows, of 32 (AVX-512) 8.
    """
    import llvmlite.binding as llvm

    features = llvm.get_host_cpu_features()
    if features.get("avx512f"):
        return 64, 8
    return (32, 4) if features.get("avx") else (16, 4)


def fits(a: np.ndarray, b: np.ndarray, out: np.ndarray) -> bool:
    """Return whether the tiles can do this product: rows of b and out in one piece, a vector wide.

    >>> fits(np.ones((4, 9)), np.ones((50, 9)).T, np.ones((4, 50)))
    False
    """
    rowwise = b.strides[1] == out.strides[1] == out.itemsize
    one_type = out.dtype.char in "fd" and a.dtype == b.dtype == out.dtype
    wide = out.shape[1] * out.itemsize >= vectors()[0]
    return one_type and rowwise and wide and min(a.shape) > 0


def product(a: np.ndarray, b: np.ndarray, out: np.ndarray) -> None:
    """``out = a @ b`` in tiles, compiled once per process and number type; by NumPy without Numba.

    Args:
        a: (m, k), any strides.
        b: (k, n), rows in one piece, n at least the numbers in a vector.
        out: (m, n), rows in one piece, sharing no memory with a and b; changed in place.

    >>> out = np.empty((1, 8))
    >>> product(np.array([[1.0, 2.0]]), np.ones((2, 8)), out)
    >>> out[0, :3]
    array([3., 3., 3.])
    """
    if not generated.available():
        np.matmul(a, b, out=out)
        return
    wide = out.shape[1] * out.itemsize >= 3 * vectors()[0]
    _compiled(out.dtype.char, 3 if wide else 1)(a, b, out)


@functools.cache
def _compiled(real: str, columns: int) -> Any:
    """Return the loops over blocks of k and tiles of out, around the innermost one."""
    import numba

    size, rows = np.dtype(real).itemsize, vectors()[1]
    width = columns * vectors()[0] // size
    many, one = tile(real, rows, columns), tile(real, 1, columns)

    @numba.njit(error_model="numpy")
    def loops(a, b, out):
        (m, k), n = a.shape, b.shape[1]
        a_row, a_step, b_row, out_row = a.strides[0], a.strides[1], b.strides[0], out.strides[0]
        a_at, b_at, out_at = a.ctypes.data, b.ctypes.data, out.ctypes.data
        for j in range(0, n, width):
            across = min(j, n - width) * size
            for p in range(0, k, DEPTH):
                depth, add = min(DEPTH, k - p), np.int64(p > 0)
                for i in range(0, m - rows + 1, rows):
                    left, here = a_at + i * a_row + p * a_step, out_at + i * out_row + across
                    right = b_at + p * b_row + across
                    many(left, a_row, a_step, right, b_row, here, out_row, depth, add)
                for i in range(m - m % rows, m):
                    left, here = a_at + i * a_row + p * a_step, out_at + i * out_row + across
                    right = b_at + p * b_row + across
                    one(left, a_row, a_step, right, b_row, here, out_row, depth, add)

    return loops


def tile(real: Any, rows: int, columns: int) -> Any:
    """Return the innermost loop for float32 or float64, as instructions for vectors of numbers.

    A function for compiled loops: it adds the product of ``rows`` rows of a and ``columns`` vectors
    of b to out, or writes it there. Arguments: address, row distance and step of a; address and row
    distance of b; address and row distance of out, all in bytes; the length of the sums; and
    whether to add.
    """
    from llvmlite import ir
    from numba import types
    from numba.extending import intrinsic

    size = np.dtype(real).itemsize
    number = ir.FloatType() if size == 4 else ir.DoubleType()
    vector = ir.VectorType(number, vectors()[0] // size)
    word = ir.IntType(64)

    def at(builder: Any, kind: Any, address: Any, *offsets: Any) -> Any:
        for offset in offsets:
            address = builder.add(address, offset)
        return builder.inttoptr(address, kind.as_pointer())

    def everywhere(builder: Any, x: Any) -> Any:
        first = builder.insert_element(ir.Constant(vector, ir.Undefined), x, word(0))
        mask = ir.Constant(ir.VectorType(ir.IntType(32), vector.count), [0] * vector.count)
        return builder.shuffle_vector(first, first, mask)

    def products(builder: Any, given: Any, step: Any, sums: list[Any]) -> list[Any]:
        """One step along k: each row's number times each vector, added to the sums."""
        a, a_row, a_step, b, b_row = given
        down = builder.mul(step, b_row)
        places = [word(vectors()[0] * c) for c in range(columns)]
        right = [builder.load(at(builder, vector, b, down, p), align=size) for p in places]
        along, new = builder.mul(step, a_step), []
        for r in range(rows):
            place = at(builder, number, a, along, builder.mul(word(r), a_row))
            left = everywhere(builder, builder.load(place, align=size))
            for c in range(columns):
                product = builder.fmul(left, right[c], flags=("contract",))
                new.append(builder.fadd(sums[r * columns + c], product, flags=("contract",)))
        return new

    def code(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        *given, out, out_row, steps, add = arguments
        before, zero = builder.block, ir.Constant(vector, [0.0] * vector.count)
        loop, after = builder.append_basic_block(), builder.append_basic_block()
        builder.branch(loop)
        builder.position_at_end(loop)
        step = builder.phi(word)
        sums = [builder.phi(vector) for _ in range(rows * columns)]
        new = products(builder, given, step, sums)
        following = builder.add(step, word(1))
        builder.cbranch(builder.icmp_signed("<", following, steps), loop, after)
        starts = [word(0)] + [zero] * len(sums)
        for phi, start, value in zip([step, *sums], starts, [following, *new], strict=True):
            phi.add_incoming(start, before)
            phi.add_incoming(value, loop)
        builder.position_at_end(after)
        for place, total in enumerate(new):
            r, c = divmod(place, columns)
            across = word(vectors()[0] * c)
            pointer = at(builder, vector, out, builder.mul(word(r), out_row), across)
            old = builder.load(pointer, align=size)
            kept = builder.select(builder.icmp_signed("!=", add, word(0)), old, zero)
            builder.store(builder.fadd(total, kept), pointer, align=size)
        return context.get_dummy_value()

    @intrinsic
    def tile_of(typingctx, a, a_row, a_step, b, b_row, out, out_row, steps, add):
        return types.void(*[types.int64] * 9), code

    return tile_of
