"""The weights of a hand-written layer, found by the gradients that stand beside them.

A layer's code says which attribute its backward pass will fill, even before that has run once.
"""

from __future__ import annotations

import dis
import inspect
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from types import CodeType
from typing import Any, NamedTuple

import numpy as np

PARAMETERS = ("params", "parameters", "weights")
GRADIENTS = ("grads", "gradients", "grad")
BESIDE = ("d{}", "grad_{}", "{}_grad", "d_{}", "grad{}")


class Place(NamedTuple):
    """Where an object keeps something: in an attribute, or under a key of one."""

    owner: Any
    attribute: str
    key: Any = None

    def read(self) -> Any:
        """Return what is there now, None if nothing is."""
        held = getattr(self.owner, self.attribute, None)
        if self.key is None or held is None:
            return held
        try:
            return held[self.key]
        except (LookupError, TypeError):
            return None

    def write(self, new: Any) -> None:
        """Put something else there."""
        if self.key is None:
            vars(self.owner)[self.attribute] = new
        else:
            vars(self.owner)[self.attribute][self.key] = new

    def __str__(self) -> str:
        return self.attribute if self.key is None else f"{self.attribute}[{self.key!r}]"


@dataclass
class Weight:
    """An array of a layer, and the place where the backward pass leaves its gradient."""

    name: str
    array: np.ndarray
    gradient: Place


def owners(layer: Any, backward: str) -> Iterator[tuple[str, Any]]:
    """Yield the layer and those inside it, each once, with what to write before their attributes.

    Inside it are the objects with a method of this name in its attributes, or in lists there.
    """
    seen: set[int] = set()
    waiting = [("", layer)]
    while waiting:
        prefix, owner = waiting.pop(0)
        if id(owner) in seen:
            continue
        seen.add(id(owner))
        yield prefix, owner
        for name, held in getattr(owner, "__dict__", {}).items():
            inside = [(f"{prefix}{name}.", held)]
            inside += [(f"{prefix}{name}[{key!r}].", part) for key, part in _items(held)]
            waiting += [(p, part) for p, part in inside if hasattr(part, backward)]


def exchange(owners: Sequence[Any], old: np.ndarray, new: np.ndarray) -> None:
    """Put `new` wherever the objects hold `old`: under an attribute, in a list or a dict there.

    One array often has two names, W and params[0], which shall stay one array.
    """
    for owner in owners:
        attributes = getattr(owner, "__dict__", {})
        for name, held in attributes.items():
            if held is old:
                attributes[name] = new
            elif isinstance(held, list | dict):
                for key, part in _items(held):
                    if part is old:
                        held[key] = new


def find_weights(layer: Any, forward: str, backward: str) -> tuple[list[Weight], tuple[str, ...]]:
    """Return the weights of a layer, and the names of its other arrays.

    What `forward` assigns is no weight: it is a cache that an earlier call has left.
    """
    weights: list[Weight] = []
    others: dict[int, str] = {}
    for prefix, owner in owners(layer, backward):
        words = _Words(owner, _assigned(owner, forward))
        for place in _candidates(owner):
            value, gradient = place.read(), words.gradient_of(place)
            if gradient is None or place.attribute in words.assigned:
                if isinstance(value, np.ndarray) and not words.is_gradient(place):
                    others.setdefault(id(value), f"{prefix}{place}")
            elif _is_float(value) and not any(value is weight.array for weight in weights):
                if isinstance(value, float):  # only an array can be told from an equal one
                    value = np.array(value)
                    place.write(value)
                weights.append(Weight(f"{prefix}{place}", value, gradient))
    known = {id(weight.array) for weight in weights}
    return weights, tuple(name for place, name in others.items() if place not in known)


class _Words:
    """The attributes and the strings that the code of an object's class mentions."""

    def __init__(self, owner: Any, assigned: set[str]) -> None:
        self.owner, self.assigned = owner, assigned
        self.attributes, self.strings = set(getattr(owner, "__dict__", {})), set[Any]()
        for _, code in _codes(type(owner)):
            self.attributes |= set(code.co_names)
            for constant in code.co_consts:  # {"W": dW, "b": db} keeps its keys in a tuple
                self.strings |= set(constant) if isinstance(constant, tuple) else {constant}
        self.box = next((name for name in GRADIENTS if name in self.attributes), None)

    def gradient_of(self, place: Place) -> Place | None:
        """Return where the gradient of what is at this place will be, None if nowhere."""
        if place.key is None:
            for pattern in BESIDE:
                if (name := pattern.format(place.attribute)) in self.attributes:
                    return Place(self.owner, name)
        if self.box is None:
            return None
        if isinstance(place.key, int):
            return Place(self.owner, self.box, place.key)
        key = place.attribute if place.key is None else place.key
        known = self.strings | {key for key, _ in _items(getattr(self.owner, self.box, None))}
        for name in (key, *(pattern.format(key) for pattern in BESIDE)):
            if name in known:
                return Place(self.owner, self.box, name)
        return None if place.key is None else Place(self.owner, self.box, place.key)

    def is_gradient(self, place: Place) -> bool:
        """Whether this is where the gradient of another attribute goes, or a cache."""
        names = {pattern.format(name) for name in vars(self.owner) for pattern in BESIDE}
        return place.attribute in names | self.assigned


def _candidates(owner: Any) -> list[Place]:
    places = []
    for name, held in getattr(owner, "__dict__", {}).items():
        if isinstance(held, np.ndarray | float):
            places.append(Place(owner, name))
        elif name in PARAMETERS:
            places += [Place(owner, name, key) for key, _ in _items(held)]
    return places


def _items(held: Any) -> list[tuple[Any, Any]]:
    if isinstance(held, dict):
        return list(held.items())
    return list(enumerate(held)) if isinstance(held, list | tuple) else []


def _is_float(value: Any) -> bool:
    return isinstance(value, float) or (isinstance(value, np.ndarray) and value.dtype.kind == "f")


def _codes(kind: type) -> Iterator[tuple[str, CodeType]]:
    """Yield each method's name and code: not of one that is overridden, unless super() calls it."""
    hidden: set[str] = set()
    for base in kind.__mro__:
        for name, part in vars(base).items():
            function = inspect.unwrap(part) if callable(part) else None
            code = getattr(function, "__code__", None)
            if name not in hidden and isinstance(code, CodeType):
                yield name, code
            if code is None or "__class__" not in code.co_freevars:
                hidden.add(name)


def _assigned(owner: Any, method: str) -> set[str]:
    codes = (code for name, code in _codes(type(owner)) if name == method)
    steps = (step for code in codes for step in dis.get_instructions(code))
    return {step.argval for step in steps if step.opname == "STORE_ATTR"}
