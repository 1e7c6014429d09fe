"""Kernels: the bits of NumPy in every operation, and in sums of every length."""

import ctypes
import mmap
import sys

import numpy as np
import pytest

pytest.importorskip("llvmlite", reason="llvmlite is not installed")

from lossfw.losses.engine.kernels.trial import count_differences
from lossfw.numerics.compiled.kernel import Kernel
from lossfw.numerics.compiled.operations import UncompiledError
from lossfw.numerics.compiled.signature import KernelSignature
from lossfw.numerics.selection import apply_where
from lossfw.numerics.symbolic.trace import trace

DTYPES = ("float32", "float64")
SPECIAL = [0.0, -0.0, 1.0, -1.0, 0.5, 2.5, -2.5, 1e-310, 5e-324, 1e-45, 1e300, np.inf, -np.inf]

TABLE = np.array([0.25, 0.5, 4.0])
BODIES = {
    "arithmetic": lambda xp, y, t: (y + t) * (y - t) / (1.0 + t * t) - (-y),
    "powers": lambda xp, y, t: (
        xp.square(y) + xp.reciprocal(t) + xp.sqrt(xp.abs(y)) + xp.abs(t) ** 1.5
    ),
    "whole": lambda xp, y, t: (
        xp.floor(y) + 2.0 * xp.ceil(y) + 4.0 * xp.trunc(t) + 8.0 * xp.round(t)
    ),
    "extremes": lambda xp, y, t: xp.where(y > 0, xp.maximum(y, t), xp.minimum(y, t)),
    "signs": lambda xp, y, t: xp.sign(y) + xp.copysign(xp.ones_like(y), t),
    "comparisons": lambda xp, y, t: (
        xp.astype((y < t) ^ (y <= 0.5), y.dtype)
        + 2.0 * xp.astype(((y > t) & (y >= -0.5)) | ~(t != y), y.dtype)
        + 4.0 * xp.astype(y == t, y.dtype)
    ),
    "tests": lambda xp, y, t: xp.where(
        xp.isnan(y) | xp.isinf(t), 1.0, xp.where(xp.isfinite(y) & xp.signbit(t), 2.0 * y, t)
    ),
    "chosen truth": lambda xp, y, t: xp.where(xp.where(y > 0, y > 1, t > 1), y, t),
    "exponentials": lambda xp, y, t: xp.exp(y) + xp.expm1(t) * xp.exp2(-y),
    "logarithms": lambda xp, y, t: (
        xp.log(xp.abs(y)) + xp.log1p(xp.abs(t)) + xp.log2(t) * xp.log10(y)
    ),
    "hyperbolic": lambda xp, y, t: xp.tanh(y) + xp.sinh(t) * xp.cosh(y) + xp.asinh(t),
    "circular": lambda xp, y, t: xp.sin(y) * xp.cos(t) + xp.tan(y) + xp.atan(t) + xp.atan2(y, t),
    "of two": lambda xp, y, t: xp.logaddexp(y, t) + xp.hypot(y, t) + xp.remainder(y, t),
    "a constant beside a call": lambda xp, y, t: 2.0**y + xp.abs(t) ** 0.3,
    "one after the other": lambda xp, y, t: xp.log1p(xp.exp(-xp.log1p(xp.exp(y)) - t)) + xp.exp(y),
    "a truth kept over a call": lambda xp, y, t: xp.where(
        (y * t + y - t > 0.0) & (y / t < 3.0), xp.exp(y), xp.log1p(xp.exp(y * t))
    ),
    "parts of floats": lambda xp, y, t: xp.frexp(y)[0] + xp.astype(xp.frexp(t)[1], y.dtype),
    "an index": lambda xp, y, t: (
        xp.take(TABLE, xp.astype(xp.round(xp.clip(xp.where(y == y, y, 0.0), 0, 2)), xp.int64))
        * xp.astype(t, xp.float64)
    ),
    "through float64": lambda xp, y, t: xp.astype(
        xp.log(xp.astype(xp.abs(y), xp.float64)), t.dtype
    ),
    "only one": lambda xp, y, t: xp.exp(-t),
    "a rare case": lambda xp, y, t: apply_where(
        xp, xp.log(xp.abs(y)) * t, y > 2.0, lambda xp, y, t: xp.exp(-y) + t, y, t
    ),
    "a rare case of a rare case": lambda xp, y, t: apply_where(
        xp, y + 1.0, apply_where(xp, t > 2.0, y > 3.0, lambda xp, t: t < 1.0, t), _second, y, t
    ),
    "neither": lambda xp, y, t: xp.full_like(y, 3.0),
}


