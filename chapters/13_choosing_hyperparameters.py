# %% [markdown]
# # 13 Choosing hyperparameters
#
# Layers, neurons, optimizer, batch size, learning rate: what each does, tried on real digits.
#
# *Slides:* deck 001, section 10.3. *Before this:* six experiments (chapter 12).
# *You will see:* networks grown until they overfit, optimizers racing, what the batch size costs,
# and the learning-rate finder, from 0.00001 to 10 in a few hundred steps.
# %% 2,000 digits to learn from, 500 to choose with
import time

import matplotlib.pyplot as plt
import numpy as np

from gradlab import keras, plots
from gradlab.course import save_figure

keras.utils.set_random_seed(42)
(X, y), (X_valid, y_valid) = keras.datasets.mnist.load_data()
X, y = X[:2000].astype("float32") / 255, y[:2000]
X_valid, y_valid = X_valid[:500].astype("float32") / 255, y_valid[:500]


def network(layers=1, neurons=100):
    hidden = [keras.layers.Dense(neurons, activation="relu") for _ in range(layers)]
    return keras.Sequential(
        [
            keras.layers.Flatten(input_shape=[28, 28]),
            *hidden,
            keras.layers.Dense(10, activation="softmax"),
        ]
    )


def trained(model, optimizer="adam", epochs=5, batch_size=32):
    model.compile(loss="sparse_categorical_crossentropy", optimizer=optimizer, metrics=["accuracy"])
    held_back = (X_valid, y_valid)
    return model.fit(
        X, y, epochs=epochs, batch_size=batch_size, validation_data=held_back, verbose=0
    ).history


# %% [markdown]
# ## Layers and neurons
# One or two hidden layers are enough for many problems. Ramp up their size until the network
# overfits; it is simpler to take more than you need and to stop early: *stretch pants*.
# %% how many?
neurons = (3, 10, 30, 100, 300)
by_size = {n: trained(network(1, n), epochs=8) for n in neurons}
by_depth = {k: trained(network(k, 30), epochs=8) for k in (1, 2, 3)}
best = {n: max(h["val_accuracy"]) for n, h in by_size.items()}
print("validation accuracy by neurons:", {n: round(a, 3) for n, a in best.items()})
assert best[100] > best[3] + 0.1, "3 neurons are too few: 100 are better by more than 10 points"
gap = {n: h["val_loss"][-1] - h["loss"][-1] for n, h in by_size.items()}
assert gap[300] > gap[3], "the larger the network, the further validation falls behind training"
print("and by layers of 30:", {k: round(max(h["val_accuracy"]), 3) for k, h in by_depth.items()})
assert min(max(h["val_accuracy"]) for h in by_depth.values()) > 0.8, "1 to 3 layers: all work"

# %% [markdown]
# ## Optimizers
# Plain SGD takes the same step everywhere; the others remember slopes or scale them.
# %% a race over five epochs
racers = ("sgd", "rmsprop", "adagrad", "adam", "nadam")
races = {name: trained(network(), optimizer=name) for name in racers}
momentum = keras.optimizers.SGD(learning_rate=0.01, momentum=0.9, nesterov=True)
races["SGD, momentum 0.9"] = trained(network(), optimizer=momentum)
final = {name: history["loss"][-1] for name, history in races.items()}
print("training loss after five epochs:", {name: round(v, 3) for name, v in final.items()})
assert final["adam"] < final["sgd"], "Adam is ahead of SGD"
assert final["SGD, momentum 0.9"] < final["sgd"], "momentum helps SGD"

fig, axes = plt.subplots(1, 2, figsize=(12.5, 4.8), layout="constrained")
for name, history in races.items():
    axes[0].plot(range(1, 6), history["loss"], marker="o", label=name)
axes[0].set(title="Optimizers", xlabel="epoch", ylabel="training loss", xticks=range(1, 6))
axes[0].legend()

# %% [markdown]
# ## Batch size
# Small batches: many noisy steps per epoch. Large batches: few good ones, each image faster.
# %% from 16 to 512
by_batch = {}
for size in (16, 32, 128, 512):
    start = time.perf_counter()
    by_batch[size] = trained(network(), batch_size=size)
    print(f"batch size {size:3}: {time.perf_counter() - start:.2f} s", end=", ")
    print(f"validation accuracy {by_batch[size]['val_accuracy'][-1]:.3f}")
assert by_batch[32]["loss"][-1] < by_batch[512]["loss"][-1], "in five epochs, 32 gets further"
for size, history in by_batch.items():
    axes[1].plot(range(1, 6), history["val_accuracy"], marker="o", label=f"batch size {size}")
axes[1].set(title="Batch sizes", xlabel="epoch", ylabel="validation accuracy", xticks=range(1, 6))
axes[1].legend()
save_figure(fig, "optimizers_and_batch_sizes")

# %% [markdown]
# ## The learning rate
# The most important one. Train for a few hundred steps, beginning with 0.00001, and multiply the
# rate by a constant factor after each, up to 10. Plot the loss against the rate (logarithmic): a
# good rate is a bit lower than where the loss begins to climb.


# %% the learning-rate finder
class ExponentialLearningRate(keras.callbacks.Callback):
    def __init__(self, factor):
        super().__init__()
        self.factor, self.rates, self.losses = factor, [], []

    def on_epoch_begin(self, epoch, logs=None):
        self.sum_of_losses = 0.0

    def on_train_batch_end(self, batch, logs=None):
        mean = logs["loss"]  # of all batches of this epoch so far
        loss = mean * (batch + 1) - self.sum_of_losses
        self.sum_of_losses = mean * (batch + 1)
        self.rates.append(float(self.model.optimizer.learning_rate))
        self.losses.append(loss)
        self.model.optimizer.learning_rate = self.rates[-1] * self.factor
        if loss > 4 * min(self.losses):  # it shoots up: there is nothing more to see
            self.model.stop_training = True


steps = 500
finder = ExponentialLearningRate((10 / 1e-5) ** (1 / steps))
model = network(2, 100)
model.compile(
    loss="sparse_categorical_crossentropy", optimizer=keras.optimizers.SGD(learning_rate=1e-5)
)
model.fit(X, y, batch_size=32, epochs=8, callbacks=[finder], verbose=0)
rates, losses = np.array(finder.rates), np.array(finder.losses)
assert np.isclose(rates[0], 1e-5) and np.allclose(rates[1:] / rates[:-1], finder.factor), "1e-5 qⁱ"
smooth = np.convolve(losses, np.ones(9) / 9, "same")[4:-4]
lowest = rates[4:-4][smooth.argmin()]
print(f"the loss is lowest at a rate of {lowest:.2g}")
assert 0.01 < lowest < 5, "it falls until about 0.1 to 1, then climbs"
save_figure(plots.loss_against_learning_rate(rates, losses), "learning_rate_finder")

# %% does it help?
found = trained(network(2, 100), optimizer=keras.optimizers.SGD(learning_rate=lowest / 5))
tiny = trained(network(2, 100), optimizer=keras.optimizers.SGD(learning_rate=1e-4))
print("loss after five epochs:", round(found["loss"][-1], 3), "and with 0.0001:", tiny["loss"][-1])
assert found["loss"][-1] < 0.3 * tiny["loss"][-1], "a fifth of that rate beats 0.0001 by far"

# %% [markdown]
# ## Try it
# * Take ten times the rate that was found. And a tenth of it. How do the curves differ?
# * Find a rate for batch size 512. Is it larger or smaller than that for 32? Why?
# * Which change brought more here: a better optimizer, or a better learning rate?
