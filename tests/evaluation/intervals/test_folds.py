"""Folds of rows, and the quantiles that their spread is multiplied by."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lossfw.evaluation.intervals.folds import FOLDS, fold_of
from lossfw.evaluation.intervals.student import t_quantile

stats = pytest.importorskip("scipy.stats")


@given(st.lists(st.integers(0, 2**62), min_size=1))
def test_a_row_s_fold_depends_on_its_number_alone(rows):
    folds = fold_of(np.array(rows))
    assert ((folds >= 0) & (folds < FOLDS)).all()
    assert [fold_of(np.array([row]))[0] for row in rows] == folds.tolist()


def test_few_rows_have_a_fold_each():
    assert fold_of(np.arange(FOLDS)).tolist() == list(range(FOLDS))


@pytest.mark.parametrize("step", [1, 10, FOLDS, 1024])
def test_a_period_of_the_rows_shows_in_no_fold(step):
    counts = np.bincount(fold_of(FOLDS + step * np.arange(50_000)), minlength=FOLDS)
    expected = 50_000 / FOLDS
    chi = ((counts - expected) ** 2 / expected).sum()
    assert 1e-4 < stats.chi2.sf(chi, FOLDS - 1) < 1 - 1e-4


@given(st.floats(0.01, 0.999), st.integers(1, 200))
def test_quantiles_of_t(level, freedom):
    wanted = stats.t.ppf((1 + level) / 2, freedom)
    assert t_quantile(level, freedom) == pytest.approx(wanted, rel=1e-9)
