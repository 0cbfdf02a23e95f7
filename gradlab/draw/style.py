"""Every colour, size and border of a drawing, in one place.

What is computed forward is cool and dark, what belongs to a derivative is warm; shape and border
tell the kinds apart without colour.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterable

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
WEIGHT_WIDTH = (0.7, 3.4)  # of a line that shows a weight: at 0, and at the largest in the picture
POSITIVE = "#2b6cb0"
NEGATIVE = "#b8500c"
NEGATIVE_DASH = (5.0, 2.6)
CIRCLE = 30.0  # least diameter of a neuron
NEURON_GAP = 16.0  # between two neurons of a layer
CELL = 11.0  # side of one square of a heat map
CELL_GAP = 5.0  # above a heat map
CELL_BORDER = "#b8c0c8"
NO_NUMBER = "#444c54"  # fill of a cell that is nan
HALO = 6.0  # how far the ground of a group reaches beyond its boxes and lines
TINTS = ("#d3e3f7", "#dcedc8", "#f9dcc6", "#e6d6f0", "#fbeaa8", "#cbe9e5")  # grounds of groups
ARROW = (7.0, 3.1)  # length and half the width of an arrow head


@dataclasses.dataclass(frozen=True)
class Look:
    """How one kind of vertex is drawn."""

    fill: str
    stroke: str
    width: float = 1.0
    radius: float = 0.0
    oval: bool = False
    circle: bool = False  # an oval as wide as it is high
    double: bool = False
    dash: tuple[float, float] | None = None
    ink: str = INK


LOOKS = {
    "leaf": Look(fill="#eaf1f9", stroke="#376a9f", width=1.8, radius=1.5),
    "result": Look(fill="#ffffff", stroke="#8491a0", radius=8.0),
    "output": Look(fill="#edf6ef", stroke="#2c7a4b", width=1.2, radius=8.0, double=True),
    "constant": Look(fill="#f5f5f2", stroke="#8d8d84", dash=(3.0, 2.2), ink="#45453f"),
    "operator": Look(fill="#fdf2df", stroke="#b9822b", oval=True, ink="#5b3a06"),
    "cut": Look(fill="none", stroke="none", ink=MUTED),
    "group": Look(fill="#efecf7", stroke="#65558f", width=1.8, radius=3.0, double=True),
    "layer": Look(fill="#fdf2df", stroke="#b9822b", radius=3.0, ink="#5b3a06"),
    "neuron": Look(fill="#fdf2df", stroke="#b9822b", oval=True, circle=True, ink="#5b3a06"),
    "input": Look(fill="#eaf1f9", stroke="#376a9f", width=1.8, oval=True, circle=True),
    "heading": Look(fill="none", stroke="none", ink=MUTED),
    "bias": Look(fill="#f5f5f2", stroke="#8d8d84", oval=True, circle=True, ink="#45453f"),
}


def heat(x: float, largest: float) -> str:
    """Return the colour of a number in a heat map: white at 0, full at plus or minus ``largest``.

    >>> heat(0.0, 2.0), heat(2.0, 2.0) == POSITIVE, heat(float("nan"), 2.0) == NO_NUMBER
    ('#ffffff', True, True)
    """
    if x != x:
        return NO_NUMBER
    share = 0.0 if x == 0.0 else min(1.0, abs(x) / largest) if largest else 1.0
    full = POSITIVE if x > 0 else NEGATIVE
    parts = [int(full[k : k + 2], 16) for k in (1, 3, 5)]
    return "#" + "".join(f"{round(255 + share * (part - 255)):02x}" for part in parts)


Stroke = tuple[str, float, tuple[float, float] | None]  # colour, width, dash


def heaviest(weights: Iterable[float | None]) -> float:
    """Return the largest size of a weight in a picture; 0 if there is none."""
    return max((abs(w) for w in weights if w is not None and math.isfinite(w)), default=0.0)


def stroke(weight: float | None, largest: float) -> Stroke:
    """Return how an edge is drawn: a weight shows its size as width, a negative one is broken.

    >>> stroke(-1.0, 1.0), stroke(0.0, 1.0)
    (('#b8500c', 3.4, (5.0, 2.6)), ('#2b6cb0', 0.7, None))
    """
    if weight is None or not math.isfinite(weight):
        return EDGE, EDGE_WIDTH, None
    share = abs(weight) / largest if largest else 0.0
    width = (1 - share) * WEIGHT_WIDTH[0] + share * WEIGHT_WIDTH[1]
    return (NEGATIVE, width, NEGATIVE_DASH) if weight < 0 else (POSITIVE, width, None)
