# %% [markdown]
# # 24 Your own layer
#
# A layer is weights and a function: write both, check the slopes, and it trains, saves and returns.
#
# *Slides:* deck 000, "your own Keras layers"; deck 001, sections 10.2.4 and 10.2.5. *Before this:*
# checking gradients (chapter 7), subclassing (chapter 16). *You will see:* neurons that answer to
# what is near them (D. Broomhead and D. Lowe, 1988), a wrong slope that training does not betray
# and a check finds at once, and a file with a layer of yours in it.
# %% points on three islands, and in the sea around them
import tempfile
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np

import gradlab as gl
from gradlab import keras, plots
from gradlab.course import save_figure
from gradlab.testing import gradcheck

keras.backend.clear_session()
rng = np.random.default_rng(1)
islands = np.array([[-1.0, -1.0], [1.0, -0.5], [-0.2, 1.2]])


def distances(x, centers):
    return ((x[:, np.newaxis, :] - centers) ** 2).sum(axis=-1)


X = rng.uniform(-2, 2, size=(1000, 2)).astype("float32")
y = (distances(X, islands).min(axis=1) < 0.4).astype("float32")
assert distances(X, islands).shape == (1000, 3), "of each point to each center, squared"
assert 0.2 < y.mean() < 0.3, "a quarter of the points is on land"


# %% [markdown]
# ## The slopes, by hand
# A radial neuron has a place, its *center* c, and answers y = exp(-γ |x - c|²): 1 at its center,
# almost 0 far away. Writing |x - c|² in one piece keeps large arrays off the tape; then its slopes
# are ours to write: 2 (x - c) for x, and 2 (c - x) for c, each times g and added up.
# %% as written at first
def slope_of_x(g, x, centers):
    return 2 * (x * g.sum(axis=1, keepdims=True) - g @ centers)


def written_first(g, x, centers):
    return 2 * (g.T @ x - centers * g.sum(axis=0)[:, np.newaxis])


def rules(g, *at):
    return slope_of_x(g, *at), written_first(g, *at)


x, centers = rng.normal(size=(5, 2)), rng.normal(size=(3, 2))
report = gradcheck(distances, x, centers, vjp=rules, raise_on_error=False)
print(report)
assert report.worst.argument == "centers", "x is right, the centers are not"
assert "sign" in str(report.diagnosis), "and the check says what is wrong: the sign"


# %% [markdown]
# ## A primitive
# The mended rule. `gl.primitive` puts the function into gradlab's table: Tensors, layers and
# drawings know it from now on. Its rules are made of functions with slopes of their own, so that
# `order=2` can check the slopes of the slopes as well.
# %% mended, and entered into the table
def slope_of_centers(g, x, centers):
    return 2 * (centers * g.sum(axis=0)[:, np.newaxis] - g.T @ x)


def entered(name, rule_of_centers):
    op = gl.primitive(name=name, signature="(m,n),(k,n)->(m,k)")(distances)
    op.vjp("x")(slope_of_x)
    op.vjp("centers")(rule_of_centers)
    return op


squared_distances = entered("squared_distances", slope_of_centers)
assert gradcheck(squared_distances, x, centers, order=2), "first and second slopes are right"


# %% [markdown]
# ## The layer
# `build` makes the weights when the shape of the inputs is known, `call` says what happens, and
# `get_config` with which arguments the same layer can be made again. All else comes from the base
# class. The constraint keeps γ from becoming negative, where a hill would turn into a trough.
# %% weights and a function
@keras.saving.register_keras_serializable(package="course")
class Radial(keras.layers.Layer):
    distances = staticmethod(squared_distances)

    def __init__(self, units, **kwargs):
        super().__init__(**kwargs)
        self.units = units

    def build(self, input_shape):
        anywhere = keras.initializers.RandomUniform(-2, 2)
        self.centers = self.add_weight((self.units, input_shape[-1]), anywhere, name="centers")
        self.gamma = self.add_weight((self.units,), "ones", name="gamma", constraint="non_neg")

    def call(self, inputs):
        return keras.ops.exp(-self.gamma * self.distances(inputs, self.centers))

    def get_config(self):
        return {**super().get_config(), "units": self.units}


