"""Every built-in loss and activation keeps its goals, at a few points; `make accuracy` takes many.

Nothing is written for a new one: it is found in the registry, and is measured
in each of its forms.
"""

import pytest

import lossfw
from lossfw.check.accuracy.measure import DTYPES, measure
from lossfw.check.accuracy.variants import variants

POINTS = 32


def components():
    registry = lossfw.registry()
    return [
        component
        for kind in ("loss", "activation")
        for entry in registry.entries(kind)
        for component in variants(registry.class_of(entry), others=False)
    ]


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("component", components(), ids=repr)
def test_results_are_as_right_as_they_should_be(component, dtype):
    found = measure(component, dtype, points=POINTS)
    assert found.missed() == ()
    assert all(worst.points for worst in found.results)
