"""Partials of groups: the bits of the call for any split, also inside groups, and any order."""

import itertools

import numpy as np
import pytest

import lossfw
from lossfw import NONNEGATIVE, REAL, VECTOR, Columns, GroupLoss
from lossfw.errors import ArgumentError


class Spread(GroupLoss):
    needs_group = False

    def value(self, xp, y, t):
        return xp.log(xp.sum(xp.exp(y - t), axis=-1))


class Weighed(GroupLoss):
    prediction = VECTOR
    target = Columns.of(size=REAL, factor=NONNEGATIVE)

    def value(self, xp, y, t):
        return xp.sum(xp.sum(y, axis=-1) * t.size, axis=-1) ** 2 + xp.max(t.factor, axis=-1)


RNG = np.random.default_rng(3)
SIZES = {
    "many": RNG.integers(1, 9, 60),
    "one beyond all pieces": np.array([3, 200, 2]),
    "single": np.array([250]),
}


def drawn(loss, sizes):
    """Return arguments of a call, by name, where rows and a group are left out."""
    n = int(sizes.sum())
    ids = np.array([f"group {k}" for k in range(len(sizes))]).repeat(sizes)
    inner = (2,) if isinstance(loss, Weighed) else ()
    weight = RNG.uniform(0.5, 2, len(sizes)) * (RNG.uniform(size=len(sizes)) < 0.9)
    weight[-1] = 1.5
    return {
        "prediction": RNG.normal(size=(n, *inner)).astype(np.float32),
        "target": np.abs(RNG.normal(size=(n, *inner))),
        "group": ids,
        "sample_weight": weight.repeat(sizes),
        "where": (RNG.uniform(size=n) < 0.8) | (np.arange(n) >= n - 2),
    }


@pytest.mark.parametrize("loss", [Spread(), Weighed()], ids=str)
@pytest.mark.parametrize("sizes", SIZES.values(), ids=SIZES)
def test_every_split_and_order_gives_the_bits_of_the_call(loss, sizes):
    call = drawn(loss, sizes)
    n = len(call["group"])
    found = set()
    for _ in range(10):
        edges = np.unique([0, n, *RNG.integers(0, n, RNG.integers(0, 30))]).tolist()
        parts = [
            loss.partial(**{name: x[a:b] for name, x in call.items()}, start=a)
            for a, b in itertools.pairwise(edges)
        ]
        RNG.shuffle(parts)
        merged = parts.pop()
        while parts:
            merged = merged.merge(loss._unpack_partial(parts.pop().pack()))
        found.add((merged.mean().hex(), merged.mean("count").hex(), merged.rows))
    expected = [float(loss(**call, denominator=d)).hex() for d in ("weights", "count")]
    assert found == {(*expected, ((0, n),))}


def test_lines_of_groups_need_no_ids():
    loss, y, t = Spread(), RNG.normal(size=(6, 3)), np.zeros((6, 3))
    parts = [loss.partial(y[a : a + 2], t[a : a + 2], start=a) for a in (2, 0, 4)]
    assert parts[0].merge(parts[1]).merge(parts[2]).mean() == loss(y, t)


def test_a_group_that_comes_again_is_refused_with_its_rows():
    loss, zeros = Spread(), np.zeros(4)
    first = loss.partial(zeros, zeros, group=[1, 2, 2, 3])
    again = loss.partial(zeros, zeros, group=[3, 4, 2, 5], start=4)
    with pytest.raises(ArgumentError, match="rows 1 and 6 belong to one group"):
        first.merge(again).sum()
    # Group 3 goes on; with the rows between missing, it is in two places.
    later = loss.partial(zeros, zeros, group=[3, 4, 6, 5], start=8)
    with pytest.raises(ArgumentError, match="rows 3 and 8 belong to one group"):
        first.merge(later).sum()
    with pytest.raises(ArgumentError, match="row 2 is in both partials"):
        first.merge(loss.partial(zeros, zeros, group=[2, 3, 4, 5], start=2))
    heavy = loss.partial(zeros, zeros, group=[3, 4, 6, 5], start=4, sample_weight=[2.0, 1, 1, 1])
    with pytest.raises(lossfw.DomainError, match="1 before row 4 and 2 from there on"):
        first.merge(heavy)
    with pytest.raises(ArgumentError, match="cannot be merged"):
        first.merge(lossfw.loss("huber").partial(zeros, zeros, start=4))
