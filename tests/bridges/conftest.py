import pytest
from threadpoolctl import threadpool_limits


@pytest.fixture(autouse=True)
def one_thread():
    """Trees on a few rows are faster on one thread, above all beside other tests."""
    with threadpool_limits(1):
        yield
