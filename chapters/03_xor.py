# %% [markdown]
# # 3 XOR
#
# One perceptron cannot compute XOR, two layers of them can, and backpropagation finds the weights.
#
# Deck 001, section 10.1.3, *The XOR Problem*, and 10.1.4, *Training MLPs with Backpropagation*.
# Before this: the perceptron and its learning rule. You see why one line is not enough, the network
# of the slides with its weights set by hand, and such a network learning from the four examples.
# %%
import matplotlib.pyplot as plt
import numpy as np

import gradlab as gl
from gradlab import plots
from gradlab.course import save_figure

X = np.array([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]])
y = np.array([0, 1, 1, 0])  # x1 XOR x2: exactly one of the two is on
plt.rcParams["font.size"] = 13

# %% [markdown]
# ## One perceptron fails
# It makes mistakes in every epoch, however long it goes on. With `pocket=True` it keeps the best
# weights it met. The verdict says why none are good enough: no line has a point on both its sides.
# %%
perceptron = gl.Perceptron(max_epochs=100, pocket=True).fit(X, y)
[verdict] = perceptron.verdict(X, y)
print(verdict)
assert perceptron.score(X, y) <= 0.75, "a perceptron gets at most 3 of the 4 answers of XOR right"
assert min(perceptron.mistakes_) > 0, "in 100 epochs there was none without a mistake"
assert verdict.separable is False, "XOR is not linearly separable"
assert verdict.check(), "the certificate for this holds in exact fractions"

# %% [markdown]
# The proof is short. The middle of the two positive points is the middle of the two negative ones,
# (½, ½). There z = w1 x1 + w2 x2 + b is the mean of its values at the two ends. So it would have to
# be ≥ 0, for the sake of the positive pair, and < 0, for the sake of the negative pair.
# %%
middle = (X[1] + X[2]) / 2
assert (middle == (X[0] + X[3]) / 2).all(), "both pairs have the middle (½, ½)"
rng = np.random.default_rng(0)
Z = X @ rng.normal(size=(2, 1000)) + rng.normal(size=1000)  # 1,000 random TLUs
assert np.allclose(Z[1] + Z[2], Z[0] + Z[3]), "z(0,1) + z(1,0) = z(0,0) + z(1,1), for any weights"
assert (y == (Z >= 0).T).sum(axis=1).max() == 3, "the best of 1,000 random TLUs gets 3 right"

# %% [markdown]
# ## Two layers succeed: the network of the slides
# The first hidden unit fires when at least one input is on (OR), the second when both are (AND).
# The output fires for "first and not second". For (1, 1): h = (1, 1), z = 1 - 1 - 0.5 < 0: off.
# %%
hidden = gl.TLU([[1, 1], [1, 1]], bias=[-0.5, -1.5])  # one column of weights for each unit
output = gl.TLU([1, -1], bias=-0.5)
H = hidden(X)
print("x1 x2   h1 h2   out")
for (x1, x2), (h1, h2), out in zip(X, H, output(H)):
    print(f" {x1:.0f}  {x2:.0f}    {h1:.0f}  {h2:.0f}     {out:.0f}")
assert H[:, 0].tolist() == [0, 1, 1, 1], "the first hidden unit is OR: x1 + x2 - 0.5 ≥ 0"
assert H[:, 1].tolist() == [0, 0, 0, 1], "the second hidden unit is AND: x1 + x2 - 1.5 ≥ 0"
assert (output(H) == y).all(), "the multilayer perceptron of the slides computes XOR"
assert gl.Perceptron().verdict(H, y)[0].separable, "seen as (h1, h2), the points are separable"

# %%
fig, ((one, net), (two, seen)) = plt.subplots(2, 2, figsize=(11, 9), layout="constrained")
plots.decision_boundary(perceptron, X, y, ax=one)
one.set_title("A perceptron: one line, one point is wrong")
plots.network([hidden, output], ax=net)
net.set_title("The network of the slides")
plots.decision_boundary(lambda P: output(hidden(P)), X, y, ax=two)
two.set_title("Two hidden units draw two lines: OR and AND")
plots.decision_boundary(output, H, y, ax=seen)
seen.set(xlabel="h1", ylabel="h2", title="Seen by the output unit: one line is enough")
save_figure(fig, "by_hand")

