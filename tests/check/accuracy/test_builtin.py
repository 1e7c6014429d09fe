"""Every built-in loss and activation keeps its goals, at a few points; `make accuracy` takes many.

Nothing is written for a new one: it is found in the registry, and is measured
in each of its forms.
"""

import itertools

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


# Each in one dtype, by turns; in the other one on request (-m slow), as in .ci/run.
BY_TURNS = [
    pytest.param(component, dtype, id=f"{component!r}-{dtype}", marks=marks)
    for component, dtypes in zip(components(), itertools.cycle([DTYPES, DTYPES[::-1]]))
    for dtype, marks in zip(dtypes, ([], [pytest.mark.slow]), strict=True)
]


@pytest.mark.parametrize(("component", "dtype"), BY_TURNS)
def test_results_are_as_right_as_they_should_be(component, dtype):
    found = measure(component, dtype, points=POINTS)
    assert found.missed() == ()
    assert all(worst.points for worst in found.results)
