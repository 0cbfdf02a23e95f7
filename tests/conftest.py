"""One Hypothesis profile for the whole suite, Matplotlib without a window, one BLAS thread."""

import os
import shutil

import matplotlib
import pytest
import threadpoolctl
from hypothesis import HealthCheck, settings

matplotlib.use("Agg")
threadpoolctl.threadpool_limits(1)  # the workers share the cores; a product that waits takes ages

os.environ["GRADLAB_OFFLINE"] = "1"  # no test downloads data sets

settings.register_profile(
    "gradlab",
    deadline=None,
    max_examples=20,
    derandomize=bool(os.environ.get("CI")),
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
settings.load_profile("gradlab")

SLOW = bool(os.environ.get("GRADLAB_SLOW"))


def pytest_collection_modifyitems(items):
    """Skip, with the reason, what a newcomer's machine may lack or has no time for."""
    missing = {
        "slow": None if SLOW else "slow: runs when GRADLAB_SLOW is set",
        "dot": None if shutil.which("dot") else "needs Graphviz's dot",
        "browser": None if shutil.which("chromium") else "needs Chromium",
    }
    for item in items:
        for mark, reason in missing.items():
            if reason and item.get_closest_marker(mark):
                item.add_marker(pytest.mark.skip(reason=reason))
