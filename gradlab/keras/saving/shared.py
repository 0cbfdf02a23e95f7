"""Layers that stand at two places of a model: written twice, marked as one, and made once.

A layer of a model that is also a layer of a model inside of it is such a layer.
"""

from __future__ import annotations

import contextlib
import contextvars
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

MARK = "shared_object_id"  # of Keras 3

_scope: contextvars.ContextVar[dict[int, Any] | None] = contextvars.ContextVar(
    "scope", default=None
)


@contextlib.contextmanager
def objects() -> Iterator[None]:
    """Remember what is written or read in this block, the outermost one that lasts."""
    if _scope.get() is not None:
        yield
        return
    token = _scope.set({})
    try:
        yield
    finally:
        _scope.reset(token)


def mark(thing: Any, config: dict[str, Any]) -> None:
    """Give the config of an object its number."""
    known = _scope.get()
    if known is not None:
        config[MARK] = known.setdefault(id(thing), len(known) + 1)


def without_lone_marks(config: Any) -> Any:
    """Return a config with those numbers that stand at several places."""
    counts = Counter(_marks(config))

    def kept(part: Any) -> Any:
        if isinstance(part, dict):
            return {n: kept(v) for n, v in part.items() if n != MARK or counts[v] > 1}
        return [kept(each) for each in part] if isinstance(part, list | tuple) else part

    return kept(config)


def _marks(config: Any) -> Iterator[int]:
    if isinstance(config, dict):
        yield from [config[MARK]] if MARK in config else []
        config = list(config.values())
    for part in config if isinstance(config, list | tuple) else ():
        yield from _marks(part)


def find(config: Mapping[str, Any]) -> Any:
    """Return the object that was made of another config with the same mark; None if none was."""
    known = _scope.get()
    return None if known is None else known.get(config.get(MARK, 0))


def keep(thing: Any, config: Mapping[str, Any]) -> None:
    """Remember the object of a config that has a mark."""
    known = _scope.get()
    if known is not None and isinstance(config.get(MARK), int):
        known[config[MARK]] = thing
