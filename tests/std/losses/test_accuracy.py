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


# Every other setting, each in one dtype; the others on request (-m slow), as in .ci/run.
BY_TURNS = [
    pytest.param(loss, dtype, id=f"{loss!r}-{dtype}", marks=marks)
    for loss, dtype, marks in zip(
        LOSSES,
        itertools.cycle([DTYPES[0], DTYPES[1], DTYPES[1], DTYPES[0]]),
        itertools.cycle([[], [pytest.mark.slow]]),
    )
]


@pytest.mark.parametrize(("loss", "dtype"), BY_TURNS)
def test_results_are_as_right_as_they_should_be(loss, dtype):
    found = measure(loss, dtype, points=POINTS)
    assert not found.missed()
