"""Fixtures for the tests of the primitives."""

import numpy as np
import pytest


@pytest.fixture(autouse=True)
def quiet():
    """Primitives are called as the engine calls them: floating-point flags are ignored."""
    with np.errstate(all="ignore"):
        yield
