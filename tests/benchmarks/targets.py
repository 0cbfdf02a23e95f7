"""What was aimed at, and what the same run measured: each target met, or missed by how much.

A ratio is how many times as long the peer takes; over several columns the worst one counts.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from . import activations, layers, memory, products
from .starts import COLD, FIT, GRADIENT
from .timing import Results, middle, ratio
from .training import BUSY, COMPILED, FREE, TAPES

STEP = "one step"


@dataclass(frozen=True)
class Target:
    """One line of the table.

    Args:
        what: the workload, and whom it is compared with.
        wanted: the ratio to reach or, if ``unit`` is given, the cost not to exceed.
        stretch: more than that, which would be welcome.
        measured: finds the number in the results; None if it is not there.
        unit: of a cost; empty for a ratio.
    """

    what: str
    wanted: float
    stretch: float | None
    measured: Callable[[Results], float | None]
    unit: str = ""

    def verdict(self, results: Results) -> str:
        """Say whether the target is met, or by how much it is missed.

        >>> Target("as fast as NumPy", 2.0, 3.0, lambda results: 1.5).verdict({})
        'missed: 25 % short'
        """
        found = self.measured(results)
        if found is None:
            return "not measured"
        if self.unit:
            over = found / self.wanted - 1
            met, stretched = over <= 0, self.stretch and found <= self.stretch
            return _told(met, stretched, f"missed: {over:.0%} more".replace("%", " %"))
        short = 1 - found / self.wanted
        met, stretched = short <= 0, self.stretch and found >= self.stretch
        return _told(met, stretched, f"missed: {short:.0%} short".replace("%", " %"))


def _told(met: bool, stretched: object, missed: str) -> str:
    return "met, and the stretch too" if met and stretched else "met" if met else missed


def against(
    suite: str, columns: str | Sequence[str], ours: str, *theirs: str
) -> Callable[[Results], float | None]:
    """Return the ratio of the fastest of theirs to ours, in the worst of the columns."""
    columns = [columns] if isinstance(columns, str) else list(columns)

    def measured(results: Results) -> float | None:
        tables = [results.get(suite, {}).get(column, {}) for column in columns]
        found = [[ratio(table.get(name), table.get(ours)) for name in theirs] for table in tables]
        known = [[r for r in ratios if r is not None] for ratios in found]
        return min(map(min, known)) if all(known) else None

    return measured


def cost(suite: str, column: str, row: str) -> Callable[[Results], float | None]:
    """Return what a row took: seconds, or microseconds for each of a million."""
    return lambda results: middle(results.get(suite, {}).get(column, {}).get(row))


def _training() -> list[Target]:
    def fit(column: str, *peers: str) -> Callable[[Results], float | None]:
        return against("fashion", column, "gradlab fit", *peers)

    peers = [name for name in (*COMPILED, *TAPES, "NumPy by hand") if name != "gradlab fit"]
    return [
        Target("Fashion-MNIST through fit, torch", 3.0, 3.8, fit(FREE, "torch")),
        Target("Fashion-MNIST through fit, JAX jit", 2.8, None, fit(FREE, "JAX jit")),
        Target("Fashion-MNIST through fit, Keras on JAX", 3.3, None, fit(FREE, "Keras on JAX")),
        Target("Fashion-MNIST through fit, Keras on torch", 8.0, None, fit(FREE, "Keras on torch")),
        Target("the same, one core taken, best peer", 1.4, 1.6, fit(BUSY, *peers)),
        Target(
            "wide MNIST through fit, JAX jit", 1.0, 1.2,
            against("wide", FREE, "gradlab fit", "JAX jit"),
        ),
        Target(
            "wide MNIST through fit, torch", 1.5, None,
            against("wide", FREE, "gradlab fit", "torch"),
        ),
    ]  # fmt: skip


def _scalars() -> list[Target]:
    moons, chains = "micrograd's moons", "1,000,000 operations"
    without = "micrograd, garbage collector off"
    return [
        Target(
            "XOR step compiled, JAX jit", 5.0, 8.0,
            against("xor", STEP, "gradlab program", "JAX jit"),
        ),
        Target("XOR step eager, torch", 4.0, 6.0, against("xor", STEP, "gradlab Tensor", "torch")),
        Target(
            f"{moons}, Value, micrograd", 30.0, 45.0,
            against("moons", STEP, "gradlab Value", "micrograd"),
        ),
        Target(
            f"{moons}, Value, micrograd without gc", 6.0, None,
            against("moons", STEP, "gradlab Value", without),
        ),
        Target(
            f"{moons}, replayed, micrograd", 2_500.0, 5_000.0,
            against("moons", STEP, "gradlab replay", "micrograd"),
        ),
        Target(
            "chain of 1,000,000 Values, each", 0.8, 0.5,
            cost("chains", chains, "gradlab Value"), "us",
        ),
        Target(
            "eager Tensor operation, torch", 2.5, 3.2,
            against("eager", "per operation", "gradlab Tensor", "torch"),
        ),
        Target(
            "eager Tensor operation, MyGrad", 3.5, None,
            against("eager", "per operation", "gradlab Tensor", "MyGrad"),
        ),
    ]  # fmt: skip


def _kernels() -> list[Target]:
    names = activations.NAMES
    training = [p.label() for p in products.TRAINING]
    every = [*training, *(p.label() for p in products.NEIGHBOURS)]
    own, dispatch = "gradlab's own kernel", "gradlab as it chooses"
    return [
        Target(
            "activations, the worst of eight, torch", 1.2, 1.6,
            against("activations", names, "gradlab program", "torch"),
        ),
        Target(
            "activations, the worst of eight, NumPy", 3.0, None,
            against("activations", names, "gradlab program", "NumPy by hand"),
        ),
        Target(
            "own product, the worst training shape, NumPy", 1.3, None,
            against("products", training, own, "NumPy"),
        ),
        Target(
            "own product, the worst training shape, torch", 0.95, None,
            against("products", training, own, "torch"),
        ),
        Target(
            "product as chosen, the worst of all shapes, NumPy", 0.95, None,
            against("products", every, dispatch, "NumPy"),
        ),
    ]  # fmt: skip


def _starts() -> list[Target]:
    def allocated(column: int) -> Callable[[Results], float | None]:
        label = memory.COLUMNS[column].label
        return against("memory", label, "the arrays it needs", "gradlab fit")

    return [
        Target("first eager gradient", 0.15, 0.12, cost("starts", GRADIENT, "gradlab"), "s"),
        Target("first step of fit", 1.0, 0.7, cost("starts", FIT, "gradlab"), "s"),
        Target("first step of fit, caches empty", 15.0, None, cost("starts", COLD, "gradlab"), "s"),
        Target("peak memory of fit, over what it needs", 1.3, None, allocated(0), "times"),
        Target("the same, wide, Adam", 1.3, None, allocated(1), "times"),
    ]


def _layers() -> list[Target]:
    return [
        Target(
            f"{label.split(',')[0]}, torch", 1 / 1.5, 1.0,
            against("layers", label, "gradlab", "torch"),
        )
        for label in (layers.CONVOLUTION, layers.LSTM)
    ] + [
        Target(f"{suite}, torch", 0.5, 1.0, against(suite, label, "gradlab", "torch"))
        for suite, label in (
            ("convolution memory", layers.CONVOLUTION), ("LSTM memory", layers.LSTM),
        )
    ]  # fmt: skip


TARGETS = [*_training(), *_scalars(), *_kernels(), *_layers(), *_starts()]
