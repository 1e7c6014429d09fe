"""Training steps of losses of named columns, vectors and groups, beside those of their peers.

    python tests/benchmarks/columns.py [--rounds 7] [--records 64 1024 30000] [--only Gumbel]
        [--no-compiler] [--write PAGE]

A step is the mean loss and its gradient, in float32 on one thread. "lossfw" is a call with arrays
of NumPy, "lossfw in torch" a step of the module of the loss, both with their kernels; peers compute
the textbook's formula, and those that compute another value or are not installed are left out.
Contenders take turns, and a cell is the median CPU time of their rounds over that of the fastest
peer: on a machine that does other work, ratios of one run hold where times do not.
``--no-compiler`` leaves `torch.compile` out, which takes minutes. With ``--write`` the table goes
into a page, between the two comments that name it; ``make speed`` does so with
`docs/explanation/speed.md`. Run it with OPENBLAS_CORETYPE and OPENBLAS_L2_SIZE unset.
"""

import argparse
import math
import os
import statistics
import sys
import time
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from types import SimpleNamespace

os.environ["LOSSFW_THREADS"] = "1"
# JAX reads this when it is imported.
os.environ.setdefault(
    "XLA_FLAGS", "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1"
)
sys.path.insert(0, str(Path(__file__).parents[1]))

import numpy as np
from costs import processor
from pages import put_into

import lossfw
from losses import agrees
from lossfw.losses.engine import compiled
from lossfw.losses.engine.engine_mode import use_engine
from support import author_columns as authors

BEGIN = "<!-- Table of tests/benchmarks/columns.py -->\n"

RECORDS = (64, 1024, 30_000)

# The rows of a group, the numbers of a vector, and quantiles.
GROUP, LENGTH, LEVELS = 16, 16, (0.05, 0.25, 0.5, 0.75, 0.95)

HALF_LOG_TWO_PI = 0.5 * math.log(2.0 * math.pi)

# A contender is called so often in a round that it takes as many seconds, and so often at least.
SECONDS, CALLS = 0.01, 2

# So many steps of a module come first: by then it has its kernel, and nothing is on trial.
WARM_STEPS = 80

OWN = ("lossfw", "lossfw in torch")


