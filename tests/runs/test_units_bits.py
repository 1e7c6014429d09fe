"""Intervals by unit have the same bits for any batches, threads and workers, and after kills."""

import json
import os
import subprocess
import sys

import numpy as np
import pytest

from support.killed import said_by
from support.waiting import HANGS

CONFIG = """\
lossfw: 1
data: {{name: arrays, file: rows.npz, targets_key: t}}
network: {{predictions: p.npy}}
loss: squared_error
evaluate:
  batch_size: 4096
  metrics: [mae, r2, roc_auc]
  slices: [column.half]
  intervals: {{resample: {units}}}
"""
UNITS = {
    "each row": "column.row",
    "rows": "rows",
    "all rows": "column.one",
    "many users": "column.user",
    "blocks": "{time: column.row}",
}
# More users, of the million, than a table keeps apart.
ROWS = 60_000


@pytest.fixture
def write(folder):
    """Write rows with columns of all kinds of units, and return the path of a configuration."""

    def made(units, rows=ROWS):
        random = np.random.default_rng(3)
        guesses = random.random(rows)
        np.save(folder / "p.npy", guesses)
        np.savez(
            folder / "rows.npz",
            t=(random.random(rows) < guesses).astype(float),
            row=np.arange(rows),
            one=np.zeros(rows),
            user=random.integers(0, 10**6, rows),
            half=np.arange(rows) % 2,
        )
        (folder / "run.yaml").write_text(CONFIG.format(units=UNITS[units]))
        return folder / "run.yaml"

    return made


def found_of(config, name, *options, threads=1):
    """Return the numbers and the sums by unit of a run in a process of its own."""
    out = config.parent / name
    command = [sys.executable, "-m", "lossfw", "run", str(config), "--out", str(out), *options]
    environment = {**os.environ, "LOSSFW_THREADS": str(threads), "OPENBLAS_NUM_THREADS": "1"}
    done = subprocess.run(
        command, capture_output=True, text=True, env=environment, timeout=HANGS, check=False
    )
    assert done.returncode == 0, done.stderr
    result = json.loads((out / "metrics.json").read_text())
    numbers = {key: result[key] for key in ("loss", "metrics", "intervals", "slices")}
    return numbers, (out / "units.npz").read_bytes()


@pytest.mark.slow
@pytest.mark.parametrize("units", UNITS)
def test_no_batch_size_thread_or_worker_changes_a_bit(write, units):
    config = write(units)
    wanted = found_of(config, "wanted")
    assert ("why" in wanted[0]["loss"]) == (units == "all rows")
    for size in (1, 7):
        assert found_of(config, f"b{size}", "-o", f"evaluate.batch_size={size}") == wanted
    assert found_of(config, "threads", threads=2) == wanted
    pytest.importorskip("distributed")
    assert found_of(config, "workers", "--cluster", "local:2") == wanted


@pytest.mark.slow
@pytest.mark.long
@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
@pytest.mark.parametrize("units", UNITS)
def test_twenty_kills_change_no_byte(write, units):
    # A checkpoint after each 256 rows writes all tables: fewer rows, and many moments.
    config = write(units, 3000)
    words = [config, config.parent / "out", "moments", 20, 4]
    said = said_by("killing.py", *words, timeout=2 * HANGS)
    assert said["wrong"] == []
    assert said["killed"] == 20
