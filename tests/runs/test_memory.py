"""A run takes no more memory for a large file than for a small one."""

import os
import subprocess
import sys

import numpy as np
import pytest

MEGABYTE = 2**20
# What the documentation promises.
BOUND = 200 * MEGABYTE

CONFIG = """\
lossfw: 1
data: {name: arrays, targets: t.npy}
network: {predictions: p.npy}
loss: absolute_error
evaluate: {batch_size: 100000}
"""
# The peak of this program alone: what `resource` says of a child counts what the
# parent had in memory when it made it.
RUN = """\
from pathlib import Path
from lossfw.cli import main
main(["run", "run.yaml", "--out", "out"], standalone_mode=False)
print(*[l.split()[1] for l in Path("/proc/self/status").open() if l.startswith("VmHWM")])
"""


def sparse(path, rows, dtype):
    """Write a .npy of zeros that take no place on the disk."""
    with path.open("wb") as file:
        header = {"shape": (rows,), "fortran_order": False, "descr": dtype}
        np.lib.format.write_array_header_1_0(file, header)
        file.truncate(file.tell() + rows * np.dtype(dtype).itemsize)


def peak(folder, megabytes):
    rows = megabytes * MEGABYTE // 4
    sparse(folder / "p.npy", rows, "<f4")
    sparse(folder / "t.npy", rows, "|i1")
    (folder / "run.yaml").write_text(CONFIG)
    command = [sys.executable, "-c", RUN]
    # A large file has enough elements for a compiler to be loaded, which takes 60 MB, once.
    tiles = os.environ | {"LOSSFW_ENGINE": "tiles"}
    printed = subprocess.check_output(command, cwd=folder, text=True, env=tiles)
    return int(printed.split()[-1]) * 1024


@pytest.mark.slow
@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="peaks are read from /proc")
def test_the_peak_does_not_grow_with_the_file(folder):
    few, many = peak(folder, 1), peak(folder, 200)
    # Less than a mapped file of this size, were its pages kept.
    assert many - few < BOUND / 4
    assert many < BOUND
