"""Saving a whole model and restoring it: layers, weights, losses, metrics and the optimizer.

A ``.keras`` file is a zip archive of two JSON texts and one HDF5 file; Keras 3 opens those that are
written here, and those that it writes are opened here.

Source: deck 001, section 10.2.5.
"""

from __future__ import annotations

import contextlib
import datetime
import json
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from gradlab.keras import layers
from gradlab.keras.model import Model
from gradlab.keras.objects import serialize
from gradlab.keras.saving import archive, custom, hdf5, room, shared, state
from gradlab.keras.saving.compiling import compile_from
from gradlab.keras.saving.configs import to_json
from gradlab.keras.saving.files import read_whole, write_whole

KERAS_VERSION = "3.15.1"  # the release whose form of files this is
FilePath = str | os.PathLike[str]


def save_model(
    model: Model,
    filepath: FilePath,
    overwrite: bool = True,
    include_optimizer: bool = True,
    save_format: str | None = None,
) -> None:
    """Write a model to a file, or to a folder.

    Args:
        model: any model; one that has not seen an input yet is saved without weights.
        filepath: ``m.keras`` for a file that Keras opens; a name without an ending for a folder.
        overwrite: False refuses to replace what is there.
        include_optimizer: whether `fit` shall go on later as if it had not been interrupted.
        save_format: "keras" or "tf", the folder, in place of what the name says.

    Raises:
        ValueError: a part that cannot be written down, such as a Lambda layer, or an ending that
            belongs to another format; nothing is written.
        FileExistsError: there is something, and ``overwrite=False``.
        OSError: the place cannot be written to.

    Keras does not open a model with masks in which a layer has the name that Keras gives to the
    operation that joins them, "concatenate": call such a layer something else.
    """
    path = Path(filepath)
    form = _form_of(path, save_format)
    if not overwrite and path.exists():
        raise FileExistsError(
            f"save: there is {str(path)!r} already\n"
            "expected a new name, since overwrite=False\n"
            f"write save({path.with_stem(path.stem + '_2').name!r})"
        )
    if form == "tf":
        from gradlab.keras.saving.folder import save_folder

        return save_folder(model, path, include_optimizer)
    members = {
        archive.METADATA: to_json(metadata()).encode(),
        archive.CONFIG: to_json(config_of(model, include_optimizer)).encode(),
        archive.WEIGHTS: hdf5.write(state.gathered(model, include_optimizer)),
    }
    write_whole(path, archive.pack(members))


def _form_of(path: Path, save_format: str | None) -> str:
    form = save_format or {".keras": "keras", "": "tf"}.get(path.suffix, path.suffix)
    if form in ("tf", "tensorflow") and path.suffix not in (".keras", ".h5"):
        return "tf"
    if form == "keras" and path.suffix == ".keras":
        return form
    raise ValueError(
        f"save: {path.name!r}" + (f" with save_format={save_format!r}" if save_format else "")
        + "\nexpected a name that ends in .keras, or one without an ending for a folder"
        f"\nwrite model.save({path.with_suffix('.keras').name!r})"
    )  # fmt: skip


def metadata() -> dict[str, str]:
    """Return what files say of their origin."""
    now = datetime.datetime.now().strftime("%Y-%m-%d@%H:%M:%S")
    return {"keras_version": KERAS_VERSION, "date_saved": now}


def config_of(model: Model, include_optimizer: bool = True) -> dict[str, Any]:
    """Return what a model is made of, without its numbers."""
    with shared.objects():
        config = shared.without_lone_marks(serialize(model))
    return config if include_optimizer else {**config, "compile_config": {}}


