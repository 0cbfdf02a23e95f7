"""A hypermodel: how to build a model from hyperparameters, and how to train it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from gradlab.keras.model import Model
from gradlab.keras.tuner.errors import FatalValueError
from gradlab.keras.tuner.hyperparameters import HyperParameters


class HyperModel:
    """Base of your own: override `build`, and `fit` if there is something to choose there too.

    Args:
        name: for your own use.
        tunable: False takes the defaults of everything that is not given beforehand.

    >>> from gradlab import keras
    >>> class Net(HyperModel):
    ...     def build(self, hp):
    ...         units = hp.Int("units", 16, 64)
    ...         model = keras.Sequential([keras.layers.Dense(units), keras.layers.Dense(1)])
    ...         model.compile(loss="mse", optimizer="sgd")
    ...         return model
    ...
    ...     def fit(self, hp, model, *args, **kwargs):
    ...         return model.fit(*args, batch_size=hp.Choice("batch_size", [8, 32]), **kwargs)
    >>> Net().build(HyperParameters()).layers[0].units
    16
    """

    def __init__(self, name: str | None = None, tunable: bool = True) -> None:
        self.name, self.tunable = name, tunable

    def build(self, hp: HyperParameters) -> Any:
        """Return a compiled model.

        Args:
            hp: ask it for every number that is to be searched for.
        """
        raise NotImplementedError(
            f"{type(self).__name__} has no method build\nexpected one that returns a model\n"
            "write def build(self, hp): ..."
        )

    def fit(self, hp: HyperParameters, model: Any, *args: Any, **kwargs: Any) -> Any:
        """Train the model.

        Args:
            hp: as in `build`.
            model: what `build` has returned.
            args, kwargs: those of ``search``, with ``callbacks`` of the tuner among them.

        Returns:
            A History, a dict of numbers, or a number to be made as small as possible.
        """
        return model.fit(*args, **kwargs)


class BuiltBy(HyperModel):
    """The hypermodel of a function that builds a model."""

    def __init__(self, build: Callable[[HyperParameters], Any]) -> None:
        super().__init__()
        self.build = build  # type: ignore[method-assign]


def get_hypermodel(given: Any) -> HyperModel | None:
    """Return the hypermodel that an argument means.

    Raises:
        FatalValueError: neither a HyperModel nor a function.
    """
    if given is None or isinstance(given, HyperModel):
        return given
    if isinstance(given, type | Model) or not callable(given):
        raise FatalValueError(
            f"hypermodel: given {given!r}\nexpected a function of hp, or a HyperModel\n"
            "write def build_model(hp): ..., and give build_model, or MyHyperModel()"
        )
    return BuiltBy(given)
