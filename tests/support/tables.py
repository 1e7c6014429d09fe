"""Tables in files of each kind, from columns of plain values; None is a missing value."""

import gzip

import numpy as np
import pytest


def write_columns(path, columns, **options):
    """Write columns to a file of the kind that its name says; without an ending, to a folder.

    Options are those of pyarrow.
    """
    columns = {name: np.asarray(c).tolist() for name, c in columns.items()}
    if path.suffix == ".npz":
        np.savez(path, **{name: _array(column) for name, column in columns.items()})
    elif path.suffix in (".parquet", ""):
        pa = pytest.importorskip("pyarrow")
        import pyarrow.parquet as pq

        if not path.suffix:
            path.mkdir()
        file = path if path.suffix else path / "rows.parquet"
        pq.write_table(pa.table(columns), file, **options)
    else:
        mark = "\t" if ".tsv" in path.name else ","
        rows = zip(*columns.values(), strict=True)
        lines = [mark.join(columns), *(mark.join(_cell(v, mark) for v in row) for row in rows)]
        content = "\n".join(lines).encode()
        path.write_bytes(gzip.compress(content) if path.suffix == ".gz" else content)
    return path


def read_npz(path):
    """Return the arrays of a .npz by their names; the file is closed."""
    with np.load(path) as arrays:
        return dict(arrays)


def _cell(value, mark):
    text = "" if value is None else str(value)
    return '"' + text.replace('"', '""') + '"' if mark in text or '"' in text else text


def _array(column):
    missing = "" if any(isinstance(value, str) for value in column) else np.nan
    return np.array([missing if value is None else value for value in column])
