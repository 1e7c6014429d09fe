"""Files that were once taken for valid, ended in a traceback, or gave a wrong number."""

import json
import re
import threading

import numpy as np
import pytest

from lossfw.evaluation.state import EvaluationState
from lossfw.runs.compare.rows import read_rows
from support.configs import TRAINED
from support.waiting import HANGS

INLINE = """\
lossfw: 1
data: {{name: inline, targets: {targets}}}
network: {{predictions: {predictions}}}
loss: {loss}
"""
ARRAYS = """\
lossfw: 1
data: {name: arrays, targets: t.npy}
network: {predictions: y.npy}
loss: squared_error
"""
FLAT = {"targets": "[1.0, 2.0, 3.0, 0.5]", "predictions": "[1.5, 2.0, 2.5, 0.25]"}


def inline(loss, **rows):
    return INLINE.format(loss=loss, **rows)


CLASSES = inline("cross_entropy", targets="[0, 1]", predictions="[[0.5, 0.5], [0.25, 0.75]]")


VALID = {
    "masked around a loss of elements": inline("{name: masked, of: huber, ignore: 3.0}", **FLAT),
    "losses that differ by one unit in the last place": inline(
        "absolute_error", targets="[0.0, 0.0]", predictions="[1.0, 1.0000000000000002]"
    ),
    "a loss summed over rows": inline(
        "{name: huber, per: row}", targets="[[0, 1], [1, 0]]", predictions="[[0.5, 1], [1, 3]]"
    ),
}


@pytest.mark.turns(3)
@pytest.mark.parametrize("text", VALID.values(), ids=VALID)
def test_a_valid_file_runs_and_has_a_report(lossfw, folder, text):
    pytest.importorskip("matplotlib")
    (folder / "run.yaml").write_text(text)
    assert lossfw("validate", "run.yaml").exit_code == 0
    result = lossfw("run", "run.yaml", "--out", "o", "--report")
    assert result.exit_code == 0
    assert (folder / "o" / "report.html").is_file()


def test_rows_of_another_byte_order_are_written(lossfw, folder):
    pytest.importorskip("pyarrow")
    np.save(folder / "t.npy", np.zeros(3, ">f8"))
    np.save(folder / "y.npy", np.arange(3, dtype=">f4"))
    (folder / "run.yaml").write_text(ARRAYS)
    done = lossfw("run", "run.yaml", "--out", "o", "-o", "evaluate.save_rows=parquet")
    assert done.exit_code == 0
    assert read_rows(folder / "o").loss.tolist() == [0.0, 1.0, 4.0]


UNUSED = {
    "replicates": "evaluate={intervals: {replicates: 500}}",  # of a jackknife
    "fuse": "loss={name: cross_entropy, fuse: true, delta: 1e-6}",
    "delta": "loss={name: cross_entropy, guard: none, delta: 1e-6}",
}


@pytest.mark.parametrize(("key", "override"), UNUSED.items(), ids=UNUSED)
def test_a_key_that_changes_nothing_is_told(lossfw, folder, key, override):
    (folder / "run.yaml").write_text(CLASSES)
    result = lossfw("validate", "run.yaml", "-o", override)
    assert result.exit_code == 0
    assert re.search(rf"warning: .*{key}.* has no effect", result.stderr)


def test_a_metric_that_stands_there_twice_and_an_option_that_needs_another_are_told(lossfw, folder):
    (folder / "run.yaml").write_text(f"{CLASSES}evaluate: {{metrics: [accuracy, accuracy]}}\n")
    told = "run.yaml:5:32: error: this metric is the same as evaluate.metrics.0"
    assert told in lossfw("validate", "run.yaml").stdout
    (folder / "train.yaml").write_text(TRAINED)
    steps = "train.optimizer={name: sgd, nesterov: true}"
    result = lossfw("train", "train.yaml", "--no-out", "-o", steps)
    assert (result.exit_code, "'momentum' above 0" in result.stderr) == (2, True)


AT_RUN_TIME = {
    "a value outside the space": ("network.predictions=[[0.5, 0.7], [1, 0]]", r"outside SIMPLEX"),
    "weights of another shape": ("data.sample_weight=[[1, 2], [1, 1]]", r"sample_weight has shape"),
    "a slice that does not fit": ("evaluate.slices=[{name: p, by: prediction, bins: [0.5]}]",
                                  r"predictions of shape \(2, 2\) are rows"),
    "no row that counts": ("data.sample_weight=[0, 0]", r"nothing is left to average"),
}  # fmt: skip


@pytest.mark.parametrize("command", [["validate"], ["run", "--dry-run"], ["run"]], ids=" ".join)
@pytest.mark.parametrize(("override", "message"), AT_RUN_TIME.values(), ids=AT_RUN_TIME)
def test_what_a_run_would_refuse_is_told_before_it(lossfw, folder, command, override, message):
    (folder / "run.yaml").write_text(CLASSES)
    result = lossfw(*command, "run.yaml", "-o", override)
    assert result.exit_code == 2
    assert re.search(rf"error: .*{message}", result.output)


ESCAPE = "\x1b]0;owned\x07\x1b[2J"


@pytest.fixture
def runs(lossfw, folder):
    """Runs whose names are commands of a terminal or a spreadsheet, and what the first one said."""
    part = f'slices: [{{name: "{ESCAPE!r}", by: target}}]'.replace("'", "")
    (folder / "run.yaml").write_text(f"{CLASSES}evaluate: {{{part}}}\n")
    out = lossfw("run", "run.yaml", "--out", "=1+1")
    for name in ("@SUM(1)", ESCAPE.replace("/", "")):
        assert lossfw("run", "run.yaml", "--out", name).exit_code == 0
    return ["=1+1", "@SUM(1)", ESCAPE], out


