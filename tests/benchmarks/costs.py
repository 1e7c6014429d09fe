"""Cost of every built-in beside naive NumPy: CPU nanoseconds an element, as a table or JSON.

    python tests/benchmarks/costs.py [NAME ...] [--write FILE]
    python tests/benchmarks/costs.py --over plugins/lossfw_std/costs.json

One thread, medians of rounds in which lossfw and naive NumPy alternate: losses of arrays of
two million elements, activations of a block of a network's layer. An element of a loss of rows
is an entry of the prediction. lossfw is measured in tiles and, where llvmlite is installed and
the body can be compiled, in a kernel. ``make costs`` writes the file that `lossfw show` reads.
With names only those are measured, and the others in the file stay as they are.
``--over`` measures nothing, and lists what costs more than the goals in such a file, worst first.
"""

import argparse
import json
import math
import os
import platform
import statistics
import sys
import time
from pathlib import Path

os.environ["LOSSFW_THREADS"] = "1"
sys.path.append(str(Path(__file__).parents[2] / "scripts"))

import naive
import naive_groups
import naive_survival
import numpy as np
from peer_functions import peer_calls

import lossfw
from lossfw.check.instances import variants
from lossfw.components.plugin_choice import Plugins
from lossfw.losses.engine import compiled
from lossfw.losses.engine.engine_mode import use_engine
from lossfw.nn import large_arrays

# Elements of an array, and columns of a row. A network computes a layer in blocks of 256 rows.
ELEMENTS, COLUMNS = 2_000_000, 10
LAYER = 256 * 64

DTYPES = ("float32", "float64")

# The largest ratios to naive NumPy that are wanted.
GOAL = 3.0
GOALS = {"tiles": GOAL, "kernel": 1.5}

# Parameters at which a component takes another way than at its defaults.
OTHER_WAYS = {
    "tweedie_deviance": ({"power": 1.2},),
    "aft": ({"distribution": "logistic"}, {"distribution": "extreme"}),
    "cox": ({"ties": "breslow"},),
    "crps_ensemble": ({"fair": True},),
    "cumulative_link": tuple({"cuts": (-1, 0, 1), "link": x} for x in naive_survival.LINKS),
}

# Targets that no space tells.
TARGETS = naive_survival.TARGETS

# The engine's mode for each column: chosen before the clock starts, as a user does.
MODES = {"tiles": "tiles", "kernel": "compiled", "naive": "tiles"}


def components(names):
    """Return each built-in at its defaults and in each of its forms."""
    registry = Plugins().registry()
    return [
        part
        for kind in ("loss", "activation")
        for entry in registry.entries(kind)
        if entry.name in vars(naive) and (not names or entry.name in names)
        for part in forms(registry.class_of(entry), entry.name)
    ]


def forms(cls, name):
    """Return a component at its defaults, in each of its forms, and where it goes other ways."""
    return [*variants(cls, others=False), *(cls(**one) for one in OTHER_WAYS.get(name, ()))]


def arguments(part, dtype):
    """Return prediction and target as ordinary data has them."""
    rng = np.random.default_rng(0)
    if getattr(part, "takes_groups", False):
        return arguments_of_groups(part, dtype, rng)
    elements = LAYER if isinstance(part, lossfw.Activation) else ELEMENTS
    rows = elements // COLUMNS
    shape = (rows, COLUMNS) if part.takes_rows else (elements,)
    if part.name in TARGETS and not part.takes_rows:
        y = rng.normal(size=shape)
        return y.astype(dtype), TARGETS[part.name](rng, y, part).astype(dtype)
    if getattr(part, "has_columns", False):
        return arguments_of_columns(part, dtype, rng)
    if isinstance(part, lossfw.Activation):
        return ((3 * rng.normal(size=shape)).astype(dtype), None)
    logits = getattr(part, "_input_form", "prediction") != "prediction"
    y = drawn(rng, "LOGITS" if logits else part.prediction.name, shape)
    if part.target.name == "CLASS_INDEX":
        return y.astype(dtype), rng.integers(0, COLUMNS, rows)
    name = "COUNT" if part.name in ("poisson_deviance", "poisson_nll") else part.target.name
    if part.name == "tweedie_deviance":
        name = "POSITIVE"
    return y.astype(dtype), drawn(rng, name, shape).astype(dtype)


