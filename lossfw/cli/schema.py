"""``lossfw schema``: the JSON schema of a configuration, for editors and checkers."""

from __future__ import annotations

from pathlib import Path

import click

from lossfw.cli.options import plugin_options, traceback_option
from lossfw.components.plugin_choice import Plugins


@click.command()
@click.option("--out", metavar="FILE", help="Write it to this file.")
@plugin_options
@traceback_option
def schema(out: str | None, plugins: Plugins) -> None:
    """Print the JSON schema of a configuration, with all installed components.

    A line at the top of a configuration lets an editor use it:
    "# yaml-language-server: $schema=lossfw.schema.json".
    """
    import json

    from lossfw.config.schema.json_schema import json_schema
    from lossfw.runs.files import say, write_file

    registry = plugins.registry()
    text = json.dumps(json_schema(registry), indent=1, ensure_ascii=False)
    if out is None:
        say(text)
    else:
        path = Path(out)
        write_file(path.parent, path.name, f"{text}\n".encode())
