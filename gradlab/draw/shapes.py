"""Marks: the rectangles, ovals, lines and texts that a picture is made of.

A picture is composed once, of these; the SVG writer and matplotlib both draw the same list.
"""

from __future__ import annotations

import dataclasses

from gradlab.draw import style
from gradlab.draw.layout import Point


@dataclasses.dataclass(frozen=True)
class Rect:
    """A rectangle, perhaps with round corners; ``dash`` is a pair of lengths, on and off."""

    x: float
    y: float
    width: float
    height: float
    fill: str
    stroke: str = "none"
    line: float = 1.0
    radius: float = 0.0
    dash: tuple[float, float] | None = None


@dataclasses.dataclass(frozen=True)
class Oval:
    """An ellipse, given by the box around it."""

    x: float
    y: float
    width: float
    height: float
    fill: str
    stroke: str
    line: float = 1.0


@dataclasses.dataclass(frozen=True)
class Line:
    """A line of straight and curved pieces, or a filled shape if ``fill`` is given."""

    start: Point
    pieces: tuple[tuple[Point, ...], ...]
    stroke: str = "none"
    line: float = 1.0
    fill: str = "none"
    dash: tuple[float, float] | None = None


@dataclasses.dataclass(frozen=True)
class Text:
    """One line of text; ``y`` is its baseline, ``role`` says what it is (name, data, grad, ...)."""

    x: float
    y: float
    text: str
    role: str
    colour: str = style.INK
    size: float = style.TEXT
    anchor: str = "start"
    bold: bool = False
    italic: bool = False


Mark = Rect | Oval | Line | Text


@dataclasses.dataclass(frozen=True)
class Group:
    """The marks of one vertex or edge, with the tooltip they share."""

    id: str
    kind: str
    tooltip: str
    marks: tuple[Mark, ...]


@dataclasses.dataclass(frozen=True)
class Picture:
    """A finished picture: its size and its groups, later ones on top."""

    width: float
    height: float
    groups: tuple[Group, ...]
    title: str = ""
