"""``lossfw config``: a configuration as it is used, and where each value comes from."""

from __future__ import annotations

import click

from lossfw.cli.options import (
    json_option,
    override_option,
    plugin_options,
    traceback_option,
)
from lossfw.components.plugin_choice import Plugins

# Version of the JSON object that this verb prints.
CONFIG_VERSION = 1


@click.command()
@click.argument("config")
@override_option
@click.option("--plain", is_flag=True, help="Leave the origins and the defaults in comments out.")
@json_option
@plugin_options
@traceback_option
def config(
    config: str,
    overrides: tuple[str, ...],
    plain: bool,
    as_json: bool,
    plugins: Plugins,
) -> None:
    """Print the configuration in the file CONFIG as it is used.

    What it extends, overrides and environment variables are put in, files have
    their whole names, and the defaults are there. Behind each value stands
    where it was written. What is printed runs, from any folder, to the same
    digest.
    """
    from lossfw.config.build.resolved import resolve
    from lossfw.config.text.source import ConfigSource
    from lossfw.runs.files import say, to_json

    resolved = resolve(ConfigSource(config, overrides, plugins))
    if as_json:
        values = resolved.origins()
        told = {"lossfw": CONFIG_VERSION, "config": resolved.root.plain(), "values": values}
        say(to_json(told))
    else:
        say((resolved.text() if plain else resolved.annotated()).removesuffix("\n"))
