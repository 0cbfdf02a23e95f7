"""The arguments of an optimizer: checked, kept for saving, and the learning rate open to change.

The learning rate is the most important number of all: too small and nothing happens, too large and
the loss explodes.
"""

from __future__ import annotations

import inspect
import warnings
from typing import Any, ClassVar

import numpy as np

from gradlab.entry import Interval
from gradlab.keras.names import default_name, find, snake_case
from gradlab.keras.optimizers import schedules
from gradlab.keras.optimizers.schedules import LearningRateSchedule
from gradlab.keras.variable import Variable
from gradlab.tensor import Tensor

# Keras writes them into its files. gradlab needs neither: float32 has no need of a scaled loss.
UNUSED = {"loss_scale_factor": None, "gradient_accumulation_steps": None}
CLIPPING = ("clipnorm", "global_clipnorm", "clipvalue")


class Settings:
    """The first half of `Optimizer`, whose docstring explains the arguments."""

    # Names of the arguments that a class of optimizers has beside the common ones.
    hyperparameters: ClassVar[tuple[str, ...]] = ()

    def __init__(
        self,
        learning_rate: Any = 0.01,
        weight_decay: float | None = None,
        clipnorm: float | None = None,
        clipvalue: float | None = None,
        global_clipnorm: float | None = None,
        use_ema: bool = False,
        ema_momentum: float = 0.99,
        ema_overwrite_frequency: int | None = None,
        name: str | None = None,
        **older: Any,
    ) -> None:
        learning_rate = _read_older(type(self), older, learning_rate)
        self.weight_decay = self.within("[0, inf) or None", weight_decay=weight_decay)
        self.clipnorm = self.within("(0, inf) or None", clipnorm=clipnorm)
        self.clipvalue = self.within("(0, inf) or None", clipvalue=clipvalue)
        self.global_clipnorm = self.within("(0, inf) or None", global_clipnorm=global_clipnorm)
        self._check_clipping()
        self.use_ema = use_ema
        self.ema_momentum = self.within("[0, 1]", ema_momentum=ema_momentum)
        self.ema_overwrite_frequency = self.within(
            "[1, inf) or None", ema_overwrite_frequency=ema_overwrite_frequency
        )
        self.name = name or default_name(snake_case(type(self).__name__))
        self.iterations = self._variable("iteration", 0.0)
        self.iterations.data = np.zeros((), np.int64)  # it counts; Tensors are made of floats
        self._rate = self._variable("learning_rate", 0.0)
        self._schedule: LearningRateSchedule | None = None
        self.learning_rate = learning_rate

    def _variable(self, name: str, value: Any) -> Variable:
        """Return a Variable for numbers of the optimizer itself."""
        dtype = value.dtype if isinstance(value, np.ndarray) else None
        variable = Variable(value, name, trainable=False, dtype=dtype)
        variable.path = f"{self.name}/{name}"
        return variable

    # --------------------------------------------------------------------------- the learning rate

    @property
    def learning_rate(self) -> Any:
        """The learning rate: a Variable that can be assigned to; with a schedule, today's float.

        >>> from gradlab import keras
        >>> optimizer = keras.optimizers.SGD(learning_rate=0.5)
        >>> optimizer.learning_rate = 0.25
        >>> float(optimizer.learning_rate)
        0.25

        Raises:
            TypeError: assigned to while a schedule determines it.
            ValueError: negative, or no number.
        """
        return self._schedule(int(self.iterations.data)) if self._schedule else self._rate

    @learning_rate.setter
    def learning_rate(self, value: Any) -> None:
        if isinstance(value, LearningRateSchedule):
            self._schedule = value
        elif self._schedule:
            raise TypeError(
                f"{self.name}: learning_rate = {value!r}, while a schedule determines it\n"
                f"expected a change of {type(self._schedule).__name__}, or no schedule\n"
                f"write {type(self).__name__}(learning_rate=0.01) to set it by hand"
            )
        else:
            plain = value.item() if isinstance(value, Tensor | np.ndarray) else value
            self._rate.assign(self.within("[0, inf)", learning_rate=plain))

    # ------------------------------------------------------------------------------- the arguments

    def within(self, interval: str, **given: Any) -> Any:
        """Return the one number that is given by name, if it lies in the interval.

        >>> from gradlab import keras
        >>> keras.optimizers.Adam(beta_1=1.5)
        Traceback (most recent call last):
            ...
        ValueError: Adam: given beta_1=1.5
        expected a number in [0, 1)
        write a value in that range, or leave beta_1 out
        """
        [(name, value)] = given.items()
        if value is None and interval.endswith(" or None"):
            return None
        allowed = Interval.parse(interval.removesuffix(" or None"))
        if not isinstance(value, int | float | np.number) or float(value) not in allowed:
            raise ValueError(
                f"{type(self).__name__}: given {name}={value!r}\n"
                f"expected a number in {allowed}\n"
                f"write a value in that range, or leave {name} out"
            )
        return value.item() if isinstance(value, np.number) else value

    def _check_clipping(self) -> None:
        ways = [name for name in CLIPPING if getattr(self, name) is not None]
        if len(ways) > 1:
            raise ValueError(
                f"{type(self).__name__}: given {' and '.join(ways)}\n"
                f"expected one way of clipping\nwrite {ways[0]}={getattr(self, ways[0])} alone"
            )

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that make the same optimizer again, without its memory."""
        rate = schedules.serialize(self._schedule) if self._schedule else float(self._rate)
        averaging = ("use_ema", "ema_momentum", "ema_overwrite_frequency")
        return {
            "name": self.name,
            "learning_rate": rate,
            **{name: getattr(self, name) for name in ("weight_decay", *CLIPPING, *averaging)},
            **UNUSED,
            **{name: getattr(self, name) for name in self.hyperparameters},
        }

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Any:
        """Make an optimizer from what `get_config` returned."""
        config = dict(config)
        if isinstance(config.get("learning_rate"), dict):
            config["learning_rate"] = schedules.deserialize(config["learning_rate"])
        return cls(**config)


def _read_older(kind: type, older: dict[str, Any], learning_rate: Any) -> Any:
    """Return the learning rate, after arguments of other times and places have been looked at."""
    rate, decay = older.pop("lr", None), older.pop("decay", None)
    if decay:
        raise ValueError(
            f"{kind.__name__}: given decay={decay!r}, which Keras 1 had\n"
            "expected a schedule as the learning rate\n"
            f"write {kind.__name__}(keras.optimizers.schedules.InverseTimeDecay(0.1, 1, {decay!r}))"
        )
    parameters = {**inspect.signature(kind).parameters, **inspect.signature(Settings).parameters}
    known = {name: p for name, p in parameters.items() if p.kind is not p.VAR_KEYWORD}
    for name, value in older.items():
        if name not in UNUSED or value is not None:
            find(f"argument of {kind.__name__}", known, name)
    if rate is None:
        return learning_rate
    warnings.warn(
        f"{kind.__name__}(lr={rate!r}): Keras 1 called it lr\n"
        "expected learning_rate, which it is taken for\n"
        f"write {kind.__name__}(learning_rate={rate!r})",
        FutureWarning,
        stacklevel=4,
    )
    return rate
