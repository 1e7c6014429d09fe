"""The points of a measurement lie all over the domain, edges included."""

import numpy as np
import pytest

import lossfw
from lossfw.check.accuracy import points as points
from lossfw.check.accuracy.variants import variants
from lossfw.check.core.subject import of_component

DTYPES = ["float32", "float64"]


def drawn(loss, dtype, count=2000):
    make = points.of_rows if loss.takes_rows else points.of_loss
    return make(of_component(loss), dtype, np.random.default_rng(0), count)


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


def test_floats_have_every_exponent():
    found = points.floats("float64", np.random.default_rng(0), 2000)
    _, exponents = np.frexp(found[found != 0])
    assert exponents.min() < -900
    assert exponents.max() > 900
    assert (found < 0).any()


def test_arguments_of_an_activation():
    (x,) = points.of_activation((3.0,), False, "float64", np.random.default_rng(0), 400)[0]
    assert np.isfinite(x).all()
    assert {3.0, np.nextafter(3.0, 4), np.nextafter(3.0, 2)} <= set(x.tolist())
    rows = points.of_activation((), True, "float64", np.random.default_rng(0), 400)
    assert [x.shape[1] for (x,) in rows] == [1, 2, 3, 10]


# Variants ------------------------------------------------------------------


def test_each_form_and_each_parameter_is_varied():
    found = variants(type(lossfw.loss("cross_entropy")))
    assert found[0] == lossfw.loss("cross_entropy")
    assert lossfw.loss("cross_entropy", from_logits=True) in found
    assert {one.guard for one in found} == {"normalised", "additive", "floor", "none"}
    on_logits = [one for one in found if one.from_logits]
    assert {one.delta for one in on_logits} == {1e-7}
    assert len({one.label_smoothing for one in on_logits}) == 3


def test_a_parameter_without_a_default_is_given_a_value():
    class Shifted(lossfw.DistanceLoss):
        """Needs to be told."""

        shift: float

        def value(self, xp, r):
            return xp.abs(r - self.shift)

    found = variants(Shifted)
    assert len(found) == 3
    assert len({one.shift for one in found}) == 3


def test_what_cannot_be_made_is_left_out():
    assert variants(lossfw.registry().component_class("loss", "sum")) == []


def test_other_parameters_have_a_quarter_of_the_points():
    from lossfw.check.accuracy.jobs import accuracy_jobs

    losses = variants(type(lossfw.loss("huber")))
    assert [job.points for job in accuracy_jobs(losses, points=100)] == [100, 100, 25, 25, 25, 25]
    alone = [lossfw.loss("huber", delta=0.3)]
    assert [(job.points, job.dtype) for job in accuracy_jobs(alone, points=100)] == [
        (100, "float32"),
        (100, "float64"),
    ]
