"""Record what Keras 3 answers, value and gradient, so that gradlab can be held to it without Keras.

Run it outside the suite, in an environment of its own (gradlab is not needed there):

    python -m venv keras && keras/bin/pip install keras jax
    keras/bin/python tests/golden/record_keras.py

It writes keras.json beside itself, which tests/test_golden.py reads. The inputs are written out or
drawn from a fixed seed; points that say nothing about gradlab are left out, each with its reason.

One table inside Keras is changed: on JAX its type promotion makes float32 of float64, so that a
mean of float64 losses has seven right digits. With that undone, all of it is float64.
"""

from __future__ import annotations

import datetime
import inspect
import json
import os
import platform
from pathlib import Path

import numpy as np

RNG = np.random.default_rng(1847)
RECORDS: list[dict] = []


def set_up_keras() -> None:
    """Choose JAX and float64; frameworks are imported in functions, as pytest imports this file."""
    os.environ.update(KERAS_BACKEND="jax", JAX_ENABLE_X64="1", JAX_PLATFORMS="cpu")
    import keras
    from keras.src.backend.common import dtypes

    keras.config.set_floatx("float64")
    dtypes.BIT64_TO_BIT32_DTYPE["float64"] = "float64"  # the change the module speaks of


def record(kind: str, name: str, arrays: dict, gradient_unlike: tuple = (), **parameters) -> None:
    """Call one Keras function; keep its value and, for a random cotangent, every gradient.

    Where an input is among ``gradient_unlike``, the gradient is recorded as null.
    """
    import jax
    import keras

    function = getattr(getattr(keras, kind), name)
    arrays = {key: np.asarray(a, dtype=np.float64) for key, a in arrays.items()}
    constants = {k: np.array(v) if k == "y_true" else v for k, v in parameters.items()}

    def call(*given):
        return function(**dict(zip(arrays, given, strict=True)), **constants)

    value, pull = jax.vjp(call, *arrays.values())
    assert value.dtype == np.float64, (name, value.dtype)
    cotangent = RNG.uniform(0.3, 1.7, value.shape) * RNG.choice([-1.0, 1.0], value.shape)
    cotangent = np.round(cotangent, 2)
    gradients = dict(zip(arrays, pull(cotangent), strict=True))
    for numbers in (value, *gradients.values()):
        assert np.isfinite(numbers).all(), (name, parameters, numbers)
    RECORDS.append(
        {
            "kind": kind,
            "name": name,
            "arrays": {key: a.tolist() for key, a in arrays.items()},
            "parameters": parameters,
            "cotangent": cotangent.tolist(),
            "value": value.tolist(),
            "gradients": {
                key: np.where(np.isin(arrays[key], gradient_unlike), None, g).tolist()
                for key, g in gradients.items()
            },
        }
    )


def normal(*shape: int, scale: float = 1.5) -> np.ndarray:
    """Numbers in general position: no ties, none at a kink."""
    return np.round(RNG.normal(0.0, scale, shape), 3) + 0.0004


def between(low: float, high: float, *shape: int) -> np.ndarray:
    """Numbers in general position inside an interval."""
    return np.round(RNG.uniform(low, high, shape), 3) + 0.0004 * (high - low)


# ------------------------------------------------------------------------- activations, one by one

GRID = (0.0, 1e-3, -1e-3, 0.5, -0.5, 1.0, -1.0, 3.3, -3.3, 20.0, -20.0, 1e4, -1e4)

ELEMENTWISE: list[tuple[str, dict]] = [
    ("linear", {}),
    ("sigmoid", {}),
    ("tanh", {}),
    ("relu", {}),
    ("softplus", {}),
    ("exponential", {}),
    ("leaky_relu", {}),
    ("leaky_relu", {"negative_slope": 0.01}),
    ("relu6", {}),
    ("elu", {}),
    ("elu", {"alpha": 0.3}),
    ("selu", {}),
    ("celu", {}),
    ("celu", {"alpha": 0.3}),
    ("silu", {}),
    ("gelu", {}),
    ("gelu", {"approximate": True}),
    ("mish", {}),
    ("squareplus", {}),
    ("squareplus", {"b": 0.5}),
    ("log_sigmoid", {}),
    ("softsign", {}),
    ("hard_sigmoid", {}),
    ("hard_silu", {}),
    ("hard_tanh", {}),
    ("tanh_shrink", {}),
    ("soft_shrink", {}),
    ("soft_shrink", {"threshold": 2.0}),
    ("hard_shrink", {}),
    ("hard_shrink", {"threshold": 2.0}),
    ("threshold", {"threshold": 0.7, "default_value": -1.5}),
    ("sparse_plus", {}),
    ("sparse_sigmoid", {}),
]

