"""What an engine costs per operation when the arithmetic costs nothing: tiny arrays, long chains.

A chain of a million operations also shows who walks the graph by recursion.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

import numpy as np

from .suite import Column, LeftOutError, Rows, Run, Suite, repeated

EAGER, CHAINS = Rows(), Rows()
TURNS = 33  # of multiply, add, tanh; with the sum at the end 100 operations
START = np.array([0.1, 0.2, 0.3, 0.4])
FACTOR, TERM = 0.999, 0.001


def turned(x: Any, w: Any, tanh: Any) -> Any:
    """Return x after TURNS times tanh(x w + w)."""
    for _ in range(TURNS):
        x = tanh(x * w + w)
    return x


def chain(x: Any, length: int) -> Any:
    """Return x after so many multiplications and additions."""
    for _ in range(length // 2):
        x = x * FACTOR + TERM
    return x


@EAGER.row("gradlab Tensor")
def eager_by_tensor(_: Any) -> Run:
    gl: Any = import_module("gradlab")
    w = gl.Tensor(START)

    def step() -> Any:
        w.zero_grad()
        turned(START, w, gl.tanh).sum().backward()
        return w.grad

    return repeated(step)


@EAGER.row("torch", "torch")
def eager_by_torch(_: Any) -> Run:
    torch: Any = import_module("torch")
    start, w = torch.tensor(START), torch.tensor(START, requires_grad=True)

    def step() -> Any:
        w.grad = None
        turned(start, w, torch.tanh).sum().backward()
        return w.grad

    return repeated(step)


@EAGER.row("MyGrad", "mygrad")
def eager_by_mygrad(_: Any) -> Run:
    mg: Any = import_module("mygrad")
    w = mg.tensor(START)

    def step() -> Any:
        turned(START, w, mg.tanh).sum().backward()
        return w.grad

    return repeated(step)


@EAGER.row("autograd", "autograd")
def eager_by_autograd(_: Any) -> Run:
    anp: Any = import_module("autograd.numpy")
    slope = import_module("autograd").grad(lambda w: anp.sum(turned(START, w, anp.tanh)))
    return repeated(lambda: slope(START))


@EAGER.row("JAX, operation by operation", "jax")
def eager_by_jax(_: Any) -> Run:
    jax: Any = import_module("jax")
    start = jax.numpy.asarray(START)
    slope = jax.grad(lambda w: turned(start, w, jax.numpy.tanh).sum())
    return repeated(lambda: np.asarray(slope(start)))


# ------------------------------------------------------------------------------- chains of scalars


def chained(make: Any, length: int) -> Run:
    """Return the pass over a chain, for an engine with ``backward`` and ``grad``."""

    def once(length: int) -> float:
        x = make()
        chain(x, length).backward()
        return float(x.grad)

    once(100)
    return repeated(lambda: once(length))


def not_a_million(length: int) -> None:
    """Leave the longest chain out for an engine that takes minutes.

    Raises:
        LeftOutError: the chain is too long.
    """
    if length > 100_000:
        raise LeftOutError("left out: minutes")


@CHAINS.row("gradlab Value")
def chain_by_value(length: int) -> Run:
    value = import_module("gradlab").Value
    return chained(lambda: value(0.5), length)


@CHAINS.row("gradlab replay")
def chain_by_replay(length: int) -> Run:
    x = import_module("gradlab").Value(0.5)
    again = import_module("gradlab.program").replay(chain(x, length))
    again()
    return repeated(again)


@CHAINS.row("gradlab Tensor")
def chain_by_tensor(length: int) -> Run:
    tensor = import_module("gradlab").Tensor
    return chained(lambda: tensor(0.5), length)


@CHAINS.row("torch", "torch")
def chain_by_torch(length: int) -> Run:
    torch: Any = import_module("torch")
    return chained(lambda: torch.tensor(0.5, requires_grad=True), length)


@CHAINS.row("MyGrad", "mygrad")
def chain_by_mygrad(length: int) -> Run:
    not_a_million(length)
    tensor = import_module("mygrad").tensor
    return chained(lambda: tensor(0.5), length)


@CHAINS.row("autograd", "autograd")
def chain_by_autograd(length: int) -> Run:
    not_a_million(length)
    slope = import_module("autograd").grad(chain)
    slope(0.5, 100)
    return repeated(lambda: slope(0.5, length))


@CHAINS.row("micrograd", "micrograd")
def chain_by_micrograd(length: int) -> Run:
    not_a_million(length)
    value = import_module("micrograd.engine").Value
    return chained(lambda: value(0.5), length)


SUITES = [
    Suite(
        "eager", "One operation on 4 numbers, forward and backward", "us",
        (Column("per operation"),), EAGER, seconds=0.3, parts=3 * TURNS + 1,
    ),
    Suite(
        "chains", "A chain of scalar operations, forward and backward", "s",
        tuple(Column(f"{n:,} operations", n) for n in (100_000, 1_000_000)), CHAINS, units=1,
    ),
]  # fmt: skip
