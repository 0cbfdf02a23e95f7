"""Networks of single numbers, and micrograd's own demonstration: two moons.

The code for gradlab's Value and for micrograd's is the same text, run on either class.
"""

from __future__ import annotations

import functools
import gc
from collections.abc import Callable
from importlib import import_module
from typing import Any

import numpy as np

from .suite import Column, Rows, Run, Suite, repeated

ROWS = Rows()
RATE = 0.1


# ------------------------------------------------------------------------- numbers, one by one


def layers_of(value: Any, weights: list[np.ndarray]) -> list[Any]:
    """Return for each layer its neurons: their weights, then their bias, as scalars to train."""
    pairs = zip(weights[::2], weights[1::2])
    return [
        [[value(float(w)) for w in (*column, bias)] for column, bias in zip(W.T, b)]
        for W, b in pairs
    ]


def outputs(layers: list[Any], x: list[Any]) -> list[Any]:
    """Return what the network makes of x, as micrograd writes it."""
    for layer in layers:
        sums: list[Any] = [sum((w * a for w, a in zip(neuron, x)), neuron[-1]) for neuron in layer]
        x = sums if layer is layers[-1] else [s.relu() for s in sums]
    return x


def moons() -> tuple[list[list[float]], list[float]]:
    """Return 100 points on two half circles, with noise, and their classes -1 and 1."""
    angles, rng = np.linspace(0.0, np.pi, 50), np.random.default_rng(1337)
    upper = np.stack([np.cos(angles), np.sin(angles)], axis=1)
    lower = np.stack([1.0 - np.cos(angles), 0.5 - np.sin(angles)], axis=1)
    points = np.concatenate([upper, lower]) + rng.normal(0.0, 0.1, (100, 2))
    return points.tolist(), [-1.0] * 50 + [1.0] * 50


def moons_loss(value: Any, layers: list[Any]) -> Any:
    """Return the hinge loss of micrograd's demonstration with its penalty, about 65,800 nodes."""
    points, classes = moons()
    scores = [outputs(layers, list(map(value, x)))[0] for x in points]
    losses = [(1 + -y * score).relu() for y, score in zip(classes, scores)]
    return sum(losses) * (1.0 / len(losses)) + 1e-4 * sum(p * p for p in parameters(layers))


def moons_weights() -> list[np.ndarray]:
    """Return the weights of 2-16-16-1, uniform between -1 and 1 as in micrograd."""
    rng, found = np.random.default_rng(1337), []
    for m, n in [(2, 16), (16, 16), (16, 1)]:
        found += [rng.uniform(-1, 1, (m, n)), np.zeros(n)]
    return found


def parameters(layers: list[Any]) -> list[Any]:
    """Return all scalars to train."""
    return [p for layer in layers for neuron in layer for p in neuron]


def eager(layers: list[Any], loss_of: Callable[[], Any], nothing: Any) -> Run:
    """Return the training loop: forward, backward, update, as in every tutorial."""
    trained = parameters(layers)

    def step() -> float:
        loss = loss_of()
        for p in trained:
            p.grad = nothing
        loss.backward()
        for p in trained:
            p.data -= RATE * p.grad
        return loss.data

    return repeated(step)


def replayed(layers: list[Any], loss: Any) -> Run:
    """Return the same loop on a recorded graph."""
    again, trained = import_module("gradlab.program").replay(loss), parameters(layers)
    return lambda n: again.descend(trained, RATE, n)


def _moons_by(value: Any, nothing: Any) -> Run:
    layers = layers_of(value, moons_weights())
    return eager(layers, functools.partial(moons_loss, value, layers), nothing)


@ROWS.row("gradlab Value")
def moons_by_value(_: Any) -> Run:
    return _moons_by(import_module("gradlab").Value, None)


@ROWS.row("gradlab replay")
def moons_by_replay(_: Any) -> Run:
    value = import_module("gradlab").Value
    layers = layers_of(value, moons_weights())
    return replayed(layers, moons_loss(value, layers))


@ROWS.row("micrograd", "micrograd")
def moons_by_micrograd(_: Any) -> Run:
    return _moons_by(import_module("micrograd.engine").Value, 0.0)


@ROWS.row("micrograd, garbage collector off", "micrograd")
def moons_by_micrograd_without_collector(_: Any) -> Run:
    gc.disable()
    return _moons_by(import_module("micrograd.engine").Value, 0.0)


SUITES = [
    Suite(
        "moons", "micrograd's demonstration: two moons, 65,818 nodes", "ms",
        (Column("one step"),), ROWS, seconds=1.0,
    )
]  # fmt: skip
