"""Where trials run: in this process, in others on this machine, or on the machines of a cluster.

All three take a trial and promise its outcome, and the outcome is the same.
"""

from __future__ import annotations

import contextlib
import os
import pickle
import queue
import secrets
import subprocess
import sys
import threading
from concurrent.futures import Future, ThreadPoolExecutor
from multiprocessing import connection
from typing import Any

from gradlab import config
from gradlab.keras.tuner import worker
from gradlab.keras.tuner.errors import FatalError, WorkerLostError, told_by
from gradlab.keras.tuner.running import Outcome, execute
from gradlab.keras.tuner.trial import Trial, TrialStatus

ATTEMPTS = 3  # so often a trial is begun whose process dies


class Here:
    """Runs trials in this process, one after the other."""

    together = False

    def __init__(self, tuner: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        self.task = tuner, args, kwargs

    def most(self) -> int:
        """Return how many trials can run at the same time."""
        return 1

    def submit(self, trial: Trial) -> Future[Outcome]:
        """Run a trial and return its outcome."""
        tuner, args, kwargs = self.task
        future: Future[Outcome] = Future()
        future.set_result(execute(tuner, trial, args, kwargs))
        return future

    def close(self) -> None:
        """End everything that is still running."""


class Elsewhere:
    """Base of those that run trials in other processes; a thread waits for each of them.

    Args:
        task: tuner and arguments of ``search``.
        threads: how many trials can run at the same time.
    """

    together = True

    def __init__(self, task: Any, threads: int) -> None:
        self.task = pickled(task)
        self.pool = ThreadPoolExecutor(threads, "gradlab-trial")
        self.closed = False

    def submit(self, trial: Trial) -> Future[Outcome]:
        """Promise the outcome of a trial."""
        return self.pool.submit(self._persistently, trial, pickle.dumps(trial))

    def _persistently(self, trial: Trial, content: bytes) -> Outcome:
        for _ in range(ATTEMPTS):
            try:
                return self.run(content)
            except WorkerLostError as error:
                lost = error
                if self.closed:
                    break
        message = f"{type(lost).__name__}: {lost}, {ATTEMPTS} times"
        return Outcome(TrialStatus.FAILED, trial.hyperparameters, message)

    def run(self, trial: bytes) -> Outcome:
        """Run a trial and return its outcome; raise WorkerLostError if there is none."""
        raise NotImplementedError


class Processes(Elsewhere):
    """Runs trials in processes on this machine.

    They are started afresh, not forked: a fork would not have the threads that OpenMP believes in.
    The script of the parent is not run again in them, so it needs no guard.
    """

    def __init__(self, task: Any, count: int) -> None:
        super().__init__(task, count)
        self.count = count
        self.idle: queue.SimpleQueue[subprocess.Popen[bytes]] = queue.SimpleQueue()
        self.all: list[subprocess.Popen[bytes]] = []
        self._starting = threading.Lock()  # none is started behind the back of `close`

    def most(self) -> int:
        """Return how many trials can run at the same time."""
        return self.count

    def _started(self) -> subprocess.Popen[bytes]:
        boot = "import sys; sys.path[:] = sys.argv[1:]; "
        boot += "from gradlab.keras.tuner.worker import serve; serve()"
        command = [sys.executable, "-c", boot, *sys.path]
        with self._starting:
            if self.closed:
                raise WorkerLostError("the search is over")
            process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
            self.all.append(process)
        threads = config.threads
        if threads == "auto":
            threads = max(1, (os.cpu_count() or 1) // self.count)
        assert process.stdin is not None
        worker.send(process.stdin, (self.task, threads))
        return process

    def run(self, trial: bytes) -> Outcome:
        try:
            process = self.idle.get_nowait()
        except queue.Empty:
            process = None
        try:
            process = process or self._started()
            assert process.stdin is not None and process.stdout is not None
            worker.send(process.stdin, trial)
            _wait_for_answer(process)
            answer = worker.receive(process.stdout)
        except (EOFError, OSError) as error:
            raise WorkerLostError(f"its process has ended with code {_code(process)}") from error
        self.idle.put(process)
        if isinstance(answer, str):
            raise FatalError(
                f"search: a process could not run a trial: {told_by(answer)}\n"
                "expected a model whose classes and functions other processes can import\n"
                "write workers=1, or put them into a module"
            )
        return answer

    def close(self) -> None:
        """End all processes."""
        with self._starting:
            self.closed = True
            for process in self.all:
                process.kill()
        self.pool.shutdown(wait=True, cancel_futures=True)
        for process in self.all:
            process.wait()
            for pipe in (process.stdin, process.stdout):
                with contextlib.suppress(OSError):
                    assert pipe is not None
                    pipe.close()


def _wait_for_answer(process: subprocess.Popen[bytes]) -> None:
    """Return when there is something to read, or its end.

    The pipe alone does not tell when a process has died: one that it has forked, such as a loader
    of data, still holds the other end. Where there is no fork, it does.
    """
    if hasattr(os, "fork"):
        pipe: list[Any] = [process.stdout]
        while not connection.wait(pipe, timeout=1.0):
            if process.poll() is not None and not connection.wait(pipe, timeout=0.0):
                raise EOFError


def _code(process: subprocess.Popen[bytes] | None) -> int | None:
    """Return with what a process has ended; one that hangs on its way out is helped."""
    if process is None:
        return None
    try:
        return process.wait(timeout=10)
    except subprocess.TimeoutExpired:
        process.kill()
        return process.wait()


class Cluster(Elsewhere):
    """Runs trials on the workers of a Dask cluster, which may be on other machines.

    A worker runs one trial at a time, however many threads it has.

    Args:
        task: tuner and arguments of ``search``.
        client: a ``dask.distributed.Client``.
    """

    THREADS = 64

    def __init__(self, task: Any, client: Any) -> None:
        super().__init__(task, self.THREADS)
        self.client, self.token = client, secrets.token_hex(8)
        wait_for_workers(client)
        self.futures: set[Any] = set()
        self._sending = threading.Lock()
        self._sent: Any = None  # the task, on the workers

    def most(self) -> int:
        """Return how many trials can run at the same time."""
        return min(max(1, len(self.client.nthreads())), self.THREADS)

    def run(self, trial: bytes) -> Outcome:
        from distributed import KilledWorker
        from distributed.client import FutureCancelledError

        with self._sending:
            if self._sent is None:
                self._sent = self.client.scatter(self.task, broadcast=True, hash=False)
        future = self.client.submit(worker.run_task, self.token, self._sent, trial, pure=False)
        self.futures.add(future)
        try:
            return future.result()
        except (KilledWorker, FutureCancelledError, OSError) as error:
            self._sent = None  # it may have been the only one that had it
            raise WorkerLostError(f"its worker is gone: {error}") from error
        finally:
            self.futures.discard(future)

    def close(self) -> None:
        """Call off what is still running."""
        self.closed = True
        self.client.cancel(list(self.futures))
        self.pool.shutdown(wait=True, cancel_futures=True)


def wait_for_workers(client: Any, seconds: float = 60.0) -> None:
    """Wait until a cluster has a worker.

    Raises:
        RuntimeError: it has none.
    """
    try:
        client.wait_for_workers(1, timeout=seconds)
    except TimeoutError as error:
        raise RuntimeError(
            f"the cluster at {client.scheduler.address} has had no worker for {seconds:.0f} s\n"
            "expected at least one\nwrite dask worker tcp://... on a machine, or LocalCluster()"
        ) from error


def pickled(thing: Any) -> bytes:
    """Return a thing as bytes; with cloudpickle, functions of a notebook or a script too.

    Raises:
        FatalError: it cannot be sent to another process.
    """
    try:
        import cloudpickle as pickler
    except ImportError:
        pickler = pickle
    try:
        content = pickler.dumps(thing)
        if pickler is pickle:
            _importable(content)
        return content
    except Exception as error:
        first, _, _ = str(error).partition("\n")
        raise FatalError(
            f"search: this model cannot be sent to another process: {first}\n"
            "expected functions and classes of a module, or cloudpickle for those of a script\n"
            'write pip install "gradlab[tune]", or workers=1'
        ) from error


def _importable(content: bytes) -> None:
    if b"__main__" in content:
        raise FatalError("it is defined in the script")
