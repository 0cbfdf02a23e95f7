# %% [markdown]
# # 11 Fashion-MNIST
#
# An image classifier, step by step: load, look, build, compile, train, evaluate, predict.
#
# *Slides:* deck 001, section 10.2.1. *Before this:* classification (chapter 10).
# *You will see:* the slides' classifier with the slides' numbers. Their 30 epochs on 55,000 images
# take about a minute: `gradlab run --full 11`. Without `--full`, 3 epochs on 10,000 images.
# %% load the data
import matplotlib.pyplot as plt
import numpy as np

from gradlab import keras, plots
from gradlab.course import FULL, save_figure

keras.utils.set_random_seed(42)
fashion_mnist = keras.datasets.fashion_mnist.load_data()
(X_train_full, y_train_full), (X_test, y_test) = fashion_mnist
held_back = 5000 if len(X_train_full) == 60_000 else 500  # without the network there is a sample
X_train, y_train = X_train_full[:-held_back], y_train_full[:-held_back]
X_valid, y_valid = X_train_full[-held_back:], y_train_full[-held_back:]
print(X_train.shape, X_train.dtype, y_train)
assert X_train.shape[1:] == (28, 28), "28 x 28 pixels"
assert X_train.dtype == np.uint8, "each a whole number from 0 to 255"
assert not FULL or X_train.shape == (55000, 28, 28), "55,000 images to learn from"
assert not FULL or y_train[[0, 1, 2, -3, -2, -1]].tolist() == [9, 0, 0, 9, 0, 2], "9, 0, 0, ..."

# %% rescale and look
X_train, X_valid, X_test = (X.astype("float32") / 255 for X in (X_train, X_valid, X_test))
class_names = ["T-shirt/top", "Trouser", "Pullover", "Dress", "Coat"]
class_names += ["Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot"]
assert X_train.min() == 0 and X_train.max() == 1, "after rescaling, from 0 to 1"

n_rows, n_cols = 4, 10
fig = plt.figure(figsize=(n_cols * 1.2, n_rows * 1.2))
for index in range(n_rows * n_cols):
    plt.subplot(n_rows, n_cols, index + 1)
    plt.imshow(X_train[index], cmap="binary", interpolation="nearest")
    plt.axis("off")
    plt.title(class_names[y_train[index]], fontsize=9)
plt.subplots_adjust(wspace=0.2, hspace=0.5)
save_figure(fig, "samples")

# %% [markdown]
# ## Build
# `Flatten` makes an image one row of 784 numbers. Two hidden layers follow, and ten neurons with
# softmax: the classes exclude each other. The first Dense layer alone has 784 · 300 + 300 weights.
# %% the sequential API
model = keras.Sequential()
model.add(keras.layers.InputLayer(input_shape=[28, 28]))
model.add(keras.layers.Flatten())
model.add(keras.layers.Dense(300, activation="relu"))
model.add(keras.layers.Dense(100, activation="relu"))
model.add(keras.layers.Dense(10, activation="softmax"))
model.summary()
params = [layer.count_params() for layer in model.layers]
assert params == [0, 235_500, 30_100, 1_010], "parameters of the layers: 0, 235,500, 30,100, 1,010"
assert model.count_params() == 266_610, "266,610 in all"

# %% the same from a list of layers; weights are random, biases zero
listed = keras.Sequential(
    [
        keras.layers.Flatten(input_shape=[28, 28]),
        keras.layers.Dense(300, activation="relu"),
        keras.layers.Dense(100, activation="relu"),
        keras.layers.Dense(10, activation="softmax"),
    ]
)
weights, biases = listed.layers[1].get_weights()
assert weights.shape == (784, 300) and biases.shape == (300,), "weights (784, 300), biases (300,)"
assert weights.std() > 0, "random weights: the neurons differ from the start"
assert (biases == 0).all(), "all biases are zero"

# %% [markdown]
# ## Compile and train
# The labels are numbers of classes, so the loss is the *sparse* categorical cross entropy. Batches
# of 32 images make 1,719 steps per epoch.
# %% fit
model.compile(loss="sparse_categorical_crossentropy", optimizer="sgd", metrics=["accuracy"])
some = slice(None) if FULL else slice(10_000)
epochs = 30 if FULL else 3
history = model.fit(
    X_train[some], y_train[some], epochs=epochs, validation_data=(X_valid, y_valid), verbose=2
)
losses, val_accuracy = history.history["loss"], history.history["val_accuracy"]
assert not FULL or history.params == {"verbose": 2, "epochs": 30, "steps": 1719}, "1,719 steps"
assert losses[-1] < losses[0], "the loss goes down"
assert not FULL or abs(losses[0] - 0.7220) < 0.05, "loss of the first epoch: 0.72 on the slide"
assert not FULL or 0.88 <= val_accuracy[-1] <= 0.90, "validation accuracy: 0.8894 on the slide"

# %% learning curves
fig, ax = plt.subplots(figsize=(8, 5), layout="constrained")
history.plot(ax=ax)
save_figure(fig, "learning_curves")

# %% [markdown]
# ## Evaluate
# On the test set, and only once the model has been chosen with the validation set.
# %% evaluate
loss, accuracy = model.evaluate(X_test, y_test, verbose=0)
print(f"test loss {loss:.4f}, test accuracy {accuracy:.4f}")
assert accuracy > 0.65, "far better than guessing, which is right once in ten"
assert not FULL or 0.875 <= accuracy <= 0.895, "test accuracy: 0.8864 on the slide"

# %% is it worth the hidden layers? a linear model for comparison
linear = keras.Sequential(
    [
        keras.layers.Flatten(input_shape=[28, 28]),
        keras.layers.Dense(10, activation="softmax"),
    ]
)
linear.compile(loss="sparse_categorical_crossentropy", optimizer="sgd", metrics=["accuracy"])
linear.fit(X_train[some], y_train[some], epochs=10, verbose=0)
by_linear = linear.evaluate(X_test, y_test, verbose=0)[1]
print(f"test accuracy of a linear model: {by_linear:.4f}")
assert not FULL or 0.82 <= by_linear <= 0.85, "a linear model: about 83 % on the slide"
assert not FULL or accuracy > by_linear + 0.03, "hidden layers bring more than 3 points"

# %% predict
X_new = X_test[:3]  # pretend these are new
y_proba = model.predict(X_new, verbose=0)
y_pred = y_proba.argmax(axis=-1)
print(y_proba.round(2), np.array(class_names)[y_pred], sep="\n")
assert np.allclose(y_proba.sum(axis=1), 1, atol=1e-5), "ten probabilities that sum to 1"
assert not FULL or y_pred.tolist() == [9, 2, 1], "an ankle boot, a pullover, a pair of trousers"
assert not FULL or (y_pred == y_test[:3]).all(), "and that is what they are"

# %% what is taken for what
ax = plots.confusion_matrix(
    y_test, model.predict(X_test, verbose=0).argmax(axis=-1), labels=class_names
)
save_figure(ax, "confusion")

# %% the weights of ten first neurons: still much of the noise they began with
ax = plots.filters(model.layers[1].get_weights()[0][:, :10], shape=(28, 28))
save_figure(ax, "filters")

# %% [markdown]
# ## Try it
# * Forget to divide by 255. What does gradlab say, and what happens to the loss?
# * Use SGD(learning_rate=0.05). How many epochs does it take to reach the same loss?
# * Which two classes are confused most? Look at some of them.
