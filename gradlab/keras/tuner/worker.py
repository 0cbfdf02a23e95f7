"""A process that runs trials: one after the other, for the process that has started it.

Messages are pickles with their length before them, over the process's own input and output; what
trials print goes to the error output.
"""

from __future__ import annotations

import os
import pickle
import struct
import traceback
from typing import IO, Any

from gradlab import config
from gradlab.keras.tuner.running import Outcome, execute

_tasks: dict[str, Any] = {}  # the last search that this process has worked for


def run_task(token: str, task: bytes, trial: bytes) -> Outcome:
    """Run a trial.

    Args:
        token: names the search.
        task: the tuner and the arguments of ``search``, pickled.
        trial: the Trial, pickled.
    """
    if token not in _tasks:
        _tasks.clear()
        _tasks[token] = pickle.loads(task)
    tuner, args, kwargs = _tasks[token]
    return execute(tuner, pickle.loads(trial), args, kwargs)


def send(file: IO[bytes], message: Any) -> None:
    """Write a message."""
    content = pickle.dumps(message)
    file.write(struct.pack("<Q", len(content)) + content)
    file.flush()


def receive(file: IO[bytes]) -> Any:
    """Read a message.

    Raises:
        EOFError: the other process is gone.
    """
    head = file.read(8)
    if len(head) < 8:
        raise EOFError
    (length,) = struct.unpack("<Q", head)
    content = file.read(length)
    if len(content) < length:
        raise EOFError
    return pickle.loads(content)


def serve() -> None:
    """Run trials until the other process hangs up."""
    requests, answers = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    with open(os.devnull, "rb") as nothing:  # what a model asks for is not meant for it
        os.dup2(nothing.fileno(), 0)
    task, config.threads = receive(requests)
    while True:
        try:
            trial = receive(requests)
        except EOFError:
            return
        try:
            answer: Any = run_task("", task, trial)
            pickle.dumps(answer)
        except Exception:
            answer = traceback.format_exc()
        send(answers, answer)
