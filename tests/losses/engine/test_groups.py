"""Losses of groups: whole groups, ids, weights, masks, mistakes, and partials of any split."""

import itertools

import numpy as np
import pytest

import lossfw
from lossfw import NONNEGATIVE, REAL, VECTOR, Columns, GroupLoss
from lossfw.errors import ArgumentError
from lossfw.numerics import softplus


class Pairs(GroupLoss):
    target = NONNEGATIVE

    def value(self, xp, y, t):
        d, better = y[..., None, :] - y[..., :, None], t[..., :, None] > t[..., None, :]
        return xp.sum(xp.where(better, softplus(xp, d), 0.0 * d), axis=(-2, -1))


class Drift(GroupLoss):
    prediction = VECTOR
    target = Columns.of(size=REAL, factor=NONNEGATIVE)
    needs_group = False

    def value(self, xp, y, t):
        return xp.sum(xp.sum(y, axis=-1) * t.size, axis=-1) ** 2 + xp.sum(t.factor, axis=-1)


SIZES = np.array([3, 1, 4])
IDS = np.repeat(["b", "a", "c"], SIZES)
Y = np.array([0.5, -1.0, 2.0, 0.0, 1.0, 1.0, -2.0, 0.25])
T = np.array([0, 2, 1, 1, 0, 0, 3, 1])


def by_hand(y, t):
    """Return loss and derivatives of one group by a loop over its pairs."""
    loss, derivatives = 0.0, np.zeros(len(y))
    for i, j in np.argwhere(t[:, None] > t):
        loss += np.logaddexp(0, y[j] - y[i])
        derivative = 1 / (1 + np.exp(y[i] - y[j]))
        derivatives[j] += derivative
        derivatives[i] -= derivative
    return loss, derivatives


def test_losses_and_derivatives_are_those_of_a_loop_over_the_pairs():
    loss, keep, weight = Pairs(), np.arange(8) != 6, np.array([2.0, 0.0, 0.5])
    rows = [np.flatnonzero(keep & (np.asarray(IDS) == name)) for name in "bac"]
    found = [by_hand(Y[some], T[some]) for some in rows]
    losses = np.array([value for value, _ in found])
    for given in (weight, np.repeat(weight, SIZES)):
        call = {"group": IDS, "where": keep, "sample_weight": given}
        np.testing.assert_allclose(loss(Y, T, **call, reduction="none"), losses * weight)
        assert loss(Y, T, **call) == pytest.approx((losses * weight).sum() / 2.5)
        assert loss(Y, T, **call, denominator="count") == pytest.approx((losses * weight).sum() / 3)
        derivatives = np.zeros(8)
        for some, factor, (_, own) in zip(rows, weight / 2.5, found, strict=True):
            derivatives[some] = factor * own
        value, gradient = loss.value_and_gradient(Y, T, **call)
        np.testing.assert_allclose(gradient, derivatives)
        np.testing.assert_array_equal(gradient, loss.gradient(Y, T, **call, out=np.empty(8)))
        assert value == loss(Y, T, **call)
    exact = loss.exact(Y, T, group=IDS, derivative=1).astype(float)
    np.testing.assert_allclose(loss.gradient(Y, T, group=IDS, reduction="sum"), exact, rtol=1e-15)


def test_groups_of_one_size_are_lines_whose_mask_leaves_out_rows():
    keep = np.array([[True, True, True, False], [True, True, True, True]])
    y, t = Y.reshape(2, 4), T.reshape(2, 4)
    flat = Pairs()(Y[keep.ravel()], T[keep.ravel()], group=[0] * 3 + [1] * 4, reduction="none")
    np.testing.assert_array_equal(Pairs()(y, t, where=keep, reduction="none"), flat)
    assert Pairs().gradient(y, t, where=keep)[0, 3] == 0
    # Also floats without a mask, which losses of elements have a fast path for.
    t = t.astype(float)
    losses = Pairs()(Y, T, group=[0] * 4 + [1] * 4, reduction="none")
    assert Pairs()(y, t) == losses.mean()
    derivatives = Pairs().gradient(Y, T, group=[0] * 4 + [1] * 4)
    np.testing.assert_array_equal(Pairs().gradient(y, t), derivatives.reshape(2, 4))


def test_rows_of_columns_and_vectors_reach_the_body_whole():
    y, t = np.stack([Y, T], -1), np.stack([Y, Y**2], -1)
    total = (y.sum(-1) * Y).sum()
    assert Drift()(y, t) == pytest.approx(total**2 + (Y**2).sum())
    expected = np.broadcast_to((2 * total * Y)[:, None], y.shape)
    np.testing.assert_allclose(Drift().gradient(y, t), expected)
    np.testing.assert_allclose(Drift().hessian(y, t), 2 * (Y**2)[:, None] + 0 * y)


