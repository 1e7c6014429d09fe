"""``lossfw list`` and ``lossfw plugins``: every component, and every plugin with its state."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from lossfw.cli.command import Command
from lossfw.cli.options import json_option, plugin_options, write_json
from lossfw.components.hookspecs import KINDS
from lossfw.components.plugin_choice import Plugins

if TYPE_CHECKING:
    from lossfw.components.registry import Entry, Plugin, Registry

# The plurals that people type.
_PLURALS = {f"{kind}{'es' if kind == 'loss' else 's'}": kind for kind in KINDS}
# The section of a configuration that names a source.
_PLURALS["data"] = "source"


class _KindChoice(click.Choice[str]):
    """A kind, which may be given in the plural; messages list the singulars."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        return super().convert(_PLURALS.get(value, value), param, ctx)


@click.command("list", cls=Command)
@click.argument("kind", required=False, type=_KindChoice(KINDS), metavar="[KIND]")
@json_option
@plugin_options
def list_components(kind: str | None, as_json: bool, plugins: Plugins) -> None:
    """List the components of all plugins, or those of one KIND.

    A KIND is loss, activation, metric, source, optimizer, bridge or model. For a bridge or a
    model of a library, the line shows the installed version of the library or how to install it.
    """
    registry = plugins.registry()
    entries = registry.import_all(kind)
    if as_json:
        write_json(components=[_entry_to_dict(entry, registry) for entry in entries])
        return
    from lossfw.report.text.tables import show_table

    show_table(
        ("kind", "name", "plugin", "what it is"),
        [
            (entry.kind, ", ".join(entry.names), entry.label, _summary_line(entry, registry))
            for entry in entries
        ],
    )


def _summary_line(entry: Entry, registry: Registry) -> str:
    """Return the summary of a component, or the reason why it cannot be used."""
    if entry.state != "loaded":
        return f"{entry.state}: {' '.join(entry.reason.split())}"
    # Imported here: the help of a command needs no component.
    from lossfw.components.library import LibraryComponent

    cls = registry.class_of(entry)
    if not issubclass(cls, LibraryComponent) or not cls.library:
        return cls._summary()
    missing = cls.missing_library() is not None
    state = f"not installed, {cls.install_command()}" if missing else cls.version()
    return f"{state}: {cls._summary()}"


def _entry_to_dict(entry: Entry, registry: Registry) -> dict[str, object]:
    description: dict[str, object] = {
        "kind": entry.kind,
        "name": entry.name,
        "aliases": list(entry.aliases),
        "plugin": entry.label,
        "distribution": entry.distribution,
        "version": entry.version,
        "state": entry.state,
        "reason": entry.reason,
        "summary": "",
    }
    if entry.state == "loaded":
        cls = registry.class_of(entry)
        description["summary"] = cls._summary()
        from lossfw.components.library import LibraryComponent

        if issubclass(cls, LibraryComponent) and cls.library:
            description["library"] = {"name": cls.library, "version": cls.version()}
    return description


@click.command("plugins", cls=Command)
@json_option
@plugin_options
def list_plugins(as_json: bool, plugins: Plugins) -> None:
    """List every plugin, with the reason if it, or a component of it, is broken or disabled."""
    registry = plugins.registry()
    registry.import_all()
    found = registry.plugins()
    if as_json:
        write_json(plugins=[_plugin_to_dict(plugin) for plugin in found])
        return
    from lossfw.report.text.tables import show_table

    show_table(
        ("plugin", "version", "state", "components", "reason"),
        [
            (plugin.label, plugin.version, plugin.state, _count_usable(plugin), plugin.reason)
            for plugin in found
        ],
    )


def _count_usable(plugin: Plugin) -> str:
    """Return how many components can be used, and of how many if some cannot."""
    usable = sum(entry.state != "broken" for entry in plugin.entries)
    every = len(plugin.entries)
    return str(every) if usable == every else f"{usable} of {every}"


def _plugin_to_dict(plugin: Plugin) -> dict[str, object]:
    return {
        "plugin": plugin.label,
        "distribution": plugin.distribution,
        "version": plugin.version,
        "entry": plugin.metadata.entry,
        "target": plugin.metadata.target,
        "state": plugin.state,
        "reason": plugin.reason,
        "components": [
            {"kind": e.kind, "name": e.name, "state": e.state, "reason": e.reason}
            for e in plugin.entries
        ],
    }
