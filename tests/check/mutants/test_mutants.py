"""The harness refutes losses that are wrong in one place."""

import numpy as np
import pytest

from lossfw.components.registry import registry
from lossfw.losses.wrappers.base import Wrapper
from support.mutants import claims_more, mutants, refuting, unchanged, verdict

# So many are drawn for each seed.
DRAWN = 40

# So many of those that differ are refuted at least; what survives stands in the report.
LEAST = 0.99


def every_mutant():
    """Return all mutants of all built-in losses that can be made without parameters."""
    registered = registry()
    entries = registered.entries("loss")
    names = [e.name for e in entries if not issubclass(registered.class_of(e), Wrapper)]
    return [mutant for name in names for mutant in mutants(name)]


@pytest.mark.slow
@pytest.mark.parametrize("name", ["huber"])
def test_mutants_of_one_loss(name):
    outcomes = {str(mutant): verdict(mutant, 0, examples=40) for mutant in mutants(name)}
    assert "killed" in outcomes.values()
    assert not [text for text, outcome in outcomes.items() if outcome == "survived"]


@pytest.mark.parametrize(
    "name", ["huber", "log_cosh", pytest.param("cross_entropy", marks=pytest.mark.slow)]
)
def test_what_is_not_changed_is_not_refuted(name):
    twin = unchanged(name)
    assert verdict(twin, 0) == "same"
    made, original, *_ = twin.instances()[0]
    assert type(made) is not type(original)
    assert not refuting(made, original, 0, examples=20)


@pytest.mark.slow
def test_what_does_not_end_is_killed(monkeypatch):
    monkeypatch.setattr("support.mutants._LONGEST_SECONDS", 0.3)

    def endless(*_):
        while True:
            pass

    monkeypatch.setattr("support.mutants.differs", endless)
    assert verdict(mutants("huber")[0], 0) == "killed"


@pytest.mark.slow
def test_what_differs_only_in_large_groups_is_killed():
    # Groups of more than 128 rows are sorted.
    unsorted = (m for m in mutants("cox", "lossfw_std.risk_sets") if m.after == "time")
    assert {verdict(mutant, 0) for mutant in unsorted} == {"killed"}


def test_what_claims_less_tells_no_lie():
    own = {"convex": True, "lipschitz": 2.0, "breaks": (0.0, 1.0)}
    assert not claims_more({"lipschitz": 2.0 * (1 + 1e-14)}, own)
    assert not claims_more({"convex": True, "breaks": (0.0, 1.0)}, own)
    assert claims_more({"smooth": True}, own)
    assert claims_more({"lipschitz": 1.8}, own)
    assert not claims_more({"lipschitz": 2.2}, own)
    assert claims_more({"lower_bound": -1.0}, {"lower_bound": -2.0})
    assert not claims_more({"lower_bound": -3.0}, {"lower_bound": -2.0})
    assert claims_more({"breaks": (0.0,)}, own)


@pytest.mark.slow
def test_few_mutants_survive():
    every = every_mutant()
    survivors, killed = [], 0
    for seed in range(10):
        drawn = np.random.default_rng(seed).choice(len(every), DRAWN, replace=False)
        for number in drawn:
            outcome = verdict(every[number], seed)
            killed += outcome == "killed"
            if outcome == "survived":
                survivors.append(f"seed {seed}: {every[number]}")
    print("\n".join([f"{killed} refuted, {len(survivors)} survived", *survivors]))
    assert killed >= LEAST * (killed + len(survivors)), "\n".join(survivors)
