"""The matrix product of NumPy's own BLAS, called without the detour through NumPy.

``out = alpha * a @ b + beta * out`` is one call of it: transposed views are read in place, a sum
lands where it belongs, and a weight learns in the product that would have made its gradient.

BLAS walks memory in tiles that fit the caches and keeps each tile's sums in registers; NumPy uses
the same routine, but offers neither alpha nor beta, so that ``W -= eta * (x.T @ delta)`` reads and
writes three arrays of the size of W instead of one.
"""

from __future__ import annotations

import ctypes
import functools
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from gradlab import config
from gradlab.errors import ShapeError
from gradlab.kernels import matmul

# The C interface of BLAS: rows lie one after the other; an operand as it is, or transposed.
ROW_MAJOR, AS_IT_IS, TRANSPOSED = 101, 111, 112
# What the routine is called in the libraries that NumPy comes with; "64_": sizes have 64 bits.
SPELLINGS = ("scipy_cblas_{}64_", "scipy_cblas_{}", "cblas_{}64_", "cblas_{}")


class Routine(NamedTuple):
    """A BLAS routine: its Python call, its address, and the ctypes type of its sizes."""

    call: Any
    address: int
    size: type[ctypes.c_int32] | type[ctypes.c_int64]


@functools.cache
def routine(dtype: np.dtype) -> Routine | None:
    """Return sgemm or dgemm of the BLAS that NumPy has loaded; None where there is none."""
    name, real = {"f": ("sgemm", ctypes.c_float), "d": ("dgemm", ctypes.c_double)}[dtype.char]
    for library in _libraries():
        for spelling in SPELLINGS:
            if found := getattr(library, spelling.format(name), None):
                size = ctypes.c_int64 if "64_" in spelling else ctypes.c_int32
                flag, array = ctypes.c_int, ctypes.c_void_p
                found.argtypes = [flag] * 3 + [size] * 3 + [real, array, size, array, size]
                found.argtypes += [real, array, size]
                found.restype = None
                address = ctypes.cast(found, ctypes.c_void_p).value
                return Routine(found, address or 0, size)
    return None


def _libraries() -> list[ctypes.CDLL]:
    """Return the OpenBLAS libraries in this process, NumPy's first (SciPy may bring another)."""
    import threadpoolctl

    found = [row["filepath"] for row in threadpoolctl.threadpool_info() if _is_open(row)]
    return [ctypes.CDLL(path) for path in sorted(found, key=_not_numpys)]


def _is_open(row: dict[str, Any]) -> bool:
    return row.get("internal_api") == "openblas"


def _not_numpys(path: str) -> bool:
    return "numpy" not in path


