"""The search behind `falsify`: what Hypothesis draws, how each input is judged, when to stop.

Only this module and the strategies import Hypothesis.
"""

from __future__ import annotations

import contextlib
import dataclasses
import math
import warnings
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from random import Random
from typing import Any

import numpy as np
from hypothesis import HealthCheck, Phase, currently_in_test_context, find, given, settings
from hypothesis import strategies as st
from hypothesis import target as climb
from hypothesis.errors import Flaky, NoSuchExample, Unsatisfiable

from gradlab.testing.again import SECOND
from gradlab.testing.counterexample import Counterexample, FalsifiedError
from gradlab.testing.domain import domains_of
from gradlab.testing.gradcheck import every_failure, first_failure
from gradlab.testing.line import Precision
from gradlab.testing.numeric import random_cotangent
from gradlab.testing.problem import Settings
from gradlab.testing.report import Report
from gradlab.testing.samples import RANKS, any_shape, arrays, typical
from gradlab.testing.samples import shapes as shape_lists
from gradlab.testing.simplest import simplest
from gradlab.testing.subject import Subject, subject

PHASES = (Phase.generate, Phase.target, Phase.shrink)
EVERY_CHECK: list[Any] = list(HealthCheck)  # slow and large examples are what we are after
SMALL = 1e-9  # cancellation hides slopes this small; a wrong rule shows at other inputs too
MOST = 100  # checks spent on shrinking
FEW = 12  # elements compared one at a time during the search; dense directions cover the others


def arguments(
    f: Callable[..., Any],
    vjp: Callable[..., Any] | None = None,
    shapes: Any = None,
    domain: Any = None,
    kinks: Sequence[float] = (),
    dtype: Any = "float64",
) -> st.SearchStrategy[tuple[np.ndarray, ...]]:
    """Tuples of arrays to call f on, as `falsify` draws them."""
    if np.dtype(dtype).kind != "f":
        raise TypeError(
            f"falsify: dtype={np.dtype(dtype).name!r}\n"
            'expected a floating one, since only floats have slopes\nwrite dtype="float64"'
        )

    def for_shapes(each: list[Any]) -> st.SearchStrategy[tuple[np.ndarray, ...]]:
        pairs = zip(each, domains_of(domain, len(each)), strict=True)
        return st.tuples(*(arrays(s, domain=d, kinks=kinks, dtype=dtype) for s, d in pairs))

    if shapes is None:
        shapes = any_shape(_ranks(f, vjp, domains_of(domain, 1)[0], dtype))
        return for_shapes([shapes])
    return shape_lists(shapes).flatmap(for_shapes)


def _ranks(f: Any, vjp: Any, domain: Any, dtype: Any) -> list[int]:
    """The numbers of axes that f and its backward pass accept: the others are not searched."""
    accepted = []
    for rank in RANKS:
        for number in typical(domain):
            with _quiet(), contextlib.suppress(Exception):
                about = subject(f, [np.full((2,) * rank, number, dtype)], vjp)
                about.vjp(about.cotangent([0]), *about.args)
                accepted.append(rank)
                break
    return accepted or list(RANKS)


class _EnoughError(BaseException):  # no Exception: Hypothesis would take that for a second finding
    """Ends the shrinking of large arrays, which may take hundreds of slow checks."""


