"""Record what the optimizers, schedules, regularizers and constraints of Keras 3 do.

Run it outside the suite, in an environment of its own (gradlab is not needed there):

    python -m venv keras && keras/bin/pip install keras jax
    keras/bin/python tests/golden/record_keras_optimizers.py

It writes keras_optimizers.json beside itself, which tests/test_optimizers.py and
tests/test_initializers.py read. All is float32, as Keras computes by default. The gradients are the
same for all optimizers, of sizes from 0.001 to 10, so that epsilons and clipping are seen.
"""

from __future__ import annotations

import datetime
import inspect
import json
import os
import platform
from pathlib import Path
from typing import Any

import numpy as np

RNG = np.random.default_rng(1847)
STEPS = 20
KEPT = (1, 2, 5, 20)  # the steps after which weights are recorded


def float32(a: Any) -> np.ndarray:
    """Return numbers that are short in the file: six decimals."""
    return np.round(a, 6).astype(np.float32)


WEIGHTS = [float32(RNG.uniform(0.5, 1.5, (3, 2))), float32(RNG.uniform(-1.5, -0.5, (2,)))]
SIZES = [10.0 ** RNG.uniform(-3, 1, w.shape) for w in WEIGHTS]
GRADIENTS = [
    [float32(size * RNG.normal(0.5, 1.0, size.shape)) for size in SIZES] for _ in range(STEPS)
]

# Learning rates are such that 20 steps change the weights by a tenth or more.
RATES = {"SGD": 0.01, "Adadelta": 1.0, "Ftrl": 0.1, "Nadam": 0.01}
OWN: list[tuple[str, dict]] = [
    ("SGD", {}),
    ("SGD", {"momentum": 0.9}),
    ("SGD", {"momentum": 0.9, "nesterov": True}),
    ("RMSprop", {}),
    ("RMSprop", {"momentum": 0.5, "rho": 0.8, "epsilon": 0.001}),
    ("RMSprop", {"centered": True, "epsilon": 0.001}),
    ("Adagrad", {}),
    ("Adagrad", {"initial_accumulator_value": 0.5, "epsilon": 0.01}),
    ("Adadelta", {}),
    ("Adadelta", {"rho": 0.8, "epsilon": 0.001}),
    ("Adam", {}),
    ("Adam", {"beta_1": 0.8, "beta_2": 0.9, "epsilon": 0.01}),
    ("Adam", {"amsgrad": True, "beta_2": 0.7}),
    ("AdamW", {}),
    ("Adamax", {}),
    ("Adamax", {"beta_1": 0.8, "beta_2": 0.9, "epsilon": 0.01}),
    ("Nadam", {}),
    ("Nadam", {"beta_1": 0.8, "beta_2": 0.9, "epsilon": 0.01}),
    ("Ftrl", {}),
    (
        "Ftrl",
        {
            "learning_rate_power": -0.3,
            "initial_accumulator_value": 0.5,
            "l1_regularization_strength": 0.2,
            "l2_regularization_strength": 0.1,
            "l2_shrinkage_regularization_strength": 0.05,
            "beta": 0.3,
        },
    ),
    ("Lion", {}),
    ("Lion", {"beta_1": 0.8, "beta_2": 0.7}),
]
COMMON: list[dict] = [
    {"weight_decay": 0.1},
    {"clipnorm": 0.5},
    {"learning_rate": {"class_name": "ExponentialDecay", "config": [0.02, 5, 0.5]}},
]
SOME: list[tuple[str, dict]] = [
    ("SGD", {"clipvalue": 0.5}),
    ("Adam", {"global_clipnorm": 0.5}),
    ("SGD", {"global_clipnorm": 100.0}),
    ("SGD", {"use_ema": True, "ema_momentum": 0.8}),
    ("Adam", {"use_ema": True, "ema_momentum": 0.5, "ema_overwrite_frequency": 4}),
]

SCHEDULES: list[tuple[str, dict]] = [
    ("ExponentialDecay", dict(initial_learning_rate=0.1, decay_steps=7, decay_rate=0.5)),
    (
        "ExponentialDecay",
        dict(initial_learning_rate=0.1, decay_steps=7, decay_rate=0.5, staircase=True),
    ),
    ("InverseTimeDecay", dict(initial_learning_rate=0.1, decay_steps=7, decay_rate=0.5)),
    (
        "InverseTimeDecay",
        dict(initial_learning_rate=0.1, decay_steps=7, decay_rate=0.5, staircase=True),
    ),
    ("PolynomialDecay", dict(initial_learning_rate=0.1, decay_steps=15)),
    (
        "PolynomialDecay",
        dict(initial_learning_rate=0.1, decay_steps=7, end_learning_rate=0.01, power=2.0),
    ),
    ("PolynomialDecay", dict(initial_learning_rate=0.1, decay_steps=7, cycle=True)),
    ("PiecewiseConstantDecay", dict(boundaries=[5, 10], values=[0.1, 0.01, 0.001])),
    ("CosineDecay", dict(initial_learning_rate=0.1, decay_steps=15)),
    (
        "CosineDecay",
        dict(
            initial_learning_rate=0.01,
            decay_steps=15,
            alpha=0.1,
            warmup_target=0.2,
            warmup_steps=5,
        ),
    ),
    ("CosineDecayRestarts", dict(initial_learning_rate=0.1, first_decay_steps=4)),
    ("CosineDecayRestarts", dict(initial_learning_rate=0.1, first_decay_steps=4, t_mul=1.0)),
    (
        "CosineDecayRestarts",
        dict(initial_learning_rate=0.1, first_decay_steps=4, t_mul=1.5, m_mul=0.8, alpha=0.1),
    ),
]

