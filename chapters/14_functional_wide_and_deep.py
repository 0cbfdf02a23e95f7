# %% [markdown]
# # 14 The functional API: Wide & Deep
#
# A network need not be one stack: connect layers by calling them, and any graph can be built.
#
# *Slides:* deck 001, section 10.2.3 (H.-T. Cheng et al., *Wide & Deep Learning*, 2016).
# *Before this:* a regression MLP (chapter 9). *You will see:* the listings of the slides, the 1,256
# parameters of their summary, and how far off the predictions are.
#
# Only the import is another one: `import gradlab as tf` instead of `import tensorflow as tf`.
# %% the data, as in chapter 9
import matplotlib.pyplot as plt
import numpy as np

import gradlab as tf
from gradlab.course import save_figure

tf.keras.utils.set_random_seed(42)
tf.keras.backend.clear_session()  # names are counted from the beginning, as on the slide
california = tf.keras.datasets.california_housing
(X_train, y_train), (X_valid, y_valid), (X_test, y_test) = california.load_split()
assert X_train.shape == (11610, 8), "11,610 districts, eight features"

# %% [markdown]
# ## Layers first, connections second
# The *deep* path, through two hidden layers, can learn complicated patterns. The *wide* path takes
# the features straight to the output, so that a simple rule need not pass through all of it. First
# come five layers; none of them knows yet what it will be connected to.
# %% five layers
normalization_layer = tf.keras.layers.Normalization()
hidden_layer1 = tf.keras.layers.Dense(30, activation="relu")
hidden_layer2 = tf.keras.layers.Dense(30, activation="relu")
concat_layer = tf.keras.layers.concatenate()
output_layer = tf.keras.layers.Dense(1)
assert hidden_layer1.weights == [], "no weights yet: how many inputs there will be is not known"

# %% [markdown]
# A layer is called like a function. What goes in is *symbolic*: it has a shape, with None for the
# number of instances, but no numbers. Each call gives the layer its weights, and notes where the
# result came from.
# %% how they are connected
input_ = tf.keras.layers.Input(shape=X_train.shape[1:])
normalized = normalization_layer(input_)
hidden1 = hidden_layer1(normalized)
hidden2 = hidden_layer2(hidden1)
concat = concat_layer([normalized, hidden2])
output = output_layer(concat)
print(input_, concat, output, sep="\n")
assert input_.dtype == "float32" and input_.shape == (None, 8), "by default, 32-bit floats"
assert concat.shape == (None, 8 + 30), "side by side: 8 features and 30 hidden neurons"
assert output.shape == (None, 1), "one number per instance, and no data so far"
assert hidden_layer1.kernel.shape == (8, 30), "now the weights are there"

# %% [markdown]
# ## The model
# Its inputs and outputs are enough: all between them is found by walking back from the outputs.
# The picture of the layers is also what `keras.utils.plot_model` writes to a file.
# %% the summary of the slide
model = tf.keras.Model(inputs=[input_], outputs=[output])
model.summary()
lines = []
model.summary(print_fn=lines.append)
summary = "\n".join(lines)
counts = [layer.count_params() for layer in model.layers]
assert counts == [0, 17, 270, 930, 0, 39], "17 + 270 + 930 + 0 + 39 parameters"
for total in ("Total params: 1,256", "Trainable params: 1,239", "Non-trainable params: 17"):
    assert total in summary, total
for source in ("normalization[0][0]", "dense[0][0]", "concatenate[0][0]"):
    assert f"['{source}']" in summary, f"a layer is connected to {source}"

# %% its architecture: the neurons, and the layers with their shapes
save_figure(model.draw(bias=False, most=5, title="Wide & Deep"), "neurons")
boxes = model.draw(show_shapes=True, title="Wide & Deep, layer by layer")
assert len(boxes.graph.vertices) == 6 and len(boxes.graph.edges) == 6, "six boxes, six lines"
save_figure(boxes, "layers")

# %% [markdown]
# ## Train it
# As any other model: compile, adapt the normalization, fit.
# %% 20 epochs: about five seconds
optimizer = tf.keras.optimizers.Adam(learning_rate=1e-3)
model.compile(loss="mse", optimizer=optimizer, metrics=["RootMeanSquaredError"])
normalization_layer.adapt(X_train)
history = model.fit(X_train, y_train, epochs=20, validation_data=(X_valid, y_valid), verbose=2)
mse_test, rmse_test = model.evaluate(X_test, y_test, verbose=0)
print(f"RMSE on the test set: {rmse_test:.4f}")
losses = history.history["loss"]
assert losses[-1] < 0.5 * losses[0], "the loss of the last epoch is less than half of the first"
assert rmse_test < 0.65, "off by less than 65,000 dollars after 20 epochs"
assert model.predict(X_test[:3], verbose=0).shape == (3, 1), "one prediction per instance"

