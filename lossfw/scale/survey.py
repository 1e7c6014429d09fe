"""Survey: what the workers of a cluster have, compared with this process before the first row."""

from __future__ import annotations

import functools
import hashlib
import importlib.metadata
import importlib.util
import io
import pickle
import platform
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from lossfw.components.registry.find import find
from lossfw.data.lazy_arrays import stamp_of
from lossfw.errors import RunError
from lossfw.evaluation.plan import Plan
from lossfw.scale.parts import arrays_of
from lossfw.scale.shipping import Shipment

# Bytes at the beginning of a file that are compared.
_HEAD_BYTES = 64 * 2**10
# A value that a worker does not have.
_MISSING = "missing"
# Workers that a message names one by one.
_NAMED = 5

Facts = Mapping[str, str]


def facts_here(packages: Iterable[str], files: Iterable[str]) -> dict[str, str]:
    """Return versions and the beginnings of files, as this process has them.

    Parameters
    ----------
    packages : iterable of str
        Importable packages besides lossfw and NumPy.
    files : iterable of str
        Absolute names.
    """
    facts = {
        "Python": ".".join(platform.python_version_tuple()[:2]),
        "lossfw": _version("lossfw"),
        "NumPy": np.__version__,
    }
    for package in packages:
        there = importlib.util.find_spec(package) is not None
        facts[f"package {package}"] = _version_of(package) if there else _MISSING
    return facts | {f"file {name}": _head(Path(name)) for name in files}


def _version(distribution: str) -> str:
    try:
        return importlib.metadata.version(distribution)
    except importlib.metadata.PackageNotFoundError:
        return "without a version"


def _version_of(package: str) -> str:
    """Return the version of the distribution that a package belongs to."""
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        plugins = {plugin.target.partition(".")[0]: plugin.version for plugin in find()}
        return plugins.get(package) or _version(_owners().get(package, [package])[0])


@functools.cache
def _owners() -> Mapping[str, list[str]]:
    # It reads the lists of files of everything that is installed, which takes a second.
    return importlib.metadata.packages_distributions()


def _head(path: Path) -> str:
    try:
        with path.open("rb") as file:
            digest = hashlib.sha256(file.read(_HEAD_BYTES)).hexdigest()
            return f"{path.stat().st_size} bytes, beginning with {digest[:12]}"
    except OSError:
        return _MISSING


def check_workers(client: Any, plan: Plan, shipment: Shipment, sign: Path | None = None) -> None:
    """Check that every worker has what a plan needs, in the same version.

    Parameters
    ----------
    client : distributed.Client
        A client of the cluster.
    plan : Plan
        The plan.
    shipment : Shipment
        The plan as the workers get it.
    sign : Path, optional
        A file in the folder that the workers write rows to.

    Raises
    ------
    RunError
        Names the workers and what differs, or says that there is no worker.
    """
    packages, files = _packages(shipment), [*_files(plan), *([] if sign is None else [str(sign)])]
    own = facts_here(packages, files)
    theirs = client.run(facts_here, packages, files, on_error="return")
    if not theirs:
        raise RunError("the cluster has no worker: start some, or wait until they are there.")
    differing = {worker: told for worker, facts in theirs.items() if (told := _told(own, facts))}
    if differing:
        lines = [f"{worker}: {told}" for worker, told in list(differing.items())[:_NAMED]]
        more = len(differing) - len(lines)
        rest = [f"and {more} more"] if more else []
        raise RunError(
            f"{len(differing)} of {len(theirs)} workers cannot run this: no row was computed. "
            + "; ".join([*lines, *rest])
            + "."
        )


def _told(own: Facts, facts: Facts | BaseException) -> str:
    """Return what differs on a worker, empty if nothing does."""
    if isinstance(facts, BaseException):
        return f"{type(facts).__name__}: {facts}"
    return ", ".join(
        f"{key} is {facts.get(key, _MISSING)} there and {value} here"
        for key, value in own.items()
        if facts.get(key) != value
    )


def _files(plan: Plan) -> list[str]:
    """Return the files that the rows of a plan stay in."""
    stamps = map(stamp_of, arrays_of(plan))
    return sorted({str(stamp.path.absolute()) for stamp in stamps if stamp is not None})


class _Modules(pickle.Unpickler):
    """A reader of pickles that notes the modules they name."""

    def __init__(self, content: bytes) -> None:
        super().__init__(io.BytesIO(content))
        self.names: set[str] = set()

    def find_class(self, module: str, name: str) -> Any:
        self.names.add(module)
        return super().find_class(module, name)


def _packages(shipment: Shipment) -> Sequence[str]:
    """Return the packages that a worker imports to read a plan."""
    reader = _Modules(shipment.plan)
    reader.load()
    sent = {name for name, _, _ in shipment.files}
    found = {name.partition(".")[0] for name in reader.names if name not in sent}
    return sorted(found - sys.stdlib_module_names)
