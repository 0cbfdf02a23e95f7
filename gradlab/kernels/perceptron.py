"""Rosenblatt's rule as one loop over the rows: look, compare, and correct only after a mistake.

Each row must see the weights that the row before it left behind, so NumPy cannot take the rows all
at once; the same text runs as plain Python while the data is small and under Numba when it is not.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np

# How many steps (a row seen by a unit counts features + 4) plain Python may take in one process
# before Numba is called in. Measured, one epoch of one unit on iris: NumPy row by row 350 us, this
# loop on lists 105 us (80 ns a step), under Numba 3 us. But importing Numba and loading the cached
# loop costs 0.7 s, about as much as eight million plain steps. So nobody waits much over twice the
# shortest possible time, and a lesson on iris (1,350 steps an epoch) starts at once. The results
# do not depend on it: both give the same bits.
PLAIN_STEPS = 8_000_000


def rosenblatt_epoch(
    X: Any, y: Any, w: Any, order: Any, eta: float, most_mistakes: int
) -> tuple[int, int]:
    """Show the rows ``X[order]`` to one threshold unit and correct it after each mistake.

    ``w += eta * (y - step(w.x)) * x``, with w (features,) changed in place; X is (rows, features)
    and y (rows,) holds 0.0 and 1.0, as lists or as arrays. A bias is the weight of a feature that
    is 1. Returns the rows seen and the mistakes made, and stops after ``most_mistakes``.

    >>> w = [0.0, 0.0]
    >>> rosenblatt_epoch([[1.0, 5.0], [1.0, 2.0]], [0.0, 1.0], w, [0, 1], 1.0, 2), w
    ((2, 2), [0.0, -3.0])
    """
    seen = mistakes = 0
    for i in order:
        seen += 1
        x = X[i]
        z = 0.0
        for j in range(len(w)):
            z += x[j] * w[j]
        # The step of gradlab.ops, inlined: a loop that Numba caches may not call into other files.
        error = y[i] - (1.0 if z >= 0.0 else 0.0)
        if error != 0.0:
            for j in range(len(w)):
                w[j] += eta * error * x[j]
            mistakes += 1
            if mistakes == most_mistakes:
                break
    return seen, mistakes


@functools.cache
def compiled_epoch() -> Callable[..., tuple[int, int]]:
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

    >>> units = Units(np.array([[1.0, 0.0], [1.0, 1.0]]), np.array([[0.0], [1.0]]), eta=1.0)
    >>> [units.epoch(np.array([0, 1])) for _ in range(4)]
    [[2], [1], [0], [0]]
    >>> units.weights()
    array([[-1.],
           [ 1.]])
    """

    steps = 0

    def __init__(self, X: np.ndarray, Y: np.ndarray, eta: float) -> None:
        # Memory is walked forwards: a row of X, and the targets and the weights of one unit.
        self.X: Any = np.ascontiguousarray(X)
        self.Y: Any = np.ascontiguousarray(Y.T)
        self.W: Any = np.zeros((Y.shape[1], X.shape[1]))
        self.eta = eta
        self.loop: Callable[..., tuple[int, int]] | None = None
        self.steps_per_row = X.shape[1] + 4
        Units.steps += Y.size * self.steps_per_row  # in advance: large data never become lists

    def epoch(self, order: np.ndarray) -> list[int]:
        """Show all rows in this order to every unit; return the mistakes of each."""
        return [self.learn(k, order) for k in range(len(self.W))]

    def learn(self, k: int, order: np.ndarray) -> int:
        """Show these rows to unit k and return its mistakes."""
        return self.show(k, order, self.eta, len(order))[1]

    def show(self, k: int, order: np.ndarray, eta: float, most_mistakes: int) -> tuple[int, int]:
        """Run the loop for unit k, on lists or on arrays; with eta = 0 it only counts."""
        loop = rosenblatt_epoch if Units.steps <= PLAIN_STEPS else compiled_epoch()
        if loop is not self.loop:  # Python reads lists three times faster than arrays
            convert = np.ndarray.tolist if loop is rosenblatt_epoch else np.asarray
            self.X, self.Y, self.W = map(convert, (self.X, self.Y, self.W))
            self.loop = loop
        seen, mistakes = loop(self.X, self.Y[k], self.W[k], order, eta, most_mistakes)
        Units.steps += seen * self.steps_per_row
        return seen, mistakes

    def weights(self) -> np.ndarray:
        """The weights learnt, (features, outputs)."""
        return np.array(self.W).T


class PocketUnits(Units):
    """Gallant's pocket algorithm: the best weights met on the way stay in the pocket.

    Best is: fewest mistakes on the training set. The learning goes on as before; each new set of
    weights gets a trial, which ends at the mistake that makes it no better than the pocket's.
    Source: S. I. Gallant, "Perceptron-based learning algorithms", 1990.
    """

    def __init__(self, X: np.ndarray, Y: np.ndarray, eta: float) -> None:
        super().__init__(X, Y, eta)
        self.every_row = np.arange(len(X))
        self.pocket: list[Any] = [None] * len(self.W)
        self.fewest = [len(X) + 1] * len(self.W)

    def learn(self, k: int, order: np.ndarray) -> int:
        """Show these rows to unit k, with a trial of its weights after each mistake."""
        mistakes = 0
        while len(order):
            self._try(k)
            seen, made = self.show(k, order, self.eta, 1)
            order, mistakes = order[seen:], mistakes + made
        return mistakes

    def weights(self) -> np.ndarray:
        """The weights in the pockets, (features, outputs), after a last trial."""
        for k in range(len(self.W)):
            self._try(k)
        return np.array(self.pocket).T

    def _try(self, k: int) -> None:
        made = self.show(k, self.every_row, 0.0, self.fewest[k])[1]
        if made < self.fewest[k]:
            self.pocket[k], self.fewest[k] = np.array(self.W[k]), made
