# %% [markdown]
# # 1. Logic with neurons
#
# A neuron that only says 0 or 1 computes AND, OR and NOT, and a few of them together compute more.
#
# *Slides:* deck 001, sections 10.1.1 and 10.1.2; the formulas are those of 10.1.3.
# *Before this:* nothing. *You will see:* one artificial neuron in five lines of Python, the truth
# tables of four tiny networks, the line that each of them draws, and networks made of networks.
#
# A biological neuron collects signals. When it gets enough of them within a few milliseconds, it
# fires a signal of its own. So the artificial one needs two things: a sum, and a limit.

# %% the limit: a step function
import matplotlib.pyplot as plt
import numpy as np

import gradlab as gl
from gradlab.course import save_figure


def H(z):
    return 0 if z < 0 else 1


assert H(-0.001) == 0, "H(z) = 0 for every z below 0, however little"
assert H(0) == 1, "H(0) = 1: a sum of exactly 0 fires"

# %% [markdown]
# ## One neuron
# A *threshold logic unit* (TLU) multiplies each input by a weight, adds everything up together with
# a bias b, and applies the step: z = w·x + b, output = H(z).
#
# By hand: w = (1, 1), b = −2 and x = (1, 0) give z = 1·1 + 1·0 − 2 = −1, so the output is 0.


# %% z = w·x + b, then the step
def tlu(x, w, b):
    z = b
    for w_i, x_i in zip(w, x):
        z += w_i * x_i
    return H(z)


assert tlu((1, 0), w=(1, 1), b=-2) == 0, "w = (1, 1), b = −2 answers 0 to (1, 0), where z = −1"
assert tlu((1, 1), w=(1, 1), b=-2) == 1, "w = (1, 1), b = −2 answers 1 to (1, 1), where z = 0"

# %% [markdown]
# ## Four networks, one limit
# Here a neuron fires *when at least two of its connections carry a 1*: b = −2 in every network.
# An input may be connected twice, which is a weight of 2, or hold the neuron back: a weight of −1.

# %% the truth tables
corners = [(0, 0), (0, 1), (1, 0), (1, 1)]  # all that A and B can be
networks = {"A": (2, 0), "A AND B": (1, 1), "A OR B": (2, 2), "A AND NOT B": (2, -1)}
truth = [0, 0, 1, 1], [0, 0, 0, 1], [0, 1, 1, 1], [0, 0, 1, 0]  # their answers at the corners

for (name, w), expected in zip(networks.items(), truth):
    outputs = [tlu(x, w, b=-2) for x in corners]
    print(f"{name:<12} {dict(zip(corners, outputs))}")
    assert outputs == expected, f"one TLU with w = {w}, b = −2 computes {name}"

# %% [markdown]
# ## A constant input is a bias
# What if A is always 1? Then "A AND NOT B" says NOT B. The constant input adds its weight 2 to
# every sum, so it works like a bias: −2 + 2 = 0. One neuron with w = (−1), b = 0 is enough for NOT.

# %% NOT
for B in (0, 1):
    assert tlu((1, B), (2, -1), b=-2) == 1 - B, "A AND NOT B, with A always 1, is NOT B"
    assert tlu((B,), (-1,), b=-2 + 2) == 1 - B, "one TLU with w = (−1), b = 0 computes NOT"

# %% [markdown]
# ## Room to spare
# AND has z = 0 at (1, 1): its answer hangs on H(0) = 1. All these sums are whole numbers, so
# b = −1.5 gives the same answers, and no z is 0 any more. Now turn every sign: z becomes −z, and
# each answer becomes its opposite. AND becomes NAND. With b = 2 that fails: −0 is 0, and fires.

# %% NAND
for x in corners:
    for w in networks.values():
        assert tlu(x, w, b=-1.5) == tlu(x, w, b=-2), "b = −1.5 answers as b = −2 does"
    assert tlu(x, (-1, -1), b=1.5) == 1 - all(x), "AND with every sign turned is NAND"
assert tlu((1, 1), (-1, -1), b=2) == 1, "where z = 0, turning the signs changes nothing"

# %% [markdown]
# ## What a neuron sees
# The inputs are points of a plane, and z = 0 is a straight line in it. On one side the neuron
# fires, on the other it does not. One neuron draws one line, here with b = −1.5.

