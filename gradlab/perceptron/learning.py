"""Rosenblatt's rule: show the rows one by one, and correct the weights after each mistake.

If some line separates the classes, the mistakes come to an end, whatever the order of the rows. If
none does, they never end, and the pocket keeps the best weights met on the way.
"""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np

from gradlab.kernels.perceptron import PocketUnits, Units, weighted_sums
from gradlab.ops.activations import step
from gradlab.perceptron.checks import check_rates, read_rows, read_targets
from gradlab.perceptron.estimator import Estimator, known_to_sklearn
from gradlab.perceptron.units import add_bias_feature
from gradlab.perceptron.verdict import Separability, analyse


class Perceptron(Estimator):
    """A layer of TLUs that learns by Rosenblatt's rule: after a mistake, and only then,

        w <- w + eta (y - yhat) x        b <- b + eta (y - yhat)

    In the open, with eta = 1, and then in one line:

    >>> X, y = np.array([[0, 0], [0, 1], [1, 0], [1, 1]]), np.array([0, 0, 0, 1])
    >>> w, b = np.zeros(2), 0.0
    >>> for epoch in range(6):
    ...     for x, target in zip(X, y):
    ...         error = target - step(w @ x + b)
    ...         w, b = w + error * x, b + error
    >>> print(w, b)
    [2. 1.] -3.0
    >>> model = Perceptron().fit(X, y)
    >>> print(model.W_.ravel(), model.b_, model.mistakes_)
    [2. 1.] [-3.] [2, 3, 3, 2, 1, 0]
    >>> model.predict(X)
    array([0, 0, 0, 1])

    Two classes take one unit; k > 2 classes take k, each telling its class from the rest, and the
    largest z wins; a matrix y (rows, outputs) of 0s and 1s takes one unit per column. All weights
    start at zero. Stops after the first epoch without mistakes, or after `max_epochs`.

    eta scales all weights alike, so with this start it changes no prediction. fit_intercept=False
    leaves b at 0. shuffle=True shows the rows in a new order each epoch, drawn from random_state.
    pocket=True is for classes that no line separates: it returns the weights that were right on the
    most rows. The pocket shuffles unless you say shuffle=False, because Gallant draws his rows at
    random: rows sorted by class teach one class for a long time and then the other, and in a fixed
    order the rule runs in circles, on XOR without ever getting three rows of four right.

    After `fit`: W_ (features, outputs) and b_ (outputs,), classes_, n_features_in_ (and
    feature_names_in_ for a data frame), n_epochs_, converged_ (the last epoch made no mistake),
    mistakes_ (per epoch) and mistakes_per_unit_ (epochs, outputs). An `Estimator` in the sense of
    scikit-learn.

    Source: deck 001, "Perceptron" and "Learning the Weights"; Rosenblatt, "The perceptron", 1958;
    S. I. Gallant, "Perceptron-based learning algorithms", 1990.
    """

    def __init__(
        self,
        eta: float = 1.0,
        *,
        max_epochs: int = 1000,
        fit_intercept: bool = True,
        shuffle: bool | None = None,
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
        check_rates(self.eta, self.max_epochs)
        data = read_rows(X)
        classes, Y, multilabel = read_targets(y, len(data))
        W, b, mistakes = self._learn(data, Y)
        self._remember_columns(X, data.shape[1])
        self.classes_, self._multilabel = classes, multilabel
        self.W_, self.b_ = W, b
        self.mistakes_per_unit_ = mistakes
        self.mistakes_ = mistakes.sum(axis=1).tolist()
        self.n_epochs_, self.converged_ = len(mistakes), self.mistakes_[-1] == 0
        if not (self.converged_ or self.pocket):
            self._warn_not_converged()
        return self

    def _learn(self, X: np.ndarray, Y: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Show all rows, epoch after epoch, until none is a mistake; the bias is a weight."""
        kind = PocketUnits if self.pocket else Units
        units = kind(add_bias_feature(X) if self.fit_intercept else X, Y, float(self.eta))
        shuffle = self.pocket if self.shuffle is None else self.shuffle
        rng, order, mistakes = np.random.default_rng(self.random_state), np.arange(len(X)), []
        for _ in range(self.max_epochs):
            mistakes.append(units.epoch(rng.permutation(order) if shuffle else order))
            if not any(mistakes[-1]):
                break
        W = units.weights()
        if not np.isfinite(W).all():
            raise ValueError(
                f"the weights grew to infinity: X holds values up to {np.abs(X).max():.3g}\n"
                "expected features whose sums and products stay below 1e308\n"
                "write X = X / abs(X).max() first"
            )
        b, W = (W[0], W[1:]) if self.fit_intercept else (np.zeros(Y.shape[1]), W)
        return W, b, np.array(mistakes)

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
        data = read_rows(X)
        classes, Y, multilabel = read_targets(y, len(data))
        if multilabel:
            names = [(f"output {k} = 0", f"output {k} = 1") for k in range(Y.shape[1])]
        elif len(classes) == 2:
            names = [(f"class {classes[0]}", f"class {classes[1]}")]
        else:
            names = [("the rest", f"class {label}") for label in classes]
        units = zip(Y.T > 0, names, strict=True)
        return [analyse(data, positive, pair, self.fit_intercept) for positive, pair in units]

    def explain(self, X: Any, y: Any) -> str:
        """What happened in `fit` on this same X and y, unit by unit, beside what had to happen.

        >>> X, y = [[0, 0], [0, 1], [1, 0], [1, 1]], [0, 0, 0, 1]
        >>> print(Perceptron().fit(X, y).explain(X, y))
        11 mistakes in 6 epochs, none in the last
        linearly separable: b = -0.7276 and w = [0.4851 0.4851] put every row on its side of z = 0
        no row comes nearer than gamma = 0.2425, none is further out than R = |(1, x)| = 1.732
        so Rosenblatt's rule makes at most floor((R / gamma)^2) = 51 mistakes, in any order
        """
        self._fitted_rows(X)
        made, lines = self.mistakes_per_unit_, []
        for k, unit in enumerate(self.verdict(X, y)):
            name = f"{unit.names[1]}: " if made.shape[1] > 1 else ""
            epochs = f"in {self.n_epochs_} epochs, {made[-1, k] or 'none'} in the last"
            lines += [f"{name}{made[:, k].sum()} mistakes {epochs}", str(unit)]
        return "\n".join(lines)

    def _fitted_rows(self, X: Any) -> np.ndarray:
        self._check_fitted()
        data = read_rows(X)
        self._check_columns(X, data.shape[1])
        return data

    def _one_unit(self) -> bool:
        return not self._multilabel and len(self.b_) == 1

    def _warn_not_converged(self) -> None:
        warnings.warn(
            f"after {self.n_epochs_} epochs the last still made {self.mistakes_[-1]} mistakes\n"
            "either no line separates the classes, or more epochs are needed: see verdict(X, y)\n"
            "write Perceptron(pocket=True) to keep the best weights, or raise max_epochs",
            known_to_sklearn("ConvergenceWarning", UserWarning),
            stacklevel=3,
        )
