"""Record models as Keras 3 saves them, what they predict, and how their training goes on.

    KERAS_BACKEND=jax python tests/golden/record_keras_saved.py

The same functions build the same networks with gradlab, for tests/test_keras_saving.py. The files
travel in one archive, since HDF5 files of a few weights are mostly air.
"""

from __future__ import annotations

import itertools
import json
import tempfile
import zipfile
from pathlib import Path
from typing import Any

import numpy as np

ARCHIVE = Path(__file__).with_name("keras_saved.zip")
FACTS = Path(__file__).with_name("keras_saved.json")
BATCH = 16

OPTIMIZERS: dict[str, tuple[str, dict[str, Any]]] = {
    "sgd": ("SGD", {"learning_rate": 0.01}),
    "momentum": ("SGD", {"learning_rate": 0.005, "momentum": 0.9, "nesterov": True}),
    "clipped": ("SGD", {"learning_rate": 0.01, "momentum": 0.5, "global_clipnorm": 0.5}),
    "rmsprop": ("RMSprop", {"learning_rate": 0.01}),
    "rmsprop_all": ("RMSprop", {"learning_rate": 0.01, "momentum": 0.5, "centered": True}),
    "adagrad": ("Adagrad", {"learning_rate": 0.05}),
    "adadelta": ("Adadelta", {"learning_rate": 0.5}),
    "adam": ("Adam", {"learning_rate": 0.01}),
    "amsgrad": ("Adam", {"learning_rate": 0.01, "amsgrad": True}),
    "averaged": ("Adam", {"learning_rate": 0.01, "use_ema": True, "ema_momentum": 0.8}),
    "adamw": ("AdamW", {"learning_rate": 0.01, "weight_decay": 0.01}),
    "adamax": ("Adamax", {"learning_rate": 0.01}),
    "nadam": ("Nadam", {"learning_rate": 0.01}),
    "ftrl": ("Ftrl", {"learning_rate": 0.05}),
    "lion": ("Lion", {"learning_rate": 0.003}),
}
SCHEDULES: dict[str, dict[str, Any]] = {
    "ExponentialDecay": {"initial_learning_rate": 0.005, "decay_steps": 3, "decay_rate": 0.5},
    "CosineDecay": {"initial_learning_rate": 0.005, "decay_steps": 9},
}


def optimizer_of(keras: Any, name: str) -> Any:
    """Return an optimizer of either library; the name may be that of a schedule, used by SGD."""
    if name in SCHEDULES:
        schedule = getattr(keras.optimizers.schedules, name)(**SCHEDULES[name])
        return keras.optimizers.SGD(schedule, momentum=0.9)
    kind, settings = OPTIMIZERS[name]
    return getattr(keras.optimizers, kind)(**settings)


# ------------------------------------------------------------------------------------- the networks


def sequential(keras: Any) -> Any:
    """Return a row of every layer that has one input and puts out as many rows as it gets."""
    L, start = keras.layers, keras.initializers
    adapted = L.Normalization()
    adapted.adapt(numbers(40, 6, seed=3) * 2.0 + 1.0)
    return keras.Sequential(
        [
            L.Input((6,)),
            adapted,
            L.Rescaling(0.5, offset=0.1),
            L.Normalization(mean=[0.1], variance=[0.7], invert=True),
            L.Dense(
                6,
                activation=L.LeakyReLU(0.2),
                kernel_regularizer=keras.regularizers.L1L2(0.001, 0.01),
                kernel_constraint=keras.constraints.MaxNorm(2.0),
                bias_initializer=start.Constant(0.1),
            ),
            L.PReLU(alpha_initializer=start.Constant(0.25)),
            L.ReLU(max_value=6.0, negative_slope=0.1),
            L.Reshape((3, 2)),
            L.Permute((2, 1)),
            L.PReLU(shared_axes=[1], alpha_constraint="non_neg"),
            L.Flatten(),
            L.Dense(5, activation="gelu", use_bias=False, kernel_initializer="he_normal"),
            L.ELU(0.7),
            L.RepeatVector(2),
            L.Dense(4, activation=keras.activations.elu, bias_regularizer="l2"),
            L.Flatten(),
            L.Activation("silu"),
            L.Dropout(0.0),
            L.GaussianNoise(0.0),
            L.ActivityRegularization(l2=0.01),
            L.LeakyReLU(0.1),
            L.Dense(3, kernel_constraint=keras.constraints.UnitNorm(axis=0)),
            L.Softmax(),
        ]
    )


