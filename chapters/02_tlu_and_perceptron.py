# %% [markdown]
# # 2. Threshold units that learn
#
# A threshold unit learns its line from its mistakes and stops, provably, if there is such a line.
#
# *Slides:* deck 001, section 10.1.3. *Before this:* chapter 01, where we chose the weights by hand.
# *You will see:* a unit that learns to tell iris flowers apart, the most mistakes that can take,
# a layer of three units with its shapes, and flowers that no line separates.

# %% 150 real flowers
import numpy as np

import gradlab as gl
from gradlab import plots
from gradlab.course import save_figure

iris = gl.data.load_iris()
X = iris.data[:, 2:]  # petal length and petal width, in cm
y = (iris.target == 0).astype(int)  # 1 for setosa, 0 for versicolor and virginica
assert X.shape == (150, 2), "X has shape (num instances, num features) = (150, 2)"

# %% [markdown]
# ## One unit, weights by hand
# z = w·x + b, then the step H. Setosa has short petals: w = (−1, 0), b = 2.5 says "under 2.5 cm".
# The first flower, 1.4 cm by 0.2 cm, has z = −1·1.4 + 0·0.2 + 2.5 = 1.1, so the output is 1.
# Now give every flower one more feature, x₀ = 1. Its weight w₀ adds w₀·1 to every sum, as b does.


# %% two ways to write the same unit
def H(z):
    return np.where(z < 0, 0, 1)


w, b = np.array([-1.0, 0.0]), 2.5
X1 = np.column_stack([np.ones(150), X])  # x0 = 1, length, width
assert np.isclose(X[0] @ w + b, 1.1), "the first flower has z = 1.1"
assert (H(X @ w + b) == y).all(), "one TLU tells setosa from the rest"
assert np.allclose(X1 @ [b, *w], X @ w + b), "a weight w0 = b for the feature x0 = 1 is the bias"

# %% [markdown]
# ## Rosenblatt's rule
# Now the unit shall find w₀, w₁ and w₂. Start with zeros and show it one flower after the other.
# After a mistake, and only then, move the weights: w ← w + η (y − output) x.
# The first 50 flowers are setosa: z = 0, and H(0) = 1 is right. Flower 51 is not setosa. Its z = 0
# gives 1 too, so y − output = −1. With η = 1, w = 0 − (1, 4.7, 1.4) = (−1, −4.7, −1.4).


# %% look, compare, correct
def learn(X, y, eta=1.0, max_epochs=100):
    path, mistakes = [np.zeros(X.shape[1])], []
    while len(mistakes) < max_epochs and (not mistakes or mistakes[-1] > 0):
        mistakes.append(0)
        for x, target in zip(X, y):
            error = target - H(path[-1] @ x)
            if error != 0:
                path.append(path[-1] + eta * error * x)
                mistakes[-1] += 1
    return path, mistakes


path, mistakes = learn(X1, y)
assert np.allclose(path[1], [-1, -4.7, -1.4]), "the first mistake leaves w = (−1, −4.7, −1.4)"
assert mistakes == [1, 3, 0], "1 mistake in the first epoch, 3 in the second, 0 in the third"
assert np.allclose(path[4], [2, -0.6, -0.8]), "it ends with z = 2 − 0.6 length − 0.8 width"
model = gl.Perceptron().fit(X, y)  # the library keeps b apart from w
assert np.allclose([*model.b_, *model.W_[:, 0]], path[4]), "gl.Perceptron ends with these weights"
assert model.mistakes_ == mistakes, "gl.Perceptron makes as many mistakes in each epoch"

# %% the line it found
ax = plots.decision_boundary(model, X, y, labels=["other", "setosa"])
w0, w1, w2 = path[3]
ax.axline((-w0 / w1, 0), (0, -w0 / w2), color="black", linestyle="--")
ax.text(0.9, 2.0, "z = 0 after mistake 4")
ax.text(0.3, 0.8, "after mistake 3")
ax.set(xlabel="petal length (cm)", ylabel="petal width (cm)")
ax.set_title("Four corrections are enough to tell setosa from the rest")
save_figure(ax, "setosa_line")

# %% [markdown]
# ## Why it stops
# *Perceptron convergence theorem:* if some plane z = 0 separates the classes, the mistakes end. Let
# γ be the least distance of any x from that plane, and R the length of the longest x. With η = 1 a
# mistake carries w at least γ along the plane's direction, and makes |w|² at most R² larger. After
# k mistakes kγ ≤ |w| ≤ √k R, so k ≤ (R/γ)². With R = 7.34 and the best γ, 0.2685, that is 747.

