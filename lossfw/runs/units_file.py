"""``units.npz``: the sums by unit of a run, to pair two runs without their rows.

It is an ``.npz`` file of plain arrays with a header, without objects. A unit has 64 bits: a hash of
the row's number, or of its value in the unit's column (`lossfw.evaluation.intervals.unit_keys`).
The hash is not secret: trying all numbers, or a list of names, finds those in the file.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from lossfw.data.state_file import SavedState
from lossfw.errors import DataError, LossfwError
from lossfw.evaluation.intervals.unit_sums import MOST_UNITS, UnitSums
from lossfw.evaluation.intervals.unit_tables import NumberTable, UnitTables
from lossfw.evaluation.intervals.units import Units
from lossfw.losses.engine.packing import pack_parts, unpack_part
from lossfw.metrics.cell_sums import CellSums
from lossfw.numerics.arrays import NDArray

UNITS_FILE = "units.npz"
# Version of the file; a reader takes no other.
UNITS_VERSION = 2
# A larger table has a sum for each score of each row: such metrics are paired by their rows.
_MOST_SUMS = 4 * MOST_UNITS
_LOSS, _METRIC = "loss", "metric"


class StoredUnits(NamedTuple):
    """The stored sums by unit of a run, and its units."""

    units: Units
    tables: UnitTables


def to_bytes(tables: UnitTables, described: Mapping[str, Any]) -> bytes:
    """Return the content of the file; `described` is the object ``intervals`` of the result."""
    kept = {
        name: table
        for name, table in tables.metrics.items()
        if len(table.sums.sums.table) <= _MOST_SUMS
    }
    parts: dict[str, Any] = {"sizes": tables.sizes, **_parts(_LOSS, tables.loss)}
    if tables.group_sizes is not None:
        parts["groups"] = tables.group_sizes
    for number, table in enumerate(kept.values()):
        parts |= _parts(f"{_METRIC}{number}", table)
    arrays = pack_parts(**parts)
    header = {
        "version": UNITS_VERSION,
        "resample": described["resample"],
        "column": described.get("column", ""),
        "metrics": list(kept),
        "digest": _digest(arrays),
    }
    return SavedState(header, arrays).to_bytes()


def read_units(folder: Path) -> StoredUnits | None:
    """Return the sums by unit in the folder of a run; None without the file.

    Raises
    ------
    DataError
        If it is damaged, or has another version.
    """
    path = folder / UNITS_FILE
    if not path.is_file():
        return None
    try:
        header, arrays = SavedState.read(path)
        version, digest = header["version"], header["digest"]
        if version == UNITS_VERSION and digest == _digest(arrays):
            return _unpack(header, arrays)
    except (LossfwError, LookupError, TypeError, ValueError, AttributeError):
        version = UNITS_VERSION
    if version != UNITS_VERSION:
        raise DataError(
            f"{path} has version {version}, but this lossfw reads {UNITS_VERSION}: run again, or "
            "remove the file, and runs are paired by their rows."
        )
    raise DataError(f"{path} is damaged: run again, or remove the file to pair runs by their rows.")


def _unpack(header: Mapping[str, Any], arrays: Mapping[str, NDArray]) -> StoredUnits:
    units = Units.read(header["resample"])
    if units.kind == "groups":
        units = Units("groups", str(header["column"]))
    groups = unpack_part("groups", arrays)
    metrics = {
        str(name): _table(f"{_METRIC}{number}", arrays)
        for number, name in enumerate(header["metrics"])
    }
    sizes = UnitSums.unpack(unpack_part("sizes", arrays))
    by_group = UnitSums.unpack(groups) if groups else None
    return StoredUnits(units, UnitTables(sizes, by_group, _table(_LOSS, arrays), metrics))


def _parts(name: str, table: NumberTable) -> dict[str, Any]:
    moments = {} if table.moments is None else {f"{name}-moments": table.moments}
    return {name: table.sums, **moments}


def _table(name: str, arrays: Mapping[str, NDArray]) -> NumberTable:
    moments = unpack_part(f"{name}-moments", arrays)
    sums = UnitSums.unpack(unpack_part(name, arrays))
    return NumberTable(sums, CellSums.unpack(moments) if moments else None)


def _digest(arrays: Mapping[str, NDArray]) -> str:
    """Return the SHA-256 of arrays with their names, types and shapes."""
    found = hashlib.sha256()
    for name in sorted(arrays):
        array = arrays[name]
        found.update(f"{name} {array.dtype.str} {array.shape}".encode())
        found.update(array.tobytes())
    return found.hexdigest()
