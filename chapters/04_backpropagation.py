# %% [markdown]
# # 4 Backpropagation
#
# One backward pass through the stored graph gives the slope of the loss for every weight.
#
# Deck 001, section 10.1.4, *The Multilayer Perceptron and Backpropagation*. After XOR (chapter 3).
# You see the graph of a neuron before, during and after the backward pass, an engine in 35 lines,
# three ways to get it wrong, and the algorithm of the slides as a loop.
#
# ## Forward: compute, and keep everything
# One neuron, `y = tanh(w1 x1 + w2 x2 + b)`. The slides: "all intermediate results are preserved
# since they are needed for the backward pass". So a `Value` holds its number, the operation and the
# inputs it came from. The bias is chosen so that y is one half.
# %%
import itertools
import math

import numpy as np

import gradlab as gl
from gradlab.course import save_figure

w1, x1 = gl.Value(0.5, name="w1"), gl.Value(2.0, name="x1")
w2, x2 = gl.Value(3.0, name="w2"), gl.Value(-1.0, name="x2")
b = gl.Value(2.0 + math.atanh(0.5), name="b")
u = w1 * x1 + w2 * x2  # 0.5·2 + 3·(-1) = -2
z = u + b  # -2 + 2.5493 = 0.5493
y = gl.tanh(z)
u.name, z.name, y.name = "u", "z", "y"
assert math.isclose(y.data, 0.5), "y = tanh(0.5493) = 0.5"
assert set(z.parents) == {u, b}, "every result remembers what it was made from"
assert y.grad is None, "before the backward pass a gradient is not 0 but not computed"
save_figure(gl.draw(y, title="1. Forward: every number is kept, no gradient yet"), "1_before")

# %% [markdown]
# ## Backward: the chain rule, newest node first
# The number on an edge is its local slope: how much the result moves per unit of that input. A
# gradient is the gradient of the result times the local slope. Start at the end, with dy/dy = 1:
#
#     dy/dz  = 1 · (1 - y²)  = 1 · (1 - 0.25) = 0.75      uses the stored y
#     dy/du  = dy/dz · 1     = 0.75 · 1       = 0.75      and dy/db = 0.75 as well
#     dy/dw1 = dy/du · x1    = 0.75 · 2       = 1.5       uses the stored x1
#     dy/dw2 = dy/du · x2    = 0.75 · (-1)    = -0.75     uses the stored x2
#
# Is 1.5 true? Move w1 a little to both sides: a finite difference, two forward passes per weight.
# %%
y.grad, z.grad = 1.0, 1.0 * (1 - y.data**2)  # by hand: dy/dy and the first line
save_figure(gl.draw(y, title="2. During: dy/dz = 0.75 has arrived, all else waits"), "2_during")
y.backward()
save_figure(gl.draw(y, title="3. After: one pass gave the slope of y for every input"), "3_after")
found = {"dy/dz": z.grad, "dy/db": b.grad, "dy/dw1": w1.grad, "dy/dw2": w2.grad}
for (name, slope), by_hand in zip(found.items(), (0.75, 0.75, 1.5, -0.75)):
    assert math.isclose(slope, by_hand), f"{name} = {by_hand}"
right, left = (math.tanh((0.5 + h) * 2.0 + 3.0 * -1.0 + b.data) for h in (1e-5, -1e-5))
assert abs((right - left) / 2e-5 - w1.grad) < 1e-9, "a finite difference agrees with dy/dw1 = 1.5"


# %% [markdown]
# ## The engine, in the open
# A number, its gradient, its parents, one local slope per parent, and a serial number that tells
# which node is older. `backward` goes through a list, newest first; nothing calls itself.
# %%
class Scalar:
    serials = itertools.count()

    def __init__(self, data, parents=(), slopes=()):
        self.data, self.grad, self.serial = data, 0.0, next(self.serials)
        self.parents, self.slopes = parents, slopes  # slopes[i] = d(self) / d(parents[i])

    def __add__(self, other):
        return type(self)(self.data + other.data, (self, other), (1.0, 1.0))

    def __mul__(self, other):
        return type(self)(self.data * other.data, (self, other), (other.data, self.data))

    def tanh(self):
        y = math.tanh(self.data)
        return type(self)(y, (self,), (1 - y * y,))

    def history(self):
        found, waiting = {self}, [self]
        while waiting:
            new = set(waiting.pop().parents) - found
            found |= new
            waiting += new
        return sorted(found, key=lambda node: -node.serial)

    def receive(self, share):
        self.grad += share

    def backward(self):
        self.grad = 1.0
        for node in self.history():
            for parent, slope in zip(node.parents, node.slopes):
                parent.receive(node.grad * slope)


