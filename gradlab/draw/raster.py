"""PNG and PDF: matplotlib draws the same marks as the SVG, at the same places.

The figure is made without pyplot, so drawing leaves no figure open and no setting changed.
"""

from __future__ import annotations

import io
import math
import warnings
from typing import Any

from gradlab.draw import style
from gradlab.draw.shapes import Line, Mark, Oval, Picture, Text

LARGEST = 14_000.0  # points along a side; PDF readers and PNG memory set the limit
PIXELS = 12e6  # of a PNG; a larger one has fewer dots per inch, down to one per point


def to_bytes(picture: Picture, form: str, dpi: float = 144) -> bytes:
    """Return the picture as a PNG or PDF file; a very large one is scaled down to fit.

    Args:
        picture: what to draw.
        form: ``"png"`` or ``"pdf"``.
        dpi: dots per inch of a PNG that is not very large; 72 makes one dot per point.
    """
    import matplotlib
    from matplotlib.figure import Figure

    zoom = min(1.0, LARGEST / max(picture.width, picture.height))
    size = (picture.width * zoom / 72, picture.height * zoom / 72)
    dpi = min(dpi, max(72.0, math.sqrt(PIXELS / (size[0] * size[1]))))
    # The settings of the session must not leak in: usetex alone would break every label.
    with matplotlib.rc_context(matplotlib.rcParamsDefault), warnings.catch_warnings():
        # A character that the font lacks is drawn as a box; the name is the user's to choose.
        warnings.filterwarnings("ignore", message="Glyph .* missing from font")
        figure = Figure(figsize=size, facecolor=style.BACKGROUND)
        axes = figure.add_axes((0, 0, 1, 1))
        axes.set_xlim(0, picture.width)
        axes.set_ylim(picture.height, 0)
        axes.set_axis_off()
        for group in picture.groups:
            for mark in group.marks:
                axes.add_artist(artist(mark, zoom))
        file = io.BytesIO()
        # Without a date the same picture gives the same file.
        dates = {"CreationDate": None} if form == "pdf" else {"Software": None}
        figure.savefig(file, format=form, dpi=dpi, metadata=dates)
    return file.getvalue()


def artist(mark: Mark, zoom: float) -> Any:
    from matplotlib.patches import Ellipse, FancyBboxPatch, PathPatch, Rectangle

    if isinstance(mark, Text):
        return _text(mark, zoom)
    paint: dict[str, Any] = {"facecolor": mark.fill, "edgecolor": mark.stroke}
    paint["linewidth"] = mark.line * zoom if mark.stroke != "none" else 0.0
    if isinstance(mark, Oval):
        centre = (mark.x + mark.width / 2, mark.y + mark.height / 2)
        return Ellipse(centre, mark.width, mark.height, **paint)
    if mark.dash:
        paint["linestyle"] = (0, [d / mark.line for d in mark.dash])
    if isinstance(mark, Line):
        return PathPatch(_path(mark), capstyle="butt", joinstyle="round", **paint)
    corner = (mark.x, mark.y)
    if not mark.radius:
        return Rectangle(corner, mark.width, mark.height, **paint)
    rounded = f"round,pad=0,rounding_size={mark.radius}"
    return FancyBboxPatch(corner, mark.width, mark.height, boxstyle=rounded, **paint)


def _text(mark: Text, zoom: float) -> Any:
    from matplotlib.text import Text as Label

    sides: Any = {"start": "left", "middle": "center", "end": "right"}
    return Label(
        mark.x,
        mark.y,
        mark.text,
        color=mark.colour,
        horizontalalignment=sides[mark.anchor],
        verticalalignment="baseline",
        fontfamily=style.FONT,
        fontsize=mark.size * zoom,
        fontweight="bold" if mark.bold else "normal",
        fontstyle="italic" if mark.italic else "normal",
        parse_math=False,
    )


def _path(mark: Line) -> Any:
    from matplotlib.path import Path

    points, codes = [mark.start], [Path.MOVETO]
    for piece in mark.pieces:
        points.extend(piece)
        codes.extend([Path.CURVE4] * 3 if len(piece) == 3 else [Path.LINETO])
    return Path(points, codes)
