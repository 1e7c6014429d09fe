"""Survey: what a worker needs to give the bits of this process, compared there with each part.

The process that gives parts away writes down versions, digests of code, and the beginnings of
files. A worker compares all of it before its first part, and the code with each part: it may be
another process by then.
"""

from __future__ import annotations

import functools
import hashlib
import importlib.metadata
import importlib.util
import io
import pickle
import platform
import sys
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from lossfw.scale.source_code import digests_of, distribution_of, is_compared

# Bytes at the beginning of a file that are compared.
_HEAD_BYTES = 64 * 2**10
# A value that a worker does not have.
_MISSING = "missing"
# Files of code that a message names one by one.
_NAMED = 3

Facts = Mapping[str, str]


class Requirements(NamedTuple):
    """What a worker must have in common with the process that gives it parts.

    Attributes
    ----------
    packages : tuple of str
        Importable packages besides NumPy, whose versions are compared.
    versions : mapping of str to str
        Those of Python, NumPy and the packages.
    code : mapping of str to mapping of str to str
        By package, the digest of each file of its code.
    heads : mapping of str to str
        Size and beginning of each file, by its absolute name.
    """

    packages: tuple[str, ...]
    versions: Facts
    code: Mapping[str, Facts]
    heads: Facts


def requirements_of(packages: Iterable[str], files: Iterable[str]) -> Requirements:
    """Return what this process has, for others to compare.

    Parameters
    ----------
    packages : iterable of str
        Importable packages; lossfw and NumPy always count.
    files : iterable of str
        Absolute names.
    """
    names = tuple(sorted({"lossfw", *packages} - {"numpy"}))
    code = {name: digests_of(name) for name in names if is_compared(name)}
    return Requirements(names, _versions(names), code, {name: _head(name) for name in files})


def differences(required: Requirements, *, files: bool = True) -> str:
    """Return what differs in this process, empty if nothing does.

    Parameters
    ----------
    required : Requirements
        What another process has.
    files : bool
        Whether the beginnings of files are compared too.
    """
    told = [*_told(required.versions, _versions(required.packages))]
    for package, wanted in required.code.items():
        if importlib.util.find_spec(package) is not None:
            told += _code_told(wanted, digests_of(package))
    if files:
        heads = {f"file {name}": head for name, head in required.heads.items()}
        told += _told(heads, {f"file {name}": _head(name) for name in required.heads})
    return ", ".join(told)


def packages_in(*pickles: bytes) -> set[str]:
    """Return the packages that a process imports to read pickles."""
    names: set[str] = set()
    for content in pickles:
        reader = _Modules(content)
        reader.load()
        names |= reader.names
    return {name.partition(".")[0] for name in names} - sys.stdlib_module_names


@functools.lru_cache(maxsize=2)
def _versions(packages: tuple[str, ...]) -> dict[str, str]:
    return {
        "Python": ".".join(platform.python_version_tuple()[:2]),
        "NumPy": np.__version__,
        **{_called(package): _version_of(package) for package in packages},
    }


def _called(package: str) -> str:
    return package if package == "lossfw" else f"package {package}"


def _version_of(package: str) -> str:
    if importlib.util.find_spec(package) is None:
        return _MISSING
    distribution = distribution_of(package)
    return "without a version" if distribution is None else importlib.metadata.version(distribution)


def _head(name: str) -> str:
    path = Path(name)
    try:
        if path.is_dir():  # of pictures, whose sizes are compared when they are read
            return "a folder"
        with path.open("rb") as file:
            digest = hashlib.sha256(file.read(_HEAD_BYTES)).hexdigest()
            return f"{path.stat().st_size} bytes, beginning with {digest[:12]}"
    except OSError:
        return _MISSING


def _told(wanted: Facts, found: Facts) -> Iterator[str]:
    for key, value in wanted.items():
        if found[key] != value:
            yield f"{key} is {found[key]} there and {value} here"


def _code_told(wanted: Facts, found: Facts) -> list[str]:
    """Return what differs in the code of a package; the first files by name."""
    changed = [
        f"{name} is {_MISSING} there"
        if name not in found
        else f"{name} is only there"
        if name not in wanted
        else f"{name} has other code there"
        for name in sorted({*wanted, *found})
        if wanted.get(name) != found.get(name)
    ]
    more = len(changed) - _NAMED
    return changed[:_NAMED] + ([f"{more} more files of code differ"] if more > 0 else [])


class _Modules(pickle.Unpickler):
    """A reader of pickles that notes the modules they name."""

    def __init__(self, content: bytes) -> None:
        super().__init__(io.BytesIO(content))
        self.names: set[str] = set()

    def find_class(self, module: str, name: str) -> Any:
        self.names.add(module)
        return super().find_class(module, name)
