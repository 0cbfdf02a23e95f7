"""What a case of the benchmark is: a function, a backward pass to be judged, a source of inputs.

The modules beside this one enter their cases in two tables, by a decorator: WRONG and CORRECT.

>>> from gradlab.testing.benchmark import WRONG
>>> case = WRONG["softmax backward is zero"]
>>> x, = case.sample(np.random.default_rng(0))
>>> f, vjp = case.fresh()
>>> f(x).shape, vjp(f(x), x).any()
((2, 3), np.False_)
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

Sampler = Callable[[np.random.Generator], tuple[np.ndarray, ...]]


@dataclass(frozen=True)
class Case:
    """A function, a backward pass, and inputs to check it at.

    Attributes:
        name: what is wrong, or what is hard, in a few words.
        f: f(*args), on NumPy arrays.
        vjp: vjp(g, *args), one gradient per argument; or a class with methods f and vjp, for a
            layer that keeps a state.
        sample: sample(rng) returns the arguments, new arrays at each call.
        diagnosis: how the diagnosis of a wrong one has to begin, a pattern; None if no mistake that
            gradlab knows by name was made, and then none may be named.
        shapes: what `falsify` is told about the arguments.
        domain: where f is defined, for `falsify` and `gradcheck`.
        kinks: where its slope jumps, for `falsify`.
    """

    name: str
    f: Callable[..., Any]
    vjp: Callable[..., Any]
    sample: Sampler
    diagnosis: str | None = None
    shapes: tuple[tuple[int, ...], ...] | str | None = None
    domain: str | None = None
    kinks: tuple[float, ...] = ()

    def fresh(self) -> tuple[Callable[..., Any], Callable[..., Any]]:
        """The pair (f, vjp); where they share a state, a new one that remembers nothing."""
        if isinstance(self.vjp, type):
            layer = self.vjp()
            return layer.f, layer.vjp
        return self.f, self.vjp


WRONG: dict[str, Case] = {}
CORRECT: dict[str, Case] = {}


def _entering(table: dict[str, Case], f: Any, sample: Sampler, **facts: Any) -> Callable[..., Any]:
    """A decorator that enters a backward pass in a table, under the name of its function."""

    def enter(vjp: Any) -> Any:
        name = vjp.__name__.strip("_").replace("_", " ")
        table[name] = Case(name, f or vjp, vjp, sample, **facts)
        return vjp

    return enter


def wrong(f: Any, sample: Sampler, diagnosis: str | None = None, **facts: Any) -> Any:
    """Enter a wrong backward pass of f."""
    return _entering(WRONG, f, sample, diagnosis=diagnosis, **facts)


def correct(f: Any, sample: Sampler, **facts: Any) -> Any:
    """Enter a right backward pass of f."""
    return _entering(CORRECT, f, sample, **facts)


# ------------------------------------------------------------------------------------- the inputs


def normal(*shapes: tuple[int, ...], scale: float = 1.0, dtype: Any = np.float64) -> Sampler:
    """Arguments of these shapes from N(0, scale^2)."""

    def sample(rng: np.random.Generator) -> tuple[np.ndarray, ...]:
        return tuple((scale * rng.standard_normal(shape)).astype(dtype) for shape in shapes)

    return sample


def around(*places: float, by: float = 0.0, size: int = 4, dtype: Any = np.float64) -> Sampler:
    """One argument: at the given places, each moved by up to `by` of its own size."""

    def sample(rng: np.random.Generator) -> tuple[np.ndarray, ...]:
        x = rng.choice(places, size) * (1.0 + by * rng.uniform(-1.0, 1.0, size))
        return (x.astype(dtype),)

    return sample


def beside(*places: float, by: float, size: int = 4) -> Sampler:
    """One argument: `by` to the left or to the right of the given places, or on them."""

    def sample(rng: np.random.Generator) -> tuple[np.ndarray, ...]:
        return (rng.choice(places, size) + by * rng.integers(-1, 2, size),)

    return sample


def ties(*shape: int) -> Sampler:
    """One argument of small whole numbers, so that many are equal."""

    def sample(rng: np.random.Generator) -> tuple[np.ndarray, ...]:
        return (rng.integers(-1, 2, shape).astype(np.float64),)

    return sample


def powers_of_ten(low: float, high: float, size: int = 4) -> Sampler:
    """One positive argument, evenly spread over the magnitudes from 10^low to 10^high."""

    def sample(rng: np.random.Generator) -> tuple[np.ndarray, ...]:
        return (10.0 ** rng.uniform(low, high, size),)

    return sample


def some_zeros(rng: np.random.Generator) -> tuple[np.ndarray, ...]:
    """One argument from N(0, 1) with a column of zeros."""
    x = rng.standard_normal((2, 3))
    x[:, rng.integers(3)] = 0.0
    return (x,)


MATRIX = normal((2, 3))
