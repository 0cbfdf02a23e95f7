"""`gradlab step` shows a chapter one cell at a time: read, guess what comes, press Enter, look.

Going back runs the chapter again from its start up to there, so the state is always exact, and so
that a change made to the file meanwhile counts.
"""

from __future__ import annotations

import linecache
import sys
from typing import Any

from .cells import Chapter, Step, read_chapter
from .failure import ChapterError
from .report import (
    print_claims,
    print_columns,
    print_failure,
    print_figures,
    summary,
    terminal,
)
from .runner import Result, Session
from .variables import Variable, changes, describe, marks, own_names

KEYS = "Enter run   b back   v variables   q quit"
KEYS_FAILED = "Enter read the file again and retry   b back   v variables   q quit"
KEYS_END = "Enter quit   b back   v variables"
TALLEST = 20  # lines shown of the value of a cell


def step_through(chapter: Chapter, wait: bool = True) -> int:
    """Step through a chapter in the terminal; returns 0, or 1 if its last cell run has failed.

    Keys are read as lines from the standard input; its end means quit. Without `wait`, all cells
    run one after the other.
    """
    stepper = Stepper(chapter, wait)
    try:
        return stepper.loop()
    finally:
        stepper.close()


class Stepper:
    """A chapter, the place reached in it, and the session that has run all cells before."""

    def __init__(self, chapter: Chapter, wait: bool = True):
        self.chapter = chapter
        self.wait = wait
        self.console = terminal()
        self.failed = False
        self.place = 0
        self._open()

    def _open(self) -> None:
        self.session = Session(self.chapter)
        self.session.__enter__()

    def close(self) -> None:
        """Put the process back as it was before the chapter ran."""
        self.session.__exit__()

    def loop(self) -> int:
        """Show, ask, act, until the end or `q`; returns the exit status."""
        self.show_place()
        while True:
            key = self.ask()
            if key == "q" or (key == "" and self.at_end and not self.failed):
                return int(self.failed)
            if key == "v":
                self.show_variables()
            elif key == "b":
                self.go_back()
            elif key:
                self.console.print(f"  no such key: {key}", style="yellow")
            elif self.failed and self.wait:
                self.restart(self.place)
            elif self.failed:
                return 1
            else:
                self.run_cell()

    @property
    def at_end(self) -> bool:
        """Whether all cells have been run."""
        return self.place >= len(self.chapter.steps)

    def ask(self) -> str:
        """The next key: one line of input without its spaces; `q` at the end of the input."""
        if not self.wait:
            return ""
        keys = KEYS_FAILED if self.failed else KEYS_END if self.at_end else KEYS
        self.console.print(f"{keys} › ", style="bold", end="", soft_wrap=True)
        self.console.file.flush()
        line = sys.stdin.readline()
        if not sys.stdin.isatty() or not line:
            self.console.print()
        return line.strip().lower() if line else "q"

    def run_cell(self) -> None:
        """Run the cell shown, show what it did, and go on to the next one."""
        before = marks(self.session.namespace)
        self.session.echo = self.console.file  # type: ignore[assignment]
        try:
            result = self.session.run(self.chapter.steps[self.place])
        except ChapterError as error:
            self.failed = True
            self.console.print()
            print_failure(error)
            self.console.print()
            return
        finally:
            self.session.echo = None
        self.show_result(result, changes(before, self.session.namespace, self.session.imported))
        self.place += 1
        self.show_place()

    def go_back(self) -> None:
        """Return to the cell before this one, in the state in which it was first met."""
        if self.place == 0:
            self.console.print("  this is the first cell", style="yellow")
        else:
            self.console.print("  running the cells before it again …\n", style="dim")
            self.restart(self.place - 1)

    def restart(self, place: int) -> None:
        """Read the file again, run its cells before this place, and show the cell there."""
        self.close()
        linecache.checkcache(str(self.chapter.path))
        self.chapter = read_chapter(self.chapter.path)
        self._open()
        self.failed, self.place = False, 0
        for step in self.chapter.steps[:place]:
            try:
                self.session.run(step)
            except ChapterError as error:
                self.failed = True
                self.show_place()
                print_failure(error)
                return
            self.place += 1
        self.show_place()

    def show_place(self) -> None:
        """The cell to be run next with its prose, or the closing words after the last one."""
        if self.at_end:
            self._rule("end")
            self._show_prose(self.chapter.closing)
            text = f"chapter {self.chapter.label}: {summary(self.session.result())}"
            self.console.print(text, style="bold")
            return
        step = self.chapter.steps[self.place]
        self._rule(f"{step.number}/{len(self.chapter.steps)}", step.code.heading)
        self._show_prose(step.prose)
        self._show_code(step)

    def _rule(self, place: str, heading: str = "") -> None:
        from rich.rule import Rule
        from rich.text import Text

        title = Text.assemble((f"{self.chapter} ", "dim"), (place, "bold"), f" {heading}".rstrip())
        self.console.print(Rule(title, align="left", style="dim"))

    def _show_prose(self, prose: str) -> None:
        from rich.markdown import Markdown
        from rich.padding import Padding

        if prose:
            text = Markdown(prose, code_theme="ansi_dark")
            self.console.print(Padding(text, (0, 2, 1, 2)))

    def _show_code(self, step: Step) -> None:
        from rich.syntax import Syntax

        code = Syntax(
            step.code.source,
            "python",
            theme="ansi_dark",  # the sixteen colours that the user chose for this terminal
            background_color="default",
            line_numbers=True,
            start_line=step.code.first_line,
            word_wrap=True,
        )
        self.console.print(code)
        self.console.print()

    def show_result(self, result: Result, changed: list[Variable]) -> None:
        """The value of a cell, the variables it touched, its claims and its figures."""
        if result.output and not result.output.endswith("\n"):
            self.console.print()
        if result.value is not None and result.value not in result.figures:
            self._show_value(result.value)
        self._show_table(changed)
        print_claims(self.console, result)
        print_figures(self.console, result)
        self.console.print()

    def _show_value(self, value: Any) -> None:
        from rich.pretty import pretty_repr

        text = pretty_repr(value, max_width=self.console.width - 4, max_length=TALLEST)
        lines = text.splitlines()
        for number, line in enumerate(lines[:TALLEST]):
            self.console.print(("= " if number == 0 else "  ") + line, soft_wrap=True)
        if len(lines) > TALLEST:
            self.console.print(f"  … {len(lines) - TALLEST} more lines", style="dim")

    def show_variables(self) -> None:
        """All variables of the chapter so far."""
        namespace = self.session.namespace
        names = own_names(namespace, self.session.imported)
        self._show_table([Variable(name, *describe(namespace[name])) for name in names], False)
        if not names:
            self.console.print("  no variables yet", style="dim")
        self.console.print()

    def _show_table(self, rows: list[Variable], say_new: bool = True) -> None:
        cells = [
            (("new" if row.is_new else "changed") if say_new else "", row.name, row.type, row.value)
            for row in rows
        ]
        print_columns(self.console, cells, ("dim", "bold", "cyan", ""), indent=2 * say_new)
