"""The table of primitives, easiest first: arithmetic, elementary functions, shapes, reductions,
activations, linear algebra, recurrent networks, windows, losses. Every module imports only from
those before it.
"""

from gradlab.entry import (
    REGISTRY,
)
from gradlab.ops import (
    activations,
    arithmetic,
    elementary,
    linear,
    losses,
    recurrent,
    reductions,
    shaping,
    windows,
)
from gradlab.primitive import (
    Primitive,
)

for entry in REGISTRY.values():
    if isinstance(entry, Primitive):
        entry.check_complete()

__all__ = [
    "activations",
    "arithmetic",
    "elementary",
    "linear",
    "losses",
    "recurrent",
    "reductions",
    "shaping",
    "windows",
]
