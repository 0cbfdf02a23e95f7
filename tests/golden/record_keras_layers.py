"""Record what layers of real Keras answer: outputs, gradients, penalties, weights after steps.

    KERAS_BACKEND=jax python tests/golden/record_keras_layers.py

writes keras_layers.json beside this file. The cases are those of `LAYERS`, `ADAPTED` and `STEPS`,
which the test imports too; neither Keras nor its backend is needed to run the tests.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

FILE = Path(__file__).with_name("keras_layers.json")

# name: class, arguments, shape of the inputs
LAYERS: dict[str, tuple[str, dict[str, Any], tuple[int, ...]]] = {
    "dense": ("Dense", {"units": 3, "activation": "tanh"}, (4, 5)),
    "dense of rank 3": ("Dense", {"units": 2, "use_bias": False}, (2, 3, 4)),
    "dense with a penalty": ("Dense", {"units": 3, "activity_regularizer": "l2"}, (4, 5)),
    "activation": ("Activation", {"activation": "gelu"}, (3, 4)),
    "flatten": ("Flatten", {}, (2, 3, 2)),
    "reshape": ("Reshape", {"target_shape": (3, -1)}, (2, 12)),
    "relu": ("ReLU", {}, (3, 4)),
    "relu with all": (
        "ReLU",
        {"max_value": 1.0, "negative_slope": 0.2, "threshold": 0.3},
        (6, 5),
    ),
    "leaky_relu": ("LeakyReLU", {}, (3, 4)),
    "leaky_relu 0.01": ("LeakyReLU", {"negative_slope": 0.01}, (3, 4)),
    "elu": ("ELU", {}, (3, 4)),
    "elu 2": ("ELU", {"alpha": 2.0}, (3, 4)),
    "prelu": ("PReLU", {"alpha_initializer": "normal"}, (3, 4)),
    "prelu shared": ("PReLU", {"alpha_initializer": "normal", "shared_axes": [1]}, (2, 3, 4)),
    "softmax": ("Softmax", {}, (3, 4)),
    "softmax axis": ("Softmax", {"axis": 1}, (2, 3, 4)),
    "softmax axes": ("Softmax", {"axis": (1, 2)}, (2, 3, 4)),
    "dropout at rest": ("Dropout", {"rate": 0.5}, (3, 4)),
    "noise at rest": ("GaussianNoise", {"stddev": 0.5}, (3, 4)),
    "activity": ("ActivityRegularization", {"l1": 0.1, "l2": 0.3}, (5, 4)),
    "rescaling": ("Rescaling", {"scale": 1 / 127.5, "offset": -1.0}, (3, 4)),
    "rescaling each": ("Rescaling", {"scale": [1.0, 2.0], "offset": [0.5, 0.0]}, (3, 2)),
    "normalization": ("Normalization", {"mean": [1.0, 2.0], "variance": [4.0, 0.0]}, (3, 2)),
    "normalization back": (
        "Normalization",
        {"mean": 3.0, "variance": 2.0, "invert": True},
        (3, 2),
    ),
}
# name: axis, shape of the data
ADAPTED: dict[str, tuple[Any, tuple[int, ...]]] = {
    "each feature": (-1, (20, 3)),
    "all together": (None, (20, 3)),
    "axis 1": (1, (10, 3, 2)),
    "axes 1 and 2": ((1, 2), (10, 3, 2)),
    "last of three": (-1, (10, 3, 2)),
}
# name: arguments of the Dense layer that is trained
STEPS: dict[str, dict[str, Any]] = {
    "l1": {"kernel_regularizer": "l1"},
    "l1_l2": {"kernel_regularizer": {"class_name": "L1L2", "config": {"l1": 0.02, "l2": 0.03}}},
    "bias": {"bias_regularizer": "l2"},
    "orthogonal": {"kernel_regularizer": "orthogonal_regularizer"},
    "activity": {"activity_regularizer": "l1"},
    "max_norm": {"kernel_constraint": {"class_name": "MaxNorm", "config": {"max_value": 0.5}}},
    "non_neg": {"kernel_constraint": "non_neg", "bias_constraint": "non_neg"},
    "unit_norm": {"kernel_constraint": "unit_norm"},
    "min_max_norm": {
        "kernel_constraint": {
            "class_name": "MinMaxNorm",
            "config": {"min_value": 0.4, "max_value": 0.6, "rate": 0.5},
        }
    },
}


def numbers(name: str, *shape: int) -> np.ndarray:
    """Return numbers for a case: between -2 and 2, none at a kink."""
    rng = np.random.default_rng(sum(map(ord, name)))
    return (
        (rng.choice([-1.0, 1.0], shape) * rng.uniform(0.1, 2.0, shape)).round(3).astype("float32")
    )


def layer(keras: Any, name: str) -> Any:
    """Return a layer of either library, with weights that are the same in both."""
    kind, settings, shape = LAYERS[name]
    made = getattr(keras.layers, kind)(**settings)
    made.build(shape)
    made.set_weights([0.5 * numbers(f"{name} {w.name}", *w.shape) for w in made.weights])
    return made


def trained(keras: Any, name: str) -> dict[str, list[float]]:
    """Return the losses of three epochs with a penalty or constraint, and the kernel after them."""
    net = keras.Sequential(
        [
            keras.layers.Input(shape=(3,)),
            keras.layers.Dense(4, **STEPS[name]),
            keras.layers.Dense(1),
        ]
    )
    net.set_weights([numbers(f"{name} {k}", *np.shape(w)) for k, w in enumerate(net.get_weights())])
    net.compile(loss="mse", optimizer=keras.optimizers.SGD(0.01))
    x, y = numbers("x", 20, 3), numbers("y", 20, 1)
    losses = net.fit(x, y, batch_size=8, epochs=3, shuffle=False, verbose=0).history["loss"]
    kernel = np.asarray(net.get_weights()[0], "float64")
    evaluated = net.evaluate(x, y, verbose=0)
    return {"losses": [*losses, evaluated], "kernel": kernel.ravel().tolist()}


def adapted(keras: Any, name: str) -> Any:
    """Return what a Normalization layer makes of the data that it was adapted to."""
    axis, shape = ADAPTED[name]
    data = numbers(name, *shape) * 3 + 1
    made = keras.layers.Normalization(axis=axis)
    made.adapt(data)
    return made(data)


def answers(name: str) -> dict[str, Any]:
    """Return outputs, penalties and, for a random cotangent, the gradients of a Keras layer."""
    import jax
    import keras

    made, x = layer(keras, name), numbers(name, *LAYERS[name][2])
    weights = [w.value for w in made.trainable_variables]
    still = [w.value for w in made.non_trainable_variables]

    def call(x, weights):
        return made.stateless_call(weights, still, x)[0]

    y, pull = jax.vjp(call, x, weights)
    dx, dweights = pull(numbers(f"{name} g", *y.shape))
    made(x)
    arrays = {"y": y, "penalty": sum(made.losses), "dx": dx}
    arrays |= {f"dw{k}": g for k, g in enumerate(dweights)}
    return {key: np.asarray(a, "float64").round(7).tolist() for key, a in arrays.items()}


def main() -> None:
    """Write the file."""
    import keras

    found = {
        "versions": {"keras": keras.__version__, "backend": keras.backend.backend()},
        "layers": {name: answers(name) for name in LAYERS},
        "adapted": {name: np.asarray(adapted(keras, name)).tolist() for name in ADAPTED},
        "steps": {name: trained(keras, name) for name in STEPS},
    }
    FILE.write_text(json.dumps(found) + "\n")


if __name__ == "__main__":
    main()
