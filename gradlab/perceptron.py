"""Threshold units and the first rule that made them learn, with a proof of what they can learn.

A TLU draws one straight line; Rosenblatt's rule finds that line by correcting mistakes and stops,
provably, if there is one. If there is none, `separability` shows the rows that stand in the way.
No gradient is used: the slope of a step is zero everywhere and says nothing about the weights.

Source: deck 001, section 10.1.3; Rosenblatt (1958); Novikoff (1962).
"""

from __future__ import annotations

import inspect
import math
import sys
import warnings
from collections.abc import Callable
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

import numpy as np

from gradlab.kernels.perceptron import (
    PocketUnits,
    Units,
    lightest_mixture,
    settle,
    surely_positive,
    weighted_sums,
)
from gradlab.ops.activations import sign, step

__all__ = [
    "TLU",
    "Perceptron",
    "Separability",
    "add_bias_feature",
    "convergence_bound",
    "separability",
]

# ------------------------------------------------------------------------------ units that compute

STEP_FUNCTIONS: dict[str, Callable[..., Any]] = {"step": step, "sign": sign}


class TLU:
    """Threshold logic unit with weights you choose: ``step(w.x + b)``; several make a layer.

    The layer computes ``h(X) = phi(X W + b)``. weights: (features,) for one unit, (features,
    outputs) for a layer; bias: a number, or (outputs,). activation: "step" (Heaviside, H(0) = 1),
    "sign", or any function of an array. Called with one row (features,) or with many (rows,
    features). Source: deck 001, "Threshold Logic Unit" and "Perceptron Computation".

    >>> and_gate = TLU([1, 1], bias=-1.5)
    >>> and_gate([1, 1]), and_gate([1, 0])
    (1.0, 0.0)
    >>> and_and_or = TLU([[1, 1], [1, 1]], bias=[-1.5, -0.5])
    >>> and_and_or([[0, 0], [0, 1], [1, 1]])
    array([[0., 0.],
           [0., 1.],
           [1., 1.]])

    Raises:
        ValueError: weights, bias or input with the wrong shape, or an unknown activation name.
    """

    def __init__(
        self, weights: Any, bias: Any = 0.0, activation: str | Callable[..., Any] = "step"
    ) -> None:
        self.W = np.array(weights, dtype=np.float64)
        self.b = np.array(bias, dtype=np.float64)
        phi = STEP_FUNCTIONS.get(activation) if isinstance(activation, str) else activation
        if phi is None:
            raise ValueError(
                f"activation={activation!r} is not a step function\n"
                f"expected one of {sorted(STEP_FUNCTIONS)}, or a function of an array\n"
                'write TLU(weights, bias, activation="step")'
            )
        self.phi = phi
        if self.W.ndim not in (1, 2) or self.b.shape not in ((), self.W.shape[1:]):
            raise ValueError(
                f"weights of shape {self.W.shape} with a bias of shape {self.b.shape}\n"
                "expected weights (features,) and one bias, or (features, outputs) and (outputs,)\n"
                "write one weight per input: TLU([1, 1], bias=-1.5)"
            )

    def z(self, X: Any) -> Any:
        """The weighted sums ``z = X W + b``, before the step.

        >>> TLU([1, 1], bias=-1.5).z([1, 0])
        np.float64(-0.5)
        """
        X = np.asarray(X, dtype=np.float64)
        if X.ndim not in (1, 2) or X.shape[-1] != len(self.W):
            raise ValueError(
                f"input of shape {X.shape} for a TLU with {len(self.W)} weights per unit\n"
                f"expected one row ({len(self.W)},) or many (rows, {len(self.W)})\n"
                "write one number per weight; if the bias is a feature, use add_bias_feature(X)"
            )
        return X @ self.W + self.b

    def __call__(self, X: Any) -> Any:
        y = self.phi(self.z(X))
        return y if isinstance(y, np.ndarray) and y.ndim else float(y)

    def __repr__(self) -> str:
        name = getattr(self.phi, "name", None) or getattr(self.phi, "__name__", repr(self.phi))
        return f"TLU(weights={self.W.tolist()}, bias={self.b.tolist()}, activation={name})"


