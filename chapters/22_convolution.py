# %% [markdown]
# # 22 Convolution
#
# A few small filters slide over an image, and look for the same everywhere.
#
# *Slides:* deck 000, the convolutional layers of the toolbox (Y. LeCun et al., *Gradient-Based
# Learning Applied to Document Recognition*, 1998); deck 001, section 10.3. *Before this:* MNIST
# (chapter 12). *You will see:* a convolution by hand, why 208 weights do what a dense layer needs
# millions for, a network that reads shifted digits, and what its filters look for.
#
# `gradlab run --full 22` trains on all images for five epochs, in a few minutes.
# %% digits, with an axis for channels: grey has one, colour three
import matplotlib.pyplot as plt
import numpy as np

import gradlab as gl
from gradlab import keras, plots
from gradlab.course import FULL, save_figure

keras.utils.set_random_seed(42)
keras.backend.clear_session()
(X, y), (X_test, y_test) = keras.datasets.mnist.load_data()
some = slice(None) if FULL else slice(2000)
X, y = X[some, ..., np.newaxis] / np.float32(255), y[some]
X_test, y_test = X_test[some, ..., np.newaxis] / np.float32(255), y_test[some]
assert X.shape[1:] == (28, 28, 1), "rows, columns, channels"

# %% [markdown]
# ## A kernel slides over a digit
# Multiply a window of the image by the nine weights of a *kernel*, add up, move on by one pixel.
# The result is large where the window looks like the kernel. In this kernel ink counts below, and
# against it above: it finds the upper edges of strokes (blue), and with the other sign the lower
# ones (red). Turned, it finds the left and the right edges.
# %% in two loops


def convolve(image, kernel):
    rows, columns = image.shape[0] - 2, image.shape[1] - 2
    result = np.zeros((rows, columns))
    for i in range(rows):
        for j in range(columns):
            result[i, j] = (image[i : i + 3, j : j + 3] * kernel).sum()
    return result


upper = np.array([[-1.0, -1.0, -1.0], [0.0, 0.0, 0.0], [1.0, 1.0, 1.0]])
left = upper.T
digit = X[0, :, :, 0]
by_hand = [convolve(digit, kernel) for kernel in (upper, left)]
assert by_hand[0].shape == (26, 26), "a window of 3 has 28 - 3 + 1 = 26 places"

# %% the same by the library: a layer with two filters
edges = keras.layers.Conv2D(2, 3, use_bias=False)
edges.build((None, 28, 28, 1))
edges.set_weights([np.stack([upper, left], axis=-1)[:, :, np.newaxis]])
assert edges.kernel.shape == (3, 3, 1, 2), "rows, columns, channels, filters"
maps = edges(X[:1]).data[0]
assert np.allclose(maps, np.stack(by_hand, axis=-1), atol=1e-5), "the loops and the layer agree"

fig, axes = plt.subplots(1, 5, figsize=(11, 2.6), layout="constrained")
shown = {"a digit": digit, "kernel": upper, "upper edges": maps[..., 0]}
shown |= {"turned": left, "left edges": maps[..., 1]}
for ax, (title, image) in zip(axes, shown.items()):
    grey = image is digit
    most = abs(image).max()
    ax.imshow(image, cmap="binary" if grey else "RdBu", vmin=0 if grey else -most, vmax=most)
    ax.set(xticks=[], yticks=[], title=title)
save_figure(fig, "edges")

# %% [markdown]
# ## Shared weights
# All places use the same weights. So there are few of them, and a digit that moves moves its map,
# and changes nothing else (*equivariance*): what was learned in one place is known in all others.
# %% how many weights, and a shifted digit
conv = keras.layers.Conv2D(8, 5)
before, after = conv(X[:1]).data, conv(np.roll(X[:1], 2, axis=2)).data
assert before.shape == (1, 24, 24, 8), "eight maps of 24 x 24"
assert conv.count_params() == (5 * 5 * 1 + 1) * 8 == 208, "eight filters: 208 weights"
assert (784 + 1) * before.size == 3_617_280, "a dense layer with as many outputs: 3.6 million"
same = np.allclose(after[:, :, 2:], before[:, :, :-2], atol=1e-5)
assert same, "the maps have moved by two pixels, as the digit has"

