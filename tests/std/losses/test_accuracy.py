"""Losses of elements keep their goals at other parameters too; at the defaults see tests/check."""

import itertools

import pytest

from lossfw.check.accuracy.measure import DTYPES, measure
from support.formulas import DISTANCES, MARGINS, PAIRS
from support.loss_settings import PARAMETERS, settings

POINTS = 8

LOSSES = [
    x for x in settings(sorted({*DISTANCES, *MARGINS, *PAIRS} & {*PARAMETERS})) if x != type(x)()
]


@pytest.mark.turns(5)
@pytest.mark.parametrize(("loss", "dtype"), [*zip(LOSSES, itertools.cycle(DTYPES))], ids=str)
def test_results_are_as_right_as_they_should_be(loss, dtype):
    found = measure(loss, dtype, points=POINTS)
    assert not found.missed()
