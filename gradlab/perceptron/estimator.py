"""The manners of a scikit-learn estimator: settings by name, columns by name, errors by name.

With them the perceptron works inside pipelines and grid searches. Nothing here is about
perceptrons, and scikit-learn need not be installed.
"""

from __future__ import annotations

import inspect
import sys
from typing import Any, Self

import numpy as np


class NotFittedError(ValueError, AttributeError):
    """`predict` before `fit`, when scikit-learn's class of this name is not around."""


def known_to_sklearn(name: str, ours: type) -> type:
    """scikit-learn's own class if the program has loaded it: then somebody may be catching it."""
    return getattr(sys.modules.get("sklearn.exceptions"), name, ours)


class Estimator:
    """A classifier whose constructor stores its settings and whose `fit` sets `n_features_in_`."""

    n_features_in_: int

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """The settings given to the constructor, by name."""
        return {name: getattr(self, name) for name in inspect.signature(type(self)).parameters}

    def set_params(self, **params: Any) -> Self:
        """Change settings by name; they count from the next `fit` on."""
        known = self.get_params()
        if not params.keys() <= known.keys():
            raise ValueError(
                f"unknown settings {sorted(params.keys() - known.keys())} for "
                f"{type(self).__name__}\nexpected some of {list(known)}\n"
                f"write set_params({next(iter(known))}=...)"
            )
        for name, value in params.items():
            setattr(self, name, value)
        return self

    def __repr__(self) -> str:
        defaults = {n: p.default for n, p in inspect.signature(type(self)).parameters.items()}
        given = (f"{n}={v!r}" for n, v in self.get_params().items() if v is not defaults[n])
        return f"{type(self).__name__}({', '.join(given)})"

    def __sklearn_is_fitted__(self) -> bool:
        return hasattr(self, "n_features_in_")

    def __sklearn_tags__(self) -> Any:
        from sklearn.utils import ClassifierTags, Tags, TargetTags

        return Tags(
            estimator_type="classifier",
            target_tags=TargetTags(required=True),
            classifier_tags=ClassifierTags(multi_label=True),
        )

    def _remember_columns(self, X: Any, count: int) -> None:
        self.n_features_in_ = count
        self.__dict__.pop("feature_names_in_", None)
        if (names := _column_names(X)) is not None:
            self.feature_names_in_ = np.array(names, dtype=object)

    def _check_columns(self, X: Any, count: int) -> None:
        """Refuse an X whose columns are not those of `fit`."""
        names, known = _column_names(X), getattr(self, "feature_names_in_", None)
        if names is not None and known is not None and names != list(known):
            raise ValueError(_compare_names(names, list(known)))
        if count != self.n_features_in_:
            raise ValueError(
                f"X has {count} features, but {type(self).__name__} is expecting "
                f"{self.n_features_in_} features as input\n"
                "(the number it was fitted with)\nwrite the same columns in both"
            )

    def _check_fitted(self) -> None:
        if not self.__sklearn_is_fitted__():
            raise known_to_sklearn("NotFittedError", NotFittedError)(
                f"this {type(self).__name__} has no weights yet\n"
                "expected a fitted one\nwrite fit(X, y) first"
            )


def _column_names(X: Any) -> list[str] | None:
    """The column names of a data frame, if they are all text."""
    names = getattr(X, "columns", None)
    if names is None or not all(isinstance(name, str) for name in names):
        return None
    return list(names)


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
