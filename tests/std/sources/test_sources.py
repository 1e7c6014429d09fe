"""The built-in sources: digits, IDX, arrays, inline."""

import gzip
import struct
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import lossfw
from lossfw.errors import DataError, ParameterError

CODES = {"u1": 8, "i1": 9, "i2": 11, "i4": 12, "f4": 13, "f8": 14}


def source(name, **parameters):
    return lossfw.registry().create("source", name, **parameters)


def idx(array):
    """Write an array in the IDX format."""
    head = bytes([0, 0, CODES[array.dtype.str[1:]], array.ndim])
    return (
        head
        + struct.pack(f">{array.ndim}I", *array.shape)
        + array.astype(">" + array.dtype.str[1:]).tobytes()
    )


@pytest.fixture
def files(tmp_path):
    """Write images and labels, and return a function that loads them."""
    images = np.arange(3 * 2 * 2, dtype="u1").reshape(3, 2, 2)
    (tmp_path / "images").write_bytes(idx(images))
    (tmp_path / "labels").write_bytes(idx(np.array([2, 0, 1], "u1")))

    def load(images=None, labels=None, **parameters):
        if images is not None:
            (tmp_path / "images").write_bytes(images)
        if labels is not None:
            (tmp_path / "labels").write_bytes(labels)
        paths = {"images": str(tmp_path / "images"), "labels": str(tmp_path / "labels")}
        return source("idx", **paths, **parameters).load()

    return load


class TestDigits:
    def test_the_digits_are_scikit_learns(self):
        datasets = pytest.importorskip("sklearn.datasets", reason="scikit-learn is not installed")
        digits, data = datasets.load_digits(), source("digits", split="all").load()
        assert np.array_equal(data.inputs * 16, digits.data)
        assert np.array_equal(data.targets, digits.target)

    def test_the_script_writes_the_bundled_bytes(self, tmp_path, monkeypatch):
        pytest.importorskip("sklearn.datasets", reason="scikit-learn is not installed")
        monkeypatch.syspath_prepend(Path(__file__).parents[3] / "scripts")
        script = __import__("make_digits")
        script.main(tmp_path)
        del sys.modules["make_digits"]
        bundled = type(source("digits")).bundled_file("digits.npz")
        assert (tmp_path / "digits.npz").read_bytes() == bundled.read_bytes()

    def test_moved_copies_are_half_of_each_neighbour(self):
        plain, moved = (source("digits", split="train", moved=m).load() for m in (False, True))
        assert len(moved) == 9 * len(plain)
        assert (moved.inputs[:1200] == plain.inputs).all()
        assert (moved.targets == np.tile(plain.targets, 9)).all()
        images = np.pad(plain.inputs.reshape(-1, 8, 8), ((0, 0), (1, 1), (1, 1)))
        # The last copy: each pixel and the one below and to the right of it.
        wanted = (images[:, 1:-1, 1:-1] + images[:, 2:, 2:]) / 2
        assert (moved.inputs[-1200:] == wanted.reshape(-1, 64)).all()
        assert moved.inputs.dtype == np.float32


def header(*shape):
    """Return twelve pixels whose header promises a shape."""
    return b"\0\0\x08\x03" + struct.pack(">3I", *shape) + bytes(12)


WHOLE = idx(np.zeros((3, 2, 2), "u1"))
DAMAGED = bytearray(gzip.compress(WHOLE))
DAMAGED[-6] ^= 1  # the checksum
WITH_NAN = np.zeros((3, 2, 2), "f4")
WITH_NAN[1, 0, 1] = np.nan
MORE = [header(*shape) for shape in ((2**31, 28, 28), (2**32 - 1,) * 3, (4, 2, 2))]
LESS = header(2, 2, 2)
STARTS = (b"\0\0\x07\x03", b"\x01\0\x08\x03", b"\0\0\x08\0", b"%PDF")
WRONG_FILES = [
    *(([content], "promises numbers of shape") for content in (*MORE, *map(gzip.compress, MORE))),
    *(([content], "more than its header promises") for content in (LESS, gzip.compress(LESS))),
    ([bytes(DAMAGED)], "damaged gzip file"),
    *(([start + bytes(40)], rf"begins with {start.hex(' ')}") for start in STARTS),
    ([WHOLE, idx(np.zeros(2, "u1"))], "3 images but .* has 2 labels"),
    ([idx(np.zeros(3, "u1")), WHOLE], r"Are images and labels exchanged\?"),
    ([idx(np.zeros((0, 2, 2), "u1")), idx(np.zeros(0, "u1"))], "has no rows"),
    ([idx(WITH_NAN)], r"inputs\[1, 0, 1\] is nan"),
]


