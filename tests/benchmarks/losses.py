"""Losses against their peers: value, and value with gradient.

    python tests/benchmarks/losses.py [--rounds 9] [--threads 2] [--json]

Contenders that are not installed are left out; those that compute another value
are no contenders, and the program says so. They alternate, every one with the
same number of threads; the table shows medians in milliseconds and the ratio to
naive NumPy. Unset OPENBLAS_CORETYPE before measuring where it is set.
"""

import argparse
import json
import math
import os
import statistics
import time

import numpy as np

import lossfw

# Sums of float32 in another order differ by this, relative to the mean loss.
TOLERANCE = 1e-4

RNG = np.random.default_rng(0)


def elements(count):
    return RNG.normal(size=count).astype("f4"), RNG.normal(size=count).astype("f4")


def labels(rows, columns):
    return (
        (RNG.normal(size=(rows, columns)) * 3).astype("f4"),
        RNG.integers(0, columns, rows),
    )


def binary(count):
    return (RNG.normal(size=count) * 4).astype("f4"), RNG.integers(0, 2, count).astype("f4")


def naive_squared(y, t):
    return np.mean((y - t) ** 2), 2 * (y - t) / y.size


def naive_huber(y, t):
    r = y - t
    a = np.abs(r)
    return np.mean(np.where(a <= 1, 0.5 * r**2, a - 0.5)), np.clip(r, -1, 1) / y.size


def naive_log_cosh(y, t):
    r = y - t
    a = np.abs(r)
    return np.mean(a + np.log1p(np.exp(-2 * a)) - np.log(2)), np.tanh(r) / y.size


def naive_binary(z, t):
    value = np.mean(np.maximum(z, 0) - z * t + np.log1p(np.exp(-np.abs(z))))
    return value, (1 / (1 + np.exp(-z)) - t) / z.size


def naive_cross_entropy(z, t):
    shifted = z - z.max(1, keepdims=True)
    e = np.exp(shifted)
    total = e.sum(1, keepdims=True)
    rows = np.arange(len(z))
    slope = e / total
    slope[rows, t] -= 1
    return np.mean(np.log(total[:, 0]) - shifted[rows, t]), slope / len(z)


def value_only(naive):
    """Return the value alone: the gradient's lines are not run for it."""
    bodies = {
        naive_squared: lambda y, t: np.mean((y - t) ** 2),
        naive_huber: lambda y, t: np.mean(
            np.where(np.abs(y - t) <= 1, 0.5 * (y - t) ** 2, np.abs(y - t) - 0.5)
        ),
        naive_log_cosh: lambda y, t: np.mean(
            np.abs(y - t) + np.log1p(np.exp(-2 * np.abs(y - t))) - np.log(2)
        ),
        naive_binary: lambda z, t: np.mean(np.maximum(z, 0) - z * t + np.log1p(np.exp(-np.abs(z)))),
        naive_cross_entropy: _cross_entropy_value,
    }
    return bodies[naive]


def _cross_entropy_value(z, t):
    shifted = z - z.max(1, keepdims=True)
    return np.mean(np.log(np.exp(shifted).sum(1)) - shifted[np.arange(len(z)), t])


WORK = {
    "squared error 1e7": ("squared_error", {}, lambda: elements(10**7), naive_squared),
    "Huber 1e7": ("huber", {}, lambda: elements(10**7), naive_huber),
    "log-cosh 1e7": ("log_cosh", {}, lambda: elements(10**7), naive_log_cosh),
    "binary cross-entropy from logits 1e7": (
        "binary_cross_entropy", {"from_logits": True}, lambda: binary(10**7), naive_binary),
    "cross-entropy from logits 1e6 x 10": (
        "cross_entropy", {"from_logits": True}, lambda: labels(10**6, 10), naive_cross_entropy),
    "cross-entropy from logits 2048 x 32000": (
        "cross_entropy", {"from_logits": True}, lambda: labels(2048, 32_000), naive_cross_entropy),
    "squared error 10": ("squared_error", {}, lambda: elements(10), naive_squared),
    "cross-entropy from logits 1 x 10": (
        "cross_entropy", {"from_logits": True}, lambda: labels(1, 10), naive_cross_entropy),
}  # fmt: skip


def torch_contenders(name, y, t, threads):
    try:
        import torch
        import torch.nn.functional as F  # noqa: N812  # its usual name
    except ImportError:
        return {}
    torch.set_num_threads(threads)
    functions = {
        "squared_error": F.mse_loss,
        "huber": F.huber_loss,
        "binary_cross_entropy": F.binary_cross_entropy_with_logits,
        "cross_entropy": F.cross_entropy,
    }
    if name not in functions:
        return {}
    a, b = torch.from_numpy(y), torch.from_numpy(t)

    def pair(function):
        def both():
            leaf = a.detach().requires_grad_()
            value = function(leaf, b)
            value.backward()
            return float(value.detach()), leaf.grad.numpy()

        return lambda: float(function(a, b)), both

    return {
        "torch eager": pair(functions[name]),
        "torch compiled": pair(torch.compile(functions[name], dynamic=False)),
    }


