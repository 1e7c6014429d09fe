"""Which numbers arguments stand for, and what moves of them explain."""

from fractions import Fraction

import numpy as np
import pytest

import lossfw
from lossfw import BINARY, COUNT, REAL, SIGN, Columns, DistanceLoss, PointwiseLoss
from lossfw.check.core.draw_groups import usual_group
from lossfw.check.core.judge import judge, oracle_of
from lossfw.check.core.moves import movable_inputs, ulp_steps
from lossfw.check.core.points import Points
from lossfw.check.core.subject import subject_of_component
from lossfw.components.spaces import CLASS_INDEX, NONNEGATIVE, POSITIVE, UNIT, FiniteSpace
from lossfw.numerics import softplus
from lossfw_std.losses.absolute_percentage_error import NONZERO


@pytest.mark.parametrize(
    "space", [BINARY, COUNT, SIGN, CLASS_INDEX, FiniteSpace("ODD", "1 and 3", members=(1.0, 3.0))]
)
def test_discrete_arguments_are_never_moved(space):
    assert not ulp_steps(space, np.array([-1.0, 0.0, 1.0, 3.0, 1e17]), 4).any()


@pytest.mark.parametrize("space", [REAL, NONNEGATIVE, UNIT, NONZERO])
def test_zeros_are_never_moved_and_other_numbers_are(space):
    found = ulp_steps(space, np.array([0.0, -0.0, 5e-324, 0.25, 1.0]), 4)
    np.testing.assert_array_equal(found[:2], 0)
    np.testing.assert_array_equal(found[2:], 4 * np.spacing([5e-324, 0.25, 1.0]))


def interval(loss, order, points):
    """Return the interval of the exact results at points."""
    exact = loss.exact.results(order, points.y, points.t)
    moving = oracle_of(loss, order, points, exact).movable
    return moving.interval(order, (points.y, points.t), exact)


class OfInterval(PointwiseLoss):
    """A square where both ends are one number, and less the logarithm of the width elsewhere."""

    prediction, target = REAL, Columns.of(lower=NONNEGATIVE, upper=POSITIVE).ordered()

    def value(self, xp, y, t):
        is_point = t.lower == t.upper
        width = xp.where(is_point, 1.0, t.upper - t.lower)
        return (y - t.lower) ** 2 - xp.where(is_point, 0.0, xp.log(width))


def test_no_move_parts_the_ends_of_an_interval_that_are_one_number():
    loss = subject_of_component(OfInterval())
    points = Points(np.array([[3.0]] * 2), np.array([[2.0, 2.0], [2.0, 2.5]]))
    found = interval(loss, 0, points)
    # The first is 1, and next to it some 34; rounding of its arguments explains some units.
    np.testing.assert_array_less(found.high, 100 * np.finfo(float).eps)
    np.testing.assert_array_less(0, found.high)


def test_each_number_of_a_group_is_moved_but_no_flag():
    loss = subject_of_component(lossfw.loss("cox"))
    points = usual_group(loss, 3, np.random.default_rng(0), 2)
    arrays = points.y, points.t
    moves = [
        one.move_arguments(arrays, sign) for one in movable_inputs(loss, arrays) for sign in (-1, 1)
    ]
    # Three predictions and three times, both ways; no event.
    assert len(moves) == 2 * (3 + 3)
    for y, t in moves:
        changed = np.concatenate([y != points.y, t != points.t], axis=1)
        assert (changed.sum(axis=1) == 1).all()
        # Time and event follow each other.
        assert not changed[:, [4, 6, 8]].any()


class Step(DistanceLoss):
    """1 up to a residual of 1, and 2 beyond."""

    def value(self, xp, r):
        return xp.where(r > 1, 2 * xp.ones_like(r), xp.ones_like(r)) + 0 * r


def test_a_result_may_be_beyond_a_jump_that_rounding_leads_to():
    loss = subject_of_component(Step())
    # Beyond 1 by less than rounds to a float.
    y, t = 1 + 2.0**-52, 2.0**-53 + 2.0**-60
    assert Fraction(y) - Fraction(t) > 1
    assert y - t == 1
    points = Points(np.array([y, y, y]), np.array([t, t, t]))
    found = judge(loss, points, np.array([1.0, 2.0, 1.5]), 0)
    np.testing.assert_array_equal(found.is_wrong, [False, False, True])


class Smooth(DistanceLoss):
    """log(1 + exp(r)), with a maximum in its formula."""

    def formula(self, xp, r):
        return xp.maximum(r, 0 * r) + xp.log1p(xp.exp(-xp.abs(r)))

    def value(self, xp, r):
        return softplus(xp, r)


@pytest.mark.parametrize(("order", "truth"), [(1, 0.5), (2, 0.25)])
def test_a_tie_without_a_kink_has_the_derivative_of_both_sides(order, truth):
    loss = subject_of_component(Smooth())
    points = Points(np.zeros(3), np.zeros(3))
    found = judge(loss, points, np.array([truth, truth / 2, 0.9 * truth]), order)
    np.testing.assert_array_equal(found.is_wrong, [False, True, True])
    np.testing.assert_array_equal(found.expected, truth)
