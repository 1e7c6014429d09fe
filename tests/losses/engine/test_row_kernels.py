"""Kernels of losses and activations of rows in calls: the bits of tiles in every case."""

import numpy as np
import pytest

import lossfw
from lossfw.losses.engine import kernels
from lossfw.losses.engine.call_kernels import candidate_of
from lossfw.losses.engine.candidates import NoKernelError
from lossfw.losses.engine.engine_mode import use_engine
from lossfw.nn import activation_kernels
from support.engines import same_bits

pytest.importorskip("llvmlite", reason="llvmlite is not installed")

LOGITS = {"from_logits": True}
LOSSES = [
    (lossfw.loss("cross_entropy", **LOGITS), 10, "float32"),
    (lossfw.loss("cross_entropy", **LOGITS), 70, "float64"),
    (lossfw.loss("cross_entropy", label_smoothing=0.1, **LOGITS), 70, "float32"),
    (lossfw.loss("cross_entropy"), 3, "float32"),
    (2 * lossfw.loss("categorical_focal"), 3, "float64"),
]


@pytest.fixture(autouse=True)
def anew():
    kernels.forget()
    yield
    kernels.wait()


def arguments(loss, columns, dtype):
    rng = np.random.default_rng(columns)
    z = 6 * rng.normal(size=(300, columns))
    # Sure rows, as trained networks have them.
    z[::4, 0] += 60
    e = np.exp(z - z.max(axis=-1, keepdims=True))
    y = z if getattr(loss, "from_logits", False) else e / e.sum(axis=-1, keepdims=True)
    index = np.where(rng.random(300) < 0.5, z.argmax(axis=-1), rng.integers(0, columns, 300))
    return y.astype(dtype), index, rng.dirichlet(np.ones(columns), 300).astype(dtype)


@pytest.mark.parametrize(("loss", "columns", "dtype"), LOSSES)
def test_calls_have_the_bits_of_tiles(loss, columns, dtype):
    y, index, soft = arguments(loss, columns, dtype)
    rng = np.random.default_rng(0)
    weight, where = rng.random(len(y)), rng.random(len(y)) < 0.8
    for t in (index, soft):
        same_bits(loss, y, t)
        same_bits(loss, y, t, sample_weight=weight)
        same_bits(loss, y, t, sample_weight=weight * where, where=weight > 0.1)
        same_bits(loss, y[::2], t[::2])
        same_bits(loss, np.asfortranarray(y[:1]), t[:1])
    same_bits(loss, y.reshape(5, 60, columns), index.astype(np.uint8).reshape(5, 60))
    made = [entry.kernel for entry in kernels._entries.values()]
    assert made
    assert all(made)


def test_half_precision_goes_by_kernels_of_float32():
    loss = lossfw.loss("cross_entropy", **LOGITS)
    y, index, _ = arguments(loss, 10, "float16")
    same_bits(loss, y, index)
    assert all(entry.kernel for entry in kernels._entries.values())


def test_infinite_and_missing_logits_and_many_blocks_change_no_bit():
    loss = lossfw.loss("cross_entropy", **LOGITS)
    rng = np.random.default_rng(0)
    z = rng.normal(size=(40_000, 10)).astype(np.float32)
    z[5, 2], z[7, 1:3], z[9], z[11, 4] = np.inf, np.inf, -np.inf, np.nan
    index = rng.integers(0, 10, len(z))
    for count in (1, 2):
        with lossfw.threads(count):
            same_bits(loss, z, index)


def test_what_lies_outside_is_told_as_by_tiles():
    loss = lossfw.loss("cross_entropy")
    y, index, _ = arguments(loss, 10, "float64")
    for wrong, t in ((y, np.where(np.arange(300) == 77, 10, index)), (1.1 * y, index)):
        told = []
        for mode in ("tiles", "compiled"):
            with use_engine(mode), pytest.raises(lossfw.DomainError) as caught:
                loss(wrong, t)
            told.append(str(caught.value))
        assert told[0] == told[1]


