"""The fingerprint of a process: its versions, and digests of code that may have been edited.

Processes with the same fingerprint give the same bits. Copies of one version may differ, for
instance in a checkout or an edited body.
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
from typing import Any

import numpy as np

from lossfw.components.registry.find import find_plugins

# Hexadecimal digits of a digest: no two versions of a package will share them.
_DIGITS = 16


def fingerprint(packages: Iterable[str]) -> Mapping[str, str]:
    """Return the versions of Python, NumPy, lossfw and importable packages.

    lossfw, plugins and packages without a distribution have a digest of their code, the others a
    version. It is computed once, because a process keeps its loaded code: later edits count for
    processes that start later.

    Examples
    --------
    >>> list(fingerprint(["pytest"]))
    ['Python', 'NumPy', 'lossfw', 'package pytest']
    """
    return _fingerprint(tuple(sorted({*packages} - {"lossfw", "numpy"})))


def fingerprint_differences(expected: Mapping[str, str]) -> str:
    """Return the differences of this process from `expected`; empty if there are none."""
    prefix = "package "
    found = fingerprint(k.removeprefix(prefix) for k in expected if k.startswith(prefix))
    return ", ".join(
        f"{key} is {found[key]} there but {value} here"
        for key, value in expected.items()
        if found[key] != value
    )


@functools.lru_cache(maxsize=8)
def _fingerprint(packages: tuple[str, ...]) -> Mapping[str, str]:
    plugins = {plugin.target.partition(":")[0].partition(".")[0] for plugin in find_plugins()}
    return {
        "Python": ".".join(platform.python_version_tuple()[:2]),
        "NumPy": np.__version__,
        "lossfw": _package_fingerprint("lossfw", True),
        **{f"package {name}": _package_fingerprint(name, name in plugins) for name in packages},
    }


def _package_fingerprint(package: str, may_be_edited: bool) -> str:
    if not _is_importable(package):
        return "missing"
    try:
        version = importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        version, may_be_edited = "without a version", True
    return f"{version} with code {_package_digest(package)}" if may_be_edited else version


def _is_importable(package: str) -> bool:
    try:
        return importlib.util.find_spec(package) is not None
    except ValueError:  # a module that was made by hand
        return True


def _package_digest(package: str) -> str:
    digest = hashlib.sha256()
    for name, path in _files_of(package):
        digest.update(name.encode() + b"\0" + hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()[:_DIGITS]


def _files_of(package: str) -> Iterator[tuple[str, Path]]:
    """Yield the name and the path of each source file; none of a package in an archive."""
    try:
        spec = importlib.util.find_spec(package)
    except ValueError:
        return
    assert spec is not None  # the package is there
    for folder in map(Path, spec.submodule_search_locations or ()):
        for path in sorted(folder.rglob("*.py")):
            yield path.relative_to(folder).as_posix(), path
    if spec.submodule_search_locations is None and spec.origin is not None:
        path = Path(spec.origin)
        if path.suffix == ".py" and path.is_file():
            yield path.name, path


def packages_needed_by(*pickles: bytes) -> set[str]:
    """Return the packages that a process imports to read pickles."""
    names: set[str] = set()

    class Modules(pickle.Unpickler):
        def find_class(self, module: str, name: str) -> Any:
            names.add(module.partition(".")[0])
            return super().find_class(module, name)

    for content in pickles:
        Modules(io.BytesIO(content)).load()
    return names - sys.stdlib_module_names
