"""Survey: what a worker needs to give the bits of this process, compared there with each part.

The process that gives parts away writes down versions, digests of code, and the beginnings of
files. A worker compares all of it before its first part, and the code with each part: it may be
another process by then. Two copies of one version may differ: a checkout, or a body that somebody
has edited.
"""

from __future__ import annotations

import functools
import hashlib
import importlib.metadata
import importlib.util
import io
import pickle
import platform
import re
import sys
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from lossfw.components.registry.find import find
from lossfw.components.registry.records import normalised

# Bytes at the beginning of a file that are compared.
_HEAD_BYTES = 64 * 2**10
# A value that a worker does not have.
_MISSING = "missing"
# Files of code that a message names one by one.
_NAMED = 3

Facts = Mapping[str, str]

# Hexadecimal digits of a digest: no two files of a package will share them.
_DIGITS = 16


class Requirements(NamedTuple):
    """What a worker must have in common with the process that gives it parts.

    `packages` are importable packages besides NumPy. `code` has by package the digest of each file
    of its code, and `heads` the size and beginning of each file, by its absolute name.
    """

    packages: tuple[str, ...]
    versions: Facts
    code: Mapping[str, Facts]
    heads: Facts


def requirements_of(packages: Iterable[str], files: Iterable[str]) -> Requirements:
    """Return what this process has, for others to compare."""
    names = tuple(sorted({"lossfw", *packages} - {"numpy"}))
    code = {name: digests_of(name) for name in names if is_compared(name)}
    return Requirements(names, _versions(names), code, {name: _head(name) for name in files})


def differences(required: Requirements, *, files: bool = True) -> str:
    """Return what differs in this process, empty if nothing does."""
    found = [*_differences(required.versions, _versions(required.packages))]
    for package, expected in required.code.items():
        if importlib.util.find_spec(package) is not None:
            found += _code_differences(expected, digests_of(package))
    if files:
        heads = {f"file {name}": head for name, head in required.heads.items()}
        found += _differences(heads, {f"file {name}": _head(name) for name in required.heads})
    return ", ".join(found)


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
        **{
            package if package == "lossfw" else f"package {package}": _version_of(package)
            for package in packages
        },
    }


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


def _differences(expected: Facts, found: Facts) -> Iterator[str]:
    for key, value in expected.items():
        if found[key] != value:
            yield f"{key} is {found[key]} there and {value} here"


def _code_differences(expected: Facts, found: Facts) -> list[str]:
    """Return what differs in the code of a package; the first files by name."""
    changed = [
        f"{name} is {_MISSING} there"
        if name not in found
        else f"{name} is only there"
        if name not in expected
        else f"{name} has other code there"
        for name in sorted({*expected, *found})
        if expected.get(name) != found.get(name)
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


@functools.cache
def digests_of(package: str) -> Mapping[str, str]:
    """Return the digest of each source file of an importable package, by its name in there.

    They are made once in a process and kept, as the process keeps the code that it has
    loaded: what is edited later counts for processes that start later.

    Examples
    --------
    >>> sorted(digests_of("lossfw"))[0]
    'lossfw/__init__.py'
    """
    return {
        name: hashlib.sha256(path.read_bytes()).hexdigest()[:_DIGITS]
        for name, path in _files_of(package)
    }


def _files_of(package: str) -> Iterator[tuple[str, Path]]:
    """Yield the name and the path of each source file; none of a package in an archive."""
    try:
        spec = importlib.util.find_spec(package)
    except ValueError:  # a module that was made by hand
        spec = None
    if spec is None:
        return
    for folder in map(Path, spec.submodule_search_locations or ()):
        for path in sorted(folder.rglob("*.py")):
            yield f"{package}/{path.relative_to(folder).as_posix()}", path
    if spec.submodule_search_locations is None and spec.origin is not None:
        path = Path(spec.origin)
        if path.suffix == ".py" and path.is_file():
            yield path.name, path


def is_compared(package: str) -> bool:
    """Tell whether the code of a package is compared, and not only its version.

    That holds for lossfw, for plugins, and for what no distribution brings, as a folder on the
    path of imports. Other libraries have their versions.
    """
    distribution = distribution_of(package)
    if distribution is None:
        return True
    return normalised(distribution) in {normalised(plugin.distribution) for plugin in find()}


@functools.cache
def distribution_of(package: str) -> str | None:
    """Return the distribution that a package belongs to, None for none."""
    for plugin in find():
        if re.split("[.:]", plugin.target)[0] == package:
            return plugin.distribution
    try:
        return str(importlib.metadata.distribution(package).metadata["Name"])
    except importlib.metadata.PackageNotFoundError:
        return _owners().get(package, [None])[0]


@functools.cache
def _owners() -> Mapping[str, list[str | None]]:
    # It reads the lists of files of everything that is installed, which takes a second.
    return dict(importlib.metadata.packages_distributions())  # type: ignore[arg-type]  # a list of str is read only