# At these kinks the gradient is a convention, and gradlab's is another: only the value is compared.
CONVENTIONS = {
    "leaky_relu": (0.0,),  # Keras takes the right slope, 1
    "hard_tanh": (-1.0, 1.0),  # Keras takes the inner slope, 1
    "sparse_sigmoid": (-1.0, 1.0),  # Keras takes the mean of both slopes, 1/4
}

LEFT_OUT: dict[str, tuple[float, ...]] = {
    "exponential": (1e4,),  # infinite
    "squareplus": (-1e4,),  # Keras cancels: 9.9999999293e-05 instead of 9.9999999e-05
}


def activations() -> None:
    for name, parameters in ELEMENTWISE:
        x = [point for point in GRID if point not in LEFT_OUT.get(name, ())]
        record("activations", name, {"x": x}, CONVENTIONS.get(name, ()), **parameters)


def activations_of_rows() -> None:
    far = [[1e4, -1e4, 3.3, 0.0], [20.0, -20.0, 1e-3, -1e-3], [1e4, 9999.5, 9998.8, 9000.0]]
    for name in ("softmax", "log_softmax"):
        record("activations", name, {"x": normal(3, 5)})
        record("activations", name, {"x": normal(4, 2)}, axis=0)
        record("activations", name, {"x": far})
    # Rows whose answer has several members are left out: Keras takes too large a threshold, and
    # [0.3, 0.2, 0.1] becomes [0.167, 0.067, 0] instead of [0.433, 0.333, 0.233], which sums to 1
    # (keras issue 23425, mended after 3.15.1).
    record(
        "activations", "sparsemax", {"x": [*far[:2], [0.1, 3.0, -0.2, 1.9], [0.3, 0.2, 1.31, 0.0]]}
    )
    record("activations", "sparsemax", {"x": [[0.1, 2.0], [3.0, 0.9]]}, axis=0)
    record("activations", "softmax", {"x": normal(2, 3, 2)}, axis=[0, 2])
    record("activations", "glu", {"x": normal(3, 6)})
    record("activations", "glu", {"x": normal(4, 3)}, axis=0)
    record("activations", "glu", {"x": far})


# ------------------------------------------------------------------------------------------ losses


def loss(name: str, y_true, y_pred, gradient_unlike: tuple = (), **parameters) -> None:
    record("losses", name, {"y_true": y_true, "y_pred": y_pred}, gradient_unlike, **parameters)


def regression() -> None:
    for name in (
        "mean_squared_error",
        "mean_absolute_error",
        "mean_absolute_percentage_error",
        "log_cosh",
        "huber",
        "cosine_similarity",
    ):
        loss(name, normal(3, 4), normal(3, 4))
        loss(name, [[0.5, 20.0, -3.3, 300.0]], [[1e4, -20.0, 3.2, -1e4]])
    loss("mean_squared_error", [[1.0, -2.0, 0.5]], [[1.0, -2.0, 0.7]])
    loss("huber", [[1.0, -2.0, 0.5]], [[1.0, -2.0, 0.7]])
    # At an exact prediction JAX gives the absolute error the slope 1; gradlab's convention is 0.
    loss("mean_absolute_error", [[1.0, -2.0, 0.5]], [[1.0, -2.0, 0.7]], (1.0, -2.0))
    loss("huber", normal(3, 4), normal(3, 4), delta=0.3)
    loss("huber", normal(3, 4), normal(3, 4), delta=2.5)
    loss("mean_absolute_percentage_error", [[0.0, 1e-9, 2.0]], [[1e-7, 0.5, 3.3]])
    loss("cosine_similarity", normal(3, 2), normal(3, 2), axis=0)
    # Shorter than 1e-7, a vector is divided by 1e-7; a little longer, by its length. The zero
    # vector is left out: Keras's gradient there is NaN (0 times the infinite slope of 1/sqrt).
    loss("cosine_similarity", normal(2, 2), [[3e-8, -2e-8], [3e-7, -2e-7]])
    loss("mean_squared_logarithmic_error", between(0.0, 5.0, 3, 4), between(0.0, 5.0, 3, 4))
    loss("mean_squared_logarithmic_error", [[0.0, -0.5, 1e4]], [[2.0, -1.0, 0.0]])
    loss("poisson", [[3.0, 0.0, 1.0], [2.0, 7.0, 1.0]], between(0.0, 5.0, 2, 3))
    loss("poisson", [[3.0, 0.0, 1.0]], [[0.0, 0.0, 1e4]])


