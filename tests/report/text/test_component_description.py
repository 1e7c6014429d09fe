"""What the registry says of every built-in component: enough for a page of its own."""

import contextlib
import re

import pytest

import lossfw
from lossfw.errors import ParameterError
from lossfw.losses.wrappers.claim_effects import claim_effects
from lossfw.losses.wrappers.claim_table import RULES
from lossfw.report.text.component import describe

# A bridge is described on the pages of what crosses it.
KINDS = ("loss", "activation", "metric", "source", "optimizer")
ENTRIES = [e for kind in KINDS for e in lossfw.registry().entries(kind) if e.plugin.builtin]


def described(entry):
    cls = lossfw.registry().class_of(entry)
    component = None
    with contextlib.suppress(ParameterError):
        component = cls()
    return describe(entry, cls, component)


@pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: f"{entry.kind}-{entry.name}")
def test_a_description_has_a_title_a_use_sources_relatives_and_a_place(entry):
    description = described(entry)
    assert re.fullmatch(r"[A-Z0-9][^=^]*", description["title"])
    assert re.fullmatch(r"Use it when [^.]+\.", description["when"])
    for one in description["references"]:
        assert re.search(r"\d{4}", one["text"])
        assert re.fullmatch(r"(10\.\d{4,}/\S+)?", one["doi"])
    known = {name for entry in ENTRIES for name in entry.names}
    assert {n for one in description["see_also"] for n in one["names"]} <= known
    assert description["file"].endswith(".py")
    assert description["line"] > 1


def test_the_kind_of_argument_and_the_line_of_a_curve():
    found = {e.name: described(e) for e in ENTRIES if e.kind == "loss"}
    kinds = {name: found[name].get("argument") for name in ("huber", "hinge", "brier", "focal")}
    assert kinds == {"huber": "residual", "hinge": "margin", "brier": "row", "focal": "prediction"}
    assert found["huber"]["curve"] == {
        "label": "residual r = y - t", "low": -3.0, "high": 3.0, "rows": False,
    }  # fmt: skip


def test_peers_say_by_how_much_they_differ():
    entry = next(e for e in ENTRIES if e.name == "huber")
    calls = {one["call"]: one["times"] for one in described(entry)["peers"]}
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
