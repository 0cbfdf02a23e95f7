"""One row of a suite in a process of its own: `python -m tests.benchmarks.worker fashion torch`.

It reads one command per line and answers each with one line, both JSON: ["make", column, seconds]
prepares a case and finds out how many units take that long; ["round"] does them and measures.
"""

from __future__ import annotations

import gc
import io
import json
import os
import sys
from typing import Any, TextIO

from .catalogue import SUITES
from .suite import LeftOutError, Run, Suite, seconds_per_unit


class Screen(io.TextIOBase):
    """A terminal that nobody looks at: progress bars are drawn on it as on any other."""

    def isatty(self) -> bool:
        """Say that lines may be written over."""
        return True

    def write(self, text: str) -> int:
        """Take the text."""
        return len(text)


def units_for(run: Run, suite: Suite, case: Any, seconds: float) -> int:
    """Return how many units take about so long; warm up on the way, and once with that many."""
    if suite.units is not None:
        return suite.units
    most = suite.at_most(case) if suite.at_most else 10**9
    run(1)
    n, each = 1, seconds_per_unit(run, 1, case)
    while n < most and n * each < seconds / 4:
        n = min(2 * n, most)
        each = seconds_per_unit(run, n, case)
    n = max(1, min(round(seconds / each), most))
    if n * each >= 5 * seconds:  # it is warm by now
        return n
    while True:
        run(n)  # which makes the data for so many units: their time does not count
        more = max(1, min(round(seconds / seconds_per_unit(run, n, case)), most))
        if more < 2 * n:
            return n
        n = more


def answers(suite: Suite, row: str, commands: TextIO, out: TextIO) -> None:
    """Answer commands until there are no more."""
    cases = {column.label: column.case for column in suite.columns}
    run, n, case = None, 0, None
    for line in commands:
        command, *arguments = json.loads(line)
        try:
            if command == "make":
                case = cases[arguments[0]]
                run = suite.rows[row].make(case)
                n = units_for(run, suite, case, arguments[1])
                answer: dict[str, Any] = {"units": n}
            else:
                assert run is not None
                gc.collect()  # what earlier rounds left behind is not part of this one
                answer = {"measured": suite.measure(run, n, case)}
        except LeftOutError as reason:
            answer = {"reason": str(reason)}
        except Exception as error:
            first, *_ = f"{type(error).__name__}: {error}".splitlines()
            answer = {"reason": first[:70].replace("|", " ")}
        print(json.dumps(answer), file=out, flush=True)


def main() -> None:
    """Serve the row named on the command line; only answers reach the standard output."""
    out = os.fdopen(os.dup(1), "w")
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    sys.stdout = Screen()
    answers(SUITES[sys.argv[1]], sys.argv[2], sys.stdin, out)


if __name__ == "__main__":
    main()
