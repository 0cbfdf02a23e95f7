"""A counterexample: the smallest input at which a gradient is wrong, printed as code to paste.

What is printed runs as it stands once f and its backward pass are in scope, and fails until the
gradient is mended.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from gradlab.testing.problem import Row
from gradlab.testing.report import GradientError, Report

FEW = 24  # elements that are written out one by one


@dataclass(frozen=True)
class Counterexample:
    """An input at which the gradient of f is wrong, or which f refuses.

    Attributes:
        f: the function.
        vjp: its backward pass; None if f is written for gradlab.
        args: the input, as small as it could be made.
        report: what `gradcheck` says of it; None if f refuses the input.
        refused: what f raised, if it does.

    >>> from gradlab.testing.falsify import falsify
    >>> def square(x):
    ...     return x * x
    >>> def backward(g, x):
    ...     return g * x
    >>> print(falsify(square, backward))
    import numpy as np
    <BLANKLINE>
    x = np.array(1.0)
    g = np.array(1.453125)
    got = backward(g, x)
    # got: 1.453125
    expected = np.array(2.90625)
    np.testing.assert_allclose(got, expected, rtol=0, atol=0.1)
    # x: the gradient says 1.453125, measured 2.90625 ± ...
    """

    f: Callable[..., Any]
    vjp: Callable[..., Any] | None
    args: tuple[np.ndarray, ...]
    report: Report | None
    refused: Exception | None = None

    @property
    def size(self) -> int:
        """How many numbers it consists of."""
        return sum(np.size(a) for a in self.args)

    @property
    def diagnosis(self) -> str | None:
        """The likely mistake, if the wrong gradient looks like one of the classic ones."""
        return self.report.diagnosis if self.report is not None else None

    @functools.cached_property
    def cotangent(self) -> np.ndarray | None:
        """The incoming gradient g that was pulled back; None if f refuses the input."""
        return None if self.report is None else self.report.about.cotangent(self.report.how.seed)

    @property
    def argument(self) -> int | None:
        """The position of the argument whose gradient is wrong, if it is one."""
        places = [p.place for p in self.report.problems] if self.report is not None else []
        if self._worst is not None and self.report is not None:
            return self.report.about.names.index(self._worst.argument)
        return places[0] if places else None

    @functools.cached_property
    def got(self) -> Any:
        """The gradient of that argument for this cotangent, as the backward pass returns it."""
        if self.report is None or self.argument is None:
            return None
        return self.report.about.vjp(self.cotangent, *self.args)[self.argument]

    @functools.cached_property
    def expected(self) -> np.ndarray | None:
        """The gradient as measured; at a kink the nearest of all that are right.

        None if no number is wrong; nan where a large array was not measured.
        """
        if self._worst is None or self.report is None or self.argument is None:
            return None
        expected = np.full(np.shape(self.args[self.argument]), math.nan)
        for row in self.report.rows:
            if row.argument == self._worst.argument and row.index is not None:
                expected[row.index] = row.analytic if row.right else _nearest(row)
        return expected

    @property
    def _worst(self) -> Row | None:
        """The wrong number that is furthest off; None if something else is wrong."""
        if self.report is None or not any(p.row for p in self.report.problems):
            return None
        return self.report.worst

    def __str__(self) -> str:
        with np.errstate(all="ignore"):
            return "\n".join(_code(self))


class FalsifiedError(GradientError):
    """A property that does not hold; `.counterexample` is where, `.report` what is wrong there."""

    def __init__(self, counterexample: Counterexample) -> None:
        AssertionError.__init__(self)
        self.counterexample = counterexample
        self.report = counterexample.report  # type: ignore[assignment]

    def __str__(self) -> str:  # made when read: a search raises many and shows one
        return f"this input shows it\n\n{self.counterexample}"


def _nearest(row: Row) -> float:
    """What the measurement makes of a wrong number, to the digits that are known."""
    value = min(max(row.analytic, row.low), row.high)
    if abs(value) <= row.bound or not math.isfinite(value):
        return 0.0 if math.isfinite(value) else value
    digits = math.log10(abs(value) / row.bound) if row.bound else 15.0
    return float(f"{value:.{min(max(int(digits), 1), 10)}g}")


# ---------------------------------------------------------------------------------- as code


def _code(found: Counterexample) -> Iterator[str]:
    names = _variables(found)
    traced = found.vjp is None and found.refused is None
    yield "import numpy as np"
    if traced:
        yield "import gradlab"
    yield ""
    for name, array in zip(names, found.args, strict=True):
        yield from _assigned(name, array)
    f = _name(found.f, "f")
    if found.report is None:
        yield f"{f}({', '.join(names)})  # raises {_brief(found.refused)}"
        yield '# Does its domain end before? Then write domain="x > 0", or what holds there.'
        return
    g = "g" if "g" not in names else "cotangent"
    assert found.cotangent is not None
    if found.cotangent.size > FEW:
        yield "from gradlab.testing import random_cotangent"
        rng = f"np.random.default_rng({list(found.report.how.seed)})"
        yield f"{g} = random_cotangent({found.cotangent.shape}, {rng})"
    else:
        yield from _assigned(g, found.cotangent)
    backward = f"{_name(found.vjp, 'vjp')}({', '.join([g, *names])})"
    if traced:
        backward = f"gradlab.vjp({', '.join([f, *names])})[1]({g})"
    yield f"got = {backward}{_item(found)}"
    yield from _comparison(found)
    yield from _said(found.report)


def _comparison(found: Counterexample) -> Iterator[str]:
    """What must hold of `got`, if it is a matter of numbers."""
    worst, expected = found._worst, found.expected
    if worst is None or expected is None or worst.index is None:
        return
    got, item = np.asarray(found.got, dtype=np.float64), ""
    if expected.size > FEW:
        item = f"[{', '.join(map(str, worst.index))}]" if worst.index else ""
        got, expected = got[worst.index], expected[worst.index]
    differences = np.abs(got - expected)
    off = float(differences[np.isfinite(differences)].max(initial=0.0))
    atol = float(f"{off / 10:.0e}") if off else 1e-6
    text = np.array2string(np.asarray(got), precision=10, separator=", ")
    yield f"# got{item}: " + text.replace("\n", "\n#" + " " * (4 + len(item)))
    yield f"expected = {_literal(np.asarray(expected))}"
    yield f"np.testing.assert_allclose(got{item}, expected, rtol=0, atol={atol})"


def _said(report: Report) -> Iterator[str]:
    texts = [report.worst.where + _numbers_of(report.worst)] if report.worst else []
    texts = texts or [problem.text for problem in report.problems[:2]]
    if report.diagnosis:
        texts.append(f"likely: {report.diagnosis}")
    for text in texts:
        yield f"# {text}"


def _numbers_of(row: Row) -> str:
    return f": the gradient says {row.analytic:.10g}, measured {row.measured}"


def _variables(found: Counterexample) -> list[str]:
    names = found.report.about.names if found.report is not None else ()
    if len({*names}) == len(found.args) and all(name.isidentifier() for name in names):
        return list(names)
    return ["x"] if len(found.args) == 1 else [f"x{i}" for i in range(len(found.args))]


def _name(function: Any, otherwise: str) -> str:
    name = getattr(function, "__name__", otherwise)
    return name if name.isidentifier() else otherwise


def _item(found: Counterexample) -> str:
    """How to get at the gradient in question, if the backward pass returns several."""
    if found.argument is None:
        return ""
    if found.vjp is None:
        return f"[{found.argument}]"
    with np.errstate(all="ignore"):
        try:
            several = found.vjp(found.cotangent, *found.args)
        except Exception:
            return ""
    return f"[{found.argument}]" if isinstance(several, tuple | list) else ""


def _brief(error: Exception | None) -> str:
    cause = error.__cause__ or error if error is not None else error
    while cause is not None and cause.__cause__ is not None:
        cause = cause.__cause__
    first = (str(cause).splitlines() or [""])[0]
    return f"{type(cause).__name__}: {first}"


def _assigned(name: str, array: np.ndarray) -> Iterator[str]:
    """The lines that make this array, memory layout included."""
    if array.size <= FEW:
        yield f"{name} = {_laid_out(array)}"
    else:
        values, counts = np.unique(array, return_counts=True)
        filling = values[counts.argmax()]
        others = np.argwhere(array != filling)
        if len(others) > FEW:
            yield f"{name} = {_literal(array)}"
        else:
            dtype = "" if array.dtype == np.float64 else f", dtype=np.{array.dtype}"
            yield f"{name} = np.full({array.shape}, {filling}{dtype})"
            for place in others.tolist():
                yield f"{name}[{', '.join(map(str, place))}] = {array[tuple(place)]}"
    if not array.flags.writeable:
        yield f"{name}.flags.writeable = False"


def _laid_out(array: np.ndarray) -> str:
    if array.flags.c_contiguous:
        return _literal(array)
    if array.flags.f_contiguous:
        return _literal(array, ', order="F"')
    if any(stride < 0 for stride in array.strides):
        backwards = ", ".join(["::-1"] * array.ndim)
        return f"{_literal(array[(slice(None, None, -1),) * array.ndim])}[{backwards}]"
    return f"{_literal(array)}.repeat(2, axis=-1)[..., ::2]"


def _literal(array: np.ndarray, more: str = "") -> str:
    if array.dtype != np.float64:
        more = f", dtype=np.{array.dtype}{more}"
    if not array.size:
        return f"np.zeros({array.shape}{more})"
    return f"np.array({_nested(array)}{more})"


def _nested(array: np.ndarray) -> str:
    if array.ndim:
        return f"[{', '.join(map(_nested, array))}]"
    number = str(array[()])
    return f"np.{number}" if number in ("nan", "inf") else number.replace("-inf", "-np.inf")
