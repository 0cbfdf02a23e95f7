"""Layers for images and sequences: training steps, and the memory that they take.

A step is forward, mean squared error, backward and descent. torch has the channels of an image
first unless told otherwise; gradlab and Keras have them last.
"""

from __future__ import annotations

import ctypes
import gc
from collections.abc import Callable
from dataclasses import dataclass, replace
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np

from .suite import Column, LeftOutError, Rows, Run, Suite, repeated

ROWS = Rows()
RATE = 1e-3


@dataclass(frozen=True)
class Case:
    """Layers by their names in Keras with their arguments, and the shape of a batch."""

    layers: tuple[tuple[str, tuple[int, ...]], ...]
    shape: tuple[int, ...]

    def batch(self) -> np.ndarray:
        """Return a batch."""
        return np.random.default_rng(0).normal(size=self.shape).astype("float32")


CONVOLUTION, LSTM = "Conv2D, (32, 28, 28, 1) to 32@3×3 to 64@3×3", "LSTM(64), (32, 50, 32)"
CASES = {
    CONVOLUTION: Case((("Conv2D", (32, 3)), ("Conv2D", (64, 3))), (32, 28, 28, 1)),
    "DepthwiseConv2D 3×3, (32, 26, 26, 64)": Case((("DepthwiseConv2D", (3,)),), (32, 26, 26, 64)),
    LSTM: Case((("LSTM", (64,)),), (32, 50, 32)),
    "GRU(64), (32, 50, 32)": Case((("GRU", (64,)),), (32, 50, 32)),
}


# ------------------------------------------------------------------------------------ in Keras


def model(keras: Any, case: Case, **compiled: Any) -> Any:
    """Return the compiled network, in the words of Keras."""
    row = [getattr(keras.layers, name)(*arguments) for name, arguments in case.layers]
    found = keras.Sequential([keras.Input(case.shape[1:]), *row])
    found.compile(loss="mse", optimizer=keras.optimizers.SGD(RATE), **compiled)
    return found


def trained(keras: Any, case: Case, **compiled: Any) -> Run:
    """Return steps of training that return the loss."""
    network, x = model(keras, case, **compiled), case.batch()
    y = np.zeros((len(x), *network.output_shape[1:]), np.float32)

    def step() -> float:
        network.reset_metrics()
        return network.train_on_batch(x, y)

    return repeated(step)


@ROWS.row("gradlab")
def by_gradlab(case: Case) -> Run:
    return trained(import_module("gradlab.keras"), case)


@ROWS.row("gradlab, run_eagerly")
def by_tape(case: Case) -> Run:
    return trained(import_module("gradlab.keras"), case, run_eagerly=True)


@ROWS.row("Keras on JAX", "keras", "jax", KERAS_BACKEND="jax")
def by_keras(case: Case) -> Run:
    return trained(import_module("keras"), case)


# ------------------------------------------------------------------------------------ in torch


def torch_layer(torch: Any, name: str, arguments: tuple[int, ...], channels: int) -> Any:
    """Return a layer of torch for inputs with so many channels or features."""
    if name == "Conv2D":
        return torch.nn.Conv2d(channels, *arguments)
    if name == "DepthwiseConv2D":
        return torch.nn.Conv2d(channels, channels, *arguments, groups=channels)
    return getattr(torch.nn, name)(channels, *arguments, batch_first=True)


def torch_network(case: Case) -> tuple[Any, Callable[[Any], Any]]:
    """Return the layers, and the function that goes through them."""
    torch: Any = import_module("torch")
    row, channels = [], case.shape[-1]
    for name, arguments in case.layers:
        row.append(torch_layer(torch, name, arguments, channels))
        channels = arguments[0] if name != "DepthwiseConv2D" else channels
    layers = torch.nn.ModuleList(row)

    def forward(x: Any) -> Any:
        for layer in layers:
            x = layer(x)
        return x[0][:, -1] if isinstance(x, tuple) else x  # the state after the last step

    return layers, forward


def _torch_steps(case: Case, channels_last: bool) -> Run:
    torch: Any = import_module("torch")
    layers, forward = torch_network(case)
    x = torch.from_numpy(case.batch())
    if x.ndim == 4:
        x = x.permute(0, 3, 1, 2)  # of which the memory has the channels last
        x = x if channels_last else x.contiguous()
    if channels_last:
        layers = layers.to(memory_format=torch.channels_last)
    with torch.no_grad():
        y = torch.zeros_like(forward(x))
    optimizer = torch.optim.SGD(layers.parameters(), lr=RATE)

    def step() -> float:
        optimizer.zero_grad()
        loss = torch.nn.functional.mse_loss(forward(x), y)
        loss.backward()
        optimizer.step()
        return loss.item()

    return repeated(step)


@ROWS.row("torch", "torch")
def by_torch(case: Case) -> Run:
    return _torch_steps(case, channels_last=False)


@ROWS.row("torch, channels last", "torch")
def by_torch_channels_last(case: Case) -> Run:
    if len(case.shape) != 4:
        raise LeftOutError("a sequence is no image")
    return _torch_steps(case, channels_last=True)


# ------------------------------------------------------------------------------------- memory


def resident(kind: str) -> float:
    """Return the megabytes of this process: now ("VmRSS"), or at most ("VmHWM").

    >>> 1 < resident("VmRSS") <= resident("VmHWM") < 1e5
    True
    """
    status = Path("/proc/self/status")
    if not status.exists():
        raise LeftOutError("only Linux tells")
    fields = dict(line.split(":", 1) for line in status.read_text().splitlines())
    return int(fields[kind].split()[0]) * 1024 / 1e6


def growth(make: Callable[[Case], Run]) -> Callable[[Case], Run]:
    """Return steps that tell by how many megabytes the process has grown at most.

    What a library loads in its first steps, and keeps, does not count.
    """

    def prepared(case: Case) -> Run:
        make(case)(2)
        gc.collect()
        ctypes.CDLL(None).malloc_trim(0)  # what is free goes back to the system
        before, run = resident("VmRSS"), make(case)
        Path("/proc/self/clear_refs").write_text("5")  # the peak begins anew

        def told(n: int) -> float:
            run(n)
            return resident("VmHWM") - before

        return told

    return prepared


def _memory(name: str, label: str) -> Suite:
    rows = ROWS.only("gradlab", "gradlab, run_eagerly", "torch")
    rows = {name: replace(row, make=growth(row.make)) for name, row in rows.items()}
    title = f"By how much 10 training steps let the process grow: {label.split(',')[0]}"
    columns = (Column(label, CASES[label]),)
    return Suite(name, title, "MB", columns, rows, units=10, measure=told)


def told(run: Run, n: int, case: Any) -> float:
    """Return what a row tells."""
    return run(n)


SUITES = [
    Suite(
        "layers", "A training step of convolution and recurrence", "ms",
        tuple(Column(label, case) for label, case in CASES.items()), ROWS, seconds=0.5,
    ),
    _memory("convolution memory", CONVOLUTION),
    _memory("LSTM memory", LSTM),
]  # fmt: skip
