"""The arguments that an object was made with, so that a class of your own needs no `get_config`.

A file can keep them if they are numbers, text, lists and dicts, or objects with `get_config`.
"""

from __future__ import annotations

import inspect
from typing import Any


def config_of(thing: Any, config: dict[str, Any], base: type) -> dict[str, Any]:
    """Return ``config``, with the arguments that a class with its own `__init__` was made with.

    Args:
        thing: the object.
        config: what the base class knows: those of its arguments that every object has.
        base: the class whose `get_config` asks. One that overrides it adds the rest itself.

    Raises:
        ValueError: arguments without names, which no config can keep.
    """
    kind = type(thing)
    if kind.get_config is not base.get_config or kind.__module__.startswith("gradlab."):
        return config
    signature = inspect.signature(kind.__init__)
    args, kwargs = thing._made_with
    given = dict(list(signature.bind(thing, *args, **kwargs).arguments.items())[1:])
    rest, more = (_name_of(kind, signature) for kind in ("VAR_POSITIONAL", "VAR_KEYWORD"))
    if given.get(rest):
        raise ValueError(
            f"{kind.__name__}: made with {args!r}, which have no names\n"
            "expected arguments with names, or a class with get_config\n"
            "write def get_config(self): return {**super().get_config(), ...}"
        )
    named = given.pop(more, {})
    common = {n: v for n, v in config.items() if more or n in signature.parameters}
    return {**named, **common, **given}


def _name_of(kind: str, signature: inspect.Signature) -> str:
    """Return the name of ``*args`` or ``**kwargs``; no name if there are none."""
    return next((p.name for p in signature.parameters.values() if p.kind.name == kind), "")
