# %% [markdown]
# # 18 Saving and restoring
#
# What has been learned outlives the program: a model becomes a file, and the file a model again.
#
# *Slides:* deck 001, section 10.2.5. *Before this:* subclassing (chapter 16).
# *You will see:* the folder of the slides, restored by a program that does not know the class; what
# is inside a `.keras` file; training that goes on as if nothing had happened; and what a file is
# not allowed to do.
# %% the data, and a folder that is deleted at the end
import json
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

import h5py
import matplotlib.pyplot as plt
import numpy as np

import gradlab as tf
from gradlab.course import save_figure

tf.keras.utils.set_random_seed(42)
(X_train, y_train), _, (X_test, y_test) = tf.keras.datasets.california_housing.load_split()
temporary = tempfile.TemporaryDirectory()
folder = Path(temporary.name)


# %% a model that is worth keeping
class WideAndDeepModel(tf.keras.Model):
    def __init__(self, units=30, **kwargs):
        super().__init__(**kwargs)
        self.units = units
        self.normalization = tf.keras.layers.Normalization()
        self.hidden1 = tf.keras.layers.Dense(units, activation="relu")
        self.hidden2 = tf.keras.layers.Dense(units, activation="relu")
        self.out = tf.keras.layers.Dense(1)

    def call(self, inputs):
        wide = self.normalization(inputs)
        deep = self.hidden2(self.hidden1(wide))
        return self.out(tf.keras.layers.concatenate([wide, deep]))

    def get_config(self):  # what __init__ needs to make such a model again
        return {**super().get_config(), "units": self.units}


# %% train it
model = WideAndDeepModel()
model.compile(loss="mse", optimizer=tf.keras.optimizers.Adam(learning_rate=0.01))
model.normalization.adapt(X_train)
model.fit(X_train, y_train, batch_size=256, epochs=10, verbose=0)
predictions = model.predict(X_test, verbose=0)
assert model.count_params() == 1_256, "the 1,256 parameters of Wide & Deep"

# %% [markdown]
# ## A folder
# `save_format="tf"` as on the slide, or any name without an ending, makes a folder. TensorFlow
# writes a graph of low-level operations into `saved_model.pb`; here `config.json` says which layers
# there are and how they are connected. TensorFlow does not open it: for that, see the next section.
# %% the listing of the slide
model.save(folder / "my_keras_model", save_format="tf")
paths = [p.relative_to(folder) for p in sorted((folder / "my_keras_model").glob("**/*"))]
print(*paths, sep="\n")
inside = [path.parts[1] for path in paths]
assert inside == ["assets", "config.json", "metadata.json", "variables", "variables"], "all of it"

# %% [markdown]
# This "could be done in a new Python session, where you don't have access to the model's source
# code", says the slide. Here is one: it is told the name of the folder, and nothing of our class.
# %% a new Python session
session = """
import sys
import gradlab as tf
X_test = tf.keras.datasets.california_housing.load_split()[2][0]
model = tf.keras.models.load_model(sys.argv[1])
model.summary()
print(*model.predict(X_test[:3], verbose=0).ravel())
"""
program = [sys.executable, "-c", session, folder / "my_keras_model"]
printed = subprocess.run(program, capture_output=True, text=True, check=True).stdout
print(printed)
assert "(Dense)" in printed and "WideAndDeepModel" not in printed, "a functional model"
by_session = [float(y) for y in printed.splitlines()[-1].split()]
assert np.allclose(by_session, predictions[:3, 0], atol=1e-5), "with the same predictions"

# %% [markdown]
# ## A file
# With the ending `.keras` it becomes one file, which Keras 3 opens, too: a zip archive of two texts
# and an HDF5 file with the numbers.
# %% what is in it
model.save(folder / "model.keras")
with zipfile.ZipFile(folder / "model.keras") as archive:
    members = {name: archive.read(name) for name in archive.namelist()}
    archive.extract("model.weights.h5", folder)
