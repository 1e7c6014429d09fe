"""The gradient check over every pair of a loss and a last activation, as a table.

    python tests/benchmarks/gradients.py

Each entry is the largest error of the backward pass over drawn networks, against
60-digit differences of the whole forward pass and relative to the larger of 1
and the gradient's largest entry, in units of 1e-16. A dot: the pair makes no
sense. ``f`` behind a number: the loss is fused with the activation.
"""

import sys
import zlib
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1]))
sys.path.insert(0, str(Path(__file__).parents[1] / "nn"))

from test_backprop import ACTIVATIONS, HIDDEN, LOSSES, compare, lasts

NETWORKS = 2
UNIT = 1e-16


def entry(name, last):
    """Return the cell of a loss and a last activation."""
    loss = LOSSES[name]
    if ACTIVATIONS[last] not in lasts(loss):
        return "."
    worst = 0.0
    for number in range(NETWORKS):
        random = np.random.default_rng(zlib.crc32(f"{name} {last} {number}".encode()))
        hidden = ACTIVATIONS[HIDDEN[random.integers(len(HIDDEN))]]
        worst = max(worst, compare(random, loss, hidden, ACTIVATIONS[last]))
    fused = ACTIVATIONS[last].to_config() == {"name": loss.link_activation()}
    return f"{worst / UNIT:.0f}{'f' if fused else ''}"


def main():
    """Print the table."""
    print("loss".ljust(30), *(last[:8].rjust(8) for last in HIDDEN))
    for name in sorted(LOSSES):
        print(name.ljust(30), *(entry(name, last).rjust(8) for last in HIDDEN), flush=True)


if __name__ == "__main__":
    main()
