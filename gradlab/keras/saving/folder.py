"""A model as a folder: what it is in ``config.json``, what it has learnt in ``variables/``.

The config names the file of weights that belongs to it and is replaced last, in one go: whenever
the program is killed, the folder holds the old model or the new one.

Source: deck 001, section 10.2.5, `save_format="tf"`.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
from pathlib import Path
from typing import Any

from gradlab.keras.functional import Functional
from gradlab.keras.layers.core import Activation, Input
from gradlab.keras.layers.shapes import mapped_shapes
from gradlab.keras.model import Model
from gradlab.keras.saving import archive, hdf5, models, state
from gradlab.keras.saving.configs import to_json
from gradlab.keras.saving.files import read_whole, told, write_whole
from gradlab.keras.sequential import Sequential

VARIABLES, ASSETS = "variables", "assets"


def save_folder(model: Any, path: Path, include_optimizer: bool = True) -> None:
    """Write a model into a folder, from which `load_model` restores it.

    As in TensorFlow's SavedModel, a program that does not have the source of a subclassed model can
    load it: what is written is the graph of its layers and operations, and what comes back is a
    functional model. Unlike there, no graph of low-level operations is written but the layers with
    their arguments, as in a ``.keras`` file; so ``config.json`` stands for ``saved_model.pb`` and
    ``metadata.json`` for ``keras_metadata.pb``. TensorFlow does not open the folder.

    Raises:
        ValueError: a subclassed model whose `call` cannot be written down; nothing is written.
        OSError: the place cannot be written to.
    """
    graph = as_graph(model)
    weights = hdf5.write(state.gathered(graph, include_optimizer))
    name = f"{VARIABLES}/variables-{hashlib.sha256(weights).hexdigest()[:16]}.weights.h5"
    config = models.config_of(graph, include_optimizer)
    trained = {id(w): place for place, w in enumerate(graph.trainable_weights)}
    order = [trained[id(w)] for w in model.trainable_weights]
    text = to_json({**config, "variables": name, "trained": order}).encode()
    with told(path):
        for folder in (path / ASSETS, path / VARIABLES):
            folder.mkdir(parents=True, exist_ok=True)
    write_whole(path / name, weights)
    write_whole(path / archive.METADATA, to_json(models.metadata()).encode())
    write_whole(path / archive.CONFIG, text)
    for other in (path / VARIABLES).glob("variables-*.weights.h5"):
        if other.name != Path(name).name:
            with contextlib.suppress(OSError):
                other.unlink()


def as_graph(model: Any) -> Any:
    """Return a model as one that files can describe: a subclassed one as the graph of its layers.

    Raises:
        ValueError: its `call` cannot be followed without numbers.
    """
    if isinstance(model, Sequential | Functional) or not model.built:
        return model
    try:
        inputs = mapped_shapes(lambda shape: Input(batch_shape=shape), model._built_for)
        outputs = _named(model.call(inputs))
        graph = Functional(inputs, outputs, name=model.name)
    except Exception as error:  # whatever the user's own call does with symbols
        raise ValueError(
            f"{model.name}: its call cannot be written down as a graph of layers: "
            f"{str(error).splitlines()[0] if str(error) else type(error).__name__}\n"
            "expected layers and keras.ops on the inputs, and no if that looks at numbers\n"
            "write save('model.keras'), and load it with custom_objects="
        ) from error
    for part in ("optimizer", "loss", "_losses", "_metrics", "_weighted", "run_eagerly"):
        if part in vars(model):
            setattr(graph, part, getattr(model, part))
    return graph


def _named(outputs: Any) -> Any:
    """Give several outputs the names that they have in the history of a subclassed model."""
    if not isinstance(outputs, list | tuple) or len(outputs) == 1:
        return outputs
    return [Activation("linear", name=f"output_{k + 1}")(y) for k, y in enumerate(outputs)]


def load_folder(path: Path, compiled: bool = True) -> Model:
    """Return the model of a folder, written here or by Keras 3 with ``zipped=False``.

    Raises:
        ValueError: not such a folder, or a damaged one.
        OSError: it cannot be read.
    """
    if not (path / archive.CONFIG).exists():
        raise ValueError(
            f"{str(path)!r} has no {archive.CONFIG}\nexpected a folder that model.save has written"
            "\nwrite load_model('my_model.keras') for a file"
        )
    config = json.loads(read_whole(path / archive.CONFIG))
    name = config.get("variables", archive.WEIGHTS)
    if name != archive.WEIGHTS and Path(name).parts[:-1] != (VARIABLES,):
        raise archive.refusal(path, f"names {name!r} as its weights")
    return models.restored(config, read_whole(path / name), path, compiled)
