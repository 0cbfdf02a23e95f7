# %% [markdown]
# # 25 How fast
#
# One training step, from single numbers to fused kernels: measured, explained and compared.
#
# *Slides:* deck 001, section 10.2.1: `2s 989us/step`. *Before this:* Fashion-MNIST (chapter 11).
# *You will see:* what a step costs each way, that all ways compute the same, the step as a program
# you can read, and a roofline: how near its lines come to what your machine can do.
# %% the network of the slides, on made-up images
from functools import partial
from timeit import repeat, timeit

import matplotlib.pyplot as plt
import numpy as np
from threadpoolctl import threadpool_limits

import gradlab as gl
import gradlab.program.timing
from gradlab import keras
from gradlab.course import save_figure

keras.utils.set_random_seed(42)
rng = np.random.default_rng(42)
BATCH, STEPS, RATE = 32, 200, 0.01  # "sgd" has this learning rate
X, y = rng.random((STEPS * BATCH, 784), np.float32), rng.integers(0, 10, STEPS * BATCH)
batches = [(X[k : k + BATCH], y[k : k + BATCH]) for k in range(0, len(X), BATCH)]
WORK = BATCH * (2 * (784 * 300 + 300 * 100 + 100 * 10) + 300 * 100 + 100 * 10)
assert WORK == 18_028_800, "multiplications in x @ W, x.T @ delta and delta @ W.T: 18 million"
limit = threadpool_limits(1, user_api="blas")  # a second thread has its turn below


# %% two tools
def run(step, threads=None):
    if threads:
        step.threads = threads
    for x, labels in batches:
        step(x, labels, RATE)


def medians(ways, rounds):
    """Return the seconds per step of each way. They take turns: a bad moment is bad for all."""
    times = {name: [] for name in ways}
    for name, (way, steps) in list(ways.items()) * rounds:
        times[name].append(timeit(way, number=1) / steps)
    return {name: float(np.median(found)) for name, found in times.items()}


# %% by hand in NumPy; the slope of cross-entropy and softmax is p - one_hot
def numpy_step(weights, x, labels, rate):
    W1, b1, W2, b2, W3, b3 = weights
    h1 = np.maximum(x @ W1 + b1, 0)
    h2 = np.maximum(h1 @ W2 + b2, 0)
    powers = np.exp(h2 @ W3 + b3)
    p = powers / powers.sum(axis=1, keepdims=True)
    d3 = (p - np.eye(p.shape[1], dtype=p.dtype)[labels]) / len(x)
    d2 = (d3 @ W3.T) * (h2 > 0)
    d1 = (d2 @ W2.T) * (h1 > 0)
    for W, b, a, d in ((W1, b1, x, d1), (W2, b2, h1, d2), (W3, b3, h2, d3)):
        W -= rate * (a.T @ d)
        b -= rate * d.sum(axis=0)


# %% with Values, a node for each number: one neuron and one image, 2 * 784 of the multiplications
# A replay has the nodes in a table, and walks down and up it in a compiled loop.
weights, image = rng.normal(0, 0.05, 784), X[0].astype(float)
neuron = [gl.Value(w) for w in weights.tolist()]


def value_step(rate=1e-4):
    for w in neuron:
        w.grad = None
    loss = (sum(w * x for w, x in zip(neuron, image.tolist())) - 1.0) ** 2
    loss.backward()
    for w in neuron:
        w.data -= rate * w.grad
    return loss


replay = gl.program.replay(value_step())
weights -= 1e-4 * 2 * (weights @ image - 1) * image
assert np.allclose([w.data for w in neuron], weights, atol=1e-12), "the same weights as by NumPy"
assert np.isclose(replay(), (weights @ image - 1) ** 2, rtol=1e-12), "and the same loss, replayed"

# %% with layers: on the tape; recorded; and, as any fit of 1,000 steps or more, with fused kernels
models = []
for eagerly in (True, False, False):
    widths = ((300, "relu"), (100, "relu"), (10, "softmax"))
    dense = [keras.layers.Dense(width, activation=f) for width, f in widths]
    models.append(keras.Sequential([keras.Input(shape=(784,)), *dense]))
    models[-1].compile("sgd", "sparse_categorical_crossentropy", run_eagerly=eagerly)
fits = [partial(m.fit, X, y, batch_size=BATCH, shuffle=False, verbose=0) for m in models]
start, share = models[0].get_weights(), 2 * 784 / WORK
ways = {
    "Value (scaled)": (value_step, share),
    "Values, replayed (scaled)": (partial(replay.descend, neuron, 1e-4, 1000), 1000 * share),
    "NumPy by hand": (partial(run, partial(numpy_step, [w.copy() for w in start])), STEPS),
    "fit, on the tape": (fits[0], STEPS),
    "fit, recorded": (fits[1], STEPS),
    "fit, fused": (partial(fits[2], epochs=5), 5 * STEPS),
}
seconds = medians(ways, rounds=3)

