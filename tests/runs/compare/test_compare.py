"""``lossfw compare``: numbers against textbooks, what is not compared, tables and their order."""

import csv
import io
import json
import re
import statistics

import numpy as np
import pytest

from lossfw.report.text.comparison import show_comparison
from lossfw.runs.compare import compare, find_runs
from lossfw.runs.compare.rows import read_rows

# Two-sided 95 percent points of Student's t, from Abramowitz and Stegun, table 26.10.
T_59 = 2.0010


def of(found, name):
    """Return what is said of a run: its numbers and its differences."""
    one = next(run for run in found["runs"] if run["name"] == name)
    return one["numbers"], one["differences"]


def paired_t(differences):
    """Return the interval of the textbook for the mean of paired differences."""
    half = T_59 * statistics.stdev(differences) / len(differences) ** 0.5
    mean = statistics.fmean(differences)
    return [mean - half, mean + half]


def test_the_difference_of_a_loss_is_that_of_the_paired_t_test(run, compared):
    one, other = run("one"), run("other", predictions="worse")
    losses = [read_rows(path).loss for path in (one, other)]
    found = of(compared(one, other), "other")[1]["loss"]
    differences = (losses[1] - losses[0]).tolist()
    assert found["value"] == pytest.approx(statistics.fmean(differences), rel=1e-12)
    assert found["interval"] == pytest.approx(paired_t(differences), rel=1e-3)


@pytest.mark.parametrize("method", ["jackknife", "bootstrap"])
def test_weights_count_in_differences_too(run, compared, method):
    asked = f"evaluate.intervals={{level: 0.9, method: {method}}}"
    one = run("one", asked, weight="weights")
    other = run("other", asked, weight="weights", predictions="worse")
    rows = [read_rows(path) for path in (one, other)]
    counts = rows[0].weight > 0
    assert 0 < counts.sum() < len(counts)
    means = [np.average(one.loss[counts], weights=one.weight[counts]) for one in rows]
    wanted = means[1] - means[0]
    found = compared(one, other)
    assert found["intervals"]["method"] == method
    loss, accuracy = (of(found, "other")[1][name] for name in ("loss", "accuracy"))
    assert loss["value"] == pytest.approx(wanted, rel=1e-9)
    assert loss["interval"][0] < wanted < loss["interval"][1]
    assert accuracy["interval"] is not None


def test_lists_differ_element_by_element(run, compared):
    metrics = "[confusion_matrix, {name: f1, average: none}]"
    one, other = run("one", metrics=metrics), run("other", metrics=metrics, predictions="worse")
    found = compared(one, other)
    (first, _), (second, differences) = of(found, "one"), of(found, "other")
    for name in ("confusion_matrix", "f1"):
        wanted = np.array(second[name]["value"]) - np.array(first[name]["value"])
        assert np.array(differences[name]["value"]) == pytest.approx(wanted, abs=1e-12)
        assert len(differences[name]["interval"]) == 3


def test_other_rows_and_other_metrics_are_not_compared(run, command, compared):
    one, other = run("one"), run("other", "evaluate.sample={count: 20}")
    assert command("compare", one, other).exit_code == 2
    beside = compared(one, other, "--allow-different-data")
    assert not beside["paired"]
    assert of(beside, "other")[1] == {}
    assert of(beside, "other")[0]["loss"]["value"] > 0

    # A metric with other parameters.
    found = compared(one, run("other", "evaluate.metrics.1.bins=7"))
    assert of(found, "other")[1]["calibration_error"]["value"] is None
    assert "and CalibrationError(bins=7" in found["notes"][0]


def test_a_run_that_is_not_done_is_left_out_and_named(run, command, refused, folder):
    run("s/a"), run("s/b"), run("s/c"), run("s/d")
    (folder / "s/c/status").write_text("failed\n")
    (folder / "s/c/error.txt").write_text("the disk is full\nmore\n")
    (folder / "s/d/status").write_text("running\n")
    result = command("compare", "s")
    assert result.exit_code == 0
    assert "warning: c is left out: it is failed: the disk is full\n" in result.stderr
    assert "warning: d is left out: it is running, or was interrupted: " in result.stderr
    assert "run it again with --resume\n" in result.stderr
    told = refused("needs at least two runs, got 1: d is left out: it is running", "s/a", "s/d")
    assert "run it again with --resume.\n" in told


