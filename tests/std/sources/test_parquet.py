"""Parquet data sets: many files are one table, here and at an address."""

import pickle

import numpy as np
import pytest

import lossfw
from lossfw.errors import DataError
from support.tables import write_columns

arrow = pytest.importorskip("pyarrow")
parquet = pytest.importorskip("pyarrow.parquet")

ROWS = 30
NUMBERS = {"a": np.arange(ROWS) / 4, "b": np.arange(ROWS) % 5, "targets": np.arange(ROWS) % 3}


def write(open_file, names, group=4):
    """Write the rows to files, ten to each."""
    for number, name in enumerate(names):
        rows = slice(10 * number, 10 * number + 10)
        table = arrow.table({key: column[rows] for key, column in NUMBERS.items()})
        with open_file(name) as file:
            parquet.write_table(table, file, row_group_size=group)


@pytest.fixture
def local(tmp_path):
    def open_file(name):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        return path.open("wb")

    return open_file


def load(path, **options):
    return lossfw.registry().create("source", "parquet", path=str(path), **options).load()


def check(data, inputs=("a", "b")):
    assert len(data) == ROWS
    batches = list(data.batches(7))
    found = np.concatenate([batch.inputs for batch in batches])
    assert found.tolist() == np.column_stack([NUMBERS[key] for key in inputs]).tolist()
    assert np.concatenate([batch.targets for batch in batches]).tolist() == [
        *NUMBERS["targets"].tolist()
    ]
    # Any part, in any order.
    assert data.inputs[17:23].tolist() == found[17:23].tolist()
    assert data.inputs[3:4].tolist() == found[3:4].tolist()


@pytest.mark.parametrize("piece_bytes", [1, 2**30])
@pytest.mark.parametrize("path", ["", "p*.parquet", "**/*.parquet"])
def test_files_of_a_folder_or_a_pattern_are_one_table(
    tmp_path, local, monkeypatch, path, piece_bytes
):
    monkeypatch.setattr("lossfw.data.parquet.PIECE_BYTES", piece_bytes)
    write(local, ["p0.parquet", "p1.parquet", "p2.parquet"])
    (tmp_path / "_SUCCESS").touch()
    check(load(tmp_path / path))


def test_keys_of_folders_are_columns(tmp_path, local):
    write(local, [f"year={2020 + n}/part=0.5/p.parquet" for n in range(3)])
    data = load(tmp_path, inputs_key=["year", "b", "part"])
    assert data.inputs[0:30][:, 0].tolist() == [2020.0] * 10 + [2021.0] * 10 + [2022.0] * 10
    assert set(data.inputs[0:30][:, 2].tolist()) == {0.5}


@pytest.mark.parametrize("scheme", ["memory", "file"])
def test_an_address_of_fsspec_is_read(tmp_path, scheme):
    fsspec = pytest.importorskip("fsspec")
    root = f"{scheme}://{tmp_path}"
    names = [f"{root}/rows/p{n}.parquet" for n in range(3)]
    write(lambda name: fsspec.open(name, "wb", auto_mkdir=True), names)
    check(load(f"{root}/rows"))
    check(load(f"{root}/rows/*.parquet"))


def test_a_data_set_is_pickled_by_its_names_and_a_changed_file_is_told(tmp_path, local):
    write(local, ["p0.parquet", "p1.parquet", "p2.parquet"])
    data = load(tmp_path)
    data.inputs[0:5]
    again = pickle.loads(pickle.dumps(data))
    check(again)
    with (tmp_path / "p1.parquet").open("ab") as file:
        file.write(b"more")
    with pytest.raises(DataError, match=r"p1\.parquet has \d+ bytes and had \d+"):
        again.inputs[12:13]
    with pytest.raises(DataError, match=r"p1\.parquet has"):
        data.check_unchanged()


@pytest.mark.parametrize(
    ("names", "options", "message"),
    [
        ([], {}, r"there is no \.parquet file"),
        (["p0.parquet"], {"targets_key": "target"}, "no column 'target'.*Did you mean 'targets'"),
        (["kind=x/p0.parquet"], {"inputs_key": ["kind"]}, "'kind' is 'x'; expected a number"),
        (["a=1/p0.parquet"], {}, "has the column 'a', which its folders name too"),
        (["p0.parquet", "k=1/p1.parquet"], {}, "every file of a data set needs the same"),
    ],
)
def test_what_is_no_data_set_is_refused(tmp_path, local, names, options, message):
    write(local, names)
    with pytest.raises(DataError, match=message):
        load(tmp_path, **options).inputs[0:1]


def test_a_configuration_names_a_folder_beside_itself(folder, local, tmp_path):
    write(local, [f"home/rows/p{n}.parquet" for n in range(3)])
    (folder / "sub").mkdir()
    random = np.random.default_rng(0)
    np.savez(folder / "sub" / "w.npz", W1=random.normal(size=(2, 3)), b1=np.zeros(3))
    (folder / "sub" / "run.yaml").write_text(
        "lossfw: 1\ndata: {name: parquet, path: ../rows/*.parquet}\n"
        "network: {layers: [{units: 3, activation: softmax}], weights: w.npz}\n"
        "loss: cross_entropy\n"
    )
    assert lossfw.run("sub/run.yaml").count == ROWS


def test_targets_may_be_texts_in_files(tmp_path):
    for number, kinds in enumerate((["dog", "cat", "dog"], ["cow", "cat", "cow"])):
        columns = {"x": [1.0, 2.0, 3.0], "kind": kinds}
        write_columns(tmp_path / f"{number}.parquet", columns)
    data = load(tmp_path, targets_key="kind")
    assert data.classes == ("cat", "cow", "dog")
    assert data.targets[0:6].tolist() == [2, 0, 2, 1, 0, 1]
    assert data.inputs[0:6].tolist() == [[1.0], [2.0], [3.0]] * 2


def test_targets_may_be_the_names_of_folders(tmp_path, local):
    write(local, [f"kind={kind}/p.parquet" for kind in ("dog", "cat", "cow")])
    data = load(tmp_path, targets_key="kind")
    assert data.classes == ("cat", "cow", "dog")
    assert data.targets[0:30].tolist() == [0] * 10 + [1] * 10 + [2] * 10


def test_a_folder_among_arrays_names_the_source_of_folders(tmp_path):
    with pytest.raises(DataError, match="the source parquet reads a folder"):
        lossfw.registry().create("source", "arrays", file=tmp_path).load()


def test_a_text_of_megabytes_is_not_a_label(tmp_path):
    path = write_columns(tmp_path / "t.parquet", {"x": [0.5, 1], "targets": ["a", "b" * 2**18]})
    with pytest.raises(DataError, match=r"'targets' has a string of more than 131072 characters"):
        lossfw.registry().create("source", "arrays", file=str(path)).load()
