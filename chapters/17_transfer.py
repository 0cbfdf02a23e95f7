# %% [markdown]
# # 17 Transfer learning
#
# What a network has learned for one question helps with the next: reuse its lower layers.
#
# *Slides:* deck 001, section 10.3 ("Very often you can use transfer learning, i.e. reuse the lower
# layers of a pretrained network"). *Before this:* Fashion-MNIST (chapter 11), the functional API
# (chapter 14). *You will see:* layers reused, frozen and thawed, what 50 labels are worth with and
# without them, and a model cut open to look at its features.
#
# `gradlab run --full 17` trains the first network on all images; without `--full`, on 10,000.
# %% many images with their classes, few with an answer to a new question
import matplotlib.pyplot as plt
import numpy as np

from gradlab import keras
from gradlab.course import FULL, save_figure

keras.utils.set_random_seed(42)
keras.backend.clear_session()
(X, y), (X_test, y_test) = keras.datasets.fashion_mnist.load_data()
X, X_test = X / np.float32(255), X_test / np.float32(255)
cut = len(X) * 5 // 6  # the last sixth is for the new question
size = cut if FULL else min(cut, 10_000)
X_a, y_a = X[:size], y[:size]

WINTER, SUMMER = [2, 4, 9], [0, 3, 5]  # pullover, coat, ankle boot; T-shirt, dress, sandal
seasonal = np.isin(y[cut:], WINTER + SUMMER)
X_b, y_b = X[cut:][seasonal], np.isin(y[cut:][seasonal], WINTER).astype("float32")
seasonal = np.isin(y_test, WINTER + SUMMER)
X_b_test, y_b_test = X_test[seasonal], np.isin(y_test[seasonal], WINTER).astype("float32")
assert 0.45 < y_b.mean() < 0.55, "about one half is for the winter"

# %% [markdown]
# ## Model A
# It learns the ten classes, from many images.
# %% the pretrained network
model_a = keras.Sequential(
    [
        keras.layers.Flatten(input_shape=[28, 28]),
        keras.layers.Dense(100, activation="relu", name="hidden1"),
        keras.layers.Dense(50, activation="relu", name="hidden2"),
        keras.layers.Dense(10, activation="softmax", name="classes"),
    ]
)
model_a.compile(loss="sparse_categorical_crossentropy", optimizer="adam", metrics=["accuracy"])
model_a.fit(X_a, y_a, epochs=10 if FULL else 6, verbose=0)
accuracy_a = model_a.evaluate(X_test, y_test, verbose=0)[1]
print(f"model A: {accuracy_a:.1%} right")
assert accuracy_a > (0.84 if FULL else 0.7), "ten classes: far better than guessing"

# %% [markdown]
# ## Reuse its lower layers
# The new question is: winter or summer? Only the output layer of A is of no use for it. The list
# `model_a.layers[:-1]` has the very layers of A, and training them would spoil A: so copy first.
# `clone_model` makes the same layers with new weights, `set_weights` copies what was learned.
# %% all but the last layer, frozen


def on_model_a():
    copy = keras.models.clone_model(model_a)
    copy.set_weights(model_a.get_weights())
    model = keras.Sequential([*copy.layers[:-1], keras.layers.Dense(1, activation="sigmoid")])
    for layer in model.layers[:-1]:
        layer.trainable = False
    return model


clone = keras.models.clone_model(model_a)
assert not np.array_equal(clone.layers[1].kernel, model_a.layers[1].kernel), "a clone starts anew"
model_b = on_model_a()
model_b.summary()
trained = sum(w.size for w in model_b.trainable_weights)
assert trained == 50 + 1, "51 weights to train"
assert model_b.count_params() == 78_500 + 5_050 + 51, "of 83,601"
drawing = model_b.draw(show_shapes=True, show_trainable=True, title="Winter or summer?")
save_figure(drawing, "frozen")

# %% [markdown]
# `compile` after each change of `trainable`. At first the new layer knows nothing, and its large
# gradients would wreck what is below: hence frozen. Later all may move, with a smaller step.
# %% first the new layer, then all of them


def learn(model, images, answers, learning_rate=0.01):
    optimizer = keras.optimizers.Adam(learning_rate=learning_rate)
    model.compile(loss="binary_crossentropy", optimizer=optimizer, metrics=["accuracy"])
    model.fit(images, answers, batch_size=10, epochs=20, verbose=0)
    return model.evaluate(X_b_test, y_b_test, batch_size=500, verbose=0)[1]


