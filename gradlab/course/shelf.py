"""Where the chapters are, and where their figures go.

In a checkout both are folders beside the package; an installed gradlab carries its chapters inside
and writes figures below the current folder.
"""

from __future__ import annotations

import difflib
import os
from pathlib import Path

import gradlab

from .cells import Chapter, read_chapter


class UnknownChapterError(LookupError):
    """No chapter has this name, or more than one has; the message says which exist."""


def chapters_folder() -> Path:
    """The folder of the chapter files: the checkout's if there is one, else the shipped one."""
    assert gradlab.__file__ is not None
    checkout = Path(gradlab.__file__).resolve().parents[1]
    if (checkout / "chapters").is_dir() and (checkout / "pyproject.toml").is_file():
        return checkout / "chapters"
    return Path(__file__).resolve().parent / "chapters"


def chapters(folder: str | Path | None = None) -> list[Chapter]:
    """All chapters in the order of their numbers: files named like `05_activations.py`.

    An empty list if the folder holds none or does not exist.
    """
    folder = chapters_folder() if folder is None else Path(folder)
    return [read_chapter(path) for path in sorted(folder.glob("[0-9][0-9]*_*.py"))]


def find_chapter(name: str | Path, folder: str | Path | None = None) -> Chapter:
    """The chapter called `5`, `05`, `05_activations`, `activations`, or the file at that path.

    Raises UnknownChapterError, with the closest names, if there is none.
    """
    if (isinstance(name, Path) or name.endswith(".py")) and Path(name).is_file():
        return read_chapter(name)
    wanted = Path(name).name.removesuffix(".py").lower()
    known = chapters(folder)
    found = [chapter for chapter in known if wanted in _names(chapter)]
    if len(found) == 1:
        return found[0]
    raise UnknownChapterError(_unknown(str(name), wanted, found, known))


def _names(chapter: Chapter) -> set[str]:
    return {str(chapter.number), chapter.label, str(chapter).lower(), chapter.slug.lower()}


def _unknown(given: str, wanted: str, found: list[Chapter], known: list[Chapter]) -> str:
    if not known:
        return no_chapters()
    if found:
        return (
            f"{given!r} is the name of {len(found)} chapters\n"
            f"  they are {', '.join(map(str, found))}\n"
            f"  write one of these names in full, like {found[0]}"
        )
    near = _closest(wanted, known)
    return (
        f"there is no chapter {given!r}\n"
        f"  {_range(known)}{'; closest: ' + ', '.join(map(str, near)) if near else ''}\n"
        f"  write a number or a name, like {(near or known)[0].label} or {(near or known)[0].slug};"
        " `gradlab list` shows all"
    )


def no_chapters() -> str:
    """The message for a shelf that is empty."""
    return (
        "no chapters were found\n"
        f"  looked for files like 05_activations.py in {chapters_folder()}\n"
        "  write the path of a chapter file, or install gradlab again"
    )


def _closest(wanted: str, known: list[Chapter]) -> list[Chapter]:
    inside = [chapter for chapter in known if len(wanted) > 2 and wanted in str(chapter).lower()]
    slugs = [chapter.slug.lower() for chapter in known]
    alike = difflib.get_close_matches(wanted.lstrip("0123456789_"), slugs, n=3)
    return (inside or [known[slugs.index(slug)] for slug in alike])[:3]


def _range(known: list[Chapter]) -> str:
    if len(known) == 1:
        return f"the only chapter is {known[0]}"
    return f"there are {len(known)} chapters, {known[0]} to {known[-1]}"


def figures_folder(script: str | Path) -> Path:
    """The folder for the figures of this script: `figures/<its name>`.

    It lies in the checkout for a script in the checkout's `chapters`, and else in the current
    folder.
    """
    script = Path(script).resolve()
    root = script.parents[1]
    in_checkout = script.parent.name == "chapters" and (root / "pyproject.toml").is_file()
    return (root if in_checkout else Path.cwd()) / "figures" / script.stem


def short_path(path: Path) -> str:
    """The path as one would type it here: relative if it lies below the current folder.

    >>> short_path(Path.cwd() / "figures" / "05_activations" / "curves.png").replace(os.sep, "/")
    'figures/05_activations/curves.png'
    """
    here = Path.cwd()
    return os.path.relpath(path, here) if path.is_relative_to(here) else str(path)