class OtherOnNumpy(lossfw.CategoricalLoss):
    "Another form on NumPy."

    def value(self, xp, y, t):
        if xp is np:
            return np.sum((y - t) ** 2, axis=-1) * 0.1
        return xp.sum(0.1 * (y - t) ** 2, axis=-1)


class OfTheBatch(lossfw.CategoricalLoss):
    "A body that looks at the whole array."

    def value(self, xp, y, t):
        return xp.sum((y - t) ** 2, axis=-1) / xp.max(y)


REFUSED = [
    (OtherOnNumpy(), 5, "other bits"),
    (OfTheBatch(), 5, "along another axis than that of rows"),
    (lossfw.loss("brier"), 1, "a row of one element"),
]


@pytest.mark.parametrize(("loss", "columns", "told"), REFUSED)
def test_a_hostile_body_has_no_kernel_and_runs_in_tiles(loss, columns, told):
    with pytest.raises(NoKernelError, match=told):
        candidate_of(loss, "value", columns, by_index=True).kernel(np.dtype(np.float64))
    y = np.full((30, columns), 1.0 / columns)
    with use_engine("compiled"), kernels.trusted():
        assert np.isfinite(loss(y, np.zeros(30, int)))


@pytest.mark.parametrize("name", ["softmax", "log_softmax"])
@pytest.mark.parametrize("columns", [2, 10, 70])
def test_activations_of_rows_have_the_bits_of_numpy(name, columns):
    activation = lossfw.activation(name)
    rng = np.random.default_rng(0)
    x = (20 * rng.normal(size=(30, 7, columns))).astype(np.float32)
    x[0, :, 1], x[1], x[2, 0, 0], x[3, :, :2] = np.inf, -np.inf, np.nan, np.inf
    v = rng.normal(size=x.shape).astype(np.float32)
    found = {}
    for mode in ("tiles", "compiled"):
        with use_engine(mode), np.errstate(all="ignore"):
            found[mode] = activation(x), activation_kernels.vjp(activation, x, v)
    for one, other in zip(*found.values(), strict=True):
        np.testing.assert_array_equal(one, other)
    made = [entry.kernel for entry in kernels._entries.values()]
    assert len(made) == 2
    assert all(made)


@pytest.mark.parametrize("name", ["cross_entropy", "kl_divergence", "dice"])
@pytest.mark.parametrize("wrong", [[1.5, -0.5, 0.0], [0.5, 0.2, 0.2], [-0.1, 1.1, np.nan]])
def test_a_row_outside_is_told_as_without_kernels(name, wrong):
    loss = lossfw.loss(name)
    rng = np.random.default_rng(0)
    y = rng.dirichlet(np.ones(3), 900)
    t = rng.integers(0, 3, 900) if name == "cross_entropy" else np.eye(3)[rng.integers(0, 3, 900)]
    y[[0, 500]] = np.nan
    told = {}
    for mode in ("tiles", "compiled"):
        with use_engine(mode):
            kernels.forget()
            assert np.isnan(loss(y, t))
            bad = y.copy()
            bad[700] = wrong
            for function in (loss, loss.value_and_gradient):
                try:
                    told[mode, function] = str(function(bad, t))
                except lossfw.errors.DomainError as error:
                    told[mode, function] = str(error)
    for function in (loss, loss.value_and_gradient):
        assert told["tiles", function] == told["compiled", function]
    assert "prediction[700" in told["tiles", loss] or sum(wrong) < 1


def test_a_class_outside_is_told_as_without_kernels():
    loss = lossfw.loss("poly_cross_entropy")
    y, t = np.full((40, 4), 0.25), np.zeros(40, int)
    t[30] = 4
    for mode in ("tiles", "compiled"):
        with use_engine(mode), pytest.raises(lossfw.errors.DomainError, match=r"target\[30\] = 4"):
            loss(y, t)
