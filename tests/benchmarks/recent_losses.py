"""Twenty losses of recent papers that have `value` alone: what they cost beside code by hand.

    python tests/benchmarks/recent_losses.py [NAME ...]

Each loss is trained: in LightGBM if it has one prediction or several classes a row, in PyTorch and
in JAX by steps of gradient descent; a training that does not lower the loss is an error. Times are
ratios to the code of `recent_by_hand.py`, of contenders in turn: value and gradient of a million
numbers to NumPy with the derivative by hand, in tiles and in kernels; a step on 8,192 rows to the
same formula differentiated by PyTorch, likewise, and by JAX under jit; a training of LightGBM to
one with the derivative by hand.
"""

import importlib
import sys
import time
from pathlib import Path

import numpy as np
from authors import in_engine, least
from recent_by_hand import BY_HAND, FORMULAS, jax_library, torch_library

import lossfw

SIZE, COLUMNS, ROWS = 1_000_000, 10, 8_192
STEPS = 60
ROUNDS = 60

sys.path.insert(0, str(Path(__file__).parents[2] / "docs/examples/lossfw-recent/src"))

# These have several predictions a row that are not classes.
NOT_BOOSTED = ("zlpr", "dice_semimetric", "hl_gauss", "censored_likelihood", "mpd_iou")


def recent_loss(name):
    """Return a loss of the example, which need not be installed."""
    import lossfw_recent

    module, _, cls = lossfw_recent.lossfw_losses()[name].partition(":")
    return getattr(importlib.import_module(module), cls)()


