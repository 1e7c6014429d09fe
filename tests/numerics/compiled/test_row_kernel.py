"""Kernels of rows: the bits of NumPy in every reduction, in each layout and length."""

import numpy as np
import pytest

pytest.importorskip("llvmlite", reason="llvmlite is not installed")

from lossfw.errors import TraceError
from lossfw.losses.engine.kernels.trial import count_differences
from lossfw.numerics.arrays import column_numbers as columns_of
from lossfw.numerics.compiled.kernel import Kernel
from lossfw.numerics.compiled.operations import UncompiledError
from lossfw.numerics.compiled.signature import KernelSignature
from lossfw.numerics.symbolic.trace import trace
from lossfw.numerics.symbolic.written import write

DTYPES = ("float32", "float64")
LENGTHS = (3, 8, 17, 64, 65, 2500)


def normalised(xp, x):
    return x / xp.sum(x, axis=-1, keepdims=True)


def twice_kept(xp, x):
    "Exponentials that are added up, and wanted again in two later phases."
    e = xp.exp(x - xp.max(x, axis=-1, keepdims=True))
    p = e / xp.sum(e, axis=-1, keepdims=True)
    q = e * p
    return q + xp.log(xp.sum(q, axis=-1, keepdims=True))


BODIES = {
    "a sum": normalised,
    "extremes": lambda xp, x: (
        xp.max(x, axis=-1, keepdims=True) - x * xp.min(x, axis=-1, keepdims=True)
    ),
    "a mean": lambda xp, x: x - xp.mean(x, axis=-1)[..., None],
    "kept exponentials": twice_kept,
    "a sum of choices": lambda xp, x: (
        x + xp.sum(xp.where(x > 0, x, xp.zeros_like(x)), axis=-1, keepdims=True)
    ),
    "where it is largest": lambda xp, x: (
        x + xp.astype(xp.argmax(x, axis=-1, keepdims=True), x.dtype) + x[..., 1:2]
    ),
    "truths": lambda xp, x: xp.where(
        xp.any(x > 2.0, axis=-1, keepdims=True) ^ xp.all(x < 3.0, axis=-1, keepdims=True), x, -x
    ),
    "columns": lambda xp, x: x * xp.astype(columns_of(xp, x), x.dtype),
    "through float64": lambda xp, x: xp.astype(
        normalised(xp, xp.exp(xp.astype(x, xp.float64))), x.dtype
    ),
    "a quotient of a row": lambda xp, x: (
        x * (xp.sum(x, axis=-1, keepdims=True) / xp.max(x, axis=-1, keepdims=True))
    ),
}


def rows(dtype, columns, seed=0):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(133, columns)) * np.exp(rng.normal(size=(133, columns)))
    special = (np.inf, -np.inf, np.nan, 0.0, -0.0, 1e30)
    for row, value in enumerate(special):
        x[row, rng.integers(columns)] = value
    x[6] = -0.0
    return x.astype(dtype)


def compiled(body, dtype, columns, order, losses=False, by_index=False):
    inputs = {"x": dtype, "i": "int64"} if by_index else {"x": dtype}
    graph = trace(body, inputs, columns)
    signature = KernelSignature(
        tuple(inputs), losses, not losses, columns=columns, by_index=by_index, order=order
    )
    return graph, Kernel(graph, np.dtype(dtype), signature)


@pytest.mark.turns(2)
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", BODIES)
def test_a_body_has_the_bits_of_numpy(name, dtype):
    body = BODIES[name]
    for columns in (9, 70):
        for order in ("C", "F"):
            if order == "F" and columns > 64:
                continue
            x = np.asarray(rows(dtype, columns), order=order)
            with np.errstate(all="ignore"):
                wanted = body(np, x)
            sums = "pairwise" if order == "C" else "columns"
            graph, kernel = compiled(body, dtype, columns, sums)
            found = np.empty_like(wanted)
            kernel(x, derivatives=found)
            assert count_differences(found, wanted) == 0
            np.testing.assert_array_equal(write(graph, columns, order)(x=x)[0], wanted)


