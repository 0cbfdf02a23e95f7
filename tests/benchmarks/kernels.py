"""How fast the kernels are, beside NumPy and torch: `python tests/benchmarks/kernels.py`.

Each pair is timed in turns, by processor time on one thread, so that other programs disturb both
alike; what is printed are medians in milliseconds, and how many times as fast the kernel is.
"""

from __future__ import annotations

import importlib
import time

import numpy as np

from gradlab import REGISTRY, keras
from gradlab.kernels import blas, dense, elementwise, matmul, threads, updates

ROUNDS = 30
RNG = np.random.default_rng(0)


def paired(**functions):
    """Return the median milliseconds of each function, called in turns."""
    times = {name: [] for name in functions}
    for function in functions.values():
        function()
    for _ in range(ROUNDS):
        for name, function in functions.items():
            start = time.process_time()
            function()
            times[name].append(1e3 * (time.process_time() - start))
    return {name: float(np.median(t)) for name, t in times.items()}


def show(what, found):
    first, *others = found
    ratios = ", ".join(f"{found[o] / found[first]:.2f} x {o}" for o in others)
    print(f"{what:34}", *(f"{n} {t:8.3f}" for n, t in found.items()), " ", ratios, flush=True)


def normal(*shape):
    return RNG.normal(size=shape).astype("float32")


# --------------------------------------------------------------------------------- activations


def numpy_pass(op, x, g):
    """Return value and slope the way the tape does them, in whole arrays."""
    parameters = tuple(op.defaults.values())

    def run():
        y = op.array(x, *parameters)
        return g * op.rules["x"]([x, *parameters, y, g, None])

    return run


def kernel_pass(op, x, g):
    y, flow = np.empty_like(x), np.empty_like(x)
    known = {"x": x, "y": y, "g": g, **op.defaults}
    value, slope = elementwise.value_of(op), elementwise.slope_of(op, "x")
    forward = value.bind({n: known[n] for n in value.inputs}, {"y": y})
    backward = slope.bind({n: known[n] for n in slope.inputs}, {"flow": flow})

    def run():
        forward()
        backward()

    return run


def torch_pass(function, x, g):
    torch = importlib.import_module("torch")
    torch.set_num_threads(1)
    traced, incoming = torch.from_numpy(x).requires_grad_(), torch.from_numpy(g)

    def run():
        traced.grad = None
        function(traced).backward(incoming)

    return run


def torch_functions():
    try:
        functional = importlib.import_module("torch.nn.functional")
    except ImportError:
        return {}
    names = ["sigmoid", "tanh", "relu", "elu", "gelu", "softplus", "silu"]
    found = {name: getattr(functional, name) for name in names}

    def gelu_tanh(x):
        return functional.gelu(x, approximate="tanh")

    return {**found, "gelu_tanh": gelu_tanh}


def activations(n=1_000_000):
    x, g, peers = normal(n), normal(n), torch_functions()
    for name in ["relu", "sigmoid", "tanh", "elu", "silu", "softplus", "gelu_tanh", "gelu", "mish"]:
        op = REGISTRY[name]
        runs = {"kernel": kernel_pass(op, x, g), "numpy": numpy_pass(op, x, g)}
        if name in peers:
            runs["torch"] = torch_pass(peers[name], x, g)
        show(f"{name}, forward and backward", paired(**runs))


# ------------------------------------------------------------------------------------ products


SHAPES = [(32, 784, 300), (784, 32, 300), (32, 300, 100), (1, 784, 300), (256, 784, 300)]


def products():
    for m, k, n in SHAPES:
        a, b, out = normal(m, k), normal(k, n), normal(m, n)

        def tiles(a=a, b=b, out=out):
            matmul.product(a, b, out)

        def plain(a=a, b=b, out=out):
            np.matmul(a, b, out=out)

        show(f"({m}, {k}) x ({k}, {n})", paired(tiles=tiles, blas=plain))
        added = blas.bind(a, b, out, alpha=-1e-9, beta=1.0)

        def in_steps(a=a, b=b, out=out):
            out[...] -= np.float32(1e-9) * (a @ b)

        show("    subtracted from what was there", paired(blas_once=added, numpy=in_steps))


# ---------------------------------------------------------------------------- dense layers, steps


def last_layer(rows=128, classes=10):
    x, labels = normal(rows, classes), RNG.integers(0, classes, rows)
    p, delta, loss, scale = x.copy(), x.copy(), normal(rows), np.ones(rows, "f4")
    one_hot = np.eye(classes, dtype="f4")[labels]

    def kernel():
        dense.softmax(x, p)
        dense.cross_entropy(p, labels, scale, loss, delta)

    def plain():
        powers = np.exp(x - x.max(axis=1, keepdims=True))
        q = powers / powers.sum(axis=1, keepdims=True)
        return -np.log(np.clip(q[np.arange(rows), labels], 1e-7, 1 - 1e-7)), q - one_hot

    show(f"softmax and loss, ({rows}, {classes})", paired(kernel=kernel, numpy=plain))


def optimizer_steps(n=1_850_000):
    kinds = keras.optimizers
    for optimizer in [kinds.SGD(), kinds.SGD(momentum=0.9), kinds.RMSprop(), kinds.Adam()]:
        variable, g = keras.Variable(normal(n)), normal(n)
        optimizer.build([variable])
        rule = updates.rule_of(optimizer)
        memory = [getattr(optimizer, name)[0].numpy().copy() for name in rule.memory.values()]
        one_pass = updates.bind(optimizer, variable.numpy().copy(), g, memory)

        def in_arrays(optimizer=optimizer, g=g, variable=variable):
            optimizer.apply([g], [variable])

        name = f"{type(optimizer).__name__}, {len(memory)} memories, {n:,}"
        show(name, paired(one_pass=one_pass, numpy=in_arrays))


if __name__ == "__main__":
    with threads.for_products_of(1.0):
        activations()
        products()
        last_layer()
        optimizer_steps()
