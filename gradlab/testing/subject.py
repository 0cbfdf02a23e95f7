"""What a gradient check is about: a function, its backward pass and a point, put in one form.

Whatever the caller wrote becomes f(*arrays) -> array and vjp(g, *arrays) -> one gradient each.
"""

from __future__ import annotations

import copy
import dataclasses
import functools
import inspect
from collections.abc import Callable, Sequence
from typing import Any, Literal

import numpy as np

from gradlab import tape
from gradlab.errors import DomainError, describe
from gradlab.ops import shaping
from gradlab.testing.domain import domains_of
from gradlab.testing.functions import (
    RAISED,
    Guarded,
    gradlab_vjp,
    on_tensors,
    one_per_argument,
    scalar_vjp,
)
from gradlab.testing.line import Line, Precision
from gradlab.testing.numeric import random_cotangent
from gradlab.testing.slopes import Slopes, slopes_along

Kinks = Literal["subgradient", "convention", "skip", "error"] | dict[float, float]


@dataclasses.dataclass
class Subject:
    """f and vjp on plain arrays, and the point at which they are compared.

    Attributes:
        f: f(*args) -> array; outside the domain, and where the caller's f raises, a ValueError.
        vjp: vjp(g, *args) -> a list with one gradient per argument, None for those not in `wrt`.
        args: the point; the caller's own arrays, since their layout may matter.
        wrt: the places of the arguments that are differentiated.
        names: what the arguments are called, "x" or "argument 0".
        source: f as the caller wrote it.
        title: what it is called in messages.
        traced: whether the backward pass is gradlab's own.
        order: 2 if f is itself a gradient.
        precision: in which f computes, as far as it has been seen at this point and others.
    """

    f: Guarded
    vjp: Callable[..., list[Any]]
    args: tuple[Any, ...]
    wrt: tuple[int, ...]
    names: tuple[str, ...]
    source: Callable[..., Any]
    title: str
    traced: bool
    order: int = 1
    precision: Precision = dataclasses.field(default_factory=Precision)

    @functools.cached_property
    def value(self) -> np.ndarray:
        """f at the point, computed from copies: f may turn out to write into its arguments."""
        return self.f(*copy.deepcopy(self.args)).copy()

    def cotangent(self, seed: Sequence[int]) -> np.ndarray:
        """The random g that `check_vjp` draws first from this seed."""
        dtype = self.value.dtype if self.value.dtype.kind == "f" else np.float64
        g = random_cotangent(self.value.shape, np.random.default_rng(seed))
        return np.asarray(g).astype(dtype)

    def at(self, *args: Any) -> Subject:
        """The same functions at another point."""
        return dataclasses.replace(self, args=args)

    def one_of_value(self, j: int) -> np.ndarray:
        """The cotangent that picks one element of the value."""
        kind = self.value.dtype if self.value.dtype.kind == "f" else np.float64
        g = np.zeros(self.value.size, kind)
        g[j] = 1.0
        return g.reshape(self.value.shape)

    @property
    def wide(self) -> Subject:
        """The same point in float64."""
        args = tuple(
            np.asarray(a, dtype=np.float64) if i in self.wrt else a for i, a in enumerate(self.args)
        )
        return dataclasses.replace(self, args=args, precision=Precision())

    @property
    def is_wide(self) -> bool:
        """Whether the point is in float64 already, or as far as f takes it."""
        return bool(self.f.kinds) or all(
            np.asarray(self.args[i]).dtype.itemsize >= 8 for i in self.wrt
        )

    def moved(self, argument: int) -> Callable[[np.ndarray], np.ndarray]:
        """f as a function of one argument."""

        def along(z: np.ndarray) -> np.ndarray:
            return self.f(*self.args[:argument], np.asarray(z), *self.args[argument + 1 :])

        return along

    def slopes(
        self, argument: int, direction: np.ndarray, g: np.ndarray, finer: float = 1.0
    ) -> Slopes:
        """The slopes of <g, f> along a direction; `finer` moves the whole ladder of steps."""
        line = Line(self.moved(argument), self.args[argument], direction, g, self.precision)
        return slopes_along(line, line.scale / finer)

    def unit(self, argument: int, index: tuple[int, ...]) -> np.ndarray:
        """The direction in which only one element of an argument moves."""
        direction = np.zeros(np.shape(self.args[argument]))
        direction[index] = 1.0
        return direction


