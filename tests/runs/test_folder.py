"""The run folder: what stands in it, who may write to it, and how a run goes on there."""

import json
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


def read(path):
    return json.loads(path.read_text())


class TestWhatStandsInIt:
    def test_all_that_says_how_the_numbers_came_about(self, lossfw, folder):
        (folder / "run.yaml").write_text(FULL)
        done = lossfw("run", "run.yaml", "-o", "loss.delta=1e-6", "--out", "out")
        assert (done.exit_code, done.stderr) == (0, "")
        assert names(folder / "out") == ["config.yaml", "metrics.json", "run.json", "status"]
        record, numbers = read(folder / "out/run.json"), read(folder / "out/metrics.json")
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

    def test_a_configuration_of_the_user_s_own_is_not_written_over(self, lossfw, folder, write):
        write(name="config.yaml")
        before = {path: path.read_bytes() for path in folder.iterdir()}
        refused = lossfw("run", "config.yaml", "--out", ".")
        assert (refused.exit_code, refused.stdout) == (1, "")
        assert "config.yaml was not written by a run" in refused.stderr
        assert {path: path.read_bytes() for path in folder.iterdir()} == before
        assert lossfw("run", "config.yaml", "--out", "out").exit_code == 0
        again = lossfw("run", "out/config.yaml", "-o", "loss.delta=1e-3", "--out", "out")
        assert (again.exit_code, again.stdout) == (1, "")
        assert "is the configuration to run" in again.stderr
        assert lossfw("run", "out/config.yaml", "--out", "out", "--resume").exit_code == 0


class TestGoingOn:
    def test_a_folder_that_is_not_there_is_begun(self, lossfw, folder, write):
        write()
        assert lossfw("run", "run.yaml", "--out", "out", "--resume").exit_code == 0
        assert (folder / "out/status").read_text() == "done\n"

    def test_another_run_is_refused(self, lossfw, folder, write):
        write()
        lossfw("run", "run.yaml", "--out", "out")
        before = {path: path.read_bytes() for path in (folder / "out").iterdir()}
        other = lossfw("run", "run.yaml", "-o", "loss.delta=1e-3", "--out", "out", "--resume")
        assert (other.exit_code, other.stdout) == (2, "")
        for word in ("out holds another run (run.yaml, digest", "differ", "Name another folder"):
            assert word in other.stderr
        assert {path: path.read_bytes() for path in (folder / "out").iterdir()} == before

    def test_a_run_that_failed_is_tried_again(self, lossfw, folder, write, monkeypatch):
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

    @pytest.mark.parametrize("content", [b"SQLite format 3\0", b"PK\x03\x04 nothing", b"text"])
    def test_a_file_of_something_else_is_told(self, lossfw, folder, write, content):
        write()
        lossfw("run", "run.yaml", "--out", "out")
        (folder / "out/status").write_text("running\n")
        (folder / "out/unfinished.sqlite").write_bytes(content)
        done = lossfw("run", "run.yaml", "--out", "out", "--resume")
        assert (done.exit_code, done.stdout) == (2, "")
        assert "unfinished.sqlite is not the file of an unfinished run, or damaged" in done.stderr
        assert lossfw("run", "run.yaml", "--out", "out").exit_code == 0

    def test_going_on_needs_a_folder(self, lossfw, write):
        write()
        done = lossfw("run", "run.yaml", "--resume")
        assert done.exit_code == 2
        assert "give --out DIR too" in done.stderr

    def test_a_metric_that_packs_nothing_is_no_hindrance(self, lossfw, folder, write, monkeypatch):
        monkeypatch.setattr("lossfw.runs.journal.COMMIT_SECONDS", 0.0)
        (folder / "mine.py").write_text(
            "from lossfw import Metric\n\n\nclass Rows:\n    def __init__(self, n):\n"
            "        self.n = n\n\n    def merge(self, other):\n"
            "        return Rows(self.n + other.n)\n\n\nclass HowMany(Metric):\n"
            '    """Rows."""\n\n    def partial(self, y, t, **options):\n'
            "        return Rows(len(t))\n\n    def result(self, partial):\n"
            "        return partial.n\n"
        )
        write(
            config="lossfw: 1\nplugins: [mine.py]\ndata: {name: arrays, targets: t.npy}\n"
            "network: {predictions: p.npy}\nloss: cross_entropy\n"
            "evaluate: {metrics: [how_many]}\n"
        )
        done = lossfw("run", "run.yaml", "--json", "--out", "out")
        assert done.exit_code == 0, done.stderr
        assert json.loads(done.stdout)["metrics"]["how_many"]["value"] == 20


class TestWhoMayWrite:
    def test_a_folder_in_use_by_a_live_process_is_refused(self, lossfw, folder, write):
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

    def test_a_disk_that_fills_up_early_leaves_the_folder_as_it_was(self, lossfw, folder, write):
        write()
        lossfw("run", "run.yaml", "--out", "out")
        before = {path: path.read_bytes() for path in (folder / "out").iterdir()}
        done = self.limited(folder, 100, "-o", "loss.delta=1e-3")
        assert done.returncode == 1
        assert json.loads(done.stdout)["count"] == 20
        assert "cannot be written" in done.stderr
        assert {path: path.read_bytes() for path in (folder / "out").iterdir()} == before

    @pytest.mark.slow
    # SQLite holds some megabytes in memory until it writes them.
    @pytest.mark.parametrize(
        ("rows", "file"), [(2_000, "results.jsonl"), (30_000, "unfinished.sqlite")]
    )
    def test_a_disk_that_fills_up_while_rows_are_written_costs_no_number(
        self, lossfw, folder, write, rows, file
    ):
        write(rows=rows)
        done = self.limited(folder, 20_000)
        assert done.returncode == 1
        assert json.loads(done.stdout)["count"] == rows
        assert f"{file} cannot be written" in done.stderr
        assert "Traceback" not in done.stderr
        assert (folder / "out/status").read_text() == "failed\n"
        assert "cannot be written" in (folder / "out/error.txt").read_text()
        assert not (folder / "out/metrics.json").exists()

    def limited(self, folder, size, *arguments):
        command = ["run", "run.yaml", "--json", "--out", "out", *arguments]
        return run_limited(size, *command, folder=folder)


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
    shown = lossfw("run", "run.yaml", "--dry-run")
    assert plan["digest"][:12] in shown.stdout
    wrong = lossfw("run", "run.yaml", "--dry-run", "-o", "loss.name=cross_entropi")
    assert wrong.exit_code == 2
    assert "did you mean" in wrong.stderr
