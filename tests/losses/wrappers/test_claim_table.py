"""Wrappers claim what holds of their parts together, and nothing that the harness refutes."""

import dataclasses

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

import lossfw
from lossfw import Claims
from lossfw.check.api import suite_of_component
from lossfw.check.runner import run
from lossfw.losses.wrappers import ClassWeighted, FocalModulated, LabelSmoothed, Masked, Scaled, Sum
from lossfw.losses.wrappers.claim_table import RULES
from support.wrapper_samples import (
    ABSOLUTE,
    AT_LOGITS,
    BINARY,
    BOUNDED,
    BRIER,
    CROSS,
    HINGE,
    HUBER,
    LOGISTIC,
    SQUARED,
    ZERO_ONE,
    Bowl,
    OwnScore,
    Shifted,
)

GUARDED = lossfw.loss("cross_entropy", guard="additive", delta=0.01)
DISTANCES = (ABSOLUTE, Shifted(), SQUARED, HUBER, lossfw.loss("huber", delta=2.0), BOUNDED)
MARGINS = (HINGE, LOGISTIC, lossfw.loss("ramp"), ZERO_ONE)
ROWS = (CROSS, GUARDED, BRIER, SQUARED, ABSOLUTE, HUBER, BINARY)
SCORES = (AT_LOGITS, OwnScore(), Bowl(), HUBER, BINARY.on_raw_outputs())
# Losses that can stand beside each other in a sum.
FAMILIES = (DISTANCES, MARGINS, (*MARGINS[:2], *DISTANCES[:4]), ROWS, SCORES)

scales = st.sampled_from([2.0, 0.5, 1.0, -1.0, -0.25, 0.0, 3.0])
weights = st.tuples(*[st.sampled_from([0.0, 0.5, 1.0, 2.0, 5.0])] * 3).filter(any)


def scaled(parts):
    part = st.sampled_from(parts)
    return part | st.builds(lambda loss, k: Scaled(of=loss, scale=k), part, scales)


def sums(parts):
    return st.lists(scaled(parts), min_size=1, max_size=4).map(lambda of: Sum(of=tuple(of)))


wrapped = st.one_of(
    *map(sums, FAMILIES),
    st.builds(
        lambda of, by, k: k * ClassWeighted(of=of, weights=by),
        scaled((CROSS, GUARDED, AT_LOGITS, OwnScore(), Bowl())),
        weights,
        scales,
    ),
    st.builds(
        LabelSmoothed,
        of=scaled((CROSS, GUARDED, AT_LOGITS, BRIER, OwnScore(), Bowl())),
        smoothing=st.sampled_from([0.0, 0.1, 0.5]),
    ),
    st.builds(
        FocalModulated,
        of=scaled((CROSS, GUARDED, AT_LOGITS, BRIER, BINARY, BINARY.on_raw_outputs())),
        gamma=st.sampled_from([0.0, 0.5, 1.0, 2.0]),
    ),
    st.builds(
        Masked,
        of=scaled((*DISTANCES, *MARGINS, BINARY, CROSS, BRIER)),
        ignore=st.sampled_from([-1.0, 0.0, 1.0, 0.25, -100.0]),
    ),
)


def refuted_claims(loss, examples=40):
    """Return the claims of a loss that the harness refutes."""
    every = suite_of_component(loss)
    claims = {name: check for name, check in every.checks.items() if name.startswith("claim:")}
    report = run(dataclasses.replace(every, checks=claims), examples=examples)
    return [refutation.check.removeprefix("claim:") for refutation in report.refuted]


@settings(phases=[Phase.generate], max_examples=10)
@given(wrapped)
def test_no_claim_of_a_wrapper_is_refuted(loss):
    assert refuted_claims(loss) == []


def test_every_claim_has_a_rule():
    assert set(RULES) == {field.name for field in dataclasses.fields(Claims)}


# What must still be claimed: without claims nothing is refuted.