@dataclass
class Work:
    """A loss, the formula of its peers of a library's functions, and the shapes of a record."""

    title: str
    loss: object
    formula: object  # formula(m, y, t), the losses of records or groups
    prediction: tuple = ()
    target: str = "real"  # or positive, time and event, references
    groups: bool = False

    def arrays(self, records):
        """Return prediction and target of so many records."""
        rng = np.random.default_rng(0)
        lead = (records // GROUP, GROUP) if self.groups else (records,)
        y = rng.normal(size=(*lead, *self.prediction))
        x = rng.normal(size=lead)
        targets = {
            "real": lambda: x,
            "positive": lambda: np.exp(x),
            "relevance": lambda: rng.integers(0, 3, lead),
            "references": lambda: rng.normal(size=(*lead, 2)),
            "event": lambda: np.stack([np.exp(x), rng.random(lead) < 0.6], axis=-1),
        }
        return y.astype(np.float32), targets[self.target]().astype(np.float32)


def evidential(m, y, t):
    v, a, b = m.softplus(y[:, 1]), 1 + m.softplus(y[:, 2]), m.softplus(y[:, 3])
    spread, r = 2 * b * (1 + v), t - y[:, 0]
    likelihood = (
        0.5 * (math.log(math.pi) - m.log(v)) - a * m.log(spread)
        + (a + 0.5) * m.log(v * r**2 + spread) + m.lgamma(a) - m.lgamma(a + 0.5)
    )  # fmt: skip
    return likelihood + 0.01 * m.abs(r) * (2 * v + a)


def preference(m, y, t):
    return m.softplus(-0.1 * ((y[:, 0] - y[:, 1]) - (t[:, 0] - t[:, 1])))


def gumbel(m, y, t):
    z = (t - y[:, 0]) * m.exp(-y[:, 1])
    return y[:, 1] + z + m.exp(-z)


def generalised_pareto(m, y, t):
    shape = m.exp(y[:, 1])
    return y[:, 0] + (1 + 1 / shape) * m.log1p(shape * t * m.exp(-y[:, 0]))


def burr(m, y, t):
    u = m.exp(y[:, 1]) * (m.log(t) - y[:, 0])
    return m.log(t) - y[:, 1] - y[:, 2] - u + (m.exp(y[:, 2]) + 1) * m.softplus(u)


def accelerated(m, y, t):
    z = (m.log(t[:, 0]) - y[:, 0]) / m.exp(y[:, 1])
    seen = 0.5 * z**2 + HALF_LOG_TWO_PI + y[:, 1] + m.log(t[:, 0])
    return m.where(t[:, 1] > 0, seen, -m.log_ndtr(-z))


def interval(m, y, t):
    low, high = y[:, 0], y[:, 1]
    return high - low + 20 * (m.relu(low - t) + m.relu(t - high))


def crps(m, y, t):
    s = m.exp(y[:, 1])
    z = (t - y[:, 0]) / s
    density = m.exp(-0.5 * z**2) / math.sqrt(2 * math.pi)
    return s * (z * (2 * m.ndtr(z) - 1) + 2 * density - 1 / math.sqrt(math.pi))


def quantiles(m, y, t):
    losses = 0
    for k, q in enumerate(LEVELS):
        r = t - y[:, k]
        losses = losses + m.maximum(q * r, (q - 1) * r)
    return losses / len(LEVELS)


def ranking(m, y, t):
    higher = t[:, :, None] > t[:, None, :]
    cost = m.softplus(y[:, None, :] - y[:, :, None])
    return m.where(higher, cost, m.zeros_like(cost)).sum((1, 2))


def info_nce(m, y, t):
    query, key = y[:, :, 0], y[:, :, 1]
    z = query @ m.swap(key) / 0.5
    own = (query * key).sum(-1) / 0.5
    return (m.logsumexp(z) - own).mean(1)


def triplet(m, y, t):
    near, far = (m.sqrt(((y[:, 0] - y[:, k]) ** 2).sum(-1)) for k in (1, 2))
    return m.relu(near - far + 1)


AUTHORS = [
    Work("DPO", authors.Preference(), preference, (2,), "references"),
    Work("evidential NIG", authors.Evidential(), evidential, (4,)),
    Work("Gumbel", authors.Gumbel(), gumbel, (2,)),
    Work("generalised Pareto", authors.GeneralisedPareto(), generalised_pareto, (2,), "positive"),
    Work("Burr", authors.Burr(), burr, (3,), "positive"),
]
BUILT_IN = [
    Work("aft_nll", lossfw.loss("aft_nll"), accelerated, (2,), "event"),
    Work("interval_score", lossfw.loss("interval_score"), interval, (2,)),
    Work("crps_normal", lossfw.loss("crps_normal"), crps, (2,)),
    Work("multi_quantile", lossfw.loss("multi_quantile", levels=LEVELS), quantiles, (5,)),
    Work(
        "pairwise_logistic", lossfw.loss("pairwise_logistic"), ranking, (), "relevance", groups=True
    ),
    Work("info_nce", lossfw.loss("info_nce"), info_nce, (2, LENGTH), groups=True),
    Work("triplet_margin", lossfw.loss("triplet_margin"), triplet, (3, LENGTH)),
]


def own_contenders(work, y, t):
    """Return the steps of lossfw, with NumPy and in PyTorch."""
    found = {"lossfw": lambda: work.loss.value_and_gradient(y, t)}
    try:
        import torch

        from lossfw.bridges.torch import module
    except ImportError:
        return found
    step = torch_step(torch, module(work.loss), y, t)
    return {**found, "lossfw in torch": step}


def torch_step(torch, criterion, y, t):
    torch.set_num_threads(1)
    leaf, target = torch.from_numpy(y).requires_grad_(), torch.from_numpy(t)

    def step():
        leaf.grad = None
        value = criterion(leaf, target)
        value.backward()
        return float(value.detach()), leaf.grad

    return step


def torch_contenders(work, y, t, *, with_compiler):
    try:
        import torch
        from torch.nn import functional
    except ImportError:
        return {}
    torch.compiler.reset()
    names = ("abs", "exp", "log", "log1p", "sqrt", "where", "maximum", "lgamma", "zeros_like")
    m = SimpleNamespace(
        **{name: getattr(torch, name) for name in names},
        softplus=functional.softplus, relu=torch.relu, swap=lambda x: x.mT,
        ndtr=torch.special.ndtr, log_ndtr=torch.special.log_ndtr,
        logsumexp=partial(torch.logsumexp, dim=-1)
    )  # fmt: skip

    def mean(y, t):
        return work.formula(m, y, t).mean()

    found = {"torch eager": torch_step(torch, mean, y, t)}
    if with_compiler:
        whole = torch.compile(mean, dynamic=False)
        found["torch compiled"] = torch_step(torch, whole, y, t)
    return found


def jax_contenders(work, y, t):
    try:
        import jax
        from jax import numpy as jnp
    except ImportError:
        return {}
    names = ("abs", "exp", "log", "log1p", "sqrt", "where", "maximum", "zeros_like")
    m = SimpleNamespace(
        **{name: getattr(jnp, name) for name in names},
        softplus=jax.nn.softplus, relu=jax.nn.relu, swap=lambda x: x.swapaxes(-1, -2),
        lgamma=jax.scipy.special.gammaln, ndtr=jax.scipy.special.ndtr,
        log_ndtr=jax.scipy.special.log_ndtr,
        logsumexp=partial(jax.scipy.special.logsumexp, axis=-1)
    )  # fmt: skip
    both = jax.jit(jax.value_and_grad(lambda y, t: work.formula(m, y, t).mean()))
    given = jax.device_put(y), jax.device_put(t)

    def step():
        value, gradient = both(*given)
        gradient.block_until_ready()
        return float(value), gradient

    return {"jax jit": step}


def in_the_race(every, title):
    """Return the steps that run and compute the same; those of lossfw until they have kernels."""
    found, wanted = {}, None
    for column, step in every.items():
        try:
            for _ in range(WARM_STEPS if column in OWN else 2):
                got = step()
        except Exception as failure:  # a compiler that is missing, for one
            print(f"{title}: {column} fails: {type(failure).__name__}", file=sys.stderr)
            continue
        wanted = got if wanted is None else wanted
        if agrees(got, wanted[0]) and np.allclose(got[1], wanted[1], rtol=1e-3, atol=1e-6):
            found[column] = step
        else:
            print(f"{title}: {column} computes another value: no contender", file=sys.stderr)
    return found


def measure(found, rounds):
    """Return the median CPU seconds of a step of each contender, which take turns."""
    calls = {}
    for column, step in found.items():
        begin = time.process_time()
        for _ in range(CALLS):
            step()
        one = (time.process_time() - begin) / CALLS
        calls[column] = max(CALLS, math.ceil(SECONDS / max(one, 1e-6)))
    times = {column: [] for column in found}
    for _ in range(rounds):
        for column, step in found.items():
            begin = time.process_time()
            for _ in range(calls[column]):
                step()
            times[column].append((time.process_time() - begin) / calls[column])
    return {column: statistics.median(seen) for column, seen in times.items()}


def compare(work, records, options):
    """Return the median seconds of a work at so many records."""
    y, t = work.arrays(records)
    title = f"{work.title}, {records:,}"
    with use_engine("compiled"), compiled.trust_kernels():
        every = {
            **own_contenders(work, y, t),
            **torch_contenders(work, y, t, with_compiler=options.compiler),
            **jax_contenders(work, y, t),
        }
        return title, measure(in_the_race(every, title), options.rounds)


def ratios(seconds):
    """Return the fastest peer, and each contender's time over that of this peer."""
    peers = [column for column in seconds if column not in OWN]
    if not peers:
        raise SystemExit("no peer is installed: pip install torch, jax")
    fastest = min(peers, key=seconds.__getitem__)
    return fastest, {column: value / seconds[fastest] for column, value in seconds.items()}


def markdown(rows):
    columns = list(dict.fromkeys(column for _, seconds in rows for column in seconds))
    head = f"CPU time over that of the fastest peer, one thread of {processor()}, "
    lines = [
        f"{head}NumPy {np.__version__}.",
        "",
        "| step, records | fastest peer, us | " + " | ".join(columns) + " |",
        "|---" * (len(columns) + 2) + "|",
    ]
    for title, seconds in rows:
        fastest, found = ratios(seconds)
        cells = [f"{found[column]:.2f}" if column in found else "" for column in columns]
        peer = f"{1e6 * seconds[fastest]:,.0f}"
        lines.append(f"| {title} | {peer} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--records", type=int, nargs="*", default=RECORDS)
    parser.add_argument("--only", default="", help="works whose title contains this")
    parser.add_argument("--no-compiler", dest="compiler", action="store_false")
    parser.add_argument("--write", type=Path, metavar="PAGE", help="put the table into a page")
    options = parser.parse_args()
    rows = []
    for work in (*AUTHORS, *BUILT_IN):
        for records in options.records if options.only in work.title else ():
            rows.append(compare(work, records, options))
            fastest, found = ratios(rows[-1][1])
            texts = ", ".join(f"{column} {ratio:.2f}" for column, ratio in found.items())
            us = 1e6 * rows[-1][1][fastest]
            print(f"{rows[-1][0]}: {us:.3g} us by {fastest}; {texts}", flush=True)
    if options.write:
        put_into(options.write, markdown(rows), BEGIN)


if __name__ == "__main__":
    main()
