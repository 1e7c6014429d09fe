"""Catalogues of faulty and correct losses: a small one, and the one in ../shared/defects."""

import os
from pathlib import Path

import pytest

from lossfw.check.jobs import run_all
from support import catalogue

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
    beside = Path(__file__).parents[2] / ".." / "shared" / "defects"
    folder = Path(os.environ.get("LOSSFW_DEFECTS", beside))
    if not (folder / "losses.py").is_file():
        pytest.skip("no catalogue: neither in ../shared/defects nor in the folder LOSSFW_DEFECTS")
    return folder


def check(folder, **options):
    return list(run_all(catalogue.jobs(folder, **options), processes=1))


def test_a_small_catalogue(small):
    honest, liar = check(small, examples=10)
    assert (honest.name, honest.refuted) == ("honest", [])
    assert (liar.name, [r.check for r in liar.refuted]) == ("liar", ["claim:lipschitz"])
    snippet = liar.refuted[0].snippet
    compile(snippet, "snippet", "exec")
    assert str(small) in snippet


def test_the_truth_is_for_the_score_alone(small):
    without = [report.to_dict() for report in check(small, examples=10)]
    (small / "truth.py").write_text(TRUTH)
    beside = check(small, examples=10)
    assert [report.to_dict() for report in beside] == without
    score = catalogue.score(beside, catalogue.truth(small))
    assert score == catalogue.Score(["liar"], [], [], [])


def test_what_is_missed_and_what_is_a_false_alarm_shows(small):
    swapped = (
        TRUTH.replace('"honest"', '"x"').replace('"liar"', '"honest"').replace('"x"', '"liar"')
    )
    (small / "truth.py").write_text(swapped)
    score = catalogue.score(check(small, examples=10), catalogue.truth(small))
    assert score == catalogue.Score(["honest"], ["honest"], [], ["liar"])


def test_a_sample_of_the_shared_catalogue(defects):
    sample = catalogue.jobs(defects, examples=60)[::18]
    score = catalogue.score(list(run_all(sample, processes=1)), catalogue.truth(defects))
    assert score == catalogue.Score(score.faulty, [], [], [])


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(5))
def test_the_whole_shared_catalogue(seed, defects):
    reports = list(run_all(catalogue.jobs(defects, seed=seed)))
    score = catalogue.score(reports, catalogue.truth(defects))
    print(f"seed {seed}: {score}")
    assert score.missed == score.alarms == []
    assert len(score.elsewhere) <= 0.05 * len(score.faulty)
