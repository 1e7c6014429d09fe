"""Time of a training step's loss beside the library's own, as ratios of processor time.

::

    python tests/benchmarks/autograd.py
"""

import time

ROUNDS = 15
SIZES = ((64, 200), (8192, 10))  # rows, and steps in a round


def least(step, count):
    """Return the processor time of one step in microseconds, the least of several rounds."""
    step()
    times = []
    for _ in range(ROUNDS):
        begun = time.process_time()
        for _ in range(count):
            step()
        times.append((time.process_time() - begun) / count)
    return 1e6 * min(times)


def torch_steps():
    """Cross-entropy of ten classes, forward and backward, on one thread."""
    import torch

    from lossfw.bridges import torch as bridge

    torch.set_num_threads(1)
    own = torch.nn.functional.cross_entropy
    for rows, count in SIZES:
        z = torch.randn(rows, 10, requires_grad=True)
        k = torch.randint(0, 10, (rows,))

        def step(criterion, z=z, k=k):
            z.grad = None
            criterion(z, k).backward()

        base = least(lambda step=step: step(own), count)
        for name, check in (("checked", True), ("check=False", False)):
            criterion = bridge.module("cross_entropy", check=check)
            mine = least(lambda step=step, criterion=criterion: step(criterion), count)
            told = f"{mine:8.0f} us, {base:6.0f} us of PyTorch"
            print(f"torch {rows:5} x 10 {name:12}{told}: {mine / base:.2f}")


def jax_steps():
    """Cross-entropy of ten classes, value and gradient under jit."""
    import jax
    import numpy as np
    import optax

    from lossfw.bridges import jax as bridge

    own = optax.softmax_cross_entropy_with_integer_labels
    mine = bridge.function("cross_entropy")
    rng = np.random.default_rng(0)
    for rows, count in SIZES:
        z = jax.numpy.asarray(rng.normal(size=(rows, 10)), "float32")
        k = jax.numpy.asarray(rng.integers(0, 10, rows))
        steps = [jax.jit(jax.value_and_grad(lambda z, k, f=f: f(z, k).mean())) for f in (own, mine)]
        base, found = (
            least(lambda step=step, z=z, k=k: jax.block_until_ready(step(z, k)), count)
            for step in steps
        )
        told = f"{found:8.0f} us, {base:6.0f} us of optax"
        print(f"jax   {rows:5} x 10 {'jit':12}{told}: {found / base:.2f}")


if __name__ == "__main__":
    torch_steps()
    jax_steps()