def functional(keras: Any) -> Any:
    """Return a graph with two inputs, a shared layer, a nested model and two outputs."""
    L = keras.layers
    wide, deep = L.Input((4,), name="wide"), L.Input((2,), name="deep")
    shared = L.Dense(5, activation="tanh", name="shared")
    a = shared(wide)
    b = shared(L.Dense(4)(deep))
    inner = keras.Sequential([L.Dense(5, activation="relu"), L.Dense(5)])
    c = inner(L.Concatenate()([b, a, deep]))
    d = L.Add()([a, L.Multiply()([b, c]), L.Subtract()([c, b])])
    e = L.Average()([d, L.Maximum()([a, c]), L.Minimum()([b, d])])
    f = L.Dot(axes=-1)([e, d])
    aux = L.Dense(1, name="aux")(b)
    main = L.Dense(1, name="main")(L.Concatenate(name="joined")([e, f]))
    return keras.Model([wide, deep], [main, aux])


def classes(keras: Any) -> dict[str, Any]:
    """Return a layer and a model of one's own, for either library."""

    class Blocks(keras.layers.Layer):
        def __init__(self, units: int, **more: Any) -> None:
            super().__init__(**more)
            self.units = units
            self.last = keras.layers.Dense(units)
            self.blocks = [keras.layers.Dense(units, activation="tanh") for _ in range(2)]
            self._first = keras.layers.Dense(units)

        def build(self, input_shape: Any) -> None:
            self.offset = self.add_weight(
                shape=(), initializer="zeros", trainable=False, name="offset"
            )
            self.scale = self.add_weight(shape=(input_shape[-1],), initializer="ones", name="scale")
            self.shift = self.add_weight(shape=(self.units,), initializer="zeros", name="shift")
            self._first.build(input_shape)
            for layer in (*self.blocks, self.last):
                layer.build((None, self.units))

        def call(self, inputs: Any) -> Any:
            x = self._first(inputs * self.scale) + self.shift
            for block in self.blocks:
                x = x + block(x)
            return self.last(x) + self.offset

        def compute_output_shape(self, input_shape: Any) -> Any:
            return (*input_shape[:-1], self.units)

        def get_config(self) -> dict[str, Any]:
            return {**super().get_config(), "units": self.units}

    class WideAndDeep(keras.Model):
        def __init__(self, units: int = 4, activation: str = "relu", **more: Any) -> None:
            super().__init__(**more)
            self.units, self.activation = units, activation
            self.norm = keras.layers.Rescaling(0.5)
            self.hidden = keras.layers.Dense(units, activation=activation)
            self.zoo = {"blocks": Blocks(units), "again": keras.layers.Dense(units)}
            self.main_output = keras.layers.Dense(1)
            self.aux_output = keras.layers.Dense(1)

        def call(self, inputs: Any) -> Any:
            wide, deep = inputs
            x = self.zoo["again"](self.zoo["blocks"](self.hidden(self.norm(deep))))
            joined = keras.ops.concatenate([wide, x], axis=-1)
            return self.main_output(joined), self.aux_output(x)

        def get_config(self) -> dict[str, Any]:
            own = {"units": self.units, "activation": self.activation}
            return {**super().get_config(), **own}

    return {"Blocks": Blocks, "WideAndDeep": WideAndDeep}


def subclassed(keras: Any, own: dict[str, Any]) -> Any:
    """Return a model of one's own that has seen inputs."""
    model = own["WideAndDeep"](5, activation="elu", name="mine")
    model((numbers(2, 4), numbers(2, 2)))
    return model


# -------------------------------------------------------------------------------- data and training


def numbers(*shape: int, seed: int = 11) -> np.ndarray:
    """Return normally distributed numbers, the same in every run."""
    return np.random.default_rng(seed).standard_normal(shape).astype(np.float32)


