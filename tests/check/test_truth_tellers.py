"""Functions that keep what they promise, although it does not look like it: no alarm."""

import numpy as np
import pytest

import lossfw
from lossfw.check import check, check_function


def refuted(f, claims, **options):
    """Return the claims about a function of the residual that are refuted, without a formula."""
    report = check_function(
        lambda y, t: f(np.asarray(y, float) - t), kind="distance", claims=claims, **options
    )
    return [r.claim for r in report.refuted if r.claim]


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


def bent(jump, place):
    return lambda r: r * r + jump * np.maximum(r - place, 0) ** 2


SMALL, SCALES = (0.05, 1e-3, 1e-5), (1e-3, 0.1, 1.0, 50.0)
SMOOTH = {"twice_smooth": True, "breaks": (), "second_breaks": (), "strictly_convex": True}
TRUE = {
    # A derivative, or a second derivative, that has no derivative of its own does not jump.
    **{f"power {p}": (power(p), {"smooth": True, "breaks": (), "strictly_convex": True})
       for p in (1.1, 1.5, 2.0, 3.0)},
    "power 2.5": (power(2.5), {"twice_smooth": True, "second_breaks": ()}),
    # What is steep is smooth, and what fades is not a straight line.
    **{f"{f.__name__} {k}": (f(k), SMOOTH)
       for f in (log_cosh, logistic) for k in (1.0, 20.0, 100.0, 1e4)},
    # A claimed break may be small, or far out.
    **{f"kink {jump}": (kinked(jump), {"breaks": (7.3,)}) for jump in SMALL},
    "kink at 1000": (kinked(0.03, 1000.0), {"breaks": (1000.0,)}),
    # Breaks of the second derivative have any scale.
    **{f"huber {d}": (huber(d), {"smooth": True, "breaks": (), "second_breaks": (-d, d)})
       for d in SCALES}
}  # fmt: skip
FALSE = {
    **{f"kink {jump}": (kinked(jump), {"smooth": True}) for jump in SMALL},
    **{f"huber {d}, none": (huber(d), {"second_breaks": ()}) for d in SCALES},
    **{f"huber {d}, wrong": (huber(d), {"second_breaks": (-d, d / 2, d)}) for d in SCALES},
    **{f"huber {d}, straight": (huber(d), {"strictly_convex": True}) for d in SCALES},
    "five per cent": (bent(0.05, 3.7), {"twice_smooth": True}),
    "short straight piece": (lambda r: np.maximum(np.abs(r), 1e-3) ** 2, {"strictly_convex": True}),
}


@pytest.mark.turns(4)
@pytest.mark.parametrize(("f", "claims"), TRUE.values(), ids=TRUE)
def test_what_is_claimed_is_not_refuted(f, claims):
    assert not refuted(f, claims)


@pytest.mark.parametrize(("f", "claims"), FALSE.values(), ids=FALSE)
def test_what_is_nearly_so_is_refuted(f, claims):
    assert refuted(f, claims) == list(claims)


BARE = lossfw.loss("binary_cross_entropy", guard="none")
SUM = 0.5 * lossfw.loss("squared_error") + lossfw.loss("cross_entropy") + BARE


@pytest.mark.parametrize(
    ("loss", "only", "seeds"),
    [
        pytest.param(SUM, "strictly_convex", [0], id="a chord with an infinite end"),
        pytest.param("binary_cross_entropy", "curvature:bound", range(3), id="a parabola"),
        pytest.param("squared_error", "curvature:bound", range(3), id="steps of rounding"),
        pytest.param("log_cosh", "claim:strictly_convex", [0, 7], id="curvature that fades"),
        pytest.param("crps_normal", "claim:smooth", [2], id="derivatives beside a tiny scale"),
        pytest.param("cosine_distance", "claim:exchangeable", [1], id="a small angle"),
        *((name, "claim:strictly_proper", [0])
          for name in (BARE, "brier", "crps_normal")),
        ("logistic", "claim:calibrated", [0]),
    ],
)  # fmt: skip
def test_a_built_in_keeps_its_claim(loss, only, seeds):
    for seed in seeds:
        report = check(loss, seed=seed, examples=20 if loss is SUM else 200, only=[only])
        assert report.ok, str(report)
