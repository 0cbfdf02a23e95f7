"""Pictures of computation graphs: what was computed, and how steep each step is.

``gradlab.draw(y)`` makes one; nothing but Python packages is needed.
"""

from __future__ import annotations

import sys
from types import ModuleType
from typing import Any

from gradlab.draw.drawing import Drawing, draw, notebook_svg
from gradlab.draw.graph import Edge, Graph, Vertex

__all__ = ["Drawing", "Edge", "Graph", "Vertex", "draw", "notebook_svg"]


class _CallableModule(ModuleType):
    def __call__(self, node: Any, **options: Any) -> Drawing:
        return draw(node, **options)


# `gradlab.draw` is this package and also the call `gradlab.draw(y)`: Python looks `__call__` up on
# the class of an object, so the module gets a class that has one.
sys.modules[__name__].__class__ = _CallableModule
