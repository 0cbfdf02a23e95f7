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

# How many steps (a row seen by a unit counts features + 4) plain Python may take before Numba is
# called in. Measured, one epoch of one unit on iris: NumPy row by row 260 us, this loop on lists
# 72 us (60 ns a step), under Numba 2 us. But importing Numba and loading the cached loop costs 0.46 s,
# about 1 s when it must be compiled first, and eight million plain steps cost those same 0.46 s. So
# no training takes much over twice the best choice, and iris (1,200 steps an epoch) starts at once.
PLAIN_STEPS = 8_000_000

EPS = float(np.finfo(np.float64).eps)
MOST_EXACT = 64  # points in an exact mixture: 64 of them in 62 features take XXX s to solve


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
    X (rows, features), y (rows,) of 0.0 and 1.0 and w (features,), changed in place, may be lists or
    arrays. Memory is walked forwards: a row of X and the weights of one unit are each contiguous.
    Returns the position behind the last row seen, the new bias, and the mistakes made; stops early
    after ``most_mistakes`` so that the pocket algorithm can look at the weights in between. With both
    rates 0 it only counts.
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

    X (rows, features) and Y (rows, outputs) are float64 arrays; they are only read.

    >>> units = Units(np.array([[0.0], [1.0]]), np.array([[0.0], [1.0]]), 1.0, 1.0)
    >>> [units.epoch(np.array([0, 1])) for _ in range(4)]
    [[1], [1], [1], [0]]
    """

    def __init__(self, X: np.ndarray, Y: np.ndarray, eta: float, bias_eta: float) -> None:
        self.rates = eta, bias_eta
        self.arrays = np.ascontiguousarray(X), np.ascontiguousarray(Y.T)
        self.W: Any = np.zeros((Y.shape[1], X.shape[1]))  # one row per unit
        self.b = [0.0] * Y.shape[1]
        self.steps = 0
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
        self.steps += rows * (features + 4) * outputs
        compiled_before = compiled_epoch.cache_info().currsize
        plain = self.steps <= PLAIN_STEPS and not compiled_before
        loop = rosenblatt_epoch if plain else compiled_epoch()
        if loop is not self.loop:
            self.loop = loop
            (self.X, self.Y), self.W, self.every_row = self.arrays, np.array(self.W), np.arange(rows)
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
    """Gallant's pocket algorithm with ratchet: the best weights met so far stay in the pocket.

    Weights earn a look by answering more rows in a row than those in the pocket did, and take their
    place only if they also make fewer mistakes on the whole training set. The learning itself goes
    on as before. Source: S. I. Gallant, "Perceptron-based learning algorithms", 1990.
    """

    def __init__(self, X: np.ndarray, Y: np.ndarray, eta: float, bias_eta: float) -> None:
        super().__init__(X, Y, eta, bias_eta)
        outputs = len(self.b)
        self.pocket = [(np.zeros(X.shape[1]), 0.0)] * outputs
        self.fewest = [len(X) + 1] * outputs
        self.run, self.pocket_run = [0] * outputs, [0] * outputs

    def weights(self) -> tuple[np.ndarray, np.ndarray]:
        """The pockets' weights (features, outputs) and biases (outputs,), after a last look."""
        for k, (w, b) in enumerate(zip(self.W, self.b, strict=True)):
            self._offer(k, w, b)
        return np.array([w for w, _ in self.pocket]).T.copy(), np.array([b for _, b in self.pocket])

    def _learn(self, k: int, order: Any) -> int:
        position = mistakes = 0
        while position < len(order):
            w, b, start = self.W[k].copy(), self.b[k], position
            position, made = self._show(k, order, start, 1)
            self.run[k] += position - start - made
            if self.run[k] > self.pocket_run[k]:
                self._offer(k, w, b)
            if made:
                self.run[k], mistakes = 0, mistakes + 1
        return mistakes

    def _offer(self, k: int, w: Any, b: float) -> None:
        rows = len(self.every_row)
        made = self.loop(self.X, self.Y[k], w, b, self.every_row, 0, rows, 0.0, 0.0)[2]
        if made < self.fewest[k]:
            self.pocket[k], self.fewest[k], self.pocket_run[k] = (w.copy(), b), made, self.run[k]


