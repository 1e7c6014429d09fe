import contextlib

import pytest
from threadpoolctl import threadpool_limits


@pytest.fixture(autouse=True)
def one_thread():
    """Trees on a few rows are faster on one thread, above all beside other tests."""
    with contextlib.suppress(ImportError):
        # What is loaded later has its own number of threads.
        import sklearn.ensemble  # noqa: F401
    with threadpool_limits(1):
        yield
