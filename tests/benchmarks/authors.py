"""What an author's loss costs that has `value` alone, as ratios to the same loss by hand.

    python tests/benchmarks/authors.py [--columns 2 10 ...] [--dtype float32] [--limits]
    python tests/benchmarks/authors.py --out [--limits]
    python tests/benchmarks/authors.py --torch [--compile] [--limits]
    python tests/benchmarks/authors.py --trainings [--before PYTHON] [--limits]

Contenders take turns on one thread, and the least CPU time of several rounds counts: on a machine
that does other work, ratios of one run hold where times do not. Without a switch the losses of
`tests/support/author_losses.py` are measured on arrays: gradients and Hessians in tiles, written
out and in kernels. ``--out`` measures a gradient into an array that is there. ``--torch`` measures
steps of PyTorch on the CPU, and counts the operations that they launch; ``--compile`` does so under
`torch.compile`, which takes minutes. ``--trainings`` starts a process for each training, as a user
does; ``--before`` names the Python of another version of lossfw. With ``--limits`` the exit status
is 1 if a ratio exceeds its limit.
"""

import argparse
import json
import math
import os
import statistics
import subprocess
import sys
import time
from contextlib import nullcontext
from pathlib import Path
from unittest import mock

os.environ["LOSSFW_THREADS"] = "1"
sys.path.insert(0, str(Path(__file__).parents[1]))

import numpy as np

import lossfw
from lossfw.losses.engine import compiled
from lossfw.losses.engine.engine_mode import use_engine
from support.author_losses import ELEMENTS, ROWS, AuthorRobust, AuthorSymmetric, RobustByHand

# Entries of a prediction, in rows of so many columns.
SIZE = 1_000_000
COLUMNS = (2, 3, 10, 100, 1_000, 10_000)

# PyTorch's functions are written out after so many calls, and on the processor only where somebody
# counts operations.
CALLS_TO_WRITE_OUT = 10

# A contender is called until its time is up, at least three times.
SECONDS = 0.5

# Ways to compute, and their mode of the engine. What has no kernel is written out.
WAYS = {"tiles": "tiles", "written": "compiled", "kernel": "compiled"}

LIMITS = {
    ("gradient", "tiles"): 3.5,
    ("gradient", "written"): 3.5,
    ("gradient", "kernel"): 2.2,
    ("hessian", "tiles"): 9.0,
    ("hessian", "written"): 9.0,
    ("hessian", "kernel"): 3.0,
}
MEDIAN_LIMIT = 2.5  # of gradients in tiles, and of those written out
GROWTH_LIMIT = 1.5  # of their time, from 10 to 1,000 columns
OUT_LIMIT = 0.7  # of a call with `out`, to one without

over = []  # what exceeds its limit


def least(contenders):
    """Return the least CPU time of each function in milliseconds; they take turns."""
    times = {name: [] for name in contenders}
    for function in contenders.values():
        function()
    end = time.process_time() + SECONDS * len(contenders)
    while time.process_time() < end or min(map(len, times.values())) < 3:
        for name, function in contenders.items():
            begun = time.process_time()
            function()
            times[name].append(time.process_time() - begun)
    return {name: 1e3 * min(taken) for name, taken in times.items()}


def within(what, ratio, limit):
    """Return a ratio beside its limit, and remember what exceeds it."""
    if ratio > limit:
        over.append(f"{what}: {ratio:.2f}, at most {limit}")
    return f"{ratio:5.2f}{'!' if ratio > limit else ' '}"


def without_llvm():
    """Return a context in which no kernel can be made."""
    return mock.patch("lossfw.numerics.compiled.kernel.code_of", side_effect=RuntimeError)


def in_engine(mode, function):
    """Return a function that computes in tiles or in kernels."""

    def call():
        with use_engine(mode):
            function()

    return call


# Arrays.


