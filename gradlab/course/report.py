"""What `gradlab list` and `gradlab run` print: the chapters, what they asserted and wrote.

A run names each claim that held, so that a passing chapter says more than "no error".
"""

from __future__ import annotations

import io
import re
import sys
from typing import TYPE_CHECKING

from .cells import Chapter
from .failure import ChapterError
from .runner import Result, run_chapter
from .shelf import short_path

if TYPE_CHECKING:
    from rich.console import Console

WIDEST = 100  # longer lines are hard to read, however wide the terminal is
WIDEST_CELL = 40  # of the columns before the last one
MANY = 10  # claims of one assert that are listed one by one


def terminal(error: bool = False) -> Console:
    """The terminal, without colours if it is none or if NO_COLOR is set."""
    from rich.console import Console

    class Terminal(Console):
        def on_broken_pipe(self) -> None:
            raise

    # The file is named, so that what a running chapter prints cannot get mixed into the report.
    stream = sys.stderr if error else sys.stdout
    console = Terminal(file=stream, highlight=False, markup=False, emoji=False)
    console.width = min(console.width, WIDEST)
    return console


def list_chapters(known: list[Chapter]) -> int:
    """Print one line for each chapter; returns the exit status."""
    rows = [(chapter.label, chapter.title, chapter.summary) for chapter in known]
    print_columns(terminal(), rows, ("bold", "", "dim"))
    return 0


def run_one(chapter: Chapter) -> int:
    """Run a chapter and print all it did; returns 0 if every claim held, else 1."""
    console = terminal()
    console.print(f"{chapter.label}  {chapter.title}", style="bold", soft_wrap=True)
    outcome = _run(chapter, console, loud=True)
    return 1 if isinstance(outcome, ChapterError) else 0


def run_all(known: list[Chapter], verbose: bool = False) -> int:
    """Run every chapter and print one row for each; returns 0 if every claim held, else 1.

    With `verbose`, all that each one did is printed first.
    """
    console = terminal()
    outcomes: list[tuple[Chapter, Result | ChapterError]] = []
    for chapter in known:
        if verbose:
            console.print(f"{chapter.label}  {chapter.title}", style="bold", soft_wrap=True)
        elif console.is_terminal:
            title = f"… {chapter.label:<3} {chapter.title[:50]}"
            console.print(title, style="dim", end="\r", soft_wrap=True)
        outcomes.append((chapter, _run(chapter, console, loud=verbose)))
        if not verbose:
            _print_row(console, *outcomes[-1])
    if verbose:
        console.print()
        for chapter, outcome in outcomes:
            _print_row(console, chapter, outcome)
    failures = [outcome for _, outcome in outcomes if isinstance(outcome, ChapterError)]
    if not verbose:
        for failure in failures:
            print_failure(failure, with_output=True)
    _print_total(console, outcomes, failures)
    return 1 if failures else 0


def _run(chapter: Chapter, console: Console, loud: bool) -> Result | ChapterError:
    echo = _Indented(console)
    try:
        result = run_chapter(chapter, echo if loud else False)
    except ChapterError as error:
        if loud:
            echo.end_line()
            print_failure(error)
        return error
    if loud:
        echo.end_line()
        print_claims(console, result)
        print_figures(console, result)
        console.print(f"chapter {chapter.label}: {summary(result)}", style="bold", soft_wrap=True)
    return result


def print_columns(
    console: Console, rows: list[tuple[str, ...]], styles: tuple[str, ...], indent: int = 0
) -> None:
    """Print rows in aligned columns; the edge of a terminal cuts the last one."""
    from rich.cells import cell_len
    from rich.text import Text

    widths = [min(max(map(cell_len, column)), WIDEST_CELL) for column in zip(*rows, strict=True)]
    for row in rows:
        line = Text(" " * indent)
        for cell, width, style in zip(row[:-1], widths, styles, strict=False):
            text = Text(cell, style)
            text.truncate(width, overflow="ellipsis", pad=True)
            line.append_text(text).append("  ")
        line.append(row[-1], styles[-1])
        line.rstrip()
        if console.is_terminal:
            line.truncate(console.width, overflow="ellipsis")
        console.print(line, soft_wrap=True)


