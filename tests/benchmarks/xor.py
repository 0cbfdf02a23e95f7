"""XOR with 2-4-1 units, as small as a network gets: what a step costs besides the arithmetic.

Every engine computes the same step; torch, JAX and Keras in float32, the others in float64.
"""

from __future__ import annotations

import functools
from importlib import import_module
from typing import Any

import numpy as np

from .scalars import RATE, eager, layers_of, outputs, replayed
from .suite import Column, Rows, Run, Suite, repeated

ROWS = Rows()
INPUTS = np.array([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]])
TARGETS = np.array([[0.0], [1.0], [1.0], [0.0]])


def xor_weights(dtype: Any = float) -> list[np.ndarray]:
    """Return W1, b1, W2, b2 of 2-4-1: relu, then a sum; the loss is the mean squared error."""
    rng = np.random.default_rng(1)
    found = [rng.normal(size=(2, 4)), np.full(4, 0.1), rng.normal(size=(4, 1)), np.zeros(1)]
    return [w.astype(dtype) for w in found]


def xor_loss(layers: list[Any]) -> Any:
    """Return the mean squared error on the four instances."""
    errors = [outputs(layers, x)[0] - t for x, t in zip(INPUTS.tolist(), TARGETS.ravel().tolist())]
    return sum(e * e for e in errors) * 0.25


def _xor_by(value: Any, nothing: Any) -> Run:
    layers = layers_of(value, xor_weights())
    return eager(layers, functools.partial(xor_loss, layers), nothing)


@ROWS.row("gradlab program")
def xor_by_program(_: Any) -> Run:
    gl: Any = import_module("gradlab")

    def loss_of(W1: Any, b1: Any, W2: Any, b2: Any) -> Any:
        error = gl.relu(INPUTS @ W1 + b1) @ W2 + b2 - TARGETS
        return (error * error).mean()

    def descend(*weights: Any) -> Any:
        loss, slopes = gl.value_and_grad(loss_of, argnum=(0, 1, 2, 3))(*weights)
        return loss, [w - RATE * g for w, g in zip(weights, slopes)]

    step, weights = gl.program(descend, kernels=True), xor_weights()

    def run(n: int) -> Any:
        nonlocal weights
        loss = None
        for _ in range(n):
            loss, weights = step(*weights)
        return loss

    return run


@ROWS.row("gradlab replay")
def xor_by_replay(_: Any) -> Run:
    layers = layers_of(import_module("gradlab").Value, xor_weights())
    return replayed(layers, xor_loss(layers))


@ROWS.row("gradlab Tensor")
def xor_by_tensor(_: Any) -> Run:
    gl: Any = import_module("gradlab")
    W1, b1, W2, b2 = weights = [gl.Tensor(w) for w in xor_weights()]

    def step() -> Any:
        error = gl.relu(INPUTS @ W1 + b1) @ W2 + b2 - TARGETS
        loss = (error * error).mean()
        for w in weights:
            w.zero_grad()
        loss.backward()
        for w in weights:
            w.data -= RATE * w.grad
        return loss.data

    return repeated(step)


@ROWS.row("gradlab Value")
def xor_by_value(_: Any) -> Run:
    return _xor_by(import_module("gradlab").Value, None)


def _xor_by_keras(keras: Any) -> Run:
    model = keras.Sequential([keras.Input(shape=(2,)), keras.layers.Dense(4, activation="relu")])
    model.add(keras.layers.Dense(1))
    model.compile(loss="mse", optimizer=keras.optimizers.SGD(RATE))
    model.set_weights(xor_weights("float32"))
    x, y = INPUTS.astype("float32"), TARGETS.astype("float32")
    return repeated(functools.partial(model.train_on_batch, x, y))


@ROWS.row("gradlab train_on_batch")
def xor_by_gradlab_keras(_: Any) -> Run:
    return _xor_by_keras(import_module("gradlab.keras"))


@ROWS.row("Keras on JAX train_on_batch", "keras", "jax", KERAS_BACKEND="jax")
def xor_by_keras_on_jax(_: Any) -> Run:
    return _xor_by_keras(import_module("keras"))


@ROWS.row("Keras on torch train_on_batch", "keras", "torch", KERAS_BACKEND="torch")
def xor_by_keras_on_torch(_: Any) -> Run:
    return _xor_by_keras(import_module("keras"))


