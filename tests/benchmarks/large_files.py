"""Peak memory of a run on a file far larger than what it may take.

    python tests/benchmarks/large_files.py [--gigabytes 5] [--kind npy|csv|parquet] [--folder DIR]

makes a file of predictions of that size and one of targets in a new folder inside
DIR (the working folder unless given), runs an evaluation of them in a process of
its own, prints its peak memory beside that of the same run on a small file, and
removes the files.
"""

import argparse
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

WIDTH = 10
# Rows that are made at a time.
CHUNK = 1_000_000

CONFIG = """\
lossfw: 1
data: {{name: arrays, targets: targets.npy}}
network: {{predictions: predictions.{kind}}}
loss: {{name: cross_entropy}}
evaluate: {{metrics: [accuracy, calibration_error], batch_size: 10000}}
"""

RUN = """\
import resource
import sys
from pathlib import Path

from lossfw.cli import main

main(["run", "run.yaml", "--out", "out"], standalone_mode=False)
status = Path("/proc/self/status")
if status.exists():
    (line,) = [line for line in status.read_text().splitlines() if line.startswith("VmHWM")]
    kilobytes = int(line.split()[1])
else:
    kilobytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    kilobytes //= 1024 if sys.platform == "darwin" else 1
print("peak", kilobytes)
"""


def probabilities(rows, seed):
    """Return rows of random probabilities."""
    drawn = np.random.default_rng(seed).random((rows, WIDTH), np.float32)
    drawn /= drawn.sum(1, keepdims=True)
    return drawn


def write_npy(path, rows):
    """Write predictions as a .npy, some at a time."""
    out = np.lib.format.open_memmap(path, "w+", np.float32, (rows, WIDTH))
    for start in range(0, rows, CHUNK):
        stop = min(start + CHUNK, rows)
        out[start:stop] = probabilities(stop - start, start)
    out.flush()


def write_csv(path, rows):
    """Write predictions as a .csv; the same thousand rows again and again."""
    lines = [",".join(f"{p:.6f}" for p in row) for row in probabilities(1000, 0)]
    block = "\n".join(lines) + "\n"
    with path.open("w") as file:
        for _ in range(rows // 1000):
            file.write(block)


def write_parquet(path, rows):
    """Write predictions as Parquet, a column for each class."""
    import pyarrow
    import pyarrow.parquet

    writer = None
    for start in range(0, rows, CHUNK):
        drawn = probabilities(min(CHUNK, rows - start), start)
        table = pyarrow.table({f"p{i}": drawn[:, i] for i in range(WIDTH)})
        writer = writer or pyarrow.parquet.ParquetWriter(path, table.schema, compression="none")
        writer.write_table(table, row_group_size=CHUNK)
    writer.close()


WRITERS = {"npy": write_npy, "csv": write_csv, "parquet": write_parquet}
# Bytes of a row in each.
ROW_BYTES = {"npy": 4 * WIDTH, "csv": 9 * WIDTH, "parquet": 4 * WIDTH}


def measure(folder, kind, rows):
    """Make a file of so many rows, run on it, and return its size, the peak and the time."""
    folder.mkdir()
    predictions = folder / f"predictions.{kind}"
    WRITERS[kind](predictions, rows)
    targets = np.lib.format.open_memmap(folder / "targets.npy", "w+", np.int8, (rows,))
    targets[:] = 3
    del targets
    (folder / "run.yaml").write_text(CONFIG.format(kind=kind))
    begin = time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-c", RUN], cwd=folder, capture_output=True, text=True, check=False
    )
    seconds = time.perf_counter() - begin
    if done.returncode:
        sys.exit(done.stderr)
    peak = int(done.stdout.split()[-1]) * 1024
    size = predictions.stat().st_size
    shutil.rmtree(folder)
    return size, peak, seconds


def main():
    """Measure a small file and a large one."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--gigabytes", type=float, default=5.0)
    parser.add_argument("--kind", choices=sorted(WRITERS), default="npy")
    parser.add_argument("--folder", type=Path, default=Path())
    asked = parser.parse_args()
    wanted = int(asked.gigabytes * 1e9)
    if shutil.disk_usage(asked.folder).free < 2 * wanted:
        sys.exit(f"less than {2 * wanted / 1e9:.0f} GB are free in {asked.folder}")
    with tempfile.TemporaryDirectory(dir=asked.folder) as made:
        for name, size in (("small", 1_000_000), ("large", wanted)):
            rows = -(-size // ROW_BYTES[asked.kind] // 1000) * 1000
            found, peak, seconds = measure(Path(made) / name, asked.kind, rows)
            print(
                f"{asked.kind}, {found / 1e9:.3f} GB, {rows} rows: "
                f"peak memory {peak / 1e6:.0f} MB, {seconds:.1f} s"
            )


if __name__ == "__main__":
    main()
