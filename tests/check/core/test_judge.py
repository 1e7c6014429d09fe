"""Which errors the judge lets pass, and what moves of the arguments explain."""

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


def wrong(loss, order, y, t, results, dtype="float64", **parameters):
    """Tell which of some results at one point the judge calls wrong."""
    subject = subject_of_component(lossfw.loss(loss, **parameters))
    y, t, results = (np.asarray(x, dtype) for x in (y, t, results))
    count = len(results)
    points = Points(
        *(np.tile(x, (count, *[1] * x.ndim)) if x.ndim else np.full(count, x) for x in (y, t))
    )
    return judge(subject, points, results, order).is_wrong.tolist()


def test_a_residual_of_large_numbers_has_all_its_digits():
    # Both are floats of the dtype, and so is their difference of 2.
    found = wrong("squared_error", 0, 16777218, 16777216, [4, 4.000002, 4.01, 0, 324], "float32")
    assert found == [False, False, True, True, True]
    # Times in seconds, a thousandth of one apart: 0.4 % is what moves of the times would explain.
    y, t = 1.6e9 + 1e-3, 1.6e9
    assert wrong("squared_error", 0, y, t, [(y - t) ** 2 * (1 + x) for x in (0, 1e-3, 1e-13)]) == [
        False, True, True
    ]  # fmt: skip


def test_a_column_with_a_residual_is_moved_in_it():
    # A variance of 1, and a mean that is the target but for an eighth.
    y, t = [1e8 + 0.125, 0.0], 1e8
    truth = 0.125**2 / 2 + np.log(2 * np.pi) / 2
    assert wrong("heteroscedastic_gaussian_nll", 0, y, t, [truth, truth * (1 + 1e-9)]) == [
        False,
        True,
    ]


def test_infinity_is_right_only_where_the_truth_is_infinite_and_nan_never():
    p = np.nextafter(np.float32(1), np.float32(0))
    results = [-np.log1p(-np.float64(p)), np.inf, np.nan]
    options = {"guard": "none", "dtype": "float32"}
    assert wrong("binary_cross_entropy", 0, p, 0, results, **options) == [False, True, True]
    assert wrong("binary_cross_entropy", 0, 1, 0, [np.inf, 16.6], **options) == [False, True]


def test_at_a_kink_a_derivative_is_between_those_next_to_it():
    results = [-1, 0.3, 1, 2, -1.001, np.nan]
    for target in (0.0, 1.0):
        found = wrong("absolute_error", 1, target, target, results)
        assert found == [False, False, False, True, True, True]


def test_within_four_units_of_a_kink_a_derivative_is_between_both_sides():
    # The negative is further than the margin by 1e-17 of it, which no float of the difference is.
    y = [[1.0], [1.0], [-1e-17]]
    derivatives = [[[-share], [0.0], [share]] for share in (0.0, 0.5, 1.0, 1.01, -0.01)]
    found = wrong("triplet_margin", 1, np.ravel(y), 0, np.reshape(derivatives, (5, 3)))
    assert [any(row) for row in found] == [False, False, False, True, True]


def test_derivatives_by_alike_numbers_are_a_vector_and_those_by_named_ones_are_not():
    subject = subject_of_component(lossfw.loss("cross_entropy", from_logits=True))
    points = Points(np.array([[0.0, 0.7, 0.1]]), np.array([[0.0, 1.0, 0.0]]))
    right = np.asarray(subject.gradient(points.y, points.t))
    assert not judge(subject, points, right + 1e-16, 1).is_wrong.any()
    assert judge(subject, points, right + 1e-14, 1).is_wrong.all()
    # The derivative by the mean is 1e-20, and that by the log variance 1/2.
    derivatives = [[1e-20, 0.5], [1e-17, 0.5]]
    found = wrong("heteroscedastic_gaussian_nll", 1, [1e-20, 0.0], 0, derivatives)
    assert found == [[False, False], [True, False]]


# Scores of three classes, each a margin of 1 above the next: two hinges bend there, that of the
# middle class on its left and on its right.
SCORES = [[2.0, 1.0, 0.0]]


@pytest.mark.parametrize(
    ("t", "least", "most"),
    [
        ([0.3, 0.4, 0.3], [1.4, 1.4, 1.2], [2.0, 2.8, 2.0]),
        # The curvatures of the middle class from both sides agree here.
        ([0.25, 0.25, 0.5], [1.5, 1.5, 2.0], [2.0, 2.5, 2.5]),
    ],
)
def test_curvatures_at_a_tie_are_those_next_to_it_and_all_between(t, least, most):
    loss = subject_of_component(lossfw.loss("multiclass_hinge", form="weston_watkins", power=2))
    points = Points(np.array(SCORES), np.array([t]))
    for right in (least, most, np.add(least, most) / 2):
        assert not judge(loss, points, np.array([right]), 2).is_wrong.any()
    for wrong in (np.multiply(least, 0.99), np.multiply(most, 1.01)):
        assert judge(loss, points, np.array([wrong]), 2).is_wrong.all()


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
