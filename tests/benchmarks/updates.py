"""Optimizers on the 1,854,170 weights of the wide network: what a step costs besides gradients.

Here memory is the limit: Adam reads and writes four numbers for each weight.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

import numpy as np

from .suite import Column, Rows, Run, Suite, repeated

ROWS = Rows()
COUNT = 1_854_170
SETTINGS: dict[str, dict[str, Any]] = {
    "SGD": {},
    "SGD with momentum": {"momentum": 0.9},
    "RMSprop": {},
    "Adam": {},
}


def arrays() -> tuple[np.ndarray, np.ndarray]:
    """Return weights and their gradient."""
    rng = np.random.default_rng(0)
    return rng.normal(size=COUNT).astype("float32"), rng.normal(size=COUNT).astype("float32")


def _optimizer(name: str) -> tuple[Any, Any, np.ndarray]:
    keras, (w, g) = import_module("gradlab.keras"), arrays()
    optimizer = getattr(keras.optimizers, name.split()[0])(**SETTINGS[name])
    variable = keras.Variable(w)
    optimizer.build([variable])
    return optimizer, variable, g


@ROWS.row("gradlab in one pass")
def by_kernel(name: str) -> Run:
    updates: Any = import_module("gradlab.kernels.updates")
    optimizer, variable, g = _optimizer(name)
    kept = updates.rule_of(optimizer).memory.values()
    memory = [getattr(optimizer, place)[0].numpy().copy() for place in kept]
    return repeated(updates.bind(optimizer, variable.numpy().copy(), g, memory))


@ROWS.row("gradlab optimizer.apply")
def by_apply(name: str) -> Run:
    optimizer, variable, g = _optimizer(name)
    return repeated(lambda: optimizer.apply([g], [variable]))


@ROWS.row("torch", "torch")
def by_torch(name: str) -> Run:
    torch: Any = import_module("torch")
    w, g = map(torch.from_numpy, arrays())
    w.requires_grad_().grad = g
    rate = 0.01 if "SGD" in name else 0.001
    step = getattr(torch.optim, name.split()[0])([w], lr=rate, **SETTINGS[name]).step
    return repeated(step)


SUITES = [
    Suite(
        "updates", "One step of an optimizer on 1,854,170 weights", "ms",
        tuple(Column(name, name) for name in SETTINGS), ROWS, seconds=0.2,
    )
]  # fmt: skip
