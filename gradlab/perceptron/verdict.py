"""Can a line separate the classes? If so, after how many mistakes; if not, which rows forbid it.

Either answer carries its proof, a line or a mixture of rows, which `Separability.check` redoes in
exact arithmetic from the data alone.
"""

from __future__ import annotations

import functools
import math
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

import numpy as np

from gradlab.perceptron.checks import read_rows, read_targets
from gradlab.perceptron.mixture import lightest_mixture, settle, surely_positive, surely_zero
from gradlab.perceptron.units import add_bias_feature


@dataclass(frozen=True, eq=False)
class Separability:
    """The answer of `separability`, with its proof. ``print`` it to read why; `check` redoes it.

    separable is True, False, or None where rounding hides the answer. If True: w (features,) and b,
    with |(b, w)| = 1, and margin, the least distance gamma of a row from z = 0 in (1, x) space. If
    False: certificate, {row: lambda} in exact fractions that sum to 1, with which the rows (1, x),
    signed +1 and -1 by class, mix to zero. radius is R = max |(1, x)|. Where fit_intercept is
    False, read x for (1, x).
    """

    separable: bool | None
    radius: float
    names: tuple[str, str]
    X: np.ndarray = field(repr=False)
    positive: np.ndarray = field(repr=False)
    fit_intercept: bool = True
    w: np.ndarray | None = None
    b: float = 0.0
    margin: float = math.nan
    certificate: dict[int, Fraction] | None = None

    @property
    def bound(self) -> float:
        """(R / gamma)^2: Rosenblatt's rule makes no more mistakes; infinity if not separable."""
        ratio = self.radius / self.margin if self.separable else math.inf
        return ratio * ratio  # unlike **, a product may overflow to infinity

    def check(self) -> bool:
        """Redo the proof from the fields alone; False if it fails, or if nothing is claimed."""
        points = _signed(self.X, self.positive, self.fit_intercept)
        if self.w is not None:
            direction = np.append(self.b, self.w) if self.fit_intercept else self.w
            return surely_positive(points, direction)
        return self.certificate is not None and surely_zero(points, self.certificate)

    def __str__(self) -> str:
        if self.separable is None:
            return (
                "undecided: neither a separating line nor a point common to both could be proved\n"
                "the classes touch to within the rounding of float64, or too many rows meet\n"
                "drop features that repeat others, scale the rest to similar sizes, and ask again"
            )
        if not self.separable:
            return (
                "not linearly separable: no weights and bias are right on every row\n"
                f"{self._mixture(True)} of {self.names[1]} add up to\n"
                f"{self._mixture(False)} of {self.names[0]}\n"
                "and no line has that one point on both of its sides"
            )
        w, x = np.array2string(np.asarray(self.w), precision=4, threshold=8), "(1, x)"
        most = np.floor(self.bound * (1 + 1e-9))  # 51 may have been rounded to 50.999...
        return (
            f"linearly separable: b = {self.b:.4g} and w = {w} put every row on its side of z = 0\n"
            f"no row comes nearer than gamma = {self.margin:.4g}, none is further out than "
            f"R = |{x if self.fit_intercept else 'x'}| = {self.radius:.4g}\n"
            f"so Rosenblatt's rule makes at most floor((R / gamma)^2) = {most:.15g} mistakes, "
            "in any order"
        )

    def _mixture(self, positive: bool) -> str:
        assert self.certificate is not None
        whole = 2 if self.fit_intercept else 1  # with a bias, each class holds half of the weights
        terms = [
            f"{_share(share * whole)} {_place(i, self.X[i])}"
            for i, share in self.certificate.items()
            if self.positive[i] == positive
        ]
        return " + ".join(terms) or "nothing"


def separability(X: Any, y: Any, *, fit_intercept: bool = True) -> Separability:
    """Can one TLU separate these two classes? A verdict that carries its proof.

    Let ``p_i = (1, x_i)`` with its sign turned for the class that sorts first. The point nearest to
    the origin among the mixtures of the p_i settles it: if it is not zero, it is the separating
    direction with the largest margin gamma; if it is zero, no direction has all ``p_i.v > 0``
    (Gordan's theorem). Floats find the candidate, exact arithmetic proves it; what can not be
    proved is reported as undecided, never guessed.

    X: (rows, features), y: (rows,) with two different labels. fit_intercept=False asks for a line
    through the origin, with no row on it.

    >>> xor = separability([[0, 0], [0, 1], [1, 0], [1, 1]], [0, 1, 1, 0])
    >>> print(xor)
    not linearly separable: no weights and bias are right on every row
    1/2 (0, 1) + 1/2 (1, 0) of class 1 add up to
    1/2 (0, 0) + 1/2 (1, 1) of class 0
    and no line has that one point on both of its sides
    >>> xor.check()
    True

    Raises:
        ValueError, TypeError: as `Perceptron.fit`, or not exactly two labels.

    Source: P. Gordan, 1873; P. Wolfe, "Finding the nearest point in a polytope", 1976.
    """
    data = read_rows(X)
    classes, Y, multilabel = read_targets(y, len(data))
    if multilabel or len(classes) != 2:
        raise ValueError(
            f"y holds {len(classes)} classes in {Y.shape[1]} outputs\n"
            "expected two classes, because a line has two sides\n"
            "write separability(X, y == label), or Perceptron().verdict(X, y) for all of them"
        )
    names = f"class {classes[0]}", f"class {classes[1]}"
    return analyse(data, Y[:, 0] > 0, names, fit_intercept)