def lightest_mixture(points: np.ndarray) -> np.ndarray:
    """The mixture of points (n, d) that lies nearest to the origin, as weights (n,).

    ``min |sum_i lambda_i p_i|`` with all ``lambda_i >= 0`` and ``sum lambda_i = 1``: Wolfe's
    algorithm. Keep a few points whose nearest affine combination is a true mixture; add the point
    that lies furthest on the origin's side; while a weight turns negative, walk back to where it was
    zero and drop its point. Stops when no point lies nearer, or rounding leaves nothing to gain.
    Source: P. Wolfe, "Finding the nearest point in a polytope", 1976.

    >>> lightest_mixture(np.array([[1.0, 1.0], [1.0, -1.0], [3.0, 0.0]]))
    array([0.5, 0.5, 0. ])
    """
    kept = [int(np.argmin(np.einsum("ij,ij->i", points, points)))]
    shares = np.ones(1)
    for _ in range(100 * sum(points.shape)):
        nearest = shares @ points[kept]
        heights = points @ nearest
        lowest, square = int(np.argmin(heights)), nearest @ nearest
        if lowest in kept or square - heights[lowest] <= 1e-12 * square:
            break
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


def exact_mixture(points: np.ndarray, weights: np.ndarray) -> dict[int, Fraction] | None:
    """Weights near these that mix the points to exactly zero, in fractions; None if there are none.

    Every float is a fraction, so the equations ``sum lambda_i p_i = 0``, ``sum lambda_i = 1`` for
    the points with a positive weight are solved without rounding, by Gauss-Jordan elimination.

    >>> exact_mixture(np.array([[1.0], [-2.0], [5.0]]), np.array([0.7, 0.3, 0.0]))
    {0: Fraction(2, 3), 1: Fraction(1, 3)}
    """
    rows = np.flatnonzero(weights > 1e-12)
    if len(rows) > MOST_EXACT:
        return None
    unknowns = [[Fraction(value) for value in (*points[i].tolist(), 1.0)] for i in rows]
    wanted = [Fraction(0)] * points.shape[1] + [Fraction(1)]
    equations = [list(line) for line in zip(*unknowns, wanted, strict=True)]
    solution = _solve(equations, [Fraction(value) for value in weights[rows].tolist()])
    if solution is None or min(solution) < 0:
        return None
    return {int(i): share for i, share in zip(rows, solution, strict=True) if share}


def _solve(equations: list[list[Fraction]], guess: list[Fraction]) -> list[Fraction] | None:
    """Solve exactly; unknowns that the equations leave free keep their guess."""
    pivots: list[int] = []
    for column in range(len(guess)):
        done = len(pivots)
        found = next((r for r in range(done, len(equations)) if equations[r][column]), None)
        if found is None:
            continue
        equations[done], equations[found] = equations[found], equations[done]
        pivot = equations[done]
        pivot[:] = [value / pivot[column] for value in pivot]
        for line in equations:
            if line is not pivot and line[column]:
                factor = line[column]
                line[:] = [a - factor * p for a, p in zip(line, pivot, strict=True)]
        pivots.append(column)
    if any(line[-1] for line in equations[len(pivots) :]):
        return None  # the equations contradict each other
    free = set(range(len(guess))) - set(pivots)
    for line, column in zip(equations, pivots, strict=False):
        guess[column] = line[-1] - sum(line[j] * guess[j] for j in free)
    return guess


def surely_positive(points: np.ndarray, direction: np.ndarray) -> bool:
    """Whether ``p . direction > 0`` holds for every point, rounding errors ruled out.

    The sum of d products computed in floats is off by at most ``d eps sum |p_j direction_j|``
    (Higham, 2002, section 3.1); the few points closer to zero than that are redone in fractions.

    >>> surely_positive(np.array([[0.1, 0.2], [0.3, 0.6]]), np.array([2.0, -1.0]))
    False
    """
    sums = points @ direction
    slack = 2.0 * (len(direction) + 1) * EPS * (np.abs(points) @ np.abs(direction))
    if (sums < -slack).any():
        return False
    exact = [Fraction(value) for value in direction.tolist()]
    return all(
        sum(Fraction(p) * v for p, v in zip(point, exact, strict=True)) > 0
        for point in points[sums <= slack].tolist()
    )
