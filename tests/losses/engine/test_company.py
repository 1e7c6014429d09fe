"""A row's results depend on the row alone: on no other row, batch size or memory layout."""

import itertools

import numpy as np
import pytest

import lossfw
from lossfw.check.instances import variants
from lossfw.components.spaces import (
    BINARY,
    CLASS_INDEX,
    COUNT,
    LOGITS,
    SIGN,
    SIMPLEX,
    Members,
)
from lossfw.losses.engine.engine_mode import use_engine

ROWS = 40
REGISTRY = lossfw.registry()
LOSSES = [
    loss
    for entry in REGISTRY.entries("loss")
    for loss in variants(REGISTRY.class_of(entry))[:3]
    if entry.label == "lossfw[std]"
]
OF_ROWS = [loss for loss in LOSSES if loss.takes_rows and not loss.has_columns]
SUMMED = [
    loss.replace(per="row")
    for loss in LOSSES
    if "per" in type(loss).model_fields and not loss.has_columns
]


def arguments(loss, columns, dtype):
    random = np.random.default_rng(columns)
    logits = random.normal(size=(2, ROWS, columns))
    shares = np.exp(logits) / np.exp(logits).sum(-1, keepdims=True)
    drawn = []
    for space, z, p in zip((loss.prediction_space, loss.target_space), logits, shares, strict=True):
        if space is LOGITS:
            drawn.append(3 * z)
        elif space in (SIMPLEX, CLASS_INDEX):
            drawn.append(p / p.sum(-1, keepdims=True))
        elif space is SIGN:
            drawn.append(np.sign(z))
        elif space in (BINARY, COUNT) or isinstance(space, Members):
            drawn.append((z > 0).astype(float))
        else:
            # Inside of every space of single numbers.
            drawn.append(p)
    return [array.astype(dtype) for array in drawn]


def results(loss, y, t):
    return [
        loss(y, t, reduction="none"),
        loss.gradient(y, t, reduction="none"),
        loss.hessian(y, t, reduction="none"),
        loss.value_and_gradient(y, t, reduction="sum")[1],
    ]


@pytest.mark.parametrize("loss", OF_ROWS + SUMMED, ids=repr)
def test_a_row_alone_has_the_bits_that_it_has_among_others(loss):
    tried = 0
    for columns, dtype in itertools.product((1, 3, 10, 64, 70), ("float32", "float64")):
        try:
            y, t = arguments(loss, columns, dtype)
            whole = results(loss, y, t)
        except lossfw.ArgumentError:
            continue  # the loss takes another number of columns, or other numbers
        tried += 1
        for start, stop in ((0, 1), (7, 8), (20, 22), (39, 40)):
            some = results(loss, y[start:stop], t[start:stop])
            for one, all_rows in zip(some, whole, strict=True):
                np.testing.assert_array_equal(one, all_rows[start:stop])
        for layout in (np.asfortranarray, lambda x: np.repeat(x, 2, axis=-1)[:, ::2]):
            for one, all_rows in zip(results(loss, layout(y), layout(t)), whole, strict=True):
                np.testing.assert_array_equal(one, all_rows)
    assert tried >= 8


@pytest.mark.parametrize("name", ["fair", "gamma_deviance", "squared_log_error"])
def test_large_arrays_of_float64_go_in_pieces_with_the_bits_of_the_whole(name):
    random = np.random.default_rng(0)
    y, t = np.exp(random.normal(size=(2, 50_001, 2)))
    loss = lossfw.loss(name)
    with use_engine("tiles"):
        slope = loss.gradient(y, t, reduction="sum")
        assert np.array_equal(loss(y, t, reduction="none"), loss.unreduced(np, y, t))
        assert np.array_equal(slope, loss.unreduced_gradient(np, y, t))
        rows = loss.replace(per="row")(y, t, reduction="none")
    assert np.array_equal(rows, loss.unreduced(np, y, t).sum(axis=-1))
