"""The catalogue of faulty and correct losses in ../shared/defects."""

import os
from pathlib import Path

import pytest

from lossfw.check.pool import run_all
from support import catalogue


@pytest.fixture(scope="session")
def defects():
    """Return the folder of the shared catalogue, or skip."""
    default = Path(__file__).parents[2] / ".." / "shared" / "defects"
    folder = Path(os.environ.get("LOSSFW_DEFECTS", default)).resolve()
    if not (folder / "losses.py").is_file():
        pytest.skip("no catalogue: neither in ../shared/defects nor in the folder LOSSFW_DEFECTS")
    return str(folder)


def scored(folder, jobs, **options):
    return catalogue.score(list(run_all(jobs, **options)), catalogue.load(folder, "truth").TRUTH)


@pytest.mark.slow
def test_a_sample_of_the_shared_catalogue(defects):
    score = scored(defects, catalogue.jobs(defects, examples=60)[::18], processes=1)
    assert score == catalogue.Score(score.faulty, [], [], [])


@pytest.mark.slow
@pytest.mark.long
@pytest.mark.parametrize("seed", range(5))
def test_the_whole_shared_catalogue(seed, defects):
    score = scored(defects, catalogue.jobs(defects, seed=seed))
    print(f"seed {seed}: {score}")
    assert score.missed == score.alarms == []
    assert len(score.elsewhere) <= 0.05 * len(score.faulty)