print({name: f"{len(content):,} bytes" for name, content in members.items()})
assert list(members) == ["metadata.json", "config.json", "model.weights.h5"], "three members"
config = json.loads(members["config.json"])
assert config["class_name"] == "WideAndDeepModel" and config["config"]["units"] == 30, "a name"
assert config["compile_config"]["loss"] == "mse", "its loss: it can go on learning"
assert b"concatenate" not in members["config.json"], "but not its call: a file holds no code"

# %% the numbers: an array for each weight, and two more for Adam
with h5py.File(folder / "model.weights.h5") as file:
    names = []
    file.visit(names.append)
    sizes = {name: file[name].size for name in names if isinstance(file[name], h5py.Dataset)}
print(*(f"{name:30} {size:4}" for name, size in sizes.items()), sep="\n")
of_adam = sum(size for name, size in sizes.items() if name.startswith("optimizer"))
assert sum(sizes.values()) - of_adam == 1_256, "all 1,256 parameters"
assert of_adam == 2 * 1_239 + 2, "Adam: two numbers per weight, the step, the learning rate"

# %% [markdown]
# The file names a class, and `custom_objects` says what is meant by it. (Or write
# `@tf.keras.saving.register_keras_serializable()` above the class.)
# %% your own classes
own = {"WideAndDeepModel": WideAndDeepModel}
again = tf.keras.models.load_model(folder / "model.keras", custom_objects=own)
assert np.array_equal(again.predict(X_test, verbose=0), predictions), "the same, to the last bit"

# %% [markdown]
# ## Going on
# Adam has a memory, and it is saved. Three models go on: the one in this program, the restored one,
# and one that has the same weights, but a new Adam.


# %% who notices the interruption?
def go_on(model):
    losses = []

    def note(batch, logs):
        losses.append(model.evaluate(X_train, y_train, batch_size=4096, verbose=0))

    watch = tf.keras.callbacks.LambdaCallback(on_train_batch_begin=note)
    tf.keras.utils.set_random_seed(7)  # the same batches for all
    model.fit(X_train, y_train, batch_size=256, verbose=0, callbacks=[watch])
    return losses


forgetful = tf.keras.models.load_model(folder / "model.keras", own, compile=False)
forgetful.compile(loss="mse", optimizer=tf.keras.optimizers.Adam(learning_rate=0.01))
three = {"never saved": model, "restored": again, "with a new Adam": forgetful}
curves = {name: go_on(each) for name, each in three.items()}
assert curves["restored"] == curves["never saved"], "a restored model learns the same, bit by bit"
first, second, *_ = curves["with a new Adam"]
assert second > 1.2 * first, "without its memory, Adam's first step is a step back"

fig, ax = plt.subplots(figsize=(8, 4.5), layout="constrained")
for style, (name, losses) in zip(("C0-", "C1:", "C2-"), curves.items()):
    ax.plot(losses, style, lw=3, label=name)
ax.set(xlabel="steps after the interruption", ylabel="loss on the training set")
ax.legend()
save_figure(fig, "going_on")

# %% [markdown]
# ## Files from anywhere
# A file from the net may be damaged, or made to do harm: loading runs no code that is in it. And a
# new file takes the name of the old one only when it is whole: kill the program at any moment, and
# one of the two is there.
# %% a class that nobody explains, a file cut off, and a layer exchanged for a system command
half, altered = folder / "half.keras", folder / "my_keras_model" / "config.json"
half.write_bytes((folder / "model.keras").read_bytes()[:20_000])
altered.write_text(altered.read_text().replace('"Dense"', '"system"'))
refused = []
for path in (folder / "model.keras", half, altered.parent):
    try:
        tf.keras.models.load_model(path)
    except ValueError as error:
        refused.append(str(error).partition("\n")[0])
print(*refused, sep="\n")
assert len(refused) == 3, "all three are refused"
temporary.cleanup()

# %% [markdown]
# ## Try it
# * Train with SGD without momentum. Does it matter now whether the optimizer is saved?
# * Save the weights alone, `model.save_weights("my.weights.h5")`. Who can load them?
# * Change a word in `config.json` of the folder. When is it noticed?
