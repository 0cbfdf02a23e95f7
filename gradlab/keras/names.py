"""Names: what a layer is called when nobody named it, and finding a thing by its name.

``dense``, ``dense_1``, ``dense_2``: the class in snake case, and a count.
"""

from __future__ import annotations

import contextlib
import difflib
import inspect
import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from gradlab.keras import objects
from gradlab.keras.saving import custom, shared

_used: Counter[str] = Counter()


def snake_case(name: str) -> str:
    """Return a class name as Keras writes it in a layer's name.

    >>> snake_case("Dense"), snake_case("InputLayer"), snake_case("MaxPooling2D")
    ('dense', 'input_layer', 'max_pooling2d')
    """
    name = re.sub(r"(.)([A-Z][a-z0-9]+)", r"\1_\2", name)
    return re.sub(r"([a-z])([A-Z])", r"\1_\2", name).lower()


def default_name(base: str) -> str:
    """Return ``base`` the first time, then ``base_1``, ``base_2``, ..."""
    count = _used[base]
    _used[base] += 1
    return f"{base}_{count}" if count else base


def forget_names() -> None:
    """Begin to count anew: the next Dense layer is ``dense`` again."""
    _used.clear()


@contextlib.contextmanager
def counted_anew() -> Iterator[None]:
    """Count from the beginning for as long as a block lasts, then go on as before."""
    before = Counter(_used)
    forget_names()
    try:
        yield
    finally:
        forget_names()
        _used.update(before)


def find(kind: str, table: Mapping[str, Any], name: Any) -> Any:
    """Return ``table[name]``.

    Raises:
        ValueError: an unknown name; the message has the closest ones.

    >>> find("optimizer", {"adam": 1, "sgd": 2}, "adm")
    Traceback (most recent call last):
        ...
    ValueError: no optimizer is called 'adm'
    expected one of adam, sgd
    write 'adam'
    """
    if isinstance(name, str) and name in table:
        return table[name]
    offered = sorted(key for key in table if key == key.lower()) or sorted(table)
    near = difflib.get_close_matches(str(name).lower(), offered, n=3, cutoff=0.5)
    shown = ", ".join(offered) if len(offered) <= 12 else f"{', '.join(offered[:12])}, ..."
    raise ValueError(
        f"no {kind} is called {name!r}\nexpected one of {shown}\n"
        f"write {' or '.join(map(repr, near)) if near else repr(offered[0])}"
    )


def resolve(kind: str, table: Mapping[str, Any], identifier: Any) -> Any:
    """Return the object that an argument of a layer or of ``compile`` means.

    Args:
        kind: what it is, for messages: "initializer", "optimizer", ...
        table: classes (or functions) by name.
        identifier: None, a name, a ``{"class_name": ..., "config": ...}`` dict, a class, or the
            object itself.

    Names of your own, from `keras.saving.custom_object_scope`, come before those of the table.

    Raises:
        ValueError: an unknown name, or a config that makes no object.
        TypeError: something else altogether.
    """
    if identifier is None:
        return None
    own = custom.known()
    if isinstance(identifier, str):
        found = own[identifier] if identifier in own else find(kind, table, identifier)
    elif isinstance(identifier, Mapping) and "class_name" in identifier:
        if (known := shared.find(identifier)) is not None:
            return known
        found = _named_in(kind, {**table, **own}, identifier)
        if not inspect.isclass(found):
            return found
        thing = objects.made(found, identifier.get("config") or {})
        shared.keep(thing, identifier)
        return thing
    elif callable(identifier):
        found = identifier
    else:
        raise TypeError(
            f"{kind}: given {identifier!r}\nexpected a name, a function or an object\n"
            f"write {sorted(table)[0]!r}"
        )
    return found() if inspect.isclass(found) else found


def _named_in(kind: str, table: Mapping[str, Any], config: Mapping[str, Any]) -> Any:
    """Return the class or function that a dict from a file is about.

    Raises:
        ValueError: an unknown name; the message says how to make it known.
    """
    name = config["class_name"]
    if name == "function":
        name = config.get("config")
    for each in (config.get("registered_name"), name):
        if isinstance(each, str) and each in table:
            return table[each]
    offered = sorted(key for key in table if key != key.lower()) or sorted(table)
    near = difflib.get_close_matches(str(name), offered, n=1)
    mend = f"{near[0]!r} in its place, or " if near else ""
    raise ValueError(
        f"no {kind} is called {name!r}\nexpected one of {', '.join(offered)}\n"
        f"write {mend}custom_objects={{{str(name)!r}: ...}} if it is one of your own"
    )


def by_name(*things: Callable[..., Any], **aliases: Callable[..., Any]) -> dict[str, Any]:
    """Return a table with each class under its own name and in snake case, and the aliases."""
    table = {}
    for thing in things:
        name = thing.__name__
        table[name] = table[snake_case(name)] = table[name.lower()] = thing
    return {**table, **aliases}
