"""What went wrong in a chapter, in a few lines: the cell, the line, its numbers, the error.

A traceback shows how Python got there; a student needs where, with which numbers, and why.
"""

from __future__ import annotations

import ast
import linecache
from collections.abc import Iterable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any

from .cells import Chapter, Step
from .variables import describe, own_names

LONGEST = 6  # lines of a message that are shown
SIMPLE = (ast.Assert, ast.Assign, ast.AugAssign, ast.AnnAssign, ast.Expr, ast.Return, ast.Raise)


class ChapterError(Exception):
    """A chapter failed; `str(error)` says where and why, and `__cause__` is the original error.

    `line` counts from 1 in the chapter's file, `cell` from 1 among its code cells, and `output` is
    what the chapter had printed.
    """

    def __init__(
        self,
        chapter: Chapter,
        step: Step,
        error: BaseException,
        output: str = "",
        imported: Iterable[str] = (),
    ):
        self.chapter, self.cell, self.output = chapter, step.number, output
        frames = list(_frames(error.__traceback__))
        inside = [frame for frame in frames if frame[0] == str(chapter.path)]
        if isinstance(error, SyntaxError) and not inside:
            self.line, names = error.lineno or step.code.first_line, {}
        else:
            self.line, names = (inside[-1][1], inside[-1][2]) if inside else (0, {})
        source = linecache.getline(str(chapter.path), self.line).strip()
        numbers = _numbers_in(
            step.code.source, self.line - step.code.first_line + 1, names, imported
        )
        lines = [f"{chapter} failed in cell {self.where}, line {self.line}", f"    {source}"]
        if numbers:
            lines.append(f"    with {numbers}")
        if inside and frames[-1] is not inside[-1]:
            lines.append(f"  in {_short(frames[-1][0])}, line {frames[-1][1]}")
        super().__init__("\n".join([*lines, *_message(error, source)]))

    @property
    def where(self) -> str:
        """The failing cell among all of them: `4 of 9`."""
        return f"{self.cell} of {len(self.chapter.steps)}"


def _frames(trace: TracebackType | None) -> Iterable[tuple[str, int, Mapping[str, Any]]]:
    while trace is not None:
        frame = trace.tb_frame
        yield frame.f_code.co_filename, trace.tb_lineno, {**frame.f_globals, **frame.f_locals}
        trace = trace.tb_next


def _message(error: BaseException, source: str) -> list[str]:
    """The type and the text of the error, and the notes that pytest or Hypothesis added to it."""
    text = str(error)
    if isinstance(error, SyntaxError):
        text = error.msg
    if isinstance(error, AssertionError) and not text:
        text = source.removeprefix("assert ")
    kind = "the claim does not hold" if isinstance(error, AssertionError) else type(error).__name__
    lines = [f"{kind}: {text}" if text else kind]
    lines = "\n".join([*lines, *getattr(error, "__notes__", [])]).splitlines()
    return lines if len(lines) <= LONGEST else [*lines[:LONGEST], "..."]


def _numbers_in(
    source: str, line: int, names: Mapping[str, Any], imported: Iterable[str], most: int = 4
) -> str:
    """The variables of the statement at this line of a cell, each with what it held."""
    if not names:
        return ""
    statements = [
        node
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.stmt) and node.lineno <= line <= (node.end_lineno or node.lineno)
    ]
    if not statements:
        return ""
    statement = max(statements, key=_start)
    looked_at = statement.test if isinstance(statement, ast.Assert) else statement
    used = {
        node.id: None
        for node in ast.walk(looked_at)
        if isinstance(node, ast.Name) and (isinstance(statement, SIMPLE) or node.lineno == line)
    }
    shown = [name for name in used if name in own_names(names, imported)]
    values = [(name, *describe(names[name])) for name in shown if not callable(names[name])]
    # A type of two words tells a size, which is often what is wrong: `float64 (3, 4)`.
    return ", ".join(
        f"{name} = {kind + ' ' if ' ' in kind else ''}{value}"
        for name, kind, value in values[:most]
    )


def _start(statement: ast.stmt) -> tuple[int, int]:
    return statement.lineno, statement.col_offset


def _short(file: str) -> str:
    """The path from the package on: `gradlab/ops/linear.py`, not all of site-packages."""
    parts = Path(file).parts
    for folder in ("site-packages", "gradlab"):
        if folder in parts:
            start = len(parts) - 1 - parts[::-1].index(folder)
            return "/".join(parts[start + (folder == "site-packages") :])
    return "/".join(parts[-2:])
