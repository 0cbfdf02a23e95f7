"""What all hyperparameters share: a name, a default, conditions, and a place in [0, 1)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Parent:
    """The condition that another hyperparameter has one of these values."""

    name: str
    values: tuple[Any, ...]

    def is_active(self, values: dict[str, Any]) -> bool:
        """Tell whether it holds."""
        return self.name in values and values[self.name] in self.values

    def get_config(self) -> dict[str, Any]:
        """Return it as files have it."""
        return {
            "class_name": "Parent",
            "config": {"name": self.name, "values": list(self.values)},
        }


class HyperParameter:
    """Base of all kinds: a name, the value it has if nobody chooses one, and its conditions.

    Args:
        name: unique in a search, together with the conditions.
        default: its value in the first trial of a grid, and outside of any search.
        conditions: all of them have to hold, or there is no such hyperparameter.
    """

    def __init__(self, name: str, default: Any = None, conditions: Sequence[Parent] = ()) -> None:
        if not isinstance(name, str) or not name:
            raise ValueError(
                f"a hyperparameter called {name!r}\nexpected a name\nwrite hp.Int('units', 16, 256)"
            )
        self.name, self._default, self.conditions = name, default, tuple(conditions)
        self.key = (name, self.conditions)

    @property
    def default(self) -> Any:
        """Its value if nobody chooses one."""
        return self._default

    @property
    def values(self) -> list[Any]:
        """All its values; ten of them, evenly spread, for a range without a step."""
        return [self.prob_to_value((k + 0.5) / self.count) for k in range(self.count)]

    @property
    def count(self) -> int:
        """How many values it has on a grid."""
        raise NotImplementedError

    def prob_to_value(self, prob: float) -> Any:
        """Return the value at a place in [0, 1)."""
        raise NotImplementedError

    def value_to_prob(self, value: Any) -> float:
        """Return the place in [0, 1) of a value."""
        raise NotImplementedError

    def fits(self, value: Any) -> bool:
        """Tell whether a value is one that it may have."""
        return type(value) is type(self.default) and value in self.values

    def grid(self) -> list[Any]:
        """Return all its values with the default in front."""
        others = [value for value in dict.fromkeys(self.values) if value != self.default]
        return [self.default, *others]

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that make it anew."""
        conditions = [condition.get_config() for condition in self.conditions]
        return {"name": self.name, "default": self.default, "conditions": conditions}

    def _refusal(self, given: str, expected: str, mend: str) -> ValueError:
        kind = type(self).__name__
        return ValueError(f"{kind} {self.name!r}: {given}\nexpected {expected}\nwrite {mend}")

    def __repr__(self) -> str:
        config = {name: v for name, v in self.get_config().items() if name not in ("name",)}
        shown = ", ".join(f"{name}={value!r}" for name, value in config.items() if value != [])
        return f"{type(self).__name__}({self.name!r}, {shown})"


def index_at(prob: float, count: int) -> int:
    """Return which of several equal parts of [0, 1) a place is in."""
    return min(int(prob * count), count - 1)
