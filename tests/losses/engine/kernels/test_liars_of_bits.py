"""Bodies whose kernels had other bits, or another outcome: they agree, or there is no kernel."""

import numpy as np
import pytest

import lossfw
from lossfw import COUNT, POSITIVE, DistanceLoss, PointwiseLoss
from lossfw.losses.engine.engine_mode import use_engine
from lossfw.losses.engine.kernels import watched
from lossfw.losses.engine.kernels.calls import candidate_of
from lossfw.losses.engine.kernels.trial import count_differences

pytest.importorskip("llvmlite", reason="llvmlite is not installed")

SMALL = np.array([100, 120], np.int8)
ZERO, MINUS = np.array([0.0, 1.0]), np.array([-0.0, 1.0])
LARGE = np.array([2**53 + 1, 2**53 + 3], np.int64)
LOGARITHMS = np.log1p(np.arange(3000.0))


def _whole(xp, r, kind="int64"):
    return xp.astype(xp.trunc(r), getattr(xp, kind))


def _sided(xp, table, r):
    return xp.take(table, xp.astype(r > 0, xp.int64))


BODIES = {
    "int32 leaves its range": lambda xp, r: (
        xp.astype(xp.square(_whole(xp, r, "int32") * 1), r.dtype) + r
    ),
    "an int32 product": lambda xp, r: (
        xp.astype(_whole(xp, r, "int32") * _whole(xp, r, "int32"), r.dtype) + r
    ),
    "a sum of both widths": lambda xp, r: xp.astype(
        _whole(xp, r, "int32") + _whole(xp, r), r.dtype
    ),
    "a logarithm of int32": lambda xp, r: (
        xp.astype(xp.log(_whole(xp, xp.abs(r), "int32")), r.dtype) * r
    ),
    "a power of integers": lambda xp, r: xp.astype(_whole(xp, r) ** 3, r.dtype),
    "bits of integers": lambda xp, r: xp.astype(_whole(xp, r) & 1, r.dtype) + r,
    "narrower": lambda xp, r: xp.astype(xp.astype(_whole(xp, r * 1e5), xp.int32), r.dtype),
    "beyond the end": lambda xp, r: (
        xp.take(LOGARITHMS, _whole(xp, xp.abs(r))) * xp.astype(r, xp.float64)
    ),
    "from the end": lambda xp, r: xp.astype(
        xp.take(LOGARITHMS, _whole(xp, xp.clip(xp.where(r == r, r, 0.0), -2999.0, 2999.0))), r.dtype
    ),
    "another rule of indices": lambda xp, r: xp.take(LOGARITHMS, _whole(xp, r), mode="clip"),
    "a table of int8": lambda xp, r: (
        xp.astype(_sided(xp, SMALL, r) + _sided(xp, SMALL, r), r.dtype) * r
    ),
    "zeros of two signs": lambda xp, r: xp.where(
        1 / _sided(xp, ZERO, r) > 1 / _sided(xp, MINUS, r), r, 2 * r
    ),
    "a table beyond floats": lambda xp, r: xp.astype(_sided(xp, LARGE, r) - 2**53, r.dtype) * r,
    "to the power of ones": lambda xp, r: xp.abs(r) ** xp.full_like(r, 1.0) * 3.0,
    "a number to the power of halves": lambda xp, r: xp.pow(3.0, xp.full_like(r, 0.5)) * r,
    "a power of a number of NumPy": lambda xp, r: xp.abs(r) ** np.float32(1.0) * r,
    "another form on NumPy": lambda xp, r: np.log1p(r * r) if xp is np else xp.log(1 + r * r),
    "writes to its argument": lambda xp, r: r.__imul__(2.0) if xp is np else r * 2.0,
}


class OfBody(DistanceLoss):
    which: str

    def value(self, xp, r):
        return BODIES[self.which](xp, r)


class OfCounts(PointwiseLoss):
    target = COUNT

    def value(self, xp, y, t):
        at = xp.astype(xp.round(xp.clip(t, 0.0, 2999.0)), xp.int64)
        return y * y + xp.astype(xp.take(xp.asarray(LOGARITHMS), at), y.dtype)


class OfPairs(PointwiseLoss):
    prediction = target = POSITIVE

    def value(self, xp, y, t):
        return xp.pow(y, t)


def _arguments(dtype):
    ends = [0.0, -0.0, 1.0, -1.0, 0.5, 2998.0, 2999.0, 3000.0, -3000.0, -3001.0]
    r = np.concatenate([np.linspace(-2.5, 2.5, 2001), np.linspace(-9e4, 9e4, 2000), ends])
    return r.astype(dtype)


