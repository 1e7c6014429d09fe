"""The cosine distance: any angle to the last digits, rows of zeros."""

import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

import lossfw
from lossfw import DomainError
from support.formulas import paper_value
from support.rows import DTYPES, worst

rows = hnp.arrays(np.float64, 3, elements=st.floats(-10, 10).map(lambda x: round(x, 3)))


def distance(y, t, **parameters):
    return lossfw.loss("cosine_distance", **parameters)(y, t)


class TestAccuracy:
    @pytest.mark.parametrize("dtype", DTYPES)
    @pytest.mark.parametrize("columns", [2, 3, 8])
    def test_every_angle(self, dtype, columns):
        rng = np.random.default_rng(columns)
        y, t = rng.normal(size=(2, 120, columns))
        apart = 10.0 ** -rng.uniform(0, 17, (80, 1))
        t[:80] = y[:80] * rng.uniform(0.1, 10, (80, 1)) + apart * t[:80]
        t[:20] *= -1
        assert worst(lossfw.loss("cosine_distance"), y.astype(dtype), t.astype(dtype)) <= 12

    def test_a_small_angle_is_half_its_square(self):
        assert distance([1.0, 1e-9], [1.0, 0.0]) == 5e-19
        found = distance([1.0, 1e-200], [1.0, 1e-150])
        assert found == pytest.approx(5e-301, rel=1e-12)
        narrow = np.array([[1.0, 1e-5]], np.float32)
        wanted = float(paper_value(lossfw.loss("cosine_distance"), narrow[0], [1.0, 0.0]))
        assert distance(narrow, np.array([[1, 0]], np.float32)) == pytest.approx(wanted, rel=1e-6)

    @given(rows, st.integers(1, 9), st.integers(-60, 60))
    def test_parallel_rows_are_exactly_0_apart(self, y, factor, power):
        y = np.round(y * 8)
        assume(y.any())
        t = y * factor * 2.0**power
        assert distance(y, t) == 0
        assert not lossfw.loss("cosine_distance").gradient(y, t).any()
        assert distance(y, -t) == pytest.approx(2, rel=1e-15)

    @pytest.mark.parametrize("scale", [5e-324, 1e-300, 1e-8, 1.0, 1e20, 1e300])
    def test_a_row_and_itself_at_any_scale(self, scale):
        y = np.array([1.0, 2.0, -3.0]) * scale
        assert distance(y, y) == 0
        # The products with the scale were rounded, so a little is left.
        assert distance(y, [1.0, 2.0, -3.0]) <= 1e-31


class TestRelations:
    def test_known_angles(self):
        assert distance([1.0, 0.0], [0.0, 5.0]) == 1
        assert distance([1.0, 0.0], [-3.0, 0.0]) == 2
        assert distance([1.0, 0.0], [1.0, 1.0]) == pytest.approx(1 - math.sqrt(0.5), rel=1e-15)
        # A Pythagorean pair: the cosine is 24/25.
        exact = 1 - Fraction(24, 25)
        assert distance([3.0, 4.0], [4.0, 3.0]) == pytest.approx(float(exact), rel=1e-15)

    def test_one_column_has_two_directions(self):
        assert distance([[2.0], [2.0]], [[5.0], [-5.0]]) == 1
        assert not lossfw.loss("cosine_distance").gradient([[2.0]], [[5.0]]).any()


class TestZeros:
    def test_a_row_of_zeros_is_an_error_that_says_what_to_do(self):
        with pytest.raises(DomainError, match=r"prediction\[1\] is a row of zeros.*zero="):
            distance([[1.0, 2.0], [0.0, 0.0]], [[1.0, 2.0], [1.0, 2.0]])
        with pytest.raises(DomainError, match=r"target\[0\]"):
            distance([[1.0, 2.0]], [[0.0, -0.0]])

    def test_a_row_of_zeros_that_does_not_count_is_none(self):
        y, t = [[1.0, 2.0], [0.0, 0.0]], [[1.0, 2.0], [1.0, 2.0]]
        loss = lossfw.loss("cosine_distance")
        assert loss(y, t, where=[True, False]) == 0
        assert loss(y, t, sample_weight=[1.0, 0.0]) == 0

    @pytest.mark.parametrize("zero", [0.0, 1.0, 2.0])
    def test_a_row_of_zeros_may_have_a_price(self, zero):
        loss = lossfw.loss("cosine_distance", zero=zero)
        y, t = [[0.0, 0.0], [1.0, 0.0], [0.0, 0.0], [0.0, 1.0]], [[1.0, 1.0], [0.0, 0.0]] * 2
        assert loss(y, t, reduction="none").tolist() == [zero] * 4
        assert not loss.gradient(y, t).any()
        assert not loss.hessian(y, t).any()
        assert loss([[3.0, 4.0]], [[4.0, 3.0]]) == pytest.approx(0.04)

    def test_claims_depend_on_the_price(self):
        strict, free, dear = (lossfw.loss("cosine_distance", zero=zero).claims()
                              for zero in ("error", 0.0, 1.0))  # fmt: skip
        assert strict.zero_at_target
        assert strict.twice_smooth
        assert free.zero_at_target
        assert not free.smooth
        assert not dear.zero_at_target
