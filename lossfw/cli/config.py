"""``lossfw config``: the resolved configuration, and the origin of each value."""

from __future__ import annotations

import click

from lossfw.cli.options import (
    config_plugin_options,
    json_option,
    override_option,
    traceback_option,
)
from lossfw.components.plugin_choice import Plugins

# Version of the JSON object that this verb prints.
CONFIG_VERSION = 1


@click.command()
@click.argument("config")
@override_option
@click.option("--plain", is_flag=True, help="Omit the origins and the defaults in comments.")
@json_option
@config_plugin_options(trusted=False)
@traceback_option
def config(
    config: str,
    overrides: tuple[str, ...],
    plain: bool,
    as_json: bool,
    plugins: Plugins,
) -> None:
    """Print the resolved configuration of the file CONFIG.

    Extended files, overrides and environment variables are applied, file names
    are absolute, and defaults are filled in. Each value is followed by its
    origin. The output runs from any folder, with the same digest. Plugin files
    are imported only with --plugin or --trust.
    """
    from lossfw.config.plan.resolved import resolve
    from lossfw.config.text.source import ConfigSource
    from lossfw.runs.files import say, to_json

    resolved = resolve(ConfigSource(config, overrides, plugins))
    if as_json:
        values = resolved.origins()
        told = {"lossfw": CONFIG_VERSION, "config": resolved.root.plain(), "values": values}
        say(to_json(told))
    else:
        say((resolved.text() if plain else resolved.annotated()).removesuffix("\n"))
