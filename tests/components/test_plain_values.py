"""Parameters are plain numbers: NumPy's are taken for them, and other arrays are refused."""

import numpy as np
import pytest

from support.loss_settings import ALL

NUMBERS = (np.array, np.float64, np.longdouble, lambda x: np.array(x, np.float64)[()])


def with_numbers_of_numpy(value, make):
    """Return a parameter with each number in it as one of NumPy."""
    if isinstance(value, tuple) and all(isinstance(part, float) for part in value):
        return np.array(value)
    return make(value) if isinstance(value, float) else value


@pytest.mark.parametrize("make", NUMBERS)
def test_numbers_of_numpy_are_numbers(make):
    for loss in ALL:
        given = {k: with_numbers_of_numpy(v, make) for k, v in loss.parameters.items()}
        again = type(loss)(**given)
        assert again == loss
        assert again.to_config() == loss.to_config()
        assert all(type(v) is type(loss.parameters[k]) for k, v in again.parameters.items())
