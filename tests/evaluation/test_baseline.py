"""The baseline of a run: its loss and its skill, held to scikit-learn and to the rows."""

import json

import numpy as np
import pytest
from sklearn.metrics import d2_absolute_error_score, r2_score

import lossfw
from lossfw.errors import ConfigError
from support.tables import write_columns

RANDOM = np.random.default_rng(5)
ROWS = 120
TARGETS = RANDOM.gamma(2.0, size=ROWS)
PREDICTIONS = TARGETS * RANDOM.lognormal(sigma=0.4, size=ROWS)
CLASSES = RANDOM.choice(3, ROWS, p=[0.5, 0.3, 0.2])
LABELS = (CLASSES > 0).astype(int)


def result(targets, predictions, loss, **evaluate):
    """Return the result of saved predictions next to a baseline, by default the best constant."""
    evaluate = {"baseline": True, **evaluate}
    data, columns = {"targets": targets}, evaluate.pop("data", {})
    config = {"data": data | columns, "network": {"predictions": predictions}, "loss": loss}
    return lossfw.run(config | {"evaluate": evaluate})


@pytest.mark.parametrize(
    ("loss", "score"), [("squared_error", r2_score), ("absolute_error", d2_absolute_error_score)]
)
def test_a_skill_on_its_own_rows_is_d2_of_scikit_learn(loss, score):
    found = result(TARGETS, PREDICTIONS, loss).metrics["skill"]
    assert found == pytest.approx(score(TARGETS, PREDICTIONS), rel=1e-12)


def table(folder, **columns):
    """Write a table of targets and predictions, and return a configuration of its evaluation."""
    write_columns(folder / "t.csv", {"y": TARGETS, "last_year": PREDICTIONS} | columns)
    data = {"name": "arrays", "file": str(folder / "t.csv"), "targets_key": "y"}
    np.save(folder / "p.npy", TARGETS + 1.0)
    model = {"name": "predictions", "file": str(folder / "p.npy")}
    options = {"baseline": "column.last_year"}
    return {"data": data, "model": model, "loss": "squared_error", "evaluate": options}


def test_a_column_is_a_baseline_also_of_some_rows(tmp_path):
    config = table(tmp_path)
    expected = ((TARGETS - PREDICTIONS) ** 2).mean()
    found = lossfw.run(config).metrics
    assert found["column.last_year"] == pytest.approx(expected, rel=1e-12)
    assert found["skill"] == pytest.approx(1 - 1 / expected, rel=1e-12)
    np.save(tmp_path / "old.npy", PREDICTIONS)
    some = TARGETS > 1.5
    expected = ((TARGETS - PREDICTIONS)[some] ** 2).mean()
    for baseline, name in (("column.last_year",) * 2, (str(tmp_path / "old.npy"), "old")):
        drawn = [f"evaluate.baseline={baseline}", "data.where=column.y > 1.5"]
        assert lossfw.run(config, overrides=drawn).metrics[name] == pytest.approx(expected)
        sample = [f"evaluate.baseline={baseline}", "evaluate.sample={count: 40}"]
        chosen = lossfw.run(config, overrides=sample)
        rows = list(chosen.sample)
        mean = ((TARGETS - PREDICTIONS)[rows] ** 2).mean()
        assert chosen.metrics[name] == pytest.approx(mean)


@pytest.mark.parametrize("size", [1, 7, 4096])
def test_the_batch_size_changes_no_bit(tmp_path, size):
    config = table(tmp_path)
    options = config["evaluate"] | {"intervals": {}, "batch_size": size}
    expected = lossfw.run(config | {"evaluate": options | {"batch_size": 64}}).to_dict()
    assert lossfw.run(config | {"evaluate": options}).to_dict() == expected


def problem(config, **evaluate):
    with pytest.raises(ConfigError) as raised:
        lossfw.run(config | {"evaluate": evaluate})
    first = raised.value.problems[0]
    return f"{first.message}; {first.hint}"


@pytest.mark.parametrize(
    ("baseline", "said"),
    [
        ("column.lastyear", "no column 'lastyear'"),
        ("column.names", "holds strings, such as 'a'"),
        ("column.holes", "no value in row 7"),
        ("constant", "'constant' is not a baseline; write true"),
        ("old.npy", "there is no file 'old.npy'"),
        ("few.npy", "predictions of 7 rows"),
        (3, "true or false"),
    ],
)
def test_what_is_no_baseline_is_said(folder, baseline, said):
    holes = PREDICTIONS.astype(object)
    holes[7] = ""
    np.save(folder / "few.npy", PREDICTIONS[:7])
    config = table(folder, holes=holes, names=["a"] * ROWS)
    assert said in problem(config, baseline=baseline)


def test_some_losses_have_none(tmp_path):
    config = table(tmp_path, query=np.arange(ROWS) // 10)
    config["data"]["group_key"] = "query"
    assert "compares the rows of a group" in problem(config | {"loss": "listnet"}, baseline=True)
    signs = {"data": {"targets": 2 * LABELS - 1}, "network": {"predictions": PREDICTIONS}}
    assert "almost everywhere" in problem(signs | {"loss": "zero_one"}, baseline=True)


def test_a_loss_of_columns_has_a_constant():
    # Censored times: a target has two numbers, and a prediction one.
    targets = np.column_stack([TARGETS, np.where(LABELS > 0, 1.5, 1.0) * TARGETS])
    for constant in (1.5, 2.0, 2.5, 3.0):
        found = result(targets, np.full(ROWS, constant), "aft")
        assert found.metrics["constant"] < found.loss


def test_without_a_loss_or_where_it_may_be_negative_there_is_no_skill():
    found = result(np.ones(ROWS), PREDICTIONS, "squared_error", intervals={})
    assert found.metrics["constant"] == 0.0
    assert np.isnan(found.metrics["skill"])
    assert any("predicts every row exactly" in text for text in found.warnings)
    found = result(TARGETS, PREDICTIONS, "poisson_nll")
    assert "constant" in found.metrics
    assert "skill" not in found.metrics
    assert any("does not claim nonnegative" in text for text in found.warnings)


def test_two_runs_are_paired_by_the_skill(tmp_path):
    config = table(tmp_path, who=np.arange(ROWS) % 12)
    options = {"evaluate": config["evaluate"] | {"intervals": {}}}
    lossfw.run(config | options, out=tmp_path / "a")
    np.save(tmp_path / "p.npy", TARGETS + RANDOM.normal(size=ROWS))
    lossfw.run(config | options, out=tmp_path / "b")
    found = lossfw.compare(tmp_path / "a", tmp_path / "b").differences["b"]["skill"]
    plain = [json.loads((tmp_path / n / "metrics.json").read_text()) for n in "ab"]
    first, second = (one["metrics"]["skill"]["value"] for one in plain)
    assert found.value == second - first
    assert found.interval[0] < found.value < found.interval[1]
    # By rows, which have no baseline, it comes from the sums that the runs have kept.
    rows = {"evaluate": options["evaluate"] | {"save_rows": True, "columns": ["who"]}}
    for name, number in zip("ab", (1.0, 2.0), strict=True):
        np.save(tmp_path / "p.npy", TARGETS + number * RANDOM.normal(size=ROWS))
        lossfw.run(config | rows, out=tmp_path / name)
    by_rows = lossfw.compare(tmp_path / "a", tmp_path / "b", by="column.who")
    by_sums = lossfw.compare(tmp_path / "a", tmp_path / "b")
    assert by_rows.differences["b"]["skill"] == by_sums.differences["b"]["skill"]
