# %% [markdown]
# # 21 Tuning
#
# Which hyperparameters? Say from which ranges they may come, and let trials tell.
#
# *Slides:* deck 001, section 10.3 (Keras Tuner). *Before this:* one hyperparameter after another
# (chapter 13), callbacks (chapter 19). *You will see:* a model built from ranges; random search;
# Hyperband, which wastes less on bad ones; and the slides' advice, tried.
#
# `gradlab run --full 21` takes more images, trials and epochs: five to ten minutes.
# %% the data
import tempfile

import matplotlib.pyplot as plt
import numpy as np

from gradlab import keras
from gradlab.course import FULL, save_figure

keras_tuner = keras.tuner  # elsewhere: import keras_tuner
(X, y), (X_test, y_test) = keras.datasets.fashion_mnist.load_data()
size = 11_520 if FULL else 1_920  # whole batches: a new model is prepared for one shape only
X, y, X_test = X[:size] / np.float32(255), y[:size], X_test / np.float32(255)
cut = size * 4 // 5
X_train, y_train, held_back = X[:cut], y[:cut], (X[cut:], y[cut:])
temporary = tempfile.TemporaryDirectory()


# %% [markdown]
# ## From ranges to a model
# `build` makes a model, and asks `hp` for each number that is to be chosen; `fit` may ask, too. A
# learning rate can be of any order of magnitude, hence `sampling="log"`.
# %% what may vary
class Classifier(keras_tuner.HyperModel):
    def build(self, hp):
        n_hidden = hp.Int("n_hidden", min_value=0, max_value=3)
        n_neurons = hp.Int("n_neurons", min_value=10, max_value=300, sampling="log")
        learning_rate = hp.Float("learning_rate", min_value=1e-4, max_value=1.0, sampling="log")
        model = keras.Sequential([keras.layers.Flatten(input_shape=[28, 28])])
        for _ in range(n_hidden):
            model.add(keras.layers.Dense(n_neurons, activation="relu"))
        model.add(keras.layers.Dense(10, activation="softmax"))
        kinds = {"sgd": keras.optimizers.SGD, "adam": keras.optimizers.Adam}
        optimizer = kinds[hp.Choice("optimizer", ["sgd", "adam"])](learning_rate)
        model.compile(optimizer, loss="sparse_categorical_crossentropy", metrics=["accuracy"])
        return model

    def fit(self, hp, model, *args, **kwargs):
        return model.fit(*args, batch_size=hp.Choice("batch_size", [32, 128]), **kwargs)


hp = keras_tuner.HyperParameters()
hp.Fixed("n_hidden", 2)
model = Classifier().build(hp)
print(hp.values)
assert model.count_params() == 7_850 + 110 + 110, "10 neurons per layer: the default is the least"

# %% [markdown]
# ## Random search
# Values are drawn by chance, and the best trial wins. The trials are kept in a folder.
# %% as with Keras Tuner
options = {"objective": "val_accuracy", "seed": 42, "directory": temporary.name}
data = {"x": X_train, "y": y_train, "validation_data": held_back, "verbose": 0}
random_search = keras_tuner.RandomSearch(
    Classifier(), max_trials=40 if FULL else 20, project_name="random", **options
)
random_search.search(epochs=10 if FULL else 4, **data)
random_search.results_summary(num_trials=2)
trials = random_search.oracle.get_best_trials(num_trials=100)
scores = np.array([trial.score for trial in trials])
values = [trial.hyperparameters.values for trial in trials]
assert len(trials) == (40 if FULL else 20) and (np.diff(scores) <= 0).all(), "the best one first"

# %% interrupted? the same search goes on from its folder
again = keras_tuner.RandomSearch(
    Classifier(), max_trials=40 if FULL else 20, project_name="random", **options
)
assert again.remaining_trials == 0, "nothing is left to do"
assert again.get_best_hyperparameters()[0].values == values[0], "the same winner"
[best_model] = again.get_best_models()
loss, accuracy = best_model.evaluate(*held_back, verbose=0)
assert np.isclose(accuracy, scores[0]), "and its model, with the weights of its best epoch"

# %% what mattered?
fig, axes = plt.subplots(1, 4, figsize=(14, 4), layout="constrained", sharey=True)
for ax, name in zip(axes, ("learning_rate", "n_neurons", "n_hidden", "batch_size")):
    for kind, marker in (("sgd", "o"), ("adam", "^")):
        points = [(v[name], s) for v, s in zip(values, scores) if v["optimizer"] == kind]
        ax.plot(*zip(*points), marker, label=kind)
    ax.set(xlabel=name, xscale="log" if name in ("learning_rate", "n_neurons") else "linear")
