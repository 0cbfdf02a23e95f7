# %% [markdown]
# # 5 Activation functions
#
# Without a bend between them, stacked layers are one layer; these are the bends, and their slopes.
#
# *Slides:* deck 001, sections 10.1.4 to 10.1.6; deck 000, *Activation Function*.
# *Before this:* backpropagation (chapter 4), which multiplies slopes. *You will see:* why a network
# needs activations, why not the step function, each of the slides with its slope, then all at once.
#
# ## Why they are needed
# f(g(x)) = 2(5x - 1) + 3 = 10x + 1 is again a straight line. Layers behave alike: with nothing in
# between, (X W1 + b1) W2 + b2 = X (W1 W2) + (b1 W2 + b2), a single layer with other weights.
# One bend is enough to leave that world: relu(x) + relu(-x) = |x|, and no straight line is |x|.
# %% straight lines stay straight
import matplotlib.pyplot as plt
import numpy as np

import gradlab as gl
from gradlab import plots
from gradlab.course import save_figure

plt.rcParams.update({"font.size": 13, "axes.spines.top": False, "axes.spines.right": False})
slope_of = gl.elementwise_grad  # the slope of a function at each number of an array
f = lambda x: 2 * x + 3
g = lambda x: 5 * x - 1
x = np.linspace(-5, 5, 11)
assert np.all(f(g(x)) == 10 * x + 1), "f(x) = 2x + 3, g(x) = 5x - 1: f(g(x)) = 10x + 1"
rng = np.random.default_rng(0)
X, W1, b1, W2, b2 = (rng.normal(size=size) for size in ((6, 3), (3, 4), 4, (4, 2), 2))
two_layers = gl.dense(gl.dense(X, W1, b1), W2, b2)
assert np.allclose(two_layers, gl.dense(X, W1 @ W2, b1 @ W2 + b2)), "two linear layers are one"
assert np.all(gl.relu(x) + gl.relu(-x) == np.abs(x)), "two ReLU neurons add up to |x|"

# %% [markdown]
# ## Not the step function: it has no slope to follow
# A TLU ends in the Heaviside step H; its sibling, the sign, is -1 below zero and 1 above. Both are
# flat on either side of the jump, and infinitely steep at it. Gradient descent subtracts η times
# the gradient: here it subtracts 0, for ever.
# %% the slope of a step
z = np.array([-2.0, -0.1, 0.0, 0.1, 2.0])
assert np.all(gl.step(z) == [0, 0, 1, 1, 1]), "H(z) = 0 if z < 0, otherwise 1"
assert not slope_of(gl.step)(z[z != 0]).any(), "the gradient of H is 0 on both sides of the jump"
assert not slope_of(gl.sign)(z[z != 0]).any(), "the gradient of the sign is 0 there, too"
rise = [(gl.step(h) - gl.step(-h)) / (2 * h) for h in (0.1, 0.01, 0.001)]
assert np.allclose(rise, [5, 50, 500]), "measured across 0, closer and closer: 5, 50, 500 ..."

# %% learning AND by gradient descent
X = np.array([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]])
y = np.array([0.0, 0.0, 0.0, 1.0])
start = np.array([1.0, -1.0]), 0.0  # answers 1, 0, 1, 1: two of the four are wrong


def descend(phi, w, b, eta=2.0):
    loss = lambda w, b: gl.mean_squared_error(y, phi(X @ w + b))
    for _ in range(300):
        dw, db = gl.grad(loss, (0, 1))(w, b)
        w, b = w - eta * dw, b - eta * db
    return w, b, loss(w, b)


w, b, loss = descend(gl.step, *start)
assert (*w, b, loss) == (1, -1, 0, 0.5), "300 steps do not move a TLU: its loss stays 0.5"
w, b, loss = descend(gl.sigmoid, *start)
print(f"with a sigmoid: w = {w.round(2)}, b = {b:.2f}, loss = {loss:.3f}")
assert np.all((gl.sigmoid(X @ w + b) > 0.5) == y), "in the same 300 steps a sigmoid learns AND"

# %% [markdown]
# ## Sigmoid and tanh: the step, made smooth
# σ(z) = 1 / (1 + e⁻ᶻ) runs from 0 to 1, and its slope is σ(z) (1 - σ(z)). tanh runs from -1 to 1,
# with slope 1 - tanh². It is a sigmoid of half the width and twice the height, moved down by 1:
# tanh(z) = 2σ(2z) - 1. One number: σ(2) = 0.8808, so tanh(1) = 2 · 0.8808 - 1 = 0.7616.
# %% both, and their slopes
z = np.linspace(-5, 5, 2001)
sigma, t = gl.sigmoid(z), gl.tanh(z)
assert np.allclose(sigma, 1 / (1 + np.exp(-z))), "σ(z) = 1 / (1 + e⁻ᶻ)"
assert np.allclose(t, (np.exp(z) - np.exp(-z)) / (np.exp(z) + np.exp(-z))), "tanh, as on the slide"
assert np.allclose(t, 2 * gl.sigmoid(2 * z) - 1), "tanh(z) = 2σ(2z) - 1"
assert np.isclose(gl.tanh(1.0), 2 * 0.8808 - 1, atol=5e-5), "tanh(1) = 2 · 0.8808 - 1 = 0.7616"
assert np.allclose(slope_of(gl.sigmoid)(z), sigma * (1 - sigma)), "the slope of σ is σ (1 - σ)"
assert np.allclose(slope_of(gl.tanh)(z), 1 - t**2), "the slope of tanh is 1 - tanh²"
assert 0 < gl.grad(gl.sigmoid)(-50.0) < 1e-21, "σ has a slope everywhere: at -50 about 2e-22"
assert np.allclose((sigma.mean(), t.mean()), (0.5, 0)), "σ is centred around 0.5, tanh around 0"