layer = Radial(3)
assert layer(X[:5]).shape == (5, 3), "called on data, it makes its weights"
assert layer.count_params() == 3 * 2 + 3 == 9, "three centers in the plane, three widths"
layer.centers.assign(X[:3])
assert np.allclose(np.diag(layer(X[:3]).data), 1), "1 at its own center"


# %% [markdown]
# ## What a wrong slope does
# The same layer with the rule as written first. Nothing is raised, the loss falls: the output layer
# and γ do learn. Only the centers walk away from where they are needed.
# %% trained with the right slope, with the wrong one, and a dense layer beside them
class Wrong(Radial):
    distances = staticmethod(entered("wrong_distances", written_first))


def trained(hidden):
    keras.utils.set_random_seed(1)
    output = keras.layers.Dense(1, activation="sigmoid")
    model = keras.Sequential([keras.Input(shape=[2]), hidden, output])
    adam = keras.optimizers.Adam(learning_rate=0.05)
    model.compile(loss="binary_crossentropy", optimizer=adam, metrics=["accuracy"])
    return model, model.fit(X, y, epochs=40, verbose=0).history


dense = keras.layers.Dense(10, activation="tanh")
layers = {"right slope": Radial(10), "wrong slope": Wrong(10), "Dense(10)": dense}
models, right = {}, {}
fig, axes = plt.subplots(1, 3, figsize=(12, 4.2), layout="constrained")
for ax, (name, hidden) in zip(axes, layers.items()):
    models[name], history = trained(hidden)
    right[name] = history["accuracy"][-1]
    print(f"{name}: loss {history['loss'][0]:.2f} -> {history['loss'][-1]:.2f}, {right[name]:.1%}")
    assert history["loss"][-1] < history["loss"][0], "the loss falls, in each of them"
    assert models[name].count_params() == 41, "41 weights, in each of them"
    decide = models[name].predict_on_batch
    plots.decision_boundary(decide, X, y, labels=["sea", "land"], ax=ax).set_title(name)
save_figure(fig, "islands")
assert right["right slope"] > 0.93, "the radial layer finds the islands"
assert right["wrong slope"] < right["right slope"] - 0.1, "with a wrong slope, far fewer"
assert abs(layers["wrong slope"].centers.data).max() > 3, "whose centers have left the map"

# %% [markdown]
# ## Saved and restored
# The file has the name of the class, the arguments from `get_config` and the weights, but no code:
# what `course>Radial` means is for the program to know, hence the line above the class.
# %% to a file and back
model = models["right slope"]
with tempfile.TemporaryDirectory() as folder:
    path = Path(folder) / "islands.keras"
    model.save(path)
    again = keras.models.load_model(path)
assert keras.saving.get_registered_name(Radial) == "course>Radial", "its name in the file"
assert isinstance(again.layers[0], Radial) and again.layers[0].units == 10, "a Radial(10) again"
same = np.array_equal(again.predict(X, verbose=0), model.predict(X, verbose=0))
assert same, "the same predictions, to the last bit"
for network in (model, again):
    keras.utils.set_random_seed(2)
    network.fit(X, y, epochs=1, verbose=0)
same = map(np.array_equal, model.get_weights(), again.get_weights())
assert all(same), "and both learn on in the same way: the optimizer was in the file, too"

# %% [markdown]
# ## Try it
# * Give `gradcheck` a `slope_of_x` without the 2. What does it say? And without `keepdims=True`?
# * Write `call` with `keras.ops.sum((inputs[:, None] - self.centers) ** 2, axis=-1)`, and no rules
#   of your own. Are the predictions the same? Draw both.
# * Leave `register_keras_serializable` away, and read what `load_model` tells you.
# * Write a layer `Squared` with y = (x W)² + b. Check it, train it on the islands.
