"""The columns of a large CSV lie in a temporary file: whose it is, and what becomes of it."""

import pickle
import subprocess
import sys

import numpy as np
import pytest

from lossfw.data import csv_cells, csv_table
from lossfw.data.csv_table import open_table
from lossfw.data.growing_rows import GrowingRows
from lossfw.data.table import TableOptions
from lossfw.errors import DataError, MissingExtraError
from support.waiting import HANGS

pytest.importorskip("pyarrow")
ROWS = [[n / 4, n % 3, ["ant", "bee", "cat"][n % 3]] for n in range(60)]


@pytest.fixture
def table(folder, monkeypatch):
    """Return the columns of a table that is read in pieces, with labels in the last one."""
    monkeypatch.setattr(csv_table, "WHOLE_BYTES", 0)
    monkeypatch.setattr(csv_cells, "HELD_CELLS", 40)
    monkeypatch.setenv("TMPDIR", str(folder))
    monkeypatch.setattr("tempfile.tempdir", None)
    (folder / "t.csv").write_text("\n".join(",".join(map(str, row)) for row in ROWS))

    def read():
        return open_table(folder / "t.csv", "data").read_rows(
            [[0, 1], 1, 2], TableOptions(labels=frozenset([2]))
        )

    return read


def stores(folder):
    return list(folder.glob("lossfw-*/*.rows"))


@pytest.mark.parametrize("there", [True, False], ids=["same machine", "another machine"])
def test_another_process_has_the_same_rows(table, folder, there):
    read = table()
    (folder / "rows").write_bytes(pickle.dumps(read.arrays))
    if not there:
        for path in stores(folder):
            path.unlink()
    lines = [
        "import pickle, sys, numpy as np",
        "from lossfw.data import csv_table",
        "csv_table.WHOLE_BYTES = 0",
        "arrays = pickle.load(open('rows', 'rb'))",
        "print([np.asarray(array).tolist() for array in arrays])",
    ]
    done = subprocess.run(
        [sys.executable, "-c", "\n".join(lines)],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=HANGS,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    wanted = [[row[:2] for row in ROWS], [row[1] for row in ROWS], [row[1] for row in ROWS]]
    assert done.stdout.strip() == str([np.array(rows).tolist() for rows in wanted])


def test_a_file_that_cannot_be_written_is_named(folder):
    rows = GrowingRows()
    rows.add(np.arange(3))
    (folder / "gone").mkdir()
    with pytest.raises(DataError, match=r"gone.*cannot be written .*TMPDIR names a folder"):
        rows.spill(folder / "gone")  # a folder, which nobody can write as a file


def test_a_large_table_without_pyarrow_names_its_extra(table, folder, monkeypatch):
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    monkeypatch.setattr(csv_table, "ARROW_BYTES", 0)
    with pytest.raises(
        MissingExtraError, match=r"t\.csv, of more than 0 MB of text, needs .*\[tables\]"
    ):
        table()
    monkeypatch.setattr(csv_table, "WHOLE_BYTES", 2**20)
    assert table().arrays[1].tolist() == [row[1] for row in ROWS]