def _layout(a: np.ndarray) -> tuple[int, int] | None:
    """Return how BLAS is told of a matrix, and the distance of its rows; None if it cannot be."""
    (down, right), (rows, columns), item = a.strides, a.shape, a.itemsize
    if right == item and (down >= columns * item and down % item == 0):
        return AS_IT_IS, max(down // item, 1)
    if down == item and (right >= rows * item and right % item == 0):
        return TRANSPOSED, max(right // item, 1)
    return None


def bind(
    a: np.ndarray, b: np.ndarray, out: np.ndarray, alpha: float = 1.0, beta: float = 0.0
) -> Callable[[], Any]:
    """Return a call that does ``out = alpha * a @ b + beta * out`` each time, and nothing else.

    Everything about the arrays is looked up once, here: a step that is repeated on the same buffers
    pays only for the product. Memory: a and b may be views, transposed or cut from a larger array;
    nothing is copied unless no axis of an operand is contiguous. Works, more slowly, without BLAS
    and for other dtypes: `numpy.matmul` and two more passes. ``gradlab.config.matmul = "numba"``
    does products without alpha and beta by `gradlab.kernels.matmul`.

    Args:
        a: (m, k), float32 or float64.
        b: (k, n), of the same dtype.
        out: (m, n), of the same dtype, sharing no memory with a and b; changed in place.
        alpha: factor of the product.
        beta: factor of what was in out; with 0, out may hold anything, NaN too.

    >>> W, x, delta = np.ones((2, 1)), np.array([[1.0, 2.0]]), np.array([[3.0]])
    >>> learn = bind(x.T, delta, W, alpha=-0.1, beta=1.0)
    >>> learn(), learn(), W
    (None, None, array([[ 0.4], [-0.2]]))

    Raises:
        ShapeError: shapes that do not fit; out is unchanged.
        TypeError: dtypes that differ.
    """
    _check(a, b, out)
    if alpha == 1.0 and beta == 0.0:
        if config.matmul == "numba" and matmul.fits(a, b, out):
            return functools.partial(matmul.product, a, b, out)
        # The same routine, 1 us less to call; but a column times a row NumPy does slowly.
        return functools.partial(np.matmul if a.shape[1] != 1 else np.multiply, a, b, out)
    layouts = _layout(a), _layout(b), _layout(out)
    found = routine(out.dtype) if out.dtype.char in "fd" and out.size and a.shape[1] else None
    # One row or column: NumPy takes the routine for vectors, which is twice as fast.
    if found is None or None in layouts or 1 in out.shape:
        return functools.partial(_by_numpy, a, b, out, alpha, beta)
    (a_flag, a_rows), (b_flag, b_rows), (out_flag, out_rows) = layouts  # type: ignore[misc]
    if out_flag == TRANSPOSED:  # (ab)' = b'a', and the transpose of out is as BLAS wants it
        return bind(b.T, a.T, out.T, alpha, beta)
    values = (ROW_MAJOR, a_flag, b_flag, *out.shape, a.shape[1], alpha)
    values += (a.ctypes.data, a_rows, b.ctypes.data, b_rows, beta, out.ctypes.data, out_rows)
    ready = [convert(v) for convert, v in zip(found.call.argtypes, values, strict=True)]
    call = functools.partial(found.call, *ready)
    call.__dict__["arrays"] = (a, b, out)  # their memory stays as long as the call does
    return call


def gemm(
    a: np.ndarray, b: np.ndarray, out: np.ndarray, alpha: float = 1.0, beta: float = 0.0
) -> None:
    """``out = alpha * a @ b + beta * out``, once; see `bind`.

    >>> out = np.ones((1, 1))
    >>> gemm(np.array([[1.0, 2.0]]), np.array([[3.0], [4.0]]), out, beta=10.0)
    >>> out
    array([[21.]])
    """
    bind(a, b, out, alpha, beta)()


@functools.cache
def external(dtype: np.dtype) -> Any:
    """Return the routine as a function that loops under ``numba.njit`` may call; None without it.

    Its arguments are those of cblas_sgemm: order, two flags, m, n, k, alpha, address of a, row
    distance, address of b, row distance, beta, address of out, row distance. Numba's cache holds
    only the name, and the name is given its address here, so cached loops outlive the process.
    """
    found = routine(dtype)
    if found is None:
        return None
    import llvmlite.binding as llvm
    from numba import types

    name = f"gradlab_{dtype.char}gemm"
    llvm.add_symbol(name, found.address)
    real = {"f": types.float32, "d": types.float64}[dtype.char]
    size = types.int64 if found.size is ctypes.c_int64 else types.int32
    flags, sizes, array = [types.int32] * 3, [size] * 3, [types.uintp, size]
    signature = types.void(*flags, *sizes, real, *array, *array, real, *array)
    return types.ExternalFunction(name, signature)


def _by_numpy(a: np.ndarray, b: np.ndarray, out: np.ndarray, alpha: float, beta: float) -> None:
    product = alpha * (a @ b)
    out[...] = product if beta == 0.0 else product + beta * out


def _check(a: np.ndarray, b: np.ndarray, out: np.ndarray) -> None:
    fits = a.ndim == b.ndim == out.ndim == 2 and a.shape[1] == b.shape[0]
    if not fits or out.shape != (a.shape[0], b.shape[1]):
        raise ShapeError(
            f"gemm: {a.shape} times {b.shape} into {out.shape}\n"
            "expected (m, k) times (k, n) into (m, n)\nwrite gemm(x, W, np.empty((m, n)))"
        )
    if not a.dtype == b.dtype == out.dtype:
        raise TypeError(
            f"gemm: {a.dtype} times {b.dtype} into {out.dtype}\nexpected one dtype\n"
            f"write a.astype({str(out.dtype)!r}), once, where the array is made"
        )
