"""Means over all instances of an epoch: of numbers, or of what a function says of each instance.

Most metrics are the mean of something; the sums run in float64, so that 60,000 small terms keep
their digits.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from gradlab.keras.losses.base import serialize, weights_for
from gradlab.keras.losses.functions import floats
from gradlab.keras.metrics.base import Metric
from gradlab.keras.names import resolve
from gradlab.ops.losses import plain


class Sum(Metric):
    """The sum of all numbers, each times its weight.

    >>> total = Sum()
    >>> total([1, 3, 5, 7])
    16.0
    >>> total([1, 3], sample_weight=[1, 0])
    17.0
    """

    def __init__(self, name: str | None = "sum", dtype: Any = None) -> None:
        super().__init__(dtype, name)
        self.total = self.add_variable(dtype="float64", name="total")

    def update_state(self, values: Any, sample_weight: Any = None) -> None:
        """Add numbers."""
        values = np.asarray(plain(values), np.float64)
        if sample_weight is not None:
            values = values * weights_for(values.shape, sample_weight, np.float64)
        self.total.data[()] += values.sum()

    def result(self) -> float:
        """Return the sum so far."""
        return self.total.item()


class Mean(Metric):
    """The weighted mean: sum(weight * value) / sum(weight).

    >>> mean = Mean()
    >>> mean([1, 3, 5, 7])
    4.0
    >>> mean(9.0)
    5.0
    >>> mean.reset_state()
    >>> mean([1, 3, 5, 7], sample_weight=[1, 1, 0, 0])
    2.0
    """

    def __init__(self, name: str | None = "mean", dtype: Any = None) -> None:
        super().__init__(dtype, name)
        self.total = self.add_variable(dtype="float64", name="total")
        self.count = self.add_variable(dtype="float64", name="count")

    def update_state(self, values: Any, sample_weight: Any = None) -> None:
        """Count the values of a batch.

        Args:
            values: one number per instance, or an array per instance, which counts with its mean.
            sample_weight: one weight per instance, or per value.
        """
        values = plain(values)
        counted = values.size
        if sample_weight is not None:
            weights = weights_for(values.shape, sample_weight, np.float64)
            values = values * weights
            counted = weights.sum() * (values.size / max(weights.size, 1))
        each = math.prod(values.shape[1:]) if values.size else 1  # numbers per instance
        self.total.data[()] += np.add.reduce(values, axis=None, dtype=np.float64) / each
        self.count.data[()] += counted / each

    def add(self, mean: Any, instances: int) -> None:
        """Count a batch whose mean is known.

        >>> mean = Mean()
        >>> mean.add(2.0, 32), mean.add(5.0, 16), mean.result()
        (None, None, 3.0)
        """
        self.total.data[()] += float(mean) * instances
        self.count.data[()] += instances

    def result(self) -> float:
        """Return the mean so far; 0 before anything has been counted."""
        count = self.count.item()
        return self.total.item() / count if count else 0.0


class MeanMetricWrapper(Mean):
    """The mean of a function of (y_true, y_pred) that gives one number per instance.

    Args:
        fn: the function.
        kwargs: further arguments for it.

    >>> def off_by(y_true, y_pred, unit):
    ...     return np.abs(y_pred - y_true) / unit
    >>> MeanMetricWrapper(off_by, name="off_by", unit=10.0)([1.0, 2.0], [2.0, 5.0])
    0.2
    """

    def __init__(
        self,
        fn: Callable[..., Any],
        name: str | None = None,
        dtype: Any = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(name, dtype)
        self._fn, self.parameters = fn, kwargs
        for key, value in kwargs.items():
            setattr(self, key, value)

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Count a batch."""
        y_pred = floats(plain(y_pred), self.dtype)
        super().update_state(self._fn(plain(y_true), y_pred, **self.parameters), sample_weight)

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that make it anew."""
        return {**super().get_config(), "fn": serialize(self._fn), **self.parameters}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Metric:
        """Make it from what `get_config` returned."""
        from gradlab.keras.metrics import FUNCTIONS  # they stand in modules that import this one

        fn = config.get("fn")
        if isinstance(fn, Mapping | str):
            config = {**config, "fn": resolve("metric", FUNCTIONS, fn)}
        return cls(**config)


class FunctionMetric(MeanMetricWrapper):
    """A class that stands for a function, its attribute ``fn``."""

    fn: Callable[..., Any]

    def __init__(self, name: str | None = None, dtype: Any = None) -> None:
        super().__init__(self.fn, name or self.fn.__name__, dtype)

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that make it anew."""
        return {"name": self.name, "dtype": self.dtype, **self.parameters}
