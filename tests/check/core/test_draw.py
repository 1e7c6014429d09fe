"""Drawn points lie all over the domain: its edges, kinks, and pairs that are nearly equal."""

from typing import ClassVar

import numpy as np
import pytest

import lossfw
from lossfw.check.core.draw import LONG, draw, draw_densely
from lossfw.check.core.group_rows import as_rows
from lossfw.check.core.members import magnitude_limits, numbers_of_all_magnitudes
from lossfw.check.core.subject import COLUMNS, subject_of_component
from lossfw.check.instances import variants
from lossfw.components.ranges import EVERY_SIZE, PROMISED

DTYPES = ["float32", "float64"]
LOGITS = {"name": "binary_cross_entropy", "from_logits": True}


def drawn(loss, dtype, count=2000):
    sets = draw_densely(subject_of_component(loss), dtype, np.random.default_rng(0), count)
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
        rows = as_rows(loss).lines(y, t)[0] if loss.takes_groups else y
        assert loss.prediction_space.outside_or_none(rows) is None
        total += len(y)
    assert total >= 200


@pytest.mark.parametrize("dtype", DTYPES)
def test_residuals_reach_from_end_to_end_of_the_promise(dtype):
    y, t = (np.concatenate(x) for x in zip(*drawn(lossfw.loss("huber"), dtype), strict=True))
    r = np.abs(y.astype(np.float64) - t)
    least, most = PROMISED.limits(dtype)
    assert (r[r > 0] < 100 * least).any()
    assert (r > most / 100).any()
    size = np.abs(y[y != 0])
    assert least <= size.min()
    assert size.max() <= most
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
    assert ((y > 0) & (y < 100 * PROMISED.limits(dtype)[0])).any()
    assert ((y < 1) & (y >= 1 - eps)).any()


def test_rows_have_all_numbers_of_columns_and_both_forms_of_a_target():
    loss = lossfw.loss("cross_entropy", from_logits=True)
    sets = drawn(loss, "float64")
    assert {(y.shape[1], t.ndim) for y, t in sets} == {
        (k, n) for k in (*COLUMNS[:-1], LONG) for n in (1, 2)
    }


def test_a_few_points_may_leave_a_set_of_rows_empty():
    assert sum(map(len, (y for y, _ in drawn(lossfw.loss("cross_entropy"), "float32", 15)))) > 0


def test_a_loss_that_promises_more_has_points_there():
    class Wide(lossfw.DistanceLoss):
        """It promises all numbers."""

        prediction_range: ClassVar[lossfw.PromisedRange] = EVERY_SIZE

        def value(self, xp, r):
            return xp.abs(r)

    (points,) = draw(subject_of_component(Wide()), "float64", np.random.default_rng(0), 400)
    size = np.abs(points.y[points.y != 0])
    assert size.min() < 1e-200
    assert 1e200 < size.max() < np.inf
    assert (np.abs(points.t) <= 1e30).all()


@pytest.mark.parametrize("dtype", ["float32", "float16"])
def test_ends_are_floats_of_the_dtype(dtype):
    least, most = magnitude_limits(EVERY_SIZE, dtype)
    assert np.asarray(least, dtype) > 0
    assert np.asarray(most, dtype) < np.inf


def test_a_column_that_is_exponentiated_has_sizes_of_its_own():
    subject = subject_of_component(lossfw.loss("student_t_nll"))
    (points,) = draw(subject, "float64", np.random.default_rng(0), 400)
    location, *logarithms = np.abs(points.y).max(0)
    assert location > 1e20
    assert max(logarithms) <= 80
    assert min(logarithms) > 70


def test_a_line_has_each_kink_and_its_neighbours():
    x = numbers_of_all_magnitudes((3.0,), "float64", np.random.default_rng(0), 400)
    assert np.isfinite(x).all()
    assert {3.0, np.nextafter(3.0, 4), np.nextafter(3.0, 2)} <= set(x.tolist())


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize(
    ("spec", "bounds"),
    [({"name": "poisson_deviance", "link": "log"}, [0.0]), (LOGITS, [0.0, 1.0])],
)
def test_each_edge_of_a_prediction_meets_each_bound_of_a_target(spec, bounds, seed):
    subject = subject_of_component(lossfw.loss(spec))
    (points,) = draw(subject, "float64", np.random.default_rng(seed), 50)
    for bound in bounds:
        met = set(points.y[points.t == bound].tolist())
        assert {0.0, 1e-30, -1e-30, 40.0, -37.0, 15.0} <= met
