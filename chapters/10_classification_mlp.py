# %% [markdown]
# # 10 Classification MLPs
#
# One question with two answers, several such questions at once, or one class out of many: three
# kinds of classification, which differ in their last layer and their loss only.
#
# *Slides:* deck 001, section 10.1.6. *Before this:* losses (chapter 6), regression (chapter 9).
# *You will see:* the three kinds on real data, and softmax by hand.
#
# | | binary | multilabel binary | multiclass |
# |---|---|---|---|
# | output neurons | 1 | 1 per label | 1 per class |
# | output activation | logistic | logistic | softmax |
# | loss | binary cross entropy | binary cross entropy | categorical cross entropy |
# %% 150 iris flowers
import numpy as np

from gradlab import keras, plots
from gradlab.course import save_figure
from gradlab.data import load_iris

keras.utils.set_random_seed(42)
iris = load_iris()
X, species = iris.data[:, 2:], iris.target  # length and width of the petals, in cm
assert X.shape == (150, 2), "150 flowers, two features"
rng = np.random.default_rng(0)
order = rng.permutation(150)
train, test = order[:120], order[120:]

# %% [markdown]
# ## Binary: is it a virginica?
# One output neuron with the logistic function: a number between 0 and 1, the estimated probability
# of *yes*. The probability of *no* is one minus that number.
# %% one neuron at the end
is_virginica = (species == 2).astype(int)
model = keras.Sequential(
    [
        keras.layers.Normalization(input_shape=[2]),
        keras.layers.Dense(10, activation="relu"),
        keras.layers.Dense(1, activation="sigmoid"),
    ]
)
model.layers[0].adapt(X[train])
model.compile(loss="binary_crossentropy", optimizer="adam", metrics=["accuracy"])
model.fit(X[train], is_virginica[train], epochs=100, verbose=0)
p = model.predict(X[test], verbose=0)
assert p.shape == (30, 1) and p.min() > 0 and p.max() < 1, "one probability for each flower"
loss, accuracy = model.evaluate(X[test], is_virginica[test], verbose=0)
print(f"virginica or not: {accuracy:.0%} of 30 flowers right")
assert accuracy >= 0.9, "at least 9 of 10 are right"
by_hand = -np.log(np.where(is_virginica[test] == 1, p[:, 0], 1 - p[:, 0])).mean()
assert np.isclose(loss, by_hand, rtol=1e-4), "the loss is the mean of -log p(truth)"

# %% where it says yes
p_yes = lambda z: model.predict(z, verbose=0)[:, 0]
ax = plots.decision_boundary(p_yes, X, is_virginica, labels=["other", "virginica"])
ax.set(xlabel="petal length / cm", ylabel="petal width / cm", title="Virginica?")
save_figure(ax, "binary")

# %% [markdown]
# ## Multilabel: several questions at once
# Is this digit even? Is it 5 or more? The answers do not exclude each other, so each gets a
# logistic neuron of its own, and the loss is the mean of two binary cross entropies.
# %% two neurons at the end
(X_digits, y_digits), (X_new, y_new) = keras.datasets.mnist.load_data()
X_digits, y_digits = X_digits[:2000] / 255.0, y_digits[:2000]
X_new, y_new = X_new[:500] / 255.0, y_new[:500]
ask = lambda y: np.stack([y % 2 == 0, y >= 5], axis=1).astype("float32")
model = keras.Sequential(
    [
        keras.layers.Flatten(input_shape=[28, 28]),
        keras.layers.Dense(50, activation="relu"),
        keras.layers.Dense(2, activation="sigmoid"),
    ]
)
model.compile(loss="binary_crossentropy", optimizer="adam", metrics=["binary_accuracy"])
model.fit(X_digits, ask(y_digits), epochs=20, verbose=0)
both = model.predict(X_new, verbose=0)
assert ask(np.array([6])).tolist() == [[1, 1]], "6 is even, and it is 5 or more"
assert abs(both.sum(axis=1) - 1).max() > 0.5, "two probabilities that need not sum to 1"
right = ((both > 0.5) == ask(y_new)).mean(axis=0)
print(f"even? {right[0]:.0%} right; 5 or more? {right[1]:.0%} right")
assert right.min() > 0.85, "both questions: more than 85 % right"

# %% [markdown]
# ## Multiclass: one of several
# One neuron per class, and softmax makes their outputs probabilities: (1) take e to the power of
# each, so that all are positive; (2) divide by the sum, so that they add up to 1.
# %% softmax by hand
z = np.array([2.0, 1.0, -1.0])
powers = np.exp(z)
by_hand = powers / powers.sum()
print(z, "→", powers.round(3), "→", by_hand.round(3))
assert (powers > 0).all(), "step 1: all numbers are positive"
assert np.isclose(by_hand.sum(), 1), "step 2: they sum to 1"
assert np.allclose(keras.activations.softmax(z), by_hand), "keras.activations.softmax does this"
assert by_hand.argmax() == z.argmax(), "the largest score keeps the largest probability"

# %% three neurons at the end
model = keras.Sequential(
    [
        keras.layers.Normalization(input_shape=[2]),
        keras.layers.Dense(10, activation="relu"),
        keras.layers.Dense(3, activation="softmax"),
    ]
)
model.layers[0].adapt(X[train])
model.compile(loss="sparse_categorical_crossentropy", optimizer="adam", metrics=["accuracy"])
model.fit(X[train], species[train], epochs=150, verbose=0)
p = model.predict(X[test], verbose=0)
assert np.allclose(p.sum(axis=1), 1, atol=1e-5), "three probabilities that sum to 1"
print("probabilities of the first three flowers:", p[:3].round(2), "truth:", species[test][:3])
assert (p.argmax(axis=1) == species[test]).mean() >= 0.9, "at least 9 of 10 species are right"
which = lambda z: model.predict(z, verbose=0).argmax(axis=1)
ax = plots.decision_boundary(which, X, species, labels=iris.target_names)
ax.set(xlabel="petal length / cm", ylabel="petal width / cm", title="Three species")
save_figure(ax, "multiclass")

# %% [markdown]
# ## Labels: numbers or one-hot
# `sparse_categorical_crossentropy` takes the number of the class, `categorical_crossentropy` a
# vector with a single 1. They are the same loss.
# %% the same loss twice
one_hot = keras.utils.to_categorical(species[test], num_classes=3)
sparse = keras.losses.sparse_categorical_crossentropy(species[test], p)
dense = keras.losses.categorical_crossentropy(one_hot, p)
assert np.allclose(sparse, dense), "both give the same number for each flower"
assert (one_hot.argmax(axis=1) == species[test]).all(), "argmax leads back to the numbers"
ax = plots.confusion_matrix(species[test], p.argmax(axis=1), labels=iris.target_names)
save_figure(ax, "confusion")

# %% [markdown]
# ## Try it
# * Use softmax for the two questions of the multilabel model. Why can it not get both right?
# * Give the multiclass model one-hot labels, but keep the sparse loss. Read what it says.
# * Leave "softmax" out and write `SparseCategoricalCrossentropy(from_logits=True)`. Is it the same?
