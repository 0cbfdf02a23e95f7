# %% [markdown]
# # 20 TensorBoard
#
# Runs leave files, and a browser shows them: curves, weights, the graph, and where the time goes.
#
# *Slides:* deck 001, section 10.2.7. *Before this:* callbacks (chapter 19).
# *You will see:* the log directory of the slides; an event file, read byte by byte; how weights
# spread while a network learns; and what happens within one training step.
# %% data and network
import gzip
import json
import struct
import tempfile
from pathlib import Path
from time import strftime

import matplotlib.pyplot as plt
import numpy as np

import gradlab as tf
from gradlab.course import save_figure

(X, y), _ = tf.keras.datasets.fashion_mnist.load_data()
X, y = X[:2000] / np.float32(255), y[:2000]
X_train, y_train, X_valid, y_valid = X[:1600], y[:1600], X[1600:], y[1600:]
temporary = tempfile.TemporaryDirectory()
my_logs = Path(temporary.name) / "my_logs"


def network(learning_rate):
    tf.keras.utils.set_random_seed(42)
    model = tf.keras.Sequential()
    model.add(tf.keras.layers.Flatten(input_shape=[28, 28], name="pixels"))
    model.add(tf.keras.layers.Dense(100, activation="relu", name="hidden"))
    model.add(tf.keras.layers.Dense(10, activation="softmax", name="classes"))
    optimizer = tf.keras.optimizers.SGD(learning_rate=learning_rate)
    model.compile(optimizer, loss="sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


# %% [markdown]
# ## A folder for each run
# TensorBoard watches one root folder, in which every run has a folder of its own, named by date and
# time. What has been tried may well be in the name, too.
# %% two runs


def get_run_logdir(root_logdir="my_logs"):
    return Path(root_logdir) / strftime("run_%Y_%m_%d_%H_%M_%S")


runs, histories = {}, {}
for rate in (0.002, 0.05):
    run_logdir = get_run_logdir(my_logs / f"rate_{rate}")
    assert not run_logdir.exists(), "only a name: the callback makes the folder"
    watch = {"histogram_freq": 1, "profile_batch": (100, 200)}
    tensorboard_cb = tf.keras.callbacks.TensorBoard(run_logdir, **watch)
    options = {"validation_data": (X_valid, y_valid), "callbacks": [tensorboard_cb], "verbose": 0}
    model = network(rate)
    histories[rate] = model.fit(X_train, y_train, epochs=8, **options).history
    runs[rate] = run_logdir

# %% [markdown]
# To look at them, run `pip install tensorboard`, then `tensorboard --logdir=my_logs`, and open
# http://localhost:6006; in a notebook, `%load_ext tensorboard` and `%tensorboard --logdir=my_logs`.
# The server may run while you train: it finds what is added. (The slide's `input_pipeline.pb` is
# made by today's viewer itself, from `xplane.pb`.)
# %% the structure of the directory
for path in sorted(my_logs.glob("**/*")):
    print("    " * (len(path.relative_to(my_logs).parts) - 1) + path.name)
kinds = {path.name for path in runs[0.05].iterdir()}
assert kinds == {"train", "validation"}, "curves of training and validation, one beside the other"
[train_file] = runs[0.05].glob("train/events.out.tfevents.*.v2")
[profile] = runs[0.05].glob("train/plugins/profile/*/*.trace.json.gz")

# %% [markdown]
# ## What an event file is
# Records, one after another: 8 bytes that say how long it is, 4 bytes to check this length, the
# content (a *summary*, such as one number), and 4 bytes to check the content.
# %% byte by byte
content, records = train_file.read_bytes(), []
while content:
    (length,) = struct.unpack("<Q", content[:8])
    records.append(content[12 : 12 + length])
    content = content[12 + length + 4 :]
print(len(records), "records; the first is", records[0])
assert b"brain.Event:2" in records[0], "the first one tells the version of the format"

events = list(tf.keras.tensorboard.read_events(train_file))
print(*sorted({(event.plugin, event.tag) for event in events}), sep="\n")
assert len(events) == len(records) - 1, "each of the others is a number, a histogram or a graph"
found = [event.value for event in events if event.tag == "epoch_loss"]
assert np.allclose(found, histories[0.05]["loss"]), "the losses that fit has returned"

# %% [markdown]
# ## Curves
# The Scalars tab draws the tags of all runs into the same axes. Nothing but the files is needed.
# %% as in the Scalars tab


def scalars(folder, tag):
    [file] = folder.glob("events.out.tfevents.*.v2")
    events = [event for event in tf.keras.tensorboard.read_events(file) if event.tag == tag]
    return [event.step for event in events], [event.value for event in events]


fig, axes = plt.subplots(1, 2, figsize=(12, 4.5), layout="constrained")
for ax, tag in zip(axes, ("epoch_loss", "epoch_accuracy")):
    for (rate, run), colour in zip(runs.items(), ("C0", "C1")):
        ax.plot(*scalars(run / "train", tag), colour, label=f"rate {rate}, train")
        ax.plot(*scalars(run / "validation", tag), f"{colour}--", label="validation")
    ax.set(title=tag, xlabel="step: the epoch, counted from 0")
axes[0].legend()
save_figure(fig, "scalars")
slow, fast = (scalars(run / "validation", "epoch_loss")[1] for run in runs.values())
assert fast[-1] < slow[-1], "of the two rates, 0.05 is the better one"

# %% [markdown]
# ## Histograms
# `histogram_freq=1` notes how the weights are spread after each epoch: left end, right end and
# count of 30 buckets. Biases begin as zeros, and the weights of a layer between two limits.
# %% as in the Histograms tab: the first epoch behind, the last one in front
fig, axes = plt.subplots(1, 2, figsize=(12, 5), layout="constrained")
for ax, tag in zip(axes, ("hidden/bias/histogram", "classes/kernel/histogram")):
    spread = [event.value for event in events if event.tag == tag]
    for epoch, (left, right, count) in enumerate(h.T for h in spread):
        edges, heights = [*left, right[-1]], 2 * count / count.max()
        ax.stairs(heights - epoch, edges, baseline=-epoch, fill=True, fc=f"{0.9 - epoch / 10}")
        ax.stairs(heights - epoch, edges, baseline=-epoch, color="C1")
    ax.set(title=tag, ylabel="epoch", yticks=range(0, -8, -1), yticklabels=range(8))
    first, last = (np.ptp(h[:, :2]) for h in (spread[0], spread[-1]))
    assert last > first, f"{tag}: they have spread"
save_figure(fig, "histograms")

# %% [markdown]
# ## A profile
# `profile_batch=(100, 200)` notes what happens in these steps, and when. They are counted over all
# epochs; the first ones are no good, since the network has yet to "warm up". The Profile tab shows
# it (`pip install xprof`), and so does https://ui.perfetto.dev: drop the `.trace.json.gz` there.
# %% where a step spends its time
trace = json.loads(gzip.decompress(profile.read_bytes()))
spans = [span for span in trace["traceEvents"] if span["ph"] == "X"]
steps = [span["name"] for span in spans if span["tid"] == 1]
assert steps == [f"train {batch}" for batch in range(100, 201)], "batches 100 to 200"
durations = {}
for span in spans:
    if span["tid"] == 3:  # the lines of the program that a step has become
        durations.setdefault(span["name"], []).append(span["dur"])
median = {line: np.median(times) for line, times in durations.items()}
longest = sorted(median, key=median.get)[-10:]
large = sum(time for line, time in median.items() if "hidden_kernel" in line)
print(f"{sum(median.values()):.0f} microseconds per step, {large:.0f} for the 784 x 100 weights")
assert large > sum(median.values()) / 4, "a quarter and more goes into the large matrix"

fig, ax = plt.subplots(figsize=(9, 4.5), layout="constrained")
ax.barh(longest, [median[line] for line in longest])
ax.set(title="The ten longest lines of a step", xlabel="median of 101 steps / microseconds")
save_figure(fig, "profile")

# %% [markdown]
# ## Whatever you like
# A writer of your own adds numbers, images, texts and hyperparameters.
# %% the images it got wrong
y_pred = model.predict(X_valid, verbose=0).argmax(axis=-1)
wrong = X_valid[y_pred != y_valid]
with tf.keras.tensorboard.create_file_writer(runs[0.05] / "mistakes") as writer:
    writer.image("wrong", wrong[..., np.newaxis], step=0, max_outputs=5)
    writer.text("about", f"**{len(wrong)}** of {len(X_valid)} are wrong", step=0)
    writer.hparams({"learning_rate": 0.05, "optimizer": "SGD"})
mistakes = list(tf.keras.tensorboard.read_events(writer.path))
assert [event.plugin for event in mistakes[:2]] == ["images", "text"], "tabs for images and texts"
assert mistakes[0].value[2].startswith(b"\x89PNG"), "an image is stored as a PNG file"
temporary.cleanup()

# %% [markdown]
# ## Try it
# * Keep the folder: write `my_logs = Path("my_logs")`, run this, and start the server.
# * Change one bit of an event file. What does `read_events` say?
# * Add `update_freq="batch"`. Which curves are new, and why do they look like saws?
# * Take `profile_batch=(1, 10)`. What is different in the first step?
