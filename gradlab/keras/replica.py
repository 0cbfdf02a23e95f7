"""A model on another machine: it computes the gradients of a part of a batch, and does not step.

`keras.distribute` sends it the weights in every step.
"""

from __future__ import annotations

import pickle
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from gradlab.keras import config, random
from gradlab.keras.callbacks.state import _generators
from gradlab.keras.graph import leaves, mapped
from gradlab.keras.optimizers.base import Optimizer
from gradlab.keras.saving import custom, shared
from gradlab.keras.saving.compiling import compile_from
from gradlab.keras.saving.models import config_of, made
from gradlab.keras.tuner.running import seed_of
from gradlab.keras.tuner.workers import pickled


class Part(NamedTuple):
    """What a worker returns for its part of a batch."""

    rows: int
    gradients: list[np.ndarray | None]
    fixed: list[np.ndarray]  # weights that are not learnt, such as running means
    losses: list[float]  # the whole, then that of each output if there are several
    outputs: Any


class Gradients(Optimizer):
    """Keeps the gradients, in the place of a step."""

    def __init__(self) -> None:
        super().__init__(learning_rate=0.0)
        self.found: dict[int, np.ndarray] = {}

    def apply(self, grads: Sequence[Any], trainable_variables: Any = None) -> None:
        pairs = zip(grads, trainable_variables, strict=True)
        arrays = {v.serial: getattr(g, "data", g) for g, v in pairs if g is not None}
        self.found = {serial: np.array(array) for serial, array in arrays.items()}


_alone = threading.Lock()  # workers may be threads of one process


class Replica:
    """The model on a worker.

    Args:
        content: what `written` returns.
    """

    def __init__(self, content: bytes) -> None:
        config_, objects, floatx, epsilon = pickle.loads(content)
        self.settings = floatx, epsilon
        scopes = custom.custom_object_scope(objects), shared.objects()
        with _alone, config.held(*self.settings), scopes[0], scopes[1]:
            self.model = made(config_, Path("the model of this training"))
            compile_from(self.model, config_["compile_config"])
            self.gradients = Gradients()
            self.gradients.build(self.model.trainable_weights)
        self.model.optimizer = self.gradients
        self.model.compute_metrics = self._keep
        self.outputs: Any = None

    def _keep(self, x: Any, y: Any, y_pred: Any, sample_weight: Any = None) -> dict[str, float]:
        """Keep the outputs, in the place of counting metrics."""
        self.outputs = mapped(lambda a: np.array(getattr(a, "data", a)), y_pred)
        return {}

    def part(self, weights: list[np.ndarray], batch: Any, place: Any, words: Any) -> Part:
        """Compute the gradients of a part of a batch.

        Args:
            weights: all of them.
            batch: x, y and sample weights.
            place: epoch and step, for messages.
            words: numbers that the dropout masks depend on.
        """
        model = self.model
        with _alone, config.held(*self.settings), random.seeded(seed_of(*words)):
            for k, own in enumerate(_generators(model)):
                own.bit_generator.state = np.random.default_rng([*words, k]).bit_generator.state
            model.set_weights(weights)
            model.reset_metrics()
            model._place = place
            model.train_step(batch)
            means = [model._mean_loss, *model._losses.shown]
            return Part(
                rows=len(next(leaves(batch[0]))),
                gradients=[self.gradients.found.get(w.serial) for w in model.trainable_weights],
                fixed=[variable.numpy() for variable in fixed_weights(model)],
                losses=[float(mean.result()) for mean in means],
                outputs=self.outputs,
            )


def written(model: Any, custom_objects: Mapping[str, Any]) -> bytes:
    """Return a model without its numbers, for `Replica`."""
    kinds = {type(layer) for layer, _ in model._walk()}
    own = {kind.__name__: kind for kind in kinds if not kind.__module__.startswith("gradlab.")}
    objects = {**own, **custom_objects}
    return pickled((config_of(model), objects, config.floatx(), config.epsilon()))


def fixed_weights(model: Any) -> list[Any]:
    trained = {id(weight) for weight in model.trainable_weights}
    return [weight for weight in model.weights if id(weight) not in trained]
