"""Find plugins by their metadata, without importing them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from importlib import metadata
from pathlib import Path

from lossfw.components.hookspecs import PROJECT
from lossfw.components.registry.records import PluginMetadata, normalised


def find(distribution: str | None = None) -> tuple[PluginMetadata, ...]:
    """Return the installed plugins, sorted by label, without importing them.

    Examples
    --------
    >>> [plugin.label for plugin in find("lossfw")]
    ['lossfw[std]']
    """
    names = _offering() if distribution is None else [distribution]
    plugins = {plugin.label: plugin for name in names for plugin in _entries_of(name)}
    return tuple(plugins[label] for label in sorted(plugins))


def find_local(paths: Iterable[str | Path]) -> tuple[PluginMetadata, ...]:
    """Return a record for each local plugin file, in order and without repetition."""
    plugins: dict[Path, PluginMetadata] = {}
    for path in map(Path, paths):
        plugin = PluginMetadata(path.stem, version="", entry="", target=str(path), path=path)
        plugins.setdefault(path.resolve(), plugin)
    return tuple(plugins.values())


def _offering() -> list[str]:
    """Return the names of the distributions that mention our entry point group."""
    names = {normalised(name): name for dist in metadata.distributions() if (name := _name(dist))}
    return list(names.values())


def _name(dist: metadata.Distribution) -> str | None:
    """Return the name of a distribution that mentions our group, None for any other."""
    try:
        # Searched and not parsed: nearly all distributions have no such group.
        mentioned = f"[{PROJECT}]" in (dist.read_text("entry_points.txt") or "")
        return str(dist.metadata["Name"] or "") if mentioned else None
    except Exception:
        # Damaged metadata, which the import system cannot use either.
        return None


def _entries_of(name: str) -> Iterator[PluginMetadata]:
    """Yield the plugins of a distribution, from the copy that Python would import."""
    try:
        dist = metadata.distribution(name)
    except metadata.PackageNotFoundError:
        return
    name, version = dist.metadata["Name"], dist.version or ""
    try:
        entries = list(dist.entry_points.select(group=PROJECT))
    except Exception as error:
        # The parser of entry_points.txt may raise any error.
        problem = f"its entry_points.txt cannot be read: {type(error).__name__}: {error}"
        yield PluginMetadata(name, version, entry="?", target="?", problem=problem)
        return
    for entry in entries:
        yield PluginMetadata(name, version, entry=entry.name, target=entry.value)