@pytest.mark.parametrize("dtype", DTYPES)
def test_rows_of_every_length_are_added_up_as_by_numpy(dtype):
    for columns in LENGTHS:
        x = rows(dtype, columns)
        for order in ("C", "F") if columns <= 64 else ("C",):
            laid = np.asarray(x, order=order)
            sums = "pairwise" if order == "C" else "columns"
            body = lambda xp, x: xp.sum(x, axis=-1) + xp.max(x, axis=-1)  # noqa: E731
            _, kernel = compiled(body, dtype, columns, sums, losses=True)
            found = np.empty(len(x), dtype)
            # The layout that the kernel reads is none of its order of sums.
            kernel(x, values=found)
            with np.errstate(all="ignore"):
                np.testing.assert_array_equal(found, body(np, laid), str(columns))


@pytest.mark.parametrize("columns", [5, 100])
def test_an_element_of_each_row_is_taken_from_what_is_computed(columns):
    def body(xp, x, index):
        return xp.take_along_axis(xp.exp(x) * 2.0, index[..., None], axis=-1)[..., 0]

    x = rows("float64", columns)
    index = np.random.default_rng(1).integers(0, columns, len(x))
    _, kernel = compiled(body, "float64", columns, "pairwise", losses=True, by_index=True)
    found = np.empty(len(x))
    kernel(x, index, values=found)
    with np.errstate(all="ignore"):
        np.testing.assert_array_equal(found, body(np, x, index))


@pytest.mark.parametrize("columns", [5, 100])
def test_a_rare_choice_is_right_where_no_some_and_all_rows_are_rare(columns):
    def body(xp, x):
        total = xp.sum(x, axis=-1)
        if xp is np:
            return np.where(total < 0, np.sum(np.exp(x), axis=-1), total)
        return xp.where_rare(total < 0, xp.sum(xp.exp(x), axis=-1), total)

    _, kernel = compiled(body, "float64", columns, "pairwise", losses=True)
    x = np.abs(np.random.default_rng(0).normal(size=(500, columns)))
    for sign in (1.0, -1.0, np.where(np.arange(500) % 97 == 0, -1.0, 1.0)[:, np.newaxis]):
        found = np.empty(500)
        kernel(x * sign, values=found)
        np.testing.assert_array_equal(found, body(np, x * sign))


REFUSED = {
    "another axis": lambda xp, x: xp.sum(x, axis=0),
    "a sum of truths": lambda xp, x: xp.sum(x > 0, axis=-1),
    "without an axis": lambda xp, x: x - xp.max(x, axis=-1),
    "takes a part": lambda xp, x: x[..., ::2],
    "counts to": lambda xp, x: x * xp.arange(3),
    "xp.sort": lambda xp, x: xp.sort(x, axis=-1),
}


def test_what_has_no_meaning_on_rows_is_refused():
    for body in REFUSED.values():
        with pytest.raises(TraceError):
            trace(body, {"x": "float64"}, 5)
    ones = lambda xp, x: x + xp.sum(xp.ones_like(x), axis=-1)[..., None]  # noqa: E731
    with pytest.raises(UncompiledError, match="a sum of equal numbers"):
        compiled(ones, "float64", 5, "pairwise")


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("columns", [2, 3, 4, 5, 10, 63, 64])
def test_each_element_of_rows_of_any_number_and_layout_has_its_place(columns, dtype):
    _, kernel = compiled(lambda xp, x: -x, dtype, columns, "columns")
    for count in (1, 3, 4, 5, 97, 131):
        whole = np.arange(2.0 * count * columns, dtype=dtype).reshape(2 * count, columns)
        around = np.full((count, columns + 3), 7.0, dtype)
        layouts = (whole[:count], whole[::2], np.asfortranarray(whole[:count]))
        for x in layouts:
            for out in (np.empty_like(whole[:count]), np.empty_like(layouts[2]), around[:, 2:-1]):
                kernel(x, derivatives=out)
                np.testing.assert_array_equal(out, -x)
        assert (around[:, [0, 1, -1]] == 7.0).all()
