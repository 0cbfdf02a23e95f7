"""Who may import whom: the design's one-way street, enforced."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

import gradlab

PACKAGE = Path(gradlab.__file__).parent

# A module may import from its own floor and from those below it.
FLOORS = [
    {"tape", "config", "kernels", "formula", "data", "errors"},
    {"entry", "chain_rule", "primitive"},
    {"ops"},
    {"operators"},
    {"value", "tensor", "numpy_protocol"},
    {"calculus", "program", "testing", "draw", "plots", "perceptron"},
    {"keras"},
    {"course", "cli", "__main__"},
]
FLOOR = {module: floor for floor, modules in enumerate(FLOORS) for module in modules}
OPS = [
    *("arithmetic", "elementary", "shaping", "reductions", "activations"),
    *("linear", "recurrent", "windows", "losses"),
]


def imports(path: Path) -> set[str]:
    """Return the full names of the gradlab modules that a file imports, wherever in it."""
    found = set()
    parts = path.relative_to(PACKAGE.parent).with_suffix("").parts
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            base = list(parts[: len(parts) - node.level]) if node.level else []
            module = ".".join([*base, *((node.module or "").split(".") if node.module else [])])
            found |= {f"{module}.{alias.name}" for alias in node.names} | {module}
    return {name for name in found if name.startswith("gradlab.")}


FILES = [p for p in sorted(PACKAGE.rglob("*.py")) if p != PACKAGE / "__init__.py"]


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(PACKAGE)))
def test_imports_go_one_way(path):
    here = path.relative_to(PACKAGE).parts[0].removesuffix(".py")
    assert here in FLOOR, f"{here} is on no floor: add it to FLOORS"
    for name in imports(path):
        there = name.split(".")[1]
        if there in FLOOR:
            assert FLOOR[there] <= FLOOR[here], f"{here} imports {there}, which is above it"


def test_ops_import_downwards_only():
    for place, module in enumerate(OPS):
        above = {f"gradlab.ops.{name}" for name in OPS[place + 1 :]}
        assert not imports(PACKAGE / "ops" / f"{module}.py") & above
    assert {p.stem for p in (PACKAGE / "ops").glob("*.py")} == {*OPS, "__init__"}
