"""The callers' functions in the one form a check needs: plain arrays in, plain arrays out.

Wherever a function raises, or would leave its domain, it says so with a ValueError: no slope there.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from gradlab import calculus, tape
from gradlab.errors import describe
from gradlab.tensor import Tensor
from gradlab.testing.domain import inside

RAISED = (ValueError, ArithmeticError, AssertionError)  # how functions refuse a point


class WrongCountError(TypeError):
    """A backward pass that returns more or fewer gradients than there are arguments."""


class Guarded:
    """f(*args) as one array of floats, evaluated inside the domain only.

    Attributes:
        title: what f is called in messages.
        domains: the domain of an argument by its place, as the caller wrote it.
        refused: the arguments and the error where f raised for the first time; None until then.
        kinds: the dtypes to which arguments are rounded before f sees them, by their places.
    """

    def __init__(self, f: Callable[..., Any], title: str, domains: dict[int, Any]) -> None:
        self.f, self.title = f, title
        self.domains = {place: d for place, d in domains.items() if d is not None}
        self.tests = {place: inside(domain) for place, domain in self.domains.items()}
        self.refused: tuple[tuple[Any, ...], Exception] | None = None
        self.kinds: dict[int, Any] = {}

    def holds(self, args: Sequence[Any]) -> bool:
        """Whether a point is inside the declared domain."""
        return all(test(args[place]) for place, test in self.tests.items())

    def __call__(self, *args: Any) -> np.ndarray:
        if self.kinds:
            args = tuple(np.asarray(a, dtype=self.kinds.get(i)) for i, a in enumerate(args))
        if not self.holds(args):
            raise ValueError("outside the declared domain")
        try:
            with np.errstate(all="ignore"):
                y = self.f(*args)
        except Exception as error:
            self.refused = self.refused or (args, error)
            raise ValueError("f raised") from error
        array = None if y is None or isinstance(y, tuple) else np.asarray(y)
        if array is None or array.dtype.kind not in "fiub":
            raise self._no_array(y)
        return array

    def _no_array(self, y: Any) -> TypeError:
        given = "nothing" if y is None else describe(y)
        mend = "return y at its end" if y is None else "return y with one array y"
        return TypeError(
            f"{self.title} returned {given}\nexpected one array of floats\nwrite {mend}"
        )


def on_tensors(f: Callable[..., Any], places: tuple[int, ...]) -> Callable[..., Any]:
    """A function written for gradlab, as one of plain arrays."""

    def evaluated(*args: Any) -> Any:
        with tape.recording(False):
            y = f(*(Tensor(a) if i in places else a for i, a in enumerate(args)))
        return y.data if isinstance(y, tape.Node) else y

    return evaluated


def gradlab_vjp(f: Callable[..., Any], places: tuple[int, ...]) -> Callable[..., Any]:
    """The backward pass that gradlab makes for f, with respect to some of its arguments."""

    def vjp(g: Any, *args: Any) -> tuple[Any, ...]:
        def of_some(*some: Any) -> Any:
            every = list(args)
            for place, a in zip(places, some, strict=True):
                every[place] = a
            return f(*every)

        return calculus.vjp(of_some, *(args[i] for i in places))[1](g)

    return vjp


def scalar_vjp(grad: Callable[..., Any]) -> Callable[..., Any]:
    """The backward pass of a function that returns one number, from its gradient."""

    def vjp(g: Any, *args: Any) -> Any:
        found = grad(*args)
        if isinstance(found, tuple | list):
            return tuple(None if part is None else g * np.asarray(part) for part in found)
        return None if found is None else g * np.asarray(found)

    return vjp


def one_per_argument(vjp: Callable[..., Any], places: tuple[int, ...]) -> Callable[..., list[Any]]:
    """A backward pass that returns a list with one gradient, or None, for every argument."""

    def gradients(g: Any, *args: Any) -> list[Any]:
        with np.errstate(all="ignore"):
            found = vjp(g, *args)
        parts = list(found) if isinstance(found, tuple | list) else [found]
        parts = [part.data if isinstance(part, tape.Node) else part for part in parts]
        if len(parts) == len(args):
            return parts
        if len(parts) != len(places):
            raise WrongCountError(
                f"the backward pass returned {len(parts)} gradient(s) for {len(args)} arguments\n"
                f"expected one per argument, each with its shape\n"
                f"write return dx, dw in the order of the arguments, or wrt= for some of them"
            )
        every: list[Any] = [None] * len(args)
        for place, part in zip(places, parts, strict=True):
            every[place] = part
        return every

    return gradients