# %% the networks
plt.rcParams["font.size"] = 14
fig, axes = plt.subplots(2, 4, figsize=(13, 6.4), height_ratios=(2, 3), layout="constrained")
middle = {"ha": "center", "va": "center"}
for (title, w), ax in zip(networks.items(), axes[0]):
    for name, y, weight in zip("AB", (1, 0), w):
        color, line = ("#0072B2", "-") if weight > 0 else ("#D55E00", "--")
        ax.plot((0, 1), (y, 0.5), line, color=color, linewidth=2 * abs(weight), zorder=0)
        ax.text(0.5, 0.25 + y / 2, f"${weight:+d}$", backgroundcolor="white", **middle)
        ax.text(0, y, name, bbox={"boxstyle": "circle", "facecolor": "white"}, **middle)
    ax.text(1, 0.5, "$-$1.5", bbox={"boxstyle": "circle", "facecolor": "#eeeeee"}, **middle)
    ax.set(xlim=(-0.25, 1.35), ylim=(-0.3, 1.3), title=title)
    ax.axis("off")

# %% their decision lines below
A, B = np.meshgrid(np.linspace(-0.5, 1.5, 201), np.linspace(-0.5, 1.5, 201))
for w, ax in zip(networks.values(), axes[1]):
    z = w[0] * A + w[1] * B - 1.5
    ax.contourf(A, B, z, levels=(0, 9), colors="#cfe4f3")
    ax.contour(A, B, z, levels=(0,), colors="black", linewidths=2)
    for x in corners:
        y = tlu(x, w, b=-1.5)
        ax.plot(*x, "o", markersize=14, color="#0072B2", fillstyle="full" if y else "none")
        ax.text(x[0], x[1] + 0.13, y, ha="center")
    ax.set(xticks=(0, 1), yticks=(0, 1), xlabel="A", ylabel="B", aspect="equal")
fig.suptitle("One neuron draws one line: it fires on the blue side, where z ≥ 0", fontsize=18)
save_figure(fig, "four_networks")

# %% [markdown]
# ## Networks of networks
# The output of a neuron may be the input of the next. Three neurons in two layers decide
# "if A then B else C": for A = 1, B = 0, C = 1 the first layer says (A AND B) = 0 and
# (C AND NOT A) = 0, and the second says 0 OR 0 = 0, which is B. NAND alone gives all the others.


# %% neurons fed by neurons
def choose(A, B, C):
    first = tlu((A, B), networks["A AND B"], b=-2), tlu((C, A), networks["A AND NOT B"], b=-2)
    return tlu(first, networks["A OR B"], b=-2)


def NAND(A, B):
    return tlu((A, B), (-1, -1), b=1.5)


for A, B in corners:
    for C in (0, 1):
        assert choose(A, B, C) == (B if A else C), "three neurons compute: if A then B else C"
    assert NAND(A, A) == 1 - A, "NOT is one NAND"
    assert NAND(NAND(A, B), NAND(A, B)) == (A and B), "AND is NAND, then NOT"
    assert NAND(NAND(A, A), NAND(B, B)) == (A or B), "OR is the NAND of NOT A and NOT B"

# %% [markdown]
# ## The library agrees
# `gl.step` is H and `gl.TLU` is the neuron. With one column of weights for each neuron it computes
# all four at once: a *layer*. Chapter 02 is about layers.

# %% four neurons as one layer
W = np.array([*networks.values()]).T  # shape (2, 4): 2 inputs, 4 neurons
layer = gl.TLU(W, bias=[-2, -2, -2, -2])
assert gl.step(0.0) == H(0.0), "gl.step keeps the slides' convention: H(0) = 1"
assert layer(corners).T.tolist() == [*truth], "gl.TLU gives the same four truth tables"
layer(corners)

# %% [markdown]
# ## Try it
# * Find w and b for A NOR B, which is 1 only if both are 0. Which other values of b work too?
# * Let H(0) = 0, and drop the claim that forbids it. Which claims break now, and which cannot?
# * w = (1, 1, 1), b = −2 is a vote: two of three decide. How many AND and OR gates would it take?
# * Which b make one neuron with four weights of 1 compute A AND B AND C AND D?
# * XOR is 1 if exactly one of A and B is 1. Look for its line in the picture. Chapter 03 does.
