"""Record ``.h5`` files as Keras 2 wrote them, what they predict, and how their training goes on.

    python tests/golden/record_keras2_saved.py

tf_keras is Keras 2 as it is still released, beside TensorFlow; gradlab's tests need neither.
"""

from __future__ import annotations

import json
import tempfile
import zipfile
from pathlib import Path
from typing import Any

import numpy as np

ARCHIVE = Path(__file__).with_name("keras2_saved.zip")
FACTS = Path(__file__).with_name("keras2_saved.json")


def data() -> tuple[np.ndarray, np.ndarray]:
    """Return seven batches of eight rows."""
    x = np.random.default_rng(0).standard_normal((56, 4)).astype(np.float32)
    return x, x[:, :1] * x[:, 1:2]


def steps(model: Any, first: int, last: int) -> list[float]:
    """Train on some of the batches, in order, and return the loss after each."""
    x, y = data()
    y = (y, y) if len(model.outputs) == 2 else (y,)
    losses = []
    for k in range(first, last):
        part = slice(8 * k, 8 * k + 8)
        model.reset_metrics()
        found = model.train_on_batch(x[part], [target[part] for target in y])
        losses.append(float(np.ravel(found)[0]))
    return losses


def predictions(model: Any) -> list[float]:
    """Return what a model puts out for the first batch."""
    found = model.predict(data()[0][:8], verbose=0)
    found = found if isinstance(found, list | tuple) else [found]
    return np.concatenate([np.ravel(each) for each in found]).tolist()


def models(keras: Any) -> dict[str, Any]:
    """Return a row of layers with each of several optimizers, and a graph."""
    L, found = keras.layers, {}
    for name, optimizer in {
        "sgd": keras.optimizers.legacy.SGD(0.01, momentum=0.9, decay=1e-3),
        "adam": keras.optimizers.legacy.Adam(0.01),
        "rmsprop": keras.optimizers.legacy.RMSprop(0.01, centered=True, momentum=0.2),
        "new_adam": keras.optimizers.Adam(0.01),
    }.items():
        normalization = L.Normalization()
        normalization.adapt(data()[0])
        found[name] = keras.Sequential(
            [
                L.Flatten(input_shape=[4]),
                normalization,
                L.Dense(5, activation="relu", kernel_regularizer="l2"),
                L.Dropout(0.0),
                L.Dense(3, activation="selu", kernel_initializer="lecun_normal"),
                L.Dense(1),
            ]
        )
        metrics = ["mae", keras.metrics.RootMeanSquaredError()]
        found[name].compile(optimizer, keras.losses.Huber(2.0), metrics=metrics)
    wide = keras.Input((4,), name="wide")
    deep = L.Dense(3, activation="relu")(wide)
    shared = L.Dense(3)
    joined = L.concatenate([shared(deep), shared(L.Dense(3)(wide)), wide])
    found["graph"] = keras.Model(wide, [L.Dense(1)(joined), L.Dense(1, name="aux")(deep)])
    found["graph"].compile("adam", ["mse", "mae"], loss_weights=[0.9, 0.1], metrics=["mae"])
    return found


def main() -> None:
    """Write the archive and the facts about what is in it."""
    import tf_keras as keras

    keras.utils.set_random_seed(1)
    facts = {}
    with tempfile.TemporaryDirectory() as folder:
        for name, model in models(keras).items():
            steps(model, 0, 3)
            model.save(Path(folder, f"{name}.h5"))
            facts[name] = {"predictions": predictions(model)}
            if name == "graph":
                model.save_weights(Path(folder, "graph_weights.h5"))
                model.save(Path(folder, "graph.keras"))
            facts[name]["after"] = steps(model, 3, 7)
        with zipfile.ZipFile(ARCHIVE, "w") as archive:
            for path in sorted(Path(folder).iterdir()):
                archive.writestr(zipfile.ZipInfo(path.name), path.read_bytes(), 8, 9)
    text = json.dumps({"versions": {"tf_keras": keras.__version__}, "models": facts}, indent=1)
    FACTS.write_text(text + "\n")


if __name__ == "__main__":
    main()
