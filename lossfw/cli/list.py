"""``lossfw list``: every component, with its kind, its origin and its summary."""

from __future__ import annotations

import contextlib

import click

from lossfw.bridges.bridge import Bridge
from lossfw.cli.options import json_option, plugin_options, traceback_option
from lossfw.components.plugin_choice import Plugins
from lossfw.components.registry import KINDS, Entry, Registry
from lossfw.errors import BrokenPluginError
from lossfw.runs.files import say, to_json

# Version of the JSON object that this verb prints.
LIST_VERSION = 1
# The plurals that people type.
_PLURALS = {f"{kind}{'es' if kind == 'loss' else 's'}": kind for kind in KINDS}
# The section of a configuration in which sources stand.
_PLURALS["data"] = "source"


@click.command("list")
@click.argument("kind", required=False, type=click.Choice([*KINDS, *_PLURALS]), metavar="[KIND]")
@json_option
@plugin_options
@traceback_option
def list_components(
    kind: str | None,
    as_json: bool,
    plugins: Plugins,
) -> None:
    """List the components of all plugins, or those of one KIND.

    A KIND is loss, activation, metric, source, optimizer or bridge. For a bridge, the line
    shows the installed version of its library or how to install it.
    """
    registry = plugins.registry()
    entries = _imported(registry, None if kind is None else _PLURALS.get(kind, kind))
    if as_json:
        described = [_described(entry, registry) for entry in entries]
        say(to_json({"lossfw": LIST_VERSION, "components": described}))
        return
    from lossfw.report.text.tables import show_table

    show_table(
        ("kind", "name", "plugin", "what it is"),
        [
            (entry.kind, ", ".join(entry.names), entry.label, _line(entry, registry))
            for entry in entries
        ],
    )


def _imported(registry: Registry, kind: str | None) -> tuple[Entry, ...]:
    """Return the entries with every class imported, so that their states are known."""
    for entry in registry.entries(kind):
        with contextlib.suppress(BrokenPluginError):
            registry.class_of(entry)
    return registry.entries(kind)


def _line(entry: Entry, registry: Registry) -> str:
    """Return the summary of a component, or the reason why it cannot be used."""
    if entry.state != "loaded":
        return f"{entry.state}: {' '.join(entry.reason.split())}"
    cls = registry.class_of(entry)
    return f"{_library(cls)}: {cls.summary()}" if issubclass(cls, Bridge) else cls.summary()


def _library(bridge: type[Bridge]) -> str:
    """Return the version of a bridge's library, or how to install it."""
    return bridge.version() or f"not installed, {bridge.install_command()}"


def _described(entry: Entry, registry: Registry) -> dict[str, object]:
    described: dict[str, object] = {
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
        described["summary"] = cls.summary()
        if issubclass(cls, Bridge):
            described["library"] = {"name": cls.library, "version": cls.version()}
    return described
