"""Arrays of pyarrow: what its own way makes of them, without pandas."""

import subprocess
import sys

import numpy as np
import pytest

from lossfw.data.arrow_arrays import arrow_values, null_mask

arrow = pytest.importorskip("pyarrow")
KINDS = ("?", "i1", "i8", "u2", "u8", "f2", "f4", "f8")


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("part", [slice(None), slice(3, None), slice(1, 9), slice(20, None)])
def test_values_and_nulls_are_those_of_pyarrow(kind, part):
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


def test_no_file_needs_pandas(tmp_path):
    pytest.importorskip("pandas")
    table = arrow.table({"x": [0.5, None], "kind": ["a", "b"], "targets": [1, 2]})
    pytest.importorskip("pyarrow.parquet").write_table(table, tmp_path / "t.parquet")
    (tmp_path / "t.csv").write_text("x,kind,targets\n0.5,a,1\n,b,2\n")
    lines = [
        "import sys, lossfw",
        "from lossfw.data import csv_table",
        "csv_table.ARROW_BYTES = 0",
        "for path in sys.argv[1:]:",
        "    options = {'file': path, 'categories': ['kind'], 'missing': 'keep'}",
        "    lossfw.registry().create('source', 'arrays', **options).load()",
        "print('pyarrow' in sys.modules, 'pandas' in sys.modules)",
    ]
    command = [sys.executable, "-c", "\n".join(lines), "t.parquet", "t.csv"]
    found = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True)
    assert found.stdout == "True False\n"
