"""The benchmark on the command line: python -m tests.benchmarks."""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from pathlib import Path

from . import figures, report, timing
from .catalogue import chosen

QUICK = 0.2  # of the length of a round


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure, print the tables and, with --out, write them, the numbers and the figures."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks", description=__doc__)
    parser.add_argument("--only", default="", help="suites or families, such as fashion,xor")
    parser.add_argument("--rounds", type=int, help="turns that each row takes; 7 by default")
    parser.add_argument("--quick", action="store_true", help="fewer and shorter rounds")
    parser.add_argument("--out", type=Path, help="a folder for report.md, results.json, figures")
    parser.add_argument("--targets", action="store_true", help="compare with what was aimed at")
    given = parser.parse_args(arguments)
    try:
        suites = chosen([name for name in given.only.split(",") if name])
    except ValueError as error:
        parser.exit(2, f"{error}\n")
    rounds = given.rounds or (2 if given.quick else 7)
    facts, results = timing.machine(), {}
    print("\n".join(f"* {name}: {fact}" for name, fact in facts.items()))
    for suite in suites:
        print(f"\n## {suite.title}\n", flush=True)
        results[suite.name] = timing.measured(suite, rounds, QUICK if given.quick else 1.0)
        print(report.table(suite, results[suite.name]), flush=True)
    facts["load at the end"] = timing.load()
    print(f"\n* load at the end: {facts['load at the end']}")
    if given.targets:
        print(f"\n## Targets\n\n{report.targets(results)}")
    if given.out:
        given.out.mkdir(parents=True, exist_ok=True)
        (given.out / "report.md").write_text(report.written(results, facts, rounds))
        saved = json.dumps({"machine": facts, "rounds": rounds, "results": results}, indent=1)
        (given.out / "results.json").write_text(saved)
        figures.drawn(results, given.out)


if __name__ == "__main__":
    main()
