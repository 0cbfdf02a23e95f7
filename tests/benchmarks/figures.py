"""The results as two figures: how many times as long the peers take, and how the time grows.

Both are drawn on logarithmic axes: twice as long is the same distance everywhere.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from .catalogue import SUITES
from .report import points
from .scaling import exponent
from .suite import Suite
from .timing import Results, Times, ratio

MARKERS = "osD^v"
FEW = 3  # columns that a legend can tell apart


def drawn(results: Results, folder: Path) -> list[Path]:
    """Draw what was measured into a folder, and return the files."""
    curves = {name: found for name, found in results.items() if SUITES[name].variable}
    tables = {name: found for name, found in results.items() if not SUITES[name].variable}
    files = []
    for name, some, draw in [("peers", tables, _ratios), ("scaling", curves, _growth)]:
        if some:
            files.append(folder / f"{name}.svg")
            _panels(some, draw).savefig(files[-1])
    return files


def _panels(results: Results, draw: Any) -> Any:
    from matplotlib.figure import Figure

    count = (len(results) + 1) // 2
    figure = Figure(figsize=(12, 3.6 * count), layout="constrained")
    panels = figure.subplots(count, 2, squeeze=False).ravel()
    for panel in panels[len(results) :]:
        panel.remove()
    for (name, found), axes in zip(results.items(), panels):
        draw(axes, SUITES[name], found)
        axes.grid(alpha=0.3)
    return figure


def _ratios(axes: Any, suite: Suite, found: Mapping[str, Mapping[str, Times]]) -> None:
    """Draw a dot per row and column: how many times as long as the first row it takes."""
    first, *others = suite.rows
    for place, (column, times) in enumerate(found.items()):
        ratios = {row: ratio(times[row], times[first]) for row in others}
        known = {row: r for row, r in ratios.items() if r is not None}
        few = len(found) <= FEW
        style = {"color": f"C{place}", "marker": MARKERS[place]} if few else {"color": "C0"}
        axes.scatter(
            list(known.values()), [others.index(row) for row in known],
            s=30, alpha=0.7, label=column, **style,
        )  # fmt: skip
    axes.axvline(1.0, color="black", linewidth=1)
    axes.set_xscale("log")
    _plain_ticks(axes.xaxis)
    axes.set_yticks(range(len(others)), others)
    axes.set_ylim(len(others) - 0.5, -0.5)
    what = "as much as" if suite.unit == "MB" else "as long as"
    axes.set_xlabel(f"times {what} {first}")
    axes.set_title(suite.title, fontsize=10, loc="right")
    if 1 < len(found) <= FEW:
        axes.legend(fontsize=8, loc="upper right", bbox_to_anchor=(0.0, -0.05))


def _plain_ticks(axis: Any) -> None:
    """Write 0.5, 1, 2 at a logarithmic axis, and powers of ten only where it spans many of them."""
    from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

    low, high = axis.get_view_interval()
    axis.set_major_locator(LogLocator(subs=(1, 2, 5) if high < 100 * low else (1,)))
    axis.set_major_formatter(FuncFormatter(lambda x, _: f"{x:g}"))
    axis.set_minor_formatter(NullFormatter())


def _growth(axes: Any, suite: Suite, found: Mapping[str, Mapping[str, Times]]) -> None:
    """Draw a curve per row, with its exponent."""
    for row, marker in zip(suite.rows, MARKERS):
        known = points(found, row)
        if len(known) > FEW:
            power = exponent(list(known), list(known.values()))
            times = [suite.shown(time) for time in known.values()]
            axes.loglog(
                list(known), times, marker=marker, markersize=4, label=f"{row}: n$^{{{power:.2f}}}$"
            )
    axes.set_title(suite.title, fontsize=10)
    axes.set_xlabel(suite.variable)
    axes.set_ylabel(suite.unit)
    axes.legend(fontsize=8)
