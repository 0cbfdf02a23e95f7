"""An entry of the table: a function and the facts about it that tests and pictures read.

The facts are declared beside the function, once; `gradlab.primitive` adds the slopes.
"""

from __future__ import annotations

import dataclasses
import inspect
import math
from collections.abc import Callable, Sequence
from typing import Any, TypedDict

from gradlab import formula as formulas

REGISTRY: dict[str, Entry] = {}


@dataclasses.dataclass(frozen=True)
class Interval:
    """Where an argument may lie; a square bracket includes the end, a round one does not.

    >>> log_domain = Interval.parse("(0, inf)")
    >>> 0.0 in log_domain, 1e-300 in log_domain
    (False, True)
    """

    low: float = -math.inf
    high: float = math.inf
    low_in: bool = False
    high_in: bool = False
    hole: float | None = None

    @classmethod
    def parse(cls, text: str) -> Interval:
        ends, _, hole = text.partition(" except ")
        low, high = ends[1:-1].split(",")
        hole = float(hole) if hole else None
        return cls(float(low), float(high), ends[0] == "[", ends[-1] == "]", hole)

    def __contains__(self, x: float) -> bool:
        if x == self.hole:
            return False
        above = x >= self.low if self.low_in else x > self.low
        below = x <= self.high if self.high_in else x < self.high
        return above and below

    def __str__(self) -> str:
        ends = f"{'(['[self.low_in]}{self.low:g}, {self.high:g}{')]'[self.high_in]}"
        return ends if self.hole is None else f"{ends} except {self.hole:g}"


@dataclasses.dataclass(frozen=True)
class Case:
    """A call of a primitive that the property tests try: shapes of the operands, parameters."""

    shapes: tuple[tuple[int, ...], ...]
    parameters: dict[str, Any]


def case(*shapes: tuple[int, ...], **parameters: Any) -> Case:
    """Return a Case, as in ``case((3, 4), axis=0)``."""
    return Case(shapes, parameters)


class Facts(TypedDict, total=False):
    """What may be said about a function; every fact is optional.

    name: in messages, pictures and the registry; the function's own by default.
    symbol: what pictures show, such as ``+``.
    formula: what it means, as a Python expression in its arguments; tested against the value.
    signature: the NumPy gufunc signature of a function that is not elementwise.
    domain: the interval of each argument inside which value and slope are finite.
    kinks: points where the slope jumps; a number, or an expression in the parameters.
    convention: what the slope is at a kink, said to be a convention.
    keras: the names Keras knows it by.
    numpy: the NumPy functions it answers for when they meet a Tensor.
    source: slide or paper.
    cases: calls for the property tests to try; a function that is not elementwise needs them.
    """

    name: str
    symbol: str
    formula: str
    signature: str
    domain: dict[str, str]
    kinks: Sequence[float | str]
    convention: str
    keras: str | Sequence[str]
    numpy: Callable[..., Any] | Sequence[Callable[..., Any]]
    source: str
    cases: Sequence[Case]


class Entry:
    """A row of the table: a function and the facts about it (see `Facts`).

    Attributes beside the facts:
        operands: names of the arguments without a default, the arrays.
        parameters: names of the others.
        elementwise: whether it acts on each number alone: without signature and cases it does.
        doc: the first line of the docstring.
    """

    def __init__(self, function: Callable[..., Any], facts: Facts) -> None:
        self.function = self.__wrapped__ = function  # inspect.signature and doctest follow it
        self.__doc__, self.__module__ = function.__doc__, function.__module__
        self.name = self.__name__ = facts.get("name", function.__name__)
        self.symbol = facts.get("symbol", self.name)
        self.formula, self.signature = facts.get("formula"), facts.get("signature")
        self.domain = {n: Interval.parse(text) for n, text in facts.get("domain", {}).items()}
        self.kinks, self.cases = tuple(facts.get("kinks", ())), tuple(facts.get("cases", ()))
        self.convention, self.source = facts.get("convention", ""), facts.get("source", "")
        keras, numpy = facts.get("keras", ()), facts.get("numpy", ())
        self.keras = (keras,) if isinstance(keras, str) else tuple(keras)
        self.numpy = (numpy,) if callable(numpy) else tuple(numpy)
        self.doc = (inspect.getdoc(function) or "").split("\n")[0]
        self._read_signature(facts)
        if self.formula is not None:
            self._check_formula(self.formula)
        self._register()

    def _read_signature(self, facts: Facts) -> None:
        unknown = sorted(facts.keys() - Facts.__annotations__.keys())
        if unknown:
            raise TypeError(
                f"{self.name}: no fact is called {', '.join(unknown)}\n"
                f"expected some of {', '.join(Facts.__annotations__)}\nwrite one of those names"
            )
        parameters = list(inspect.signature(self.function).parameters.values())
        self.variadic = any(p.kind is p.VAR_POSITIONAL for p in parameters)
        self.input_names = tuple(p.name for p in parameters)
        self.defaults = {p.name: p.default for p in parameters if p.default is not p.empty}
        self.operands = tuple(
            p.name for p in parameters if p.default is p.empty and p.kind is not p.KEYWORD_ONLY
        )
        self.parameters = tuple(n for n in self.input_names if n not in self.operands)
        self.elementwise = self.signature is None and not self.cases

    def _check_formula(self, formula: str) -> None:
        known = {*self.input_names, *formulas.FUNCTIONS, *REGISTRY}
        unknown = sorted(formulas.names_in(formula) - known)
        if unknown:
            raise NameError(
                f"{self.name}: the formula {formula!r} mentions {', '.join(unknown)}\n"
                f"expected its arguments ({', '.join(self.input_names)}) and known functions\n"
                "write the formula in those names, or define the function first"
            )

    def _register(self) -> None:
        # Your own primitives are kept under module.name: a student may write a relu of their own,
        # and run that notebook cell twice. Within gradlab a name is taken once.
        ours = self.__module__.partition(".")[0] == "gradlab"
        key = self.name if ours else f"{self.__module__}.{self.name}"
        other = REGISTRY.get(key)
        if ours and other is not None:
            raise NameError(
                f"{self.name}: {other.__module__} already defines a primitive of this name\n"
                'expected a name of its own\nwrite @primitive(name="...")'
            )
        for entry in REGISTRY.values():
            shared = set(entry.keras) & set(self.keras)
            if shared and entry is not other:
                raise NameError(
                    f"{self.name}: {entry.name} already answers to the Keras name {min(shared)!r}\n"
                    "expected one primitive per Keras name\nwrite another name in keras=..."
                )
        REGISTRY[key] = self

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self.function(*args, **kwargs)

    def __repr__(self) -> str:
        return f"<{type(self).__name__.lower()} {self.name}({', '.join(self.input_names)})>"

    @property
    def chapter(self) -> str:
        """The part of the table it stands in: arithmetic, activations, losses, ..."""
        return self.__module__.rpartition(".")[2]

    @property
    def latex(self) -> str:
        """The formula as LaTeX; the bare name where there is none."""
        return formulas.latex(self.formula or self.name)

    def kink_points(self, parameters: dict[str, Any]) -> list[float]:
        """Return the points where the slope jumps, for these parameter values."""
        values = {**self.defaults, **parameters}
        return [
            float(formulas.evaluate(k, values)) if isinstance(k, str) else float(k)
            for k in self.kinks
        ]
