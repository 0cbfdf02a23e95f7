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
