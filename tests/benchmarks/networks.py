"""Training a dense classifier: the same steps of descent by gradlab's `fit` and by every peer.

All start from the same weights and go through the rows in a new order. `fit` also counts the
accuracy and draws its progress bar; loops written by hand do neither.
"""

from __future__ import annotations

import functools
import os
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import import_module
from typing import Any

import numpy as np

from .suite import LeftOutError, Rows, Run

BETA1, BETA2, EPSILON = 0.9, 0.999, 1e-7  # Keras's settings of Adam
ROWS = Rows()


@dataclass(frozen=True)
class Net:
    """A classifier: relu between the layers, softmax at the end, cross-entropy.

    Args:
        widths: of the input and of each layer.
        batch: instances per step.
        optimizer: "sgd" or "adam".
        rate: the learning rate.
        dropout: the share of the last hidden layer that is switched off.
        dtype: of weights and data.
        epoch: steps after which all data have been seen.
    """

    widths: tuple[int, ...]
    batch: int = 32
    optimizer: str = "sgd"
    rate: float = 0.01
    dropout: float = 0.0
    dtype: str = "float32"
    epoch: int = 1_719

    def weights(self) -> list[np.ndarray]:
        """Return new weights W1, b1, W2, b2, ... by He's rule."""
        rng, found = np.random.default_rng(1), []
        for m, n in zip(self.widths, self.widths[1:]):
            found += [rng.normal(0.0, (2 / m) ** 0.5, (m, n)), np.zeros(n)]
        return [w.astype(self.dtype) for w in found]


FASHION = Net((784, 300, 100, 10))
WIDE = Net((784, 784, 784, 784, 10), 128, "adam", 0.001, dropout=0.2, epoch=430)


@functools.lru_cache(maxsize=1)
def data(net: Net, steps: int) -> tuple[np.ndarray, np.ndarray]:
    """Return as many rows and labels as so many steps see: the images of Fashion-MNIST if
    GRADLAB_DATA says where they are, else random numbers, which take the same time.
    """
    rows = steps * net.batch
    if os.environ.get("GRADLAB_DATA") and net.widths[0] == 784:
        from gradlab.keras.datasets import fashion_mnist

        (images, labels), _ = fashion_mnist.load_data()
        x = images.reshape(-1, 784)[:rows] / np.dtype(net.dtype).type(255)
        return np.resize(x, (rows, 784)), np.resize(labels, rows).astype(np.int64)
    x = np.random.default_rng(0).random((rows, net.widths[0]), np.float32)
    labels = np.random.default_rng(1).integers(0, net.widths[-1], rows)
    return x.astype(net.dtype, copy=False), labels


