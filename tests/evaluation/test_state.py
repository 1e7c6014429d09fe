"""States of parts of the rows merge in any order and any tree to the bits of the whole."""

import functools
import itertools
import json
import random
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import lossfw
from lossfw import GroupLoss
from lossfw.data import Dataset
from lossfw.data.state_file import SavedState
from lossfw.errors import ArgumentError
from lossfw.evaluation.evaluate import evaluate, result_of
from lossfw.evaluation.intervals.options import Intervals
from lossfw.evaluation.intervals.units import Units
from lossfw.evaluation.plan import Plan
from lossfw.evaluation.slices import Slice
from lossfw.evaluation.state import EvaluationState
from lossfw.losses.engine import reduction
from lossfw.losses.engine.threads import threads
from lossfw.metrics import LossMetric
from lossfw.nn.dense import Dense, Network

ROWS = 1300
RANDOM = np.random.default_rng(0)


def metrics(*names):
    every = lossfw.registry()
    return tuple(every.create("metric", name) for name in names)


def classes(**changes):
    """Return a plan with weights, a mask, slices, and a loss among its metrics."""
    y = RANDOM.dirichlet(np.ones(4), ROWS)
    y[900] = np.nan
    data = Dataset(
        "rows", targets=RANDOM.integers(0, 4, ROWS), sample_weight=RANDOM.integers(0, 3, ROWS) / 2
    )
    loss = lossfw.loss("masked", of="cross_entropy", ignore=3.0)
    more = (*metrics("accuracy", "f1", "confusion_matrix"), LossMetric(of=lossfw.loss("brier")))
    slices = (Slice("class", by="target"), Slice("sure", by="prediction.max", bins=(0.5, 0.8)))
    options = {"metrics": more, "slices": slices, "intervals": Intervals(), **changes}
    return Plan(data, loss, outputs=y, **options)


def scores(**changes):
    y, t = RANDOM.random(ROWS), RANDOM.integers(0, 2, ROWS).astype(float)
    more = metrics("roc_auc", "average_precision", "calibration_error")
    asked = Intervals(method="bootstrap", replicates=100)
    data, loss = Dataset("scores", targets=t), lossfw.loss("binary_cross_entropy")
    return Plan(data, loss, outputs=y, metrics=more, intervals=asked, **changes)


class Spread(GroupLoss):
    """The variance of the residuals of a group."""

    power: float = 2.0

    def value(self, xp, y, t):
        r = y - t
        return xp.mean(xp.abs(r - xp.mean(r, axis=-1, keepdims=True)) ** self.power, axis=-1)


def groups():
    """Return a plan with groups of up to 40 rows and one that is longer than two blocks."""
    sizes = [1, 600, *RANDOM.integers(1, 41, ROWS)]
    number = np.repeat(np.arange(len(sizes)), sizes)[:ROWS]
    hidden = Dense(RANDOM.normal(size=(3, 20)), np.zeros(20), lossfw.activation("tanh"))
    last = Dense(RANDOM.normal(size=(20, 1)), np.zeros(1), lossfw.activation("identity"))
    data = Dataset(
        "groups",
        targets=RANDOM.random(ROWS),
        inputs=RANDOM.normal(size=(ROWS, 3)),
        sample_weight=(RANDOM.integers(0, 3, ROWS) / 2)[number],
        groups=np.char.add("q", RANDOM.permutation(ROWS).astype(str))[number],
        columns={"region": np.array(["north", "south"])[number % 2]},
    )
    more = (LossMetric(of=Spread(power=1.0)), LossMetric(of=lossfw.loss("huber")))
    slices = (Slice.of("column.region"), Slice("large", by="loss", bins=(0.5, 1.0)))
    options = {"metrics": more, "slices": slices, "intervals": Intervals()}
    return Plan(data, Spread(), Network((hidden, last)), **options)


def units(resample, method):
    """Return a plan whose intervals are by users, or by blocks of time."""
    y = RANDOM.normal(size=ROWS)
    columns = {"who": RANDOM.integers(0, 40, ROWS), "day": np.arange(ROWS), "one": np.zeros(ROWS)}
    data = Dataset("units", targets=y + RANDOM.normal(size=ROWS), columns=columns)
    asked = Intervals(method=method, replicates=100, resample=Units.read(resample))
    loss = lossfw.loss("squared_error")
    return Plan(data, loss, outputs=y, metrics=metrics("r2", "mae"), intervals=asked)


GROUPS = groups()
DRAWN = GROUPS.groups.rows_of(RANDOM.integers(2, len(GROUPS.groups), 70)).tolist()
PLANS = {
    "classes": classes(),
    "groups": GROUPS,
    "sample of groups": replace(GROUPS, sample=tuple(DRAWN)),
    "groups of rows that have losses": replace(GROUPS, loss=lossfw.loss("huber"), slices=()),
    "scores": scores(),
    "users": units("column.who", "jackknife"),
    "drawn users": units("column.who", "bootstrap"),
    "one user": units("column.one", "jackknife"),
    "blocks of time": units({"time": "column.day"}, "jackknife"),
    "sample": scores(sample=tuple(RANDOM.permutation(ROWS).tolist())),
}


