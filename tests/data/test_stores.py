"""Data sets of Parquet files in stores: the same rows as from a folder."""

import sys

import numpy as np
import pytest

import lossfw
from lossfw.errors import DataError, MissingExtraError

arrow = pytest.importorskip("pyarrow")
parquet = pytest.importorskip("pyarrow.parquet")
fsspec = pytest.importorskip("fsspec")

YEARS = (2025, 2026)
ROWS = 300


def tables():
    random = np.random.default_rng(0)
    return [arrow.table({"x": random.random(ROWS), "target": random.random(ROWS)}) for _ in YEARS]


def fill(system, root):
    """Write a data set with a folder for each year to a file system of fsspec."""
    for year, table in zip(YEARS, tables(), strict=True):
        folder = f"{root}/year={year}"
        system.makedirs(folder, exist_ok=True)
        with system.open(f"{folder}/part-0.parquet", "wb") as stream:
            parquet.write_table(table, stream, row_group_size=100)


def rows_of(path):
    source = lossfw.registry().create(
        "source", "parquet", path=path, targets_key="target", inputs_key=["x", "year"]
    )
    data = source.load()
    return np.asarray(data.inputs), np.asarray(data.targets)


@pytest.fixture(scope="module")
def s3():
    """A store that speaks the protocol of S3 on this machine, and its address."""
    pytest.importorskip("s3fs")
    server = pytest.importorskip("moto.server").ThreadedMotoServer(ip_address="127.0.0.1", port=0)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture(params=["file", "memory", "s3"])
def address(request, tmp_path, monkeypatch):
    """Return the address of a filled data set in a store."""
    root = str(tmp_path / "rows")
    if request.param == "memory":
        root = f"/{tmp_path.name}/rows"
    elif request.param == "s3":
        # As a user sets them; the library of the store reads them.
        monkeypatch.setenv("AWS_ENDPOINT_URL", request.getfixturevalue("s3"))
        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
            monkeypatch.setenv(name, "none")
        root = f"bucket-{tmp_path.name.lower().replace('_', '-')[:40]}/rows"
    system = fsspec.filesystem(request.param)
    fill(system, root)
    return f"{request.param}://{root}"


@pytest.mark.filterwarnings("ignore")
def test_a_store_has_the_rows_of_a_folder(address, tmp_path):
    fill(fsspec.filesystem("file"), str(tmp_path / "here"))
    inputs, targets = rows_of(address)
    wanted = np.concatenate([table["target"].to_numpy() for table in tables()])
    assert targets.tobytes() == wanted.tobytes()
    assert inputs[:, 1].tolist() == [float(year) for year in YEARS for _ in range(ROWS)]
    for one, other in zip((inputs, targets), rows_of(str(tmp_path / "here")), strict=True):
        assert one.tobytes() == other.tobytes()


def test_a_store_without_its_library_or_of_no_protocol_is_told(monkeypatch):
    monkeypatch.setitem(sys.modules, "gcsfs", None)
    with pytest.raises(MissingExtraError, match=r"gs://bucket/rows needs .*install gcsfs"):
        rows_of("gs://bucket/rows")
    with pytest.raises(DataError, match="nosuch://bucket/rows: Protocol not known"):
        rows_of("nosuch://bucket/rows")
