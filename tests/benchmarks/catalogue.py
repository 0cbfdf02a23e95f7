"""All suites by name, in the order of the report; and the families they are written in."""

from __future__ import annotations

from collections.abc import Iterable

from . import (
    activations,
    layers,
    memory,
    operations,
    products,
    scalars,
    scaling,
    starts,
    training,
    updates,
    xor,
)
from .suite import Suite

FAMILIES = {
    "training": training.SUITES,
    "xor": xor.SUITES,
    "moons": scalars.SUITES,
    "activations": activations.SUITES,
    "operations": operations.SUITES,
    "products": products.SUITES,
    "updates": updates.SUITES,
    "layers": layers.SUITES,
    "starts": starts.SUITES,
    "memory": memory.SUITES,
    "scaling": scaling.SUITES,
}
SUITES = {suite.name: suite for suites in FAMILIES.values() for suite in suites}


def chosen(names: Iterable[str]) -> list[Suite]:
    """Return the suites with these names, or in families with these names; all for no names.

    Raises:
        ValueError: a name of neither.

    >>> [suite.name for suite in chosen(["xor", "operations"])]
    ['xor', 'eager', 'chains']
    """
    names = list(names)
    for name in names:
        if name not in SUITES and name not in FAMILIES:
            raise ValueError(
                f"--only: no suite is called {name!r}\n"
                f"expected some of {', '.join(dict.fromkeys([*FAMILIES, *SUITES]))}\n"
                "write --only fashion,xor"
            )
    return [
        suite
        for family, suites in FAMILIES.items()
        for suite in suites
        if not names or family in names or suite.name in names
    ]
