"""Fixtures for the tests of number systems."""

import numpy as np
import pytest


@pytest.fixture(autouse=True)
def quiet():
    """Bodies are run as the engine runs them: floating-point flags are ignored."""
    with np.errstate(all="ignore"):
        yield
