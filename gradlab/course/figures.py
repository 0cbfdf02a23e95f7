"""`save_figure` is how a chapter writes a picture: `chapters/05_x.py` fills `figures/05_x/`.

The same chapter writes the same bytes each time: no dates, no random ids.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from .cells import FILE_NAME
from .shelf import figures_folder, short_path

FORMATS = ("svg", "png", "pdf", "html")
METADATA: dict[str, dict[str, Any]] = {
    "svg": {"Date": None},
    "pdf": {"CreationDate": None},
    "png": {"Software": None},
}

_collectors: list[list[Path]] = []


def save_figure(figure: Any, name: str) -> Path:
    """Write a figure to `figures/<the calling script>/<name>` and return its path.

    `figure` is a Matplotlib Figure or Axes (written as png with 150 dots per inch, then closed) or
    a gradlab Drawing (anything with `.save(path)`, written as svg). An ending in `name` chooses
    another format: svg, png, pdf or html. Run by plain Python, it prints the path.

    Raises TypeError for anything else, and ValueError if `name` is no plain file name.

    >>> save_figure([1, 2], "curves")
    Traceback (most recent call last):
    TypeError: save_figure got a list
      expected a Matplotlib Figure or Axes, or a gradlab Drawing
      write save_figure(figure, "name"), with the figure first
    """
    figure = _whole_figure(figure)
    default = "png" if hasattr(figure, "savefig") else "svg"
    file_name = _file_name(name, default)
    path = _folder_of(sys._getframe(1).f_globals.get("__file__")) / file_name
    path.parent.mkdir(parents=True, exist_ok=True)
    if hasattr(figure, "savefig"):
        _save_matplotlib(figure, path)
    else:
        figure.save(path)
    if _collectors:
        _collectors[-1].append(path)
    else:
        print(f"figure: {short_path(path)}")
    return path


@contextmanager
def collect_figures() -> Iterator[list[Path]]:
    """Collect the paths that `save_figure` writes inside this block, instead of printing them."""
    paths: list[Path] = []
    _collectors.append(paths)
    try:
        yield paths
    finally:
        _collectors.pop()


def _whole_figure(figure: Any) -> Any:
    whole = figure
    while hasattr(whole, "get_figure") and not hasattr(whole, "savefig"):
        whole = whole.figure
    if hasattr(whole, "savefig") or callable(getattr(whole, "save", None)):
        return whole
    raise TypeError(
        f"save_figure got a {type(figure).__name__}\n"
        "  expected a Matplotlib Figure or Axes, or a gradlab Drawing\n"
        '  write save_figure(figure, "name"), with the figure first'
    )


def _file_name(name: str, default: str) -> str:
    stem, dot, ending = str(name).rpartition(".")
    if isinstance(name, str) and re.fullmatch(r"[\w-]+", stem if dot else ending):
        if not dot:
            return f"{name}.{default}"
        if ending in FORMATS:
            return name
    raise ValueError(
        f"save_figure got the name {name!r}\n"
        f"  expected letters, digits, - and _, and if need be an ending: {', '.join(FORMATS)}\n"
        '  write save_figure(figure, "loss_curve") or save_figure(figure, "loss_curve.svg")'
    )


def _folder_of(script: str | None) -> Path:
    if script is None:
        raise ValueError(
            "save_figure was called outside a file, so there is no chapter to name the folder\n"
            "  expected to be called from a script like chapters/05_activations.py\n"
            '  write figure.savefig("name.png") or drawing.save("name.svg") here instead'
        )
    return figures_folder(script)


def _save_matplotlib(figure: Any, path: Path) -> None:
    import matplotlib

    metadata = METADATA.get(path.suffix[1:])
    with matplotlib.rc_context({"svg.hashsalt": "gradlab"}):
        figure.savefig(path, dpi=150, metadata=metadata)
    if "matplotlib.pyplot" in sys.modules:
        sys.modules["matplotlib.pyplot"].close(figure)


def _draw_without_a_window() -> None:
    """Choose Matplotlib's windowless backend if plain Python is running a chapter file.

    A chapter imports `save_figure` at its top; a notebook or another program keeps its own backend.
    """
    script = getattr(sys.modules.get("__main__"), "__file__", None)
    if not script or not FILE_NAME.fullmatch(Path(script).stem) or "MPLBACKEND" in os.environ:
        return
    if "matplotlib" in sys.modules:
        sys.modules["matplotlib"].use("Agg")
    else:
        os.environ["MPLBACKEND"] = "Agg"


_draw_without_a_window()
