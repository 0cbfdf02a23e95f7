"""How the time grows: with the batch, the width, the depth, and the number of nodes.

The exponent is the slope of log time over log size, by least squares over the upper half of the
sizes, where fixed costs no longer hide the growth. 1 means twice the time for twice the size.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from .network_peers import ROWS
from .networks import FASHION, Net
from .operations import CHAINS
from .suite import Column, Suite
from .training import steps_in_an_epoch

TRAINED = ROWS.only("gradlab fit", "torch", "NumPy by hand")
RECORDED = CHAINS.only("gradlab Value", "gradlab replay", "gradlab Tensor", "torch")


def exponent(sizes: Sequence[float], times: Sequence[float]) -> float:
    """Return p of ``time = c size^p``, fitted to the upper half of the sizes.

    >>> sizes = [1, 2, 4, 8, 16, 32]
    >>> round(exponent(sizes, [3 * size**2 for size in sizes]), 3)
    2.0
    """
    upper = slice(len(sizes) // 2, None)
    slope, _ = np.polyfit(np.log(sizes[upper]), np.log(times[upper]), 1)
    return float(slope)


def deep(layers: int) -> Net:
    """Return a network of 64 inputs and so many hidden layers of 64."""
    return Net((*[64] * (layers + 1), 10))


def _curve(variable: str, title: str, cases: dict[int, Any], **more: Any) -> Suite:
    columns = tuple(Column(f"{size:,}", case) for size, case in cases.items())
    by_fit = {"unit": "ms", "rows": TRAINED, "seconds": 0.2, "at_most": steps_in_an_epoch}
    more = more or by_fit
    return Suite(f"scaling-{variable}", title, columns=columns, variable=variable, **more)


POWERS = [2**k for k in range(11)]
SUITES = [
    _curve(
        "batch", "A step of 784-300-100-10, by instances in the batch",
        cases={n: replace(FASHION, batch=n, epoch=55_000 // n) for n in POWERS},
    ),
    _curve(
        "width", "A step of 784-n-n-10, batch 32, by the width n",
        cases={n: Net((784, n, n, 10)) for n in POWERS[3:]},
    ),
    _curve(
        "depth", "A step of hidden layers of 64, batch 32, by their number",
        cases={n: deep(n) for n in POWERS[:6]},
    ),
    _curve(
        "nodes", "A chain of scalar operations, forward and backward, by its length",
        unit="s", units=1, rows=RECORDED, cases={10**k: 10**k for k in (2, 3, 4, 5, 6)},
    ),
]  # fmt: skip