def load_model(
    filepath: FilePath,
    custom_objects: Mapping[str, Any] | None = None,
    compile: bool = True,  # noqa: A002 - its name in Keras
    safe_mode: bool = True,
) -> Any:
    """Return the model that a file or folder holds, ready to predict and to go on training.

    Args:
        filepath: of `save_model` or of Keras 3: ``.keras``, or a folder; of Keras 1 and 2: ``.h5``.
        custom_objects: classes and functions of your own that the model uses, by name.
        compile: False leaves out loss, metrics and optimizer.
        safe_mode: True. Nothing in a file is ever run as code, so there is no other mode.

    >>> from gradlab import keras
    >>> import pathlib, tempfile
    >>> model = keras.Sequential([keras.layers.Dense(1, input_shape=[2])])
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     model.save(pathlib.Path(folder, "m.keras"))
    ...     again = keras.models.load_model(pathlib.Path(folder, "m.keras"))
    >>> bool((again.get_weights()[0] == model.get_weights()[0]).all())
    True

    Raises:
        ValueError: a damaged file, an unknown class, or weights that are not those of the layers.
        OSError: it cannot be read.
    """
    path = Path(filepath)
    if not safe_mode:
        raise ValueError(
            "load_model: given safe_mode=False, which runs code that is in the file\n"
            "expected safe_mode=True: gradlab never does\n"
            "write custom_objects={'name': function} for functions of your own"
        )
    with custom.custom_object_scope(custom_objects), shared.objects(), explained(path):
        if path.is_dir():
            from gradlab.keras.saving.folder import load_folder

            return load_folder(path, compile)
        content = read_whole(path)
        if content.startswith(b"\x89HDF"):
            from gradlab.keras.saving.legacy import load_h5

            return load_h5(content, path, compile)
        wanted = (archive.METADATA, archive.CONFIG, archive.WEIGHTS)
        members = archive.unpack(content, path, wanted)
        if missing := [name for name in wanted if name not in members]:
            raise archive.refusal(path, f"has no {missing[0]}")
        config = json.loads(members[archive.CONFIG])
        if str(json.loads(members[archive.METADATA]).get("keras_version")).startswith("2."):
            from gradlab.keras.saving.legacy import modern

            config = modern(config)
        return restored(config, members[archive.WEIGHTS], path, compile)


def restored(config: Any, weights: bytes, path: Path, compiled: bool = True) -> Any:
    """Return the model of a config and a file of weights."""
    with hdf5.opened(weights, path) as arrays:
        with room.for_numbers(arrays.count()):
            model = made(config, path)
            compiled = compiled and bool(config.get("compile_config"))
            if compiled:
                compile_from(model, config["compile_config"], config.get("trained"))
        state.restore(model, arrays, optimizer=compiled)
    return model


def made(config: Any, path: Path) -> Any:
    """Return the model of a config, with its weights made, which are all 0.

    Raises:
        ValueError: the config is not that of a model.
    """
    if not isinstance(config, dict) or not isinstance(config.get("config"), dict):
        raise archive.refusal(path, "has a config that is not one of a model")
    model = layers.deserialize(config)
    if not isinstance(model, Model):
        raise archive.refusal(path, f"has a {type(model).__name__}, no model")
    build_config = config.get("build_config") or {}
    if build_config.get("input_shape") and not model.built:
        model.build(_shape(build_config["input_shape"]))
        model.built = True
    return model


def _shape(written: Any) -> Any:
    """Return shapes as they were before they became JSON, with None for the batch."""
    if isinstance(written, dict):
        return {name: _shape(each) for name, each in written.items()}
    if any(isinstance(each, list | dict) for each in written):
        return [_shape(each) for each in written]
    return (None, *written[1:])


@contextlib.contextmanager
def explained(path: Path) -> Iterator[None]:
    """Make a ValueError of whatever a config that nobody has checked leads to."""
    try:
        yield
    except Exception as error:  # what is run here is decided by a file that may be damaged
        if isinstance(error, ValueError | OSError) and "\n" in str(error):
            raise  # it explains itself
        first, _, _ = str(error).partition("\n")
        raise ValueError(
            f"{str(path)!r} cannot be restored: {type(error).__name__}: {first}\n"
            "expected a file that model.save of gradlab or Keras 3 has written\n"
            "write the model again, or load it with compile=False if only that fails"
        ) from error
