"""Registry: the components by kind and name, each with its plugin."""

from __future__ import annotations

import functools
import threading
from collections import defaultdict
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import pluggy

from lossfw.components.component import Component
from lossfw.components.hookspecs import KINDS, PROJECT
from lossfw.components.naming import did_you_mean
from lossfw.components.nested import with_nested
from lossfw.components.registry import messages
from lossfw.components.registry.check_class import import_class
from lossfw.components.registry.find import (
    DisabledPlugins,
    find_local_plugins,
    find_plugins,
)
from lossfw.components.registry.load import followers, load_plugin, new_manager
from lossfw.components.registry.records import Entry, Plugin, PluginMetadata, normalise_name
from lossfw.errors import (
    ArgumentError,
    BrokenPluginError,
    DisabledPluginError,
    ParameterError,
    UnknownNameError,
)


@functools.cache
def registry() -> Registry:
    """Return the registry of this process, made at the first call.

    It holds every installed plugin that ``LOSSFW_DISABLE`` does not name. For
    other plugins make a registry with `Registry.discover`.
    """
    return Registry.discover()


class Registry:
    """Components by kind and name; make one with `Registry.discover`.

    Plugins are imported as late as possible, built-in and local ones first. An installed
    third-party plugin is imported only if these do not have a name, if its distribution is named,
    or for a listing. Using a name that two loaded plugins offer is an error.

    A program that uses only built-in names does not load third-party plugins, so these cannot
    change its meaning.
    """

    def __init__(self, disabled: DisabledPlugins, local: tuple[PluginMetadata, ...] = ()) -> None:
        self._disabled = disabled
        self._local = local
        self._manager = new_manager()
        self._plugins: dict[str, Plugin] = {}
        self._index: dict[tuple[str, str], list[Entry]] = defaultdict(list)
        self._classes: dict[Entry, type[Component] | BrokenPluginError] = {}
        # Reentrant: a plugin may use the registry while it is imported.
        self._lock = threading.RLock()

    @classmethod
    def discover(
        cls,
        *,
        disable: Iterable[str] = (),
        local: Iterable[str | Path] = (),
        plugins: bool = True,
    ) -> Registry:
        """Return a registry of the installed plugins and of local files.

        Parameters
        ----------
        disable : iterable of str
            Distributions, labels (``dist[entry]``) or entry names that are not
            imported, in addition to those in ``LOSSFW_DISABLE`` (separated by
            commas). A string with commas is also accepted.
        local : iterable of path
            Local plugin files, relative to the current directory. They are
            imported now.
        plugins : bool
            False leaves out all installed plugins except the built-in one; local
            files are loaded.

        Raises
        ------
        BrokenPluginError, IncompatiblePluginError
            If a local file cannot be used.
        UnknownNameError
            If `disable` names an unknown plugin.
        """
        paths = [local] if isinstance(local, str | Path) else local
        made = cls(DisabledPlugins.read(disable, plugins), find_local_plugins(paths))
        # All metadata are read only if there is a word to look up.
        unknown = made._disabled.words and made._disabled.first_unmatched(made._all_metadata)
        if unknown:
            raise messages.unknown_plugin_error(unknown, made._all_metadata)
        for metadata in made._local:
            error = made._add_plugin(metadata).error
            if error is not None and made._plugins[metadata.label].state != "disabled":
                raise error
        return made

    def resolve(self, kind: str, name: str) -> Entry:
        """Return the entry of a name.

        Parameters
        ----------
        kind : {"loss", "activation", "metric", "source"}
            The kind of component.
        name : str
            A canonical name, an alias, or either after a distribution's name
            (or a plugin's label, or a local file's stem) and a slash.

        Raises
        ------
        UnknownNameError
            If no component has this name.
        DuplicateNameError
            If several plugins offer it.
        BrokenPluginError, DisabledPluginError, IncompatiblePluginError
            If the plugin named before the slash cannot be used.
        """
        _check_kind(kind)
        origin, slash, plain = name.rpartition("/")
        candidates = (
            self._find_entries(kind, origin, plain)
            if slash
            else self._entries_anywhere(kind, plain)
        )
        if len(candidates) > 1:
            raise messages.duplicate_name_error(kind, plain, candidates)
        return self._refresh(candidates[0])

    def component_class(self, kind: str, name: str) -> type[Component]:
        """Return the class of a name, imported on first use.

        Raises
        ------
        BrokenPluginError
            If it cannot be imported, or does not match its entry; and the errors
            of `resolve`.
        """
        return self.class_of(self.resolve(kind, name))

    def class_of(self, entry: Entry) -> type[Component]:
        """Return the class of an entry, even if another plugin offers the same name.

        Raises
        ------
        BrokenPluginError
            If it cannot be imported, or does not match its entry.
        ArgumentError
            If it is a name; see `component_class`.
        """
        if not isinstance(entry, Entry):
            raise ArgumentError(
                f"class_of({entry!r}): expected an entry; component_class(kind, name) takes names."
            )
        key = replace(entry, state="listed", reason="")
        if key not in self._classes:
            try:
                self._classes[key] = import_class(key)
            except BrokenPluginError as error:
                self._classes[key] = error
        known = self._classes[key]
        if isinstance(known, BrokenPluginError):
            # Without this its traceback would grow each time it is raised.
            raise known.with_traceback(None)
        return known

    def create(self, kind: str, spec: object, **parameters: Any) -> Any:
        """Return the component of a name, or of a mapping with a name and parameters.

        Parameters
        ----------
        kind : {"loss", "activation", "metric", "source"}
            The kind of component.
        spec : str, mapping or Component
            A name; a mapping with ``name`` and parameters; or a component,
            which is returned as it is.
        **parameters
            More parameters; they take precedence over those in `spec`.

        Returns
        -------
        Component
            An object of the class that the name stands for.

        Raises
        ------
        ArgumentError
            If `spec` is anything else, or a component of another kind.
        ParameterError
            If the mapping has no name, or the class refuses a parameter; and the
            errors of `component_class`.
        """
        _check_kind(kind)
        if isinstance(spec, Component):
            if spec.kind != kind:
                raise ArgumentError(
                    f"expected a {messages.kind_noun(kind)}, "
                    f"got the {messages.kind_noun(spec.kind)} {spec!r}"
                )
            return spec.replace(**with_nested(type(spec), parameters, self)) if parameters else spec
        name, given = _name_and_parameters(kind, spec)
        cls = self.component_class(kind, name)
        return cls(**with_nested(cls, {**given, **parameters}, self))

    def entries(self, kind: str | None = None) -> tuple[Entry, ...]:
        """Return all components, sorted by kind, name and label.

        All plugins are loaded, but a component that a plugin offers as ``"module:Class"`` is not
        imported; see `import_class`.
        """
        if kind is not None:
            _check_kind(kind)
        self._load(self._all_metadata)
        wanted = KINDS if kind is None else (kind,)
        every = {entry for plugin in self._plugins.values() for entry in plugin.entries}
        chosen = [self._refresh(entry) for entry in every if entry.kind in wanted]
        return tuple(sorted(chosen, key=lambda e: (KINDS.index(e.kind), e.name, e.label)))

    def import_all(self, kind: str | None = None) -> tuple[Entry, ...]:
        """Return `entries` with every class imported, so that their states are known."""
        for entry in self.entries(kind):
            with suppress(BrokenPluginError):
                self.class_of(entry)
        return self.entries(kind)

    def plugins(self, *, load: bool = True) -> tuple[Plugin, ...]:
        """Return all plugins, sorted by label, with state and reason.

        Parameters
        ----------
        load : bool
            False imports nothing; a plugin that was not needed so far is ``listed``.
        """
        if load:
            self._load(self._all_metadata)
        return tuple(self._current_plugin(metadata) for metadata in self._all_metadata)

    def followers(self, hook: str, *, load: bool) -> dict[str, pluggy.HookCaller]:
        """Return the plugins that follow runs by a hook: label -> caller of the hook.

        Parameters
        ----------
        hook : str
            One of `LIFE_CYCLE` and `TRAINING_CYCLE` in `lossfw.components.hookspecs`.
        load : bool
            Import all installed plugins first; False takes those that are loaded.
        """
        if load:
            self._load(self._all_metadata)
        return followers(self._manager, hook)

    @functools.cached_property
    def _first_metadata(self) -> tuple[PluginMetadata, ...]:
        """The built-in plugins, found by the name of their distribution, and the local ones."""
        return (*find_plugins(PROJECT), *self._local)

    @functools.cached_property
    def _all_metadata(self) -> tuple[PluginMetadata, ...]:
        """All plugins, imported or not, sorted by label."""
        return tuple(sorted((*find_plugins(), *self._local), key=lambda metadata: metadata.label))

    def _add_plugin(self, metadata: PluginMetadata) -> Plugin:
        """Load a plugin if it is neither loaded nor disabled."""
        with self._lock:
            if metadata.label not in self._plugins:
                self._index_plugin(self._disabled_or_loaded(metadata))
            return self._plugins[metadata.label]

    def _index_plugin(self, plugin: Plugin) -> None:
        self._plugins[plugin.label] = plugin
        for entry in plugin.entries:
            for name in entry.names:
                self._index[entry.kind, name].append(entry)

    def _disabled_or_loaded(self, metadata: PluginMetadata) -> Plugin:
        reason = self._disabled.disabled_by(metadata)
        if reason:
            error = DisabledPluginError(f"Plugin {metadata} is disabled by {reason}")
            return Plugin(metadata, "disabled", reason, error=error)
        # A placeholder during the import: the plugin may use the registry.
        self._plugins[metadata.label] = Plugin(metadata)
        try:
            return load_plugin(metadata, self._manager)
        except KeyboardInterrupt:
            del self._plugins[metadata.label]
            raise

    def _load(self, plugins: Iterable[PluginMetadata]) -> None:
        for metadata in plugins:
            self._add_plugin(metadata)

    def _entries_anywhere(self, kind: str, name: str) -> list[Entry]:
        """Return the entries of a name; load third-party plugins only if there is none."""
        self._load(self._first_metadata)
        if not self._index.get((kind, name)):
            self._load(self._all_metadata)
        candidates = self._index.get((kind, name), [])
        if not candidates:
            raise messages.unknown_name_error(kind, name, self.entries(), self.plugins())
        return candidates

    def _find_entries(self, kind: str, origin: str, name: str) -> list[Entry]:
        """Return the entries of a name in the plugins of this origin."""
        self._load(self._first_metadata)
        # The built-in plugins are known without reading the metadata of all distributions.
        where = self._first_metadata if normalise_name(origin) == PROJECT else self._all_metadata
        named = [self._add_plugin(metadata) for metadata in where if metadata.is_called(origin)]
        if not named:
            raise messages.unknown_plugin_error(origin, self._all_metadata)
        candidates = [e for p in named for e in p.entries if e.kind == kind and name in e.names]
        if candidates:
            return candidates
        for plugin in named:
            if plugin.error is not None:
                raise plugin.error.with_traceback(None)
        raise messages.not_offered_error(kind, name, named)

    def _refresh(self, entry: Entry) -> Entry:
        """Return an entry with its current state."""
        rivals = {e: n for n in entry.names for e in self._index[entry.kind, n] if e != entry}
        if rivals:
            reason = "; ".join(
                messages.also_offered_by(name, rival) for rival, name in rivals.items()
            )
            return replace(entry, state="conflict", reason=reason)
        if entry not in self._classes and isinstance(entry.target, str):
            return entry
        try:
            self.class_of(entry)
        except BrokenPluginError as error:
            return replace(entry, state="broken", reason=str(error))
        return replace(entry, state="loaded")

    def _current_plugin(self, metadata: PluginMetadata) -> Plugin:
        plugin = self._plugins.get(metadata.label, Plugin(metadata))
        if plugin.state != "loaded":
            return plugin
        entries = tuple(self._refresh(entry) for entry in plugin.entries)
        conflicts = [entry.reason for entry in entries if entry.state == "conflict"]
        if conflicts:
            return replace(plugin, state="conflict", reason="; ".join(conflicts), entries=entries)
        broken = [entry.reason for entry in entries if entry.state == "broken"]
        return replace(
            plugin,
            state="broken" if broken and len(broken) == len(entries) else plugin.state,
            reason="; ".join(broken) if entries else "it offers nothing",
            entries=entries,
        )


def _check_kind(kind: str) -> None:
    if kind not in KINDS:
        raise UnknownNameError(
            f"There is no kind {kind!r}. {did_you_mean(str(kind), KINDS)} "
            f"The kinds are {', '.join(KINDS)}.".replace("  ", " ")
        )


def _name_and_parameters(kind: str, spec: object) -> tuple[str, dict[str, Any]]:
    """Return the name and the parameters of a specification."""
    if isinstance(spec, str):
        return spec, {}
    noun = messages.kind_noun(kind)
    if not isinstance(spec, Mapping):
        raise ArgumentError(
            f"A {noun} is a name, a mapping with 'name' and parameters, or an object of its class; "
            f"got {type(spec).__name__}: {spec!r}"
        )
    for key in spec:
        if not isinstance(key, str):
            raise ParameterError(
                f"The name of a parameter should be a string, got {key!r} in {spec!r}"
            )
    if "name" not in spec:
        raise ParameterError(f"A mapping that describes a {noun} needs 'name', got {dict(spec)!r}")
    if not isinstance(spec["name"], str):
        raise ParameterError(f"The 'name' of a {noun} should be a string, got {spec['name']!r}")
    return spec["name"], {key: value for key, value in spec.items() if key != "name"}
