"""Classes and functions of your own, under the names by which saved files refer to them.

A file holds names and numbers, never code: what a name means is said by the program that opens it.

Source: ``keras.saving`` of Keras 3, whose names and rules these are.
"""

from __future__ import annotations

import contextlib
import contextvars
import types
from collections.abc import Callable, Iterator, Mapping
from typing import Any, TypeVar

Thing = TypeVar("Thing")

_registered: dict[str, Any] = {}
_scope: contextvars.ContextVar[Mapping[str, Any] | None] = contextvars.ContextVar("scope")


def register_keras_serializable(
    package: str = "Custom", name: str | None = None
) -> Callable[[Thing], Thing]:
    """Let saved files refer to the class or function below this line, as ``package>name``.

    Args:
        package: whose it is, so that two layers of one name do not collide.
        name: in files; its own by default.

    Raises:
        ValueError: a class without ``get_config``, or a name that something else has.

    >>> from gradlab import keras
    >>> @keras.saving.register_keras_serializable(package="course")
    ... class Double(keras.layers.Layer):
    ...     def call(self, inputs):
    ...         return 2.0 * inputs
    >>> keras.saving.get_registered_name(Double)
    'course>Double'
    """

    def register(thing: Thing) -> Thing:
        own = thing.__name__  # type: ignore[attr-defined]
        key = f"{package}>{name or own}"
        if isinstance(thing, type) and not hasattr(thing, "get_config"):
            raise ValueError(
                f"register_keras_serializable: {own} has no method get_config\n"
                "expected one that returns the arguments of __init__\n"
                'write def get_config(self): return {"units": self.units}'
            )
        before = _registered.get(key)
        if before is not None and _home(before) != _home(thing):
            raise ValueError(
                f"register_keras_serializable: {key!r} is {before!r} already\n"
                "expected a name for this class alone\n"
                f'write register_keras_serializable(package="my_course", name="{own}")'
            )
        _registered[key] = thing
        return thing

    return register


def _home(thing: Any) -> tuple[str, str]:
    """Return where a thing is defined: a notebook cell that is run again redefines it there."""
    return thing.__module__, thing.__qualname__


def get_registered_name(thing: Any) -> str:
    """Return the name by which files refer to a class or function."""
    return next((key for key, known in _registered.items() if known is thing), thing.__name__)


def get_registered_object(name: str, custom_objects: Mapping[str, Any] | None = None) -> Any:
    """Return the class or function of a name; None if there is none."""
    return {**known(), **(custom_objects or {})}.get(name)


def get_custom_objects() -> dict[str, Any]:
    """Return the table that holds for the whole program; entries can be added to it."""
    return _registered


@contextlib.contextmanager
def custom_object_scope(custom_objects: Mapping[str, Any] | None) -> Iterator[None]:
    """Let names mean these classes and functions for as long as the block lasts.

    >>> from gradlab import keras
    >>> def half(x):
    ...     return 0.5 * x
    >>> with keras.saving.custom_object_scope({"half": half}):
    ...     keras.layers.Dense(1, activation="half").activation is half
    True

    Raises:
        TypeError: no dict, or one with something else in it.
    """
    given = custom_objects or {}
    if not isinstance(given, Mapping) or not all(callable(each) for each in given.values()):
        raise TypeError(
            f"custom_objects: given {custom_objects!r}\n"
            "expected a dict of classes and functions, by the names that the file has for them\n"
            "write custom_objects={'MyLayer': MyLayer}"
        )
    token = _scope.set({**_in_scope(), **given})
    try:
        yield
    finally:
        _scope.reset(token)


CustomObjectScope = custom_object_scope


def _in_scope() -> Mapping[str, Any]:
    return _scope.get(None) or {}


def known() -> dict[str, Any]:
    """Return all classes and functions of your own that have a name now."""
    return {**_registered, **_in_scope()}


def function_config(function: Any) -> dict[str, Any]:
    """Return how a file refers to a function.

    Raises:
        ValueError: a lambda, or an object that is no function: it has no name to be found by.
    """
    named = isinstance(function, types.FunctionType) and function.__name__ != "<lambda>"
    if not named and not hasattr(function, "keras"):  # rows of the table are objects with a name
        raise ValueError(
            f"{function!r} has no name that could be saved\n"
            "expected a function that was made with def, or a class with get_config\n"
            "write def my_function(x): ..., and load with custom_objects={'my_function': ...}"
        )
    name = get_registered_name(function)
    return {
        "module": "builtins", "class_name": "function", "config": name,
        "registered_name": "function",
    }  # fmt: skip
