"""Plugins follow a run: what they get, and what one that fails cannot do."""

import json

import pytest

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


def test_one_that_raises_is_named_and_not_called_again_and_the_run_goes_on(
    lossfw, folder, write, told, monkeypatch
):
    monkeypatch.setattr("lossfw.losses.engine.reduction.BLOCK_ELEMENTS", 1024)
    write(rows=1000)
    plugins = ["--plugin", plugin(folder, FAILING, "a.py"), "--plugin", plugin(folder, FOLLOWER)]
    done = lossfw("run", "run.yaml", *plugins, "--out", "out")
    assert done.exit_code == 0
    again = "failed and is not called again:"
    assert [line.removeprefix("lossfw: warning: ") for line in done.stderr.splitlines()] == [
        f"plugin a.py: lossfw_run_start {again} ValueError: no server to tell",
        f"plugin a.py: lossfw_progress {again} SystemExit: 3",
        "plugin a.py: lossfw_report returned int, expected a string",
    ]
    start, *others, end = (line["hook"] for line in told())
    assert (start, {*others}, end) == ("start", {"progress"}, "end")
    assert len(others) > 1
    warnings = json.loads((folder / "out/run.json").read_text())["warnings"]
    assert [warning for warning in warnings if "plugin a.py" in warning] == [
        line.removeprefix("lossfw: warning: ") for line in done.stderr.splitlines()[:2]
    ]


def test_an_interrupt_by_the_user_passes(lossfw, folder, write):
    write()
    source = FAILING.replace('ValueError("no server\\nto tell")', "KeyboardInterrupt")
    done = lossfw("run", "run.yaml", "--plugin", plugin(folder, source))
    assert (done.exit_code, done.stderr) == (130, "lossfw: interrupted\n")


def test_an_installed_plugin_that_fails_is_called_by_its_label(install, lossfw, write):
    install("acme-tracker", {"track": "acme_tracker"}, {"acme_tracker": FAILING})
    write()
    done = lossfw("run", "run.yaml", "--out", "out")
    assert done.exit_code == 0
    assert "plugin acme-tracker[track]: lossfw_run_start failed" in done.stderr
