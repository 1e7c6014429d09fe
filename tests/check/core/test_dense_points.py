"""The points of a measurement lie all over the domain, edges included."""

import numpy as np
import pytest

import lossfw
from lossfw.check.core.dense_points import dense_arguments, dense_pairs, floats
from lossfw.check.core.subject import of_component
from lossfw.check.instances import variants

DTYPES = ["float32", "float64"]


def drawn(loss, dtype, count=2000):
    sets = dense_pairs(of_component(loss), dtype, np.random.default_rng(0), count)
    return [(points.y, points.t) for points in sets]


def all_losses():
    registry = lossfw.registry()
    return [
        loss
        for entry in registry.entries("loss")
        for loss in variants(registry.class_of(entry), others=False)
    ]


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("loss", all_losses(), ids=repr)
def test_every_point_is_finite_and_legal(loss, dtype):
    total = 0
    for y, t in drawn(loss, dtype, 400):
        assert y.dtype == dtype
        assert np.isfinite(y).all()
        assert np.isfinite(t).all()
        assert loss.prediction_space.outside(y) is None
        total += len(y)
    assert total >= 200


@pytest.mark.parametrize("dtype", DTYPES)
def test_residuals_reach_from_subnormal_to_huge(dtype):
    y, t = (np.concatenate(x) for x in zip(*drawn(lossfw.loss("huber"), dtype), strict=True))
    r = np.abs(y.astype(np.float64) - t)
    info = np.finfo(dtype)
    assert (r[r > 0] < info.tiny).any()
    assert (r > float(info.max) / 1e3).any()
    assert ((y != 0) & (t != 0) & (r < 1e-3 * np.abs(t))).any()


@pytest.mark.parametrize("dtype", DTYPES)
def test_the_difference_of_a_distance_loss_is_a_float(dtype):
    from fractions import Fraction

    for y, t in drawn(lossfw.loss("welsch"), dtype, 300):
        for a, b in zip(y, t, strict=True):
            assert Fraction(float(a - b)) == Fraction(float(a)) - Fraction(float(b))


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("steps", [-1000, -2, -1, 0, 1, 2, 1000])
def test_a_kink_and_its_neighbours_are_among_them(dtype, steps):
    kink = np.asarray(0.3, dtype)
    wanted = kink + steps * np.spacing(kink)
    loss = lossfw.loss("huber", delta=0.3)
    assert any((np.abs(y - t) == wanted).any() for y, t in drawn(loss, dtype, 400))


@pytest.mark.parametrize("dtype", DTYPES)
def test_probabilities_come_close_to_both_ends(dtype):
    loss = lossfw.loss("binary_cross_entropy", guard="none")
    y = np.concatenate([y for y, _ in drawn(loss, dtype)])
    eps = np.finfo(dtype).eps
    assert ((y > 0) & (y < np.finfo(dtype).tiny)).any()
    assert ((y < 1) & (y >= 1 - eps)).any()


def test_rows_have_one_two_three_and_ten_columns():
    loss = lossfw.loss("cross_entropy", from_logits=True)
    sets = drawn(loss, "float64")
    assert {y.shape[1] for y, _ in sets} == {1, 2, 3, 10}
    assert {t.ndim for _, t in sets} == {1, 2}


def test_a_few_points_may_leave_a_set_of_rows_empty():
    assert sum(map(len, (y for y, _ in drawn(lossfw.loss("cross_entropy"), "float32", 15)))) > 0


def test_floats_have_every_exponent():
    found = floats("float64", np.random.default_rng(0), 2000)
    _, exponents = np.frexp(found[found != 0])
    assert exponents.min() < -900
    assert exponents.max() > 900
    assert (found < 0).any()


def test_arguments_of_an_activation():
    (x,) = dense_arguments((3.0,), False, "float64", np.random.default_rng(0), 400)[0]
    assert np.isfinite(x).all()
    assert {3.0, np.nextafter(3.0, 4), np.nextafter(3.0, 2)} <= set(x.tolist())
    rows = dense_arguments((), True, "float64", np.random.default_rng(0), 400)
    assert [x.shape[1] for (x,) in rows] == [1, 2, 3, 10]
