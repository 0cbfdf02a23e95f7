"""Pictures of computation graphs: what was computed, and how steep each step is.

``gradlab.draw(y)`` makes one, ``gradlab.draw.network([2, 4, 3])`` that of a network of neurons;
nothing but Python packages is needed.
"""

from __future__ import annotations

import sys
from types import ModuleType
from typing import Any

from gradlab.draw.call import draw, notebook_pictures
from gradlab.draw.drawing import Drawing
from gradlab.draw.graph import Edge, Graph, Vertex
from gradlab.draw.network import network

__all__ = ["Drawing", "Edge", "Graph", "Vertex", "draw", "network", "notebook_pictures"]


class _CallableModule(ModuleType):
    def __call__(self, node: Any, **options: Any) -> Drawing:
        return draw(node, **options)


# `gradlab.draw` is this package and also the call `gradlab.draw(y)`: Python looks `__call__` up on
# the class of an object, so the module gets a class that has one.
sys.modules[__name__].__class__ = _CallableModule
