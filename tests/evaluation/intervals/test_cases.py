"""Intervals against statsmodels, SciPy and scikit-learn, which made `cases.json`.

The versions stand in the file. Where a case says `each left out once`, its numbers are computed
anew without each unit, by NumPy or scikit-learn, and the degrees of freedom with dense matrices.
"""

import json
from pathlib import Path

import numpy as np
import pytest

import lossfw
from lossfw.data import Dataset
from lossfw.evaluation.baseline import Baseline, Skill
from lossfw.evaluation.evaluate import evaluate
from lossfw.evaluation.intervals.apart import have_shared_groups, shared_group_terms
from lossfw.evaluation.intervals.bootstrap import bca_ends
from lossfw.evaluation.intervals.freedom import size_terms
from lossfw.evaluation.intervals.left_out import ends_of
from lossfw.evaluation.intervals.moments import mean_spread, moment_sums
from lossfw.evaluation.intervals.options import Intervals
from lossfw.evaluation.intervals.paired import MeasuredNumber, difference_interval, leave_out_units
from lossfw.evaluation.intervals.unit_keys import hashed_numbers, hashed_text
from lossfw.evaluation.intervals.unit_sums import UnitCells, UnitSums
from lossfw.evaluation.intervals.units import Units
from lossfw.evaluation.plan import Plan
from lossfw.learning.constant import constant_prediction
from lossfw.losses.capabilities import without_guard
from lossfw.metrics import LossMetric, MetricRows, SumTerm
from lossfw.metrics.cell_sums import RowTerms

CASES = {
    case["name"]: case
    for case in json.loads((Path(__file__).parent / "cases.json").read_text())["cases"]
}
MEAN = LossMetric(of=lossfw.loss("squared_error"))


# The kinds that tests of this file take, and those of `test_families.py`.
HELD = {"Holm-0", "simultaneous, unrelated numbers-0", "repeated cross-validation-0"}


def of_kind(*kinds, but="none"):
    """Take all cases whose kinds begin so."""
    own = (case for case in CASES.values() if case["kind"].startswith(kinds))
    chosen = [case for case in own if but not in case["kind"]]
    HELD.update(case["name"] for case in chosen)
    return pytest.mark.parametrize("case", chosen, ids=lambda case: case["name"])


def terms_of(losses, weight):
    rows, place = np.arange(len(losses)), np.zeros(len(losses), np.int64)
    return RowTerms.of(1, 2, rows, [SumTerm(place, weight * losses), SumTerm(place + 1, weight)])


def keys_of(who):
    who = np.asarray(who)
    if who.dtype.kind == "U":
        return np.array([hashed_text(one) for one in who.tolist()], np.uint64)
    return hashed_numbers(who)


def sizes_of(keys, weight):
    return UnitSums.of(size_terms(np.arange(len(keys)), weight), UnitCells.of(keys))


def of_mean(losses, who, weight=None):
    losses, weight = np.array(losses), np.ones(len(losses)) if weight is None else np.array(weight)
    keys = keys_of(who)
    table = UnitSums.of(terms_of(losses, weight), UnitCells.of(keys))
    value = np.asarray((weight * losses).sum() / weight.sum())
    (found,) = leave_out_units([MeasuredNumber(MEAN, value, table, sizes_of(keys, weight))])
    return found, keys


def check(found, expected, level, rel=1e-12):
    assert float(found.middle) == pytest.approx(expected["value"], rel=rel)
    assert float(found.standard_error) == pytest.approx(expected["standard_error"], rel=rel)
    if "freedom" in expected:
        assert found.freedom == pytest.approx(expected["freedom"], rel=rel)
        assert found.ends(level).tolist() == pytest.approx(expected["interval"], rel=rel)
    if "without_each" in expected:
        order = np.argsort(keys_of(expected["units"]))
        without = np.array(expected["without_each"])[order]
        assert found.without.tolist() == pytest.approx(without.tolist(), rel=rel)


