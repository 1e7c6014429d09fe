"""NumPy's files: what numpy writes is read, and a header is only a promise."""

import io
import zipfile

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from lossfw.data.npy import npz_names, read_npy, read_npz
from lossfw.errors import DataError

number_arrays = hnp.arrays(
    st.sampled_from(["f4", ">f8", "f2", "i8", ">i4", "u1", "?"]),
    hnp.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=4),
)


@given(array=number_arrays, fortran=st.booleans())
def test_npy_round_trip(tmp_path_factory, array, fortran):
    path = tmp_path_factory.mktemp("npy") / "a.npy"
    np.save(path, np.asfortranarray(array) if fortran and array.ndim else array)
    read = read_npy(path, "data")
    assert read.dtype == array.dtype
    np.testing.assert_array_equal(read, array)


@given(first=number_arrays, second=number_arrays, packed=st.booleans())
def test_npz_round_trip(tmp_path_factory, first, second, packed):
    path = tmp_path_factory.mktemp("npz") / "a.npz"
    (np.savez_compressed if packed else np.savez)(path, one=first, two=second)
    read = read_npz(path, "data")
    assert list(read) == ["one", "two"]
    np.testing.assert_array_equal(read["one"], first)
    np.testing.assert_array_equal(read["two"], second)
    assert all(array.dtype.isnative for array in read.values())


READERS = {"npy": read_npy, "npz": read_npz}


def saved(path, kind, array):
    """Write an array in a format, whatever the name of the file is."""
    with path.open("wb") as stream:
        (np.save if kind == "npy" else np.savez)(stream, array)
    return path


def header_only(shape, descr="<f8"):
    stream = io.BytesIO()
    header = {"descr": descr, "fortran_order": False, "shape": shape}
    np.lib.format.write_array_header_1_0(stream, header)
    return stream.getvalue()


def test_only_the_arrays_that_are_wanted_are_unpacked(tmp_path):
    path = tmp_path / "a.npz"
    np.savez(path, one=np.ones(3), two=np.zeros(1000))
    content = path.read_bytes()
    path.write_bytes(content.replace(bytes(8000), b"\x01" + bytes(7999)))  # a wrong checksum
    assert npz_names(path, "data") == ["one", "two"]
    assert read_npz(path, "data", {"one"})["one"].tolist() == [1.0, 1.0, 1.0]
    with pytest.raises(DataError, match="may be damaged"):
        read_npz(path, "data")
    with pytest.raises(DataError, match="unpacks to 8280 bytes; at most 500 are read as data"):
        read_npz(path, "data", limit=500)


def test_two_arrays_of_one_name_are_refused(tmp_path):
    path = tmp_path / "a.npz"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a.npy", header_only((0,)))
        archive.writestr("a", header_only((0,)))
    with pytest.raises(DataError, match="two arrays named 'a'"):
        read_npz(path, "data")


@pytest.mark.parametrize("kind", ["npy", "npz"])
def test_every_truncation_is_an_error(tmp_path, kind):
    whole = saved(tmp_path / "a", kind, np.ones(3)).read_bytes()
    for keep in range(len(whole)):
        (tmp_path / "b").write_bytes(whole[:keep])
        with pytest.raises(DataError, match=r"/b "):
            READERS[kind](tmp_path / "b", "data")


@pytest.mark.parametrize("kind", ["npy", "npz"])
def test_objects_are_never_unpickled(tmp_path, kind):
    marker = tmp_path / "executed"

    class Evil:
        def __reduce__(self):
            return (open, (str(marker), "w"))

    path = saved(tmp_path / "a", kind, np.array([Evil()], dtype=object))
    with pytest.raises(DataError, match=r"never unpickles"):
        READERS[kind](path, "data")
    assert not marker.exists()


@pytest.mark.parametrize("dtype", ["U3", "c16", "M8[s]", "V4", "(2,)f4, i4"])
def test_dtypes_that_are_no_numbers(tmp_path, dtype):
    np.save(tmp_path / "a.npy", np.zeros(2, dtype))
    with pytest.raises(DataError, match=r"has dtype .*; expected numbers"):
        read_npy(tmp_path / "a.npy", "data")


@pytest.mark.parametrize(
    "text",
    [
        "(" * 300,
        "{'descr': '<f8', 'fortran_order': False, 'shape': (-1,), }",
        "{'descr': '<f8', 'fortran_order': False, 'shape': __import__('os'), }",
        "{'descr': 7, 'fortran_order': False, 'shape': (1,), }",
        "\0\0",
    ],
)
def test_hostile_headers(tmp_path, text):
    body = text.encode() + b"\n"
    start = b"\x93NUMPY\x01\x00" + len(body).to_bytes(2, "little")
    (tmp_path / "a.npy").write_bytes(start + body + bytes(8))
    with pytest.raises(DataError, match=r"a\.npy"):
        read_npy(tmp_path / "a.npy", "data")
