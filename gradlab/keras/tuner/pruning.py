"""Pruning: a trial that is worse than the others at the same point is not worth its last epochs."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass

from gradlab.keras.callbacks import Callback
from gradlab.keras.callbacks.base import Logs
from gradlab.keras.tuner.objective import Objective


@dataclass(frozen=True)
class MedianPruner:
    """Ends a trial whose best epoch so far is worse than the median of others at this epoch.

    Args:
        startup_trials: no trial is pruned before it can be compared with so many.
        warmup_epochs: no trial is pruned in its first epochs.

    Source: Golovin et al. (2017), "Google Vizier: A Service for Black-Box Optimization".

    >>> pruner = MedianPruner(startup_trials=2)
    >>> others = [[0.9, 0.5, 0.4], [0.8, 0.6, 0.3]]
    >>> pruner.prunes([0.9, 0.7], others, Objective("loss", "min"))
    True
    """

    startup_trials: int = 5
    warmup_epochs: int = 0

    def prunes(
        self, values: Sequence[float], others: Sequence[Sequence[float]], objective: Objective
    ) -> bool:
        """Tell whether a trial should end.

        Args:
            values: its objective after each epoch so far.
            others: the same of trials that have ended, for all of their epochs.
            objective: tells what is better.
        """
        epoch = len(values) - 1
        there = [other[epoch] for other in others if len(other) > epoch]
        if epoch < self.warmup_epochs or len(there) < max(self.startup_trials, 1):
            return False
        best = min(objective.rank(value) for value in values)
        return best > statistics.median(objective.rank(value) for value in there)


class Pruning(Callback):
    """Watches a trial, and ends it when the pruner says so.

    Attributes:
        pruned_at: the epoch in which it did, from 1; 0 if it did not.
    """

    def __init__(
        self, pruner: MedianPruner, others: Sequence[Sequence[float]], objective: Objective
    ) -> None:
        super().__init__()
        self.pruner, self.others, self.objective = pruner, others, objective
        self.pruned_at = 0

    def on_train_begin(self, logs: Logs | None = None) -> None:
        self.values: list[float] = []

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        self.values.append(self.objective.value_in(logs or {}))
        if self.pruner.prunes(self.values, self.others, self.objective):
            self.pruned_at, self.model.stop_training = epoch + 1, True
