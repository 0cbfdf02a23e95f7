"""A metric is a running number: each batch adds to its state, the result is read off the state.

The mean over an epoch is therefore that of its instances, not of its batches.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from gradlab.keras import config, initializers
from gradlab.keras.losses.base import weights_for
from gradlab.keras.names import default_name, snake_case
from gradlab.keras.variable import Variable
from gradlab.ops.losses import plain


class Metric:
    """What a metric of your own derives from.

    Make the state in ``__init__`` with `add_variable`, add to it in `update_state`, and compute
    the number in `result`.

    Args:
        dtype: the float type of predictions; `keras.config.floatx()` by default.
        name: the key in ``history.history``; the class in snake case by default.

    Attributes:
        stateful: True: the value is one over all batches, not an average of their values.

    >>> class Largest(Metric):
    ...     def __init__(self, name="largest"):
    ...         super().__init__(name=name)
    ...         self.largest = self.add_variable(shape=(), name="largest")
    ...     def update_state(self, y_true, y_pred, sample_weight=None):
    ...         self.largest.assign(max(self.largest.numpy(), np.abs(y_pred - y_true).max()))
    ...     def result(self):
    ...         return float(self.largest)
    >>> worst = Largest()
    >>> for y_pred in (np.array([1.0, 2.5]), np.array([1.5, 2.0])):
    ...     worst.update_state(np.array([1.0, 2.0]), y_pred)
    >>> worst.result()
    0.5
    """

    stateful = True

    def __init__(self, dtype: Any = None, name: str | None = None) -> None:
        self.name = name or default_name(snake_case(type(self).__name__))
        self.dtype = str(np.dtype(dtype or config.floatx()))
        self._variables: list[Variable] = []

    def add_variable(
        self,
        shape: Sequence[int] = (),
        initializer: Any = "zeros",
        dtype: Any = None,
        name: str = "variable",
    ) -> Variable:
        """Make a part of the state, which `reset_state` sets to 0."""
        first = initializers.get(initializer or "zeros")(tuple(shape), dtype)
        variable = Variable(first, name=name, trainable=False, dtype=dtype)
        self._variables.append(variable)
        return variable

    add_weight = add_variable

    @property
    def variables(self) -> list[Variable]:
        """The state, and that of metrics which are attributes of this one."""
        parts = [part for part in vars(self).values() if isinstance(part, Metric)]
        return [*self._variables, *(v for part in parts for v in part.variables)]

    def update_state(self, *args: Any, **kwargs: Any) -> None:
        """Count one more batch: (y_true, y_pred, sample_weight=None) or (values, ...)."""
        raise NotImplementedError(
            f"{type(self).__name__} has no update_state method\nexpected one that counts a batch\n"
            "write def update_state(self, y_true, y_pred, sample_weight=None): ..."
        )

    def result(self) -> Any:
        """Return the number over all batches since the last `reset_state`; several as an array."""
        raise NotImplementedError(
            f"{type(self).__name__} has no result method\nexpected one that returns the number\n"
            "write def result(self): return ..."
        )

    def reset_state(self) -> None:
        """Forget all batches, as at the beginning of an epoch."""
        for variable in self.variables:
            variable.data[...] = 0

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Count one more batch and return the result so far."""
        self.update_state(*args, **kwargs)
        return self.result()

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that make it anew, without its state."""
        return {"name": self.name, "dtype": self.dtype}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Metric:
        """Make it from what `get_config` returned."""
        return cls(**config)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} name={self.name}>"


def full_weights(shape: tuple[int, ...], sample_weight: Any) -> np.ndarray:
    """Return a weight for each number of an array of this shape; 1 where none was given."""
    if sample_weight is None:
        return np.ones(shape)
    return np.broadcast_to(weights_for(shape, sample_weight, np.float64), shape)


def ratio(part: Any, whole: Any) -> np.ndarray:
    """Return part / whole, and 0 where the whole is 0.

    >>> ratio(np.array([1.0, 0.0]), np.array([4.0, 0.0]))
    array([0.25, 0.  ])
    """
    whole = np.asarray(whole)
    return np.divide(part, whole, out=np.zeros(np.broadcast(part, whole).shape), where=whole != 0)


def number(values: Any) -> Any:
    """Return a single number as a float, several as an array."""
    values = plain(values)
    return values.item() if values.size == 1 else values.copy()
