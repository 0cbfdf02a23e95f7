"""What a hyperparameter may be: a whole number, a float, one of several values, yes or no.

Each is a map from [0, 1) onto its values, so that all of them are searched in the same way.

Source: Keras Tuner, whose names, defaults and rounding these are.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from gradlab.keras.tuner.numerical import Float as Float
from gradlab.keras.tuner.numerical import Int as Int
from gradlab.keras.tuner.parameter import HyperParameter as HyperParameter
from gradlab.keras.tuner.parameter import Parent as Parent
from gradlab.keras.tuner.parameter import index_at


class Fixed(HyperParameter):
    """A value that is not searched for, to overrule what a model asks for under that name."""

    def __init__(
        self, name: str, value: int | float | str | bool, conditions: Sequence[Parent] = ()
    ) -> None:
        super().__init__(name, _plain(value), conditions)
        self.value = self.default

    @property
    def count(self) -> int:
        return 1

    def prob_to_value(self, prob: float) -> Any:
        return self.value

    def value_to_prob(self, value: Any) -> float:
        return 0.5

    def get_config(self) -> dict[str, Any]:
        config = super().get_config()
        return {**{k: v for k, v in config.items() if k != "default"}, "value": self.value}


class Choice(HyperParameter):
    """One of several values of one type: whole numbers, floats, texts, or True and False.

    Args:
        values: the values.
        ordered: whether their order means something; True by default for numbers.
        default: the first value, if None.

    >>> Choice("optimizer", ["sgd", "adam"]).prob_to_value(0.7)
    'adam'
    """

    def __init__(
        self,
        name: str,
        values: Sequence[Any],
        ordered: bool | None = None,
        default: Any = None,
        conditions: Sequence[Parent] = (),
    ) -> None:
        super().__init__(name, default, conditions)
        if isinstance(values, str) or not isinstance(values, Sequence | np.ndarray):
            raise self._refusal(f"given {values!r}", "a list of values", "values=['relu', 'elu']")
        self._values = [_plain(value) for value in values]
        kinds = {type(value) for value in self._values}
        if len(kinds) != 1 or not kinds <= {int, float, str, bool}:
            found = ", ".join(sorted(kind.__name__ for kind in kinds)) or "no value"
            raise self._refusal(
                f"values of {found}",
                "int, float, str or bool, and only one of them",
                "values=[1.0, 2.5]",
            )
        self._kind = kinds.pop()
        if default is not None and default not in self._values:
            raise self._refusal(
                f"default={default!r}", f"one of {self._values}", f"default={self._values[0]!r}"
            )
        numbers = self._kind in (int, float)
        if ordered and not numbers:
            raise self._refusal("ordered=True for what is not a number", "numbers", "ordered=False")
        self.ordered = numbers if ordered is None else bool(ordered)

    @property
    def values(self) -> list[Any]:
        return list(self._values)

    @property
    def default(self) -> Any:
        return self._values[0] if self._default is None else self._default

    @property
    def count(self) -> int:
        return len(self._values)

    def prob_to_value(self, prob: float) -> Any:
        return self._values[index_at(prob, len(self._values))]

    def value_to_prob(self, value: Any) -> float:
        return (self._values.index(value) + 0.5) / len(self._values)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "values": self.values, "ordered": self.ordered}


class Boolean(Choice):
    """True or False."""

    def __init__(self, name: str, default: bool = False, conditions: Sequence[Parent] = ()) -> None:
        super().__init__(name, [False, True], None, bool(default), conditions)

    def get_config(self) -> dict[str, Any]:
        return HyperParameter.get_config(self)


KINDS = {kind.__name__: kind for kind in (Int, Float, Choice, Boolean, Fixed)}


def deserialize(written: dict[str, Any]) -> HyperParameter:
    """Return a hyperparameter as a file has it."""
    config = dict(written["config"])
    conditions = tuple(
        Parent(str(each["config"]["name"]), tuple(each["config"]["values"]))
        for each in config.pop("conditions", ())
    )
    return KINDS[written["class_name"]](**config, conditions=conditions)


def _plain(value: Any) -> Any:
    """Return a number of NumPy as one of Python."""
    value = value.item() if isinstance(value, np.generic) else value
    if isinstance(value, int | float | str | bool):
        return value
    raise ValueError(
        f"a hyperparameter with the value {value!r}\nexpected int, float, str or bool\n"
        "write its name, and look it up in a dict of your own"
    )
