"""Functions that keep what they promise, although it does not look like it: no alarm."""

import numpy as np
import pytest

import lossfw
from lossfw.check import check, check_function


def refuted(f, **claims):
    """Return the claims about a function of the residual that are refuted, without a formula."""
    report = check_function(
        lambda y, t: f(np.asarray(y, float) - t),
        kind="distance",
        prediction="REAL",
        target="REAL",
        claims=claims,
    )
    return [r.check for r in report.refuted if r.check.startswith("claim:")]


def power(p):
    return lambda r: np.abs(r) ** p


def log_cosh(k):
    def f(r):
        a = np.abs(k * r)
        return (a + np.log1p(np.exp(-2 * a)) - np.log(2)) / k

    return f


def logistic(k):
    return lambda r: np.logaddexp(0, -k * r) / k


def huber(delta):
    return lambda r: np.where(np.abs(r) <= delta, r * r / 2, delta * (np.abs(r) - delta / 2))


def kinked(jump, place=7.3):
    return lambda r: r * r + jump * np.maximum(r - place, 0)


def bent(jump, place=7.3):
    return lambda r: r * r + jump * np.maximum(r - place, 0) ** 2


@pytest.mark.parametrize("p", [1.1, 1.5, 2.0, 3.0])
def test_a_slope_without_a_slope_of_its_own_is_no_jump(p):
    assert not refuted(power(p), smooth=True, breaks=(), strictly_convex=True)


def test_a_second_derivative_without_a_slope_is_no_jump():
    assert not refuted(power(2.5), twice_smooth=True, second_breaks=())


@pytest.mark.parametrize("k", [1.0, 20.0, 100.0, 1e4])
@pytest.mark.parametrize("f", [log_cosh, logistic])
def test_what_is_steep_is_smooth_and_what_fades_is_no_straight_line(f, k):
    assert not refuted(f(k), twice_smooth=True, breaks=(), second_breaks=(), strictly_convex=True)


@pytest.mark.parametrize("jump", [0.05, 1e-3, 1e-5])
def test_a_claimed_break_may_be_small(jump):
    assert not refuted(kinked(jump), breaks=(7.3,))
    assert refuted(kinked(jump), smooth=True) == ["claim:smooth"]


def test_a_claimed_break_may_be_far_out():
    assert not refuted(kinked(0.03, 1000.0), breaks=(1000.0,))


@pytest.mark.parametrize("delta", [1e-3, 0.1, 1.0, 50.0])
def test_breaks_of_the_second_derivative_at_any_scale(delta):
    f = huber(delta)
    assert not refuted(f, smooth=True, breaks=(), second_breaks=(-delta, delta))
    assert refuted(f, second_breaks=()) == ["claim:second_breaks"]
    assert refuted(f, second_breaks=(-delta, delta / 2, delta)) == ["claim:second_breaks"]
    assert refuted(f, strictly_convex=True) == ["claim:strictly_convex"]


def test_a_bend_of_five_per_cent_is_a_jump():
    assert refuted(bent(0.05, 3.7), twice_smooth=True) == ["claim:twice_smooth"]


def test_a_straight_piece_may_be_short():
    assert refuted(lambda r: np.maximum(np.abs(r), 1e-3) ** 2, strictly_convex=True)


def test_a_tiny_huber_is_smooth_where_its_formula_is_known():
    def value(y, t):
        return huber(1e-6)(np.asarray(y, float) - t)

    report = check_function(
        value,
        kind="distance",
        prediction="REAL",
        target="REAL",
        against="huber",
        params={"delta": 1e-6},
        claims={"smooth": True, "breaks": (), "second_breaks": (-1e-6, 1e-6)},
    )
    assert not [r for r in report.refuted if r.check.startswith("claim:")]


def test_a_loss_that_needs_two_classes_may_refuse_one():
    def value(y, t):
        y, t = np.asarray(y, float), np.asarray(t)
        if y.ndim != 2 or y.shape[1] < 2 or t.shape != y.shape[:1] or t.min(initial=0) < 0:
            raise ValueError("rows of two classes or more, please")
        own = np.eye(y.shape[1], dtype=bool)[t]
        rest = np.where(own, -np.inf, y).max(-1, initial=-np.inf)
        lead = np.where(own, y, 0.0).sum(-1) - rest
        return np.where(np.isnan(y).any(-1), np.nan, np.maximum(1 - lead, 0))

    report = check_function(
        value,
        kind="categorical",
        prediction="REAL",
        target="CLASS_INDEX",
        claims={"nonnegative": True, "shift_invariant": True},
    )
    assert not [r.message for r in report.refuted if "two classes" in r.message]
    assert not [r for r in report.refuted if r.check.startswith("claim:")]


def test_the_curvature_of_a_cube_is_zero_at_zero():
    report = check_function(
        lambda y, t: np.abs(y - t) ** 3,
        hessian=lambda y, t: 6 * np.abs(y - t),
        kind="distance",
        prediction="REAL",
        target="REAL",
    )
    assert "hessian" not in [r.check for r in report.refuted]


def test_a_chord_with_an_infinite_end_is_no_straight_line():
    bare = lossfw.loss("binary_cross_entropy", guard="none")
    loss = 0.5 * lossfw.loss("squared_error") + lossfw.loss("cross_entropy") + bare
    report = check(loss, examples=20, only=["strictly_convex"])
    assert report.ok, str(report)


@pytest.mark.parametrize("name", ["binary_cross_entropy", "squared_error"])
@pytest.mark.parametrize("seed", range(3))
def test_a_parabola_is_not_refuted_by_steps_of_the_size_of_rounding(name, seed):
    report = check(lossfw.loss(name), seed=seed, only=["curvature:bound"])
    assert report.ok, str(report)


def test_a_deviance_that_crosses_its_zero_is_measured_by_its_terms():
    tweedie = lossfw.loss("tweedie_deviance", power=2.0, link="log")
    gamma = lossfw.loss("gamma_deviance", link="log")
    # log(1e-7) is -16.118..., where the difference of terms of this size is 5e-13.
    y, t = np.array([-16.118094979883924]), np.array([1e-7])
    for order in (0, 1, 2):
        terms = tweedie.terms(np, y, t, order)
        assert np.array_equal(terms, gamma.terms(np, y, t, order))
    assert tweedie.terms(np, y, t, 0)


@pytest.mark.parametrize("seed", [0, 7])
def test_curvature_that_fades_is_no_straight_line(seed):
    report = check(lossfw.loss("log_cosh"), seed=seed, only=["claim:strictly_convex"])
    assert report.ok, str(report)