before = model_b.get_weights()
frozen = learn(model_b, X_b[:50], y_b[:50])
same = [np.array_equal(v, w) for v, w in zip(before, model_b.get_weights())]
assert same == [True, True, True, True, False, False], "only the new layer has learned"

for layer in model_b.layers[:-1]:
    layer.trainable = True
tuned = learn(model_b, X_b[:50], y_b[:50], learning_rate=0.0002)
print(f"50 labels: {frozen:.1%} right with frozen layers, then {tuned:.1%}")
assert not np.array_equal(model_b.layers[1].kernel, before[0]), "now all weights move"
untouched = model_a.evaluate(X_test, y_test, verbose=0)[1]
assert untouched == accuracy_a, "and model A is as good as before: the copy was worth it"


# %% [markdown]
# ## What is it worth?
# The same network from random weights, for comparison. Chance matters where labels are few, so each
# number is the mean of five draws of the labelled images, and a bar shows their spread.
# %% with and without
def from_scratch():
    return keras.models.clone_model(model_b)


labels = (10, 20, 50, 100)
contest = {"from scratch": from_scratch, "on model A, frozen": on_model_a}
fig, ax = plt.subplots(figsize=(7, 4.5), layout="constrained")
mean = {}
for name, make in contest.items():
    right = np.zeros((5, len(labels)))
    for draw in range(5):
        order = np.random.default_rng(draw).permutation(len(X_b))
        for i, n in enumerate(labels):
            right[draw, i] = learn(make(), X_b[order[:n]], y_b[order[:n]])
    mean[name] = right.mean(axis=0)
    ax.errorbar(labels, mean[name], right.std(axis=0), marker="o", capsize=3, label=name)
    print(f"{name:20}", dict(zip(labels, mean[name].round(3).tolist())))
scratch, transferred = mean.values()
assert transferred[2] > scratch[2] + 0.02, "50 labels: 2 points better or more"
assert transferred[2] > scratch[3], "and better than 100 labels from scratch"
ax.set(xlabel="labelled images", ylabel="share of right answers", xscale="log", xticks=labels)
ax.set_xticks(labels, labels=map(str, labels))
ax.minorticks_off()
ax.legend(loc="lower right")
save_figure(fig, "labels")

# %% [markdown]
# ## A model cut open
# A model from A's input to one of its inner layers: a *feature extractor*. It makes 50 features of
# an image, in which similar clothes are close to each other.
# %% the features of the second hidden layer
inner = model_a.get_layer("hidden2")
extractor = keras.Model(inputs=model_a.inputs, outputs=inner.output)
features, features_test = (extractor.predict(x, verbose=0) for x in (X_b[:200], X_b_test))
assert features.shape == (200, 50), "50 features per image"
by_hand = X_b[:200].reshape(-1, 784)
for name in ("hidden1", "hidden2"):
    W, b = model_a.get_layer(name).get_weights()
    by_hand = np.maximum(by_hand @ W + b, 0)
assert np.allclose(features, by_hand, atol=1e-4), "ReLU(ReLU(X W1 + b1) W2 + b2)"

# %% the five nearest of 200 images: by features, and by pixels


def nearest(a, b):  # |b|² - 2 a·b orders like |a - b|²
    return ((b**2).sum(axis=1) - 2 * a @ b.T).argsort(axis=1)[:, :5]


by_features = nearest(features_test, features)
by_pixels = nearest(X_b_test.reshape(-1, 784), X_b[:200].reshape(-1, 784))
alike = [(y_b[five] == y_b_test[:, None]).mean() for five in (by_features, by_pixels)]
print(f"for the same season: {alike[0]:.1%} of the nearest by features, {alike[1]:.1%} by pixels")
assert alike[0] > alike[1], "features compare clothes better than pixels do"

fig, axes = plt.subplots(4, 6, figsize=(8, 5.6), layout="constrained")
for row, image, others in zip(axes, X_b_test, by_features):
    for ax, shown in zip(row, [image, *X_b[others]]):
        ax.imshow(shown, cmap="binary")
        ax.set(xticks=[], yticks=[])
axes[0, 0].set_title("new")
axes[0, 3].set_title("nearest by features")
save_figure(fig, "nearest")

# %% [markdown]
# ## Try it
# * Reuse the first hidden layer only. Is it better, or worse, with 50 labels? With 1,000?
# * Do not freeze, and train with 0.01 from the start. What happens to the test accuracy?
# * Train model A for one epoch only. How much of the gain is left?
# * Ask another question: worn on the feet or not? Why does it need no transfer?
