"""Record what the recurrent, embedding, attention and preprocessing layers of real Keras answer.

    cd tests && KERAS_BACKEND=jax python -m golden.record_keras_sequences

writes keras_sequences.json beside this file: outputs and gradients for every option, the losses of
five epochs, and what preprocessing makes of data. The tests import the cases from here; neither
Keras nor its backend is needed to run them. (Words are looked up in record_keras_lookups.py: real
Keras needs TensorFlow for that.)
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
from golden.record_keras_layers import numbers

FILE = Path(__file__).with_name("keras_sequences.json")
LINES = (4, 5, 2)
MASK = np.arange(5) < np.array([[5], [3], [1], [0]])  # the last sequence is empty
HOLES = np.array([[1, 0, 1, 1, 0], [0, 1, 1, 0, 1], [1, 1, 1, 1, 1], [0, 0, 1, 0, 0]], bool)
EVERY = {"return_sequences": True}

# A layer is a pair of its class and its arguments; layers among the arguments are pairs, too.
Spec = tuple[str, dict[str, Any]]
# What is called on: shapes of the inputs, and further arguments of the call.
Case = tuple[Spec, tuple[tuple[int, ...], ...], dict[str, Any]]


def _options(kind: str) -> dict[str, Case]:
    three = {"units": 3}
    return {
        f"{kind} {what}": ((kind, {**three, **settings}), (LINES,), more)
        for what, settings, more in (
            ("plain", {}, {}),
            ("every step", EVERY, {}),
            ("backwards", {**EVERY, "go_backwards": True}, {}),
            ("with states", {"return_state": True}, {}),
            ("no bias", {"use_bias": False}, {}),
            ("other activation", {"activation": "softsign"}, {}),
            ("masked", EVERY, {"mask": MASK}),
            ("masked with states", {"return_state": True}, {"mask": HOLES}),
            ("masked backwards", {**EVERY, "go_backwards": True}, {"mask": MASK}),
            ("zeros where masked", {**EVERY, "zero_output_for_mask": True}, {"mask": HOLES}),
            ("masked, other activation", {**EVERY, "activation": "relu"}, {"mask": HOLES}),
            ("dropout at rest", {"dropout": 0.5, "recurrent_dropout": 0.5}, {}),
        )
    }


def _both_ways() -> dict[str, Case]:
    cases: dict[str, Case] = {}
    for mode in ("concat", "sum", "mul", "ave", None):
        inner = ("LSTM", {"units": 3, **EVERY})
        settings = {"layer": inner, "merge_mode": mode}
        cases[f"bidirectional {mode}"] = (("Bidirectional", settings), (LINES,), {})
    last, states = ("GRU", {"units": 3}), ("LSTM", {"units": 2, "return_state": True})
    cases["bidirectional last"] = (("Bidirectional", {"layer": last}), (LINES,), {})
    cases["bidirectional states"] = (("Bidirectional", {"layer": states}), (LINES,), {})
    every = ("SimpleRNN", {"units": 3, **EVERY})
    masked = {"mask": MASK}
    cases["bidirectional masked"] = (("Bidirectional", {"layer": every}), (LINES,), masked)
    return cases


RECURRENT: dict[str, Case] = {
    **_options("SimpleRNN"),
    **_options("LSTM"),
    **_options("GRU"),
    "LSTM hard gates": (
        ("LSTM", {"units": 3, "recurrent_activation": "hard_sigmoid"}),
        (LINES,),
        {},
    ),
    "GRU reset before": (("GRU", {"units": 3, "reset_after": False}), (LINES,), {}),
    "GRU reset before, no bias": (
        ("GRU", {"units": 3, "reset_after": False, "use_bias": False, **EVERY}),
        (LINES,),
        {},
    ),
    **_both_ways(),
    "cell": (("RNN", {"cell": ("LSTMCell", {"units": 3}), **EVERY}), (LINES,), {}),
    "stacked cells": (
        (
            "RNN",
            {
                "cell": [("GRUCell", {"units": 3}), ("LSTMCell", {"units": 2})],
                "return_state": True,
            },
        ),
        (LINES,),
        {},
    ),
    "stacked cells masked": (
        (
            "RNN",
            {"cell": [("SimpleRNNCell", {"units": 3}), ("GRUCell", {"units": 3})], **EVERY},
        ),
        (LINES,),
        {"mask": HOLES},
    ),
    "time distributed": (
        ("TimeDistributed", {"layer": ("Dense", {"units": 3, "activation": "tanh"})}),
        (LINES,),
        {},
    ),
    "time distributed flatten": (
        ("TimeDistributed", {"layer": ("Flatten", {})}),
        ((2, 3, 2, 2),),
        {},
    ),
}
HEADS = {"num_heads": 2, "key_dim": 3}
SCORES, CAUSAL = {"return_attention_scores": True}, {"use_causal_mask": True}
PAIR = (LINES, (4, 3, 2))
ATTENTION: dict[str, Case] = {
    "heads": (("MultiHeadAttention", HEADS), PAIR, {}),
    "heads with keys": (("MultiHeadAttention", HEADS), (*PAIR, (4, 3, 6)), SCORES),
    "heads to themselves": (("MultiHeadAttention", HEADS), (LINES, LINES), CAUSAL),
    "heads causal scores": (
        ("MultiHeadAttention", HEADS),
        (LINES, LINES),
        {**CAUSAL, **SCORES},
    ),
    "heads of other sizes": (
        (
            "MultiHeadAttention",
            {**HEADS, "value_dim": 5, "output_shape": 4, "use_bias": False},
        ),
        PAIR,
        SCORES,
    ),
    "heads masked": (
        ("MultiHeadAttention", HEADS),
        (LINES, LINES),
        {"attention_mask": HOLES[:, np.newaxis] | np.eye(5, dtype=bool)},
    ),
    "heads with key mask": (
        ("MultiHeadAttention", HEADS),
        (LINES, LINES),
        {"key_mask": HOLES, "value_mask": np.ones((4, 5), bool)},
    ),
    "attention": (("Attention", {}), PAIR, {}),
    "attention with keys": (("Attention", {}), (*PAIR, (4, 3, 2)), SCORES),
    "attention scaled": (("Attention", {"use_scale": True}), PAIR, {}),
    "attention concat": (("Attention", {"score_mode": "concat"}), PAIR, {}),
    "attention concat scaled": (
        ("Attention", {"score_mode": "concat", "use_scale": True}),
        PAIR,
        SCORES,
    ),
    "attention causal": (("Attention", {}), (LINES, LINES), CAUSAL),
    "attention masked": (
        ("Attention", {}),
        (LINES, LINES),
        {"mask": [MASK, HOLES], **CAUSAL, **SCORES},
    ),
}
MASKED: dict[str, Case] = {
    "batch masked": (("BatchNormalization", {}), (LINES,), {"mask": HOLES, "training": True}),
    "average masked": (("GlobalAveragePooling1D", {}), (LINES,), {"mask": HOLES}),
    "average masked first": (
        ("GlobalAveragePooling1D", {"data_format": "channels_first", "keepdims": True}),
        ((4, 2, 5),),
        {"mask": HOLES},
    ),
}
LAYERS = {**RECURRENT, **ATTENTION, **MASKED}
LEARNED = [name for name in LAYERS if "dropout" not in name]  # that draws other numbers here

# name: layers, shape of an input (whole numbers below 6 if it is one axis), shape of a target
MODELS: dict[str, tuple[list[Spec], tuple[int, ...], tuple[int, ...]]] = {
    "SimpleRNN": ([("SimpleRNN", {"units": 3}), ("Dense", {"units": 1})], (5, 2), (1,)),
    "LSTM": ([("LSTM", {"units": 3}), ("Dense", {"units": 1})], (5, 2), (1,)),
    "GRU": ([("GRU", {"units": 3}), ("Dense", {"units": 1})], (5, 2), (1,)),
    "GRU before": (
        [("GRU", {"units": 3, "reset_after": False}), ("Dense", {"units": 1})],
        (5, 2),
        (1,),
    ),
    "two of them": (
        [("LSTM", {"units": 3, **EVERY}), ("GRU", {"units": 2}), ("Dense", {"units": 1})],
        (5, 2),
        (1,),
    ),
    "penalties": (
        [
            ("LSTM", {"units": 3, "kernel_regularizer": "l2", "recurrent_constraint": "non_neg"}),
            ("Dense", {"units": 1}),
        ],
        (5, 2),
        (1,),
    ),
    "masked": ([("Masking", {}), ("LSTM", {"units": 3}), ("Dense", {"units": 1})], (5, 2), (1,)),
    "masked losses": (
        [("Masking", {}), ("GRU", {"units": 3, **EVERY}), ("Dense", {"units": 1})],
        (5, 2),
        (5, 1),
    ),
    "masked both ways": (
        [
            ("Masking", {}),
            ("Bidirectional", {"layer": ("LSTM", {"units": 3, **EVERY})}),
            ("TimeDistributed", {"layer": ("Dense", {"units": 1})}),
        ],
        (5, 2),
        (5, 1),
    ),
    "embedding": (
        [
            ("Embedding", {"input_dim": 6, "output_dim": 2}),
            ("Flatten", {}),
            ("Dense", {"units": 1}),
        ],
        (4,),
        (1,),
    ),
    "embedding masked": (
        [
            ("Embedding", {"input_dim": 6, "output_dim": 2, "mask_zero": True}),
            ("Dropout", {"rate": 0.0}),
            ("SimpleRNN", {"units": 3, **EVERY}),
            ("LSTM", {"units": 3}),
            ("Dense", {"units": 1}),
        ],
        (4,),
        (1,),
    ),
    "embedding averaged": (
        [
            ("Embedding", {"input_dim": 6, "output_dim": 2, "mask_zero": True}),
            ("GlobalAveragePooling1D", {}),
            ("Dense", {"units": 1}),
        ],
        (4,),
        (1,),
    ),
    "masked batches": (
        [
            ("Masking", {}),
            ("BatchNormalization", {"momentum": 0.8}),
            ("LSTM", {"units": 3}),
            ("Dense", {"units": 1}),
        ],
        (5, 2),
        (1,),
    ),
    "stacked cells": (
        [
            ("RNN", {"cell": [("GRUCell", {"units": 3}), ("SimpleRNNCell", {"units": 2})]}),
            ("Dense", {"units": 1}),
        ],
        (5, 2),
        (1,),
    ),
}


def made(keras: Any, spec: Any) -> Any:
    """Return the layer of a pair, in either library; lists of pairs and anything else too."""
    if isinstance(spec, list):
        return [made(keras, each) for each in spec]
    if not (isinstance(spec, tuple) and len(spec) == 2 and isinstance(spec[1], dict)):
        return spec
    kind, settings = spec
    return getattr(keras.layers, kind)(**{name: made(keras, v) for name, v in settings.items()})


def called(keras: Any, name: str, layer: Any, inputs: list[Any], **more: Any) -> list[Any]:
    """Return the outputs of a layer as a list."""
    kind, keywords = LAYERS[name][0][0], LAYERS[name][2]
    arguments = [inputs] if kind == "Attention" else inputs
    return flat(layer(*arguments, **keywords, **more))


def flat(outputs: Any) -> list[Any]:
    """Return the arrays in lists and tuples, in order."""
    if not isinstance(outputs, list | tuple):
        return [outputs]
    return [y for part in outputs for y in flat(part)]


def layer(keras: Any, name: str) -> Any:
    """Return a layer of either library, with weights that are the same in both."""
    new = made(keras, LAYERS[name][0])
    called(keras, name, new, inputs_of(name))
    new.set_weights([drawn(f"{name} w{k}", w.shape) for k, w in enumerate(new.weights)])
    return new


def inputs_of(name: str) -> list[np.ndarray]:
    """Return the inputs of a case."""
    return [numbers(f"{name} x{k}", *shape) for k, shape in enumerate(LAYERS[name][1])]


def drawn(name: str, shape: Any) -> np.ndarray:
    """Return numbers for a weight."""
    return 0.5 * numbers(name, *shape)


def answers(name: str) -> dict[str, Any]:
    """Return outputs and, for random cotangents, the gradients of a Keras layer."""
    import jax
    import keras

    new, xs = layer(keras, name), inputs_of(name)
    weights = [w.value for w in new.trainable_variables]
    still = [w.value for w in new.non_trainable_variables]
    keywords = LAYERS[name][2]

    def call(xs, weights):
        arguments = [xs] if LAYERS[name][0][0] == "Attention" else xs
        return flat(new.stateless_call(weights, still, *arguments, **keywords)[0])

    ys, pull = jax.vjp(call, xs, weights)
    gs = [numbers(f"{name} g{k}", *y.shape) for k, y in enumerate(ys)]
    dxs, dws = pull([jax.numpy.asarray(g) for g in gs])
    arrays = {f"y{k}": y for k, y in enumerate(ys)} | {f"dx{k}": d for k, d in enumerate(dxs)}
    arrays |= {f"dw{k}": d for k, d in enumerate(dws)}
    return {key: np.asarray(a, "float64").round(6).tolist() for key, a in arrays.items()}


def curve(keras: Any, name: str, run_eagerly: bool = False) -> dict[str, list[float]]:
    """Return the losses of five epochs, one of an evaluation, and the weights."""
    specs, shape, target = MODELS[name]
    net = keras.Sequential([keras.layers.Input(shape), *made(keras, specs)])
    start = [drawn(f"{name} w{k}", w.shape) for k, w in enumerate(net.weights)]
    variances = ["variance" in w.name for w in net.weights]
    net.set_weights([np.abs(a) if v else a for a, v in zip(start, variances, strict=True)])
    descent = keras.optimizers.SGD(0.1, global_clipnorm=1.0)
    net.compile(loss="mse", optimizer=descent, run_eagerly=run_eagerly)
    x, y = numbers(f"{name} x", 12, *shape), numbers(f"{name} y", 12, *target)
    if len(shape) == 1:
        x = np.floor(np.abs(x) * 4) % 6
    else:
        x[np.arange(5) >= np.arange(12)[:, np.newaxis] % 6] *= name.startswith("masked") == 0
    losses = net.fit(x, y, batch_size=5, epochs=5, shuffle=False, verbose=0).history["loss"]
    evaluated = net.evaluate(x, y, verbose=0)
    weights = [v for w in net.get_weights() for v in np.asarray(w, "float64").ravel().round(7)]
    return {"losses": [*losses, evaluated], "weights": weights}


def learned(keras: Any, name: str, run_eagerly: bool = False) -> list[float]:
    """Return the losses of five epochs with one of the layers, all of its outputs weighed."""

    class Net(keras.Model):
        def __init__(self) -> None:
            super().__init__()
            self.first = made(keras, LAYERS[name][0])
            self.flat, self.last = keras.layers.Flatten(), keras.layers.Dense(1)

        def call(self, inputs: Any) -> Any:
            given = list(inputs) if isinstance(inputs, list | tuple) else [inputs]
            rows = [self.flat(y) for y in called(keras, name, self.first, given)]
            return self.last(keras.ops.concatenate(rows, axis=-1))

    net, xs = Net(), inputs_of(name)
    x = xs if len(xs) > 1 else xs[0]
    net(x)
    net.set_weights([drawn(f"{name} w{k}", w.shape) for k, w in enumerate(net.weights)])
    descent = keras.optimizers.SGD(0.1, global_clipnorm=1.0)
    net.compile(loss="mse", optimizer=descent, run_eagerly=run_eagerly)
    y = numbers(f"{name} y", len(xs[0]), 1)
    return net.fit(x, y, batch_size=4, epochs=5, shuffle=False, verbose=0).history["loss"]


def stateful(keras: Any) -> list[float]:
    """Return what a stateful layer gives for three batches, and after its states are forgotten."""
    given = keras.layers.Input(batch_shape=(2, 3, 2))
    new = keras.layers.LSTM(2, stateful=True)
    net = keras.Sequential([given, new])
    net.set_weights([drawn(f"stateful w{k}", w.shape) for k, w in enumerate(net.weights)])
    x, found = numbers("stateful", 2, 3, 2), []
    for forget in (False, False, False, True):  # by a call: predict of Keras on JAX keeps no states
        if forget:
            new.reset_state()
        y = net(x)
        y = y.data if hasattr(y, "backward") else y
        found += np.asarray(y, "float64").ravel().tolist()
    return [round(v, 7) for v in found]


# ---------------------------------------------------------------------------------- preprocessing

IMAGES = (2, 5, 4, 2)
# name: layer, inputs
PREPARED: dict[str, tuple[Spec, Any]] = {
    "one hot": (("CategoryEncoding", {"num_tokens": 4, "output_mode": "one_hot"}), [[3], [0]]),
    "one hot rows": (
        ("CategoryEncoding", {"num_tokens": 4, "output_mode": "one_hot"}),
        [[3, 1], [0, 2]],
    ),
    "multi hot": (("CategoryEncoding", {"num_tokens": 4}), [[3, 1], [0, 0]]),
    "count": (("CategoryEncoding", {"num_tokens": 4, "output_mode": "count"}), [[3, 1], [0, 0]]),
    "bins": (("Discretization", {"bin_boundaries": [0.0, 1.0]}), [[-1.5, 1.0, 3.4, 0.5]]),
    "bins one hot": (
        ("Discretization", {"bin_boundaries": [0.0, 1.0], "output_mode": "one_hot"}),
        [[-1.5], [1.0], [3.4]],
    ),
    "bins count": (
        ("Discretization", {"bin_boundaries": [0.0, 1.0], "output_mode": "count"}),
        [[-1.5, 1.0], [1.0, 1.0]],
    ),
    "smaller": (("Resizing", {"height": 3, "width": 2}), IMAGES),
    "larger": (("Resizing", {"height": 8, "width": 7}), IMAGES),
    "nearest": (("Resizing", {"height": 3, "width": 7, "interpolation": "nearest"}), IMAGES),
    "bicubic": (("Resizing", {"height": 7, "width": 3, "interpolation": "bicubic"}), IMAGES),
    "lanczos3": (("Resizing", {"height": 7, "width": 6, "interpolation": "lanczos3"}), IMAGES),
    "antialias": (("Resizing", {"height": 2, "width": 3, "antialias": True}), IMAGES),
    "cropped": (("Resizing", {"height": 3, "width": 5, "crop_to_aspect_ratio": True}), IMAGES),
    "cropped tall": (("Resizing", {"height": 6, "width": 2, "crop_to_aspect_ratio": True}), IMAGES),
    "padded": (
        ("Resizing", {"height": 4, "width": 8, "pad_to_aspect_ratio": True, "fill_value": 2.0}),
        IMAGES,
    ),
    "channels first": (
        ("Resizing", {"height": 3, "width": 7, "data_format": "channels_first"}),
        IMAGES,
    ),
    **{
        f"{kind} {fill} {interpolation}": (
            (
                kind,
                {**factors, "fill_mode": fill, "interpolation": interpolation, "fill_value": 0.5},
            ),
            IMAGES,
        )
        for kind, factors in (
            ("RandomRotation", {"factor": (0.07, 0.07)}),
            ("RandomZoom", {"height_factor": (0.3, 0.3), "width_factor": (-0.4, -0.4)}),
            ("RandomTranslation", {"height_factor": (0.31, 0.31), "width_factor": (-0.4, -0.4)}),
        )
        for fill in ("reflect", "wrap", "constant", "nearest")
        for interpolation in ("bilinear", "nearest")
    },
    "zoom alike": (("RandomZoom", {"height_factor": (-0.2, -0.2)}), IMAGES),
    "rotation first": (
        ("RandomRotation", {"factor": (0.25, 0.25), "data_format": "channels_first"}),
        IMAGES,
    ),
}
# name: num_bins, how many numbers are drawn
ADAPTED = {"4 of 10": (4, 10), "3 of 1000": (3, 1000), "10 of 333": (10, 333)}


def prepared(keras: Any, name: str) -> Any:
    """Return what a preprocessing layer makes of its inputs."""
    spec, given = PREPARED[name]
    given = numbers(name, *given) if isinstance(given, tuple) else np.array(given)
    more = {"training": True} if spec[0].startswith("Random") else {}
    return made(keras, spec)(given, **more)


def boundaries(keras: Any, name: str) -> list[float]:
    """Return the boundaries that a layer finds."""
    bins, count = ADAPTED[name]
    new = keras.layers.Discretization(num_bins=bins)
    if hasattr(new, "update_state"):  # Keras: its adapt asks for TensorFlow
        new.update_state(numbers(name, count))
        new.finalize_state()
    else:
        new.adapt(numbers(name, count))
    return [float(b) for b in new.bin_boundaries]


def main() -> None:
    """Write the file."""
    import keras

    found = {
        "versions": {"keras": keras.__version__, "backend": keras.backend.backend()},
        "layers": {name: answers(name) for name in LAYERS},
        "curves": {name: curve(keras, name) for name in MODELS},
        "learned": {name: learned(keras, name) for name in LEARNED},
        "stateful": stateful(keras),
        "prepared": {
            name: np.asarray(prepared(keras, name), "float64").round(6).tolist()
            for name in PREPARED
        },
        "boundaries": {name: boundaries(keras, name) for name in ADAPTED},
    }
    FILE.write_text(json.dumps(found) + "\n")


if __name__ == "__main__":
    main()
