"""Cost of every built-in beside naive NumPy: CPU nanoseconds an element, as a table or JSON.

    python tests/benchmarks/costs.py [NAME ...] [--write FILE]

One thread, whole arrays of 2 MB to 16 MB, medians of rounds in which lossfw and naive NumPy
alternate. An element of a loss of rows is an entry of the prediction. ``make costs`` writes
the file that `lossfw show` reads.
"""

import argparse
import datetime
import json
import os
import platform
import statistics
import time
from pathlib import Path

os.environ["LOSSFW_THREADS"] = "1"

import naive
import numpy as np

import lossfw
from lossfw.check.accuracy.variants import variants
from lossfw.components.plugin_choice import Plugins

# Elements of an array, and columns of a row.
ELEMENTS, COLUMNS = 2_000_000, 10

DTYPES = ("float32", "float64")

# A component above this ratio to naive NumPy is marked.
GOAL = 3.0


def components(names):
    """Return each built-in at its defaults and in each of its forms."""
    registry = Plugins().registry()
    return [
        part
        for kind in ("loss", "activation")
        for entry in registry.entries(kind)
        if entry.name in vars(naive) and (not names or entry.name in names)
        for part in variants(registry.class_of(entry), others=False)
    ]


def arguments(part, dtype):
    """Return prediction and target as ordinary data has them."""
    rng = np.random.default_rng(0)
    rows = ELEMENTS // COLUMNS
    shape = (rows, COLUMNS) if part.takes_rows else (ELEMENTS,)
    if part.name == "heteroscedastic_gaussian_nll":
        return rng.normal(size=(ELEMENTS // 2, 2)).astype(dtype), rng.normal(
            size=ELEMENTS // 2
        ).astype(dtype)
    if isinstance(part, lossfw.Activation):
        return ((3 * rng.normal(size=shape)).astype(dtype), None)
    logits = getattr(part, "input_form", "prediction") == "logits"
    y = drawn(rng, "LOGITS" if logits else part.prediction.name, shape)
    if part.target.name == "CLASS_INDEX":
        return y.astype(dtype), rng.integers(0, COLUMNS, rows)
    name = "COUNT" if part.name == "poisson_deviance" else part.target.name
    if part.name == "tweedie_deviance":
        name = "POSITIVE"
    return y.astype(dtype), drawn(rng, name, shape).astype(dtype)


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
    """Return the functions to measure: (column, kind) -> function."""
    plain = getattr(naive, part.name)
    if isinstance(part, lossfw.Activation):
        found = {
            ("tiles", "value"): lambda: part(y),
            ("naive", "value"): lambda: plain(y, t, part, False),
        }
        if not part.takes_rows:
            found["tiles", "gradient"] = lambda: (part(y), part.derivative(np, y))
            found["naive", "gradient"] = lambda: plain(y, t, part, True)
        return found

    def both():
        value, slope = plain(y, t, part, True)
        return np.mean(value), slope / value.size

    return {
        ("tiles", "value"): lambda: part(y, t),
        ("naive", "value"): lambda: np.mean(plain(y, t, part, False)[0]),
        ("tiles", "gradient"): lambda: part.value_and_gradient(y, t),
        ("naive", "gradient"): both,
    }


def agrees(found):
    """Refuse to compare what does not compute the same."""
    ours, plain = found["tiles", "value"](), found["naive", "value"]()
    if isinstance(plain, tuple):
        plain = plain[0]
    # Naive NumPy loses digits, and GELU's approximation is one.
    np.testing.assert_allclose(ours, plain, rtol=2e-3, atol=2e-3)


def measured(part, dtype, rounds):
    """Return column -> kind -> nanoseconds an element."""
    y, t = arguments(part, dtype)
    with np.errstate(all="ignore"):
        found = contenders(part, y, t)
        agrees(found)
        times = {key: [] for key in found}
        for _ in range(rounds):
            for key, function in found.items():
                begin = time.process_time()
                function()
                times[key].append(time.process_time() - begin)
    costs = {}
    for (column, kind), seconds in times.items():
        costs.setdefault(column, {})[kind] = round(1e9 * statistics.median(seconds) / y.size, 2)
    return costs


def processor():
    """Return the model of the processor."""
    lines = Path("/proc/cpuinfo")
    if lines.is_file():
        for line in lines.read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def key(part):
    """Return the name and the parameters, as `lossfw show` looks them up."""
    return part.name, part.parameters


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--write", type=Path)
    options = parser.parse_args()
    rows = []
    for part in components(options.names):
        costs = {dtype: measured(part, dtype, options.rounds) for dtype in DTYPES}
        rows.append({"name": part.name, "parameters": part.parameters, "costs": costs})
        show(part, costs)
    if options.write:
        document = {
            "processor": processor(),
            "numpy": np.__version__,
            "lossfw": lossfw.__version__,
            "date": datetime.date.today().isoformat(),
            "components": rows,
        }
        options.write.write_text(json.dumps(document, indent=1) + "\n")


def show(part, costs):
    cells = []
    for columns in costs.values():
        for kind, ours in columns["tiles"].items():
            plain = columns["naive"][kind]
            mark = "!" if ours > GOAL * plain else ""
            cells.append(f"{ours:6.1f} /{plain:5.1f} ={ours / plain:5.1f}{mark:1}")
    print(f"{str(part)[:58]:58} {'  '.join(cells)}", flush=True)


if __name__ == "__main__":
    main()