class Search:
    """One search: what is tried, and what it has found so far."""

    def __init__(self, f: Any, vjp: Any, domain: Any, seed: int) -> None:
        self.f, self.vjp, self.domain, self.seed = f, vjp, domain, seed
        self.how = Settings("subgradient", 0.0, SMALL, 2, FEW, (seed,))
        self.found: Counterexample | None = None
        self.refusal: Exception | None = None  # the first that speaks of f as a whole
        self.precision = Precision()  # of f, as far as all inputs have shown
        self.examined = self.questions = self.shrunk = 0

    def run(self, drawn: Any, max_examples: int) -> Counterexample | None:
        """Search, then shrink; see `falsify`."""
        how = settings(
            max_examples=max_examples, phases=PHASES, database=None, deadline=None, print_blob=False
        )
        if currently_in_test_context():  # Hypothesis refuses a search inside another, per thread
            with ThreadPoolExecutor(1) as another:
                return another.submit(self._run, drawn, how).result()
        return self._run(drawn, how)

    def _run(self, drawn: Any, how: settings) -> Counterexample | None:
        self._find(drawn, self.is_wrong, how)
        if self.found is not None:
            self.shrunk = 0
            with _quiet(), contextlib.suppress(_EnoughError):
                simplest(self.found.args, self._is_as_wrong)
        found = self.result()
        if found is None and self.questions:
            self._find(drawn, self.is_refused, how)
        if found is None and not self.examined and self.refusal is not None:
            raise self.refusal
        return found or self.found

    def _find(self, drawn: Any, condition: Callable[[Any], bool], how: settings) -> None:
        with _quiet():
            try:
                find(drawn, condition, settings=how, random=Random(self.seed))
            except (NoSuchExample, Unsatisfiable):
                pass
            except _EnoughError:
                self.shrunk = 0
            except Flaky:  # f or vjp remembers earlier calls: what was found last will do
                if self.found is None:
                    raise

    def is_wrong(self, args: tuple[np.ndarray, ...]) -> bool:
        if self._refused(args) is not None:
            self.questions += self._takes_the_shape(args)
            return False
        report = self._check(args)
        if report:
            climb(math.log10(max(relative_error(report), 1e-16)))
            return False
        if report.problems[0].kind == "elsewhere":
            other = tuple(np.asarray(a * a.dtype.type(SECOND)) for a in args)
            there = self._check(other)
            args, report = (args, report) if there else (other, there)
        self._keep(Counterexample(self.f, self.vjp, args, report))
        return True

    def _is_as_wrong(self, args: tuple[np.ndarray, ...]) -> bool:
        report = None if self._refused(args) else self._check(args)
        if report is None or report or report.problems[0].kind == "elsewhere":
            return False
        self._keep(Counterexample(self.f, self.vjp, args, report))
        return True

    def _keep(self, found: Counterexample) -> None:
        if self.found is None or found.size <= self.found.size:
            self.found = found

    def result(self) -> Counterexample | None:
        """What was found, with all that is wrong there: the search stops at the first thing."""
        found = self.found
        if found is None or found.report is None:
            return found
        with _quiet():
            every = every_failure(found.report.about, self.how)
        return found if every else dataclasses.replace(found, report=every)

    def is_refused(self, args: tuple[np.ndarray, ...]) -> bool:
        """Whether f raises for these numbers, though not for others in an array of this shape."""
        refused = self._refused(args)
        if refused is None or not self._takes_the_shape(args):
            return False
        self._keep(Counterexample(self.f, self.vjp, args, None, refused))
        return True

    def _check(self, args: tuple[np.ndarray, ...]) -> Report:
        self.shrunk += self.found is not None
        if self.shrunk > MOST:
            raise _EnoughError
        try:
            report = first_failure(self._subject(args), self.how)
        except ValueError:
            if all(a.flags.writeable for a in args):
                raise
            # The backward pass writes into its arguments: gradcheck says so if it may.
            report = first_failure(self._subject(tuple(a.copy() for a in args)), self.how)
        self.examined += 1
        return report

    def _subject(self, args: tuple[np.ndarray, ...]) -> Subject:
        about = subject(self.f, args, self.vjp, None, None, self.domain)
        return dataclasses.replace(about, precision=self.precision)

    def _refused(self, args: tuple[np.ndarray, ...]) -> Exception | None:
        """What f raises for these numbers."""
        try:
            self._value(args)
        except Exception as error:
            self.refusal = self.refusal or error
            return error
        return None

    def _takes_the_shape(self, args: tuple[np.ndarray, ...]) -> bool:
        domains = domains_of(self.domain, len(args))
        for numbers in zip(*map(typical, domains), strict=True):
            try:
                self._value(tuple(map(np.full_like, args, numbers)))
            except Exception:
                continue
            return True
        return False

    def _value(self, args: tuple[np.ndarray, ...]) -> Any:
        return self._subject(args).value


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Far numbers overflow, means of nothing are nan: that is no news in a search."""
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        yield


def relative_error(report: Report) -> float:
    """How far a gradient that passed is off along a random direction, as a share of its size."""
    about, worst = report.about, 0.0
    rng, g = np.random.default_rng(0), about.cotangent(report.how.seed)
    gradients = about.vjp(g, *about.args)
    for place in about.wrt:
        d = random_cotangent(np.shape(about.args[place]), rng)
        analytic = float(np.sum(np.asarray(gradients[place]) * d))
        low, high = about.slopes(place, d, g).ends
        miss = max(low.value - analytic, analytic - high.value)
        size = abs(analytic) + abs(low.value) + abs(high.value)
        if 0.0 < miss < math.inf and size < math.inf:
            worst = max(worst, miss / size)
    return worst


def property_of(
    f: Callable[..., Any], vjp: Callable[..., Any] | None, options: dict[str, Any]
) -> Callable[[Callable[..., Any]], Callable[[], None]]:
    """The decorator that `gradient_property` returns."""
    profile = {"max_examples": options.pop("max_examples")} if "max_examples" in options else {}
    drawn, domain = arguments(f, vjp, **options), options.get("domain")

    def decorate(body: Callable[..., Any]) -> Callable[[], None]:
        def test(args: tuple[np.ndarray, ...]) -> None:
            search = Search(f, vjp, domain, seed=0)
            with _quiet():
                if not search.is_refused(args):
                    search.is_wrong(args)
            if found := search.result():
                raise FalsifiedError(found)
            if search.examined:
                body(*args)

        # Before @given sees it: these tell Hypothesis' database one test from another.
        for attribute in ("__name__", "__qualname__", "__doc__", "__module__"):
            setattr(test, attribute, getattr(body, attribute))
        phases = (Phase.explicit, Phase.reuse, *PHASES)  # the report explains, Hypothesis need not
        how = settings(deadline=None, phases=phases, suppress_health_check=EVERY_CHECK, **profile)
        return how(given(drawn)(test))

    return decorate
