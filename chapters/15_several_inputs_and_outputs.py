# %% [markdown]
# # 15 Several inputs, several outputs
#
# One network may take several inputs, and answer several questions, each with a loss of its own.
#
# *Slides:* deck 001, section 10.2.3, *Multiple Inputs and Outputs*. *Before this:* Wide & Deep
# (chapter 14). *You will see:* the listings of the slides, what each number of `evaluate` is, and a
# network that says both what is in an image and where.
# %% the data, as in chapter 9
import matplotlib.pyplot as plt
import numpy as np

import gradlab as tf
from gradlab.course import save_figure

tf.keras.utils.set_random_seed(42)
tf.keras.backend.clear_session()
california = tf.keras.datasets.california_housing
(X_train, y_train), (X_valid, y_valid), (X_test, y_test) = california.load_split()

# %% [markdown]
# ## Two inputs, two outputs
# The wide path takes features 0 to 4, the deep path features 2 to 7. An auxiliary output on top of
# the hidden layers makes sure that these learn something useful by themselves: regularization.
# %% the listing of the slide
input_wide = tf.keras.layers.Input(shape=[5])  # features 0 to 4
input_deep = tf.keras.layers.Input(shape=[6])  # features 2 to 7
norm_layer_wide = tf.keras.layers.Normalization()
norm_layer_deep = tf.keras.layers.Normalization()
norm_wide = norm_layer_wide(input_wide)
norm_deep = norm_layer_deep(input_deep)
hidden1 = tf.keras.layers.Dense(30, activation="relu")(norm_deep)
hidden2 = tf.keras.layers.Dense(30, activation="relu")(hidden1)
concat = tf.keras.layers.concatenate([norm_wide, hidden2])
output = tf.keras.layers.Dense(1)(concat)
aux_output = tf.keras.layers.Dense(1)(hidden2)
model = tf.keras.Model(inputs=[input_wide, input_deep], outputs=[output, aux_output])
assert concat.shape == (None, 5 + 30), "5 features and 30 hidden neurons, side by side"
assert len(model.inputs) == len(model.outputs) == 2, "two inputs, two outputs"
drawing = model.draw(show_shapes=True, title="Two inputs, two outputs")
assert sum(box.kind == "output" for box in drawing.graph.vertices.values()) == 2, "two ends"
save_figure(drawing, "two_inputs_two_outputs")

# %% split the features
X_train_wide, X_train_deep = X_train[:, :5], X_train[:, 2:]
X_valid_wide, X_valid_deep = X_valid[:, :5], X_valid[:, 2:]
X_test_wide, X_test_deep = X_test[:, :5], X_test[:, 2:]
# pretend new instances
X_new_wide, X_new_deep = X_test_wide[:3], X_test_deep[:3]
assert X_train_wide.shape[1] == 5 and X_train_deep.shape[1] == 6, "5 and 6: three go both ways"

# %% [markdown]
# ## One loss per output
# What is minimized is a single number, 0.9 · main loss + 0.1 · auxiliary loss: the main output is
# the one that matters. One list of metrics holds for each output. (The slide has one `)` too many.)
# %% compile and fit, 20 epochs
optimizer = tf.keras.optimizers.Adam(learning_rate=1e-3)
model.compile(
    loss=("mse", "mse"),
    loss_weights=(0.9, 0.1),
    optimizer=optimizer,
    metrics=["RootMeanSquaredError"],
)
norm_layer_wide.adapt(X_train_wide)
norm_layer_deep.adapt(X_train_deep)
history = model.fit(
    (X_train_wide, X_train_deep),
    (y_train, y_train),
    epochs=20,
    validation_data=((X_valid_wide, X_valid_deep), (y_valid, y_valid)),
    verbose=0,
)
fig, ax = plt.subplots(figsize=(8, 5), layout="constrained")
for name, label in zip(model.output_names, ("main output", "auxiliary output")):
    rmse = history.history[f"{name}_root_mean_squared_error"]
    ax.plot(range(1, 21), rmse, marker="o", ms=3, label=label)
    assert rmse[-1] < 0.7 * rmse[0], f"{label}: its error shrinks by more than 30 %"
ax.set(xlabel="epoch", ylabel="RMSE on the training set / 100,000 $", xticks=range(2, 21, 2))
ax.legend()
save_figure(fig, "learning_curves")

# %% [markdown]
# `evaluate` returns the weighted sum, then the losses, then the metrics, in the order of outputs.
# %% five numbers
eval_results = model.evaluate((X_test_wide, X_test_deep), (y_test, y_test), verbose=0)
weighted_sum_of_losses, main_loss, aux_loss, main_rmse, aux_rmse = eval_results
print(f"RMSE of the main output {main_rmse:.4f}, of the auxiliary one {aux_rmse:.4f}")
assert main_rmse < 0.65, "main output: off by less than 65,000 dollars after 20 epochs"
by_hand = 0.9 * main_loss + 0.1 * aux_loss
assert np.isclose(weighted_sum_of_losses, by_hand, rtol=1e-4), "0.9 main loss + 0.1 auxiliary loss"
assert np.isclose(main_rmse, np.sqrt(main_loss), rtol=1e-4), "the fourth belongs to the second"
assert np.isclose(aux_rmse, np.sqrt(aux_loss), rtol=1e-4), "and the fifth to the third"
assert main_rmse < aux_rmse, "the main output sees all features, the auxiliary one six"

