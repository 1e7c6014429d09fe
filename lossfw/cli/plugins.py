"""``lossfw plugins``: every plugin, with its state and the reason for it."""

from __future__ import annotations

import click

from lossfw.cli.options import json_option, plugin_options, traceback_option
from lossfw.components.plugin_choice import Plugins
from lossfw.components.registry import Plugin
from lossfw.runs.files import say, to_json

# Version of the JSON object that this verb prints.
PLUGINS_VERSION = 1


@click.command("plugins")
@json_option
@plugin_options
@traceback_option
def list_plugins(as_json: bool, plugins: Plugins) -> None:
    """List every plugin, with the reason if it is broken or disabled."""
    listed = plugins.registry().plugins()
    if as_json:
        say(to_json({"lossfw": PLUGINS_VERSION, "plugins": [_described(p) for p in listed]}))
        return
    from lossfw.report.text.tables import show_table

    show_table(
        ("plugin", "version", "state", "components", "reason"),
        [
            (plugin.label, plugin.version, plugin.state, str(len(plugin.entries)), plugin.reason)
            for plugin in listed
        ],
    )


def _described(plugin: Plugin) -> dict[str, object]:
    return {
        "plugin": plugin.label,
        "distribution": plugin.distribution,
        "version": plugin.version,
        "entry": plugin.metadata.entry,
        "target": plugin.metadata.target,
        "state": plugin.state,
        "reason": plugin.reason,
        "components": [{"kind": entry.kind, "name": entry.name} for entry in plugin.entries],
    }
