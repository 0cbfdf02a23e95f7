"""The results as Markdown: a table for each suite, and the table of targets.

In each table the first row is gradlab; the others are followed by how many times as long they take
(for a rate: how many times slower they are), so above 1 gradlab is ahead.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from .catalogue import SUITES
from .scaling import exponent
from .suite import Suite
from .targets import TARGETS
from .timing import Results, Times, middle, ratio

WIDE = 7  # columns that fit on a page


def digits(x: float) -> str:
    """Return a number in three digits, as a reader of a table wants it.

    >>> digits(1234.5), digits(12.345), digits(0.012345)
    ('1,234', '12.3', '0.0123')
    """
    if x >= 100:
        return f"{x:,.0f}"
    return f"{x:#.3g}".rstrip(".")


def markdown(header: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    """Return a Markdown table.

    >>> print(markdown(["", "ms"], [["torch", "1.5"]]))
    |  | ms |
    |---|---|
    | torch | 1.5 |
    """
    header = list(header)
    lines = [header, ["---"] * len(header), *map(list, rows)]
    text = ["| " + " | ".join(line) + " |" for line in lines]
    text[1] = "|" + "---|" * len(header)
    return "\n".join(text)


def table(suite: Suite, found: Mapping[str, Mapping[str, Times]]) -> str:
    """Return the table of a suite; a row that is missing says why."""
    if suite.variable:
        return _curve_table(suite, found)
    first = next(iter(suite.rows))

    def cell(column: str, row: str) -> str:
        times = found[column][row]
        number = middle(times)
        if number is None:
            return str(times)
        factor = None if row == first else ratio(times, found[column][first])
        return digits(suite.shown(number)) + (f" ({factor:.2f}×)" if factor else "")

    rows = [[row, *(cell(column, row) for column in found)] for row in suite.rows]
    return _table([suite.unit, *found], rows)


def _curve_table(suite: Suite, found: Mapping[str, Mapping[str, Times]]) -> str:
    rows = []
    for row in suite.rows:
        known = points(found, row)
        numbers = {size: digits(suite.shown(time)) for size, time in known.items()}
        cells = [numbers.get(_size(column), str(found[column][row])) for column in found]
        power = f"{exponent(list(known), list(known.values())):.2f}" if len(known) > 3 else ""
        rows.append([row, *cells, power])
    return _table([suite.unit, *found, "exponent"], rows)


def _table(header: list[str], rows: list[list[str]]) -> str:
    """Return a table, with a line for each column if there are many."""
    lines = [header, *rows]
    if len(header) > WIDE:
        lines = [list(line) for line in zip(*lines, strict=True)]
    return markdown(lines[0], lines[1:])


def _size(column: str) -> int:
    return int(column.replace(",", ""))


def points(found: Mapping[str, Mapping[str, Times]], row: str) -> dict[int, float]:
    """Return the median of a row by size, where there is one."""
    medians = {_size(column): middle(times[row]) for column, times in found.items()}
    return {size: time for size, time in medians.items() if time is not None}


def targets(results: Results) -> str:
    """Return the table of what was aimed at."""

    def number(x: float | None, unit: str) -> str:
        return "" if x is None else f"{digits(x)} {unit}" if unit else f"{digits(x)}×"

    rows = []
    for target in TARGETS:
        sign = "≤" if target.unit else "≥"
        wanted = f"{sign} {number(target.wanted, target.unit)}"
        stretch = number(target.stretch, target.unit)
        measured = number(target.measured(results), target.unit)
        rows.append([target.what, wanted, stretch, measured, target.verdict(results)])
    return markdown(["", "target", "stretch", "measured", ""], rows)


def written(results: Results, facts: Mapping[str, str], rounds: int) -> str:
    """Return the whole report."""
    parts = ["# gradlab beside its peers", f"Medians of {rounds} rounds, taken in turns."]
    parts.append("\n".join(f"* {name}: {fact}" for name, fact in facts.items()))
    for name, found in results.items():
        suite = SUITES[name]
        parts += [f"## {suite.title}", table(suite, found)]
    return "\n\n".join([*parts, "## Targets", targets(results)]) + "\n"