def test_no_escape_reaches_the_terminal_and_no_formula_a_spreadsheet(lossfw, runs):
    names, out = runs
    compared = lossfw("compare", *names)
    assert (out.exit_code, compared.exit_code) == (0, 0)
    lines = lossfw("compare", *names, "--csv").stdout.splitlines()
    assert [line.split(",")[0] for line in lines[:3]] == ["run", "'=1+1", "'@SUM(1)"]
    for told in (out, compared, lossfw("compare", "no\x1bsuch"), lossfw("run", "\x1b.y")):
        assert "\x1b" not in told.output
        assert "\\x1b" in told.output


@pytest.mark.parametrize("kind", ["csv", "npz", "weights"])
def test_no_escape_in_a_file_of_data_reaches_the_terminal(lossfw, folder, kind):
    (folder / "t.csv").write_text(f"{ESCAPE},b\n1,2\n3,4\n")
    np.savez(folder / "t.npz", **{ESCAPE: np.zeros(3)})
    network = "predictions: [[0.5]]"
    if kind == "weights":
        network = "layers: [{units: 10, activation: softmax}], weights: t.npz"
    data = "digits" if kind == "weights" else f"arrays, file: t.{kind}, targets_key: none"
    (folder / "run.yaml").write_text(
        f"lossfw: 1\ndata: {{name: {data}}}\nnetwork: {{{network}}}\nloss: cross_entropy\n"
    )
    told = lossfw("validate", "run.yaml")
    assert (told.exit_code, "\x1b" in told.output, "\\x1b" in told.output) == (2, False, True)


def test_a_line_of_a_file_outside_the_folder_is_not_shown(lossfw, folder):
    (folder.parent / "secret.yaml").write_text("password: [hunter2, {\n")
    (folder / "run.yaml").write_text("extends: ../secret.yaml\n")
    result = lossfw("validate", "run.yaml")
    assert result.exit_code == 2
    assert "secret.yaml:1:22: error" in result.stdout
    assert "hunter2" not in result.stdout
    (folder / "base.yaml").write_text("password: [hunter2, {\n")
    (folder / "run.yaml").write_text("extends: base.yaml\n")
    assert "hunter2" in lossfw("validate", "run.yaml").stdout


@pytest.mark.slow
def test_a_sweep_of_very_many_keys_is_refused_at_once(lossfw, folder):
    grid = ", ".join(f"k{number}: [1, 2]" for number in range(40_000))
    (folder / "run.yaml").write_text(f"{CLASSES}sweep: {{grid: {{{grid}}}}}\n")
    result = lossfw("validate", "run.yaml")
    assert result.exit_code == 2
    # Before its runs are made, which would take more than a hundred seconds.
    assert "error: sweep.grid should be a list of at most 100 items" in result.stdout


def test_the_batch_size_changes_no_digit_of_rows_from_a_table(lossfw, folder):
    (folder / "t.csv").write_text("0.0,0,0,0,0,0,0,0,0\n" * 2)
    (folder / "y.csv").write_text("1e+16,1.0,1,1,1,1,1,1,1\n0.5,0.5,0.5,0.5,0.5,0.5,0.5,0.5,0.5\n")
    (folder / "run.yaml").write_text(
        ARRAYS.replace("npy", "csv").replace("squared_error", "{name: absolute_error, per: row}")
    )
    for size in (1, 2, 100):
        done = lossfw("run", "run.yaml", "--json", "-o", f"evaluate.batch_size={size}")
        # The mean of 1e16 + 8 and 4.5, to the nearest float.
        assert json.loads(done.stdout)["loss"]["value"] == 5000000000000006.0


def test_two_trainings_do_not_share_a_folder(lossfw, folder, monkeypatch):
    (folder / "train.yaml").write_text(TRAINED)
    inside, over = threading.Event(), threading.Event()

    def waiting(*arguments, **options):
        inside.set()
        over.wait(HANGS)
        raise KeyboardInterrupt

    monkeypatch.setattr("lossfw.runs.trainings.train", waiting)
    first = threading.Thread(target=lossfw, args=("train", "train.yaml", "--out", "o"))
    first.start()
    try:
        assert inside.wait(HANGS)
        second = lossfw("train", "train.yaml", "--out", "o")
    finally:
        over.set()
        first.join()
    assert second.exit_code == 1
    assert "o is in use: another running process" in second.stderr
    assert not (folder / "o").exists()


def test_training_removes_what_a_killed_one_left(lossfw, folder):
    (folder / "train.yaml").write_text(TRAINED)
    (folder / "o").mkdir()
    (folder / "o" / ".checkpoint.npz.1234.tmp").write_bytes(b"half")
    assert lossfw("train", "train.yaml", "--out", "o").exit_code == 0
    names = sorted(path.name for path in (folder / "o").iterdir())
    assert names == ["checkpoint.npz", "config.yaml", "status", "training.json", "weights.npz"]


@pytest.mark.parametrize("changed", ["t.npy", "y.npy"])
def test_an_array_that_changes_while_it_is_read_gives_no_number(
    lossfw, folder, monkeypatch, changed
):
    for name in ("t.npy", "y.npy"):
        np.save(folder / name, np.zeros(5000))
    (folder / "run.yaml").write_text(ARRAYS)
    add = EvaluationState.add

    def add_and_change(state, rows):
        np.save(folder / changed, np.ones(5000))
        return add(state, rows)

    monkeypatch.setattr(EvaluationState, "add", add_and_change)
    result = lossfw("run", "run.yaml", "--out", "o")
    assert result.exit_code == 2
    assert f"{changed} has changed while lossfw was reading it" in result.stderr
    assert not (folder / "o" / "metrics.json").exists()
