"""Hyperparameters: a model asks for them while it is built, and thereby says what can be searched.

``hp.Int("units", 16, 256)`` puts a range on record and returns the value that it has in this trial.

Source: deck 001, section 10.3; Keras Tuner.
"""

from __future__ import annotations

import contextlib
import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from gradlab.keras.tuner import ranges
from gradlab.keras.tuner.ranges import HyperParameter, Parent

Draw = Callable[[HyperParameter], Any]


class HyperParameters:
    """The ranges that a model has asked for, and their values.

    Attributes:
        space: the hyperparameters, in the order in which they were asked for.
        values: the values of those that are active, by name.

    >>> hp = HyperParameters()
    >>> hp.Int("units", 16, 256, default=100), hp.Choice("activation", ["relu", "elu"])
    (100, 'relu')
    >>> hp.values["units"] = 30
    >>> hp.Int("units", 16, 256), hp["units"]
    (30, 30)
    """

    def __init__(self) -> None:
        self.space: list[HyperParameter] = []
        self.values: dict[str, Any] = {}
        self.asked: set[str] = set()  # names whose values were used
        self.scopes: dict[tuple[Parent, ...], bool] = {}  # and whether they were active
        self.draw: Draw | None = None  # chooses values; None takes the defaults
        self.closed = ""  # why nothing new may be asked for
        self.tuned = True  # whether what is new is searched for
        self._known: dict[Any, HyperParameter] = {}
        self._prefixes: list[str] = []
        self._conditions: list[Parent] = []

    def Int(
        self, name: str, min_value: int, max_value: int, step: int | None = None,
        sampling: str = "linear", default: int | None = None,
        parent_name: str | None = None, parent_values: Any = None,
    ) -> Any:  # fmt: skip
        """Return a whole number from ``min_value`` to ``max_value``, which is included.

        Args:
            name: of the hyperparameter.
            min_value, max_value: the range.
            step: the distance of neighbours; their quotient, if the sampling is not "linear".
            sampling: "linear", "log" or "reverse_log".
            default: ``min_value`` if None.
            parent_name, parent_values: only if that hyperparameter has one of these values; the
                same as `conditional_scope`.

        Returns:
            Its value in this trial; None if a condition does not hold.

        Raises:
            ValueError: a range that makes no sense.
        """
        with self._scope(parent_name, parent_values):
            made = ranges.Int(self._name(name), min_value, max_value, step, sampling, default)
            return self.retrieve(made)

    def Float(
        self, name: str, min_value: float, max_value: float, step: float | None = None,
        sampling: str = "linear", default: float | None = None,
        parent_name: str | None = None, parent_values: Any = None,
    ) -> Any:  # fmt: skip
        """Return a float from ``min_value`` to ``max_value``; the arguments are those of `Int`."""
        with self._scope(parent_name, parent_values):
            made = ranges.Float(self._name(name), min_value, max_value, step, sampling, default)
            return self.retrieve(made)

    def Choice(
        self, name: str, values: Sequence[Any], ordered: bool | None = None, default: Any = None,
        parent_name: str | None = None, parent_values: Any = None,
    ) -> Any:  # fmt: skip
        """Return one of several values of one type.

        Args:
            values: whole numbers, floats, texts, or True and False.
            ordered: whether neighbours are alike; True by default for numbers.
            default: the first value, if None.
        """
        with self._scope(parent_name, parent_values):
            return self.retrieve(ranges.Choice(self._name(name), values, ordered, default))

    def Boolean(
        self, name: str, default: bool = False,
        parent_name: str | None = None, parent_values: Any = None,
    ) -> Any:  # fmt: skip
        """Return True or False."""
        with self._scope(parent_name, parent_values):
            return self.retrieve(ranges.Boolean(self._name(name), default))

    def Fixed(
        self, name: str, value: Any, parent_name: str | None = None, parent_values: Any = None
    ) -> Any:
        """Return this value: it is not searched for, whatever a model asks for under that name."""
        with self._scope(parent_name, parent_values):
            return self.retrieve(ranges.Fixed(self._name(name), value))

    # -------------------------------------------------------------------------- names and scopes

    @contextlib.contextmanager
    def name_scope(self, name: str) -> Iterator[None]:
        """Put a prefix before all names in this block: ``encoder/units``."""
        self._prefixes.append(name)
        try:
            yield
        finally:
            self._prefixes.pop()

    @contextlib.contextmanager
    def conditional_scope(self, parent_name: str, parent_values: Any) -> Iterator[None]:
        """Let what is asked for in this block exist only if another one has one of these values.

        If not, the block runs all the same, and its hyperparameters are None.

        >>> hp = HyperParameters()
        >>> kind = hp.Choice("kind", ["mlp", "cnn"])
        >>> with hp.conditional_scope("kind", ["cnn"]):
        ...     print(hp.Int("filters", 8, 64))
        None

        Raises:
            ValueError: a parent that nobody has asked for before.
        """
        name = self._name(parent_name)
        if not any(hp.name == name for hp in self.space):
            known = ", ".join(dict.fromkeys(hp.name for hp in self.space)) or "none yet"
            raise ValueError(
                f"conditional_scope: there is no hyperparameter {name!r}\nexpected one of {known}\n"
                f"write hp.Choice({name!r}, [...]) before it"
            )
        many = isinstance(parent_values, list | tuple | set)
        values = tuple(parent_values) if many else (parent_values,)
        self._conditions.append(Parent(name, values))
        scope = tuple(self._conditions)
        self.scopes[scope] = self.scopes.get(scope, False) or self._hold(scope)
        try:
            yield
        finally:
            self._conditions.pop()

    def _scope(self, name: str | None, values: Any) -> contextlib.AbstractContextManager[Any]:
        return contextlib.nullcontext() if name is None else self.conditional_scope(name, values)

    def _name(self, name: str) -> str:
        return "/".join([*self._prefixes, name])

    def _hold(self, conditions: Sequence[Parent]) -> bool:
        return all(condition.is_active(self.values) for condition in conditions)

    # -------------------------------------------------------------------------------- the values

    def retrieve(self, asked: HyperParameter) -> Any:
        """Return the value of a hyperparameter, which is chosen when it is asked for first."""
        asked.conditions = asked.conditions or tuple(self._conditions)
        asked.key = (asked.name, asked.conditions)
        hp = self._known.get(asked.key)
        new = hp is None
        if hp is None:
            hp = self._registered(asked)
        if not self.is_active(hp):
            return None
        if hp.name not in self.values:
            chosen = self.draw is not None and (self.tuned or not new)
            self.values[hp.name] = self.draw(hp) if chosen and self.draw else hp.default
        self.asked.add(hp.name)
        return self.values[hp.name]

    def _registered(self, hp: HyperParameter) -> HyperParameter:
        if self.closed:
            raise ValueError(
                f"the model asks for {hp.name!r}, which is not among the hyperparameters\n"
                f"expected one of {', '.join(h.name for h in self.space)}, since {self.closed}\n"
                f"write hp.Fixed({hp.name!r}, ...) into them too"
            )
        self.space.append(hp)
        self._known[hp.key] = hp
        return hp

    def is_active(self, hyperparameter: str | HyperParameter) -> bool:
        """Tell whether the conditions of a hyperparameter hold."""
        if isinstance(hyperparameter, HyperParameter):
            return self._hold(hyperparameter.conditions)
        found = [hp for hp in self.space if hp.name == hyperparameter]
        return any(self._hold(hp.conditions) for hp in found)

    def get(self, name: str) -> Any:
        """Return the value of a hyperparameter.

        Raises:
            KeyError: there is none of that name.
            ValueError: a condition of it does not hold.
        """
        name = self._name(name)
        if name in self.values:
            return self.values[name]
        if any(hp.name == name for hp in self.space):
            raise ValueError(f"{name!r} is not active\nexpected its conditions to hold\n"
                             f"write hp.is_active({name!r}) to ask first")  # fmt: skip
        raise KeyError(f"no hyperparameter {name!r}; there are {', '.join(self.values) or 'none'}")

    def __getitem__(self, name: str) -> Any:
        return self.get(name)

    def __contains__(self, name: str) -> bool:
        return self._name(name) in self.values

    def only_asked(self) -> None:
        """Forget the values that nobody asked for, but those of the tuner itself."""
        used = {name for name in self.values if name in self.asked or name.startswith("tuner/")}
        self.values = {name: value for name, value in self.values.items() if name in used}

    # ------------------------------------------------------------------------------ as a whole

    def merge(self, others: Sequence[HyperParameter]) -> None:
        """Take over ranges that are not known yet."""
        for hp in others:
            if hp.key not in self._known:
                self.space.append(hp)
                self._known[hp.key] = hp

    def copy(self) -> HyperParameters:
        """Return the same ranges and values in an object of its own."""
        twin = HyperParameters()
        twin.merge(self.space)
        twin.values = dict(self.values)
        twin.draw, twin.closed, twin.tuned = self.draw, self.closed, self.tuned
        return twin

    def get_config(self) -> dict[str, Any]:
        """Return ranges and values as files have them."""
        space = [{"class_name": type(hp).__name__, "config": hp.get_config()} for hp in self.space]
        return {"space": space, "values": dict(self.values)}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> HyperParameters:
        """Return what `get_config` has written."""
        made = cls()
        made.merge([ranges.deserialize(each) for each in config["space"]])
        made.values = dict(config["values"])
        return made

    def __repr__(self) -> str:
        return f"<HyperParameters {self.values}>"


@dataclass(frozen=True)
class Chance:
    """Draws values by chance: which, depends on the trial and the name alone, not on the order.

    So a trial has the same values wherever and whenever it is run.

    Args:
        seed: of the search.
        trial: the number of the trial.
        attempt: another number, for other values.

    >>> hp = ranges.Int("units", 1, 1000)
    >>> Chance(42, 0)(hp) == Chance(42, 0)(hp), Chance(42, 0)(hp) == Chance(42, 1)(hp)
    (True, False)
    """

    seed: int
    trial: int
    attempt: int = 0

    def __call__(self, hp: HyperParameter) -> Any:
        words = [self.seed, self.trial, self.attempt, zlib.crc32(repr(hp.key).encode())]
        return hp.prob_to_value(float(np.random.default_rng(words).random()))