# %% [markdown]
# ## Traps 1 and 2: add the shares, newest node first
# Take `b = a + a; c = b + b; y = b + c`. So y = 3b = 6a: dy/db is 3 and dy/da is 6.
# 1. Two edges lead from a to b, and each brings a share. `=` in place of `+=` keeps only the last.
# 2. b is used by y *and* by c. Served as soon as it is met, right after y, it passes on the share
#    of y, 1; the 2 from c come too late for a. Newest first is safe: all users of b are younger.
# %%
class Overwriting(Scalar):
    def receive(self, share):
        self.grad = share  # trap 1


class FirstCome(Scalar):
    def history(self):
        met = [self]
        for node in met:  # trap 2: the list grows while we walk along it
            met += [parent for parent in node.parents if parent not in met]
        return met


found = {}
for engine in (Scalar, gl.Value, Overwriting, FirstCome):
    a = engine(1.0)
    b = a + a
    c = b + b
    (b + c).backward()
    found[engine] = (a.grad, b.grad)
assert found[Scalar] == found[gl.Value] == (6, 3), "y = 6a: dy/db = 1 + 2 = 3, dy/da = 3 + 3 = 6"
assert found[Overwriting] == (1, 1), "an engine that overwrites says dy/da = 1 instead of 6"
assert found[FirstCome] == (2, 3), "first come, first served says dy/da = 2 instead of 6"


# %% [markdown]
# ## The algorithm of the slides, and trap 3: zero the gradients
# A network with 3 hidden tanh neurons learns to multiply: t = x1 · x2. Its weights live on from
# step to step, and `+=` does not know that a new step began: unzeroed, old gradients count again.
# %%
def squared_error(engine, w, x1, x2):
    t, x1, x2, y = x1 * x2, engine(x1), engine(x2), w[12]
    for w1, w2, b, v in zip(w[0:3], w[3:6], w[6:9], w[9:12]):
        y = y + v * (w1 * x1 + w2 * x2 + b).tanh()
    return (y + engine(-t)) * (y + engine(-t))


def train(engine, zeroing=True, eta=0.1, epochs=60, batch=5):
    rng = np.random.default_rng(2)
    X, losses = rng.uniform(-1, 1, size=(40, 2)), []
    w = [engine(number) for number in rng.normal(size=13)]  # initialize weights randomly
    for _ in range(epochs):  # for epoch in num_epochs
        for rows in rng.permutation(len(X)).reshape(-1, batch):  # for mini-batch in epoch
            errors = [squared_error(engine, w, *x) for x in X[rows].tolist()]
            loss = sum(errors, start=engine(0.0)) * engine(1 / batch)  # ... forward pass
            for weight in w if zeroing else ():
                weight.grad = 0.0
            loss.backward()  # ... backward pass
            for weight in w:
                weight.data -= eta * weight.grad  # ... update, opposite to the gradient
            losses.append(loss.data)
    return np.reshape(losses, (epochs, -1)).mean(axis=1), [weight.grad for weight in w]


# %%
(losses, grads), (unzeroed, _) = train(Scalar), train(Scalar, zeroing=False)
print(f"loss {losses[0]:.3f} -> {losses[-1]:.3f}, unzeroed {unzeroed[0]:.3f} -> {unzeroed[-1]:.3f}")
assert losses[-1] < losses[0] / 20, "in 60 epochs the loss falls to less than a twentieth"
assert unzeroed[-1] > unzeroed[0], "with gradients never zeroed the loss ends higher than it began"
same = np.allclose(grads, train(gl.Value)[1], rtol=1e-9, atol=0)
assert same, "gl.Value trains the same network: the same 13 gradients after 480 steps"

# %% [markdown]
# ## Try it
# * Give `Scalar` an `exp` with its local slope. Check it against a finite difference.
# * Sort oldest first in `history` (drop the minus sign). Which claim fails first, and why?
# * Double a number 1,000 times: `y = y + y`. How many paths, how many nodes, which gradient?
# * Start all 13 weights at 0.5. Do the three hidden neurons ever become different?
# * Set `batch` to 1, then to 40, and plot the losses. Which falls further in 60 epochs?
