# %% [markdown]
# # 9 A regression MLP
#
# Predict a number with a network: house prices in California, from eight facts about a district.
#
# *Slides:* deck 001, sections 10.1.5 and 10.2.2. *Before this:* losses (chapter 6).
# *You will see:* how such a network is built and why, inputs brought to one scale inside the model,
# 20 epochs of training on 11,610 districts, and how far off the predictions are.
#
# ## What a regression MLP looks like
# | | typical value |
# |---|---|
# | input neurons | one per feature |
# | hidden layers | 1 to 5 |
# | neurons per hidden layer | 10 to 100 |
# | output neurons | one per number to predict |
# | hidden activation | mostly ReLU |
# | output activation | none; ReLU, softplus if positive; logistic, tanh if bounded |
# | loss | MSE, or Huber if there are outliers |
# %% the data, split as on the slides
import matplotlib.pyplot as plt
import numpy as np

from gradlab import keras
from gradlab.course import save_figure

keras.utils.set_random_seed(42)
california = keras.datasets.california_housing
(X_train, y_train), (X_valid, y_valid), (X_test, y_test) = california.load_split()
names = california.load_sklearn().feature_names
assert (len(X_train), len(X_valid), len(X_test)) == (11610, 3870, 5160), "11,610 + 3,870 + 5,160"
assert X_train.shape[1] == 8, "eight features, so eight input neurons"
for name, low, high in zip(names, X_train.min(0), X_train.max(0)):
    print(f"{name:12} from {low:10.2f} to {high:10.2f}")

# %% [markdown]
# ## One scale for all
# Population goes to 16,305, the number of bedrooms per household is about 1. A weight times the one
# would drown the other. A `Normalization` layer learns mean and variance of each feature with
# `adapt`, before training, and then computes (x - mean) / standard deviation.
# %% adapt
norm_layer = keras.layers.Normalization(input_shape=X_train.shape[1:])
norm_layer.adapt(X_train)
normal = norm_layer(X_train)
assert np.allclose(normal.mean(axis=0), 0, atol=1e-4), "after it, every feature has mean 0"
assert np.allclose(normal.std(axis=0), 1, atol=1e-3), "and standard deviation 1"
assert norm_layer.count_params() == 17, "8 means + 8 variances + 1 count: 17 numbers"

# %% [markdown]
# ## The network
# Three hidden layers of 50 neurons, one output neuron without an activation. Only the weights of
# the Dense layers are trained: (8 + 1) · 50 + 2 · (50 + 1) · 50 + 51.
# %% three times 50 neurons
model = keras.Sequential(
    [
        norm_layer,
        keras.layers.Dense(50, activation="relu"),
        keras.layers.Dense(50, activation="relu"),
        keras.layers.Dense(50, activation="relu"),
        keras.layers.Dense(1),
    ]
)
model.summary()
trained = sum(w.size for w in model.trainable_weights)
assert trained == 9 * 50 + 2 * 51 * 50 + 51 == 5601, "5,601 weights to train"
assert model.count_params() == 5601 + 17, "and the 17 that are not trained"

# %% [markdown]
# ## Train
# Adam with learning rate 0.001 brings down the mean squared error. Its root, the RMSE, is in the
# unit of the prices, 100,000 dollars. 11,610 instances in batches of 32 are 363 steps per epoch.
# %% compile and fit: about ten seconds
optimizer = keras.optimizers.Adam(learning_rate=1e-3)
model.compile(loss="mse", optimizer=optimizer, metrics=["RootMeanSquaredError"])
history = model.fit(X_train, y_train, epochs=20, validation_data=(X_valid, y_valid), verbose=2)
assert history.params["steps"] == 363, "363 steps per epoch"
losses = history.history["loss"]
assert losses[-1] < 0.5 * losses[0], "the loss of the last epoch is less than half of the first"

# %% [markdown]
# The validation curve jumps. One of its districts has 1,243 people per household (a prison?), five
# times more than any of those the network learned from: what it says there is a guess, and squared
# errors of such a guess show in the mean of 3,870.
# %% the learning curves
people = names.index("AveOccup")
assert X_valid[:, people].max() > 5 * X_train[:, people].max(), "a district unlike all it has seen"
fig, ax = plt.subplots(figsize=(8, 5), layout="constrained")
history.plot(ax=ax)
ax.set_ylim(0, 1.5)
save_figure(fig, "learning_curves")

# %% [markdown]
# ## How good is it?
# Always guessing the mean price is wrong by about 115,000 dollars (RMSE). The network must do much
# better on districts that it has never seen.
# %% evaluate and predict
mse_test, rmse_test = model.evaluate(X_test, y_test, verbose=0)
guess = np.sqrt(((y_test - y_train.mean()) ** 2).mean())
print(f"RMSE on the test set: {rmse_test:.4f}; always guessing the mean: {guess:.4f}")
assert np.isclose(rmse_test, np.sqrt(mse_test), rtol=1e-5), "the RMSE is the root of the MSE"
assert rmse_test < 0.56, "off by less than 56,000 dollars"
assert 1.1 < guess < 1.2, "guessing the mean: off by 115,000 dollars"
X_new = X_test[:3]
y_pred = model.predict(X_new, verbose=0)
print("predicted", y_pred.ravel().round(2), "true", y_test[:3])
assert y_pred.shape == (3, 1), "three predictions, one number each"

# %% predicted against true
fig, ax = plt.subplots(figsize=(6, 6), layout="constrained")
ax.plot(y_test, model.predict(X_test, verbose=0), ".", ms=3, alpha=0.4, color="#0072B2")
ax.plot([0, 5], [0, 5], color="#D55E00", lw=2)
ax.set(title="Prices above 500,000 $ were cut off", xlabel="true price / 100,000 $")
ax.set(ylabel="predicted price / 100,000 $", xlim=(0, 5.3), ylim=(0, 6))
save_figure(fig, "predicted_and_true")

# %% [markdown]
# ## Try it
# * Leave the Normalization layer out. What happens to the loss?
# * Prices are never negative: give the output layer the activation "softplus". Does it help?
# * Take `loss=keras.losses.Huber()` instead. On which districts do the predictions change most?
# * One hidden layer of 10 neurons, or five of 100: what do training and validation loss do?
