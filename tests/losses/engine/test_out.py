"""Derivatives that go to an array of the caller."""

import numpy as np
import pytest

import lossfw
from lossfw.errors import ArgumentError, DtypeError, ShapeError
from lossfw.losses.engine.engine_mode import use_engine

pytestmark = pytest.mark.usefixtures("fresh_kernels")

RNG = np.random.default_rng(0)
Y, T = RNG.normal(size=(2, 300_000))
SOME, WEIGHT = RNG.random(len(Y)) < 0.7, np.maximum(RNG.normal(size=len(Y)), 0.0)
LOGITS, CLASS = RNG.normal(size=(60_000, 5)), RNG.integers(0, 5, 60_000)
HUBER = lossfw.loss("huber")
CROSS_ENTROPY = lossfw.loss("cross_entropy", from_logits=True)

CALLS = {
    "elements": (HUBER, Y, T, {}),
    "few elements": (HUBER, Y[:60].reshape(5, 12), T[:60].reshape(5, 12), {}),
    "single number": (HUBER, Y[0], T[0], {}),
    "float32": (HUBER, Y.astype(np.float32), T.astype(np.float32), {}),
    "float16": (HUBER, Y[:90].astype(np.float16), T[:90].astype(np.float16), {}),
    "every second": (HUBER, Y[::2], T[::2], {}),
    "none": (HUBER, Y[:0], T[:0], {"empty": "zero"}),
    "masked": (HUBER, Y, T, {"where": SOME}),
    "all masked": (HUBER, Y, T, {"where": np.zeros(len(Y), bool), "empty": "zero"}),
    "weighted": (HUBER, Y, T, {"sample_weight": WEIGHT}),
    "rows of elements": (lossfw.loss("huber", per="row"), LOGITS, LOGITS[::-1], {}),
    "classes": (CROSS_ENTROPY, LOGITS, CLASS, {}),
    "one row": (CROSS_ENTROPY, LOGITS[:1], CLASS[:1], {}),
    "masked classes": (CROSS_ENTROPY, LOGITS, CLASS, {"where": SOME[:60_000]}),
}


@pytest.mark.turns(6)
@pytest.mark.parametrize("mode", ["tiles", "compiled"])
@pytest.mark.parametrize("name", CALLS)
def test_all_of_the_array_is_written_and_it_is_returned(name, mode):
    loss, y, t, options = CALLS[name]
    with use_engine(mode):
        for reduction in ("mean", "sum", "none"):
            for function in (loss.gradient, loss.hessian, loss.value_and_gradient):
                if (function, reduction) == (loss.value_and_gradient, "none"):
                    continue
                expected = function(y, t, reduction=reduction, **options)
                out = np.full(np.shape(y), np.nan, np.asarray(y).dtype)
                result = function(y, t, reduction=reduction, out=out, **options)
                if function == loss.value_and_gradient:
                    assert result[0] == expected[0]
                    result, expected = result[1], expected[1]
                assert result is out
                assert np.asarray(expected).tobytes() == out.tobytes()


def test_a_file_of_rows_takes_a_gradient(tmp_path):
    out = np.memmap(tmp_path / "gradient", np.float64, "w+", shape=LOGITS.shape)
    assert CROSS_ENTROPY.gradient(LOGITS, CLASS, out=out) is out
    np.testing.assert_array_equal(out, CROSS_ENTROPY.gradient(LOGITS, CLASS))


BOTH, FIXED = np.zeros((2, 4000)), np.empty(4000)
FIXED.setflags(write=False)
REFUSED = {
    "list": ([0.0] * 4000, ArgumentError, "^out is a list; expected a NumPy array"),
    "shape": (np.empty((4000, 1)), ShapeError, r"^out has shape \(4000, 1\); expected \(4000,\)"),
    "dtype": (np.empty(4000, "f4"), DtypeError, "^out has dtype float32; expected float64"),
    "order": (np.empty(8000)[::2], ShapeError, "^out is not one aligned block in C order"),
    "read-only": (FIXED, ArgumentError, "^out is read-only"),
    "prediction": (BOTH[0], ArgumentError, "^out shares memory with prediction"),
    "target": (BOTH[1], ArgumentError, "^out shares memory with target"),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_take_a_gradient_is_refused(name):
    out, error, message = REFUSED[name]
    for function in (HUBER.gradient, HUBER.hessian, HUBER.value_and_gradient):
        for options in ({}, {"sample_weight": np.ones(4000)}):
            with pytest.raises(error, match=message):
                function(*BOTH, out=out, **options)
    assert not BOTH.any()


def test_weights_masks_and_tensors_are_refused():
    weight, where = np.ones(4), np.ones(8, np.float64).view(bool)[:4]
    with pytest.raises(ArgumentError, match="shares memory with sample_weight"):
        HUBER.gradient(np.ones(4), np.zeros(4), sample_weight=weight, out=weight)
    with pytest.raises(ArgumentError, match="shares memory with where"):
        HUBER.gradient(np.ones(4), np.zeros(4), where=where, out=where.base.reshape(-1)[:4])
    y = pytest.importorskip("torch", reason="PyTorch is not installed").zeros(3)
    with pytest.raises(ArgumentError, match=r"out= must be a NumPy array; .* torch arrays"):
        HUBER.gradient(y, y, out=np.empty(3, np.float32))
