"""Denials: a property that is said to be absent is proved by a witness, or refuted."""

import re
from dataclasses import replace

import pytest

import lossfw
from lossfw import ActivationClaims, Claims, ParameterError
from lossfw.check import check
from lossfw.check.core.search import Search
from lossfw.check.report import PassedCheck
from lossfw.check.runner import attempt, suite_of_subject
from support.liars.honest import distance


def denying(subject, *names):
    return replace(subject, claims={}, denied=names)


def test_a_denial_is_proved_by_a_counterexample_to_the_claim():
    dented = distance(lambda r: abs(r) - (abs(r) > 1) * (abs(r) - 1) / 2)
    search = Search(seed=0, examples=200)
    outcome = attempt(suite_of_subject(denying(dented, "convex")), "denied:convex", search)
    assert isinstance(outcome, PassedCheck)
    assert outcome.examples > 0
    assert "chord" in search.witnesses["convex"]


def test_false_is_a_denial_and_none_is_silence():
    claims = Claims(convex=False, symmetric=None)
    assert claims.denied_names() == ("convex",)
    assert "convex" not in claims.to_dict()
    assert "symmetric" in claims.unclaimed_names()
    assert ActivationClaims(odd=False).denied_names() == ("odd",)


def test_a_denial_of_what_follows_is_a_contradiction():
    with pytest.raises(ParameterError, match="convex is denied, but follows"):
        Claims(strictly_convex=True, convex=False)


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


@pytest.mark.parametrize("claim", ["symmetric", "breaks"])
def test_a_denial_without_a_chord_has_nothing_to_reproduce(claim):
    (finding,) = check(Straight(), examples=20, only=[f"denied:{claim}"]).refuted
    assert f"{claim}=False" in finding.message
    assert f"write {claim}=none" in finding.message.lower()
    assert not finding.snippet
    assert "to reproduce" not in str(finding)
