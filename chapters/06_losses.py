# %% [markdown]
# # 6 Loss functions
#
# A loss turns a prediction and the truth into one number, and its slope says which way to move.
#
# *Slides:* deck 001, sections 10.1.5 and 10.1.6, *Loss Functions*; 10.2.1 for sparse labels.
# *Before this:* activation functions (chapter 5). *You will see:* the formulas by hand and by
# gradlab, what an outlier does to a fit, where a logarithm breaks, and which loss to take when.
#
# ## Regression: MSE and MAE
# Three true values y and predictions ŷ have the errors e = ŷ - y = -0.5, 0 and 3.
# MSE = (0.25 + 0 + 9) / 3 = 3.083, nearly all of it from one error. MAE = 3.5 / 3 = 1.167.
# %% two means
import matplotlib.pyplot as plt
import numpy as np

import gradlab as gl
from gradlab import plots
from gradlab.course import save_figure

plt.rcParams.update({"font.size": 13, "axes.spines.top": False, "axes.spines.right": False})
y, y_hat = np.array([3.0, 5.0, 2.0]), np.array([2.5, 5.0, 5.0])
mse, mae = gl.mean_squared_error(y, y_hat), gl.mean_absolute_error(y, y_hat)
assert np.isclose(mse, sum((y_hat - y) ** 2) / 3), "MSE = 1/m Σ (ŷ - y)²"
assert np.allclose((mse, mae), (3.083, 1.167), atol=5e-4), "here MSE = 3.083 and MAE = 1.167"

# %% [markdown]
# ## Huber: quadratic for small errors, linear for large ones
# With δ = 1 it is ½e² if |e| ≤ 1, otherwise |e| - ½: 0.125 for an error of 0.5, and 2.5 for 3.
# At |e| = 1 both pieces give ½ and have slope 1, so they meet without a corner.
# %% the two pieces and their seam
H = lambda y, y_hat: np.where(abs(y - y_hat) <= 1, (y - y_hat) ** 2 / 2, abs(y - y_hat) - 1 / 2)
for e, value in ((0.5, 0.125), (1.0, 0.5), (3.0, 2.5), (-3.0, 2.5)):
    assert H(0.0, e) == gl.huber(0.0, e) == value, f"Huber loss of the error {e}: {value}"
assert np.isclose(gl.huber(y, y_hat), H(y, y_hat).mean()), "gl.huber is the mean over the outputs"
both = gl.value_and_grad(gl.huber, 1)  # and the slope for argument 1, the prediction
for e in (1 - 1e-9, 1 + 1e-9):
    assert np.allclose(both(0.0, e), (0.5, 1)), "on both sides of |e| = δ: value ½ and slope 1"
assert both(0.0, 100.0)[1] == -both(0.0, -100.0)[1] == 1, "an error of 100 pulls no harder than 1"
assert gl.huber(0.0, 3.0, delta=2.0) == 2 * 3 - 2**2 / 2, "any δ: δ|e| - δ²/2 from δ on"


# %% the figure of the slides, and the slopes
def huber(e):
    return gl.huber(0 * e[:, None], e[:, None])  # a column: each error is an instance of its own


def quadratic(e):
    return e**2 / 2


left, right = plots.functions_and_slopes([huber, quadratic], span=(-3, 3))
left.set(title="Beyond |e| = 1 Huber goes straight on", xlabel="error e = ŷ - y")
right.set(title="Slopes: Huber never pulls harder than 1", xlabel="error e = ŷ - y")
save_figure(left, "huber_and_quadratic")

# %% [markdown]
# ## What an outlier does
# Which one number c stands best for 1, 2, 2.5, 4 and 20? Let gradient descent find it. The MSE
# leads to the mean, 5.9, above four of the five. The MAE leads to the median, 2.5: each number
# pulls equally hard. With Huber those nearer than δ pull less, and c = 2.75 is where all balance.
# %% fit a constant
y = np.array([1.0, 2.0, 2.5, 4.0, 20.0])


def fit(loss, c=0.0, eta=0.05):
    for _ in range(1000):
        c -= eta * gl.grad(lambda c: loss(y, c + np.zeros(5)))(c)
    return c


mse, mae, huber = map(fit, (gl.mean_squared_error, gl.mean_absolute_error, gl.huber))
print(f"fitted constant: {mse:.2f} by MSE, {mae:.2f} by MAE, {huber:.2f} by Huber")
assert np.isclose(mse, y.mean()), "MSE leads to the mean, 5.9"
assert abs(mae - np.median(y)) < 0.05, "MAE leads to the median, 2.5 (and steps around it)"
assert np.isclose(huber, 2.75), "Huber leads to 2.75: in between, close to the median"

