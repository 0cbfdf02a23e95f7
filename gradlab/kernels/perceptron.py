"""Rosenblatt's rule as one loop over the rows: look, compare, and correct only after a mistake.

Each row must see the weights that the row before it left behind, so NumPy cannot take the rows all
at once; the same text runs as plain Python while the data is small and under Numba when it is not.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from fractions import Fraction
from typing import Any

import numpy as np

# How many steps (a row seen by a unit counts features + 4) plain Python may take in one process
# before Numba is called in. Measured, one epoch of one unit on iris: NumPy row by row 260 us, this
# loop on lists 72 us (60 ns a step), under Numba 2 us. But importing Numba and loading the cached
# loop costs 0.46 s, about 1 s when it must be compiled first; eight million plain steps cost those
# same 0.46 s. So nobody waits much over twice the shortest possible time, and a lesson on iris
# (1,200 steps an epoch) starts at once. The results do not depend on it: both give the same bits.
PLAIN_STEPS = 8_000_000

EPS = float(np.finfo(np.float64).eps)
MOST_EXACT = 40  # rows mixed in whole numbers: 40 rows with 40 features take 1.2 s


def rosenblatt_epoch(
    X: Any,
    y: Any,
    w: Any,
    b: float,
    order: Any,
    start: int,
    most_mistakes: int,
    eta: float,
    bias_eta: float,
) -> tuple[int, float, int]:
    """Show the rows ``order[start:]`` to one threshold unit and correct it after each mistake.

    ``w += eta * (y - step(z)) * x`` and ``b += bias_eta * (y - step(z))``, with ``z = w.x + b``.
    X (rows, features), y (rows,) of 0.0 and 1.0 and w (features,), changed in place, may be lists
    or arrays. Under Numba the numbers stay unboxed and memory is walked forwards: a row of X and
    the weights of one unit are each contiguous. Returns the position behind the last row seen, the
    new bias, and the mistakes made; stops early after ``most_mistakes`` so that the pocket
    algorithm can look at the weights in between. With both rates 0 it only counts.
    """
    mistakes = 0
    for position in range(start, len(order)):
        i = order[position]
        x = X[i]
        z = b
        for j in range(len(w)):
            z += x[j] * w[j]
        # The step of gradlab.ops, inlined: a loop that Numba caches may not call into other files.
        error = y[i] - (1.0 if z >= 0.0 else 0.0)
        if error != 0.0:
            for j in range(len(w)):
                w[j] += eta * error * x[j]
            b += bias_eta * error
            mistakes += 1
            if mistakes == most_mistakes:
                return position + 1, b, mistakes
    return len(order), b, mistakes


@functools.cache
def compiled_epoch() -> Callable[..., tuple[int, float, int]]:
    """``rosenblatt_epoch`` under Numba; the plain function itself when NUMBA_DISABLE_JIT is set."""
    import numba

    try:
        return numba.njit(cache=True)(rosenblatt_epoch)
    except RuntimeError:  # no folder to cache in: compile once per process instead
        return numba.njit(rosenblatt_epoch)


def weighted_sums(X: np.ndarray, W: np.ndarray, b: np.ndarray) -> np.ndarray:
    """XW + b, added up in the order of the loop above.

    A matrix product may round differently, and at z = 0 the last bit decides: then a perceptron
    that ended an epoch without mistakes would make one when asked to predict.

    >>> weighted_sums(np.array([[1.0, 2.0]]), np.array([[3.0], [4.0]]), np.array([0.5]))
    array([[11.5]])
    """
    z = np.tile(b, (len(X), 1))
    for x_j, w_j in zip(X.T, W, strict=True):
        z += x_j[:, None] * w_j
    return z


class Units:
    """The threshold units of a perceptron while they learn, all starting from zero weights.

    X (rows, features) and Y (rows, outputs) are float64 arrays; they are only read. The class keeps
    count of the steps taken by all units of this process.

    >>> units = Units(np.array([[0.0], [1.0]]), np.array([[0.0], [1.0]]), 1.0, 1.0)
    >>> [units.epoch(np.array([0, 1])) for _ in range(4)]
    [[2], [1], [0], [0]]
    """

    steps = 0

    def __init__(self, X: np.ndarray, Y: np.ndarray, eta: float, bias_eta: float) -> None:
        self.rates = eta, bias_eta
        self.arrays = np.ascontiguousarray(X), np.ascontiguousarray(Y.T)
        self.W: Any = np.zeros((Y.shape[1], X.shape[1]))  # one row per unit
        self.b = [0.0] * Y.shape[1]
        self.loop: Any = None

    def epoch(self, order: np.ndarray) -> list[int]:
        """Show all rows in this order to every unit; return the mistakes of each."""
        self._choose_loop()
        shown = order.tolist() if isinstance(self.W, list) else order
        return [self._learn(k, shown) for k in range(len(self.b))]

    def weights(self) -> tuple[np.ndarray, np.ndarray]:
        """The weights (features, outputs) and biases (outputs,) learnt."""
        return np.array(self.W).T.copy(), np.array(self.b)

    def _choose_loop(self) -> None:
        (rows, features), outputs = self.arrays[0].shape, len(self.b)
        Units.steps += rows * (features + 4) * outputs
        loop = rosenblatt_epoch if Units.steps <= PLAIN_STEPS else compiled_epoch()
        if loop is not self.loop:
            self.loop = loop
            (self.X, self.Y), self.W, self.every_row = (
                self.arrays,
                np.array(self.W),
                np.arange(rows),
            )
            if loop is rosenblatt_epoch:  # Python reads lists three times faster than arrays
                self.X, self.Y, self.W = self.X.tolist(), self.Y.tolist(), self.W.tolist()
                self.every_row = range(rows)

    def _learn(self, k: int, order: Any) -> int:
        return self._show(k, order, 0, len(order))[1]

    def _show(self, k: int, order: Any, start: int, most_mistakes: int) -> tuple[int, int]:
        stop, self.b[k], mistakes = self.loop(
            self.X, self.Y[k], self.W[k], self.b[k], order, start, most_mistakes, *self.rates
        )
        return stop, mistakes


class PocketUnits(Units):
    """Gallant's pocket algorithm: the best weights met on the way stay in the pocket.

    Best is: fewest mistakes on the training set. The learning goes on as before; each new set of
    weights gets a trial, which ends at the mistake that makes it no better than the pocket's.
    Source: S. I. Gallant, "Perceptron-based learning algorithms", 1990.
    """

    def __init__(self, X: np.ndarray, Y: np.ndarray, eta: float, bias_eta: float) -> None:
        super().__init__(X, Y, eta, bias_eta)
        self.pocket = [(np.zeros(X.shape[1]), 0.0)] * len(self.b)
        self.fewest = [len(X) + 1] * len(self.b)

    def weights(self) -> tuple[np.ndarray, np.ndarray]:
        """The pockets' weights (features, outputs) and biases (outputs,), after a last trial."""
        for k in range(len(self.b)):
            self._offer(k)
        return np.array([w for w, _ in self.pocket]).T.copy(), np.array([b for _, b in self.pocket])

    def _learn(self, k: int, order: Any) -> int:
        position = mistakes = 0
        while position < len(order):
            self._offer(k)
            position, made = self._show(k, order, position, 1)
            mistakes += made
        return mistakes

    def _offer(self, k: int) -> None:
        w, b, fewest = self.W[k], self.b[k], self.fewest[k]
        made = self.loop(self.X, self.Y[k], w, b, self.every_row, 0, fewest, 0.0, 0.0)[2]
        if made < fewest:
            self.pocket[k], self.fewest[k] = (w.copy(), b), made


