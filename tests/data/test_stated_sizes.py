"""No file makes lossfw take memory for what its header states and its bytes cannot hold.

Each format is read in one process, which measures how much its memory grows.
"""

import gzip
import importlib.util
import json
import os
import struct
import subprocess
import sys

import numpy as np
import pytest

from support.waiting import HANGS

# What a header states: 8 * 10^11 bytes.
STATED = 10**11

READING = """\
import json, resource, sys, warnings
import lossfw

warnings.simplefilter("ignore")

def megabytes():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10

with open(sys.argv[1]) as file:
    cases = json.load(file)
for whole in cases:  # what is imported to read a file does not count
    lossfw.run(whole["whole"])
    before = megabytes()
    try:
        told = f"accepted: {lossfw.run(whole['config']).loss}"
    except lossfw.LossfwError as error:
        told = "refused"
    except BaseException as error:
        told = f"{type(error).__name__}: {error}"
    print(json.dumps([whole["name"], told, megabytes() - before]), flush=True)
"""


def npy(shape, content=b""):
    header = f"{{'descr': '<f8', 'fortran_order': False, 'shape': {shape}, }}".ljust(117) + "\n"
    return b"\x93NUMPY\1\0" + struct.pack("<H", 118) + header.encode() + content


def idx(*shape, content=b""):
    axes = b"".join(struct.pack(">I", size) for size in shape)
    return bytes([0, 0, 8, len(shape)]) + axes + content


def safetensors(count):
    size = min(count, 2) * 8
    weight = {"dtype": "F64", "shape": [count, 1], "data_offsets": [0, count * 8]}
    bias = {"dtype": "F64", "shape": [1], "data_offsets": [count * 8, count * 8 + 8]}
    header = json.dumps({"W1": weight, "b1": bias}).encode()
    return struct.pack("<Q", len(header)) + header + bytes(size + 8)


def config(data, **more):
    return {"data": data, "loss": "squared_error", **more}


def network(**more):
    return {"layers": [{"units": 1, "activation": "identity"}], **more}


ROW = {"name": "inline", "inputs": [[0.0, 1.0]], "targets": [1.0]}


def predictions(file):
    targets = {"name": "inline", "targets": [0.0, 1.0]}
    return config(targets, network={"predictions": file})


def layers(file):
    return config(ROW, network=network(weights=file))


def table(file):
    data = {"name": "parquet", "path": file, "inputs_key": ["y"], "targets_key": "t"}
    return config(data, network=network(weights={"W1": [[1.0]], "b1": [0.0]}))


def images(file):
    labels = file.rpartition("/")[0] + "/labels.idx"
    data = {"name": "idx", "images": file, "labels": labels, "flatten": True}
    return config(data, network=network(weights={"W1": [[0.0], [0.0]], "b1": [0.0]}))


def model(name, **options):
    return lambda file: config(ROW, model={"name": name, "file": file, **options})


def xgboost_files():
    import xgboost

    inputs = np.array([[0.0, 1.0]] * 4)
    options = {"max_depth": 1, "base_score": 0.5}
    booster = xgboost.train(options, xgboost.DMatrix(inputs, np.arange(4.0)), 1)
    whole = bytes(booster.save_raw("ubj"))
    # The length of an array of numbers of 4 bytes, as UBJSON writes it.
    begin = whole.index(b"[$d#L") + 5
    return whole, whole[:begin] + struct.pack(">q", STATED) + whole[begin + 8 :]


def keras_files(folder):
    import h5py

    def written(count):
        path = folder / f"{count}.weights.h5"
        with h5py.File(path, "w") as file:
            own = file.create_group("layers/dense/vars")
            chunks = {"chunks": (1024, 1)} if count > 2 else {}
            kernel = own.create_dataset("0", (count, 1), "f4", **chunks)
            kernel[:2] = 0
            own.create_dataset("1", data=np.zeros(1, "f4"))
        return path.read_bytes()

    return written(2), written(STATED)


def parquet_files(folder):
    """Return a file of some rows, and one whose footer states far more of them."""
    import pyarrow
    import pyarrow.parquet

    rows, path = 12_345, folder / "t.parquet"  # no other number of the footer is this one
    pyarrow.parquet.write_table(pyarrow.table({"y": np.zeros(rows), "t": np.ones(rows)}), path)
    whole = path.read_bytes()
    begin = len(whole) - 8 - int.from_bytes(whole[-8:-4], "little")
    footer = whole[begin:-8].replace(_varint(rows), _varint(STATED))
    assert len(footer) > len(whole) - 8 - begin
    return whole, whole[:begin] + footer + struct.pack("<I", len(footer)) + b"PAR1"


def _varint(number):
    """Return a number as Thrift's compact protocol writes it."""
    left, written = 2 * number, bytearray()
    while left >= 128:
        written.append(left % 128 + 128)
        left //= 128
    return bytes([*written, left])


def cases(folder):
    """Return for each format a file that is read, one that states too much, and who reads it."""
    pictures = idx(2, 2, content=bytes(4)), idx(2**31, 200, content=bytes(4))
    found = {
        "p.npy": (npy((2,), bytes(16)), npy((STATED,), bytes(16)), predictions),
        "i.idx": (*pictures, images),
        "i.idx.gz": (*map(gzip.compress, pictures), images),
    }
    if importlib.util.find_spec("pyarrow"):
        found["t.parquet"] = (*parquet_files(folder), table)
    if importlib.util.find_spec("safetensors"):
        found["w.safetensors"] = (safetensors(2), safetensors(STATED), layers)
    if importlib.util.find_spec("xgboost"):
        found["m.ubj"] = (*xgboost_files(), model("xgboost"))
    if importlib.util.find_spec("keras") and importlib.util.find_spec("torch"):
        (folder / "net.py").write_text(
            "import keras\n\n\ndef make():\n    return keras.Sequential(\n"
            "        [keras.layers.Input((2,)), keras.layers.Dense(1)]\n    )\n"
        )
        reads = model("keras", module=str(folder / "net.py:make"))
        found["m.weights.h5"] = (*keras_files(folder), reads)
    return found


@pytest.mark.skipif(sys.platform == "win32", reason="the module resource is one of POSIX")
def test_a_header_that_states_more_than_its_file_holds_takes_no_memory(tmp_path):
    listed = []
    for name, (whole, hostile, config) in cases(tmp_path).items():
        for folder, content in (("whole", whole), ("hostile", hostile)):
            (tmp_path / folder).mkdir(exist_ok=True)
            (tmp_path / folder / "labels.idx").write_bytes(idx(2, content=bytes(2)))
            (tmp_path / folder / name).write_bytes(content)
        paths = [str(tmp_path / folder / name) for folder in ("whole", "hostile")]
        listed.append({"name": name, "whole": config(paths[0]), "config": config(paths[1])})
    (tmp_path / "cases.json").write_text(json.dumps(listed))
    words = [sys.executable, "-c", READING, str(tmp_path / "cases.json")]
    done = subprocess.run(
        words,
        env={**os.environ, "KERAS_BACKEND": "torch"},
        capture_output=True,
        text=True,
        timeout=HANGS,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    found = [json.loads(line) for line in done.stdout.splitlines()]
    assert [name for name, _, _ in found] == [one["name"] for one in listed]
    assert [(name, told) for name, told, _ in found if told != "refused"] == []
    assert [(name, grown) for name, _, grown in found if grown > 100] == []
