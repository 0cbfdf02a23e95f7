# %% [markdown]
# # 23 Recurrent networks
#
# A neuron that hears its own last answer remembers: the same weights, at every step of a sequence.
#
# *Slides:* deck 000, the recurrent layers of the toolbox; deck 001, section 10.1.4: the backward
# pass (S. Hochreiter and J. Schmidhuber, *Long Short-Term Memory*, 1997). *Before this:*
# backpropagation (chapter 4), regression and classification (chapters 9, 10). *You will see:* a
# network unrolled, one neuron that does what a dense network cannot, gradients that vanish on their
# way back, and the gate that lets them through.
# %%
import matplotlib.pyplot as plt
import numpy as np

import gradlab as gl
from gradlab import keras
from gradlab.course import save_figure

keras.backend.clear_session()
rng = np.random.default_rng(0)

# %% [markdown]
# ## One neuron with a memory
# h(t) = tanh(w x(t) + u h(t-1)): what it puts out also comes back in, one step later. Unrolled in
# time this is an ordinary graph, one copy of the neuron per step, all with the same w and u. Hence
# the backward pass needs nothing new: w gets a share of its gradient from each step.
# %% three steps: on, nothing, off
w, u, v = (gl.Value(a, name=name) for name, a in (("w", 3.6), ("u", 2.0), ("v", 5.9)))
inputs = [gl.Value(a, name=f"x{t}") for t, a in enumerate((1.0, 0.0, -1.0), start=1)]
states = [gl.Value(0.0, name="h0")]
for t, x in enumerate(inputs, start=1):
    with gl.group(f"step {t}"):
        states.append(gl.tanh(w * x + u * states[-1]))
y = gl.sigmoid(v * states[-1])
y.backward()
assert states[2].data > 0.9, "step 2: no input, but it still knows of the 1"
assert states[3].data < -0.9, "step 3: -1 has changed its mind"
shares = [x.grad * x.data / w.data for x in inputs]
assert np.isclose(w.grad, sum(shares)), "each step has its share in the gradient of w"
drawing = gl.draw(y, collapse=["step 1", "step 2", "step 3"], title="Three steps, unrolled")
save_figure(drawing, "unrolled")

# %% the layer of the library does the same
listen = keras.layers.SimpleRNN(1, return_sequences=True)
listen.build((None, None, 1))
listen.set_weights([np.array([[w.data]]), np.array([[u.data]]), np.zeros(1)])
h = listen(np.array([[[1.0], [0.0], [-1.0]]])).data.ravel()
assert np.allclose(h, [state.data for state in states[1:]]), "batch, steps, features: (1, 3, 1)"


# %% [markdown]
# ## What a dense network cannot do
# Commands come in: 1 is *on*, -1 is *off*, 0 is *leave it*. Is the lamp on at the end? The last
# command counts, wherever it is. A dense network has weights for every step, so it must learn this
# for each place anew, and has none for a sequence that is longer than those it was made for.
# %% learn from 12 steps, then listen to 100
def commands(count, steps):
    x = rng.choice([0, 0, 0, 1, -1], size=(count, steps, 1)).astype("float32")
    x[:, 0] = rng.choice([1, -1], size=(count, 1))
    last = [row[row != 0][-1] for row in x]
    return x, (np.array(last) > 0).astype("float32")


def trained(hidden, X, y, loss, learning_rate, epochs):
    output = keras.layers.Dense(1, activation=None if loss == "mse" else "sigmoid")
    model = keras.Sequential([*hidden, output])
    adam = keras.optimizers.Adam(learning_rate=learning_rate, clipnorm=1.0)
    model.compile(loss=loss, optimizer=adam, metrics=[] if loss == "mse" else ["accuracy"])
    model.fit(X, y, epochs=epochs, verbose=0)
    return model


keras.utils.set_random_seed(42)
X, t = commands(1000, steps=12)
neuron = keras.layers.SimpleRNN(1)
lamp = trained([keras.Input(shape=[None, 1]), neuron], X, t, "binary_crossentropy", 0.03, epochs=20)
hidden = [keras.layers.Flatten(input_shape=[12, 1]), keras.layers.Dense(20, activation="relu")]
dense = trained(hidden, X, t, "binary_crossentropy", 0.03, epochs=20)
short, long = commands(2000, steps=12), commands(2000, steps=100)
right = [model.evaluate(*short, verbose=0)[1] for model in (lamp, dense)]
right_long = lamp.evaluate(*long, verbose=0)[1]
print(f"12 steps: one neuron {right[0]:.1%}, dense {right[1]:.1%}; 100 steps: {right_long:.1%}")
assert (lamp.count_params(), dense.count_params()) == (5, 281), "5 weights, and 281"
assert right[0] == 1 and right_long == 1, "one neuron, never wrong, also after 100 steps"
assert right[1] < 1, "the dense network errs now and then"
try:
    dense.predict(long[0], verbose=0)
except ValueError as error:
    told = str(error)
assert "(None, 100, 1)" in told, "and it cannot be asked about 100 steps"

