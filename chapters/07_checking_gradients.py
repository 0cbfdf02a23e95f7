# %% [markdown]
# # 7. Checking gradients
#
# A gradient you wrote by hand is checked by moving the input a little and measuring what happens.
#
# Slides: deck 001, section 10.1.4: the backward pass. Before this: slopes by the chain rule
# (chapters 4 to 6). You will see: why the size of the step matters, three classic mistakes found
# and named, and a layer in plain NumPy mended by following what the checker says.

# %%
import math

import matplotlib.pyplot as plt
import numpy as np

import gradlab as gl
from gradlab.course import save_figure
from gradlab.testing import falsify, gradcheck

plt.rcParams.update({"font.size": 13, "axes.spines.top": False, "axes.spines.right": False})

# %% [markdown]
# ## Move a little, and measure
#
# The slope of f at x is the limit of (f(x + h) - f(x)) / h. A computer cannot go to the limit. Take
# f = exp at x = 1, whose slope is e, and try every h from 1 down to 10⁻¹⁶.

# %% Too long a step, too short a step
steps = 10.0 ** -np.arange(0, 17)
errors = np.array([abs((math.exp(1 + h) - math.exp(1)) / h - math.e) for h in steps])
best = steps[errors.argmin()]
assert errors[0] > 1, "a step of 1 is wrong by more than 1: the curve bends"
assert errors[-1] > 2, "a step of 1e-16 is wrong by e: x + h is x, nothing moved"
assert 1e-9 <= best <= 1e-7, "the best step is near the root of the rounding error, 1e-8"
print(f"best step {best:g}: error {errors.min():.1g}")

# %% [markdown]
# Long steps suffer from the bend (truncation, falling with h), short ones from rounding (rising
# with 1/h). The two make a V. No single h is good for every f and x, so gradlab tries a ladder of
# steps, extrapolates, and states a bound for its own error.

# %% The V
figure, ax = plt.subplots(figsize=(7.5, 4.5), layout="constrained")
ax.loglog(steps, errors, "o-", color="#0072B2")
ax.set(xlabel="step h", ylabel="error of the slope", title="Too short is as bad as too long")
ax.text(2e-7, 1e-2, "truncation:\nthe curve bends", color="#D55E00")
ax.text(3e-16, 1e-7, "rounding:\ndigits are lost", color="#009E73")
save_figure(figure, "v_curve")
slopes = gl.testing.directional(np.exp, 1.0)
print(slopes.right)
assert abs(slopes.right.value - math.e) < 4 * slopes.right.error, "the stated bound holds"
assert slopes.right.error < errors.min() / 10, "and is far below the best single step's error"

# %% [markdown]
# ## Three classic mistakes
#
# `gradcheck(f, x, vjp=backward)` takes a backward pass: from the incoming gradient g to the
# gradient of x. First the factor that got lost: (x²)' is 2x, not x.

# %% A factor
x = np.array([0.5, -2.0, 3.0])
report = gradcheck(lambda x: x * x, x, vjp=lambda g, x: g * x, raise_on_error=False)
print(report)
assert not report, "x instead of 2x is rejected"
assert "2" in str(report.diagnosis), "and the checker names the factor 2"
assert gradcheck(lambda x: x * x, x, vjp=lambda g, x: g * 2 * x), "2x passes"

# %% [markdown]
# Second, the one that a test with g = 1 never sees. The outputs of softmax always sum to 1: against
# a gradient of ones its backward pass is 0, whatever x. So one that returns 0 looks right.

# %% Ones hide it
zero = lambda g, x: np.zeros_like(x)
ones = np.ones(3)
p = gl.softmax(x)
assert np.allclose(p * (ones - (ones * p).sum()), 0), "against ones the true gradient is 0 too"
report = gradcheck(gl.softmax, x, vjp=zero, raise_on_error=False)
assert not report, "against random cotangents the zero is caught"
print(report)

# %% [markdown]
# Third, a mistake that hides where you did not look. This ReLU6 forgets that it is flat above 6.
# Numbers drawn from a normal distribution never get there. `falsify` searches, and shrinks what it
# finds to the smallest example.

# %% Far out
relu6 = lambda x: np.clip(x, 0.0, 6.0)
forgets = lambda g, x: g * (x > 0)
z = np.random.default_rng(0).normal(size=1000)
assert gradcheck(relu6, z, vjp=forgets), "a thousand normal numbers see nothing wrong"
found = falsify(relu6, forgets, kinks=(0.0, 6.0))
print(found)
assert found is not None, "a search finds a number above 6"

# %% [markdown]
# At a corner there is no slope, and a checker that insists on one cries wolf. Between the slope on
# the left and the slope on the right every value is right: at 0, ReLU may answer 0, 1 or anything
# between.

# %% Corners
relu = lambda x: np.maximum(x, 0.0)
for slope_at_0 in (0.0, 0.5, 1.0):
    backward = lambda g, x, s=slope_at_0: g * np.where(x == 0, s, x > 0)
    assert gradcheck(relu, np.zeros(3), vjp=backward), "any slope from 0 to 1 is right at ReLU's 0"
two = lambda g, x: g * np.where(x == 0, 2.0, x > 0)
assert not gradcheck(relu, np.zeros(3), vjp=two, raise_on_error=False), "a slope of 2 is not"

# %% [markdown]
# ## A layer to mend
#
# A dense layer with tanh, as a student wrote it. It runs. Does it learn the right thing?

# %% As handed in
rng = np.random.default_rng(1)
X, W, b = rng.normal(size=(4, 3)), rng.normal(size=(3, 2)), rng.normal(size=2)


def layer(X, W, b):
    return np.tanh(X @ W + b)


def handed_in(g, X, W, b):
    return g @ W.T, X.T @ g, g[0]


report = gradcheck(layer, X, W, b, vjp=handed_in, raise_on_error=False)
print(report)
assert not report, "the layer as handed in is wrong"


# %% [markdown]
# The slope of tanh is missing: g must be multiplied by 1 - y² first. Then one mistake is left.


# %% Mended in two steps
def with_slope(g, X, W, b):
    g = g * (1 - layer(X, W, b) ** 2)
    return g @ W.T, X.T @ g, g[0]


def mended(g, X, W, b):
    g = g * (1 - layer(X, W, b) ** 2)
    return g @ W.T, X.T @ g, g.sum(axis=0)  # b was added to every row: add its gradients up


assert gradcheck(layer, X, W, b, vjp=with_slope, wrt=(0, 1)), "X and W are right now"
report = gradcheck(layer, X, W, b, vjp=with_slope, raise_on_error=False)
print(report)
assert report.worst.argument == "b", "what is left is the bias"
assert gradcheck(layer, X, W, b, vjp=mended), "all three gradients are right"
assert gradcheck(gl.dense, X, W, b), "and so are those of the library's own layer"

# %% [markdown]
# ## Try it
#
# * Swap `g @ W.T` for `g @ W` with a square W. Read the diagnosis.
# * Give `mended` a `g.mean(axis=0)` for the bias. Which factor does the checker name?
# * Check in single precision: `X.astype(np.float32)` and so on. Is there a false alarm?
# * Save the layer as a class with `forward` and `backward` in a file of its own, and run
#   `gradlab check layer.py:YourLayer`.
