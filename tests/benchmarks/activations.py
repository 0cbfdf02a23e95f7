"""Activation functions on a million numbers: the value and the slope, forward and backward.

NumPy by hand is what a student writes first: one array expression for each.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from importlib import import_module
from typing import Any

import numpy as np

from .suite import Column, LeftOutError, Rows, Run, Suite, repeated

ROWS = Rows()
NAMES = ("sigmoid", "tanh", "relu", "elu", "gelu_tanh", "gelu", "softplus", "softmax")
ROOT, SLOPE = math.sqrt(2.0 / math.pi), 0.044715  # of gelu_tanh


def inputs(name: str) -> tuple[np.ndarray, np.ndarray]:
    """Return what goes in, and the gradient that comes back: for softmax 10,000 rows of 100."""
    shape = (10_000, 100) if name == "softmax" else (1_000_000,)
    rng = np.random.default_rng(0)
    return rng.normal(size=shape).astype("float32"), rng.normal(size=shape).astype("float32")


@ROWS.row("gradlab program")
def by_program(name: str) -> Run:
    gl: Any = import_module("gradlab")
    x, g = inputs(name)

    def both(x: Any, g: Any) -> Any:
        y, pull = gl.vjp(getattr(gl, name), x)
        return y, pull(g)[0]

    program = gl.program(both, kernels=True)
    return repeated(lambda: program(x, g))


@ROWS.row("gradlab Tensor")
def by_tensor(name: str) -> Run:
    gl: Any = import_module("gradlab")
    function, (x, g) = getattr(gl, name), inputs(name)
    traced = gl.Tensor(x)

    def step() -> Any:
        traced.zero_grad()
        y = function(traced)
        y.backward(g)
        return y.data, traced.grad

    return repeated(step)


@ROWS.row("torch", "torch")
def by_torch(name: str) -> Run:
    torch: Any = import_module("torch")
    nn: Any = torch.nn.functional
    x, g = map(torch.from_numpy, inputs(name))
    special: dict[str, Callable[[Any], Any]] = {
        "gelu_tanh": lambda x: nn.gelu(x, approximate="tanh"),
        "softmax": lambda x: torch.softmax(x, dim=-1),
    }
    function = special.get(name) or getattr(torch, name, None) or getattr(nn, name)
    traced = x.requires_grad_()

    def step() -> Any:
        traced.grad = None
        y = function(traced)
        y.backward(g)
        return y.detach(), traced.grad

    return repeated(step)


@ROWS.row("JAX jit", "jax")
def by_jax(name: str) -> Run:
    jax: Any = import_module("jax")
    x, g = map(jax.numpy.asarray, inputs(name))
    special: dict[str, Callable[[Any], Any]] = {
        "gelu_tanh": lambda x: jax.nn.gelu(x, approximate=True),
        "gelu": lambda x: jax.nn.gelu(x, approximate=False),
    }
    function = special.get(name) or getattr(jax.nn, name)

    @jax.jit
    def both(x: Any, g: Any) -> Any:
        y, pull = jax.vjp(function, x)
        return y, pull(g)[0]

    return repeated(lambda: jax.block_until_ready(both(x, g)))


@ROWS.row("NumPy by hand")
def by_hand(name: str) -> Run:
    function, (x, g) = BY_HAND[name], inputs(name)
    if name == "gelu":
        try:
            import_module("scipy.special")
        except ImportError:
            raise LeftOutError("NumPy has no erf; scipy, which has, is not installed") from None
    return repeated(lambda: function(x, g))


def sigmoid(x: Any, g: Any) -> Any:
    y = 1.0 / (1.0 + np.exp(-x))
    return y, g * y * (1.0 - y)


def tanh(x: Any, g: Any) -> Any:
    y = np.tanh(x)
    return y, g * (1.0 - y * y)


def relu(x: Any, g: Any) -> Any:
    return np.maximum(x, 0.0), g * (x > 0.0)


def elu(x: Any, g: Any) -> Any:
    y = np.where(x > 0.0, x, np.expm1(x))
    return y, g * np.where(x > 0.0, 1.0, y + 1.0)


def gelu_tanh(x: Any, g: Any) -> Any:
    t = np.tanh(ROOT * (x + SLOPE * x * x * x))
    inner = ROOT * (1.0 + 3.0 * SLOPE * x * x)
    return 0.5 * x * (1.0 + t), g * (0.5 * (1.0 + t) + 0.5 * x * (1.0 - t * t) * inner)


def gelu(x: Any, g: Any) -> Any:
    share = 0.5 * (1.0 + import_module("scipy.special").erf(x / math.sqrt(2.0)))
    return x * share, g * (share + x * np.exp(-0.5 * x * x) / math.sqrt(2.0 * math.pi))


def softplus(x: Any, g: Any) -> Any:
    return np.logaddexp(x, np.float32(0.0)), g / (1.0 + np.exp(-x))


def softmax(x: Any, g: Any) -> Any:
    y = np.exp(x - x.max(axis=-1, keepdims=True))
    y /= y.sum(axis=-1, keepdims=True)
    flow = g * y
    return y, flow - y * flow.sum(axis=-1, keepdims=True)


BY_HAND = {
    function.__name__: function
    for function in (sigmoid, tanh, relu, elu, gelu_tanh, gelu, softplus, softmax)
}

SUITES = [
    Suite(
        "activations", "Activations forward and backward, 1,000,000 float32", "ms",
        tuple(Column(name, name) for name in NAMES), ROWS, seconds=0.15,
    )
]  # fmt: skip
