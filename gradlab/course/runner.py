"""Runs the cells of a chapter one by one, as plain Python would run the whole file.

Meanwhile it notes which claims held and which figures were written; a failure becomes a
ChapterError with the cell, the line and the error.
"""

from __future__ import annotations
import __future__

import ast
import io
import os
import random
import sys
import time
import warnings
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any, TextIO

import numpy as np

from .cells import Cell, Chapter, Step
from .claims import NOTE, Claim, Ledger, instrument
from .failure import ChapterError
from .figures import collect_figures
from .shelf import find_chapter


@dataclass(frozen=True)
class Result:
    """What a chapter, or one of its cells, did: its claims that held, its figures, its output."""

    claims: list[Claim]
    figures: list[Path]
    seconds: float
    output: str
    value: Any = None


def run_chapter(chapter: Chapter | str | Path, echo: bool | TextIO = False) -> Result:
    """Run all cells of a chapter in a fresh namespace; what it prints is kept.

    With `echo` it is printed at once too, on the standard output or the stream given.

    Warnings follow the filters of the caller. Figures, warning filters, random states and
    Matplotlib settings are afterwards as they were before.

    Raises ChapterError, with the original error as its cause, at the first cell that fails, and
    UnknownChapterError if a name was given that no chapter has.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder, "01_sums.py")
    ...     _ = path.write_text("# %%\\nx = 1\\nassert x + x == 2, 'one and one is two'")
    ...     result = run_chapter(path)
    >>> print(*result.claims)
    one and one is two
    """
    if not isinstance(chapter, Chapter):
        chapter = find_chapter(chapter)
    stream = sys.stdout if echo is True else echo or None
    with Session(chapter, stream) as session:
        for step in chapter.steps:
            session.run(step)
        return session.result()


class Session:
    """A chapter being run: its namespace, and everything its cells have done so far.

    Use it in a `with` block; the end of the block puts the process back as it was.
    """

    def __init__(self, chapter: Chapter, echo: TextIO | None = None):
        self.chapter = chapter
        self.echo = echo
        self.module = ModuleType("__main__")
        self.module.__file__ = str(chapter.path)
        self.namespace = self.module.__dict__
        self.imported: set[str] = set()
        self.figures: list[Path] = []
        self.seconds = 0.0
        self._ledger = Ledger()
        self._output: list[str] = []
        self._flags = 0
        self._isolation = ExitStack()

    def __enter__(self) -> Session:
        self._isolation.enter_context(_isolated())
        return self

    def __exit__(self, *error: object) -> None:
        self._isolation.close()

    def run(self, step: Step) -> Result:
        """Run one cell and say what it did; its value is that of its last line, as in a notebook.

        Raises ChapterError if the code fails.
        """
        ledger, output = Ledger(), _Output(self.echo)
        self.namespace[NOTE] = ledger.note
        start = time.perf_counter()
        value = None
        with collect_figures() as figures, redirect_stdout(output), self._as_main():
            try:
                value = self._execute(step.code)
            except (Exception, SystemExit) as error:
                printed = "".join([*self._output, output.getvalue()])
                raise ChapterError(self.chapter, step, error, printed, self.imported) from error
            finally:
                result = Result(
                    ledger.claims(), figures, time.perf_counter() - start, output.getvalue(), value
                )
                self._add(result)
        return result

    def result(self) -> Result:
        """What all cells run so far did together."""
        output = "".join(self._output)
        return Result(self._ledger.claims(), list(self.figures), self.seconds, output)

    def _add(self, result: Result) -> None:
        self._ledger.add(result.claims)
        self.figures += [path for path in result.figures if path not in self.figures]
        self.seconds += result.seconds
        self._output.append(result.output)

    def _execute(self, cell: Cell) -> Any:
        # Empty lines before the cell keep the line numbers of the file, for errors and debuggers.
        padded = "\n" * (cell.first_line - 1) + cell.source
        tree = ast.parse(padded, str(self.chapter.path))
        self.imported |= _imports(tree)
        last = tree.body.pop() if tree.body and isinstance(tree.body[-1], ast.Expr) else None
        exec(self._compile(instrument(tree), "exec"), self.namespace)
        if isinstance(last, ast.Expr):
            return eval(self._compile(ast.Expression(last.value), "eval"), self.namespace)
        return None

    def _compile(self, tree: ast.Module | ast.Expression, mode: str) -> Any:
        # optimize=0 keeps the asserts even under `python -O`.
        code = compile(tree, str(self.chapter.path), mode, self._flags, True, optimize=0)
        # Each cell is compiled alone, but a future import counts for the whole file.
        self._flags |= code.co_flags & __future__.annotations.compiler_flag
        return code

    @contextmanager
    def _as_main(self) -> Iterator[None]:
        """Be the main module, so that pickle, dataclasses and `inspect` find the chapter."""
        before, arguments = sys.modules["__main__"], sys.argv
        sys.modules["__main__"], sys.argv = self.module, [str(self.chapter.path)]
        try:
            yield
        finally:
            sys.modules["__main__"], sys.argv = before, arguments


def _imports(tree: ast.Module) -> set[str]:
    return {
        (alias.asname or alias.name).partition(".")[0]
        for node in ast.walk(tree)
        if isinstance(node, (ast.Import, ast.ImportFrom))
        for alias in node.names
    }


@contextmanager
def _isolated() -> Iterator[None]:
    """Start from fixed random states without a display, and put everything back at the end."""
    import matplotlib

    matplotlib.use("Agg")
    folder, python_state = os.getcwd(), random.getstate()
    numpy_state = np.random.get_state()  # noqa: NPY002 - a chapter may draw from it
    open_before = _open_figures()
    try:
        with warnings.catch_warnings(), np.errstate(), np.printoptions(), matplotlib.rc_context():
            random.seed(0)
            np.random.seed(0)  # noqa: NPY002
            yield
    finally:
        os.chdir(folder)
        random.setstate(python_state)
        np.random.set_state(numpy_state)  # noqa: NPY002
        for number in _open_figures() - open_before:
            sys.modules["matplotlib.pyplot"].close(number)


def _open_figures() -> set[int]:
    pyplot = sys.modules.get("matplotlib.pyplot")
    return set(pyplot.get_fignums()) if pyplot else set()


class _Output(io.StringIO):
    """Keeps what a cell prints, and passes it on at once to `echo` if there is one."""

    def __init__(self, echo: TextIO | None):
        super().__init__()
        self.echo = echo

    def write(self, text: str) -> int:
        if self.echo is not None:
            try:
                self.echo.write(text)
                self.echo.flush()
            except BrokenPipeError:  # nobody reads any more, which is not the chapter's fault
                self.echo = None
        return super().write(text)

    def isatty(self) -> bool:
        return self.echo is not None and self.echo.isatty()
