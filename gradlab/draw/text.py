"""How wide a text is, and how a value becomes a short text.

Boxes fit their text because the text is measured with the font that draws it: DejaVu Sans, which
comes with matplotlib.
"""

from __future__ import annotations

import functools
import math
import os
from typing import Any

import numpy as np

from gradlab.draw import style

FEW = 6  # arrays of up to this many numbers are written out


@functools.cache
def _font(bold: bool) -> Any:
    # Straight to the font file: matplotlib.font_manager would search the system's fonts first.
    import matplotlib
    from matplotlib.ft2font import FT2Font

    file = "DejaVuSans-Bold.ttf" if bold else "DejaVuSans.ttf"
    font = FT2Font(os.path.join(matplotlib.get_data_path(), "fonts", "ttf", file))
    font.set_size(100, 72)
    return font


@functools.cache
def _advance(character: str, bold: bool) -> float:
    """Return the width of a character, as a multiple of the font size."""
    font = _font(bold)
    if font.get_char_index(ord(character)) == 0:
        return 1.3  # not in the font: the reader's own will draw it, at most about this wide
    return font.load_char(ord(character)).linearHoriAdvance / 65536 / 100


def width(text: str, size: float = style.TEXT, bold: bool = False) -> float:
    """Return the width of a line of text, in points.

    >>> round(width("grad", 10.0), 1)
    22.9
    """
    return size * sum(_advance(character, bold) for character in text)


def clean(text: Any, length: int = style.NAME_LENGTH) -> str:
    r"""Return a text as one line of printable characters, shortened to ``length``.

    >>> clean("first\nsecond"), clean("x" * 50, 8)
    ('first second', 'xxxxxxx…')
    """
    text = str(text)[: 2 * length]  # enough to tell that it was longer
    if not text.isprintable():
        text = "".join(c if c.isprintable() else " " for c in text)
    text = " ".join(text.split())
    return text if len(text) <= length else text[: length - 1].rstrip() + "…"


def number(x: Any, digits: int = 4) -> str:
    """Return a number with a fixed count of decimals, or in powers of ten if that says little.

    >>> number(0.76), number(-0.0), number(1.5e-7), number(float("nan")), number(3)
    ('0.7600', '0.0000', '1.5e-07', 'nan', '3')
    """
    if not isinstance(x, float | np.floating):
        return clean(x)
    x = float(x) + 0.0  # turns -0.0 into 0.0
    if not math.isfinite(x):
        return str(x)
    if x == 0.0 or 10.0 ** (1 - digits) <= abs(x) < 1e4:
        return f"{x:.{digits}f}"
    return f"{x:.{digits - 1}g}"


def brief(x: Any) -> str:
    """Return a number in three significant digits.

    >>> brief(0.5776), brief(1.0), brief(-2.5)
    ('0.578', '1', '-2.5')
    """
    return f"{float(x) + 0.0:.3g}"


def shape(array: np.ndarray) -> str:
    """Return shape and dtype.

    >>> shape(np.zeros((2, 3), "float32"))
    '(2, 3) float32'
    """
    return f"{array.shape} {array.dtype}"


def numbers(array: np.ndarray) -> str:
    """Return the numbers of a small array, the range of a large one.

    >>> numbers(np.array([[1.0, 0.25]])), numbers(np.arange(8.0))
    ('[[1, 0.25]]', '0 … 7')
    """
    if array.size == 0:
        return "empty"
    plain = array.dtype.kind in "fiub"
    if array.ndim == 0:
        return number(array[()])
    if array.size > FEW:
        return f"{brief(array.min())} … {brief(array.max())}" if plain else "…"
    return _nested(array.tolist(), brief if array.dtype.kind == "f" else clean)


def _nested(values: Any, write: Any) -> str:
    # As deep as the array has axes, which NumPy limits to 64.
    if isinstance(values, list):
        return f"[{', '.join(_nested(v, write) for v in values)}]"
    return write(values)
