"""What a perceptron may be given: finite numbers, and labels that tell the rows apart.

One NaN in a sum makes every comparison false, silently; so the numbers are looked at before the
first sum is taken, and an error says which number it was and what to write instead.
"""

from __future__ import annotations

import math
import warnings
from typing import Any

import numpy as np

from gradlab.perceptron.estimator import known_to_sklearn


def check_rates(eta: Any, max_epochs: Any) -> None:
    """Refuse a learning rate or a number of epochs with which nothing would be learnt."""
    whole = isinstance(max_epochs, (int, np.integer)) and max_epochs > 0
    if not (whole and isinstance(eta, (int, float, np.number)) and 0 < eta < math.inf):
        raise ValueError(
            f"eta={eta!r}, max_epochs={max_epochs!r}\n"
            "expected a learning rate above 0 and a whole number of epochs, at least 1\n"
            "write Perceptron(eta=1.0, max_epochs=1000)"
        )


# ------------------------------------------------------------------------------------------- X


def read_rows(X: Any) -> np.ndarray:
    """X as finite float64 rows (rows, features), a copy.

    >>> read_rows([[1, 2]])
    array([[1., 2.]])
    """
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
    _check_shape(data)
    _check_finite(data)
    return data


def _check_shape(data: np.ndarray) -> None:
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


def _check_finite(data: np.ndarray) -> None:
    bad = np.argwhere(~np.isfinite(data))
    if len(bad):
        row, column = bad[0]
        value = "NaN" if np.isnan(data[row, column]) else "inf"
        raise ValueError(
            f"X holds {value} at row {row}, column {column} ({len(bad)} such numbers in all)\n"
            "expected finite numbers: one NaN in a sum makes every comparison false\n"
            "write X[np.isfinite(X).all(axis=1)] to drop such rows (and drop them from y too)"
        )


# ------------------------------------------------------------------------------------------- y


def read_targets(y: Any, rows: int) -> tuple[np.ndarray, np.ndarray, bool]:
    """The classes, the 0/1 targets (rows, outputs), and whether y already was such a matrix.

    >>> classes, Y, multilabel = read_targets(["b", "a", "b"], rows=3)
    >>> classes, Y.ravel(), multilabel
    (array(['a', 'b'], dtype='<U1'), array([1., 0., 1.]), False)
    """
    y = _one_label_per_row(y, rows)
    if y.ndim == 2 and y.shape[1] > 1:
        return np.array([0, 1]), _zeros_and_ones(y), True
    classes, codes = np.unique(y.ravel(), return_inverse=True)
    if len(classes) < 2:
        raise ValueError(
            f"y holds only one class: {classes[0]!r}\nexpected at least two classes\n"
            "write labels of both kinds; with one there is nothing to separate"
        )
    if len(classes) == 2:
        return classes, codes[:, None].astype(np.float64), False
    return classes, np.eye(len(classes))[codes], False


def _one_label_per_row(y: Any, rows: int) -> np.ndarray:
    if y is None:
        raise ValueError(
            "Perceptron requires y to be passed, but the target y is None\n"
            "expected one label per row of X\nwrite fit(X, y)"
        )
    y = np.asarray(y)
    if y.ndim not in (1, 2) or len(y) != rows or y.size == 0:
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
            known_to_sklearn("DataConversionWarning", UserWarning),
            stacklevel=4,
        )
    return y


def _zeros_and_ones(y: np.ndarray) -> np.ndarray:
    if not np.isin(y, (0, 1)).all():
        raise ValueError(
            f"the matrix y of shape {y.shape} holds labels out of range: "
            f"{np.setdiff1d(y, (0, 1))[:3].tolist()}\n"
            "expected only 0 and 1, one column per output\nwrite y > 0, or labels (rows,)"
        )
    return y.astype(np.float64)
