"""What `compile` was given, matched with the outputs of the model: a loss and metrics for each.

With one output this is one loss and a list of metrics; with several, each part is matched by
place or by the output's name.
"""

from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import Any

import numpy as np

from gradlab.keras import losses, metrics
from gradlab.keras.graph import leaves
from gradlab.tape import Node


def per_output(given: Any, names: Sequence[str], what: str) -> list[Any]:
    """Return one part for each output, from a list, a tuple or a dict by output name.

    >>> per_output({"b": 2, "a": 1}, ["a", "b"], "loss")
    [1, 2]

    Raises:
        ValueError: a name that is no output, another number of parts, or one array of targets for
            several outputs.
    """
    if isinstance(given, dict):
        if unknown := [name for name in given if name not in names]:
            raise ValueError(
                f"{what}: given for {unknown[0]!r}\nexpected names of outputs: "
                f"{', '.join(names)}\nwrite {what}={{{', '.join(f'{n!r}: ...' for n in names)}}}"
            )
        return [given.get(name) for name in names]
    one = not isinstance(given, list | tuple) or (len(names) == 1 and _is_row(given, what))
    if one and (given is None or len(names) == 1 or what not in EACH_ITS_OWN):
        return [given] * len(names)
    if not one and len(given) == len(names):
        return list(given)
    raise ValueError(
        f"{what}: {'one' if one else len(given)} for {len(names)} output{'s' * (len(names) > 1)}\n"
        f"expected one for each of {', '.join(names)}\n"
        f"write {what}=({', '.join(['...'] * len(names))})"
    )


EACH_ITS_OWN = ("y", "loss_weights")  # what several outputs cannot share


def _is_row(given: Any, what: str) -> bool:
    """Tell a list with a number or row for each instance from one with a part for each output."""
    return what in ("y", "sample_weight") and not any(hasattr(v, "shape") for v in given)


class Losses:
    """The loss of each output, their weights, and the sum that training brings down.

    Args:
        given: a name, function or object, or one for each output.
        weights: a factor for each output; 1 by default.
    """

    def __init__(self, given: Any, weights: Any = None) -> None:
        self.given, self.weights = given, weights
        for each in leaves(given):
            losses.get(each)  # an unknown name is told now, not in the first step
        self.names: list[str] | None = None
        self.each: list[Any] = []

    def match(self, names: Sequence[str]) -> None:
        """Match the losses with the outputs, once these are known."""
        if self.names is None:
            parts = per_output(self.given, names, "loss")
            self.each = [_as_loss(part) for part in parts]
            factors = per_output(self.weights, names, "loss_weights")
            self.factors = [1.0 if w is None else float(w) for w in factors]
            self.names = list(names)
            self.means = [metrics.Mean(name=f"{name}_loss") for name in names]

    def check(self, names: Sequence[str]) -> None:
        """Raise ValueError if losses or weights do not fit outputs of these names, if known."""
        if names:
            per_output(self.given, names, "loss")
            per_output(self.weights, names, "loss_weights")

    @property
    def shown(self) -> list[Any]:
        """The mean losses of the outputs that have one, if there are several outputs."""
        if self.names is None or len(self.names) == 1:
            return []
        pairs = zip(self.means, self.each, strict=True)
        return [mean for mean, loss in pairs if loss is not None]

    def __call__(self, y: list[Any], y_pred: list[Any], weight: list[Any]) -> Any:
        """Return the weighted sum of the losses of all outputs."""
        total: Any = None
        for k, loss in enumerate(self.each):
            if loss is None:
                continue
            part = loss(y[k], y_pred[k], sample_weight=weight[k])
            if len(self.each) > 1:
                self.means[k].add(value(part), len(value(y_pred[k])))
            part = part if self.factors[k] == 1.0 else part * self.factors[k]
            total = part if total is None else total + part
        return total


def _as_loss(identifier: Any) -> Any:
    """Return an object whose call takes sample weights; a plain function gets one around it."""
    loss = losses.get(identifier)
    if loss is None or isinstance(loss, losses.Loss):
        return loss
    return losses.LossFunctionWrapper(loss, name=getattr(loss, "__name__", "loss"))


class Metrics:
    """The metrics of each output.

    Args:
        given: a list of names, functions or objects, used for every output; or, for several
            outputs, one such list for each.
    """

    def __init__(self, given: Any) -> None:
        self.given = given
        for each in leaves(given):
            if each not in ACCURACIES:
                metrics.get(each)  # an unknown name is told now, not in the first step
        self.each: list[tuple[Any, int]] | None = None  # each metric, and which output it is of
        self.shapes: tuple[list[Any], list[Any]] | None = None  # of targets and outputs

    def match(
        self,
        names: Sequence[str],
        y: list[Any],
        y_pred: list[Any],
        loss_of: list[Any],
    ) -> None:
        """Make the metrics, once the shapes say which accuracy is meant."""
        if self.each is not None:
            return
        self.each = []
        self.shapes = [np.shape(t) for t in y], [np.shape(value(p)) for p in y_pred]
        for k, wanted in enumerate(self._wanted(names)):
            for one in wanted:
                metric = _as_metric(one, y[k], y_pred[k], loss_of[k])
                if len(names) > 1 and not metric.name.startswith(f"{names[k]}_"):
                    metric.name = f"{names[k]}_{metric.name}"
                self.each.append((metric, k))

    def check(self, names: Sequence[str]) -> None:
        """Raise ValueError if the metrics do not fit outputs of these names, if known."""
        if names:
            self._wanted(names)

    def _wanted(self, names: Sequence[str]) -> list[list[Any]]:
        given = self.given
        if given is None:
            return [[] for _ in names]
        nested = isinstance(given, list | tuple) and any(isinstance(m, list | tuple) for m in given)
        if isinstance(given, dict) or (nested and len(names) > 1):
            parts = per_output(given, names, "metrics")
        else:  # one list for all outputs, which count apart from each other
            parts = [given, *(copy.deepcopy(given) for _ in names[1:])]
        lists = [p if isinstance(p, list | tuple) else [] if p is None else [p] for p in parts]
        return [list(leaves(part)) for part in lists]

    def update(self, y: list[Any], y_pred: list[Any], weight: list[Any] | None = None) -> None:
        """Count one more batch; ``weight`` has the factors on the instances of each output."""
        for metric, k in self.each or []:
            if y[k] is not None:
                factor = None if weight is None else weight[k]
                metric.update_state(y[k], value(y_pred[k]), sample_weight=factor)

    @property
    def all(self) -> list[Any]:
        """All metrics, output by output."""
        return [metric for metric, _ in self.each or []]


ACCURACIES = ("accuracy", "acc", "crossentropy", "ce")


def _as_metric(identifier: Any, y: Any, y_pred: Any, loss: Any) -> Any:
    """Return a metric of its own for one output; an object that was given is used as it is."""
    if isinstance(identifier, metrics.Metric):
        return identifier
    if isinstance(identifier, str) and identifier in ACCURACIES:
        made = metrics.resolve_accuracy(identifier, np.shape(y), np.shape(value(y_pred)), loss)
        made.name = identifier
        return made
    found = metrics.get(identifier)
    if isinstance(found, metrics.Metric):
        if isinstance(identifier, str) and identifier.islower():
            found.name = identifier  # "mae" is reported as "mae"
        return found
    return metrics.MeanMetricWrapper(found, name=getattr(found, "__name__", "metric"))


def value(x: Any) -> np.ndarray:
    """Return the numbers of a Tensor, or the array itself."""
    return x.data if isinstance(x, Node) else np.asarray(x)
