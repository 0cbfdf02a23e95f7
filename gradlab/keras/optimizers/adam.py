"""Adam and its relatives: the mean of recent gradients, divided by the root of their mean square.

Both means begin at 0 and are too small at first; dividing by ``1 - beta ** t`` mends that.

Source: deck 001, 10.3.3; deck 000, "Optimizer"; Kingma and Ba (2015).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from gradlab.keras.optimizers.base import Optimizer
from gradlab.keras.variable import Variable


class Adam(Optimizer):
    """Adaptive moments: momentum and RMSprop together, the usual first choice.

    ::

        m = m + (1 - beta_1) * (g - m)
        v = v + (1 - beta_2) * (g ** 2 - v)
        alpha = learning_rate * sqrt(1 - beta_2 ** t) / (1 - beta_1 ** t)
        w = w - alpha * m / (sqrt(v) + epsilon)

    Args:
        learning_rate: about the length of every step, whatever the size of the gradients.
        beta_1: the share of the old mean gradient in the new one.
        beta_2: the share of the old mean square in the new one.
        epsilon: keeps the divisor from 0.
        amsgrad: divide by the largest v so far; Reddi, Kale and Kumar (2018).
        common: see `Optimizer`.

    Source: Kingma and Ba (2015), in the form of the last lines of their section 2.

    The first step has the length of the learning rate, up or down:

    >>> w = Variable([1.0, 1.0])
    >>> Adam(learning_rate=0.25).apply([np.array([100.0, -0.1])], [w])
    >>> w.numpy().round(4)
    array([0.75, 1.25], dtype=float32)
    """

    hyperparameters = ("beta_1", "beta_2", "epsilon", "amsgrad")

    def __init__(
        self,
        learning_rate: Any = 0.001,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-7,
        amsgrad: bool = False,
        **common: Any,
    ) -> None:
        super().__init__(learning_rate, **common)
        self.beta_1 = self.within("[0, 1)", beta_1=beta_1)
        self.beta_2 = self.within("[0, 1)", beta_2=beta_2)
        self.epsilon = self.within("[0, inf)", epsilon=epsilon)
        self.amsgrad = amsgrad

    def build(self, variables: Sequence[Variable]) -> None:
        super().build(variables)
        names = ["momentum", "velocity"]
        self.momentums, self.velocities = self.add_optimizer_variables(variables, names)
        if self.amsgrad:
            self.velocity_hats = self.add_optimizer_variables(variables, "velocity_hat")

    def update_step(self, gradient: np.ndarray, variable: Variable, learning_rate: float) -> None:
        i = self._get_variable_index(variable)
        w, m, v = variable.data, self.momentums[i].data, self.velocities[i].data
        m += (1.0 - self.beta_1) * (gradient - m)
        v += (1.0 - self.beta_2) * (np.square(gradient) - v)
        if self.amsgrad:
            largest = self.velocity_hats[i].data
            v = np.maximum(largest, v, out=largest)
        number = variable.dtype.type  # powers are rounded as the weights are, like in Keras
        alpha = learning_rate * np.sqrt(1.0 - number(self.beta_2) ** self.t)
        alpha /= 1.0 - number(self.beta_1) ** self.t
        w -= alpha * m / (np.sqrt(v) + self.epsilon)


class AdamW(Adam):
    """Adam with weight decay: a penalty's slope would be divided by ``sqrt(v)``, this is not.

    Its arguments are those of `Adam`, with ``weight_decay`` set.

    Source: Loshchilov and Hutter (2019).
    """

    def __init__(
        self,
        learning_rate: Any = 0.001,
        weight_decay: float = 0.004,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-7,
        amsgrad: bool = False,
        **common: Any,
    ) -> None:
        common["weight_decay"] = weight_decay
        super().__init__(learning_rate, beta_1, beta_2, epsilon, amsgrad, **common)
        self.within("[0, inf)", weight_decay=weight_decay)


class Adamax(Optimizer):
    """Adam with the largest recent gradient in the place of the root of the mean square.

    ::

        m = m + (1 - beta_1) * (g - m)
        u = max(beta_2 * u, abs(g))
        w = w - learning_rate / (1 - beta_1 ** t) * m / (u + epsilon)

    Args:
        learning_rate: about the length of every step.
        beta_1: the share of the old mean gradient in the new one.
        beta_2: what is left of the largest gradient after a step.
        epsilon: keeps the divisor from 0.
        common: see `Optimizer`.

    Source: Kingma and Ba (2015), section 7.1.
    """

    hyperparameters = ("beta_1", "beta_2", "epsilon")

    def __init__(
        self,
        learning_rate: Any = 0.001,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-7,
        **common: Any,
    ) -> None:
        super().__init__(learning_rate, **common)
        self.beta_1 = self.within("[0, 1)", beta_1=beta_1)
        self.beta_2 = self.within("[0, 1)", beta_2=beta_2)
        self.epsilon = self.within("[0, inf)", epsilon=epsilon)

    def build(self, variables: Sequence[Variable]) -> None:
        super().build(variables)
        names = ["momentum", "norm"]
        self.momentums, self.norms = self.add_optimizer_variables(variables, names)

    def update_step(self, gradient: np.ndarray, variable: Variable, learning_rate: float) -> None:
        i = self._get_variable_index(variable)
        w, m, u = variable.data, self.momentums[i].data, self.norms[i].data
        m += (1.0 - self.beta_1) * (gradient - m)
        np.maximum(self.beta_2 * u, np.abs(gradient), out=u)
        alpha = learning_rate / (1.0 - variable.dtype.type(self.beta_1) ** self.t)
        w -= alpha * m / (u + self.epsilon)


class Nadam(Optimizer):
    """Adam with Nesterov's look ahead: the gradient of now counts as if one step further.

    With ``u(t) = beta_1 * (1 - 0.96 ** t / 2)`` and ``P(t)`` the product of u(1) to u(t)::

        m = m + (1 - beta_1) * (g - m)
        v = v + (1 - beta_2) * (g ** 2 - v)
        ahead = u(t + 1) * m / (1 - P(t + 1)) + (1 - u(t)) * g / (1 - P(t))
        w = w - learning_rate * ahead / (sqrt(v / (1 - beta_2 ** t)) + epsilon)

    Args:
        learning_rate: about the length of every step.
        beta_1: the share of the old mean gradient in the new one, after a warm-up.
        beta_2: the share of the old mean square in the new one.
        epsilon: keeps the divisor from 0.
        common: see `Optimizer`.

    Source: Dozat (2016).
    """

    hyperparameters = ("beta_1", "beta_2", "epsilon")

    def __init__(
        self,
        learning_rate: Any = 0.001,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-7,
        **common: Any,
    ) -> None:
        super().__init__(learning_rate, **common)
        self.beta_1 = self.within("[0, 1)", beta_1=beta_1)
        self.beta_2 = self.within("[0, 1)", beta_2=beta_2)
        self.epsilon = self.within("[0, inf)", epsilon=epsilon)

    def build(self, variables: Sequence[Variable]) -> None:
        super().build(variables)
        names = ["momentum", "velocity"]
        self.momentums, self.velocities = self.add_optimizer_variables(variables, names)
        self.product = self.add_variable((), "ones", name="u_product")

    def u(self, t: int) -> float:
        """Return the momentum of step t: half of beta_1 at first, nearly all of it later."""
        return self.beta_1 * (1.0 - 0.5 * 0.96**t)

    def _update(self, gradients: list[np.ndarray], variables: list[Variable], rate: float) -> None:
        self.product.data *= self.u(self.t)
        super()._update(gradients, variables, rate)

    def update_step(self, gradient: np.ndarray, variable: Variable, learning_rate: float) -> None:
        i = self._get_variable_index(variable)
        w, m, v = variable.data, self.momentums[i].data, self.velocities[i].data
        number = variable.dtype.type
        beta_1, beta_2 = number(self.beta_1), number(self.beta_2)
        m += (1.0 - beta_1) * (gradient - m)
        v += (1.0 - beta_2) * (np.square(gradient) - v)
        u, u_next, product = self.u(self.t), self.u(self.t + 1), float(self.product)
        ahead = u_next / (1.0 - product * u_next) * m + (1.0 - u) / (1.0 - product) * gradient
        w -= learning_rate * ahead / (np.sqrt(v / (1.0 - beta_2**self.t)) + self.epsilon)
