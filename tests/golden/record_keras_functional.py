"""Record what real Keras makes of functional models: several inputs and outputs, shared layers.

    KERAS_BACKEND=jax python tests/golden/record_keras_functional.py

writes keras_functional.json beside this file. Models, data and weights are those of `CASES`, which
the test imports too; neither Keras nor its backend is needed to run the tests.
"""

from __future__ import annotations

import inspect
import json
from pathlib import Path
from typing import Any

import numpy as np

FILE = Path(__file__).with_name("keras_functional.json")


def arrays(rows: int, *widths: int, seed: int = 30) -> list[np.ndarray]:
    """Return arrays of some widths, with ``rows`` instances each."""
    rng = np.random.default_rng(seed)
    return [rng.standard_normal((rows, n)).astype("float32") for n in widths]


def targets(x: list[np.ndarray], count: int) -> list[np.ndarray]:
    """Return smooth functions of all inputs as targets."""
    total = sum(a.sum(axis=1, keepdims=True) for a in x)
    return [np.tanh((k + 1) * 0.3 * total).astype("float32") for k in range(count)]


# ---------------------------------------------------------------------------------------- models


def wide_and_deep(keras: Any, outputs: int = 2) -> Any:
    """Return the network of the slides, with one output or with two."""
    layers = keras.layers
    wide, deep = layers.Input(shape=(5,), name="wide"), layers.Input(shape=(6,), name="deep")
    hidden1 = layers.Dense(12, activation="relu", name="hidden1")(deep)
    hidden2 = layers.Dense(7, activation="tanh", name="hidden2")(hidden1)
    concat = layers.concatenate([wide, hidden2], name="concat")
    main = layers.Dense(1, name="main")(concat)
    aux = layers.Dense(1, name="aux")(hidden2)
    return keras.Model(inputs=[wide, deep], outputs=[main, aux][:outputs])


def wide_and_deep_with_one_output(keras: Any) -> Any:
    """Return the same network without its auxiliary output."""
    return wide_and_deep(keras, 1)


def shared(keras: Any) -> Any:
    """Return a model that calls one layer on two inputs and compares what it gives."""
    layers, ops = keras.layers, keras.ops
    a, b = layers.Input(shape=(6,), name="a"), layers.Input(shape=(6,), name="b")
    encode = layers.Dense(5, activation="tanh", name="encode")
    u, v = encode(a), encode(b)
    far = ops.sum(ops.abs(u - v), axis=-1, keepdims=True)
    near = layers.Dot(axes=1, normalize=True, name="near")([u, v])
    product = layers.Multiply(name="product")([u, v])
    both = layers.Concatenate(name="both")([ops.exp(-far), near, product[:, :2] / 2.0])
    return keras.Model(inputs=[a, b], outputs=layers.Dense(1, name="score")(both))


def nested(keras: Any) -> Any:
    """Return a model with a residual block, itself a model that is called twice."""
    layers = keras.layers
    x = layers.Input(shape=(5,), name="inside")
    h = layers.Dense(5, activation="relu", name="grow")(x)
    block = keras.Model(x, layers.Add(name="sum")([x, layers.Dense(5, name="back")(h)]), name="bl")
    row = keras.Sequential([layers.Input(shape=(5,)), layers.Dense(1, name="last")], name="row")
    outside = layers.Input(shape=(5,), name="outside")
    return keras.Model(outside, row(block(block(outside) * 0.5 + 1.0)))


def shapes(keras: Any) -> Any:
    """Return a model that repeats, permutes, and takes the largest, smallest and the mean."""
    layers = keras.layers
    x, z = layers.Input(shape=(4,), name="x"), layers.Input(shape=(3, 4), name="z")
    rows = layers.RepeatVector(3, name="rows")(x)
    most = layers.Maximum(name="most")([rows, z])
    least = layers.Minimum(name="least")([rows, z])
    between = layers.Average(name="between")([most, least, z])
    turned = layers.Permute((2, 1), name="turned")(layers.Subtract(name="minus")([between, rows]))
    table = layers.Dot(axes=(2, 1), name="table")([turned, z])
    flat = layers.Flatten(name="flat")(table)
    return keras.Model({"x": x, "z": z}, {"y": layers.Dense(1, name="end")(flat)})


