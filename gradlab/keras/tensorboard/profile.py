"""A profile: what a model did when in some training steps, down to the lines of its program.

It is written in two forms: for the Profile tab of TensorBoard (package ``xprof``), and as a trace
that any trace viewer opens (https://ui.perfetto.dev, or ``chrome://tracing``).

Source: https://github.com/openxla/xprof (``xplane.proto``); the Trace Event Format of Chrome.
"""

from __future__ import annotations

import contextlib
import gzip
import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from gradlab.keras.tensorboard import messages
from gradlab.keras.tensorboard.records import record
from gradlab.keras.tensorboard.wire import message, repeated
from gradlab.keras.tensorboard.writer import file_name, host
from gradlab.program.timing import timed

STEPS, PARTS, LINES = "steps", "parts of a step", "lines of the program"


class Span(NamedTuple):
    """A piece of time: in which row, what, and from when to when in nanoseconds."""

    row: str
    name: str
    begin: int
    end: int


class Profile:
    """Watches the training steps of a model between `start` and `stop`.

    Three rows are filled: the steps; their parts (layers where the step runs on the tape, the
    optimizer, the metrics); and the lines of the recorded program.

    Args:
        model: a compiled model.

    Attributes:
        spans: what was seen.
    """

    def __init__(self, model: Any) -> None:
        self.model = model
        self.spans: list[Span] = []
        self._watching = contextlib.ExitStack()
        self._steps: set[int] = set()

    def start(self) -> None:
        """Begin to watch."""
        for layer in (layer for layer, _ in self.model._walk() if not layer.sublayers()):
            self._watching.enter_context(self._watched(layer, "call", layer.name))
        self._watching.enter_context(self._watched(self.model.optimizer, "apply", "update"))
        self._watching.enter_context(self._watched(self.model, "compute_metrics", "metrics"))

    def stop(self) -> None:
        """Stop watching; the model is as it was."""
        self._watching.close()

    def begin_step(self) -> None:
        """Note the time; programs that were recorded meanwhile are watched, too."""
        recorded = (self.model._programs or {}).get("train")
        for step in recorded.programs.values() if recorded else ():
            if id(step) not in self._steps:
                self._steps.add(id(step))
                self._watching.enter_context(timed(step.program, self._line))
                self._watching.enter_context(self._watched(step, "update", "update"))
        self._begun = time.perf_counter_ns()

    def end_step(self, name: str) -> None:
        """Note that a step has come to its end."""
        self.spans.append(Span(STEPS, name, self._begun, time.perf_counter_ns()))

    def _line(self, text: str, begin: int, end: int) -> None:
        self.spans.append(Span(LINES, text, begin, end))

    @contextlib.contextmanager
    def _watched(self, thing: Any, method: str, name: str) -> Iterator[None]:
        """Note the calls of a method of one object, for as long as the block lasts."""
        plain = getattr(thing, method)

        def noted(*args: Any, **kwargs: Any) -> Any:
            begin = time.perf_counter_ns()
            try:
                return plain(*args, **kwargs)
            finally:
                self.spans.append(Span(PARTS, name, begin, time.perf_counter_ns()))

        setattr(thing, method, noted)
        try:
            yield
        finally:
            delattr(thing, method)

    def write(self, logdir: Path) -> Path:
        """Write the profile below the folder of a run, and return its own folder."""
        folder = logdir / "plugins" / "profile" / time.strftime("%Y_%m_%d_%H_%M_%S")
        folder.mkdir(parents=True, exist_ok=True)
        trace = json.dumps(chrome_trace(self.spans)).encode()
        (folder / f"{host()}.trace.json.gz").write_bytes(gzip.compress(trace))
        (folder / f"{host()}.xplane.pb").write_bytes(xspace(self.spans))
        # TensorBoard looks for profiles only beside event files.
        empty = record(messages.first_event())
        (logdir / f"{file_name()}.profile-empty").write_bytes(empty)
        return folder


def chrome_trace(spans: list[Span]) -> dict[str, Any]:
    """Return spans in the Trace Event Format; times are in microseconds from the first one on.

    >>> trace = chrome_trace([Span(STEPS, "train 1", 5000, 7500)])
    >>> [event for event in trace["traceEvents"] if event["ph"] == "X"]
    [{'ph': 'X', 'pid': 1, 'tid': 1, 'name': 'train 1', 'ts': 0.0, 'dur': 2.5}]
    """
    first, rows = min((span.begin for span in spans), default=0), _rows(spans)
    events: list[dict[str, Any]] = [
        {"ph": "M", "pid": 1, "name": "process_name", "args": {"name": "gradlab"}}
    ]
    for row, tid in rows.items():
        about = {"name": row}
        events.append({"ph": "M", "pid": 1, "tid": tid, "name": "thread_name", "args": about})
    for span in spans:
        begin, length = (span.begin - first) / 1000, (span.end - span.begin) / 1000
        where = {"ph": "X", "pid": 1, "tid": rows[span.row], "name": span.name}
        events.append({**where, "ts": begin, "dur": length})
    return {"displayTimeUnit": "ns", "traceEvents": events}


def xspace(spans: list[Span]) -> bytes:
    """Return spans as an XSpace, which the Profile tab of TensorBoard reads.

    One plane for this computer has a line for each row; names are written once and referred to by
    number. Times are in picoseconds from the first span on.
    """
    first, rows = min((span.begin for span in spans), default=0), _rows(spans)
    numbers = {name: n for n, name in enumerate(dict.fromkeys(s.name for s in spans), 1)}
    lines = []
    for row, number in rows.items():
        events = (
            message((1, numbers[name]), (2, 1000 * (begin - first)), (3, 1000 * (end - begin)))
            for of_row, name, begin, end in spans
            if of_row == row
        )
        lines.append(message((1, number), (2, row), (3, first)) + repeated(4, events))
    names = (message((1, n), (2, message((1, n), (2, name)))) for name, n in numbers.items())
    plane = message((1, 1), (2, "/host:CPU")) + repeated(3, lines) + repeated(4, names)
    return message((1, plane), (4, host()))


def _rows(spans: list[Span]) -> dict[str, int]:
    present = {span.row for span in spans}
    rows = (row for row in (STEPS, PARTS, LINES) if row in present)
    return {row: number for number, row in enumerate(rows, 1)}