# %% do they compute the same?
# At first: later a neuron within 1e-7 of relu's kink is rounded to its other side, and they part.
by_hand, (lines, kernels) = [w.copy() for w in start], [model.program() for model in models[1:]]
for model in models:
    model.set_weights(start)
for x, labels in batches[:3]:
    models[0].train_on_batch(x, labels)
    for step in (partial(numpy_step, by_hand), lines, kernels):
        step(x, labels, RATE)
for model in models:
    for w, expected in zip(model.get_weights(), by_hand):
        assert np.allclose(w, expected, atol=1e-5), "three steps: the same weights as by NumPy"

# %% the step as a program, beside each line its shape, operations and bytes
# A line is a call that writes into memory set aside. Fused, a chain of lines is one loop: one pass.
print(lines, kernels, sep="\n\n")
flops, traffic = gl.program.listing.flops, gl.program.listing.traffic
assert 0.99 * sum(map(flops, lines.lines)) < 2 * WORK, "99 % of it in the matrix products"
assert sum(map(traffic, kernels.lines)) <= sum(map(traffic, lines.lines)), "fusing saves passes,"
assert len(kernels.lines) <= len(lines.lines), "and calls from Python"

# %% two threads: each has the same columns of W in all products, and keeps them in its own cache
ends = []
for threads in (1, 2):
    models[2].set_weights(start)
    run(kernels, threads)
    ends.append(np.concatenate([w.ravel() for w in models[2].get_weights()]))
assert np.array_equal(*ends), "no sum is split between threads: the same bits"
alone = {f"fused, no fit, threads: {k}": (partial(run, kernels, k), STEPS) for k in (1, 2)}
seconds |= medians(alone, rounds=5)

# %% the ways side by side
fig, ax = plt.subplots(figsize=(9, 4), layout="constrained")
bars = ax.barh([*seconds], [1e3 * t for t in seconds.values()], color="#0072B2")
ax.bar_label(bars, [f"{1e3 * t:,.{2 if t < 1 else 0}f} ms" for t in seconds.values()], padding=4)
ax.set(xscale="log", xlim=(0.1, 1e7), xlabel="milliseconds", title="One training step")
ax.invert_yaxis()
save_figure(fig, "steps")

# %% the roofline: nothing is faster than the processor multiplies, or than memory delivers
# Measured with a large product and a large copy. Small arrays come from the cache, which is faster.
A, out = np.ones((2, 512, 512), np.float32)
peak = 2 * 512**3 / min(repeat(partial(np.matmul, A, A, out=out), number=1, repeat=100)) / 1e9
parts = zip(*np.ones((2, 32, 2**20), np.float32))  # 256 MB: no cache holds as much
bandwidth = 8 * 2**20 / min(timeit(partial(np.copyto, a, b), number=1) for a, b in parts) / 1e9
print(f"{peak:.0f} GFLOP/s in a large product, {bandwidth:.0f} GB/s in a large copy")

# %% the time of each line, and its place under the roof
fig, ax = plt.subplots(figsize=(9, 5), layout="constrained")
spans = []
for name, program, colour in (("recorded", lines, "#009E73"), ("fused", kernels, "#D55E00")):
    with gl.program.timing.timed(program, lambda *span: spans.append(span)):
        run(program, threads=1)
    ns = np.median(np.reshape([end - begin for _, begin, end in spans], (STEPS, -1)), axis=0)
    spans.clear()
    ops, moved = (np.array([cost(line) for line in program.lines]) for cost in (flops, traffic))
    x, rate = ops / np.maximum(moved, 1), ops / ns
    ax.scatter(x, rate, 10 + 1500 * ns / ns.sum(), colour, alpha=0.5, label=name)
    for k in np.argsort(-ns)[:3]:
        print(f"{name}: {ns[k] / ns.sum():.0%} at {rate[k]:.2g} GFLOP/s  {program.texts[k]}")
x = np.geomspace(0.05, 50)
ax.plot(x, np.minimum(peak, bandwidth * x), "k-", label="roof of one thread")
ax.set(xscale="log", yscale="log", xlim=(0.05, 50), ylim=(0.005, 2 * peak), ylabel="GFLOP/s")
ax.set(xlabel="operations per byte", title="Each line of the step; the area is its time")
ax.legend(loc="lower right", markerscale=0.3)
save_figure(fig, "roofline")
limit.restore_original_limits()

# %% [markdown]
# ## Why the fused program wins
# Matrix products take most of its time, and they are near the roof. All else can be saved: nodes
# and new arrays (by recording), calls from Python and passes over memory (by fusing), a gradient
# written down only to be subtracted (`descend_tn`). Two threads pay where both find a free core.
#
# ## Try it
# * Which lines are far below the roof, and what share of the time do they take together?
# * BATCH = 1, then 256. Which ways gain most from a larger batch, and why?
# * Adam instead of SGD. Which lines does its step have, and what runs after the last of them?
