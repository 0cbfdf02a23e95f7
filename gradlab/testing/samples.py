"""Numbers and arrays at which gradients go wrong, drawn by Hypothesis.

Normally distributed numbers never meet a kink, a tie, an empty array or a transposed one; these do,
and Hypothesis shrinks whatever fails to the smallest array with the roundest numbers.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from hypothesis import strategies as st
from hypothesis.errors import InvalidArgument
from hypothesis.extra import numpy as hnp

from gradlab.entry import Interval
from gradlab.testing.domain import from_text

Strategy = st.SearchStrategy
Shape = tuple[int, ...]

# In the order of shrinking: what a reader would try first stands first.
SIMPLE = [0.0, *(sign * k for k in range(1, 11) for sign in (1.0, -1.0)), 0.5, -0.5]
EXTREME = [20.0, -20.0, 1e5, -1e5, 1e-7, -1e-7, 1e-300, -1e-300, -0.0]
BESIDE = [0.0, 1e-3, -1e-3, 1e-7, -1e-7, 1.0, -1.0]  # a kink, and how far from it to look
MODERATE = 20.0  # beyond this most activations are flat and exp takes over all sums
_SIZES = np.logspace(-12, 5, 200)
GRID = np.concatenate([np.linspace(-MODERATE, MODERATE, 4001) + 0.00037, _SIZES, -_SIZES])
EMPTY = 4  # drawn for a side of 0: an array with one element explains more than one without
RANKS = (0, 1, 2, 3)
LAYOUTS = ("C order", "read-only", "Fortran order", "strided", "reversed")


# -------------------------------------------------------------------------- numbers and arrays


def numbers(
    domain: Any = None, kinks: Sequence[float] = (), dtype: Any = "float64"
) -> Strategy[float]:
    """Floats with everything interesting among them, all of them inside the domain.

    Whole numbers and so ties; kinks and points 1, 1e-3, 1e-7 and one rounding beside them; large,
    tiny and subnormal ones; and any float up to 20, or further out if the domain begins there.

    >>> from hypothesis import find
    >>> find(numbers(domain="x > 2.5"), lambda x: x != 3.0)
    4.0

    Args:
        domain: as in `gradcheck`; one that speaks of whole arrays does not restrict single numbers.
        kinks: points where the slope of the function jumps.

    Raises:
        ValueError: no number that was tried lies in the domain.
    """
    where = _parsed(domain)
    inside = _elementwise(where)
    # Not the smallest of all: beside that one no step is small enough to measure a slope.
    subnormal = float(np.finfo(dtype).tiny) / 1024.0
    special = [*SIMPLE, *around(kinks), *_ends(where), *EXTREME, subnormal, -subnormal]
    special = np.array(special).astype(dtype).astype(float)
    special = special[inside(special)].tolist()
    grid = _inside(domain, dtype)
    moderate = grid[np.abs(grid) <= MODERATE] if np.abs(grid).min() <= MODERATE else grid

    def pulled_inside(x: float) -> float:
        x = float(np.asarray(x).astype(dtype))
        return x if inside(np.array([x]))[0] else float(grid[np.abs(grid - x).argmin()])

    wide = st.floats(moderate[0], moderate[-1], allow_subnormal=False).map(pulled_inside)
    return st.sampled_from(special) | wide if special else wide


def _inside(domain: Any, dtype: Any) -> np.ndarray:
    """Numbers of the domain in order, to start from."""
    where = _parsed(domain)
    grid = np.concatenate([GRID, _between(where)]).astype(dtype).astype(float)
    grid = np.sort(grid[_elementwise(where)(grid)])
    if not grid.size:
        raise ValueError(
            f"domain={domain!r}: none of {GRID.size} numbers from -1e5 to 1e5 lies in it\n"
            'expected a condition that some of them meet, such as "x > 0"\n'
            'write an interval such as "(0, 0.001)" if it is very narrow'
        )
    return grid


def typical(domain: Any = None) -> list[float]:
    """Three ordinary numbers of a domain: a function that refuses them refuses everything.

    >>> [round(x) for x in typical("(0, inf)")]
    [4, 9, 15]
    """
    grid = _inside(domain, "float64")
    return [float(grid[len(grid) * k // 4]) for k in (1, 2, 3)]


def around(kinks: Sequence[float]) -> list[float]:
    beside = [kink + offset for kink in kinks for offset in BESIDE]
    return beside + [float(np.nextafter(kink, side)) for kink in kinks for side in (-9e9, 9e9)]


def _parsed(domain: Any) -> Any:
    return (
        from_text(domain) if isinstance(domain, str) else Interval() if domain is None else domain
    )


def _holds(domain: Any, array: np.ndarray) -> Any:
    """Whether an array lies in a domain: element by element or as a whole, as the domain says."""
    if not isinstance(domain, Interval):
        with np.errstate(all="ignore"):
            return domain(array)
    above = array >= domain.low if domain.low_in else array > domain.low
    below = array <= domain.high if domain.high_in else array < domain.high
    return above & below & (True if domain.hole is None else array != domain.hole)


def _elementwise(domain: Any) -> Callable[[np.ndarray], np.ndarray]:
    """The domain as a test of single numbers; everything passes if it speaks of whole arrays."""
    pair = np.array([0.25, 0.75])
    try:
        speaks_of_one = np.shape(_holds(domain, pair)) == pair.shape
    except IndexError:  # as x[0, 1] > 0
        speaks_of_one = False

    def inside(x: np.ndarray) -> np.ndarray:
        return np.asarray(_holds(domain, x)) if speaks_of_one else np.full(x.shape, True)

    return inside


def _ends(domain: Any) -> list[float]:
    ends = [domain.low, domain.high] if isinstance(domain, Interval) else []
    return around([end for end in ends if np.isfinite(end)])


def _between(domain: Any) -> np.ndarray:
    """A grid of its own for a narrow interval."""
    if isinstance(domain, Interval) and np.isfinite(domain.high - domain.low):
        return np.linspace(domain.low, domain.high, 101)
    return np.array([])


def any_shape(ranks: Sequence[int] = RANKS) -> Strategy[Shape]:
    """Shapes with one of these numbers of axes, of up to three elements each."""
    each = (hnp.array_shapes(min_dims=n, max_dims=n, max_side=EMPTY) for n in ranks)
    return st.one_of(*each).map(_with_empty)


def _with_empty(shape: Shape) -> Shape:
    return tuple(0 if side == EMPTY else side for side in shape)


def arrays(
    shape: Shape | Strategy[Shape] | None = None,
    *,
    domain: Any = None,
    kinks: Sequence[float] = (),
    dtype: Any = "float64",
) -> Strategy[np.ndarray]:
    """Arrays of such `numbers`, of any shape and in any memory layout.

    Without a shape: up to three axes of up to three elements, 0-d and empty arrays included. The
    layouts are in `LAYOUTS`. A domain that speaks of whole arrays, as in ``"x.sum() > 0"``, is met
    by drawing again.

    >>> from hypothesis import find
    >>> find(arrays((2, 3)), lambda x: x.max() > x.min())
    array([[0., 0., 0.],
           [0., 0., 1.]])
    """
    fitting = any_shape() if shape is None else shape
    if not isinstance(fitting, Strategy):
        fitting = st.just(tuple(fitting))
    return _arrays(fitting, numbers(domain, kinks, dtype), _parsed(domain), dtype)


@st.composite
def _arrays(
    draw: st.DrawFn, shape: Strategy[Shape], elements: Strategy[float], domain: Any, dtype: Any
) -> np.ndarray:
    def meets_domain(array: np.ndarray) -> bool:
        return bool(np.all(_holds(domain, array)))

    array = draw(hnp.arrays(dtype, draw(shape), elements=elements).filter(meets_domain))
    return relaid(array, draw(st.sampled_from(LAYOUTS)))


def relaid(array: np.ndarray, layout: str) -> np.ndarray:
    """Return the same numbers arranged otherwise in memory, in one of the `LAYOUTS`.

    >>> relaid(np.array([1.0, 2.0]), "reversed").strides
    (-8,)
    """
    if layout == "read-only":
        array = array.copy()
        array.flags.writeable = False
    elif layout == "Fortran order":
        array = np.array(array, order="F")
    elif layout == "strided" and array.ndim:
        array = np.repeat(array, 2, axis=-1)[..., ::2]
    elif layout == "reversed" and array.ndim:
        array = np.flip(np.flip(array).copy())
    return array


def shapes(wanted: Any = None) -> Strategy[list[Shape | None]]:
    """The shapes of a call's arguments, drawn as `falsify` is asked for them.

    A gufunc signature names the axes: ``"(n,m),(m,k)->(n,k)"`` draws matrices that can be
    multiplied. One without any name, ``"(),()->()"``, stands for elementwise functions and draws
    shapes that broadcast.

    >>> from hypothesis import find
    >>> find(shapes("(n,m),(m)->(n)"), lambda shapes: max(shapes[0]) > 1)
    [(1, 2), (2,)]

    Args:
        wanted: None, one array of any shape; a tuple of shapes, these; or a gufunc signature.

    Raises:
        ValueError: it is none of these.
    """
    if wanted is None:
        return st.just([None])
    if isinstance(wanted, str):
        named = any(letter.isalpha() for letter in wanted)
        drawn = hnp.mutually_broadcastable_shapes(
            signature=wanted.replace(" ", ""), max_dims=0 if named else 3, max_side=EMPTY
        )
        with contextlib.suppress(InvalidArgument):
            drawn.validate()
            return drawn.map(_input_shapes)
    elif all(isinstance(shape, tuple | list) for shape in wanted):
        return st.just([tuple(shape) for shape in wanted])
    raise ValueError(
        f"shapes={wanted!r}\nexpected a tuple of shapes, or a signature with one bracket for each\n"
        'write shapes=((2, 3), (3,)), or shapes="(n,m),(m)->(n)", or for one array ((2, 3),)'
    )


def _input_shapes(drawn: Any) -> list[Shape | None]:
    return [_with_empty(shape) for shape in drawn.input_shapes]