def losses_of(inputs):
    if "losses" in inputs:
        return inputs["losses"]
    return np.array(inputs["losses_b"]) - np.array(inputs["losses_a"])


@of_kind("mean of independent rows", "weighted mean of independent rows", but="BCa")
def test_means_of_independent_rows(case):
    losses = np.array(case["inputs"]["losses"])
    weight = np.array(case["inputs"].get("weights", np.ones(len(losses))))
    found, expected = mean_spread(moment_sums(terms_of(losses, weight), None)), case["expected"]
    assert found.mean == pytest.approx(expected["value"], rel=1e-12)
    assert found.error == pytest.approx(expected["standard_error"], rel=1e-12)
    if "interval" in expected:
        assert found.freedom == pytest.approx(expected["freedom"], rel=1e-12)
        mean, error = np.asarray(found.mean), np.asarray(found.error)
        ends = ends_of(mean, error, found.freedom, case["level"])
        assert ends.tolist() == pytest.approx(expected["interval"], rel=1e-12)


@of_kind(
    "weighted mean, each row left out once",
    "mean of clusters, each left out once",
    "weighted mean of clusters, one with half of the rows",
    "paired difference of clusters, each left out once",
    "mean of a series in 12 blocks",
)
def test_means_of_units_that_are_left_out_once(case):
    inputs = case["inputs"]
    losses = losses_of(inputs)
    who = inputs.get("groups", np.arange(len(losses)))
    if "blocks" in case["kind"]:
        who = np.arange(len(losses)) * 12 // len(losses)
    found, _ = of_mean(losses, who, inputs.get("weights"))
    check(found, case["expected"], case["level"])


@of_kind("mean of clusters, CR1", "paired difference of clusters, CR1")
def test_clusters_of_one_size_are_those_of_statsmodels(case):
    """For units of equal size the jackknife is CR1; else it is wider."""
    inputs, expected = case["inputs"], case["expected"]
    found, _ = of_mean(losses_of(inputs), inputs["groups"])
    sizes = np.unique(inputs["groups"], return_counts=True)[1]
    if len(set(sizes.tolist())) == 1:
        check(found, expected, case["level"])
    else:
        assert float(found.standard_error) > expected["standard_error"]
        assert found.freedom < expected["freedom"]


METRICS = {
    "roc_auc": lossfw.metric("roc_auc"),
    "average_precision": lossfw.metric("average_precision"),
    "f1": lossfw.metric("f1", average="macro"),
    "accuracy": lossfw.metric("accuracy"),
    "r2": lossfw.metric("r2"),
    "rmse": lossfw.metric("rmse"),
    "ndcg": lossfw.metric("ndcg", k=3, gain="linear"),
}


def measured_of(metric, seen, who):
    """Return a metric without each unit, as an evaluation finds it from its sums."""
    keys, terms, rest = keys_of(who), metric.observe(seen).terms, None
    cells = UnitCells.of(keys)
    if have_shared_groups(seen, cells):
        terms, cells, rest = shared_group_terms(metric, seen, terms, cells, None)
    table = UnitSums.of(terms, cells, rest=rest)
    value = metric.from_sums(table.total())
    sizes = sizes_of(keys, np.ones(len(keys)))
    (found,) = leave_out_units([MeasuredNumber(metric, value, table, sizes)])
    return found


@of_kind(*(f"metric of clusters: {name}" for name in METRICS))
def test_metrics_of_clusters(case):
    name = case["kind"].split(": ")[1].split(",")[0]
    inputs = {key: np.array(value) for key, value in case["inputs"].items()}
    group = inputs["query"] if name == "ndcg" else None
    seen = MetricRows(inputs["predictions"], inputs["targets"], group=group)
    found = measured_of(METRICS[name], seen, inputs["groups"])
    check(found, case["expected"], case["level"])


