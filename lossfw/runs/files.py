"""Standard output, values of JSON, and files that are written atomically."""

from __future__ import annotations

import json
import math
import os
import re
import sys
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from lossfw.components.naming import printable
from lossfw.errors import DataError, OutputError

RESULT_FILE = "metrics.json"

# What `temporary_path_of` returns: the name of the file, and the process that writes it.
_TEMPORARY = re.compile(r"\.(.+)\.\w+\.tmp")

# The texts for numbers that JSON does not have.
_NOT_FINITE = ("inf", "-inf", "nan")


def to_json(value: Mapping[str, Any]) -> str:
    """Return one line of JSON.

    Infinities and NaN, which JSON does not have, are written as the strings ``"inf"``, ``"-inf"``
    and ``"nan"``, which Python's ``float`` reads.

    Examples
    --------
    >>> to_json({"value": float("inf"), "count": 2})
    '{"value": "inf", "count": 2}'
    """
    return json.dumps(json_value(value), allow_nan=False)


def json_value(value: Any) -> Any:
    """Return a value with the strings of `to_json` for infinities and NaN."""
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    if isinstance(value, Mapping):
        return {key: json_value(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [json_value(item) for item in value]
    return value


def restore_numbers(value: Any) -> Any:
    """Return a JSON value with the strings of `to_json` for infinities and NaN as numbers.

    Examples
    --------
    >>> restore_numbers({"value": ["inf", 1.5, "infinite"]})
    {'value': [inf, 1.5, 'infinite']}
    """
    if isinstance(value, str) and value in _NOT_FINITE:
        return float(value)
    if isinstance(value, Mapping):
        return {key: restore_numbers(item) for key, item in value.items()}
    return [restore_numbers(item) for item in value] if isinstance(value, list) else value


def read_json(path: Path) -> dict[str, Any] | None:
    """Return the object in a JSON file; None without a file."""
    try:
        if not path.is_file():
            return None
        value = json.loads(path.read_bytes())
    # The last one is raised for lists that are nested too deep.
    except (OSError, ValueError, RecursionError) as error:
        raise DataError(f"{path} cannot be read: {error}.") from None
    if not isinstance(value, dict):
        raise DataError(f"{path} is not a JSON object that a run wrote.")
    return value


def write_stdout(text: str) -> None:
    """Write a string and a line end to standard output."""
    try:
        with translate_write_errors("standard output"):
            sys.stdout.write(f"{printable(text)}\n")
            sys.stdout.flush()
    except OutputError as error:
        if isinstance(error.__cause__, BrokenPipeError):
            raise error.__cause__ from None
        discard_stdout()
        raise


def discard_stdout() -> None:
    """Discard the buffer, because Python would try to write it at exit, and fail."""
    null = os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, sys.stdout.fileno())
    os.close(null)


def check_folder(folder: Path) -> None:
    """Check before a long computation that a result can be written to a folder.

    The folder is not created. A full disk is noticed only when the result is written.
    """
    with translate_write_errors(folder):
        existing = next(path for path in (folder, *folder.absolute().parents) if path.exists())
        if not existing.is_dir():
            raise OutputError(f"{folder}: {existing} is a file; expected a folder: name another.")
        if (folder / RESULT_FILE).is_dir():
            raise OutputError(
                f"{folder / RESULT_FILE} is a folder: move it, or name another for --out."
            )
        if not os.access(existing, os.W_OK | os.X_OK):
            raise OutputError(f"{folder}: {existing} is not writable: name another folder.")


def write_file(folder: Path, name: str, content: bytes) -> Path:
    """Write a file in a folder, which is created if necessary.

    The file is written under a temporary name and then renamed, so a reader finds the old file,
    the new one or none, never a part.
    """
    write_files(folder, {name: content})
    return folder / name


def write_files(folder: Path, contents: Mapping[str, bytes], *, remove: Iterable[str] = ()) -> None:
    """Write several files as `write_file` does, and remove others.

    Nothing is renamed or removed before all are written: on a full disk the old files stay.
    """
    targets = {folder / name: content for name, content in contents.items()}
    made = not folder.exists()
    try:
        for target, content in targets.items():
            with translate_write_errors(target):
                folder.mkdir(parents=True, exist_ok=True)
                with temporary_path_of(target).open("wb") as file:
                    file.write(content)
                    file.flush()
                    # On the disk before it gets its name, so that a crash leaves no empty file.
                    os.fsync(file.fileno())
        for name in remove:
            with translate_write_errors(folder / name):
                (folder / name).unlink(missing_ok=True)
        for target in targets:
            with translate_write_errors(target):
                temporary_path_of(target).replace(target)
    except OutputError:
        # The first error is the one to report.
        with suppress(OSError):
            for target in targets:
                temporary_path_of(target).unlink(missing_ok=True)
            if made and folder.is_dir():
                folder.rmdir()
        raise


def temporary_path_of(target: Path) -> Path:
    """Return the temporary name of a file, unique to this process.

    Of two processes that write the same file the last one wins.
    """
    return target.parent / f".{target.name}.{os.getpid()}.tmp"


def _final_path(path: object) -> object:
    """Return the name that a file will get, where it has the one of `temporary_path_of`.

    Examples
    --------
    >>> _final_path(temporary_path_of(Path("out/metrics.json"))), _final_path("standard output")
    (PosixPath('out/metrics.json'), 'standard output')
    """
    if isinstance(path, Path) and (name := _TEMPORARY.fullmatch(path.name)):
        return path.with_name(name[1])
    return path


@contextmanager
def translate_write_errors(path: object) -> Iterator[None]:
    """Turn a system error inside the block into an `OutputError` that names the file.

    The message has the final name of the file, not the temporary one.
    """
    try:
        yield
    except OutputError:
        raise
    except OSError as error:
        told = f"{_final_path(path)} cannot be written: {error.strerror or error}."
        raise OutputError(told) from error
