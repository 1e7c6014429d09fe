"""Estimate a run on a large cluster: a simulation with costs that are measured on this machine.

``python tests/benchmarks/cluster_estimate.py FOLDER`` writes a small Parquet file to FOLDER,
measures processor time, and prints a table for each of three configurations.

The simulation has one queue of parts, workers of one thread, a store that all of them read
from, one scheduler, and one process that merges the states. Each of the last three is a server
that takes one thing after the other. Whichever is busy longest is the bottleneck.
"""

import heapq
import random
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from cluster import write

import lossfw
from lossfw.data.state_file import SavedState
from lossfw.evaluation.evaluate import evaluate
from lossfw.evaluation.state import EvaluationState
from lossfw.scale import connected
from lossfw.scale.parts import _PART_BYTES

ROWS, ROW_BYTES = 10**10, 264  # 64 inputs of 4 bytes and a target of 8
# What a store of objects gives to one data centre, and a machine's network to one worker.
STORE_BYTES, WORKER_BYTES = 10e9, 0.25e9
# Parts differ by so much in time; a worker dies once in so many hours.
SPREAD, HOURS_TO_DEATH = 0.1, 100.0
TASKS = 1000

CONFIGURATIONS = {
    "the numbers": [],
    "and intervals": ["evaluate.intervals={}"],
    "and intervals of ten slices": ["evaluate.intervals={}", "evaluate.slices=[target]"],
}


@dataclass(frozen=True)
class Costs:
    """What one thing costs, in bytes and in seconds of a processor."""

    rows_a_second: float
    state_bytes: int
    merge: float
    task: float


def measured(plan, task):
    """Return the costs of a plan."""
    stop = plan.count // 2 // plan.block_rows * plan.block_rows
    evaluate(plan, rows=(stop, plan.count))  # kernels are there, and the file is in memory
    begin = time.process_time()
    state = evaluate(plan, rows=(0, stop))
    rows_a_second = stop / (time.process_time() - begin)
    content = state.pack().to_bytes()
    other = evaluate(plan, rows=(stop, plan.count)).pack().to_bytes()
    times = []
    for _ in range(20):
        begin = time.process_time()
        merged = EvaluationState.of(plan)
        merged.unpack(SavedState.from_bytes(content))
        more = EvaluationState.of(plan)
        more.unpack(SavedState.from_bytes(other))
        merged.merge(more)
        times.append((time.process_time() - begin) / 2)
    return Costs(rows_a_second, len(content), sorted(times)[len(times) // 2], task)


def task_seconds(size):
    """Return the processor time of client and scheduler for a task that returns so many bytes."""
    with connected("local:1") as client:
        client.submit(bytes, size).result()
        begin = time.process_time()
        for future in [client.submit(bytes, size, pure=False) for _ in range(TASKS)]:
            future.result()
        return (time.process_time() - begin) / TASKS


def simulate(costs, workers, seed=0):
    """Return the seconds of a run, and the fraction of them in which each server is busy."""
    draw = random.Random(seed)
    part_rows = _PART_BYTES // ROW_BYTES
    waiting = -(-ROWS // part_rows)
    parts = waiting
    # A worker gets its share of the store; it reads and computes in turn.
    share = min(WORKER_BYTES, STORE_BYTES / workers)
    part = part_rows / costs.rows_a_second + part_rows * ROW_BYTES / share
    scheduler = merger = busy = 0.0
    ends = []

    def start(now):
        nonlocal waiting, scheduler, busy
        waiting -= 1
        scheduler = max(scheduler, now) + costs.task
        seconds = part * draw.uniform(1 - SPREAD, 1 + SPREAD)
        dies = draw.random() < seconds / 3600 / HOURS_TO_DEATH
        busy += seconds
        heapq.heappush(ends, (scheduler + seconds, dies))

    for _ in range(min(workers, waiting)):
        start(0.0)
    end, again = 0.0, 0
    while ends:
        now, dies = heapq.heappop(ends)
        if dies:  # its part goes back to the queue, and another worker comes
            waiting, again = waiting + 1, again + 1
        else:
            merger = max(merger, now) + costs.merge
            end = merger
        if waiting:
            start(now)
    return {
        "seconds": end,
        "parts": parts,
        "again": again,
        "workers": busy / end / workers,
        "store": (parts + again) * part_rows * ROW_BYTES / STORE_BYTES / end,
        "scheduler": (parts + again) * costs.task / end,
        "merging": parts * costs.merge / end,
    }


def main(folder):
    config = str(write(folder, 300_000))
    for name, overrides in CONFIGURATIONS.items():
        plan = lossfw.plan(config, *overrides)
        costs = measured(plan, 0.0)
        costs = Costs(
            costs.rows_a_second, costs.state_bytes, costs.merge, task_seconds(costs.state_bytes)
        )
        print(
            f"{name}: {costs.rows_a_second:,.0f} rows a second, state {costs.state_bytes:,} bytes, "
            f"merge {1000 * costs.merge:.1f} ms, task {1000 * costs.task:.1f} ms"
        )
        for workers in (100, 300, 1000, 3000):
            found = simulate(costs, workers)
            shares = ", ".join(
                f"{server} {100 * found[server]:.0f} %"
                for server in ("workers", "store", "scheduler", "merging")
            )
            print(
                f"  {workers:>5} workers: {found['seconds']:>6.0f} s, {found['parts']} parts, "
                f"{found['again']} again; busy: {shares}"
            )


if __name__ == "__main__":
    main(Path(sys.argv[1]))