def functions(keras: Any) -> Any:
    """Return a model of operators and functions, with settings of every kind."""
    ops = keras.ops
    x = keras.layers.Input(shape=(4, 3), name="x")
    parts = [
        ops.sum(x, axis=-1),
        ops.max(ops.reshape(x, (-1, 12)), axis=-1, keepdims=True),
        ops.clip(ops.transpose(x, (0, 2, 1)), -0.5, 0.5)[:, 0],
        ops.logsumexp(x, axis=1),
        ops.matmul(x, ops.swapaxes(x, 1, 2))[:, 0],
        ops.softmax(ops.squeeze(ops.expand_dims(x, 1), 1))[..., 0],
        ops.take(x, [0, 1], axis=1)[:, 0, 1:],
        ops.einsum("abc,abc->ab", x, x),
        ops.where(np.array([True, False, True]), x[:, 0], 0.0),
        ops.std(x, axis=1),
        ops.flip(x, axis=1)[:, 0],
        2.0 / (x[:, 0] + 3.0),
        abs(-x[:, 1]) ** 2.0,
    ]
    return keras.Model(x, keras.layers.concatenate(parts, name="all"))


def ends_in_a_model(keras: Any) -> Any:
    """Return a model whose output is that of a model inside, called twice."""
    x = keras.layers.Input(shape=(5,), name="inside")
    block = keras.Model(x, keras.layers.Dense(5, name="only")(x), name="bl")
    outside = keras.layers.Input(shape=(5,), name="outside")
    return keras.Model(outside, block(block(outside)))


CASES: dict[str, dict[str, Any]] = {
    "one output": {
        "model": wide_and_deep_with_one_output,
        "compile": {"loss": "mse", "metrics": ["mae"]},
        "widths": (5, 6),
        "outputs": 1,
    },
    "tuples": {
        "model": wide_and_deep,
        "compile": {
            "loss": ("mse", "mse"),
            "loss_weights": (0.9, 0.1),
            "metrics": [["mae"], ["mae"]],
        },
        "widths": (5, 6),
        "outputs": 2,
    },
    "dicts": {
        "model": wide_and_deep,
        "compile": {
            "loss": {"aux": "mae", "main": "mse"},
            "loss_weights": {"main": 0.7, "aux": 0.3},
            "metrics": {"aux": ["mse"], "main": ["mae", "mape"]},
        },
        "widths": (5, 6),
        "outputs": 2,
    },
    "weighted": {
        "model": wide_and_deep,
        "compile": {"loss": ["mse", "mae"], "weighted_metrics": [["mae"], ["mse"]]},
        "widths": (5, 6),
        "outputs": 2,
        "weights": True,
    },
    "shared": {
        "model": shared,
        "compile": {"loss": "mse", "metrics": ["mae"]},
        "widths": (6, 6),
        "outputs": 1,
    },
    "nested": {"model": nested, "compile": {"loss": "mse"}, "widths": (5,), "outputs": 1},
}


def with_weights(model: Any, seed: int = 31) -> Any:
    """Give a model of either library the same weights, in the order in which it lists them."""
    rng = np.random.default_rng(seed)
    model.set_weights([0.4 * rng.standard_normal(np.shape(w)) for w in model.get_weights()])
    return model


def data(case: dict[str, Any], rows: int, seed: int) -> tuple[Any, ...]:
    """Return (x, y) of a case, or (x, y, sample_weight)."""
    x = arrays(rows, *case["widths"], seed=seed)
    y = targets(x, case["outputs"])
    weights = (np.linspace(0.5, 2.0, rows), np.linspace(3.0, 0.1, rows))
    one = case["outputs"] == 1
    found = (x[0] if len(x) == 1 else tuple(x), y[0] if one else tuple(y))
    return (*found, weights) if case.get("weights") else found