# %% [markdown]
# On the validation set, three of 3,870 districts spoil the curve: 502 to 1,243 people per household
# (prisons?), and no more than 230 where the network learned. The wide path takes such a number
# straight to the output. Without these three, the error is an ordinary one.
# %% without those three
usual = X_valid[:, 5] <= X_train[:, 5].max()  # AveOccup: people per household
_, rmse_valid = model.evaluate(X_valid, y_valid, verbose=0)
_, rmse_usual = model.evaluate(X_valid[usual], y_valid[usual], verbose=0)
print(f"RMSE on the validation set: {rmse_valid:.4f}; without three districts: {rmse_usual:.4f}")
assert (~usual).sum() == 3, "three districts are unlike all it has seen"
assert rmse_usual < 0.65 and rmse_usual < rmse_valid, "on all others the network is as good"
fig, ax = plt.subplots(figsize=(8, 5), layout="constrained")
history.plot(ax=ax, keys=["root_mean_squared_error"])
ax.set_ylim(0, 2)
save_figure(fig, "learning_curves")

# %% [markdown]
# ## A stack is a special case
# The same stack of layers as a `Sequential` and as a functional model: from the same weights, and
# with batches in the same order, the two learn the same, bit by bit.
# %% twice the same
stack = tf.keras.Sequential(
    [tf.keras.layers.Dense(30, activation="relu", input_shape=[8]), tf.keras.layers.Dense(1)]
)
x = tf.keras.layers.Input(shape=[8])
graph = tf.keras.Model(x, tf.keras.layers.Dense(1)(tf.keras.layers.Dense(30, "relu")(x)))
graph.set_weights(stack.get_weights())
normal, losses = normalization_layer(X_train[:2000]), []
for twin in (stack, graph):
    tf.keras.utils.set_random_seed(1)
    twin.compile(loss="mse", optimizer="adam")
    losses.append(twin.fit(normal, y_train[:2000], epochs=3, verbose=0).history["loss"])
assert losses[0] == losses[1], "the losses are equal to the last bit"
same = [np.array_equal(v, w) for v, w in zip(stack.get_weights(), graph.get_weights())]
assert all(same), "and so are all weights"

# %% [markdown]
# ## All sorts of architectures
# A layer that is called twice is *shared*: two lines lead to the same weights. Here it turns two
# districts into ten numbers each, and the model says how far apart these are. `-`, `*` and the
# functions in `keras.ops` connect symbolic tensors as well.
# %% a distance between districts
a, b = tf.keras.layers.Input(shape=[8], name="a"), tf.keras.layers.Input(shape=[8], name="b")
shared = tf.keras.layers.Dense(10, activation="tanh", name="shared")
apart = shared(a) - shared(b)
distance = tf.keras.Model(inputs=[a, b], outputs=tf.keras.ops.sum(apart * apart, axis=1))
assert distance.count_params() == 8 * 10 + 10, "two calls, but the 90 weights exist once"
here, there = X_train[:5] / 1000, X_train[5:10] / 1000
d = distance.predict([here, there], verbose=0)
assert np.allclose(d, distance.predict([there, here], verbose=0)), "the same there and back"
assert (distance.predict([here, here], verbose=0) == 0).all(), "no distance to itself"
save_figure(distance.draw(title="A shared layer"), "shared")

# %% [markdown]
# ## Mistakes show at once
# Shapes are known before there are data, so what cannot fit is refused where it is written.
# %% two layers that do not fit
try:
    tf.keras.layers.Add()([normalized, hidden2])
except ValueError as error:
    print(error)
    told = str(error)
assert "(None, 8)" in told and "(None, 30)" in told, "8 numbers cannot be added to 30"

# %% [markdown]
# ## Try it
# * Connect the output to `hidden2` only. What do the wide path's eight weights bring?
# * Let only MedInc take the wide path, `input_[:, :1]`. Which line of the summary is new?
# * Join with `Average()` or `Multiply()` instead. What must the shapes be?
# * Which weights of `output_layer` are the wide path's? Which feature has the largest?
