"""Ranges of numbers: whole ones and floats, with steps or without, even or by factors.

Source: Keras Tuner, whose names, defaults and rounding these are.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from gradlab.keras.tuner.parameter import HyperParameter, Parent, index_at

SAMPLINGS = ("linear", "log", "reverse_log")
GRID = 10  # so many values stand for a range without a step


class Numerical(HyperParameter):
    """Base of `Int` and `Float`: a range, with steps or without, even or by factors.

    Args:
        min_value, max_value: both can be chosen.
        step: the distance of neighbours; their quotient, if the sampling is not "linear".
        sampling: "linear"; "log", by which 0.001 to 0.01 is as likely as 0.01 to 0.1; or
            "reverse_log", the same from the other end.
        default: ``min_value`` if None.

    Raises:
        ValueError: an empty range, a logarithm of what is not positive, a step that leads nowhere.
    """

    def __init__(
        self,
        name: str,
        min_value: Any,
        max_value: Any,
        step: Any = None,
        sampling: str = "linear",
        default: Any = None,
        conditions: Sequence[Parent] = (),
    ) -> None:
        super().__init__(name, default, conditions)
        self.min_value, self.max_value = min_value, max_value
        self.step, self.sampling = step, str(sampling).lower()
        shown = f"min_value={min_value!r}, max_value={max_value!r}"
        if not min_value <= max_value or not math.isfinite(max_value - min_value):
            raise self._refusal(shown, "a range", "the smaller one first")
        if self.sampling not in SAMPLINGS:
            names = ", ".join(map(repr, SAMPLINGS))
            raise self._refusal(f"sampling={sampling!r}", f"one of {names}", "sampling='log'")
        log = self.sampling != "linear"
        if log and min_value <= 0:
            raise self._refusal(
                f"sampling={sampling!r} with {shown}", "min_value above 0", "min_value=1e-4"
            )
        if step is not None and not step > int(log):
            raise self._refusal(
                f"step={step!r} with sampling={self.sampling!r}",
                f"a step above {int(log)}",
                f"step={10 if log else 1}",
            )
        if default is not None and not min_value <= default <= max_value:
            raise self._refusal(f"default={default!r}", f"{min_value} to {max_value}", "no default")

    @property
    def default(self) -> Any:
        return self.min_value if self._default is None else self._default

    @property
    def count(self) -> int:
        if self.step is None:
            return GRID
        if self.sampling == "linear":
            return int((self.max_value - self.min_value) // self.step + 1)
        return int(math.log(self.max_value / self.min_value, self.step) + 1e-8) + 1

    def _at(self, prob: float, most: float) -> float:
        """Return the value at a place in [0, 1), in a range that ends at ``most``."""
        least = self.min_value
        if self.sampling == "linear":
            return least + prob * (most - least)
        if self.sampling == "log":
            return least * (most / least) ** prob
        return most + least - least * (most / least) ** (1.0 - prob)

    def _place(self, value: float, most: float) -> float:
        """Return the place in [0, 1) of a value: the inverse of `_at`."""
        least = self.min_value
        if most == least:
            return 0.5
        if self.sampling == "linear":
            return (value - least) / (most - least)
        if self.sampling == "log":
            return math.log(value / least) / math.log(most / least)
        return 1.0 - math.log((most + least - value) / least) / math.log(most / least)

    def _nth(self, index: int) -> float:
        """Return the value after so many steps."""
        if self.sampling == "linear":
            return self.min_value + index * self.step
        if self.sampling == "log":
            return self.min_value * self.step**index
        return self.max_value + self.min_value - self.min_value * self.step**index

    def _steps(self, value: float) -> int:
        """Return after how many steps a value comes: the inverse of `_nth`."""
        if self.sampling == "linear":
            return round((value - self.min_value) / self.step)
        if self.sampling == "reverse_log":
            value = self.max_value + self.min_value - value
        return round(math.log(value / self.min_value, self.step))

    def fits(self, value: Any) -> bool:
        return type(value) is type(self.min_value) and self.min_value <= value <= self.max_value

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "default": self._default,
            "min_value": self.min_value,
            "max_value": self.max_value,
            "step": self.step,
            "sampling": self.sampling,
        }


class Int(Numerical):
    """A whole number.

    >>> Int("units", 16, 64, step=16).values
    [16, 32, 48, 64]
    >>> Int("batch_size", 8, 64, step=2, sampling="log").values
    [8, 16, 32, 64]
    """

    def __init__(
        self, name: str, min_value: int, max_value: int, step: int | None = None,
        sampling: str = "linear", default: int | None = None, conditions: Sequence[Parent] = (),
    ) -> None:  # fmt: skip
        if step is None and sampling == "linear":
            step = 1
        given = (min_value, max_value, step, default)
        whole = [None if value is None else _whole(name, value) for value in given]
        super().__init__(name, whole[0], whole[1], whole[2], sampling, whole[3], conditions)

    def prob_to_value(self, prob: float) -> int:
        if self.step is None:  # [max_value, max_value + 1) belongs to max_value
            return min(int(self._at(prob, self.max_value + 1)), self.max_value)
        return int(self._nth(index_at(prob, self.count)))

    def value_to_prob(self, value: int) -> float:
        if self.step is None:
            return self._place(value + 0.5, self.max_value + 1)
        return (self._steps(value) + 0.5) / self.count


class Float(Numerical):
    """A float.

    >>> rate = Float("learning_rate", 1e-4, 1e-2, sampling="log")
    >>> round(rate.prob_to_value(0.5), 6)
    0.001
    >>> Float("rate", 0.0, 0.5, step=0.25).values
    [0.0, 0.25, 0.5]
    """

    def __init__(
        self, name: str, min_value: float, max_value: float, step: float | None = None,
        sampling: str = "linear", default: float | None = None, conditions: Sequence[Parent] = (),
    ) -> None:  # fmt: skip
        given = (min_value, max_value, step, default)
        floats = [None if value is None else _float(name, value) for value in given]
        super().__init__(name, floats[0], floats[1], floats[2], sampling, floats[3], conditions)

    def prob_to_value(self, prob: float) -> float:
        if self.step is None:
            return self._at(prob, self.max_value)
        return float(self._nth(index_at(prob, self.count)))

    def value_to_prob(self, value: float) -> float:
        if self.step is None:
            return self._place(value, self.max_value)
        return (self._steps(value) + 0.5) / self.count


def _number(name: str, value: Any) -> Any:
    value = value.item() if isinstance(value, np.generic) else value
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError(f"{name!r}: given {value!r}\nexpected a number\nwrite 16, or 0.5")
    return value


def _whole(name: str, value: Any) -> int:
    number = _number(name, value)
    if not math.isfinite(number) or int(number) != number:
        raise ValueError(
            f"Int {name!r}: given {value!r}\nexpected a whole number\n"
            f"write hp.Float({name!r}, ...) for others"
        )
    return int(number)


def _float(name: str, value: Any) -> float:
    try:
        return float(_number(name, value))
    except OverflowError as error:
        raise ValueError(f"Float {name!r}: {error}\nexpected a float\nwrite 1e300") from error
