"""Strategies: what is drawn lies in the spaces that a loss declares, for every built-in."""

import numpy as np
import pytest
from hypothesis import find, given, settings
from hypothesis import strategies as st

import lossfw
from lossfw.check.strategies import masks, pairs, predictions, targets, weights
from lossfw.errors import ArgumentError, LossfwError

DRAWS = settings(max_examples=10, database=None)


def made():
    for entry in lossfw.registry().entries("loss"):
        try:
            loss = lossfw.loss(entry.name)
        except LossfwError:
            continue  # a wrapper needs a loss
        if not loss.takes_groups:  # a pair has no ids of groups
            yield loss


@pytest.mark.turns(4)
@pytest.mark.parametrize("loss", list(made()), ids=repr)
@given(st.data())
@DRAWS
def test_a_pair_is_taken_by_its_loss(loss, data):
    loss(*data.draw(pairs(loss)))
    y, t = data.draw(pairs(loss, dtype="float32", rows=2))
    assert loss(y, t, reduction="none").dtype == np.float32
    assert len(y) == len(t) == 2


@DRAWS
@given(predictions("brier"), targets("huber", rows=3))
def test_arrays_alone(y, t):
    assert np.all((y >= 0) & (y <= 1))
    assert t.shape == (3,)


@DRAWS
@given(st.data())
def test_weights_and_masks_leave_something(data):
    rows = data.draw(st.integers(1, 6))
    weight, mask = data.draw(weights(rows)), data.draw(masks(rows))
    assert weight.shape == mask.shape == (rows,)
    assert weight.min() >= 0
    assert weight.any()
    assert mask.dtype == bool
    assert mask.any()


@pytest.mark.parametrize("edge", [0.0, 1.0])
def test_an_edge_is_drawn(edge):
    options = settings(max_examples=1000, database=None, derandomize=True)  # it stops at the first
    find(pairs("binary_cross_entropy"), lambda pair: edge in pair[0].tolist(), settings=options)


def test_a_negative_number_of_rows_is_told():
    with pytest.raises(ArgumentError, match="rows=-1"):
        pairs("huber", rows=-1)
