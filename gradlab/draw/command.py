"""`gradlab draw my.py:loss -o loss.html`: the picture of something in a file, without a notebook.

The file is run, then the name in it is drawn: a Value, a Tensor, a Drawing, a network, or what a
function of that name returns.
"""

from __future__ import annotations

import difflib
import inspect
import runpy
import sys
from pathlib import Path
from typing import Any

from gradlab.draw.call import draw as draw_node
from gradlab.draw.drawing import Drawing
from gradlab.draw.network import network
from gradlab.tape import Node


class NothingToDrawError(LookupError):
    """There is nothing to draw under this name; the message says what to write instead."""


def draw(target: str, out: str | None = None, rankdir: str = "LR", title: str = "") -> int:
    """Draw what `target` names into a file, print the file's path, and return the exit status.

    Args:
        target: "my.py:loss".
        out: the file to write; its suffix says the format. None for NAME.html.
        rankdir: "LR" for left to right, "TB" for top to bottom.
        title: a headline.

    Returns:
        0, or 2 if the file does not run, has no such name, or the picture cannot be written.
    """
    path, _, name = target.rpartition(":")
    try:
        if not path or not name.isidentifier():
            raise NothingToDrawError(
                f"{target!r} is not FILE.py:NAME\nexpected a file and a name in it\n"
                "write gradlab draw my.py:loss -o loss.html"
            )
        held = _named(Path(path), name)
        print(_drawing(held, name, rankdir, title).save(out or f"{name}.html"))
    except (NothingToDrawError, OSError, TypeError, ValueError) as error:
        print(f"gradlab draw: {error}", file=sys.stderr)
        return 2
    return 0


def _named(path: Path, name: str) -> Any:
    """Run a file and return what it calls by this name; a function is called."""
    if not path.is_file():
        raise NothingToDrawError(
            f"there is no file {path}\nlooked in {path.parent.resolve()}\n"
            "write the path of a Python file"
        )
    sys.path.insert(0, str(path.resolve().parent))  # so that it may import its neighbours
    try:
        names = runpy.run_path(str(path))
        if name not in names:
            raise _no_such_name(path, name, names)
        return names[name]() if inspect.isroutine(names[name]) else names[name]
    except NothingToDrawError:
        raise
    except (Exception, SystemExit) as error:
        said = (str(error) or "no message").splitlines()[0]
        raise NothingToDrawError(
            f"{path}: {type(error).__name__}: {said}\n"
            f"expected a file that runs, and a {name} that needs no arguments if it is a function\n"
            f"write python {path} to see where it stops"
        ) from error
    finally:
        sys.path.pop(0)


def _no_such_name(path: Path, name: str, names: dict[str, Any]) -> NothingToDrawError:
    nodes = [known for known, held in names.items() if isinstance(held, Node | Drawing)]
    best = difflib.get_close_matches(name, list(names), 1, 0.5) or nodes or ["loss"]
    return NothingToDrawError(
        f"{path} has nothing called {name!r}\n"
        f"it has {', '.join(nodes[:8]) or 'no Value, Tensor or Drawing'}\n"
        f"write gradlab draw {path}:{best[0]}"
    )


def _drawing(held: Any, name: str, rankdir: str, title: str) -> Drawing:
    if isinstance(held, Drawing):
        return held
    if isinstance(held, Node):
        return draw_node(held, rankdir=rankdir, title=title)
    try:
        return network(held, rankdir=rankdir, title=title)
    except (AttributeError, TypeError, ValueError) as error:
        raise NothingToDrawError(
            f"{name} is a {type(held).__name__}, which cannot be drawn\n"
            "expected a Value, a Tensor, a Drawing, a TLU, a fitted Perceptron or layer sizes\n"
            "write the name of one, or of a function that returns one"
        ) from error
