"""The run folder: what stands in it, who may write to it, how a run goes on there or again."""

import json
import shutil
import subprocess
import sys

import numpy as np
import pytest

from lossfw.runs import execute, recorder
from support.configs import DIGITS
from support.full_disk import run_limited

HOLD = """\
import sys
from pathlib import Path
from lossfw.runs.lock import hold_lock
with hold_lock(Path("out")):
    print("held", flush=True)
    sys.stdin.read()
"""

FULL = f"{DIGITS}seed: 7\nevaluate: {{metrics: [accuracy]}}\n"


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def contents(folder):
    return {path: path.read_bytes() for path in folder.iterdir()}


def test_all_that_says_how_the_numbers_came_about(lossfw, folder):
    (folder / "run.yaml").write_text(FULL)
    done = lossfw("run", "run.yaml", "-o", "loss.delta=1e-6", "--out", "out")
    assert (done.exit_code, done.stderr) == (0, "")
    assert names(folder / "out") == ["config.yaml", "metrics.json", "run.json", "status"]
    record, numbers = (
        json.loads((folder / "out" / name).read_text()) for name in ("run.json", "metrics.json")
    )
    assert record["seed"] == 7
    assert (record["config"], record["overrides"]) == ("run.yaml", ["loss.delta=1e-6"])
    assert record["data"]["name"] == "digits (test)"
    assert record["data"]["rows"] == numbers["count"] == 597
    assert record["digest"] == numbers["digest"]
    assert record["numpy"] == np.__version__
    assert [plugin["name"] for plugin in record["plugins"]] == ["lossfw"]
    assert len(record["weights"]) == len(record["data"]["digest"]) == 64
    assert record["seconds"] > 0
    assert set(record["timings"]) >= {"read", "forward", "loss", "accuracy"}
    assert record["started"].endswith("+00:00")


def test_a_configuration_of_the_user_s_own_is_not_written_over(lossfw, folder, write):
    write(name="config.yaml")
    before = contents(folder)
    refused = lossfw("run", "config.yaml", "--out", ".")
    assert (refused.exit_code, refused.stdout) == (1, "")
    assert "config.yaml was not written by a run" in refused.stderr
    assert contents(folder) == before
    assert lossfw("run", "config.yaml", "--out", "out").exit_code == 0
    again = lossfw("run", "out/config.yaml", "-o", "loss.delta=1e-3", "--out", "out")
    assert (again.exit_code, again.stdout) == (1, "")
    assert "is the configuration to run" in again.stderr
    assert lossfw("run", "out/config.yaml", "--out", "out", "--resume").exit_code == 0


def test_a_folder_that_is_not_there_is_begun_and_another_run_is_refused(lossfw, folder, write):
    write()
    run = ("run", "run.yaml", "--resume")
    assert "give --out DIR too" in lossfw(*run).stderr
    assert lossfw(*run, "--out", "out").exit_code == 0
    assert (folder / "out/status").read_text() == "done\n"
    before = contents(folder / "out")
    other = lossfw(*run, "--out", "out", "-o", "loss.delta=1e-3")
    assert (other.exit_code, other.stdout) == (2, "")
    for word in ("out holds another run (run.yaml, digest", "differ", "Name another folder"):
        assert word in other.stderr
    assert contents(folder / "out") == before


def test_a_run_that_failed_is_tried_again(lossfw, folder, write, monkeypatch):
    write()

    def fail(*arguments, **options):
        raise RuntimeError("no luck")

    with monkeypatch.context() as patch:
        patch.setattr(execute, "evaluate", fail)
        assert lossfw("run", "run.yaml", "--out", "out").exit_code == 1
    assert (folder / "out/status").read_text() == "failed\n"
    assert (folder / "out/error.txt").read_text() == "no luck\n"
    assert not (folder / "out/metrics.json").exists()
    assert lossfw("run", "run.yaml", "--out", "out", "--resume").exit_code == 0
    assert (folder / "out/status").read_text() == "done\n"
    assert not (folder / "out/error.txt").exists()


PACKS_NOTHING = '''
from lossfw import Metric


class Rows:
    def __init__(self, n):
        self.n = n

    def merge(self, other):
        return Rows(self.n + other.n)


class HowMany(Metric):
    """Rows."""

    def partial(self, y, t, **options):
        return Rows(len(t))

    def result(self, partial):
        return partial.n
'''


def test_a_metric_that_packs_nothing_is_no_hindrance(lossfw, folder, write, often):
    (folder / "mine.py").write_text(PACKS_NOTHING)
    write()
    more = ("-o", "plugins=[mine.py]", "-o", "evaluate={metrics: [how_many]}")
    done = lossfw("run", "run.yaml", *more, "--json", "--out", "out")
    assert done.exit_code == 0, done.stderr
    assert json.loads(done.stdout)["metrics"]["how_many"]["value"] == 20