def _second(xp, y, t):
    return apply_where(xp, xp.expm1(y), t > 4.0, lambda xp, y, t: y / t, y, t)


def arguments(dtype, size=700):
    rng = np.random.default_rng(0)
    y, t = rng.normal(size=(2, size)) * np.exp(2 * rng.normal(size=(2, size)))
    places = len(SPECIAL) ** 2
    pairs = [(a, b) for a in [*SPECIAL, np.nan] for b in [*SPECIAL, np.nan]][: min(size, places)]
    y[: len(pairs)], t[: len(pairs)] = np.array(pairs).T
    with np.errstate(all="ignore"):
        return y.astype(dtype), t.astype(dtype)


def kernel_of(body, dtype, *, derivatives=False, **options):
    """Return a kernel of values of a body, and of derivatives if it returns them."""
    graph = trace(body, {"y": dtype, "t": dtype})
    signature = KernelSignature(("y", "t"), True, derivatives, **options)
    return Kernel(graph, np.dtype(dtype), signature)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", BODIES)
def test_an_operation_has_the_bits_of_numpy(name, dtype):
    body = BODIES[name]
    y, t = arguments(dtype)
    with np.errstate(all="ignore"):
        wanted = body(np, y, t)
    if wanted.dtype != dtype:
        pytest.skip("the body returns float64")
    losses = np.empty_like(y)
    kernel_of(body, dtype)(y, t, values=losses)
    assert count_differences(losses, wanted) == 0


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("weighted", [False, True])
def test_a_strip_has_its_rare_elements_and_no_other(dtype, weighted):
    def body(xp, y, t):
        loss = apply_where(xp, y * y, y > 100.0, lambda xp, y: 3.0 * y, y)
        return loss, apply_where(xp, y + t, t > 100.0, lambda xp, t: xp.log(t), t)

    y, t = (np.linspace(0.0, 1.0, 5000 * 2).reshape(2, -1)).astype(dtype)
    weight = np.linspace(0.5, 2.0, len(y)) if weighted else None
    kernel = kernel_of(body, dtype, derivatives=True, weighted=weighted)
    for rare in ((), (700,), (700, 4999)):
        y[list(rare)], t[list(rare[:1])] = 500.0, 600.0
        loss, derivative = body(np, y, t)
        derivatives = np.empty_like(y)
        total, _ = kernel(y, t, derivatives=derivatives, weight=weight)
        terms = loss if weight is None else weight * loss.astype(np.float64)
        assert total == np.add.reduce(terms, dtype=np.float64)
        wanted = derivative if weight is None else (derivative * (weight * 1.0)).astype(dtype)
        np.testing.assert_array_equal(derivatives, wanted)


LENGTHS = (0, 1, 7, 8, 9, 127, 128, 129, 136, 511, 513, 1000, 8191, 8192, 8193, 16400, 100_003)


@pytest.mark.parametrize("dtype", DTYPES)
def test_sums_have_the_order_of_numpy(dtype):
    plain, weighted = (
        kernel_of(lambda xp, y, t: y - t, dtype, weighted=weighted) for weighted in (False, True)
    )
    rng = np.random.default_rng(0)
    for length in LENGTHS:
        y, t = (rng.normal(size=(2, length)) * 1e3).astype(dtype)
        weight = rng.random(length)
        terms = weight * (y - t).astype(np.float64)
        assert plain(y, t)[0] == np.add.reduce(y - t, dtype=np.dtype(np.float64)), length
        assert weighted(y, t, weight=weight)[0] == np.add.reduce(terms), length


