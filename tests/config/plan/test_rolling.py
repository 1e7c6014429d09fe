"""Folds that roll through time: the training rows and those held out."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lossfw.config.plan.rolling import fold_masks, period_starts


def splits(time, folds, gap=0.0, window=None):
    begins = period_starts(time, folds)
    masks = (fold_masks(time, begins, fold, gap, window) for fold in range(folds))
    return [tuple(np.flatnonzero(mask).tolist() for mask in pair) for pair in masks]


@given(
    st.integers(12, 40),
    st.integers(2, 5),
    st.integers(0, 3),
    st.none() | st.integers(1, 9),
    st.randoms(use_true_random=False),
)
def test_different_times_are_split_as_by_scikit_learn(rows, folds, gap, window, random):
    selection = pytest.importorskip("sklearn.model_selection")
    try:
        wanted = list(
            selection.TimeSeriesSplit(folds, gap=gap, max_train_size=window).split(range(rows))
        )
    except ValueError:
        return  # too few rows before the first period
    order = list(range(rows))
    random.shuffle(order)
    # The rows are in any order.
    time = np.array(order)
    for (train, held_out), (mine, own) in zip(
        wanted, splits(time, folds, gap, window), strict=True
    ):
        assert sorted(time[mine].tolist()) == train.tolist()
        assert sorted(time[own].tolist()) == held_out.tolist()


@given(st.lists(st.integers(0, 9), min_size=12, max_size=40), st.integers(2, 4))
def test_rows_of_one_time_stay_together_and_the_future_is_not_seen(times, folds):
    time = np.array(times)
    if len(set(period_starts(time, folds).tolist())) < folds:
        return
    seen = []
    for train, held_out in splits(time, folds):
        assert not set(time[train]) & set(time[held_out])
        assert not train or not held_out or max(time[train]) < min(time[held_out])
        seen += held_out
    assert sorted(seen) == np.flatnonzero(time >= period_starts(time, folds)[0]).tolist()


def test_gap_and_window_are_distances_of_time():
    time = np.array([0.0, 0.5, 1.0, 4.0, 4.0, 9.0, 9.5, 10.0])
    begins = np.array([4.0, 9.0])
    train, held_out = fold_masks(time, begins, 1, gap=5.0, window=3.5)
    assert np.flatnonzero(train).tolist() == [1, 2]
    assert np.flatnonzero(held_out).tolist() == [5, 6, 7]
