"""SVG: the marks of a picture as XML that browsers and notebooks show.

Every text is escaped, so a name can hold any character and nothing in it is taken for markup.
"""

from __future__ import annotations

from xml.sax.saxutils import escape, quoteattr

from gradlab.draw import style
from gradlab.draw.layout import Point
from gradlab.draw.marks import Group, Line, Mark, Oval, Picture, Rect, Text


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
        f"font-family={quoteattr(style.FONT_STACK)} "
        f'style="background:{style.BACKGROUND}">'
    )
    lines = [head, f"<title>{escape(picture.title or 'computation graph')}</title>"]
    lines.append(f'<rect width="{width}" height="{height}" fill="{style.BACKGROUND}"/>')
    lines.extend(_group(group) for group in picture.groups)
    return "\n".join([*lines, "</svg>", ""])


def _n(x: float) -> str:
    return f"{x:.2f}".rstrip("0").rstrip(".")


def _group(group: Group) -> str:
    title = f"<title>{escape(group.tooltip)}</title>" if group.tooltip else ""
    marks = "".join(map(_mark, group.marks))
    return f"<g id={quoteattr(group.id)} class={quoteattr(group.kind)}>{title}{marks}</g>"


def _mark(mark: Mark) -> str:
    if isinstance(mark, Text):
        return _text(mark)
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
        paint += f' stroke="{mark.stroke}" stroke-width="{_n(mark.line)}"'
    if not isinstance(mark, Oval) and mark.dash:
        paint += f' stroke-dasharray="{" ".join(map(_n, mark.dash))}"'
    return f"<{shape}{paint}/>"


def _oval(mark: Oval) -> str:
    rx, ry = mark.width / 2, mark.height / 2
    centre = f'cx="{_n(mark.x + rx)}" cy="{_n(mark.y + ry)}"'
    return f'ellipse {centre} rx="{_n(rx)}" ry="{_n(ry)}"'


def _text(mark: Text) -> str:
    look = ""
    if mark.anchor != "start":
        look += f' text-anchor="{mark.anchor}"'
    if mark.bold:
        look += ' font-weight="bold"'
    if mark.italic:
        look += ' font-style="italic"'
    return (
        f'<text class="{mark.role}" x="{_n(mark.x)}" y="{_n(mark.y)}" '
        f'font-size="{_n(mark.size)}" fill="{mark.colour}"{look}>{escape(mark.text)}</text>'
    )


def _path(start: Point, pieces: tuple[tuple[Point, ...], ...]) -> str:
    steps = [f"M{_n(start[0])} {_n(start[1])}"]
    for piece in pieces:
        points = " ".join(f"{_n(x)} {_n(y)}" for x, y in piece)
        steps.append(f"{'C' if len(piece) == 3 else 'L'}{points}")
    return "".join(steps)
