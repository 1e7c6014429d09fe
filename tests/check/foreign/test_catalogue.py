"""Catalogues of faulty and correct losses: a small one, and the one in ../shared/defects."""

import json
import os
from pathlib import Path

import pytest
from click.testing import CliRunner

from lossfw.check.batch import Options, run_all
from lossfw.check.foreign import catalogue
from lossfw.cli import main

ENTRY = """
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Entry:
    id: str
    kind: str
    prediction: str
    target: str
    value: object
    gradient: object = None
    hessian: object = None
    against: str = None
    params: dict = field(default_factory=dict)
    claims: dict = field(default_factory=dict)
    reduce: object = None
"""

LOSSES = """
import numpy as np
from entry import Entry


def square(y, t):
    y, t = np.asarray(y), np.asarray(t)
    if y.shape != t.shape:
        raise ValueError
    dtype = y.dtype if y.dtype.kind == "f" else float
    return ((y.astype(np.result_type(dtype, "f4")) - t) ** 2).astype(dtype)


ENTRIES = [
    Entry("honest", "distance", "REAL", "REAL", square, against="squared_error"),
    Entry("liar", "distance", "REAL", "REAL", square, claims={"lipschitz": 1.0}),
]
"""

TRUTH = """
TRUTH = {
    "honest": dict(verdict="correct", refuted_by=None),
    "liar": dict(verdict="faulty", refuted_by="claim:lipschitz"),
}
"""


@pytest.fixture
def small(tmp_path):
    for name, source in {"entry": ENTRY, "losses": LOSSES}.items():
        (tmp_path / f"{name}.py").write_text(source)
    return tmp_path


@pytest.fixture(scope="session")
def defects():
    """Return the folder of the shared catalogue, or skip."""
    beside = Path(__file__).parents[3] / ".." / "shared" / "defects"
    folder = Path(os.environ.get("LOSSFW_DEFECTS", beside))
    if not (folder / "losses.py").is_file():
        pytest.skip("no catalogue: neither in ../shared/defects nor in the folder LOSSFW_DEFECTS")
    return folder


def check(*arguments):
    return CliRunner().invoke(main, ["check", "--processes", "1", *map(str, arguments)])


def test_a_small_catalogue(small):
    result = check("--catalogue", small, "--examples", "10", "--json", small / "it.json")
    assert result.exit_code == 1
    lines = result.stdout.splitlines()
    assert lines[1].split() == ["honest", "not", "refuted"]
    assert lines[2].split() == ["liar", "claim:lipschitz"]
    reports = json.loads((small / "it.json").read_text())["reports"]
    assert [report["name"] for report in reports] == ["honest", "liar"]
    snippet = reports[1]["refuted"][0]["snippet"]
    compile(snippet, "snippet", "exec")
    assert str(small) in snippet


def test_the_truth_is_for_the_table_alone(small):
    without = check("--catalogue", small, "--examples", "10", "--json", small / "a.json")
    (small / "truth.py").write_text(TRUTH)
    beside = check("--catalogue", small, "--examples", "10", "--json", small / "b.json")
    assert (small / "a.json").read_bytes() == (small / "b.json").read_bytes()
    assert "right" not in without.stdout
    summary = "1 of 1 faulty entries refuted, 1 of them for the right reason; 0 alarms on 1"
    assert summary in beside.stdout


def test_what_is_missed_and_what_is_a_false_alarm_shows(small):
    swapped = (
        TRUTH.replace('"honest"', '"x"').replace('"liar"', '"honest"').replace('"x"', '"liar"')
    )
    (small / "truth.py").write_text(swapped)
    said = check("--catalogue", small, "--examples", "10").stdout
    assert "MISSED" in said
    assert "FALSE ALARM" in said


def test_a_broken_catalogue_is_told(small):
    (small / "losses.py").write_text("1 / 0")
    result = check("--catalogue", small)
    assert result.exit_code == 2
    assert "ZeroDivisionError" in result.stderr


def test_a_sample_of_the_shared_catalogue(defects):
    sample = catalogue.jobs(defects)[::9]
    reports = run_all(sample, Options(examples=60), processes=1)
    score = catalogue.score(reports, catalogue.truth(defects))
    assert score.refuted == score.right == score.faulty
    assert score.alarms == 0


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(5))
def test_the_whole_shared_catalogue(seed, defects):
    reports = run_all(catalogue.jobs(defects), Options(seed=seed))
    score = catalogue.score(reports, catalogue.truth(defects))
    print(f"seed {seed}: {score}")
    assert score.refuted == score.faulty
    assert score.right >= 0.95 * score.faulty
    assert score.alarms == 0