def margins() -> None:
    for name in ("hinge", "squared_hinge"):
        loss(name, [[1.0, -1.0, 1.0, -1.0], [-1.0, -1.0, 1.0, 1.0]], normal(2, 4))
        loss(name, [[1.0, 0.0, 1.0, 0.0], [0.0, 0.0, 1.0, 1.0]], normal(2, 4))
        loss(name, normal(2, 4), normal(2, 4))
    one_hot = [[0.0, 1.0, 0.0], [1.0, 0.0, 0.0], [0.0, 0.0, 1.0]]
    loss("categorical_hinge", one_hot, normal(3, 3))
    loss("categorical_hinge", one_hot, normal(3, 3, scale=20.0))
    loss("categorical_hinge", [[-1.0, 1.0, -1.0]], normal(1, 3))


ONE_HOT = np.eye(4)[[2, 0, 3]]
FAR = [[20.0, -20.0, 3.3, 0.0], [1e4, -1e4, 1e-3, 0.5], [-1e4, 20.0, -0.5, 1e4]]
SURE = [[0.0, 0.0, 1.0, 0.0], [0.0, 1.0, 0.0, 0.0], [0.4, 0.0, 0.3, 0.2]]


def binary() -> None:
    labels = [[1.0, 0.0, 1.0, 0.0], [0.0, 0.0, 1.0, 1.0]]
    sure = [[1.0, 0.0, 0.0, 1.0], [0.5, 1e-9, 1e-3, 1.0 - 1e-9]]
    for name in ("binary_crossentropy", "binary_focal_crossentropy"):
        loss(name, labels, between(0.01, 0.99, 2, 4))
        loss(name, between(0.01, 0.99, 2, 4), between(0.01, 0.99, 2, 4))
        loss(name, labels, between(0.01, 0.99, 2, 4), label_smoothing=0.2)
        loss(name, labels, normal(2, 4), from_logits=True)
        loss(name, labels, normal(2, 4), from_logits=True, label_smoothing=0.2)
        loss(name, labels, sure)
    loss("binary_crossentropy", labels, FAR[:2], from_logits=True)
    for focus in (
        {"gamma": 0.0},
        {"gamma": 1.5},
        {"apply_class_balancing": True},
        {"apply_class_balancing": True, "alpha": 0.6, "gamma": 1.0, "label_smoothing": 0.1},
    ):
        loss("binary_focal_crossentropy", labels, between(0.01, 0.99, 2, 4), **focus)
    # Scores beyond 16 are left out: Keras clips their sigmoid, so that a wrong answer of score 1e4
    # costs 16.12 and has gradient 0; the formula, and binary_crossentropy in Keras, say 1e4.
    far = [[12.0, -12.0, 3.3, 0.0], [12.0, -12.0, -12.0, 1e-3]]
    loss("binary_focal_crossentropy", labels, far, from_logits=True)


