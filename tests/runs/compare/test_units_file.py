"""Runs that are paired by the sums of their units, without their rows."""

import json

import numpy as np
import pytest
from click.testing import CliRunner

from lossfw.cli import main
from lossfw.errors import DataError
from lossfw.runs.units_file import read_units

ROWS = 2000
CONFIG = """\
lossfw: 1
data: {name: arrays, file: visits.csv, inputs_key: [x], targets_key: y}
network: {predictions: a.npy}
loss: squared_error
evaluate:
  metrics: [mae, r2, {name: quantile_coverage}]
  intervals: {resample: column.patient}
"""


@pytest.fixture
def command(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    random = np.random.default_rng(1)
    patient = np.repeat(np.arange(40), 50)
    y = random.normal(size=40)[patient] + random.normal(size=ROWS)
    lines = [
        f"{x},{t},p{who},{row // 20}"
        for row, (x, t, who) in enumerate(zip(y, y, patient, strict=True))
    ]
    (tmp_path / "visits.csv").write_text("x,y,patient,day\n" + "\n".join(lines) + "\n")
    (tmp_path / "run.yaml").write_text(CONFIG)
    shift = random.normal(size=40)[patient]
    for name, noise in (("a", shift), ("b", random.normal(size=40)[patient])):
        np.save(tmp_path / f"{name}.npy", y + noise + 0.3 * random.normal(size=ROWS))

    def run(*arguments, code=0):
        result = CliRunner().invoke(main, arguments)
        assert result.exit_code == code, result.output + result.stderr
        return result

    return run


def made(command, *overrides):
    for name in ("a", "b"):
        given = [f"network.predictions={name}.npy", *overrides]
        command("run", "run.yaml", "--out", name, *(x for one in given for x in ("-o", one)))


def compared(command, *arguments):
    found = json.loads(command("compare", "a", "b", "--json", *arguments).stdout)
    return found, found["runs"][1]["differences"]


METRICS = "evaluate.metrics=[mae, r2]"


def test_sums_and_rows_give_the_same_differences(command, tmp_path):
    made(command, "evaluate.save_rows=true", METRICS)
    found, by_sums = compared(command)
    assert found["paired_by"] == "40 patients (column.patient)"
    for name in ("a", "b"):
        (tmp_path / name / "units.npz").unlink()
    found, by_rows = compared(command)
    assert found["paired_by"] == "40 patients (column.patient)"
    for name, number in by_sums.items():
        assert number["value"] == by_rows[name]["value"]
        assert number["interval"] == pytest.approx(by_rows[name]["interval"], rel=1e-9)


def test_other_units_need_the_rows(command):
    made(command, METRICS)
    found, differences = compared(command, "--resample", "rows")
    assert [one["interval"] for one in differences.values()] == [None, None, None]
    assert "have no rows" in found["notes"][0]
    made(command, METRICS, "evaluate.save_rows=true")
    found, rows = compared(command, "--resample", "rows")
    assert found["paired_by"] == "2,000 rows taken as independent"
    found, patients = compared(command)
    narrow, wide = (np.ptp(one["loss"]["interval"]) for one in (rows, patients))
    assert 3 < wide / narrow < 10
    found, _ = compared(command, "--resample", "{time: column.day, blocks: 10}")
    assert found["paired_by"] == "10 blocks of time (column.day)"


def test_runs_of_different_units_are_refused_unless_one_is_named(command):
    made(command, METRICS, "evaluate.save_rows=true")
    given = [
        "-o",
        "evaluate.intervals.resample=rows",
        "-o",
        METRICS,
        "-o",
        "evaluate.save_rows=true",
    ]
    command("run", "run.yaml", "--out", "b", *given)
    said = command("compare", "a", "b", code=2).stderr
    assert "the intervals of a are of column.patient, but those of b of rows" in said
    assert "--resample rows" in said
    assert compared(command, "--resample", "column.patient")[0]["paired_by"].startswith(
        "40 patients"
    )


@pytest.mark.parametrize(
    ("units", "said"),
    [
        ("column.doctor", "have no column 'doctor'; they have patient"),
        ("patient", "A column of the data is column.patient"),
        ("groups", "have no groups, which resample: groups takes"),
        ("{time: column.patient}", "expected numbers or dates"),
        ("{time: 3}", "time should be column.NAME, or row"),
        ("{time: column.day, blocks: 2}", "blocks should be auto, or a whole number from 5"),
        ("{", "expected rows, groups, column.NAME"),
    ],
)
def test_units_that_make_no_sense(command, units, said):
    made(command, METRICS, "evaluate.save_rows=true")
    assert said in command("compare", "a", "b", "--resample", units, code=2).stderr


def test_a_damaged_file_is_told_and_the_rows_pair(command, tmp_path):
    made(command, METRICS, "evaluate.save_rows=true")
    path = tmp_path / "a" / "units.npz"
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(bytes(content))
    with pytest.raises(DataError, match=r"units.npz is damaged: run again, or remove"):
        read_units(tmp_path / "a")
    found, differences = compared(command)
    assert "units.npz is damaged" in found["notes"][0]
    assert differences["loss"]["interval"]
