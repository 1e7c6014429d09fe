"""Load one plugin: import it, check its hooks, collect its components."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from typing import Any

import pluggy

from lossfw.components import hookspecs
from lossfw.components.hookspecs import API, HOOKS, LIFE_CYCLE, PROJECT, TRAINING_CYCLE
from lossfw.components.naming import nearest_name
from lossfw.components.registry.blame import describe_error
from lossfw.components.registry.check_class import import_object
from lossfw.components.registry.contained import catch_exits
from lossfw.components.registry.local import components_in, import_file
from lossfw.components.registry.records import Entry, Plugin, PluginMetadata
from lossfw.components.registry.tables import entries_in
from lossfw.errors import BrokenPluginError, IncompatiblePluginError, PluginError

# Every hook by name.
_KNOWN = (*HOOKS.values(), *LIFE_CYCLE, *TRAINING_CYCLE)


def new_manager() -> pluggy.PluginManager:
    """Return a plugin manager that knows the hooks and no plugin."""
    manager = pluggy.PluginManager(PROJECT)
    manager.add_hookspecs(hookspecs)
    return manager


def load_plugin(metadata: PluginMetadata, manager: pluggy.PluginManager) -> Plugin:
    """Import a plugin, register it under its label and return its components.

    The result holds any error of the plugin, which is not raised, so that one plugin cannot stop
    the others. Only an interrupt by the user is raised.
    """
    with catch_exits() as interrupts:
        try:
            return Plugin(metadata, "loaded", entries=_load_entries(metadata, manager))
        except BaseException as error:
            # Also SystemExit: a plugin that exits on import must not end the host.
            if interrupts.came:
                raise
            if manager.has_plugin(metadata.label):
                manager.unregister(name=metadata.label)
            return _record_of_refused(metadata, error)


def followers(manager: pluggy.PluginManager, hook: str) -> dict[str, pluggy.HookCaller]:
    """Return a function that calls a hook, for each plugin that implements it, by label."""
    plugins = {
        impl.plugin_name: impl.plugin for impl in getattr(manager.hook, hook).get_hookimpls()
    }
    return {label: _hook_caller(hook, plugins[label], manager) for label in sorted(plugins)}


def _hook_caller(hook: str, plugin: object, manager: pluggy.PluginManager) -> pluggy.HookCaller:
    """Return a caller of a hook in this plugin only."""
    return manager.subset_hook_caller(hook, manager.get_plugins() - {plugin})


def _load_entries(metadata: PluginMetadata, manager: pluggy.PluginManager) -> tuple[Entry, ...]:
    if metadata.problem:
        raise BrokenPluginError(metadata.problem)
    plugin = import_object(metadata.target) if metadata.path is None else import_file(metadata.path)
    _check_api(plugin, metadata)
    hooks = [_check_hook(*hook) for hook in _hooks_of(plugin, manager)]
    for name in _KNOWN:
        if name not in hooks and inspect.isfunction(getattr(plugin, name, None)):
            raise BrokenPluginError(f"its {name} is not marked: write @hookimpl above it")
    if manager.is_registered(plugin):
        raise BrokenPluginError(
            f"{metadata.target} is already loaded as {manager.get_name(plugin)}: "
            "two entry points name the same object"
        )
    manager.register(plugin, name=metadata.label)
    if metadata.path is not None and not set(hooks) & set(HOOKS.values()):
        tables = components_in(plugin, metadata.path, needed=not hooks)
        return tuple(e for kind in HOOKS for e in entries_in(tables[kind], kind, metadata))
    return tuple(
        entry
        for kind, hook in HOOKS.items()
        for table in _hook_caller(hook, plugin, manager)()
        for entry in entries_in(table, kind, metadata)
    )


def _check_api(plugin: object, metadata: PluginMetadata) -> None:
    """Refuse a plugin that is written for another version of the hooks."""
    api = getattr(plugin, "lossfw_api", API)
    if type(api) is not int:
        raise BrokenPluginError(f"its lossfw_api should be an integer such as {API}, got {api!r}")
    if api != API:
        outdated = PROJECT if api > API else metadata.distribution
        raise IncompatiblePluginError(
            f"it is written for version {api} of the hooks (its lossfw_api), but this lossfw "
            f"has version {API}: upgrade {outdated}"
        )


def _hooks_of(plugin: object, manager: pluggy.PluginManager) -> Iterator[tuple[str, Any, bool]]:
    """Yield each marked function as the name of its hook, the function, whether optional."""
    for attribute in dir(plugin):
        options = manager.parse_hookimpl_opts(plugin, attribute)
        if options is not None:
            name = options.get("specname") or attribute
            yield name, getattr(plugin, attribute), bool(options.get("optionalhook"))


def _check_hook(name: str, function: Any, optional: bool) -> str:
    """Return a hook's name; refuse an unknown hook, or one with parameters that are not passed."""
    if name not in _KNOWN:
        if optional:
            return name
        match = nearest_name(name, _KNOWN)
        guess = f"Did you mean {match}?" if match else f"The hooks are {', '.join(_KNOWN)}."
        raise BrokenPluginError(f"it implements the hook {name}, which does not exist. {guess}")
    spec = inspect.signature(getattr(hookspecs, name)).parameters
    signature = inspect.signature(function)
    needed = [
        parameter.name
        for parameter in signature.parameters.values()
        if parameter.default is parameter.empty
        and parameter.kind not in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD)
    ]
    if not set(needed) <= set(spec):
        given = f"{name}({', '.join(signature.parameters)})"
        wanted = f"{name}({', '.join(spec)})"
        raise BrokenPluginError(f"its hook has the signature {given}; expected {wanted}")
    return name


def _record_of_refused(metadata: PluginMetadata, error: BaseException) -> Plugin:
    """Return the record of a plugin that could not be loaded, with the error to raise."""
    known = isinstance(error, PluginError)
    package = metadata.target.partition(":")[0].partition(".")[0]
    reason = str(error) if known else describe_error(error, path=metadata.path, package=package)
    incompatible = isinstance(error, IncompatiblePluginError)
    kind = IncompatiblePluginError if incompatible else BrokenPluginError
    refusal = kind(f"Plugin {metadata} cannot be used: {reason}")
    refusal.__cause__ = error
    return Plugin(metadata, "incompatible" if incompatible else "broken", reason, error=refusal)