def categorical() -> None:
    for name in ("categorical_crossentropy", "categorical_focal_crossentropy"):
        # Rows that do not sum to 1 are made to.
        loss(name, ONE_HOT, between(0.01, 0.99, 3, 4))
        loss(name, between(0.01, 0.99, 3, 4), between(0.01, 0.99, 3, 4))
        loss(name, ONE_HOT, between(0.01, 0.99, 3, 4), label_smoothing=0.2)
        # Smoothing with axis=0 is left out: Keras divides by the size of the last axis even then.
        loss(name, ONE_HOT, between(0.01, 0.99, 3, 4), axis=0)
        loss(name, ONE_HOT, normal(3, 4), from_logits=True)
        loss(name, ONE_HOT, normal(3, 4), from_logits=True, axis=0)
        loss(name, ONE_HOT, SURE)
    loss("categorical_crossentropy", ONE_HOT, FAR, from_logits=True)
    loss("categorical_crossentropy", ONE_HOT, SURE, label_smoothing=0.2)
    for focus in (
        {"gamma": 0.0},
        {"gamma": 1.5, "alpha": 0.6},
        {"alpha": [0.1, 0.2, 0.3, 0.4]},
        {"gamma": 1.0, "label_smoothing": 0.1, "from_logits": True},
    ):
        loss("categorical_focal_crossentropy", ONE_HOT, between(0.01, 0.99, 3, 4), **focus)


def sparse() -> None:
    name = "sparse_categorical_crossentropy"
    for labels, y_pred, parameters in (
        ([2, 0, 3], between(0.01, 0.99, 3, 4), {}),
        ([[2], [0], [3]], between(0.01, 0.99, 3, 4), {}),
        ([2, 0, 3], normal(3, 4), {"from_logits": True}),
        ([2, 0, 3], FAR, {"from_logits": True}),
        ([2, 0, 3], SURE, {}),
        ([2, -1, 3], between(0.01, 0.99, 3, 4), {"ignore_class": -1}),
        ([2, 1, 3], normal(3, 4), {"ignore_class": 1, "from_logits": True}),
        ([[2, 0], [1, 1]], between(0.01, 0.99, 2, 2, 4), {}),
        ([2, 0, 1], between(0.01, 0.99, 3, 3), {"axis": 0}),
    ):
        record("losses", name, {"y_pred": y_pred}, y_true=labels, **parameters)


def divergence() -> None:
    loss("kl_divergence", between(0.01, 0.99, 3, 4), between(0.01, 0.99, 3, 4))
    loss("kl_divergence", [[0.3, 0.0, 0.7, -0.1]], [[0.0, 0.3, 1.4, 0.2]])


# ------------------------------------------------------------------------------ names and the file


def known(kind: str, aliases: tuple[str, ...] = ()) -> dict[str, dict]:
    """Every name Keras resolves to a function: which function, and its parameters with defaults."""
    import keras

    module = getattr(keras, kind)
    public = {n for n in dir(module) if inspect.isfunction(getattr(module, n))}
    found = {}
    for name in sorted((public | set(aliases)) - {"get", "serialize", "deserialize"}):
        function = getattr(module, name, None) or module.get(name)
        parameters = inspect.signature(function).parameters.values()
        found[name] = {
            "function": function.__name__,
            "parameters": {p.name: None if p.default is p.empty else p.default for p in parameters},
        }
    return found


def main() -> None:
    """Make every record and write the file."""
    set_up_keras()
    import jax
    import keras

    for group in (
        *(activations, activations_of_rows),
        *(regression, margins, binary, categorical, sparse, divergence),
    ):
        group()
    short_names = ("mse", "mae", "mape", "msle", "bce", "kld")
    facts = {
        "made_by": "tests/golden/record_keras.py",
        "date": datetime.date.today().isoformat(),
        "versions": {
            **{module.__name__: module.__version__ for module in (keras, jax, np)},
            "python": platform.python_version(),
        },
        "known": {
            "activations": known("activations"),
            "losses": known("losses", (*short_names, *map(str.upper, short_names))),
        },
    }
    lines = ",\n".join(json.dumps(r, allow_nan=False) for r in RECORDS)
    text = json.dumps(facts)[:-1] + ', "records": [\n' + lines + "\n]}\n"
    path = Path(__file__).with_name("keras.json")
    path.write_text(text)
    print(f"{len(RECORDS)} records, {len(text)} bytes in {path.name}")


if __name__ == "__main__":
    main()
