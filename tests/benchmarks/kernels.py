"""Tiles and kernels beside naive NumPy and the memory: CPU nanoseconds an element.

    python tests/benchmarks/kernels.py [--rounds 7] [--elements 4000000]

The table of `docs/explanation/speed.md`. One thread; contenders alternate, and the medians are
shown. Tiles and kernels have to give the same bits, or the program ends. `read` is the time in
which NumPy adds up prediction and target, which reads both once. Unset OPENBLAS_CORETYPE before
measuring where it is set.
"""

import argparse
import os
import platform
import statistics
import time
from pathlib import Path

os.environ["LOSSFW_THREADS"] = "1"

import naive
import numpy as np

import lossfw
from lossfw.losses.engine.engine_mode import use_engine

# Name, parameters, and whether predictions and targets are counts, truth values or real.
LOSSES = (
    ("squared_error", {}, "real"),
    ("huber", {}, "real"),
    ("log_cosh", {}, "real"),
    ("welsch", {}, "real"),
    ("cauchy", {}, "real"),
    ("poisson_deviance", {}, "count"),
    ("binary_cross_entropy", {"from_logits": True}, "truth"),
)


def drawn(kind, count, dtype):
    rng = np.random.default_rng(0)
    y, t = rng.normal(size=(2, count))
    if kind == "count":
        y, t = np.exp(y), rng.poisson(3.0, count)
    if kind == "truth":
        t = t > 0
    return y.astype(dtype), t.astype(dtype)


def by_engine(mode, function, *arguments):
    with use_engine(mode):
        return function(*arguments)


def contenders(loss, y, t, gradient):
    plain = getattr(naive, loss.name)
    ours = loss.value_and_gradient if gradient else loss

    def textbook():
        value, slope = plain(y, t, loss, gradient)
        return np.mean(value), slope / value.size if gradient else None

    return {
        "tiles": lambda: by_engine("tiles", ours, y, t),
        "kernel": lambda: by_engine("compiled", ours, y, t),
        "naive NumPy": textbook,
        "read": lambda: (y.sum(), t.sum()),
    }


def flat(results):
    return np.hstack(results) if isinstance(results, tuple) else results


def need_the_same_bits(found, name):
    tiles, kernel = (flat(found[engine]()) for engine in ("tiles", "kernel"))
    if not np.array_equal(tiles, kernel, equal_nan=True):
        raise SystemExit(f"tiles and kernels of {name} differ")


def measured(found, rounds, count):
    times = {name: [] for name in found}
    for _ in range(rounds):
        for name, function in found.items():
            begun = time.process_time()
            function()
            times[name].append(time.process_time() - begun)
    return {name: 1e9 * statistics.median(some) / count for name, some in times.items()}


def processor():
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    return next(line.partition(": ")[2] for line in lines if line.startswith("model name"))


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--elements", type=int, default=4_000_000)
    options = parser.parse_args()
    print(f"{processor()}, one thread, NumPy {np.__version__}\n")
    print("| loss | dtype | tiles | kernel | naive NumPy | read |")
    print("|---|---|---|---|---|---|")
    for name, parameters, kind in LOSSES:
        loss = lossfw.loss(name, **parameters)
        for dtype in ("float32", "float64"):
            y, t = drawn(kind, options.elements, dtype)
            for gradient in (False, True):
                found = contenders(loss, y, t, gradient)
                need_the_same_bits(found, name)
                row = measured(found, options.rounds, options.elements)
                cells = " | ".join(f"{row[column]:.2f}" for column in found)
                print(f"| {name}{' + gradient' * gradient} | {dtype} | {cells} |", flush=True)


if __name__ == "__main__":
    main()