def add_bias_feature(X: Any) -> np.ndarray:
    """Put ``x_0 = 1`` before the features: (rows, features) -> (rows, 1 + features), float64.

    With it the bias is one more weight, ``w.x + b = w_0 x_0 + w_1 x_1 + ...`` with ``w_0 = b``, and
    Rosenblatt's rule for w contains the one for b. Source: deck 001, "Single TLU".

    >>> add_bias_feature([[5.0, 7.0]])
    array([[1., 5., 7.]])
    """
    X = _rows(X)
    return np.hstack([np.ones((len(X), 1)), X])


# -------------------------------------------------------------------------------- units that learn


class Perceptron:
    """A layer of TLUs that learns by Rosenblatt's rule: after a mistake, and only then,

        w <- w + eta (y - yhat) x        b <- b + eta (y - yhat)

    Two classes take one unit; k > 2 classes take k, each telling its class from the rest, and the
    largest z wins; a matrix y (rows, outputs) of 0s and 1s takes one unit per column. All weights
    start at zero. Stops after the first epoch without mistakes, or after `max_epochs`.

    eta scales all weights alike, so with this start it changes no prediction. fit_intercept=False
    leaves b at 0. shuffle=True shows the rows in a new order each epoch, drawn from random_state.
    pocket=True is for classes that no line separates: it returns the best weights met on the way
    (Gallant 1990). Give it shuffle=True: in a fixed order the rule runs in a small circle, and on
    XOR never meets weights that get three rows of four right. Follows the estimator conventions of
    scikit-learn, which need not be installed.

    After `fit`: W_ (features, outputs) and b_ (outputs,), classes_, n_features_in_ (and
    feature_names_in_ for a data frame), n_epochs_, converged_ (the last epoch made no mistake),
    mistakes_ (per epoch) and mistakes_per_unit_ (epochs, outputs).

    >>> X, y = [[0, 0], [0, 1], [1, 0], [1, 1]], [0, 0, 0, 1]
    >>> model = Perceptron().fit(X, y)
    >>> model.W_.ravel(), model.b_, model.mistakes_
    (array([2., 1.]), array([-3.]), [2, 3, 3, 2, 1, 0])
    >>> model.predict(X)
    array([0, 0, 0, 1])

    Source: deck 001, "Perceptron" and "Learning the Weights"; Rosenblatt, "The perceptron", 1958.
    """

    def __init__(
        self,
        eta: float = 1.0,
        *,
        max_epochs: int = 1000,
        fit_intercept: bool = True,
        shuffle: bool = False,
        random_state: Any = None,
        pocket: bool = False,
    ) -> None:
        self.eta = eta
        self.max_epochs = max_epochs
        self.fit_intercept = fit_intercept
        self.shuffle = shuffle
        self.random_state = random_state
        self.pocket = pocket

    def fit(self, X: Any, y: Any) -> Perceptron:
        """Learn from X (rows, features) and labels y (rows,), or 0/1 targets y (rows, outputs).

        Warns when `max_epochs` end without a perfect epoch (not with pocket=True). Raises
        ValueError or TypeError for NaN, infinity, strings, wrong shapes and continuous labels.
        """
        self._check_settings()
        data = _rows(X)
        classes, Y, multilabel = _targets(y, len(data))
        kind = PocketUnits if self.pocket else Units
        eta = float(self.eta)
        units = kind(data, Y, eta, eta if self.fit_intercept else 0.0)
        rng, order, mistakes = np.random.default_rng(self.random_state), np.arange(len(data)), []
        while len(mistakes) < self.max_epochs and (not mistakes or any(mistakes[-1])):
            mistakes.append(units.epoch(rng.permutation(order) if self.shuffle else order))
        W, b = units.weights()
        if not (np.isfinite(W).all() and np.isfinite(b).all()):
            raise ValueError(
                f"the weights grew to infinity: X holds values up to {np.abs(data).max():.3g}\n"
                "expected features whose sums and products stay below 1e308\n"
                "write X = X / abs(X).max() first"
            )
        self._remember_names(X)
        self.n_features_in_, self.classes_, self._multilabel = data.shape[1], classes, multilabel
        self.W_, self.b_ = W, b
        self.mistakes_per_unit_ = np.array(mistakes)
        self.mistakes_ = self.mistakes_per_unit_.sum(axis=1).tolist()
        self.n_epochs_, self.converged_ = len(mistakes), not any(mistakes[-1])
        if not (self.converged_ or self.pocket):
            self._warn_not_converged()
        return self

    def decision_function(self, X: Any) -> np.ndarray:
        """The weighted sums ``z = X W + b``: (rows,) for two classes, else (rows, outputs)."""
        z = weighted_sums(self._fitted_rows(X), self.W_, self.b_)
        return z[:, 0] if self._one_unit() else z

    def predict(self, X: Any) -> np.ndarray:
        """The class of every row (the unit that says 1, or the largest z), or the 0/1 outputs."""
        z = self.decision_function(X)
        if self._multilabel or self._one_unit():
            return self.classes_[step(z).astype(np.intp)]
        return self.classes_[z.argmax(axis=1)]

    def score(self, X: Any, y: Any) -> float:
        """The share of rows that `predict` gets entirely right."""
        right = self.predict(X) == np.asarray(y)
        return float(right.reshape(len(right), -1).all(axis=1).mean())

    def verdict(self, X: Any, y: Any) -> list[Separability]:
        """Whether this data can be learnt at all: one `Separability` per unit. Needs no `fit`.

        >>> [xor] = Perceptron().verdict([[0, 0], [0, 1], [1, 0], [1, 1]], [0, 1, 1, 0])
        >>> xor.separable
        False
        """
        data = _rows(X)
        classes, Y, multilabel = _targets(y, len(data))
        if multilabel:
            names = [(f"output {k} = 0", f"output {k} = 1") for k in range(Y.shape[1])]
        elif len(classes) == 2:
            names = [(f"class {classes[0]}", f"class {classes[1]}")]
        else:
            names = [("the rest", f"class {label}") for label in classes]
        positive = Y.T > 0
        return [
            _analyse(data, *unit, self.fit_intercept) for unit in zip(positive, names, strict=True)
        ]

    def explain(self, X: Any, y: Any) -> str:
        """What happened in `fit` on this same X and y, unit by unit, beside what had to happen.

        >>> X, y = [[0, 0], [0, 1], [1, 0], [1, 1]], [0, 0, 0, 1]
        >>> print(Perceptron().fit(X, y).explain(X, y))
        11 mistakes in 6 epochs, none in the last
        linearly separable: b = -0.7276 and w = [0.4851 0.4851] put every row on its side of z = 0
        no row comes nearer than gamma = 0.2425, none is further out than R = |(1, x)| = 1.732
        so Rosenblatt's rule makes at most (R / gamma)^2 = 51 mistakes, in any order
        """
        self._fitted_rows(X)
        made = self.mistakes_per_unit_
        lines = []
        for k, unit in enumerate(self.verdict(X, y)):
            name = f"{unit.names[1]}: " if made.shape[1] > 1 else ""
            epochs = f"in {self.n_epochs_} epochs, {made[-1, k] or 'none'} in the last"
            lines += [f"{name}{made[:, k].sum()} mistakes {epochs}", str(unit)]
        return "\n".join(lines)

    # What scikit-learn asks of an estimator, so that pipelines and searches accept this one.

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """The settings given to the constructor, by name."""
        return {name: getattr(self, name) for name in inspect.signature(type(self)).parameters}

    def set_params(self, **params: Any) -> Perceptron:
        """Change settings by name; they count from the next `fit` on."""
        known = self.get_params()
        if not params.keys() <= known.keys():
            raise ValueError(
                f"unknown settings {sorted(params.keys() - known.keys())} for Perceptron\n"
                f"expected some of {list(known)}\n"
                "write set_params(eta=0.1)"
            )
        for name, value in params.items():
            setattr(self, name, value)
        return self

    def __repr__(self) -> str:
        defaults = {n: p.default for n, p in inspect.signature(type(self)).parameters.items()}
        given = (f"{n}={v!r}" for n, v in self.get_params().items() if v is not defaults[n])
        return f"Perceptron({', '.join(given)})"

    def __sklearn_is_fitted__(self) -> bool:
        return hasattr(self, "W_")

    def __sklearn_tags__(self) -> Any:
        from sklearn.utils import ClassifierTags, Tags, TargetTags

        return Tags(
            estimator_type="classifier",
            target_tags=TargetTags(required=True),
            classifier_tags=ClassifierTags(multi_label=True),
        )

    def _check_settings(self) -> None:
        good_eta = isinstance(self.eta, (int, float, np.number)) and 0 < self.eta < math.inf
        if not (
            good_eta and isinstance(self.max_epochs, (int, np.integer)) and self.max_epochs > 0
        ):
            raise ValueError(
                f"eta={self.eta!r}, max_epochs={self.max_epochs!r}\n"
                "expected a learning rate above 0 and a whole number of epochs, at least 1\n"
                "write Perceptron(eta=1.0, max_epochs=1000)"
            )

    def _one_unit(self) -> bool:
        return not self._multilabel and len(self.b_) == 1

    def _warn_not_converged(self) -> None:
        warnings.warn(
            f"after {self.n_epochs_} epochs the last still made {self.mistakes_[-1]} mistakes\n"
            "either no line separates the classes, or more epochs are needed: see verdict(X, y)\n"
            "write Perceptron(pocket=True, shuffle=True) to keep the best, or raise max_epochs",
            _known_to_sklearn("ConvergenceWarning", UserWarning),
            stacklevel=3,
        )

    def _remember_names(self, X: Any) -> None:
        self.__dict__.pop("feature_names_in_", None)
        if (names := _column_names(X)) is not None:
            self.feature_names_in_ = names

    def _fitted_rows(self, X: Any) -> np.ndarray:
        if not self.__sklearn_is_fitted__():
            raise _known_to_sklearn("NotFittedError", NotFittedError)(
                "this Perceptron has no weights yet\nexpected a fitted one\nwrite fit(X, y) first"
            )
        names, known = _column_names(X), getattr(self, "feature_names_in_", None)
        if names is not None and known is not None and list(names) != list(known):
            raise ValueError(_compare_names(list(names), list(known)))
        X = _rows(X)
        if X.shape[1] != self.n_features_in_:
            raise ValueError(
                f"X has {X.shape[1]} features, but Perceptron is expecting {self.n_features_in_} "
                "features as input\n(the number it was fitted with)\nwrite the same columns in both"
            )
        return X


