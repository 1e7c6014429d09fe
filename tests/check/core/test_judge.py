"""Which errors the judge lets pass."""

import numpy as np
import pytest

import lossfw
from lossfw.check.core.judge import judge
from lossfw.check.core.points import Points
from lossfw.check.core.subject import subject_of_component


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
