"""Optimizers that give each weight a step of its own, by how large its gradients have been.

A weight with large gradients is slowed down, one with small gradients catches up.

Source: deck 001, 10.3.3; deck 000, "Optimizer".
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from gradlab.keras.initializers import Constant
from gradlab.keras.optimizers.base import Optimizer
from gradlab.keras.variable import Variable


class Adagrad(Optimizer):
    """Divides by the root of all squared gradients so far, so the steps only ever shrink.

    ::

        a = a + g ** 2
        w = w - learning_rate * g / sqrt(a + epsilon)

    Args:
        learning_rate: the factor of every step.
        initial_accumulator_value: a at the start.
        epsilon: keeps the divisor from 0.
        common: see `Optimizer`.

    Source: Duchi, Hazan and Singer (2011).
    """

    hyperparameters = ("initial_accumulator_value", "epsilon")

    def __init__(
        self,
        learning_rate: Any = 0.001,
        initial_accumulator_value: float = 0.1,
        epsilon: float = 1e-7,
        **common: Any,
    ) -> None:
        super().__init__(learning_rate, **common)
        self.initial_accumulator_value = self.within(
            "[0, inf)", initial_accumulator_value=initial_accumulator_value
        )
        self.epsilon = self.within("[0, inf)", epsilon=epsilon)

    def build(self, variables: Sequence[Variable]) -> None:
        super().build(variables)
        start = Constant(self.initial_accumulator_value)
        self.accumulators = self.add_optimizer_variables(variables, "accumulator", start)

    def update_step(self, gradient: np.ndarray, variable: Variable, learning_rate: float) -> None:
        w, a = variable.data, self.accumulators[self._get_variable_index(variable)].data
        a += np.square(gradient)
        w -= learning_rate * gradient / np.sqrt(a + self.epsilon)


class RMSprop(Optimizer):
    """Divides by the root of the mean square of recent gradients: Adagrad that forgets.

    ::

        v = rho * v + (1 - rho) * g ** 2
        w = w - learning_rate * g / sqrt(v + epsilon)

    With ``momentum``, these steps push a heavy ball. With ``centered``, the variance
    ``v - mean(g) ** 2`` takes the place of v.

    Args:
        learning_rate: the factor of every step.
        rho: the share of the old mean in the new one.
        momentum: the share of the last step in the next one.
        epsilon: keeps the divisor from 0.
        centered: divide by the standard deviation.
        common: see `Optimizer`.

    Source: Tieleman and Hinton (2012); Graves (2013) for the centred form.
    """

    hyperparameters = ("rho", "momentum", "epsilon", "centered")

    def __init__(
        self,
        learning_rate: Any = 0.001,
        rho: float = 0.9,
        momentum: float = 0.0,
        epsilon: float = 1e-7,
        centered: bool = False,
        **common: Any,
    ) -> None:
        super().__init__(learning_rate, **common)
        self.rho = self.within("[0, 1]", rho=rho)
        self.momentum = self.within("[0, 1]", momentum=momentum)
        self.epsilon = self.within("[0, inf)", epsilon=epsilon)
        self.centered = centered

    def build(self, variables: Sequence[Variable]) -> None:
        super().build(variables)
        self.velocities = self.add_optimizer_variables(variables, "velocity")
        if self.momentum:
            self.momentums = self.add_optimizer_variables(variables, "momentum")
        if self.centered:
            self.mean_gradients = self.add_optimizer_variables(variables, "average_gradient")

    def update_step(self, gradient: np.ndarray, variable: Variable, learning_rate: float) -> None:
        i = self._get_variable_index(variable)
        w, v = variable.data, self.velocities[i].data
        v *= self.rho
        v += (1.0 - self.rho) * np.square(gradient)
        spread = v
        if self.centered:
            mean = self.mean_gradients[i].data
            mean *= self.rho
            mean += (1.0 - self.rho) * gradient
            spread = v - np.square(mean)
        step = learning_rate * gradient / np.sqrt(spread + self.epsilon)
        if self.momentum:
            ball = self.momentums[i].data
            ball *= self.momentum
            ball += step
            step = ball
        w -= step


class Adadelta(Optimizer):
    """RMSprop that finds its own learning rate: the size of its recent steps.

    ::

        a = rho * a + (1 - rho) * g ** 2
        d = g * sqrt(s + epsilon) / sqrt(a + epsilon)
        s = rho * s + (1 - rho) * d ** 2
        w = w - learning_rate * d

    Args:
        learning_rate: 1.0 is the paper's; the default of Keras is so small that little happens.
        rho: the share of the old mean in the new one.
        epsilon: keeps the divisor from 0, and starts the first steps.
        common: see `Optimizer`.

    Source: Zeiler (2012).
    """

    hyperparameters = ("rho", "epsilon")

    def __init__(
        self,
        learning_rate: Any = 0.001,
        rho: float = 0.95,
        epsilon: float = 1e-7,
        **common: Any,
    ) -> None:
        super().__init__(learning_rate, **common)
        self.rho = self.within("[0, 1]", rho=rho)
        self.epsilon = self.within("[0, inf)", epsilon=epsilon)

    def build(self, variables: Sequence[Variable]) -> None:
        super().build(variables)
        names = ["accumulated_grad", "accumulated_delta_var"]
        self.gradients, self.steps = self.add_optimizer_variables(variables, names)

    def update_step(self, gradient: np.ndarray, variable: Variable, learning_rate: float) -> None:
        i = self._get_variable_index(variable)
        a, s = self.gradients[i].data, self.steps[i].data
        a *= self.rho
        a += (1.0 - self.rho) * np.square(gradient)
        d = gradient * np.sqrt(s + self.epsilon) / np.sqrt(a + self.epsilon)
        s *= self.rho
        s += (1.0 - self.rho) * np.square(d)
        variable.data -= learning_rate * d


class Ftrl(Optimizer):
    """Follow the regularised leader: Adagrad that sets weights exactly to 0 if they hardly help.

    With ``p = -learning_rate_power``, 1/2 by default, and all strengths 0 it is Adagrad::

        b = a + g ** 2
        z = z + g + 2 * l2_shrinkage * w - (b ** p - a ** p) / learning_rate * w
        w = (clip(z, -l1, l1) - z) / ((b ** p + beta) / learning_rate + 2 * l2)
        a = b

    Args:
        learning_rate: the factor of every step.
        learning_rate_power: at most 0; with 0 the steps do not shrink.
        initial_accumulator_value: a at the start.
        l1_regularization_strength: a weight whose z is no larger than this is 0.
        l2_regularization_strength: pulls the weights towards 0.
        l2_shrinkage_regularization_strength: the same by way of the gradient.
        beta: slows the first steps down.
        common: see `Optimizer`.

    Source: McMahan et al. (2013).
    """

    hyperparameters = (
        "learning_rate_power",
        "initial_accumulator_value",
        "l1_regularization_strength",
        "l2_regularization_strength",
        "l2_shrinkage_regularization_strength",
        "beta",
    )

    def __init__(
        self,
        learning_rate: Any = 0.001,
        learning_rate_power: float = -0.5,
        initial_accumulator_value: float = 0.1,
        l1_regularization_strength: float = 0.0,
        l2_regularization_strength: float = 0.0,
        l2_shrinkage_regularization_strength: float = 0.0,
        beta: float = 0.0,
        **common: Any,
    ) -> None:
        super().__init__(learning_rate, **common)
        self.learning_rate_power = self.within("(-inf, 0]", learning_rate_power=learning_rate_power)
        self.initial_accumulator_value = self.within(
            "[0, inf)", initial_accumulator_value=initial_accumulator_value
        )
        self.l1_regularization_strength = self.within(
            "[0, inf)", l1_regularization_strength=l1_regularization_strength
        )
        self.l2_regularization_strength = self.within(
            "[0, inf)", l2_regularization_strength=l2_regularization_strength
        )
        self.l2_shrinkage_regularization_strength = self.within(
            "[0, inf)", l2_shrinkage_regularization_strength=l2_shrinkage_regularization_strength
        )
        self.beta = self.within("[0, inf)", beta=beta)

    def build(self, variables: Sequence[Variable]) -> None:
        super().build(variables)
        self.accumulators, self.linears = self.add_optimizer_variables(
            variables,
            ["accumulator", "linear"],
            [Constant(self.initial_accumulator_value), "zeros"],
        )

    def update_step(self, gradient: np.ndarray, variable: Variable, learning_rate: float) -> None:
        i = self._get_variable_index(variable)
        w, a, z = variable.data, self.accumulators[i].data, self.linears[i].data
        p, l1 = -self.learning_rate_power, self.l1_regularization_strength
        before = a**p
        a += np.square(gradient)
        now = a**p
        z += gradient + 2.0 * self.l2_shrinkage_regularization_strength * w
        z -= (now - before) / learning_rate * w
        curvature = (now + self.beta) / learning_rate + 2.0 * self.l2_regularization_strength
        w[...] = (np.clip(z, -l1, l1) - z) / curvature