def lightest_mixture(points: np.ndarray) -> np.ndarray:
    """The mixture of points (n, d) that lies nearest to the origin, as weights (n,).

    ``min |sum_i lambda_i p_i|`` with all ``lambda_i >= 0`` and ``sum lambda_i = 1``: Wolfe's
    algorithm. Keep a few points whose nearest affine combination is a true mixture; add the point
    that lies furthest on the origin's side; while a weight turns negative, walk back to where it
    was zero and drop its point. Stops when no point lies nearer, or rounding leaves no gain.
    Source: P. Wolfe, "Finding the nearest point in a polytope", 1976.

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
    while True:
        first, edges = points[kept[0]], points[kept[1:]] - points[kept[0]]
        rest = np.linalg.lstsq(edges.T, -first, rcond=None)[0]
        target = np.append(1.0 - rest.sum(), rest)
        if target.min() > 1e-14:
            return kept, target
        leaving = target <= 1e-14
        steps = shares[leaving] / np.maximum(shares[leaving] - target[leaving], 1e-300)
        shares = shares + min(1.0, steps.min()) * (target - shares)
        stay = shares > 1e-14
        stay[np.flatnonzero(leaving)[np.argmin(steps)]] = False
        kept = [row for row, stays in zip(kept, stay, strict=True) if stays]
        shares = shares[stay] / shares[stay].sum()


def settle(
    points: np.ndarray, mixture: np.ndarray
) -> tuple[dict[int, Fraction] | None, np.ndarray | None]:
    """A mixture of points (n, d) that is exactly zero, or a direction with p.v > 0 for all of them.

    Exactly one of the two exists (Gordan, 1873). Starts from the rows with a positive weight in the
    float ``mixture``: either they mix to zero, as {row: weight} in fractions, or some direction has
    all of them on its positive side; then the row furthest on the wrong side joins in. Returns
    (None, None) if more than MOST_EXACT rows are involved or no float direction will do.

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
        rows.append(int(heights.argmin()))
        if heights.min() > 0:  # only the rounding of the direction to floats is in the way
            break
    return None, None


def _whole(numbers: np.ndarray) -> list[list[int]]:
    """The numbers times the power of two that makes all of them whole: a float is such a ratio."""
    ratios = [[number.as_integer_ratio() for number in line] for line in numbers.tolist()]
    common = max(below for line in ratios for _, below in line)
    return [[above * (common // below) for above, below in line] for line in ratios]


def _mix_to_zero(columns: list[list[int]]) -> tuple[list[Fraction] | None, list[Fraction]]:
    """Weights of k points that mix to zero, or the direction that has all k on its positive side.

    ``columns`` holds one list of k whole numbers per coordinate. The simplex method (first phase,
    Bland's rule) on ``sum lambda_i p_i = 0``, ``sum lambda_i = 1``, in whole numbers: all entries
    are over the same denominator, the last pivot, so every division comes out even (Bareiss, 1968).
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
        leaving = min(
            (r for r in range(d + 1) if table[r][entering] > 0),
            key=lambda r: (Fraction(table[r][-1], table[r][entering]), basis[r] < k, basis[r]),
        )
        pivot = table[leaving]
        scale = pivot[entering]
        for r, line in enumerate(table):
            if r != leaving:
                pairs, factor = zip(line, pivot, strict=True), line[entering]
                table[r] = [(scale * a - factor * p) // denominator for a, p in pairs]
        basis[leaving], denominator = entering, scale
    if table[-1][-1]:
        return None, [Fraction(c, denominator) - 1 for c in table[-1][k : k + d]]
    solved = {j: Fraction(table[r][-1], denominator) for r, j in enumerate(basis)}
    return [solved.get(j, Fraction(0)) for j in range(k)], []


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
