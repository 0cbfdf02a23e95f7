"""From the start of a process to its first result: what a student waits for at every run.

The bytecode of all libraries is there already, as after any first run.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

from .suite import Column, LeftOutError, Rows, Run, Suite, repeated

ROWS = Rows()
ROOT = Path(__file__).resolve().parents[2]
GRADIENT, FIT, COLD = "first gradient", "first step of training", "the same, caches empty"

STEP = """
from tests.benchmarks.network_peers import ROWS
from tests.benchmarks.networks import FASHION
ROWS[{row!r}].make(FASHION)(1)
"""


def started(script: str, cold: bool = False) -> Run:
    """Return the function that runs a script in a new process.

    Args:
        cold: whether what gradlab and Numba keep on disk is missing each time.
    """
    kept = tempfile.TemporaryDirectory()

    def once() -> None:
        with tempfile.TemporaryDirectory() as empty:
            folder = empty if cold else kept.name
            extra = {"GRADLAB_HOME": folder, "NUMBA_CACHE_DIR": folder}
            environment = {**os.environ, **extra}
            environment.pop("PYTHONDONTWRITEBYTECODE", None)
            # It leaves at once: taking a process down is not part of the start.
            command = [sys.executable, "-c", f"{script}\nimport os\nos._exit(0)"]
            output = subprocess.DEVNULL
            subprocess.run(
                command, check=True, cwd=ROOT, env=environment, stdout=output, stderr=output
            )

    once()
    return repeated(once)


def _row(name: str, gradient: str, *needs: str, step: str = "", **environment: str) -> None:
    @ROWS.row(name, *needs, **environment)
    def make(column: str) -> Run:
        if column == GRADIENT and gradient:
            return started(gradient)
        if column == GRADIENT or not step:
            raise LeftOutError("")
        if column == COLD and step != "gradlab fit":
            raise LeftOutError("keeps nothing")
        return started(STEP.format(row=step), cold=column == COLD)


_row(
    "gradlab",
    "import gradlab as gl\nx = gl.Tensor([1.0, 2.0])\n(x * x).sum().backward()",
    step="gradlab fit",
)
_row("NumPy alone", "import numpy as np\nx = np.array([1.0, 2.0])\n(x * x).sum()")
_row(
    "micrograd",
    "from micrograd.engine import Value\nx = Value(2.0)\n(x * x).backward()",
    "micrograd",
)
_row(
    "autograd",
    "import autograd\nimport autograd.numpy as np\n"
    "autograd.grad(lambda x: np.sum(x * x))(np.array([1.0, 2.0]))",
    "autograd",
    step="autograd",
)
_row(
    "MyGrad",
    "import mygrad as mg\nx = mg.tensor([1.0, 2.0])\n(x * x).sum().backward()",
    "mygrad",
    step="MyGrad",
)
_row(
    "torch",
    "import torch\nx = torch.tensor([1.0, 2.0], requires_grad=True)\n(x * x).sum().backward()",
    "torch",
    step="torch",
)
_row(
    "JAX",
    "import jax\nx = jax.numpy.array([1.0, 2.0])\n"
    "jax.block_until_ready(jax.grad(lambda x: (x * x).sum())(x))",
    "jax",
    step="JAX jit",
)
_row("Keras on JAX", "", "keras", "jax", step="Keras on JAX", KERAS_BACKEND="jax")
_row("Keras on torch", "", "keras", "torch", step="Keras on torch", KERAS_BACKEND="torch")


SUITES = [
    Suite(
        "starts", "From the start of the process, Fashion-MNIST's network", "s",
        tuple(Column(label, label) for label in (GRADIENT, FIT, COLD)), ROWS, units=1,
    )
]  # fmt: skip
