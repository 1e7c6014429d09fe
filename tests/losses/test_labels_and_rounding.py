"""Rows that are paired by place, and whole numbers that float64 does not have."""

import numpy as np
import pytest

import lossfw
from lossfw.data import Dataset
from lossfw.errors import ArgumentError, ConfigError, DataError, DomainError

BIG = 2**53


@pytest.fixture(scope="module")
def pandas():
    return pytest.importorskip("pandas")


def test_series_with_other_labels_are_refused(pandas):
    y, t = pandas.Series([1.0, 2.0, 3.0]), pandas.Series([3.0, 2.0, 1.0], index=[2, 1, 0])
    loss, metric = lossfw.loss("squared_error"), lossfw.metric("mae")
    for call in (loss, loss.gradient, loss.value_and_gradient, loss.partial, metric):
        with pytest.raises(ArgumentError, match=r"row 0 is 0 and 2.*target\.loc\[prediction\.ind"):
            call(y, t)
        call(y, t.loc[y.index])
        call(y, t.to_numpy())
    assert loss(y, t.loc[y.index]) == 0
    with pytest.raises(ArgumentError, match="prediction and sample_weight have different labels"):
        loss(y, y, sample_weight=t)
    with pytest.raises(ArgumentError, match="prediction and where have different labels"):
        metric(y.to_frame("a")["a"], y, where=t > 1)
    ranks = lossfw.metric("ndcg")
    with pytest.raises(ArgumentError, match="prediction and group have different labels"):
        ranks(y, y, group=t)
    # Equal labels of another kind, and another number of rows, are as before.
    loss(y, pandas.Series([1.0, 2.0, 3.0], index=pandas.RangeIndex(3)))
    with pytest.raises(lossfw.ShapeError):
        loss(y, t[:2])


def test_frames_with_other_labels_are_refused(pandas):
    inputs = pandas.DataFrame({"x": [1.0, 2.0, 3.0]}, index=[4, 5, 6])
    given = {
        "data": {"inputs": inputs, "targets": pandas.Series([1.0, 2.0, 3.0], index=[6, 5, 4])},
        "network": {"layers": [{"units": 1, "activation": "identity"}]},
        "loss": "squared_error",
        "train": {"epochs": 1, "optimizer": "sgd"},
    }
    with pytest.raises(ConfigError, match=r"row 0 is 4 and 6.*targets\.loc\[inputs\.index\]"):
        lossfw.train(given)
    given["data"]["targets"] = given["data"]["targets"].loc[inputs.index]
    lossfw.train(given)


@pytest.mark.parametrize(("y", "t", "said"), [
    ([0, BIG], [0, BIG + 1], rf"target\[1\] = {BIG + 1} is {BIG} in float64"),
    ([0, -BIG - 1], [0, 1], rf"prediction\[1\] = -{BIG + 1} is -{BIG}"),
    ([[0, 1], [2, 2**62 + 1]], [[0, 0], [0, 0]], r"prediction\[1, 1\]"),
])  # fmt: skip
def test_whole_numbers_that_would_be_rounded_are_refused(y, t, said):
    for call in (lossfw.loss("squared_error"), lossfw.loss("huber").gradient, lossfw.metric("mae")):
        with pytest.raises(DomainError, match=said):
            call(np.array(y), np.array(t))
    with pytest.raises(DataError, match=rf"targets\[2\] is {BIG + 1}, which is {BIG} in float64"):
        list(Dataset("d", np.array([1, 2, BIG + 1])).batches(2))
    ranking = lossfw.loss("pairwise_hinge")
    with pytest.raises(DomainError, match=rf"target\[1\] = {BIG + 1} is {BIG}"):
        ranking(np.zeros(2), np.array([BIG, BIG + 1]), group=np.zeros(2, int))
    # Names of groups are not computed with: these are two groups, of which neither has a pair.
    scores, targets = np.array([0.0, 5.0]), np.array([1.0, 0.0])
    assert ranking(scores, targets, group=np.array([BIG, BIG + 1])) == 0
    assert ranking(scores, targets, group=np.array([BIG, BIG])) > 0


def test_whole_numbers_that_float64_has_are_computed():
    loss = lossfw.loss("squared_error")
    for big in (BIG, BIG + 2, 2**62, -(2**63)):
        assert loss(np.array([big]), np.array([big])) == 0
    assert loss(np.array([2**63], np.uint64), np.array([2**63], np.uint64)) == 0
    assert loss(np.array([], np.int64), np.array([], np.int64), reduction="sum") == 0
    assert lossfw.loss("cross_entropy")(np.full((2, 3), 1 / 3), np.array([0, 2])) > 0


@pytest.mark.parametrize("library", ["torch", "jax"])
def test_whole_numbers_of_other_libraries_are_refused_likewise(library):
    module = pytest.importorskip("torch" if library == "torch" else "jax.numpy")
    make = module.asarray
    # JAX has 32 bits, unless it is asked for more.
    is_wide = str(make(1).dtype).endswith("int64")
    big, name = (BIG, "float64") if is_wide else (2**24, "float32")
    said = rf"= {big + 1} is {big} in {name}"
    loss, ranking = lossfw.loss("squared_error"), lossfw.loss("pairwise_hinge")
    for y, t in (([0, big], [0, big + 1]), ([-big - 1, 0], [0, 1]), ([0.0, 1.0], [big + 1, 0])):
        with pytest.raises(DomainError, match=rf"\[\d\] = -?{big + 1} is -?{big} in {name}"):
            loss(make(y), make(t))
    with pytest.raises(DomainError, match=said):
        ranking(make([1.0, 2.0]), make([0, big + 1]), group=make([7, 7]))
    assert float(loss(make([big, big + 2]), make([big, big + 2]))) == 0
    # Unchecked, nothing is looked at.
    assert float(loss.unchecked(make([0, big]), make([0, big + 1]))) == 0
    if library == "torch":
        longest = make([2**63 + 1], dtype=module.uint64)
        with pytest.raises(DomainError, match=rf"target\[0\] = {2**63 + 1} is {2**63}"):
            loss(make([1.0]), longest)


def test_class_indices_beyond_float64_are_told_and_masked_as_they_are():
    p = np.full((2, 3), 1 / 3)
    long = np.array([BIG + 1, 1])
    with pytest.raises(DomainError, match=rf"target\[0\] = {BIG + 1} is not a class"):
        lossfw.loss("cross_entropy")(p, long)
    masked = lossfw.loss("masked", of="cross_entropy", ignore=BIG)
    with pytest.raises(DomainError, match=rf"target\[0\] = {BIG + 1} is not a class"):
        masked(p, long)
    assert masked(p, long - [1, 0]) == masked(p[1:], long[1:])
    # A value that the dtype of the indices lacks marks none of them.
    small = lossfw.loss("masked", of="cross_entropy", ignore=-254)
    assert small(p, np.array([2, 1], np.uint8)) == lossfw.loss("cross_entropy")(p, [2, 1])