def test_a_folder_in_use_by_a_live_process_is_refused(lossfw, folder, write):
    pytest.importorskip("fcntl")
    write()
    (folder / "out").mkdir()
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    holding = subprocess.Popen([sys.executable, "-c", HOLD], **pipes)
    assert holding.stdout.readline() == b"held\n"
    refused = lossfw("run", "run.yaml", "--out", "out", "--resume")
    assert (refused.exit_code, refused.stdout) == (1, "")
    assert "out is in use: another running process" in refused.stderr
    assert names(folder / "out") == []
    # Killed, it holds nothing any more.
    holding.kill()
    holding.communicate()
    assert lossfw("run", "run.yaml", "--out", "out").exit_code == 0


def limited(folder, size, *arguments):
    """Run where no file may have more bytes."""
    command = ["run", "run.yaml", "--json", "--out", "out", *arguments]
    done = run_limited(size, *command, folder=folder)
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    return json.loads(done.stdout)["count"], done.stderr


def test_a_disk_that_fills_up_early_leaves_the_folder_as_it_was(lossfw, folder, write):
    write()
    lossfw("run", "run.yaml", "--out", "out")
    before = contents(folder / "out")
    count, told = limited(folder, 100, "-o", "loss.delta=1e-3")
    assert count == 20
    assert "cannot be written" in told
    assert contents(folder / "out") == before
    # Where there was none, none is left.
    shutil.rmtree(folder / "out")
    limited(folder, 100)
    assert not (folder / "out").exists()


@pytest.mark.slow
# SQLite holds some megabytes in memory until it writes them.
@pytest.mark.parametrize(
    ("rows", "file"), [(2_000, "results.jsonl"), (30_000, "unfinished.sqlite")]
)
def test_a_disk_that_fills_up_while_rows_are_written_costs_no_number(folder, write, rows, file):
    write(rows=rows)
    count, told = limited(folder, 20_000)
    assert count == rows
    assert f"{file} cannot be written" in told
    assert (folder / "out/status").read_text() == "failed\n"
    assert "cannot be written" in (folder / "out/error.txt").read_text()
    assert not (folder / "out/metrics.json").exists()


def test_a_dry_run_checks_everything_and_writes_nothing(lossfw, folder, write, monkeypatch):
    write()
    monkeypatch.setattr(execute, "evaluate", None)
    monkeypatch.setattr(recorder, "record_run", None)
    done = lossfw("run", "run.yaml", "--dry-run", "--json", "--out", "out")
    assert done.exit_code == 0, done.stderr
    (plan,) = json.loads(done.stdout)
    assert (plan["name"], plan["rows"], plan["folder"]) == ("run", 20, "out")
    assert plan["metrics"][0] == {"name": "accuracy"}
    assert not (folder / "out").exists()
    assert plan["digest"][:12] in lossfw("run", "run.yaml", "--dry-run").stdout
    wrong = lossfw("run", "run.yaml", "--dry-run", "-o", "loss.name=cross_entropi")
    assert wrong.exit_code == 2
    assert "did you mean" in wrong.stderr


@pytest.fixture
def done(lossfw, folder, write):
    """A run that is done, in ``out``."""
    write()
    assert lossfw("run", "run.yaml", "--out", "out").exit_code == 0
    return folder / "out"


def differences(lossfw, code=1):
    found = lossfw("rerun", "out", "--json")
    assert found.exit_code == code, found.stderr
    said = json.loads(found.stdout)
    assert said["same"] == (code == 0)
    return {(d["kind"], d["what"]): (d["then"], d["now"]) for d in said["differences"]}


def test_the_same_is_the_same_from_anywhere(lossfw, done, monkeypatch):
    before = {path: path.read_bytes() for path in done.iterdir()}
    assert differences(lossfw, 0) == {}
    shown = lossfw("rerun", "out")
    assert shown.stdout == "out: the same numbers, versions and digests\n"
    monkeypatch.chdir("/")
    assert lossfw("rerun", done).exit_code == 0
    assert {path: path.read_bytes() for path in done.iterdir()} == before


def test_other_data_are_named_with_the_numbers_that_they_change(lossfw, done, folder):
    targets = np.load(folder / "t.npy")
    targets[0] = (targets[0] + 1) % 3
    np.save(folder / "t.npy", targets)
    found = differences(lossfw)
    assert {("digest", "data"), ("digest", "run"), ("number", "loss.value")} <= set(found)
    assert ("digest", "weights") not in found
    then, now = found["number", "loss.value"]
    assert then == json.loads((done / "metrics.json").read_text())["loss"]["value"] != now
    assert not any(kind == "version" for kind, _ in found)


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda out: (out / "run.json").unlink(), "it has no run.json"),
        (lambda out: (out / "config.yaml").unlink(), "it has no config.yaml"),
        (lambda out: (out / "run.json").write_text("[]"), "is not a JSON object"),
        (lambda out: (out / "metrics.json").write_text("{"), "cannot be read"),
        (lambda out: (out.parent / "p.npy").unlink(), "there is no file"),
        (lambda out: (out / "status").write_text("running\n"), "a run that is not done"),
    ],
)
def test_a_folder_without_a_whole_run_is_refused(lossfw, done, spoil, message):
    spoil(done)
    refused = lossfw("rerun", "out")
    assert (refused.exit_code, refused.stdout) == (2, "")
    assert message in refused.stderr
    assert "Traceback" not in refused.stderr
    assert "is not a folder; expected that of a run" in lossfw("rerun", "nowhere").stderr
