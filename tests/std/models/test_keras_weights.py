"""Files of weights of Keras that claim more than they hold, or are damaged."""

import io
import random
from functools import cache

import numpy as np
import pytest

from lossfw.errors import DataError
from lossfw_std.models.keras_weights import read_arrays, write_weights

h5py = pytest.importorskip("h5py")

ARRAYS = {"layers/dense/vars/0": np.ones((4, 5), np.float32), "layers/dense/vars/1": np.zeros(5)}
SHAPES = {name: array.shape for name, array in ARRAYS.items()}


def file_with(**extra):
    """Return a file of weights with further datasets, each by the arguments of its creation."""
    stream = io.BytesIO(write_weights(h5py, ARRAYS))
    with h5py.File(stream, "a") as file:
        for name, options in extra.items():
            file.create_dataset(name, **options)
    return stream.getvalue()


def read(content, shapes=SHAPES):
    return read_arrays(h5py, content, "m.h5", shapes)


def test_arrays_come_back():
    found = read(write_weights(h5py, ARRAYS))
    assert found.keys() == ARRAYS.keys()
    assert all((found[name] == ARRAYS[name]).all() for name in ARRAYS)


def test_a_shape_that_the_network_does_not_have_is_named():
    other = {**SHAPES, "layers/dense/vars/0": (4, 6)}
    with pytest.raises(DataError, match=r"vars/0 has shape \(4, 5\), but the network \(4, 6\)"):
        read(write_weights(h5py, ARRAYS), other)


def test_weights_in_other_files_are_refused(tmp_path):
    (tmp_path / "raw").write_bytes(bytes(80))
    content = file_with(
        more={"shape": (10,), "dtype": "f8", "external": [(str(tmp_path / "raw"), 0, 80)]}
    )
    with pytest.raises(DataError, match="in other files"):
        read(content, None)


@cache
def whole():
    return write_weights(h5py, ARRAYS)


@pytest.mark.parametrize("seed", range(150))
def test_a_damaged_file_is_an_error_in_words_or_arrays(seed):
    rng = random.Random(seed)
    content = bytearray(whole())
    for _ in range(rng.choice([1, 1, 2, 8])):
        place = rng.randrange(len(content))
        content[place] ^= 1 << rng.randrange(8)
    if seed % 5 == 0:
        content = content[: rng.randrange(len(content))]
    try:
        found = read(bytes(content))
    except DataError as error:
        assert "m.h5" in str(error)  # noqa: PT017
    else:
        assert all(array.shape in {*SHAPES.values(), ()} for array in found.values())
