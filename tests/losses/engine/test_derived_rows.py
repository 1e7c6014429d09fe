"""Derivatives that an author did not write: the same bits in any call, tiles and kernels."""

import itertools

import numpy as np
import pytest

from lossfw import LOGITS
from lossfw.losses.engine.engine_mode import use_engine
from support.author_losses import ROWS
from support.engines import same_bits

LOSSES = [author() for author, _ in ROWS]
COUNT = 400


def arguments(loss, columns, dtype):
    rng = np.random.default_rng(columns)
    z, t = 3 * rng.normal(size=(COUNT, columns)), rng.integers(0, columns, COUNT)
    z[::7] = 0.0
    if loss.prediction_space is LOGITS:
        # Rows whose plain products are not finite.
        z[5::11, 0] = np.inf
        return z.astype(dtype), t
    p = np.exp(z)
    p /= p.sum(axis=-1, keepdims=True)
    # Ties with the limits of a clip, and a probability of 0 for the target.
    p[3::11] = np.eye(columns)[t[3::11]]
    p[4::11] = np.eye(columns)[(t[4::11] + 1) % columns]
    return p.astype(dtype), t


@pytest.mark.turns(5)
@pytest.mark.parametrize("dtype", ["float64", "float32", "float16"])
@pytest.mark.parametrize("columns", [2, 5, 40, 300])
@pytest.mark.parametrize("loss", LOSSES, ids=repr)
def test_a_row_has_the_same_bits_in_every_call(loss, columns, dtype):
    if dtype == "float16" and loss.prediction_space is not LOGITS:
        pytest.skip("rounded rows are not distributions")
    y, t = arguments(loss, columns, dtype)
    with use_engine("tiles"):
        for function in (loss.gradient, loss.hessian):
            whole = function(y, t, reduction="none")
            for ends in ((0, 1, 2, 3, 200, COUNT), (0, COUNT // 2, COUNT)):
                spans = itertools.pairwise(ends)
                parts = [function(y[a:b], t[a:b], reduction="none") for a, b in spans]
                np.testing.assert_array_equal(np.concatenate(parts), whole)


@pytest.mark.parametrize("columns", [5, 100])
@pytest.mark.parametrize("loss", LOSSES, ids=repr)
def test_kernels_have_the_bits_of_tiles(loss, columns):
    y, t = arguments(loss, columns, "float64")
    for options in ({}, {"sample_weight": np.random.default_rng(0).random(COUNT)}):
        same_bits(loss, y, t, **options)
