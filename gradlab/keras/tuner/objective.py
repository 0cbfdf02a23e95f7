"""What a search wants: one number, as small or as large as possible."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gradlab.keras.callbacks.monitor import Monitor


class Objective:
    """A number that a trial ends with, and whether less or more of it is better.

    Args:
        name: such as "val_loss".
        direction: "min" or "max".

    >>> Objective("val_f1", "max").better_than(0.9, 0.8)
    True
    """

    def __init__(self, name: str, direction: str) -> None:
        if direction not in ("min", "max"):
            raise ValueError(
                f"Objective: given direction={direction!r}\nexpected 'min' or 'max'\n"
                f"write Objective({name!r}, 'min')"
            )
        self.name, self.direction = name, direction

    def value_in(self, logs: Mapping[str, Any]) -> float:
        """Return the number, from those of an epoch.

        Raises:
            KeyError: it is not among them.
        """
        return float(logs[self.name])

    def better_than(self, a: float, b: float) -> bool:
        """Tell whether the first number is better."""
        return a > b if self.direction == "max" else a < b

    def rank(self, value: float) -> float:
        """Return a number that is the smaller, the better the value is."""
        return -value if self.direction == "max" else value

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Objective) and str(self) == str(other)

    def __hash__(self) -> int:
        return hash(str(self))

    def __str__(self) -> str:
        return f'Objective(name="{self.name}", direction="{self.direction}")'


class MultiObjective(Objective):
    """The sum of several: those that are to be large are subtracted."""

    def __init__(self, objectives: list[Objective]) -> None:
        super().__init__("multi_objective", "min")
        self.objectives = objectives

    def value_in(self, logs: Mapping[str, Any]) -> float:
        return sum(each.rank(each.value_in(logs)) for each in self.objectives)

    def __str__(self) -> str:
        return f"Multi{super().__str__()}: [{', '.join(map(str, self.objectives))}]"


def direction_of(name: str) -> str:
    """Return "max" for the name of a metric of which more is better, "min" for all others.

    >>> direction_of("val_accuracy"), direction_of("val_loss"), direction_of("seconds")
    ('max', 'min', 'min')
    """
    try:
        return Monitor(name).mode
    except ValueError:
        return "min"


def create_objective(given: Any) -> Objective:
    """Return the objective that an argument means.

    Args:
        given: a name that tells what is better, an Objective, a list of these, or None for the
            number that a trial returns, as small as possible.

    Raises:
        ValueError: a name that does not tell.

    >>> print(create_objective("val_accuracy"))
    Objective(name="val_accuracy", direction="max")
    """
    if given is None:
        return Objective("default_objective", "min")
    if isinstance(given, Objective):
        return given
    if isinstance(given, list | tuple):
        return MultiObjective([create_objective(each) for each in given])
    if not isinstance(given, str):
        raise ValueError(
            f"objective: given {given!r}\nexpected the name of a metric\nwrite 'val_accuracy'"
        )
    try:
        return Objective(given, Monitor(given).mode)
    except ValueError as error:
        raise ValueError(
            f"objective: {given!r} does not tell whether less or more is better\n"
            "expected a known name, or a direction beside it\n"
            f"write objective=keras_tuner.Objective({given!r}, direction='max')"
        ) from error
