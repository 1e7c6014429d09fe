"""``compare --loss`` and ``--metric``: runs of different losses scored by one."""

import json

import numpy as np
import pytest

import lossfw
from lossfw.runs.compare.rows import read_rows


def of(found, name):
    return next(run for run in found["runs"] if run["name"] == name)


def cross_entropies(path):
    rows = read_rows(path)
    return -np.log(rows.prediction[np.arange(len(rows.row)), rows.target.astype(int)])


@pytest.fixture
def pair(run):
    """Two runs with different losses."""
    return run("one"), run("other", "loss=brier", predictions="worse")


def test_a_run_with_this_loss_keeps_its_own_number(pair, compared):
    # Stored predictions may have fewer digits than those that the run computed its loss from.
    lines = [json.loads(line) for line in (pair[0] / "results.jsonl").read_text().splitlines()]
    for line in lines:
        line["prediction"] = [round(p, 2) + 0.001 for p in line["prediction"]]
    (pair[0] / "results.jsonl").write_text("".join(f"{json.dumps(line)}\n" for line in lines))
    found = compared(*pair, "--loss", "{name: cross_entropy, guard: none}")
    own = json.loads((pair[0] / "metrics.json").read_text())["loss"]["value"]
    assert of(found, "one")["numbers"]["loss"]["value"] == own
    assert of(found, "other")["differences"]["loss"]["interval"]


def test_metrics_are_added_to_those_of_the_runs(pair, compared):
    asked = ("--metric", "{name: top_k, k: 2}", "--metric", "brier", "--metric", "accuracy")
    found = compared(*pair, *asked)
    for path in pair:
        rows = read_rows(path)
        hit = (np.argsort(-rows.prediction, axis=1)[:, :2] == rows.target[:, None]).any(axis=1)
        numbers = of(found, path.name)["numbers"]
        assert numbers["top_k"]["value"] == pytest.approx(hit.mean())
        assert numbers["top_k"]["interval"]
        assert numbers["brier"]["value"] > 0
    assert of(found, "other")["differences"]["top_k"]["interval"]
    measures = "loss accuracy calibration_error top_k brier"
    assert " ".join(of(found, "one")["numbers"]) == measures


def test_logits_are_scored_by_the_form_that_takes_them(run, compared, folder):
    one = run("one")
    np.save(folder / "logits.npy", np.log(np.load(folder / "worse.npy")) + 3.0)
    focal = "{name: categorical_focal, gamma: 2.0}"
    raw = run("raw", "network={raw_outputs: logits.npy}", f"loss={focal}", "evaluate.metrics=[]")
    chances = run("chances", predictions="worse")
    found = compared(one, raw, chances, "--loss", "{name: cross_entropy, guard: none}")
    wanted = cross_entropies(chances).mean()
    for name in ("raw", "chances"):
        assert of(found, name)["numbers"]["loss"]["value"] == pytest.approx(wanted, rel=1e-12)


def test_weights_of_classes_are_those_of_the_loss_and_not_of_the_data(run, compared):
    weighted = "{name: class_weighted, of: cross_entropy, weights: [1.0, 2.0, 5.0]}"
    plain, own = run("plain"), run("own", f"loss={weighted}")
    of_both = [run("w", weight="weights"), run("v", f"loss={weighted}", weight="weights")]
    for one, other in ((plain, own), of_both):
        found = compared(one, other, "--loss", "cross_entropy")
        a, b = (of(found, path.name)["numbers"]["loss"] for path in (one, other))
        assert a["value"] == pytest.approx(b["value"], rel=1e-12)
        assert a["interval"] == pytest.approx(b["interval"], rel=1e-9)


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (["--loss", "squared_error"], "on the rows of one: prediction has shape (60, 3)"),
        (["--loss", "{name: cross_entropy, from_logits: true}"], "the rows hold predictions"),
        (["--loss", "cross_entrpy"], "There is no loss 'cross_entrpy'"),
        (["--loss", ""], "expected a name, or a mapping"),
        (["--metric", "acuracy"], "Did you mean 'accuracy'?"),
        (["--metric", "{name: top_k, n: 3}"], "TopK has no parameter 'n'"),
        (["--loss", "lambdarank"], "lambdarank"),
    ],
)
def test_what_cannot_be_scored_says_why(pair, refused, options, told):
    refused(told, *pair, *options)


def test_rows_that_are_not_stored_are_told(run, refused, folder):
    score = ("--loss", "cross_entropy")
    run("masked", "loss={name: masked, of: cross_entropy, ignore: 1}", weight="weights")
    other = run("other", weight="weights")
    told = "leaves rows out, and their weights in the data are not stored"
    refused(told, "masked", other, *score)
    told = "none kept none: write evaluate: {save_rows: true}"
    refused(told, run("one"), run("none", rows="false"), *score)
    for name in ("a", "b"):
        (folder / name).mkdir()
        epoch = {"epoch": 1, "loss": {"name": "mse", "value": 1.0}, "metrics": {}}
        text = {"loss": {"name": "squared_error"}, "kept": 1, "epochs": [epoch]}
        (folder / name / "training.json").write_text(json.dumps(text))
    refused("", "a", "b", *score)


def test_python_takes_a_loss_as_a_name_a_mapping_or_a_component(pair):
    given = "cross_entropy", {"name": "cross_entropy"}, lossfw.loss("cross_entropy")
    values = {lossfw.compare(*pair, loss=one).numbers["other"]["loss"].value for one in given}
    assert len(values) == 1
    with pytest.raises(lossfw.errors.ArgumentError, match="metrics should be a list"):
        lossfw.compare(*pair, metrics="brier")
    both = lossfw.compare(*pair, metrics=[lossfw.loss("brier"), lossfw.metric("top_k", k=2)])
    assert both.measures[-2:] == ("brier", "top_k")


def test_a_baseline_of_another_loss_is_left_out(run, compared):
    runs = [run("one", "evaluate.baseline=true"), run("other", "evaluate.baseline=true")]
    assert "skill" in of(compared(*runs), "one")["numbers"]
    numbers = of(compared(*runs, "--loss", "brier"), "one")["numbers"]
    assert list(numbers) == ["loss", "accuracy", "calibration_error"]
