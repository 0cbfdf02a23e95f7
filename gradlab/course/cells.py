"""A chapter is one Python file cut into cells by lines that start with `# %%`.

Plain Python runs the file from top to bottom; the stepper and the book read it cell by cell.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Literal

MARKER = re.compile(r"# ?%%(?!%)(?P<rest>.*)$")
PROSE_TAG = re.compile(r"\[(markdown|md)\]")
FILE_NAME = re.compile(r"(?P<number>\d+)_(?P<slug>\w+)")
TITLE = re.compile(r"# +(?P<text>.+)$", re.MULTILINE)
TITLE_NUMBER = re.compile(r"(chapter +)?(?P<number>\d+)( *[.:·–—-])? +", re.IGNORECASE)
SENTENCE_END = re.compile(r"(?<=[.!?:])\s+(?=[A-Z])")


@dataclass(frozen=True)
class Cell:
    """One cell: code as written, or prose as Markdown without the comment signs.

    `first_line` is the line of the file where `source` starts, counted from 1.
    """

    kind: Literal["code", "prose"]
    source: str
    first_line: int
    heading: str = ""


@dataclass(frozen=True)
class Step:
    """What the stepper shows at once: one code cell, and the prose that stands before it."""

    number: int
    prose: str
    code: Cell


@dataclass(frozen=True)
class Chapter:
    """A chapter file, cut into cells; `str(chapter)` is the name of its file without `.py`.

    `number` is None for a file whose name does not start with digits and an underscore.
    """

    path: Path
    number: int | None
    slug: str
    title: str
    summary: str
    cells: tuple[Cell, ...]

    def __str__(self) -> str:
        return self.path.stem

    @property
    def label(self) -> str:
        """The short name that `gradlab run` takes: two digits, or the file's name without them."""
        return self.path.stem if self.number is None else f"{self.number:02d}"

    @cached_property
    def steps(self) -> tuple[Step, ...]:
        """The code cells, each with all prose since the code cell before it."""
        steps: list[Step] = []
        prose: list[str] = []
        for cell in self.cells:
            if cell.kind == "prose":
                prose.append(cell.source)
            else:
                steps.append(Step(len(steps) + 1, "\n\n".join(prose), cell))
                prose = []
        return tuple(steps)

    @property
    def closing(self) -> str:
        """The prose after the last code cell: usually *Try it*."""
        tail: list[str] = []
        for cell in reversed(self.cells):
            if cell.kind == "code":
                break
            tail.insert(0, cell.source)
        return "\n\n".join(tail)


def cut(text: str) -> tuple[Cell, ...]:
    """Cut the text of a chapter into cells; line numbers stay those of the file.

    A prose cell ends at its first line that is not a comment: Python would run that line, so it
    is code here too.

    >>> for cell in cut("# %% [markdown]\\n# # Slopes\\n\\n# %% one step\\nx = 1\\n"):
    ...     print(cell.kind, cell.first_line, repr(cell.heading), repr(cell.source))
    prose 2 '' '# Slopes'
    code 5 'one step' 'x = 1'
    """
    cells: list[Cell] = []
    kind, heading, lines, first = "code", "", [], 1
    for number, line in enumerate([*text.splitlines(), "# %%"], start=1):
        marker = MARKER.match(line)
        code_in_prose = kind == "prose" and line.strip() and not line.startswith("#")
        if marker or code_in_prose:
            cells += _cell(kind, heading, lines, first)
            kind, heading, lines, first = "code", "", [], number
        if marker:
            rest = marker["rest"]
            kind = "prose" if PROSE_TAG.search(rest) else "code"
            heading, first = PROSE_TAG.sub("", rest).strip(), number + 1
        else:
            lines.append(line)
    return tuple(cells)


def _cell(kind: str, heading: str, lines: list[str], first: int) -> list[Cell]:
    """The cell made of these lines without the empty ones around it, or nothing at all."""
    while lines and not lines[0].strip():
        lines, first = lines[1:], first + 1
    while lines and not lines[-1].strip():
        lines = lines[:-1]
    if not lines:
        return []
    if kind == "code":
        return [Cell("code", "\n".join(lines), first, heading)]
    return [Cell("prose", "\n".join(re.sub("^# ?", "", line) for line in lines), first, heading)]


def read_chapter(path: str | Path) -> Chapter:
    """Read one chapter file.

    The title is its first Markdown heading without the chapter's number, the summary the first
    sentence of the paragraph below.
    Raises OSError if the file cannot be read, and UnicodeDecodeError if it is not UTF-8.
    """
    path = Path(path).resolve()
    cells = cut(path.read_text(encoding="utf-8"))
    name = FILE_NAME.fullmatch(path.stem)
    number, slug = (int(name["number"]), name["slug"]) if name else (None, path.stem)
    title, summary = _title_and_summary(cells)
    counted = TITLE_NUMBER.match(title)
    if counted and int(counted["number"]) == number:
        title = title[counted.end() :]
    title = title or slug.replace("_", " ").capitalize()
    return Chapter(path, number, slug, title, summary, cells)


def _title_and_summary(cells: tuple[Cell, ...]) -> tuple[str, str]:
    for cell in cells:
        found = TITLE.search(cell.source) if cell.kind == "prose" else None
        if found:
            below = cell.source[found.end() :].strip().split("\n\n")[0]
            sentence = SENTENCE_END.split(" ".join(re.sub("[*`]", "", below).split()))[0]
            return found["text"].strip(), sentence
    return "", ""