class TestIdx:
    @given(
        kind=st.sampled_from(list(CODES)),
        shape=st.lists(st.integers(1, 3), min_size=1, max_size=4),
        packed=st.booleans(),
    )
    def test_round_trip(self, tmp_path_factory, kind, shape, packed):
        array = np.arange(np.prod(shape)).reshape(shape).astype(kind)
        folder = tmp_path_factory.mktemp("idx")
        (folder / "i").write_bytes(gzip.compress(idx(array)) if packed else idx(array))
        (folder / "l").write_bytes(idx(np.zeros(len(array), "u1")))
        data = source("idx", images=str(folder / "i"), labels=str(folder / "l")).load()
        assert data.inputs.dtype == np.dtype(kind)
        assert np.array_equal(data.inputs, array)

    def test_what_unpacks_to_very_many_bytes_is_refused(self, files, monkeypatch):
        monkeypatch.setattr("lossfw_std.sources.idx._MAX_UNPACKED", 11)
        with pytest.raises(DataError, match=r"12 bytes; at most 11 .*unpack it with gunzip"):
            files(gzip.compress(WHOLE))

    @pytest.mark.parametrize(("contents", "words"), WRONG_FILES)
    def test_a_wrong_file(self, files, contents, words):
        with pytest.raises(DataError, match=words):
            files(*contents)

    def test_every_truncation_is_an_error(self, files):
        for whole in (WHOLE, gzip.compress(WHOLE)):
            for keep in range(len(whole)):
                with pytest.raises(DataError, match=r"images"):
                    files(whole[:keep])

    def test_mnist(self, mnist):
        images, labels = mnist / "t10k-images-idx3-ubyte.gz", mnist / "t10k-labels-idx1-ubyte.gz"
        data = source("idx", images=str(images), labels=str(labels), scale=255, flatten=True).load()
        assert data.inputs.shape == (10_000, 784)
        # The frequencies of the digits, as published with the data set.
        wanted = [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009]
        assert np.bincount(data.targets).tolist() == wanted
        raw = gzip.decompress(images.read_bytes())[16:]
        assert np.rint(data.inputs * 255).astype("u1").tobytes() == raw


