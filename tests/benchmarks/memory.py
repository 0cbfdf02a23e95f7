"""The memory of training: what `fit` allocates beside the arrays that it cannot do without.

Needed are the weights, their gradients and what the optimizer remembers, the numbers of the layers
with their gradients for one batch, and the batch itself with the order of the rows.
"""

from __future__ import annotations

import sys
import tracemalloc
from importlib import import_module
from typing import Any

import numpy as np

from .network_peers import ROWS
from .networks import FASHION, WIDE, Net, data, model
from .suite import Column, Rows, Run, Suite

STEPS = 100
ALLOCATED = Rows()


def needed(net: Net) -> dict[str, int]:
    """Return the bytes of the arrays that training needs, by what they are for.

    >>> needed(Net((2, 4, 1)))["weights"]  # 8 + 4 + 4 + 1 numbers of 4 bytes
    68
    """
    item = np.dtype(net.dtype).itemsize
    weights = sum(w.nbytes for w in net.weights())
    return {
        "weights": weights,
        "gradients": weights,
        "optimizer": 2 * weights if net.optimizer == "adam" else 0,
        "layers, forward and backward": 2 * net.batch * sum(net.widths[1:]) * item,
        "batch": net.batch * (net.widths[0] * item + 8),
        "order of the rows": STEPS * net.batch * 8,
    }


def first(run: Run, n: int, case: Any) -> float:
    """Return the megabytes that a row tells."""
    return run(n) / 1e6


def peak_of_process(run: Run, n: int, case: Any) -> float:
    """Return the most megabytes that the process has held so far, all libraries included."""
    import resource  # which Windows does not have

    run(n)
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 1e6


@ALLOCATED.row("the arrays it needs")
def by_need(net: Net) -> Run:
    return lambda _: sum(needed(net).values())


@ALLOCATED.row("gradlab fit")
def by_gradlab(net: Net) -> Run:
    """Trace what `fit` allocates, and add the weights of the model that it is given."""
    keras: Any = import_module("gradlab.keras")
    tiny = Net((2, 4, 4, 2), net.batch, net.optimizer, net.rate, net.dropout)
    model(keras, tiny).fit(*data(tiny, 1))  # so that all modules are there
    x, y = data(net, STEPS)

    def run(_: int) -> int:
        trained = model(keras, net)
        tracemalloc.start()
        trained.fit(x, y, batch_size=net.batch)
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        return peak + sum(w.nbytes for w in trained.get_weights())

    return run


COLUMNS = (
    Column("784-300-100-10, SGD, batch 32", FASHION),
    Column("784-784-784-784-10, Adam, batch 128", WIDE),
)

SUITES = [
    Suite(
        "memory", "Peak of what training allocates, beside the data", "MB", COLUMNS, ALLOCATED,
        units=1, measure=first,
    ),
    Suite(
        "process", "Peak of the process that trains on one thread, 100 steps and their data", "MB",
        (Column("784-300-100-10, SGD, batch 32", FASHION, threads=1),),
        ROWS.only(
            "gradlab fit", "NumPy by hand", "autograd", "MyGrad", "scikit-learn", "torch",
            "JAX jit", "Keras on JAX", "Keras on torch",
        ),
        units=STEPS, measure=peak_of_process,
    ),
]  # fmt: skip
