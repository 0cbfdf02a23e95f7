"""Can these points be mixed to zero, or does some direction have all of them on its positive side?

Exactly one of the two holds (Gordan, 1873). Wolfe's algorithm finds the answer in floats, fast; the
simplex method in whole numbers, and a sum whose rounding error is bounded, make it a proof.
"""

from __future__ import annotations

from fractions import Fraction

import numpy as np

EPS = float(np.finfo(np.float64).eps)
ZERO = 1e-14  # a share of a mixture below this is rounding
MOST_EXACT = 40  # rows mixed in whole numbers: 40 rows with 40 features take 1.2 s


# ---------------------------------------------------------------------------------------- in floats


def lightest_mixture(points: np.ndarray) -> np.ndarray:
    """The mixture of points (n, d) that lies nearest to the origin, as weights (n,).

    ``min |sum_i lambda_i p_i|`` with all ``lambda_i >= 0`` and ``sum lambda_i = 1``: Wolfe's
    algorithm. Keep a few points whose nearest affine combination is a true mixture, and add the
    point that lies furthest on the origin's side. Stops when no point lies nearer, or rounding
    leaves no gain. Source: P. Wolfe, "Finding the nearest point in a polytope", 1976.

    >>> lightest_mixture(np.array([[1.0, 1.0], [1.0, -1.0], [3.0, 0.0]]))
    array([0.5, 0.5, 0. ])
    """
    squares = np.einsum("ij,ij->i", points, points)
    kept, shares = [int(np.argmin(squares))], np.ones(1)
    rounding, before = 1e-26 * squares.max(), np.inf
    while True:
        nearest = shares @ points[kept]
        heights = points @ nearest
        lowest, square = int(np.argmin(heights)), nearest @ nearest
        gain = square - heights[lowest]
        if square <= rounding or square >= before or gain <= 1e-12 * square or lowest in kept:
            break
        before = square
        kept, shares = _add_point(points, [*kept, lowest], np.append(shares, 0.0))
    weights = np.zeros(len(points))
    weights[kept] = shares
    return weights


def _add_point(
    points: np.ndarray, kept: list[int], shares: np.ndarray
) -> tuple[list[int], np.ndarray]:
    """Move to the nearest affine combination; where that leaves the mixtures, drop a point."""
    while True:
        first, edges = points[kept[0]], points[kept[1:]] - points[kept[0]]
        rest = np.linalg.lstsq(edges.T, -first, rcond=None)[0]
        target = np.append(1.0 - rest.sum(), rest)
        leaving = target <= ZERO
        if not leaving.any():
            return kept, target
        # Walk towards the target until the first share is zero; that point goes.
        steps = shares[leaving] / np.maximum(shares[leaving] - target[leaving], 1e-300)
        shares = shares + min(1.0, steps.min()) * (target - shares)
        stay = shares > ZERO
        stay[np.flatnonzero(leaving)[np.argmin(steps)]] = False
        kept = [row for row, stays in zip(kept, stay, strict=True) if stays]
        shares = shares[stay] / shares[stay].sum()


# ---------------------------------------------------------------------------------------- as proofs


def surely_positive(points: np.ndarray, direction: np.ndarray) -> bool:
    """Whether ``p . direction > 0`` holds for every point, rounding errors ruled out.

    The sum of d products computed in floats is off by at most ``d eps sum |p_j direction_j|``
    (Higham, 2002, section 3.1); the few points closer to zero than that are redone in fractions.

    >>> surely_positive(np.array([[0.1, 0.2], [0.3, 0.6]]), np.array([2.0, -1.0]))
    False
    """
    with np.errstate(over="ignore", invalid="ignore"):
        sums = points @ direction
        slack = 2.0 * (len(direction) + 1) * EPS * (np.abs(points) @ np.abs(direction))
    if (sums < -slack).any():
        return False
    unclear = ~(sums > slack)  # written so that an overflow to NaN counts as unclear
    exact = [Fraction(value) for value in direction.tolist()]
    return all(
        sum(Fraction(p) * v for p, v in zip(point, exact, strict=True)) > 0
        for point in points[unclear].tolist()
    )


