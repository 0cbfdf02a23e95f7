"""The course is a folder of chapters that run: each is read, stepped through and checked from here.

A chapter itself needs two names of this package: `save_figure`, and `FULL`, which says whether to
train as long as the slides did (`gradlab run --full 12`, or GRADLAB_FULL=1) or to show how it is
done on less.
"""

import os

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


def __getattr__(name: str) -> bool:
    if name == "FULL":  # asked anew by each chapter, since the command sets it
        return bool(os.environ.get("GRADLAB_FULL"))
    raise AttributeError(f"module 'gradlab.course' has no attribute {name!r}")