def arrays(loss, columns, dtype):
    """Return prediction and target as ordinary data has them."""
    rng = np.random.default_rng(0)
    if not loss.takes_rows:
        return rng.normal(size=(2, SIZE)).astype(dtype)
    z = rng.normal(size=(SIZE // columns, columns))
    p = np.exp(z) / np.exp(z).sum(-1, keepdims=True)
    y = p if isinstance(loss, AuthorSymmetric) else z
    return y.astype(dtype), rng.integers(0, columns, len(z))


def measure_arrays(columns, dtype):
    """Print the ratios of each loss, and what they grow by with the number of columns."""
    cases = [(pair, 1) for pair in ELEMENTS] + [(pair, k) for k in columns for pair in ROWS]
    ratios, taken = {way: [] for way in WAYS}, {}
    print(f"{'loss':16} {'K':>6} {dtype}   value ms   way       ms  by hand  ratio")
    for (plain, hand), k in cases:
        plain, hand = plain(), hand()
        y, t = arrays(plain, k, dtype)
        head = f"{plain.name:16} {k:6}"
        value = least({"value": in_engine("tiles", lambda p=plain, y=y, t=t: p(y, t))})["value"]
        for kind in ("gradient", "hessian"):
            if kind == "hessian" and type(hand).second_derivative is type(plain).second_derivative:
                continue
            for way, mode in WAYS.items():
                compiled.forget()
                functions = {"plain": getattr(plain, kind), "hand": getattr(hand, kind)}
                calls = {
                    name: in_engine(mode, lambda f=f, y=y, t=t: f(y, t))
                    for name, f in functions.items()
                }
                with without_llvm() if way == "written" else nullcontext():
                    found = least(calls)
                ratio = found["plain"] / found["hand"]
                if kind == "gradient":
                    ratios[way].append(ratio)
                    taken[plain.name, k, way] = found["plain"]
                said = within(f"{head} {kind} {way}", ratio, LIMITS[kind, way])
                print(
                    f"{head} {kind:8} {value:10.2f}   {way:7}{found['plain']:9.2f}"
                    f"{found['hand']:9.2f}  {said}",
                    flush=True,
                )
    if {10, 1_000} <= set(columns):
        for plain, _ in ROWS:
            growth = taken[plain().name, 1_000, "tiles"] / taken[plain().name, 10, "tiles"]
            what = f"{plain().name}: gradient in tiles, 1,000 columns to 10"
            print(f"{what} {within(what, growth, GROWTH_LIMIT)}")
    for way in ("tiles", "written"):
        what = f"median of gradients, {way}"
        print(f"{what} {within(what, statistics.median(ratios[way]), MEDIAN_LIMIT)}")


def measure_out():
    """Print what a buffer for the gradient saves, of ten million numbers in a kernel."""
    huber = lossfw.loss("huber")
    y, t = np.random.default_rng(0).normal(size=(2, 10_000_000)).astype(np.float32)
    out = np.empty_like(y)
    found = least(
        {
            "new": in_engine("compiled", lambda: huber.value_and_gradient(y, t)),
            "out": in_engine("compiled", lambda: huber.value_and_gradient(y, t, out=out)),
        }
    )
    what = "huber, 10,000,000 float32, value_and_gradient with out"
    said = within(what, found["out"] / found["new"], OUT_LIMIT)
    print(f"{what} {found['out']:.2f} ms, without {found['new']:.2f} ms {said}")


# PyTorch.

# Operations that launch nothing.
VIEWS = "view unsqueeze squeeze expand detach alias t select _unsafe_view transpose permute slice"


def torch_formulas():
    """Return each loss of rows as a user of PyTorch writes it, by the name of the loss."""
    import torch
    from torch.nn import functional

    def symmetric(p, k):
        one = functional.one_hot(k, p.shape[1]).to(p.dtype)
        log = torch.where(one > 0, torch.log(one.clamp(min=1e-4)), -4.0)
        cross = -(one * torch.log(p.clamp(1e-7, 1.0))).sum(-1)
        return (0.5 * cross - (p * log).sum(-1)).mean()

    def focal(z, k):
        log = functional.log_softmax(z, -1).gather(-1, k[:, None])[:, 0]
        return (-((1 - log.exp()) ** 2) * log).mean()

    def softened(z, k):
        return functional.cross_entropy(z / (z.norm(dim=-1, keepdim=True) + 1e-7), k)

    return {"author_symmetric": symmetric, "author_focal": focal, "author_softened": softened}


def step(criterion, y, t):
    """Return the gradient of a step."""
    y = y.detach().requires_grad_()
    criterion(y, t).backward()
    return y.grad


def count_operations(function):
    """Return how many operations a function launches."""
    from torch.utils._python_dispatch import TorchDispatchMode

    class Counter(TorchDispatchMode):
        launched = 0

        def __torch_dispatch__(self, operation, types, args=(), kwargs=None):
            self.launched += operation._schema.name.removeprefix("aten::") not in VIEWS.split()
            return operation(*args, **(kwargs or {}))

    with Counter() as counter:
        for _ in range(CALLS_TO_WRITE_OUT):
            counter.launched = 0
            function()
    return counter.launched


def tensors(loss, rows):
    """Return prediction and classes of ten columns."""
    import torch

    z = torch.randn(rows, 10, generator=torch.Generator().manual_seed(0))
    y = torch.softmax(z, -1) if isinstance(loss, AuthorSymmetric) else z
    return y, torch.arange(rows) % 10


def measure_torch():
    """Print the time and the operations of a step, forward and backward."""
    import torch

    from lossfw.bridges import torch as bridge

    torch.set_num_threads(1)
    formulas = torch_formulas()
    for plain, hand in ROWS:
        own = formulas[plain().name]
        criteria = {
            "torch": (None, own),
            "hand": ("tiles", bridge.module(hand(), check=False)),
            "plain": ("tiles", bridge.module(plain(), check=False)),
            "kernel": ("compiled", bridge.module(plain(), check=False)),
        }
        for rows in (64, 8_192):
            y, t = tensors(plain(), rows)
            calls = {
                name: in_engine(mode or "tiles", lambda c=c, y=y, t=t: step(c, y, t))
                for name, (mode, c) in criteria.items()
            }
            expected = step(own, y, t)
            for name, (_, criterion) in criteria.items():
                wrong = (step(criterion, y, t) - expected).abs().max() / expected.abs().max()
                assert wrong < 1e-4, f"{plain().name} {name} is off by {wrong:.1e}"
            found, head = least(calls), f"{plain().name:16} {rows:5} x 10"
            counts = {name: count_operations(call) for name, call in calls.items()}
            cells = [f"{name} {found[name]:7.3f} ms {counts[name]:3} ops" for name in calls]
            to_hand, to_own = found["plain"] / found["hand"], found["kernel"] / found["torch"]
            limits = (math.inf,) * 3
            if rows == 8_192 and plain is AuthorSymmetric:
                limits = (1.5, 0.6, 62)
            said = (
                f"to hand {within(f'{head} to hand', to_hand, limits[0])}"
                f"kernel to torch {within(f'{head} kernel to torch', to_own, limits[1])}"
            )
            within(f"{head} operations", counts["plain"], limits[2])
            print(f"{head} {'; '.join(cells)}; {said}", flush=True)


def measure_compiled():
    """Print steps under `torch.compile`, beside the hand's, and the graphs that they take."""
    import torch
    import torch._dynamo
    from torch._dynamo.utils import counters

    from lossfw.bridges import torch as bridge

    torch.set_num_threads(1)
    for plain, hand in ROWS:
        modules = {}
        for name, loss in (("plain", plain()), ("hand", hand())):
            modules[name] = bridge.module(loss, check=False)
            step(modules[name], *tensors(loss, 64))
        torch._dynamo.reset()
        counters.clear()
        graphs = torch.compile(modules["plain"], backend="aot_eager", fullgraph=True)
        compiled = {name: torch.compile(one, fullgraph=True) for name, one in modules.items()}
        try:
            for rows in (64, 100, 8_192, 1):
                step(graphs, *tensors(plain(), rows))
        except torch._dynamo.exc.TorchDynamoException as error:
            reason = str(error).partition("\n")[0]
            over.append(f"{plain().name} does not compile: {reason}")
            continue
        what = f"{plain().name:16} graphs of aot_eager"
        number = counters["stats"]["unique_graphs"]
        print(f"{what} {within(what, number, 3)}", flush=True)
        for rows in (64, 100, 8_192, 1):
            y, t = tensors(plain(), rows)
            found = least(
                {name: lambda c=c, y=y, t=t: step(c, y, t) for name, c in compiled.items()}
            )
            what = f"{plain().name:16} {rows:5} x 10 inductor, to hand"
            said = within(what, found["plain"] / found["hand"], 1.3)
            print(f"{what} {found['plain']:7.3f} ms {said}", flush=True)


# Trainings.

# Rows and rounds, and the largest ratio of objectives to before, and of trainings to tiles.
TRAININGS = (
    (37_500, 100, 0.65, math.inf),
    (5_000, 100, math.inf, 1.1),
    (1_000, 20, math.inf, 1.1),
)
REPETITIONS = 3


def bare(raw, data):
    """Return the derivatives as one writes them for a library, without lossfw."""
    r = raw - data.get_label()
    size, square = np.abs(r), 1.0 + r * r
    g = np.where(size < 1.0, r / np.sqrt(square), np.sign(r) / (1.0 + size))
    return g, np.where(size < 1.0, 1.0 / (square * np.sqrt(square)), 1.0 / (1.0 + size) ** 2)


def train(library, rows, rounds, contender):
    """Return the milliseconds of the objective and the seconds of a training, of CPU.

    The objective's are those of the thread that trains, the training's those of all threads.
    """
    from lossfw.bridges import lightgbm, xgboost

    rng = np.random.default_rng(0)
    x = rng.normal(size=(rows, 20))
    y = x[:, 0] * 2 + np.sin(x[:, 1]) + rng.standard_t(3, rows)
    bridge = lightgbm if library == "lightgbm" else xgboost
    loss = RobustByHand() if contender == "hand" else AuthorRobust()
    function = bare if contender == "numpy" else bridge.objective(loss)
    spent = 0.0

    def objective(*arguments):
        nonlocal spent
        begun = time.thread_time()
        result = function(*arguments)
        spent += time.thread_time() - begun
        return result

    if library == "lightgbm":
        import lightgbm as gb

        data = gb.Dataset(x, y).construct()
        begun = time.process_time()
        gb.train({"objective": objective, "verbosity": -1, "num_threads": 1}, data, rounds)
    else:
        import xgboost as gb

        data = gb.QuantileDMatrix(x, y)
        begun = time.process_time()
        own = {"max_depth": 5, "nthread": 1, "base_score": 0.0}
        gb.train(own, data, rounds, obj=objective)
    return 1e3 * spent, time.process_time() - begun


def measure_trainings(before):
    """Print the objective's milliseconds and the training's seconds of each contender."""
    # The name of a contender, its Python, its loss, and the engine's mode.
    contenders = {
        "tiles": (sys.executable, "plain", "tiles"),
        "auto": (sys.executable, "plain", ""),
        "hand": (sys.executable, "hand", ""),
        "numpy": (sys.executable, "numpy", ""),
        **({"before": (before, "plain", "")} if before else {}),
    }
    for library in ("lightgbm", "xgboost"):
        for rows, rounds, to_before, to_tiles in TRAININGS:
            best = dict.fromkeys(contenders, (math.inf, math.inf))
            for _ in range(REPETITIONS):
                for name, (python, loss, mode) in contenders.items():
                    command = [python, __file__, "--one", library, str(rows), str(rounds), loss]
                    environment = {**os.environ, "LOSSFW_ENGINE": mode}
                    out = subprocess.check_output(command, env=environment, text=True)
                    taken = json.loads(out.splitlines()[-1])
                    best[name] = tuple(map(min, best[name], taken))
            head = f"{library:8} {rows:6} rows"
            cells = [f"{name} {ms:7.1f} ms ({s:.3f} s)" for name, (ms, s) in best.items()]
            ratio = best["auto"][1] / best["tiles"][1]
            cells.append(f"training to tiles {within(f'{head} to tiles', ratio, to_tiles)}")
            if before:
                ratio = best["auto"][0] / best["before"][0]
                said = within(f"{head} objective to before", ratio, to_before)
                cells.append(f"objective to before {said}")
            print(f"{head} {'; '.join(cells)}", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--columns", nargs="+", type=int, default=COLUMNS)
    parser.add_argument("--dtype", default="float64", choices=("float32", "float64"))
    parser.add_argument("--out", action="store_true", help="a gradient into an array")
    parser.add_argument("--torch", action="store_true", help="steps of PyTorch")
    parser.add_argument("--compile", action="store_true", help="the same under torch.compile")
    parser.add_argument("--trainings", action="store_true")
    parser.add_argument("--before", metavar="PYTHON", help="with another version of lossfw")
    parser.add_argument("--limits", action="store_true", help="exit with 1 beyond a limit")
    parser.add_argument("--one", nargs=4, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one:
        library, rows, rounds, contender = options.one
        print(json.dumps(train(library, int(rows), int(rounds), contender)))
        return
    if options.out:
        measure_out()
    if options.torch:
        measure_torch()
    if options.compile:
        measure_compiled()
    if options.trainings:
        measure_trainings(options.before)
    if not (options.out or options.torch or options.compile or options.trainings):
        measure_arrays(options.columns, options.dtype)
    for line in over:
        print(f"over its limit: {line}")
    if options.limits and over:
        sys.exit(1)


if __name__ == "__main__":
    main()