def convergence_bound(X: Any, y: Any, *, fit_intercept: bool = True) -> float:
    """The most mistakes Rosenblatt's rule can make from zero weights: ``(R / gamma)^2``.

    R is the largest |(1, x)|, gamma the best margin; infinity if no line separates the classes.
    Each mistake moves w at least eta gamma along the best direction, while |w|^2 grows by at most
    (eta R)^2: after k mistakes ``k gamma <= |w| / eta <= sqrt(k) R``. Source: A. B. J. Novikoff,
    "On convergence proofs on perceptrons", 1962.

    >>> X, y = [[0, 0], [0, 1], [1, 0], [1, 1]], [0, 0, 0, 1]  # the perceptron makes 11 mistakes
    >>> round(convergence_bound(X, y))
    51
    """
    return separability(X, y, fit_intercept=fit_intercept).bound


def analyse(
    X: np.ndarray, positive: np.ndarray, names: tuple[str, str], fit_intercept: bool
) -> Separability:
    """`separability` for checked rows, with True in ``positive`` (rows,) for the class of 1."""
    points = _signed(X, positive, fit_intercept)
    exponent = int(np.frexp(np.abs(points).max())[1])
    small = np.ldexp(points, -exponent)  # a power of two: exact, and squares can not overflow
    radius = float(np.ldexp(np.linalg.norm(small, axis=1).max(), exponent))
    verdict = functools.partial(
        Separability,
        radius=radius,
        names=names,
        X=X,
        positive=positive,
        fit_intercept=fit_intercept,
    )
    direction, certificate = _prove(points, small, positive, fit_intercept)
    if certificate:
        return verdict(False, certificate=certificate)
    margin = float(np.ldexp((small @ direction).min(), exponent))
    if margin <= 0 or not surely_positive(points, direction):
        return verdict(None)
    b, w = (float(direction[0]), direction[1:]) if fit_intercept else (0.0, direction)
    return verdict(True, w=w, b=b, margin=margin)


def _prove(
    points: np.ndarray, small: np.ndarray, positive: np.ndarray, fit_intercept: bool
) -> tuple[np.ndarray, dict[int, Fraction] | None]:
    """A direction that may separate the points (zero if none was found), or a certificate."""
    mixture = lightest_mixture(small)
    direction = _unit(mixture @ small)
    if surely_positive(points, direction):
        return direction, None
    direction, mixture = _rescaled(small, positive, fit_intercept)
    if surely_positive(points, direction):
        return direction, None
    certificate, found = settle(points, mixture)
    return np.zeros_like(direction) if found is None else _unit(found), certificate


def _rescaled(
    points: np.ndarray, positive: np.ndarray, fit_intercept: bool
) -> tuple[np.ndarray, np.ndarray]:
    """A direction and a mixture from centred and rescaled features.

    Features far from zero or of very different sizes cost digits; the same rows separate, or mix to
    zero with the same weights, after centring and rescaling. Only the margin found is not the best.
    """
    signs = np.where(positive, 1.0, -1.0)[:, None]
    rows = points * signs
    A = rows.copy()
    if fit_intercept:
        A[:, 1:] -= rows[:, 1:].mean(axis=0)
    sizes = np.abs(A).max(axis=0)
    sizes[sizes == 0] = 1.0
    mixture = lightest_mixture(A / sizes * signs)
    with np.errstate(over="ignore", invalid="ignore"):
        direction = (mixture * signs[:, 0]) @ (A / sizes) / sizes
        if fit_intercept and positive.any() and not positive.all():
            heights = rows[:, 1:] @ direction[1:]
            direction[0] = -(heights[positive].min() + heights[~positive].max()) / (2 * A[0, 0])
    return _unit(direction), mixture


def _signed(X: np.ndarray, positive: np.ndarray, fit_intercept: bool) -> np.ndarray:
    """The rows (1, x), or x without a bias, turned by class: v separates them if all p.v > 0."""
    A = add_bias_feature(X) if fit_intercept else X
    return np.where(positive, 1.0, -1.0)[:, None] * A


def _unit(v: np.ndarray) -> np.ndarray:
    largest = np.abs(v).max()
    if not 0 < largest < math.inf:
        return np.zeros_like(v)
    return v / largest / np.linalg.norm(v / largest)


def _share(share: Fraction) -> str:
    return str(share) if share.denominator < 1000 else f"{float(share):.4g}"


def _place(row: int, x: np.ndarray) -> str:
    return f"({', '.join(f'{value:g}' for value in x)})" if len(x) <= 4 else f"row {row}"
