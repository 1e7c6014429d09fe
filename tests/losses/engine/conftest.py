"""What tests of the engine share."""

import pytest

from lossfw.losses.engine import compiled


@pytest.fixture
def fresh_kernels():
    """Forget kernels before a test, and leave none to be made after it."""
    compiled.forget()
    yield
    compiled.wait()
