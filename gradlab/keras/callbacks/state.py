"""Where a training stands: weights, optimizer, metrics, and the generators of chance.

Put back, these numbers make training go on bit by bit as if nothing had happened.
"""

from __future__ import annotations

import io
import json
import random as python_random
import zipfile
import zlib
from typing import Any

import numpy as np

from gradlab.keras import random

Tree = Any  # dicts, lists, numbers and texts, with arrays among them


def of_model(model: Any) -> Tree:
    """Return what a model and its optimizer have learnt."""
    optimizer = model.optimizer
    return {
        "weights": [w.numpy() for w in model.weights],
        "built": optimizer.built,
        "optimizer": [v.numpy() for v in optimizer.variables],
    }


def into_model(model: Any, state: Tree) -> None:
    """Put back what `of_model` returned.

    Raises:
        ValueError: the state of another model; no weight is changed.
    """
    optimizer = model.optimizer
    if state["built"] != optimizer.built:
        optimizer.build(model.trainable_weights)
    pairs = list(zip(optimizer.variables, state["optimizer"], strict=state["built"]))
    if any(variable.shape != np.shape(array) for variable, array in pairs):
        raise ValueError(f"{optimizer.name} remembers arrays of other shapes")
    model.set_weights(state["weights"])
    for variable, array in pairs:
        variable.assign(array)


# --------------------------------------------------------------------------------------- chance


def of_chance(model: Any) -> Tree:
    """Return the states of all generators that training draws from."""
    version, numbers, gauss = python_random.getstate()
    numpys = dict(np.random.get_state(legacy=False))  # noqa: NPY002 - the one that scripts use
    return {
        "keras": random.generator().bit_generator.state,
        "layers": [g.bit_generator.state for g in _generators(model)],
        "numpy": numpys,
        "python": [version, np.array(numbers, np.uint32), gauss],
    }


def into_chance(model: Any, state: Tree) -> None:
    """Put all generators back to where they were."""
    random.generator().bit_generator.state = state["keras"]
    for generator, each in zip(_generators(model), state["layers"], strict=True):
        generator.bit_generator.state = each
    np.random.set_state(state["numpy"])  # noqa: NPY002 - as above
    version, numbers, gauss = state["python"]
    python_random.setstate((version, tuple(map(int, numbers)), gauss))


def _generators(model: Any) -> list[np.random.Generator]:
    """Return the generators of layers that have a seed of their own."""
    owned = [value for layer, _ in model._walk() for value in vars(layer).values()]
    return [value for value in owned if isinstance(value, np.random.Generator)]


# ---------------------------------------------------------------------------------- as a file


def shape_of(written: Any) -> Any:
    """Return a shape, or several, as they were before JSON made lists of tuples.

    >>> shape_of([None, 8]), shape_of([[None, 5], [None, 6]])
    ((None, 8), [(None, 5), (None, 6)])
    """
    if isinstance(written, dict):
        return {name: shape_of(each) for name, each in written.items()}
    if any(isinstance(each, list | dict) for each in written):
        return [shape_of(each) for each in written]
    return tuple(written)


def packed(tree: Tree) -> bytes:
    """Return a tree as the content of an ``.npz`` file: its arrays, and the rest as JSON.

    >>> tree = {"epoch": 3, "weights": [np.ones(2), np.zeros(1)]}
    >>> unpacked(packed(tree))
    {'epoch': 3, 'weights': [array([1., 1.]), array([0.])]}
    """
    arrays: dict[str, np.ndarray] = {}
    text = json.dumps(_without_arrays(tree, arrays)).encode()
    file = io.BytesIO()
    np.savez(file, allow_pickle=False, **arrays, tree=np.frombuffer(text, np.uint8))
    return file.getvalue()


def _without_arrays(tree: Tree, arrays: dict[str, np.ndarray]) -> Any:
    if isinstance(tree, np.ndarray):
        name = f"array_{len(arrays)}"
        arrays[name] = tree
        return {"array": name}
    if isinstance(tree, dict):
        return {key: _without_arrays(value, arrays) for key, value in tree.items()}
    if isinstance(tree, list | tuple):
        return [_without_arrays(value, arrays) for value in tree]
    return tree.item() if isinstance(tree, np.generic) else tree


def unpacked(content: bytes) -> Tree:
    """Return the tree that was packed.

    Raises:
        ValueError: a damaged file, or one that holds something else.
    """
    try:
        with np.load(io.BytesIO(content), allow_pickle=False) as arrays:
            return _with_arrays(json.loads(arrays["tree"].tobytes()), arrays)
    except (zipfile.BadZipFile, zlib.error, OSError, EOFError, KeyError, ValueError) as error:
        raise ValueError(f"a damaged file: {error}") from error
    except (RuntimeError, NotImplementedError, TypeError, AttributeError) as error:
        raise ValueError(f"no file of a training: {error}") from error


def _with_arrays(tree: Any, arrays: Any) -> Tree:
    if isinstance(tree, dict):
        if set(tree) == {"array"}:
            return arrays[tree["array"]]
        return {key: _with_arrays(value, arrays) for key, value in tree.items()}
    return [_with_arrays(value, arrays) for value in tree] if isinstance(tree, list) else tree