def arrays(loss, size, dtype):
    """Return prediction and target as ordinary data has them."""
    rng = np.random.default_rng(0)
    if loss.takes_rows:
        shape = (size // COLUMNS, COLUMNS)
        y = (rng.random(shape) if loss.prediction is lossfw.UNIT else rng.normal(size=shape)) * 1.0
        t = row_targets(loss, shape, rng)
        if loss.name == "mpd_iou":
            y, t = (rng.random((size // 4, 4)) / 2 + [0, 0, 0.5, 0.5] for _ in range(2))
        return y.astype(dtype), t if t.dtype == np.int64 else t.astype(dtype)
    y, t = rng.normal(size=(2, size)).astype(dtype)
    return y, {"REAL": t, "SIGN": np.sign(t), "BINARY": (t > 0).astype(dtype)}[loss.target.name]


def row_targets(loss, shape, rng):
    if loss.target is lossfw.CLASS_INDEX:
        return rng.integers(0, shape[1], shape[0])
    if loss.target is lossfw.UNIT:
        return rng.random(shape[:1] if loss.has_columns else shape)
    if loss.name == "censored_likelihood":
        bins, own = np.arange(shape[1]), rng.integers(0, shape[1], (shape[0], 1))
        return np.where(rng.random((shape[0], 1)) < 0.5, bins == own, bins >= own)
    return rng.random(shape) < 0.3


def in_numpy(loss):
    """Return the milliseconds by hand, and the ratios of tiles and kernels."""
    y, t = arrays(loss, SIZE, "float64")
    by_hand = BY_HAND[loss.name]

    def hand():
        value, slope = by_hand(y, t)
        return value.mean(), slope / value.size

    value, slope = loss.value_and_gradient(y, t)
    expected, slopes = hand()
    assert np.isclose(value, expected), loss.name
    assert abs(slope - slopes).max() < 1e-10 * abs(slopes).max(), loss.name
    found = least(
        {
            "hand": hand,
            "tiles": in_engine("tiles", lambda: loss.value_and_gradient(y, t)),
            "kernel": in_engine("compiled", lambda: loss.value_and_gradient(y, t)),
        }
    )
    return found["hand"], found["tiles"] / found["hand"], found["kernel"] / found["hand"]


def in_torch(loss):
    """Return the milliseconds of PyTorch's own code, and the ratios of tiles and kernels."""
    import torch

    from lossfw.bridges import torch as bridge

    torch.set_num_threads(1)
    y, t = map(torch.as_tensor, arrays(loss, ROWS * COLUMNS, "float32"))
    library, formula = torch_library(), FORMULAS[loss.name]
    module = bridge.module(loss)

    def step(criterion):
        z = y.detach().requires_grad_()
        criterion(z, t).backward()
        return z.grad

    def own(z, t):
        return formula(library, z, t).mean()

    expected = step(own)
    assert (step(module) - expected).abs().max() < 1e-4 * expected.abs().max(), loss.name
    # Gradient descent on the predictions, each by its part of the mean.
    z = y.clone().requires_grad_()
    optimizer = torch.optim.SGD([z], lr=0.02 * module(z, t).numel() * len(y))
    losses = []
    for _ in range(STEPS):
        optimizer.zero_grad()
        losses.append(module(z, t))
        losses[-1].backward()
        optimizer.step()
        with torch.no_grad():
            z.clamp_(0, 1) if loss.prediction is lossfw.UNIT else None
    assert losses[-1] < losses[0], loss.name
    found = least(
        {
            "own": lambda: step(own),
            "tiles": in_engine("tiles", lambda: step(module)),
            "kernel": in_engine("compiled", lambda: step(module)),
        }
    )
    return found["own"], found["tiles"] / found["own"], found["kernel"] / found["own"]


def in_jax(loss):
    """Return the milliseconds of JAX's own code under jit, and the ratio."""
    import jax

    from lossfw.bridges import jax as bridge

    y, t = map(jax.numpy.asarray, arrays(loss, ROWS * COLUMNS, "float32"))
    library, formula, function = jax_library(), FORMULAS[loss.name], bridge.function(loss)
    ours = jax.jit(jax.value_and_grad(lambda y: function(y, t).mean()))
    own = jax.jit(jax.value_and_grad(lambda y: formula(library, y, t).mean()))
    z, (first, slope), (_, expected) = y, ours(y), own(y)
    assert abs(slope - expected).max() < 1e-4 * abs(expected).max(), loss.name
    for _ in range(STEPS):
        last, slope = ours(z)
        z = z - 0.02 * len(y) * slope
        z = z.clip(0, 1) if loss.prediction is lossfw.UNIT else z
    assert last < first, loss.name
    found = least(
        {name: lambda f=f: jax.block_until_ready(f(y)) for name, f in (("own", own), ("us", ours))}
    )
    return found["own"], found["us"] / found["own"]


def in_lightgbm(loss):
    """Return the seconds of a training with the derivative by hand, and the ratio."""
    import lightgbm

    from lossfw.bridges import lightgbm as bridge

    rng = np.random.default_rng(0)
    x = rng.normal(size=(20_000, 10))
    signal = x[:, 0] + np.sin(2 * x[:, 1]) + 0.3 * rng.normal(size=len(x))
    classes = 4 if loss.takes_rows else 1
    name = "CLASS_INDEX" if loss.takes_rows else loss.target.name
    y = {
        "REAL": lambda: signal,
        "SIGN": lambda: np.sign(signal),
        "BINARY": lambda: (signal > 0) * 1.0,
        "CLASS_INDEX": lambda: np.digitize(signal, (-1, 0, 1)),
    }[name]()
    own = {"num_class": classes} if loss.takes_rows else {}
    parameters = {"verbosity": -1, "num_threads": 1, "learning_rate": 0.05, **own}

    def hand(raw, data):
        slope = BY_HAND[loss.name](raw, y)[1]
        return slope, np.ones_like(slope)

    def train(with_lossfw):
        data = lightgbm.Dataset(x, y).construct()
        begun = time.perf_counter()
        if with_lossfw:
            model = bridge.train(loss, parameters, data, ROUNDS)
        else:
            model = lightgbm.train({**parameters, "objective": hand}, data, ROUNDS)
        return time.perf_counter() - begun, model

    best = {True: np.inf, False: np.inf}
    for _ in range(3):
        for who in best:
            seconds, model = train(who)
            best[who] = min(best[who], seconds)
            if who:
                raw = model.predict(x, raw_score=True)
                assert loss(raw, y) < loss(np.zeros_like(raw), y), loss.name
    return best[False], best[True] / best[False]


def main():
    names = sys.argv[1:] or list(BY_HAND)
    print("                       NumPy              PyTorch            JAX          LightGBM")
    print("loss                   ms tiles kernels   ms tiles kernels   ms ratio     s ratio")
    ratios = []
    for name in names:
        loss = recent_loss(name)
        found = [*in_numpy(loss), *in_torch(loss), *in_jax(loss)]
        found += (np.nan, np.nan) if name in NOT_BOOSTED else in_lightgbm(loss)
        ratios.append(found)
        print(name.ljust(20), *(f"{x:6.2f}" for x in found), flush=True)
    print("median".ljust(20), *(f"{x:6.2f}" for x in np.nanmedian(ratios, axis=0)))


if __name__ == "__main__":
    main()
