"""No wrapper claims what can be refuted: combinations of parts, and an attack on each claim."""

import dataclasses

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import lossfw
from lossfw import Claims
from lossfw.losses.wrappers import ClassWeighted, FocalModulated, LabelSmoothed, Masked, Scaled, Sum
from lossfw.losses.wrappers.claim_table import RULES
from support.wrapper_attacks import ATTACKS, refute
from support.wrapper_samples import (
    DISTANCES,
    MARGINS,
    SCORES,
    Absolute,
    Binary,
    Bowl,
    Bump,
    Hinge,
    Logistic,
    OwnScore,
    Quadratic,
    Rounded,
    Sign,
    Squares,
)

CROSS = lossfw.loss("cross_entropy", guard="none")
GUARDED = lossfw.loss("cross_entropy", guard="additive", delta=0.01)
LOGITS = lossfw.loss("cross_entropy", from_logits=True)

quick = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
seeds = st.integers(0, 2**32 - 1)
scales = st.sampled_from([2.0, 0.5, 1.0, -1.0, -0.25, 0.0, 3.0])
positive = st.sampled_from([2.0, 0.5, 1.0, 3.0])
weights = st.tuples(*[st.sampled_from([0.0, 0.5, 1.0, 2.0, 5.0])] * 3).filter(any)


def scaled(parts, by=scales):
    part = st.sampled_from(parts)
    return part | st.builds(lambda loss, k: Scaled(of=loss, scale=k), part, by)


def sums(parts, by=scales):
    return st.lists(scaled(parts, by), min_size=1, max_size=4).map(lambda of: Sum(of=tuple(of)))


@quick
@given(sums(DISTANCES), seeds)
def test_sums_of_distances(loss, seed):
    refute(loss, seed)


@quick
@given(sums([part for part in DISTANCES if part.claims().convex], positive), seeds)
def test_sums_of_convex_distances(loss, seed):
    refute(loss, seed)


@quick
@given(sums(MARGINS), seeds)
def test_sums_of_margins(loss, seed):
    refute(loss, seed)


@quick
@given(sums((*MARGINS[:2], *DISTANCES[:4]), positive), seeds)
def test_sums_of_margins_and_distances(loss, seed):
    refute(loss, seed)


@quick
@given(sums((Binary(), Quadratic(), Absolute(), Rounded()), positive), seeds)
def test_sums_on_the_unit_interval(loss, seed):
    refute(loss, seed)


@quick
@given(sums((CROSS, GUARDED, Squares(), Quadratic(), Absolute(), Rounded(), Binary())), seeds)
def test_sums_of_rows_and_elements(loss, seed):
    refute(loss, seed)


@quick
@given(sums((LOGITS, OwnScore(), Bowl(), Rounded(), Binary(from_logits=True)), positive), seeds)
def test_sums_on_logits(loss, seed):
    refute(loss, seed)


@quick
@given(st.sampled_from((CROSS, GUARDED, LOGITS, *SCORES)), weights, scales, seeds)
def test_class_weights(part, weights, scale, seed):
    refute(ClassWeighted(of=part, weights=weights), seed)
    refute(scale * ClassWeighted(of=scale * part, weights=weights), seed)


@quick
@given(
    st.sampled_from((CROSS, GUARDED, LOGITS, Squares(), *SCORES)),
    st.sampled_from([0.0, 0.1, 0.5]),
    scales,
    seeds,
)
def test_smoothed_labels(part, smoothing, scale, seed):
    refute(LabelSmoothed(of=scale * part, smoothing=smoothing), seed)


@quick
@given(
    st.sampled_from((CROSS, GUARDED, LOGITS, Squares(), Binary(), Binary(from_logits=True))),
    st.sampled_from([0.0, 0.5, 1.0, 2.0]),
    scales,
    seeds,
)
def test_focal_modulation(part, gamma, scale, seed):
    refute(FocalModulated(of=scale * part, gamma=gamma), seed)


@quick
@given(
    st.sampled_from((*DISTANCES, *MARGINS, Binary(), CROSS, Squares())),
    st.sampled_from([-1.0, 0.0, 1.0, 0.25, -100.0]),
    scales,
    seeds,
)
def test_masks(part, ignore, scale, seed):
    refute(Masked(of=scale * part, ignore=ignore), seed)


def test_every_claim_has_a_rule_and_an_attack():
    names = {field.name for field in dataclasses.fields(Claims)}
    assert set(RULES) == names == set(ATTACKS)


# What must still be claimed: dropping every claim would pass all of the above.