MATRIX = float32(RNG.normal(0.0, 1.5, (4, 3)))
KERNEL = float32(RNG.normal(0.0, 0.4, (2, 2, 3, 2)))
REGULARIZERS: list[tuple[str, dict]] = [
    ("L1", {}),
    ("L1", {"l1": 0.3}),
    ("L2", {}),
    ("L2", {"l2": 0.3}),
    ("L1L2", {}),
    ("L1L2", {"l1": 0.2, "l2": 0.3}),
    ("OrthogonalRegularizer", {}),
    ("OrthogonalRegularizer", {"factor": 0.5, "mode": "columns"}),
]
CONSTRAINTS: list[tuple[str, dict]] = [
    ("NonNeg", {}),
    ("UnitNorm", {}),
    ("UnitNorm", {"axis": 1}),
    ("MaxNorm", {}),
    ("MaxNorm", {"max_value": 1.0, "axis": 1}),
    ("MinMaxNorm", {}),
    ("MinMaxNorm", {"min_value": 2.0, "max_value": 2.5, "rate": 0.3}),
]
SHAPES = [(), (7,), (20, 30), (3, 20, 30), (3, 3, 16, 32)]
SCALED = ["glorot_uniform", "glorot_normal", "he_uniform", "he_normal"]
SCALED += ["lecun_uniform", "lecun_normal"]
RELUS = [
    {},
    {"negative_slope": 0.1},
    {"max_value": 2.0},
    {"max_value": 6.0},
    {"threshold": 1.0},
    {"threshold": -1.0},
    {"negative_slope": 0.1, "max_value": 2.0, "threshold": 1.0},
    {"negative_slope": 0.3, "max_value": 2.5, "threshold": -0.5},
]
POINTS = float32([-10.0, -2.0, -0.7, 0.0, 0.3, 0.9, 1.1, 2.2, 2.7, 7.0])


def listed(arrays: Any) -> list:
    """Return arrays as nested lists of numbers, shortest form that is the same float32."""
    return [[float(str(x)) for x in np.asarray(a, np.float32).ravel()] for a in arrays]


def run(name: str, arguments: dict) -> dict:
    """Make 20 steps and record the weights on the way, the memory and the config at the end."""
    import keras

    given = {"learning_rate": RATES.get(name, 0.02), **arguments}
    if isinstance(given["learning_rate"], dict):
        schedule = given["learning_rate"]
        kind = getattr(keras.optimizers.schedules, schedule["class_name"])
        optimizer = getattr(keras.optimizers, name)(
            **{**given, "learning_rate": kind(*schedule["config"])}
        )
    else:
        optimizer = getattr(keras.optimizers, name)(**given)
    names = ("kernel", "bias")
    variables = [keras.Variable(w, name=name) for w, name in zip(WEIGHTS, names, strict=True)]
    kept = []
    for step, gradients in enumerate(GRADIENTS, 1):
        optimizer.apply([keras.ops.array(g) for g in gradients], variables)
        if step in KEPT:
            kept.append(listed(v.numpy() for v in variables))
    config = optimizer.get_config()
    del config["name"]  # counted: adam_1, adam_2, ...
    return {
        "optimizer": name,
        "arguments": given,
        "weights": kept,
        "names": [v.name for v in optimizer.variables],
        "state": listed(v.numpy() for v in optimizer.variables),
        "config": config,
    }


def optimizers() -> list[dict]:
    names = dict.fromkeys(name for name, _ in OWN)
    both = [(name, common) for name in names for common in COMMON]
    return [run(name, arguments) for name, arguments in (*OWN, *both, *SOME)]


def schedules() -> list[dict]:
    import keras

    found = []
    for name, arguments in SCHEDULES:
        schedule = getattr(keras.optimizers.schedules, name)(**arguments)
        rates = listed([[schedule(step) for step in range(40)]])[0]
        config = schedule.get_config()
        found.append({"name": name, "arguments": arguments, "rates": rates, "config": config})
    return found