# %% its memory: the state stays where the last command has put it
listen.set_weights(neuron.get_weights())
x = long[0][:1, :40]
h = listen(x).data.ravel() * np.sign(neuron.get_weights()[0].item())
fig, ax = plt.subplots(figsize=(9, 2.8), layout="constrained")
ax.stem(range(40), x.ravel(), linefmt="C1-", markerfmt="C1o", basefmt=" ", label="command")
ax.step(range(40), h, where="post", color="C0", label="state of the neuron")
ax.set(xlabel="step", yticks=[-1, 0, 1])
ax.legend(loc="upper right", bbox_to_anchor=(1, 1.25), ncols=2)
save_figure(fig, "memory")
assert neuron.get_weights()[1].item() > 1, "u > 1: the state keeps itself up"


# %% [markdown]
# ## Gradients that vanish
# In the drawing above, the gradient of the state falls on its way back from 0.024 to 0.0063 to
# 0.0009: each step multiplies by its local slope, u (1 - h²). A neuron that holds its state safely
# is saturated, so this is far below 1, and what came early hardly learns from what came out. (A
# product of slopes above 1 explodes instead: `clipnorm` above cuts such gradients to length 1.)
# %% measured, and as a product
def flows(layer, x):  # how much the last state moves per unit of the inputs of each step
    x = gl.Tensor(x)
    layer(x)[:, 0].sum().backward()
    return abs(x.grad[:, :, 0]).mean(axis=0)


assert [f"{state.grad:.1g}" for state in states[:0:-1]] == ["0.02", "0.006", "0.0009"]
w, u, _ = (a.item() for a in neuron.get_weights())
h = listen(x).data.ravel()
slopes = 1 - h**2
product = [slopes[k] * w * np.prod(u * slopes[k + 1 :]) for k in range(40)]
measured = flows(neuron, x)
assert np.allclose(measured[-8:], np.abs(product[-8:]), rtol=0.01), "a product of slopes, indeed"
assert measured[0] < 1e-12 * measured.max(), "40 steps back: nothing at all"

# %% [markdown]
# ## The answer of LSTM
# Its memory is c(t) = f c(t-1) + i g. No tanh and no matrix stand between c(t-1) and c(t): along it
# the slope is f, a *forget gate* from 0 to 1 that the network sets by itself. It begins at
# sigmoid(b). With the usual b = 1 it keeps 73 % per step, and nothing for long; with b = 3 it keeps
# 95 %, and after 50 steps still 9 %; the other ways through the cell come on top.
# %% three layers before any training: what arrives 50 steps back


def lstm(forget):
    layer = keras.layers.LSTM(16)
    layer.build((None, None, 1))
    W, U, b = layer.get_weights()
    b[16:32] = forget  # the gates come in the order i, f, g, o
    layer.set_weights([W, U, b])
    return layer


keras.utils.set_random_seed(2)
X, X_test = (rng.uniform(-1, 1, size=(n, 50, 1)).astype("float32") for n in (2000, 500))
layers = {"SimpleRNN": keras.layers.SimpleRNN(16), "LSTM, b = 1": lstm(1), "LSTM, b = 3": lstm(3)}
share = {}
fig, ax = plt.subplots(figsize=(7, 4.2), layout="constrained")
for name, layer in layers.items():
    arrives = flows(layer, X[:100])
    share[name] = arrives[0] / arrives[-1]
    ax.semilogy(np.arange(50)[::-1], arrives, label=name)
ax.set(xlabel="steps back", ylabel="slope of the last state for an input")
ax.legend()
save_figure(fig, "vanishing")
assert gl.sigmoid(1.0) ** 50 < 1e-6 and round(gl.sigmoid(3.0) ** 50, 2) == 0.09, "f to the 50th"
assert share["SimpleRNN"] < 0.1 and share["LSTM, b = 1"] < 0.01, "next to nothing arrives"
assert share["LSTM, b = 3"] > 0.5, "through open gates it does not fade"

# %% [markdown]
# Does it matter? The lamp is one bit, which a saturated neuron can hold. Now the question is which
# *number* came first, 50 steps ago, with as many others after it. Who knows nothing answers 0, and
# the mean squared error is 1/3.
# %% remember a number
error = {}
for name in ("SimpleRNN", "LSTM, b = 3"):
    layer = [keras.Input(shape=[50, 1]), layers[name]]
    model = trained(layer, X, X[:, 0, 0], "mse", 0.005, epochs=8)
    error[name] = model.evaluate(X_test, X_test[:, 0, 0], verbose=0)
    print(f"{name}: mean squared error {error[name]:.3f}")
assert error["LSTM, b = 3"] < 0.1, "through open gates the number was kept"
assert error["SimpleRNN"] > 1.3 * error["LSTM, b = 3"], "better than without gates"

# %% [markdown]
# ## Try it
# * Start the neuron with `recurrent_initializer="zeros"`. Does it find its memory all the same?
# * Let each 1 switch the lamp: is their number odd? How many neurons does that need?
# * Train the LSTM that begins with b = 1. How many epochs does it need, and for ten steps?
# * `GRU(16)` has an update gate for the same purpose. Draw its curve into the last figure.