@of_kind("metric of clusters: ratio of means")
def test_a_ratio_of_means_is_that_of_a_skill(case):
    """Next to 0 as a baseline, whose absolute errors are the targets, a skill is 1 - ratio."""
    predictions, targets, groups = (np.array(one) for one in case["inputs"].values())
    loss = lossfw.loss("absolute_error")
    seen = MetricRows(predictions, targets, baseline=np.zeros(len(targets)))
    skill = measured_of(Skill(of=loss, against=loss), seen, groups)
    found = skill._replace(middle=1.0 - skill.middle, without=1.0 - skill.without)
    check(found, case["expected"], case["level"])


@of_kind("metric of all rows: concordance")
def test_a_metric_of_all_rows_has_rows_as_units(case):
    """All rows are one group, which is computed anew without each of them."""
    time, event, risk = (np.array(one, np.float64) for one in case["inputs"].values())
    group = np.zeros(len(time), np.int64)
    seen = MetricRows(risk, np.stack([time, event], axis=1), group=group)
    found = measured_of(lossfw.metric("concordance"), seen, np.arange(len(time)))
    check(found, case["expected"], case["level"])


@of_kind("mean of independent rows, BCa")
def test_the_bootstrap_is_that_of_scipy(case):
    losses = np.array(case["inputs"]["losses"])
    found, _ = of_mean(losses, np.arange(len(losses)))
    order = np.argsort(hashed_numbers(np.arange(len(losses))))
    ends = bca_ends(
        lambda times: (times * losses[order]).sum(axis=1) / times.sum(axis=1),
        len(losses),
        found.middle,
        found.without,
        Intervals(level=case["level"], method="bootstrap", replicates=20_000),
    )
    assert ends.tolist() == pytest.approx(case["expected"]["interval"], rel=case["rtol"])


@pytest.mark.parametrize("method", ["jackknife", "bootstrap"])
def test_a_difference_of_tables_is_that_of_the_differences(method):
    case = CASES["paired difference of clusters, each left out once-0"]
    inputs, measured = case["inputs"], []
    keys = keys_of(inputs["groups"])
    for name in ("losses_a", "losses_b"):
        losses = np.array(inputs[name])
        table = UnitSums.of(terms_of(losses, np.ones(len(losses))), UnitCells.of(keys))
        sizes = sizes_of(keys, np.ones(len(losses)))
        measured.append(MeasuredNumber(MEAN, np.asarray(losses.mean()), table, sizes))
    asked = Intervals(case["level"], method, 2000, resample=Units.read("column.who"))
    found = difference_interval(measured[1], measured[0], asked)
    if method == "jackknife":
        assert found.interval == pytest.approx(case["expected"]["interval"], rel=1e-11)
        assert found.freedom == pytest.approx(case["expected"]["freedom"], rel=1e-12)
    else:
        wide = np.ptp(case["expected"]["interval"])
        assert found.interval == pytest.approx(case["expected"]["interval"], abs=0.3 * wide)


@of_kind("baseline")
def test_baselines(case):
    inputs, expected = case["inputs"], case["expected"]
    name, _, level = case["kind"].removeprefix("baseline: ").partition(" ")
    loss = lossfw.loss(name, **({"q": float(level)} if level else {}))
    loss = without_guard(loss)
    train, targets = np.array(inputs["train"]), np.array(inputs["held_out"])
    constant = constant_prediction(loss, train)
    best = np.array(expected["constant"])
    if level:
        # Any number between two targets is one: scikit-learn interpolates, lossfw takes the middle.
        every = [np.full(len(train), one) for one in (constant, best)]
        assert loss(every[0], train) == pytest.approx(loss(every[1], train), rel=1e-12)
        constant = best
    assert constant == pytest.approx(best, rel=1e-12)
    baseline = Baseline("constant", loss, constant=constant)
    predictions = np.array(inputs["predictions"])
    plan = Plan(Dataset("held out", targets=targets), loss, outputs=predictions, baseline=baseline)
    found = evaluate(plan).metrics
    assert found["constant"] == pytest.approx(expected["baseline"], rel=1e-12)
    assert found["skill"] == pytest.approx(expected["skill"], rel=1e-12)


def test_no_case_is_left_out():
    assert len(CASES) == 29
    assert set(CASES) == HELD
