"""Products of the vectors of a group: bits that depend on neither threads nor other groups."""

import numpy as np
import pytest
import threadpoolctl

from lossfw_std.directions import combine_rows, pairwise_dots

# Rows and numbers of a row: one product, pieces with an edge, and vectors too long for them.
SIZES = [(16, 16), (100, 64), (257, 40), (3, 20_000)]


def both(queries, keys):
    z = pairwise_dots(np, queries, keys)
    return z, combine_rows(np, z, keys), combine_rows(np, np.moveaxis(z, -1, -2), queries)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(("rows", "size"), SIZES)
def test_products_have_the_bits_of_one_thread_and_of_each_group_alone(rows, size, dtype):
    y = np.random.default_rng(rows).normal(size=(2, rows, 2, size)).astype(dtype)
    queries, keys = y[:, :, 0], y[:, :, 1]
    found = both(queries, keys)
    with threadpoolctl.threadpool_limits(limits=1, user_api="blas"):
        single = both(queries, keys)
    for k, one in enumerate(
        zip(*(both(queries[k : k + 1], keys[k : k + 1]) for k in (0, 1)), strict=True)
    ):
        assert found[k].tobytes() == single[k].tobytes() == np.concatenate(one).tobytes()


@pytest.mark.parametrize(("rows", "size"), SIZES)
def test_products_are_sums_of_products(rows, size):
    queries, keys = np.random.default_rng(size).normal(size=(2, 1, rows, size))
    z, *others = both(queries, keys)
    wanted = [
        np.einsum("gid,gjd->gij", queries, keys),
        np.einsum("gij,gjd->gid", z, keys),
        np.einsum("gij,gid->gjd", z, queries),
    ]
    for found, expected in zip((z, *others), wanted, strict=True):
        np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-9)
