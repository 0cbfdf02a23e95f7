"""Optimizers that treat all weights alike: gradient descent, with momentum, or by signs alone.

The gradient says where it is steepest; momentum remembers where it was, and rolls on.

Source: deck 001, 10.1.4 and 10.3.3; deck 000, "Optimizer".
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from gradlab.keras.optimizers.base import Optimizer
from gradlab.keras.variable import Variable


class SGD(Optimizer):
    """Stochastic gradient descent: ``w = w - learning_rate * g``; with momentum, a heavy ball.

    ::

        v = momentum * v - learning_rate * g
        w = w + v                                      heavy ball
        w = w + momentum * v - learning_rate * g       with nesterov: look ahead first

    Args:
        learning_rate: of the step; with momentum, the way in one direction adds up to
            ``1 / (1 - momentum)`` steps.
        momentum: the share of the velocity that is left after a step, from 0 to 1.
        nesterov: correct the velocity where it leads to, not where it starts.
        common: see `Optimizer`.

    Source: Robbins and Monro (1951); Polyak (1964); Nesterov (1983), in the form of Sutskever et
    al. (2013).

    >>> w = Variable([1.0])
    >>> optimizer = SGD(learning_rate=0.5, momentum=0.5)
    >>> for _ in range(2):
    ...     optimizer.apply([np.array([0.2])], [w])
    >>> w.numpy()  # 1 - 0.1, then - 0.05 - 0.1
    array([0.75], dtype=float32)
    """

    hyperparameters = ("momentum", "nesterov")

    def __init__(
        self,
        learning_rate: Any = 0.01,
        momentum: float = 0.0,
        nesterov: bool = False,
        **common: Any,
    ) -> None:
        super().__init__(learning_rate, **common)
        self.momentum = self.within("[0, 1]", momentum=momentum)
        self.nesterov = nesterov

    def build(self, variables: Sequence[Variable]) -> None:
        super().build(variables)
        if self.momentum:
            self.momentums = self.add_optimizer_variables(variables, "momentum")

    def update_step(self, gradient: np.ndarray, variable: Variable, learning_rate: float) -> None:
        w, step = variable.data, learning_rate * gradient
        if not self.momentum:
            w -= step
            return
        v = self.momentums[self._get_variable_index(variable)].data
        v *= self.momentum
        v -= step
        w += self.momentum * v - step if self.nesterov else v


class Lion(Optimizer):
    """Evolved sign momentum: every weight moves by the same distance, up or down.

    ::

        w = w - learning_rate * sign(beta_1 * m + (1 - beta_1) * g)
        m = beta_2 * m + (1 - beta_2) * g

    Its step is larger than that of Adam, so the learning rate should be 3 to 10 times smaller.

    Args:
        learning_rate: the distance.
        beta_1: share of the momentum in the direction, above 0.
        beta_2: share of the old momentum in the new one.
        common: see `Optimizer`.

    Source: Chen et al. (2023).
    """

    hyperparameters = ("beta_1", "beta_2")

    def __init__(
        self,
        learning_rate: Any = 0.001,
        beta_1: float = 0.9,
        beta_2: float = 0.99,
        **common: Any,
    ) -> None:
        super().__init__(learning_rate, **common)
        self.beta_1 = self.within("(0, 1]", beta_1=beta_1)
        self.beta_2 = self.within("[0, 1]", beta_2=beta_2)

    def build(self, variables: Sequence[Variable]) -> None:
        super().build(variables)
        self.momentums = self.add_optimizer_variables(variables, "momentum")

    def update_step(self, gradient: np.ndarray, variable: Variable, learning_rate: float) -> None:
        w, m = variable.data, self.momentums[self._get_variable_index(variable)].data
        w -= learning_rate * np.sign(self.beta_1 * m + (1.0 - self.beta_1) * gradient)
        m *= self.beta_2
        m += (1.0 - self.beta_2) * gradient
