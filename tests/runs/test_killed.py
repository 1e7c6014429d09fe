"""A run that is killed at any moment goes on to the same bytes."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from support.waiting import HANGS

KILLING = Path(__file__).parents[1] / "support" / "killing.py"

# Every operation on a file, and few numbers.
SMALL = """\
lossfw: 1
data: {name: arrays, targets: t.npy, sample_weight: w.npy}
network: {predictions: p.npy}
loss: {name: cross_entropy, guard: none}
evaluate: {rows: true, metrics: [accuracy]}
"""

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")


def kill(config, *how):
    environment = {**os.environ, "OPENBLAS_NUM_THREADS": "1", "LOSSFW_THREADS": "1"}
    command = [sys.executable, str(KILLING), str(config), str(config.parent / "out"), *how]
    done = subprocess.run(
        command, capture_output=True, text=True, env=environment, timeout=HANGS, check=False
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_killed_at_a_few_random_moments(write):
    said = kill(write(rows=3_000), "moments", "6", "0")
    assert said["wrong"] == []
    assert said["tried"] == 6
    assert said["killed"]


@pytest.mark.slow
def test_killed_at_a_hundred_random_moments(write):
    said = kill(write(rows=12_000), "moments", "100", "1")
    assert said["wrong"] == []
    assert said["tried"] == 100
    assert said["killed"] > 80
    assert said["kept"] > 40


@pytest.mark.parametrize("how", ["operations", pytest.param("over", marks=pytest.mark.slow)])
def test_killed_before_every_operation_on_a_file(write, how):
    said = kill(write(rows=400, config=SMALL), how)
    assert said["wrong"] == []
    assert said["killed"] == said["tried"] - 1 > 20
    assert said["kept"] > 3