@pytest.mark.parametrize(
    ("loss", "claims"),
    [
        (2 * HUBER, {"lipschitz": 2.0, "gradient_lipschitz": 2.0, "second_breaks": (-1.0, 1.0)}),
        (2 * SQUARED, {"strongly_convex": 4.0, "elicits": "mean", "zero_at_target": True}),
        (-2 * BOUNDED, {"lower_bound": -2.0, "bounded": 0.0, "symmetric": True}),
        (0 * CROSS, {"bounded": 0.0, "lipschitz": 0.0, "convex": True, "proper": True}),
        (SQUARED + HUBER, {"gradient_lipschitz": 3.0, "strictly_convex": True}),
        (SQUARED + SQUARED, {"strongly_convex": 4.0, "elicits": "mean"}),
        (HUBER + ABSOLUTE, {"lipschitz": 2.0, "breaks": (0.0,), "symmetric": True}),
        (Shifted() + ABSOLUTE, {"breaks": (0.0, 0.5), "convex": True}),
        (Shifted() - Shifted(at=0.0), {"breaks": (0.0, 0.5), "second_breaks": ()}),
        (BOUNDED + BOUNDED, {"bounded": 2.0, "zero_at_target": True, "twice_smooth": True}),
        (HINGE + LOGISTIC, {"lipschitz": 2.0, "monotone": True, "strictly_convex": True}),
        (LOGISTIC + LOGISTIC, {"calibrated": True}),
        (CROSS + BRIER, {"strictly_proper": True, "strictly_convex": True}),
        (CROSS + BINARY, {"strictly_proper": True, "permutation_equivariant": True}),
        (CROSS + SQUARED, {"strictly_convex": True, "nonnegative": True}),
        (
            AT_LOGITS + AT_LOGITS,
            {"shift_invariant": True, "convex": True, "linear_in_target": True},
        ),
        (ZERO_ONE + ZERO_ONE, {"gradient_zero_almost_everywhere": True, "bounded": 2.0}),
        (
            ClassWeighted(of=OwnScore(), weights=[1.0, 5.0]),
            {"lipschitz": 5.0, "gradient_lipschitz": 1.25, "convex": True},
        ),
        (ClassWeighted(of=Bowl(), weights=[1.0, 5.0]), {"strongly_convex": 2.0}),
        (ClassWeighted(of=CROSS, weights=[2.0, 2.0]), {"strictly_proper": True}),
        (LabelSmoothed(of=AT_LOGITS), {"calibrated": True, "shift_invariant": True}),
        (FocalModulated(of=AT_LOGITS), {"nonnegative": True, "twice_smooth": True}),
        (Masked(of=CROSS, ignore=-100.0), {"strictly_proper": True}),
        (Masked(of=SQUARED, ignore=0.0), {"gradient_lipschitz": 2.0, "convex": True}),
    ],
)
def test_what_holds_is_claimed(loss, claims):
    made = loss.claims().to_dict()
    assert {name: made.get(name) for name in claims} == claims


@pytest.mark.parametrize(
    ("loss", "names"),
    [
        (-1 * SQUARED, ["convex", "nonnegative", "elicits", "strongly_convex"]),
        (-1 * CROSS, ["proper", "strictly_proper", "calibrated", "nonnegative"]),
        (ABSOLUTE - ABSOLUTE, ["convex", "breaks", "nonnegative", "lipschitz"]),
        (BOUNDED + HUBER, ["lipschitz", "gradient_lipschitz", "convex"]),
        (SQUARED + ABSOLUTE, ["elicits", "lipschitz"]),
        (SQUARED + HINGE, ["breaks", "elicits", "calibrated"]),
        (CROSS + ABSOLUTE, ["proper", "breaks", "lipschitz"]),
        (AT_LOGITS + BINARY.on_raw_outputs(), ["calibrated", "proper", "lipschitz"]),
        (AT_LOGITS + AT_LOGITS, ["calibrated"]),
        (ClassWeighted(of=CROSS, weights=[1.0, 2.0]), ["proper", "permutation_equivariant"]),
        (ClassWeighted(of=AT_LOGITS, weights=[1.0, 2.0]), ["calibrated"]),
        (LabelSmoothed(of=CROSS), ["proper", "strictly_proper"]),
        (LabelSmoothed(of=BRIER), ["zero_at_target"]),
        (FocalModulated(of=CROSS), ["proper", "convex", "linear_in_target"]),
        (Masked(of=CROSS, ignore=1.0), ["proper", "permutation_equivariant"]),
        (Masked(of=ABSOLUTE, ignore=0.0), ["breaks", "elicits"]),
    ],
)
def test_what_does_not_follow_is_not_claimed(loss, names):
    made = loss.claims().to_dict()
    assert [name for name in names if name in made] == []


# A harness that never refutes a wrapper shows nothing. Each claim has its liar in
# tests/check.

LIES = {
    "bounded": (BOUNDED, 0.9),
    "zero_at_target": (Shifted(), True),
    "convex": (BOUNDED, True),
    "strongly_convex": (HUBER, 0.5),
    "exchangeable": (BINARY + BINARY, True),
    "breaks": (Shifted(), (0.0,)),
    "monotone": (-1 * HINGE, True),
    "proper": (LabelSmoothed(of=CROSS), True),
    "calibrated": (HINGE - 2 * LOGISTIC, True),
    "permutation_equivariant": (ClassWeighted(of=CROSS, weights=[1.0, 2.0, 3.0]), True),
}


@pytest.mark.parametrize("name", sorted(LIES))
def test_a_false_claim_of_a_wrapper_is_refuted(name):
    loss, claimed = LIES[name]

    class Liar(type(loss)):
        def claims(self):
            return Claims(**{name: claimed})

    liar = Liar(**{field: getattr(loss, field) for field in type(loss).model_fields})
    assert name in refuted_claims(liar)