def data(form: str) -> tuple[Any, Any]:
    """Return inputs and targets of ten batches."""
    n = 10 * BATCH
    if form == "sequential":
        return numbers(n, 6), np.eye(3, dtype=np.float32)[np.arange(n) % 3]
    wide, deep = numbers(n, 4), numbers(n, 2, seed=12)
    return (wide, deep), (wide[:, :1] * deep[:, :1], deep[:, 1:] ** 2)


def built(keras: Any, form: str, optimizer: str, own: dict[str, Any] | None = None) -> Any:
    """Return a compiled network of either library, with the same weights in both."""
    if form == "subclassed":
        model = subclassed(keras, own or {})
    else:
        model = {"sequential": sequential, "functional": functional}[form](keras)
    for place, weight in enumerate(model.trainable_weights):
        weight.assign(0.3 * numbers(*weight.shape, seed=100 + place))
    one = form == "sequential"
    loss = keras.losses.CategoricalCrossentropy(label_smoothing=0.1)
    model.compile(
        optimizer=optimizer_of(keras, optimizer),
        loss=loss if one else ["mse", keras.losses.Huber()],
        loss_weights=None if one else [0.9, 0.1],
        metrics=["accuracy", keras.metrics.AUC(num_thresholds=7)] if one else [["mae"], ["mse"]],
    )
    return model


def steps(model: Any, form: str, first: int, last: int) -> list[float]:
    """Train on some of the batches, in order, and return the loss after each."""
    x, y = data(form)
    losses = []
    for k in range(first, last):
        part = slice(k * BATCH, (k + 1) * BATCH)
        xs = x[part] if form == "sequential" else tuple(a[part] for a in x)
        ys = y[part] if form == "sequential" else tuple(a[part] for a in y)
        model.reset_metrics()
        losses.append(float(np.ravel(model.train_on_batch(xs, ys))[0]))
    return losses


def predictions(model: Any, form: str) -> list[list[float]]:
    """Return what a model puts out for the first batch, one list for each output."""
    x, _ = data(form)
    x = x[:BATCH] if form == "sequential" else tuple(a[:BATCH] for a in x)
    found = model.predict(x, verbose=0)
    found = found if isinstance(found, list | tuple) else [found]
    return [np.ravel(each).tolist() for each in found]


# ---------------------------------------------------------------------------------------- recording

FORMS = ("sequential", "functional", "subclassed")
RECORDED = [
    *(("functional", optimizer) for optimizer in (*OPTIMIZERS, *SCHEDULES)),
    *itertools.product(("sequential", "subclassed"), ("adam", "momentum")),
]


def record(keras: Any, form: str, optimizer: str, path: Path) -> dict[str, Any]:
    """Train three steps, save, and return what must be the same after loading."""
    own = classes(keras)
    model = built(keras, form, optimizer, own)
    before = steps(model, form, 0, 3)
    model.save(path)
    facts = {"file": path.name, "form": form, "optimizer": optimizer, "before": before}
    return {**facts, "predictions": predictions(model, form), "after": steps(model, form, 3, 8)}


def main() -> None:
    """Write the archive and the facts about what is in it."""
    import keras

    facts = []
    with tempfile.TemporaryDirectory() as folder:
        for form, optimizer in RECORDED:
            path = Path(folder, f"{form}_{optimizer}.keras")
            keras.utils.clear_session()
            facts.append(record(keras, form, optimizer, path))
        for ending in ("weights.h5", "h5"):
            path = Path(folder, f"sequential_adam.{ending}")
            model = keras.models.load_model(Path(folder, "sequential_adam.keras"))
            model.save_weights(path) if ending == "weights.h5" else model.save(path)
        with zipfile.ZipFile(ARCHIVE, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
            for path in sorted(Path(folder).iterdir()):
                archive.writestr(zipfile.ZipInfo(path.name), path.read_bytes(), 8, 9)
    versions = {"keras": keras.__version__, "backend": keras.backend.backend()}
    FACTS.write_text(json.dumps({"versions": versions, "models": facts}, indent=1) + "\n")


if __name__ == "__main__":
    main()