# %% [markdown]
# ## ReLU, the default; linear, which is none; softplus, for positive outputs
# ReLU(z) = max(0, z) is fast and has no maximum. At 0 it bends: slope 0 to the left, 1 to the
# right, so no derivative. Asked for one, gradlab says 0, by convention (`gl.relu.convention`).
# Linear, a(x) = x, is a layer without activation. Softplus, log(1 + eᶻ), is a smooth ReLU.
# %% corners
left, right = (gl.relu(h) / h for h in (-1e-6, 1e-6))
assert (left, right) == (0, 1), "ReLU is not differentiable at 0: left slope 0, right slope 1"
assert np.all(slope_of(gl.relu)(z) == (z > 0)), "ReLU: slope 0 for z < 0, 1 for z > 0, and 0 at 0"
assert (gl.relu(1e6), gl.sigmoid(1e6)) == (1e6, 1), "ReLU has no maximum; σ ends at 1"
assert np.all(gl.linear(z) == z), "linear: a(x) = x"
assert np.allclose(gl.softplus(z), np.log(1 + np.exp(z))), "softplus(z) = log(1 + exp(z))"
assert np.allclose(gl.softplus([-10.0, 10.0]), [0, 10], atol=5e-5), "softplus: near 0, then near z"
assert np.allclose(slope_of(gl.softplus)(z), sigma), "the slope of softplus is σ"

# %% the figure of the slides
left, right = plots.functions_and_slopes([gl.step, gl.sigmoid, gl.tanh, gl.relu])
left.set(title="Activation functions", ylim=(-1.25, 1.85))
right.set(title="Slopes: that of the step is 0")
save_figure(left, "activations_and_derivatives")

# %% [markdown]
# ## Softmax: scores become probabilities
# Three classes have scores z = (2, 1, 0). First eᶻ: 7.389, 2.718, 1, all positive. Then divide by
# their sum Z = 11.107: 0.665, 0.245, 0.090. Scores of 10,000 are too large for eᶻ, so gradlab
# subtracts the largest score first. That changes no answer.
# %% by hand, then gl.softmax
z = np.array([2.0, 1.0, 0.0])
Z = np.exp(z).sum()
p = np.exp(z) / Z
assert np.allclose(p, [0.665, 0.245, 0.090], atol=5e-4), "softmax(2, 1, 0) = 0.665, 0.245, 0.090"
assert np.isclose(p.sum(), 1), "the values sum to one"
assert np.allclose(gl.softmax(z), p), "gl.softmax is the algorithm of the slide"
assert np.isclose(gl.softmax([2.0, 0.0])[0], gl.sigmoid(2.0)), "softmax of (z, 0) begins with σ(z)"
slopes = gl.jacobian(gl.softmax)(z)
assert np.allclose(slopes, np.diag(p) - np.outer(p, p)), "dp_i/dz_j = p_i ([i = j] - p_j)"
assert np.allclose(gl.softmax(z + 1e4), p), "scores of 10,000 give the same probabilities"

# %% [markdown]
# ## All of them
# gradlab is a table of functions, each with value, slope and formula. Here are its activations.
# %% the table and the picture
extra = {"prelu": {"alpha": 0.25}, "threshold": {"threshold": 2.0, "default_value": -1.0}}
curves = [gl.tanh, gl.exp, *(e for e in gl.REGISTRY.values() if e.chapter == "activations")]
curves = [entry for entry in curves if entry.elementwise]  # softmax and its like are not
fig, axes = plt.subplots(-(-len(curves) // 6), 6, figsize=(14, 9), sharex=True, sharey=True)
print(f"{'name':14} {'slope at 1':>10}   formula")
for ax, entry in zip(axes.flat, curves):
    more = extra.get(entry.name, {})  # two of them want more than x
    print(f"{entry.name:14} {gl.grad(entry)(1.0, **more):10.4f}   {entry.formula}")
    measured = (entry(0.700001, **more) - entry(0.699999, **more)) / 0.000002
    assert np.isclose(gl.grad(entry)(0.7, **more), measured), "at 0.7 the slope is what we measure"
    plots.activation(entry, span=(-7, 7), legend=False, ax=ax, **more).set_xlabel("")
ax.set(ylim=(-2.5, 7), xticks=(-6, 0, 6), yticks=(0, 6))  # of all: the axes are shared
fig.suptitle(f"{len(curves)} activations (slopes dashed): smooth steps, and lines with a corner")
fig.tight_layout()
save_figure(fig, "all_activations")

# %% [markdown]
# ## Try it
# * Put `gl.relu` into `descend`. It ends up as a neuron that never learns again: what is its z?
# * Start `descend(gl.sigmoid, ...)` from w = (100, -100). Why does it move so little?
# * Compute `gl.softmax(z / T)` for T = 10, 1 and 0.1. What does this *temperature* do?
# * Nest σ twenty times and take `gl.grad`. What is left of the slope? And with ReLU, at x = 1?
