"""A row's results depend on the row alone; the harness looks at one number of columns."""

import itertools

import numpy as np
import pytest

import lossfw
from lossfw import LOGITS

ROWS = 40
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
    logits = 3 * np.random.default_rng(columns).normal(size=(2, ROWS, columns))
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
