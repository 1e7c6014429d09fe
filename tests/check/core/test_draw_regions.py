"""Points in every region of the arguments of every kind of loss."""

import numpy as np
import pytest

from lossfw.check.core.draw_regions import draw_regions
from lossfw.check.core.points import is_inside
from lossfw.check.core.subject import subject_of_component
from support import honest

DECADES = range(-6, 6)


def drawn(loss):
    return draw_regions(subject_of_component(loss()), np.random.default_rng(0))


def decades_of(x):
    size = np.abs(x[x != 0])
    return set(np.floor(np.log10(size)).astype(int).tolist())


@pytest.mark.parametrize("loss", honest.HONEST, ids=lambda loss: loss.__name__)
def test_every_point_is_legal(loss):
    subject = subject_of_component(loss())
    for some in drawn(loss):
        assert len(some.points) == len(some.regions)
        assert is_inside(subject, some.points).all()
        assert np.isfinite(some.points.y).all()


@pytest.mark.parametrize(
    ("loss", "signs"),
    [
        (honest.Bell, (-1, 1)),
        (honest.Gamma, (1,)),
        (honest.Sides, (-1, 1)),
        (honest.Pairs, (1, -1)),
    ],
)
def test_predictions_reach_each_decade(loss, signs):
    y = np.concatenate([some.points.y.ravel() for some in drawn(loss)])
    for sign in signs:
        assert set(DECADES) <= decades_of(y[sign * y > 0])


def test_a_probability_reaches_each_decade_of_its_distance_from_both_ends():
    (some,) = drawn(honest.Shares)
    for x in (some.points.y, some.points.t):
        assert set(range(-6, 0)) <= decades_of(x)
        assert set(range(-6, 0)) <= decades_of(1 - x)
    assert {0.0, 1.0} <= set(some.points.t.tolist())


def test_each_pair_of_flags_and_of_a_count_and_a_sign_is_there():
    (some,) = drawn(honest.Flags)
    assert {(a, b) for _, a, b in some.points.t.tolist()} == {(0, 0), (0, 1), (1, 0), (1, 1)}
    (some,) = drawn(honest.Episodes)
    found = {tuple(row) for row in some.points.t.tolist()}
    assert {(count, side) for count in (0, 1, 2) for side in (-1, 1)} <= found


def test_class_indices_and_distributions_are_there_with_each_class():
    for some in drawn(honest.Entropy):
        columns, t = some.points.y.shape[1], some.points.t
        if t.ndim == 1:
            assert set(t.tolist()) == set(range(columns))
        elif columns > 2:
            assert (t == 1).any()
            assert ((t == 0).any(1) & (t < 1).all(1)).any()
            assert ((t > 0).all(1) & (t < 1e-5).any(1)).any()


def test_a_share_of_the_points_has_all_regions():
    subject = subject_of_component(honest.Bell())
    rng = np.random.default_rng
    (every,), (few,) = draw_regions(subject, rng(0)), draw_regions(subject, rng(0), 0.2)
    assert len(few.points) < 0.5 * len(every.points)
    assert set(few.regions.tolist()) == set(every.regions.tolist())