@ROWS.row("NumPy by hand")
def xor_by_hand(_: Any) -> Run:
    W1, b1, W2, b2 = xor_weights()

    def step() -> float:
        z = INPUTS @ W1 + b1
        a = np.maximum(z, 0.0)
        error = a @ W2 + b2 - TARGETS
        back = 0.5 * error
        hidden = (back @ W2.T) * (z > 0.0)
        W2.__isub__(RATE * (a.T @ back))
        b2.__isub__(RATE * back.sum(axis=0))
        W1.__isub__(RATE * (INPUTS.T @ hidden))
        b1.__isub__(RATE * hidden.sum(axis=0))
        return (error * error).mean()

    return repeated(step)


def _xor_in_jax(jax: Any) -> tuple[Any, list[Any]]:
    x, t = jax.numpy.asarray(INPUTS, "float32"), jax.numpy.asarray(TARGETS, "float32")

    def loss_of(weights: Any) -> Any:
        W1, b1, W2, b2 = weights
        return jax.numpy.mean((jax.nn.relu(x @ W1 + b1) @ W2 + b2 - t) ** 2)

    def descend(weights: Any) -> Any:
        loss, slopes = jax.value_and_grad(loss_of)(weights)
        return loss, [w - RATE * g for w, g in zip(weights, slopes)]

    return descend, [jax.numpy.asarray(w) for w in xor_weights("float32")]


@ROWS.row("JAX jit", "jax")
def xor_by_jax(_: Any) -> Run:
    jax: Any = import_module("jax")
    descend, weights = _xor_in_jax(jax)
    step = jax.jit(descend)

    def run(n: int) -> Any:
        nonlocal weights
        loss = None
        for _ in range(n):
            loss, weights = step(weights)
        return jax.block_until_ready(loss)

    return run


@ROWS.row("JAX in one loop", "jax")
def xor_by_jax_in_one_loop(_: Any) -> Run:
    jax: Any = import_module("jax")
    descend, weights = _xor_in_jax(jax)

    @jax.jit
    def loop(n: Any, weights: Any) -> Any:
        start = jax.numpy.zeros(()), weights
        return jax.lax.fori_loop(0, n, lambda _, state: descend(state[1]), start)

    def run(n: int) -> Any:
        nonlocal weights
        loss, weights = loop(n, weights)
        return jax.block_until_ready(loss)

    return run


@ROWS.row("torch", "torch")
def xor_by_torch(_: Any) -> Run:
    torch: Any = import_module("torch")
    x, t = (torch.from_numpy(a.astype("float32")) for a in (INPUTS, TARGETS))
    weights = [torch.from_numpy(w).requires_grad_() for w in xor_weights("float32")]
    W1, b1, W2, b2 = weights
    optimizer = torch.optim.SGD(weights, lr=RATE)

    def step() -> Any:
        optimizer.zero_grad()
        error = torch.relu(x @ W1 + b1) @ W2 + b2 - t
        loss = (error * error).mean()
        loss.backward()
        optimizer.step()
        return loss.detach()

    return repeated(step)


@ROWS.row("MyGrad", "mygrad")
def xor_by_mygrad(_: Any) -> Run:
    mg: Any = import_module("mygrad")
    W1, b1, W2, b2 = weights = [mg.tensor(w) for w in xor_weights()]

    def step() -> Any:
        error = mg.maximum(INPUTS @ W1 + b1, 0.0) @ W2 + b2 - TARGETS
        loss = (error * error).mean()
        loss.backward()
        for w in weights:
            w.data -= RATE * w.grad
        return loss.data

    return repeated(step)


@ROWS.row("autograd", "autograd")
def xor_by_autograd(_: Any) -> Run:
    anp: Any = import_module("autograd.numpy")
    weights = xor_weights()

    def loss_of(weights: Any) -> Any:
        W1, b1, W2, b2 = weights
        error = anp.dot(anp.maximum(anp.dot(INPUTS, W1) + b1, 0.0), W2) + b2 - TARGETS
        return anp.mean(error * error)

    slopes = import_module("autograd").value_and_grad(loss_of)

    def step() -> Any:
        loss, gradients = slopes(weights)
        for w, g in zip(weights, gradients):
            w -= RATE * g
        return loss

    return repeated(step)


@ROWS.row("micrograd", "micrograd")
def xor_by_micrograd(_: Any) -> Run:
    return _xor_by(import_module("micrograd.engine").Value, 0.0)


SUITES = [
    Suite(
        "xor", "XOR, 2-4-1, all four instances per step", "us", (Column("one step"),), ROWS,
        seconds=0.3,
    )
]  # fmt: skip
