"""Runs that are paired by the sums of their units, without their rows."""

import numpy as np
import pytest

from lossfw.errors import DataError
from lossfw.runs.units_file import read_units
from support.tables import write_columns

ROWS = 2000
CONFIG = """\
lossfw: 1
data: {name: arrays, file: visits.csv, inputs_key: [x], targets_key: y}
network: {predictions: a.npy}
loss: squared_error
evaluate: {metrics: [mae, r2], intervals: {resample: column.patient}}
"""
KEPT = "evaluate.save_rows=true"


@pytest.fixture
def pair(folder, made):
    """Make the runs a and b, with overrides."""
    random = np.random.default_rng(1)
    patient = np.repeat(np.arange(40), 50)
    y = random.normal(size=40)[patient] + random.normal(size=ROWS)
    columns = {"x": y, "y": y, "patient": [f"p{who}" for who in patient]}
    write_columns(folder / "visits.csv", columns | {"day": np.arange(ROWS) // 20})
    (folder / "run.yaml").write_text(CONFIG)
    shift = random.normal(size=40)[patient]
    for name, noise in (("a", shift), ("b", random.normal(size=40)[patient])):
        np.save(folder / f"{name}.npy", y + noise + 0.3 * random.normal(size=ROWS))

    def runs(*overrides):
        for name in ("a", "b"):
            made("run.yaml", name, f"network.predictions={name}.npy", *overrides)

    return runs


@pytest.fixture
def differences(compared):
    """Compare the runs; return what is said, and the differences."""

    def found(*arguments):
        said = compared("a", "b", *arguments)
        return said, said["runs"][1]["differences"]

    return found


def test_sums_and_rows_give_the_same_differences(pair, differences, folder):
    pair(KEPT)
    found, by_sums = differences()
    assert found["paired_by"] == "40 patients (column.patient)"
    for name in ("a", "b"):
        (folder / name / "units.npz").unlink()
    found, by_rows = differences()
    assert found["paired_by"] == "40 patients (column.patient)"
    for name, number in by_sums.items():
        assert number["value"] == by_rows[name]["value"]
        assert number["interval"] == pytest.approx(by_rows[name]["interval"], rel=1e-9)


def test_other_units_need_the_rows(pair, differences):
    pair()
    found, numbers = differences("--resample", "rows")
    assert [one["interval"] for one in numbers.values()] == [None, None, None]
    assert "have no rows" in found["notes"][0]
    pair(KEPT)
    found, rows = differences("--resample", "rows")
    assert found["paired_by"] == "2,000 rows taken as independent"
    narrow, wide = (np.ptp(one["loss"]["interval"]) for one in (rows, differences()[1]))
    assert 3 < wide / narrow < 10
    found, _ = differences("--resample", "{time: column.day, blocks: 10}")
    assert found["paired_by"] == "10 blocks of time (column.day)"


def test_runs_of_different_units_are_refused_unless_one_is_named(pair, made, refused, compared):
    pair(KEPT)
    made("run.yaml", "b", "evaluate.intervals.resample=rows", KEPT)
    told = refused("the intervals of a are of column.patient, but those of b of rows", "a", "b")
    assert "--resample rows" in told
    found = compared("a", "b", "--resample", "column.patient")
    assert found["paired_by"].startswith("40 patients")


@pytest.mark.parametrize(
    ("units", "said"),
    [
        ("column.doctor", "have no column 'doctor'; they have patient"),
        ("patient", "A column of the data is column.patient"),
        ("groups", "have no groups, which resample: groups takes"),
        ("{time: column.patient}", "expected numbers or dates"),
        ("{time: column.day, blocks: 2}", "blocks should be auto, or a whole number from 5"),
        ("{", "expected rows, groups, column.NAME"),
    ],
)
def test_units_that_make_no_sense(pair, refused, units, said):
    pair(KEPT)
    refused(said, "a", "b", "--resample", units)


def test_a_damaged_file_is_told_and_the_rows_pair(pair, differences, folder):
    pair(KEPT)
    path = folder / "a" / "units.npz"
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(bytes(content))
    with pytest.raises(DataError, match=r"units.npz is damaged: run again, or remove"):
        read_units(folder / "a")
    found, numbers = differences()
    assert "units.npz is damaged" in found["notes"][0]
    assert numbers["loss"]["interval"]