# %% the bound, and the mistakes really made
R = np.max(np.linalg.norm(X1, axis=1))
gamma = np.min((2 * y - 1) * (X1 @ path[4])) / np.linalg.norm(path[4])
best = gl.perceptron.separability(X, y)  # the plane with the largest gamma
orders = [np.random.default_rng(seed).permutation(150) for seed in range(50)]
most = max(sum(learn(X1[order], y[order])[1]) for order in orders)
assert np.isclose(R, best.radius), "the longest x has length R = 7.34"
assert best.bound < (R / gamma) ** 2, "our own plane has a smaller γ, so it promises less"
assert 747 < best.bound < 748, "with the best plane (R/γ)² is 747: no order makes more mistakes"
assert most <= best.bound, f"in 50 shuffled orders there were at most {most} mistakes"

# %% [markdown]
# ## A perceptron is a layer of units
# One unit per species: W has one column per unit, and b one bias per unit. h(X) = φ(XW + b) with
# shapes (150, 2) @ (2, 3) + (3,). "XW + b makes no sense mathematically speaking": NumPy
# *broadcasts* b, that is, adds it to every row of XW. Shapes are compared from the right: 3 and 3.
# With b of shape (150,), 3 meets 150, which is refused. But 1 fits everything: with shape (150, 1)
# each flower silently gets a bias of its own. So look at the shapes.

# %% three units, 150 flowers
layer = gl.Perceptron(pocket=True, random_state=0, max_epochs=100)
W, b = layer.fit(X, iris.target).W_, layer.b_
h = H(X @ W + b)
assert (W.shape, b.shape, h.shape) == ((2, 3), (3,), (150, 3)), "W (2, 3), b (3,), h(X) (150, 3)"
assert np.allclose((X @ W + b)[7], X[7] @ W + b), "b is added to every row of XW"
assert (gl.TLU(W, bias=b)(X) == h).all(), "gl.TLU with W and b computes the same layer"
try:
    X @ W + np.zeros(150)
except ValueError as error:
    complaint = str(error)
assert "(150,3) (150,)" in complaint, "a bias per flower, shape (150,), is a shape error"
assert (X @ W + np.zeros((150, 1))).shape == (150, 3), "shape (150, 1) is wrong and passes"
# A thick line is a large weight, a broken one is negative; the lines from 1 are the biases.
save_figure(plots.network(layer, numbers=False), "perceptron_2_3")

# %% [markdown]
# ## Where no line exists
# Setosa's unit is always right. The others cannot be. One versicolor flower lies inside a triangle
# of virginica flowers. It is a mixture of the corners, so its z is the same mixture of their z: if
# the corners lie on one side of a line, it lies there too. The plain rule would make mistakes
# forever. The *pocket* version, used above, keeps the best weights it has met, and it shuffles: in
# this file the species come one after the other, so the last one seen would have the last word.

# %% the proof, and its picture
wrong = (h != np.eye(3)[iris.target]).sum(axis=0)
assert list(wrong) == [0, 29, 4], "the three units are wrong on 0, 29 and 4 flowers"
units = layer.verdict(X, iris.target)
assert [unit.separable for unit in units] == [True, False, False], "a line exists for setosa only"
assert all(unit.check() for unit in units), "each verdict of the library carries its proof"
corners = np.array([(4.5, 1.7), (6.9, 2.3), (5.6, 1.4)])
middle = np.array([31, 5, 10]) / 46 @ corners
virginica, versicolor = X[iris.target == 2].tolist(), X[iris.target == 1].tolist()
assert all(corner in virginica for corner in corners.tolist()), "the corners are virginica"
assert middle.round(9).tolist() in versicolor, "31, 5 and 10 parts of 46 mix to a versicolor"
others = ["other", "virginica"]
ax = plots.decision_boundary(lambda P: H(P @ W[:, 2] + b[2]), X, iris.target == 2, labels=others)
ax.fill(*corners.T, facecolor="none", edgecolor="black", linewidth=2)
ax.plot(*middle, "*", color="black", markersize=16)
ax.set(xlim=(2.8, 7.1), ylim=(0.9, 2.8), xlabel="petal length (cm)", ylabel="petal width (cm)")
ax.set_title("A versicolor (star) amid three virginica: no line")
save_figure(ax, "no_line")

# %% [markdown]
# ## Try it
# * Call `learn` with η = 0.1. The weights change, the mistakes do not. Why, starting from zeros?
# * Add 100 cm to every petal length. What do mistakes and bound do? Then subtract the means.
# * Print the mistakes of `learn(X1, iris.target == 1)`. Why is a line bad at the middle species?
# * A versicolor and two virginica flowers share (4.8, 1.8). Leave them out: is there a line now?
