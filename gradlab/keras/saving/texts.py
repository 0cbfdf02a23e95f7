"""The texts in old HDF5 files, read by a process of its own with limits on time and memory.

Such texts lie in a heap of the file, and a damaged heap can keep the HDF5 library busy for ever:
after an entry of size 2**64 - 16 comes the same entry again. Files of Keras 3 have their texts
elsewhere; nothing of theirs is read this way.
"""

from __future__ import annotations

import io
import json
import math
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

SECONDS, BYTES = 60, 2 << 30
COMPUTING = 1  # second; a thousand layers take a tenth of it, and waiting for others is not counted

Texts = dict[str, dict[str, Any]]


def texts_of(content: bytes, path: Path) -> Texts:
    """Return the attributes that are text, or lists of texts: by group, then by name.

    Raises:
        ValueError: a damaged file.
    """
    program = [sys.executable, "-P", __file__]
    environment = {**os.environ, "OPENBLAS_NUM_THREADS": "1"}
    try:
        done = subprocess.run(
            program,
            input=content,
            env=environment,
            capture_output=True,
            timeout=SECONDS,
            check=True,
        )
    except (subprocess.CalledProcessError, subprocess.TimeoutExpired) as error:
        raise ValueError(
            f"{str(path)!r} is damaged: its texts cannot be read\n"
            "expected a file that Keras 1 or 2 has written\nwrite the path of another copy"
        ) from error
    return json.loads(done.stdout)


def main() -> None:
    """Read a file from the standard input, and print its texts as JSON."""
    import h5py

    content = sys.stdin.buffer.read()
    try:
        import resource
    except ImportError:  # no such limits on Windows
        pass
    else:
        resource.setrlimit(resource.RLIMIT_AS, (BYTES, BYTES))
        seconds = math.ceil(time.process_time()) + COMPUTING
        resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds))
    found: Texts = {}
    with h5py.File(io.BytesIO(content), "r") as top:
        found[""] = _texts(top)
        top.visititems(lambda name, part: found.__setitem__(name, _texts(part)))
    print(json.dumps(found))


def _texts(part: Any) -> dict[str, Any]:
    found = {}
    for name in part.attrs:
        value = part.attrs[name]
        value = value.tolist() if hasattr(value, "tolist") else value
        found[name] = [_text(v) for v in value] if isinstance(value, list) else _text(value)
    return found


def _text(value: Any) -> str:
    return value.decode() if isinstance(value, bytes) else str(value)


if __name__ == "__main__":
    main()
