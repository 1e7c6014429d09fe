"""Arrays of pyarrow: what its own way makes of them, without pandas."""

import numpy as np
import pytest

from lossfw.data.arrow_arrays import arrow_values, null_mask

arrow = pytest.importorskip("pyarrow")
KINDS = ("?", "i1", "i8", "u2", "u8", "f2", "f4", "f8")


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("part", [slice(None), slice(3, None), slice(1, 9), slice(20, None)])
def test_values_and_nulls_are_those_of_pyarrow(kind, part):
    rng = np.random.default_rng(3)
    values, mask = rng.integers(0, 2, 20).astype(kind), rng.random(20) < 0.4
    whole = arrow.array(values)[part]
    assert arrow_values(whole).dtype == (np.uint8 if kind == "?" else kind)
    np.testing.assert_array_equal(arrow_values(whole), values[part])
    assert not null_mask(whole).any()
    gaps = arrow.array(values, mask=mask)[part]
    np.testing.assert_array_equal(null_mask(gaps), mask[part])
    np.testing.assert_array_equal(arrow_values(gaps)[~mask[part]], values[part][~mask[part]])
    assert null_mask(arrow.nulls(3)).all()
