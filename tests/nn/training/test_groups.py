"""Trainings on groups: whole groups in batches, and losses of a target of columns."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import lossfw
from lossfw import GroupLoss
from lossfw.data import Dataset
from lossfw.models.training.loop import train
from lossfw.nn.dense import Dense, Network
from lossfw.nn.schedules import Constant
from lossfw.nn.training.advice import DivergenceCheck
from lossfw.nn.training.steps import Steps
from support.trainings import dense_training


class Spread(GroupLoss):
    needs_group = False

    def value(self, xp, y, t):
        r = y - t
        return xp.mean((r - xp.mean(r, axis=-1, keepdims=True)) ** 2, axis=-1)


def training(sizes, *, loss=None, targets=None, grouped=True, units=1, **options):
    random, rows = np.random.default_rng(0), sum(sizes)
    inputs = random.normal(size=(rows, 2))
    group = np.repeat(np.arange(len(sizes)), sizes)
    if targets is None:
        targets = inputs[:, 0] + 3.0 * group
    identity = lossfw.activation("identity")
    network = Network((Dense(np.zeros((2, units)), np.zeros(units), identity),))
    data = Dataset("d", targets, inputs, groups=group if grouped else None)
    sgd = lossfw.registry().create("optimizer", "sgd", learning_rate=0.1)
    return dense_training(
        data, network, loss or Spread(), "prediction", sgd, **{"epochs": 3, **options}
    )


@given(st.lists(st.integers(1, 9), min_size=1, max_size=12), st.integers(1, 20), st.integers(1, 3))
def test_a_batch_has_the_groups_that_begin_within_its_rows(sizes, size, epoch):
    made = training(sizes, batch_size=size)
    watch = DivergenceCheck(1.0, made.network.layers)
    steps = Steps(
        made.data, made.loss, made.form, made.model.optimizer, Constant(), 3, size, 0, watch, "f8"
    )
    batches = list(steps.batches(epoch))
    assert len(batches) <= -(-sum(sizes) // size)
    seen, begin = [], 0
    for rows, group in batches:
        starts = np.flatnonzero(np.diff(group, prepend=-1))
        for part in np.split(rows, starts[1:]):
            number = int(np.searchsorted(made.data.groups.starts, part[0], side="right")) - 1
            seen.append(number)
            assert part.tolist() == made.data.groups.rows_of(np.array([number])).tolist()
        # The first and the last group of a batch begin within the same `size` rows.
        assert begin // size == (begin + int(starts[-1])) // size
        begin += len(rows)
    assert sorted(seen) == list(range(len(sizes)))


def test_a_loss_of_groups_learns_what_differs_within_them():
    made = training([5, 1, 9, 3, 20], batch_size=12, epochs=60)
    trained = train(made)
    assert trained.history[-1].train.loss < 1e-3 * trained.history[0].train.loss
    assert trained.network.layers[0].weight == pytest.approx(np.array([[1.0], [0.0]]), abs=0.05)
    assert np.array_equal(trained.network.layers[0].weight, train(made).network.layers[0].weight)


def test_without_groups_a_batch_is_one():
    made = training([5, 3], grouped=False, batch_size=8, epochs=1)
    step = train(made).network.layers[0].weight
    inputs, targets = made.data.inputs, made.data.targets
    gradient = Spread().gradient(np.zeros(8), targets, reduction="sum")
    assert step == pytest.approx(-0.1 * inputs.T @ gradient[:, np.newaxis], rel=1e-12)


@pytest.mark.parametrize(
    ("loss", "units", "targets"),
    [
        ("heteroscedastic_gaussian_nll", 2, np.linspace(0.0, 1.0, 12)),
        ("aft", 1, np.stack([np.linspace(1.0, 2.0, 12), np.linspace(1.0, 2.0, 12) + 0.5], 1)),
        ("cox", 1, np.stack([np.arange(12.0), np.arange(12) % 2], 1)),
    ],
)
def test_networks_learn_from_columns(loss, units, targets):
    made = training([5, 7], loss=lossfw.loss(loss), units=units, targets=targets, epochs=20)
    history = train(made).history
    assert history[-1].train.loss < history[0].train.loss
