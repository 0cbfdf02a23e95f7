"""What a trial raises to say how bad it is: this trial alone has failed, or the search must end."""

from __future__ import annotations


class FailedTrialError(Exception):
    """This trial has failed; trying it again would change nothing.

    >>> def build(hp):
    ...     if hp.Int("units", 10, 10000) > 1000:
    ...         raise FailedTrialError("too large for this machine")
    """


class FatalError(Exception):
    """The search cannot go on: a mistake that every trial will make."""


class FatalTypeError(FatalError, TypeError):
    """The same, for something of a wrong type."""


class FatalValueError(FatalError, ValueError):
    """The same, for a wrong value."""


class StateError(ValueError):
    """The folder of a search holds something that it cannot go on from."""


class WorkerLostError(Exception):
    """A process or a machine has died while it was running a trial."""


def told_by(message: str) -> str:
    """Return the line of a message that says what has happened: of a traceback, what was raised.

    >>> told_by("Traceback:\\n  File 'a.py', line 3\\n    f(x)\\nValueError: given -1\\nwrite f(1)")
    'ValueError: given -1'
    """
    lines = message.strip().split("\n")
    starts = [k for k in range(1, len(lines)) if _follows_code(lines[k - 1], lines[k])]
    return lines[starts[-1] if starts else 0]


def _follows_code(before: str, line: str) -> bool:
    return before.startswith("    ") and not line.startswith(" ")
