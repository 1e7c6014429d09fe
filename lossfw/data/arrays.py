"""One array from a file: ``.npy``, ``.npz`` or ``.csv``, told apart by content and name."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np

from lossfw.data.files import need_file
from lossfw.data.npy import NPY_MAGIC, NPZ_MAGIC, pick, read_npy, read_npz
from lossfw.data.table import open_table
from lossfw.errors import DataError

NDArray = np.ndarray[Any, np.dtype[Any]]


def kind_of(path: Path, role: str) -> str:
    """Return ``"npy"``, ``"npz"`` or ``"csv"``: what a file is.

    Raises
    ------
    DataError
        If it is none of them, or its content is not what its name says.
    """
    need_file(path, role)
    with path.open("rb") as stream:
        start = stream.read(len(NPY_MAGIC))
    for kind, magic in (("npy", NPY_MAGIC), ("npz", NPZ_MAGIC)):
        if start.startswith(magic):
            return kind
        if path.suffix == f".{kind}":
            raise DataError(
                f"{path} is no .{kind}: it begins with {start!r} and not with {magic!r}. Write it "
                f"with numpy.{'save' if kind == 'npy' else 'savez'}."
            )
    if path.suffix == ".csv":
        return "csv"
    raise DataError(f"{path} is of no kind that is read as {role}: .npy, .npz or .csv were wanted.")


def read_array(path: Path, role: str, keys: Iterable[str | int] = ()) -> NDArray:
    """Return one array of a file.

    Parameters
    ----------
    path : Path
        A ``.npy`` (memory-mapped), a ``.npz`` or a ``.csv``. Of a ``.csv`` with
        one column the array has shape (N,), with several (N, C).
    role : str
        What the array is, for messages: ``"predictions"``.
    keys : iterable of str or int
        Names of the array in a ``.npz``, the first that exists is taken; a
        file's only array is taken whatever its name. Of a ``.csv``, the column
        with the first of these names or numbers; without any, all columns.

    Raises
    ------
    DataError
        If the file cannot be used, or does not hold the array.
    """
    kind = kind_of(path, role)
    if kind == "npy":
        return read_npy(path, role)
    if kind == "npz":
        return pick(read_npz(path, role), map(str, keys), path)
    table = open_table(path, role)
    columns = [table.column(key) for key in keys] or range(table.width)
    return table.read(columns)[0]
