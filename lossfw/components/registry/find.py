"""Find plugins by their metadata, without importing them, and those that the user disables."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

from lossfw.components.hookspecs import PROJECT
from lossfw.components.registry.records import PluginMetadata, normalise_name

VARIABLE = "LOSSFW_DISABLE"


def find_plugins(distribution: str | None = None) -> tuple[PluginMetadata, ...]:
    """Return the installed plugins, sorted by label, without importing them.

    Examples
    --------
    >>> [plugin.label for plugin in find_plugins("lossfw")]
    ['lossfw[std]']
    """
    names = [distribution] if distribution is not None else []
    if distribution is None:
        # Each distribution that mentions our entry point group, once.
        found = filter(None, map(_plugin_distribution, metadata.distributions()))
        names = list({normalise_name(name): name for name in found}.values())
    plugins = {plugin.label: plugin for name in names for plugin in _plugins_of(name)}
    return tuple(plugins[label] for label in sorted(plugins))


def find_local_plugins(paths: Iterable[str | Path]) -> tuple[PluginMetadata, ...]:
    """Return a record for each local plugin file, in order and without repetition."""
    plugins: dict[Path, PluginMetadata] = {}
    for path in map(Path, paths):
        plugin = PluginMetadata(path.stem, version="", entry="", target=str(path), path=path)
        plugins.setdefault(path.resolve(), plugin)
    return tuple(plugins.values())


def _plugin_distribution(dist: metadata.Distribution) -> str | None:
    """Return the name of a distribution that mentions our group, None for any other."""
    try:
        # Searched and not parsed: nearly all distributions have no such group.
        mentioned = f"[{PROJECT}]" in (dist.read_text("entry_points.txt") or "")
        return str(dist.metadata["Name"] or "") if mentioned else None
    except Exception:
        # Damaged metadata, which the import system cannot use either.
        return None


def _plugins_of(name: str) -> Iterator[PluginMetadata]:
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


@dataclass(frozen=True)
class DisabledPlugins:
    """The plugins that the user disables."""

    # Distributions, labels or entry names that were given as an argument.
    words: tuple[str, ...] = ()
    # The same from the environment variable LOSSFW_DISABLE.
    environment: tuple[str, ...] = ()
    # False disables every installed plugin but the built-in one.
    plugins: bool = True

    @classmethod
    def read(cls, words: Iterable[str], plugins: bool) -> DisabledPlugins:
        """Combine the arguments of a call with the environment variable."""
        return cls(
            tuple(_split(words)), tuple(_split([os.environ.get(VARIABLE, "")])), bool(plugins)
        )

    def disabled_by(self, plugin: PluginMetadata) -> str:
        """Return the option that disables a plugin, as a phrase; empty if none does."""
        if any(_names_plugin(word, plugin) for word in self.words):
            return "the argument disable (--disable)"
        if any(_names_plugin(word, plugin) for word in self.environment):
            return VARIABLE
        if not self.plugins and not plugin.builtin and plugin.path is None:
            return "the argument plugins=False (--no-plugins)"
        return ""

    def first_unmatched(self, plugins: Iterable[PluginMetadata]) -> str | None:
        """Return the first word of the argument that is not the name of a plugin, or None."""
        known = list(plugins)
        return next((w for w in self.words if not any(_names_plugin(w, p) for p in known)), None)


def _names_plugin(word: str, plugin: PluginMetadata) -> bool:
    return plugin.is_called(word) or (plugin.path is None and word == plugin.entry)


def _split(words: Iterable[str]) -> list[str]:
    texts = [words] if isinstance(words, str) else words
    return [word for text in texts for word in map(str.strip, text.split(",")) if word]