@pytest.mark.parametrize(
    ("other", "said"),
    [
        ("nowhere", "nowhere does not exist"),
        ("run.yaml", "run.yaml is a file"),
        ("empty", "empty holds no run"),
        ("one", "needs at least two runs, got 1"),
    ],
)
def test_what_is_no_run(run, refused, folder, other, said):
    run("one")
    (folder / "empty").mkdir()
    refused(said, "one", other)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("metrics.json", "{"),
        ("metrics.json", "{}"),
        ("metrics.json", '{"loss": 1, "metrics": [], "count": 2}'),
        ("run.json", "nonsense"),
        ("config.yaml", "{"),
        ("results.jsonl", '{"row": 0'),
        ("results.jsonl", '{"row": 0, "loss": 1.0}\n'),
        ("results.jsonl", '{"row": 0, "loss": "x", "prediction": [1.0], "target": 1}\n'),
        ("results.jsonl", ""),
    ],
)
def test_damaged_files_are_told_in_words(run, command, name, content):
    one, other = run("one"), run("other")
    (other / name).write_text(content)
    for verb in ("compare", "report"):
        result = command(verb, one, other)
        assert result.exit_code == 2, result.output
        assert "bug" not in result.stderr


def test_csv_has_an_empty_cell_for_what_is_not_set(run, shown):
    run("one", "loss.guard-"), run("other", "loss.guard=floor")
    lines = list(csv.DictReader(io.StringIO(shown("compare", "one", "other", "--csv"))))
    assert [line["loss.guard"] for line in lines] == ["", "floor"]


def test_markdown_has_tables_and_no_marks_of_users(run, shown):
    run("a|b"), run("c_d*")
    head, rule = shown("compare", "a|b", "c_d*", "--markdown").splitlines()[:2]
    assert head == r"| result | a\|b | c\_d\* | second - first |"
    assert rule == "| --- | ---: | ---: | ---: |"


def test_the_order(run, compared, shown, refused):
    for name, predictions in (("b", "worse"), ("a", "good"), ("c", "good")):
        run(f"s/{name}", f"seed={ord(name)}", predictions=predictions)

    def order(*arguments):
        return "".join(one["name"] for one in compared("s", *arguments)["runs"])

    assert order() == "abc"
    assert order("--sort", "loss") == "acb"
    assert order("--sort", "loss", "--reverse")[0] == "b"
    assert order("--sort", "seed", "--reverse") == order("--sort", "name", "--reverse") == "cba"
    # Values of a setting stay with their runs.
    lines = shown("compare", "s/c", "s/a", "s/b", "--sort", "seed").splitlines()
    assert [line.split()[0:3:2] for line in lines[1:4]] == [["a", "97"], ["b", "98"], ["c", "99"]]
    refused("Did you mean 'accuracy'?", "s", "--sort", "acuracy")
    refused("exclude each other", "s", "--json", "--csv")


def test_on_a_narrow_terminal_cells_are_folded_and_nothing_is_cut(run, monkeypatch):
    names = [f"network.layers.{n}.units={u}" for n in (0, 1) for u in (5, 7)]
    runs = [find_runs([run(name, f"seed={len(name)}{name[-1]}")])[0][0] for name in names]
    monkeypatch.setenv("COLUMNS", "60")
    printed = io.StringIO()
    printed.isatty = lambda: True
    monkeypatch.setattr("sys.stdout", printed)
    show_comparison(compare(runs))
    # The remarks below the tables are sentences, which the terminal wraps.
    lines = re.sub(r"\x1b\[[\d;]*m", "", printed.getvalue()).rpartition("\n\n")[0].splitlines()
    assert max(map(len, lines)) <= 60
    first_column = "".join(line.split("  ")[0].strip() for line in lines)
    assert all(name in first_column for name in names)


def test_another_level(run, compared, refused):
    run("one"), run("other", predictions="worse")
    found = [compared("one", "other", "--level", level)["runs"][1] for level in ("0.5", "0.99")]
    narrow, wide = (np.ptp(one["differences"]["loss"]["interval"]) for one in found)
    assert wide > 3 * narrow
    refused("level should be between 0 and 1", "one", "other", "--level", "95")


def test_metrics_json_is_what_compare_reads(run, compared):
    """A number that the rows do not give has no interval."""
    one, other = run("one"), run("other", predictions="worse")
    told = json.loads((other / "metrics.json").read_text())
    told["metrics"]["accuracy"]["value"] = 0.125
    (other / "metrics.json").write_text(json.dumps(told))
    found = compared(one, other)
    differences = found["runs"][1]["differences"]
    assert differences["accuracy"]["interval"] is None
    assert differences["loss"]["interval"] is not None
    assert "accuracy: the rows of other do not reproduce its value" in found["notes"][0]
