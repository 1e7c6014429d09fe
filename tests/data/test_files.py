"""Files, digests, weights, single arrays, nested lists, and the type of file parameters."""

import functools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from lossfw.data import File, Source
from lossfw.data.arrays import read_array
from lossfw.data.arrow_arrays import arrow_values, null_mask
from lossfw.data.files import digest_arrays, need_file
from lossfw.data.literals import numbers_array
from lossfw.data.validation import is_finite
from lossfw.data.weights import read_weights
from lossfw.errors import DataError, ParameterError


@given(hnp.arrays("f4", hnp.array_shapes(min_side=0), elements=st.floats(width=32)))
def test_finite_agrees_with_numpy(array):
    assert is_finite(array) == np.isfinite(array).all()


@given(array=hnp.arrays("f8", hnp.array_shapes(max_dims=2)), seed=st.integers(0, 9))
def test_a_digest_is_that_of_the_content(array, seed):
    digest = digest_arrays(array)
    assert digest_arrays(array.copy(order="F")) == digest
    assert digest_arrays(array.astype(">f8")) == digest
    assert digest_arrays(array.reshape(*array.shape, 1)) != digest
    assert digest_arrays(array, None) != digest
    changed = array.copy()
    changed.flat[seed % array.size] += 1.0
    if not np.array_equal(changed, array, equal_nan=True):
        assert digest_arrays(changed) != digest


def need_weights(path):
    return need_file(path, "weights")


def read_logits(path, key=None):
    return read_array(path, "logits", key)


@pytest.mark.parametrize(
    ("read", "name", "message"),
    [
        (need_weights, ".", r"is a folder"),
        (need_weights, "empty", r"is an empty file"),
        (read_weights, "w.npy", r"is a \.npy, which holds one array without a name"),
        (read_weights, "w.npz", r"is not a \.npz: it begins with b'W1 = 3'"),
        (read_weights, "w.txt", r"not a readable pickle"),
        (read_logits, "two.npz", r"no array 'logits'; it has: logit, other\. Did you mean"),
        (functools.partial(read_logits, key="z"), "w.npy", r"without a name"),
        (read_logits, "w.txt", r"expected a file .*\.csv, \.tsv \(also \.gz\) or \.parquet"),
    ],
)
def test_what_holds_no_such_thing(read, name, message, tmp_path):
    (tmp_path / "empty").touch()
    for text in ("w.npz", "w.txt", "z.npy"):
        (tmp_path / text).write_text("W1 = 3")
    np.save(tmp_path / "w.npy", np.ones(3))
    np.savez(tmp_path / "two.npz", logit=np.ones(1), other=np.ones(1))
    with pytest.raises(DataError, match=message):
        read(tmp_path / name)


nested = st.recursive(
    st.floats(allow_nan=False, allow_infinity=False) | st.integers(-(2**63), 2**63 - 1),
    lambda inner: st.lists(inner, max_size=3) | st.lists(inner, max_size=3).map(tuple),
)


@given(nested)
def test_nested_lists_are_what_numpy_makes_of_them(value):
    try:
        array = numbers_array(value)
    except ValueError:
        with pytest.raises(ValueError, match="inhomogeneous"):
            np.array(value)
        return
    assert array.shape == np.array(value).shape
    assert np.array_equal(array, np.array(value))


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ([[1, 2], [3]], r"lists of equal length, but \[0\] has 2 entries and \[1\] has 1 entry"),
        ([[1, 2], 3], r"but \[0\] has 2 entries and \[1\] is a number"),
        ([1, "2"], r"\[1\] is '2'"),
        ([[0, True]], r"\[0\]\[1\] is True"),
        ({"a": 1}, r"this is {'a': 1}"),
        ([1, float("nan")], r"finite numbers, but \[1\] is nan"),
        ([2**64], r"at most 64 bits"),
        (functools.reduce(lambda value, _: [value], range(99), 1), "nested at most 32 deep"),
    ],
)
def test_nested_lists_that_are_no_array(value, message):
    with pytest.raises(ValueError, match=message):
        numbers_array(value)


class OneFile(Source):
    """A source for these tests."""

    first: File

    def load(self):
        raise NotImplementedError


@pytest.mark.parametrize("value", [3, "", None, ["a"]])
def test_file_parameters_refuse_what_is_no_name(value):
    with pytest.raises(ParameterError, match=r"first should be a file name"):
        OneFile(first=value)


@pytest.mark.parametrize("kind", ["?", "i1", "i8", "u2", "u8", "f2", "f4", "f8"])
@pytest.mark.parametrize("part", [slice(None), slice(3, None), slice(1, 9), slice(20, None)])
def test_values_and_nulls_of_arrow_are_those_of_pyarrow(kind, part):
    arrow = pytest.importorskip("pyarrow")
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
