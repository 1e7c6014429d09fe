"""The formula of every built-in loss is that of its paper, to 50 digits."""

import mpmath as mp
import numpy as np
import pytest

import lossfw
from lossfw.components.spaces import LOGITS, POSITIVE, REAL, UNIT
from lossfw.losses.wrappers.base import Wrapper
from support.formulas import DIGITS, DISTANCES, MARGINS, PAIRS, ROWS, paper_value
from support.loss_settings import settings

LINE = [-90.5, -6.1, -1.7, -0.6, -1.3e-3, 1e-8, 0.07, 0.45, 1.3, 4.4, 31.0]
SHARES = [0.0, 1e-8, 0.1, 0.3, 0.5, 0.9, 1.0]
ROWS_OF_SHARES = [[0.1, 0.2, 0.7], [0.5, 0.5, 0.0], [1.0, 0.0, 0.0], [1e-8, 0.25, 0.75]]
ROWS_OF_NUMBERS = [[0.0, 1.0, 2.5], [-3.0, -3.0, 1.0], [40.0, -7.0, 1e-8]]


def arguments(loss):
    """Return predictions and targets, each with each."""
    space = loss.prediction_space
    if loss.name == "heteroscedastic_gaussian_nll":
        y, t = [[0.5, -1.0], [3.0, 2.5]], [0.5, 1.0, -7.0]
    elif loss.name in ROWS:
        y = ROWS_OF_NUMBERS if space in (REAL, LOGITS) else ROWS_OF_SHARES
        binary = loss.name in ("dice", "jaccard", "tversky")
        t = [[0.0, 1.0, 1.0]] if binary else ROWS_OF_SHARES[: 2 if space is REAL else 4]
    elif loss.name in MARGINS:
        y, t = LINE, [-1.0, 1.0]
    elif loss.name in DISTANCES:
        y, t = LINE, [0.0]
    elif loss.target_space is UNIT:
        y, t = [x for x in LINE if abs(x) < 50] if space is LOGITS else SHARES, SHARES
    else:
        y = [x for x in LINE if x > 0 or (x > -1 and space is not POSITIVE) or space is REAL]
        t = [x for x in y if x > 0 and x < 10] if loss.target_space is not REAL else y
    pairs = [(a, b) for a in y for b in t]
    return [np.array(x) for x in zip(*pairs, strict=True)]


def test_every_built_in_loss_has_a_formula_here():
    registry = lossfw.registry()
    entries = [e for e in registry.entries("loss") if e.plugin.builtin]
    losses = {e.name for e in entries if not issubclass(registry.class_of(e), Wrapper)}
    assert losses == {*DISTANCES, *MARGINS, *PAIRS, *ROWS}


@pytest.mark.parametrize("loss", settings([*DISTANCES, *MARGINS, *PAIRS, *ROWS]), ids=repr)
def test_the_formula_is_that_of_the_paper(loss):
    y, t = arguments(loss)
    with mp.workdps(DIGITS):
        for one, other, exact in zip(y, t, loss.exact(y, t), strict=True):
            wanted = paper_value(loss, one, other)
            assert mp.almosteq(mp.mpf(exact), wanted, 1e-50, 1e-60), (one, other)
