"""Processor time and memory of a booster over rows of Parquet, beside a script by hand.

    python tests/benchmarks/big_booster.py [--rows 5000000] [--times 2]

trains a small model of XGBoost on the first rows of a table of seven inputs with missing values,
evaluates it on all rows by a configuration (three metrics with intervals, slices of nine carriers)
and by pandas with a jackknife of 100 folds, in turn and each in a process of its own, and prints
the ratio of the smallest times of a processor, and the peak memory of both. Both find the same
numbers, or it ends.
"""

import argparse
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

CARRIERS = 9
INPUTS = ["month", "day", "sched_dep_time", "sched_arr_time", "distance", "seats", "built"]
CONFIG = f"""\
lossfw: 1
data:
  name: arrays
  file: big.parquet
  inputs_key: [{", ".join(INPUTS)}]
  targets_key: arr_delay
  missing: keep
model: {{name: xgboost, file: model.ubj}}
loss: {{name: squared_error}}
evaluate:
  metrics: [absolute_error, r2]
  intervals: {{level: 0.95}}
  slices: [column.carrier]
"""
LOSSFW = """\
from lossfw import run

found = run("run.yaml")
print(found.metrics["absolute_error"])
"""
BY_HAND = f"""\
import numpy as np, pandas as pd, xgboost as xgb

table, names = pd.read_parquet("big.parquet"), {INPUTS}
predicted = xgb.Booster(model_file="model.ubj").predict(xgb.DMatrix(table[names]))
wrong = predicted.astype(float) - table.arr_delay.to_numpy()
squares, sizes = wrong * wrong, abs(wrong)
r2 = 1 - squares.mean() / table.arr_delay.var(ddof=0)
parts = pd.DataFrame({{"of": table.carrier, "mse": squares, "mae": sizes}}).groupby("of")
parts.agg(["size", "mean"])
fold = np.arange(len(wrong)) % 100
for values in (squares, sizes):
    sums, counts = np.bincount(fold, values), np.bincount(fold)
    without = (sums.sum() - sums) / (counts.sum() - counts)
    np.sqrt(99 / 100 * ((without - without.mean()) ** 2).sum())
print(sizes.mean())
"""


def write(folder, rows):
    """Write the table and a model that was trained on its first rows."""
    import pyarrow
    import pyarrow.parquet
    import xgboost

    random = np.random.default_rng(7)
    columns = {
        "month": random.integers(1, 13, rows),
        "day": random.integers(1, 32, rows),
        "sched_dep_time": random.integers(0, 2400, rows),
        "sched_arr_time": random.integers(0, 2400, rows),
        "distance": random.integers(80, 5000, rows).astype(float),
        "seats": np.where(random.random(rows) < 0.15, np.nan, random.integers(2, 450, rows)),
        "built": np.where(random.random(rows) < 0.15, np.nan, random.integers(1956, 2014, rows)),
        "carrier": np.array([f"carrier {n}" for n in range(CARRIERS)])[
            random.integers(0, CARRIERS, rows)
        ],
    }
    columns["arr_delay"] = columns["sched_dep_time"] / 100 + random.exponential(20, rows)
    pyarrow.parquet.write_table(pyarrow.table(columns), folder / "big.parquet")
    first = np.column_stack([columns[name][:50_000] for name in INPUTS])
    matrix = xgboost.DMatrix(first, columns["arr_delay"][:50_000], feature_names=INPUTS)
    model = xgboost.train({"max_depth": 6}, matrix, 50)
    model.save_model(folder / "model.ubj")
    (folder / "run.yaml").write_text(CONFIG)


def measure(script, folder):
    """Run a program, and return its seconds of a processor, its peak memory and its answer."""
    with (folder / "out").open("w") as out:
        process = subprocess.Popen([sys.executable, "-c", script], cwd=folder, stdout=out)
        _, status, used = os.wait4(process.pid, 0)
    if status:
        sys.exit(f"a program has ended with {status}")
    answer = float((folder / "out").read_text().split()[-1])
    return used.ru_utime + used.ru_stime, used.ru_maxrss / 1024, answer


def main():
    """Measure both."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rows", type=int, default=5_000_000)
    parser.add_argument("--times", type=int, default=2)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        write(folder, asked.rows)
        runs = [(measure(LOSSFW, folder), measure(BY_HAND, folder)) for _ in range(asked.times)]
    np.testing.assert_allclose(runs[0][0][2], runs[0][1][2], rtol=1e-9)
    own, its = (min(run[side][0] for run in runs) for side in (0, 1))
    memory = [max(run[side][1] for run in runs) for side in (0, 1)]
    print(
        f"{asked.rows} rows: lossfw {own:.1f} s and {memory[0]:.0f} MB, by hand {its:.1f} s of a "
        f"processor and {memory[1]:.0f} MB, ratio {own / its:.2f}"
    )


if __name__ == "__main__":
    main()
