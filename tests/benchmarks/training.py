"""Training of classifiers: the two networks of the slides, and networks beside them.

A step through `fit` is all that a user gets: shuffling, metrics, callbacks and the progress bar.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from .network_peers import ROWS
from .networks import FASHION, WIDE, Net
from .suite import Column, Suite

FREE, ONE, BUSY = "threads as they come", "one thread", "one core taken by another process"
COMPILED = ("gradlab fit", "torch", "JAX jit", "JAX in one loop", "Keras on JAX", "Keras on torch")
TAPES = ("scikit-learn", "autograd", "MyGrad")


def steps_in_an_epoch(net: Net) -> int:
    """Return how many steps a round may have."""
    return net.epoch


def _suite(name: str, title: str, *columns: Column, rows: Any, seconds: float) -> Suite:
    rows = ROWS.only(*rows, "NumPy by hand")
    return Suite(name, title, "steps/s", columns, rows, seconds, at_most=steps_in_an_epoch)


def _neighbours() -> Iterator[Column]:
    for batch in (1, 8, 33, 256):
        yield Column(f"batch {batch}", replace(FASHION, batch=batch, epoch=55_000 // batch))
    for width in (10, 97, 300, 1024):
        yield Column(f"width {width}", Net((784, width, width, 10)))
    yield Column("float64", replace(FASHION, dtype="float64", epoch=800))


SUITES = [
    _suite(
        "fashion", "Fashion-MNIST, 784-300-100-10, SGD, batch 32",
        Column(FREE, FASHION), Column(ONE, FASHION, threads=1), Column(BUSY, FASHION, busy=True),
        rows=(*COMPILED, *TAPES), seconds=2.0,
    ),
    _suite(
        "wide", "MNIST, 784-784-784-784-10, dropout, Adam, batch 128",
        Column(FREE, WIDE), Column(ONE, WIDE, threads=1),
        rows=COMPILED, seconds=4.0,
    ),
    _suite(
        "neighbours", "784-300-100-10 and networks beside it", *_neighbours(),
        rows=COMPILED[:3], seconds=1.5,
    ),
]  # fmt: skip
