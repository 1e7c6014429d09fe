"""The formula of every built-in loss is that of its paper, to 50 digits."""

import mpmath as mp
import pytest

import lossfw
from lossfw.losses.wrappers.base import Wrapper
from support.formulas import DIGITS, DISTANCES, MARGINS, PAIRS, ROWS, paper_value
from support.loss_settings import ALL, arguments
from support.reference_cases import NAMES


def test_every_built_in_loss_has_a_formula_here():
    registry = lossfw.registry()
    entries = [e for e in registry.entries("loss") if e.plugin.builtin]
    losses = {e.name for e in entries if not issubclass(registry.class_of(e), Wrapper)}
    assert losses - NAMES == {*DISTANCES, *MARGINS, *PAIRS, *ROWS}


@pytest.mark.parametrize("loss", ALL, ids=repr)
def test_the_formula_is_that_of_the_paper(loss):
    y, t = arguments(loss)
    with mp.workdps(DIGITS):
        for one, other, exact in zip(y, t, loss.exact(y, t), strict=True):
            wanted = paper_value(loss, one, other)
            # mpmath before 1.4 finds two infinities unlike.
            same = mp.mpf(exact) == wanted or mp.almosteq(mp.mpf(exact), wanted, 1e-50, 1e-60)
            assert same, (one, other)
