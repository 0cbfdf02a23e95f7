"""The same training steps by the peers that differentiate for themselves: torch, JAX, autograd,
MyGrad, each as its own tutorial writes them.
"""

from __future__ import annotations

import functools
from importlib import import_module
from typing import Any

import numpy as np

from .networks import BETA1, BETA2, EPSILON, ROWS, Descent, Net, batches, data
from .suite import LeftOutError, Run


@ROWS.row("torch", "torch")
def by_torch(net: Net) -> Run:
    torch: Any = import_module("torch")
    nn, layers = torch.nn, []
    for m, n in zip(net.widths, net.widths[1:]):
        layers += [nn.Linear(m, n), nn.ReLU()]
    layers[-2:] = [nn.Dropout(net.dropout), layers[-2]] if net.dropout else [layers[-2]]
    model = nn.Sequential(*layers).to(getattr(torch, net.dtype))
    with torch.no_grad():
        for parameter, w in zip(model.parameters(), net.weights()):
            parameter.copy_(torch.from_numpy(w.T))
    kinds = {"sgd": torch.optim.SGD, "adam": functools.partial(torch.optim.Adam, eps=EPSILON)}
    optimizer = kinds[net.optimizer](model.parameters(), lr=net.rate)

    def run(steps: int) -> float:
        x, y = map(torch.from_numpy, data(net, steps))
        order, loss = torch.randperm(len(x)), torch.zeros(())
        for start in range(0, len(x), net.batch):
            rows = order[start : start + net.batch]
            optimizer.zero_grad()
            loss = nn.functional.cross_entropy(model(x[rows]), y[rows])
            loss.backward()
            optimizer.step()
        return loss.item()

    return run


def _jax_step(jax: Any, net: Net) -> Any:
    """Return the function from (state, x, y) to a new state and the loss."""
    np_, nn = jax.numpy, jax.nn

    def loss_of(weights: Any, x: Any, y: Any, key: Any) -> Any:
        pairs = list(zip(weights[::2], weights[1::2]))
        for W, b in pairs[:-1]:
            x = nn.relu(x @ W + b)
        if net.dropout:
            kept = jax.random.bernoulli(key, 1 - net.dropout, x.shape)
            x = np_.where(kept, x / (1 - net.dropout), 0.0)
        logs = nn.log_softmax(x @ pairs[-1][0] + pairs[-1][1])
        return -np_.take_along_axis(logs, y[:, None], axis=1).mean()

    def step(state: Any, x: Any, y: Any) -> Any:
        weights, m, v, t, key = state
        key, now = jax.random.split(key) if net.dropout else (key, key)
        loss, g = jax.value_and_grad(loss_of)(weights, x, y, now)
        if net.optimizer == "sgd":
            weights = [w - net.rate * d for w, d in zip(weights, g)]
            return (weights, m, v, t, key), loss
        t = t + 1
        m = [a + (1 - BETA1) * (d - a) for a, d in zip(m, g)]
        v = [a + (1 - BETA2) * (d * d - a) for a, d in zip(v, g)]
        rate = net.rate * np_.sqrt(1 - BETA2**t) / (1 - BETA1**t)
        moves = [rate * a / (np_.sqrt(b) + EPSILON) for a, b in zip(m, v)]
        return ([w - move for w, move in zip(weights, moves)], m, v, t, key), loss

    return step


def _jax_state(jax: Any, net: Net) -> Any:
    jax.config.update("jax_enable_x64", net.dtype == "float64")
    weights = [jax.numpy.asarray(w) for w in net.weights()]
    zeros = [jax.numpy.zeros_like(w) for w in weights] if net.optimizer == "adam" else []
    also = [jax.numpy.zeros_like(w) for w in zeros]  # its own arrays: the step gives them away
    return weights, zeros, also, jax.numpy.asarray(0.0), jax.random.key(2)


@ROWS.row("JAX jit", "jax")
def by_jax(net: Net) -> Run:
    jax: Any = import_module("jax")
    state = _jax_state(jax, net)
    step = jax.jit(_jax_step(jax, net), donate_argnums=0)

    def run(steps: int) -> float:
        nonlocal state
        loss: Any = None
        for x, y in batches(net, steps):
            state, loss = step(state, x, y)
        return float(jax.block_until_ready(loss))

    return run


@ROWS.row("JAX in one loop", "jax")
def by_jax_in_one_loop(net: Net) -> Run:
    jax: Any = import_module("jax")
    state = _jax_state(jax, net)
    step = _jax_step(jax, net)

    on_device = tuple(map(jax.numpy.asarray, data(net, net.epoch)))

    @functools.partial(jax.jit, donate_argnums=0)
    def loop(state: Any, x: Any, y: Any, order: Any, steps: Any) -> Any:
        def one(k: Any, carried: Any) -> Any:
            return step(carried[0], x[order[k]], y[order[k]])

        return jax.lax.fori_loop(0, steps, one, (state, jax.numpy.zeros((), x.dtype)))

    def run(steps: int) -> float:
        nonlocal state
        order = np.arange(net.epoch * net.batch)
        np.random.default_rng().shuffle(order[: steps * net.batch])
        order = order.reshape(net.epoch, net.batch)
        state, loss = loop(state, *on_device, order, steps)
        return float(jax.block_until_ready(loss))

    return run


@ROWS.row("autograd", "autograd")
def by_autograd(net: Net) -> Run:
    _no_dropout(net)
    anp: Any = import_module("autograd.numpy")
    weights = net.weights()
    update = Descent(net, weights)

    def loss_of(weights: Any, x: Any, y: Any) -> Any:
        pairs = list(zip(weights[::2], weights[1::2]))
        for W, b in pairs[:-1]:
            x = anp.maximum(anp.dot(x, W) + b, 0.0)
        scores = anp.dot(x, pairs[-1][0]) + pairs[-1][1]
        scores = scores - anp.max(scores, axis=1, keepdims=True)
        logs = scores - anp.log(anp.sum(anp.exp(scores), axis=1, keepdims=True))
        return -anp.mean(logs[np.arange(len(y)), y])

    slopes = import_module("autograd").value_and_grad(loss_of)

    def run(steps: int) -> float:
        loss = 0.0
        for x, y in batches(net, steps):
            loss, gradients = slopes(weights, x, y)
            update(gradients)
        return float(loss)

    return run


@ROWS.row("MyGrad", "mygrad")
def by_mygrad(net: Net) -> Run:
    _no_dropout(net)
    mg: Any = import_module("mygrad")
    activations = import_module("mygrad.nnet.activations")
    losses = import_module("mygrad.nnet.losses")
    weights = [mg.tensor(w) for w in net.weights()]
    update = Descent(net, [w.data for w in weights])
    pairs = list(zip(weights[::2], weights[1::2]))

    def run(steps: int) -> float:
        loss: Any = None
        for x, y in batches(net, steps):
            for W, b in pairs[:-1]:
                x = activations.relu(x @ W + b)
            loss = losses.softmax_crossentropy(x @ pairs[-1][0] + pairs[-1][1], y)
            loss.backward()
            update([w.grad.copy() for w in weights])
        return float(loss)

    return run


def _no_dropout(net: Net) -> None:
    if net.dropout:
        raise LeftOutError("no dropout")
