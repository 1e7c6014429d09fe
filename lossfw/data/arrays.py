"""One array from a file: ``.npy``, ``.npz`` or ``.csv``, told apart by content and name."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from lossfw.data.files import need_file
from lossfw.data.npy import NPY_MAGIC, NPZ_MAGIC, member, read_npy, read_npz
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


def read_array(path: Path, role: str, key: str | int | None = None) -> NDArray:
    """Return one array of a file.

    Parameters
    ----------
    path : Path
        A ``.npy`` (memory-mapped), a ``.npz`` or a ``.csv``.
    role : str
        What the array is: ``"predictions"``.
    key : str or int, optional
        Of a ``.npz``, the name of the array. Without it, the array is called
        like its role, or is the only one. Of a ``.csv``, the column by its name
        or counted from 0, of shape (N,). Without it, all columns: (N,) for one,
        (N, C) for several.

    Raises
    ------
    DataError
        If the file cannot be used, or does not hold the array.
    """
    kind = kind_of(path, role)
    if kind == "npy":
        if key is not None:
            raise DataError(f"{path} is a .npy with one array without a name: drop {key!r}.")
        return read_npy(path, role)
    if kind == "npz":
        arrays = read_npz(path, role)
        if key is None and role not in arrays and len(arrays) == 1:
            return next(iter(arrays.values()))
        return member(arrays, role if key is None else str(key), path)
    table = open_table(path, role)
    return table.read(range(table.width) if key is None else [table.column(key)])[0]