def penalties() -> list[dict]:
    import jax
    import keras

    found = []
    for name, arguments in REGULARIZERS:
        penalty = getattr(keras.regularizers, name)(**arguments)
        value, slope = jax.value_and_grad(penalty)(keras.ops.array(MATRIX))
        record = {"name": name, "arguments": arguments, "config": penalty.get_config()}
        found.append({**record, "value": float(value), "slope": listed([slope])[0]})
    return found


def constraints() -> list[dict]:
    import keras

    found = []
    for name, arguments in CONSTRAINTS:
        constraint = getattr(keras.constraints, name)(**arguments)
        record = {"name": name, "arguments": arguments, "config": constraint.get_config()}
        found.append({**record, "allowed": listed([constraint(MATRIX)])[0]})
    constraint = keras.constraints.MaxNorm(0.8, axis=[0, 1, 2])
    record = {"name": "MaxNorm", "arguments": {"max_value": 0.8, "axis": [0, 1, 2]}}
    record["config"] = constraint.get_config()
    return [*found, {**record, "kernel": True, "allowed": listed([constraint(KERNEL)])[0]}]


def initializers() -> dict:
    """Which bounds and deviations Keras hands to its random generator, for each shape."""
    import keras
    from keras.src.initializers import random_initializers

    asked: dict = {}

    class Spy:
        """Stands for keras.random and notes what is asked of it."""

        def __getattr__(self, kind: str) -> Any:
            def note(shape: Any, seed: Any = None, dtype: Any = None, **arguments: float) -> None:
                asked.update(kind=kind, **arguments)

            return note

    found: dict = {"shapes": SHAPES, "scaled": {}, "configs": {}}
    for name in sorted(n for n in dir(keras.initializers) if n[0].isupper()):
        kind = getattr(keras.initializers, name)
        if name not in ("Initializer", "STFT", "STFTInitializer"):
            parameters = inspect.signature(kind).parameters.values()
            defaults = {p.name: p.default for p in parameters}
            found["configs"][name] = {"config": kind().get_config(), "parameters": defaults}
    random_initializers.random, kept = Spy(), random_initializers.random
    for name in SCALED:
        found["scaled"][name] = []
        for shape in SHAPES:
            asked.clear()
            getattr(keras.initializers, name)(seed=1)(shape)
            found["scaled"][name].append(dict(asked))
    random_initializers.random = kept
    return found


def relus() -> list[dict]:
    import keras

    return [
        {"arguments": a, "value": listed([keras.activations.relu(POINTS, **a)])[0]} for a in RELUS
    ]


def known() -> dict:
    """The public names of the modules, and the arguments of the optimizers with their defaults."""
    import keras

    modules = ("optimizers", "initializers", "regularizers", "constraints", "activations")
    names = {m: [n for n in dir(getattr(keras, m)) if not n.startswith("_")] for m in modules}
    schedules = [n for n in dir(keras.optimizers.schedules) if n[0].isupper()]
    signatures = {}
    for name in dict.fromkeys(name for name, _ in OWN):
        parameters = inspect.signature(getattr(keras.optimizers, name)).parameters.values()
        signatures[name] = {p.name: p.default for p in parameters if p.kind is not p.VAR_KEYWORD}
    return {"names": names, "schedules": schedules, "signatures": signatures}


def main() -> None:
    """Make every record and write the file."""
    os.environ.update(KERAS_BACKEND="jax", JAX_PLATFORMS="cpu")
    import jax
    import keras

    facts = {
        "made_by": "tests/golden/record_keras_optimizers.py",
        "date": datetime.date.today().isoformat(),
        "versions": {
            **{module.__name__: module.__version__ for module in (keras, jax, np)},
            "python": platform.python_version(),
        },
        "known": known(),
        "start": listed(WEIGHTS),
        "gradients": [listed(gradients) for gradients in GRADIENTS],
        "kept": KEPT,
        "matrix": MATRIX.tolist(),
        "kernel": KERNEL.tolist(),
        "points": listed([POINTS])[0],
        "initializers": initializers(),
    }
    lists = {
        "optimizers": optimizers(),
        "schedules": schedules(),
        "regularizers": penalties(),
        "constraints": constraints(),
        "relus": relus(),
    }
    parts = [f'"{key}": {json.dumps(value, allow_nan=False)}' for key, value in facts.items()]
    for key, records in lists.items():
        lines = ",\n".join(json.dumps(r, allow_nan=False) for r in records)
        parts.append(f'"{key}": [\n{lines}\n]')
    path = Path(__file__).with_name("keras_optimizers.json")
    path.write_text("{" + ",\n".join(parts) + "}\n")
    count = sum(map(len, lists.values()))
    print(f"{count} records, {path.stat().st_size} bytes in {path.name}")


if __name__ == "__main__":
    main()
