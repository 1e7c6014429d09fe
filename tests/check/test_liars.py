"""Every check of the harness catches a liar who breaks just this, and names it."""

import dataclasses

import pytest

from lossfw import ActivationClaims, Claims
from lossfw.check.checks import CHECKS, COMPONENT_CHECKS, GROUP_CHECKS, METRIC_CHECKS, MODEL_CHECKS
from lossfw.check.core.search import Search
from lossfw.check.laws import activations
from lossfw.check.report import Refutation
from lossfw.check.runner import attempt, run
from support.liars import LIARS

OF_ROWS = {"claim:rows_sum_to_one", "claim:shift_invariant"}
# Claims of single numbers, which rows have checks of their own for.
OWN_OF_ROWS = {"claim:lipschitz", "claim:breaks"}

TABLES = {
    "loss": set(CHECKS),
    "component": set(COMPONENT_CHECKS),
    # A shift of all predictions of a group has an attack of its own, and rows a weight and a mask.
    "group": {c for c in GROUP_CHECKS if c.startswith("group:")}
    | {"claim:shift_invariant", "weights", "mask"},
    "activation": set(activations.ELEMENTWISE) - OF_ROWS,
    "rows": {c for c in activations.ROWS if not c.startswith("claim:")} | OF_ROWS | OWN_OF_ROWS,
    "model": set(MODEL_CHECKS),
    "metric": set(METRIC_CHECKS),
}


def test_every_check_has_a_liar():
    wanted = {(table, check) for table, checks in TABLES.items() for check in checks}
    known = {(liar.table, liar.check) for liar in LIARS}
    assert known == wanted


def test_every_claim_has_a_check():
    made = {f"claim:{field.name}" for field in dataclasses.fields(Claims)}
    assert made == {check for check in CHECKS if check.startswith("claim:")}
    made = {f"claim:{field.name}" for field in dataclasses.fields(ActivationClaims)}
    assert made == {check for check in activations.ELEMENTWISE if check.startswith("claim:")}


@pytest.mark.parametrize("liar", LIARS, ids=str)
def test_a_liar_is_caught_by_the_check_that_it_breaks(liar):
    if liar.check == "arrays":
        pytest.importorskip("array_api_strict")
    if liar.check == "purity:kernels":
        pytest.importorskip("llvmlite")
    prepared = liar.suite()
    outcome = attempt(prepared, liar.check, Search(seed=0, examples=200))
    assert isinstance(outcome, Refutation), outcome
    assert outcome.check == liar.check
    # What a file or a training breaks is shown in the message.
    assert outcome.inputs or liar.check.startswith(("value:roundtrip", "model:"))
    assert "was ended by" not in outcome.message


@pytest.mark.turns(12)
@pytest.mark.parametrize("liar", LIARS, ids=str)
def test_a_liar_breaks_nothing_else(liar):
    report = run(liar.suite(), examples=20)
    for refutation in report.refuted:
        compile(refutation.snippet, str(liar), "exec")  # no more than a look at its grammar
    assert {r.check for r in report.refuted} - {liar.check} <= set(liar.besides)
