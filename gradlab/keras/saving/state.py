"""What a model has learnt: the weights of its layers and the optimizer's memory, each at a path.

``layers/dense_1/vars/0`` is the first weight of the second Dense layer. Keras finds the parts by
the same walk through the model, so the paths, not the names of layers, say what belongs where.
"""

from __future__ import annotations

import re
import warnings
from collections import Counter
from collections.abc import Iterator
from typing import Any

import numpy as np

from gradlab.keras.functional import Functional
from gradlab.keras.layers.base import Layer
from gradlab.keras.layers.weights import NO_PARTS
from gradlab.keras.model import Model
from gradlab.keras.optimizers import Optimizer
from gradlab.keras.saving.hdf5 import Arrays
from gradlab.keras.sequential import Sequential
from gradlab.keras.variable import Variable

Groups = dict[str, tuple[str | None, list[np.ndarray]]]


def holders(thing: Any, path: str = "", seen: set[int] | None = None) -> Iterator[tuple[str, Any]]:
    """Yield the layers and optimizers in a model, each once, at the first path that leads to it.

    Attributes are visited in alphabetical order, private ones last; before them, the layers of a
    Sequential or functional model.

    >>> from gradlab import keras
    >>> model = keras.Sequential([keras.layers.Dense(2), keras.layers.Dense(1)])
    >>> [path for path, _ in holders(model)]
    ['', 'layers/dense', 'layers/dense_1']
    """
    seen = set() if seen is None else seen
    if id(thing) in seen:
        return
    seen.add(id(thing))
    yield path, thing
    if isinstance(thing, Layer):
        for name, value in _attributes(thing):
            yield from _inside(value, f"{path}/{name}".lstrip("/"), seen)


def _attributes(layer: Layer) -> list[tuple[str, Any]]:
    found = {name: value for name, value in vars(layer).items() if name not in (*NO_PARTS, "_row")}
    if not isinstance(layer, Model):
        return sorted(found.items(), key=_private_last)
    if isinstance(layer, Sequential | Functional):
        return [("layers", layer.layers), *sorted(found.items(), key=_private_last)]
    return sorted({**found, "layers": layer.layers}.items(), key=_private_last)


def _private_last(attribute: tuple[str, Any]) -> str:
    return f"~{attribute[0]}" if attribute[0].startswith("_") else attribute[0]


def _inside(value: Any, path: str, seen: set[int]) -> Iterator[tuple[str, Any]]:
    """Yield what an attribute holds; lists and dicts give their parts names and numbers."""
    if isinstance(value, Layer | Optimizer):
        yield from holders(value, path, seen)
    elif isinstance(value, list | tuple | dict):
        used: Counter[str] = Counter()
        for part in value.values() if isinstance(value, dict) else value:
            if not isinstance(part, Layer | list | tuple | dict):
                continue
            name = _snake_case(type(part).__name__) if isinstance(part, Layer) else "container"
            number = f"_{used[name]}" if used[name] else ""
            used[name] += 1
            yield from _inside(part, f"{path}/{name}{number}", seen)


def _snake_case(name: str) -> str:
    """Return a class name as Keras 3 writes it in paths; names of layers follow tf.keras 2."""
    name = re.sub("(.)([A-Z][a-z]+)", r"\1_\2", re.sub(r"\W+", "", name))
    return re.sub("([a-z])([A-Z])", r"\1_\2", name).lower()


def own(thing: Any) -> list[Variable]:
    """Return the variables of a layer without those of its parts, or of an optimizer."""
    if isinstance(thing, Optimizer):
        return list(thing.variables)
    variables, _ = thing._parts()
    return sorted(variables, key=_trained_last)


def _trained_last(variable: Variable) -> bool:
    return not variable.trainable


def gathered(model: Any, optimizer: bool = True) -> Groups:
    """Return all arrays of a model, by the path of their group.

    Args:
        optimizer: whether the memory of the optimizer is among them.
    """
    return {
        f"{path}/vars".lstrip("/"): (thing.name, [_stored(v.data) for v in own(thing)])
        for path, thing in holders(model)
        if optimizer or not isinstance(thing, Optimizer)
    }


def _stored(array: np.ndarray) -> np.ndarray:
    """Return numbers in a type that Keras reads: it counts steps in 32 bits."""
    return array.astype(np.int32) if array.dtype == np.int64 else array


def restore(
    model: Any, arrays: Arrays, optimizer: bool = True, skip_mismatch: bool = False
) -> None:
    """Put the arrays of a file into a model.

    Args:
        optimizer: whether to restore its memory too.
        skip_mismatch: leave layers as they are that do not fit, with a warning.

    Raises:
        ValueError: a layer that the file does not have, or with other shapes; no weight has
            changed.
    """
    plan: list[tuple[Variable, np.ndarray]] = []
    for path, thing in holders(model):
        group = f"{path}/vars".lstrip("/")
        if isinstance(thing, Optimizer) and not (optimizer and arrays.names(group)):
            continue
        try:
            plan += _matched(thing, group, arrays)
        except MismatchError as error:
            if not (skip_mismatch or isinstance(thing, Optimizer)):
                raise
            warnings.warn(f"{error}\n{thing.name} stays as it is", stacklevel=4)
    for variable, array in plan:
        variable.assign(array)


class MismatchError(ValueError):
    """A file whose arrays are not those of the model."""


def _matched(thing: Any, group: str, arrays: Arrays) -> list[tuple[Variable, np.ndarray]]:
    """Return the variables of one layer or optimizer, each with its array."""
    mine = own(thing)
    if isinstance(thing, Optimizer):
        mine = _as_stored(mine, len(arrays.names(group)))
    places = [f"{group}/{place}" for place in range(len(mine))]
    shapes = [arrays.shape(p) for p in places] if arrays.numbered(group, len(mine)) else None
    expected = [v.shape for v in mine]
    if shapes != expected:
        there = [arrays.shape(f"{group}/{n}") for n in arrays.names(group)]
        raise MismatchError(
            f"{thing.name}: the file has arrays of shapes {there} at {group!r}\n"
            f"expected {expected}: {', '.join(v.name or '' for v in mine) or 'no weights'}\n"
            "write the file of a model built alike: the same layers in the same order"
        )
    return [(v, arrays.read(p)) for v, p in zip(mine, places, strict=True)]


def _as_stored(mine: list[Variable], count: int) -> list[Variable]:
    """Return those variables of an optimizer that a file with so many arrays has."""
    numbers = [v for v in mine if v.name in ("iteration", "learning_rate")]
    if count == len(mine) - 1:
        return [v for v in mine if v.name != "learning_rate"]  # Keras 2: it is in the config
    return numbers if count == len(numbers) else mine  # without a step there is no memory yet
