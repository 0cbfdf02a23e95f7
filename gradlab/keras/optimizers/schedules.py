"""Schedules: the learning rate as a function of the step, large at first and small at the end.

Large steps find the valley soon, small steps find its floor.

Source: deck 001, 10.3.3; the formulas are those of Keras 3.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence
from typing import Any

from gradlab.keras.names import by_name, resolve
from gradlab.keras.objects import Described
from gradlab.keras.objects import serialize as serialize


@dataclasses.dataclass(eq=False)
class LearningRateSchedule(Described):
    """Base of all schedules, and of your own: override ``__call__``.

    >>> class Halving(LearningRateSchedule):
    ...     def __call__(self, step):
    ...         return 0.1 / 2 ** int(step)
    >>> Halving()(2)
    0.025
    """

    def __call__(self, step: Any) -> float:
        """Return the learning rate of a step; the first step has number 0."""
        raise NotImplementedError(
            f"{type(self).__name__} has no __call__ method\n"
            "expected one that returns the learning rate of a step\n"
            "write def __call__(self, step): return 0.1 / (1 + step)"
        )


def check_steps(schedule: Any, name: str) -> None:
    """Raise ValueError unless a number of steps is above 0."""
    if not getattr(schedule, name) > 0:
        raise ValueError(
            f"{type(schedule).__name__}: given {name}={getattr(schedule, name)!r}\n"
            f"expected a number of steps above 0\nwrite {name}=1000, say"
        )


class _Decay(LearningRateSchedule):
    decay_steps: int

    def __post_init__(self) -> None:
        check_steps(self, "decay_steps")


@dataclasses.dataclass(eq=False)
class ExponentialDecay(_Decay):
    """``initial_learning_rate * decay_rate ** (step / decay_steps)``.

    Args:
        initial_learning_rate: at step 0.
        decay_steps: after so many steps the rate has been multiplied once by
        decay_rate: a factor below 1.
        staircase: multiply all at once, every ``decay_steps`` steps.
        name: as it stands in saved files.

    >>> ExponentialDecay(0.1, decay_steps=10, decay_rate=0.5)(20)
    0.025
    """

    initial_learning_rate: float
    decay_steps: int
    decay_rate: float
    staircase: bool = False
    name: str = "ExponentialDecay"

    def __call__(self, step: Any) -> float:
        p = float(step) / self.decay_steps
        p = math.floor(p) if self.staircase else p
        return self.initial_learning_rate * self.decay_rate**p


@dataclasses.dataclass(eq=False)
class InverseTimeDecay(_Decay):
    """``initial_learning_rate / (1 + decay_rate * step / decay_steps)``.

    With ``decay_steps=1`` it is the ``decay`` argument that optimizers had in Keras 1.

    >>> InverseTimeDecay(0.1, decay_steps=10, decay_rate=1.0)(10)
    0.05
    """

    initial_learning_rate: float
    decay_steps: int
    decay_rate: float
    staircase: bool = False
    name: str = "InverseTimeDecay"

    def __call__(self, step: Any) -> float:
        p = float(step) / self.decay_steps
        p = math.floor(p) if self.staircase else p
        return self.initial_learning_rate / (1.0 + self.decay_rate * p)


@dataclasses.dataclass(eq=False)
class PolynomialDecay(_Decay):
    """From one rate to another in ``decay_steps`` steps, and constant from then on.

    ``end + (initial - end) * (1 - step / decay_steps) ** power``: a straight line for power 1.

    Args:
        initial_learning_rate: at step 0.
        decay_steps: how long it takes.
        end_learning_rate: at the end.
        power: of the curve.
        cycle: instead of ending, rise again and take ``decay_steps`` more for each further fall.
        name: as it stands in saved files.

    >>> PolynomialDecay(0.1, decay_steps=10, end_learning_rate=0.0)(5)
    0.05
    """

    initial_learning_rate: float
    decay_steps: int
    end_learning_rate: float = 0.0001
    power: float = 1.0
    cycle: bool = False
    name: str = "PolynomialDecay"

    def __call__(self, step: Any) -> float:
        step, steps = float(step), self.decay_steps
        if self.cycle:
            steps *= max(math.ceil(step / steps), 1)
        left = 1.0 - min(step / steps, 1.0)
        span = self.initial_learning_rate - self.end_learning_rate
        return self.end_learning_rate + span * left**self.power


@dataclasses.dataclass(eq=False)
class PiecewiseConstantDecay(LearningRateSchedule):
    """The first value up to and including the first boundary, then the next, and so on.

    Raises:
        ValueError: not one value more than boundaries.

    >>> rate = PiecewiseConstantDecay([100, 200], [0.1, 0.01, 0.001])
    >>> rate(100), rate(101), rate(1000)
    (0.1, 0.01, 0.001)
    """

    boundaries: Sequence[float]
    values: Sequence[float]
    name: str = "PiecewiseConstant"

    def __post_init__(self) -> None:
        if len(self.values) != len(self.boundaries) + 1:
            raise ValueError(
                f"PiecewiseConstantDecay: {len(self.boundaries)} boundaries, "
                f"{len(self.values)} values\nexpected one value more than boundaries\n"
                "write PiecewiseConstantDecay([1000], [0.1, 0.01])"
            )

    def __call__(self, step: Any) -> float:
        return self.values[sum(float(step) > boundary for boundary in self.boundaries)]


# ------------------------------------------------------------------------------- half a cosine wave


def cosine(fraction: float, alpha: float) -> float:
    """Return half a cosine wave: from 1 at fraction 0 to ``alpha`` at fraction 1."""
    return (1.0 - alpha) * 0.5 * (1.0 + math.cos(math.pi * fraction)) + alpha


@dataclasses.dataclass(eq=False)
class CosineDecay(_Decay):
    """Down along half a cosine wave in ``decay_steps`` steps, and constant from then on.

    ``initial * ((1 - alpha) * (1 + cos(pi * step / decay_steps)) / 2 + alpha)``; with a warm-up,
    first straight up from ``initial_learning_rate`` to ``warmup_target``, then down from there.

    Args:
        initial_learning_rate: at step 0.
        decay_steps: the length of the fall, without the warm-up.
        alpha: the share of the rate that is left at the end.
        name: as it stands in saved files.
        warmup_target: the rate after the warm-up; None for no warm-up.
        warmup_steps: its length.

    Source: Loshchilov and Hutter (2017).

    >>> rate = CosineDecay(0.0, decay_steps=100, warmup_target=0.1, warmup_steps=10)
    >>> [round(rate(step), 4) for step in (0, 5, 10, 60, 110)]
    [0.0, 0.05, 0.1, 0.05, 0.0]
    """

    initial_learning_rate: float
    decay_steps: int
    alpha: float = 0.0
    name: str = "CosineDecay"
    warmup_target: float | None = None
    warmup_steps: int = 0

    def __call__(self, step: Any) -> float:
        step, start, top = float(step), self.initial_learning_rate, self.initial_learning_rate
        if self.warmup_target is not None:
            top = self.warmup_target
            if step < self.warmup_steps:
                return start + (top - start) * step / self.warmup_steps
            step -= self.warmup_steps
        return top * cosine(min(step / self.decay_steps, 1.0), self.alpha)


@dataclasses.dataclass(eq=False)
class CosineDecayRestarts(LearningRateSchedule):
    """Down along half a cosine wave, then up at once and down again, ever more slowly.

    A restart throws the weights out of a narrow valley. Source: Loshchilov and Hutter (2017).

    Args:
        initial_learning_rate: at step 0.
        first_decay_steps: the length of the first fall.
        t_mul: each fall is so many times as long as the one before it; at least 1.
        m_mul: each one starts at so many times the rate of the one before it.
        alpha: the share of the rate that is left at the end of a fall.
        name: as it stands in saved files.

    >>> rate = CosineDecayRestarts(0.1, first_decay_steps=10)
    >>> [round(rate(step), 4) for step in (0, 5, 10, 20, 30)]
    [0.1, 0.05, 0.1, 0.05, 0.1]
    """

    initial_learning_rate: float
    first_decay_steps: int
    t_mul: float = 2.0
    m_mul: float = 1.0
    alpha: float = 0.0
    name: str = "SGDRDecay"

    def __post_init__(self) -> None:
        check_steps(self, "first_decay_steps")
        if not self.t_mul >= 1.0:
            raise ValueError(
                f"CosineDecayRestarts: given t_mul={self.t_mul!r}\n"
                "expected at least 1, or falls would become shorter than a step\nwrite t_mul=2.0"
            )

    def __call__(self, step: Any) -> float:
        step, length, height = float(step), self.first_decay_steps, 1.0
        while step >= length:
            step, length, height = step - length, length * self.t_mul, height * self.m_mul
        wave = height * cosine(step / length, 0.0)
        return self.initial_learning_rate * ((1.0 - self.alpha) * wave + self.alpha)


TABLE = by_name(
    *(ExponentialDecay, InverseTimeDecay, PolynomialDecay, PiecewiseConstantDecay),
    *(CosineDecay, CosineDecayRestarts),
)


def deserialize(config: dict[str, Any]) -> LearningRateSchedule:
    """Make a schedule from what `serialize` returned.

    Raises:
        ValueError: an unknown class.
    """
    return resolve("schedule", TABLE, config)
