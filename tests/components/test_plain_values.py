"""Parameters are plain numbers: NumPy's are taken for them, and other arrays are refused."""

import numpy as np
import pytest

import lossfw
from lossfw import ParameterError
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


def test_arrays_of_numpy_are_lists_and_factors():
    loss = lossfw.loss("class_weighted", of="cross_entropy", weights=np.array([1, 2]))
    assert loss.weights == (1.0, 2.0)
    huber = lossfw.loss("huber")
    assert np.array(2.0) * huber == huber * np.array(2.0) == 2.0 * huber
    with pytest.raises(ParameterError, match=r"Huber: delta should be a number, got \(2\.0,\)"):
        lossfw.loss("huber", delta=np.array([2.0]))
    with pytest.raises(ParameterError, match="delta should be a number, got True"):
        lossfw.loss("huber", delta=np.array(True))