def batches(net: Net, steps: int) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Yield each batch, the rows in a new order."""
    x, y = data(net, steps)
    order = np.random.default_rng().permutation(len(x))
    for start in range(0, len(x), net.batch):
        rows = order[start : start + net.batch]
        yield x[rows], y[rows]


class Descent:
    """The update of weights by hand, in place."""

    def __init__(self, net: Net, weights: list[np.ndarray]) -> None:
        self.net, self.weights, self.t = net, weights, 0
        self.m, self.v = ([np.zeros_like(w) for w in weights] for _ in "mv")

    def __call__(self, gradients: list[np.ndarray]) -> None:
        """Take a step; the gradients are overwritten."""
        self.t += 1
        if self.net.optimizer == "sgd":
            for w, g in zip(self.weights, gradients):
                g *= self.net.rate
                w -= g
            return
        rate = self.net.rate * (1 - BETA2**self.t) ** 0.5 / (1 - BETA1**self.t)
        for w, g, m, v in zip(self.weights, gradients, self.m, self.v):
            m += (1 - BETA1) * (g - m)
            g *= g
            v += (1 - BETA2) * (g - v)
            w -= rate * m / (np.sqrt(v) + EPSILON)


# ------------------------------------------------------------------------------ by fit, by hand


def model(keras: Any, net: Net) -> Any:
    """Return the compiled network, in the words of Keras."""
    keras.config.set_floatx(net.dtype)
    layers = [keras.Input(shape=(net.widths[0],))]
    layers += [keras.layers.Dense(width, activation="relu") for width in net.widths[1:-1]]
    layers += [keras.layers.Dropout(net.dropout)] if net.dropout else []
    layers += [keras.layers.Dense(net.widths[-1], activation="softmax")]
    found = keras.Sequential(layers)
    optimizer = {"sgd": keras.optimizers.SGD, "adam": keras.optimizers.Adam}[net.optimizer]
    loss = "sparse_categorical_crossentropy"
    found.compile(loss=loss, optimizer=optimizer(net.rate), metrics=["accuracy"])
    found.set_weights(net.weights())
    return found


def fitted(keras: Any, net: Net) -> Run:
    """Return the call of `fit` for so many steps; it returns the mean loss."""
    trained = model(keras, net)

    def run(steps: int) -> float:
        x, y = data(net, steps)
        return trained.fit(x, y, batch_size=net.batch, epochs=1, verbose=1).history["loss"][0]

    return run


@ROWS.row("gradlab fit")
def by_gradlab(net: Net) -> Run:
    return fitted(import_module("gradlab.keras"), net)


@ROWS.row("Keras on JAX", "keras", "jax", KERAS_BACKEND="jax")
def by_keras_on_jax(net: Net) -> Run:
    return fitted(import_module("keras"), net)


@ROWS.row("Keras on torch", "keras", "torch", KERAS_BACKEND="torch")
def by_keras_on_torch(net: Net) -> Run:
    return fitted(import_module("keras"), net)


@ROWS.row("NumPy by hand")
def by_hand(net: Net) -> Run:
    weights = net.weights()
    update, rng = Descent(net, weights), np.random.default_rng(2)
    pairs = list(zip(weights[::2], weights[1::2]))

    def step(x: np.ndarray, y: np.ndarray) -> float:
        inputs, mask, samples = [x], None, np.arange(len(x))
        for W, b in pairs[:-1]:
            inputs.append(np.maximum(inputs[-1] @ W + b, 0.0))
        if net.dropout:
            kept = rng.random(inputs[-1].shape, np.float32) >= net.dropout
            mask = kept / x.dtype.type(1 - net.dropout)
            inputs[-1] *= mask
        scores = inputs[-1] @ pairs[-1][0] + pairs[-1][1]
        delta = np.exp(scores - scores.max(axis=1, keepdims=True))
        delta /= delta.sum(axis=1, keepdims=True)
        loss = -np.log(delta[samples, y]).mean()
        delta[samples, y] -= 1.0
        delta /= len(x)
        gradients = []
        for place in reversed(range(len(pairs))):
            gradients = [inputs[place].T @ delta, delta.sum(axis=0), *gradients]
            if place:
                delta = (delta @ pairs[place][0].T) * (inputs[place] > 0.0)
                if mask is not None and place == len(pairs) - 1:
                    delta *= mask
        update(gradients)
        return loss

    def run(steps: int) -> float:
        return [step(x, y) for x, y in batches(net, steps)][-1]

    return run


@ROWS.row("scikit-learn", "sklearn")
def by_sklearn(net: Net) -> Run:
    if net.optimizer != "sgd":  # its first call, with labels that name all classes, is a step
        raise LeftOutError("only gradient descent")
    kind = import_module("sklearn.neural_network").MLPClassifier
    trained = kind(
        net.widths[1:-1], solver=net.optimizer, alpha=0.0, batch_size=net.batch,
        learning_rate_init=net.rate, momentum=0.0, nesterovs_momentum=False,
    )  # fmt: skip
    x, _ = data(net, 1)
    trained.partial_fit(x, np.arange(len(x)) % net.widths[-1], classes=np.arange(net.widths[-1]))
    for mine, w in zip(trained.coefs_, net.weights()[::2]):
        mine[...] = w
    for mine, b in zip(trained.intercepts_, net.weights()[1::2]):
        mine[...] = b

    def run(steps: int) -> float:
        return trained.partial_fit(*data(net, steps)).loss_

    return run
