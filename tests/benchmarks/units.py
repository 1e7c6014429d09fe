"""Processor time and state of intervals by unit: python tests/benchmarks/units.py [ROWS].

The evaluation of saved predictions by one loss, with and without intervals, on one core; the
smallest of three. Expected: at most 0.8 microseconds a row more for 1,000 units and 1.4 for a
million, and a state of at most 16 megabytes.
"""

import os
import sys
import time

os.environ.setdefault("LOSSFW_THREADS", "1")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np

import lossfw
from lossfw.data import Dataset
from lossfw.evaluation.evaluate import evaluate, result_of
from lossfw.evaluation.intervals.options import Intervals
from lossfw.evaluation.intervals.units import Units
from lossfw.evaluation.plan import Plan


def spent(units, rows, columns):
    """Return seconds of processor time, and the megabytes of the state."""
    asked = None if units is None else Intervals(units=Units.read(units))
    data = Dataset("benchmark", np.zeros(rows), columns=columns)
    outputs = np.random.default_rng(0).normal(size=rows)
    plan = Plan(data, lossfw.loss("squared_error"), outputs=outputs, intervals=asked)
    begin = time.process_time()
    state = evaluate(plan, rows=(0, rows))
    result_of(plan, state)
    seconds = time.process_time() - begin
    return seconds, sum(array.nbytes for array in state.pack().arrays.values()) / 1e6


def main(rows=2_000_000):
    """Print a line for each number of units."""
    random = np.random.default_rng(1)
    plain = min(spent(None, rows, {})[0] for _ in range(3))
    print(f"without intervals  {plain / rows * 1e6:.2f} us a row")
    for count in (None, 1000, 100_000, 1_000_000):
        columns = {} if count is None else {"user": random.integers(0, count, rows)}
        units = "rows" if count is None else "column.user"
        found = [spent(units, rows, columns) for _ in range(3)]
        more = min(seconds for seconds, _ in found) - plain
        name = "rows" if count is None else f"{count:,} users"
        print(f"{name:18} {more / rows * 1e6:.2f} us a row more, {found[0][1]:.2f} MB")


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