# %% [markdown]
# ## Learning the weights
# The slope of a step is zero: it does not say where to move a weight. The slides replace it by
# functions with a slope: here tanh in the hidden units, the sigmoid σ(z) at the output. The loss is
# the mean of (out - y)² over the four instances. First with `Value`, one number at a time.
# %%
assert gl.grad(gl.step)(0.3) == 0, "the slope of the step function is 0 (here at z = 0.3)"
rng = np.random.default_rng(42)
start = {"W1": rng.normal(size=(2, 2)), "b1": np.zeros(2), "w2": rng.normal(size=2), "b2": 0.0}
W1 = [[gl.Value(w) for w in row] for row in start["W1"]]  # W1[i][j]: from input i to unit j
w2 = [gl.Value(w) for w in start["w2"]]
b1, b2 = [gl.Value(0.0), gl.Value(0.0)], gl.Value(0.0)


def network(x1, x2):
    h1 = gl.tanh(W1[0][0] * x1 + W1[1][0] * x2 + b1[0])
    h2 = gl.tanh(W1[0][1] * x1 + W1[1][1] * x2 + b1[1])
    return gl.sigmoid(w2[0] * h1 + w2[1] * h2 + b2)


# %%
eta, losses, weights = 1.0, [], [*W1[0], *W1[1], *b1, *w2, b2]
for _ in range(500):
    loss = sum((network(x1, x2) - t) ** 2 for (x1, x2), t in zip(X, y)) / 4  # forward pass
    for w in weights:
        w.zero_grad()
    loss.backward()  # backward pass: the slope of the loss for each of the 9 weights
    for w in weights:
        w.data -= eta * w.grad  # a step opposite to the gradient
    losses.append(loss.data)
outputs = [network(x1, x2).data for x1, x2 in X]
print("outputs", np.round(outputs, 2), f"loss {losses[0]:.3f} -> {losses[-1]:.4f}")
assert losses[-1] < losses[0] / 100, "in 500 epochs the loss becomes over 100 times smaller"
assert [round(out) for out in outputs] == y.tolist(), "after 500 epochs all four answers are right"

# %% [markdown]
# ## The whole batch at once
# `Tensor` holds arrays. X W + b computes all four instances and both units in one operation, and
# the loop over the instances disappears. The mathematics is the same, so the gradients are too.
# %%
W1, b1, w2, b2 = params = [gl.Tensor(start[name], name=name) for name in start]
tensor_losses = []
for _ in range(500):
    out = gl.sigmoid(gl.tanh(X @ W1 + b1) @ w2 + b2)  # shapes (4,2)@(2,2) -> (4,2), @(2,) -> (4,)
    loss = ((out - y) ** 2).mean()
    for p in params:
        p.zero_grad()
    loss.backward()
    for p in params:
        p.data -= eta * p.grad
    tensor_losses.append(loss.item())
grads = np.concatenate([p.grad.ravel() for p in params])
assert np.allclose(grads, [w.grad for w in weights]), "Value and Tensor: the same 9 gradients"
assert np.allclose(losses, tensor_losses), "Value and Tensor: the same loss in each of 500 epochs"
assert ((out.data > 0.5) == y).all(), "the network of tensors gets all four answers right too"


# %%
def learned(P):
    with gl.no_grad():  # only the outputs are wanted, no gradients
        return gl.sigmoid(gl.tanh(P @ W1 + b1) @ w2 + b2)


fig, (plane, curve) = plt.subplots(1, 2, figsize=(12, 5), layout="constrained")
plots.surface(learned, X, y, boundary=0.5, ax=plane)
plane.set_title("Learned: two lines (output = ½)\nput all four points on the right side")
plots.learning_curves({"loss": losses}, running=False, ax=curve).set_yscale("log")
curve.set_title("500 epochs: the loss becomes\nover 100 times smaller")
save_figure(fig, "learned")

# %% [markdown]
# ## Try it
# * Change the third answer: `y = np.array([0, 1, 0, 0])`. Which claims fail, and why these?
# * Start from seed 1 in place of 42: two answers stay near ½. Does it help to go on for longer?
# * Start with all weights 0. Which gradients do you get? Why "initialize weights randomly"?
# * Set eta to 0.1, to 3, to 30, and compare the loss curves.
# * Other weights by hand: let the hidden units be "x1 and not x2" and "x2 and not x1".
