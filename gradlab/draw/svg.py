"""SVG: the marks of a picture as XML that browsers and notebooks show.

Every text is escaped, so a name can hold any character and nothing in it is taken for markup.
"""

from __future__ import annotations

from xml.sax.saxutils import escape, quoteattr

from gradlab.draw import style
from gradlab.draw.layout import Point
from gradlab.draw.shapes import Group, Line, Oval, Picture, Rect, Text


def to_svg(picture: Picture) -> str:
    """Return the picture as an SVG document with a white background and hover texts.

    >>> from gradlab.draw.marks import compose
    >>> from gradlab.draw.graph import Graph, Vertex
    >>> graph = Graph()
    >>> graph.add(Vertex("n1", "leaf", "a < b"))
    'n1'
    >>> "a &lt; b" in to_svg(compose(graph))
    True
    """
    width, height = _n(picture.width), _n(picture.height)
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" '
        f'viewBox="0 0 {width} {height}" role="img" '
        f'font-family={quoteattr(style.FONT_STACK)} font-size="{_n(style.TEXT)}" '
        f'fill="{style.INK}" '
        f'style="background:{style.BACKGROUND}">'
    )
    lines = [head, f"<title>{escape(picture.title or 'computation graph')}</title>"]
    lines.append(f'<rect width="{width}" height="{height}" fill="{style.BACKGROUND}"/>')
    lines.extend(_group(group) for group in picture.groups)
    return "\n".join([*lines, "</svg>", ""])


DEFAULTS = (f"{style.TEXT:g}", style.INK, "start", "normal")


def _n(x: float) -> str:
    return f"{x:.1f}".removesuffix(".0")


def _group(group: Group) -> str:
    title = f"<title>{escape(group.tooltip)}</title>" if group.tooltip else ""
    looks = [_look(mark).items() for mark in group.marks if isinstance(mark, Text)]
    shared = dict(looks[0]) if looks else {}
    shared = {key: value for key, value in shared.items() if all((key, value) in x for x in looks)}
    marks = "".join(
        _text(mark, shared) if isinstance(mark, Text) else _shape(mark) for mark in group.marks
    )
    facts = {"id": group.id, "class": group.kind, **shared}
    return f"<g{_attributes(facts)}>{title}{marks}</g>"


def _attributes(facts: dict[str, str]) -> str:
    return "".join(f" {key}={quoteattr(value)}" for key, value in facts.items())


def _shape(mark: Rect | Oval | Line) -> str:
    if isinstance(mark, Line):
        shape = f'path d="{_path(mark.start, mark.pieces)}"'
    elif isinstance(mark, Rect):
        corner = f' rx="{_n(mark.radius)}"' if mark.radius else ""
        at = f'x="{_n(mark.x)}" y="{_n(mark.y)}"'
        shape = f'rect {at} width="{_n(mark.width)}" height="{_n(mark.height)}"{corner}'
    else:
        shape = _oval(mark)
    paint = f' fill="{mark.fill}"'
    if mark.stroke != "none":
        paint += f' stroke="{mark.stroke}"'
        paint += f' stroke-width="{_n(mark.line)}"' if mark.line != 1.0 else ""
    if not isinstance(mark, Oval) and mark.dash:
        paint += f' stroke-dasharray="{" ".join(map(_n, mark.dash))}"'
    return f"<{shape}{paint}/>"


def _oval(mark: Oval) -> str:
    rx, ry = mark.width / 2, mark.height / 2
    centre = f'cx="{_n(mark.x + rx)}" cy="{_n(mark.y + ry)}"'
    return f'ellipse {centre} rx="{_n(rx)}" ry="{_n(ry)}"'


def _look(mark: Text) -> dict[str, str]:
    """Return how a text differs from the settings of the whole picture."""
    facts = {"font-size": _n(mark.size), "fill": mark.colour, "text-anchor": mark.anchor}
    facts["font-weight"] = "bold" if mark.bold else "normal"
    facts["font-style"] = "italic" if mark.italic else "normal"
    return {key: value for key, value in facts.items() if value not in DEFAULTS}


def _text(mark: Text, shared: dict[str, str]) -> str:
    look = {key: value for key, value in _look(mark).items() if key not in shared}
    facts = {"class": mark.role, "x": _n(mark.x), "y": _n(mark.y), **look}
    return f"<text{_attributes(facts)}>{escape(mark.text)}</text>"


def _path(start: Point, pieces: tuple[tuple[Point, ...], ...]) -> str:
    steps = [f"M{_n(start[0])} {_n(start[1])}"]
    for piece in pieces:
        points = " ".join(f"{_n(x)} {_n(y)}" for x, y in piece)
        steps.append(f"{'C' if len(piece) == 3 else 'L'}{points}")
    return "".join(steps)
