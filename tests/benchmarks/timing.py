"""Fair timing on a machine that does other things too: rounds take turns, and medians are taken.

A ratio is the median of the ratios within each round: what disturbs a round disturbs both sides.
"""

from __future__ import annotations

import contextlib
import importlib.util
import json
import os
import platform
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from importlib import metadata
from pathlib import Path
from statistics import median
from typing import Any

from .suite import Column, Row, Suite

# What was measured in each round, or why nothing was: results[suite][column][row].
Times = list[float] | str
Results = dict[str, dict[str, dict[str, Times]]]

PATIENCE = 20.0  # seconds; a row that takes this long takes part in the first round only
LIMIT = 240.0  # seconds; a process that does not answer for so long is ended
ROOT = Path(__file__).resolve().parents[2]
ONE_THREAD = {
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "NUMBA_NUM_THREADS": "1",
    "NPROC": "1",  # JAX's own pool
    "XLA_FLAGS": "--xla_cpu_multi_thread_eigen=false",
}
PEERS = ("numpy", "numba", "torch", "jax", "keras", "mygrad", "autograd", "micrograd", "sklearn")


class RowError(Exception):
    """A row that cannot take part, and why."""


class Worker:
    """The process of a row."""

    def __init__(self, suite: Suite, name: str, row: Row, threads: int | None) -> None:
        extra = {**row.environment, **(ONE_THREAD if threads == 1 else {})}
        command = [sys.executable, "-m", "tests.benchmarks.worker", suite.name, name]
        self.process = subprocess.Popen(
            command, cwd=ROOT, env={**os.environ, **extra}, text=True,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
        )  # fmt: skip

    def ask(self, *command: Any) -> dict[str, Any]:
        """Send a command and return the answer.

        Raises:
            RowError: the row cannot do it.
        """
        assert self.process.stdin and self.process.stdout
        alarm = threading.Timer(LIMIT, self.process.kill)
        alarm.start()
        try:
            print(json.dumps(command), file=self.process.stdin, flush=True)
            line = self.process.stdout.readline()
        except BrokenPipeError:
            line = ""
        finally:
            alarm.cancel()
        answer = json.loads(line or '{"reason": "its process ended, or gave no answer"}')
        if "reason" in answer:
            raise RowError(answer["reason"])
        return answer

    def close(self) -> None:
        """End the process, and do not wait long for a library that has trouble leaving."""
        with contextlib.suppress(BrokenPipeError, subprocess.TimeoutExpired):
            self.process.communicate(timeout=10.0)
        self.process.kill()
        self.process.wait()


def missing(row: Row) -> list[str]:
    """Return the packages that a row needs and that are not installed.

    >>> missing(Row(print, ("numpy", "no_such_package")))
    ['no_such_package']
    """
    return [name for name in row.needs if importlib.util.find_spec(name) is None]


@contextlib.contextmanager
def one_core_taken(taken: bool) -> Iterator[None]:
    """Keep one core busy with another process, meanwhile."""
    if not taken:
        yield
        return
    other = subprocess.Popen([sys.executable, "-c", "while True: pass"])
    try:
        yield
    finally:
        other.kill()
        other.wait()


def measured(suite: Suite, rounds: int, pace: float = 1.0) -> dict[str, dict[str, Times]]:
    """Measure a suite.

    Args:
        rounds: how many times each row takes its turn.
        pace: a factor on how long a round is.
    """
    found: dict[str, dict[str, Times]] = {}
    for threads in dict.fromkeys(column.threads for column in suite.columns):
        some = [column for column in suite.columns if column.threads == threads]
        absent = {name: missing(row) for name, row in suite.rows.items()}
        there = {name: row for name, row in suite.rows.items() if not absent[name]}
        workers = {name: Worker(suite, name, row, threads) for name, row in there.items()}
        try:
            for column in some:
                with one_core_taken(column.busy):
                    times = _rounds(workers, column, rounds, pace * suite.seconds)
                gone: dict[str, Times] = {
                    name: f"{' and '.join(names)} not installed"
                    for name, names in absent.items()
                    if names
                }
                found[column.label] = {name: {**times, **gone}[name] for name in suite.rows}
        finally:
            for worker in workers.values():
                worker.close()
    return {column.label: found[column.label] for column in suite.columns}


def _rounds(
    workers: Mapping[str, Worker], column: Column, rounds: int, seconds: float
) -> dict[str, Times]:
    times: dict[str, Times] = {}
    for name, worker in workers.items():
        try:
            worker.ask("make", column.label, seconds)
            times[name] = []
        except RowError as why:
            times[name] = str(why)
    playing = [name for name in workers if not isinstance(times[name], str)]
    for turn in range(rounds):
        for name in playing[turn % len(playing) :] + playing[: turn % len(playing)]:
            start = time.perf_counter()
            try:
                answer = workers[name].ask("round")
            except RowError as why:
                times[name] = str(why)
                continue
            known = times[name]
            assert isinstance(known, list)
            known.append(answer["measured"])
            if time.perf_counter() - start > PATIENCE:
                playing = [other for other in playing if other != name]
        playing = [name for name in playing if not isinstance(times[name], str)]
        if not playing:
            break
    return times


def middle(times: Times | None) -> float | None:
    """Return the median, or None if nothing was measured.

    >>> middle([3.0, 1.0, 2.0]), middle("torch is not installed")
    (2.0, None)
    """
    return median(times) if isinstance(times, list) and times else None


def ratio(theirs: Times | None, ours: Times | None) -> float | None:
    """Return how many times as long theirs takes, round by round, or None.

    >>> ratio([4.0, 8.0, 90.0], [2.0, 4.0, 5.0])
    2.0
    """
    if not isinstance(theirs, list) or not isinstance(ours, list) or not theirs or not ours:
        return None
    return median(a / b for a, b in zip(theirs, ours, strict=False))


# ------------------------------------------------------------------------------------ the machine


def machine() -> dict[str, str]:
    """Return what the numbers depend on: processor, load, versions."""
    import numpy as np

    build: Any = np.show_config(mode="dicts")
    blas = build["Build Dependencies"]["blas"]
    return {
        "processor": _processor(),
        "cores": f"{len(os.sched_getaffinity(0)) if sys.platform == 'linux' else os.cpu_count()}",
        "vectors": " ".join(build["SIMD Extensions"].get("found", [])[-3:]),
        "load": load(),
        "system": platform.platform(terse=True),
        "Python": platform.python_version(),
        "BLAS of NumPy": f"{blas['name']} {blas['version']}",
        **{name: version(name) for name in PEERS},
    }


def load() -> str:
    """Return how many processes wanted to run in the last 1 and 5 minutes, on average."""
    if not hasattr(os, "getloadavg"):
        return "not known"
    one, five, _ = os.getloadavg()
    return f"{one:.1f} in the last minute, {five:.1f} in the last five"


def version(name: str) -> str:
    """Return the version of an installed package.

    >>> version("no_such_package")
    'not installed'
    """
    try:
        return metadata.version({"sklearn": "scikit-learn"}.get(name, name))
    except metadata.PackageNotFoundError:
        return "not installed"


def _processor() -> str:
    facts = Path("/proc/cpuinfo")
    if facts.exists():
        for line in facts.read_text().splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    return platform.processor() or platform.machine()
