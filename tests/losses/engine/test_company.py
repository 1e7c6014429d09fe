"""A row's results depend on the row alone; the harness looks at one number of columns."""

import itertools

import numpy as np
import pytest

import lossfw
from lossfw import LOGITS
from lossfw.losses.engine.engine_mode import use_engine
from support.author_losses import ROWS as AUTHORED
from support.engines import same_bits

LOSSES = [
    lossfw.loss("cross_entropy"),
    lossfw.loss("cross_entropy", from_logits=True),
    lossfw.loss("categorical_focal", gamma=0.5, from_logits=True),
    lossfw.loss("brier"),
    lossfw.loss("kl_divergence"),
    lossfw.loss("cosine_distance"),
    lossfw.loss("squared_error", per="row"),
    lossfw.loss("log_cosh", per="row"),
]


def arguments(loss, columns, dtype):
    logits = 3 * np.random.default_rng(columns).normal(size=(2, 40, columns))
    e = np.exp(logits)
    y, t = e / e.sum(-1, keepdims=True)
    y = logits[0] if loss.prediction_space is LOGITS else y
    return y.astype(dtype), t.astype(dtype)


def results(loss, y, t):
    return [
        loss(y, t, reduction="none"),
        loss.gradient(y, t, reduction="none"),
        loss.hessian(y, t, reduction="none"),
        loss.value_and_gradient(y, t, reduction="sum")[1],
    ]


@pytest.mark.parametrize("loss", LOSSES, ids=repr)
def test_a_row_alone_has_the_bits_that_it_has_among_others(loss):
    for columns, dtype in itertools.product((1, 3, 10, 64, 70), ("float32", "float64")):
        y, t = arguments(loss, columns, dtype)
        whole = results(loss, y, t)
        for start, stop in ((0, 1), (7, 8), (20, 22), (39, 40)):
            some = results(loss, y[start:stop], t[start:stop])
            for one, all_rows in zip(some, whole, strict=True):
                np.testing.assert_array_equal(one, all_rows[start:stop])
        for layout in (np.asfortranarray, lambda x: np.repeat(x, 2, axis=-1)[:, ::2]):
            for one, all_rows in zip(results(loss, layout(y), layout(t)), whole, strict=True):
                np.testing.assert_array_equal(one, all_rows)


# Derivatives that an author did not write.

AUTHORS = [author() for author, _ in AUTHORED]
COUNT = 400


def hard_arguments(loss, columns, dtype):
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
@pytest.mark.parametrize("loss", AUTHORS, ids=repr)
def test_a_row_has_the_same_bits_in_every_call(loss, columns, dtype):
    if dtype == "float16" and loss.prediction_space is not LOGITS:
        pytest.skip("rounded rows are not distributions")
    y, t = hard_arguments(loss, columns, dtype)
    with use_engine("tiles"):
        for function in (loss.gradient, loss.hessian):
            whole = function(y, t, reduction="none")
            for ends in ((0, 1, 2, 3, 200, COUNT), (0, COUNT // 2, COUNT)):
                spans = itertools.pairwise(ends)
                parts = [function(y[a:b], t[a:b], reduction="none") for a, b in spans]
                np.testing.assert_array_equal(np.concatenate(parts), whole)


@pytest.mark.parametrize("columns", [5, 100])
@pytest.mark.parametrize("loss", AUTHORS, ids=repr)
def test_kernels_have_the_bits_of_tiles(loss, columns):
    y, t = hard_arguments(loss, columns, "float64")
    for options in ({}, {"sample_weight": np.random.default_rng(0).random(COUNT)}):
        same_bits(loss, y, t, **options)