def print_claims(console: Console, result: Result) -> None:
    """A line for each claim that held; an assert with very many different ones is cut short."""
    from rich.text import Text

    met: dict[int, int] = {}
    for claim in result.claims:
        met[claim.line] = met.get(claim.line, 0) + 1
        if met[claim.line] <= MANY:
            console.print(Text.assemble(("  ✓ ", "green"), str(claim)), soft_wrap=True)
    for line, number in met.items():
        if number > MANY:
            console.print(f"  ✓ and {number - MANY:,} more of line {line}", style="dim")


def print_figures(console: Console, result: Result) -> None:
    """The path of each figure that was written."""
    from rich.text import Text

    for path in result.figures:
        line = Text.assemble(("  figure ", "dim"), (short_path(path), "cyan"))
        console.print(line, soft_wrap=True)


def print_failure(error: ChapterError, with_output: bool = False) -> None:
    """What went wrong, on the error stream; with the last lines that the chapter had printed."""
    console = terminal(error=True)
    first, _, rest = str(error).partition("\n")
    if with_output and error.output.strip():
        console.print(f"{error.chapter} had printed:", style="dim", soft_wrap=True)
        for line in error.output.strip().splitlines()[-8:]:
            console.print("  │ " + line, style="dim", soft_wrap=True)
    console.print(first, style="bold red", soft_wrap=True)
    console.print(rest, soft_wrap=True)


def summary(result: Result) -> str:
    """The counts of a run in words.

    >>> summary(Result(claims=[], figures=[], seconds=1.234, output=""))
    '0 claims held, 0 figures, 1.2 s'
    """
    claims, figures = _count(len(result.claims), "claim"), _count(len(result.figures), "figure")
    return f"{claims} held, {figures}, {result.seconds:.1f} s"


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def _print_row(console: Console, chapter: Chapter, outcome: Result | ChapterError) -> None:
    from rich.text import Text

    if isinstance(outcome, ChapterError):
        mark, style = "✗", "red"
        counts = f"fails in cell {outcome.where}, line {outcome.line}"
    else:
        mark, style = "✓", "green"
        claims, figures = len(outcome.claims), len(outcome.figures)
        counts = f"{_count(claims, 'claim'):>11}  {_count(figures, 'figure'):>10}"
        counts += f"  {outcome.seconds:5.1f} s"
    title = Text(chapter.title)
    title.truncate(max(20, console.width - 45), overflow="ellipsis", pad=True)
    row = Text.assemble((mark, style), f" {chapter.label:<3} ", title, "  ", counts)
    console.print(row, soft_wrap=True)


def _print_total(
    console: Console,
    outcomes: list[tuple[Chapter, Result | ChapterError]],
    failures: list[ChapterError],
) -> None:
    results = [outcome for _, outcome in outcomes if isinstance(outcome, Result)]
    together = Result(
        [claim for result in results for claim in result.claims],
        [path for result in results for path in result.figures],
        sum(result.seconds for result in results),
        "",
    )
    text = f"{_count(len(outcomes), 'chapter')}: {summary(together)}"
    if failures:
        text += f"; {len(failures)} failed: {', '.join(str(error.chapter) for error in failures)}"
    console.print(text, style="bold red" if failures else "bold", soft_wrap=True)


class _Indented(io.StringIO):
    """A stream that sets what a chapter prints off from the report, with a bar at its left."""

    def __init__(self, console: Console):
        super().__init__()
        self.console = console
        self.at_start = True

    def write(self, text: str) -> int:
        from rich.text import Text

        for piece in re.split(r"([\n\r])", text):
            if piece in ("\n", "\r"):
                self.console.file.write(piece)
                self.at_start = True
            elif piece:
                if self.at_start:
                    self.console.print(Text("  │ ", "dim"), end="")
                self.console.file.write(piece)
                self.at_start = False
        return len(text)

    def flush(self) -> None:
        self.console.file.flush()

    def end_line(self) -> None:
        if not self.at_start:
            self.write("\n")