def _outcome(loss, mode, *arguments):
    try:
        with use_engine(mode), watched.trust_kernels(), np.errstate(all="ignore"):
            return np.asarray(loss(*arguments, reduction="none")), loss(*arguments)
    except Exception as error:
        return type(error).__name__


def _same_outcome(loss, *arguments):
    watched.forget()
    wanted, found = (_outcome(loss, mode, *arguments) for mode in ("tiles", "compiled"))
    assert isinstance(wanted, str) == isinstance(found, str)
    if isinstance(wanted, str):
        assert found == wanted
    else:
        assert count_differences(found[0], wanted[0]) == 0
        assert found[1] == wanted[1] or np.isnan(found[1])


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("which", BODIES)
def test_a_kernel_has_the_outcome_of_the_body_or_is_refused_with_the_reason(which, dtype):
    r = _arguments(dtype)
    loss = OfBody(which=which)
    for part in (r, r[np.abs(r) < 2.9], r[np.abs(r) < 2999]):
        _same_outcome(loss, part, np.zeros_like(part))


KERNELS = ("an int32 product", "a sum of both widths", "a power of a number of NumPy")
KERNELS += ("a table beyond floats", "zeros of two signs", "from the end")
REASONS = {
    "int32 leaves its range": "square of int32 has no compiled form",
    "a power of integers": "pow of int64 has no compiled form",
    "bits of integers": "& of the bits of numbers",
    "another rule of indices": "unexpected keyword argument 'mode'",
    "beyond the end": "IndexError",
    "a table of int8": "int8 has no compiled form",
    "to the power of ones": "an array of equal powers: write the number in its place",
    "a number to the power of halves": "an array of equal powers",
    "another form on NumPy": "other bits",
    "writes to its argument": "read-only",
}


@pytest.mark.parametrize("which", [*KERNELS, *REASONS])
def test_what_has_a_kernel_and_why_the_others_have_none(which):
    problem = candidate_of(OfBody(which=which), "value").problem(np.dtype("f8"))
    assert REASONS.get(which, "") in problem
    assert bool(problem) is (which in REASONS)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_large_counts_and_exact_powers_are_those_of_the_body(dtype):
    counts = np.array([0.0, 1.0, 2998.0, 2999.0, 3000.0, 2.0**24, 2.0**31, 2.0**40, 1e18], dtype)
    _same_outcome(OfCounts(), np.linspace(-1, 1, len(counts)).astype(dtype), counts)
    assert all(entry.kernel for entry in watched._entries.values())
    y = np.exp(np.random.default_rng(0).normal(size=40_000)).astype(dtype)
    t = np.resize(np.array([1.0, 0.5, 2.0, 3.0, 1.5], dtype), y.shape)
    _same_outcome(OfPairs(), y, t)
    assert all(entry.kernel for entry in watched._entries.values())


class ByComputedColumn(lossfw.CategoricalLoss):
    def value(self, xp, y, t):
        at = xp.astype(xp.floor(xp.max(y, axis=-1, keepdims=True) * (y.shape[-1] - 0.5)), xp.int64)
        return xp.take_along_axis(y, at - 1, axis=-1)[..., 0] + xp.sum(t, axis=-1)


class ToThePowerOfItsRow(lossfw.CategoricalLoss):
    def value(self, xp, y, t):
        return xp.sum(t * y ** (1 / xp.sum(t, axis=-1, keepdims=True)), axis=-1)


class Unchecked(lossfw.CategoricalLoss):
    def check_domain(self, y, t, by_index, start):
        pass

    def value_at(self, xp, y, index):
        return xp.take_along_axis(y, index[..., None], axis=-1)[..., 0]

    def value(self, xp, y, t):
        return xp.sum(y * t, axis=-1)


@pytest.mark.parametrize("columns", [5, 100])
@pytest.mark.parametrize("loss", [ByComputedColumn(), ToThePowerOfItsRow(), Unchecked()], ids=repr)
def test_rows_have_the_outcome_of_the_body(loss, columns):
    y = np.random.default_rng(0).dirichlet(np.ones(columns), 40)
    t = np.eye(columns)[np.arange(40) % columns]
    y[7] = t[7]
    _same_outcome(loss, y, t)
    if isinstance(loss, ToThePowerOfItsRow):
        problem = candidate_of(loss, "value", columns, by_index=False).problem(np.dtype("f8"))
        assert "a power of each row" in problem
    index = np.arange(40) % columns
    _same_outcome(loss, y, index)
    for outside in (-1, -columns, -columns - 1, columns):
        index[3] = outside
        _same_outcome(loss, y, index)
