"""Damaged folders of runs: every command that reads one ends in words."""

import json
import random
import shutil

import pytest
from click.testing import CliRunner

from lossfw.cli import main
from support.mutations import changed_value, damaged_bytes, verdict

RUN = """\
lossfw: 1
data: {name: inline, targets: [0, 1, 1, 0]}
network: {predictions: [[0.25, 0.75], [0.5, 0.5], [0.125, 0.875], [0.5, 0.5]]}
loss: cross_entropy
evaluate: {save_rows: true, metrics: [accuracy, confusion_matrix], slices: [target], intervals: {}}
"""
COMMANDS = [
    ("compare", "damaged", "whole"),
    ("compare", "damaged", "--json"),
    ("run", "run.yaml", "--out", "damaged", "--resume"),
    ("rerun", "damaged"),
]


def cases(folder, seed, count, commands):
    """Damage one file of a run, again and again, and return the commands that ended badly."""
    draw, runner, bad = random.Random(seed), CliRunner(), []
    names = sorted(path.name for path in (folder / "whole").iterdir())
    for number in range(count):
        shutil.rmtree(folder / "damaged", ignore_errors=True)
        shutil.copytree(folder / "whole", folder / "damaged")
        file = folder / "damaged" / draw.choice(names)
        content = file.read_bytes()
        if file.suffix == ".json" and draw.random() < 0.8:
            content = json.dumps(changed_value(draw, json.loads(content))).encode()
        else:
            content = damaged_bytes(draw, content)
        file.write_bytes(content)
        command = draw.choice(commands)
        if told := verdict(runner.invoke(main, command)):
            bad.append((seed, number, command, file.name, content[:400], told))
    return bad


@pytest.fixture
def runs(folder):
    (folder / "run.yaml").write_text(RUN)
    assert CliRunner().invoke(main, ["run", "run.yaml", "--out", "whole"]).exit_code == 0
    return folder


def test_a_damaged_folder_is_told_in_words(runs):
    assert not cases(runs, seed=0, count=60, commands=COMMANDS)


def test_a_record_without_its_parts_has_a_page(runs):
    pytest.importorskip("matplotlib")
    (runs / "whole" / "run.json").write_text('{"loss": 3}')
    assert CliRunner().invoke(main, ["report", "whole"]).exit_code == 0


def test_a_matrix_with_a_hole_is_shown(runs):
    file = runs / "whole" / "metrics.json"
    result = json.loads(file.read_text())
    result["metrics"]["confusion_matrix"]["value"][0][0] = None
    file.write_text(json.dumps(result))
    shown = CliRunner().invoke(main, ["run", "run.yaml", "--out", "whole", "--resume"])
    assert (shown.exit_code, " - 1" in shown.stdout) == (0, True)


@pytest.mark.slow
@pytest.mark.long
@pytest.mark.parametrize("seed", range(1, 11))
def test_many_damaged_folders_are_told_in_words(runs, seed):
    assert not cases(runs, seed, count=300, commands=COMMANDS)


@pytest.mark.slow
@pytest.mark.long
def test_a_report_of_a_damaged_folder_is_told_in_words(runs):
    pytest.importorskip("jinja2")
    assert not cases(runs, seed=100, count=60, commands=[("report", "damaged")])
