"""Matrix products at the shapes of training and next to them, on one thread.

A dispatch that is good at one shape only shows here: each column is a shape.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from typing import Any

import numpy as np

from .suite import Column, Rows, Run, Suite, repeated

ROWS = Rows()


@dataclass(frozen=True)
class Product:
    """(m, k) times (k, n), where an operand may be the transpose of an array as it lies."""

    m: int
    k: int
    n: int
    transposed: str = ""  # "a" in the gradient of the weights, "b" in that of the inputs
    dtype: str = "float32"

    def operands(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return both factors, and where the product goes."""
        rng = np.random.default_rng(0)

        def made(rows: int, columns: int, turned: bool) -> np.ndarray:
            shape = (columns, rows) if turned else (rows, columns)
            a = rng.normal(size=shape).astype(self.dtype)
            return a.T if turned else a

        a = made(self.m, self.k, "a" in self.transposed)
        b = made(self.k, self.n, "b" in self.transposed)
        return a, b, np.empty((self.m, self.n), self.dtype)

    def label(self) -> str:
        """Return the shapes, as a product is written."""
        a = f"({self.k}×{self.m})ᵀ" if "a" in self.transposed else f"{self.m}×{self.k}"
        b = f"({self.n}×{self.k})ᵀ" if "b" in self.transposed else f"{self.k}×{self.n}"
        return f"{a} · {b}" + (", float64" if self.dtype == "float64" else "")


TRAINING = (
    Product(32, 784, 300),
    Product(784, 32, 300, "a"),
    Product(32, 300, 100),
    Product(300, 32, 100, "a"),
    Product(32, 100, 300, "b"),
    Product(128, 784, 784),
)
NEIGHBOURS = (
    *(Product(m, 784, 300) for m in (1, 8, 33, 256)),
    *(Product(32, 784, n) for n in (10, 97, 1024)),
    Product(32, 784, 300, dtype="float64"),
)


def _gradlab(product: Product, setting: str) -> Run:
    blas: Any = import_module("gradlab.kernels.blas")
    config: Any = import_module("gradlab.config")
    config.matmul = setting
    return repeated(blas.bind(*product.operands()))


@ROWS.row("gradlab as it chooses")
def by_dispatch(product: Product) -> Run:
    return _gradlab(product, "auto")


@ROWS.row("gradlab's own kernel")
def by_tiles(product: Product) -> Run:
    return _gradlab(product, "numba")


@ROWS.row("NumPy")
def by_numpy(product: Product) -> Run:
    a, b, out = product.operands()
    return repeated(lambda: np.matmul(a, b, out=out))


@ROWS.row("torch", "torch")
def by_torch(product: Product) -> Run:
    torch: Any = import_module("torch")
    a, b, out = map(torch.from_numpy, product.operands())
    return repeated(lambda: torch.mm(a, b, out=out))


SUITES = [
    Suite(
        "products", "Matrix products, one thread", "us",
        tuple(Column(p.label(), p, threads=1) for p in (*TRAINING, *NEIGHBOURS)), ROWS,
        seconds=0.1,
    )
]  # fmt: skip
