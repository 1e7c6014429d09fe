"""Losses and activations against their peers: value, and value with gradient.

    python tests/benchmarks/losses.py [--rounds 5] [--threads 2] [--only huber]
        [--write PAGE]

Contenders that are not installed are left out; those that compute another value are no
contenders, and the program says so. They alternate, every one with the same number of
threads. A cell is the median of wall-clock milliseconds, and of the process's CPU time in
brackets. "memory" reads both arrays once, and writes one more for a gradient. With ``--write``
the table goes into a page, between the two comments that name it; ``make speed`` does so with
`docs/explanation/speed.md`. Run it on a quiet machine, with OPENBLAS_CORETYPE unset.
"""

import argparse
import math
import os
import statistics
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import naive
import numpy as np
import peers
from costs import processor
from pages import put_into

import lossfw
from lossfw.losses.engine.engine_mode import use_engine

# Sums of float32 in another order differ by this, relative to the mean loss.
TOLERANCE = 1e-4

# What stands around the table in a page.
BEGIN = "<!-- Table of tests/benchmarks/losses.py -->\n"

# The engine's mode for a column, chosen before the clock starts; of others it makes no difference.
MODES = {"lossfw kernels": "compiled"}

# A call shorter than this many elements is repeated, so that a clock can measure it.
SHORT, REPEAT = 1000, 2000


@dataclass
class Work:
    """What is computed, of which arrays."""

    name: str
    shape: tuple
    dtype: str = "float32"
    parameters: dict = field(default_factory=dict)
    kind: str = "loss"

    @property
    def title(self):
        size = " x ".join(f"{n:,}" for n in self.shape)
        form = ", logits" if self.parameters.get("from_logits") else ""
        return f"{self.name}{form}, {size}, {self.dtype}"

    def arrays(self):
        rng = np.random.default_rng(0)
        x = rng.normal(size=self.shape)
        if self.kind == "activation":
            return (3 * x).astype(self.dtype), None
        if len(self.shape) == 2:
            return (3 * x).astype(self.dtype), rng.integers(0, self.shape[1], self.shape[0])
        if self.name == "poisson_deviance":
            return np.exp(x).astype(self.dtype), rng.poisson(3.0, self.shape).astype(self.dtype)
        if self.name == "binary_cross_entropy":
            return (4 * x).astype(self.dtype), (rng.random(self.shape) < 0.5).astype(self.dtype)
        return x.astype(self.dtype), rng.normal(size=self.shape).astype(self.dtype)


LOGITS = {"from_logits": True}
ELEMENTS = ("squared_error", "huber", "log_cosh", "welsch", "cauchy", "poisson_deviance")
WORK = [
    *(Work(name, (10**7,), dtype) for dtype in ("float32", "float64") for name in ELEMENTS),
    Work("binary_cross_entropy", (10**7,), "float32", LOGITS),
    Work("binary_cross_entropy", (10**7,), "float64", LOGITS),
    *(
        Work("cross_entropy", shape, "float32", LOGITS)
        for shape in ((10**6, 10), (60_000, 10), (2048, 32_000))
    ),
    Work("cross_entropy", (10**6, 10), "float64", LOGITS),
    *(
        Work(name, (10**7,), kind="activation")
        for name in ("sigmoid", "tanh", "softplus", "silu", "elu")
    ),
    *(Work(name, (10**6, 10), kind="activation") for name in ("softmax", "log_softmax")),
    Work("squared_error", (10,)),
    Work("cross_entropy", (1, 10), "float32", LOGITS),
]


def lossfw_contenders(work, y, t):
    """Return tiles and, where llvmlite is there and the body is compiled, kernels."""
    from lossfw.report.text.component import describe_engine

    if work.kind == "activation":
        part = lossfw.activation(work.name)
        calls = {"value": lambda: part(y)}
    else:
        part = lossfw.loss(work.name, **work.parameters)
        calls = {"value": lambda: part(y, t), "gradient": lambda: part.value_and_gradient(y, t)}
    engine = describe_engine(part)
    compiled = engine["installed"] and "value" in engine["compiled"]
    columns = ("lossfw tiles", "lossfw kernels") if compiled else ("lossfw tiles",)
    return dict.fromkeys(columns, calls)


def naive_contender(work, y, t):
    plain = getattr(naive, work.name)
    if work.kind == "activation":
        part = lossfw.activation(work.name)
        return {"value": lambda: plain(y, None, part, False)[0]}
    loss = lossfw.loss(work.name, **work.parameters)

    def both():
        value, derivative = plain(y, t, loss, True)
        return np.mean(value), derivative / value.size

    return {"value": lambda: np.mean(plain(y, t, loss, False)[0]), "gradient": both}


