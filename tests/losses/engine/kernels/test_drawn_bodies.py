"""Random bodies of elements and rows: the bits of tiles by kernels, in every call."""

import numpy as np
import pytest

from lossfw.losses.engine import compiled
from lossfw.losses.engine.kernels import watched
from support.drawn_bodies import drawn_elements, drawn_rows
from support.engines import same_bits

pytest.importorskip("llvmlite", reason="llvmlite is not installed")
pytestmark = pytest.mark.usefixtures("fresh_kernels")


def hold_elements(seed):
    """Hold a body to tiles, and return how many of its functions have a kernel."""
    rng, dtype = np.random.default_rng(seed), ("float32", "float64")[seed % 2]
    y, t = rng.normal(size=(2, 600)).astype(dtype) * np.exp(rng.normal(size=600)).astype(dtype)
    same_bits(drawn_elements(seed), y, t)
    return made()


def hold_rows(seed):
    """Do the same for rows of few and of more columns, at distributions and at classes."""
    rng, dtype = np.random.default_rng(seed), ("float32", "float64")[seed % 2]
    columns = (3, 10, 70)[seed % 3]
    y = (3.0 * rng.normal(size=(40, columns))).astype(dtype)
    t = rng.dirichlet(np.ones(columns), 40).astype(dtype)
    same_bits(drawn_rows(seed), y, rng.integers(0, columns, 40) if seed % 4 > 1 else t)
    return made()


def made():
    return sum(entry.kernel is not None for entry in watched._entries.values())


@pytest.mark.parametrize("hold", [hold_elements, hold_rows])
def test_drawn_bodies_have_the_bits_of_tiles(hold):
    assert hold(1) == 4
    hold(2)


@pytest.mark.slow
@pytest.mark.parametrize("first", range(0, 40, 10))
@pytest.mark.parametrize("hold", [hold_elements, hold_rows])
def test_many_drawn_bodies_have_the_bits_of_tiles(hold, first):
    # NumPy adds up some rows in an order that no kernel has.
    total = 0
    for seed in range(first, first + 10):
        compiled.forget()
        total += hold(seed)
    assert total > 20