def sklearn_contenders(name, y, t, threads):
    try:
        from sklearn._loss import loss as losses
    except ImportError:
        return {}
    made = {
        "squared_error": (losses.HalfSquaredError, 2.0),
        "binary_cross_entropy": (losses.HalfBinomialLoss, 1.0),
        "cross_entropy": (lambda: losses.HalfMultinomialLoss(n_classes=y.shape[-1]), 1.0),
    }
    if name not in made:
        return {}
    make, factor = made[name]
    function, truth = make(), t.astype(y.dtype)

    def both():
        value, slope = function.loss_gradient(truth, y, n_threads=threads)
        return factor * np.mean(value, dtype="f8"), slope * (factor / len(y))

    return {
        "scikit-learn": (
            lambda: factor * np.mean(function.loss(truth, y, n_threads=threads), dtype="f8"),
            both,
        )
    }


def jax_contenders(name, y, t):
    try:
        import jax
        import jax.numpy as jnp
        import optax
    except ImportError:
        return {}
    functions = {
        "squared_error": optax.squared_error,
        "huber": optax.huber_loss,
        "log_cosh": optax.log_cosh,
        "binary_cross_entropy": optax.sigmoid_binary_cross_entropy,
        "cross_entropy": optax.softmax_cross_entropy_with_integer_labels,
    }
    if name not in functions:
        return {}
    mean = jax.jit(lambda a, b: jnp.mean(functions[name](a, b)))
    slope = jax.jit(jax.value_and_grad(lambda a, b: jnp.mean(functions[name](a, b))))
    a, b = jax.device_put(y), jax.device_put(t)

    def both():
        value, gradient = slope(a, b)
        gradient.block_until_ready()
        return float(value), np.asarray(gradient)

    return {"jax jit": (lambda: float(mean(a, b)), both)}


def contenders(name, parameters, y, t, naive, threads):
    """Return name -> (value, value and gradient)."""
    loss = lossfw.loss(name, **parameters)
    return {
        "naive NumPy": (lambda: value_only(naive)(y, t), lambda: naive(y, t)),
        "lossfw": (lambda: loss(y, t), lambda: loss.value_and_gradient(y, t)),
        **torch_contenders(name, y, t, threads),
        **jax_contenders(name, y, t),
        **sklearn_contenders(name, y, t, threads),
    }


def same(a, b):
    return math.isclose(float(a), float(b), rel_tol=TOLERANCE, abs_tol=1e-7)


def measure(found, rounds, repeat):
    """Return the median of each contender in milliseconds, rounds alternating."""
    times = {name: [] for name in found}
    for _ in range(rounds):
        for name, function in found.items():
            begin = time.perf_counter()
            for _ in range(repeat):
                function()
            times[name].append((time.perf_counter() - begin) / repeat)
    return {name: 1e3 * statistics.median(values) for name, values in times.items()}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--only", default="")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    os.environ["LOSSFW_THREADS"] = str(options.threads)
    table = []
    for title, (name, parameters, data, naive) in WORK.items():
        if options.only not in title:
            continue
        y, t = data()
        every = contenders(name, parameters, y, t, naive, options.threads)
        wanted = every["naive NumPy"][0]()
        for kind, which in (("value", 0), ("value and gradient", 1)):
            found = {}
            for contender, functions in every.items():
                try:
                    got = functions[which]()
                except Exception as failure:  # a compiler that is missing, for one
                    if not options.json:
                        print(f"{contender} fails on {title}: {type(failure).__name__}")
                    continue
                if same(got if which == 0 else got[0], wanted):
                    found[contender] = functions[which]
                elif not options.json:
                    print(f"{contender} computes another value of {title}: no contender")
            repeat = 1 if y.size > 1000 else 2000
            medians = measure(found, options.rounds, repeat)
            table.append({"work": title, "kind": kind, "milliseconds": medians})
            if not options.json:
                show(title, kind, medians)
    if options.json:
        print(json.dumps(table, indent=1))


def show(title, kind, medians):
    base = medians["naive NumPy"]
    parts = [f"{name} {ms:.4g} ms ({base / ms:.2f}x)" for name, ms in medians.items()]
    print(f"{title}, {kind}: {', '.join(parts)}")


if __name__ == "__main__":
    main()
