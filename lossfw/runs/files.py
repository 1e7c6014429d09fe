"""Standard output, values of JSON, and files that are written atomically."""

from __future__ import annotations

import errno
import json
import math
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NoReturn

from lossfw.components.naming import printable
from lossfw.errors import DataError, OutputError

RESULT_FILE = "metrics.json"

# The texts for numbers that JSON does not have.
_NOT_FINITE = ("inf", "-inf", "nan")


def to_json(value: Mapping[str, Any]) -> str:
    """Return one line of JSON.

    Infinities and NaN, which JSON does not have, are written as the texts ``"inf"``,
    ``"-inf"`` and ``"nan"``, which Python's ``float`` reads.

    Examples
    --------
    >>> to_json({"value": float("inf"), "count": 2})
    '{"value": "inf", "count": 2}'
    """
    return json.dumps(json_value(value), allow_nan=False)


def json_value(value: Any) -> Any:
    """Return a value with the texts of `to_json` in place of infinities and NaN."""
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    if isinstance(value, Mapping):
        return {key: json_value(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [json_value(item) for item in value]
    return value


def numbers_in(value: Any) -> Any:
    """Return a value of JSON with the texts of `to_json` for infinities and NaN as numbers.

    Examples
    --------
    >>> numbers_in({"value": ["inf", 1.5, "infinite"]})
    {'value': [inf, 1.5, 'infinite']}
    """
    if isinstance(value, str) and value in _NOT_FINITE:
        return float(value)
    if isinstance(value, Mapping):
        return {key: numbers_in(item) for key, item in value.items()}
    return [numbers_in(item) for item in value] if isinstance(value, list) else value


def read_json(path: Path) -> dict[str, Any] | None:
    """Return the object in a file of JSON, None if there is no file."""
    try:
        if not path.is_file():
            return None
        value = json.loads(path.read_bytes())
    # The last one is raised for lists that are nested too deep.
    except (OSError, ValueError, RecursionError) as error:
        raise DataError(f"{path} cannot be read: {error}.") from None
    if not isinstance(value, dict):
        raise DataError(f"{path} holds no object of JSON, as a run writes it.")
    return value


def say(text: str) -> None:
    """Write a text and a line end to standard output."""
    try:
        sys.stdout.write(f"{printable(text)}\n")
        sys.stdout.flush()
    except OSError as error:
        if error.errno == errno.EPIPE:
            raise
        drop_standard_output()
        refuse("standard output", error)


def drop_standard_output() -> None:
    """Discard the buffer; Python would try to write it at its end, and fail."""
    null = os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, sys.stdout.fileno())
    os.close(null)


def check_folder(folder: Path) -> None:
    """Check before a long computation that a result can be written to a folder.

    The folder is not made. A full disk is noticed only when the result is written.
    """
    try:
        _check_folder(folder)
    except OutputError:
        raise
    except OSError as error:
        refuse(folder, error)


def _check_folder(folder: Path) -> None:
    there = next(path for path in (folder, *folder.absolute().parents) if path.exists())
    if not there.is_dir():
        raise OutputError(f"{folder}: {there} is a file, and a folder was wanted: name another.")
    if (folder / RESULT_FILE).is_dir():
        raise OutputError(
            f"{folder / RESULT_FILE} is a folder: move it, or name another for --out."
        )
    if not os.access(there, os.W_OK | os.X_OK):
        raise OutputError(f"{folder}: {there} is not writable: name another folder.")


def write_result(folder: Path, result: Mapping[str, Any]) -> Path:
    """Write a result to ``metrics.json`` in a folder; see `write_file`."""
    return write_file(folder, RESULT_FILE, f"{to_json(result)}\n".encode())


def write_file(folder: Path, name: str, content: bytes) -> Path:
    """Write a file in a folder, which is made if it does not exist.

    The file is written under a temporary name in the folder and then renamed, so a
    reader finds the old file, the new one or none, and never a part.
    """
    target = folder / name
    temporary = temporary_of(target)
    made = not folder.exists()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        _write_whole(temporary, content)
        temporary.replace(target)
    except OSError as error:
        _clear(temporary, folder if made else None)
        refuse(target, error)
    return target


def temporary_of(target: Path) -> Path:
    """Return the temporary name of a file, unique to this process.

    Of two processes that write the same file the last one wins.
    """
    return target.parent / f".{target.name}.{os.getpid()}.tmp"


def _write_whole(path: Path, content: bytes) -> None:
    with path.open("wb") as file:
        file.write(content)
        file.flush()
        # On the disk before it gets its name, so that a crash leaves no empty file.
        os.fsync(file.fileno())


def _clear(temporary: Path, made: Path | None) -> None:
    """Remove the temporary file, and the folder if it was made for it."""
    try:
        temporary.unlink(missing_ok=True)
        if made is not None and made.is_dir():
            made.rmdir()
    except OSError:
        # The first error is the one to report.
        return


def refuse(where: object, error: OSError) -> NoReturn:
    """Raise an `OutputError` with the place and the message of the system."""
    raise OutputError(f"{where} cannot be written: {error.strerror or error}.") from error
