"""Whether memory stays flat over very many calls of mixed losses, for minutes or for calls.

    python tests/benchmarks/soak.py [--minutes 20 | --calls 3000] [--largest 9000000] [--seed 0]

Losses of elements, rows, named columns and groups are called in a random order, at sizes from 1
to some million numbers, in both dtypes, with weights and masks, into fresh memory and with
``out=``, for values, gradients and Hessians; with PyTorch's tensors too, where it is installed.
Some results are held for a while. The memory of the process is measured after each part of the
calls. It is flat if the later half needs at most as much as the earlier one, and a little. The exit
code is 1 if it is not.
"""

import argparse
import gc
import importlib.util
import math
import random
import sys
import time
from collections import deque

import numpy as np

import lossfw
from lossfw.losses.engine import compiled

# Parts in which memory is measured, after as many calls or seconds each.
PARTS = 20

# The first of them, in which kernels and pools of memory come to be.
WARM = 6

# What may come with other sizes of results at the time of measuring, and pieces in between.
TOLERANCE = 8 * 2**20

# Held results are of so many calls, of at most so many numbers each.
HELD, HELD_NUMBERS = 50, 10_000

SIZES = (1, 2, 7, 64, 1000, 30_000, 300_000)

# By chance, and as seldom: a result of more than the least memory that is used again.
LARGE, SELDOM = 9_000_000, 0.01


def subjects():
    """Return losses with a function that draws arguments for so many rows."""
    numbers = lambda rng, n: rng.standard_normal(n)  # noqa: E731
    classes = lambda rng, n: rng.integers(0, 10, n)  # noqa: E731
    logits = lambda rng, n: rng.standard_normal((n, 10))  # noqa: E731
    return [
        (lossfw.loss("squared_error"), numbers, numbers),
        (lossfw.loss("huber", delta=0.5), numbers, numbers),
        (lossfw.loss("log_cosh"), numbers, numbers),
        (
            lossfw.loss("poisson_deviance"),
            lambda rng, n: rng.gamma(2.0, 1.0, n) + 0.1,
            lambda rng, n: rng.poisson(2.0, n).astype(float),
        ),
        (lossfw.loss("cross_entropy", from_logits=True), logits, classes),
        (
            lossfw.loss("pairwise_logistic"),
            logits,
            lambda rng, n: rng.integers(0, 3, (n, 10)) + 0.0,
        ),
        (
            lossfw.loss("heteroscedastic_gaussian_nll"),
            lambda rng, n: rng.standard_normal((n, 2)),
            numbers,
        ),
        (
            lossfw.loss("multi_quantile", levels=[0.1, 0.5, 0.9]),
            lambda rng, n: np.sort(rng.standard_normal((n, 3))),
            numbers,
        ),
    ]


def one_call(rng, chooser, known, largest, torch):
    """Call a loss somehow, of at most so many elements or ten times as many; return the result."""
    loss, draw_y, draw_t = chooser.choice(known)
    is_rows = draw_y(rng, 1).ndim > 1
    n = LARGE if chooser.random() < SELDOM and not is_rows else chooser.choice(SIZES)
    n = min(n, largest)
    n = -(-n // 10) if is_rows else n
    dtype = chooser.choice((np.float32, np.float64))
    y = draw_y(rng, n).astype(dtype)
    t = draw_t(rng, n)
    t = t if np.ndim(t) and t.dtype.kind == "i" and y.ndim == 2 else t.astype(dtype)
    options = {"reduction": chooser.choice(("mean", "sum", "none"))}
    if n > 2 and chooser.random() < 0.3:
        options["sample_weight"] = rng.random(n)
    if n > 2 and chooser.random() < 0.2:
        options["where"] = np.arange(t.size).reshape(t.shape) > 0
    if torch is not None and chooser.random() < 0.2:
        tensor = torch.from_numpy(y).requires_grad_()
        options = {
            name: torch.from_numpy(value) if isinstance(value, np.ndarray) else value
            for name, value in options.items()
        }
        loss(tensor, torch.from_numpy(t), **options).sum().backward()
        return tensor.grad
    method = chooser.choice(("__call__", "gradient", "value_and_gradient", "hessian"))
    if method == "value_and_gradient" and options["reduction"] == "none":
        method = "gradient"
    if method == "gradient" and chooser.random() < 0.3:
        options["out"] = np.empty_like(y)
    return getattr(loss, method)(y, t, **options)


def size(result):
    """Return how many numbers a result has."""
    parts = result if isinstance(result, tuple) else (result,)
    return sum(math.prod(np.shape(part)) for part in parts)


def resident():
    """Return the bytes of memory that the process has; without those it gives back on demand."""
    with open("/proc/self/smaps_rollup") as lines:  # noqa: PTH123
        kilobytes = {
            line.split()[0]: int(line.split()[1]) for line in lines if line.endswith("kB\n")
        }
    return 1024 * (kilobytes["Rss:"] - kilobytes.get("LazyFree:", 0))


def is_flat(measured):
    """Tell whether the later half of some measurements needs no more than the earlier one."""
    half = len(measured) // 2
    return max(measured[half:]) <= max(measured[:half]) + TOLERANCE


def soak(minutes, calls, largest, seed):
    """Return the memory after each part of the calls, without the first."""
    rng, chooser = np.random.default_rng(seed), random.Random(seed)
    known, held = subjects(), deque(maxlen=HELD)
    torch = None
    if importlib.util.find_spec("torch") is not None:
        import torch
    measured, count, started_at = [], 0, time.monotonic()
    for part in range(1, PARTS + 1):
        if part == WARM + 1:
            compiled.wait()
        while (
            count < calls * part // PARTS
            if minutes is None
            else time.monotonic() - started_at < 60 * minutes * part / PARTS
        ):
            result = one_call(rng, chooser, known, largest, torch)
            if size(result) <= HELD_NUMBERS:
                held.append(result)
            count += 1
        result = None
        gc.collect()
        measured.append(resident())
        print(f"{count:9,} calls: {measured[-1] / 2**20:7.1f} MiB", flush=True)
    return measured[WARM:]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    how_long = parser.add_mutually_exclusive_group()
    how_long.add_argument("--minutes", type=float)
    how_long.add_argument("--calls", type=int, default=3000)
    parser.add_argument("--largest", type=int, default=LARGE, help="elements in a call")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    with np.errstate(all="ignore"):
        measured = soak(options.minutes, options.calls, options.largest, options.seed)
    first, last = (max(some) / 2**20 for some in np.array_split(measured, 2))
    flat = is_flat(measured)
    print(f"{'flat' if flat else 'NOT FLAT'}: at most {first:.1f}, then {last:.1f} MiB")
    return 0 if flat else 1


if __name__ == "__main__":
    sys.exit(main())