@pytest.mark.parametrize(
    ("loss", "claims"),
    [
        (
            2 * Rounded(),
            {"lipschitz": 2.0, "gradient_lipschitz": 2.0, "second_breaks": (-1.0, 1.0)},
        ),
        (2 * Quadratic(), {"strongly_convex": 4.0, "elicits": "mean", "zero_at_target": True}),
        (-2 * Bump(), {"lower_bound": -2.0, "bounded": 0.0, "symmetric": True}),
        (0 * CROSS, {"bounded": 0.0, "lipschitz": 0.0, "convex": True, "proper": True}),
        (Quadratic() + Rounded(), {"gradient_lipschitz": 3.0, "strictly_convex": True}),
        (Quadratic() + Quadratic(), {"strongly_convex": 4.0, "elicits": "mean"}),
        (Rounded() + Absolute(), {"lipschitz": 2.0, "breaks": (0.0,), "symmetric": True}),
        (Absolute(at=0.5) + Absolute(), {"breaks": (0.0, 0.5), "convex": True}),
        (Absolute(at=0.5) - Absolute(), {"breaks": (0.0, 0.5), "second_breaks": ()}),
        (Bump() + Bump(), {"bounded": 2.0, "zero_at_target": True, "twice_smooth": True}),
        (Hinge() + Logistic(), {"lipschitz": 2.0, "monotone": True, "strictly_convex": True}),
        (Logistic() + Logistic(), {"calibrated": True}),
        (CROSS + Squares(), {"strictly_proper": True, "strictly_convex": True}),
        (CROSS + Binary(), {"strictly_proper": True, "permutation_equivariant": True}),
        (CROSS + Quadratic(), {"strictly_convex": True, "nonnegative": True}),
        (LOGITS + LOGITS, {"shift_invariant": True, "convex": True, "linear_in_target": True}),
        (Sign() + Sign(), {"gradient_zero_almost_everywhere": True, "bounded": 2.0}),
        (
            ClassWeighted(of=OwnScore(), weights=[1.0, 5.0]),
            {"lipschitz": 5.0, "gradient_lipschitz": 1.25, "convex": True},
        ),
        (ClassWeighted(of=Bowl(), weights=[1.0, 5.0]), {"strongly_convex": 2.0}),
        (ClassWeighted(of=CROSS, weights=[2.0, 2.0]), {"strictly_proper": True}),
        (LabelSmoothed(of=LOGITS), {"calibrated": True, "shift_invariant": True}),
        (FocalModulated(of=LOGITS), {"nonnegative": True, "twice_smooth": True}),
        (Masked(of=CROSS, ignore=-100.0), {"strictly_proper": True}),
        (Masked(of=Quadratic(), ignore=0.0), {"gradient_lipschitz": 2.0, "convex": True}),
    ],
)
def test_what_holds_is_claimed(loss, claims):
    made = loss.claims().made()
    assert {name: made.get(name) for name in claims} == claims


@pytest.mark.parametrize(
    ("loss", "names"),
    [
        (-1 * Quadratic(), ["convex", "nonnegative", "elicits", "strongly_convex"]),
        (-1 * CROSS, ["proper", "strictly_proper", "calibrated", "nonnegative"]),
        (Absolute() - Absolute(), ["convex", "breaks", "nonnegative", "lipschitz"]),
        (Bump() + Rounded(), ["lipschitz", "gradient_lipschitz", "convex"]),
        (Quadratic() + Absolute(), ["elicits", "lipschitz"]),
        (Quadratic() + Hinge(), ["breaks", "elicits", "calibrated"]),
        (CROSS + Absolute(), ["proper", "breaks", "lipschitz"]),
        (LOGITS + Binary(from_logits=True), ["calibrated", "proper", "lipschitz"]),
        (LOGITS + LOGITS, ["calibrated"]),
        (ClassWeighted(of=CROSS, weights=[1.0, 2.0]), ["proper", "permutation_equivariant"]),
        (ClassWeighted(of=LOGITS, weights=[1.0, 2.0]), ["calibrated"]),
        (LabelSmoothed(of=CROSS), ["proper", "strictly_proper"]),
        (LabelSmoothed(of=Squares()), ["zero_at_target"]),
        (FocalModulated(of=CROSS), ["proper", "convex", "linear_in_target"]),
        (Masked(of=CROSS, ignore=1.0), ["proper", "permutation_equivariant"]),
        (Masked(of=Absolute(), ignore=0.0), ["breaks", "elicits"]),
    ],
)
def test_what_does_not_follow_is_not_claimed(loss, names):
    made = loss.claims().made()
    assert [name for name in names if name in made] == []


# An attack that never succeeds shows nothing.

LIES = {
    "nonnegative": (Bump() - Absolute(), True),
    "lower_bound": (Quadratic(), 0.5),
    "bounded": (Bump(), 0.9),
    "zero_at_target": (Absolute(at=0.5), True),
    "convex": (Bump(), True),
    "strictly_convex": (Absolute(), True),
    "strongly_convex": (Rounded(), 0.5),
    "lipschitz": (Absolute(), 0.9),
    "gradient_lipschitz": (Quadratic(), 1.9),
    "symmetric": (Absolute(at=0.5), True),
    "smooth": (Absolute(), True),
    "twice_smooth": (Rounded(), True),
    "breaks": (Absolute(at=0.5), (0.0,)),
    "second_breaks": (Rounded(), (-1.0,)),
    "monotone": (-1 * Hinge(), True),
    "proper": (LabelSmoothed(of=CROSS), True),
    "strictly_proper": (0 * CROSS, True),
    "calibrated": (Hinge() - 2 * Logistic(), True),
    "shift_invariant": (OwnScore(), True),
    "permutation_equivariant": (ClassWeighted(of=CROSS, weights=[1.0, 2.0, 3.0]), True),
    "finite_at_boundary": (CROSS, True),
    "elicits": (Quadratic(), "median"),
    "gradient_zero_almost_everywhere": (Hinge(), True),
    "linear_in_target": (Squares(), True),
}


@pytest.mark.parametrize("name", sorted(ATTACKS))
def test_an_attack_refutes_a_lie(name):
    loss, claimed = LIES[name]
    with np.errstate(all="ignore"), pytest.raises(AssertionError):
        ATTACKS[name](loss, claimed, np.random.default_rng(0))


@pytest.mark.parametrize(
    ("loss", "name", "claimed"),
    [
        (Quadratic(), "strongly_convex", 1.0),
        (Absolute(), "lipschitz", 2.0),
        (Rounded(), "gradient_lipschitz", 2.0),
    ],
)
def test_a_constant_that_is_not_tight_is_refuted(loss, name, claimed):
    with pytest.raises(AssertionError, match="not tight"):
        ATTACKS[name](loss, claimed, np.random.default_rng(0))