class NotFittedError(ValueError, AttributeError):
    """`predict` before `fit`, when scikit-learn's class of this name is not around."""


def _known_to_sklearn(name: str, ours: type) -> type:
    """scikit-learn's own class if the program has loaded it: then somebody may be catching it."""
    return getattr(sys.modules.get("sklearn.exceptions"), name, ours)


# ------------------------------------------------------------------------------- what can be learnt


@dataclass(frozen=True, eq=False)
class Separability:
    """The answer of `separability`, with its proof. ``print`` it to read why; `check` redoes it.

    separable is True, False, or None where rounding hides the answer. If True: w (features,) and b,
    with |(b, w)| = 1, and margin, the least distance gamma of a row from z = 0 in (1, x) space. If
    False: certificate, {row: lambda} in exact fractions that sum to 1, with which the rows (1, x),
    signed +1 and -1 by class, mix to zero. radius is R = max |(1, x)|.
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
        if not self.separable or self.margin <= 0:
            return math.inf
        return (self.radius / self.margin) ** 2

    def check(self) -> bool:
        """Redo the proof from the fields alone; False if it fails, or if nothing is claimed."""
        if self.w is not None:
            direction = np.append(self.b, self.w) if self.fit_intercept else self.w
            return surely_positive(_signed(self.X, self.positive, self.fit_intercept), direction)
        if self.certificate is None:
            return False
        points = _signed(self.X, self.positive, self.fit_intercept)
        columns = zip(*(points[i].tolist() for i in self.certificate), strict=True)
        shares = list(self.certificate.values())
        zero = all(
            sum(s * Fraction(p) for s, p in zip(shares, column, strict=True)) == 0
            for column in columns
        )
        return zero and sum(shares) == 1 and min(shares) >= 0

    def __str__(self) -> str:
        if self.separable:
            return (
                f"linearly separable: b = {self.b:.4g} and w = {_vector(self.w)} "
                "put every row on its side of z = 0\n"
                f"no row comes nearer than gamma = {self.margin:.4g}, "
                f"none is further out than R = |(1, x)| = {self.radius:.4g}\n"
                f"so Rosenblatt's rule makes at most (R / gamma)^2 = {self.bound:.6g} mistakes, "
                "in any order"
            )
        if self.separable is None:
            return (
                "undecided: neither a separating line nor a point common to both could be proved\n"
                "the classes touch to within the rounding of float64, or too many rows meet\n"
                "drop features that repeat others, scale the rest to similar sizes, and ask again"
            )
        return (
            "not linearly separable: no weights and bias are right on every row\n"
            f"{self._mixture(True)} of {self.names[1]} add up to\n"
            f"{self._mixture(False)} of {self.names[0]}\n"
            "and no line has that one point on both of its sides"
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
    data = _rows(X)
    classes, Y, multilabel = _targets(y, len(data))
    if multilabel or len(classes) != 2:
        raise ValueError(
            f"y holds {len(classes)} classes in {Y.shape[1]} outputs\n"
            "expected two classes, because a line has two sides\n"
            "write separability(X, y == label), or Perceptron().verdict(X, y) for all of them"
        )
    return _analyse(
        data, Y[:, 0] > 0, (f"class {classes[0]}", f"class {classes[1]}"), fit_intercept
    )


def convergence_bound(X: Any, y: Any, *, fit_intercept: bool = True) -> float:
    """The most mistakes Rosenblatt's rule can make from zero weights: ``(R / gamma)^2``.

    R is the largest |(1, x)|, gamma the best margin; infinity if no line separates the classes.
    Each mistake moves w at least eta gamma along the best direction, while |w|^2 grows by at most
    (eta R)^2: after k mistakes ``k gamma <= |w| / eta <= sqrt(k) R``. Source: A. B. J. Novikoff,
    "On convergence proofs on perceptrons", 1962.

    >>> X, y = [[0, 0], [0, 1], [1, 0], [1, 1]], [0, 0, 0, 1]
    >>> round(convergence_bound(X, y)), sum(Perceptron().fit(X, y).mistakes_)
    (51, 11)
    """
    return separability(X, y, fit_intercept=fit_intercept).bound


def _signed(X: np.ndarray, positive: np.ndarray, fit_intercept: bool) -> np.ndarray:
    A = add_bias_feature(X) if fit_intercept else X
    return np.where(positive, 1.0, -1.0)[:, None] * A


def _analyse(
    X: np.ndarray, positive: np.ndarray, names: tuple[str, str], fit_intercept: bool
) -> Separability:
    points = _signed(X, positive, fit_intercept)
    exponent = int(np.frexp(np.abs(points).max())[1])
    small = np.ldexp(points, -exponent)  # a power of two: exact, and squares can not overflow
    radius = float(np.ldexp(np.linalg.norm(small, axis=1).max(), exponent))
    known = {"radius": radius, "names": names, "X": X, "positive": positive}
    known["fit_intercept"] = fit_intercept
    mixture = lightest_mixture(small)
    direction: np.ndarray | None = _unit(mixture @ small)
    if not surely_positive(points, direction):
        direction, mixture = _second_look(small, positive, fit_intercept)
    if not surely_positive(points, direction):
        certificate, direction = settle(points, mixture)
        if certificate:
            return Separability(False, certificate=certificate, **known)
    direction = _unit(np.zeros(points.shape[1]) if direction is None else direction)
    margin = float(np.ldexp((small @ direction).min(), exponent))
    if margin <= 0 or not surely_positive(points, direction):
        return Separability(None, **known)
    b, w = (float(direction[0]), direction[1:]) if fit_intercept else (0.0, direction)
    return Separability(True, w=w, b=b, margin=margin, **known)


def _second_look(
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


def _unit(v: np.ndarray) -> np.ndarray:
    largest = np.abs(v).max()
    if not 0 < largest < math.inf:
        return np.zeros_like(v)
    return v / largest / np.linalg.norm(v / largest)


def _vector(v: np.ndarray | None) -> str:
    return np.array2string(np.asarray(v), precision=4, threshold=8)


def _share(share: Fraction) -> str:
    return str(share) if share.denominator < 1000 else f"{float(share):.4g}"


def _place(row: int, x: np.ndarray) -> str:
    return f"({', '.join(f'{value:g}' for value in x)})" if len(x) <= 4 else f"row {row}"


# ------------------------------------------------------------------------- looking at X and y


def _rows(X: Any) -> np.ndarray:
    """X as finite float64 rows (rows, features), or an error that says what to write instead."""
    if hasattr(X, "toarray"):
        raise TypeError(
            f"X is a sparse {type(X).__name__}\nexpected a dense array (rows, features)\n"
            "write X.toarray()"
        )
    given = np.asarray(X)
    if given.dtype.kind == "c":
        raise ValueError(
            "X is complex: Complex data not supported\nexpected real features\nwrite X.real"
        )
    try:
        data = given.astype(np.float64)
    except (TypeError, ValueError) as error:
        raise type(error)(
            f"X holds something that is no number: {error}\nexpected numbers only\n"
            "write a number for each category, or one 0/1 column per category"
        ) from None
    if data.ndim != 2:
        raise ValueError(
            f"X has shape {data.shape}\nexpected two dimensions, (rows, features)\n"
            "Reshape your data: X.reshape(1, -1) for one row, X.reshape(-1, 1) for one feature"
        )
    if data.size == 0:
        what = "0 sample(s)" if len(data) == 0 else "0 feature(s)"
        raise ValueError(
            f"X has {what} (shape={data.shape}) while a minimum of 1 is required.\n"
            "expected at least one row and one feature\nwrite X as one list per row: [[5.1, 3.5]]"
        )
    if not np.isfinite(data).all():
        bad = np.argwhere(~np.isfinite(data))
        row, column = bad[0]
        value = "NaN" if np.isnan(data[row, column]) else "inf"
        raise ValueError(
            f"X holds {value} at row {row}, column {column} ({len(bad)} such numbers in all)\n"
            "expected finite numbers: one NaN in a sum makes every comparison false\n"
            "write X[np.isfinite(X).all(axis=1)] to drop such rows (and drop them from y too)"
        )
    return data


def _targets(y: Any, rows: int) -> tuple[np.ndarray, np.ndarray, bool]:
    """The classes, the 0/1 targets (rows, outputs), and whether y already was such a matrix."""
    if y is None:
        raise ValueError(
            "Perceptron requires y to be passed, but the target y is None\n"
            "expected one label per row of X\nwrite fit(X, y)"
        )
    y = np.asarray(y)
    if y.ndim not in (1, 2) or len(y) != rows:
        raise ValueError(
            f"y has shape {y.shape} beside X with {rows} rows\n"
            f"expected ({rows},) labels, or ({rows}, outputs) of 0s and 1s\n"
            "write one label per row"
        )
    if y.dtype.kind in "fc" and not (np.isfinite(y).all() and (y == np.floor(y.real)).all()):
        raise ValueError(
            f"y holds {y[~(y == np.floor(y.real))].ravel()[:1]}: a continuous target, NaN or inf\n"
            "expected labels: whole numbers, booleans or strings (Unknown label type: continuous)\n"
            "write labels such as y > 0.5; a perceptron does not do regression"
        )
    if y.ndim == 2 and y.shape[1] == 1:
        warnings.warn(
            "A column-vector y was passed when a 1d array was expected: write y.ravel()",
            _known_to_sklearn("DataConversionWarning", UserWarning),
            stacklevel=3,
        )
        y = y.ravel()
    if y.ndim == 2:
        if not np.isin(y, (0, 1)).all():
            raise ValueError(
                f"the matrix y of shape {y.shape} holds labels out of range: "
                f"{np.setdiff1d(y, (0, 1))[:3].tolist()}\n"
                "expected only 0 and 1, one column per output\nwrite y > 0, or labels (rows,)"
            )
        return np.array([0, 1]), y.astype(np.float64), True
    classes, codes = np.unique(y, return_inverse=True)
    if len(classes) < 2:
        raise ValueError(
            f"y holds only one class: {classes[0]!r}\nexpected at least two classes\n"
            "write labels of both kinds; with one there is nothing to separate"
        )
    if len(classes) == 2:
        return classes, codes[:, None].astype(np.float64), False
    return classes, np.eye(len(classes))[codes], False


def _column_names(X: Any) -> np.ndarray | None:
    names = getattr(X, "columns", None)
    if names is None or not all(isinstance(name, str) for name in names):
        return None
    return np.array(list(names), dtype=object)


def _compare_names(names: list[str], known: list[str]) -> str:
    """What differs, in the words of scikit-learn, which its checks compare letter by letter."""
    lines = ["The feature names should match those that were passed during fit."]
    unseen, missing = sorted(set(names) - set(known)), sorted(set(known) - set(names))
    if unseen:
        lines += ["Feature names unseen at fit time:", *(f"- {name}" for name in unseen[:5])]
    if missing:
        lines += ["Feature names seen at fit time, yet now missing:"]
        lines += [f"- {name}" for name in missing[:5]]
    if not unseen and not missing:
        lines += ["Feature names must be in the same order as they were in fit."]
    return "\n".join(lines) + "\n"