class TestArrays:
    INPUTS = np.array([[0.5, 1.5], [2.5, 3.5], [4.5, 5.5]])
    TARGETS = np.array([1, 0, 1])
    WEIGHT = np.array([1.0, 2.0, 0.5])

    def same(self, data):
        assert np.array_equal(data.inputs, self.INPUTS)
        assert data.targets.dtype.kind == "i"
        assert np.array_equal(data.targets, self.TARGETS)
        assert np.array_equal(data.sample_weight, self.WEIGHT)

    @pytest.mark.parametrize(
        ("names", "keys"),
        [
            (("inputs", "targets", "sample_weight"), {}),
            ("xyw", {"inputs_key": "x", "targets_key": "y", "sample_weight_key": "w"}),
        ],
    )
    def test_an_npz_with_everything(self, tmp_path, names, keys):
        arrays = (self.INPUTS, self.TARGETS, self.WEIGHT)
        np.savez(tmp_path / "d.npz", **dict(zip(names, arrays, strict=True)))
        self.same(source("arrays", file=str(tmp_path / "d.npz"), **keys).load())

    def test_files_of_their_own(self, tmp_path):
        np.save(tmp_path / "x.npy", self.INPUTS)
        np.savez(tmp_path / "t.npz", anything=self.TARGETS)
        np.savetxt(tmp_path / "w.csv", self.WEIGHT)
        files = {"inputs": "x.npy", "targets": "t.npz", "sample_weight": "w.csv"}
        data = source("arrays", **{key: str(tmp_path / file) for key, file in files.items()}).load()
        self.same(data)
        assert isinstance(data.inputs, np.memmap)

    @pytest.mark.parametrize(
        ("head", "keys"),
        [
            ("a,b,targets,sample_weight\n", {}),
            ("a,b,t,w\n", {"targets_key": "t", "sample_weight_key": "w"}),
            ("", {"targets_key": 2, "sample_weight_key": 3}),
        ],
    )
    def test_a_table_with_everything(self, tmp_path, head, keys):
        rows = "0.5,1.5,1,1.0\n2.5,3.5,0,2.0\n4.5,5.5,1,0.5\n"
        (tmp_path / "d.csv").write_text(head + rows)
        self.same(source("arrays", file=str(tmp_path / "d.csv"), **keys).load())

    @pytest.mark.parametrize(
        ("name", "content", "keys", "message"),
        [
            ("d.csv", "x,target\n1,0\n", {}, r"no column 'targets'.*Did you mean 'target'"),
            ("d.csv", "x,targets\n1,0\nnan,1\n", {},
             r"line 3, column 0 \(x\): the value is missing"),
            ("d.npz", {"inputs": INPUTS}, {}, r"no array 'targets'; it has: inputs"),
            # Also of arrays that stay packed.
            ("d.npz", {"x": INPUTS, "y": TARGETS}, {"targets_key": "z"},
             r"no array 'z'; it has: x, y"),
            ("d.npz", {"inputs": INPUTS[:2], "targets": TARGETS}, {},
             r"arrays \(d\.npz\).*inputs have 2 rows and targets 3"),
            ("d.npy", TARGETS, {}, r"give it as `targets`")
        ]
    )  # fmt: skip
    def test_a_file_that_does_not_have_it(self, tmp_path, name, content, keys, message):
        path = tmp_path / name
        if isinstance(content, str):
            path.write_text(content)
        elif isinstance(content, dict):
            np.savez(path, **content)
        else:
            np.save(path, content)
        with pytest.raises(DataError, match=message):
            source("arrays", file=str(path), **keys).load()

    @pytest.mark.parametrize(
        ("parameters", "message"),
        [
            ({}, r"should be 'file', or at least 'targets'"),
            ({"inputs": "x.npy"}, r"should be 'file', or at least 'targets'"),
            ({"file": "a.npz", "inputs": "x.npy"}, r"give 'file' or 'inputs', not both"),
            ({"targets": "t.npz", "inputs_key": "x"}, r"'inputs' or 'file' next to 'inputs_key'"),
            ({"file": "a.npz", "targets_key": True}, r"targets_key"),
        ],
    )
    def test_parameters_that_do_not_go_together(self, parameters, message):
        with pytest.raises(ParameterError, match=message):
            source("arrays", **parameters)


class TestInline:
    def test_numbers_become_arrays(self):
        arrays = {"targets": [1, 0], "inputs": [[0.5, 1], [2, 3]], "sample_weight": [1, 2]}
        data = source("inline", **arrays).load()
        assert data.targets.dtype == np.int64
        assert data.inputs.tolist() == [[0.5, 1.0], [2.0, 3.0]]
        assert data.sample_weight.dtype == np.float64

    @pytest.mark.parametrize(
        ("parameters", "message"),
        [
            ({}, r"needs the parameter 'targets'"),
            ({"targets": [[1, 2], [3]]}, r"targets should be lists of equal length"),
            ({"targets": [1], "inputs": [["a"]]}, r"inputs should be numbers.*\[0\]\[0\] is 'a'"),
            ({"targets": [None]}, r"targets should be numbers.*\[0\] is None"),
        ],
    )
    def test_what_is_no_array(self, parameters, message):
        with pytest.raises(ParameterError, match=message):
            source("inline", **parameters)
