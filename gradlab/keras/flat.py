"""All weights of a model in one array, so that an optimizer updates them in one pass.

The weights stay what they were: each Variable shows its part of the array.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from gradlab.keras.variable import Variable
from gradlab.kernels import updates

# What an optimizer may do beside its rule, which is done weight by weight.
EXTRAS = ("clipnorm", "clipvalue", "global_clipnorm")


class FlatUpdate:
    """One step of an optimizer for all weights at once, by a kernel that Numba compiles.

    Made by `flat_update`.

    Args:
        optimizer: a built optimizer that has a rule in `gradlab.kernels.updates`.
        weights: all of one number type.
        gradients: one array, in the order of the weights.
    """

    def __init__(self, optimizer: Any, weights: Sequence[Variable], gradients: np.ndarray) -> None:
        self.optimizer = optimizer
        rule = updates.rule_of(optimizer)
        assert rule is not None
        rows = [list(weights)]
        places = [optimizer._get_variable_index(weight) for weight in weights]
        for attribute in rule.memory.values():
            kept = getattr(optimizer, attribute)
            rows.append([kept[place] for place in places])
        self.parts: list[tuple[Variable, np.ndarray]] = []
        w, *memory = [self._joined(row) for row in rows]
        decay = optimizer.weight_decay is not None
        self._run: Callable[[], None] | None
        self._run = updates.bind(optimizer, w, gradients, memory, decay)

    def _joined(self, variables: list[Variable]) -> np.ndarray:
        """Return one array of all their numbers, which they show from now on."""
        flat = np.concatenate([variable.data.ravel() for variable in variables])
        start = 0
        for variable in variables:
            part = flat[start : start + variable.data.size].reshape(variable.shape)
            start += part.size
            variable.data = part
            self.parts.append((variable, part))
        return flat

    def still_holds(self) -> bool:
        """Tell whether all variables still show their parts."""
        return all(variable.data is part for variable, part in self.parts)

    def __call__(self) -> None:
        """Make the step."""
        assert self._run is not None
        self._run()
        self.optimizer.iterations.data[()] += 1


def flat_update(
    optimizer: Any, weights: Sequence[Variable], gradients: np.ndarray
) -> FlatUpdate | None:
    """Return the step in one pass, or None if the optimizer has to go from weight to weight.

    It does for clipped gradients, averaged or constrained weights, decay of some weights only, for
    number types that differ, and for an optimizer of your own.
    """
    if updates.rule_of(optimizer) is None or not weights or optimizer.use_ema:
        return None
    if any(getattr(optimizer, name) is not None for name in EXTRAS):
        return None
    if optimizer.weight_decay is not None and any(optimizer._undecayed):
        return None
    kinds = {weight.dtype for weight in weights}
    free = all(weight.constraint is None for weight in weights)
    known = all(weight.serial in optimizer._places for weight in weights)
    if not free or not known or len(kinds) != 1 or kinds.pop().char not in "fd":
        return None
    return FlatUpdate(optimizer, weights, gradients.view(weights[0].dtype))
