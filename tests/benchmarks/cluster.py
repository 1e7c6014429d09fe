"""Measure an evaluation on a cluster of processes of this machine against one process.

``python tests/benchmarks/cluster.py FOLDER ROWS...`` writes Parquet files of so many rows for
a network like that of the digits to FOLDER, and prints seconds and the size of a state.
"""

import itertools
import os
import sys
import time
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

import lossfw
from lossfw.evaluation.evaluate import evaluate
from lossfw.scale import connect, cut_rows

TEXT = """\
lossfw: 1
data: {{name: arrays, file: {file}, targets_key: target}}
network:
  layers:
    - {{units: 50, activation: sigmoid}}
    - {{units: 100, activation: sigmoid}}
    - {{units: 10, activation: softmax}}
  weights: weights.npz
loss: cross_entropy
evaluate: {{metrics: [accuracy, f1, calibration_error]}}
"""
INPUTS, GROUP_ROWS = 64, 100_000


def write(folder, rows):
    """Write a file of rows and its configuration, and return the configuration."""
    random = np.random.default_rng(0)
    sizes = (INPUTS, 50, 100, 10)
    arrays = {}
    for number, (width, units) in enumerate(itertools.pairwise(sizes), start=1):
        arrays[f"W{number}"] = random.normal(size=(width, units)).astype("f4") / width**0.5
        arrays[f"b{number}"] = np.zeros(units, "f4")
    np.savez(folder / "weights.npz", **arrays)
    config = folder / f"run-{rows}.yaml"
    config.write_text(TEXT.format(file=f"rows-{rows}.parquet"))
    path = folder / f"rows-{rows}.parquet"
    if path.exists():
        return config
    with pq.ParquetWriter(path, table(random, 1).schema) as writer:
        for start in range(0, rows, GROUP_ROWS):
            writer.write_table(table(random, min(GROUP_ROWS, rows - start)))
    return config


def table(random, rows):
    """Return a table of random rows."""
    columns = {f"x{number}": random.random(rows, "f4") for number in range(INPUTS)}
    return pa.table({**columns, "target": random.integers(0, 10, rows)})


def seconds(function, *arguments, **options):
    begin = time.perf_counter()
    result = function(*arguments, **options)
    return time.perf_counter() - begin, result


def main(folder, sizes):
    print(f"{os.cpu_count()} processors")
    with connect("local:2") as client:
        for rows in sizes:
            plan = lossfw.plan(str(write(folder, rows)))
            alone, one = seconds(lossfw.evaluate, plan)
            spread, two = seconds(lossfw.evaluate, plan, client=client)
            assert one.to_dict() == two.to_dict()
            parts = cut_rows(plan, 2).parts
            state = evaluate(plan, rows=parts[0]).pack().to_bytes()
            size = (folder / f"rows-{rows}.parquet").stat().st_size
            print(
                f"{rows:>10,} rows, {size:>13,} bytes: "
                f"one process {alone:.1f} s, local:2 {spread:.1f} s, ratio {alone / spread:.2f}, "
                f"{len(parts)} parts, state {len(state):,} bytes"
            )


if __name__ == "__main__":
    main(Path(sys.argv[1]), [int(float(text)) for text in sys.argv[2:]])
