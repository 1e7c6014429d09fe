"""Time of a training step's loss beside the library's own, as ratios of processor time.

::

    python tests/benchmarks/autograd.py

The contenders take turns, and of each the fastest of many rounds counts: on a machine that does
other work too, the ratios hold where the times do not.
"""

import time

ROUNDS = 40
SIZES = ((64, 100), (8192, 5))  # rows, and steps in a round


def least(steps, count):
    """Return the processor time of each step in microseconds, the least of several rounds."""
    best = dict.fromkeys(steps, float("inf"))
    for step in steps.values():
        step()
    for _ in range(ROUNDS):
        for name, step in steps.items():
            begun = time.process_time()
            for _ in range(count):
                step()
            best[name] = min(best[name], time.process_time() - begun)
    return {name: 1e6 * took / count for name, took in best.items()}


def told(library, rows, times, own):
    """Print the times of one size beside the library's own."""
    for name, took in times.items():
        if name != own:
            ratio = took / times[own]
            print(
                f"{library:5} {rows:5} x 10 {name:12}{took:8.0f} us, {times[own]:6.0f} us of {own}:"
                f" {ratio:.2f}"
            )


def torch_steps():
    """Cross-entropy of ten classes, forward and backward, on one thread."""
    import torch

    from lossfw.bridges import torch as bridge

    torch.set_num_threads(1)
    criteria = {
        "PyTorch": torch.nn.functional.cross_entropy,
        "checked": bridge.module("cross_entropy"),
        "check=False": bridge.module("cross_entropy", check=False),
    }
    for rows, count in SIZES:
        z = torch.randn(rows, 10, requires_grad=True)
        k = torch.randint(0, 10, (rows,))

        def step(criterion, z=z, k=k):
            z.grad = None
            criterion(z, k).backward()

        steps = {name: lambda c=c, step=step: step(c) for name, c in criteria.items()}
        told("torch", rows, least(steps, count), "PyTorch")


def jax_steps():
    """Cross-entropy of ten classes, value and gradient under jit."""
    import jax
    import numpy as np
    import optax

    from lossfw.bridges import jax as bridge

    functions = {
        "optax": optax.softmax_cross_entropy_with_integer_labels,
        "jit": bridge.function("cross_entropy"),
    }
    rng = np.random.default_rng(0)
    for rows, count in SIZES:
        z = jax.numpy.asarray(rng.normal(size=(rows, 10)), "float32")
        k = jax.numpy.asarray(rng.integers(0, 10, rows))
        compiled = {
            name: jax.jit(jax.value_and_grad(lambda z, k, f=f: f(z, k).mean()))
            for name, f in functions.items()
        }
        steps = {
            name: lambda f=f, z=z, k=k: jax.block_until_ready(f(z, k))
            for name, f in compiled.items()
        }
        told("jax", rows, least(steps, count), "optax")


if __name__ == "__main__":
    torch_steps()
    jax_steps()
