"""Every built-in loss and activation keeps its goals, at a few points; `make accuracy` takes many.

Nothing is written for a new one: it is found in the registry, and is measured
in each of its forms.
"""

import pytest

import lossfw
from lossfw.check.accuracy.measure import DTYPES, measure
from support.built_in import built_in


# No other quick test runs their second derivatives.
@pytest.mark.parametrize("name", ["aft_nll", "cosine_distance"])
def test_second_derivatives_are_right_at_some_points(name):
    assert measure(lossfw.loss(name), "float64", points=4).inaccurate_results() == ()


@pytest.mark.turns(10)
@pytest.mark.parametrize("component", built_in(), ids=repr)
@pytest.mark.parametrize("dtype", DTYPES)
def test_results_are_as_right_as_they_should_be(component, dtype):
    found = measure(component, dtype, points=32)
    assert found.inaccurate_results() == ()
    assert all(worst.points for worst in found.results)