# %% [markdown]
# ## Classification: cross entropy
# The truth is 1 and you said p: the loss is -log p, your surprise. p = 0.5 costs log 2 = 0.693.
# Sure and right is nearly free. Sure and wrong, p = 0.01, costs 4.605. With K classes the loss is
# -log of the probability of the right one. A *sparse* label is its number: 1 for (0, 1, 0).
# %% binary, categorical, sparse
BCE = lambda y, y_hat: -(y * np.log(y_hat) + (1 - y) * np.log(1 - y_hat))
CCE = lambda y, y_hat: -np.sum(y * np.log(y_hat))
assert np.isclose(gl.binary_crossentropy(1.0, 0.5), np.log(2)), "y = 1, ŷ = 0.5: BCE is log 2"
assert round(float(gl.binary_crossentropy(1.0, 0.01)), 3) == 4.605, "sure and wrong: BCE = 4.605"
assert np.isclose(gl.binary_crossentropy(0.0, 0.3), BCE(0, 0.3)), "gl.binary_crossentropy is BCE"
y, y_hat = np.array([0.0, 1.0, 0.0]), np.array([0.2, 0.7, 0.1])
assert np.isclose(gl.categorical_crossentropy(y, y_hat), CCE(y, y_hat)), "one-hot: CCE = -Σ y log ŷ"
assert np.isclose(CCE(y, y_hat), -np.log(0.7)), "only the right class counts: -log 0.7 = 0.357"
assert np.isclose(gl.sparse_categorical_crossentropy(1, y_hat), CCE(y, y_hat)), "sparse CCE = CCE"

# %% the price of a probability
p = np.linspace(0.001, 0.999, 999)
fig, ax = plt.subplots(figsize=(9, 4.8), layout="constrained")
ax.plot(p, BCE(1, p), color="#0072B2", lw=3)
ax.plot(p, BCE(0, p), "--", color="#D55E00", lw=3)
ax.annotate("log 2", (0.5, np.log(2)), (0.5, 1.4), ha="center", arrowprops={"arrowstyle": "->"})
ax.text(0.07, 3.0, "truth is 1:  -log p", color="#0072B2", weight="bold")
ax.text(0.93, 3.0, "truth is 0:  -log(1 - p)", color="#D55E00", weight="bold", ha="right")
ax.set(title="Sure and wrong is expensive", xlabel="predicted probability p of a 1", ylim=(0, 5))
save_figure(fig, "cross_entropy")

# %% [markdown]
# ## Probabilities or logits
# The score z before the sigmoid or softmax is called a *logit*. Far out, its probability rounds to
# 0, and log 0 is infinite. gradlab, like Keras, then takes 1e-7: the loss is stuck at 16.1 and has
# no slope. With `from_logits=True` the loss is computed from z itself, and nothing is lost.
# Either way, the slope of softmax and cross entropy together is p - y: just the error.
# %% equal in the middle, different far out
z, ones = np.linspace(-5, 5, 11)[:, None], np.ones((11, 1))
stuck = lambda z, y: gl.binary_crossentropy(y, gl.sigmoid(z))
alive = lambda z, y: gl.binary_crossentropy(y, z, from_logits=True)
assert np.allclose(stuck(z, ones), alive(z, ones)), "from -5 to 5, both ways give the same loss"
assert np.isclose(stuck(-1e4, 1.0), 16.118), "z = -10,000, truth 1, from probabilities: 16.118"
assert alive(-1e4, 1.0) == alive(1e4, 0.0) == 1e4, "from logits: 10,000, as it must be"
assert gl.grad(stuck)(-1e4, 1.0) == 0, "from probabilities there is no slope left to learn from"
assert gl.grad(alive)(-1e4, 1.0) == -1, "from logits the slope is p - y = -1"
z, y = np.array([2.0, 1.0, 0.0]), np.array([0.0, 1.0, 0.0])
slopes = gl.grad(lambda z: gl.categorical_crossentropy(y, gl.softmax(z)))(z)
assert np.allclose(slopes, gl.softmax(z) - y), "slope of softmax and cross entropy: p - y"

# %% [markdown]
# ## Which loss when: the tables of the slides
# %% two tables
print("""\
REGRESSION         typical value
input, hidden      one neuron per feature; 1 to 5 layers of 10 to 100 neurons, mostly ReLU
output neurons     1 per prediction dimension
output activation  none; ReLU or softplus if positive; logistic or tanh if bounded
loss               MSE; Huber or MAE if there are many outliers

CLASSIFICATION     binary                multilabel            multiclass
output neurons     1                     1 per label           1 per class
output activation  logistic              logistic              softmax
loss               binary cross entropy  binary cross entropy  categorical cross entropy""")


# %% [markdown]
# ## Mistakes that everyone makes
# %% three errors, each with its mend
def message(loss, y, y_hat):
    try:
        return f"no error: {loss(y, y_hat)}"
    except ValueError as error:
        print(error, end="\n\n")
        return str(error)


p = np.array([[0.2, 0.7, 0.1], [0.6, 0.3, 0.1]])  # two instances, three classes
sparse, cce = gl.sparse_categorical_crossentropy, gl.categorical_crossentropy
assert "argmax" in message(sparse, np.eye(3)[[1, 0]], p), "one-hot labels, sparse loss: use argmax"
assert "0 to 2" in message(sparse, [2, 3], p), "labels start at 0: there is no class 3 of three"
assert "sparse" in message(cce, [1, 0], p), "class numbers want the sparse loss"
assert "reshape(2, 1)" in message(gl.mean_squared_error, y[:2], p[:, :1]), "(2,) is not (2, 1)"

# %% [markdown]
# ## Try it
# * Move the outlier from 20 to 2000. Which of the three fitted constants notice?
# * Run `fit` with `lambda y, c: gl.huber(y, c, delta=10.0)`. Which loss does it become?
# * What does 0.99 for the right class cost, and what 0.01? And under squared error?
# * Nest `gl.grad` in `gl.grad(alive)`: where does the loss bend most, and where is it a line?
