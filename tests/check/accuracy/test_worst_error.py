"""What `measure` says of losses whose errors are known."""

import pytest

import lossfw
from lossfw.check.accuracy.measure import measure

POINTS = 400


class Square(lossfw.DistanceLoss):
    """r^2, right in every respect."""

    def value(self, xp, r):
        return r * r


def errors(loss, dtype="float64", **options):
    return {w.order: w for w in measure(loss, dtype, points=POINTS, **options).results}


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_right_loss_is_right_to_half_a_unit(dtype):
    found = errors(Square(), dtype)
    assert [found[order].ulps <= 0.5 for order in (0, 1, 2)] == [True] * 3
    assert all(worst.points >= POINTS for worst in found.values())
    assert all(worst.unjudged == 0 for worst in found.values())


@pytest.mark.parametrize("units", [8.0, 1000.0])
def test_an_error_is_found_and_measured(units):
    class Off(Square):
        """A value that is off by some units in the last place."""

        def formula(self, xp, r):
            return r * r

        def value(self, xp, r):
            # An epsilon of a number is one or two units in its last place.
            return r * r * (1 + units * 2.0**-52)

        def derivative(self, xp, r):
            return 2 * r

        def second_derivative(self, xp, r):
            return 2 + 0 * r

    found = errors(Off())
    assert units <= found[0].ulps <= 2 * units + 1
    assert found[1].ulps == found[2].ulps == 0


class Kinked(lossfw.DistanceLoss):
    """abs(r) with a given derivative at 0."""

    at_zero: float = 0.0
    at_kink: float = 0.0

    def value(self, xp, r):
        return xp.abs(r)

    def derivative(self, xp, r):
        return xp.where(r == 0, self.at_zero, xp.sign(r))

    def second_derivative(self, xp, r):
        return xp.where(r == 0, self.at_kink, 0.0 * r)


@pytest.mark.parametrize("derivative", [-1.0, 0.0, 0.3, 1.0])
def test_at_a_kink_any_derivative_between_both_sides_is_right(derivative):
    assert errors(Kinked(at_zero=derivative))[1].ulps == 0


@pytest.mark.parametrize("derivative", [1.5, -1.0 - 2.0**-40])
def test_at_a_kink_no_other_derivative_is(derivative):
    found = errors(Kinked(at_zero=derivative))[1]
    assert found.ulps > 1000
    assert found.at["y"] == found.at["t"]


class Crossing(lossfw.DistanceLoss):
    """abs(r) - 0.1, which is 0 at a number that is not a float."""

    off: float = 0.0

    def formula(self, xp, r):
        return xp.abs(r) - xp.ones_like(r) / 10

    def value(self, xp, r):
        return xp.abs(r) - 0.1 * (1 + self.off)

    def derivative(self, xp, r):
        return xp.sign(r)

    def claims(self):
        return lossfw.Claims(second_breaks=(0.1,))


def test_where_a_result_crosses_0_the_rounding_of_the_arguments_counts():
    found = errors(Crossing())[0]
    assert found.ulps <= 1
    # Of the result itself, few digits are right.
    assert found.forward > 1e10
    assert errors(Square())[0].forward <= 0.5
    assert errors(Crossing(off=1e-12))[0].ulps > 100


def test_a_wrong_derivative_is_found_and_told():
    class Wrong(Square):
        """The derivative lacks its factor of 2."""

        def derivative(self, xp, r):
            return r

    found = measure(Wrong(), "float64", points=100)
    assert [worst.order for worst in found.inaccurate_results()] == [1]
    assert found.to_dict()["results"][1]["ulps"] == found.results[1].ulps > 1e15