def test_a_group_without_rows_does_not_count():
    keep = IDS != "b"
    assert Pairs()(Y, T, group=IDS, where=keep) == Pairs()(Y[keep], T[keep], group=IDS[keep])
    with pytest.raises(lossfw.EmptyReductionError):
        Pairs()(Y, T, group=IDS, where=np.zeros(8, bool))
    # A value outside its space is not looked at in a row that is left out.
    assert Pairs()(Y, np.where(keep, T, -1), group=IDS, where=keep) > 0


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("loss", [Pairs(), Drift()], ids=lambda loss: type(loss).__name__)
def test_lines_have_the_bits_of_rows_with_ids_in_any_layout(loss, dtype):
    rng = np.random.default_rng(5)
    inner, of_target = ((), ()) if isinstance(loss, Pairs) else ((6,), (2,))
    y = rng.normal(size=(700, 12, *inner)).astype(dtype)
    t = rng.integers(0, 3, (700, 12, *of_target)).astype(dtype)
    ids = np.repeat(np.arange(700), 12)
    weight = rng.integers(0, 3, 700).astype(float)
    for given in ({}, {"sample_weight": weight}):
        flat = (x.reshape(8400, *x.shape[2:]) for x in (y, t))
        value, gradient = loss.value_and_gradient(*flat, group=ids, **given)
        every = (y, t), (np.asfortranarray(y), t), (np.repeat(y, 2, axis=-1)[..., ::2], t)
        for arrays in every[: 3 if inner else 2]:
            found = loss.value_and_gradient(*arrays, **given)
            assert found[0] == value
            np.testing.assert_array_equal(found[1].reshape(gradient.shape), gradient)


OUTSIDE = np.where(np.arange(8) == 7, -1, T)
# A loss, its arguments and options, and the message.
MISTAKES = [
    (Pairs(), Y, T, {}, "pass group="),
    (Pairs(), Y, T, {"group": SIZES}, "np.repeat"),
    (Pairs(), Y, T, {"group": list("aabbaacc")},
     r"group\[0\] and group\[4\] are both 'a'.*np.argsort\(group"),
    (Pairs(), Y, T, {"group": IDS[:7]}, r"expected \(8,\), one id"),
    (Pairs(), Y, T, {"group": IDS[:, None]}, "squeeze"),
    (Pairs(), Y, T, {"group": [1.0, np.nan] + [2.0] * 6}, r"group\[1\] is nan"),
    (Pairs(), Y, T, {"group": [None] * 8}, r"group\[0\] is None"),
    (Pairs(), Y, T, {"group": IDS, "sample_weight": np.arange(1.0, 9.0)},
     r"sample_weight\[1\] = 2 and sample_weight\[0\] = 1 belong to one group"),
    (Pairs(), Y, T, {"group": IDS, "sample_weight": [1, 1]}, r"has shape \(2,\); expected \(3,\)"),
    (Pairs(), Y, T, {"group": IDS, "where": [True] * 3}, r"where has shape \(3,\)"),
    (Pairs(), Y, OUTSIDE, {"group": IDS}, r"target\[7\] = -1 lies outside"),
    (Pairs(), Y, T[:, None], {"group": IDS}, r"the target should have \(8,\)"),
    (Drift(), np.ones((8, 2)), np.ones((8, 3)), {}, r"expected 2: size, factor"),
    # Three vectors of 4 numbers are not two of 6.
    (lossfw.loss("info_nce"), np.ones((8, 3, 4)), np.zeros(8), {}, r"expected \(\.\.\., 2, D\)"),
    (lossfw.loss("huber"), Y, Y, {"group": IDS}, "leave out group"),
]  # fmt: skip


@pytest.mark.parametrize(("loss", "y", "t", "options", "message"), MISTAKES)
def test_mistakes_have_words(loss, y, t, options, message):
    with pytest.raises(lossfw.errors.ArgumentError, match=message):
        loss(y, t, **options)


# Partials: the bits of the call for any split, also inside groups, and any order.


class Spread(GroupLoss):
    needs_group = False

    def value(self, xp, y, t):
        return xp.log(xp.sum(xp.exp(y - t), axis=-1))


RNG = np.random.default_rng(3)
SPLITS = {
    "many": RNG.integers(1, 9, 60),
    "one beyond all pieces": np.array([3, 200, 2]),
    "single": np.array([250]),
}


def drawn(loss, sizes):
    """Return arguments of a call, by name, where rows and a group are left out."""
    n = int(sizes.sum())
    ids = np.array([f"group {k}" for k in range(len(sizes))]).repeat(sizes)
    inner = (2,) if isinstance(loss, Drift) else ()
    weight = RNG.uniform(0.5, 2, len(sizes)) * (RNG.uniform(size=len(sizes)) < 0.9)
    weight[-1] = 1.5
    return {
        "prediction": RNG.normal(size=(n, *inner)).astype(np.float32),
        "target": np.abs(RNG.normal(size=(n, *inner))),
        "group": ids,
        "sample_weight": weight.repeat(sizes),
        "where": (RNG.uniform(size=n) < 0.8) | (np.arange(n) >= n - 2),
    }


@pytest.mark.parametrize("loss", [Spread(), Drift()], ids=str)
@pytest.mark.parametrize("sizes", SPLITS.values(), ids=SPLITS)
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
