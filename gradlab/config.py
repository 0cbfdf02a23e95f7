"""Two switches for the whole process: who multiplies matrices, and on how many threads.

Results may differ in the last bits between settings; for one setting they are the same every time.

>>> from gradlab import config
>>> config.matmul, config.threads
('auto', 'auto')
>>> config.threads = 0
Traceback (most recent call last):
ValueError: gradlab.config.threads = 0
expected "auto" or a whole number from 1
write gradlab.config.threads = "auto"
"""

from __future__ import annotations

import os
import sys
import types
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

# "auto": what was measured to be faster for the shapes; "numba": the kernel of
# gradlab.kernels.matmul; "blas": the library that NumPy brings.
matmul: str = "auto"

# "auto": one thread for small products, all for large ones (gradlab.kernels.threads); or a number.
threads: int | str = "auto"

_EXPECTED = {
    "matmul": '"auto", "numba" or "blas"',
    "threads": '"auto" or a whole number from 1',
}


def _fits(name: str, value: Any) -> bool:
    if name == "matmul":
        return value in ("auto", "numba", "blas")
    return value == "auto" or (type(value) is int and value >= 1)


def cache_folder() -> Path:
    """Return the folder for what can be made again: ``GRADLAB_HOME``, else where caches belong.

    That is a folder ``gradlab`` under ``XDG_CACHE_HOME`` or ``~/.cache``, ``~/Library/Caches`` on a
    Mac, ``LOCALAPPDATA`` on Windows.
    """
    from pathlib import Path  # what loads slowly is loaded where it is needed

    variable, usual = {
        "win32": ("LOCALAPPDATA", "~/AppData/Local"),
        "darwin": ("XDG_CACHE_HOME", "~/Library/Caches"),
    }.get(sys.platform, ("XDG_CACHE_HOME", "~/.cache"))
    given = os.environ.get("GRADLAB_HOME")
    return Path(given or Path(os.environ.get(variable) or usual) / "gradlab").expanduser()


class _Checked(types.ModuleType):
    """A module that refuses what its readers would not understand."""

    def __setattr__(self, name: str, value: Any) -> None:
        if name in _EXPECTED and not _fits(name, value):
            raise ValueError(
                f"gradlab.config.{name} = {value!r}\nexpected {_EXPECTED[name]}\n"
                f'write gradlab.config.{name} = "auto"'
            )
        super().__setattr__(name, value)


sys.modules[__name__].__class__ = _Checked
