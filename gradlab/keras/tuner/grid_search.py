"""Grid search: all combinations, one after the other; for few hyperparameters with few values."""

from __future__ import annotations

from typing import Any

from gradlab.keras.tuner.hyperparameters import HyperParameters
from gradlab.keras.tuner.oracle import Oracle
from gradlab.keras.tuner.ranges import HyperParameter
from gradlab.keras.tuner.trial import TrialStatus
from gradlab.keras.tuner.tuner import Tuner, split_options


class Path:
    """The way through a tree of choices: for each one in turn, which of its values is taken.

    A model that is built along it asks for hyperparameters; what it asks for may depend on the
    values before. The choice that was asked for last varies fastest.

    >>> from gradlab.keras.tuner import ranges
    >>> path = Path([1])
    >>> path(ranges.Choice("a", [1, 2])), path(ranges.Choice("b", [3, 4]))
    (2, 3)
    >>> path.next()
    [1, 1]
    """

    def __init__(self, places: list[int]) -> None:
        self.places = places
        self.taken: list[tuple[int, int]] = []  # place, and how many there are

    def __call__(self, hp: HyperParameter) -> Any:
        k, values = len(self.taken), hp.grid()
        place = self.places[k] if k < len(self.places) else 0
        self.taken.append((place, len(values)))
        return values[place]

    def next(self) -> list[int] | None:
        """Return the places of the next path; None if this was the last one."""
        for k in reversed(range(len(self.taken))):
            place, count = self.taken[k]
            if place + 1 < count:
                return [*(place for place, _ in self.taken[:k]), place + 1]
        return None


class GridSearchOracle(Oracle):
    """Proposes all combinations, the defaults first; its arguments are those of `Oracle`."""

    _at = 0  # the number of the trial that this path belongs to
    _path = Path([])

    def propose(self, number: int) -> HyperParameters | str:
        hp: HyperParameters | str = TrialStatus.STOPPED
        if number <= self._at or self._at == 0:  # the first trial tells what `fit` asks for
            self._path, self._at = Path([]), 0
            hp = self.drawn(self._path)
        while self._at < number:  # after an interruption: through all of them again
            places = self._path.next()
            if places is None:
                return TrialStatus.STOPPED
            self._path, self._at = Path(places), self._at + 1
            hp = self.drawn(self._path)
        return hp

    def late_draw(self, number: int) -> None:
        """What is asked for later takes its default."""


class GridSearch(Tuner):
    """Tries all combinations of values.

    A range without a step is represented by ten values.

    Args:
        hypermodel: a function that builds a model from hyperparameters, or a HyperModel.
        objective: what the search wants, such as "val_accuracy"; see `Oracle`.
        max_trials: how many models are trained at most; all combinations if None.
        options: arguments of `Oracle` and `Tuner`.

    >>> import tempfile
    >>> from gradlab.keras import tuner as keras_tuner
    >>> class Hill(keras_tuner.GridSearch):
    ...     def run_trial(self, trial):
    ...         hp = trial.hyperparameters
    ...         return (hp.Int("x", 0, 2) - 1) ** 2 + hp.Choice("y", [5, 4])
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     hill = Hill(directory=folder)
    ...     hill.search(verbose=0)
    ...     len(hill.oracle.trials), hill.get_best_hyperparameters()[0].values
    (6, {'x': 1, 'y': 4})
    """

    def __init__(
        self,
        hypermodel: Any = None,
        objective: Any = None,
        max_trials: int | None = None,
        **options: Any,
    ) -> None:
        of_oracle, of_tuner = split_options(options)
        oracle = GridSearchOracle(objective, max_trials, **of_oracle)
        super().__init__(oracle, hypermodel, **of_tuner)