# %% [markdown]
# ## Pooling
# The largest of every 2 x 2 numbers: the maps get four times smaller, and where exactly something
# was found no longer matters. Backward, only the largest is answerable, so all goes to it.
# %% the largest of four, and the way back
x = gl.Tensor(np.array([[1.0, 7.0, 2.0, 2.5], [3.0, 4.0, 9.0, 0.0]]).reshape(1, 2, 4, 1))
pooled = keras.layers.MaxPooling2D(2)(x)
assert pooled.data.ravel().tolist() == [7, 9], "of 1 7 3 4 and of 2 2.5 9 0"
(10 * pooled).sum().backward()
assert x.grad.reshape(2, 4).tolist() == [[0, 10, 0, 0], [0, 0, 10, 0]], "to the 7 and the 9 only"

# %% [markdown]
# ## A network like LeNet
# Twice a convolution and a pooling, then dense layers. The second convolution sees eight channels:
# its filters look for combinations of what the first have found, in windows of 14 x 14 pixels.
# %% LeNet, and a dense network with more weights
L = keras.layers
lenet = keras.Sequential(
    [
        L.Conv2D(8, 5, activation="relu", input_shape=[28, 28, 1], name="first"),
        L.MaxPooling2D(),
        L.Conv2D(16, 5, activation="relu", name="second"),
        L.MaxPooling2D(),
        L.Flatten(),
        L.Dense(100, activation="relu"),
        L.Dense(10, activation="softmax"),
    ]
)
lenet.summary()
assert lenet.count_params() == 208 + (5 * 5 * 8 + 1) * 16 + 25_700 + 1_010 == 30_134
dense = keras.Sequential(
    [L.Flatten(input_shape=[28, 28, 1]), L.Dense(100, "relu"), L.Dense(10, "softmax")]
)
assert dense.count_params() == 79_510, "more than twice as many weights"
save_figure(lenet.draw(show_shapes=True, title="A network like LeNet"), "lenet")

# %% train both, then shift the test images by two pixels to the right and two down
shifted, right = np.roll(X_test, (2, 2), axis=(1, 2)), {}
for name, model in (("dense", dense), ("LeNet", lenet)):
    model.compile(loss="sparse_categorical_crossentropy", optimizer="adam", metrics=["accuracy"])
    model.fit(X, y, batch_size=64 if FULL else 32, epochs=5, verbose=2)
    right[name] = [model.evaluate(images, y_test, verbose=0)[1] for images in (X_test, shifted)]
    print("{}: {:.2%} right, of shifted digits {:.2%}".format(name, *right[name]))
assert right["LeNet"][0] > (0.985 if FULL else 0.85), "LeNet: above 98.5 % with all images"
assert right["LeNet"][0] > right["dense"][0] + 0.005, "better, with less than half of the weights"
assert right["LeNet"][1] > right["dense"][1] + 0.1, "and two pixels aside it is not lost"

# %% [markdown]
# ## What it has learned
# Each filter of the first layer is an image of 5 x 5: ink counts where it is blue, and against it
# where it is orange. They began as random numbers; some now have ink on one side and none on the
# other, as our edges. A model that ends at this layer shows what they find in a digit.
# %% filters as images, and their maps
ax = plots.filters(lenet.get_layer("first").kernel.data.reshape(25, 8), shape=(5, 5), columns=8)
save_figure(ax, "filters")
looks = keras.Model(lenet.inputs, lenet.get_layer("first").output)
found = looks.predict(X_test[:3], verbose=0)
assert found.shape == (3, 24, 24, 8), "eight maps of each digit"
assert (found >= 0).all(), "after ReLU: found, or not found"
fig, axes = plt.subplots(3, 9, figsize=(11, 3.9), layout="constrained")
for row, image, maps in zip(axes, X_test, found):
    for ax, shown in zip(row, [image[..., 0], *np.moveaxis(maps, -1, 0)]):
        ax.imshow(shown, cmap="binary", vmin=0, vmax=max(shown.max(), 0.01))
        ax.set(xticks=[], yticks=[])
save_figure(fig, "maps")

# %% [markdown]
# ## Mistakes show at once
# The most frequent one: grey images without their axis of channels.
# %% images of 28 x 28
try:
    keras.layers.Conv2D(8, 5)(X[:3, :, :, 0])
except ValueError as error:
    print(error)
    told = str(error)
assert "X[..., np.newaxis]" in told, "the message says what to write"

# %% [markdown]
# ## Try it
# * `padding="same"` in both convolutions: which shapes and counts of the summary change, and why?
# * `strides=2` instead of pooling. Is it faster? Is it as good?
# * Shift the digits by four pixels. Is LeNet lost as well? Which layers cannot follow?
# * `AveragePooling2D` instead of the maximum: predict the gradients of the small example.
# * Exchange all pixels of all images in one random order. Which of the two networks does not mind?
