"""Find plugins by their metadata; nothing is imported here."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from importlib import metadata
from pathlib import Path

from lossfw.components.hookspecs import PROJECT
from lossfw.components.registry.records import Found, normalised


def find(distribution: str | None = None) -> tuple[Found, ...]:
    """Return the installed plugins, sorted by label; import none of them.

    Parameters
    ----------
    distribution : str, optional
        Look into this distribution only. A distribution that is not
        installed has no plugins.

    Examples
    --------
    >>> [plugin.label for plugin in find("lossfw")]
    ['lossfw[std]']
    """
    names = _offering() if distribution is None else [distribution]
    found = {plugin.label: plugin for name in names for plugin in _entries_of(name)}
    return tuple(found[label] for label in sorted(found))


def find_local(paths: Iterable[str | Path]) -> tuple[Found, ...]:
    """Return a record for each local plugin file, in order; the same file counts once."""
    found: dict[Path, Found] = {}
    for path in map(Path, paths):
        record = Found(distribution=path.stem, version="", entry="", target=str(path), path=path)
        found.setdefault(path.resolve(), record)
    return tuple(found.values())


def _offering() -> list[str]:
    """Return the names of the distributions that mention our entry point group."""
    names = {normalised(name): name for dist in metadata.distributions() if (name := _name(dist))}
    return list(names.values())


def _name(dist: metadata.Distribution) -> str | None:
    """Return the name of a distribution that mentions our group, None for any other."""
    try:
        # Read, not parsed: nearly all distributions are somebody else's.
        mentioned = f"[{PROJECT}]" in (dist.read_text("entry_points.txt") or "")
        return str(dist.metadata["Name"] or "") if mentioned else None
    except Exception:
        # Damaged metadata, of which the import system would make nothing either.
        return None


def _entries_of(name: str) -> Iterator[Found]:
    """Yield the plugins of one distribution: of the copy that Python would import."""
    try:
        dist = metadata.distribution(name)
    except metadata.PackageNotFoundError:
        return
    name, version = dist.metadata["Name"], dist.version or ""
    try:
        entries = list(dist.entry_points.select(group=PROJECT))
    except Exception as error:
        # The parser of entry_points.txt raises whatever its own code meets.
        problem = f"its entry_points.txt cannot be read: {type(error).__name__}: {error}"
        yield Found(name, version, entry="?", target="?", problem=problem)
        return
    for entry in entries:
        yield Found(name, version, entry=entry.name, target=entry.value)
