"""What the registry says of every built-in component, its costs included."""

import contextlib
import math
import re

import pytest

import lossfw
from lossfw.errors import ParameterError
from lossfw.losses.wrappers.claim_table import RULES, claim_effects
from lossfw.report.text.author_cost import gradient_cost_ratio
from lossfw.report.text.component import cost_table, describe, measured_costs
from support.author_losses import AuthorFocal, AuthorRobust, AuthorSymmetric
from support.built_in import built_in

# A bridge is described on the pages of what crosses it.
KINDS = ("loss", "activation", "metric", "source", "optimizer")
ENTRIES = [e for kind in KINDS for e in lossfw.registry().entries(kind) if e.plugin.builtin]


def described(entry):
    cls = lossfw.registry().class_of(entry)
    component = None
    with contextlib.suppress(ParameterError):
        component = cls()
    return describe(entry, cls, component)


@pytest.mark.turns(6)
@pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: f"{entry.kind}-{entry.name}")
def test_a_description_has_a_title_a_use_sources_relatives_and_a_place(entry):
    description = described(entry)
    assert re.fullmatch(r"[A-Z0-9][^=^]*", description["title"])
    assert re.fullmatch(r"Use it (when|to|for|by|only|in place of) [^.]+\.", description["when"])
    for one in description["references"]:
        assert re.search(r"\d{4}", one["text"])
        assert re.fullmatch(r"(10\.\d{4,}/\S+)?", one["doi"])
    known = {name for entry in ENTRIES for name in entry.names}
    assert {n for one in description["see_also"] for n in one["names"]} <= known
    assert description["file"].endswith(".py")
    assert description["line"] > 1


def test_the_kind_of_argument_and_the_line_of_a_curve():
    kinds = {"huber": "residual", "hinge": "margin", "brier": "row", "focal": "prediction"}
    found = {e.name: described(e) for e in ENTRIES if e.name in kinds}
    assert {name: one["argument"] for name, one in found.items()} == kinds
    assert found["huber"]["curve"] == {
        "label": "residual r = y - t", "low": -3.0, "high": 3.0, "rows": False,
    }  # fmt: skip
    # Peers say by how much they differ.
    calls = {one["call"]: one["times"] for one in found["huber"]["peers"]}
    assert calls["torch.nn.functional.huber_loss(delta=delta)"] == 1
    assert calls["torch.nn.functional.smooth_l1_loss(beta=delta)"] == "delta"


@pytest.mark.parametrize(
    "kind", ["scaled", "summed", "weighted", "smoothed", "modulated", "masked"]
)
def test_a_wrapper_says_what_happens_to_each_claim(kind):
    effects = list(claim_effects(kind))
    assert [effect.claim for effect in effects] == list(RULES)
    assert {effect.effect for effect in effects} <= {"kept", "lost", "changed", "depends"}
    assert all(effect.rule for effect in effects)


def test_every_built_in_has_plausible_costs_in_each_form():
    for part in built_in():
        found = measured_costs(part)
        assert found is not None, f"make costs measures again: {part!r}"
        assert found["processor"]
        assert found["numpy"]
        for one in found["costs"].values():
            for kind, naive in one["naive"].items():
                # Between a copy from memory and a hundred exponentials.
                assert 0.05 < naive < 500, part
                assert 0.05 < one["tiles"][kind] < 2_000, part
    assert measured_costs(lossfw.loss("huber", delta=3.0)) is None
    # Nor has a package without the file any.
    mine = type("Mine", (lossfw.DistanceLoss,), {"value": lambda self, xp, r: xp.abs(r)})
    assert measured_costs(mine()) is None


@pytest.mark.parametrize("column", ["tiles", "kernel"])
def test_a_table_has_a_column_for_what_was_measured(column):
    one = {"value": 1.25, "gradient": 2.0}
    costs = {"float32": {column: one, "naive": one}, "float64": {"naive": one}}
    head, rows = cost_table({"costs": costs})
    assert head == ("function", column, "naive NumPy")
    assert rows[0] == ("float32, value", "1.2", "1.2")
    assert rows[-1] == ("float64, value and gradient", "", "2.0")


@pytest.mark.parametrize("cls", [AuthorRobust, AuthorFocal, AuthorSymmetric])
def test_what_a_loss_costs_whose_author_wrote_the_value_alone(cls, monkeypatch):
    assert gradient_cost_ratio(cls()) > 0
    monkeypatch.setattr(cls, "value", lambda self, xp, *arguments: math.sqrt("a slip"))
    assert gradient_cost_ratio(cls()) is None
