"""Every colour, size and border of a drawing, in one place.

What is computed forward is cool and dark, what belongs to a derivative is warm; shape and border
tell the kinds apart without colour.
"""

from __future__ import annotations

import dataclasses

FONT = "DejaVu Sans"
FONT_STACK = "'DejaVu Sans', Verdana, Arial, sans-serif"
TEXT = 11.0  # font sizes and lengths are in points, which are also the units of the SVG
SMALL = 9.5
TITLE = 14.0
LINE = 15.0  # distance between the baselines of two rows

BACKGROUND = "#ffffff"  # also on a dark notebook page: the colours below are chosen for white
INK = "#1f2933"
MUTED = "#5b6875"
DERIVATIVE = "#98480c"
EDGE = "#8592a0"

PADDING = (9.0, 7.0)  # between the text of a box and its border
COLUMN_GAP = 8.0  # between "data" and the number
MARGIN = 18.0  # around the picture
NAME_LENGTH = 28  # longer names are shortened; the tooltip has more of them
TOOLTIP_LENGTH = 400

GAPS = (6.0, 12.0, 20.0)  # side by side: two edges, an edge and a box, two boxes
TIGHT_GAP = 16.0  # between an operator and its result
LAYER_GAP = (28.0, 100.0)  # between two layers: the least, and the most when edges are steep
LAYER_GAP_SLOPE = 0.25  # share of an edge's sideways distance that its layer gap grows by
PORT_GAP = 8.0  # between two edges arriving at the same operator
PORT_ROOM = 0.74  # share of an operator's side where edges may arrive
LEAD = 9.0  # straight piece before a box, where the arrow head is
EDGE_WIDTH = 1.2
ARROW = (7.0, 3.1)  # length and half the width of an arrow head


@dataclasses.dataclass(frozen=True)
class Look:
    """How one kind of vertex is drawn."""

    fill: str
    stroke: str
    width: float = 1.0
    radius: float = 0.0
    oval: bool = False
    double: bool = False
    dash: tuple[float, float] | None = None
    ink: str = INK


LOOKS = {
    "leaf": Look(fill="#eaf1f9", stroke="#376a9f", width=1.8, radius=1.5),
    "result": Look(fill="#ffffff", stroke="#8491a0", radius=8.0),
    "output": Look(fill="#edf6ef", stroke="#2c7a4b", width=1.2, radius=8.0, double=True),
    "constant": Look(fill="#f5f5f2", stroke="#8d8d84", dash=(3.0, 2.2), ink="#45453f"),
    "operator": Look(fill="#fdf2df", stroke="#b9822b", oval=True, ink="#5b3a06"),
    "cut": Look(fill="#ffffff", stroke="#ffffff", ink=MUTED),
}
