"""Processor time and memory of reading a table, beside what pyarrow itself takes for it.

    python tests/benchmarks/tables.py [--rows 1000000] [--times 3]

writes a table of twelve columns, numbers and texts, as CSV and as Parquet into a temporary folder,
reads each by lossfw and by pyarrow alone, in turn and each in a process of its own, and prints the
ratio of the smallest times of a processor, and the peak memory as a multiple of the arrays.
"""

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

# Each prints its processor time, the growth of its memory beyond imports, and the bytes of arrays.
MEASURED = """\
import pathlib, sys, time
{imports}

def peak():
    status = pathlib.Path("/proc/self/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0])

before, begin = peak(), time.process_time()
{body}
print(time.process_time() - begin, (peak() - before) * 1024, sum(a.nbytes for a in arrays))
"""
LOSSFW = MEASURED.format(
    imports="import lossfw, lossfw_std.sources.arrays, numpy, pyarrow.csv, pyarrow.parquet",
    body="""\
options = {"file": sys.argv[1], "categories": "found"}
data = lossfw.registry().create("source", "arrays", **options).load().in_memory()
arrays = [data.inputs, data.targets, data.sample_weight]
arrays += [numpy.asarray(column.values) for column in data.categories.values()]""",
)
PYARROW = MEASURED.format(
    imports="import numpy, pyarrow, pyarrow.csv, pyarrow.parquet",
    body="""\
is_csv = sys.argv[1].endswith(".csv")
table = (pyarrow.csv.read_csv if is_csv else pyarrow.parquet.read_table)(sys.argv[1])
columns = [
    column.dictionary_encode().combine_chunks().indices if column.type == "string" else column
    for column in table.columns
]
arrays = [column.to_numpy() for column in columns]""",
)


def write(folder, rows):
    """Write the table in both formats, and return the files."""
    import pyarrow
    import pyarrow.csv
    import pyarrow.parquet

    random = np.random.default_rng(7)
    columns = {f"x{i}": random.normal(size=rows) for i in range(6)}
    columns["age"] = random.integers(18, 90, rows)
    columns["rooms"] = random.integers(1, 9, rows)
    columns["region"] = np.array(["north", "south", "far west"])[random.integers(0, 3, rows)]
    columns["make"] = np.array([f"make {i}" for i in range(200)])[random.integers(0, 200, rows)]
    columns["sample_weight"] = random.integers(1, 9, rows) / 8
    columns["targets"] = columns["x0"] * 2 + random.normal(size=rows)
    table = pyarrow.table(columns)
    pyarrow.csv.write_csv(table, folder / "t.csv")
    pyarrow.parquet.write_table(table, folder / "t.parquet", row_group_size=100_000)
    return [folder / "t.csv", folder / "t.parquet"]


def measure(script, path):
    """Return the seconds of a processor, the growth of the memory, and the bytes of the arrays."""
    done = subprocess.run(
        [sys.executable, "-c", script, str(path)], capture_output=True, text=True, check=False
    )
    if done.returncode:
        sys.exit(done.stderr)
    return tuple(map(float, done.stdout.split()))


def main():
    """Measure both formats."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--times", type=int, default=3)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        for path in write(Path(folder), asked.rows):
            runs = [(measure(LOSSFW, path), measure(PYARROW, path)) for _ in range(asked.times)]
            own, its = (min(run[side][0] for run in runs) for side in (0, 1))
            memory = max(run[0][1] / run[0][2] for run in runs)
            print(
                f"{path.suffix}: lossfw {own:.2f} s, pyarrow {its:.2f} s of a processor, "
                f"ratio {own / its:.2f}; memory {memory:.2f} times the arrays"
            )


if __name__ == "__main__":
    main()