def memory_contender(work, y, t, threads):
    """Read the arrays in equal parts, and write a fresh one for a gradient."""
    inputs = [y] if t is None else [y, t]
    parts = [part for x in inputs for part in np.array_split(x.reshape(-1), threads)]
    pool = ThreadPoolExecutor(threads)

    def read():
        return list(pool.map(np.sum, parts))

    def both():
        out = np.empty_like(y)
        halves = zip(
            np.array_split(out.reshape(-1), threads),
            np.array_split(y.reshape(-1), threads),
            strict=True,
        )
        list(pool.map(lambda pair: np.copyto(*pair), halves))
        return read(), out

    if work.kind == "activation":
        return {"value": both}
    return {"value": read, "gradient": both}


def contenders(work, y, t, threads):
    """Return column -> kind -> function, the memory last."""
    return {
        "naive NumPy": naive_contender(work, y, t),
        **lossfw_contenders(work, y, t),
        **peers.torch_contenders(work, y, t, threads),
        **peers.jax_contenders(work, y, t),
        **peers.sklearn_contenders(work, y, t, threads),
        "memory": memory_contender(work, y, t, threads),
    }


def agrees(found, wanted):
    """Tell whether a contender computes the same, by its value or the mean of its results."""
    first = found[0] if isinstance(found, tuple) else found
    means = [float(np.mean(np.asarray(x, dtype="f8"))) for x in (first, wanted)]
    return math.isclose(*means, rel_tol=TOLERANCE, abs_tol=1e-7)


def in_the_race(every, kind, wanted, say):
    """Return the contenders of a kind that run and compute the same."""
    found = {}
    for column, functions in every.items():
        if kind not in functions:
            continue
        try:
            with use_engine(MODES.get(column, "tiles")):
                got = functions[kind]()
        except Exception as failure:  # a compiler that is missing, for one
            say(f"{column} fails: {type(failure).__name__}")
            continue
        if column == "memory" or agrees(got, wanted):
            found[column] = functions[kind]
        else:
            say(f"{column} computes another value: no contender")
    return found


def measure(found, rounds, repeat):
    """Return the medians of each contender in milliseconds, wall clock and CPU."""
    times = {column: [] for column in found}
    for _ in range(rounds):
        for column, function in found.items():
            with use_engine(MODES.get(column, "tiles")):
                begin = time.perf_counter(), time.process_time()
                for _ in range(repeat):
                    function()
                end = time.perf_counter(), time.process_time()
            times[column].append([1e3 * (b - a) / repeat for a, b in zip(begin, end, strict=True)])
    medians = {}
    for column, seen in times.items():
        wall, cpu = (statistics.median(clock) for clock in zip(*seen, strict=True))
        medians[column] = {"wall": wall, "cpu": cpu}
    return medians


def compare(work, options):
    """Yield a row for each kind of result."""
    y, t = work.arrays()
    every = contenders(work, y, t, options.threads)
    wanted = every["naive NumPy"]["value"]()

    def say(text):
        print(f"{work.title}: {text}", file=sys.stderr)

    for kind in every["naive NumPy"]:
        found = in_the_race(every, kind, wanted, say)
        medians = measure(found, options.rounds, REPEAT if y.size < SHORT else 1)
        kinds = {"value": "value", "gradient": "value and gradient"}
        yield {"work": work.title, "kind": kinds[kind], "milliseconds": medians}


def line(row):
    parts = [
        f"{column} {ms['wall']:.4g} ({ms['cpu']:.4g})" for column, ms in row["milliseconds"].items()
    ]
    return f"{row['work']}, {row['kind']}: {', '.join(parts)}"


def markdown(rows, threads):
    columns = list(dict.fromkeys(column for row in rows for column in row["milliseconds"]))
    # What can be had at most stands last.
    columns.sort(key=lambda column: column == "memory")
    machine = f"{threads} threads of {processor()}, NumPy {np.__version__}"
    head = f"Milliseconds, wall clock (CPU), {machine}."
    lines = [head, "", "| work | " + " | ".join(columns) + " |", "|---" * (len(columns) + 1) + "|"]
    for row in rows:
        cells = (row["milliseconds"].get(column) for column in columns)
        texts = ("" if ms is None else f"{ms['wall']:.3g} ({ms['cpu']:.3g})" for ms in cells)
        lines.append(f"| {row['work']}, {row['kind']} | " + " | ".join(texts) + " |")
    return "\n".join(lines)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--only", default="", help="works whose title contains this")
    parser.add_argument("--write", type=Path, metavar="PAGE", help="put the table into a page")
    options = parser.parse_args()
    os.environ["LOSSFW_THREADS"] = str(options.threads)
    rows = []
    for work in WORK:
        if options.only not in work.title:
            continue
        for row in compare(work, options):
            rows.append(row)
            print(line(row), flush=True)
    if options.write:
        put_into(options.write, markdown(rows, options.threads), BEGIN)


if __name__ == "__main__":
    main()
