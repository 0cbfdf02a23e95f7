"""What is measured: a suite is a table of cases (columns) and of those who compute them (rows).

A row makes, for a case, a function that does n units of the work: n training steps, or n passes.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

Run = Callable[[int], Any]

UNITS = {"steps/s": None, "s": 1.0, "ms": 1e3, "us": 1e6, "MB": 1.0}  # of one second, or MB


class LeftOutError(Exception):
    """Raised by a row that cannot do a case, or would take all day; the table shows the reason."""


def seconds_per_unit(run: Run, n: int, case: Any) -> float:
    """Return the seconds that each of n units took."""
    start = time.perf_counter()
    run(n)
    return (time.perf_counter() - start) / n


@dataclass(frozen=True)
class Column:
    """One case.

    Args:
        label: its name in the table.
        case: what the rows are given.
        threads: how many each library may use; None for as many as it takes by itself.
        busy: whether another process keeps one core busy meanwhile.
    """

    label: str
    case: Any = None
    threads: int | None = None
    busy: bool = False


@dataclass(frozen=True)
class Row:
    """Who computes it: ``make(case)`` returns the function to be timed.

    Args:
        needs: the packages it imports.
        environment: variables that have to be set before it does.
    """

    make: Callable[[Any], Run]
    needs: tuple[str, ...] = ()
    environment: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Suite:
    """One table of the report; its first row is the one that all others are compared with.

    Args:
        unit: a key of UNITS.
        seconds: how long a round of one row takes, about.
        parts: how many operations a unit consists of, if the table is to show one.
        units: how many units are in a round; found by trying if None.
        at_most: how many there can be, for a case.
        measure: what a round measures; by default seconds for each unit.
        variable: what the columns are sizes of, if this is a scaling curve.
    """

    name: str
    title: str
    unit: str
    columns: tuple[Column, ...]
    rows: Mapping[str, Row]
    seconds: float = 0.5
    parts: int = 1
    units: int | None = None
    at_most: Callable[[Any], int] | None = None
    measure: Callable[[Run, int, Any], float] = seconds_per_unit
    variable: str = ""

    def shown(self, measured: float) -> float:
        """Return a measured number in the unit of the table.

        >>> Suite("xor", "XOR", "us", (), {}).shown(2e-6)
        2.0
        """
        factor = UNITS[self.unit]
        return self.parts / measured if factor is None else measured * factor / self.parts


class Rows(dict[str, Row]):
    """Rows by name, in the order of their definitions."""

    def row(self, name: str, *needs: str, **environment: str) -> Callable[[Any], Any]:
        """Decorate the function that makes the work of a row."""

        def define(make: Callable[[Any], Run]) -> Callable[[Any], Run]:
            self[name] = Row(make, needs, environment)
            return make

        return define

    def only(self, *names: str) -> dict[str, Row]:
        """Return some of the rows, in this order."""
        return {name: self[name] for name in names}


def repeated(step: Callable[[], Any]) -> Run:
    """Return the function that takes n steps and returns what the last one did."""

    def run(n: int) -> Any:
        last = None
        for _ in range(n):
            last = step()
        return last

    return run