def subject(
    f: Callable[..., Any],
    args: Sequence[Any],
    vjp: Callable[..., Any] | None = None,
    grad: Callable[..., Any] | None = None,
    wrt: int | Sequence[int] | None = None,
    domain: Any = None,
) -> Subject:
    """Return the Subject for what `gradcheck` was given.

    Raises:
        TypeError: no arguments, arrays that are not of floats, f that returns nothing.
        ValueError: vjp and grad together, a point outside of the declared domain.
        DomainError: f raises at the point itself.
    """
    name = getattr(f, "name", None) or getattr(f, "__name__", None) or type(f).__name__
    name = "f" if name == "<lambda>" else name
    if not args or not callable(f):
        what = "no arguments to differentiate" if callable(f) else f"{describe(f)} as the function"
        raise TypeError(
            f"gradcheck: given {what}\nexpected a function and the point to check it at\n"
            "write gradcheck(f, np.array([0.5, -2.0]))"
        )
    if vjp is not None and grad is not None:
        raise ValueError(
            f"gradcheck({name}): given both vjp and grad\n"
            "expected one of them\nwrite vjp=..., or grad=... for a function that returns a number"
        )
    places = _places(wrt, len(args), name)
    point = tuple(_array(a, i, name, wrt is None) if i in places else a for i, a in enumerate(args))
    domains = dict(zip(places, domains_of(domain, len(places)), strict=True))
    traced = vjp is None and grad is None
    backward = gradlab_vjp(f, places) if vjp is None else vjp
    made = Subject(
        f=Guarded(on_tensors(f, places) if traced else f, str(name), domains),
        vjp=one_per_argument(backward if grad is None else scalar_vjp(grad), places),
        args=point,
        wrt=places,
        names=_names(f, len(args)),
        source=f,
        title=str(name),
        traced=traced,
    )
    _try(made)
    if not made.is_wide:
        _try_wide(made)
    return made


def _try_wide(made: Subject) -> None:
    """Where f refuses float64, the measurements have to be made in the precision it takes."""
    try:
        made.wide.value  # noqa: B018
    except ValueError:
        made.f.refused = None
        made.f.kinds = {i: np.asarray(made.args[i]).dtype for i in made.wrt}


def _try(made: Subject) -> None:
    """Evaluate f once, so that what is wrong with it is said before any slope is measured."""
    if not made.f.holds(made.args):
        raise ValueError(
            f"gradcheck({made.title}): {show(made, made.args)} is outside the declared domain\n"
            "expected a point inside, as there is no slope to compare outside\n"
            "write another point, or another domain="
        )
    try:
        made.value  # noqa: B018
    except ValueError as error:
        if made.f.refused is None:
            raise
        cause = made.f.refused[1]
        if not isinstance(cause, RAISED):
            raise cause from None
        raise DomainError(
            f"{made.title} raised {type(cause).__name__} at {show(made, made.args)}: "
            f"{_first_line(cause)}\n"
            "expected a point of its domain: is this one outside?\n"
            'write domain="x > 0", or whatever holds there, and check at a point inside'
        ) from error


def show(made: Subject, args: Sequence[Any]) -> str:
    """A point in short: `x = [1, 2]`."""
    parts = []
    for i in made.wrt:
        a = np.asarray(args[i])
        with np.printoptions(precision=6):
            text = " = " + " ".join(str(a).split())
        if a.size > 6:
            text = f" of shape {a.shape}, from {a.min():.6g} to {a.max():.6g}"
        parts.append(made.names[i] + text)
    return ", ".join(parts)


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [""])[0]


# ------------------------------------------------------------------------------- arguments


def _places(wrt: int | Sequence[int] | None, count: int, name: str) -> tuple[int, ...]:
    if wrt is None:
        return tuple(range(count))
    places = tuple([wrt] if isinstance(wrt, int) else wrt)
    if not places or not all(-count <= i < count for i in places):
        raise ValueError(
            f"gradcheck({name}): wrt={wrt} for {count} argument(s)\n"
            f"expected places from 0 to {count - 1}\nwrite wrt=0, or wrt=(0, 1)"
        )
    return tuple(i % count for i in places)


def _array(a: Any, place: int, name: str, every: bool) -> np.ndarray:
    array = np.asarray(a.data if isinstance(a, tape.Node) else a)
    if array.dtype.kind != "f":
        leave_out = f", or wrt= without {place} if it is not differentiated" if every else ""
        raise TypeError(
            f"gradcheck({name}): argument {place} is {describe(a)} of {array.dtype}\n"
            "expected floats, since only they have slopes\n"
            f"write np.asarray(..., dtype=float){leave_out}"
        )
    return array


def _names(f: Callable[..., Any], count: int) -> tuple[str, ...]:
    try:
        parameters = list(inspect.signature(f).parameters.values())
    except (TypeError, ValueError):
        parameters = []
    kinds = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    names = [p.name for p in parameters if p.kind in kinds]
    return tuple(names[i] if i < len(names) else f"argument {i}" for i in range(count))


def second_order(first: Subject, g: np.ndarray) -> Subject:
    """The gradient of <g, f> as a function of its own, all arguments' gradients in one row."""

    def slopes(*args: Any) -> Any:
        pulled = gradlab_vjp(first.source, first.wrt)(g, *args)
        return shaping.concatenate([shaping.reshape(p, (-1,)) for p in pulled])

    return dataclasses.replace(
        first,
        f=Guarded(on_tensors(slopes, first.wrt), first.title, first.f.domains),
        vjp=one_per_argument(gradlab_vjp(slopes, first.wrt), first.wrt),
        source=slopes,
        title=f"the gradient of {first.title}",
        order=2,
        precision=Precision(),
    )
