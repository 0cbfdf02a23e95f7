# %% [markdown]
# # 16 Subclassing
#
# A model may be code: loops, branches, whatever Python can do; what that brings, and what it costs.
#
# *Slides:* deck 001, section 10.2.4. *Before this:* several inputs and outputs (chapter 15).
# *You will see:* the `WideAndDeepModel` of the slides; that it learns, bit by bit, what the
# functional model learns; what can no longer be done with it; and a model that thinks longer about
# difficult images.
# %% the data, as in chapter 15
import matplotlib.pyplot as plt
import numpy as np

import gradlab as tf
from gradlab.course import FULL, save_figure

tf.keras.utils.set_random_seed(42)
tf.keras.backend.clear_session()
california = tf.keras.datasets.california_housing
(X_train, y_train), (X_valid, y_valid), (X_test, y_test) = california.load_split()
X_train_wide, X_train_deep = X_train[:, :5], X_train[:, 2:]
X_valid_wide, X_valid_deep = X_valid[:, :5], X_valid[:, 2:]
X_test_wide, X_test_deep = X_test[:, :5], X_test[:, 2:]


# %% [markdown]
# ## Wide & Deep as a class
# `__init__` makes the layers, `call` says what happens to the inputs. Symbolic inputs are not
# needed: `call` is given the numbers.
# %% the listing of the slide
class WideAndDeepModel(tf.keras.Model):
    def __init__(self, units=30, activation="relu", **kwargs):
        super().__init__(**kwargs)  # needed to support naming the model
        self.norm_layer_wide = tf.keras.layers.Normalization()
        self.norm_layer_deep = tf.keras.layers.Normalization()
        self.hidden1 = tf.keras.layers.Dense(units, activation=activation)
        self.hidden2 = tf.keras.layers.Dense(units, activation=activation)
        self.main_output = tf.keras.layers.Dense(1)
        self.aux_output = tf.keras.layers.Dense(1)

    def call(self, inputs):
        input_wide, input_deep = inputs
        norm_wide = self.norm_layer_wide(input_wide)
        norm_deep = self.norm_layer_deep(input_deep)
        hidden1 = self.hidden1(norm_deep)
        hidden2 = self.hidden2(hidden1)
        concat = tf.keras.layers.concatenate([norm_wide, hidden2])
        output = self.main_output(concat)
        aux_output = self.aux_output(hidden2)
        return output, aux_output


# %% train it: everything is as before, but the outputs are called output_1 and output_2
def trained(model, epochs):
    tf.keras.utils.set_random_seed(42)
    optimizer = tf.keras.optimizers.Adam(learning_rate=1e-3)
    model.compile(
        loss=("mse", "mse"),
        loss_weights=(0.9, 0.1),
        optimizer=optimizer,
        metrics=["RootMeanSquaredError"],
    )
    held_back = ((X_valid_wide, X_valid_deep), (y_valid, y_valid))
    data = ((X_train_wide, X_train_deep), (y_train, y_train))
    return model.fit(*data, epochs=epochs, validation_data=held_back, verbose=0).history


model = WideAndDeepModel(30, activation="relu", name="my_cool_model")
model.norm_layer_wide.adapt(X_train_wide)
model.norm_layer_deep.adapt(X_train_deep)
history = trained(model, epochs=20 if FULL else 5)
results = model.evaluate((X_test_wide, X_test_deep), (y_test, y_test), verbose=0)
weighted_sum_of_losses, main_loss, aux_loss, main_rmse, aux_rmse = results
print(f"RMSE of the main output {main_rmse:.4f}, of the auxiliary one {aux_rmse:.4f}")
assert list(history)[1:3] == ["output_1_loss", "output_2_loss"], "outputs have numbers for names"
assert main_rmse < (0.65 if FULL else 0.75), "off by less than 65,000 dollars (5 epochs: 75,000)"
assert model.count_params() == 1231, "11 + 13 + 210 + 930 + 36 + 31 = 1,231 parameters"

# %% [markdown]
# ## The same network
# The functional model of chapter 15, made of the layers of this one: only how they are connected is
# said in another way. From the same weights, both learn the same, to the last bit.
# %% the same layers, connected twice
input_wide = tf.keras.layers.Input(shape=[5])
input_deep = tf.keras.layers.Input(shape=[6])
hidden = model.hidden2(model.hidden1(model.norm_layer_deep(input_deep)))
wide_and_deep = [model.norm_layer_wide(input_wide), hidden]
concat = tf.keras.layers.concatenate(wide_and_deep, name="concatenate")
outputs = [model.main_output(concat), model.aux_output(hidden)]
functional = tf.keras.Model(inputs=[input_wide, input_deep], outputs=outputs)

