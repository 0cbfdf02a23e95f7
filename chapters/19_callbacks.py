# %% [markdown]
# # 19 Callbacks
#
# What else happens while a network learns: it is watched, stopped in time, and saved on the way.
#
# *Slides:* deck 001, section 10.2.6 and "stretch pants" (10.3.2). *Before this:* saving and
# restoring (chapter 18). *You will see:* when `fit` calls whom; early stopping built by
# hand and as on the slide; learning rates that change; and a training that survives a crash.
# %% 1,000 images to learn from
import tempfile
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np

import gradlab as tf
from gradlab.course import save_figure

(X, y), _ = tf.keras.datasets.fashion_mnist.load_data()
X, y = X[:2000] / np.float32(255), y[:2000]
X_train, y_train, X_valid, y_valid = X[:1000], y[:1000], X[1000:], y[1000:]
temporary = tempfile.TemporaryDirectory()
folder = Path(temporary.name)


# %% and many neurons: this network is going to overfit
def network(optimizer="adam"):
    tf.keras.utils.set_random_seed(42)
    model = tf.keras.Sequential()
    model.add(tf.keras.layers.Flatten(input_shape=[28, 28]))
    model.add(tf.keras.layers.Dense(100, activation="relu"))
    model.add(tf.keras.layers.Dense(10, activation="softmax"))
    model.compile(optimizer, loss="sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


def fit(model, epochs, *callbacks):
    options = {"validation_data": (X_valid, y_valid), "callbacks": callbacks, "verbose": 0}
    return model.fit(X_train, y_train, epochs=epochs, **options).history


# %% [markdown]
# ## Who is called when?
# A callback is an object with methods. `fit` calls them at the beginning and the end of training,
# of each epoch, and of each batch. What has been measured is in `logs`.
# %% a callback of your own
class Diary(tf.keras.callbacks.Callback):
    def on_train_begin(self, logs=None):
        self.lines = ["training begins"]

    def on_train_batch_end(self, batch, logs=None):
        self.lines.append(f"batch {batch}")

    def on_epoch_end(self, epoch, logs=None):
        self.lines.append(f"epoch {epoch} ends, val/train: {logs['val_loss'] / logs['loss']:.2f}")


diary = Diary()
fit(network(), 2, diary)
print(*diary.lines[:3], "...", diary.lines[-1], sep="\n")
assert len(diary.lines) == 1 + 2 * (32 + 1), "1,000 images are 32 batches per epoch"


# %% [markdown]
# ## Early stopping
# The loss on the training set goes on falling; on the validation set it comes to a stop, and later
# grows: overfitting. So watch the validation loss, and stop when it has not improved for
# `patience` epochs.
# %% in the open
class Stop(tf.keras.callbacks.Callback):
    def __init__(self, patience):
        super().__init__()
        self.patience, self.best, self.wait = patience, np.inf, 0

    def on_epoch_end(self, epoch, logs=None):
        self.wait += 1
        if logs["val_loss"] < self.best:
            self.best, self.wait, self.weights = logs["val_loss"], 0, self.model.get_weights()
        self.model.stop_training = self.wait >= self.patience

    def on_train_end(self, logs=None):
        self.model.set_weights(self.weights)


by_hand = network()
history_by_hand = fit(by_hand, 1000, Stop(patience=10))

# %% the listing of the slide: 1000 epochs are only the most that it may take
checkpoint_cb = tf.keras.callbacks.ModelCheckpoint(folder / "my_checkpoints", save_best_only=True)
early_stopping_cb = tf.keras.callbacks.EarlyStopping(patience=10, restore_best_weights=True)
model = network()
history = fit(model, 1000, checkpoint_cb, early_stopping_cb)
epochs, best = len(history["loss"]), int(np.argmin(history["val_loss"]))
print(f"stopped after {epochs} epochs; the best was number {best + 1}")
assert epochs == best + 1 + 10, "it ends ten epochs after the best one"
assert history["val_loss"] == history_by_hand["val_loss"], "ours stops in the same epoch"
assert all(map(np.array_equal, model.get_weights(), by_hand.get_weights())), "with the same weights"

# %% what is left: the best weights, in memory and in the folder
saved = tf.keras.models.load_model(folder / "my_checkpoints")
losses = [m.evaluate(X_valid, y_valid, verbose=0)[0] for m in (model, saved)]
assert np.allclose(losses, min(history["val_loss"]), rtol=1e-5), "both are those of the best epoch"
assert history["loss"][-1] < history["loss"][best], "the last one fits the training set better"

fig, ax = plt.subplots(figsize=(8, 4.5), layout="constrained")
ax.plot(range(1, epochs + 1), history["loss"], label="training loss")
ax.plot(range(1, epochs + 1), history["val_loss"], label="validation loss")
ax.axvspan(best + 1, epochs, color="0.92", label="patience")
ax.plot(best + 1, history["val_loss"][best], "o", color="C1", ms=10, label="these weights are kept")
ax.set(xlabel="epoch", ylabel="loss", ylim=(0, 1.5))
ax.legend()
save_figure(fig, "early_stopping")

# %% [markdown]
# That makes *stretch pants*: more neurons than needed, and early stopping keeps them from doing
# harm. Other callbacks change the learning rate: by a rule, or when nothing gets better.
# %% a rate that is too high for the end


def rule(epoch, rate):
    return 0.9 * rate


def with_sgd(*callbacks):
    return fit(network(tf.keras.optimizers.SGD(learning_rate=0.5)), 25, *callbacks)


by_rule = tf.keras.callbacks.LearningRateScheduler(rule)
on_plateau = tf.keras.callbacks.ReduceLROnPlateau(factor=0.5, patience=2)
curves = {"0.5 throughout": with_sgd(), "times 0.9 in each epoch": with_sgd(by_rule)}
curves["halved on a plateau"] = with_sgd(on_plateau)
fixed, ruled, halved = curves.values()
assert max(ruled["loss"][-1], halved["loss"][-1]) < fixed["loss"][-1], "a lower rate ends lower"
assert np.allclose(ruled["learning_rate"], 0.5 * 0.9 ** np.arange(1, 26)), "0.45, 0.405, ..."
assert (np.diff(halved["learning_rate"]) < 0).sum() >= 2, "two plateaus or more"
fig, axes = plt.subplots(1, 2, figsize=(12, 4.5), layout="constrained")
for name, curve in curves.items():
    axes[0].plot(range(1, 26), curve["loss"], label=name)
    axes[1].semilogy(range(1, 26), curve.get("learning_rate", [0.5] * 25))
axes[0].set(xlabel="epoch", ylabel="training loss", ylim=(0, None))
axes[1].set(xlabel="epoch", ylabel="learning rate")
axes[0].legend()
save_figure(fig, "learning_rates")


# %% [markdown]
# ## When something goes wrong
# `BackupAndRestore` notes after each epoch all that a training needs to go on. Run the script again
# after a crash, and it ends as if there had been none.
# %% a power cut in the fourth epoch
class PowerCut(tf.keras.callbacks.Callback):
    def on_train_batch_end(self, batch, logs=None):
        if int(self.model.optimizer.iterations) == 100:
            raise OSError("no power")


def script(*callbacks):
    model = network()
    backup = tf.keras.callbacks.BackupAndRestore(folder / "backup")
    return fit(model, 6, backup, *callbacks), model.get_weights()


history, weights = script()
try:
    script(PowerCut())
except OSError as error:
    print(error)
history_again, weights_again = script(diary)
assert len(diary.lines) == 1 + 3 * 33, "only three epochs were left to do"
assert history_again == history, "yet the history is that of all six, to the last bit"
assert all(map(np.array_equal, weights_again, weights)), "and so are the weights"
temporary.cleanup()

# %% [markdown]
# ## Try it
# * Which `patience` finds the best weights here? Does 1? Does it for another seed?
# * Let early stopping watch `val_accuracy`. Why is the best epoch another one?
# * Give `fit` a `CSVLogger("log.csv")`, and open the file in a spreadsheet.
# * Train with `SGD(learning_rate=1e20)`, then with `TerminateOnNaN()`, too. What is said?
# * Write a callback that ends training after ten seconds.