axes[0].set_ylabel("validation accuracy")
axes[1].legend()
save_figure(fig, "random_search")
extreme = [s for v, s in zip(values, scores) if not 3e-4 < v["learning_rate"] < 0.3]
assert FULL or max(extreme) < 0.5, "no other value can make good for a wrong learning rate"

# %% [markdown]
# ## Hyperband
# A bad model shows it early. So many models are trained for one epoch, the better ones for three,
# and the best ones to the end. A few get all epochs at once: a late bloomer shall have its chance.
# %% many begin, few go on
hyperband = keras_tuner.Hyperband(Classifier(), max_epochs=9, project_name="hyperband", **options)
hyperband.search(**data)
runs = hyperband.oracle.trials
fig, axes = plt.subplots(1, 2, figsize=(13, 4.8), layout="constrained")
spent = begun = 0
for run in runs.values():
    curve, first = run.curves[0]["val_accuracy"], run.hyperparameters["tuner/initial_epoch"]
    spent, begun = spent + len(curve), begun + (first == 0)
    if first:  # it goes on with the weights of another trial, but a new optimizer: see the dips
        before = runs[run.hyperparameters["tuner/trial_id"]]
        first, curve = first - 1, [before.curves[0]["val_accuracy"][-1], *curve]
    axes[0].plot(range(first + 1, first + 1 + len(curve)), curve, ".-", alpha=0.7)
axes[0].set(title="Hyperband", xlabel="epoch", ylabel="validation accuracy")
print(f"{begun} models, {spent} epochs instead of {9 * begun}")
assert begun == 9 + 5 + 3 and spent < 9 * begun * 2 / 3, "17 models, and a third of the work saved"
top = hyperband.oracle.get_best_trials()[0]
assert top.score > scores[0] - 0.05, "and about as good as random search, or better"

# %% [markdown]
# ## The slides' advice
# "Ramp up the number of hidden layers until you start overfitting", and that of neurons. Or take
# more than you need and stop early: *stretch pants*. Ranges can be overruled from outside.
# %% layers and neurons, all combinations, each stopped in time
ranges = keras_tuner.HyperParameters()
ranges.Choice("n_hidden", [1, 2, 3])
ranges.Choice("n_neurons", [10, 50, 300])
ranges.Fixed("learning_rate", 0.001)
ranges.Fixed("optimizer", "adam")
ranges.Fixed("batch_size", 32)
grid = keras_tuner.GridSearch(Classifier(), hyperparameters=ranges, project_name="grid", **options)
stop = keras.callbacks.EarlyStopping(patience=3)
grid.search(epochs=30 if FULL else 6, callbacks=[stop], **data)
table = np.zeros((3, 3))
for trial in grid.oracle.trials.values():
    row, column = trial.hyperparameters["n_hidden"], trial.hyperparameters["n_neurons"]
    table[row - 1, [10, 50, 300].index(column)] = trial.score
axes[1].imshow(table, cmap="Greens", alpha=0.5)
for (i, j), score in np.ndenumerate(table):
    axes[1].text(j, i, f"{score:.1%}", ha="center", fontsize=14)
axes[1].set(title="Best validation accuracy", xlabel="neurons per layer", ylabel="hidden layers")
axes[1].set(xticks=range(3), xticklabels=[10, 50, 300], yticks=range(3), yticklabels=[1, 2, 3])
save_figure(fig, "hyperband_and_grid")
assert (table[:, 2] > table[:, 0]).all(), "300 neurons are better than 10: stretch pants fit"
assert np.ptp(table[:, 2]) < 0.05, "and then it hardly matters how many layers there are"

# %% the test set, once, and only for the winner
winner = max((random_search, hyperband, grid), key=lambda t: t.oracle.get_best_trials()[0].score)
loss, accuracy = winner.get_best_models()[0].evaluate(X_test, y_test, verbose=0)
best = winner.oracle.get_best_trials()[0]
print(f"validation {best.score:.3f}, test {accuracy:.3f}:", best.hyperparameters.values)
assert accuracy > (0.83 if FULL else 0.75), "far better than guessing"
temporary.cleanup()

# %% [markdown]
# ## Try it
# * Add `hp.Float("dropout", 0.0, 0.5)` in a conditional scope: only where there are hidden layers.
# * `BayesianOptimization` learns from trials (pip install optuna). Does it find more in 20?
# * Give `workers=2`. Are the results the same? Should they be?
# * Why is the winner's test accuracy usually lower than its validation accuracy?
