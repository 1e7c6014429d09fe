"""Denials: a property that is said to be absent is proved by a witness, or refuted."""

import re
from dataclasses import replace

import pytest

import lossfw
from lossfw import ActivationClaims, Claims, ParameterError
from lossfw.check import check
from lossfw.check.core.search import Search
from lossfw.check.report import PassedCheck, Refutation
from lossfw.check.runner import attempt, suite_of_subject
from lossfw.losses.wrappers.claim_table import wrapper_claims
from support.liars.honest import SQUARE, distance


def denying(subject, *names):
    return replace(subject, claims={}, denied=names)


def test_a_liar_who_denies_what_is_so_is_caught():
    prepared = suite_of_subject(denying(SQUARE, "convex"))
    outcome = attempt(prepared, "denied:convex", Search(seed=0, examples=200))
    assert isinstance(outcome, Refutation)
    assert outcome.claim == "convex"
    assert "sets convex=False, but" in outcome.message
    assert "show no witness" in outcome.message
    assert "convex" not in prepared.not_claimed


def test_a_denial_is_proved_by_a_counterexample_to_the_claim():
    dented = distance(lambda r: abs(r) - (abs(r) > 1) * (abs(r) - 1) / 2)
    search = Search(seed=0, examples=200)
    outcome = attempt(suite_of_subject(denying(dented, "convex")), "denied:convex", search)
    assert isinstance(outcome, PassedCheck)
    assert outcome.examples > 0
    assert "chord" in search.witnesses["convex"]


@pytest.mark.parametrize("name", ["tukey", "welsch", "cauchy", "geman_mcclure", "ramp", "savage"])
def test_a_built_in_denies_with_a_witness(name):
    report = check(name, examples=50, only=["denied"])
    assert report.ok, str(report)
    assert "convex" in report.witnesses
    assert "convex" not in lossfw.loss(name).claims().to_dict()


def test_false_is_a_denial_and_none_is_silence():
    claims = Claims(convex=False, symmetric=None)
    assert claims.denied_names() == ("convex",)
    assert "convex" not in claims.to_dict()
    assert "symmetric" in claims.unclaimed_names()
    assert ActivationClaims(odd=False).denied_names() == ("odd",)


def test_a_denial_of_what_follows_is_a_contradiction():
    with pytest.raises(ParameterError, match="convex is denied, but follows"):
        Claims(strictly_convex=True, convex=False)


def test_a_wrapper_is_silent_about_what_its_part_denies():
    assert wrapper_claims("scaled", [Claims(convex=False)], 2.0).denied_names() == ()
    assert (2 * lossfw.loss("tukey")).claims().denied_names() == ()


class Straight(lossfw.DistanceLoss):
    """A loss with denials that nothing proves."""

    def value(self, xp, r):
        return xp.abs(r)

    def claims(self):
        return Claims(convex=False, symmetric=False, breaks=False)


class StraightRows(lossfw.CategoricalLoss):
    """The same, of rows."""

    prediction = lossfw.REAL
    target = lossfw.REAL

    def value(self, xp, y, t):
        return xp.sum(xp.abs(y - t), axis=-1)

    def claims(self):
        return Claims(convex=False)


@pytest.mark.parametrize("cls", [Straight, StraightRows])
def test_the_chord_that_came_closest_shows_a_denial_that_nothing_proves(cls, capsys):
    (finding,) = check(cls(), examples=20, only=["denied:convex"]).refuted
    assert "The chord that comes closest" in finding.message
    assert set(finding.inputs) == {"a", "m", "b", "t"}
    exec(finding.snippet, {})
    middle, chord = map(float, re.findall(r"\[([^]]+)\]", capsys.readouterr().out))
    assert middle <= chord * (1 + 1e-14)


class Square(lossfw.DistanceLoss):
    """It is strictly convex, and says that it is not."""

    def value(self, xp, r):
        return r * r

    def claims(self):
        return Claims(strictly_convex=False)


def test_the_flattest_chord_shows_a_denial_of_strict_convexity():
    (finding,) = check(Square(), examples=20, only=["denied:strictly_convex"]).refuted
    assert "The chord that comes closest" in finding.message
    compile(finding.snippet, "snippet", "exec")


@pytest.mark.parametrize("claim", ["symmetric", "breaks"])
def test_a_denial_without_a_chord_has_nothing_to_reproduce(claim):
    (finding,) = check(Straight(), examples=20, only=[f"denied:{claim}"]).refuted
    assert f"{claim}=False" in finding.message
    assert f"write {claim}=none" in finding.message.lower()
    assert not finding.snippet
    assert "to reproduce" not in str(finding)
