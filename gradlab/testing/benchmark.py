"""Which gradient checker finds which mistake, and which ones cry wolf: run it and see.

    python -m gradlab.testing.benchmark [--seeds 20]

prints three tables: how often each checker rejects each wrong backward pass of `cases`, how often
it rejects a right one, and what gradlab says of the wrong ones: the smallest counterexample that
`falsify` finds, and the diagnosis.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Iterator, Sequence

import numpy as np

from gradlab.testing.cases import CORRECT, WRONG, Case
from gradlab.testing.falsify import Counterexample, falsify
from gradlab.testing.gradcheck import gradcheck
from gradlab.testing.published import PUBLISHED, Arrays, Checker, Function
from gradlab.testing.report import Report


def report_of(case: Case, seed: int) -> Report:
    """What gradlab's gradcheck says of a case at the inputs of this seed."""
    args = case.sample(np.random.default_rng(seed))
    f, vjp = case.fresh()
    return gradcheck(f, *args, vjp=vjp, seed=seed, raise_on_error=False)


def gradlab_check(f: Function, vjp: Function, args: Arrays, rng: np.random.Generator) -> bool:
    """gradlab.testing.gradcheck with nothing but its defaults, at one point as the others."""
    seed = int(rng.integers(2**31))
    return bool(gradcheck(f, *args, vjp=vjp, seed=seed, raise_on_error=False))


CHECKERS: dict[str, Checker] = {**PUBLISHED, "gradlab": gradlab_check}


def rejections(case: Case, check: Checker, seeds: Iterable[int]) -> float:
    """The share of seeds at which a checker rejects a case, in percent.

    >>> rejections(WRONG["softmax backward is zero"], PUBLISHED["dezero"], range(5))
    0.0
    >>> rejections(CORRECT["relu at zero"], PUBLISHED["torch slow"], range(5))
    100.0
    """
    verdicts = []
    for seed in seeds:
        args = case.sample(np.random.default_rng(seed))
        verdicts.append(check(*case.fresh(), args, np.random.default_rng([seed, 1])))
    return 100.0 * verdicts.count(False) / len(verdicts)


def counterexample(case: Case) -> Counterexample | None:
    """The smallest input at which `falsify` finds a case wrong."""
    f, vjp = case.fresh()
    return falsify(f, vjp, shapes=case.shapes, domain=case.domain, kinks=case.kinks)


# ------------------------------------------------------------------------------------- the tables


def shares(title: str, cases: Iterable[Case], seeds: Sequence[int]) -> Iterator[str]:
    """A line per case: the percentage of seeds at which each checker rejects it."""
    yield f"{title:42}" + "".join(f"{name:>11}" for name in CHECKERS)
    for case in cases:
        found = (rejections(case, check, seeds) for check in CHECKERS.values())
        yield f"{case.name:42}" + "".join(f"{share:11.0f}" for share in found)


def findings(cases: Iterable[Case]) -> Iterator[str]:
    """Three lines per wrong case: its name, gradlab's diagnosis, the smallest counterexample."""
    for case in cases:
        found, report = counterexample(case), report_of(case, 0)
        if report and found is not None and found.report is not None:
            report = found.report
        yield case.name
        yield f"    likely: {report.diagnosis or '; '.join(map(str, report.problems[:1])) or '-'}"
        yield f"    {'not found' if found is None else _on_one_line(found.args)}"


def _on_one_line(args: Sequence[np.ndarray]) -> str:
    return f"at {' '.join(', '.join(map(repr, args)).split())}"


def main(arguments: Sequence[str] | None = None) -> None:
    """Print the three tables."""
    parser = argparse.ArgumentParser(prog="python -m gradlab.testing.benchmark")
    parser.add_argument("--seeds", type=int, default=20, help="inputs per case (default: 20)")
    seeds = range(parser.parse_args(arguments).seeds)
    for line in shares("WRONG: rejected, % of inputs", WRONG.values(), seeds):
        print(line)
    print()
    for line in shares("RIGHT: rejected, % of inputs", CORRECT.values(), seeds):
        print(line)
    print("\nWHAT GRADLAB SAYS: diagnosis and counterexample")
    for line in findings(WRONG.values()):
        print(line)


if __name__ == "__main__":
    main()