# %% predictions, one per output
y_pred_main, y_pred_aux = model.predict((X_new_wide, X_new_deep), verbose=0)
y_pred_tuple = model.predict((X_new_wide, X_new_deep), verbose=0)
y_pred = dict(zip(model.output_names, y_pred_tuple))
print(y_pred)
assert isinstance(y_pred_tuple, tuple) and len(y_pred_tuple) == 2, "predict returns a tuple"
assert y_pred_main.shape == y_pred_aux.shape == (3, 1), "three instances each"

# %% [markdown]
# ## Outputs by name
# With names there is no order to get wrong. Losses, weights, metrics and targets may be dicts.
# %% the same with dicts
output = tf.keras.layers.Dense(1, name="output")(concat)
aux_output = tf.keras.layers.Dense(1, name="aux_output")(hidden2)
named = tf.keras.Model(inputs=[input_wide, input_deep], outputs=[output, aux_output])
losses = {"output": "mse", "aux_output": "mse"}
named.compile(loss=losses, loss_weights={"output": 0.9, "aux_output": 0.1}, optimizer="adam")
targets = {"aux_output": y_train, "output": y_train}
named.fit((X_train_wide, X_train_deep), targets, verbose=0)
results = named.evaluate((X_test_wide, X_test_deep), (y_test, y_test), return_dict=True, verbose=0)
print(results)
assert list(results) == ["loss", "output_loss", "aux_output_loss"], "in the order of the outputs"
by_hand = 0.9 * results["output_loss"] + 0.1 * results["aux_output_loss"]
assert np.isclose(results["loss"], by_hand, rtol=1e-4), "the same weighted sum"

# %% [markdown]
# ## What, and where
# Two questions about the same image: *classification* and *localization*. Each piece of clothing is
# put somewhere on a canvas of 40 x 40; the network says which class it is, and where its corner is.
# %% clothes anywhere
(X, y), (X_new, y_new) = tf.keras.datasets.fashion_mnist.load_data()
rng = np.random.default_rng(42)


def scatter(images):
    canvas = np.zeros((len(images), 40, 40), dtype="float32")
    corners = rng.integers(0, 40 - 28, size=(len(images), 2), endpoint=True)
    for square, (row, column), image in zip(canvas, corners, images):
        square[row : row + 28, column : column + 28] = image / 255
    return canvas, corners.astype("float32")


(X, corner), y = scatter(X[:3000]), y[:3000]
(X_new, corner_new), y_new = scatter(X_new[:500]), y_new[:500]
image = tf.keras.layers.Input(shape=[40, 40])
hidden = tf.keras.layers.Dense(100, activation="relu")(tf.keras.layers.Flatten()(image))
hidden = tf.keras.layers.Dense(100, activation="relu")(hidden)
what = tf.keras.layers.Dense(10, activation="softmax", name="what")(hidden)
where = tf.keras.layers.Dense(2, name="where")(hidden)
finder = tf.keras.Model(image, [what, where])
finder.compile(
    loss={"what": "sparse_categorical_crossentropy", "where": "mse"},
    loss_weights={"what": 1.0, "where": 0.1},  # pixels squared are large numbers
    metrics={"what": "accuracy", "where": "mae"},
    optimizer="adam",
)
finder.fit(X, (y, corner), epochs=8, verbose=0)
results = finder.evaluate(X_new, (y_new, corner_new), return_dict=True, verbose=0)
print(f"{results['what_accuracy']:.0%} right; corner off by {results['where_mae']:.2f} pixels")
assert list(results)[-2:] == ["what_accuracy", "where_mae"], "each output has its own metric"
assert results["what_accuracy"] > 0.4, "what: guessing is right once in ten"
assert results["where_mae"] < 2, "where: always saying 'the middle' is off by 3.2 pixels"

# %% six of them
chosen, corners = finder.predict(X_new[:6], verbose=0)
names = "T-shirt Trouser Pullover Dress Coat Sandal Shirt Sneaker Bag Boot".split()
fig, axes = plt.subplots(1, 6, figsize=(12, 2.4), layout="constrained")
for ax, square, p, (row, column) in zip(axes, X_new, chosen, corners):
    ax.imshow(square, cmap="binary")
    ax.add_patch(plt.Rectangle((column - 0.5, row - 0.5), 28, 28, fill=False, ec="#D55E00", lw=2))
    ax.set(title=f"{names[p.argmax()]}, {p.max():.0%}", xticks=[], yticks=[])
save_figure(fig, "what_and_where")

# %% [markdown]
# ## Try it
# * Weights (0.1, 0.9), or (1, 0): what do the two RMSEs do?
# * Give the main output `loss="mae"`. Which of the five numbers still belong together?
# * Weight "where" with 10. What happens to the accuracy?
# * Swap the targets, `(corner, y)`. Read what gradlab says.