def surely_zero(points: np.ndarray, mixture: dict[int, Fraction]) -> bool:
    """Whether ``{row: share}`` is a mixture of the points that is zero, without any rounding.

    >>> surely_zero(np.array([[1.0], [-2.0]]), {0: Fraction(2, 3), 1: Fraction(1, 3)})
    True
    """
    shares = mixture.values()
    columns = zip(*(points[row].tolist() for row in mixture), strict=True)
    sums = (sum(s * Fraction(p) for s, p in zip(shares, c, strict=True)) for c in columns)
    return not any(sums) and sum(shares) == 1 and min(shares) >= 0


def settle(
    points: np.ndarray, mixture: np.ndarray
) -> tuple[dict[int, Fraction] | None, np.ndarray | None]:
    """A mixture of points (n, d) that is exactly zero, or a direction with p.v > 0 for all of them.

    Starts from the rows with a positive weight in the float ``mixture``: either they mix to zero,
    as {row: weight} in fractions, or some direction has all of them on its positive side; then the
    row furthest on the wrong side joins in. Returns (None, None) if more than MOST_EXACT rows are
    involved or no float direction will do.

    >>> settle(np.array([[1.0], [-2.0], [5.0]]), np.array([1.0, 0.0, 0.0]))[0]
    {0: Fraction(2, 3), 1: Fraction(1, 3)}
    """
    rows = np.flatnonzero(mixture > 1e-12).tolist()
    while len(rows) <= MOST_EXACT:
        shares, side = _mix_to_zero(_whole(points[rows].T))
        if shares is not None:
            return {row: share for row, share in zip(rows, shares, strict=True) if share}, None
        direction = np.array([float(v / max(map(abs, side))) for v in side])
        if surely_positive(points, direction):
            return None, direction
        heights = points @ direction
        heights[rows] = np.inf
        if heights.min() > 0:  # only the rounding of the direction to floats is in the way
            break
        rows.append(int(heights.argmin()))
    return None, None


def _whole(numbers: np.ndarray) -> list[list[int]]:
    """The numbers times the power of two that makes all of them whole: a float is such a ratio."""
    ratios = [[number.as_integer_ratio() for number in line] for line in numbers.tolist()]
    common = max(below for line in ratios for _, below in line)
    return [[above * (common // below) for above, below in line] for line in ratios]


def _mix_to_zero(columns: list[list[int]]) -> tuple[list[Fraction] | None, list[Fraction]]:
    """Weights of k points that mix to zero, or the direction that has all k on its positive side.

    ``columns`` holds one list of k whole numbers per coordinate. The first phase of the simplex
    method (Bland's rule) on ``sum lambda_i p_i = 0``, ``sum lambda_i = 1``, one row of the table
    each; the last row holds the reduced costs. All entries are over one denominator.
    """
    d, k = len(columns), len(columns[0])
    table = [[*column, *[0] * d, 0, 0] for column in columns]
    table.append([1] * k + [0] * d + [0, 1])
    for r, line in enumerate(table):
        line[k + r] = 1
    table.append([-sum(line[j] for line in table) for j in range(k)] + [0] * (d + 1) + [-1])
    basis, denominator = list(range(k, k + d + 1)), 1
    while min(table[-1][:k]) < 0:
        entering = next(j for j in range(k) if table[-1][j] < 0)
        leaving = _leaving_row(table, basis, entering, k)
        _pivot(table, leaving, entering, denominator)
        basis[leaving], denominator = entering, table[leaving][entering]
    if table[-1][-1]:
        return None, [Fraction(c, denominator) - 1 for c in table[-1][k : k + d]]
    solved = {j: Fraction(line[-1], denominator) for j, line in zip(basis, table, strict=False)}
    return [solved.get(j, Fraction(0)) for j in range(k)], []


def _leaving_row(table: list[list[int]], basis: list[int], entering: int, k: int) -> int:
    """The row whose share is the first to reach zero as the entering one grows."""
    return min(
        (r for r in range(len(basis)) if table[r][entering] > 0),
        key=lambda r: (Fraction(table[r][-1], table[r][entering]), basis[r] < k, basis[r]),
    )


def _pivot(table: list[list[int]], leaving: int, entering: int, denominator: int) -> None:
    """Put the entering share in place of the leaving one; divisions are exact (Bareiss, 1968)."""
    pivot = table[leaving]
    scale = pivot[entering]
    for r, line in enumerate(table):
        if r != leaving:
            factor = line[entering]
            pairs = zip(line, pivot, strict=True)
            table[r] = [(scale * a - factor * p) // denominator for a, p in pairs]
