"""What all optimizers share: the memory of each weight, and the order of a step.

An optimizer moves every weight a little against its slope; how far, is one method: `update_step`.

Source: deck 001, 10.1.4 (gradient descent) and 10.3.3 (the choice of an optimizer); deck 000.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from gradlab.errors import ShapeError
from gradlab.keras import initializers
from gradlab.keras.optimizers.clipping import clip
from gradlab.keras.optimizers.settings import Settings
from gradlab.keras.variable import Variable
from gradlab.tensor import Tensor


class Optimizer(Settings):
    """Base of all optimizers, and of your own: override `update_step`, and `build` if needed.

    Every optimizer takes these arguments by keyword, beside its own.

    Args:
        learning_rate: the factor of every step: a float, or one of `keras.optimizers.schedules`.
        weight_decay: before the update, a weight loses ``weight_decay * learning_rate`` of itself.
        clipnorm: the gradient of each weight array is shortened to at most this length.
        clipvalue: every number of a gradient is kept between minus this and this.
        global_clipnorm: all gradients together are shortened to at most this length.
        use_ema: keep a moving average of the weights, which replaces them after `fit`.
        ema_momentum: the share of the old average in the new one.
        ema_overwrite_frequency: the average replaces the weights every so many steps already.
        name: "sgd", "adam", ... by default.
        older: ``lr``, as Keras 1 called the learning rate.

    Raises:
        ValueError: a number out of its range, two ways of clipping at once, an unknown argument.

    Gradient descent, in one method:

    >>> class Descent(Optimizer):
    ...     def update_step(self, gradient, variable, learning_rate):
    ...         variable.data -= learning_rate * gradient
    >>> w = Variable([3.0, -4.0])
    >>> Descent(learning_rate=0.5).apply([w.numpy()], [w])  # the slope of sum(w ** 2) / 2 is w
    >>> w.numpy()
    array([ 1.5, -2. ], dtype=float32)
    """

    built = False
    _weights: Sequence[Variable] = ()
    _state: Sequence[Variable] = ()
    _undecayed: tuple[set[int], str] = (set(), "")

    # ---------------------------------------------------------------- what your own optimizer says

    def build(self, variables: Sequence[Variable]) -> None:
        """Make the memory for these weights; the first step does it by itself.

        An optimizer with a memory of its own calls this, then `add_optimizer_variables`. Called
        again, it starts afresh.
        """
        self.iterations.assign(0)
        self._weights, self._state = list(variables), ()
        self._places = {variable.serial: i for i, variable in enumerate(variables)}
        if self.use_ema:
            self.averages = self.add_optimizer_variables(variables, "average")
        self.built = True

    def update_step(self, gradient: np.ndarray, variable: Variable, learning_rate: float) -> None:
        """Change ``variable.data`` in place.

        Args:
            gradient: the slope of the loss, an array like ``variable.data``; only read.
            variable: one array of weights.
            learning_rate: of this step, a number of the variable's float type.
        """
        raise NotImplementedError(
            f"{type(self).__name__} has no update_step method\n"
            "expected one that changes the weights in place\n"
            "write variable.data -= learning_rate * gradient"
        )

    # ------------------------------------------------------------------------------------ the step

    def apply(self, grads: Sequence[Any], trainable_variables: Any = None) -> None:
        """Make one step: clip the gradients, decay the weights, update them, constrain them.

        Args:
            grads: the slope of the loss for each variable; None where the loss does not depend on
                it, which is warned of.
            trainable_variables: the weights; those of `build` by default.

        Raises:
            ValueError: no gradient at all, another number of gradients than of variables, or a
                variable that was not there at first; no weight has changed.
            ShapeError: a gradient of another shape than its variable; no weight has changed.
        """
        if not len(grads):
            return
        gradients, variables = self._paired(grads, trainable_variables)
        rate = float(self.learning_rate)
        gradients = clip(gradients, self.clipnorm, self.clipvalue, self.global_clipnorm)
        if self.weight_decay is not None:
            self._decay(variables, rate * self.weight_decay)
        self._update(gradients, variables, rate)
        if self.use_ema:
            self._average()
        for variable in variables:
            if variable.constraint is not None:
                variable.assign(variable.constraint(variable.data))
        self.iterations.data[()] += 1

    def _update(self, gradients: list[np.ndarray], variables: list[Variable], rate: float) -> None:
        """Call `update_step` for each variable."""
        for gradient, variable in zip(gradients, variables, strict=True):
            self.update_step(gradient, variable, variable.dtype.type(rate))

    def apply_gradients(self, grads_and_vars: Iterable[tuple[Any, Variable]]) -> Variable:
        """Make one step with pairs of gradient and variable; return the number of steps so far."""
        grads, variables = zip(*grads_and_vars, strict=True)
        self.apply(grads, variables)
        return self.iterations

    @property
    def t(self) -> int:
        """The number of the step that is being made, as papers count: the first one is 1."""
        return int(self.iterations.data) + 1

    def _paired(self, grads: Sequence[Any], given: Any) -> tuple[list[np.ndarray], list[Variable]]:
        """Return the gradients as arrays and their variables, without those that have none."""
        variables = list(self._weights if given is None else given)
        if len(grads) != len(variables):
            raise ValueError(
                f"{self.name}: {len(grads)} gradients for {len(variables)} variables\n"
                "expected one for each\nwrite apply(gradients, model.trainable_variables)"
            )
        found = [(g, v) for g, v in zip(grads, variables, strict=True) if g is not None]
        if not found:
            raise ValueError(
                f"{self.name}: no gradient for any of {', '.join(v.path for v in variables)}\n"
                "expected a loss that depends on a weight\n"
                "write the loss with primitives of gradlab, outside of no_grad()"
            )
        arrays = [_like(v, g) for g, v in found]
        if not self.built:
            self.build(variables)
        for variable in variables:
            self._get_variable_index(variable)
        if missing := [v.path for g, v in zip(grads, variables, strict=True) if g is None]:
            warnings.warn(
                f"{self.name}: no gradient for {', '.join(missing)}\n"
                "expected a loss that depends on every weight; these stay as they are\n"
                "write trainable=False for weights that are not to be learnt",
                stacklevel=3,
            )
        return arrays, [v for _, v in found]

    # ---------------------------------------------------------------------------------- the memory

    def add_optimizer_variables(
        self,
        trainable_variables: Sequence[Variable],
        name: str | Sequence[str],
        initializer: Any = "zeros",
    ) -> Any:
        """Remember an array for each weight, of its shape and float type.

        Args:
            trainable_variables: the weights.
            name: what is remembered, such as "momentum"; or several names.
            initializer: of what it starts with; or one for each name.

        Returns:
            A list of Variables in the order of the weights; for several names, a list for each.
        """
        names = [name] if isinstance(name, str) else list(name)
        starts = initializer if isinstance(initializer, list) else [initializer] * len(names)
        rows = [
            [self.add_variable_from_reference(v, *pair) for pair in zip(names, starts, strict=True)]
            for v in trainable_variables
        ]
        lists = [[row[place] for row in rows] for place in range(len(names))]
        return lists[0] if isinstance(name, str) else lists

    def add_variable_from_reference(
        self, reference_variable: Variable, name: str, initializer: Any = "zeros"
    ) -> Variable:
        """Remember an array for one weight."""
        whole_name = f"{reference_variable.path.replace('/', '_')}_{name}"
        v = reference_variable
        return self.add_variable(v.shape, initializer, v.dtype, whole_name)

    def add_variable(
        self,
        shape: Sequence[int],
        initializer: Any = "zeros",
        dtype: Any = None,
        name: str = "variable",
    ) -> Variable:
        """Remember an array; it is saved with the optimizer."""
        variable = self._variable(name, initializers.get(initializer)(shape, dtype))
        self._state = [*self._state, variable]
        return variable

    def _get_variable_index(self, variable: Variable) -> int:
        """Return the place of a weight in the lists of `add_optimizer_variables`."""
        if variable.serial not in self._places:
            raise ValueError(
                f"{self.name}: {variable.path} is new to this optimizer\n"
                f"expected the {len(self._weights)} variables of its first step\n"
                "write compile(...) again, with a new optimizer"
            )
        return self._places[variable.serial]

    @property
    def variables(self) -> list[Variable]:
        """All that must be saved to continue later: step count, learning rate, then the slots."""
        rate = [] if self._schedule else [self._rate]
        return [self.iterations, *rate, *self._state]

    # ------------------------------------------------------------- weight decay and moving averages

    def exclude_from_weight_decay(
        self, var_list: Iterable[Variable] | None = None, var_names: Iterable[str] | None = None
    ) -> None:
        """Let some weights keep their size, such as biases.

        Args:
            var_list: these variables.
            var_names: those with one of these words in their name, such as ``["bias"]``.
        """
        serials = {variable.serial for variable in var_list or ()}
        self._undecayed = (serials, "|".join(var_names or ()))

    def _decay(self, variables: list[Variable], share: float) -> None:
        serials, pattern = self._undecayed
        for variable in variables:
            named = bool(pattern) and re.search(pattern, variable.name or "") is not None
            if variable.serial not in serials and not named:
                variable.data -= share * variable.data

    def _average(self) -> None:
        """Let the averages follow: ``a = ema_momentum * a + (1 - ema_momentum) * w``."""
        momentum = self.ema_momentum if self.t > 1 else 0.0
        for variable, average in zip(self._weights, self.averages, strict=True):
            average.data += (1.0 - momentum) * (variable.data - average.data)
        if self.ema_overwrite_frequency and self.t % self.ema_overwrite_frequency == 0:
            self.finalize_variable_values(self._weights)

    def finalize_variable_values(self, var_list: Iterable[Variable]) -> None:
        """With ``use_ema``, put the averages in the place of the weights; `fit` ends with it."""
        if self.use_ema:
            for variable in var_list:
                variable.assign(self.averages[self._get_variable_index(variable)])


def _like(variable: Variable, gradient: Any) -> np.ndarray:
    plain = gradient.data if isinstance(gradient, Tensor) else gradient
    array = np.asarray(plain, variable.dtype)
    if array.shape != variable.shape:
        raise ShapeError(
            f"a gradient of shape {array.shape} for {variable.path}\n"
            f"expected shape {variable.shape}, that of the variable\n"
            "write the gradients in the order of the variables"
        )
    return array
