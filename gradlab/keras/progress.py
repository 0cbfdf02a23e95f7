"""The progress bar of the slides: one live line on a terminal, clean lines in a file or a pipe.

1719/1719 [==============================] - 2s 989us/step - loss: 0.7220
"""

from __future__ import annotations

import shutil
import sys
import time
from collections.abc import Mapping
from typing import TextIO

WIDTH = 30


class Progbar:
    """Shows how far an epoch has come, in the form of tf.keras 2.

    Args:
        target: the number of steps; None if it is not known.
        interval: seconds between two changes of the live line.
        stream: where to write; standard output by default.
        live: whether the line may be rewritten; by default, on a terminal and in a notebook.
        unit: what a step is called.

    >>> bar = Progbar(2, live=False)
    >>> bar.update(1, {"loss": 0.5})
    >>> bar.finish(2, {"loss": 0.25})  # doctest: +ELLIPSIS
    2/2 [==============================] - 0s .../step - loss: 0.2500
    """

    def __init__(
        self,
        target: int | None,
        interval: float = 0.05,
        stream: TextIO | None = None,
        live: bool | None = None,
        unit: str = "step",
    ) -> None:
        self.target, self.interval, self.unit = target, interval, unit
        self.stream = stream or sys.stdout
        self.live = is_live(self.stream) if live is None else live
        self.start = self.shown_at = time.perf_counter()
        self.after_first: float | None = None
        self.written = 0

    def update(self, step: int, values: Mapping[str, float]) -> None:
        """Show that ``step`` steps are done, if it is time to."""
        now = time.perf_counter()
        if self.after_first is None:
            self.after_first = now
        if self.live and now - self.shown_at >= self.interval:
            self.shown_at = now
            line = self._bar(step) + self._left(step, now) + shown(values)
            self._write(line[: columns(self.stream)])

    def finish(self, step: int, values: Mapping[str, float]) -> None:
        """Show the line of the whole epoch, and end it."""
        now = time.perf_counter()
        if self.target is None:
            self.target = step
        took = f" - {now - self.start:.0f}s{per_step(self.seconds(step, now), self.unit)}"
        self._write(self._bar(step) + took + shown(values))
        self.stream.write("\n")
        self.stream.flush()
        self.written = 0

    def seconds(self, step: int, now: float) -> float:
        """Return the time of one step, the first one left out: it makes weights and buffers."""
        if self.after_first is None or step <= 1:
            return (now - self.start) / max(step, 1)
        return (now - self.after_first) / (step - 1)

    def _bar(self, step: int) -> str:
        if self.target is None:
            return f"{step:7d}/Unknown"
        done = int(WIDTH * step / max(self.target, 1))
        head = "" if not done else "=" * (done - 1) + ("=" if step >= self.target else ">")
        count = str(step).rjust(len(str(self.target)))
        return f"{count}/{self.target} [{head}{'.' * (WIDTH - done)}]"

    def _left(self, step: int, now: float) -> str:
        each = self.seconds(step, now)
        if self.target is None:
            return f" - {now - self.start:.0f}s{per_step(each, self.unit)}"
        left = int(each * (self.target - step))
        minutes, seconds = divmod(left, 60)
        hours, minutes = divmod(minutes, 60)
        if hours:
            return f" - ETA: {hours}:{minutes:02d}:{seconds:02d}"
        return f" - ETA: {minutes}:{seconds:02d}" if minutes else f" - ETA: {seconds}s"

    def _write(self, line: str) -> None:
        if self.live:  # over the line before; what is left of a longer one is blanked
            line = "\r" + line.ljust(self.written)
            self.written = len(line.rstrip()) - 1
        self.stream.write(line)
        self.stream.flush()


def columns(stream: TextIO) -> int | None:
    """Return how long a line can be that is written over; a longer one would be two lines."""
    return shutil.get_terminal_size().columns - 1 if stream.isatty() else None


def is_live(stream: TextIO) -> bool:
    """Tell whether a line can be written over: on a terminal, and in a notebook's output."""
    return stream.isatty() or "ipykernel" in type(stream).__module__


def per_step(seconds: float, unit: str = "step") -> str:
    """Return the time of one step, in a unit that fits.

    >>> per_step(989e-6), per_step(0.0123), per_step(2.0)
    (' 989us/step', ' 12ms/step', ' 2s/step')
    """
    if seconds >= 1 or seconds == 0:
        return f" {seconds:.0f}s/{unit}"
    return f" {seconds * 1e3:.0f}ms/{unit}" if seconds >= 1e-3 else f" {seconds * 1e6:.0f}us/{unit}"


def shown(values: Mapping[str, float]) -> str:
    """Return losses and metrics, in powers of ten if they are small.

    >>> shown({"loss": 0.722, "mae": 0.0005})
    ' - loss: 0.7220 - mae: 5.0000e-04'
    """
    return "".join(
        f" - {name}: {value:.4f}" if abs(value) > 1e-3 else f" - {name}: {value:.4e}"
        for name, value in values.items()
    )