@pytest.mark.skipif(sys.platform == "win32", reason="pages are forbidden by POSIX")
def test_memory_after_the_arrays_may_be_forbidden():
    page = mmap.PAGESIZE
    block = mmap.mmap(-1, 2 * page, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    numbers = np.frombuffer(block, np.float64)
    process = ctypes.CDLL(None, use_errno=True)
    assert process.mprotect(ctypes.c_void_p(numbers.ctypes.data + page), page, 0) == 0
    y = numbers[: page // 8]
    y[:] = np.arange(y.size)
    kernel = kernel_of(lambda xp, y, t: (y * t, y + t), "float64", derivatives=True)
    kernel(y, y, derivatives=y, scale=1.0)
    np.testing.assert_array_equal(y, 2.0 * np.arange(y.size))


@pytest.mark.parametrize("dtype", DTYPES)
def test_a_kernel_reports_what_lies_outside(dtype):
    def body(xp, y, t):
        return y + t, xp.astype((y < 0) | (xp.floor(y) < y), y.dtype)

    kernel = kernel_of(body, dtype, domain="checked")
    for value in (0.0, -0.0, 3.0, 1e20, np.inf, np.nan, 0.5, -1.0, 3.25, -np.inf):
        y = np.zeros(9, dtype)
        y[5] = value
        assert kernel(y, y)[1] is not bool(body(np, y, y)[1][5]), value


def test_an_index_outside_of_a_table_is_left_to_the_body():
    def body(xp, y, t):
        return xp.take(np.array([1.0, 2.0]), xp.astype(xp.round(y), xp.int64)) + 0.0 * t

    kernel = kernel_of(body, "f8")
    losses, zeros = np.empty(4), np.zeros(4)
    for outside in (-3.0, 2.0, -9e18, 9.3e18, -np.inf, np.nan):
        y = np.array([-1.0, 1.0, outside, 0.0])
        assert not kernel(y, zeros, values=losses)[1]
        y[2] = -2.0
        assert kernel(y, zeros, values=losses)[1]
        assert list(losses) == [2.0, 2.0, 1.0, 1.0]


INTEGERS = {
    "int32 wraps": lambda xp, n, m: xp.astype(n * n - m, xp.int32),
    "int64 wraps": lambda xp, n, m: n * n * (n * n) * n,
    "a product of both": lambda xp, n, m: n * m,
    "a quotient": lambda xp, n, m: n / (m * m + 1),
    "functions of floats": lambda xp, n, m: xp.log(n * n + 1) + xp.sqrt(m * m) * xp.exp(-n * n),
    "narrowed": lambda xp, n, m: xp.astype(n * n, xp.int32),
    "compared": lambda xp, n, m: xp.where(n < m, n, m),
    "a truth": lambda xp, n, m: xp.astype(n > m, xp.int32) + m,
    "with a float": lambda xp, n, m: n * 0.3 + m,
}


@pytest.mark.parametrize("kinds", [("int64", "int32"), ("int32", "int32"), ("int64", "int64")])
@pytest.mark.parametrize("name", INTEGERS)
def test_integers_have_the_width_that_they_have_in_numpy(name, kinds):
    def body(xp, y, t):
        n, m = (xp.astype(xp.trunc(x), getattr(xp, k)) for x, k in zip((y, t), kinds, strict=True))
        return xp.astype(INTEGERS[name](xp, n, m), y.dtype)

    rng = np.random.default_rng(0)
    y, t = (rng.normal(size=(2, 700)) * 10.0 ** rng.integers(0, 8, (2, 700))).clip(-2e9, 2e9)
    with np.errstate(all="ignore"):
        wanted = body(np, y, t)
    losses = np.empty_like(y)
    kernel = kernel_of(body, "f8")
    assert kernel(y, t, values=losses)[1]
    np.testing.assert_array_equal(losses, wanted)


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (lambda xp, y, t: xp.astype(y, xp.float64) * t, "a result is float64"),
        (lambda xp, y, t: xp.astype(xp.astype(y, np.float16), y.dtype) + t, "float16 has no"),
    ],
)
def test_what_has_no_compiled_form_is_refused(body, reason):
    with pytest.raises(UncompiledError, match=reason):
        kernel_of(body, "f4")


def test_a_kernel_leaves_no_warning_for_numpy():
    kernel_of(lambda xp, y, t: xp.exp(y) / t, "f8")(np.full(100, 1e4), np.zeros(100))
    # Warnings are errors here.
    assert (np.ones(3) + np.ones(3)).sum() == 6.0
    assert np.exp(np.zeros(3)).sum() == 3.0
