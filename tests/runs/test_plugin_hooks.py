"""Plugins follow a run: what they get, and what one that fails cannot do."""

import json

import numpy as np
import pytest

from support.plugin_sources import FOURTH

FOLLOWER = """\
import json
from pathlib import Path

from lossfw import hookimpl


def note(**told):
    with Path("told.jsonl").open("a") as file:
        file.write(json.dumps(told) + "\\n")


@hookimpl
def lossfw_run_start(run):
    note(hook="start", name=run.name, seed=run.seed, digest=run.plan.digest,
         folder=None if run.folder is None else str(run.folder))


@hookimpl
def lossfw_progress(run, done, total):
    note(hook="progress", done=done, total=total)


@hookimpl
def lossfw_run_end(run, result):
    there = run.folder is not None and (run.folder / "metrics.json").exists()
    note(hook="end", loss=None if result is None else result.loss, there=there)


@hookimpl
def lossfw_report(run, result):
    return f"{run.name} lost {result.loss:.3f}"
"""

FAILING = """\
from lossfw import hookimpl


@hookimpl
def lossfw_run_start(run):
    raise ValueError("no server\\nto tell")


@hookimpl
def lossfw_progress():
    raise SystemExit(3)


@hookimpl
def lossfw_report(run, result):
    return 7
"""


@pytest.fixture
def told(folder, lines):
    return lambda: lines(folder / "told.jsonl")


def plugin(folder, source, name="follower.py"):
    (folder / name).write_text(source)
    return name


@pytest.mark.parametrize("out", [[], ["--out", "out"]])
def test_a_local_plugin_is_told_what_becomes_of_a_run(lossfw, folder, write, told, out):
    write(rows=10)
    done = lossfw("run", "run.yaml", "--json", "--plugin", plugin(folder, FOLLOWER), *out)
    assert (done.exit_code, done.stderr) == (0, "")
    start, *progress, end = told()
    numbers = json.loads(done.stdout)
    assert start == {"hook": "start", "name": "run", "seed": 0} | {
        "digest": numbers["digest"],
        "folder": "out" if out else None,
    }
    assert progress == [{"hook": "progress", "done": 10, "total": 10}]
    assert end == {"hook": "end", "loss": numbers["loss"]["value"], "there": bool(out)}


def test_a_text_of_a_plugin_stands_below_the_report(lossfw, folder, write):
    write()
    done = lossfw("run", "run.yaml", "--plugin", plugin(folder, FOLLOWER))
    assert done.stdout.splitlines()[-1].startswith("run lost 1.")


def test_one_that_raises_is_named_and_the_run_goes_on(lossfw, folder, write, told):
    write()
    plugins = [
        option
        for name, source in (("a.py", FAILING), ("b.py", FOLLOWER))
        for option in ("--plugin", plugin(folder, source, name))
    ]
    done = lossfw("run", "run.yaml", *plugins, "--out", "out")
    assert done.exit_code == 0
    again = "failed and is not called again:"
    assert [line.removeprefix("lossfw: warning: ") for line in done.stderr.splitlines()] == [
        f"plugin a.py: lossfw_run_start {again} ValueError: no server to tell",
        f"plugin a.py: lossfw_progress {again} SystemExit: 3",
        "plugin a.py: lossfw_report returned int, expected a string",
    ]
    assert [line["hook"] for line in told()] == ["start", "progress", "end"]
    warnings = json.loads((folder / "out/run.json").read_text())["warnings"]
    assert [warning for warning in warnings if "plugin a.py" in warning] == [
        line.removeprefix("lossfw: warning: ") for line in done.stderr.splitlines()[:2]
    ]


def test_a_hook_that_failed_is_not_called_again(lossfw, folder, write, monkeypatch):
    monkeypatch.setattr("lossfw.losses.engine.reduction.BLOCK_ELEMENTS", 1024)
    write(rows=1000)
    done = lossfw("run", "run.yaml", "--plugin", plugin(folder, FAILING))
    assert done.stderr.count("lossfw_progress failed") == 1


def test_an_interrupt_by_the_user_passes(lossfw, folder, write):
    write()
    source = FAILING.replace('ValueError("no server\\nto tell")', "KeyboardInterrupt")
    done = lossfw("run", "run.yaml", "--plugin", plugin(folder, source))
    assert (done.exit_code, done.stderr) == (130, "lossfw: interrupted\n")


def test_the_end_of_a_run_that_fails_is_told(lossfw, folder, write, told):
    # Beyond the rows that are tried before a run.
    write(
        rows=5000,
        config="lossfw: 1\ndata: {name: arrays, targets: t.npy}\n"
        "network: {predictions: p.npy}\nloss: cross_entropy\n",
    )
    predictions = np.load(folder / "p.npy")
    predictions[4500, 0] = 1.5
    np.save(folder / "p.npy", predictions)
    done = lossfw("run", "run.yaml", "--plugin", plugin(folder, FOLLOWER), "--out", "out")
    assert done.exit_code == 2
    assert told()[-1] == {"hook": "end", "loss": None, "there": False}
    assert (folder / "out/status").read_text() == "failed\n"
    assert "prediction[4500] = [1.5," in (folder / "out/error.txt").read_text()


def test_installed_plugins_follow_runs_with_a_folder(install, lossfw, folder, write, told):
    install("acme-tracker", {"track": "acme_tracker"}, {"acme_tracker": FOLLOWER})
    write()
    # A run that only shows its numbers does not wait for anybody's import.
    assert lossfw("run", "run.yaml").exit_code == 0
    assert not (folder / "told.jsonl").exists()
    assert lossfw("run", "run.yaml", "--out", "out").exit_code == 0
    assert [line["hook"] for line in told()] == ["start", "progress", "end"]
    (folder / "told.jsonl").unlink()
    assert lossfw("run", "run.yaml", "--out", "out", "--disable", "acme-tracker").exit_code == 0
    assert not (folder / "told.jsonl").exists()


def test_an_installed_plugin_that_fails_is_called_by_its_label(install, lossfw, write):
    install("acme-tracker", {"track": "acme_tracker"}, {"acme_tracker": FAILING})
    write()
    done = lossfw("run", "run.yaml", "--out", "out")
    assert done.exit_code == 0
    assert "plugin acme-tracker[track]: lossfw_run_start failed" in done.stderr


def test_what_was_done_before_is_told_to_nobody(lossfw, folder, write, told):
    write()
    name = plugin(folder, FOLLOWER)
    lossfw("run", "run.yaml", "--plugin", name, "--out", "out")
    (folder / "told.jsonl").unlink()
    again = lossfw("run", "run.yaml", "--plugin", name, "--out", "out", "--resume")
    assert again.exit_code == 0
    assert not (folder / "told.jsonl").exists()


def test_a_file_may_offer_components_and_follow_runs(lossfw, folder, write, told):
    write(
        config="lossfw: 1\ndata: {name: inline, targets: [0.5]}\n"
        "network: {predictions: [1.5]}\nloss: fourth\n"
    )
    done = lossfw("run", "run.yaml", "--json", "--plugin", plugin(folder, FOLLOWER + FOURTH))
    assert json.loads(done.stdout)["loss"]["value"] == 1.0
    assert told()[-1]["loss"] == 1.0
