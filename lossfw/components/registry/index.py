"""The registry: which components there are, by kind and name, and where they come from."""

from __future__ import annotations

import functools
import threading
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pluggy

from lossfw.components.component import Component
from lossfw.components.hookspecs import PROJECT
from lossfw.components.naming import did_you_mean
from lossfw.components.nested import with_nested
from lossfw.components.registry import messages
from lossfw.components.registry.classes import class_of
from lossfw.components.registry.disable import Disabled
from lossfw.components.registry.find import find, find_local
from lossfw.components.registry.load import followers, load, new_manager
from lossfw.components.registry.records import KINDS, Entry, Found, Plugin, normalised
from lossfw.components.registry.specs import name_and_parameters
from lossfw.errors import (
    ArgumentError,
    BrokenPluginError,
    DisabledPluginError,
    UnknownNameError,
)


@functools.cache
def registry() -> Registry:
    """Return the registry of this process, made at the first call.

    It knows every installed plugin that ``LOSSFW_DISABLE`` does not name. For
    other plugins, make a registry with `Registry.discover`.
    """
    return Registry.discover()


class Registry:
    """Components by kind and name; make one with `Registry.discover`.

    Plugins are imported as late as possible. Built-in and local ones come
    first; an installed third-party plugin is imported only when a name is
    found in neither, when its distribution is named, or for a listing.

    A name that two plugins offer is an error when it is used, as soon as both
    are loaded. A program that uses nothing but built-in names loads no third
    party, and so no third party can change what they mean.
    """

    def __init__(self, disabled: Disabled, local: tuple[Found, ...] = ()) -> None:
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
            Distributions, labels (``dist[entry]``) or entry names that are
            not imported, besides those in ``LOSSFW_DISABLE`` (separated by
            commas). A text with commas will do as well.
        local : iterable of path
            Local plugin files, relative to the current directory. They are
            imported now.
        plugins : bool
            False leaves out all installed plugins but the built-in one;
            local files are still loaded.

        Raises
        ------
        BrokenPluginError, IncompatiblePluginError
            If a local file cannot be used.
        UnknownNameError
            If `disable` names a plugin that is not there.
        """
        paths = [local] if isinstance(local, str | Path) else local
        made = cls(Disabled.read(disable, plugins), find_local(paths))
        made._refuse_unknown_disable()
        for found in made._local:
            error = made._add(found).error
            if error is not None and made._plugins[found.label].state != "disabled":
                raise error
        return made

    def resolve(self, kind: str, name: str) -> Entry:
        """Return the entry that a name means.

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
            If nothing has this name.
        DuplicateNameError
            If several plugins offer it.
        BrokenPluginError, DisabledPluginError, IncompatiblePluginError
            If the plugin named before the slash cannot be used.
        """
        _check_kind(kind)
        origin, slash, plain = name.rpartition("/")
        candidates = self._within(kind, origin, plain) if slash else self._anywhere(kind, plain)
        if len(candidates) > 1:
            raise messages.doubled(kind, plain, candidates)
        return self._now(candidates[0])

    def component_class(self, kind: str, name: str) -> type[Component]:
        """Return the class that a name means, imported on first use.

        Raises
        ------
        BrokenPluginError
            If it cannot be imported, or is not what its plugin says; besides
            the errors of `resolve`.
        """
        return self.class_of(self.resolve(kind, name))

    def class_of(self, entry: Entry) -> type[Component]:
        """Return the class of an entry, whether or not its name is doubled.

        Raises
        ------
        BrokenPluginError
            If it cannot be imported, or is not what its plugin says.
        """
        key = replace(entry, state="listed", reason="")
        if key not in self._classes:
            try:
                self._classes[key] = class_of(key)
            except BrokenPluginError as error:
                self._classes[key] = error
        known = self._classes[key]
        if isinstance(known, BrokenPluginError):
            # Raised anew each time: without this its traceback would grow.
            raise known.with_traceback(None)
        return known

    def create(self, kind: str, spec: object, **parameters: Any) -> Any:
        """Return the component that a name, or a mapping with a name, describes.

        Parameters
        ----------
        kind : {"loss", "activation", "metric", "source"}
            The kind of component.
        spec : str, mapping or Component
            A name; a mapping with ``name`` and parameters; or a component,
            which is returned as it is.
        **parameters
            Parameters besides, or instead of, those in `spec`.

        Returns
        -------
        Component
            Of the class that the name means, which no type checker can know.

        Raises
        ------
        ArgumentError
            If `spec` is something else, or a component of another kind.
        ParameterError
            If the mapping has no name, or the class refuses a parameter;
            besides the errors of `component_class`.
        """
        _check_kind(kind)
        if isinstance(spec, Component):
            if spec.kind != kind:
                raise ArgumentError(
                    f"A {messages.noun(kind)} is wanted here, got the {messages.noun(spec.kind)} "
                    f"{spec!r}"
                )
            return spec.replace(**with_nested(type(spec), parameters, self)) if parameters else spec
        name, given = name_and_parameters(kind, spec)
        cls = self.component_class(kind, name)
        return cls(**with_nested(cls, {**given, **parameters}, self))

    def entries(self, kind: str | None = None) -> tuple[Entry, ...]:
        """Return every component that is offered, sorted by kind, name and label.

        All plugins are loaded for it; components that are given as texts are
        not imported (`class_of` does that).
        """
        if kind is not None:
            _check_kind(kind)
        self._load(self._found)
        wanted = KINDS if kind is None else (kind,)
        every = {entry for plugin in self._plugins.values() for entry in plugin.entries}
        chosen = [self._now(entry) for entry in every if entry.kind in wanted]
        return tuple(sorted(chosen, key=lambda e: (KINDS.index(e.kind), e.name, e.label)))

    def plugins(self, *, load: bool = True) -> tuple[Plugin, ...]:
        """Return every plugin that was found, sorted by label, with state and reason.

        Parameters
        ----------
        load : bool
            False imports nothing: what was not needed so far is ``listed``.
        """
        if load:
            self._load(self._found)
        return tuple(self._plugin_now(found) for found in self._found)

    def followers(self, hook: str, *, load: bool) -> dict[str, pluggy.HookCaller]:
        """Return the plugins that follow runs by a hook: label -> what calls it there.

        Parameters
        ----------
        hook : str
            One of `lossfw.components.hookspecs.LIFE_CYCLE`.
        load : bool
            Import every installed plugin first; False asks those that are
            loaded so far.
        """
        if load:
            self._load(self._found)
        return followers(self._manager, hook)

    def _refuse_unknown_disable(self) -> None:
        if self._disabled.words:
            word = self._disabled.unmatched(self._found)
            if word is not None:
                raise messages.no_plugin(word, self._found)

    @functools.cached_property
    def _first(self) -> tuple[Found, ...]:
        """The built-in plugins, known by their distribution and nothing else; the local ones."""
        return (*find(PROJECT), *self._local)

    @functools.cached_property
    def _found(self) -> tuple[Found, ...]:
        """Everything found, whether imported or not, sorted by label."""
        return tuple(sorted((*find(), *self._local), key=lambda found: found.label))

    def _add(self, found: Found) -> Plugin:
        """Load a plugin unless that was done, or the user has disabled it."""
        with self._lock:
            if found.label not in self._plugins:
                self._keep(self._disabled_or_loaded(found))
            return self._plugins[found.label]

    def _keep(self, plugin: Plugin) -> None:
        self._plugins[plugin.label] = plugin
        for entry in plugin.entries:
            for name in entry.names:
                self._index[entry.kind, name].append(entry)

    def _disabled_or_loaded(self, found: Found) -> Plugin:
        reason = self._disabled.by(found)
        if reason:
            error = DisabledPluginError(f"Plugin {found} is disabled by {reason}")
            return Plugin(found, "disabled", reason, error=error)
        # Stands in while the plugin is imported: it may ask the registry itself.
        self._plugins[found.label] = Plugin(found)
        try:
            return load(found, self._manager)
        except KeyboardInterrupt:
            del self._plugins[found.label]
            raise

    def _load(self, plugins: Iterable[Found]) -> None:
        for found in plugins:
            self._add(found)

    def _anywhere(self, kind: str, name: str) -> list[Entry]:
        """Return the entries of this name; load third parties only if there is none."""
        self._load(self._first)
        if not self._index.get((kind, name)):
            self._load(self._found)
        candidates = self._index.get((kind, name), [])
        if not candidates:
            raise messages.unknown(kind, name, self.entries(), self.plugins())
        return candidates

    def _within(self, kind: str, origin: str, name: str) -> list[Entry]:
        """Return the entries of this name in the plugins that `origin` means."""
        self._load(self._first)
        # Only the built-in plugins are known without reading everybody's metadata.
        where = self._first if normalised(origin) == PROJECT else self._found
        meant = [self._add(found) for found in where if found.called(origin)]
        if not meant:
            raise messages.no_plugin(origin, self._found)
        candidates = [e for p in meant for e in p.entries if e.kind == kind and name in e.names]
        if candidates:
            return candidates
        for plugin in meant:
            if plugin.error is not None:
                raise plugin.error.with_traceback(None)
        raise messages.not_offered(kind, name, meant)

    def _now(self, entry: Entry) -> Entry:
        """Return an entry in the state that it has now."""
        rivals = {e: n for n in entry.names for e in self._index[entry.kind, n] if e != entry}
        if rivals:
            reason = "; ".join(messages.shared(name, rival) for rival, name in rivals.items())
            return replace(entry, state="conflict", reason=reason)
        if entry not in self._classes and isinstance(entry.target, str):
            return entry
        try:
            self.class_of(entry)
        except BrokenPluginError as error:
            return replace(entry, state="broken", reason=str(error))
        return replace(entry, state="loaded")

    def _plugin_now(self, found: Found) -> Plugin:
        plugin = self._plugins.get(found.label, Plugin(found))
        if plugin.state != "loaded":
            return plugin
        entries = tuple(self._now(entry) for entry in plugin.entries)
        conflicts = [entry.reason for entry in entries if entry.state == "conflict"]
        if conflicts:
            return replace(plugin, state="conflict", reason="; ".join(conflicts), entries=entries)
        return replace(plugin, reason="" if entries else "it offers nothing", entries=entries)


def _check_kind(kind: str) -> None:
    if kind not in KINDS:
        raise UnknownNameError(
            f"There is no kind {kind!r}. {did_you_mean(str(kind), KINDS)} "
            f"The kinds are {', '.join(KINDS)}.".replace("  ", " ")
        )
