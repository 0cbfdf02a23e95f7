"""Weights without the model: files for a model that is built by the same lines of code.

They end in ``.weights.h5``, and hold the optimizer's memory too, as those of Keras 3.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from gradlab.keras.saving import archive, hdf5, state
from gradlab.keras.saving.files import read_whole, write_whole
from gradlab.keras.saving.models import FilePath, explained


def save_weights(model: Any, filepath: FilePath, overwrite: bool = True) -> None:
    """Write the weights of a model to a file.

    Raises:
        ValueError: another ending than ``.weights.h5``, or a model without weights.
        FileExistsError: there is such a file, and ``overwrite=False``.
        OSError: the place cannot be written to.
    """
    path = Path(filepath)
    if not path.name.endswith(".weights.h5"):
        raise ValueError(
            f"save_weights: {path.name!r}\nexpected a name that ends in .weights.h5\n"
            f'write model.save_weights("{path.name.split(".")[0]}.weights.h5")'
        )
    _check_built(model, "save_weights")
    if not overwrite and path.exists():
        raise FileExistsError(
            f"save_weights: there is {str(path)!r} already\n"
            "expected a new name, since overwrite=False\nwrite another one"
        )
    write_whole(path, hdf5.write(state.gathered(model)))


def load_weights(model: Any, filepath: FilePath, skip_mismatch: bool = False) -> None:
    """Put the weights of a file into a model: ``.weights.h5``, ``.keras``, or ``.h5`` of Keras 2.

    Args:
        skip_mismatch: leave layers as they are that do not fit, with a warning.

    Raises:
        ValueError: a damaged file, or one of other layers; no weight has changed.
        OSError: it cannot be read.
    """
    path = Path(filepath)
    _check_built(model, "load_weights")
    with explained(path):
        content = read_whole(path)
        if content.startswith(b"PK"):
            members = archive.unpack(content, path, (archive.WEIGHTS,))
            if not members:
                raise archive.refusal(path, f"has no {archive.WEIGHTS}")
            content = members[archive.WEIGHTS]
        with hdf5.opened(content, path) as arrays:
            if arrays.is_old():
                from gradlab.keras.saving import legacy

                legacy.restore_weights(model, arrays, legacy.texts_of(content, path))
            else:
                if model.optimizer is not None and not model.optimizer.built:
                    model.optimizer.build(model.trainable_weights)
                state.restore(model, arrays, skip_mismatch=skip_mismatch)


def _check_built(model: Any, method: str) -> None:
    if not model.built:
        raise ValueError(
            f"{model.name}: {method} before the weights exist\n"
            "expected a model that has seen the shape of its inputs\n"
            "write input_shape=..., model.build(...), or call the model on data first"
        )