def run(keras: Any, name: str) -> dict[str, Any]:
    """Train for three epochs; return the history, what evaluate says, and three predictions."""
    case = CASES[name]
    model = with_weights(case["model"](keras))
    model.compile(optimizer=keras.optimizers.Adam(learning_rate=0.01), **case["compile"])
    x, y, *weights = data(case, 96, seed=32)
    history = model.fit(
        x,
        y,
        sample_weight=weights[0] if weights else None,
        validation_data=data(case, 40, seed=33),
        epochs=3,
        shuffle=False,
        verbose=0,
    )
    x, y, *weights = data(case, 40, seed=34)
    sample_weight = weights[0] if weights else None
    found = model.evaluate(x, y, sample_weight=sample_weight, return_dict=True, verbose=0)
    return {
        "layers": [layer.name for layer in model.layers],
        "weights": [list(np.shape(w)) for w in model.get_weights()],
        "history": {key: [float(v) for v in values] for key, values in history.history.items()},
        "evaluate": {key: float(value) for key, value in found.items()},
        "predictions": flat(model.predict(x, verbose=0)),
    }


def flat(outputs: Any) -> list[list[float]]:
    """Return the first three rows of each output."""
    several = outputs if isinstance(outputs, list | tuple) else [outputs]
    return [np.ravel(np.asarray(y)[:3]).tolist() for y in several]


def of_shapes(keras: Any) -> list[float]:
    """Return what the model of `shapes` predicts."""
    x, z = arrays(5, 4, 12, seed=35)
    model = with_weights(shapes(keras))
    return model.predict({"x": x, "z": z.reshape(5, 3, 4)}, verbose=0)["y"].ravel().tolist()


WRITTEN = {"shared": shared, "nested": nested, "end": ends_in_a_model, "functions": functions}


def written(keras: Any, name: str) -> dict[str, Any]:
    """Return a model as its library writes it down, with what it predicts."""
    model = with_weights(WRITTEN[name](keras))
    x = [a.reshape(3, *model.inputs[k].shape[1:]) for k, a in enumerate(inputs_of(model))]
    outputs = model.predict(x if len(x) > 1 else x[0], verbose=0)
    return {"config": model.get_config(), "predictions": np.ravel(outputs).tolist()}


def inputs_of(model: Any) -> list[np.ndarray]:
    """Return three rows of numbers for each input."""
    return arrays(3, *(int(np.prod(x.shape[1:])) for x in model.inputs), seed=36)


def operations() -> dict[str, list[Any]]:
    """Return the classes that stand for functions in files of Keras, and their arguments."""
    from keras.src.ops import core, linalg, math, nn, numpy, operation

    found = {}
    for module in (core, linalg, math, nn, numpy):
        for name, kind in vars(module).items():
            if inspect.isclass(kind) and issubclass(kind, operation.Operation):
                arguments = list(inspect.signature(kind.__init__).parameters)
                found[name] = [kind.__module__, arguments]
    return found


def main() -> None:
    """Write the file."""
    import keras

    found: dict[str, Any] = {"runs": {name: run(keras, name) for name in CASES}}
    found["shapes"] = of_shapes(keras)
    found["written"] = {name: written(keras, name) for name in WRITTEN}
    found["operations"] = operations()
    found["ops"] = [name for name in dir(keras.ops) if not name.startswith("_")]
    versions = {"keras": keras.__version__, "backend": keras.backend.backend()}
    lines = [
        f"{json.dumps(k)}: {json.dumps(v)}" for k, v in {"versions": versions, **found}.items()
    ]
    FILE.write_text("{" + ",\n".join(lines) + "}\n")


if __name__ == "__main__":
    main()
