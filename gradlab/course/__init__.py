"""The course is a folder of chapters that run: each is read, stepped through and checked from here.

A chapter itself needs one name of this package: `from gradlab.course import save_figure`.
"""

from .cells import Cell, Chapter, Step, read_chapter
from .claims import Claim
from .failure import ChapterError
from .figures import save_figure
from .runner import Result, Session, run_chapter
from .shelf import UnknownChapterError, chapters, find_chapter

__all__ = [
    "Cell",
    "Chapter",
    "ChapterError",
    "Claim",
    "Result",
    "Session",
    "Step",
    "UnknownChapterError",
    "chapters",
    "find_chapter",
    "read_chapter",
    "run_chapter",
    "save_figure",
]
