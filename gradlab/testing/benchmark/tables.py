"""The benchmark as tables: what each checker rejects of the wrong and of the right backward passes.

What a wrong one is not rejected for is a miss, what a right one is rejected for a false alarm.
"""

from __future__ import annotations

import argparse
import functools
import textwrap
import time
from collections.abc import Callable, Iterable, Iterator, Sequence

import numpy as np

from gradlab.testing.benchmark.cases import CORRECT, WRONG, Case
from gradlab.testing.benchmark.published import PUBLISHED, Arrays, Checker, Function
from gradlab.testing.falsify import Counterexample, falsify
from gradlab.testing.gradcheck import gradcheck
from gradlab.testing.report import Report

NAME, WIDTH = 39, 110  # characters

Judge = Callable[[Case], float]


def gradlab_check(f: Function, vjp: Function, args: Arrays, rng: np.random.Generator) -> bool:
    """gradlab.testing.gradcheck(f, *args, vjp=vjp) with nothing but its defaults."""
    seed = int(rng.integers(2**31))
    return bool(gradcheck(f, *args, vjp=vjp, seed=seed, raise_on_error=False))


CHECKERS: dict[str, Checker] = {**PUBLISHED, "gradlab": gradlab_check}


def rejections(case: Case, check: Checker, seeds: Iterable[int]) -> float:
    """The share of seeds at which a checker rejects a case, in percent.

    >>> from gradlab.testing.benchmark import CORRECT, WRONG
    >>> rejections(WRONG["softmax backward is zero"], PUBLISHED["dezero"], range(5))
    0.0
    >>> rejections(CORRECT["relu at zero"], PUBLISHED["torch"], range(5))
    100.0
    """
    verdicts = []
    for seed in seeds:
        args = case.sample(np.random.default_rng(seed))
        verdicts.append(check(*case.fresh(), args, np.random.default_rng([seed, 1])))
    return 100.0 * verdicts.count(False) / len(verdicts)


def report_of(case: Case, seed: int) -> Report:
    """What gradlab's gradcheck says of a case at the inputs of this seed."""
    args = case.sample(np.random.default_rng(seed))
    f, vjp = case.fresh()
    return gradcheck(f, *args, vjp=vjp, seed=seed, raise_on_error=False)


@functools.cache
def counterexample(case: Case) -> Counterexample | None:
    """The smallest input at which `falsify` finds a case wrong."""
    f, vjp = case.fresh()
    return falsify(f, vjp, shapes=case.shapes, domain=case.domain, kinks=case.kinks)


def named(report: Report) -> str | None:
    """The mistake by its name: the diagnosis, or the law that is broken, if gradlab knows one."""
    laws = (problem.text for problem in report.problems if problem.kind not in ("slope", "kink"))
    return report.diagnosis or next(laws, None)


# ------------------------------------------------------------------------------------- the tables


def judges(seeds: Sequence[int]) -> dict[str, Judge]:
    """How often each checker rejects a case at the inputs of these seeds, in percent."""
    return {
        name: functools.partial(rejections, check=check, seeds=seeds)
        for name, check in CHECKERS.items()
    }


def searched(case: Case) -> float:
    """100 percent if `falsify` finds a case wrong."""
    return 0.0 if counterexample(case) is None else 100.0


def table(cases: Iterable[Case], judges: dict[str, Judge], fine: float) -> Iterator[str]:
    """A line per case: how often it is rejected, in percent, and a dot if that is `fine`.

    The last line counts the dots.
    """
    widths = {name: max(len(name) + 2, 7) for name in judges}
    yield " " * NAME + "".join(f"{name:>{n}}" for name, n in widths.items())
    dots, number = dict.fromkeys(judges, 0), 0
    for case in cases:
        number += 1
        line = f"{case.name:{NAME}}"
        for name, judge in judges.items():
            share = judge(case)
            dots[name] += share == fine
            line += f"{'.' if share == fine else f'{share:.0f}':>{widths[name]}}"
        yield line
    of = f"{'caught' if fine else 'never accused'}, of {number}"
    yield f"{of:{NAME}}" + "".join(f"{dots[name]:{n}}" for name, n in widths.items())


def findings(cases: Iterable[Case]) -> Iterator[str]:
    """A few lines per wrong case: its name, gradlab's diagnosis, the smallest counterexample."""
    for case in cases:
        found, report = counterexample(case), report_of(case, 0)
        if report and found is not None and found.report is not None:
            report = found.report
        yield case.name
        text = named(report) or "; ".join(map(str, report.problems[:1])) or "nothing is wrong"
        yield from textwrap.wrap(text, WIDTH, initial_indent="    ", subsequent_indent="    ")
        args = "not found" if found is None else f"at {', '.join(map(repr, found.args))}"
        yield f"    {' '.join(args.split())}"


def _lines(seeds: range) -> Iterator[str]:
    yield f"Gradient checkers, at {len(seeds)} random inputs per case. What they are, by default:"
    for name, check in CHECKERS.items():
        yield f"  {name:10} {(check.__doc__ or '').splitlines()[0]}"
    yield f"  {'falsify':10} gradlab.testing.falsify(f, vjp): a search of its own, for a wrong one."
    yield "All but the last two are rebuilt here from what their authors document."
    at_seeds = judges(seeds)
    yield "\nWRONG backward passes. A dot: always rejected. A number: rejected at so many % only."
    yield from table(WRONG.values(), at_seeds | {"falsify": searched}, fine=100.0)
    yield "\nRIGHT backward passes. A dot: never rejected. A number: so many % false alarms."
    yield from table(CORRECT.values(), at_seeds, fine=0.0)
    yield "\nWhat gradlab says of the wrong ones, and the smallest input that falsify finds:"
    yield from findings(WRONG.values())


def main(arguments: Sequence[str] | None = None) -> None:
    """Print both tables, and what gradlab says of the wrong cases."""
    parser = argparse.ArgumentParser(prog="python -m gradlab.testing.benchmark")
    parser.add_argument("--seeds", type=int, default=20, help="inputs per case (default: 20)")
    start = time.perf_counter()
    for line in _lines(range(parser.parse_args(arguments).seeds)):
        print(line, flush=True)
    print(f"{time.perf_counter() - start:.0f} s")
