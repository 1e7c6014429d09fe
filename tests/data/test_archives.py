"""Sizes in headers of archives are bounded before anything is unpacked."""

import contextlib
import io
import tracemalloc
import zipfile

import numpy as np
import pytest

import lossfw
from lossfw.data.archives import FREE_BYTES, check_sizes
from lossfw.data.npy import read_npz
from lossfw.data.weights import read_weights
from lossfw.errors import DataError

MIB = 2**20


def header_of(count):
    header = io.BytesIO()
    shape = {"descr": "<f8", "fortran_order": False, "shape": (count,)}
    np.lib.format.write_array_header_1_0(header, shape)
    return header.getvalue()


def bomb(path, name):
    """Write an archive with a member that unpacks to 300 MiB."""
    with (
        zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive,
        archive.open(name, "w", force_zip64=True) as out,
    ):
        out.write(header_of(300 * MIB // 8))
        for _ in range(300):
            out.write(bytes(MIB))
    return path


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    """A file of 300 kB that unpacks to 300 MiB."""
    return bomb(tmp_path_factory.mktemp("bomb") / "b.npz", "W1.npy")


@contextlib.contextmanager
def not_unpacked(words):
    """Hold that what is in the block refuses a file in words, and takes little memory."""
    tracemalloc.start()
    try:
        with pytest.raises(DataError, match=words):
            yield
        assert tracemalloc.get_traced_memory()[1] < 50 * MIB
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("read", [read_weights, lambda path: read_npz(path, "data")])
def test_a_small_archive_that_unpacks_to_a_large_one_is_not_unpacked(small, read):
    with not_unpacked("more than 100 times as many, so lossfw does not unpack it"):
        read(small)


def member(packed, size, method=zipfile.ZIP_DEFLATED):
    info = zipfile.ZipInfo("a.npy")
    info.compress_size, info.file_size, info.compress_type = packed, size, method
    return info


@pytest.mark.parametrize(
    ("info", "words"),
    [
        (member(100, 101, zipfile.ZIP_STORED), "100 bytes, but its header states 101"),
        (member(100, 103_201), "which is impossible"),
        (member(0, 1), "which is impossible"),
        (member(100, 100, zipfile.ZIP_BZIP2), "compressed by an unsupported method"),
        (member(100, 100, zipfile.ZIP_LZMA), "compressed by an unsupported method"),
        (member(FREE_BYTES // 101, FREE_BYTES + 1), "more than 100 times"),
    ],
)
def test_a_size_that_cannot_be_is_refused(info, words):
    with pytest.raises(DataError, match=words):
        check_sizes([info], "f.npz", "Write it again.")


def written_by_skops(path, *, but="", arrays=bytes):
    """Add the members of a model to an archive, but one; its arrays as they are changed."""
    skops = pytest.importorskip("skops.io")
    linear = pytest.importorskip("sklearn.linear_model")
    content = skops.dumps(linear.Ridge().fit(np.eye(3), np.arange(3.0)))
    with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(path, "a") as new:
        for item in old.namelist():
            if item != but:
                data = old.read(item)
                new.writestr(item, arrays(data) if item.endswith(".npy") else data)
    return lossfw.registry().create("model", {"name": "sklearn", "file": path})


@pytest.mark.parametrize("name", ["big.npy", "schema.json"])
def test_a_file_of_skops_with_a_large_member_is_refused_before_it_is_read(name, tmp_path):
    pytest.importorskip("skops")
    model = written_by_skops(bomb(tmp_path / "m.skops", name), but=name)
    with not_unpacked("so lossfw does not unpack it"):
        model.load_predictor()


def test_an_array_of_skops_that_states_more_than_there_is_is_refused(tmp_path):
    def larger(data):
        return header_of(10**11) + data[128:]

    model = written_by_skops(tmp_path / "m.skops", arrays=larger)
    with pytest.raises(DataError, match=r"is damaged: the array .* states the shape \(10{11},\)"):
        model.load_predictor()
