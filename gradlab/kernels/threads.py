"""How many threads a matrix product gets: one for the small products of training, else all.

Handing half of a small product to a second core costs more than it saves, and many times more
while another program is using that core: both threads then wait for each other, at full speed.
"""

from __future__ import annotations

import contextlib
import functools
from typing import Any

from gradlab import config

WORTH_SHARING = 1e8  # multiplications and additions; below that, one thread is at least as fast


@functools.cache
def _controller() -> Any:
    import threadpoolctl

    return threadpoolctl.ThreadpoolController().select(user_api="blas")


def for_products_of(flops: float) -> contextlib.AbstractContextManager[Any]:
    """Return a context in which NumPy's products use as many threads as pay for this size.

    ``gradlab.config.threads`` overrules it with a number.

    Args:
        flops: 2 m n k for the product of (m, k) and (k, n), the largest one to come.

    >>> with for_products_of(2 * 32 * 784 * 300):
    ...     pass
    """
    if config.threads != "auto":
        return _controller().limit(limits=config.threads)
    if flops >= WORTH_SHARING:
        return contextlib.nullcontext()
    return _controller().limit(limits=1)
