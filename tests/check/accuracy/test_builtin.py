"""Every built-in loss and activation keeps its goals, at a few points; `make accuracy` takes many.

Nothing is written for a new one: it is found in the registry, and is measured
in each of its forms.
"""

import itertools

import pytest

from lossfw.check.accuracy.measure import DTYPES, measure
from support.built_in import built_in

POINTS = 32


# Each in one dtype, by turns; in the other one on request (-m slow), as in .ci/run.
BY_TURNS = [
    pytest.param(component, dtype, id=f"{component!r}-{dtype}", marks=marks)
    for component, dtypes in zip(built_in(), itertools.cycle([DTYPES, DTYPES[::-1]]))
    for dtype, marks in zip(dtypes, ([], [pytest.mark.slow]), strict=True)
]


@pytest.mark.parametrize(("component", "dtype"), BY_TURNS)
def test_results_are_as_right_as_they_should_be(component, dtype):
    found = measure(component, dtype, points=POINTS)
    assert found.missed() == ()
    assert all(worst.points for worst in found.results)
