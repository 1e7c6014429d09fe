"""Every loss and activation can be drawn; kinks are where they are claimed."""

import numpy as np
import pytest

import lossfw
from lossfw.nn.sample_curve import curve, curves
from lossfw.report.plots.curves import height_range, heights_with_gaps
from support.built_in import built_in


@pytest.mark.parametrize("component", built_in(), ids=repr)
def test_everything_has_a_curve(component):
    one = curve(component)
    assert len(one.parts) == (2 if component.kind == "activation" and component.takes_rows else 3)
    assert all(part.shape == one.x.shape for part in one.parts)
    assert np.isfinite(one.parts[0]).mean() > 0.9
    assert (np.diff(one.x) > 0).all()
    # A row's derivative is a partial one, which is not the gradient of a line through rows.
    if not component.takes_rows:
        assert_gradient(one)


def assert_gradient(one):
    """Hold the derivative to differences of the curve, but for few points beside a kink."""
    with np.errstate(all="ignore"):
        gradient = (one.parts[0][2:] - one.parts[0][:-2]) / (one.x[2:] - one.x[:-2])
    value, first, second = (np.abs(part[1:-1]) for part in one.parts)
    near = (value < 10) & (np.diff(one.x)[1:] > 1e-6) & (np.diff(one.x)[:-1] > 1e-6)
    error = np.abs(gradient - one.parts[1][1:-1])[near]
    assert np.mean(error < 0.02 * (1 + first + second)[near]) > 0.97


def test_kinks_stand_between_their_neighbours():
    one = curve(lossfw.loss("epsilon_insensitive", epsilon=0.5))
    assert one.breaks == (-0.5, 0.5)
    here = int(np.searchsorted(one.x, 0.5))
    assert one.x[here] == 0.5
    assert one.x[here + 1] == np.nextafter(0.5, 1)
    assert one.parts[1][[here - 1, here + 1]].tolist() == [0.0, 1.0]


def test_a_line_is_cut_at_a_kink_and_at_an_unclaimed_jump():
    huber = curve(lossfw.loss("huber"))
    assert np.isnan(heights_with_gaps(huber, 2)[np.isin(huber.x, (-1.0, 1.0))]).all()
    assert np.isfinite(heights_with_gaps(huber, 1)).all()
    step = curve(lossfw.activation("step"))
    assert np.isnan(heights_with_gaps(step, 0)).sum() == 1


def test_what_goes_to_infinity_does_not_flatten_the_rest():
    x = np.linspace(0.001, 1, 1000)
    low, high = height_range([1 / x**2])
    assert low < 1 < high < 1000
    assert height_range([np.full(3, np.nan)]) == (-1.0, 1.0)
    low, high = height_range([np.zeros(5)])
    assert low < 0 < high


def test_curves_of_one_picture_have_one_reach():
    huber, tukey = curves([lossfw.loss("huber"), lossfw.loss("tukey")])
    assert huber.x[0] == tukey.x[0] < -4.685
    short, _ = curves([lossfw.loss("huber"), lossfw.loss("tukey")], span=(0.0, 1.0))
    assert (short.x[0], short.x[-1]) == (0.0, 1.0)
    # The legend names parameters that were changed.
    assert (huber.name, curve(lossfw.loss("huber", delta=0.5)).name) == (
        "huber",
        "huber(delta=0.5)",
    )


class Angle(lossfw.PointwiseLoss):
    prediction = lossfw.Columns.of(
        length=lossfw.POSITIVE, turn=lossfw.VECTOR, shares=lossfw.SIMPLEX
    )
    target = lossfw.Columns.of(side=lossfw.SIGN, length=lossfw.NONNEGATIVE)

    def value(self, xp, y, t):
        inner = xp.sum(y.turn * y.shares, axis=-1)
        return (xp.log(y.length) - t.side * t.length) ** 2 + inner


class Middle(lossfw.GroupLoss):
    prediction = lossfw.Columns.of(low=lossfw.UNIT, high=lossfw.UNIT)

    def value(self, xp, y, t):
        return xp.sum(((y.low + y.high) / 2 - t) ** 2, axis=-1)


@pytest.mark.parametrize(
    ("loss", "label", "at_1", "gradient"),
    [
        (Angle(), "prediction.length x, of [x, 0, 1, 0.5, 0.5], target [1, 1]", 1.5, -2.0),
        (Middle(), "prediction.low x, of [[x, 0], [0, 0]], targets [1, 0]", 0.25, -0.5),
    ],
    ids=repr,
)
def test_a_slice_moves_the_first_number_and_nothing_else(loss, label, at_1, gradient):
    one = curve(loss, span=(0.5, 1.0))
    assert one.line.label == label
    assert one.parts[0][-1] == at_1
    assert one.parts[1][-1] == gradient
    assert one.line.low > 0
    given = curve(lossfw.loss("crps_normal"), span=(2.0, 3.0), target=2.0)
    assert "target 2" in given.line.label
    assert given.parts[1][0] == 0
