"""Damaged files of data and weights: read to the same numbers, or refused in words, and soon."""

import gzip
import io
import json
import pickle
import random
import time
import warnings
from pathlib import Path

import numpy as np
import pytest

from lossfw.data.arrays import read_array
from lossfw.data.lazy_arrays import read_rows
from lossfw.data.weights import read_weights
from lossfw.errors import LossfwError
from lossfw_std.sources.idx import Idx
from support.mutations import changed_value, damaged_bytes

CORPUS = Path(__file__).parent / "corpus"
NUMBERS = np.arange(24.0).reshape(8, 3)
WEIGHTS = {"W1": NUMBERS, "b1": np.arange(3, dtype="f4")}
# Of a processor: far above what a small file needs, and far below a hang.
MOST_SECONDS = 60.0


def _npy():
    content = io.BytesIO()
    np.save(content, NUMBERS)
    return content.getvalue()


def _npz(save=np.savez):
    content = io.BytesIO()
    save(content, **WEIGHTS)
    return content.getvalue()


def _parquet():
    parquet, arrow = pytest.importorskip("pyarrow.parquet"), pytest.importorskip("pyarrow")
    content = io.BytesIO()
    columns = {"a": NUMBERS[:, 0], "b": NUMBERS.tolist()}
    parquet.write_table(arrow.table(columns), content, row_group_size=3)
    return content.getvalue()


def _safetensors():
    pytest.importorskip("safetensors")
    # The format: the size of a header of JSON in 8 bytes, the header, the bytes of the arrays.
    header, content = {}, b""
    for name, array in WEIGHTS.items():
        dtype = {"f8": "F64", "f4": "F32"}[array.dtype.str[1:]]
        ends = [len(content), len(content) + array.nbytes]
        header[name] = {"dtype": dtype, "shape": list(array.shape), "data_offsets": ends}
        content += array.tobytes()
    text = json.dumps(header).encode()
    return len(text).to_bytes(8, "little") + text + content


def _odd_header(draw, content):
    """Return a file of safetensors with one value of its header changed."""
    size = 8 + int.from_bytes(content[:8], "little")
    text = json.dumps(changed_value(draw, json.loads(content[8:size]))).encode()
    return len(text).to_bytes(8, "little") + text + content[size:]


def _csv():
    return ("a,b,c\n" + "\n".join(",".join(map(str, row)) for row in NUMBERS)).encode()


def _idx():
    head = bytes([0, 0, 8, 1, 0, 0, 0, 8])
    return gzip.compress(head + bytes(range(8)))


def _array(path, key=None):
    array = read_array(path, "predictions", key)
    if array.ndim:
        read_rows(array, 0, len(array))


def _labels(path):
    Idx(labels=path, images=path).load()


FILES = {
    "a.npy": (_npy, _array),
    "a.npz": (_npz, lambda path: _array(path, "W1")),
    "packed.npz": (lambda: _npz(np.savez_compressed), read_weights),
    "a.csv": (_csv, _array),
    "a.parquet": (_parquet, _array),
    "w.safetensors": (_safetensors, read_weights),
    "labels.idx.gz": (_idx, _labels),
    **{
        f"w{protocol}.pkl": (lambda n=protocol: pickle.dumps(WEIGHTS, n), read_weights)
        for protocol in (0, 2, 4)
    },
}


# Where most damaged bytes are noticed at once: another way to damage a file.
DAMAGES = {"w.safetensors": _odd_header}


def fault_of(read, path):
    """Return the exception that reading a file raises, None if there is none."""
    try:
        read(path)
    except Exception as error:
        return error
    return None


def read_damaged(folder, name, seed, count):
    make, read = FILES[name]
    whole, draw, path = make(), random.Random(f"{name} {seed}"), folder / name
    for _ in range(count):
        damage = DAMAGES.get(name, damaged_bytes) if draw.random() < 0.7 else damaged_bytes
        content = damage(draw, whole)
        if draw.random() < 0.3:
            content = damaged_bytes(draw, content)
        path.unlink(missing_ok=True)
        path.write_bytes(content)
        begin = time.process_time()
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            fault = fault_of(read, path)
        assert fault is None or (isinstance(fault, LossfwError) and name in str(fault)), content
        assert time.process_time() - begin < MOST_SECONDS, content


@pytest.mark.parametrize("name", FILES)
def test_a_damaged_file_is_read_or_refused(tmp_path, name):
    read_damaged(tmp_path, name, seed=0, count=60)


@pytest.mark.slow
@pytest.mark.parametrize("name", FILES)
def test_many_damaged_files_are_read_or_refused(tmp_path, name):
    read_damaged(tmp_path, name, seed=1, count=3000)


@pytest.mark.parametrize(
    "path", sorted([*CORPUS.glob("*.npz"), *CORPUS.glob("*.parquet")]), ids=lambda path: path.stem
)
def test_what_was_answered_wrongly_once_is_refused(path):
    if path.suffix == ".parquet":
        pytest.importorskip("pyarrow.parquet")
    fault = fault_of(read_weights if path.suffix == ".npz" else _array, path)
    assert isinstance(fault, LossfwError)
    assert path.name in str(fault)