@functools.cache
def whole(name):
    """Return the result of all rows of a plan at once."""
    return evaluate(PLANS[name])


def merged(draw, states):
    states = list(states)
    while len(states) > 1:
        draw.shuffle(states)
        one, other = states.pop(), states.pop()
        one.merge(other)
        states.append(one)
    return states[0]


def sent(plan, state):
    """Return a state as it arrives from another process."""
    again = EvaluationState.of(plan)
    again.unpack(SavedState.from_bytes(state.pack().to_bytes()))
    return again


@pytest.fixture(autouse=True, scope="module")
def small_blocks():
    """Cut few rows into many blocks."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(reduction, "BLOCK_ELEMENTS", 256)
        yield


@pytest.mark.turns(3)
@pytest.mark.parametrize("name", PLANS)
@settings(max_examples=5)
@given(st.randoms(use_true_random=False), st.sets(st.integers(1, ROWS // 256)))
def test_any_tree_of_parts_gives_the_bits_of_the_whole(name, draw, cuts):
    plan = PLANS[name]
    assert plan.block_rows == (256 if plan.groups is None else 4096)
    edges = [0, *sorted(cut * 256 for cut in cuts if cut * 256 < plan.count), plan.count]
    if plan.groups is not None:
        edges = sorted({*map(plan.groups.next_group_start, edges)})
    parts = [evaluate(plan, rows=span) for span in itertools.pairwise(edges)]
    state = merged(draw, [sent(plan, part) for part in parts])
    assert state.seen.spans == ((0, plan.count),)
    found, wanted = result_of(plan, state), whole(name)
    assert json.dumps(found.to_dict()) == json.dumps(wanted.to_dict())
    assert found.warnings == wanted.warnings


@pytest.mark.parametrize("sample", [None, tuple(reversed(range(ROWS)))])
def test_the_first_rows_with_nan_are_named_in_any_order_of_parts(sample):
    y = np.zeros(ROWS)
    y[[3, 200, 600, 601, 900, 1000, 1299]] = np.nan
    weight = np.ones(ROWS)
    weight[3] = 0
    data = Dataset("rows", targets=np.zeros(ROWS), sample_weight=weight)
    plan = Plan(data, lossfw.loss("squared_error"), outputs=y, sample=sample)
    parts = [evaluate(plan, rows=span) for span in ((512, ROWS), (0, 256), (256, 512))]
    state = sent(plan, parts[0])
    for part in parts[1:]:
        state.merge(part)
    named = "200, 600, 601, 900, 1000" if sample is None else "1299, 1000, 900, 601, 600"
    told = f"The loss is NaN because of rows {named} and more."
    assert result_of(plan, state).warnings[-1] == evaluate(plan).warnings[-1] == told


@pytest.mark.turns(3)
@pytest.mark.parametrize("name", PLANS)
def test_the_size_of_a_batch_and_the_threads_change_no_bit(name):
    plan = PLANS[name]
    expected = json.dumps(whole(name).to_dict())
    for size, count in ((1, 1), (7, 2), (4096, 2)):
        with threads(count):
            found = evaluate(replace(plan, batch_size=size))
        assert json.dumps(found.to_dict()) == expected, (size, count)


def test_parts_that_do_not_make_a_whole_are_refused():
    plan = PLANS["classes"]
    with pytest.raises(ArgumentError, match="begins and ends where a group does"):
        evaluate(PLANS["groups"], rows=(0, 256))
    for span in ((0, 100), (5, 512), (512, 256), (0, ROWS + 1)):
        with pytest.raises(ArgumentError, match="begins and ends at multiples of 256"):
            evaluate(plan, rows=span)
    state, other = evaluate(plan, rows=(0, 512)), evaluate(plan, rows=(256, ROWS))
    with pytest.raises(ArgumentError, match="row 256 is in both"):
        state.merge(other)
    with pytest.raises(ArgumentError, match="the rows 0 to 255 are missing"):
        result_of(plan, other)
    saved = state.pack()
    saved.header["version"] = 0
    with pytest.raises(ArgumentError, match="has version 0"):
        EvaluationState.of(plan).unpack(saved)


def test_the_size_of_a_state_does_not_grow_with_its_rows():
    plan = classes(intervals=None)
    random.seed(0)
    sizes = [len(evaluate(plan, rows=(0, rows)).pack().to_bytes()) for rows in (256, 1280)]
    assert sizes[1] < 1.1 * sizes[0]
