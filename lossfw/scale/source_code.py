"""Source code: a digest of each file of a package, by which two processes compare their code.

Two copies of one version may differ: a checkout, or a body that somebody has edited.
"""

from __future__ import annotations

import functools
import hashlib
import importlib.metadata
import importlib.util
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from lossfw.components.registry.find import find
from lossfw.components.registry.records import normalised

# Hexadecimal digits of a digest: no two files of a package will share them.
_DIGITS = 16


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
