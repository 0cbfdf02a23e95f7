# %% [markdown]
# # 12 Six experiments on MNIST
#
# The same digits, six networks: what do more layers, dropout, another optimizer and more epochs do?
#
# *Slides:* deck 000, *Building a Simple Deep Learning Network Using Keras*; deck 001, section 10.3.
# *Before this:* Fashion-MNIST (chapter 11). *You will see:* the table of errors beside those of the
# slides. `gradlab run --full 12` takes minutes; without, 2,000 images and one epoch.
#
# ## Twelve decisions
# A network is: (1) data, (2) how it is scaled, (3) how labels are written, (4) kind of model,
# (5) number of layers, (6) neurons, (7) initial weights, (8) activations, (9) loss, (10) optimizer,
# (11) metrics, (12) batch size and epochs.
# %% 1 to 3: data, scale, labels
import matplotlib.pyplot as plt
import numpy as np

from gradlab import keras
from gradlab.course import FULL, save_figure

keras.utils.set_random_seed(7)
(X_train, y_train), (X_test, y_test) = keras.datasets.mnist.load_data()
print(X_train.shape, y_train.shape, sep="\n")
assert X_train.shape[1:] == (28, 28) and X_train.dtype == np.uint8, "images of 28 x 28 bytes"
assert not FULL or X_train.shape == (60_000, 28, 28), "(60000, 28, 28)"
some = slice(None) if FULL else slice(2000)
X_train = X_train[some].reshape(-1, 784).astype("float32") / 255
X_test = X_test[some].reshape(-1, 784).astype("float32") / 255
y_train = keras.utils.to_categorical(y_train[some], 10)
y_test = keras.utils.to_categorical(y_test[some], 10)
assert X_train.shape[1] == 784, "an image as 784 numbers"
assert (y_train.sum(axis=1) == 1).all(), "a label as a vector with a single 1"


# %% 4 to 9: the network, in the words of Keras 1
def network(hidden=1, dropout=0.0, optimizer="adam"):
    model = keras.Sequential()
    model.add(keras.layers.Dense(784, input_dim=784, init="normal", activation="relu"))
    for _ in range(hidden - 1):
        model.add(keras.layers.Dense(784, init="normal", activation="relu"))
    if dropout:
        model.add(keras.layers.Dropout(dropout))
    model.add(keras.layers.Dense(10, init="normal", activation="softmax"))
    model.compile(loss="categorical_crossentropy", optimizer=optimizer, metrics=["accuracy"])
    return model


simple = network()
print(simple.summary())
assert simple.layers[0].count_params() == 615_440, "784 · 784 + 784 = 615,440"
assert simple.layers[1].count_params() == 7_850, "784 · 10 + 10 = 7,850"
sizes = [network(n).count_params() for n in (1, 2, 3)]
assert sizes == [623_290, 1_238_730, 1_854_170], "623,290, 1,238,730 and 1,854,170 parameters"
assert network(3, dropout=0.2).count_params() == 1_854_170, "dropout has no parameters"

# %% without any hidden layer: a linear model
linear = keras.Sequential([keras.layers.Dense(10, activation="softmax", input_dim=784)])
linear.compile(loss="categorical_crossentropy", optimizer="adam", metrics=["accuracy"])
linear.fit(X_train, y_train, epochs=5, verbose=0)
accuracy = linear.evaluate(X_test, y_test, verbose=0)[1]
print(f"linear model: {accuracy:.2%} right")
assert not FULL or 0.915 <= accuracy <= 0.93, "a linear model: about 92 % on MNIST (deck 001)"

# %% [markdown]
# ## 10 to 12: six ways to train
# The slides give the error, 100 % minus the accuracy on the test images. They do not say how many
# images were in a batch: with 220, SGD learns as fast as there; with 128 it is at 7.7 % (2 epochs).
# %% the experiments
EXPERIMENTS = {  # name: (hidden layers, dropout, optimizer, epochs, error on the slide in %)
    "one hidden layer": (1, 0.0, "adam", 2, 2.93),
    "two hidden layers": (2, 0.0, "adam", 2, 2.80),
    "three hidden layers": (3, 0.0, "adam", 2, 2.62),
    "with dropout": (3, 0.2, "adam", 2, 2.60),
    "with dropout, SGD": (3, 0.2, "sgd", 2, 9.49),
    "the same, 20 epochs": (3, 0.2, "sgd", 20, 4.17),
}
errors = {}
for name, (hidden, dropout, optimizer, epochs, slide) in EXPERIMENTS.items():
    model = network(hidden, dropout, optimizer)
    model.fit(
        X_train,
        y_train,
        validation_data=(X_test, y_test),
        epochs=epochs if FULL else 1,
        batch_size=220 if FULL else 32,
        verbose=2 if FULL else 0,
    )
    _, accuracy = model.evaluate(X_test, y_test, verbose=0)
    errors[name] = 100 - 100 * accuracy
    print(f"{name:24} Error: {errors[name]:.2f}%   (slide: {slide:.2f}%)")

# %% what came out
for name, (*_, slide) in EXPERIMENTS.items():
    assert not FULL or abs(errors[name] - slide) < 0.6, f"{name}: within 0.6 points of {slide} %"
adam, sgd = errors["with dropout"], errors["with dropout, SGD"]
assert adam < sgd, "after the same few epochs, Adam is ahead of SGD"
assert not FULL or errors["the same, 20 epochs"] < sgd, "SGD catches up with more epochs"
assert max(errors[n] for n, e in EXPERIMENTS.items() if e[2] == "adam") < 25, "Adam: below 25 %"

# %% beside the slides
fig, ax = plt.subplots(figsize=(9, 4.5), layout="constrained")
rows = np.arange(len(EXPERIMENTS))
ax.barh(rows - 0.2, list(errors.values()), 0.4, color="#0072B2", label="here")
ax.barh(rows + 0.2, [e[-1] for e in EXPERIMENTS.values()], 0.4, color="#E69F00", label="slide")
ax.set(yticks=rows, yticklabels=EXPERIMENTS, xlabel="error on the test images / %")
ax.invert_yaxis()
ax.legend()
ax.set_title("Six experiments" if FULL else "Six experiments, on 2,000 images and in one epoch")
save_figure(fig, "errors")

# %% [markdown]
# ## Try it
# * Which batch size is best for SGD in 2 epochs: 32, 128 or 512? Why?
# * Add `kernel_constraint="max_norm"` or `kernel_regularizer="l2"`. What changes?
# * Is one hidden layer of 1,568 neurons as good as two of 784? Count the parameters.
