"""One Hypothesis profile for the whole suite, Matplotlib without a window, one BLAS thread."""

import contextlib
import os
import shutil

import matplotlib
import pytest
import threadpoolctl
from hypothesis import HealthCheck, settings

collect_ignore_glob = ["golden/record_*.py"]  # they need what only they were run with

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


@contextlib.contextmanager
def cluster_of(workers):
    """Start a Dask cluster of several processes on this machine, and yield a client of it."""
    distributed = pytest.importorskip("distributed")
    options = {"n_workers": workers, "threads_per_worker": 1, "dashboard_address": ":0"}
    with distributed.LocalCluster(**options) as local, distributed.Client(local) as client:
        yield client


@pytest.fixture(scope="session")
def cluster():
    """A client of a cluster of two processes."""
    with cluster_of(2) as client:
        yield client


@pytest.fixture
def cluster_to_kill():
    """A client of a cluster of three processes, two of which a test may kill."""
    with cluster_of(3) as client:
        yield client


@pytest.fixture
def fresh_names():
    """Layers are named from the beginning, and random numbers are the same in each test."""
    from gradlab import keras

    keras.backend.clear_session()
    keras.utils.set_random_seed(42)