def arguments_of_columns(part, dtype, rng):
    """Return rows with named columns, or vectors of ten, and the target of each."""
    space = part.prediction_space
    size = space.flat_size(COLUMNS)
    # A sample of vectors: ten of four numbers.
    row = (COLUMNS, 4) if part.name == "energy_score" else space.row_shape(size)
    # Scales and shapes are exponentials of it.
    y = 0.5 * rng.normal(size=(ELEMENTS // math.prod(row), *row))
    if part.name in TARGETS:
        t = TARGETS[part.name](rng, y, part)
    else:
        shape = (len(y), row[-1]) if part.target_space.axes else (len(y),)
        t = drawn(rng, getattr(part.target_space, "of_numbers", part.target_space).name, shape)
    return y.astype(dtype), t.astype(dtype)


def arguments_of_groups(part, dtype, rng):
    """Return scores, or vectors of ten, with relevances, which are classes for vectors."""
    space, lead = part.prediction_space, (naive_groups.QUERIES, naive_groups.ROWS)
    row = space.row_shape(space.flat_size(COLUMNS)) if space.axes else ()
    y, t = rng.normal(size=(*lead, *row)), rng.integers(0, 5, lead)
    if part.name in TARGETS:
        t = TARGETS[part.name](rng, y, part)
    return y.astype(dtype), t.astype(dtype)


def drawn(rng, space, shape):
    x = rng.normal(size=shape)
    return {
        "REAL": lambda: x,
        "LOGITS": lambda: x if x.ndim == 1 else 3 * x,
        "POSITIVE": lambda: np.exp(x),
        "NONNEGATIVE": lambda: np.exp(x),
        "ABOVE_MINUS_ONE": lambda: np.exp(x) - 0.5,
        "COUNT": lambda: rng.poisson(3.0, shape),
        "UNIT": lambda: naive.of_sigmoid(x),
        "SIGN": lambda: np.sign(x),
        "BINARY": lambda: (x > 0) * 1.0,
        "SIMPLEX": lambda: naive.of_softmax(x),
    }[space]()


def contenders(part, y, t):
    """Return the functions to measure: column -> kind -> function."""
    calls = calls_of_activation if isinstance(part, lossfw.Activation) else calls_of_loss
    ours, plain = calls(part, y, t)
    compiled = {kind: one for kind, one in ours.items() if has_kernel(part, y, t, kind)}
    return {"tiles": ours, **({"kernel": compiled} if compiled else {}), "naive": plain}


def calls_of_loss(part, y, t):
    """Return lossfw's functions by kind, and naive NumPy's."""
    plain = getattr(naive, part.name)
    if part.takes_groups:
        plain = naive_groups.in_stacks(plain)

    def both():
        value, derivative = plain(y, t, part, True)
        return np.mean(value), derivative / value.size

    return (
        {"value": lambda: part(y, t), "gradient": lambda: part.value_and_gradient(y, t)},
        {"value": lambda: np.mean(plain(y, t, part, False)[0]), "gradient": both},
    )


def calls_of_activation(part, y, _):
    """Return the same; a gradient is one that is pulled back, as in training."""
    plain, v = getattr(naive, part.name), np.ones_like(y)
    ours = {"value": lambda: part(y)}
    naively = {"value": lambda: plain(y, None, part, False)[0]}

    def both():
        value, derivative = plain(y, None, part, True)
        return value, derivative * v

    if not part.takes_rows:
        ours["gradient"] = lambda: gradient_of_layer(part, y, v)
        naively["gradient"] = both
    return ours, naively


def gradient_of_layer(part, y, v):
    """Return value and gradient as `lossfw.nn.backprop` computes them."""
    value, derivative = large_arrays.value_and_derivative(part, y)
    return value, derivative * v


def has_kernel(part, y, t, kind):
    """Tell whether a kernel computes the value or both, or would if llvmlite were there."""
    if not compiled.is_available():
        return False
    if getattr(part, "takes_groups", False):
        return False
    columns = y.shape[-1] if part.takes_rows else None
    if isinstance(part, lossfw.Activation):
        use = "value" if kind == "value" else "value_and_derivative"
        return not compiled.no_activation_kernel_reason(part, use, y.dtype, columns)
    by_index = part.takes_rows and part.target.name == "CLASS_INDEX"
    form = "value" if kind == "value" else "both"
    return not compiled.no_kernel_reason(part, form, y.dtype, columns, by_index=by_index)


def agree(found):
    """Refuse to compare what does not compute the same, and make the kernels."""
    plain = found["naive"]["value"]()
    for column, kinds in found.items():
        for kind, function in kinds.items():
            with use_engine(MODES[column]):
                ours = function()
            # Naive NumPy loses digits, and GELU's approximation is one.
            if kind == "value" and not isinstance(ours, tuple):
                np.testing.assert_allclose(ours, plain, rtol=2e-3, atol=2e-3)


def measured(part, dtype, rounds):
    """Return column -> kind -> nanoseconds an element."""
    y, t = arguments(part, dtype)
    repeat = max(1, ELEMENTS // y.size // 4)
    with np.errstate(all="ignore"):
        found = contenders(part, y, t)
        agree(found)
        times = {(column, kind): [] for column, kinds in found.items() for kind in kinds}
        for _ in range(rounds):
            for (column, kind), seconds in times.items():
                function = found[column][kind]
                with use_engine(MODES[column]):
                    begin = time.process_time()
                    for _ in range(repeat):
                        function()
                    seconds.append((time.process_time() - begin) / repeat)
    costs = {}
    for (column, kind), seconds in times.items():
        cost = 1e9 * statistics.median(seconds) / y.size
        # Three digits: a copy takes less than a tenth of a nanosecond.
        costs.setdefault(column, {})[kind] = float(f"{cost:.3g}")
    return costs


def processor():
    """Return the model of the processor."""
    lines = Path("/proc/cpuinfo")
    if lines.is_file():
        for line in lines.read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--write", type=Path)
    parser.add_argument("--over", type=Path, help="list what is over the goals in a file")
    options = parser.parse_args()
    if options.over:
        print_over(json.loads(options.over.read_text())["components"])
        return
    rows = {}
    # The first large call tells the allocator to keep freed memory, for both contenders.
    lossfw.loss("squared_error")(np.zeros(ELEMENTS), np.zeros(ELEMENTS))
    for part in components(options.names):
        costs = {dtype: measured(part, dtype, options.rounds) for dtype in DTYPES}
        rows.setdefault(part.name, []).append({"parameters": part.parameters, "costs": costs})
        show(part, costs)
    if options.write:
        if options.names and options.write.exists():
            rows = {**json.loads(options.write.read_text())["components"], **rows}
        head = {"processor": processor(), "numpy": np.__version__, "lossfw": lossfw.__version__}
        unit = "CPU nanoseconds an element, one thread"
        document = {"unit": unit, **head, "peers": peer_calls(), "components": rows}
        options.write.write_text(json.dumps(document, indent=1) + "\n")


def print_over(components):
    """Print name, dtype, kind and column of what is over its goal, the worst first."""
    found = []
    for name, forms in components.items():
        for form in forms:
            for dtype, columns in form["costs"].items():
                for column, goal in GOALS.items():
                    for kind, cost in columns.get(column, {}).items():
                        ratio = cost / columns["naive"][kind]
                        if ratio > goal:
                            found.append((ratio / goal, ratio, column, name, dtype, kind, form))
    for _, ratio, column, name, dtype, kind, form in sorted(found, key=lambda x: -x[0]):
        print(f"{ratio:6.1f} {column:6} {name} {dtype} {kind} {form['parameters']}")
    print(f"{len(found)} over the goals")


def show(part, costs):
    cells = []
    for columns in costs.values():
        for kind, plain in columns["naive"].items():
            tiles, kernel = (columns.get(name, {}).get(kind) for name in ("tiles", "kernel"))
            marks = (
                ("!" if tiles > GOAL * plain else " "),
                ("" if kernel is None else f"{kernel:5.1f}"),
            )
            cells.append(f"{tiles:6.1f}{marks[0]}{marks[1]:5} /{plain:5.1f}")
    print(f"{str(part)[:50]:50} {' '.join(cells)}", flush=True)


if __name__ == "__main__":
    main()