start = model.get_weights()
by_code, learned = trained(model, epochs=1), model.get_weights()
model.set_weights(start)
by_graph, learned_again = trained(functional, epochs=1), model.get_weights()
assert list(by_code.values()) == list(by_graph.values()), "losses and metrics: to the last bit"
assert all(map(np.array_equal, learned, learned_again)), "and all weights"

# %% [markdown]
# ## Flexibility at a cost
# Keras cannot look into code. The summary lists layers, without connections; there is nothing to
# draw or to clone; and a wrong shape is found out only when data come.
# %% what can no longer be done
lines = []
model.summary(print_fn=lines.append)
summary = "\n".join(lines)
print(summary)
assert "Connected to" not in summary, "the summary does not know what is connected to what"
refused = []
for ask in (tf.keras.models.clone_model, lambda m: m.draw(), lambda m: m.output_shape):
    try:
        ask(model)
    except (ValueError, AttributeError) as error:
        refused.append(str(error))
print(*refused, sep="\n\n")
assert len(refused) == 3, "no clone, no picture, no output shape"
assert "code in call" in refused[0], "because the connections are code"
assert tf.keras.models.clone_model(functional).output_shape == [(None, 1), (None, 1)], "all that"
drawing = functional.draw(show_shapes=True, title="What is known of a functional model")
save_figure(drawing, "functional")


# %% [markdown]
# ## What code can do
# This classifier looks at an image, gives an answer, and stops if it is sure enough. If not, it
# goes through another block and answers again. How many blocks there are depends on the numbers,
# which no fixed graph can say. Such a step cannot be recorded either, hence `run_eagerly=True`.
# %% think until you are sure
class Thinker(tf.keras.Model):
    def __init__(self, blocks=4, sure=0.9, **kwargs):
        super().__init__(**kwargs)
        self.look = tf.keras.layers.Dense(50, activation="relu")
        self.blocks = [tf.keras.layers.Dense(50, activation="relu") for _ in range(blocks)]
        self.answer = tf.keras.layers.Dense(10, activation="softmax")
        self.sure, self.used = sure, []

    def call(self, inputs, training=False):
        hidden, answers = self.look(inputs), []
        for block in self.blocks:
            hidden = hidden + block(hidden)
            answers.append(self.answer(hidden))
            if not training and answers[-1].data.max(axis=1).min() > self.sure:
                break
        self.used.append(len(answers))
        return sum(answers) / len(answers) if training else answers[-1]


(X, y), (X_new, y_new) = tf.keras.datasets.fashion_mnist.load_data()
X, y = X[:2000].reshape(-1, 784) / 255, y[:2000]
X_new, y_new = X_new[:400].reshape(-1, 784) / 255, y_new[:400]
thinker = Thinker()
thinker.compile(
    loss="sparse_categorical_crossentropy", optimizer="adam", metrics=["accuracy"], run_eagerly=True
)
thinker.fit(X, y, epochs=8, verbose=0)
p = thinker.predict(X_new, batch_size=1, verbose=0)  # one image at a time
used, right = np.array(thinker.used[-len(X_new) :]), p.argmax(axis=1) == y_new
thinker.sure = 1.0
patient = (thinker.predict(X_new, verbose=0).argmax(axis=1) == y_new).mean()
print(f"{used.mean():.1f} blocks per image: {right.mean():.1%} right; always 4: {patient:.1%}")
assert len(thinker.layers) == 6, "layers are found in lists, too"
assert used.mean() < 3, "most images need one or two blocks"
assert right.mean() > patient - 0.05, "and it is about as often right as with all four"
assert right[used == 1].mean() > right[used == 4].mean() + 0.1, "it is unsure where it is wrong"

# %% what it was sure about, and what it was not
fig, axes = plt.subplots(2, 8, figsize=(11, 3.2), layout="constrained")
for row, count in zip(axes, (1, 4)):
    for ax, image in zip(row, X_new[used == count]):
        ax.imshow(image.reshape(28, 28), cmap="binary")
        ax.set(xticks=[], yticks=[])
    row[0].set_ylabel(f"blocks: {count}\n{right[used == count].mean():.0%} right")
save_figure(fig, "easy_and_difficult")

# %% [markdown]
# ## Try it
# * Return only `output` from `call`, and compile with one loss. What are the keys of the history?
# * Forget the `return` in `call`. Read what gradlab says.
# * `sure=0.5` or 0.99: how many blocks are used, and how many answers are right?
# * Leave `run_eagerly=True` away. What does gradlab tell you, and do the numbers change?
