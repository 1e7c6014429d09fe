"""Partials know what made them and which rows they saw, and merge in any order."""

import itertools
import random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import lossfw
from lossfw.errors import ArgumentError
from lossfw.losses.engine.partial import Partial
from lossfw.losses.engine.row_ranges import RowRanges

BLOCK = 262_144  # rows of one number in a block of the sum
LOSS = lossfw.loss("squared_error")


def metric(name):
    return lossfw.registry().create("metric", name)


def of_rows(start, stop, maker=LOSS):
    return maker.partial(np.zeros(stop - start), np.ones(stop - start), start=start)


@pytest.mark.parametrize("maker", [LOSS, metric("mse"), metric("r2"), metric("roc_auc")], ids=str)
@pytest.mark.parametrize(
    ("first", "second"),
    [((0, 2 * BLOCK), (0, 2 * BLOCK)), ((0, 144), (143, 200)), ((5, 9), (6, 7))],
)
def test_rows_that_two_partials_share_are_refused(maker, first, second):
    one, other = (of_rows(*rows, maker) for rows in (first, second))
    with pytest.raises(ArgumentError, match=f"row {second[0]} is in both partials"):
        one.merge(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (LOSS, LOSS.replace(factor=0.5)),
        (LOSS, lossfw.loss("absolute_error")),
        (metric("mse"), metric("rmse")),
        (metric("roc_auc"), metric("average_precision")),
    ],
    ids=str,
)
def test_partials_of_different_makers_are_refused(one, other):
    with pytest.raises(ArgumentError, match=r"partials of .* and of .* cannot be merged"):
        of_rows(0, 3, one).merge(of_rows(3, 5, other))


@pytest.mark.parametrize("start", [1.5, -1, True, "0"])
def test_the_first_row_is_a_whole_number(start):
    for maker in (LOSS, metric("r2")):
        with pytest.raises(ArgumentError, match=r"start is .*an integer of at least 0"):
            maker.partial([0.0], [1.0], start=start)


@given(st.lists(st.integers(0, 60), unique=True, min_size=1), st.randoms(use_true_random=False))
def test_ranges_merge_in_any_tree(edges, draw):
    edges = sorted(edges)
    parts = [RowRanges.single(a, b) for a, b in itertools.pairwise(edges)]
    while len(parts) > 1:
        draw.shuffle(parts)
        parts.append(parts.pop().merge(parts.pop()))
    wanted = ((edges[0], edges[-1]),) if len(edges) > 1 else ()
    assert (parts[0].spans if parts else ()) == wanted


def test_gaps_show_and_survive_a_round_trip():
    parts = [of_rows(8, 9), of_rows(0, 3), of_rows(3, 5)]
    random.Random(0).shuffle(parts)
    merged = parts[0].merge(parts[1]).merge(parts[2])
    again = Partial.unpack(merged.pack())
    assert again.rows == merged.rows == ((0, 5), (8, 9))
    with pytest.raises(ArgumentError, match="row 4 is in both"):
        again.merge(of_rows(4, 6))
